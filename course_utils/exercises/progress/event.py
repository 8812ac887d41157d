"""What is told to the class: one event, one JSON line, and nothing that a trainee typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from course_utils.errors import CourseError
from course_utils.exercises.result import Outcome, Result

VERSION = 1
#: What can have happened.
EVENTS = ("join", "leave", "begin", "check", "hint", "carry_on")
#: Outcomes by name: the Chinese words are for people, these are for programs.
OUTCOMES: Mapping[Outcome, str] = {
    Outcome.RIGHT: "right",
    Outcome.WRONG: "wrong",
    Outcome.BLANK: "blank",
    Outcome.BROKEN: "broken",
}
#: Diagnoses without a name of their own: kind → (words for the instructor, parts of sentences).
DIAGNOSES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "stale": ("参数改过或没有运行，答案是旧的", ("改过了", "找不到参数")),
    "unit": ("单位或百分数", ("检查单位", "百分数", "按月还是按年")),
    "sign": ("正负号", ("正负号",)),
    "inverted": ("分子分母放反，或算成了另一半", ("放反", "另一半")),
    "rounding": ("四舍五入或边界", ("四舍五入", "边界")),
    "missing_values": ("空值、除数为 0", ("空值", "除数", "无穷大", "缺失")),
    "order": ("顺序", ("顺序",)),
    "groups": ("少了或多了几项", ("少了", "多了", "重复", "是空的")),
    "shape": ("答案的形式不对", ("需要", "请填", "要的是")),
}
OTHER = "other"
_MOST = 16
_LONG_NUMBER = re.compile(r"\d{7,}")


def clean_seat(name: object) -> str:
    """Return the name of a seat as it is stored: letters, digits, Chinese, ``_``, ``-``.

    Parameters
    ----------
    name : object
        What a trainee typed, at most 16 characters of which are kept.

    Raises
    ------
    CourseError
        If nothing is left, or it looks like a phone, card or identity number.
    """
    text = unicodedata.normalize("NFKC", str(name)).strip()
    text = re.sub(r"[^\w-]+", "_", text).strip("_-")[:_MOST]
    if _LONG_NUMBER.search(text):
        raise CourseError(
            "座位号里有很长的一串数字，像是电话或证件号：请只写座位号（如 12）或一个昵称。"
        )
    if not text:
        raise CourseError("座位号是空的：请写座位号，如 12，或者一个昵称。")
    return text


def diagnosis(result: Result) -> str:
    """Name of the mistake a wrong answer made: a misconception's key or a kind of diagnosis.

    The sentence itself may hold counts of the trainee's answer; only its kind is told.
    """
    if result.outcome is not Outcome.WRONG:
        return ""
    if result.misconception:
        return result.misconception
    for kind, (_, parts) in DIAGNOSES.items():
        if any(part in result.message for part in parts):
            return kind
    return OTHER


@dataclass(frozen=True)
class State:
    """How far a trainee is with one question when something happens.

    Attributes
    ----------
    tries, hints : int
        Checks made and hints seen in this session.
    carried : bool
        Whether the reference result was taken.
    """

    tries: int = 0
    hints: int = 0
    carried: bool = False


def make_event(
    event: str,
    lesson: str = "",
    question: str = "",
    state: State | None = None,
    result: Result | None = None,
) -> dict[str, Any]:
    """Return what one event says; seat, session and number are added where it is sent.

    Parameters
    ----------
    event : str
        One of `EVENTS`.
    lesson, question : str
        “m02_n02”, “E1”.
    state : State, optional
        Tries, hints, carried.
    result : Result, optional
        Outcome of a check; of its texts nothing is taken.
    """
    line: dict[str, Any] = {
        "v": VERSION,
        "time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
        "event": event,
    }
    if lesson:
        line["lesson"] = "_".join(lesson.split("_")[:2])
    if question:
        state = state or State()
        line |= {
            "question": question,
            "tries": state.tries,
            "hints": state.hints,
            "carried": state.carried,
        }
    if result is not None:
        line["outcome"] = OUTCOMES[result.outcome]
        if kind := diagnosis(result):
            line["misconception"] = kind
    return line
