"""White lists: what was known on the day of issue, who was chosen to be called, branch factors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def known_then(
    rows: pd.DataFrame, months: pd.DataFrame, values: Sequence[str], window: int = 6
) -> pd.DataFrame:
    """Return averages of the last whole months before each row's list date (nothing later).

    Parameters
    ----------
    rows : DataFrame
        List rows with ``customer_id`` and ``list_date``.
    months : DataFrame
        Table ``customer_month`` (``month`` = last day of the month).
    values : sequence of str
        Columns of `months` to average.
    window : int
        Months before the list date.

    Returns
    -------
    DataFrame
        Columns `values` on the index of `rows`; NaN for customers without months.
    """
    _need.columns(rows, ["customer_id", "list_date"], "名单特征")
    _need.columns(months, ["customer_id", "month", *values], "名单特征")
    parts = []
    for day, group in rows.groupby("list_date"):
        first = day - pd.DateOffset(months=window) - pd.offsets.MonthEnd(1)
        near = months[(months["month"] < day) & (months["month"] > first)]
        mean = near.groupby("customer_id")[list(values)].mean().reindex(group["customer_id"])
        parts.append(mean.set_index(group.index))
    return pd.concat(parts).reindex(rows.index)


def adoption(
    rows: pd.DataFrame, unit: str, group: str, day: str, share: float = 0.25, until: int = 45
) -> pd.DataFrame:
    """Return how many units have taken something up by each day: early ones, many, the last.

    Parameters
    ----------
    rows : DataFrame
        One row a task; `day` is the day it was done, counted from its start, missing if never.
    unit : str
        Who does it (the manager).
    group : str
        Rounds to compare (the batch).
    day : str
        Column with the day.
    share : float
        A unit counts from the day on which it has done so large a part of its tasks.
    until : int
        Last day shown.

    Returns
    -------
    DataFrame
        Index = day 0 … `until`, one column a group, share of the group's units (0-1).

    Notes
    -----
    The shape of the curve is that of Rogers, Diffusion of Innovations (1962).
    """
    _need.columns(rows, [unit, group, day], "扩散曲线")
    _need.that(0 < share <= 1, "“动起来”的比例要在 0 到 1 之间，请检查参数。")
    tasks = rows.groupby([group, unit]).size()
    need = np.ceil(tasks * share)
    done = rows.dropna(subset=[day]).sort_values(day, kind="stable")
    number = done.groupby([group, unit]).cumcount() + 1
    target = need.reindex(pd.MultiIndex.from_frame(done[[group, unit]])).to_numpy()
    first = done[number.to_numpy() == target].set_index([group, unit])[day].reindex(need.index)
    days = pd.RangeIndex(until + 1, name="day")
    return pd.DataFrame(
        {name: [float((part <= d).mean()) for d in days] for name, part in first.groupby(level=0)},
        index=days,
    )


def call_weights(
    rows: pd.DataFrame, unit: str, called: str = "called", most: float = 5.0
) -> pd.Series:
    """Weight called rows as if every unit called alike: one over the unit's call rate.

    Parameters
    ----------
    rows : DataFrame
        All rows that could have been called.
    unit : str
        Who decides (the manager).
    called : str
        Boolean column.
    most : float
        Weights are cut at this value, so that no single row decides.

    Returns
    -------
    Series
        On the index of the called rows, mean 1.

    Notes
    -----
    Inverse propensity weights (Horvitz & Thompson 1952); the unit's rate is shrunk towards the
    common one so that a unit with few rows does not get a wild weight.
    """
    from course_utils.analysis.statistics import ranking

    _need.columns(rows, [unit, called], "外呼权数")
    flag = rows[called].astype(float)
    counts = flag.groupby(rows[unit]).agg(["sum", "size"])
    rate = ranking.shrink(counts["sum"], counts["size"])["shrunk"]
    hit = rows[flag > 0]
    weight = (1 / hit[unit].map(rate)).clip(upper=most)
    return weight / weight.mean()


def branch_factor(observed: pd.Series, expected: pd.Series, prior: float = 5.0) -> pd.Series:
    """Return how much more or less a unit gets than the model says, small units pulled to 1.

    Parameters
    ----------
    observed, expected : Series
        Events that happened and that the model expected, by unit.
    prior : float
        Expected events that weigh as much as the common level.

    Returns
    -------
    Series
        (observed + prior·c) / (expected + prior) / c with c = Σobserved / Σexpected; mean about 1.

    Notes
    -----
    Posterior mean of a Poisson–gamma ratio (as for standardised mortality, Clayton & Kaldor 1987).
    """
    _need.that(prior > 0, "收缩的力度要大于零，请检查参数。")
    o, e = observed.astype(float), expected.reindex(observed.index).astype(float)
    _need.that(bool((e >= 0).all()) and e.sum() > 0, "期望发生数不能为负、不能全为零。")
    common = o.sum() / e.sum()
    if common == 0:
        return pd.Series(1.0, index=o.index)
    return (o + prior * common) / (e + prior) / common


def snake(order: Sequence[object], owners: Sequence[object], capacity: int) -> list[object]:
    """Deal a ranked list to owners there and back (1 2 3 3 2 1 …), so that lists are alike.

    Parameters
    ----------
    order : sequence
        Ranked items, best first.
    owners : sequence
        Who takes part.
    capacity : int
        Most items an owner gets.

    Returns
    -------
    list
        Owner of each item, None once all are full.
    """
    _need.that(capacity >= 0, "每人容量不能为负，请检查参数。")
    turns = [*owners, *reversed(list(owners))]
    room = capacity * len(owners)
    if not turns:
        return [None] * len(order)
    return [turns[i % len(turns)] if i < room else None for i in range(len(order))]


def wave(age: pd.Series | np.ndarray, edges: Sequence[float]) -> pd.DataFrame:
    """Return one 0/1 column an age band, so that a straight-line model can bend.

    Parameters
    ----------
    age : Series
        Whole years; missing belongs to no band.
    edges : sequence of float
        Lower limits of the bands, rising; the last one is the end.

    Returns
    -------
    DataFrame
        Columns ``age_28`` … (lower limit), the first band left out as the one to compare with.
    """
    values = pd.Series(age).astype(float)
    columns = {
        f"age_{low:g}": ((values >= low) & (values < high)).astype(float)
        for low, high in itertools.pairwise(edges[1:])
    }
    return pd.DataFrame(columns, index=values.index)
