"""Which lessons a bank's data allow, before anything is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.build.sources.masters import read_master
from course_utils.build.sources.needs import FULL, LessonNeeds, Verdict, read_needs

if TYPE_CHECKING:
    from course_utils.build.sources.syllabus import Lesson

_QUESTIONS = Path(__file__).parents[2] / "exercises" / "questions"


@dataclass(frozen=True)
class Readiness:
    """What a bank's data allow of the course.

    Attributes
    ----------
    lessons : tuple of (Lesson, Verdict)
        In teaching order.
    """

    lessons: tuple[tuple[Lesson, Verdict], ...]

    def of(self, extent: str) -> list[Lesson]:
        """Return the lessons that can run to one extent: full, part or none."""
        return [lesson for lesson, verdict in self.lessons if verdict.extent == extent]

    def wanted(self) -> list[tuple[str, list[Lesson]]]:
        """Return what is missing → the lessons it stops, what stops the most first."""
        stopped: dict[str, list[Lesson]] = {}
        for lesson, verdict in self.lessons:
            for name in verdict.missing:
                stopped.setdefault(name, []).append(lesson)
        return sorted(stopped.items(), key=lambda item: (-len(item[1]), item[0]))


def lesson_needs(root: Path, lesson: Lesson) -> LessonNeeds:
    """Take one lesson apart.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    lesson : Lesson
        Its entry in the syllabus.
    """
    master = read_master(lesson.path(root / "lessons", ".py"))
    return read_needs(master, _QUESTIONS / f"{lesson.key}.py")


def readiness(root: Path, lessons: Iterable[Lesson], has: Callable[[str], bool]) -> Readiness:
    """Say for each lesson how much of it a bank's data allow.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    lessons : iterable of Lesson
        Which lessons.
    has : callable
        Says whether the bank has ``"loan"`` or ``"loan.purpose"``.
    """
    pairs = ((lesson, lesson_needs(root, lesson).verdict(has)) for lesson in lessons)
    return Readiness(tuple(pairs))


def as_json(found: Readiness) -> list[dict]:
    """Return the same for programs: a row a lesson."""
    return [
        {
            "lesson": lesson.name,
            "title": lesson.title_zh,
            "extent": verdict.extent,
            "missing": [] if verdict.extent == FULL else list(verdict.missing),
            "questions_missing": sorted(verdict.questions),
        }
        for lesson, verdict in found.lessons
    ]
