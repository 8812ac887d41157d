"""From events to the state of the room: pure functions of events, lessons and the time."""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from course_utils.classroom.events import Event
from course_utils.classroom.lessons import ExercisePlan, LessonPlan

#: Wrong tries after which somebody is stuck.
STUCK_TRIES = 4
#: Nobody is called stuck before so many minutes, however short the plan is.
LEAST_MINUTES = 5.0
#: When the whole room is silent (a break), clocks stop after so many seconds.
PAUSE = 300.0
#: A seat that told something within so many minutes is active.
ACTIVE_MINUTES = 15.0
#: Clocks that differ by less than this (seconds) are left alone.
CLOCK_NOISE = 120.0
#: Minutes for an exercise beyond this mean that a break or a night lay in between.
MOST_MINUTES = 180.0
#: States in which an exercise is behind somebody.
DONE = ("right", "carried")


@dataclass(frozen=True)
class Cell:
    """One exercise at one seat.

    Attributes
    ----------
    state : str
        none, begun, wrong, stuck, quiet, broken, carried or right.
    tries, hints : int
        Over all sessions.
    mistake : str
        Kind of the latest wrong answer, while it is the latest.
    mistakes : frozenset of str
        Kinds of all wrong answers.
    minutes : float or None
        From the exercise before to the first success or reference result.
    waiting : float
        Minutes since the first check or hint; 0 when done or not begun.
    """

    state: str = "none"
    tries: int = 0
    hints: int = 0
    mistake: str = ""
    mistakes: frozenset[str] = frozenset()
    minutes: float | None = None
    waiting: float = 0.0


@dataclass(frozen=True)
class SeatRow:
    """One seat in one lesson.

    Attributes
    ----------
    seat : str
        Its number.
    here : bool
        Whether this is the lesson the seat told of last.
    silent : float
        Minutes since it told anything.
    cells : tuple of Cell
        By exercise.
    """

    seat: str
    here: bool
    silent: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class LessonState:
    """One lesson in the room."""

    plan: LessonPlan
    rows: tuple[SeatRow, ...]

    def column(self, place: int) -> list[Cell]:
        """Return one exercise at all seats."""
        return [row.cells[place] for row in self.rows]

    def minutes(self, place: int) -> tuple[float | None, int]:
        """Return the median minutes of an exercise and of how many seats."""
        known = [cell.minutes for cell in self.column(place) if cell.minutes is not None]
        return (statistics.median(known) if known else None), len(known)

    def mistakes_now(self, place: int) -> list[tuple[str, int]]:
        """Return mistakes that seats are at now, the most common first."""
        kinds = [row.cells[place].mistake for row in self.rows if row.here]
        return _most_common(kind for kind in kinds if kind)

    def mistakes_ever(self, place: int) -> list[tuple[str, int]]:
        """Return mistakes by the number of seats that ever made them."""
        return _most_common(kind for cell in self.column(place) for kind in cell.mistakes)


@dataclass(frozen=True)
class RoomState:
    """All lessons of a class at one moment.

    Attributes
    ----------
    seats : tuple of str
        Who has joined and not left.
    active : int
        How many told something in the last `ACTIVE_MINUTES`.
    lessons : dict of str to LessonState
        Those somebody has begun, in teaching order.
    current : str
        The lesson in which most active seats are.
    """

    seats: tuple[str, ...]
    active: int
    lessons: dict[str, LessonState] = field(default_factory=dict)
    current: str = ""


def room_state(events: Iterable[Event], lessons: Sequence[LessonPlan], now: float) -> RoomState:
    """Return the state of the room.

    Parameters
    ----------
    events : iterable of Event
        In any order, with repetitions.
    lessons : sequence of LessonPlan
        What is known of the lessons; others are shown with the exercises that were met.
    now : float
        Seconds since 1970.
    """
    told = at_true_times(_last_names(_once(events)), now)
    present = _present(told)
    told = [event for event in told if event.seat in present]
    # in a break nobody gets stuck: clocks stop soon after the last event of the room
    clock = min(now, max((event.time for event in told), default=now) + PAUSE)
    seats = tuple(sorted(present, key=natural))
    last = {event.seat: event.time for event in told}
    where = _latest_lessons(told)
    active = sum(now - then < 60 * ACTIVE_MINUTES for then in last.values())
    by_lesson: dict[str, list[Event]] = defaultdict(list)
    for event in told:
        by_lesson[event.lesson].append(event)
    states = {}
    for plan in _met(told, lessons):
        states[plan.key] = _lesson_state(plan, by_lesson[plan.key], where, last, clock)
    here = Counter(where[seat] for seat in where if clock - last[seat] < 60 * ACTIVE_MINUTES)
    newest = max((e for e in told if e.lesson), key=_when, default=None)
    current = here.most_common(1)[0][0] if here else (newest.lesson if newest else "")
    return RoomState(seats, active, states, current)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Key that sorts seat 9 before seat 10."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts)


def _when(event: Event) -> tuple[float, int]:
    return event.time, event.number


def _once(events: Iterable[Event]) -> list[Event]:
    """Drop events that came twice."""
    found: dict[tuple[str, str, int], Event] = {}
    for event in events:
        owner = event.seat if event.session == "desk" else ""
        found.setdefault((owner, event.session, event.number), event)
    return list(found.values())


def _last_names(events: list[Event]) -> list[Event]:
    """Give a notebook to the seat it named last: a mistyped number, then joined again."""
    named: dict[str, tuple[int, str]] = {}
    for event in events:
        if event.session != "desk":
            named[event.session] = max(
                named.get(event.session, (-1, "")), (event.number, event.seat)
            )
    return [
        event
        if event.session == "desk" or named[event.session][1] == event.seat
        else replace(event, seat=named[event.session][1])
        for event in events
    ]


def at_true_times(events: Sequence[Event], now: float) -> list[Event]:
    """Put seats whose clocks are wrong on the class's time, in order.

    The smallest difference between reception and the seat's time is what its clock is off; where
    nobody noted the reception, a clock ahead of now is set back.
    """
    by_session: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        by_session[event.seat, event.session].append(event)
    moved = []
    for mine in by_session.values():
        shifts = [e.received - e.time for e in mine if e.received is not None]
        shift = min(shifts) if shifts else min(0.0, now - max(e.time for e in mine))
        off = shift if abs(shift) > CLOCK_NOISE else 0.0
        moved += [replace(e, time=e.time + off) if off else e for e in mine]
    return sorted(moved, key=_when)


def _present(events: Sequence[Event]) -> set[str]:
    """Seats that told something and whose last word on it is not that they left."""
    left: dict[str, bool] = {}
    for event in events:
        if event.event in ("join", "leave"):
            left[event.seat] = event.event == "leave"
        else:
            left.setdefault(event.seat, False)
    return {seat for seat, gone in left.items() if not gone}


def _latest_lessons(events: Sequence[Event]) -> dict[str, str]:
    return {event.seat: event.lesson for event in events if event.lesson}


def _met(events: Sequence[Event], lessons: Sequence[LessonPlan]) -> list[LessonPlan]:
    """Return the lessons that somebody has begun; unknown ones with what was met of them."""
    begun = {event.lesson for event in events if event.lesson}
    known = [plan for plan in lessons if plan.key in begun]
    for key in sorted(begun - {plan.key for plan in known}):
        met = {event.question for event in events if event.lesson == key and event.question}
        exercises = tuple(ExercisePlan(name) for name in sorted(met, key=natural))
        known.append(LessonPlan(key, key, 0.0, exercises))
    return known


def _lesson_state(
    plan: LessonPlan,
    events: Sequence[Event],
    where: dict[str, str],
    last: dict[str, float],
    clock: float,
) -> LessonState:
    """Return one lesson; `events` are its events in order, `where` and `last` are of each seat."""
    by_seat: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_seat[event.seat].append(event)
    rows = []
    for seat in sorted(by_seat, key=natural):
        here = where.get(seat) == plan.key
        cells = _cells(plan, by_seat[seat], here, clock)
        rows.append(SeatRow(seat, here, max(0.0, clock - last[seat]) / 60, cells))
    return LessonState(plan, _with_quiet(plan, rows))


def _cells(plan: LessonPlan, events: Sequence[Event], here: bool, clock: float) -> tuple[Cell, ...]:
    """Return the cells of one seat; `events` are its events of this lesson in order."""
    mine: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        mine[event.question].append(event)
    ends = {name: end for name in mine if name and (end := _done_at(mine[name])) is not None}
    cells = []
    for exercise in plan.exercises:
        cell = _cell(exercise, mine.get(exercise.id, []), here, clock)
        if (end := ends.get(exercise.id)) is not None:
            before = [t for name, t in ends.items() if name != exercise.id and t <= end]
            minutes = (end - max(before, default=events[0].time)) / 60
            cell = replace(cell, minutes=minutes if minutes <= MOST_MINUTES else None)
        cells.append(cell)
    return tuple(cells)


def _done_at(events: Sequence[Event]) -> float | None:
    ends = [e.time for e in events if e.outcome == "right" or e.event == "carry_on"]
    return min(ends, default=None)


def _cell(exercise: ExercisePlan, events: Sequence[Event], here: bool, clock: float) -> Cell:
    if not events:
        return Cell()
    sessions: dict[str, tuple[int, int]] = {}
    for event in events:
        tries, hints = sessions.get(event.session, (0, 0))
        sessions[event.session] = (max(tries, event.tries), max(hints, event.hints))
    tries, hints = (sum(counts) for counts in zip(*sessions.values(), strict=True))
    checks = [event for event in events if event.event == "check"]
    wrong = [event for event in checks if event.outcome == "wrong"]
    done = _state_when_done(events)
    latest = checks[-1].outcome if checks else ""
    waiting = 0.0 if done else (clock - events[0].time) / 60
    at_it = not done and latest == "wrong"
    state = done or {"wrong": "wrong", "broken": "broken"}.get(latest, "begun")
    limit = max(exercise.own, LEAST_MINUTES)
    if here and state in ("wrong", "begun") and (len(wrong) >= STUCK_TRIES or waiting > limit):
        state = "stuck"
    return Cell(
        state,
        tries,
        hints,
        exercise.known(wrong[-1].misconception) if at_it else "",
        frozenset(exercise.known(event.misconception) for event in wrong),
        None,
        waiting,
    )


def _state_when_done(events: Sequence[Event]) -> str:
    if any(event.outcome == "right" for event in events):
        return "right"
    return "carried" if any(e.event == "carry_on" or e.carried for e in events) else ""


def _with_quiet(plan: LessonPlan, rows: Sequence[SeatRow]) -> tuple[SeatRow, ...]:
    """Mark seats that have not begun what at least half of the room has done."""
    found = list(rows)
    for place, exercise in enumerate(plan.exercises):
        done = sum(row.cells[place].state in DONE for row in rows)
        if done * 2 < len(rows) or done == 0:
            continue
        limit = max(exercise.own, LEAST_MINUTES)
        for number, row in enumerate(found):
            first_open = next((c for c in row.cells if c.state not in DONE), None)
            cell = row.cells[place]
            silent = row.here and row.silent > limit and cell is first_open
            if cell.state == "none" and silent:
                cells = (*row.cells[:place], Cell("quiet"), *row.cells[place + 1 :])
                found[number] = replace(row, cells=cells)
    return tuple(found)


def _most_common(kinds: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(kinds).items(), key=lambda pair: (-pair[1], pair[0]))
