"""Fair rankings: funnel limits, empirical-Bayes shrinkage, standardised rates (MC10).

A small unit is first or last by luck far more often than a large one. Three tools: limits of what
luck explains, rates pulled towards the mean by as much as the data ask for, and rates made
comparable when units have a different mix.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def _z(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + level / 2))


def _counts(successes: Any, totals: Any) -> tuple[pd.Series, pd.Series]:
    """Return counts as float Series on one index after checking them."""
    s = successes if isinstance(successes, pd.Series) else pd.Series(np.atleast_1d(successes))
    n = totals.reindex(s.index) if isinstance(totals, pd.Series) else totals
    n = pd.Series(np.broadcast_to(np.asarray(n, dtype=float), s.shape), index=s.index)
    s = s.astype(float)
    good = bool((s.notna() & n.notna() & (s >= 0) & (s <= n)).all())
    _need.that(
        good, "排名要用每个单位的发生数和总数，且发生数不能为负、不能超过总数，请检查分组计数。"
    )
    _need.enough(n.sum() > 0, "排名没有样本，请检查筛选条件。")
    return s, n


def overall(successes: Any, totals: Any) -> float:
    """Return the pooled rate p̄ = Σs / Σn."""
    s, n = _counts(successes, totals)
    return float(s.sum() / n.sum())


def funnel_limits(
    totals: Any, center: float, levels: tuple[float, ...] = (0.95, 0.998)
) -> pd.DataFrame:
    """Return the limits between which luck alone leaves a unit of a given size.

    Parameters
    ----------
    totals : number, array or Series
        Units' sizes n.
    center : float
        Rate of all units together (ratio).
    levels : tuple of float
        Two-sided levels; 0.998 is the usual control limit (about three standard errors).

    Returns
    -------
    DataFrame
        ``low_95``, ``high_95``, ``low_99.8``, ``high_99.8`` … (ratios in [0, 1]; NaN at n = 0) on
        the index of ``totals``.

    Notes
    -----
    p̄ ± z·√(p̄(1−p̄)/n), clipped (Spiegelhalter 2005, Statistics in Medicine 24:1185).
    """
    _need.that(0 <= center <= 1, "漏斗图的中心线是 0 到 1 之间的比例，请检查。")
    n = totals if isinstance(totals, pd.Series) else pd.Series(np.atleast_1d(totals))
    n = n.astype(float).where(n > 0)
    error = np.sqrt(center * (1 - center) / n)
    result = pd.DataFrame(index=n.index)
    for level in levels:
        name = f"{level * 100:g}"
        result[f"low_{name}"] = (center - _z(level) * error).clip(0, 1)
        result[f"high_{name}"] = (center + _z(level) * error).clip(0, 1)
    return result


def funnel(successes: Any, totals: Any, center: float | None = None) -> pd.DataFrame:
    """Return every unit's place in the funnel.

    Parameters
    ----------
    successes, totals : Series
        Events and size of each unit.
    center : float, optional
        Comparison rate; the pooled rate if None.

    Returns
    -------
    DataFrame
        ``n``, ``rate``, the limits of :func:`funnel_limits`, ``z`` (standard errors from the
        center) and ``place``: 明显偏高 / 明显偏低 (outside 99.8 %), 偏高 / 偏低 (outside 95 %),
        正常波动.
    """
    s, n = _counts(successes, totals)
    middle = overall(s, n) if center is None else center
    rate = s / n.where(n > 0)
    table = pd.DataFrame({"n": n, "rate": rate}).join(funnel_limits(n, middle))
    spread = np.sqrt(middle * (1 - middle) / n.where(n > 0))
    table["z"] = (rate - middle) / spread.where(spread > 0)
    outer, inner = _z(0.998), _z(0.95)
    names = ["明显偏高", "明显偏低", "偏高", "偏低"]
    z = table["z"]
    table["place"] = np.select([z > outer, z < -outer, z > inner, z < -inner], names, "正常波动")
    table.loc[n == 0, "place"] = "没有样本"
    return table


def moments_kappa(successes: Any, totals: Any) -> float:
    """Return the prior size κ of the beta-binomial by the method of moments.

    Parameters
    ----------
    successes, totals : Series
        Events and size of each unit; units without rows do not count.

    Returns
    -------
    float
        κ: how many rows of a unit weigh as much as the common mean. ``inf`` when the rates differ
        no more than luck makes them (then every unit is the mean); 0 when nothing but differences
        is left.

    Notes
    -----
    With S = Σ nᵢ(pᵢ − p̄)² the expectation is p̄(1−p̄)[(k−1) + ρ(N − Σnᵢ²/N − (k−1))], solved for
    the correlation ρ = 1/(κ+1) (Kleinman 1973, JASA 68:46).
    """
    s, n = _counts(successes, totals)
    s, n = s[n > 0], n[n > 0]
    mean, units, total = s.sum() / n.sum(), len(n), n.sum()
    room = total - (n**2).sum() / total - (units - 1)
    if mean in (0.0, 1.0) or units < 2 or room <= 0:
        return math.inf
    spread = float((n * (s / n - mean) ** 2).sum())
    rho = (spread / (mean * (1 - mean)) - (units - 1)) / room
    if rho <= 0:
        return math.inf
    return max(1 / min(rho, 1.0) - 1, 0.0)


def shrink(
    successes: Any, totals: Any, kappa: float | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Return rates pulled towards the common mean: p̃ = (s + κp̄) / (n + κ).

    Parameters
    ----------
    successes, totals : Series
        Events and size of each unit.
    kappa : float, optional
        Prior size; :func:`moments_kappa` if None.
    level : float
        Level of the interval.

    Returns
    -------
    DataFrame
        ``n``, ``rate`` (raw; NaN at n = 0), ``weight`` = n/(n+κ) (share of its own data),
        ``shrunk``, ``low``, ``high`` (posterior interval; equal to the mean when κ is infinite),
        ``rank`` (1 = highest shrunk rate; ties share the smallest rank). ``attrs`` holds
        ``kappa`` and ``mean``.

    Notes
    -----
    Posterior Beta(s + κp̄, n − s + κ(1−p̄)); the uncertainty of κ and p̄ is not in the interval.
    """
    from scipy.stats import beta

    s, n = _counts(successes, totals)
    mean = overall(s, n)
    size = moments_kappa(s, n) if kappa is None else float(kappa)
    _need.that(size >= 0, "收缩强度 κ 不能是负数，请检查。")
    known = n > 0
    rate = s / n.where(known)
    if math.isinf(size):
        shrunk = low = high = pd.Series(mean, index=s.index)
        weight = pd.Series(0.0, index=s.index)
    else:
        weight = (n / (n + size)).where(known, 0.0)
        shrunk = ((s + size * mean) / (n + size)).where(known, mean)
        a, b = s + size * mean, n - s + size * (1 - mean)
        ends = [(1 - level) / 2, (1 + level) / 2]
        with np.errstate(invalid="ignore"):
            low, high = (pd.Series(beta.ppf(q, a, b), index=s.index) for q in ends)
        low, high = (
            low.where(a > 0, 0.0).where(b > 0, 1.0),
            high.where(b > 0, 1.0).where(a > 0, 0.0),
        )
    table = pd.DataFrame(
        {"n": n, "rate": rate, "weight": weight, "shrunk": shrunk, "low": low, "high": high}
    )
    table["rank"] = table["shrunk"].round(12).rank(ascending=False, method="min").astype(int)
    table.attrs.update(kappa=size, mean=float(mean))
    return table


def standardise(
    rows: pd.DataFrame,
    outcome: str,
    unit: str,
    strata: str | list[str],
    standard: pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return directly standardised rates: what each unit's rate were with everybody's mix.

    Parameters
    ----------
    rows : DataFrame
        One row a case.
    outcome : str
        Boolean or 0/1 column.
    unit : str
        Column of the units to compare (branch, area, year).
    strata : str or list of str
        Columns of the mix to hold equal (product, age band).
    standard : Series, optional
        Weight of each stratum (any scale), indexed like ``rows.groupby(strata).size()``; all
        rows together if None.
    level : float
        Level of the interval.

    Returns
    -------
    DataFrame
        Index = unit; ``n``, ``rate`` (raw), ``adjusted``, ``low``, ``high``, ``covered`` (share
        of the standard whose strata the unit has; the weights of missing strata are spread over
        the others, so distrust a low number).

    Notes
    -----
    Σ wⱼ·pⱼ with variance Σ wⱼ²·pⱼ(1−pⱼ)/nⱼ, pⱼ in the variance drawn half a case towards ½ so
    that a stratum without events is not certain; the interval is Wilson's at the effective size
    p(1−p)/variance.
    """
    keys = [strata] if isinstance(strata, str) else list(strata)
    _need.columns(rows, [outcome, unit, *keys], "标准化率")
    data = rows.dropna(subset=[outcome])
    _need.enough(len(data) > 0, "标准化率没有样本，请检查筛选条件。")
    share = data.groupby(keys, observed=True).size() if standard is None else standard
    share = share.astype(float) / share.sum()
    share.index.names = keys
    value = data[outcome].astype(float)
    grouped = value.groupby([data[unit], *(data[key] for key in keys)], observed=True)
    cells = grouped.agg(events="sum", n="size").reset_index()
    cells = cells.merge(share.rename("standard").reset_index(), on=keys, how="inner")
    covered = cells.groupby(unit, observed=True)["standard"].transform("sum")
    weight = cells["standard"] / covered.where(covered > 0)
    smooth = (cells["events"] + 0.5) / (cells["n"] + 1)
    cells["part"] = weight * cells["events"] / cells["n"]
    cells["variance"] = weight**2 * smooth * (1 - smooth) / cells["n"]
    by = cells.groupby(unit, observed=True)
    table = by[["n", "events"]].sum()
    table["rate"] = table["events"] / table["n"]
    table["adjusted"] = by["part"].sum()
    limits = [
        _effective_wilson(p, v, level)
        for p, v in zip(table["adjusted"], by["variance"].sum(), strict=True)
    ]
    table[["low", "high"]] = pd.DataFrame(limits, index=table.index)
    table["covered"] = by["standard"].sum()
    return table.drop(columns="events")


def _effective_wilson(rate: float, variance: float, level: float) -> tuple[float, float]:
    """Return Wilson's limits of a rate whose standard error is √variance."""
    smooth = min(max(rate, 1e-3), 1 - 1e-3)
    n, z = smooth * (1 - smooth) / variance, _z(level)
    center = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return max(center - half, 0.0), min(center + half, 1.0)


def sharpest_step(
    values: pd.Series, outcome: pd.Series, candidates: Any, least: int = 10
) -> pd.DataFrame:
    """Return how clearly the rate changes at each candidate: where is the threshold?

    Parameters
    ----------
    values : Series
        What may have a threshold (age, days); missing ones are left out.
    outcome : Series
        Boolean or 0/1, same index.
    candidates : iterable of number
        Cuts to try; a value on the cut belongs above.
    least : int
        Cuts with fewer rows on one side are left out.

    Returns
    -------
    DataFrame
        Index = cut; ``n_above``, ``above``, ``below`` (rates), ``z`` of the pooled two-sample
        test. The sharpest step is ``z.abs().idxmax()``; its z is not a p value, for the best of
        many was chosen.
    """
    known = values.notna() & outcome.notna()
    x, y = values[known].to_numpy(dtype=float), outcome[known].to_numpy(dtype=float)
    mean, rows = y.mean() if len(y) else 0.0, {}
    for cut in candidates:
        up = x >= cut
        a, b = int(up.sum()), int((~up).sum())
        if min(a, b) < least or mean in (0.0, 1.0):
            continue
        error = math.sqrt(mean * (1 - mean) * (1 / a + 1 / b))
        rows[cut] = (a, y[up].mean(), y[~up].mean(), (y[up].mean() - y[~up].mean()) / error)
    _need.that(bool(rows), "找门槛时每一侧都要有足够的样本，请检查候选的切点。")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["n_above", "above", "below", "z"])
    return table.rename_axis("cut")
