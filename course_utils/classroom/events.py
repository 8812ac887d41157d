"""Events as the class stores them: only known fields, of the right kind, however they came."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from course_utils.exercises.progress.event import EVENTS, OUTCOMES, VERSION

_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_LESSON = re.compile(r"m\d{2}_n\d{2}")
_QUESTION = re.compile(r"E[1-9]\d?")
_SESSION = re.compile(r"[A-Za-z0-9-]{1,40}")
_OUTCOME_NAMES = frozenset(OUTCOMES.values())
_OLD_OUTCOMES = {outcome.value: name for outcome, name in OUTCOMES.items()}
_MOST_TRIES = 9999


@dataclass(frozen=True)
class Event:
    """One thing that happened at a seat.

    Attributes
    ----------
    seat : str
        As the trainee named it.
    time : float
        Seconds since 1970 by the seat's clock.
    received : float or None
        The same by the collector's clock; None where the seat wrote into a shared folder.
    session, number : str, int
        Which run of a notebook, and which event of it.
    event, lesson, question, outcome, misconception : str
        See :mod:`course_utils.classroom`; empty where it does not apply.
    tries, hints : int
        In this session.
    carried : bool
        Whether the reference result was taken.
    """

    seat: str
    time: float
    received: float | None
    session: str
    number: int
    event: str
    lesson: str = ""
    question: str = ""
    outcome: str = ""
    misconception: str = ""
    tries: int = 0
    hints: int = 0
    carried: bool = False


def normalised(raw: Any) -> dict[str, Any] | None:
    """Return the known fields of an event a seat sent, or None if it is none.

    Whatever else stands in it is left out: a changed client cannot store an answer.
    """
    if not isinstance(raw, Mapping) or raw.get("event") not in EVENTS:
        return None
    if not _matches(_SESSION, raw.get("session")) or _time(raw.get("time")) is None:
        return None
    line: dict[str, Any] = {
        "v": VERSION,
        "time": str(raw["time"])[:40],
        "session": raw["session"],
        "number": _count(raw.get("number")),
        "event": raw["event"],
    }
    if _matches(_LESSON, raw.get("lesson")):
        line["lesson"] = raw["lesson"]
    if _matches(_QUESTION, raw.get("question")):
        line["question"] = raw["question"]
        line |= {name: _count(raw.get(name)) for name in ("tries", "hints")}
        line["carried"] = raw.get("carried") is True
    if raw.get("outcome") in _OUTCOME_NAMES:
        line["outcome"] = raw["outcome"]
    if _matches(_NAME, raw.get("misconception")):
        line["misconception"] = raw["misconception"]
    return line


def read_line(text: str, seat: str) -> Event | None:
    """Read one stored line; None for half a line, a foreign one, or one without a time.

    Parameters
    ----------
    text : str
        The line.
    seat : str
        Name of the seat where the line does not say (the file's name).
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict):
        return None
    raw = _from_first_version(raw, seat) if "v" not in raw else raw
    line = normalised(raw)
    if line is None:
        return None
    return Event(
        seat=str(raw.get("seat") or seat)[:16],
        time=_time(line["time"]) or 0.0,
        received=_time(raw.get("received")),
        session=line["session"],
        number=line["number"],
        event=line["event"],
        **{name: line[name] for name in _OPTIONAL if name in line},
    )


_OPTIONAL = ("lesson", "question", "outcome", "misconception", "tries", "hints", "carried")


def _from_first_version(raw: dict[str, Any], seat: str) -> dict[str, Any]:
    """Lines of course_utils 0.3: checks only, outcomes in Chinese, no session, no zone."""
    tries = _count(raw.get("tries"))
    lesson, question = str(raw.get("lesson", ""))[:7], str(raw.get("question", ""))
    # a lesson that is begun again counts from one: the day and hour tell such sessions apart
    moment = re.sub(r"\D", "", str(raw.get("time", "")))[:10]
    digits = re.sub(r"\D", "", question) or "0"
    name = zlib.crc32(str(raw.get("seat") or seat).encode("utf-8"))
    return {
        **raw,
        "lesson": lesson,
        "event": "check",
        "outcome": _OLD_OUTCOMES.get(str(raw.get("outcome")), ""),
        "session": f"v0-{name}-{lesson[:3]}{lesson[4:]}-{moment}",
        "number": int(digits) * 10_000 + tries,
    }


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return 0
    return max(0, min(int(value) if abs(value) < 1e12 else 0, 10**9))


def _time(value: object) -> float | None:
    """Seconds since 1970; a time without a zone is taken as this machine's."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
