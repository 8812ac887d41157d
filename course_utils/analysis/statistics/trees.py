"""Small decision trees to compare a hand-made points table with: fit, read, judge out of fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def fit(
    rows: pd.DataFrame,
    features: Sequence[str],
    target: str,
    weight: str | None = None,
    leaves: int = 4,
    smallest: int = 30,
) -> Any:
    """Fit a classification tree with at most ``leaves`` leaves (``leaves − 1`` questions).

    Parameters
    ----------
    rows : DataFrame
        One row a customer; features are numbers, missing ones count as 0.
    features : sequence of str
        Columns the tree may ask about.
    target : str
        0/1 column.
    weight : str, optional
        Column of sampling weights.
    leaves : int
        Most leaves.
    smallest : int
        Fewest rows a leaf may have.

    Returns
    -------
    sklearn.tree.DecisionTreeClassifier
    """
    from sklearn.tree import DecisionTreeClassifier

    _need.columns(rows, [*features, target, *([weight] if weight else [])], "决策树")
    _need.enough(rows[target].nunique() == 2, "结果只有一种取值，决策树没有东西可学。")
    tree = DecisionTreeClassifier(
        max_leaf_nodes=leaves, min_samples_leaf=min(smallest, len(rows) // 2), random_state=0
    )
    w = None if weight is None else rows[weight].to_numpy(dtype=float)
    return tree.fit(_matrix(rows, features), rows[target].astype(int), sample_weight=w)


def _matrix(rows: pd.DataFrame, features: Sequence[str]) -> np.ndarray:
    return rows[list(features)].fillna(0).to_numpy(dtype=float)


def score(tree: Any, rows: pd.DataFrame, features: Sequence[str]) -> pd.Series:
    """Return the event rate of each row's leaf."""
    return pd.Series(tree.predict_proba(_matrix(rows, features))[:, 1], index=rows.index)


def cross_fitted(
    rows: pd.DataFrame,
    features: Sequence[str],
    target: str,
    weight: str | None = None,
    leaves: int = 4,
    folds: int = 5,
    seed: int = 20251231,
) -> pd.Series:
    """Score every row by a tree that has not seen it (k folds in turn).

    Parameters
    ----------
    rows, features, target, weight, leaves
        As in :func:`fit`.
    folds : int
        Parts, each judged by the tree of the others.
    seed : int
        Of the random parts.

    Returns
    -------
    Series
        Rates, on the index of ``rows``.
    """
    _need.that(len(rows) >= 2 * folds, f"只有 {len(rows)} 行，分不成 {folds} 份，请减少份数。")
    part = np.random.default_rng(seed).permutation(len(rows)) % folds
    result = pd.Series(np.nan, index=rows.index)
    for k in range(folds):
        tree = fit(rows[part != k], features, target, weight, leaves)
        result[part == k] = score(tree, rows[part == k], features).to_numpy()
    return result


def leaves_table(
    tree: Any, features: Sequence[str], names: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return the leaves in words: the conditions on the way and what was found there.

    Parameters
    ----------
    tree : DecisionTreeClassifier
        From :func:`fit`.
    features : sequence of str
        The same order as in :func:`fit`.
    names : mapping, optional
        column -> Chinese name.

    Returns
    -------
    DataFrame
        ``condition``, ``n`` (rows), ``rate``; highest rate first.
    """
    inner, words = tree.tree_, dict(names or {})
    found: list[tuple[str, int, float]] = []

    def walk(node: int, conditions: list[str]) -> None:
        if inner.children_left[node] < 0:
            values = inner.value[node][0]
            rate = float(values[1] / values.sum()) if len(values) == 2 else float("nan")
            text = "且".join(conditions) or "全体"
            found.append((text, int(inner.n_node_samples[node]), rate))
            return
        column = features[inner.feature[node]]
        name, cut = words.get(column, column), f"{inner.threshold[node]:g}"
        walk(inner.children_left[node], [*conditions, f"{name}≤{cut}"])
        walk(inner.children_right[node], [*conditions, f"{name}>{cut}"])

    walk(0, [])
    table = pd.DataFrame(found, columns=["condition", "n", "rate"])
    return table.sort_values("rate", ascending=False, ignore_index=True)
