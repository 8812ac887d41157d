"""Run executed notebooks once more with nbval: their outputs must come out the same.

One bank's notebooks are run again in full; which bank changes from day to day, so that each gets
its turn. The other banks are held to the same standard by comparing what is cheap to compare.
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.errors import CourseError

#: Output that may differ from run to run, as nbval's sanitising rules.
SANITIZE = """[memory-address]
regex: 0x[0-9a-f]{6,}
replace: 0xADDRESS

[duration]
regex: \\d+(\\.\\d+)? ?(毫秒|秒)
replace: DURATION
"""


def bank_of_the_day(banks: Sequence[str], today: datetime.date | None = None) -> str:
    """Return the bank whose turn it is."""
    if not banks:
        raise CourseError("没有给出银行代号，请写在命令后面。")
    today = today or datetime.date.today()
    return banks[today.toordinal() % len(banks)]


def rerun(root: Path, bank: str) -> int:
    """Run nbval over the instructor edition of one bank.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    bank : str
        Code of the bank; it must have been built.

    Returns
    -------
    int
        pytest's exit code.
    """
    from course_utils.build.execute import kernel_environment
    from course_utils.build.files import write_text

    folder = root / "build" / bank / "instructor"
    notebooks = sorted(p for p in folder.glob("*/*.ipynb") if ".failed." not in p.name)
    if not notebooks:
        raise CourseError(f"{bank} 还没有讲师版，请先运行 course build --bank {bank}。")
    rules = root / ".cache" / "nbval.cfg"
    write_text(rules, SANITIZE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", f"--nbval-sanitize-with={rules}", "--nbval-cell-timeout=600"]
    command += ["-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadfile"]
    command += ["-c", os.devnull, f"--rootdir={root}"]
    output = root / ".cache" / "rerun" / bank
    environment = kernel_environment(root, output)
    return subprocess.call([*command, *map(str, notebooks)], cwd=root, env=environment)


def main() -> int:
    """Re-run the bank of the day out of those named on the command line."""
    from course_utils.build.syllabus import project_root

    try:
        bank = bank_of_the_day(sys.argv[1:])
        print(f"用 nbval 重新运行 {bank} 的讲师版……", flush=True)
        return rerun(project_root(), bank)
    except CourseError as error:
        print(f"错误：{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
