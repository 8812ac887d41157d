"""Duties towards a real bank's data: raw for the instructor alone, and gone when it is due."""

from __future__ import annotations

import datetime
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.files import explain_os_errors
from course_utils.intake.privacy.key import destroy_key, key_path
from course_utils.intake.privacy.release.classroom import SUFFIX
from course_utils.paths import data_dir, home, incoming_dir, intake_dir, warehouse_dir

if TYPE_CHECKING:
    from course_utils.bank.profile import Profile


def require_release(profile: Profile) -> None:
    """Fail if trainees would get a real bank's own rows instead of a class release.

    Raises
    ------
    CourseError
        Says how to make one.
    """
    if profile.is_real and not profile.release:
        raise CourseError(
            f"“{profile.name}”是真实数据，只供讲师本人使用，不能发给学员："
            f"请先运行 course release {profile.code} --tier class，"
            f"再用课堂版 {profile.code}{SUFFIX}。"
        )


def overdue(profile: Profile, today: datetime.date | None = None) -> str:
    """Return the warning for a bank whose purge date has passed, or an empty text."""
    today = today or datetime.date.today()
    if profile.purge_on is None or today <= profile.purge_on:
        return ""
    return (
        f"“{profile.name}”的数据应在 {profile.purge_on} 前销毁，已经过期："
        f"请运行 course purge {profile.origin or profile.code}；"
        "确需延期，请先办审批，再改银行档案里的 purge_on。"
    )


def refuse_overdue(profile: Profile) -> None:
    """Fail if a bank's data should be gone by now.

    Raises
    ------
    CourseError
        Says what to do.
    """
    if warning := overdue(profile):
        raise CourseError(warning)


@dataclass(frozen=True)
class Purge:
    """What there is to remove of a bank.

    Parameters
    ----------
    items : tuple of (str, pathlib.Path)
        Chinese name and place of each thing that is there.
    key : pathlib.Path or None
        The key, if it is to go, too.
    """

    items: tuple[tuple[str, Path], ...]
    key: Path | None = None


def plan_purge(profile: Profile, *, incoming: bool = False, key: bool = False) -> Purge:
    """Say what would be removed.

    Parameters
    ----------
    profile : Profile
        A real bank.
    incoming : bool
        The copies of its exports, too.
    key : bool
        The key, too: then no pseudonym can ever be made again.

    Raises
    ------
    CourseError
        If the bank is a synthetic one.
    """
    if not profile.is_real:
        raise CourseError(f"“{profile.name}”是合成数据，没有需要销毁的内容。")
    if profile.origin:
        raise CourseError(f"请对原来那家银行运行：course purge {profile.origin}。")
    code = profile.code
    build = (home() or Path.cwd()) / "build"
    places = [
        ("假名化后的数据表", warehouse_dir(code)),
        ("课堂版数据表", warehouse_dir(code + SUFFIX)),
        ("课堂版银行档案", data_dir("banks") / (code + SUFFIX)),
        ("数据报告、问题清单、剔除行", intake_dir(code)),
        ("讲师自用的课程成品", build / code),
        ("课堂版课程成品和学员包", build / (code + SUFFIX)),
    ]
    if incoming:
        places.append(("原始导出文件", incoming_dir(code)))
    there = tuple((name, path) for name, path in places if path.is_symlink() or path.exists())
    kept = key_path(code) if key else None
    return Purge(there, kept if kept is not None and kept.exists() else None)


def purge(plan: Purge) -> None:
    """Remove what :func:`plan_purge` listed; the key is overwritten first."""
    for _, path in plan.items:
        with explain_os_errors(path):
            # a link is removed, not what it points to
            if path.is_symlink() or path.is_file():
                path.unlink()
            else:
                shutil.rmtree(path)
    if plan.key is not None:
        destroy_key(plan.key)
