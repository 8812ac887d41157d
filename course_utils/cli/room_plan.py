"""What the room must know of the lessons, taken from syllabus, masters and questions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.classroom.lessons import ExercisePlan, LessonPlan, save_lessons, share_out

if TYPE_CHECKING:
    from course_utils.build.sources.masters import Master
    from course_utils.build.sources.plans import ClassPlan
    from course_utils.build.sources.syllabus import Lesson

_TITLE = re.compile(r"^\*\*(E[1-9]\d?)\s*([^*]*)\*\*", re.MULTILINE)


def write_room_plan(root: Path, folder: Path, plan: str | None = None) -> tuple[LessonPlan, ...]:
    """Write ``plan.json`` of a class into its folder.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    folder : pathlib.Path
        The class folder.
    plan : str, optional
        Id of the class plan whose minutes count; default: the first of the syllabus.

    Returns
    -------
    tuple of LessonPlan
        What was written.

    Raises
    ------
    CourseError
        If syllabus or a master is broken, the plan does not exist, or the folder is read-only.
    """
    lessons = room_lessons(root, plan)
    save_lessons(folder, lessons)
    return lessons


def room_lessons(root: Path, plan: str | None = None) -> tuple[LessonPlan, ...]:
    """Return all lessons of the syllabus with their exercises and planned minutes."""
    from course_utils.build.sources.syllabus import load_syllabus

    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    if plan is not None:
        syllabus.restricted(plan)  # says in one sentence which plans there are
    plans = {one.id: one for one in syllabus.plans}
    chosen = plans.get(plan or next(iter(plans), ""))
    return tuple(_lesson(root, lesson, chosen) for lesson in syllabus.lessons)


def _lesson(root: Path, lesson: Lesson, plan: ClassPlan | None) -> LessonPlan:
    from course_utils.build.sources.masters import read_master
    from course_utils.exercises.session import load_questions

    master = read_master(lesson.path(root / "lessons", ".py"))
    slots = (
        []
        if plan is None
        else [
            (float(slot.minutes), slot.parts)
            for day in plan.days
            for slot in day.slots
            if slot.lesson == lesson.key and slot.parts
        ]
    )
    minutes = share_out(float(lesson.minutes), master.questions, slots)
    titles = _titles(master)
    mistakes = {
        question.id: {item.key: item.message for item in question.misconceptions}
        for question in load_questions(lesson.key)
    }
    exercises = tuple(
        ExercisePlan(name, titles.get(name, ""), *minutes[name], mistakes.get(name, {}))
        for name in master.questions
    )
    return LessonPlan(lesson.key, lesson.title_zh, float(lesson.minutes), exercises)


def _titles(master: Master) -> dict[str, str]:
    """Return the bold titles with which exercises begin in the text."""
    prose = (cell.source for cell in master.cells if cell.kind == "markdown")
    return {name: title.strip() for text in prose for name, title in _TITLE.findall(text)}
