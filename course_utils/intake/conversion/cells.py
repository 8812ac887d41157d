"""Cells of one column on their way from text to typed values: what is common to all types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from course_utils.intake.mapping.model import OTHERS

#: A parser of one text: the value (None: nothing could be made of it) and the rules it met.
Parsed = tuple[Any, tuple[str, ...]]
Parser = Callable[[str], Parsed]

#: Invisible characters that exports carry besides the blanks that ``str.strip`` knows.
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
#: Texts that stand for "no value", in lower case.
NOTHING = frozenset(
    {"", "null", "\\n", "none", "nan", "nat", "#n/a", "n/a", "-", "--", "---", "—", "——", "－",
     "空", "(null)", "<null>"}
)  # fmt: skip
#: Texts that stand for "no value" except in a column of text, where they say something.
NOTHING_BUT_TEXT = NOTHING | {"无", "暂无", "不详", "未知", "/", "*", "na", "#value!", "#ref!"}
_MARKS = "at", "rule"


@dataclass
class Cells:
    """Typed values of a column and the rules that cells broke or met.

    Parameters
    ----------
    values : polars.Series
    marks : list of (str, polars.Series)
        Rule and the positions (counted from 0) where it was met.
    """

    values: pl.Series
    marks: list[tuple[str, pl.Series]] = field(default_factory=list)

    def mark(self, rule: str, where: pl.Series) -> None:
        """Add a rule for the rows where a Boolean series is true."""
        positions = where.fill_null(value=False).arg_true()
        if len(positions):
            self.marks.append((rule, positions))


def strip(raw: pl.Series) -> pl.Series:
    """Take away blanks of every kind and the apostrophe with which Excel marks text."""
    text = raw.str.strip_chars()
    marked = text.str.starts_with("'") | text.str.contains(f"[{INVISIBLE}]")
    if not marked.any():
        return text
    plain = text.str.replace_all(f"[{INVISIBLE}]", "").str.strip_chars().str.strip_prefix("'")
    return plain.str.strip_chars()


def blank(text: pl.Series, nothing: frozenset[str]) -> pl.Series:
    """Turn texts that stand for "no value" into nulls."""
    longest = max(map(len, nothing))
    short = text.str.len_bytes() <= longest * 3
    if not short.any():
        return text
    empty = short & text.str.to_lowercase().is_in(list(nothing))
    return pl.select(pl.when(~empty).then(text)).to_series() if empty.any() else text


def translate(text: pl.Series, codes: Mapping[str, str]) -> pl.Series:
    """Put the contract's codes in the place of the bank's; others stay, or become what "*" says."""
    known = {code: value for code, value in codes.items() if code != OTHERS}
    found = text.replace(list(known), list(known.values()))
    if OTHERS not in codes:
        return found
    kept = text.is_in(list(known)) | text.str.to_lowercase().is_in(list(NOTHING)) | text.is_null()
    rest = pl.lit(codes[OTHERS])
    return pl.select(pl.when(kept).then(found).otherwise(rest)).to_series()


def by_distinct(text: pl.Series, convert: Callable[[pl.Series], Cells]) -> Cells:
    """Convert each different text once where that saves work."""
    distinct = text.unique(maintain_order=True)
    if len(distinct) * 2 > len(text):
        return convert(text)
    done = convert(distinct)
    number = pl.Series("k", range(len(distinct)), dtype=pl.UInt32)
    keys = pl.DataFrame({"t": distinct, "k": number})
    rows = pl.DataFrame({"t": text}).join(
        keys, on="t", how="left", nulls_equal=True, maintain_order="left"
    )
    which = rows["k"]
    cells = Cells(done.values.gather(which))
    for rule, positions in done.marks:
        cells.mark(rule, which.is_in(positions.implode()))
    return cells


def with_rest(
    text: pl.Series, values: pl.Series, parse: Parser, dtype: pl.DataType | type[pl.DataType]
) -> Cells:
    """Parse one by one the texts of which the fast way could make no value.

    Parameters
    ----------
    text : polars.Series
        Cleaned texts; null is "no value".
    values : polars.Series
        What the fast way made of them.
    parse : callable
        Text → (value, rules).
    dtype : polars data type
        Type of the values.
    """
    positions = (values.is_null() & text.is_not_null()).arg_true()
    if not len(positions):
        return Cells(values)
    rest = text.gather(positions)
    distinct = rest.unique(maintain_order=True)
    parsed = [parse(one) for one in distinct.to_list()]
    found = pl.Series([value for value, _ in parsed], dtype=dtype, strict=False)
    index = pl.DataFrame({"t": distinct, "k": pl.int_range(len(distinct), eager=True)})
    which = pl.DataFrame({"t": rest}).join(index, on="t", how="left", maintain_order="left")["k"]
    cells = Cells(values.scatter(positions, found.gather(which)))
    rules: dict[str, list[int]] = {}
    for number, (_, met) in enumerate(parsed):
        for rule in met:
            rules.setdefault(rule, []).append(number)
    for rule, numbers in rules.items():
        hit = which.is_in(numbers)
        cells.marks.append((rule, positions.filter(hit)))
    return cells
