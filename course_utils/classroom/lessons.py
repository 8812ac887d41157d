"""What the room must know of the lessons: exercises, planned minutes, sentences of mistakes.

The class folder keeps a copy (``plan.json``), so that a class can be read wherever the folder is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from course_utils.exercises.progress.event import DIAGNOSES, OTHER
from course_utils.files import write_text

#: Share of a lesson's minutes that its authors leave for exercises, where no class plan says more.
EXERCISE_SHARE = 0.35
_FILE = "plan.json"
_OTHER = "没有归入哪一类的错误。"


@dataclass(frozen=True)
class ExercisePlan:
    """One exercise.

    Attributes
    ----------
    id, title : str
        “E1”, “★★ 支行的到期视图”.
    own : float
        Planned minutes for the exercise itself.
    path : float
        Planned minutes from the exercise before (or the start of the lesson) until it is done:
        what is taught in between counts.
    mistakes : Mapping[str, str]
        Key of a named misconception → the sentence written for it.
    """

    id: str
    title: str = ""
    own: float = 5.0
    path: float = 5.0
    mistakes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def sentence(self, kind: str) -> str:
        """Return what to tell the class about a mistake or a kind of diagnosis."""
        if kind in self.mistakes:
            return self.mistakes[kind]
        return f"{DIAGNOSES[kind][0]}。" if kind in DIAGNOSES else _OTHER

    def known(self, kind: str) -> str:
        """Return the kind itself, or other where nothing is written about it."""
        return kind if kind in self.mistakes or kind in DIAGNOSES else OTHER


@dataclass(frozen=True)
class LessonPlan:
    """One lesson.

    Attributes
    ----------
    key, title : str
        “m02_n02” and its Chinese title.
    minutes : float
        Class time.
    exercises : tuple of ExercisePlan
        In order.
    """

    key: str
    title: str
    minutes: float
    exercises: tuple[ExercisePlan, ...]


def share_out(
    minutes: float, questions: Sequence[str], slots: Iterable[tuple[float, Sequence[str]]] = ()
) -> dict[str, tuple[float, float]]:
    """Return planned minutes of each exercise: its own, and the way to it from the one before.

    Parameters
    ----------
    minutes : float
        Class time of the lesson, for exercises that no slot names.
    questions : sequence of str
        Exercises in order.
    slots : iterable of (float, sequence of str)
        Minutes and parts (headings and exercises) of the class plan's slots of this lesson; each
        part gets the same share of its slot.
    """
    planned: dict[str, tuple[float, float]] = {}
    way = 0.0
    for length, parts in slots:
        for part in parts:
            way += length / len(parts)
            if part in questions:
                planned[part] = (length / len(parts), way)
                way = 0.0
    own = EXERCISE_SHARE * minutes / max(1, len(questions))
    for place, name in enumerate(questions):
        taught = (1 - EXERCISE_SHARE) * minutes if place == 0 else 0.0
        planned.setdefault(name, (own, own + taught))
    return planned


def save_lessons(folder: Path, lessons: Sequence[LessonPlan]) -> None:
    """Write ``plan.json`` into a class folder.

    Raises
    ------
    CourseError
        If the folder cannot be written.
    """
    write_text(folder / _FILE, json.dumps([asdict(one) for one in lessons], ensure_ascii=False))


def load_lessons(folder: Path) -> tuple[LessonPlan, ...]:
    """Read ``plan.json`` of a class folder; empty if there is none that can be read."""
    try:
        raw = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return tuple(_lesson(one) for one in raw)
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _lesson(raw: Mapping[str, Any]) -> LessonPlan:
    exercises = tuple(ExercisePlan(**one) for one in raw["exercises"])
    return LessonPlan(str(raw["key"]), str(raw["title"]), float(raw["minutes"]), exercises)
