"""``notebooks/`` is generated: write it from the masters, and catch every way it can differ."""

from __future__ import annotations

from pathlib import Path

from course_utils.build.sources.editions import build_edition, dumps
from course_utils.build.sources.masters import read_master
from course_utils.build.sources.syllabus import Syllabus
from course_utils.files import write_text

#: Written beside the generated notebooks, so that nobody edits them by hand.
README = "这里的笔记本由 lessons/ 里的母本生成，请不要手工修改：改母本，再运行 course notebooks。\n"


def expected_files(root: Path, syllabus: Syllabus) -> dict[Path, str]:
    """Return the text that every generated file must have, by path below ``notebooks/``.

    Lessons without a master are left out.
    """
    files = {Path("README.txt"): README}
    for lesson in syllabus.lessons:
        master = lesson.path(root / "lessons", ".py")
        if master.is_file():
            edition = build_edition(read_master(master), "trainee")
            files[lesson.path(Path(), ".ipynb")] = dumps(edition)
    return files


def write_notebooks(root: Path, syllabus: Syllabus) -> list[Path]:
    """Bring ``notebooks/`` in line with the masters.

    Only files that differ are written; notebooks that no lesson asks for are deleted.

    Returns
    -------
    list of pathlib.Path
        The files that were written or deleted, relative to `root`.
    """
    for lesson in syllabus.lessons:
        read_master(lesson.path(root / "lessons", ".py"))  # a missing master is an error here
    folder = root / "notebooks"
    wanted = expected_files(root, syllabus)
    changed = []
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
            write_text(path, text)
            changed.append(Path("notebooks") / name)
    for name in _present(folder):
        if name not in wanted:
            (folder / name).unlink()
            changed.append(Path("notebooks") / name)
    return changed


def find_drift(root: Path, syllabus: Syllabus) -> list[str]:
    """Compare masters, syllabus and ``notebooks/``.

    Returns
    -------
    list of str
        One Chinese sentence a difference: a master without a line in the syllabus, a lesson without
        a master, a notebook that is missing, edited or stray. Empty if nothing differs.
    """
    findings = []
    for lesson in syllabus.lessons:
        if not lesson.path(root / "lessons", ".py").is_file():
            name = f"lessons/{lesson.folder}/{lesson.name}.py"
            findings.append(f"缺少母本：课程表里有 {lesson.name}，但没有 {name}。")
    listed = {lesson.path(Path(), ".py") for lesson in syllabus.lessons}
    for path in sorted((root / "lessons").rglob("*.py")):
        if path.relative_to(root / "lessons") not in listed:
            findings.append(f"多余的母本：{path.relative_to(root).as_posix()} 不在课程表里。")
    folder = root / "notebooks"
    wanted = expected_files(root, syllabus)
    for name, text in wanted.items():
        path = folder / name
        if not path.is_file():
            findings.append(f"缺少生成的文件：notebooks/{name.as_posix()}。")
        elif path.read_bytes() != text.encode("utf-8"):
            findings.append(f"与母本不一致：notebooks/{name.as_posix()} 被改过，或忘了重新生成。")
    for name in _present(folder):
        if name not in wanted:
            findings.append(f"多余的文件：notebooks/{name.as_posix()} 没有对应的课。")
    return findings


def _present(folder: Path) -> list[Path]:
    """Return the files below `folder`, without editors' checkpoints and what lessons write."""
    ignored = {".ipynb_checkpoints", "成果"}
    return sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and not ignored & set(path.relative_to(folder).parts)
    )
