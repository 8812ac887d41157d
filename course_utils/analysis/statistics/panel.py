"""Panels of units over time: two-way fixed effects, difference in differences, event study (MC9).

All estimates rest on y_it = α_i + γ_t + δ·D_it + ε_it: every unit has a level of its own, every
period a common shock, and the effect is what remains. Errors are clustered, because months of one
manager, and managers of one branch, are not independent observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.statistics.regressions import least_squares


def two_way(
    rows: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    unit: str,
    time: str,
    cluster: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Regress an outcome on regressors with unit and time effects removed.

    Parameters
    ----------
    rows : DataFrame
        One row a unit and period; rows with a missing outcome or regressor are left out, the
        panel may be unbalanced.
    outcome : str
        Number to explain.
    regressors : sequence of str
        Numeric or boolean columns.
    unit, time : str
        Columns of the two fixed effects.
    cluster : str, optional
        Column whose values share errors; default `unit`.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        Index = regressor; ``estimate``, ``se``, ``low``, ``high``, ``p``. Attributes: ``n`` rows,
        ``units``, ``clusters`` and the fitted ``statsmodels`` result ``fit``.

    Raises
    ------
    CourseError
        A column is missing, a key is doubled, a regressor does not vary beyond the fixed effects
        or there are fewer than three clusters.

    Notes
    -----
    Unit effects are swept out by demeaning, time effects stay as dummies (Frisch-Waugh-Lovell:
    the same estimates as with all dummies). Cluster-robust covariance with the factor
    G/(G−1)·(N−1)/(N−K), t with G−1 degrees of freedom; unit effects lie within clusters and are
    not counted in K (Cameron & Miller 2015, section II.B).
    """
    model_class = least_squares()

    names = list(regressors)
    cluster = cluster or unit
    data = _complete(rows, [outcome, *names], unit, time, cluster)
    groups = pd.factorize(data[cluster])[0]
    _need.enough(groups.max(initial=-1) >= 2, "面板回归至少需要三个群（如支行），请放宽筛选条件。")
    dummies = pd.get_dummies(data[time], prefix="t", dtype=float).iloc[:, 1:]
    wide = pd.concat([data[[outcome, *names]].astype(float), dummies], axis=1)
    wide = wide - wide.groupby(data[unit]).transform("mean")
    design = wide.drop(columns=outcome)
    _refuse_absorbed(design, names)
    model = model_class(wide[outcome], design)
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    interval = fit.conf_int(alpha=1 - level)
    table = pd.DataFrame(
        {
            "estimate": fit.params,
            "se": fit.bse,
            "low": interval[0],
            "high": interval[1],
            "p": fit.pvalues,
        }
    ).loc[names]
    table.attrs = {
        "n": len(data),
        "units": int(data[unit].nunique()),
        "clusters": int(groups.max() + 1),
        "fit": fit,
    }
    return table.rename_axis("regressor")


def did(
    rows: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    start: str,
    cluster: str | None = None,
    level: float = 0.95,
) -> dict[str, float]:
    """Return the difference in differences: how much more the treated changed than the others.

    Parameters
    ----------
    rows : DataFrame
        One row a unit and period.
    outcome, unit, time : str
        Columns; see :func:`two_way`.
    start : str
        Column with the period (same type as `time`) in which the unit's treatment starts,
        missing for units never treated. A row is treated from its start on.
    cluster : str, optional
        Column at which treatment was assigned (a branch); default `unit`.
    level : float
        Confidence level.

    Returns
    -------
    dict
        ``estimate``, ``se``, ``low``, ``high``, ``p``, ``n``, ``units``, ``clusters``,
        ``treated_units``.

    Notes
    -----
    With one common start this is the textbook estimate. With several starts and effects that
    differ between them, δ is a weighted mean that may weigh late starters oddly
    (Goodman-Bacon 2021): look at :func:`event_study` as well.
    """
    _need.columns(rows, [start], "双重差分")
    began = rows[start].notna() & (rows[time] >= rows[start])
    data = rows.assign(_treated=began.astype(float))
    _need.that(
        bool(began.any()), f"列“{start}”里没有一个已开始的单位，做不了双重差分，请检查日期。"
    )
    table = two_way(data, outcome, ["_treated"], unit, time, cluster, level)
    record = {name: float(table.loc["_treated", name]) for name in table.columns}
    treated = int(data.loc[data[start].notna(), unit].nunique())
    counts = {name: table.attrs[name] for name in ("n", "units", "clusters")}
    return {**record, **counts, "treated_units": treated}


def event_study(
    rows: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    start: str,
    before: int = 6,
    after: int = 6,
    reference: int = -1,
    cluster: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return one effect a period around the start: leads should be near 0, lags show the effect.

    Parameters
    ----------
    rows : DataFrame
        One row a unit and period.
    outcome, unit, time, start, cluster, level
        As in :func:`did`. Dates count in months, integers as they are.
    before, after : int
        Periods shown before and from the start on; earlier and later ones are put together into
        the first and the last.
    reference : int
        Relative period that is set to 0 (the last one before the start).

    Returns
    -------
    DataFrame
        Index ``relative``; ``estimate``, ``se``, ``low``, ``high``, ``p``; the reference row is 0
        without an interval. Attributes: ``lead_p`` (Wald test that all leads are 0; NaN without
        leads), ``n``, ``units``, ``clusters``.
    """
    _need.columns(rows, [unit, time, start], "事件研究")
    _need.that(
        -before <= reference < 0 <= after, "事件研究的参照期要在开始之前、窗口之内，请检查参数。"
    )
    distance = (_number(rows[time]) - _number(rows[start])).clip(-before, after)
    found = sorted(distance.dropna().unique().astype(int))
    _need.enough(reference in found, f"没有一行落在参照期 {reference}，请检查开始日期和窗口。")
    marks = {step: f"k{step}" for step in found if step != reference}
    data = rows.assign(**{mark: (distance == step).astype(float) for step, mark in marks.items()})
    table = two_way(data, outcome, list(marks.values()), unit, time, cluster, level)
    leads = [mark for step, mark in marks.items() if step < reference]
    attrs = {name: table.attrs[name] for name in ("n", "units", "clusters")}
    attrs["lead_p"] = _all_zero(table.attrs["fit"], leads)
    table.index = pd.Index(list(marks), name="relative")
    table.loc[reference] = [0.0, np.nan, np.nan, np.nan, np.nan]
    result = table.sort_index()
    result.attrs = attrs
    return result


def placebo(
    rows: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    start: str,
    cluster: str,
    draws: int = 500,
    seed: int = 20251231,
) -> dict[str, Any]:
    """Deal the starts out to clusters at random again and again: how odd is the real estimate?

    Few clusters make robust errors too small; dealing needs no such approximation.

    Parameters
    ----------
    rows : DataFrame
        One row a unit and period.
    outcome, unit, time, start
        As in :func:`did`; `start` must be the same within a cluster.
    cluster : str
        Column at which treatment was assigned.
    draws : int
        Number of random deals.
    seed : int
        Seed; same input, same answer.

    Returns
    -------
    dict
        ``estimate``, ``p`` = (1 + deals at least as far from 0) / (1 + deals), ``draws`` (array
        of shape (draws,), the estimates of the deals).
    """
    data = _complete(rows.dropna(subset=[outcome]), [outcome], unit, time, cluster, start)
    pairs = data[[cluster, start]].drop_duplicates()
    _need.that(
        not pairs.duplicated(cluster).any(),
        f"同一个“{cluster}”里有不同的开始日期，不能按群重新分派，请先统一。",
    )
    begins = pairs.sort_values(cluster).set_index(cluster)[start]
    member = pd.Categorical(data[cluster], categories=begins.index).codes
    moment, codes = _number(data[time]).to_numpy(), pd.factorize(data[unit])[0]
    numbers = _number(begins).to_numpy(dtype=float, na_value=np.inf)
    sweep = _sweeper(codes, pd.factorize(data[time])[0])
    left = sweep(data[outcome].to_numpy(dtype=float))

    def estimate(dealt: np.ndarray) -> float:
        treated = sweep((moment >= dealt[member]).astype(float))
        spread = float(treated @ treated)
        return float(treated @ left) / spread if spread > 1e-9 else np.nan

    rng = np.random.default_rng(seed)
    real = estimate(numbers)
    _need.enough(np.isfinite(real), "试点变量在扣除固定效应后没有变化，请检查开始日期。")
    dealt = np.array([estimate(rng.permutation(numbers)) for _ in range(draws)])
    dealt = dealt[np.isfinite(dealt)]
    beyond = int((np.abs(dealt) >= abs(real) - 1e-12).sum())
    return {"estimate": real, "p": (1 + beyond) / (1 + len(dealt)), "draws": dealt}


def _complete(
    rows: pd.DataFrame,
    used: list[str],
    unit: str,
    time: str,
    cluster: str,
    start: str | None = None,
) -> pd.DataFrame:
    """Return the rows without missing values, their keys unique."""
    keys = [unit, time, cluster]
    wanted = list(dict.fromkeys([*keys, *used, *([start] if start else [])]))
    _need.columns(rows, wanted, "面板回归")
    data = rows[wanted].dropna(subset=[*keys, *used]).reset_index(drop=True)
    _need.that(
        not data.duplicated([unit, time]).any(),
        f"同一个“{unit}”在同一个“{time}”有多行，请先汇总成每期一行。",
    )
    return data


def _refuse_absorbed(design: pd.DataFrame, names: list[str]) -> None:
    """Refuse regressors that the fixed effects (or each other) explain completely."""
    values = design.to_numpy(dtype=float)
    scale = np.sqrt((values**2).sum(axis=0))
    lost = [name for name, size in zip(design.columns, scale, strict=True) if size < 1e-9]
    rank = np.linalg.matrix_rank(values / np.where(scale > 0, scale, 1.0))
    _need.enough(
        not lost and rank == design.shape[1],
        f"变量“{'、'.join(names)}”与单位、时间的固定效应重合，无法估计，请检查是否有从未试点的单位。",
    )


def _number(values: pd.Series) -> pd.Series:
    """Return periods as numbers: months for dates, else the values themselves."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.dt.year * 12.0 + values.dt.month
    if isinstance(values.dtype, pd.PeriodDtype):
        return _number(values.dt.to_timestamp())
    return values.astype(float)


def _all_zero(fit: Any, names: list[str]) -> float:
    """Return the p value of the joint test that coefficients are 0."""
    if not names:
        return float("nan")
    pick = np.zeros((len(names), len(fit.params)))
    for row, name in enumerate(names):
        pick[row, list(fit.params.index).index(name)] = 1.0
    return float(np.squeeze(fit.wald_test(pick, use_f=True, scalar=True).pvalue))


def _sweeper(units: np.ndarray, times: np.ndarray) -> Any:
    """Return a function that removes unit and time effects from a vector (exact, any balance)."""
    count = np.bincount(units)

    def demean(values: np.ndarray) -> np.ndarray:
        return values - (np.bincount(units, weights=values) / count)[units]

    dummies = np.eye(times.max() + 1)[times][:, 1:]
    columns = np.column_stack([demean(column) for column in dummies.T])
    basis, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    basis = basis[:, sizes > 1e-9 * sizes.max()]

    def sweep(values: np.ndarray) -> np.ndarray:
        swept = demean(values)
        return swept - basis @ (basis.T @ swept)

    return sweep
