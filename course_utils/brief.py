"""One result for the person who decides: a sentence, key figures, what to do and who does it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from course_utils.errors import CourseError

#: How urgent a matter is: the word, and a sign of its own shape that needs no colour.
MARKS = {"要办": "▲", "留意": "◆", "平稳": "●"}
MOST_FIGURES = 4
#: Where the structured form of a brief is kept in a notebook's output.
METADATA = "course_brief"

_TILE = (
    "flex: 1 1 11em; border: 1px solid #9AA3AE; border-radius: 0.4em; padding: 0.4em 0.8em; "
    "white-space: normal;"
)
_SMALL = "font-size: 0.9em; opacity: 0.8;"


@dataclass(frozen=True)
class Figure:
    """One key figure.

    Parameters
    ----------
    label : str
        What is counted.
    value : str
        The number with its unit.
    note : str
        What it is compared with, or how sure it is.
    """

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Action:
    """One thing to do.

    Parameters
    ----------
    who, what, when : str
        Who does what by when.
    """

    who: str
    what: str
    when: str


@dataclass(frozen=True)
class Brief:
    """A result in short; parameters and errors are those of :func:`brief`."""

    headline: str
    mark: str
    rule: str
    figures: tuple[Figure, ...]
    actions: tuple[Action, ...] = ()
    caution: str = ""

    def __post_init__(self) -> None:
        if self.mark not in MARKS:
            raise CourseError(f"记号只能是{'、'.join(MARKS)}，现在是“{self.mark}”，请改正。")
        if not self.headline.strip() or not self.rule.strip():
            raise CourseError("一句话结论和判断规则都要写，请补上。")
        if not 1 <= len(self.figures) <= MOST_FIGURES:
            raise CourseError(
                f"关键数字要有 1 到 {MOST_FIGURES} 个，现在有 {len(self.figures)} 个，请增减。"
            )
        figures = _complete(self.figures, Figure, "关键数字（名称、数值、说明）")
        actions = _complete(self.actions, Action, "要做的事（谁、什么、何时）")
        object.__setattr__(self, "figures", figures)
        object.__setattr__(self, "actions", actions)

    @classmethod
    def from_metadata(cls, content: dict[str, Any]) -> Brief:
        """Return the brief that an executed notebook holds."""
        figures = [(row["label"], row["value"], row["note"]) for row in content["figures"]]
        actions = [(row["who"], row["what"], row["when"]) for row in content["actions"]]
        return cls(**{**content, "figures": figures, "actions": actions})

    def text(self) -> str:
        """Return the brief as lines of plain text."""
        lines = [f"【{MARKS[self.mark]} {self.mark}】{self.headline}"]
        lines += [f"· {item.label}：{item.value}（{item.note}）" for item in self.figures]
        lines += [f"→ {item.who}：{item.what}（{item.when}）" for item in self.actions]
        lines += [f"留神：{self.caution}"] if self.caution else []
        return "\n".join([*lines, f"怎么判：{self.rule}"])

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/html": _html(self), "text/plain": self.text()}, {METADATA: asdict(self)}


def _complete(rows: Sequence[Any], kind: type[Any], name: str) -> tuple[Any, ...]:
    """Return rows of three texts each as figures or actions."""
    for row in rows:
        if len(row) != 3 or not all(isinstance(part, str) and part.strip() for part in row):
            raise CourseError(f"{name}每条要有三段文字，现在有一条是“{row}”，请补齐。")
    return tuple(kind(*row) for row in rows)


def brief(
    headline: str,
    mark: str,
    rule: str,
    figures: Sequence[tuple[str, str, str]],
    actions: Sequence[tuple[str, str, str]] = (),
    caution: str = "",
) -> None:
    """Show a result for the person who decides.

    Parameters
    ----------
    headline : str
        One computed sentence.
    mark : str
        How urgent it is: 要办, 留意 or 平稳.
    rule : str
        When this mark is given, in words.
    figures : sequence of (label, value with unit, note)
        One to four key figures; the note says what to compare with, or how sure the number is.
    actions : sequence of (who, what, by when)
        What to do next.
    caution : str, optional
        What the numbers do not say.

    Raises
    ------
    CourseError
        If the mark is unknown, a figure or an action is incomplete, or there are too many figures.
    """
    from IPython.display import display

    display(Brief(headline, mark, rule, tuple(figures), tuple(actions), caution))


def _html(item: Brief) -> str:
    """Return tiles and list without a colour of their own, so that they suit light and dark."""
    tiles = "".join(
        f'<div style="{_TILE}"><div style="{_SMALL}">{html.escape(figure.label)}</div>'
        f'<div style="font-size: 1.5em; font-weight: bold;">{html.escape(figure.value)}</div>'
        f'<div style="{_SMALL}">{html.escape(figure.note)}</div></div>'
        for figure in item.figures
    )
    actions = "".join(
        f"<li><b>{html.escape(action.who)}</b>：{html.escape(action.what)}（{html.escape(action.when)}）</li>"
        for action in item.actions
    )
    notes = f"留神：{item.caution}　" if item.caution else ""
    return (
        f'<p style="font-size: 1.1em;"><b>{MARKS[item.mark]} {item.mark}</b>　'
        f"{html.escape(item.headline)}</p>\n"
        f'<div style="display: flex; flex-wrap: wrap; gap: 0.6em;">{tiles}</div>\n'
        + (f"<ul>{actions}</ul>\n" if actions else "")
        + f'<p style="{_SMALL}">{html.escape(notes)}怎么判：{html.escape(item.rule)}</p>'
    )
