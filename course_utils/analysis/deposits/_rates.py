"""Posted deposit rates: the price list in force at a date, and the gap to the competitors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def posted_rate(
    rates: pd.DataFrame,
    who: str = "本行",
    kind: str = "定期",
    as_of: pd.Timestamp | str | None = None,
) -> pd.Series:
    """Return the posted rates in force at a date.

    Parameters
    ----------
    rates : DataFrame
        History (table ``deposit_rate``): ``effective_date``, ``who``, ``kind``, ``term_months``,
        ``rate`` in percent.
    who : str
        Whose rates: 本行, 大行, 同业.
    kind : str
        Kind of deposit.
    as_of : Timestamp, optional
        Date; default: the latest.

    Returns
    -------
    Series
        Index = term in months, value = percent a year.
    """
    _need.columns(rates, ["effective_date", "who", "kind", "term_months", "rate"], "挂牌利率")
    rows = rates[(rates["who"] == who) & (rates["kind"] == kind)]
    if as_of is not None:
        rows = rows[rows["effective_date"] <= pd.Timestamp(as_of)]
    _need.enough(len(rows) > 0, f"利率表里没有“{who}”{kind}在该日期的挂牌利率，请检查名称和日期。")
    latest = rows.sort_values("effective_date", kind="stable")
    return latest.groupby("term_months", observed=True)["rate"].last()


def rate_gap(
    rows: pd.DataFrame,
    rates: pd.DataFrame,
    date: str = "maturity_date",
    own: str = "本行",
    peer: str = "同业",
    kind: str = "定期",
) -> pd.Series:
    """Return peer's minus own posted rate of the same term on each deposit's maturity date.

    Parameters
    ----------
    rows : DataFrame
        Deposits with ``term_months`` and the date.
    rates : DataFrame
        Table ``deposit_rate``.
    date : str
        Column of the date.
    own, peer : str
        Whose rates.
    kind : str
        Kind of deposit in the rate table.

    Returns
    -------
    Series
        Percentage points (0.20 = 20 bp), positive when the peer pays more; NaN where a rate is
        unknown.
    """
    _need.columns(rows, ["term_months", date], "利差")
    sides = [_rate_on(rows, rates, date, who, kind) for who in (peer, own)]
    return sides[0] - sides[1]


def _rate_on(rows: pd.DataFrame, rates: pd.DataFrame, date: str, who: str, kind: str) -> pd.Series:
    table = rates[(rates["who"] == who) & (rates["kind"] == kind)]
    wide = table.pivot_table(
        index="effective_date", columns="term_months", values="rate", aggfunc="last"
    )
    _need.enough(len(wide) > 0, f"利率表里没有“{who}”的{kind}利率，请检查名称。")
    wide = wide.sort_index().ffill()
    known = rows[date].notna() & rows["term_months"].isin(wide.columns)
    place = wide.index.searchsorted(rows.loc[known, date], side="right") - 1
    term = wide.columns.get_indexer(rows.loc[known, "term_months"].astype(float))
    values = wide.to_numpy(dtype=float)[np.clip(place, 0, None), term]
    result = pd.Series(np.nan, index=rows.index)
    result[known] = np.where(place >= 0, values, np.nan)
    return result
