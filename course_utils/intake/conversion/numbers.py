"""Numbers: text to exact decimals, never through a float where money is concerned."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING

import polars as pl

from course_utils.intake.conversion.cells import Cells, Parsed, by_distinct, with_rest
from course_utils.intake.conversion.dates import DayOrder, read_moment
from course_utils.intake.mapping import factor as unit_factor

if TYPE_CHECKING:
    from course_utils.contract.model import Column

MONEY = pl.Decimal(18, 2)
_WIDE = pl.Decimal(38, 12)
_CENT = Decimal("0.01")
_MONEY_LIMIT = Decimal(10) ** 16
_EXACT = Context(prec=60)
_LONGEST = 60
_YEAR_DIGITS = 4
_IDENTITY = re.compile(r"\d{17}[\dXx]")
_CLOCK = re.compile(r"(?:\d{4}\D\d{1,2}\D\d{1,2}日?[T\s]+|\d{8}\s+)?(\d{1,2})[:时]\d{1,2}.*")
#: 083015 and 0830; a system that keeps them as numbers drops the leading zero.
_COMPACT_CLOCK = re.compile(r"(?:\d{8})?(\d{1,2})[0-5]\d(?:[0-5]\d)?")
_INTEGER_LIMIT = 1 << 63
#: Plain or properly grouped: 1234.5, 1,234.50, -0.07.
_PLAIN = r"^-?(?:\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.\d{1,10})?$"
_NUMBER = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+)(?:\.\d*)?|\.\d+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+")
_CURRENCY = re.compile(r"^(?:人民币|RMB|CNY|[¥￥])\s*|\s*(?:RMB|CNY|元整?|人民币)$")
_UNITS: Mapping[str, str] = {
    "亿元": "100000000", "亿": "100000000", "百万元": "1000000", "千万元": "10000000",
    "万元": "10000", "万": "10000", "千元": "1000",
}  # fmt: skip
_CHINESE = {"半": "0.5", "一": "1", "两": "2", "二": "2", "三": "3", "四": "4", "五": "5",
            "六": "6", "七": "7", "八": "8", "九": "9", "十": "10"}  # fmt: skip


def convert_number(text: pl.Series, column: Column, unit: str | None) -> Cells:
    """Convert a column of a numeric type.

    Parameters
    ----------
    text : polars.Series
        Cleaned texts; null is "no value".
    column : Column
        Its definition.
    unit : str, optional
        Unit of the source, one of :mod:`course_utils.intake.mapping.units`.
    """
    scale = Decimal(unit_factor(column, unit))
    if column.type == "money":
        return by_distinct(text, lambda one: _money(one, column, scale))
    if column.type == "integer":
        return by_distinct(text, lambda one: _integer(one, column, scale))
    return by_distinct(text, lambda one: _float(one, column, scale))


def _money(text: pl.Series, column: Column, scale: Decimal) -> Cells:
    plain = _plain(text)
    wide = plain.cast(_WIDE, strict=False)
    wide = _scaled(wide, scale)
    cents = wide.round(2, mode="half_away_from_zero")
    values = cents.cast(MONEY, strict=False)
    rounded = (cents != wide).fill_null(value=False)
    cells = with_rest(text, values, lambda one: parse_money(one, column, scale), MONEY)
    cells.mark("rounded", rounded)
    return cells


def _integer(text: pl.Series, column: Column, scale: Decimal) -> Cells:
    values = _plain(text).cast(pl.Int64, strict=False)
    if (part := part_of(column)) is not None:
        short = text.str.len_bytes() <= (2 if part == "hour" else _YEAR_DIGITS)
        values = pl.select(pl.when(short).then(values)).to_series()
    if scale != 1:
        values = pl.Series([None] * len(text), dtype=pl.Int64)
    return with_rest(text, values, lambda one: _parse_integer(one, column, scale), pl.Int64)


def _float(text: pl.Series, column: Column, scale: Decimal) -> Cells:
    values = _plain(text).cast(pl.Float64, strict=False)
    if scale != 1:
        exact = _scaled(_plain(text).cast(_WIDE, strict=False), scale)
        values = exact.cast(pl.Float64, strict=False)
    return with_rest(text, values, lambda one: _parse_float(one, column, scale), pl.Float64)


def _scaled(exact: pl.Series, scale: Decimal) -> pl.Series:
    """Multiply by a power of ten without losing a digit."""
    if scale == 1:
        return exact
    scaled = exact * int(scale) if scale > 1 else exact / int(1 / scale)
    return scaled.cast(_WIDE, strict=False)


def _plain(text: pl.Series) -> pl.Series:
    """Return the digits of texts that are plain numbers, null for all others."""
    plain = text.str.contains(_PLAIN)
    digits = text.str.replace_all(",", "", literal=True)
    return pl.select(pl.when(plain).then(digits)).to_series()


def parse_money(text: str, column: Column, scale: Decimal) -> Parsed:
    """Read one amount; the result is in 元 with two decimals."""
    number, rules = parse_decimal(text, column, scale)
    if number is None:
        return None, rules
    cents = number.quantize(_CENT, ROUND_HALF_UP, _EXACT)
    if abs(cents) >= _MONEY_LIMIT:
        return None, ("number_size",)
    return cents, (*rules, "rounded") if cents != number else rules


def part_of(column: Column) -> str | None:
    """Return what a column takes out of a date or time: ``year``, ``month``, ``hour`` or None."""
    if column.type != "integer":
        return None
    if column.protect == "year" or column.unit == "年":
        return "year"
    if column.protect == "month_number":
        return "month"
    return "hour" if column.unit == "时" else None


def _taken(text: str, part: str) -> int | None:
    """Take a year or month out of a date or an identity number, an hour out of a time."""
    body = unicodedata.normalize("NFKC", text).strip()
    if part == "hour":
        found = _CLOCK.fullmatch(body) or _COMPACT_CLOCK.fullmatch(body)
        return int(found[1]) if found else None
    if _IDENTITY.fullmatch(body):
        body = body[6:14]
    moment, _ = read_moment(body, "month", DayOrder())
    return None if moment is None else int(getattr(moment, part))


def _parse_integer(text: str, column: Column, scale: Decimal) -> Parsed:
    part = part_of(column)
    taken = None if part is None else _taken(text, part)
    if taken is not None:
        return taken, ()
    number, rules = parse_decimal(text, column, scale)
    if number is None:
        return None, rules
    if number != int(number):
        return None, ("integer",)
    if abs(number) >= _INTEGER_LIMIT:
        return None, ("number_size",)
    return int(number), rules


def _parse_float(text: str, column: Column, scale: Decimal) -> Parsed:
    number, rules = parse_decimal(text, column, scale)
    return (None, rules) if number is None else (float(number), rules)


def parse_decimal(text: str, column: Column, scale: Decimal) -> tuple[Decimal | None, tuple]:
    """Read one number as it stands in a cell.

    Returns
    -------
    (Decimal or None, tuple of str)
        Value in the contract's unit, and the rules that were met.
    """
    if len(text) > _LONGEST:
        return None, ("number_size",)
    rules: list[str] = []
    body = unicodedata.normalize("NFKC", text).strip()
    if body != text and any(c.isdigit() and not c.isascii() for c in text):
        rules.append("full_width")
    if body.startswith("\x1a"):
        return None, ("number_scientific",)
    body, sign = _sign(body)
    bare = (
        _CURRENCY.sub("", body, count=2) if column.unit == "元" or column.type == "money" else body
    )
    signed = bare != body
    body, inner = _sign(bare)
    body, own = _unit(body, column)
    if own is not None:
        if own != scale:
            rules.append("unit_in_cell")
        scale = own
    elif signed:
        rules.append("currency_sign")
        scale = Decimal(1) if text.strip().endswith("元") else scale
    elif column.unit and body.endswith(column.unit):
        body = body.removesuffix(column.unit).strip()
    if _SCIENTIFIC.fullmatch(body):
        return None, ("number_scientific",)
    digits = _CHINESE.get(body, body)
    twice = sign == inner == -1
    if twice or not digits.isascii() or not _NUMBER.fullmatch(digits):
        return None, ("number",)
    try:
        number = Decimal(digits.replace(",", "").replace(" ", ""))
        return _EXACT.multiply(number * sign * inner, scale), tuple(rules)
    except InvalidOperation:
        return None, ("number",)


def _sign(body: str) -> tuple[str, int]:
    """Take away one sign: -1, 1-, (1), +1."""
    if body.startswith("(") and body.endswith(")"):
        return body[1:-1].strip(), -1
    if body.startswith(("-", "−")):
        return body[1:].strip(), -1
    if body.endswith("-"):
        return body[:-1].strip(), -1
    return body.removeprefix("+").strip(), 1


def _unit(body: str, column: Column) -> tuple[str, Decimal | None]:
    """Take away a unit that changes the value; return the factor it stands for."""
    if column.type in ("percent", "ratio"):
        for mark, share in (("%", "0.01"), ("‰", "0.001")):
            if body.endswith(mark):
                to_percent = Decimal(100) if column.type == "percent" else Decimal(1)
                number = body.removesuffix(mark).strip()
                return number, Decimal(share) * to_percent
    if column.type == "money":
        for name, size in _UNITS.items():
            if body.endswith(name):
                return body.removesuffix(name).strip(), Decimal(size)
    if column.unit == "月":
        return _months(body)
    return body, None


def _months(body: str) -> tuple[str, Decimal | None]:
    """Read 3年, 三年, 6个月, 12M as months."""
    for name, months in (("年期", 12), ("年", 12), ("Y", 12), ("个月", 1), ("月期", 1), ("月", 1),
                         ("M", 1)):  # fmt: skip
        if body.upper().endswith(name):
            return body[: -len(name)].strip(), Decimal(months)
    return body, None
