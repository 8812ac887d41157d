"""The room as pages and reports need it: plain data, with or without seats."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from course_utils.classroom.advice import RULES, advice
from course_utils.classroom.lessons import LessonPlan
from course_utils.classroom.standing import DONE, Cell, LessonState, RoomState, room_state
from course_utils.classroom.store import ClassStore
from course_utils.errors import CourseError
from course_utils.exercises.progress.event import OTHER

#: States in the order in which a bar stacks them.
STATES = ("right", "carried", "wrong", "begun", "stuck", "quiet", "broken", "none")


#: Figures of fewer seats would point at somebody.
FEWEST = 3


@dataclass
class Room:
    """One class: what was told, what was planned.

    Parameters
    ----------
    store : ClassStore
        The class folder.
    lessons : sequence of LessonPlan
        What is known of the lessons.
    title : str
        Name of the class.
    trouble : str
        A sentence for the instructor while the folder takes nothing.
    address : str
        What trainees type to come in; empty where a hub lets them in.
    """

    store: ClassStore
    lessons: Sequence[LessonPlan] = ()
    title: str = "课堂"
    trouble: str = ""
    address: str = ""

    def state(self, now: float | None = None) -> RoomState:
        """Return the state of the room; nobody is in it while the folder is not there yet."""
        try:
            events = self.store.events()
        except CourseError:
            events = []
        return room_state(events, self.lessons, time.time() if now is None else now)

    def view(
        self, lesson: str = "", *, projector: bool = False, now: float | None = None
    ) -> dict[str, Any]:
        """Return what the instructor's page shows.

        Parameters
        ----------
        lesson : str
            Which lesson; empty = where most seats are.
        projector : bool
            Leave out everything that points at a seat.
        now : float, optional
            Seconds since 1970; default: now.
        """
        now = time.time() if now is None else now
        state = self.state(now)
        key = lesson if lesson in state.lessons else state.current
        chosen = state.lessons.get(key)
        view = {
            "title": self.title,
            "time": datetime.fromtimestamp(now).strftime("%H:%M:%S"),
            "trouble": self.trouble,
            "address": self.address.removeprefix("http://"),
            "broken_lines": self.store.broken_lines(),
            "joined": len(state.seats),
            "active": state.active,
            "lesson": key,
            "following": key == state.current,
            "lessons": [_lesson_choice(one) for one in state.lessons.values()],
            "exercises": [],
            "advice": [],
            "rules": list(RULES),
        }
        if chosen is not None:
            places = range(len(chosen.plan.exercises))
            fewest = FEWEST if projector else 1
            view["exercises"] = [exercise_view(chosen, place, fewest) for place in places]
            if projector:
                view["exercises"] = [_kindly(one) for one in view["exercises"]]
            else:
                view["advice"] = [asdict(one) for one in advice(chosen)]
                view["seats"] = [
                    {
                        "seat": row.seat,
                        "here": row.here,
                        "silent": round(row.silent),
                        "cells": [_cell_view(chosen, p, row.cells[p]) for p in places],
                    }
                    for row in chosen.rows
                ]
        return view


def _lesson_choice(state: LessonState) -> dict[str, Any]:
    here = sum(row.here for row in state.rows)
    return {"key": state.plan.key, "title": state.plan.title, "here": here}


def exercise_view(state: LessonState, place: int, fewest: int = 1) -> dict[str, Any]:
    """Return one exercise in numbers; nothing in it points at a seat.

    Parameters
    ----------
    state : LessonState
        The lesson.
    place : int
        Which of its exercises.
    fewest : int
        Mistakes and minutes of fewer seats are left out.
    """
    exercise, column = state.plan.exercises[place], state.column(place)
    minutes, counted = state.minutes(place)
    now = state.mistakes_now(place)
    return {
        "id": exercise.id,
        "title": exercise.title,
        "seats": len(column),
        "done": sum(cell.state in DONE for cell in column),
        "counts": {name: sum(cell.state == name for cell in column) for name in STATES},
        "minutes": None if minutes is None or counted < fewest else round(minutes, 1),
        "counted": counted,
        "planned": round(exercise.path, 1),
        "mistakes": [
            {"kind": kind, "seats": seats, "sentence": exercise.sentence(kind)}
            for kind, seats in now[:4]
            if seats >= fewest and kind != OTHER
        ],
        "wrong": sum(seats for _, seats in now),
    }


def _kindly(exercise: dict[str, Any]) -> dict[str, Any]:
    """Show the class no count of those who are stuck or have not begun while others are done."""
    counts = dict(exercise["counts"])
    for state, milder in (("stuck", "wrong"), ("quiet", "none"), ("broken", "begun")):
        counts[milder] += counts[state]
        counts[state] = 0
    return {**exercise, "counts": counts}


def _cell_view(state: LessonState, place: int, cell: Cell) -> dict[str, Any]:
    view: dict[str, Any] = {"state": cell.state, "tries": cell.tries}
    if cell.mistake:
        view["mistake"] = state.plan.exercises[place].sentence(cell.mistake)
    if cell.state in ("stuck", "wrong", "begun"):
        view["waiting"] = round(cell.waiting)
    if cell.minutes is not None:
        view["minutes"] = round(cell.minutes, 1)
    return view
