"""CK7: a written answer has the required parts, and every number in it stands in a result frame."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises.context import Context
from course_utils.exercises.question import PASSED, Finding
from course_utils.exercises.values import type_name

_UNITS: dict[str, tuple[float, ...]] = {
    "亿": (1e8, 1e4, 1.0),
    "万": (1e4, 1.0),
    "千": (1e3, 1.0),
    "%": (0.01, 1.0),
    "‰": (0.001, 1.0),
    "个百分点": (0.01, 1.0),
    "百分点": (0.01, 1.0),
    "bp": (1e-4, 0.01, 1.0),
    "个基点": (1e-4, 0.01, 1.0),
    "": (1.0,),
}
_NUMBER = re.compile(
    r"(?<![0-9.])(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?P<rest>\.\d+)?"
    r"\s*(?P<unit>亿|万|千|%|‰|个百分点|百分点|bp|个基点)?"
)
_CODE = re.compile(r"(?<![A-Za-z])[A-Za-z]{1,2}[-+_]?\d+(?:[_-]\d+)*")
_ORDINAL = re.compile(
    r"(?m)^\s*[(]?\d{1,2}\s*[).、.](?!\d)"
    r"|第\s*\d+(?:\s*(?:[、和与至到-]|第)\s*\d+)*\s*[条点个步名位款项章页]?"
)
_DEADLINE = re.compile(
    r"\d+(?:\s*[-~到至]\s*\d+)?\s*个?(?:工作日|自然日|小时|分钟|[天日周月])\s*(?:之?内|以内|之?前|之?后)"
    r"|[前后]\s*\d+(?:\s*[-~到至]\s*\d+)?\s*个?(?:工作日|自然日|小时|分钟|[天日周月])"
)
_DATES = re.compile(
    r"(?:19|20)\d{2}\s*年(?:\s*\d{1,2}\s*月(?:\s*\d{1,2}\s*[日号])?)?"
    r"|(?:19|20)\d{2}[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?!\d)"
    r"|(?<!\d)\d{1,2}\s*月(?!\s*度?均)(?:\s*\d{1,2}\s*[日号])?"
    r"|(?:19|20)\d{2}\s*年?\s*[一二三四1-4]\s*季度"
)


@dataclass(frozen=True)
class Part:
    """A part that a written answer must have.

    Attributes
    ----------
    name : str
        Chinese name of the part: “下一步动作”.
    words : tuple of str
        Any one of these words (or regular expressions) is enough.
    """

    name: str
    words: tuple[str, ...]

    def found(self, text: str) -> bool:
        """Whether the text has this part."""
        return any(re.search(word, text) for word in self.words)


@dataclass(frozen=True)
class Quote:
    """A number that a written answer must quote, rounded as it likes.

    Attributes
    ----------
    name : str
        Chinese name of the number: “到期最多的月份的金额”.
    value : Callable[[Context], float]
        Recomputes it.
    """

    name: str
    value: Callable[[Context], float]


@dataclass(frozen=True)
class Quoted:
    """A number written in a text: as written, its value, its decimals, scales to try."""

    text: str
    value: float
    half_step: float
    scales: tuple[float, ...]


def quoted_numbers(text: str) -> list[Quoted]:
    """Numbers of a text; dates, deadlines (7 天内), ordinals, codes (B03) are left out.

    Parameters
    ----------
    text : str
        Full-width digits and signs are understood.
    """
    plain = unicodedata.normalize("NFKC", text.replace("，", " ； "))
    for pattern in (_CODE, _ORDINAL, _DATES, _DEADLINE):
        plain = pattern.sub(" ", plain)
    found = []
    for match in _NUMBER.finditer(plain):
        rest = match["rest"] or ""
        value = float(match["digits"].replace(",", "") + rest)
        decimals = max(len(rest) - 1, 0)
        found.append(
            Quoted(match[0].strip(), value, 0.5 * 10.0**-decimals, _UNITS[match["unit"] or ""])
        )
    return found


def numbers_in(value: Any) -> Iterable[float]:
    """All numbers of a frame, series, mapping, sequence or scalar, and its number of rows."""
    if isinstance(value, pd.DataFrame):
        yield float(len(value))
        for place in range(value.shape[1]):
            yield from _column_numbers(value.iloc[:, place])
        yield from _column_numbers(value.index.to_series())
    elif isinstance(value, (pd.Series, pd.Index)):
        yield float(len(value))
        yield from _column_numbers(pd.Series(value))
        if isinstance(value, pd.Series):
            yield from _column_numbers(value.index.to_series())
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers_in(item)
    elif isinstance(value, (list, tuple, set, np.ndarray)):
        yield float(len(value))
        for item in value:
            yield from numbers_in(item)
    elif isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        yield float(value)


def _column_numbers(column: pd.Series) -> Iterable[float]:
    if getattr(column.dtype, "kind", "O") in "iuf":
        yield from column.dropna().astype(float).tolist()
    elif column.dtype == object:
        for item in column:
            if isinstance(item, (int, float, np.integer, np.floating)) and not isinstance(
                item, bool
            ):
                yield float(item)


def grounded(number: Quoted, known: np.ndarray) -> bool:
    """Whether a quoted number equals, after rounding, one of the known values.

    Parameters
    ----------
    number : Quoted
        From `quoted_numbers`.
    known : numpy.ndarray
        Sorted absolute values.
    """
    # a written zero says nothing about the unit: “0.00 个百分点” must not match a ratio of 0.004
    scales = number.scales if number.value else number.scales[:1]
    for scale in scales:
        target, slack = number.value * scale, number.half_step * scale * (1 + 1e-9) + 1e-12
        place = int(np.searchsorted(known, target - slack))
        if place < len(known) and known[place] <= target + slack:
            return True
    return False


@dataclass(frozen=True)
class Written:
    """CK7; see `written`."""

    parts: tuple[Part, ...]
    grounded_in: tuple[Any, ...]
    quotes: tuple[Quote, ...]
    least_numbers: int
    shortest: int
    longest: int
    allowed: tuple[float, ...]
    forbidden: tuple[tuple[str, str], ...]
    kind: str = "CK7"

    @property
    def shape(self) -> str:
        """What is asked for."""
        parts = f"，要写到：{'、'.join(part.name for part in self.parts)}" if self.parts else ""
        return f"一段文字（{self.shortest}-{self.longest} 字）{parts}"

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Check length, parts, forbidden words, then every number."""
        if isinstance(answer, (list, tuple)) and all(isinstance(item, str) for item in answer):
            answer = "\n".join(answer)
        if not isinstance(answer, str):
            return Finding(f"需要一段文字（放在引号里），得到的是{type_name(answer)}。")
        if trouble := self._form(answer):
            return Finding(trouble)
        return self._numbers(answer, context)

    def _form(self, text: str) -> str | None:
        length = len(re.sub(r"\s", "", text))
        if length < self.shortest:
            return f"太短了：只有 {length} 个字，至少要 {self.shortest} 个字。"
        if length > self.longest:
            return f"太长了：有 {length} 个字，最多 {self.longest} 个字。"
        missing = [part.name for part in self.parts if not part.found(text)]
        if missing:
            return f"还缺少这些内容：{'、'.join(missing)}。"
        for word, reason in self.forbidden:
            if re.search(word, text):
                return reason
        return None

    def _numbers(self, text: str, context: Context) -> Finding:
        quoted = quoted_numbers(text)
        if len(quoted) < self.least_numbers:
            return Finding(f"要有数字支撑：至少写出 {self.least_numbers} 个结果表里的数字。")
        sources = []
        for source in self.grounded_in:
            if callable(source):
                sources.append(source(context))
            elif source in context.variables:
                sources.append(context.variables[source])
            else:
                return Finding(f"找不到结果表 {source}：先运行生成它的那一格，再检查文字。")
        known = self._known(sources, context)
        loose = [item.text for item in quoted if not grounded(item, known)]
        if loose:
            shown = "、".join(f"“{item}”" for item in dict.fromkeys(loose))
            return Finding(
                f"这些数字在结果表里找不到依据：{shown}。先在表里算出来，再写进文字；单位也要一致。"
            )
        absent = [item.name for item in self.quotes if not _quotes(quoted, item.value(context))]
        if absent:
            return Finding(f"还要写出这些数字：{'、'.join(absent)}（现在没有写，或者写的不是它）。")
        return PASSED

    def _known(self, sources: Sequence[Any], context: Context) -> np.ndarray:
        values = [number for source in sources for number in numbers_in(source)]
        values += list(numbers_in(context.parameters.snapshot()))
        found = np.abs(np.array([*values, *self.allowed], dtype=float))
        return np.sort(found[np.isfinite(found)])


def _quotes(quoted: Sequence[Quoted], value: float) -> bool:
    known = np.array([abs(float(value))])
    return any(grounded(item, known) for item in quoted)


def written(
    *parts: Part,
    grounded_in: Sequence[Any],
    quotes: Sequence[Quote] = (),
    least_numbers: int = 1,
    shortest: int = 20,
    longest: int = 300,
    allowed: Sequence[float] = (),
    forbidden: Sequence[tuple[str, str]] = (),
) -> Written:
    """CK7: a text with required parts whose numbers are all found in named result frames.

    Parameters
    ----------
    *parts : Part
        What must be mentioned.
    grounded_in : sequence of str or Callable[[Context], Any]
        Names of notebook variables (small result tables, not raw tables), or functions that
        recompute one. Parameter values are always allowed. Rounding and 万, 亿, % are understood.
    quotes : sequence of Quote
        Numbers that must be in the text: catches a number taken from the wrong row.
    least_numbers : int
        How many numbers the text must quote.
    shortest, longest : int
        Length in characters, blanks not counted.
    allowed : sequence of float
        Further numbers that may be quoted (legal limits and the like).
    forbidden : sequence of (str, str)
        Word or regular expression that must not occur, and the Chinese sentence to show.
    """
    return Written(
        parts,
        tuple(grounded_in),
        tuple(quotes),
        least_numbers,
        shortest,
        longest,
        tuple(allowed),
        tuple(forbidden),
    )
