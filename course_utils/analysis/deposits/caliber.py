"""Calibers of a balance: 时点, 月日均, 年日均, 季日均; sampling weights; 存款偏离度.

Definitions: 日均 = sum of daily balances / days of the period (the month's own days);
偏离度 = (月末余额 − 月日均) / 月日均, limit 4 % (银保监办发〔2018〕48号).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.analysis import _need

DEVIATION_LIMIT = 0.04


def weighted_sum(values: pd.Series, weights: pd.Series) -> float:
    """Return Σ weight × value; missing values count as zero.

    Parameters
    ----------
    values : Series
        One value a row.
    weights : Series
        Sampling weights on the same index.

    Returns
    -------
    float
    """
    return float((values.fillna(0.0) * weights).sum())


def weighted_mean(values: pd.Series, weights: pd.Series) -> float:
    """Return Σ weight × value / Σ weight over rows where the value is known (NaN if none)."""
    known = values.notna()
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum() / total) if total else float("nan")


def weighted_quantile(values: pd.Series, weights: pd.Series, q: float) -> float:
    """Return the smallest value whose cumulative weight share reaches ``q``.

    Parameters
    ----------
    values, weights : Series
        Values and sampling weights on the same index; missing values are left out.
    q : float
        Level between 0 and 1.

    Returns
    -------
    float
        NaN without any value.
    """
    _need.that(0 <= q <= 1, f"分位点应在 0 到 1 之间，现在是 {q}，请改正。")
    frame = pd.DataFrame({"v": values, "w": weights}).dropna().sort_values("v", kind="stable")
    frame = frame[frame["w"] > 0]
    if frame.empty:
        return float("nan")
    cumulative = frame["w"].cumsum().to_numpy(float) / float(frame["w"].sum())
    place = min(int(np.searchsorted(cumulative, q - 1e-12)), len(frame) - 1)
    return float(frame["v"].iloc[place])


def point_balance(daily: pd.Series, date: pd.Timestamp | str) -> float:
    """Return the balance at the end of a day: the last known value on or before it (时点).

    Parameters
    ----------
    daily : Series
        DatetimeIndex, balance in 元 at the end of the day.
    date : Timestamp
        Day.

    Returns
    -------
    float
        NaN before the first value.
    """
    known = daily.sort_index().loc[: pd.Timestamp(date)]
    return float(known.iloc[-1]) if len(known) else float("nan")


def daily_average(daily: pd.Series, start: pd.Timestamp | str, end: pd.Timestamp | str) -> float:
    """Return the average of daily balances from ``start`` to ``end``, both days included.

    Days without a row carry the last balance forward (weekends); days before the first row count
    as zero, because the account did not exist.

    Parameters
    ----------
    daily : Series
        DatetimeIndex, balance in 元 at the end of the day.
    start, end : Timestamp
        Period.

    Returns
    -------
    float
        元.
    """
    days = pd.date_range(pd.Timestamp(start), pd.Timestamp(end), freq="D")
    _need.that(len(days) > 0, "日均的起始日晚于截止日，请调换两个日期。")
    series = daily.groupby(pd.DatetimeIndex(daily.index).normalize()).last().sort_index()
    return float(series.reindex(series.index.union(days)).ffill().loc[days].fillna(0.0).mean())


def year_daily_average(daily: pd.Series, date: pd.Timestamp | str) -> float:
    """Return 年日均: the daily average from 1 January to ``date`` (both included), in 元."""
    day = pd.Timestamp(date)
    return daily_average(daily, pd.Timestamp(day.year, 1, 1), day)


def month_table(
    daily: pd.DataFrame,
    value: str = "balance",
    date: str = "date",
    by: str | list[str] | None = None,
    limit: float = DEVIATION_LIMIT,
) -> pd.DataFrame:
    """Return 月末, 月日均 and 偏离度 by month (and branch).

    Parameters
    ----------
    daily : DataFrame
        One row a day (and group) with a balance in 元; a day missing in the middle of a month is
        left out of the average.
    value, date : str
        Columns of the balance and the day.
    by : str or list, optional
        Group columns, e.g. ``"branch_id"``.
    limit : float
        Limit of 偏离度.

    Returns
    -------
    DataFrame
        Columns: group columns, ``month`` (month end), ``month_end``, ``month_average`` (元),
        ``days``, ``deviation`` (ratio), ``breach`` (bool).
    """
    groups = [by] if isinstance(by, str) else list(by or [])
    _need.columns(daily, [*groups, date, value], "偏离度")
    frame = daily[[*groups, date, value]].dropna(subset=[value]).sort_values(date)
    frame = frame.assign(month=frame[date] + pd.offsets.MonthEnd(0))
    result = (
        frame.groupby([*groups, "month"], observed=True)[value]
        .agg(month_end="last", month_average="mean", days="size")
        .reset_index()
    )
    average = result["month_average"].where(result["month_average"] != 0)
    result["deviation"] = (result["month_end"] - average) / average
    result["breach"] = result["deviation"] > limit
    return result


def deviation(month_end: float, month_average: float) -> float:
    """Return 存款偏离度 = (月末 − 月日均) / 月日均 as a ratio (NaN if the average is zero)."""
    return (month_end - month_average) / month_average if month_average else float("nan")


def quarter_average(panel: pd.DataFrame, months: int = 3) -> pd.DataFrame:
    """Return the mean over the last ``months`` columns, month by month (季日均).

    Parameters
    ----------
    panel : DataFrame
        Wide panel: one row a customer, one column a month in time order, month averages in 元.
    months : int
        Window.

    Returns
    -------
    DataFrame
        Same columns without the first ``months − 1``.
    """
    _need.enough(panel.shape[1] >= months, f"季日均需要至少 {months} 个月的数据，请检查月份范围。")
    values = panel.to_numpy(dtype=float)
    sums = np.cumsum(np.column_stack([np.zeros(len(values)), values]), axis=1)
    means = (sums[:, months:] - sums[:, :-months]) / months
    return pd.DataFrame(means, index=panel.index, columns=panel.columns[months - 1 :])


def wide(
    long: pd.DataFrame, value: str | list[str], key: str = "customer_id", time: str = "month"
) -> pd.DataFrame:
    """Turn a long monthly table into one row a customer, one column a month; absent = 0.

    Parameters
    ----------
    long : DataFrame
        One row a customer and month.
    value : str or list of str
        Column, or columns that are added up (e.g. the parts of AUM).
    key, time : str
        Columns of the customer and the month.

    Returns
    -------
    DataFrame
        Index = ``key``, columns = months in order, float.
    """
    parts = [value] if isinstance(value, str) else list(value)
    _need.columns(long, [key, time, *parts], "月度宽表")
    rows, customers = pd.factorize(long[key], sort=True)
    columns, months = pd.factorize(long[time], sort=True)
    flat = np.bincount(
        rows * len(months) + columns,
        weights=long[parts].fillna(0.0).to_numpy(dtype=float).sum(axis=1),
        minlength=len(customers) * len(months),
    )
    index = pd.Index(customers, name=key)
    return pd.DataFrame(
        flat.reshape(len(customers), len(months)), index=index, columns=pd.Index(months, name=time)
    )
