"""Where everything is measured: a scratch copy of the project, and the lessons as notebooks."""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from course_utils.bank import load_profile
from course_utils.build.sources.editions import build_edition, dumps
from course_utils.build.sources.masters import read_master
from course_utils.build.sources.parameters import lesson_parameters
from course_utils.build.sources.syllabus import Lesson, Syllabus, load_syllabus

#: Makes what every tool finds ready and none should pay for: font list, parsed contract.
_WARM_UP = "import matplotlib.pyplot, course_utils as cu; cu.begin({lesson!r}, {bank!r})"


@dataclass(frozen=True)
class Stage:
    """Everything a scenario needs.

    Parameters
    ----------
    root : pathlib.Path
        The scratch copy of the project.
    scratch : pathlib.Path
        Folder around it, for notebooks and logs.
    environment : dict of str to str
        The same for all tools.
    syllabus : Syllabus
        The course.
    lessons : tuple of Lesson
        Those that are measured.
    bank : str
        Code of the bank.
    """

    root: Path
    scratch: Path
    environment: dict[str, str]
    syllabus: Syllabus
    lessons: tuple[Lesson, ...]
    bank: str

    @property
    def complete(self) -> bool:
        """Whether all lessons of the course are measured."""
        return len(self.lessons) == len(self.syllabus.lessons)

    @property
    def build(self) -> Path:
        """The folder that a build writes."""
        return self.root / "build"

    def master(self, lesson: Lesson) -> Path:
        """Return the master of a lesson in the scratch copy."""
        return lesson.path(self.root / "lessons", ".py")

    def with_environment(self, **values: str) -> Stage:
        """Return the same stage with other environment variables."""
        return replace(self, environment={**self.environment, **values})

    def empty(self, *folders: Path) -> None:
        """Delete folders and what is in them."""
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)

    def notebooks(self) -> Path:
        """Write the instructor editions with the bank's parameters once; return their folder."""
        folder = self.scratch / "notebooks"
        if folder.is_dir():
            return folder
        folder.mkdir()
        profile = load_profile(self.bank)
        for lesson in self.lessons:
            master = read_master(self.master(lesson))
            notebook = build_edition(master, "instructor", lesson_parameters(profile, master))
            (folder / f"{lesson.name}.ipynb").write_text(dumps(notebook), encoding="utf-8")
        return folder


def prepare(project: Path, scratch: Path, bank: str, chosen: Sequence[str]) -> Stage:
    """Copy the project, compile it and make its caches.

    Parameters
    ----------
    project : pathlib.Path
        The repository; nothing in it is changed.
    scratch : pathlib.Path
        An empty folder.
    bank : str
        Code of a bank that has tables.
    chosen : sequence of str
        Lessons, or their number as the only entry; empty for all.
    """
    root = scratch / "project"
    copy_project(project, root)
    compileall.compile_dir(root / "course_utils", quiet=1)
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    lessons = choose(syllabus, chosen)
    environment = environment_for(root, scratch, project / "data" / "warehouse")
    stage = Stage(root, scratch, environment, syllabus, lessons, bank)
    warm_up = _WARM_UP.format(lesson=lessons[0].key, bank=bank)
    subprocess.run([sys.executable, "-c", warm_up], check=True, env=environment, cwd=scratch)
    return stage


def copy_project(project: Path, root: Path) -> None:
    """Copy the files that git knows or would add: no environment, no caches, no builds."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, cwd=project).stdout
    for name in filter(None, listed.decode("utf-8").split("\0")):
        source, target = project / name, root / name
        if source.is_file():  # deleted files stay in git's list until that is committed
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def choose(syllabus: Syllabus, chosen: Sequence[str]) -> tuple[Lesson, ...]:
    """Return lessons by name, or as many as a number says, spread over the course."""
    if len(chosen) == 1 and chosen[0].isdigit():
        return spread(syllabus.lessons, int(chosen[0]))
    return syllabus.select(chosen)


def spread(lessons: Sequence[Lesson], count: int) -> tuple[Lesson, ...]:
    """Return `count` lessons in order, at equal distances: foundation to workshop."""
    count = min(max(count, 1), len(lessons))
    return tuple(lessons[(2 * i + 1) * len(lessons) // (2 * count)] for i in range(count))


def spanning_levels(lessons: Sequence[Lesson], count: int) -> tuple[Lesson, ...]:
    """Return about `count` lessons, as many of each level."""
    levels = sorted({lesson.level for lesson in lessons})
    each = max(count // len(levels), 1)
    groups = ([ls for ls in lessons if ls.level == level] for level in levels)
    names = {lesson.name for group in groups for lesson in spread(group, each)}
    return tuple(lesson for lesson in lessons if lesson.name in names)


def environment_for(root: Path, scratch: Path, warehouse: Path) -> dict[str, str]:
    """Return the environment that all tools run in: one thread a process, nobody's own settings."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    programs = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join((programs, os.environ.get("PATH", os.defpath))),
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        **dict.fromkeys(threads, "1"),
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(root),
        "COURSE_HOME": str(root),
        "COURSE_WAREHOUSE": str(warehouse),
        "COURSE_OUTPUT": str(scratch / "output"),
        "MPLCONFIGDIR": str(root / ".cache" / "matplotlib"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_CONFIG_DIR": str(scratch / "jupyter" / "config"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter" / "runtime"),
        "JUPYTER_PLATFORM_DIRS": "1",
    }


def banks_with_tables(project: Path, names: Iterable[str]) -> list[str]:
    """Return those banks that have been generated."""
    folder = project / "data" / "warehouse"
    return [name for name in names if any((folder / name).glob("*.parquet"))]
