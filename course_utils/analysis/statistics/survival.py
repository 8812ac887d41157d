"""Time to an event: Kaplan–Meier with Greenwood, log-rank (MC3), discrete-time hazard (MC4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def kaplan_meier(
    duration: pd.Series, event: pd.Series, entry: pd.Series | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Return the survival curve with Greenwood's variance.

    Parameters
    ----------
    duration : Series
        Time to the event or to the end of observation.
    event : Series
        True = event, False = still there when observation ended.
    entry : Series, optional
        Time at which observation began (left truncation); default 0.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        ``time``, ``at_risk``, ``events``, ``survival``, ``std_error``, ``low``, ``high``; first
        row at time 0.

    Notes
    -----
    S(t) = Π (1 − d/n), Var = S² Σ d/(n(n−d)); interval on the log(−log) scale
    (Kalbfleisch & Prentice), which stays within 0-1.
    """
    from scipy.stats import norm

    start = pd.Series(0.0, index=duration.index) if entry is None else entry
    data = pd.DataFrame({"t": duration, "d": event.astype(bool), "s": start}).dropna()
    data = data[data["t"] > data["s"]]
    _need.enough(len(data) > 0, "生存曲线没有有效样本，请检查时长是否大于进入时间。")
    ends, starts = np.sort(data["t"].to_numpy(float)), np.sort(data["s"].to_numpy(float))
    times, counts = np.unique(data.loc[data["d"], "t"].to_numpy(float), return_counts=True)
    entered = np.searchsorted(starts, times, side="left")
    at_risk = entered - np.searchsorted(ends, times, side="left")
    survival = np.cumprod(1 - counts / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        green = np.cumsum(counts / (at_risk * (at_risk - counts)))
        error = np.where(survival > 0, survival * np.sqrt(green), 0.0)
        z = float(norm.ppf(0.5 + level / 2))
        theta = z * np.sqrt(green) / np.log(survival)
        low, high = survival ** np.exp(-theta), survival ** np.exp(theta)
    low, high = (np.where(survival > 0, v, 0.0) for v in (low, high))
    first = pd.DataFrame(
        {"time": [0.0], "at_risk": [int((data["s"] <= 0).sum())], "events": [0],
         "survival": [1.0], "std_error": [0.0], "low": [1.0], "high": [1.0]}
    )  # fmt: skip
    rest = pd.DataFrame(
        {"time": times, "at_risk": at_risk, "events": counts, "survival": survival,
         "std_error": error, "low": low, "high": high}
    )  # fmt: skip
    return pd.concat([first, rest], ignore_index=True)


def survival_at(curve: pd.DataFrame, time: float) -> float:
    """Return S(t) of a curve from :func:`kaplan_meier`."""
    place = int(np.searchsorted(curve["time"].to_numpy(float), time, side="right")) - 1
    return float(curve["survival"].iloc[max(place, 0)])


def median_time(curve: pd.DataFrame) -> float:
    """Return the first time at which at most half survive (infinity if never)."""
    hit = curve.loc[curve["survival"] <= 0.5 + 1e-12, "time"]
    return float(hit.iloc[0]) if len(hit) else float("inf")


def log_rank(
    duration: pd.Series, event: pd.Series, group: pd.Series, entry: pd.Series | None = None
) -> dict[str, float]:
    """Test whether groups have the same survival (Mantel's log-rank test).

    Parameters
    ----------
    duration, event, entry : Series
        As for :func:`kaplan_meier`.
    group : Series
        Group of each unit (two or more).

    Returns
    -------
    dict
        ``statistic`` (χ²), ``df``, ``p``.
    """
    from scipy.stats import chi2

    start = pd.Series(0.0, index=duration.index) if entry is None else entry
    data = pd.DataFrame({"t": duration, "d": event.astype(bool), "s": start, "g": group}).dropna()
    data = data[data["t"] > data["s"]]
    codes, names = pd.factorize(data["g"], sort=True)
    _need.enough(len(names) >= 2, "对数秩检验至少需要两个组，请检查分组列。")
    times = np.unique(data.loc[data["d"], "t"].to_numpy(float))
    risk = np.empty((len(names), len(times)))
    dead = np.empty_like(risk)
    for g in range(len(names)):
        part = data[codes == g]
        starts, ends = np.sort(part["s"].to_numpy(float)), np.sort(part["t"].to_numpy(float))
        happened = np.sort(part.loc[part["d"], "t"].to_numpy(float))
        risk[g] = np.searchsorted(starts, times) - np.searchsorted(ends, times)
        dead[g] = np.searchsorted(happened, times, "right") - np.searchsorted(happened, times)
    n, d = risk.sum(axis=0), dead.sum(axis=0)
    gap = (dead - risk * d / n).sum(axis=1)[:-1]
    factor = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1) / n**2, 0.0)
    variance = -np.einsum("it,jt,t->ij", risk, risk, factor)
    variance[np.diag_indices(len(names))] += (risk * n * factor).sum(axis=1)
    inverse = np.linalg.pinv(variance[:-1, :-1])
    statistic = float(gap @ inverse @ gap)
    df = len(names) - 1
    return {"statistic": statistic, "df": df, "p": float(chi2.sf(statistic, df))}


def person_months(
    first: pd.Series, last: pd.Series, event: pd.Series, ids: pd.Series | None = None
) -> pd.DataFrame:
    """Expand spells into one row a unit and month.

    Parameters
    ----------
    first, last : Series
        First and last month number observed (integers, both included).
    event : Series
        True when the event happened in ``last``.
    ids : Series, optional
        Id of the unit (default: the index).

    Returns
    -------
    DataFrame
        ``id``, ``month`` (number), ``event`` (0/1), ``spell`` (months since first, from 0).
    """
    start, stop = first.to_numpy(dtype=int), last.to_numpy(dtype=int)
    length = np.maximum(stop - start + 1, 0)
    names = (first.index if ids is None else pd.Index(ids)).to_numpy()
    row = np.repeat(np.arange(len(start)), length)
    spell = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    month = start[row] + spell
    happened = event.to_numpy(dtype=bool)[row] & (month == stop[row])
    return pd.DataFrame(
        {"id": names[row], "month": month, "event": happened.astype(int), "spell": spell}
    )


def split_at_change(spells: pd.DataFrame, change: pd.Series, span: float) -> pd.DataFrame:
    """Cut spells where something changes on the way, so that nobody is sorted by his future.

    Who changes has by then survived; counting his whole spell as "changed" would make the change
    look protective (immortal time). Instead the time before counts as 之前 and the ``span`` after
    the change as 之后, with delayed entry; later time is left out.

    Parameters
    ----------
    spells : DataFrame
        ``entry``, ``stop`` and ``event`` (bool), one row a unit.
    change : Series
        Time of the change by the same index (missing = none).
    span : float
        How long after the change a unit counts as changed.

    Returns
    -------
    DataFrame
        ``entry``, ``stop``, ``event``, ``changed`` (bool); only spells of positive length.
    """
    _need.columns(spells, ["entry", "stop", "event"], "按变更切分")
    at = change.reindex(spells.index)
    inside = at < spells["stop"]
    first = spells[["entry", "stop", "event"]].copy()
    first["stop"] = first["stop"].where(~inside, at)
    first["event"] = first["event"].astype(bool) & ~inside
    second = spells.loc[inside, ["entry", "stop", "event"]].copy()
    begin, end = at[inside], at[inside] + span
    second["entry"] = np.maximum(second["entry"], begin)
    second["event"] = second["event"].astype(bool) & (second["stop"] <= end)
    second["stop"] = np.minimum(second["stop"], end)
    both = pd.concat([first.assign(changed=False), second.assign(changed=True)])
    return both[both["stop"] > both["entry"]]


def hazard_table(
    rows: pd.DataFrame, event: str = "event", time: str = "month", by: str | None = None
) -> pd.DataFrame:
    """Return events, persons at risk and the hazard by month (and group) with survival.

    Parameters
    ----------
    rows : DataFrame
        Person-months, one row a unit and month.
    event, time : str
        0/1 column and month column.
    by : str, optional
        Group column.

    Returns
    -------
    DataFrame
        (``by``), ``time``, ``at_risk``, ``events``, ``hazard``, ``survival`` = Π(1 − hazard).
    """
    groups = [*([by] if by else []), time]
    _need.columns(rows, [*groups, event], "风险率表")
    table = rows.groupby(groups, observed=True)[event].agg(at_risk="size", events="sum")
    table["hazard"] = table["events"] / table["at_risk"]
    kept = 1 - table["hazard"]
    table["survival"] = kept.groupby(level=0, observed=True).cumprod() if by else kept.cumprod()
    return table.reset_index().rename(columns={time: "time"})


def fit_hazard(
    rows: pd.DataFrame,
    features: Sequence[str],
    event: str = "event",
    time: str | None = "month",
    cluster: str | None = None,
) -> pd.DataFrame:
    """Fit the discrete-time hazard logit h(t|x) = α_t + βx (MC4).

    Parameters
    ----------
    rows : DataFrame
        Person-months with features known before the month.
    features : sequence of str
        Numeric or boolean columns.
    event : str
        0/1 column.
    time : str, optional
        Month column that gets its own intercepts (months without an event are merged with the
        first such month's neighbour by dropping their dummy).
    cluster : str, optional
        Column (customer, branch) for robust errors.

    Returns
    -------
    DataFrame
        Index = feature; ``coefficient``, ``odds_ratio``, ``low``, ``high``, ``p``.
    """
    from course_utils.analysis.statistics.experiment import logistic

    data = rows.copy(deep=False)
    names = list(features)
    dummies: list[str] = []
    if time is not None:
        seen = data.groupby(time, observed=True)[event].sum()
        levels = list(seen.index[seen > 0])[1:]
        dummies = [f"_{time}={level}" for level in levels]
        extra = {n: (data[time] == v).astype(float) for n, v in zip(dummies, levels, strict=True)}
        data = data.assign(**extra)
    table = logistic(data, event, [*names, *dummies], cluster)
    return table.loc[names]


def chance_within(hazards: Any) -> float:
    """Return P(event within the given months) = 1 − Π(1 − h)."""
    return float(1 - np.prod(1 - np.asarray(hazards, dtype=float)))
