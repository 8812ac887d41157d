"""Customer tiers by AUM and RFM scores (MC2)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need

CUTS = (1e4, 5e4, 2e5, 5e5, 1e6)
OCTANTS = {
    (True, True, True): "重要价值",
    (False, True, True): "重要唤回",
    (True, False, True): "重要深耕",
    (False, False, True): "重要挽留",
    (True, True, False): "一般价值",
    (False, True, False): "一般唤回",
    (True, False, False): "一般深耕",
    (False, False, False): "一般挽留",
}


def tier_labels(cuts: Sequence[float] = CUTS) -> list[str]:
    """Return the tier names of a list of cuts in 元, e.g. ``T1 1-5万``."""

    def words(value: float) -> str:
        return f"{value / 1e4:g}"

    first = f"T0 <{words(cuts[0])}万"
    middle = [
        f"T{i + 1} {words(a)}-{words(b)}万" for i, (a, b) in enumerate(itertools.pairwise(cuts))
    ]
    return [first, *middle, f"T{len(cuts)} ≥{words(cuts[-1])}万"]


def aum_tier(aum: pd.Series, cuts: Sequence[float] = CUTS) -> pd.Series:
    """Put customers into tiers by 季日均AUM; a customer exactly on a cut is in the upper tier.

    Parameters
    ----------
    aum : Series
        季日均AUM in 元; missing stays missing.
    cuts : sequence of float
        Rising limits in 元.

    Returns
    -------
    Series
        Ordered categorical of :func:`tier_labels`.
    """
    cuts = list(cuts)
    _need.that(
        all(a < b for a, b in itertools.pairwise(cuts)),
        "层级界限必须由小到大排列，请检查参数。",
    )
    values = aum.to_numpy(dtype=float)
    codes = np.where(np.isnan(values), -1, np.searchsorted(cuts, values, side="right"))
    kind = pd.CategoricalDtype(tier_labels(cuts), ordered=True)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=kind), index=aum.index)


def tier_table(
    aum: pd.Series, weight: pd.Series | None = None, cuts: Sequence[float] = CUTS
) -> pd.DataFrame:
    """Return customers and money by tier with their shares.

    Parameters
    ----------
    aum : Series
        季日均AUM, 元.
    weight : Series, optional
        Sampling weights.
    cuts : sequence of float
        Limits in 元.

    Returns
    -------
    DataFrame
        Index = tier (all of them); ``customers``, ``amount`` (元), ``customer_share``,
        ``amount_share``, ``per_customer`` (元).
    """
    w = pd.Series(1.0, index=aum.index) if weight is None else weight.astype(float)
    frame = pd.DataFrame({"tier": aum_tier(aum, cuts), "customers": w, "amount": aum * w})
    table = frame.groupby("tier", observed=False)[["customers", "amount"]].sum()
    table["customer_share"] = table["customers"] / (table["customers"].sum() or np.nan)
    table["amount_share"] = table["amount"] / (table["amount"].sum() or np.nan)
    table["per_customer"] = table["amount"] / table["customers"].where(table["customers"] > 0)
    return table


def quintile(values: pd.Series, high_is_good: bool = True) -> pd.Series:
    """Score 1-5 by quintile of the rank; equal values always get the same score.

    Parameters
    ----------
    values : Series
        Missing values get 1 (nothing is known to be good).
    high_is_good : bool
        5 for the largest (else for the smallest).

    Returns
    -------
    Series
        Integers 1-5.
    """
    rank = values.rank(method="average", pct=True, ascending=high_is_good)
    score = np.ceil(rank.to_numpy(dtype=float) * 5)
    return pd.Series(np.where(np.isnan(score), 1, np.clip(score, 1, 5)).astype(int), values.index)


def rfm(
    recency_days: pd.Series, frequency: pd.Series, money: pd.Series, strong: int = 4
) -> pd.DataFrame:
    """Return RFM scores and the eight standard segments (MC2).

    Parameters
    ----------
    recency_days : Series
        Days since the last customer-initiated transaction (few = good; missing = never).
    frequency : Series
        Customer-initiated transactions in 90 days.
    money : Series
        季日均AUM, 元.
    strong : int
        From this score on a dimension counts as high.

    Returns
    -------
    DataFrame
        ``R``, ``F``, ``M`` (1-5), ``score`` (3-15), ``segment`` (eight Chinese names).
    """
    table = pd.DataFrame(
        {
            "R": quintile(recency_days, high_is_good=False),
            "F": quintile(frequency),
            "M": quintile(money),
        }
    )
    table["score"] = table[["R", "F", "M"]].sum(axis=1)
    high = (table[["R", "F", "M"]] >= strong).to_numpy()
    table["segment"] = [OCTANTS[(bool(r), bool(f), bool(m))] for r, f, m in high]
    return table
