"""Class plans: which part of which lesson is taught in which slot, and the page that says so."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.build.sources.masters import Master
    from course_utils.build.sources.syllabus import Lesson, Syllabus

#: Headings that are worth a slot of their own; the rest frames them.
_TAUGHT = ("业务情境", "演示", "成果", "讨论")
_QUESTION = re.compile(r"E[1-9]$")


@dataclass(frozen=True)
class Slot:
    """An unbroken stretch of class time: one lesson's parts, or a break.

    Parameters
    ----------
    minutes : int
        Length.
    lesson : str
        Short name, ``m02_n02``; empty for a break.
    parts : tuple of str
        Beginnings of the headings taught (``演示一``) and exercises worked (``E1``), in order.
    title : str
        What happens, in Chinese: the name of a break, or how the class works.
    """

    minutes: int
    lesson: str
    parts: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Day:
    """One class day; `start` in minutes after midnight."""

    title: str
    start: int
    slots: tuple[Slot, ...]

    def timed(self) -> Iterable[tuple[str, Slot]]:
        """Yield ``"09:00–09:30"`` and the slot, one after the other."""
        clock = self.start
        for slot in self.slots:
            end = clock + slot.minutes
            yield f"{_clock(clock)}–{_clock(end)}", slot
            clock = end


@dataclass(frozen=True)
class ClassPlan:
    """A plan such as the two-day data course."""

    id: str
    title_zh: str
    title_en: str
    hours: float
    days: tuple[Day, ...]

    @property
    def lessons(self) -> tuple[str, ...]:
        """Short names of the lessons taught, in order of first appearance."""
        return tuple(dict.fromkeys(slot.lesson for slot in self._taught()))

    def minutes(self, lesson: str = "") -> int:
        """Return the taught minutes of one lesson, or of the whole plan."""
        return sum(slot.minutes for slot in self._taught() if lesson in ("", slot.lesson))

    def parts(self, lesson: str) -> tuple[str, ...]:
        """Return all parts of a lesson that some slot teaches."""
        return tuple(
            part for slot in self._taught() if slot.lesson == lesson for part in slot.parts
        )

    def _taught(self) -> list[Slot]:
        return [slot for day in self.days for slot in day.slots if slot.lesson]


def read_plans(entries: Sequence[Mapping[str, Any]], known: Iterable[str]) -> tuple[ClassPlan, ...]:
    """Read the ``plans`` of ``syllabus.yml``.

    Parameters
    ----------
    entries : sequence of mapping
        As in the file.
    known : iterable of str
        Short names of the lessons that exist.

    Raises
    ------
    CourseError
        If a slot names an unknown lesson, or the taught minutes do not add up to the hours.
    """
    known = set(known)
    plans = tuple(_plan(entry) for entry in entries)
    for plan in plans:
        if missing := [lesson for lesson in plan.lessons if lesson not in known]:
            raise CourseError(f"课程安排 {plan.id} 用了不存在的课“{missing[0]}”，请改正。")
        if plan.minutes() != round(plan.hours * 60):
            raise CourseError(
                f"课程安排 {plan.id} 的上课时间合计 {plan.minutes()} 分钟，与 {plan.hours:g} 小时"
                "对不上，请调整各段的分钟数。"
            )
    return plans


def plan_faults(plan: ClassPlan, masters: Mapping[str, Master]) -> list[str]:
    """Return one Chinese sentence for each part that its lesson does not have.

    Parameters
    ----------
    plan : ClassPlan
        The plan.
    masters : mapping
        Short name → master of every lesson of the plan.
    """
    faults = []
    for lesson in plan.lessons:
        headings, questions = _headings(masters[lesson]), masters[lesson].questions
        for part in plan.parts(lesson):
            found = part in questions if _QUESTION.match(part) else _heading(part, headings)
            if not found:
                faults.append(f"课程安排 {plan.id}：{lesson} 里没有“{part}”，请改成课里的标题。")
    return faults


def plan_body(
    plan: ClassPlan, syllabus: Syllabus, masters: Mapping[str, Master], with_outline: bool
) -> str:
    """Return the content of the plan's page: a table a day, then what is left for later.

    Parameters
    ----------
    plan : ClassPlan
        The plan.
    syllabus : Syllabus
        Titles of the lessons.
    masters : mapping
        Short name → master.
    with_outline : bool
        Whether a column names the outline items that the lesson teaches (instructors).
    """
    taught = plan.minutes()
    parts = [f"<h1>{html.escape(plan.title_zh)}：课程安排</h1>"]
    parts.append(
        f"<p>{len(plan.days)} 天，上课 {taught} 分钟（{taught / 60:g} 小时），"
        f"{len(plan.lessons)} 课。点课名打开那一课，点环节直接到那一段。</p>"
    )
    head = ["时间", "分钟", "课", "环节"] + (["大纲"] if with_outline else [])
    for day in plan.days:
        rows = []
        for clock, slot in day.timed():
            cells = [clock, str(slot.minutes), *_slot_cells(slot, syllabus, masters)]
            if with_outline:
                cells.append(_outline(slot, syllabus, plan))
            rows.append(_row(cells, wrap=3))
        parts.append(f"<h2>{html.escape(day.title)}</h2>")
        parts.append(_table(head, rows))
    later = [
        _row([_link(syllabus.lesson(lesson)), "、".join(left)], wrap=1)
        for lesson in plan.lessons
        if (left := _left_over(plan, lesson, masters[lesson]))
    ]
    if later:
        parts.append("<h2>课后自学</h2><p>课堂上没有排进去的环节，课后按自己的进度做。</p>")
        parts.append(_table(["课", "环节"], later))
    return "\n".join(parts)


def _plan(entry: Mapping[str, Any]) -> ClassPlan:
    return ClassPlan(
        str(entry["id"]),
        str(entry["title"]["zh"]),
        str(entry["title"]["en"]),
        float(entry["hours"]),
        tuple(
            Day(str(day["title"]), _minutes(day["start"]), tuple(_slot(s) for s in day["slots"]))
            for day in entry["days"]
        ),
    )


def _slot(raw: Mapping[str, Any]) -> Slot:
    return Slot(
        int(raw["minutes"]),
        str(raw.get("lesson", "")),
        tuple(str(part) for part in raw.get("parts", ())),
        str(raw.get("title", "")),
    )


def _minutes(clock: str) -> int:
    hours, minutes = str(clock).split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _headings(master: Master) -> list[str]:
    """Return the texts of the master's second-level headings that trainees see."""
    cells = (c for c in master.cells if c.kind == "markdown" and not c.instructor_only)
    lines = (line for cell in cells for line in cell.source.splitlines())
    return [line[3:].strip() for line in lines if line.startswith("## ")]


def _heading(part: str, headings: Sequence[str]) -> str:
    """Return the heading that is `part` or continues it after a colon, else ''."""
    return next((h for h in headings if h == part or h.startswith(f"{part}：")), "")


def _slot_cells(slot: Slot, syllabus: Syllabus, masters: Mapping[str, Master]) -> list[str]:
    if not slot.lesson:
        return [f"<em>{html.escape(slot.title)}</em>", ""]
    lesson = syllabus.lesson(slot.lesson)
    headings = _headings(masters[slot.lesson])
    links = []
    for part in slot.parts:
        heading = "练习" if _QUESTION.match(part) else _heading(part, headings)
        # the id that the site gives a heading: its text without marks, blanks as hyphens
        heading = heading.replace("`", "").replace("**", "")
        anchor = html.escape(quote(heading.replace(" ", "-"), safe="?/:@!$&'()*+,;="))
        text = html.escape(part if _QUESTION.match(part) else heading)
        links.append(f'<a href="{lesson.name}.html#{anchor}">{text}</a>')
    note = f"{html.escape(slot.title)}：" if slot.title else ""
    return [_link(lesson), note + "；".join(links)]


def _link(lesson: Lesson) -> str:
    return f'<a href="{lesson.name}.html">{lesson.key} {html.escape(lesson.title_zh)}</a>'


def _outline(slot: Slot, syllabus: Syllabus, plan: ClassPlan) -> str:
    """Return the outline items of a lesson in the first slot that teaches it."""
    if not slot.lesson:
        return ""
    first = next(s for day in plan.days for s in day.slots if s.lesson == slot.lesson)
    return "、".join(syllabus.lesson(slot.lesson).home) if first is slot else ""


def _left_over(plan: ClassPlan, lesson: str, master: Master) -> list[str]:
    """Return the sections and exercises of a lesson that no slot teaches."""
    headings = [h for h in _headings(master) if h.startswith(_TAUGHT)]
    used = {_heading(part, headings) for part in plan.parts(lesson)}
    questions = [q for q in master.questions if q not in plan.parts(lesson)]
    return [html.escape(h) for h in headings if h not in used] + questions


def _row(cells: Sequence[str], wrap: int) -> str:
    return (
        "<tr>"
        + "".join(
            f'<td class="wrap">{cell}</td>' if number >= wrap else f"<td>{cell}</td>"
            for number, cell in enumerate(cells)
        )
        + "</tr>"
    )


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    titles = "".join(f"<th>{name}</th>" for name in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
