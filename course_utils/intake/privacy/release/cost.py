"""What a class release costs: how far the key figures of the lessons move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: Tiers of monthly assets, 元.
TIERS = (10_000, 50_000, 200_000, 500_000, 1_000_000)
#: A customer falls if the last three months are below this share of the three before.
FALLS = 0.8


@dataclass(frozen=True)
class Cost:
    """Errors of key figures; shares between 0 and 1.

    Parameters
    ----------
    total : float
        Relative error of the bank's total of the last month.
    variation : float
        Median relative error of customers' coefficient of variation over the months.
    falling : float
        Share of customers whom both call falling, or both not.
    tiers : float
        Share of customers in the same tier.
    """

    total: float
    variation: float
    falling: float
    tiers: float


def cost_of(true: np.ndarray, released: np.ndarray) -> Cost:
    """Compare a customer's monthly assets, one row a customer, one column a month, 元."""
    import numpy as np

    true, released = np.nan_to_num(true), np.nan_to_num(released)
    total = abs(released[:, -1].sum() / max(true[:, -1].sum(), 1) - 1)
    some = true.mean(axis=1) >= 1_000
    if not some.any():
        some[:] = True
    before, after = _variation(true[some]), _variation(released[some])
    moves = before > 0.01
    variation = float(np.median(np.abs(after[moves] / before[moves] - 1))) if moves.any() else 0.0
    falling = float((_falls(true[some]) == _falls(released[some])).mean())
    tiers = np.digitize(true[:, -1], TIERS) == np.digitize(released[:, -1], TIERS)
    return Cost(float(total), variation, falling, float(tiers.mean()))


def _variation(amounts: np.ndarray) -> np.ndarray:
    return amounts.std(axis=1) / amounts.mean(axis=1).clip(min=1)


def _falls(amounts: np.ndarray) -> np.ndarray:
    if amounts.shape[1] < 6:
        return amounts[:, -1] < 0
    return amounts[:, -3:].sum(axis=1) < FALLS * amounts[:, -6:-3].sum(axis=1)
