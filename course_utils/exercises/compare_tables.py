"""Comparers of tables: `series` and `frame`.

Column order, row order (unless it counts), int or float, categories or text, keys in the index or
in columns, float noise: none of these fails an answer.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises.compare import names_difference
from course_utils.exercises.numbers_match import STANDARD, Tolerance, explain
from course_utils.exercises.values import labels, type_name


def nearest(name: Any, candidates: Sequence[Any]) -> str | None:
    """Closest candidate by spelling, ignoring case and blanks; None when nothing is close."""
    table = {str(item).strip().lower(): str(item) for item in candidates}
    found = difflib.get_close_matches(str(name).strip().lower(), list(table), 1, 0.6)
    return table[found[0]] if found else None


@dataclass(frozen=True)
class Series:
    """One number per label; see `series`."""

    order: bool = False
    fill: float | None = None
    tolerance: Tolerance = STANDARD
    keys: str = ""

    @property
    def shape(self) -> str:
        """What is asked for."""
        return f"一列数（Series），索引是{self.keys}" if self.keys else "一列数（Series），带索引"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare labels first, then values."""
        want = _as_series(expected)
        got = _as_series(answer, levels=want.index.nlevels)
        if isinstance(got, str):
            return got
        have, need = labels(got.index), labels(want.index)
        values = pd.Series(want.to_numpy(), index=_index(need))
        numeric = to_numbers(got)
        if numeric is None:
            return self._texts(got, have, values)
        mine = pd.Series(numeric, index=_index(have))
        if self.fill is not None:
            mine, values = _filled(mine, values, self.fill)
            have, need = list(mine.index), list(values.index)
        if reason := _group_difference(have, need, self.order):
            return reason
        aligned = values if have == need else _aligned(values, mine)
        return _value_difference(
            mine.to_numpy(float), to_numbers(aligned), self.tolerance, "索引（分组）对了，但"
        )

    def _texts(self, got: pd.Series, have: list[Any], values: pd.Series) -> str | None:
        if to_numbers(values) is not None:
            return "索引之外应该是一列数，得到的是文字或其他类型。"
        if reason := _group_difference(have, list(values.index), self.order):
            return reason
        mine = pd.Series(_objects(labels(got)), index=_index(have))
        theirs = pd.Series(_objects(labels(values)), index=values.index)
        aligned = theirs if have == list(values.index) else _aligned(theirs, mine)
        wrong = sum(a != b for a, b in zip(mine, aligned, strict=True))
        return f"索引（分组）对了，但有 {wrong} 个值不对。" if wrong else None


def series(
    *,
    order: bool = False,
    fill: float | None = None,
    relative: float = 1e-6,
    absolute: float = 0.0,
    decimals: int | None = None,
    keys: str = "",
) -> Series:
    """Compare one value per label (a Series; a dict or a key-value frame is accepted too).

    Parameters
    ----------
    order : bool
        Whether row order counts.
    fill : float, optional
        A label that one side lacks stands for this value (0 for amounts of empty months).
    relative, absolute, decimals
        As in `number`.
    keys : str
        Name of the index in Chinese, for the expected shape: “支行编号”.
    """
    return Series(order, fill, Tolerance(relative, absolute, decimals), keys)


@dataclass(frozen=True)
class Frame:
    """A table with key columns; see `frame`."""

    keys: tuple[str, ...]
    values: tuple[str, ...] = ()
    order: bool = False
    tolerance: Tolerance = STANDARD
    tolerances: dict[str, Tolerance] = field(default_factory=dict, hash=False)

    @property
    def shape(self) -> str:
        """What is asked for."""
        return f"一张表，列有：{'、'.join(self.keys + self.values)}"

    def __call__(self, answer: Any, expected: Any) -> str | None:
        """Compare columns, then keys, then every value column."""
        want = with_columns(expected)
        columns = self.values or tuple(name for name in want.columns if name not in self.keys)
        got = tabulate(answer, (*self.keys, *columns))
        if isinstance(got, str):
            return got
        have, need = labels(got[list(self.keys)]), labels(want[list(self.keys)])
        if reason := _group_difference(have, need, self.order, "行"):
            return reason
        place = {key: row for row, key in enumerate(need)}
        if len(place) == len(need):
            want = want.iloc[[place[key] for key in have]]
        for column in columns:
            if reason := self._column(column, got[column], want[column]):
                return reason
        return None

    def _column(self, column: str, got: pd.Series, want: pd.Series) -> str | None:
        expected = to_numbers(want)
        if expected is None:
            wrong = sum(a != b for a, b in zip(labels(got), labels(want), strict=True))
            return f"“{column}”列有 {wrong} 个值不对。" if wrong else None
        numeric = to_numbers(got)
        if numeric is None:
            return f"“{column}”列应该是数，得到的是文字或其他类型。"
        tolerance = self.tolerances.get(column, self.tolerance)
        return _value_difference(numeric, expected, tolerance, f"“{column}”列")


def frame(
    keys: Sequence[str] | str,
    values: Sequence[str] = (),
    *,
    order: bool = False,
    relative: float = 1e-6,
    absolute: float = 0.0,
    decimals: int | None = None,
    tolerances: dict[str, Tolerance] | None = None,
) -> Frame:
    """Compare a table row by row through its key columns.

    Parameters
    ----------
    keys : sequence of str
        Columns that identify a row (they may also stand in the index).
    values : sequence of str
        Columns to compare; empty = every other column of the expected table. Surplus columns of the
        answer never matter.
    order : bool
        Whether row order counts.
    relative, absolute, decimals
        As in `number`, for every column.
    tolerances : dict[str, Tolerance], optional
        Exceptions by column.
    """
    keys = (keys,) if isinstance(keys, str) else tuple(keys)
    tolerance = Tolerance(relative, absolute, decimals)
    return Frame(keys, tuple(values), order, tolerance, tolerances or {})


def with_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Bring named index levels into columns."""
    named = [name for name in table.index.names if name is not None and name not in table.columns]
    if not named:
        return table.reset_index(drop=True)
    unnamed = [i for i, name in enumerate(table.index.names) if name not in named]
    return (table.reset_index(level=unnamed, drop=True) if unnamed else table).reset_index()


def tabulate(answer: Any, columns: Sequence[str]) -> pd.DataFrame | str:
    """Read an answer as a table that has certain columns.

    Returns
    -------
    pandas.DataFrame or str
        The table with named index levels as columns, or a Chinese diagnosis.
    """
    if isinstance(answer, pd.Series) and answer.name is not None:
        answer = answer.to_frame()
    if not isinstance(answer, pd.DataFrame):
        return f"需要一张表（DataFrame），得到的是{type_name(answer)}。"
    if isinstance(answer.columns, pd.MultiIndex):
        return "列名有两层：汇总时给每一列起一个名字，例如 .agg(新列名=(列名, 方法))。"
    table = with_columns(answer)
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        return f"表里有 {len(repeated)} 个重名的列：每个列名只能出现一次。"
    missing = [name for name in columns if name not in table.columns]
    nameless = answer.index.nlevels == 1 and answer.index.name is None
    if len(missing) == 1 and nameless and not _is_default(answer.index):
        return table.assign(**{missing[0]: answer.index.to_numpy()})  # labels of the one key
    if not missing:
        return table
    surplus = [name for name in table.columns if name not in columns]
    close = nearest(missing[0], surplus)
    text = f"缺少列：{'、'.join(f'“{name}”' for name in missing)}。"
    return text + (f"你的“{close}”列是不是名字写错了？" if close else "")


def _as_series(value: Any, levels: int = 1) -> Any:
    if isinstance(value, pd.DataFrame):
        if value.shape[1] == 1:
            return value.iloc[:, 0]
        if value.shape[1] == levels + 1 and _is_default(value.index):
            return value.set_index(list(value.columns[:levels])).iloc[:, 0]
        return (
            f"需要一列数（Series），得到的是 {value.shape[1]} 列的表。先用列名取出要的那一列，"
            "分组的列放在索引里。"
        )
    if isinstance(value, dict) and value:
        return pd.Series(list(value.values()), index=_index(labels(list(value))), dtype=object)
    if isinstance(value, pd.Series):
        return value
    return f"需要一列数（Series），得到的是{type_name(value)}。"


def _is_default(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) or (index.name is None and index.dtype.kind in "iu")


def _index(items: Sequence[Any]) -> pd.Index:
    return pd.Index(_objects(items), dtype=object, tupleize_cols=False)


def _objects(items: Sequence[Any]) -> np.ndarray:
    found = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        found[place] = item
    return found


def to_numbers(values: pd.Series) -> np.ndarray | None:
    """Floats of a column, missing values as NaN; None if it holds texts, dates or other things."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    kind = getattr(values.dtype, "kind", "O")
    if kind in "iufb":
        return values.to_numpy(dtype=float, na_value=np.nan)
    if kind in "Mm" or isinstance(values.dtype, pd.PeriodDtype):
        return None
    filled = [item for item in values if not isinstance(item, float) or not np.isnan(item)]
    if any(isinstance(item, (str, bytes, tuple, list, dict, set)) for item in filled):
        return None
    try:
        found = pd.to_numeric(values, errors="raise").to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError, OverflowError):
        return None
    return found


def _filled(mine: pd.Series, theirs: pd.Series, fill: float) -> tuple[pd.Series, pd.Series]:
    if not mine.index.is_unique or not theirs.index.is_unique:
        return mine, theirs
    absent = _index([name for name in theirs.index if name not in mine.index])
    surplus = _index([name for name in mine.index if name not in theirs.index])
    padded = pd.concat([mine, pd.Series(float(fill), index=absent)]) if len(absent) else mine
    wider = pd.concat([theirs, pd.Series(float(fill), index=surplus)]) if len(surplus) else theirs
    return padded, wider


def _aligned(values: pd.Series, mine: pd.Series) -> pd.Series:
    place = {name: row for row, name in enumerate(values.index)}
    return values.iloc[[place[name] for name in mine.index]]


def _group_difference(
    have: list[Any], need: list[Any], order: bool, what: str = "组"
) -> str | None:
    reason = names_difference(have, need, order, what)
    if reason is None:
        return None
    if have and need and not set(have) & set(need):
        return f"一{what}都对不上：检查用来分组或标记{what}的列选得对不对（编号还是名称、哪一天）。"
    return reason


def _value_difference(
    got: np.ndarray, want: np.ndarray | None, tolerance: Tolerance, where: str
) -> str | None:
    if want is None:
        return f"{where}应该是文字，得到的是数。"
    reason = explain(got, want, tolerance)
    if reason == "":
        wrong = int((~tolerance.close(got, want)).sum())
        return f"{where}有 {wrong} 个数值不对（共 {len(got)} 个）：对照题目再看一遍口径。"
    return None if reason is None else f"{where.removesuffix('，但')}：{reason}"
