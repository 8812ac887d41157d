"""Dates, months and timestamps in the ways banks write them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

import polars as pl

from course_utils.intake.conversion.cells import Cells, Parsed, by_distinct, with_rest

_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_EPOCH = dt.datetime(1899, 12, 30)
_SERIAL = re.compile(r"[2-5]\d{4}(?:\.0+)?")
_SERIAL_TIME = re.compile(r"[2-5]\d{4}\.\d+")
_TIME = (
    r"(?:[T\s]*(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})秒?(?:[.,](\d{1,9}))?)?分?"
    r"(?:\s*(?:Z|[+-]\d\d:?\d\d))?)?"
)
_ELSEWHERE = re.compile(r".*(?:Z|(?!\+08:?00)[+-]\d\d:?\d\d)")
_SEPARATED = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?" + _TIME)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T\s]*(\d{2}):?(\d{2}):?(\d{2})(?:\.(\d{1,9}))?)?")
_MONTH = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?(?:份|末)?|(\d{4})(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + _TIME)
_SHORT_YEAR = re.compile(
    r"\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2}|\d{6}"
)
_OPEN = re.compile(
    r"(?:9999|2999|2099)\D?12\D?31\D?.*|0{4}\D?0{1,2}\D?0{1,2}\D?.*|0+"
    r"|(?:1900|0001)\D?0?1\D?0?1\D?.*|1899\D?12\D?3[01]\D?.*|9999\D?9{2}\D?9{2}|9{8}"
)
_ORDERS = {"dmy": "日/月/年", "mdy": "月/日/年"}
_SAID = re.compile(
    r"(?:(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})日?|(\d\d)(\d\d)(\d\d(?:\d\d)?))"
    + _TIME
)
#: A year of two digits is at most so many years after the day of the extraction.
_AHEAD = 40


@dataclass
class DayOrder:
    """Which of 03/04/2025 is the day: found from the whole column, kept between chunks.

    Parameters
    ----------
    order : str, optional
        ``dmy``, ``mdy`` or ``ymd``.
    used : int
        Dates that were read by an order that was found out.
    latest : int, optional
        The mapping says the order, so years of two digits may be read, up to this year.
    """

    order: str | None = None
    used: int = 0
    latest: int | None = None

    @classmethod
    def said(cls, order: str | None, as_of: dt.date) -> DayOrder:
        """Return the order that the mapping says; one to be found out if it says none."""
        return cls() if order is None else cls(order, latest=as_of.year + _AHEAD)

    def learn(self, text: pl.Series) -> None:
        """Look at one more chunk of the column."""
        if self.order is not None:
            return
        loose = text.filter(text.str.contains(r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"))
        if not len(loose):
            return
        first = loose.str.extract(r"^(\d{1,2})").cast(pl.Int32).max()
        second = loose.str.extract(r"^\d{1,2}[-/.](\d{1,2})").cast(pl.Int32).max()
        if first > 12 >= second:
            self.order = "dmy"
        elif second > 12 >= first:
            self.order = "mdy"

    @property
    def zh(self) -> str:
        """The order in Chinese."""
        return _ORDERS.get(self.order or "", "")


def convert_date(text: pl.Series, kind: str, nullable: bool, order: DayOrder) -> Cells:
    """Convert a column of dates.

    Parameters
    ----------
    text : polars.Series
        Cleaned texts; null is "no value".
    kind : str
        ``date``, ``month`` (any day becomes the month's last) or ``timestamp``.
    nullable : bool
        A placeholder such as 9999-12-31 is "no value"; elsewhere it is a fault.
    order : DayOrder
        What is known about the column's order of day and month.
    """
    order.learn(text)
    return by_distinct(text, lambda one: _convert(one, kind, nullable, order))


def _convert(text: pl.Series, kind: str, nullable: bool, order: DayOrder) -> Cells:
    dtype = pl.Datetime("us") if kind == "timestamp" else pl.Date()
    values = _fast_time(text) if kind == "timestamp" else _fast_date(text)
    year = values.dt.year()
    usual = (year > _FIRST_YEAR) & (year < _LAST_YEAR - 1)
    values = pl.select(pl.when(usual).then(values)).to_series().cast(dtype)
    if kind == "month":
        values = values.dt.month_end()
    return with_rest(text, values, lambda one: _parse(one, kind, nullable, order), dtype)


def _fast_date(text: pl.Series) -> pl.Series:
    compact = text.str.contains(r"^\d{8}$")
    dashed = text.str.contains(r"^\d{4}-\d{1,2}-\d{1,2}$")
    frame = pl.DataFrame({"t": text, "c": compact, "d": dashed})
    date = pl.coalesce(
        pl.when("d").then("t").str.to_date("%Y-%m-%d", strict=False),
        pl.when("c").then("t").str.to_date("%Y%m%d", strict=False),
    )
    return frame.select(date).to_series()


def _fast_time(text: pl.Series) -> pl.Series:
    usual = text.str.contains(r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d$")
    plain = pl.select(pl.when(usual).then(text.str.replace("T", " ", literal=True))).to_series()
    return plain.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)


def _parse(text: str, kind: str, nullable: bool, order: DayOrder) -> Parsed:
    body = unicodedata.normalize("NFKC", text).strip()
    if _OPEN.fullmatch(body):
        return None, () if nullable else ("date_open",)
    moment, rules = read_moment(body, kind, order)
    if moment is None:
        return None, rules
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None, ("date_range",)
    if kind == "timestamp":
        return moment, rules
    day = moment.date()
    return (_month_end(day) if kind == "month" else day), rules


def read_moment(
    body: str, kind: str, order: DayOrder
) -> tuple[dt.datetime | None, tuple[str, ...]]:
    """Read one date or time in half-width characters; say which rules it met."""
    if order.latest is not None and (said := _in_order(body, order)) is not None:
        return said, ()
    for pattern in (_SEPARATED, _COMPACT):
        if found := pattern.fullmatch(body):
            moment, rules = _build(found.groups())
            # other time zones stay as they are written: in Beijing it may be another day
            late = moment is not None and found[4] and _ELSEWHERE.fullmatch(body)
            return moment, (*rules, "time_zone") if late else rules
    if kind == "month" and (found := _MONTH.fullmatch(body)):
        year, month = found[1] or found[3], found[2] or found[4]
        return _build((year, month, "1", None, None, None, None))
    if _SERIAL.fullmatch(body) or (kind == "timestamp" and _SERIAL_TIME.fullmatch(body)):
        return _serial(body)
    if found := _DAY_FIRST.fullmatch(body):
        first, second, year, *time = found.groups()
        if order.order is None:
            return None, ("date_order",)
        day, month = (first, second) if order.order == "dmy" else (second, first)
        order.used += 1
        return _build((year, month, day, *time))
    return None, ("date_year",) if _SHORT_YEAR.fullmatch(body) else ("date",)


def _in_order(body: str, order: DayOrder) -> dt.datetime | None:
    """Read a date in the order that the mapping says, also with a year of two digits."""
    found = _SAID.fullmatch(body)
    if found is None or order.order is None or order.latest is None:
        return None
    day = dict(zip(order.order, filter(None, found.groups()[:6]), strict=True))
    if max(len(day["m"]), len(day["d"])) > 2 or len(day["y"]) not in (2, 4):
        return None
    if len(day["y"]) == 2:
        century = order.latest - order.latest % 100 + int(day["y"])
        day["y"] = str(century if century <= order.latest else century - 100)
    moment, _ = _build((day["y"], day["m"], day["d"], *found.groups()[6:]))
    return moment


def _build(parts: tuple[str | None, ...]) -> tuple[dt.datetime | None, tuple[str, ...]]:
    year, month, day, hour, minute, second, fraction = parts
    micro = int((fraction or "0").ljust(6, "0")[:6])
    clock = (int(hour or 0), int(minute or 0), int(second or 0), micro)
    try:
        return dt.datetime(int(year or 0), int(month or 0), int(day or 0), *clock), ()
    except ValueError:
        return None, ("date",)


def _serial(body: str) -> tuple[dt.datetime, tuple[str, ...]]:
    days, _, part = body.partition(".")
    seconds = round(float(f"0.{part or 0}") * 86400)
    return _EPOCH + dt.timedelta(days=int(days), seconds=seconds), ("date_serial",)


def _month_end(day: dt.date) -> dt.date:
    following = (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    return following - dt.timedelta(days=1)
