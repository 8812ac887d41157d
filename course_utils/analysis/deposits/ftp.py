"""FTP profit of deposits and loans; reserve drag; cost of funds (facts: 期限匹配)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def curve_at(
    curve: pd.DataFrame,
    dates: pd.Series,
    term_months: pd.Series,
    columns: Sequence[str] = ("month", "term_months", "rate"),
) -> pd.Series:
    """Return the FTP rate in force when an account was opened, interpolated in the term.

    Parameters
    ----------
    curve : DataFrame
        One row a month and term, rate in percent.
    dates : Series
        Opening dates; the last curve on or before the month is used, the first one for older
        accounts.
    term_months : Series
        Contract terms in months (0 or missing = demand: the shortest point of the curve).
    columns : sequence of str
        Names of the month, term (in months, a number) and rate columns.

    Returns
    -------
    Series
        Percent, index of ``dates``.
    """
    month, term, rate = columns
    _need.columns(curve, columns, "FTP 曲线")
    table = curve.pivot_table(index=month, columns=term, values=rate, aggfunc="last").sort_index()
    table = table.sort_index(axis=1).ffill().bfill()
    ends = pd.DatetimeIndex(dates).to_period("M")
    known = pd.DatetimeIndex(table.index).to_period("M")
    row = np.clip(np.searchsorted(known.asi8, ends.asi8, side="right") - 1, 0, None)
    points = table.columns.to_numpy(dtype=float)
    wanted = term_months.reindex(dates.index).to_numpy(dtype=float, na_value=np.nan)
    wanted = np.clip(np.nan_to_num(wanted, nan=points[0]), points[0], points[-1])
    right = np.clip(np.searchsorted(points, wanted), 1, len(points) - 1) if len(points) > 1 else 0
    values = table.to_numpy(dtype=float)
    if len(points) == 1:
        return pd.Series(values[row, 0], index=dates.index)
    left = right - 1
    part = (wanted - points[left]) / (points[right] - points[left])
    mixed = values[row, left] * (1 - part) + values[row, right] * part
    return pd.Series(mixed, index=dates.index)


def deposit_profit(
    average: pd.Series, ftp: pd.Series | float, rate: pd.Series | float, months: float = 12.0
) -> pd.Series:
    """Return 存款FTP利润 = 日均 × (FTP − 付息率)/100 × months/12.

    Parameters
    ----------
    average : Series
        Average balance, 元.
    ftp, rate : Series or float
        FTP and pay rate, percent a year.
    months : float
        Length of the period.

    Returns
    -------
    Series
        元.
    """
    return average * (ftp - rate) / 100 * months / 12


def loan_profit(
    average: pd.Series, rate: pd.Series | float, ftp: pd.Series | float, months: float = 12.0
) -> pd.Series:
    """Return 贷款FTP利润 = 日均 × (收息率 − FTP)/100 × months/12 (units as deposit_profit)."""
    return average * (rate - ftp) / 100 * months / 12


def reserve_drag(rate: float, reserve_ratio: float = 0.05, reserve_rate: float = 1.62) -> float:
    """Return what the required reserve adds to the cost of a deposit.

    Parameters
    ----------
    rate : float
        Pay rate, percent.
    reserve_ratio : float
        法定准备金率, ratio.
    reserve_rate : float
        Interest on reserves, percent.

    Returns
    -------
    float
        Percentage points: (pay rate − reserve rate) × rr / (1 − rr).
    """
    _need.that(0 <= reserve_ratio < 1, "准备金率应写成 0 到 1 之间的小数，例如 0.05。")
    return (rate - reserve_rate) * reserve_ratio / (1 - reserve_ratio)


def cost_of_funds(amounts: pd.Series, rates: pd.Series) -> float:
    """Return the weighted pay rate in percent (NaN without money)."""
    total = float(amounts.sum())
    return float((amounts * rates).sum() / total) if total else float("nan")


def contribution(
    parts: pd.DataFrame, expected_loss: pd.Series | float = 0.0, opex: pd.Series | float = 0.0
) -> pd.Series:
    """Return 综合贡献 = Σ parts (FTP profits and fees) − expected loss − operating cost, 元."""
    return parts.fillna(0.0).sum(axis=1) - expected_loss - opex
