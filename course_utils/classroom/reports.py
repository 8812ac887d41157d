"""Reports of a class: a table for the terminal, a summary without seats, exports."""

from __future__ import annotations

import csv
import html
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from course_utils.classroom.advice import RULES, advice
from course_utils.classroom.room import FEWEST, Room
from course_utils.classroom.standing import DONE, Cell, LessonState, RoomState
from course_utils.exercises.progress.event import OTHER

SIGNS = {
    "right": "✓",
    "carried": "↷",
    "wrong": "✗",
    "begun": "…",
    "stuck": "!!",
    "quiet": "?",
    "broken": "⚠",
    "none": "·",
}
WORDS = {
    "right": "做对",
    "carried": "用了参考结果",
    "wrong": "还不对，在试",
    "begun": "打开过，还没有作答",
    "stuck": "卡住",
    "quiet": "没动静",
    "broken": "检查程序出错",
    "none": "还没开始",
}
_TOO_FEW = f"不足 {FEWEST} 人"


def report(room: Room, name: str) -> tuple[str, str]:
    """Return type and text of a report by the name of its file.

    Parameters
    ----------
    room : Room
        The class.
    name : str
        ``"summary"``, ``"summary.md"``, ``"export.csv"``; anything else is the export as JSON.
    """
    state = room.state()
    if name == "summary":
        return "text/html", summary_html(room, state)
    if name == "summary.md":
        return "text/markdown", summary_markdown(room, state)
    if name == "export.csv":
        return "text/csv", export_csv(state)
    return "application/json", export_json(state)


@dataclass(frozen=True)
class ExerciseLine:
    """One exercise in a summary, as texts; nothing in it points at a seat."""

    lesson: str
    title: str
    exercise: str
    begun: int
    right: int
    carried: int
    minutes: str
    planned: str
    mistakes: str


def exercise_lines(state: RoomState) -> Iterator[ExerciseLine]:
    """Yield one line for each exercise that somebody has begun."""
    for lesson in state.lessons.values():
        for place, exercise in enumerate(lesson.plan.exercises):
            column = lesson.column(place)
            begun = sum(cell.state not in ("none", "quiet") for cell in column)
            if not begun:
                continue
            minutes, counted = lesson.minutes(place)
            shown = minutes is not None and counted >= FEWEST
            ever = lesson.mistakes_ever(place)
            common = [(kind, n) for kind, n in ever if n >= FEWEST and kind != OTHER][:2]
            yield ExerciseLine(
                lesson.plan.key,
                lesson.plan.title,
                f"{exercise.id} {exercise.title}".strip(),
                begun,
                sum(cell.state == "right" for cell in column),
                sum(cell.state == "carried" for cell in column),
                f"{minutes:.1f}（{counted} 人）" if shown else _TOO_FEW,
                f"{exercise.path:.1f}",
                " ".join(f"{n} 人：{exercise.sentence(kind)}" for kind, n in common),
            )


_HEAD = ("练习", "做过", "做对", "参考结果", "中位分钟", "计划分钟", f"常见的错（{FEWEST} 人以上）")


def _cells(line: ExerciseLine) -> tuple[str, ...]:
    counts = (str(line.begun), str(line.right), str(line.carried))
    return line.exercise, *counts, line.minutes, line.planned, line.mistakes


def _by_lesson(state: RoomState) -> dict[str, list[ExerciseLine]]:
    found: dict[str, list[ExerciseLine]] = {}
    for line in exercise_lines(state):
        key = line.lesson if line.title in ("", line.lesson) else f"{line.lesson} {line.title}"
        found.setdefault(key, []).append(line)
    return found


def summary_markdown(room: Room, state: RoomState) -> str:
    """Return the end-of-class summary as Markdown: no seats, no figures of fewer than three."""
    lines = [f"# {room.title}：课堂小结", "", _opening(state), ""]
    for lesson, rows in _by_lesson(state).items():
        lines += [f"## {lesson}", "", _markdown_row(_HEAD), _markdown_row(["---"] * len(_HEAD))]
        lines += [_markdown_row(_cells(row)) for row in rows]
        lines.append("")
    return "\n".join([*lines, "## 怎么算的", "", *(f"- {rule}" for rule in RULES), ""])


def summary_html(room: Room, state: RoomState) -> str:
    """Return the same as a page to print."""
    parts = [f"<h1>{html.escape(room.title)}：课堂小结</h1><p>{html.escape(_opening(state))}</p>"]
    for lesson, rows in _by_lesson(state).items():
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in _HEAD)
        body = "".join(_html_row(_cells(row)) for row in rows)
        parts.append(
            f"<h2>{html.escape(lesson)}</h2><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
    rules = "".join(f"<li>{html.escape(rule)}</li>" for rule in RULES)
    parts.append(f'<h2>怎么算的</h2><ul class="small muted">{rules}</ul>')
    title = html.escape(f"{room.title}：课堂小结")
    return (
        f'<!DOCTYPE html><html lang="zh-CN" data-theme="light"><head><meta charset="utf-8">'
        f'<title>{title}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="page/class.css"></head>'
        f'<body><main class="paper">{"".join(parts)}</main></body></html>'
    )


def _opening(state: RoomState) -> str:
    return (
        f"{date.today():%Y-%m-%d} 生成；{len(state.seats)} 人同意加入，{len(state.lessons)} 课。"
        f"这份小结不含座位号，不足 {FEWEST} 人的数不显示。"
    )


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _html_row(cells: Sequence[str]) -> str:
    inside = "".join(
        f'<td class="number">{html.escape(cell)}</td>'
        if 0 < place < len(cells) - 1
        else f"<td>{html.escape(cell)}</td>"
        for place, cell in enumerate(cells)
    )
    return f"<tr>{inside}</tr>"


# --------------------------------------------------------------------------------------- exports


def _records(state: RoomState) -> Iterator[dict[str, Any]]:
    for lesson in state.lessons.values():
        for row in lesson.rows:
            for exercise, cell in zip(lesson.plan.exercises, row.cells, strict=True):
                yield {
                    "seat": row.seat,
                    "lesson": lesson.plan.key,
                    "exercise": exercise.id,
                    "state": cell.state,
                    "tries": cell.tries,
                    "hints": cell.hints,
                    "minutes": None if cell.minutes is None else round(cell.minutes, 2),
                    "planned_minutes": round(exercise.path, 2),
                    "mistakes": sorted(cell.mistakes),
                }


def export_json(state: RoomState) -> str:
    """Return one record for each seat and exercise, with seats: for the instructor only."""
    return json.dumps(list(_records(state)), ensure_ascii=False, indent=1) + "\n"


def export_csv(state: RoomState) -> str:
    """Return the same as CSV that Excel opens (byte order mark; no cell starts a formula)."""
    names = ("座位", "课", "练习", "状态", "检查次数", "提示", "分钟", "计划分钟", "错在哪一类")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(names)
    for record in _records(state):
        values = list(record.values())
        values[3] = WORDS[record["state"]]
        values[-1] = "、".join(record["mistakes"])
        # a seat that is a number stays one; "=…" and the like cannot be a seat's name
        writer.writerow(["" if value is None else value for value in values])
    return "\ufeff" + stream.getvalue()


# -------------------------------------------------------------------------------------- terminal


def terminal_table(state: LessonState) -> list[str]:
    """Return one lesson's seats and exercises as lines of text."""
    names = [exercise.id for exercise in state.plan.exercises]
    rows = [["座位", *names]]
    rows += [[row.seat, *map(_sign, row.cells)] for row in state.rows]
    rows.append(["做完", *(_done(state, place) for place in range(len(names)))])
    rows.append(["分钟", *(_minutes(state, place) for place in range(len(names)))])
    rows.append(["计划", *(f"{exercise.path:.0f}" for exercise in state.plan.exercises)])
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(padded, row, widths)).rstrip() for row in rows]


def terminal_lines(room: Room, state: RoomState, lesson: str, *, projector: bool) -> list[str]:
    """Return what ``course progress`` prints.

    Parameters
    ----------
    room : Room
        The class.
    state : RoomState
        Its state.
    lesson : str
        Which lesson; empty = where most seats are.
    projector : bool
        Leave out everything that points at a seat.
    """
    lines = [f"{room.title}：{len(state.seats)} 人加入，{state.active} 人最近有动作。"]
    chosen = state.lessons.get(lesson or state.current)
    if chosen is None:
        return [*lines, "还没有人开始。" if not lesson else f"还没有人打开 {lesson}。"]
    lines += [f"{chosen.plan.key} {chosen.plan.title}", ""]
    if not projector:
        lines += [*terminal_table(chosen), ""]
        lines.append("  ".join(f"{SIGNS[name]} {words}" for name, words in WORDS.items()))
    for one in advice(chosen):
        seats = f"（座位 {'、'.join(one.seats)}）" if one.seats and not projector else ""
        lines.append(f"▸ {one.text}{seats}")
    return lines


def _sign(cell: Cell) -> str:
    many = str(cell.tries) if cell.state in ("wrong", "stuck") and cell.tries else ""
    return f"{SIGNS[cell.state]}{many}"


def _done(state: LessonState, place: int) -> str:
    column = state.column(place)
    return f"{sum(cell.state in DONE for cell in column)}/{len(column)}"


def _minutes(state: LessonState, place: int) -> str:
    minutes, _ = state.minutes(place)
    return "" if minutes is None else f"{minutes:.0f}"


def width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def padded(text: str, columns: int) -> str:
    """Return the text filled up to a number of terminal columns."""
    return text + " " * max(0, columns - width(text))
