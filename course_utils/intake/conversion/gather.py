"""Where the text of a column comes from: one column of the file, several, or the file's name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from course_utils.errors import CourseError
from course_utils.intake.conversion.cells import NOTHING, blank, strip
from course_utils.intake.reading.names import normalise

if TYPE_CHECKING:
    from course_utils.contract.model import Column
    from course_utils.intake.mapping import ColumnMapping, TableMapping

_ZERO = r"^[-+(]?[0０.,]*[)]?$"
_MINUS = r"^[-−－(（]|[-−－]$"


def wanted(chunk: pl.DataFrame, mapping: TableMapping, file: str, sheet: str) -> pl.DataFrame:
    """Return the rows that the mapping wants: ``only`` and ``skip``.

    Raises
    ------
    CourseError
        If the file lacks a column by which rows are chosen.
    """
    if not mapping.only and not mapping.skip:
        return chunk
    keep = pl.repeat(True, chunk.height, eager=True, dtype=pl.Boolean)
    for name, values in mapping.only.items():
        keep &= _has(chunk, name, values, file, sheet)
    for name, values in mapping.skip.items():
        keep &= ~_has(chunk, name, values, file, sheet)
    return chunk.filter(keep)


def _has(chunk: pl.DataFrame, name: str, values: Sequence[str], file: str, sheet: str) -> pl.Series:
    there = next((one for one in chunk.columns if normalise(one) == normalise(name)), None)
    if there is None:
        raise CourseError(
            f"{_place(file, sheet)} 里没有“{name}”这一列，only、skip 要靠它挑选行："
            "请改正 mapping.yml 里的列名。"
        )
    return strip(chunk[there]).fill_null("").is_in(list(values))


def combined(given: ColumnMapping, raw: Sequence[pl.Series]) -> pl.Series:
    """Return one text for each row.

    Of several columns the first that is neither empty nor zero counts (debit and credit). With
    ``which`` the text says which column that was, with ``signs`` what the sign of it stands for.

    Parameters
    ----------
    given : ColumnMapping
        What the mapping says of the column.
    raw : sequence of polars.Series
        The columns that it names, in that order; at least one.
    """
    if len(raw) == 1 and not given.signs:
        return raw[0]
    texts = [blank(strip(one), NOTHING) for one in raw]
    frame = pl.DataFrame({str(number): text for number, text in enumerate(texts)})
    said = [pl.when(~pl.col(name).str.contains(_ZERO)).then(pl.col(name)) for name in frame.columns]
    if given.which:
        filled = [
            pl.when(one.is_not_null()).then(pl.lit(value))
            for one, value in zip(said, given.which, strict=True)
        ]
        return frame.select(pl.coalesce(filled)).to_series()
    text = frame.select(pl.coalesce(*said, *frame.columns)).to_series()
    return _signed(text, given.signs) if given.signs else text


def _signed(text: pl.Series, signs: Mapping[str, str]) -> pl.Series:
    minus = text.str.contains(_MINUS)
    sign = pl.when(minus).then(pl.lit(signs.get("-"))).otherwise(pl.lit(signs.get("+")))
    return pl.select(pl.when(text.is_not_null()).then(sign)).to_series()


def from_name(pattern: str, column: Column, file: str, sheet: str) -> str:
    """Return what a pattern finds in the name of a file or sheet.

    Raises
    ------
    CourseError
        If it finds nothing.
    """
    found = re.search(pattern, f"{file}/{sheet}" if sheet else file)
    value = found[1] if found and found.re.groups else found and found[0]
    if not value:
        raise CourseError(
            f"{_place(file, sheet)}：文件名里找不到“{column.zh}”（{column.name}），"
            f"mapping.yml 写的规则是“{pattern}”，请改规则或文件名。"
        )
    return value


def _place(file: str, sheet: str) -> str:
    return f"{file}（工作表 {sheet}）" if sheet else file
