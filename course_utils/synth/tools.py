"""Small vectorised tools that several generators share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.errors import CourseError


def setting(world: Mapping[str, Any], name: str) -> Any:
    """Return one setting of the profile's ``world`` part; CourseError if it is missing."""
    if name not in world:
        raise CourseError(
            f"银行档案 bank.yml 的 world 部分缺少“{name}”，请对照示例银行的档案补上这一行。"
        )
    return world[name]


def ids(prefix: str, numbers: np.ndarray, width: int) -> np.ndarray:
    """Return id strings ``prefix + zero-padded number``, vectorised.

    Parameters
    ----------
    prefix : str
        Letter in front, for example ``"C"``.
    numbers : numpy.ndarray of int, shape (n,)
        Numbers, not negative.
    width : int
        Digits after the prefix.

    Returns
    -------
    numpy.ndarray of object, shape (n,)
    """
    numbers = np.asarray(numbers, dtype=np.int64)
    codes = np.empty((len(numbers), width + len(prefix)), dtype=np.uint32)
    for i, letter in enumerate(prefix):
        codes[:, i] = ord(letter)
    rest = numbers.copy()
    for i in range(width - 1, -1, -1):
        codes[:, len(prefix) + i] = rest % 10 + 48
        rest //= 10
    return codes.view(f"<U{width + len(prefix)}").ravel().astype(object)


def hex_hash(tag: str, numbers: np.ndarray) -> np.ndarray:
    """Return 16-digit hexadecimal pseudonyms of integers (splitmix64), vectorised.

    Equal numbers under the same tag give equal pseudonyms; the tag separates kinds of id. The
    first digit is a letter, so that no pseudonym is all digits and looks like a card number.
    """
    seed = np.uint64(int.from_bytes(tag.encode("utf-8")[:8].ljust(8, b"\0"), "little"))
    with np.errstate(over="ignore"):
        z = np.asarray(numbers, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + seed
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    digits = (z[:, None] >> (np.uint64(4) * np.arange(15, -1, -1, dtype=np.uint64))) & np.uint64(15)
    digits[:, 0] = 10 + digits[:, 0] % 6
    letters = np.frombuffer(b"0123456789abcdef", dtype=np.uint8).astype(np.uint32)
    return letters[digits.astype(np.intp)].view("<U16").ravel().astype(object)


def pick(rng: np.random.Generator, probabilities: np.ndarray) -> np.ndarray:
    """Draw one column for each row of a probability matrix.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random stream.
    probabilities : numpy.ndarray of float, shape (n, k)
        Rows need not sum to one.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
    """
    edges = np.cumsum(probabilities, axis=1)
    draw = rng.random(len(edges)) * edges[:, -1]
    return (draw[:, None] >= edges).sum(axis=1).clip(0, edges.shape[1] - 1)


def shares(values: Sequence[float]) -> np.ndarray:
    """Return the values scaled to sum to one."""
    array = np.asarray(values, dtype=float)
    return array / array.sum()


def split_integer(total: int, weights: np.ndarray) -> np.ndarray:
    """Split a whole number in proportion to weights (largest remainder); the parts sum exactly."""
    exact = total * np.asarray(weights, dtype=float) / np.sum(weights)
    parts = np.floor(exact).astype(np.int64)
    missing = int(total - parts.sum())
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[:missing]] += 1
    return parts


def standardise(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return values with (weighted) mean 0 and standard deviation 1."""
    mean = np.average(values, weights=weights)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=weights))
    return (values - mean) / deviation


def logistic(values: np.ndarray) -> np.ndarray:
    """Return the logistic function of the values."""
    return 1.0 / (1.0 + np.exp(-values))


def calibrated(score: np.ndarray, share: float, weights: np.ndarray | None = None) -> np.ndarray:
    """Return probabilities ``logistic(score + c)`` whose (weighted) mean is `share`.

    The constant is found by bisection, so that a level can be planted without changing who is
    likelier than whom. Newton's method first finds a narrow bracket: the bisection need not
    evaluate anything outside of it.
    """
    below, above = _bracket(score, share, weights)
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        if middle <= below:
            low = middle
        elif middle >= above:
            high = middle
        elif np.average(logistic(score + middle), weights=weights) < share:
            low = middle
        else:
            high = middle
    return logistic(score + (low + high) / 2)


def _bracket(score: np.ndarray, share: float, weights: np.ndarray | None) -> tuple[float, float]:
    """Return two constants that surely give a mean below and above `share`; else infinities."""
    constant, width, clear = 0.0, 1e-10, 1e-13
    for _ in range(12):
        chance = logistic(score + constant)
        gap = np.average(chance, weights=weights) - share
        if abs(gap) < 1e-13:
            break
        slope = np.average(chance * (1 - chance), weights=weights)
        step = gap / slope if slope > 0 else np.inf
        if not abs(step) < 8:
            return -np.inf, np.inf
        constant -= step
    below, above = constant - width, constant + width
    low = np.average(logistic(score + below), weights=weights)
    high = np.average(logistic(score + above), weights=weights)
    sure = low < share - clear and high > share + clear
    return (below, above) if sure else (-np.inf, np.inf)


def draw_days(rng: np.random.Generator, first: pd.Timestamp, last: pd.Timestamp, count: int):
    """Draw `count` days between two dates, both included, as a datetime64[s] array."""
    days = (last - first).days
    start = np.datetime64(first.date(), "D")
    return (start + rng.integers(0, days + 1, count)).astype("datetime64[s]")
