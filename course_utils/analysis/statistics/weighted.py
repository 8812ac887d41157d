"""Rates and lifts from a weighted sample: intervals on the effective number of cases."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def rates(
    flag: pd.Series, weight: pd.Series, by: pd.Series | list[pd.Series] | None = None
) -> pd.DataFrame:
    """Return weighted rates by group with Wilson intervals.

    Parameters
    ----------
    flag : Series
        Boolean or 0/1, one row a sampled customer.
    weight : Series
        Customers of the whole bank that the row stands for, > 0.
    by : Series or list of Series, optional
        Groups; rows without a group are left out. Without it there is one row, 合计.

    Returns
    -------
    DataFrame
        Index = group; ``n`` (rows), ``weight`` (sum), ``effective``, ``rate``, ``low``, ``high``.

    Notes
    -----
    Kish (1965): a weighted sample tells as much as (Σw)² / Σw² rows of equal weight. The Wilson
    interval is taken at that number.
    """
    from course_utils.analysis.statistics.experiment import wilson

    _need.enough(len(flag) > 0, "没有可以算比例的客户，请检查筛选条件。")
    w = weight.astype(float)
    _need.that(bool((w > 0).all()), "抽样权数应当都大于零，请检查权数列。")
    frame = pd.DataFrame({"n": 1, "weight": w, "square": w**2, "hit": flag.astype(float) * w})
    group = pd.Series("合计", index=frame.index) if by is None else by
    table = frame.groupby(group, observed=True).sum()
    table["effective"] = table["weight"] ** 2 / table["square"]
    interval = wilson(table["hit"] / table["weight"] * table["effective"], table["effective"])
    return table[["n", "weight", "effective"]].join(interval)


def lift(
    actual: pd.Series, score: pd.Series, weight: pd.Series | None = None, share: float = 0.2
) -> float:
    """Return the event rate among the top ``share`` of scores over the overall rate.

    Parameters
    ----------
    actual : Series
        0/1.
    score : Series
        Higher = first; same order as ``actual``.
    weight : Series, optional
        Sampling weights; the top is then ``share`` of the weighted customers.
    share : float
        Part of the list, 0-1.

    Returns
    -------
    float
        1 = no better than chance. Of a group with equal scores on the border, the part that fits
        counts with the group's mean rate (the expectation over random orders). NaN without events.
    """
    _need.that(0 < share <= 1, f"名单前段的比例应在 0 到 1 之间，现在是 {share}。")
    w = np.ones(len(actual)) if weight is None else np.asarray(weight, dtype=float)
    events = np.asarray(actual, dtype=float) * w
    if not events.sum():
        return float("nan")
    frame = pd.DataFrame({"score": np.asarray(score, dtype=float), "w": w, "events": events})
    group = frame.groupby("score").sum().sort_index(ascending=False)
    room = share * w.sum()
    before = group["w"].cumsum() - group["w"]
    taken = ((room - before) / group["w"]).clip(0, 1)
    return float((group["events"] * taken).sum() / room / (events.sum() / w.sum()))
