"""Comparers of single values and lists: `number`, `numbers`, `choice`, `flag`, `day`, `names`.

A comparer is called with (answer, expected) and returns None when they agree, otherwise one Chinese
sentence that says what is wrong and never what is right. Tables: `compare_tables`.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from course_utils.exercises.numbers_match import STANDARD, Tolerance, explain
from course_utils.exercises.values import as_number, label, labels, type_name


class Comparer(Protocol):
    """Compares an answer with what was expected."""

    @property
    def shape(self) -> str:
        """What kind of value is asked for, in Chinese, e.g. “一个数”."""

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Return None when they agree, otherwise a diagnosis."""


@dataclass(frozen=True)
class Number:
    """One number within a tolerance; see `number`."""

    tolerance: Tolerance = STANDARD
    unit: str = ""

    @property
    def shape(self) -> str:
        """What is asked for."""
        return f"一个数（单位：{self.unit}）" if self.unit else "一个数"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare two numbers."""
        got, trouble = as_number(answer)
        if trouble:
            return trouble
        want, _ = as_number(expected)
        reason = explain(np.array([got]), np.array([want]), self.tolerance)
        return "数值不对：对照题目再看一遍筛选条件、口径和单位。" if reason == "" else reason


def number(
    *, relative: float = 1e-6, absolute: float = 0.0, decimals: int | None = None, unit: str = ""
) -> Number:
    """Compare one number.

    Parameters
    ----------
    relative, absolute : float
        Allowed difference: a share of the expected value, and in the number's own unit
        (e.g. ``absolute=3`` for ± 3 days).
    decimals : int, optional
        The prompt asks for rounding to so many decimals; unrounded values pass as well.
    unit : str
        Shown as the expected shape: “元”, “万元”, “小数（0-1）”, “户”.
    """
    return Number(Tolerance(relative, absolute, decimals), unit)


@dataclass(frozen=True)
class Numbers:
    """Several numbers in a fixed order, such as an estimate with its interval; see `numbers`."""

    parts: tuple[str, ...]
    tolerance: Tolerance = STANDARD

    @property
    def shape(self) -> str:
        """What is asked for."""
        return f"{len(self.parts)} 个数，依次是：{'、'.join(self.parts)}"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare part by part."""
        if isinstance(answer, dict):
            answer = list(answer.values())
        if isinstance(answer, (str, bytes)) or not isinstance(
            answer, (list, tuple, np.ndarray, pd.Series, pd.Index)
        ):
            return (
                f"需要{self.shape}，得到的是{type_name(answer)}。用圆括号或方括号把它们放在一起。"
            )
        if len(answer) != len(self.parts):
            return f"需要 {self.shape}，得到的是 {len(answer)} 个。"
        compare = Number(self.tolerance)
        for part, got, want in zip(self.parts, list(answer), list(expected), strict=True):
            if reason := compare(got, want):
                return f"“{part}”：{reason}"
        return None


def numbers(
    *parts: str, relative: float = 1e-6, absolute: float = 0.0, decimals: int | None = None
) -> Numbers:
    """Compare several named numbers in order, e.g. ``numbers("估计值", "下限", "上限")``."""
    return Numbers(parts, Tolerance(relative, absolute, decimals))


@dataclass(frozen=True)
class Choice:
    """One letter (or several) of a multiple choice; see `choice`."""

    options: tuple[str, ...]
    multiple: bool = False

    @property
    def shape(self) -> str:
        """What is asked for."""
        kind = "一个或几个字母" if self.multiple else "一个字母"
        return f"引号里的{kind}，从 {'、'.join(self.options)} 中选"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare letters, whatever the width, case and separators."""
        got = self._read(answer)
        if got is None or not got <= set(self.options):
            return f"请填{self.shape}。"
        if not self.multiple and len(got) != 1:
            return f"请填{self.shape}，只选一个。"
        if got == self._read(expected):
            return None
        if self.multiple and len(got) != len(self._read(expected) or ()):
            return "选的个数不对：再逐项想一想。"
        return "还不是这一项，再想一想。"

    def _read(self, value: Any) -> set[str] | None:
        if isinstance(value, (list, tuple, set, frozenset)):
            if not value or not all(isinstance(item, str) for item in value):
                return None
            value = "".join(value)
        if not isinstance(value, str):
            return None
        text = unicodedata.normalize("NFKC", value).upper()
        single = {option for option in self.options if option.upper() == text.strip(" .。,，、;；")}
        if single:
            return single
        left = [sign for sign in text if not (sign.isspace() or sign in ".。,，、;；/和")]
        return set(left) or None


def choice(options: str | tuple[str, ...] = "ABCD", *, multiple: bool = False) -> Choice:
    """Compare the letter(s) of a multiple choice; the stub is ``answer = "?"``."""
    return Choice(tuple(options), multiple)


@dataclass(frozen=True)
class Flag:
    """True or False; see `flag`."""

    shape: str = "True 或 False"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare two truth values."""
        if not isinstance(answer, (bool, np.bool_)):
            return f"需要 True 或 False（不加引号），得到的是{type_name(answer)}。"
        return None if bool(answer) == bool(expected) else "判断反了，再想一想。"


def flag() -> Flag:
    """Compare a truth value."""
    return Flag()


@dataclass(frozen=True)
class Day:
    """One date within some days; see `day`."""

    within: int = 0
    shape: str = "一个日期"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare two dates."""
        got = self._read(answer)
        if got is None:
            return f'需要一个日期（例如 "2025-01-31"），得到的是{type_name(answer)}。'
        apart = abs((got - pd.Timestamp(expected)).days)
        if apart <= self.within:
            return None
        return "日期只差一两天：检查是哪一端的边界。" if apart - self.within <= 2 else "日期不对。"

    @staticmethod
    def _read(value: Any) -> pd.Timestamp | None:
        text = label(value)
        if not isinstance(text, str):
            return None
        try:
            return pd.Timestamp(text).normalize()
        except (ValueError, TypeError, OverflowError):
            return None


def day(*, within: int = 0) -> Day:
    """Compare a date; ``within`` days apart still pass."""
    return Day(within)


@dataclass(frozen=True)
class Names:
    """A list of names or codes; see `names`."""

    order: bool = True
    column: str | None = None

    @property
    def shape(self) -> str:
        """What is asked for."""
        return "一组名称（列表），" + ("按题目要求的顺序" if self.order else "顺序不限")

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare two lists of names."""
        if self.order and isinstance(answer, (set, frozenset)) and len(answer) > 1:
            return "集合（set）不保留顺序：本题要求有顺序，请改用列表。"
        got = self._read(answer)
        if got is None:
            return f"需要一组名称（列表），得到的是{type_name(answer)}。"
        want = self._read(expected) or []
        if got == want:
            return None
        return names_difference(got, want, self.order)

    def _read(self, value: Any) -> list[Any] | None:
        if isinstance(value, pd.DataFrame):
            return self._read_frame(value)
        if isinstance(value, pd.Series):
            is_text = value.dtype == object or isinstance(
                value.dtype, (pd.StringDtype, pd.CategoricalDtype)
            )
            return labels(value if is_text else value.index)
        if isinstance(value, (list, tuple, set, frozenset, pd.Index, pd.Categorical, np.ndarray)):
            return labels(list(value))
        if isinstance(value, dict):
            return labels(list(value))
        return None

    def _read_frame(self, value: pd.DataFrame) -> list[Any] | None:
        if self.column is not None and self.column in value.columns:
            return labels(value[self.column])
        if self.column is not None and value.index.name == self.column:
            return labels(value.index)
        return labels(value.iloc[:, 0]) if value.shape[1] == 1 else None


def names(*, order: bool = True, column: str | None = None) -> Names:
    """Compare a list of names or codes.

    Parameters
    ----------
    order : bool
        Whether the order counts.
    column : str, optional
        A frame is accepted as well; its names are read from this column.
    """
    return Names(order, column)


def names_difference(
    got: list[Any], want: list[Any], order: bool, what: str = "名称"
) -> str | None:
    """Say how two lists of canonical labels differ, by counts only.

    Returns
    -------
    str or None
        None when they hold the same labels (in the same order, if ``order``).
    """
    have, need = Counter(got), Counter(want)
    if have == need:
        if not order or got == want:
            return None
        return f"{what}都对，但顺序不对：检查按什么排序、升序还是降序。"
    repeated = sum(count - 1 for count in have.values() if count > 1)
    if repeated and set(have) == set(need) and max(need.values(), default=1) == 1:
        return (
            f"{what}有 {repeated} 处重复：检查是不是合并（merge）时一行变成了多行，或者忘了去重。"
        )
    missing, surplus = (need - have).total(), (have - need).total()
    if not got:
        return "结果是空的，一个都没有：检查筛选条件。"
    parts = [f"少了 {missing} 个"] if missing else []
    parts += [f"多了 {surplus} 个"] if surplus else []
    text = f"{what}不对：" + "，".join(parts)
    if None in have and None not in need:
        text += "，其中有空值"
    return text + "。"


def is_missing(value: Any) -> bool:
    """Whether a scalar is a missing value."""
    try:
        return (
            value is None
            or bool(pd.isna(value))
            or (isinstance(value, float) and math.isnan(value))
        )
    except (TypeError, ValueError):
        return False
