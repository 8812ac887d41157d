"""Market share: stock and incremental share, mix–within decomposition, concentration, flows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def _growth_guard(own: pd.Series, total: pd.Series) -> pd.Series:
    return (own / total.where(total > 0)).astype(float)


def market_share(
    report: pd.DataFrame,
    own: str = "本行",
    bank: str = "bank_label",
    item: str = "item",
    month: str = "month",
    value: str = "balance",
) -> pd.DataFrame:
    """Return the bank's stock share, rank and the market's concentration by month and item.

    Parameters
    ----------
    report : DataFrame
        One row a month, bank and item, ``value`` in 元.
    own : str
        Label of the own bank.
    bank, item, month, value : str
        Column names.

    Returns
    -------
    DataFrame
        ``month``, ``item``, ``own``, ``market`` (元), ``share`` (ratio; NaN if the market is 0),
        ``rank`` (1 = largest), ``banks``, ``hhi`` (0-1).
    """
    _need.columns(report, [bank, item, month, value], "市场份额")
    _need.that(bool((report[bank] == own).any()), f"报表里没有“{own}”这家机构，请检查机构代称。")
    table = report.pivot_table(
        index=[month, item], columns=bank, values=value, aggfunc="sum", observed=True
    ).fillna(0.0)
    market = table.sum(axis=1)
    shares = table.div(market.where(market > 0), axis=0)
    result = pd.DataFrame(
        {
            "own": table[own],
            "market": market,
            "share": shares[own],
            "rank": table.rank(axis=1, ascending=False, method="min")[own].astype(int),
            "banks": (table > 0).sum(axis=1),
            "hhi": (shares**2).sum(axis=1, min_count=1),
        }
    )
    result.index = result.index.set_names(["month", "item"])
    return result.reset_index()


def incremental_share(
    shares: pd.DataFrame, base: str = "year_start", own: str = "own", market: str = "market"
) -> pd.DataFrame:
    """Add 增量份额 = Δown / Δmarket, undefined where the market did not grow.

    Parameters
    ----------
    shares : DataFrame
        Columns ``month`` (month ends), ``item`` and the two value columns, as from
        :func:`market_share`.
    base : {"year_start", "year_ago", "month_ago"}
        Compare with last December, the same month of last year, or the month before.
    own, market : str
        Value columns in 元.

    Returns
    -------
    DataFrame
        The input with ``base_month``, ``own_change``, ``market_change`` (元) and
        ``incremental_share`` (ratio; NaN when Δmarket ≤ 0 or the base month is unknown).
    """
    _need.columns(shares, ["month", "item", own, market], "增量份额")
    months = pd.DatetimeIndex(shares["month"])
    bases = {
        "year_start": pd.DatetimeIndex([pd.Timestamp(m.year - 1, 12, 31) for m in months]),
        "year_ago": months - pd.DateOffset(years=1) + pd.offsets.MonthEnd(0),
        "month_ago": months - pd.offsets.MonthEnd(1),
    }
    _need.that(base in bases, f"增量的基期没有“{base}”，请用 year_start、year_ago 或 month_ago。")
    left = shares.assign(base_month=bases[base])
    before = shares[["month", "item", own, market]].rename(
        columns={"month": "base_month", own: "_own", market: "_market"}
    )
    before = before.assign(base_month=pd.DatetimeIndex(before["base_month"]))
    joined = left.merge(before, on=["base_month", "item"], how="left")
    joined.index = shares.index
    joined["own_change"] = joined[own] - joined["_own"]
    joined["market_change"] = joined[market] - joined["_market"]
    joined["incremental_share"] = _growth_guard(joined["own_change"], joined["market_change"])
    return joined.drop(columns=["_own", "_market"])


def mix_within(
    before: pd.DataFrame, after: pd.DataFrame, own: str = "own", market: str = "market"
) -> pd.DataFrame:
    """Split the change of the total share into mix and within effects by item (MC11).

    With w = item's part of the market and s = own share of the item:
    mix = (w₁ − w₀)·s̄ and within = w̄·(s₁ − s₀), bars = means of the two dates; the effects add up
    exactly to the change of Σ w·s.

    Parameters
    ----------
    before, after : DataFrame
        One row an item (index), columns ``own`` and ``market`` in 元.

    own, market : str
        Column names.

    Returns
    -------
    DataFrame
        Index = item; ``weight_before``, ``weight_after``, ``share_before``, ``share_after``,
        ``mix``, ``within``, ``total`` (ratios; sum over items = change of the total share).
        ``mix_excess`` = (w₁ − w₀)·(s̄ − S̄) is the same total with the mean share S̄ taken out, so
        that a single item's mix effect can be read on its own.
    """
    for frame in (before, after):
        _need.columns(frame, [own, market], "份额分解")
    items = before.index.union(after.index, sort=False)
    old, new = before.reindex(items).fillna(0.0), after.reindex(items).fillna(0.0)
    total_old, total_new = float(old[market].sum()), float(new[market].sum())
    _need.that(
        min(total_old, total_new) > 0, "份额分解的两个时点市场总量都必须大于 0，请检查月份。"
    )
    w0, w1 = old[market] / total_old, new[market] / total_new
    s0 = (old[own] / old[market].where(old[market] > 0)).fillna(0.0)
    s1 = (new[own] / new[market].where(new[market] > 0)).fillna(0.0)
    mean_share = (float((w0 * s0).sum()) + float((w1 * s1).sum())) / 2
    result = pd.DataFrame(
        {
            "weight_before": w0,
            "weight_after": w1,
            "share_before": s0,
            "share_after": s1,
            "mix": (w1 - w0) * (s0 + s1) / 2,
            "within": (w0 + w1) / 2 * (s1 - s0),
        }
    )
    result["total"] = result["mix"] + result["within"]
    result["mix_excess"] = (w1 - w0) * ((s0 + s1) / 2 - mean_share)
    return result


def hhi(values: pd.Series) -> float:
    """Return the Herfindahl–Hirschman index Σ share² (0-1); NaN if the values sum to zero."""
    total = float(values.sum())
    return float(((values / total) ** 2).sum()) if total > 0 else float("nan")


def lost_share(
    shares: pd.DataFrame, base_month: pd.Timestamp | str, own: str = "own", market: str = "market"
) -> pd.DataFrame:
    """Return what a falling share cost: (share at base − share now) × market now, by month.

    Parameters
    ----------
    shares : DataFrame
        Columns ``month`` and the two value columns (元) of one item.
    base_month : Timestamp
        Month with the reference share.
    own, market : str
        Column names.

    Returns
    -------
    DataFrame
        ``month``, ``share``, ``lost`` (元; negative = gained) from the base month on.
    """
    _need.columns(shares, ["month", own, market], "流失份额")
    table = shares.sort_values("month")
    share = table[own] / table[market].where(table[market] > 0)
    base = share[table["month"] == pd.Timestamp(base_month)]
    _need.enough(len(base) == 1, f"份额表中没有唯一的基期 {base_month}，请检查月份。")
    result = pd.DataFrame(
        {"month": table["month"], "share": share, "lost": (base.iloc[0] - share) * table[market]}
    )
    return result[result["month"] >= pd.Timestamp(base_month)].reset_index(drop=True)


def cagr(first: float, last: float, years: float) -> float:
    """Return the compound annual growth rate as a ratio (NaN if it is not defined)."""
    if first <= 0 or last < 0 or years <= 0:
        return float("nan")
    return float((last / first) ** (1 / years) - 1)


def event_aligned(
    daily: pd.Series | pd.DataFrame,
    events: Sequence[pd.Timestamp | str],
    before: int = 20,
    after: int = 60,
    base_day: int | None = None,
    complete: bool = True,
) -> pd.DataFrame:
    """Average cumulative change of a daily balance around dates.

    Parameters
    ----------
    daily : Series or DataFrame
        DatetimeIndex (days), balance in 元; a frame has one column a group.
    events : sequence of dates
        春节, 季末 … of several years.
    before, after : int
        Days before and after.
    base_day : int, optional
        Relative day whose balance is subtracted (default: ``−before``).
    complete : bool
        Leave out events whose window is not fully inside the data.

    Returns
    -------
    DataFrame
        Index = relative day, one column a group, mean change in 元.
    """
    frame = daily.to_frame("合计") if isinstance(daily, pd.Series) else daily
    frame = frame.sort_index()
    frame = frame.reindex(pd.date_range(frame.index.min(), frame.index.max(), freq="D")).ffill()
    offset = np.arange(-before, after + 1)
    start = -before if base_day is None else base_day
    stack = []
    for event in events:
        days = pd.Timestamp(event).normalize() + pd.to_timedelta(offset, unit="D")
        window = frame.reindex(days).to_numpy(dtype=float)
        if complete and np.isnan(window).any():
            continue
        stack.append(window - window[start + before])
    _need.enough(bool(stack), "没有一个事件日的前后窗口完整落在数据期内，请缩短窗口或换日期。")
    with np.errstate(all="ignore"):
        mean = np.nanmean(np.stack(stack), axis=0)
    return pd.DataFrame(mean, index=pd.Index(offset, name="day"), columns=frame.columns)


def half_life(curve: pd.Series, from_day: int | None = None, rest: float = 0.5) -> float:
    """Return after how many days only a part of an inflow's peak is left.

    Parameters
    ----------
    curve : Series
        Index = relative day, value = cumulative inflow above the base (元).
    from_day : int, optional
        Count from here (default: the peak day).
    rest : float
        Part that is left, 0.5 = half-life.

    Returns
    -------
    float
        Days, linearly interpolated; infinity if the level is never reached.
    """
    curve = curve.dropna().sort_index()
    _need.enough(len(curve) > 1 and float(curve.max()) > 0, "曲线没有正的峰值，无法计算半衰期。")
    peak_day = curve.idxmax()
    level = float(curve.max()) * rest
    tail = curve.loc[peak_day:]
    days, values = tail.index.to_numpy(dtype=float), tail.to_numpy(dtype=float)
    below = np.flatnonzero(values <= level)
    if below.size == 0:
        return float("inf")
    i = int(below[0])
    if i == 0:
        return 0.0
    part = (values[i - 1] - level) / (values[i - 1] - values[i])
    start = float(peak_day if from_day is None else from_day)
    return float(days[i - 1] + part * (days[i] - days[i - 1]) - start)
