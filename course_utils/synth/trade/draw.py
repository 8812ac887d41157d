"""Small vectorised drawing tools that the trade, behaviour and staff generators share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

CENT = 100


def systematic_uniform(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return `count` uniforms that cover (0, 1) evenly, in random order.

    Comparing them with a probability gives a share that differs from the probability by at most
    ``1 / count``: a balanced draw, so that a small arm of an experiment shows its planted rate.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random stream.
    count : int
        How many numbers.

    Returns
    -------
    numpy.ndarray
        Float array of shape ``(count,)``.
    """
    return (rng.permutation(count) + rng.random(count)) / max(count, 1)


def systematic_normal(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return `count` balanced standard normal numbers with mean 0 and variance 1, shuffled."""
    if count < 2:
        return np.zeros(count)
    from scipy.special import ndtri

    z = ndtri((np.arange(count) + 0.5) / count)
    return rng.permutation(z / z.std())


def coded(codes: np.ndarray, labels: Sequence[str]) -> pd.Categorical:
    """Return a categorical column from integer codes (-1 = missing) and its labels."""
    return pd.Categorical.from_codes(codes, categories=list(labels))


def weighted_choice(
    rng: np.random.Generator, weights: Sequence[float] | np.ndarray, count: int
) -> np.ndarray:
    """Return `count` positions drawn with probability proportional to `weights`."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    return np.searchsorted(edges / edges[-1], rng.random(count), side="right").clip(
        0, len(edges) - 1
    )


def group_offsets(counts: np.ndarray) -> np.ndarray:
    """Return where each group starts when groups of the given sizes lie one after another."""
    return np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)


def split_cents(totals: np.ndarray, counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Split integer totals into parts that sum exactly to them.

    Every part is at least one cent where the total allows it.

    Parameters
    ----------
    totals : numpy.ndarray
        Integer cents of each group, shape ``(groups,)``.
    counts : numpy.ndarray
        Parts of each group, shape ``(groups,)``; a group with zero parts must have total 0.
    weights : numpy.ndarray
        Positive weights of all parts, group after group, shape ``(counts.sum(),)``.

    Returns
    -------
    numpy.ndarray
        Integer cents, shape ``(counts.sum(),)``.
    """
    totals = np.asarray(totals, dtype=np.int64)
    counts = np.asarray(counts, dtype=np.int64)
    used = counts > 0
    totals, counts = totals[used], counts[used]
    if len(counts) == 0:
        return np.zeros(0, dtype=np.int64)
    starts = group_offsets(counts)
    floor = (totals >= counts).astype(np.int64)
    spare = totals - floor * counts
    sums = np.add.reduceat(weights, starts)
    group = np.repeat(np.arange(len(counts)), counts)
    parts = np.floor(weights * (spare / sums)[group]).astype(np.int64)
    rest = spare - np.add.reduceat(parts, starts)
    parts += floor[group]
    # rounding of large totals may leave a few cents: the first part takes them
    parts[starts] += rest
    return parts


def to_yuan(cents: np.ndarray) -> np.ndarray:
    """Return integer cents as 元 with exact cents."""
    return np.asarray(cents) / CENT
