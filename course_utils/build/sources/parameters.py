"""Which parameter values a lesson runs with on a bank."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from course_utils.bank import Profile
from course_utils.build.sources.masters import Master
from course_utils.errors import CourseError


def lesson_parameters(profile: Profile, master: Master) -> dict[str, Any]:
    """Return the values to inject into one lesson: the bank, and what its profile overrides.

    Parameters
    ----------
    profile : Profile
        The bank's profile; ``parameters.common`` holds for every lesson that has the name.
    master : Master
        The lesson.

    Raises
    ------
    CourseError
        If the profile's section for this lesson names a parameter that the lesson has not, or
        gives a value of another kind than the default's.
    """
    where = f"data/banks/{profile.code}/bank.yml"
    common = profile.parameters.get("common") or {}
    own = profile.lesson_parameters(master.lesson)
    values: dict[str, Any] = {"BANK": profile.code}
    for name, value in own.items():
        if name in master.parameters:
            _check_kind(name, value, master.parameters[name], f"{where} 给 {master.key} ")
            values[name] = value
        elif name not in common:
            raise CourseError(
                f"{where} 给 {master.key} 写了没有的参数“{name}”{_guess(name, master.parameters)}，"
                f"这一课的参数有：{'、'.join(master.parameters)}。"
            )
    return values


def check_profile(profile: Profile, masters: Iterable[Master]) -> None:
    """Refuse sections and common parameters in a profile that no lesson of the course knows."""
    where = f"data/banks/{profile.code}/bank.yml"
    masters = list(masters)
    lessons = {master.lesson for master in masters} | {master.key for master in masters}
    names = {name for master in masters for name in master.parameters}
    for section in profile.parameters:
        if section != "common" and section not in lessons:
            raise CourseError(
                f"{where} 的 parameters 里有不存在的课“{section}”{_guess(section, lessons)}，"
                "请改成课程表里的编号，或写到 common 里。"
            )
    for name in profile.parameters.get("common") or {}:
        if name not in names:
            raise CourseError(
                f"{where} 的 parameters.common 里有没有任何一课使用的参数“{name}”"
                f"{_guess(name, names)}，请改正或删掉这一行。"
            )


def _guess(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(name), list(known), 1)
    return f"（是不是想写“{near[0]}”？）" if near else ""


def _check_kind(name: str, value: Any, default: Any, where: str) -> None:
    """Refuse a value whose kind differs from the default's; None accepts and is anything."""
    if default is None or value is None:
        return
    kinds: tuple[type, ...] = (type(default),)
    if isinstance(default, float):
        kinds = (float, int)
    if isinstance(value, kinds) and isinstance(value, bool) == isinstance(default, bool):
        return
    raise CourseError(
        f"{where}的参数“{name}”应当是像 {default!r} 这样的值，现在是 {value!r}，请改正。"
    )
