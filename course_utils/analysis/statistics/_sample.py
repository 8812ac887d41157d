"""What the comparisons of :mod:`causal` start from: the rows used, their design, the logit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_utils.analysis import _need


@dataclass(frozen=True)
class Sample:
    """Arrays of the rows used: outcome, treatment 0/1, design with constant, cluster codes."""

    y: np.ndarray
    t: np.ndarray
    x: np.ndarray
    cluster: np.ndarray
    index: pd.Index


def design(rows: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Return numeric columns ready for a regression.

    Parameters
    ----------
    rows : DataFrame
        One row a unit, no missing values in ``features``.
    features : sequence of str
        Numeric, boolean or text/category columns; the latter become 0/1 columns, the most frequent
        value is left out as reference.

    Returns
    -------
    DataFrame
        float columns on the index of ``rows``; columns that never vary or repeat others are left
        out.
    """
    _need.columns(rows, features, "协变量矩阵")
    parts = []
    for name in features:
        column = rows[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            parts.append(column.astype(float).to_frame(name))
            continue
        counts = column.astype(str).value_counts()
        order = counts.reset_index().sort_values(["count", name], ascending=[False, True])[name]
        values = order.iloc[1:]
        parts.append(pd.DataFrame({f"{name}={v}": (column == v).astype(float) for v in values}))
    table = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=rows.index)
    table = table.loc[:, table.std(ddof=0) > 1e-12]
    if table.shape[1] == 0:
        return table
    scaled = (table - table.mean()) / table.std(ddof=0)
    triangle = np.abs(np.diag(np.linalg.qr(scaled.to_numpy(), mode="r")))
    kept = triangle > 1e-8 * np.sqrt(len(table))
    return table.iloc[:, np.flatnonzero(kept)] if len(kept) == table.shape[1] else table


def sample(
    rows: pd.DataFrame,
    treated: str,
    features: Sequence[str],
    outcome: str | None = None,
    cluster: str | None = None,
    separate: bool = True,
) -> Sample:
    """Return the arrays; ``separate``: a model is fitted in each group, so each must suffice."""
    used = [treated, *features, *([outcome] if outcome else []), *([cluster] if cluster else [])]
    _need.columns(rows, used, "组间比较")
    data = rows[list(dict.fromkeys(used))].dropna()
    t = data[treated].astype(float).to_numpy()
    _need.enough(
        set(np.unique(t)) == {0.0, 1.0},
        f"分组列“{treated}”必须同时有 0 和 1（或 False 和 True），请检查筛选条件。",
    )
    table = design(data, features)
    smaller = int(min(t.sum(), (1 - t).sum()))
    enough = smaller > table.shape[1] + 1 if separate else len(data) > table.shape[1] + 3
    _need.enough(
        enough and smaller > 1,
        f"分组列“{treated}”里较小的一组只有 {smaller} 行，"
        f"不够校正 {table.shape[1]} 个协变量，请放宽筛选或减少协变量。",
    )
    scale = table.std(ddof=0).to_numpy()
    x = (table.to_numpy() - table.mean().to_numpy()) / scale
    x = np.column_stack([np.ones(len(data)), x])
    y = data[outcome].astype(float).to_numpy() if outcome else np.zeros(len(data))
    codes = pd.factorize(data[cluster])[0] if cluster else np.arange(len(data))
    return Sample(y, t, x, codes, data.index)


def logit(t: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the logit coefficients by Newton's method (identical to maximum likelihood)."""
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(t.mean() / (1 - t.mean()))
    for _ in range(50):
        p = expit(x @ beta)
        weight = np.maximum(p * (1 - p), 1e-10)
        step = np.linalg.pinv((x * weight[:, None]).T @ x) @ (x.T @ (t - p))
        step *= min(1.0, 5.0 / max(np.abs(step).max(), 1e-12))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return beta


def expit(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(value, -30, 30)))
