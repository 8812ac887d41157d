"""Tables that are the same for every bank in the country: calendar, LPR, posted rates, industries.

They come from ``data/reference``. The synthetic banks are made with them, and a real bank that
delivers none of its own gets them from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from course_utils.paths import data_dir

if TYPE_CHECKING:
    from datetime import date

#: Term in months of each column of the posted deposit rates.
TERMS = {"m3": 3, "m6": 6, "y1": 12, "y2": 24, "y3": 36, "y5": 60}
#: Premium of a certificate of deposit over the time deposit of the same term, in percent.
_PREMIUM = {12: 0.10, 24: 0.15, 36: 0.20}
#: First and last day of the 开门红 window if a bank says nothing else.
OPENING = ((1, 1), (3, 31))
#: What a calendar of the country cannot know: the market days of a town, a bank's pension days.
_LOCAL = ("market_day", "pension_day")
_NET_OF_GROSS = 0.42


def read_reference(name: str) -> pd.DataFrame:
    """Read one public table of ``data/reference``; comment lines start with ``#``."""
    path = data_dir("reference") / f"{name}.csv"
    text = {"code": str, "effective_date": str}
    return pd.read_csv(path, comment="#", encoding="utf-8", dtype=text)


def dated_reference(name: str) -> pd.DataFrame:
    """Read one public table whose rows hold from ``effective_date`` on."""
    frame = read_reference(name)
    frame["effective_date"] = pd.to_datetime(frame["effective_date"])
    return frame


def build_industries() -> pd.DataFrame:
    """Build the table of industries, columns of the contract."""
    frame = read_reference("industries")
    net = (frame["margin_low"] + frame["margin_high"]) / 2 * _NET_OF_GROSS
    return pd.DataFrame(
        {
            "industry_code": frame["code"],
            "industry_name": frame["name"],
            "section": frame["section"],
            "rule_key": frame["rule_key"],
            "trade_group": frame["group"],
            "agricultural": frame["agriculture"].astype(bool),
            "green": frame["green"].astype(bool),
            "gross_margin_low": frame["margin_low"],
            "gross_margin_high": frame["margin_high"],
            "net_margin": np.round(net, 3),
            "turnover_days": frame["turnover_days"].astype(float),
            "code_share": frame["code_share"],
            "power_cost_per_10k": frame["electricity_per_10k"].astype(float),
        }
    )


def build_calendar(
    first: pd.Timestamp, last: pd.Timestamp, opening: Sequence[Sequence[int]] = OPENING
) -> pd.DataFrame:
    """Build the calendar table from the official holiday schedules.

    Parameters
    ----------
    first, last : Timestamp
        First and last day.
    opening : sequence of (month, day)
        First and last day of the 开门红 window; it may run over the year end.

    Returns
    -------
    pandas.DataFrame
        One row a day, columns of the contract.
    """
    days = pd.date_range(first, last, freq="D", unit="s")
    schedule = read_reference("holidays")
    holiday = pd.Series(None, index=days, dtype=object)
    workday = pd.Series(days.day_of_week < 5, index=days)
    for row in schedule.itertuples():
        span = pd.date_range(row.start, row.end).intersection(days)
        if row.kind == "放假":
            holiday[span] = row.holiday
        workday[span] = row.kind == "调休上班"
    new_year = pd.to_datetime(read_reference("lunar_new_year")["new_year"]).to_numpy(
        "datetime64[D]"
    )
    gap = days.to_numpy("datetime64[D]")[:, None] - new_year[None, :]
    nearest = np.abs(gap).argmin(axis=1)
    day_of_year = days.month * 100 + days.day
    start, end = (month * 100 + day for month, day in opening)
    inside = (day_of_year >= start) & (day_of_year <= end)
    if start > end:
        inside = (day_of_year >= start) | (day_of_year <= end)
    return pd.DataFrame(
        {
            "date": days,
            "workday": workday.to_numpy(),
            "holiday": holiday.to_numpy(),
            "days_to_cny": gap[np.arange(len(days)), nearest].astype(int),
            "kaimenhong": np.asarray(inside),
            "quarter_end": days.is_quarter_end,
            "market_day": np.isin(days.day % 10, (2, 5, 8)),
            "pension_day": np.isin(days.day, (10, 15)),
        }
    )


def posted(
    row: Any, who: str, spread: Mapping[int, float] | None = None, lag: int = 0
) -> list[tuple]:
    """Return the rates that somebody posts when the big banks post theirs.

    Parameters
    ----------
    row : named tuple
        One row of the reference ``deposit_rates``.
    who : str
        大行, 本行 or 同业.
    spread : mapping of int to float, optional
        Term in months → what is paid above the big banks, in basis points.
    lag : int
        Days after the big banks.

    Returns
    -------
    list of tuple
        ``effective_date, who, kind, term_months, rate`` (%).
    """
    day = row.effective_date + pd.Timedelta(days=lag)
    rows = [(day, who, "活期", 0, row.demand), (day, who, "通知", 0, round(row.demand + 0.25, 4))]
    for column, months in TERMS.items():
        rate = getattr(row, column) + (spread or {}).get(months, 0) / 100
        rows.append((day, who, "定期", months, round(rate, 4)))
        if months in _PREMIUM:
            rows.append((day, who, "大额存单", months, round(rate + _PREMIUM[months], 4)))
    return rows


def rate_table(rows: Sequence[tuple]) -> pd.DataFrame:
    """Return rows of :func:`posted` as the table of deposit rates, in its order."""
    frame = pd.DataFrame(rows, columns=["effective_date", "who", "kind", "term_months", "rate"])
    return frame.sort_values(["effective_date", "who", "kind", "term_months"])


# ---- for a real bank -----------------------------------------------------------------------------


def supplied(
    lacking: Sequence[str], first: date | None, as_of: date
) -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Yield those tables that a bank has not delivered.

    Parameters
    ----------
    lacking : sequence of str
        Tables of :data:`course_utils.bank.labels.SUPPLIED` that it lacks.
    first : date or None
        First day of its data.
    as_of : date
        Last day of its data.

    Yields
    ------
    (str, DataFrame, str)
        Table, rows, and what people must know of them, in Chinese.
    """
    makers = {
        "calendar": lambda: _calendar(first, as_of),
        "lpr_rate": lambda: _lpr(as_of),
        "deposit_rate": lambda: _big_banks(as_of),
        "industry": _industry,
        "lender_keyword": _keywords,
    }
    for name in lacking:
        yield name, *makers[name]()


def _calendar(first: date | None, as_of: date) -> tuple[pd.DataFrame, str]:
    known = read_reference("holidays")["year"]
    begin = max(first.year if first else as_of.year, int(known.min()))
    begin, end = min(begin, as_of.year), as_of.year + 1
    frame = build_calendar(pd.Timestamp(begin, 1, 1), pd.Timestamp(end, 12, 31))
    schedule = read_reference("holidays")
    checked = schedule["year"].between(begin, end) & (schedule["verify"] == 1)
    doubtful = sorted({*schedule["year"][checked], *_without(known, begin, end)})
    note = "开门红按 1 月至 3 月；本地赶集日和本行养老金发放日没有填，用得上请自行报送日历"
    if doubtful:
        note += f"；{'、'.join(map(str, doubtful))} 年的放假安排未经核对或未公布，使用前请核实"
    return frame.drop(columns=list(_LOCAL)), note


def _without(known: pd.Series, begin: int, end: int) -> set[int]:
    return set(range(begin, end + 1)) - set(known)


def _lpr(as_of: date) -> tuple[pd.DataFrame, str]:
    frame = _until(dated_reference("lpr"), as_of)
    return frame[["effective_date", "lpr_1y", "lpr_5y"]], _verify(frame)


def _big_banks(as_of: date) -> tuple[pd.DataFrame, str]:
    frame = _until(dated_reference("deposit_rates"), as_of)
    rows = [rate for row in frame.itertuples() for rate in posted(row, "大行")]
    return rate_table(rows), f"只有大行挂牌利率，本行和同业的请自行报送；{_verify(frame)}"


def _industry() -> tuple[pd.DataFrame, str]:
    return build_industries(), "毛利率、周转天数、电费强度是课程参数，不是统计值"


def _keywords() -> tuple[pd.DataFrame, str]:
    frame = read_reference("lender_keywords")
    return frame[["keyword", "lender_kind", "note"]], "只有通用字样，没有机构名称，请按本地情况增补"


def _until(frame: pd.DataFrame, as_of: date) -> pd.DataFrame:
    return frame[frame["effective_date"] <= pd.Timestamp(as_of)].reset_index(drop=True)


def _verify(frame: pd.DataFrame) -> str:
    doubtful = int((frame["verify"] == 1).sum())
    last = f"最后一次变动为 {frame['effective_date'].max():%Y-%m-%d}" if len(frame) else "没有数据"
    return f"{last}，其中 {doubtful} 次凭记忆录入，使用前请对照公布值核实"
