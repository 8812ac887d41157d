"""Comparing groups nobody drew by lot: propensity, overlap weights, doubly robust effects.

The methods remove differences in what was *measured*; what was not measured stays in the estimate.
Every interval comes from one stacked system of estimating equations (propensity logit, two outcome
regressions, effect), so the estimation of the weights is part of the uncertainty, and rows of the
same cluster (manager, branch) may hang together.

Sources: Rosenbaum & Rubin (1983), propensity; Crump, Hotz, Imbens & Mitnik (2009), trimming; Li,
Morgan & Zaslavsky (2018), overlap weights; Robins, Rotnitzky & Zhao (1994), augmented (doubly
robust) estimate; Stefanski & Boos (2002), stacked estimating equations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.statistics._sample import Sample, design, expit, logit, sample
from course_utils.analysis.statistics.regressions import least_squares

#: Whom the effect is about: rows likely to be in either group, all rows, the treated rows.
TARGETS = ("overlap", "all", "treated")
_STEP = 1e-5


def propensity(rows: pd.DataFrame, treated: str, features: Sequence[str]) -> pd.Series:
    """Return the chance of being treated given the features (logit).

    Parameters
    ----------
    rows : DataFrame
        One row a unit.
    treated : str
        Boolean or 0/1 column.
    features : sequence of str
        What was known *before* the treatment; text columns become 0/1 columns.

    Returns
    -------
    Series
        ``propensity`` (ratio) on the rows without missing values.

    Raises
    ------
    CourseError
        One group only, or too few rows for the features.

    Examples
    --------
    >>> rows = pd.DataFrame({"t": [0, 0, 0, 1] * 9 + [0, 1, 1, 1] * 9, "a": [0] * 36 + [1] * 36})
    >>> propensity(rows, "t", ["a"]).round(2).unique().tolist()
    [0.25, 0.75]
    """
    data = sample(rows, treated, features)
    score = expit(data.x @ logit(data.t, data.x))
    return pd.Series(score, index=data.index, name="propensity")


def trimmed(score: pd.Series, low: float = 0.05, high: float = 0.95) -> pd.Series:
    """Return True for rows that could have landed in either group (``low`` ≤ score ≤ ``high``)."""
    _need.that(0 <= low < high <= 1, "截尾范围要满足 0 ≤ 下限 < 上限 ≤ 1，请检查参数。")
    return score.between(low, high).rename("kept")


def _tilt(e: np.ndarray, target: str) -> np.ndarray:
    if target == "overlap":
        return e * (1 - e)
    return np.ones_like(e) if target == "all" else e


def balance_weights(score: pd.Series, treated: pd.Series, target: str = "overlap") -> pd.Series:
    """Return weights that make the two groups look alike.

    Parameters
    ----------
    score : Series
        Propensity (ratio).
    treated : Series
        Boolean or 0/1, at least on the index of ``score``.
    target : {"overlap", "all", "treated"}
        Overlap: treated rows weigh 1 − e, the others e (Li, Morgan & Zaslavsky 2018); all: 1/e and
        1/(1 − e); treated: 1 and e/(1 − e).

    Returns
    -------
    Series
        ``weight``; each group's weights sum to 1.
    """
    _need.that(target in TARGETS, f"权重目标只能是 {'、'.join(TARGETS)}，请检查参数。")
    t = treated.loc[score.index].astype(float)
    e = score.clip(1e-6, 1 - 1e-6)
    raw = _tilt(e.to_numpy(), target) / np.where(t == 1, e, 1 - e)
    weight = pd.Series(raw, index=score.index, name="weight")
    return weight / weight.groupby(t).transform("sum")


def overlap_weights(score: pd.Series, treated: pd.Series) -> pd.Series:
    """Return overlap weights: treated rows 1 − e, the others e, each group summing to 1."""
    return balance_weights(score, treated, "overlap")


def balance_table(
    rows: pd.DataFrame,
    treated: str,
    features: Sequence[str],
    weights: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the means of both groups and their standardised difference.

    Parameters
    ----------
    rows : DataFrame
        One row a unit.
    treated : str
        Boolean or 0/1 column.
    features : sequence of str
        Columns to compare; text columns become 0/1 columns.
    weights : Series, optional
        Weights by row (see :func:`balance_weights`); rows without a weight are left out of the
        weighted columns.

    Returns
    -------
    DataFrame
        Index ``feature``; ``treated_mean``, ``control_mean``, ``difference`` = standardised
        difference (in standard deviations, pooled over the two raw groups), and with ``weights``
        also ``weighted_treated``, ``weighted_control``, ``weighted_difference``. |difference|
        below 0.1 counts as balanced (Austin 2009).
    """
    data = rows[[treated, *features]].dropna()
    t = data[treated].astype(bool).to_numpy()
    _need.that(bool(t.any() and (~t).any()), f"分组列“{treated}”要同时有两组，请检查筛选条件。")
    table = design(data, features)
    spread = np.sqrt((table[t].var(ddof=1) + table[~t].var(ddof=1)) / 2)
    result = pd.DataFrame({"treated_mean": table[t].mean(), "control_mean": table[~t].mean()})
    result["difference"] = (result["treated_mean"] - result["control_mean"]) / spread
    if weights is not None:
        w = weights.reindex(data.index).fillna(0.0).to_numpy()
        for name, group in (("weighted_treated", t), ("weighted_control", ~t)):
            share = w[group] / w[group].sum()
            result[name] = (table[group].to_numpy() * share[:, None]).sum(axis=0)
        gap = result["weighted_treated"] - result["weighted_control"]
        result["weighted_difference"] = gap / spread
    return result.rename_axis("feature")


def _solve(y: np.ndarray, x: np.ndarray, group: np.ndarray) -> np.ndarray:
    part = x * group[:, None]
    return np.linalg.pinv(part.T @ x) @ (part.T @ y)


def _pieces(data: Sample, nuisance: np.ndarray, target: str, outcome_model: bool) -> list:
    """Return numerator and denominator arrays of the three ratios that make the effect."""
    k = data.x.shape[1]
    e = np.clip(expit(data.x @ nuisance[:k]), 1e-6, 1 - 1e-6)
    h = _tilt(e, target)
    m1 = data.x @ nuisance[k : 2 * k] if outcome_model else np.zeros(len(e))
    m0 = data.x @ nuisance[2 * k :] if outcome_model else np.zeros(len(e))
    w1, w0 = data.t * h / e, (1 - data.t) * h / (1 - e)
    return [(h * (m1 - m0), h, 1), (w1 * (data.y - m1), w1, 1), (w0 * (data.y - m0), w0, -1)]


def _point(data: Sample, nuisance: np.ndarray, target: str, outcome_model: bool) -> float:
    parts = _pieces(data, nuisance, target, outcome_model)
    return float(sum(sign * top.sum() / bottom.sum() for top, bottom, sign in parts))


def _influence(data: Sample, nuisance: np.ndarray, target: str, outcome_model: bool) -> np.ndarray:
    """Return each row's influence on the effect, estimation of the nuisance included."""
    n, k = data.x.shape
    own = np.zeros(n)
    for top, bottom, sign in _pieces(data, nuisance, target, outcome_model):
        own += sign * (top - bottom * top.sum() / bottom.sum()) / bottom.mean()
    e = expit(data.x @ nuisance[:k])
    scores = [(data.x, data.t - e, e * (1 - e))]
    if outcome_model:
        for group, start in ((data.t, k), (1 - data.t, 2 * k)):
            rest = group * (data.y - data.x @ nuisance[start : start + k])
            scores.append((data.x, rest, group))
    slopes = np.empty(len(nuisance))
    for j in range(len(nuisance)):
        shift = np.zeros(len(nuisance))
        shift[j] = _STEP
        up = _point(data, nuisance + shift, target, outcome_model)
        down = _point(data, nuisance - shift, target, outcome_model)
        slopes[j] = (up - down) / (2 * _STEP)
    for number, (x, rest, weight) in enumerate(scores):
        bread = np.linalg.pinv((x * weight[:, None]).T @ x / n)
        own += (x * rest[:, None]) @ bread @ slopes[number * k : (number + 1) * k]
    return own


def _interval(estimate: float, influence: np.ndarray, cluster: np.ndarray, level: float) -> dict:
    from scipy.stats import norm
    from scipy.stats import t as student

    n = len(influence)
    sums = np.bincount(cluster, weights=influence)
    groups = len(sums)
    error = float(np.sqrt((sums**2).sum() * groups / (groups - 1)) / n)
    one_each = groups == n
    factor = norm.ppf(0.5 + level / 2) if one_each else student.ppf(0.5 + level / 2, groups - 1)
    return {
        "estimate": estimate,
        "low": estimate - float(factor) * error,
        "high": estimate + float(factor) * error,
        "error": error,
    }


def _fit(
    rows: pd.DataFrame,
    outcome: str,
    treated: str,
    features: Sequence[str],
    target: str,
    outcome_model: bool,
    cluster: str | None,
    trim: tuple[float, float] | None,
    level: float,
) -> dict[str, float]:
    _need.that(target in TARGETS, f"权重目标只能是 {'、'.join(TARGETS)}，请检查参数。")
    used = rows.dropna(subset=[outcome])
    offered = len(used)
    if trim is not None:
        score = propensity(used, treated, features)
        used = used.loc[score.index][trimmed(score, *trim)]
        _need.enough(len(used) > 0, "截尾以后没有剩下的样本：两组几乎没有可比的客户。")
    data = sample(used, treated, features, outcome, cluster)
    nuisance = logit(data.t, data.x)
    if outcome_model:
        models = [_solve(data.y, data.x, group) for group in (data.t, 1 - data.t)]
        nuisance = np.concatenate([nuisance, *models])
    estimate = _point(data, nuisance, target, outcome_model)
    influence = _influence(data, nuisance, target, outcome_model)
    record = _interval(estimate, influence, data.cluster, level)
    counts = {"treated": int(data.t.sum()), "control": int((1 - data.t).sum())}
    return {**record, **counts, "dropped": offered - len(data.t)}


def weighted_effect(
    rows: pd.DataFrame,
    outcome: str,
    treated: str,
    features: Sequence[str],
    *,
    target: str = "overlap",
    cluster: str | None = None,
    trim: tuple[float, float] | None = None,
    level: float = 0.95,
) -> dict[str, float]:
    """Return treated − control after weighting both groups alike.

    Parameters
    ----------
    rows : DataFrame
        One row a unit; rows with missing values are left out.
    outcome : str
        Number, boolean or 0/1.
    treated : str
        Boolean or 0/1.
    features : sequence of str
        What was known before the treatment.
    target : {"overlap", "all", "treated"}
        Whom the effect is about, see :func:`balance_weights`.
    cluster : str, optional
        Rows of one cluster may hang together; the interval then uses t with clusters − 1 degrees.
    trim : (low, high), optional
        Rows outside are left out, then the logit is fitted again (Crump et al. 2009).
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``estimate``, ``low``, ``high``, ``error``, ``treated``, ``control``, ``dropped``.
    """
    return _fit(rows, outcome, treated, features, target, False, cluster, trim, level)


def doubly_robust(
    rows: pd.DataFrame,
    outcome: str,
    treated: str,
    features: Sequence[str],
    *,
    target: str = "overlap",
    cluster: str | None = None,
    trim: tuple[float, float] | None = None,
    level: float = 0.95,
) -> dict[str, float]:
    """Return the augmented estimate: right when the logit *or* the outcome regression is right.

    Parameters and returns as in :func:`weighted_effect`. A least-squares regression of the
    outcome in each group predicts both outcomes of every row; the weighted residuals correct what
    the regressions miss (Robins, Rotnitzky & Zhao 1994; with overlap weights Mao & Li 2020).
    """
    return _fit(rows, outcome, treated, features, target, True, cluster, trim, level)


def regression_effect(
    rows: pd.DataFrame,
    outcome: str,
    treated: str,
    features: Sequence[str] = (),
    *,
    cluster: str | None = None,
    level: float = 0.95,
) -> dict[str, float]:
    """Return the coefficient of ``treated`` in a least-squares regression with the features.

    Without features this is the raw difference of the two means. Parameters and returns as in
    :func:`weighted_effect`; errors are heteroscedasticity-robust (HC1) or clustered.
    """
    model = least_squares()

    data = sample(rows, treated, features, outcome, cluster, separate=False)
    x = np.column_stack([data.t, data.x])
    options: dict[str, Any] = {"cov_type": "HC1"}
    if cluster:
        options = {"cov_type": "cluster", "cov_kwds": {"groups": data.cluster}, "use_t": True}
    fit = model(data.y, x).fit(**options)
    low, high = fit.conf_int(alpha=1 - level)[0]
    record = {"estimate": fit.params[0], "low": low, "high": high, "error": fit.bse[0]}
    counts = {"treated": int(data.t.sum()), "control": int((1 - data.t).sum())}
    return {**{k: float(v) for k, v in record.items()}, **counts, "dropped": 0}


def effect_table(
    rows: pd.DataFrame,
    outcome: str,
    treated: str,
    features: Sequence[str],
    *,
    target: str = "overlap",
    cluster: str | None = None,
    trim: tuple[float, float] | None = (0.05, 0.95),
    level: float = 0.95,
) -> pd.DataFrame:
    """Return four answers to one question: raw, regression, weighted, doubly robust.

    Parameters as in :func:`weighted_effect`.

    Returns
    -------
    DataFrame
        Index ``method`` (Chinese); ``estimate``, ``low``, ``high``, ``error``, ``treated``,
        ``control``, ``dropped``.
    """
    options = {"cluster": cluster, "level": level}
    more = {**options, "target": target, "trim": trim}
    label = {"overlap": "重叠加权", "all": "逆概率加权", "treated": "按处理组加权"}
    known = rows.dropna(subset=[outcome, treated, *features])
    records = {
        "直接比较": regression_effect(known, outcome, treated, (), **options),
        "回归校正": regression_effect(known, outcome, treated, features, **options),
        label.get(target, target): weighted_effect(known, outcome, treated, features, **more),
        "双重稳健": doubly_robust(known, outcome, treated, features, **more),
    }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("method")


def bootstrap_interval(
    rows: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float],
    *,
    cluster: str | None = None,
    draws: int = 200,
    seed: int = 20251231,
    level: float = 0.95,
) -> dict[str, float]:
    """Return a percentile interval of any statistic, drawing rows or whole clusters anew.

    Parameters
    ----------
    rows : DataFrame
        One row a unit.
    statistic : callable
        Takes a frame like ``rows`` and returns a number.
    cluster : str, optional
        Draw whole clusters; a cluster drawn twice counts twice.
    draws, seed, level
        Samples, seed (same input, same interval), confidence level.

    Returns
    -------
    dict
        ``estimate``, ``low``, ``high``, ``draws`` (those that could be computed).
    """
    from course_utils.errors import CourseError

    rng = np.random.default_rng(seed)
    codes = pd.factorize(rows[cluster])[0] if cluster else np.arange(len(rows))
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(codes.max() + 2))
    members = [order[bounds[i] : bounds[i + 1]] for i in range(codes.max() + 1)]
    values = []
    for _ in range(draws):
        picked = rng.integers(0, len(members), len(members))
        drawn = rows.iloc[np.concatenate([members[i] for i in picked])].reset_index(drop=True)
        try:
            values.append(float(statistic(drawn)))
        except CourseError:
            continue
    _need.enough(len(values) >= draws / 2, "一半以上的重抽样算不出结果，样本太少，请放宽筛选。")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return {
        "estimate": float(statistic(rows)),
        "low": float(low),
        "high": float(high),
        "draws": len(values),
    }
