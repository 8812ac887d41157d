"""Vectorised building blocks of the credit book: dates, balanced draws, raking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def add_months(dates: np.ndarray, months: np.ndarray | int) -> np.ndarray:
    """Shift dates by whole months, keeping the day of the month.

    Parameters
    ----------
    dates : ndarray of datetime64[D]
        Dates whose day is 1-28, so that every shifted date exists.
    months : ndarray of int or int
        Number of months, may be negative.

    Returns
    -------
    ndarray of datetime64[D]
        Shifted dates.
    """
    month = dates.astype("M8[M]")
    day = dates - month.astype("M8[D]")
    return (month + np.asarray(months).astype("m8[M]")).astype("M8[D]") + day


def clip_day(dates: np.ndarray, last: int = 28) -> np.ndarray:
    """Move dates after the `last` day of their month back to that day."""
    month = dates.astype("M8[M]").astype("M8[D]")
    return month + np.minimum(dates - month, np.timedelta64(last - 1, "D"))


def month_number(dates: np.ndarray) -> np.ndarray:
    """Return months since 1970-01 (int64) of an array of dates."""
    return dates.astype("M8[M]").astype(np.int64)


def month_end(numbers: np.ndarray) -> np.ndarray:
    """Return the last day of months given as months since 1970-01."""
    return (np.asarray(numbers) + 1).astype("M8[M]").astype("M8[D]") - np.timedelta64(1, "D")


def days(dates: pd.Series | pd.DatetimeIndex | np.ndarray) -> np.ndarray:
    """Return dates of any pandas or NumPy kind as datetime64[D]."""
    return np.asarray(dates, dtype="M8[D]")


def timestamps(dates: np.ndarray) -> np.ndarray:
    """Return dates with second resolution, the unit in which tables keep them."""
    return dates.astype("M8[s]")


def by_code(codes: np.ndarray, names: Sequence[str]) -> pd.Categorical:
    """Return a code column: position in `names` per row; -1 means missing."""
    return pd.Categorical.from_codes(np.asarray(codes, dtype=np.int32), list(names))


def balanced(rng: np.random.Generator, chance: np.ndarray, *order: np.ndarray) -> np.ndarray:
    """Draw yes/no with given chances, spread evenly over the strata in `order`.

    Systematic sampling: rows are sorted by `order` (random within ties) and one yes is drawn each
    time the running sum of the chances passes a whole number. Every row keeps exactly its chance,
    while the number of yes in any run of strata differs from its expectation by less than one. A
    class sees one draw of the bank, so planted rates must not hang on luck.

    Parameters
    ----------
    rng : Generator
        Random stream.
    chance : ndarray of float
        Probability of yes, 0-1.
    *order : ndarray
        Strata, most important first.

    Returns
    -------
    ndarray of bool
        The draw.
    """
    chance = np.clip(np.asarray(chance, dtype=float), 0.0, 1.0)
    if len(chance) == 0:
        return np.zeros(0, dtype=bool)
    keys = (rng.random(len(chance)), *reversed(order))
    position = np.lexsort(keys)
    running = np.cumsum(chance[position]) + rng.random()
    yes = np.floor(running) > np.floor(
        np.concatenate(([running[0] - chance[position[0]]], running[:-1]))
    )
    result = np.zeros(len(chance), dtype=bool)
    result[position] = yes
    return result


def spread(rng: np.random.Generator, *order: np.ndarray) -> np.ndarray:
    """Draw uniforms (0-1) that are evenly spread over the strata in `order`."""
    count = len(order[0])
    position = np.lexsort((rng.random(count), *reversed(order)))
    result = np.empty(count)
    result[position] = (np.arange(count) * 0.6180339887498949 + rng.random()) % 1.0
    return result


def rake(
    chance: np.ndarray,
    factors: Sequence[tuple[np.ndarray, np.ndarray, float]],
    total: float,
    rounds: int = 25,
    ceiling: float = 0.75,
) -> np.ndarray:
    """Scale chances until every factor has its rate ratio and the mean its level.

    Iterative proportional fitting on probabilities.

    Parameters
    ----------
    chance : ndarray of float
        Starting probabilities.
    factors : sequence of (ndarray of bool, ndarray of bool, float)
        Exposed rows, reference rows, wanted ratio of their mean probabilities. The exposed rows
        are scaled.
    total : float
        Wanted mean over all rows.
    rounds : int
        Number of passes.
    ceiling : float
        Largest probability.

    Returns
    -------
    ndarray of float
        Probabilities whose ratios and mean are as wanted (as far as the ceiling allows).
    """
    result = np.asarray(chance, dtype=float).copy()
    if len(result) == 0:
        return result
    used = [
        (exposed, base, ratio) for exposed, base, ratio in factors if exposed.any() and base.any()
    ]
    for _ in range(rounds):
        for exposed, base, ratio in used:
            mean = result[exposed].mean()
            if mean > 0:
                result[exposed] *= ratio * result[base].mean() / mean
        result = np.minimum(result * (total / result.mean()), ceiling)
    return result


def top_weighted(
    rng: np.random.Generator, weight: np.ndarray, count: int, allowed: np.ndarray
) -> np.ndarray:
    """Choose `count` rows without replacement, with chances proportional to `weight`.

    Returns
    -------
    ndarray of int
        Positions of chosen rows (fewer than `count` if fewer are allowed), ascending.
    """
    rows = np.flatnonzero(allowed & (weight > 0))
    count = min(int(count), len(rows))
    if count <= 0:
        return np.zeros(0, dtype=np.int64)
    keys = np.log(weight[rows]) + rng.gumbel(size=len(rows))
    return np.sort(rows[np.argpartition(-keys, count - 1)[:count]])
