"""The steps of a bank on a worker: tables and plan, lesson after lesson, products."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.bank import Profile, load_profile, open_bank
from course_utils.build.execution.records import Record
from course_utils.build.execution.run import Build, Plan, require_writable
from course_utils.build.execution.task import Task
from course_utils.build.products.finish import finish
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.errors import CourseError
from course_utils.files import sweep
from course_utils.paths import warehouse_dir

if TYPE_CHECKING:
    from course_utils.build.cluster.workshop import Workshop


@dataclass(frozen=True)
class Request:
    """What is wanted of one bank.

    Parameters
    ----------
    bank : str
        Its code.
    lessons : tuple of str
        Names of lessons; all if empty.
    plan : str or None
        Only the lessons of this class plan.
    force : bool
        Whether lessons run again although nothing has changed.
    products : bool
        Whether pages and kit are made.
    """

    bank: str
    lessons: tuple[str, ...] = ()
    plan: str | None = None
    force: bool = False
    products: bool = True


@dataclass(frozen=True)
class Prepared:
    """A bank whose lessons can begin.

    Parameters
    ----------
    name : str
        Name shown to people.
    plan : Plan
        What has to run.
    generated : bool
        Whether its tables were generated now.
    """

    name: str
    plan: Plan
    generated: bool


@dataclass(frozen=True)
class Finished:
    """A bank whose lessons have run.

    Parameters
    ----------
    leaks : list of str
        What must not leave the house, as the scan says it.
    """

    leaks: list[str] = field(default_factory=list)


def prepare_bank(shop: Workshop, request: Request) -> Prepared:
    """Generate a synthetic bank's tables if they are not current, and plan its lessons.

    Planned where the tables were written: on a network folder no other machine is sure to see
    them yet.

    Raises
    ------
    CourseError
        If a real bank has no tables, the profile is wrong, or nothing can be written.
    """
    profile = load_profile(request.bank)
    generated = _ensure_tables(profile)
    open_bank(request.bank, (profile.parameters.get("common") or {}).get("AS_OF"))
    build = _open(shop.root, request, profile)
    require_writable(build.folder)
    sweep(build.folder)
    return Prepared(profile.name, build.plan(build.syllabus.select(request.lessons)), generated)


def run_lesson(shop: Workshop, task: Task, digest: str) -> Record:
    """Run one edition of one lesson, unless an equal run has been filed."""
    return shop.run_lesson(task, digest)


def finish_bank(shop: Workshop, request: Request) -> Finished:
    """Write ``run.json``, pages and kit, and scan them.

    Raises
    ------
    CourseError
        If something cannot be written or packed.
    """
    build = summarise(shop.root, request)
    sweep(build.folder)
    if not request.products:
        return Finished()
    leaks = finish(build).leaks
    return Finished([str(leak).replace(str(build.root), ".") for leak in leaks])


def summarise(root: Path, request: Request) -> Build:
    """Write ``run.json`` of a bank, whose lessons need not all have run, and return its build."""
    build = _open(root, request, load_profile(request.bank))
    build.write_summary()
    return build


def _open(root: Path, request: Request, profile: Profile) -> Build:
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    if request.plan is not None:
        syllabus = syllabus.restricted(request.plan)
    return Build(root, syllabus, profile, jobs=1, force=request.force)


def _ensure_tables(profile: Profile) -> bool:
    """Generate the tables if they are missing or old; never over a real bank's own."""
    from course_utils.synth import is_current, write_bank
    from course_utils.synth.storage import MANIFEST

    folder = warehouse_dir(profile.code)
    tables = any(folder.glob("*.parquet"))
    if profile.is_real and not tables:
        whose = profile.origin or profile.code
        command = f"release {whose} --tier class" if profile.release else f"intake {whose}"
        raise CourseError(
            f"“{profile.name}”是真实银行，还没有数据，请先运行 course {command}，再重新构建这一家。"
        )
    if profile.is_real or (tables and not (folder / MANIFEST).is_file()) or is_current(profile):
        return False
    for left_over in folder.parent.glob(f".{profile.code}.*"):  # of a worker that was killed
        shutil.rmtree(left_over, ignore_errors=True)
    write_bank(profile)
    return True
