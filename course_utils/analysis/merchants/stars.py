"""Five-star merchants: score, gates, stars and who is close to the fourth star.

The score has a hundred points: rank of the monthly turnover, of the number of sales, of the active
days and of the settlement deposit inside the trade group, stability of the turnover, and products.
Two hard gates (active days, deposits) stand before the fourth and the fifth star. Every number is
a parameter of :class:`StarRules`; the defaults are the definition of this course.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.merchants import warning

#: Points of each part of the score (a hundred in all).
WEIGHTS = {"amount": 25, "count": 15, "days": 15, "deposit": 25, "stability": 10, "products": 10}
RANKED = ("amount", "count", "days", "deposit")


@dataclass(frozen=True)
class StarRules:
    """Parameters of the five stars.

    Parameters
    ----------
    weights : mapping
        Points of the six parts ``amount, count, days, deposit, stability, products``.
    edges : tuple of float
        Points from which on a merchant has two, three, four and five stars (on the edge counts).
    gate_days : float
        Active days of the last thirty that four stars need.
    gate_deposit : float
        Average settlement deposit (元) that four stars need.
    gate_deposit_5 : float
        Average settlement deposit (元) that five stars need.
    full_products : int
        Number of products that earns all points of that part.
    near_points : float
        A merchant at most so many points below four stars is close by score.
    near_gate : float
        A gate missed by at most this share of itself is close.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    edges: tuple[float, float, float, float] = (35.0, 50.0, 65.0, 80.0)
    gate_days: float = 15.0
    gate_deposit: float = 10_000.0
    gate_deposit_5: float = 50_000.0
    full_products: int = 5
    near_points: float = 5.0
    near_gate: float = 0.2

    def __post_init__(self) -> None:
        _need.that(
            set(self.weights) == set(WEIGHTS),
            f"星级权重要有这六项：{'、'.join(WEIGHTS)}，请检查权重参数。",
        )
        _need.that(
            list(self.edges) == sorted(self.edges) and len(self.edges) == 4,
            "星级分数线要有四个数，并且由小到大，请检查参数。",
        )


def percentile(values: pd.Series, group: pd.Series | None = None) -> pd.Series:
    """Return the rank of each value inside its group, between 0 and 1.

    The rank is (r − 0.5)/n with r = 1…n from the smallest; equal values share their mean rank, so
    that a group of one stands at 0.5.

    Parameters
    ----------
    values : Series
        Numbers; missing counts as zero.
    group : Series, optional
        Group of each row, same index; all in one group if left out.

    Returns
    -------
    Series
        Ratios on the index of ``values``.
    """
    known = values.astype(float).fillna(0.0)
    key = pd.Series(0, index=known.index) if group is None else group.reindex(known.index)
    parts = known.groupby(key.astype(str), observed=True)
    return (parts.rank(method="average") - 0.5) / parts.transform("size")


def facts(
    rows: pd.DataFrame,
    end: pd.Timestamp,
    kind: pd.Series | None = None,
    months: int = 3,
    steady_months: int = warning.MONTHS,
) -> pd.DataFrame:
    """Return what the score needs, one row a merchant, from the monthly table.

    Parameters
    ----------
    rows : DataFrame
        ``merchant_month``: ``month``, ``merchant_id``, ``transaction_amount``,
        ``transaction_count``, ``active_days``, ``settlement_deposit_average``; ``product_count``
        if the bank has it (else 0).
    end : Timestamp
        Last month (month end) that is looked at; later rows are not used.
    kind : Series, optional
        Season class of each merchant (e.g. trade group × beside a school); with it the season is
        taken out before the stability, see :func:`.warning.deseason`.
    months : int
        Months averaged; a month without a row counts as zero.
    steady_months : int
        Months of the stability, see :func:`.warning.stability`; fewer if the table has fewer.

    Returns
    -------
    DataFrame
        Index ``merchant_id`` (everyone with a row in the months averaged): ``amount`` (元 a month),
        ``count`` (a month), ``days`` (a month), ``last_days`` (of the last month), ``deposit``
        (元), ``stability`` (0-1, 0 if a month has no sale), ``products``.
    """
    names = {
        "amount": "transaction_amount",
        "count": "transaction_count",
        "days": "active_days",
        "deposit": "settlement_deposit_average",
    }
    _need.columns(rows, ["month", "merchant_id", *names.values()], "商户星级")
    known = rows[rows["month"] <= end]
    ends = np.sort(known["month"].unique())
    _need.enough(len(ends) > 0, f"商户月度表里没有 {end:%Y-%m} 以前的月份，请检查评定日期。")
    recent = known[known["month"].isin(ends[-months:])]
    total = recent.groupby("merchant_id")[list(names.values())].sum().astype(float)
    table = (total / min(months, len(ends))).set_axis(list(names), axis=1)
    last = recent[recent["month"] == ends[-1]].set_index("merchant_id")
    table["last_days"] = last["active_days"].reindex(table.index).fillna(0).astype(float)
    wide = known[known["month"].isin(ends[-steady_months:])].pivot_table(
        index="merchant_id", columns="month", values="transaction_amount", aggfunc="sum"
    )
    wide = wide.reindex(table.index).fillna(0.0)
    even = wide if kind is None else warning.deseason(wide, kind)
    steady = warning.stability(even, even.shape[1])
    table["stability"] = steady.where((wide > 0).all(axis=1), 0.0).fillna(0.0)
    held = last["product_count"] if "product_count" in last else pd.Series(dtype=float)
    table["products"] = held.reindex(table.index).fillna(0).astype(float)
    return table


def parts(
    table: pd.DataFrame, group: pd.Series | None = None, rules: StarRules | None = None
) -> pd.DataFrame:
    """Return the points of each part of the score.

    Parameters
    ----------
    table : DataFrame
        As :func:`facts` returns it (``last_days`` is not used here).
    group : Series, optional
        Trade group by merchant; merchants are compared inside their group.
    rules : StarRules, optional
        Parameters.

    Returns
    -------
    DataFrame
        One column a part, in the order of the weights; the row sum is the score.
    """
    rules = rules or StarRules()
    _need.columns(table, WEIGHTS, "商户星级")
    shares = {name: percentile(table[name], group) for name in RANKED}
    shares["stability"] = table["stability"].astype(float).fillna(0.0).clip(0, 1)
    products = table["products"].astype(float).fillna(0.0)
    shares["products"] = products.clip(0, rules.full_products) / rules.full_products
    return pd.DataFrame({name: rules.weights[name] * shares[name] for name in WEIGHTS})


def star(
    score: pd.Series, last_days: pd.Series, deposit: pd.Series, rules: StarRules | None = None
) -> pd.Series:
    """Return stars 1-5: first by score, then the gates take stars away.

    Parameters
    ----------
    score : Series
        Points 0-100.
    last_days : Series
        Active days of the last thirty.
    deposit : Series
        Average settlement deposit, 元.
    rules : StarRules, optional
        Parameters.

    Returns
    -------
    Series
        Integers 1-5: a merchant that fails a gate of four stars has at most three, one that only
        fails the gate of five stars has at most four.
    """
    rules = rules or StarRules()
    by_score = 1 + np.searchsorted(rules.edges, score.to_numpy(dtype=float), side="right")
    days = last_days.reindex(score.index).fillna(0).to_numpy(dtype=float)
    money = deposit.reindex(score.index).fillna(0).to_numpy(dtype=float)
    top = np.where(money >= rules.gate_deposit_5, 5, 4)
    top = np.where((days >= rules.gate_days) & (money >= rules.gate_deposit), top, 3)
    return pd.Series(np.minimum(by_score, top), index=score.index, name="star")


def rate(
    table: pd.DataFrame, group: pd.Series | None = None, rules: StarRules | None = None
) -> pd.DataFrame:
    """Return score, stars and what the gates did.

    Parameters
    ----------
    table : DataFrame
        As :func:`facts` returns it.
    group : Series, optional
        Trade group by merchant.
    rules : StarRules, optional
        Parameters.

    Returns
    -------
    DataFrame
        ``score``, ``star``, ``star_by_score`` (without gates) and ``gate``: 未触门槛, 差天数,
        差日均, 差天数和日均 (gates of four stars, for those with the points), 差五星日均.
    """
    rules = rules or StarRules()
    result = pd.DataFrame({"score": parts(table, group, rules).sum(axis=1)})
    result["star"] = star(result["score"], table["last_days"], table["deposit"], rules)
    free = np.searchsorted(rules.edges, result["score"].to_numpy(), side="right")
    result["star_by_score"] = 1 + free
    few_days = (table["last_days"] < rules.gate_days).to_numpy()
    little = (table["deposit"] < rules.gate_deposit).to_numpy()
    high = free >= 3
    result["gate"] = np.select(
        [
            high & few_days & little,
            high & few_days,
            high & little,
            (free >= 4) & (table["deposit"] < rules.gate_deposit_5).to_numpy(),
        ],
        ["差天数和日均", "差天数", "差日均", "差五星日均"],
        "未触门槛",
    )
    return result


def critical(
    table: pd.DataFrame, group: pd.Series | None = None, rules: StarRules | None = None
) -> pd.DataFrame:
    """Return the merchants close to four stars (临界客户) and what each one lacks.

    Close means: below four stars, not more than ``near_points`` points short, and no gate of four
    stars missed by more than ``near_gate`` of itself. Whoever lacks points and stands far from a
    gate is not close: one campaign would not lift her.

    Parameters
    ----------
    table : DataFrame
        As :func:`facts` returns it.
    group : Series, optional
        Trade group by merchant.
    rules : StarRules, optional
        Parameters.

    Returns
    -------
    DataFrame
        One row a merchant: ``score``, ``star``, ``lack_points``, ``lack_days``, ``lack_deposit``
        (元; 0 where nothing is lacking) and ``reason`` (差分数, 差天数, 差日均 joined by 、), best
        score first.
    """
    rules = rules or StarRules()
    rated = rate(table, group, rules)
    found = rated[["score", "star"]].copy()
    found["lack_points"] = (rules.edges[2] - rated["score"]).clip(lower=0)
    found["lack_days"] = (rules.gate_days - table["last_days"]).clip(lower=0)
    found["lack_deposit"] = (rules.gate_deposit - table["deposit"]).clip(lower=0)
    close = (
        (rated["star"] < 4)
        & (found["lack_points"] <= rules.near_points)
        & (table["last_days"] >= (1 - rules.near_gate) * rules.gate_days)
        & (table["deposit"] >= (1 - rules.near_gate) * rules.gate_deposit)
    )
    found = found[close].copy()
    words = {"lack_points": "差分数", "lack_days": "差天数", "lack_deposit": "差日均"}
    found["reason"] = [
        "、".join(word for name, word in words.items() if row[name] > 0)
        for row in found[list(words)].to_dict("records")
    ]
    order = found.rename_axis("merchant_id").reset_index()
    order = order.sort_values(["score", "merchant_id"], ascending=[False, True])
    return order.set_index("merchant_id")


def weight_sensitivity(
    table: pd.DataFrame,
    schemes: Mapping[str, Mapping[str, float]],
    group: pd.Series | None = None,
    rules: StarRules | None = None,
) -> pd.DataFrame:
    """Return how much the order and the stars change under other weights.

    Parameters
    ----------
    table : DataFrame
        As :func:`facts` returns it.
    schemes : mapping
        Name → weights; the first one is the yardstick.
    group : Series, optional
        Trade group by merchant.
    rules : StarRules, optional
        Edges and gates; its weights are not used.

    Returns
    -------
    DataFrame
        By scheme: ``rank_correlation`` (Spearman, with the yardstick), ``same_star`` (ratio of
        merchants), ``moved_into_4``, ``moved_out_of_4`` (merchants), ``four_or_more`` (ratio).
    """
    base = rules or StarRules()
    rated = {
        name: rate(table, group, replace(base, weights=dict(weights)))
        for name, weights in schemes.items()
    }
    first = next(iter(rated.values()))
    was = first["star"] >= 4
    lines = {
        name: {
            "rank_correlation": first["score"].corr(new["score"], method="spearman"),
            "same_star": (new["star"] == first["star"]).mean(),
            "moved_into_4": int(((new["star"] >= 4) & ~was).sum()),
            "moved_out_of_4": int(((new["star"] < 4) & was).sum()),
            "four_or_more": (new["star"] >= 4).mean(),
        }
        for name, new in rated.items()
    }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("scheme")


def executed(
    rows: pd.DataFrame,
    group: pd.Series | None = None,
    kind: pd.Series | None = None,
    rules: StarRules | None = None,
) -> pd.Series:
    """Return the star in force in every month: set for a quarter from the quarter before.

    For banks that keep no star in the system. The first quarter of the table has no quarter
    before it and stays without a star, and so does a merchant that signed in the quarter.

    Parameters
    ----------
    rows : DataFrame
        ``merchant_month``, see :func:`facts`.
    group, kind, rules
        See :func:`facts` and :func:`rate`.

    Returns
    -------
    Series
        Float stars (missing where not rated) on the index of ``rows``, named ``star``.
    """
    months = pd.DatetimeIndex(np.sort(rows["month"].unique()))
    quarter = rows["month"].dt.to_period("Q")
    result = pd.Series(np.nan, index=rows.index, name="star")
    for this in sorted(quarter.unique()):
        end = (this - 1).end_time.normalize()
        if end not in months:
            continue
        current = rate(facts(rows, end, kind), group, rules)["star"]
        here = quarter == this
        result[here] = rows.loc[here, "merchant_id"].map(current)
    return result
