"""Run executed notebooks once more with nbval: their outputs must come out the same."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.errors import CourseError


def choose(
    root: Path, banks: Sequence[str], every: bool = False, today: datetime.date | None = None
) -> list[Path]:
    """Return the executed instructor notebooks to run again.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    banks : sequence of str
        Banks that have been built.
    every : bool, optional
        All lessons on all banks. Otherwise each lesson on one bank; which one changes from lesson
        to lesson and from day to day, so that every pair has its turn at a constant cost.
    today : datetime.date, optional
        The day; today if left out.

    Raises
    ------
    CourseError
        If a bank has not been built.
    """
    by_bank = {}
    for bank in banks:
        folder = root / "build" / bank / "instructor"
        by_bank[bank] = sorted(folder.glob("*/*.ipynb"))
        if not by_bank[bank]:
            raise CourseError(f"{bank} 还没有讲师版，请先运行 course build --bank {bank}。")
    if every:
        return [path for paths in by_bank.values() for path in paths]
    day = (today or datetime.date.today()).toordinal()
    names = sorted({path.name for paths in by_bank.values() for path in paths})
    turn = {name: banks[(number + day) % len(banks)] for number, name in enumerate(names)}
    return [path for bank, paths in by_bank.items() for path in paths if turn[path.name] == bank]


def rerun(root: Path, notebooks: Sequence[Path]) -> int:
    """Run nbval over notebooks and return pytest's exit code."""
    from course_utils.build.execution.environment import kernel_environment

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "--nbval-cell-timeout=600"]
    command += ["-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadfile"]
    command += ["-c", os.devnull, f"--rootdir={root}"]
    environment = kernel_environment(root) | {"COURSE_OUTPUT": str(root / ".cache" / "rerun")}
    return subprocess.call([*command, *map(str, notebooks)], cwd=root, env=environment)


def main(arguments: Sequence[str]) -> int:
    """Re-run lessons of the banks named on the command line; ``--all`` takes every pair."""
    from course_utils.build.sources.syllabus import project_root

    banks = [name for name in arguments if not name.startswith("-")]
    try:
        root = project_root()
        notebooks = choose(root, banks, every="--all" in arguments)
        print(f"用 nbval 重新运行 {len(notebooks)} 本讲师版笔记本……", flush=True)
        return rerun(root, notebooks)
    except CourseError as error:
        print(f"错误：{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
