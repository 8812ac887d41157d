"""The trainee's own folder: notebooks are copied there once and never overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

from course_utils.desk.kit import Kit
from course_utils.desk.places import explained, require_space

#: The list of lessons that JupyterLab opens with.
FIRST_PAGE = "课程目录.md"


def prepare_notebooks(kit: Kit, folder: Path) -> int:
    """Copy the kit's notebooks to the trainee's folder; what is there already stays as it is.

    Only the list of lessons is made anew: nobody works in it.

    Returns
    -------
    int
        How many notebooks were copied.

    Raises
    ------
    CourseError
        If they cannot be written.
    """
    source = kit.folder / "notebooks"
    copied = 0
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if (source / FIRST_PAGE).is_file():
            _copy(source / FIRST_PAGE, folder / FIRST_PAGE)
        for path in sorted(source.rglob("*.ipynb")):
            target = folder / path.relative_to(source)
            if not target.exists():
                _copy(path, target)
                copied += 1
    return copied


def prepare_home(kit: Kit, programs: Path) -> Path:
    """Copy the kit's data to this machine: the stick may be pulled out in the middle of a lesson.

    Returns
    -------
    pathlib.Path
        The folder that holds ``data``; what ``COURSE_HOME`` should say.

    Raises
    ------
    CourseError
        If there is no room or it cannot be written.
    """
    home = programs / f"data-{kit.bank}-{kit.data_key}"
    if (home / "data").is_dir():
        return home
    require_space(programs, kit.data_bytes, "复制课堂数据")
    with explained(home):
        aside = home / "data.part"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(kit.folder / "data", aside, copy_function=shutil.copyfile)
        aside.rename(home / "data")
    return home


def _copy(source: Path, target: Path) -> None:
    """Copy aside and rename; the copy may be written to even if the kit is read-only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
