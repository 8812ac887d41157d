"""Comparing rates: Wilson, Newcombe, cluster bootstrap, sample size (MC8), sample-ratio test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.statistics.regressions import (
    generalized,
    least_squares,
    with_constant,
)


def _z(level: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(0.5 + level / 2))


def wilson(successes: Any, totals: Any, level: float = 0.95) -> pd.DataFrame:
    """Return rates with Wilson score intervals.

    Parameters
    ----------
    successes, totals : number or Series
        Counts; ``totals`` 0 gives NaN.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        ``rate``, ``low``, ``high`` (ratios) on the index of ``successes``.

    Notes
    -----
    Wilson (1927); recommended over the Wald interval for small counts.
    """
    s = successes if isinstance(successes, pd.Series) else pd.Series(np.atleast_1d(successes))
    n_values = np.broadcast_to(np.asarray(totals, dtype=float), s.shape)
    n = pd.Series(n_values, index=s.index, dtype=float)
    n = n.where(n > 0)
    z = _z(level)
    p = s.astype(float) / n
    center = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low = (center - half).clip(0, 1).where(s.astype(float) != 0, 0.0).where(n.notna())
    high = (center + half).clip(0, 1).where(s.astype(float) != n, 1.0).where(n.notna())
    return pd.DataFrame({"rate": p, "low": low, "high": high})


def diff_ci(
    success_a: float, total_a: float, success_b: float, total_b: float, level: float = 0.95
) -> dict[str, float]:
    """Return the difference of two rates with Newcombe's interval.

    Parameters
    ----------
    success_a, total_a : float
        Counts of the first group (treated).
    success_b, total_b : float
        Counts of the second group (hold-out).
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``rate_a``, ``rate_b``, ``difference`` = a − b, ``low``, ``high``.

    Notes
    -----
    Newcombe (1998), method 10: combines the two Wilson intervals.
    """
    _need.enough(min(total_a, total_b) > 0, "比较两组比例时每组至少要有一个样本，请检查分组。")
    a, b = (wilson(s, n, level).iloc[0] for s, n in ((success_a, total_a), (success_b, total_b)))
    difference = a["rate"] - b["rate"]
    low = difference - math.hypot(a["rate"] - a["low"], b["high"] - b["rate"])
    high = difference + math.hypot(a["high"] - a["rate"], b["rate"] - b["low"])
    return {
        "rate_a": float(a["rate"]),
        "rate_b": float(b["rate"]),
        "difference": float(difference),
        "low": float(low),
        "high": float(high),
    }


def compare_arms(
    rows: pd.DataFrame,
    outcome: str,
    arm: str,
    treated: Any,
    control: Any,
    by: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the difference between two arms, overall or by group, with Newcombe intervals.

    Parameters
    ----------
    rows : DataFrame
        One row a unit; missing outcomes are left out.
    outcome : str
        Boolean or 0/1 column.
    arm : str
        Column with the arm.
    treated, control : object
        Values of the two arms.
    by : str, optional
        Group column.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        (``by``), ``n_a``, ``n_b``, ``rate_a``, ``rate_b``, ``difference``, ``low``, ``high``.
    """
    _need.columns(rows, [outcome, arm, *([by] if by else [])], "两组比较")
    known = rows.dropna(subset=[outcome])
    result = []
    groups = known.groupby(by, observed=True) if by else [("合计", known)]
    for name, part in groups:
        a = part.loc[part[arm] == treated, outcome].astype(float)
        b = part.loc[part[arm] == control, outcome].astype(float)
        if len(a) and len(b):
            record = diff_ci(a.sum(), len(a), b.sum(), len(b), level)
            result.append({by or "group": name, "n_a": len(a), "n_b": len(b), **record})
    _need.that(bool(result), f"分组列“{arm}”里找不到两组的样本，请检查取值“{treated}”“{control}”。")
    return pd.DataFrame(result)


def cluster_bootstrap(
    rows: pd.DataFrame,
    outcome: str,
    arm: str,
    cluster: str,
    treated: Any,
    control: Any,
    draws: int = 1000,
    seed: int = 20251231,
    level: float = 0.95,
) -> dict[str, float]:
    """Return a − b with a percentile interval that resamples whole clusters (manager, branch).

    Parameters
    ----------
    rows : DataFrame
        One row a unit.
    outcome, arm, cluster : str
        Columns; the outcome is a number or boolean.
    treated, control : object
        Values of the two arms.
    draws : int
        Bootstrap samples.
    seed : int
        Seed; same input, same interval.
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``difference``, ``low``, ``high``, ``clusters``.
    """
    _need.columns(rows, [outcome, arm, cluster], "整群自助法")
    known = rows.dropna(subset=[outcome])
    codes, names = pd.factorize(known[cluster], sort=True)
    y = known[outcome].astype(float).to_numpy()
    sums = []
    for value in (treated, control):
        hit = (known[arm] == value).to_numpy().astype(float)
        sums.append(np.bincount(codes, weights=hit * y, minlength=len(names)))
        sums.append(np.bincount(codes, weights=hit, minlength=len(names)))
    table = np.vstack(sums)
    _need.that(bool(table[1].sum() and table[3].sum()), "两组都要有样本，请检查分组列的取值。")
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    drawn = counts @ table.T
    good = (drawn[:, 1] > 0) & (drawn[:, 3] > 0)
    drawn = drawn[good]
    effects = drawn[:, 0] / drawn[:, 1] - drawn[:, 2] / drawn[:, 3]
    point = table[0].sum() / table[1].sum() - table[2].sum() / table[3].sum()
    low, high = np.quantile(effects, [(1 - level) / 2, (1 + level) / 2])
    return {
        "difference": float(point),
        "low": float(low),
        "high": float(high),
        "clusters": len(names),
    }


def sample_size(rate_a: float, rate_b: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the units per arm that find the difference of two rates.

    Parameters
    ----------
    rate_a, rate_b : float
        Rates (ratios) to tell apart.
    power, alpha : float
        Power and two-sided error level.

    Returns
    -------
    int
        n = 2·p̄(1−p̄)(z_{α/2}+z_β)²/Δ², rounded up (method card MC8).
    """
    from scipy.stats import norm

    _need.enough(rate_a != rate_b, "两个比例相同时没有可以检验的差异，请设定一个预期差异。")
    mean = (rate_a + rate_b) / 2
    z = float(norm.ppf(1 - alpha / 2) + norm.ppf(power))
    return math.ceil(2 * mean * (1 - mean) * z**2 / (rate_a - rate_b) ** 2)


def power_of(rate_a: float, rate_b: float, n: int, alpha: float = 0.05) -> float:
    """Return the power of ``n`` units per arm for two rates (inverse of :func:`sample_size`)."""
    from scipy.stats import norm

    mean = (rate_a + rate_b) / 2
    if mean in (0.0, 1.0) or n <= 0:
        return float("nan")
    z = abs(rate_a - rate_b) * math.sqrt(n / (2 * mean * (1 - mean)))
    return float(norm.cdf(z - norm.ppf(1 - alpha / 2)))


def sample_ratio_p(count_a: int, count_b: int, share_a: float = 0.5) -> float:
    """Return the p value of the sample-ratio test: did the draw split as planned (χ², 1 df)?"""
    from scipy.stats import chisquare

    total = count_a + count_b
    _need.enough(total > 0, "样本比例检验没有样本，请检查分组。")
    return float(chisquare([count_a, count_b], [total * share_a, total * (1 - share_a)]).pvalue)


def logistic(
    rows: pd.DataFrame, outcome: str, features: list[str], cluster: str | None = None
) -> pd.DataFrame:
    """Fit a logit and return odds ratios with intervals.

    Parameters
    ----------
    rows : DataFrame
        One row a unit; rows with missing values are left out.
    outcome : str
        0/1 column.
    features : list of str
        Numeric or boolean columns.
    cluster : str, optional
        Column for cluster-robust errors.

    Returns
    -------
    DataFrame
        Index = feature; ``coefficient``, ``odds_ratio``, ``low``, ``high`` (of the odds ratio),
        ``p``.
    """
    model, families = generalized()
    used = [outcome, *features, *([cluster] if cluster else [])]
    _need.columns(rows, used, "逻辑回归")
    data = rows[used].dropna()
    x = with_constant(data[features].astype(float))
    y = data[outcome].astype(float)
    _need.enough(y.nunique() == 2, f"逻辑回归的结果列“{outcome}”必须同时有 0 和 1，请检查筛选。")
    options: dict[str, Any] = {}
    if cluster:
        codes = pd.factorize(data[cluster])[0]
        options = {"cov_type": "cluster", "cov_kwds": {"groups": codes}}
    fit = model(y, x, family=families.Binomial()).fit(**options)
    interval = fit.conf_int()
    table = pd.DataFrame(
        {
            "coefficient": fit.params,
            "odds_ratio": np.exp(fit.params),
            "low": np.exp(interval[0]),
            "high": np.exp(interval[1]),
            "p": fit.pvalues,
        }
    )
    return table.drop(index="const").rename_axis("feature")


def linear(rows: pd.DataFrame, outcome: str, features: list[str]) -> pd.DataFrame:
    """Fit least squares and return the coefficients with heteroscedasticity-robust intervals.

    Parameters
    ----------
    rows : DataFrame
        One row a unit; rows with missing values are left out.
    outcome : str
        Number to explain (for growth: the logarithm of after/before).
    features : list of str
        Numeric or boolean columns.

    Returns
    -------
    DataFrame
        Index = feature; ``coefficient``, ``low``, ``high`` (95 %), ``p``; attribute ``n`` holds
        the rows used.
    """
    model = least_squares()
    _need.columns(rows, [outcome, *features], "线性回归")
    data = rows[[outcome, *features]].dropna().astype(float)
    _need.enough(len(data) > len(features) + 1, "线性回归的样本太少，请放宽筛选条件。")
    fit = model(data[outcome], with_constant(data[features])).fit(cov_type="HC1")
    interval = fit.conf_int()
    table = pd.DataFrame(
        {"coefficient": fit.params, "low": interval[0], "high": interval[1], "p": fit.pvalues}
    )
    table = table.drop(index="const")
    table.attrs["n"] = len(data)
    return table


def dispersion(observed: Any, expected: Any) -> float:
    """Return how much wider counts scatter than Poisson counts would (1 = exactly so).

    Parameters
    ----------
    observed, expected : array-like
        Counts and their expectations, one a cell; cells without expectation are left out.

    Returns
    -------
    float
        Median of (O − E)²/E over the median of χ² with one degree of freedom. The median keeps a
        few real outliers from hiding themselves; sampling weights show up as their size.
    """
    from scipy.stats import chi2

    o, e = np.asarray(observed, dtype=float), np.asarray(expected, dtype=float)
    known = (e > 0) & np.isfinite(o)
    _need.enough(bool(known.any()), "没有一格有期望次数，算不出离散程度，请检查数据。")
    return float(np.median((o[known] - e[known]) ** 2 / e[known]) / chi2.ppf(0.5, 1))


def excess(observed: pd.Series, expected: pd.Series, scatter: float = 1.0) -> pd.DataFrame:
    """Test whether counts are larger than expected (one-sided, quasi-Poisson).

    Parameters
    ----------
    observed, expected : Series
        Counts and expectations, same index.
    scatter : float
        Variance over expectation: 1 for Poisson counts, else :func:`dispersion`.

    Returns
    -------
    DataFrame
        ``ratio`` = observed/expected, ``z`` = (O − E)/√(scatter·E), ``p`` (upper normal tail).
    """
    from scipy.stats import norm

    _need.that(scatter > 0, "离散程度要大于零，请检查参数。")
    e = expected.astype(float).reindex(observed.index)
    z = (observed.astype(float) - e) / np.sqrt(scatter * e)
    table = {"ratio": observed / e, "z": z, "p": norm.sf(z.to_numpy())}
    return pd.DataFrame(table, index=observed.index)


def false_discovery(p: pd.Series, rate: float = 0.05) -> pd.Series:
    """Say which of many tests to believe, so that at most ``rate`` of the believed are chance.

    Parameters
    ----------
    p : Series
        P values; missing ones are never believed and not counted.
    rate : float
        Expected share of false ones among the believed.

    Returns
    -------
    Series
        Booleans on the index of ``p``.

    Notes
    -----
    Benjamini & Hochberg (1995): with p(1) ≤ … ≤ p(m), believe the k smallest, k the largest rank
    with p(k) ≤ rate·k/m.
    """
    known = p.dropna().astype(float).sort_values()
    line = rate * np.arange(1, len(known) + 1) / max(len(known), 1)
    below = np.flatnonzero(known.to_numpy() <= line)
    limit = known.iloc[below[-1]] if len(below) else -1.0
    return (p.astype(float) <= limit).rename("believed")
