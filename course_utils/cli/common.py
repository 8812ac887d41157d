"""What several commands share: the bank option, the build they open, the bar, short paths."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from course_utils.visible import visible

if TYPE_CHECKING:
    from course_utils.build.execution.run import Build


def bank_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the required option ``--bank`` to a command."""
    return click.option("--bank", required=True, metavar="代号", help="银行代号，如 coastal。")(
        function
    )


class ProgressBar:
    """A tqdm bar whose total becomes known with the first report."""

    def __init__(self, title: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=0, desc=visible(title), dynamic_ncols=True, leave=False)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self._bar.clear()
        click.echo(visible(sentence))

    def show(self, label: str, done: int, total: int) -> None:
        """Say that `done` of `total` steps are finished, and what the last one was."""
        self._bar.total = total
        self._bar.set_postfix_str(visible(label), refresh=False)
        self._bar.update(done - self._bar.n)


def open_build(bank: str, force: bool, jobs: int | None, plan: str | None = None) -> Build:
    """Check the bank, its data and its date before anything runs."""
    from course_utils.bank import load_profile, open_bank
    from course_utils.build.execution.run import Build
    from course_utils.build.sources.syllabus import load_syllabus, project_root
    from course_utils.intake.privacy.duties import refuse_overdue

    root = project_root()
    profile = load_profile(bank)
    refuse_overdue(profile)
    open_bank(bank, (profile.parameters.get("common") or {}).get("AS_OF"))
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    if plan is not None:
        syllabus = syllabus.restricted(plan)
    return Build(root, syllabus, profile, jobs=jobs, force=force)


def echo_drawing(text: str, instead: str = "") -> None:
    """Print a drawing in block characters, or a sentence where the console does not know them."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = instead
    if text:
        click.echo(text)


def short(path: Path) -> str:
    """Return a path relative to the working folder where that is possible."""
    try:
        return Path(path).resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path)
