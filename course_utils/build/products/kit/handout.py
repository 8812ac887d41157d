"""One archive to hand out: the kit's folder, packages, their list; the same bytes every time."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from course_utils.bank import Profile
from course_utils.build.execution.inputs import file_hash
from course_utils.build.products.kit.archive import entry
from course_utils.build.products.kit.fetch import fetch
from course_utils.build.products.kit.folder import kit_facts
from course_utils.build.products.kit.house import Wheel, closure, requirements_text
from course_utils.build.products.kit.papers import EXECUTABLE, Facts, papers
from course_utils.build.products.kit.python_folder import packed_python
from course_utils.build.products.kit.targets import Target, read_lock
from course_utils.desk.kit import House
from course_utils.errors import CourseError
from course_utils.files import fresh_file, remove_dead, write_text

Progress = Callable[[str, int, int], None]
Source = Path | bytes
#: Name of the list of files with sizes and hashes.
LIST = "清单.csv"
#: Bytes in which file systems count.
BLOCK = 4096
#: Compressed already.
_STORED = {".whl", ".parquet", ".png", ".xlsx", ".zip", ".woff2", ".pdf"}
#: Of the folder, what a kit with packages does not need.
_ONLINE = ("requirements.lock",)


@dataclass(frozen=True)
class Handout:
    """A finished archive.

    Parameters
    ----------
    path : pathlib.Path
        The zip.
    sha256 : str
        Hash of its bytes.
    groups : list of tuple of str, int, int
        What is in it: name, files, bytes.
    """

    path: Path
    sha256: str
    groups: list[tuple[str, int, int]]


def make_handout(
    kit: Path,
    profile: Profile,
    folder: Path,
    targets: Sequence[Target] = (),
    *,
    lock: Path | None = None,
    cache: Path | None = None,
    python: Path | None = None,
    progress: Progress = lambda label, done, total: None,
) -> Handout:
    """Pack a kit.

    Parameters
    ----------
    kit : pathlib.Path
        From :func:`~course_utils.build.products.kit.folder.write_kit`.
    profile : Profile
        The bank.
    folder : pathlib.Path
        Where the archive goes.
    targets : sequence of Target
        Machines whose packages are put in; none makes a kit that needs a network.
    lock, cache : pathlib.Path
        The lock, and where wheels are kept between runs; both are needed with targets.
    python : pathlib.Path, optional
        A Python for Windows to be put in.
    progress : callable
        Called with a label, steps done, and steps in all.

    Raises
    ------
    CourseError
        If packages cannot be fetched, do not fit, or nothing can be written.
    """
    wheel = Wheel.read(next((kit / "wheels").glob("course_utils-*.whl")))
    facts = kit_facts(profile, kit, wheel.path)
    files = _kit_files(kit)
    if targets:
        if lock is None or cache is None:
            raise ValueError("targets need a lock and a cache")
        houses: dict[str, House] = {}
        for target in targets:
            pins = read_lock(lock.read_text(encoding="utf-8"), target)
            house = fetch(pins, target, cache / target.name, progress)
            packed = closure([wheel, house["pip"]], house, target)
            files |= _house_files(packed, target)
            houses[target.name] = _describe(packed, target)
        facts = dataclasses.replace(facts, houses=houses, targets=tuple(targets))
        for name in _ONLINE:
            files.pop(name, None)
    if python is not None:
        files |= packed_python(python, targets)
        facts = dataclasses.replace(facts, python=True)
    files |= papers(facts)
    files[LIST] = _list(files)
    path = folder / _name(facts)
    _write(path, f"course-{profile.code}", files, progress)
    digest = file_hash(path)
    write_text(path.with_name(f"{path.name}.sha256"), f"{digest}  {path.name}\n")
    return Handout(path, digest, _groups(files))


def _kit_files(kit: Path) -> dict[str, Source]:
    """Return the files of the folder; what somebody's trial has left there is not theirs to get."""
    return {
        path.relative_to(kit).as_posix(): path
        for path in sorted(kit.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(kit).parts[:1])
        and not {"__pycache__", ".ipynb_checkpoints", "成果"} & set(path.relative_to(kit).parts)
    }


def _house_files(wheels: Sequence[Wheel], target: Target) -> dict[str, Source]:
    """Return the packages and their list; the course's own wheel lies in the kit already."""
    others = [wheel for wheel in wheels if wheel.name != "course-utils"]
    files: dict[str, Source] = {f"wheelhouse/{wheel.path.name}": wheel.path for wheel in others}
    files[_requirements(target)] = requirements_text(_listed(wheels)).encode("ascii")
    return files


def _listed(wheels: Sequence[Wheel]) -> list[Wheel]:
    """Return what pip installs: not the course, which may change alone, and not itself.

    Run out of its own wheel on Windows pip refuses to install a pip.
    """
    return [wheel for wheel in wheels if wheel.name not in ("course-utils", "pip")]


def _requirements(target: Target) -> str:
    return f"wheelhouse/{target.name}.txt"


def _describe(wheels: Sequence[Wheel], target: Target) -> House:
    """Return what an installation of some wheels takes; bytecode is as large as code."""
    size, longest = 0, 0
    tag = f".cpython-{target.python.replace('.', '')}.pyc"
    for wheel in wheels:
        with zipfile.ZipFile(wheel.path) as archive:
            for info in archive.infolist():
                source = info.filename.endswith(".py")
                size += -(-info.file_size // BLOCK) * BLOCK * (2 if source else 1)
                name = PurePosixPath(info.filename)
                compiled = str(name.parent / "__pycache__" / (name.stem + tag)) if source else ""
                longest = max(longest, len(info.filename), len(compiled))
    return House(_requirements(target), len(_listed(wheels)), size, longest)


def _list(files: Mapping[str, Source]) -> bytes:
    """Return the list of all files for people: Excel knows UTF-8 by its mark."""
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\r\n")
    rows.writerow(["文件", "字节", "SHA-256"])
    for name in sorted(files):
        source = files[name]
        if isinstance(source, Path):
            rows.writerow([name, source.stat().st_size, file_hash(source)])
        else:
            rows.writerow([name, len(source), hashlib.sha256(source).hexdigest()])
    return stream.getvalue().encode("utf-8-sig")


def _name(facts: Facts) -> str:
    if not facts.targets:
        return f"course-{facts.bank}-online.zip"
    platforms = dict.fromkeys(target.platform.name for target in facts.targets)
    own = "-with-python" if facts.python else ""
    return f"course-{facts.bank}-{'-'.join(platforms)}-py{'-'.join(facts.pythons)}{own}.zip"


def _write(path: Path, top: str, files: Mapping[str, Source], progress: Progress) -> None:
    """Write the archive aside, then rename it."""
    remove_dead(path)
    with fresh_file(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for number, name in enumerate(sorted(files), 1):
            source = files[name]
            data = source.read_bytes() if isinstance(source, Path) else source
            info = entry(
                f"{top}/{name}",
                executable=name in EXECUTABLE,
                stored=PurePosixPath(name).suffix in _STORED,
            )
            archive.writestr(info, data, compresslevel=6)
            progress("打包", number, len(files))


def _groups(files: Mapping[str, Source]) -> list[tuple[str, int, int]]:
    names = {
        "notebooks": "笔记本",
        "data": "数据",
        "pages": "网页",
        "wheels": "课程程序",
        "wheelhouse": "安装包",
        "python": "Python",
    }
    sizes: dict[str, list[int]] = {}
    for name, source in files.items():
        group = names.get(name.partition("/")[0], "说明和脚本")
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        sizes.setdefault(group, []).append(size)
    order = [*names.values(), "说明和脚本"]
    return [(group, len(sizes[group]), sum(sizes[group])) for group in order if group in sizes]


def check_kit(kit: Path, bank: str) -> None:
    """Make sure that a bank's build is finished and its kit is there.

    Raises
    ------
    CourseError
        If not.
    """
    if not (kit / "kit.json").is_file() or not (kit / "pages").is_dir():
        raise CourseError(f"“{bank}”还没有构建好的学员包：请先运行 course build --bank {bank}。")
