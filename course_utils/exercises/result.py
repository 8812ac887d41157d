"""What `check` shows: one of five outcomes, in HTML without scripts and in plain text."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """The outcomes of a check; the last one only on a real bank that lacks data."""

    RIGHT = "正确"
    WRONG = "还不对"
    BLANK = "还没有作答"
    BROKEN = "检查程序出错"
    MISSING = "本行缺数据"


_SIGNS = {
    Outcome.RIGHT: "✓",
    Outcome.WRONG: "✗",
    Outcome.BLANK: "○",
    Outcome.BROKEN: "！",
    Outcome.MISSING: "–",
}
# Okabe-Ito hues, darkened for text on white; the sign says the same without colour.
_COLOURS = {
    Outcome.RIGHT: "#00527f",
    Outcome.WRONG: "#a84300",
    Outcome.BLANK: "#57606a",
    Outcome.BROKEN: "#7a2f62",
    Outcome.MISSING: "#57606a",
}


def title_of(outcome: Outcome) -> str:
    """“✓ 正确”."""
    return f"{_SIGNS[outcome]} {outcome.value}"


@dataclass(frozen=True)
class Result:
    """Outcome of one question.

    Attributes
    ----------
    question : str
        “E1”.
    outcome : Outcome
        One of them.
    message : str
        One or two Chinese sentences for the trainee; never the answer.
    notes : tuple of str
        Remarks: an overwritten table, a skipped check.
    hints : tuple of str
        Hints earned so far.
    detail : str
        For the instructor when the check itself failed: type and place of the error.
    misconception : str or None
        Key of the named mistake that was recognised.
    """

    question: str
    outcome: Outcome
    message: str = ""
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    detail: str = ""
    misconception: str | None = None

    @property
    def title(self) -> str:
        """“E1 ✓ 正确”."""
        return f"{self.question} {title_of(self.outcome)}"

    def with_hints(self, hints: Sequence[str]) -> Result:
        """Return the same result with hints to show."""
        return replace(self, hints=tuple(hints))

    def with_notes(self, *notes: str) -> Result:
        """Return the same result with further remarks."""
        return replace(self, notes=(*self.notes, *notes))

    def __repr__(self) -> str:
        lines = [f"【{self.title}】{self.message}"]
        lines += [f"  · {note}" for note in self.notes]
        lines += [f"  提示 {place}：{hint}" for place, hint in enumerate(self.hints, 1)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        colour = _COLOURS[self.outcome]
        parts = [f'<b style="color:{colour}">{html.escape(self.title)}</b>']
        parts += [f"<br>{_lines(text)}" for text in (self.message, *self.notes) if text]
        parts += [
            f"<details><summary>提示 {place}（点开看）</summary>{_lines(hint)}</details>"
            for place, hint in enumerate(self.hints, 1)
        ]
        if self.detail:
            detail = html.escape(self.detail)
            parts.append(f"<details><summary>给讲师看的细节</summary><pre>{detail}</pre></details>")
        return boxed("".join(parts), colour)


@dataclass(frozen=True)
class Note:
    """A boxed sentence: what `hint` and `carry_on` show."""

    text: str
    colour: str = "#57606a"

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return boxed(_lines(self.text), self.colour)


@dataclass(frozen=True)
class ProgressTable:
    """State of all exercises of a lesson, as `progress` shows it.

    Attributes
    ----------
    rows : tuple of (str, Outcome or None, int, int, bool)
        Question, last outcome, tries, hints seen, went on with the reference result.
    """

    lesson: str
    rows: tuple[tuple[str, Outcome | None, int, int, bool], ...]

    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                question,
                "— 还没有检查" if outcome is None else title_of(outcome),
                str(tries),
                str(hints),
                "是" if carried else "",
            )
            for question, outcome, tries, hints, carried in self.rows
        ]

    _HEAD = ("练习", "状态", "检查次数", "看过的提示", "用了参考结果")

    @property
    def summary(self) -> str:
        """“4 题中做对 2 题”."""
        outcomes = [outcome for _, outcome, *_ in self.rows]
        right, missing = outcomes.count(Outcome.RIGHT), outcomes.count(Outcome.MISSING)
        words = f"{len(outcomes) - missing} 题中做对 {right} 题"
        return f"{words}（另有 {missing} 题本行缺数据，不计）" if missing else words

    def __repr__(self) -> str:
        lines = ["｜".join(row) for row in (self._HEAD, *self._cells())]
        return "\n".join([self.summary, *lines])

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            inside = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
            return f"<tr>{inside}</tr>"

        body = "".join(row(cells, "td") for cells in self._cells())
        table = f"<table><thead>{row(self._HEAD, 'th')}</thead><tbody>{body}</tbody></table>"
        return boxed(f"<b>{html.escape(self.summary)}</b>{table}", "#57606a")


def _lines(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def boxed(inside: str, colour: str) -> str:
    """HTML with a coloured bar at its left."""
    return (
        f'<div style="border-left:4px solid {colour};padding:4px 12px;margin:4px 0">{inside}</div>'
    )
