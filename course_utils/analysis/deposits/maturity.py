"""Maturity ladder (MC1), holiday-shifted maturity, renewal, repricing saving and its risk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.deposits._rates import posted_rate, rate_gap

__all__ = [
    "BUCKET_LABELS",
    "EDGES_DAYS",
    "RENEWAL_SHARE",
    "TERM_KINDS",
    "bucket",
    "event_days",
    "expected_visits",
    "funding_gap",
    "kept_amount",
    "ladder",
    "next_workday",
    "open_term",
    "posted_rate",
    "profile",
    "rate_gap",
    "renewal_rate",
    "renewed",
    "repricing_saving",
]

TERM_KINDS = ("定期", "大额存单")
EDGES_DAYS = (0, 30, 90, 180, 365, 730, 1095, 1826)
BUCKET_LABELS = (
    "30天内",
    "31–90天",
    "91–180天",
    "181–365天",
    "1–2年",
    "2–3年",
    "3–5年",
    "5年以上",
)
RENEWAL_SHARE = 0.8


def open_term(
    accounts: pd.DataFrame, as_of: pd.Timestamp | str, kinds: Sequence[str] = TERM_KINDS
) -> pd.DataFrame:
    """Return the time deposits that are open at a date.

    Parameters
    ----------
    accounts : DataFrame
        Columns ``kind``, ``open_date``, ``maturity_date``, ``close_date`` (NaT = open).
    as_of : Timestamp
        Date; a deposit that matures on it or earlier is no longer in the ladder.
    kinds : sequence of str
        Kinds that have a maturity.

    Returns
    -------
    DataFrame
        The rows with ``days_left`` (whole days to maturity).
    """
    _need.columns(accounts, ["kind", "open_date", "maturity_date", "close_date"], "到期视图")
    day = pd.Timestamp(as_of)
    alive = (
        accounts["kind"].isin(list(kinds))
        & (accounts["open_date"] <= day)
        & (accounts["close_date"].isna() | (accounts["close_date"] > day))
        & (accounts["maturity_date"] > day)
    )
    rows = accounts[alive]
    return rows.assign(days_left=(rows["maturity_date"] - day).dt.days)


def ladder(
    accounts: pd.DataFrame,
    as_of: pd.Timestamp | str,
    by: str | Sequence[str] | None = None,
    period: str = "month",
    value: str = "amount",
    date: str = "maturity_date",
    weight: str | None = None,
    months: int | None = None,
) -> pd.DataFrame:
    """Return Σ amount by maturity period (rows) and group (columns): 到期视图 (MC1).

    Parameters
    ----------
    accounts : DataFrame
        All deposit accounts; :func:`open_term` is applied first.
    as_of : Timestamp
        Date of the view.
    by : str or sequence, optional
        Columns of the groups (branch, tier, term …); none = one column 「合计」.
    period : {"month", "bucket"}
        Calendar months (index = month end) or remaining-term buckets
        (30, 90, 180, 365, 730, 1095, 1826 days).
    value, date : str
        Amount in 元 and the date used (e.g. the holiday-shifted one).
    weight : str, optional
        Sampling weight column.
    months : int, optional
        Keep only the next so many months (``period="month"``).

    Returns
    -------
    DataFrame
        元; periods without maturities are zero rows.
    """
    _need.columns(accounts, [value, date, *([weight] if weight else [])], "到期视图")
    rows = open_term(accounts, as_of)
    amount = rows[value] * rows[weight] if weight else rows[value]
    day = pd.Timestamp(as_of)
    if period == "month":
        step = rows[date] + pd.offsets.MonthEnd(0)
        last = step.max() if len(step) else day
        if months:
            last = (day + pd.offsets.MonthEnd(0)) + pd.offsets.MonthEnd(months)
        first = (day + pd.Timedelta(days=1)) + pd.offsets.MonthEnd(0)
        steps = pd.date_range(first, max(first, last), freq="ME")
    else:
        _need.that(period == "bucket", f"到期视图的周期没有“{period}”，请用 month 或 bucket。")
        step = bucket(rows["days_left"])
        steps = pd.Index(BUCKET_LABELS)
    groups = [by] if isinstance(by, str) else list(by or [])
    data = rows[groups].assign(_step=step, _amount=amount)
    if not groups:
        data["合计"] = "合计"
        groups = ["合计"]
    table = data.pivot_table(
        index="_step", columns=groups, values="_amount", aggfunc="sum", observed=True
    )
    return table.reindex(steps).fillna(0.0).rename_axis(index="period")


def bucket(days_left: pd.Series) -> pd.Series:
    """Return the remaining-term bucket of each number of days (text from BUCKET_LABELS)."""
    edges = [*EDGES_DAYS, np.inf]
    cut = pd.cut(days_left, edges, labels=list(BUCKET_LABELS), right=True, include_lowest=True)
    return cut.astype("str").where(days_left.notna())


def profile(ladder_table: pd.DataFrame) -> pd.DataFrame:
    """Return amount, share and cumulative share of each period of a ladder (rows kept)."""
    total = ladder_table.sum(axis=1)
    share = total / total.sum() if total.sum() else total * 0.0
    return pd.DataFrame({"amount": total, "share": share, "cumulative": share.cumsum()})


def next_workday(
    dates: pd.Series, calendar: pd.DataFrame, date: str = "date", workday: str = "workday"
) -> pd.Series:
    """Move dates that fall on a rest day to the next working day.

    Parameters
    ----------
    dates : Series
        Dates; missing stay missing.
    calendar : DataFrame
        One row a day with a boolean working-day column.  Days outside the calendar: Saturday and
        Sunday are rest days.
    date, workday : str
        Column names.

    Returns
    -------
    Series
        Dates, same index.
    """
    _need.columns(calendar, [date, workday], "节假日顺延")
    known = dates.dropna()
    if known.empty:
        return dates.copy()
    days = pd.date_range(known.min().normalize(), known.max().normalize() + pd.Timedelta(days=31))
    work = pd.Series(days.day_of_week < 5, index=days)
    table = calendar.drop_duplicates(date).set_index(date)[workday].astype(bool)
    work.update(table.reindex(days).dropna().astype(bool))
    target = pd.Series(days.where(work.astype(bool)), index=days).bfill()
    return dates.dt.normalize().map(target)


def renewed(matured: pd.Series, kept: pd.Series, share: float = RENEWAL_SHARE) -> pd.Series:
    """Tell whether a matured deposit counts as renewed: kept 30 days after ≥ share × matured.

    Parameters
    ----------
    matured, kept : Series
        Matured amount and what is left in any own product 30 days later, in 元.
    share : float
        0.8 by definition.

    Returns
    -------
    Series
        Nullable boolean; missing where ``kept`` is not known yet.
    """
    result = (kept >= share * matured - 1e-9).astype("boolean")
    return result.where(kept.notna() & matured.notna())


def kept_amount(
    accounts: pd.DataFrame, as_of: pd.Timestamp | str, days: int = 30, kept: str = "kept_amount_30d"
) -> pd.Series:
    """Return what is left in own products some days after each deposit matured.

    Parameters
    ----------
    accounts : DataFrame
        ``maturity_date`` and either the column `kept` (元) or, at a bank without it, what the
        stand-in needs: ``account_id``, ``renewed_from``, ``open_date``, ``amount``.
    as_of : Timestamp
        Date of the view; what matured less than `days` before it is not known yet.
    days : int
        Days after the maturity.
    kept : str
        Column with the amount.

    Returns
    -------
    Series
        元 on the index of `accounts`; missing where not known yet.  Without the column: the sum of
        the deposits opened from the matured one within `days`, a lower limit (money moved into
        wealth products or left on demand is not seen).
    """
    _need.columns(accounts, ["maturity_date"], "到期留存")
    known = accounts["maturity_date"] + pd.Timedelta(days=days) <= pd.Timestamp(as_of)
    if kept in accounts.columns:
        return accounts[kept].astype(float).where(known)
    needed = ["account_id", "renewed_from", "open_date", "amount"]
    _need.columns(accounts, needed, "到期留存")
    heirs = accounts[accounts["renewed_from"].notna()]
    old = accounts.drop_duplicates("account_id").set_index("account_id")["maturity_date"]
    wait = heirs["open_date"] - heirs["renewed_from"].map(old)
    heirs = heirs[(wait >= pd.Timedelta(0)) & (wait <= pd.Timedelta(days=days))]
    money = heirs.groupby("renewed_from")["amount"].sum()
    return accounts["account_id"].map(money).astype(float).fillna(0.0).where(known)


def renewal_rate(
    rows: pd.DataFrame, by: str | Sequence[str], flag: str = "renewed", weight: str | None = None
) -> pd.DataFrame:
    """Return the renewal rate with a Wilson interval by group.

    Parameters
    ----------
    rows : DataFrame
        One row a matured deposit with a boolean ``flag`` (missing rows are left out).
    by : str or sequence
        Group columns.
    flag, weight : str
        Column of the outcome; optional weight for the rate (the interval uses the counts).

    Returns
    -------
    DataFrame
        Group columns, ``count``, ``renewed``, ``rate``, ``low``, ``high``.
    """
    from course_utils.analysis.statistics.experiment import wilson

    groups = [by] if isinstance(by, str) else list(by)
    _need.columns(rows, [*groups, flag], "续存率")
    known = rows.dropna(subset=[flag]).assign(_hit=lambda f: f[flag].astype(float))
    result = (
        known.groupby(groups, observed=True)["_hit"].agg(count="size", renewed="sum").reset_index()
    )
    interval = wilson(result["renewed"], result["count"])
    result = result.assign(rate=interval["rate"], low=interval["low"], high=interval["high"])
    if weight:
        heavy = known.assign(_w=known[weight], _wh=known[weight] * known["_hit"])
        sums = heavy.groupby(groups, observed=True)[["_w", "_wh"]].sum().reset_index()
        result["weighted_rate"] = (sums["_wh"] / sums["_w"]).to_numpy()
    return result


def repricing_saving(amounts: pd.Series, old_rates: pd.Series, new_rates: pd.Series) -> float:
    """Return a year's interest saved if all of it renews: Σ amount × (old − new) / 100.

    Parameters
    ----------
    amounts : Series
        元.
    old_rates, new_rates : Series
        Percent a year (2.60 = 2.60 %), contract rate and today's posted rate of the same term.

    Returns
    -------
    float
        元 a year.
    """
    return float((amounts * (old_rates - new_rates) / 100).sum())


def funding_gap(
    amount: float, renewal: float, fall: float, replacement_rate: float, new_rate: float
) -> dict[str, float]:
    """Return what happens to liquidity and cost if renewal falls.

    Parameters
    ----------
    amount : float
        Maturing amount, 元.
    renewal, fall : float
        Expected renewal (ratio) and its fall (ratio).
    replacement_rate, new_rate : float
        Percent a year paid for replacement money and for renewed deposits.

    Returns
    -------
    dict
        ``outflow`` (元 at the expected renewal), ``extra_outflow`` (元 from the fall),
        ``replacement_cost`` (元 a year on the extra outflow).
    """
    expected = amount * (1 - renewal)
    extra = amount * min(fall, renewal)
    cost = extra * (replacement_rate - new_rate) / 100
    return {"outflow": expected, "extra_outflow": extra, "replacement_cost": cost}


def expected_visits(
    rows: pd.DataFrame,
    walk_in: pd.Series | float,
    date: str = "visit_date",
    by: str | None = None,
    weight: str | None = None,
) -> pd.DataFrame | pd.Series:
    """Return expected counter visits a day: Σ walk-in probability of the deposits due.

    Parameters
    ----------
    rows : DataFrame
        One row a maturing deposit with the (workday-shifted) day.
    walk_in : Series or float
        Probability that the customer comes to the counter.
    date : str
        Column with the day.
    by : str, optional
        Column of the branch; then one column a branch.
    weight : str, optional
        Sampling weight.

    Returns
    -------
    Series or DataFrame
        Index = day (without gaps), expected visits.
    """
    _need.columns(rows, [date, *([by] if by else [])], "到店人次")
    chance = pd.Series(walk_in, index=rows.index, dtype=float)
    if weight:
        chance = chance * rows[weight]
    data = pd.DataFrame({"day": rows[date].dt.normalize(), "visits": chance}).dropna()
    if by:
        data["by"] = rows[by]
        table = data.pivot_table(
            index="day", columns="by", values="visits", aggfunc="sum", observed=True
        )
    else:
        table = data.groupby("day")["visits"].sum()
    if len(table) == 0:
        return table
    days = pd.date_range(table.index.min(), table.index.max(), freq="D")
    full = table.reindex(days).fillna(0.0).rename_axis(index="day")
    return full.rename_axis(columns=by) if by else full


def event_days(
    visits: pd.Series, capacity: float, window: int = 3, factor: float = 2.0
) -> pd.DataFrame:
    """Find runs of days whose load calls for an event (上门, 沙龙) instead of the counter.

    Parameters
    ----------
    visits : Series
        Expected visits a day (DatetimeIndex).
    capacity : float
        Visits a day that the branch can serve.
    window : int
        Days added up.
    factor : float
        An event if the sum exceeds ``factor × capacity`` (the lesson's rule: 3 days, 2×).

    Returns
    -------
    DataFrame
        ``start``, ``end``, ``visits``, ``load`` (= visits / capacity), largest first.
    """
    sums = visits.rolling(window).sum().dropna()
    hits = sums[sums > factor * capacity]
    result = pd.DataFrame(
        {
            "start": hits.index - pd.Timedelta(days=window - 1),
            "end": hits.index,
            "visits": hits.to_numpy(),
            "load": hits.to_numpy() / capacity if capacity else np.inf,
        }
    )
    return result.sort_values("visits", ascending=False, kind="stable").reset_index(drop=True)
