"""How turnover moves with the month, the week, the lunar festival and the school year."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

# Course parameters, shaped after the seasons named in the course's fact sheet: share of a normal
# month, January to December, by trade group of the industry table.
_FLAT = (1.0,) * 12
MONTH_INDEX: dict[str, tuple[float, ...]] = {
    "便利店超市": (1.05, 0.98, 0.95, 0.97, 1.0, 1.02, 1.06, 1.06, 1.0, 1.0, 0.97, 1.04),
    "服装零售": (1.05, 0.95, 0.95, 1.05, 1.05, 0.90, 0.85, 0.85, 1.05, 1.15, 1.10, 1.15),
    "正餐": (1.05, 0.98, 0.94, 0.97, 1.02, 0.99, 1.02, 1.02, 0.98, 1.04, 0.95, 1.06),
    "快餐小吃": (0.97, 0.93, 1.0, 1.02, 1.03, 1.02, 0.98, 0.98, 1.02, 1.02, 1.0, 1.0),
    "建材批发": (0.50, 0.55, 1.15, 1.25, 1.25, 1.15, 0.85, 0.85, 1.15, 1.25, 1.20, 0.85),
    "装修": (0.48, 0.55, 1.15, 1.20, 1.20, 1.10, 0.95, 0.95, 1.15, 1.20, 1.15, 0.90),
    "农资批零": (0.45, 1.15, 1.75, 1.50, 0.90, 0.75, 1.30, 1.25, 0.80, 0.80, 0.70, 0.60),
    "果蔬批发": (1.05, 0.98, 0.85, 0.85, 0.90, 0.95, 1.0, 1.0, 1.05, 1.10, 1.10, 1.15),
    "生鲜零售": (1.08, 1.0, 0.95, 0.96, 0.97, 0.97, 1.0, 1.0, 1.02, 1.02, 1.0, 1.03),
    "药店": (1.15, 1.08, 1.02, 0.96, 0.93, 0.92, 0.93, 0.93, 0.96, 1.0, 1.05, 1.12),
    "理发美容": (1.0, 0.95, 0.90, 0.97, 1.0, 1.0, 1.02, 1.02, 0.98, 1.0, 0.98, 1.10),
    "汽修": (1.10, 0.90, 0.95, 0.98, 1.0, 0.98, 1.0, 1.0, 1.05, 1.0, 0.98, 1.06),
    "家电五金": (0.85, 0.80, 0.98, 1.05, 1.10, 1.12, 1.10, 1.02, 1.0, 1.05, 1.02, 0.95),
    "住宿": (0.75, 1.05, 0.90, 1.05, 1.15, 0.95, 1.20, 1.20, 0.95, 1.25, 0.85, 0.75),
    "粮油批发": (1.05, 0.95, 0.92, 0.95, 0.97, 0.98, 0.98, 0.98, 1.05, 1.02, 1.02, 1.13),
    "木质家具制造": (0.70, 0.60, 0.95, 1.0, 1.0, 0.98, 0.92, 0.92, 1.15, 1.22, 1.25, 1.25),
    "茶叶加工": (0.60, 0.65, 1.55, 1.85, 1.50, 0.95, 0.80, 0.80, 0.90, 0.90, 0.75, 0.75),
    "生猪养殖": (1.35, 0.90, 0.90, 0.92, 0.95, 0.95, 0.95, 0.97, 1.0, 1.02, 1.05, 1.15),
}

# (share of a normal day at its peak in the ten days before 正月初一, in the festival week, in the
# week after it). Measured range: 1.2-1.8 before, 0.3-1.1 in the week, by sector.
FESTIVAL: dict[str, tuple[float, float, float]] = {
    "便利店超市": (1.75, 1.05, 0.85),
    "服装零售": (1.70, 0.60, 0.70),
    "正餐": (1.50, 1.10, 0.85),
    "快餐小吃": (1.25, 0.55, 0.80),
    "生鲜零售": (1.80, 0.65, 0.80),
    "果蔬批发": (1.75, 0.45, 0.75),
    "粮油批发": (1.70, 0.40, 0.70),
    "理发美容": (1.80, 0.35, 0.60),
    "药店": (1.25, 0.70, 0.90),
    "汽修": (1.45, 0.40, 0.75),
    "住宿": (1.20, 1.10, 1.0),
}
_FESTIVAL_OTHER = (1.25, 0.32, 0.55)
SCHOOL_HOLIDAY_SHARE = 0.30
MARKET_GROUPS = (
    "便利店超市",
    "服装零售",
    "生鲜零售",
    "果蔬批发",
    "农资批零",
    "粮油批发",
    "快餐小吃",
)
WEEKEND: dict[str, float] = {"正餐": 1.25, "快餐小吃": 1.1, "服装零售": 1.3, "住宿": 1.5}


@lru_cache(maxsize=1)
def lunar_new_years() -> np.ndarray:
    """Return the dates of 正月初一 in the reference table, as ``datetime64[D]``."""
    from course_utils.paths import data_dir

    table = pd.read_csv(data_dir("reference") / "lunar_new_year.csv", comment="#", encoding="utf-8")
    return table["new_year"].to_numpy(dtype="datetime64[D]")


def days_to_new_year(dates: np.ndarray) -> np.ndarray:
    """Return signed days from the nearest 正月初一 (negative before it), shape of `dates`."""
    distance = dates[:, None].astype("datetime64[D]") - lunar_new_years()[None, :]
    days = distance.astype(np.int64)
    return days[np.arange(len(dates)), np.abs(days).argmin(axis=1)]


def _school_holiday(dates: np.ndarray, lunar: np.ndarray) -> np.ndarray:
    """Winter holiday: 18 days either side of the festival; summer: 5 July to 31 August."""
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    summer = ((month == 7) & (day >= 5)) | (month == 8)
    return summer | (np.abs(lunar) <= 18)


def day_factors(groups: list[str], dates: np.ndarray) -> np.ndarray:
    """Return the share of a normal day's turnover by trade group, place and date.

    Parameters
    ----------
    groups : list of str
        Trade groups of the industry table; an unknown one is flat over the year.
    dates : numpy.ndarray
        ``datetime64[D]``, shape ``(days,)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(2 * len(groups), days)``: row ``g`` for a shop in the street, row
        ``len(groups) + g`` for a shop beside a school.
    """
    dates = dates.astype("datetime64[D]")
    lunar = days_to_new_year(dates)
    month = dates.astype("datetime64[M]").astype(np.int64) % 12
    digit = ((dates - dates.astype("datetime64[M]")).astype(np.int64) + 1) % 10
    weekday = (dates.astype(np.int64) + 3) % 7
    before = np.clip((lunar + 10) / 4, 0, 1) * (lunar < 0) * (lunar >= -10)
    rows = []
    for name in groups:
        peak, week, after = FESTIVAL.get(name, _FESTIVAL_OTHER)
        row = np.asarray(MONTH_INDEX.get(name, _FLAT))[month]
        festival = 1 + (peak - 1) * before
        festival = np.where((lunar >= 0) & (lunar < 7), week, festival)
        festival = np.where((lunar >= 7) & (lunar < 15), after, festival)
        row = row * festival * np.where(weekday >= 5, WEEKEND.get(name, 1.05), 1.0)
        if name in MARKET_GROUPS:
            row = row * np.where(np.isin(digit, (2, 5, 8)), 1.15, 0.94)
        rows.append(row)
    street = np.vstack(rows)
    school = street * np.where(_school_holiday(dates, lunar), SCHOOL_HOLIDAY_SHARE, 1.0)
    return np.vstack([street, school])


def month_factors(factors: np.ndarray, dates: np.ndarray, months: pd.DatetimeIndex) -> np.ndarray:
    """Return mean day factors a month, shape ``(rows, len(months))``."""
    index = np.searchsorted(months.values.astype("datetime64[D]"), dates.astype("datetime64[D]"))
    starts = np.searchsorted(index, np.arange(len(months)))
    days = np.diff(np.append(starts, len(dates)))
    return np.add.reduceat(factors, starts, axis=1) / days
