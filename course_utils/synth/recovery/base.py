"""What it means to recover a planted truth: one registered estimator for each truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from course_utils.bank import Profile

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Recovery:
    """Recipe that finds one planted truth again, from the published tables only.

    Parameters
    ----------
    lesson : str
        Lesson that plants the truth, for example ``"m02_n02"``.
    key : str
        Key of the truth in ``data/reference/planted_effects.csv``.
    estimate : callable
        ``estimate(tables, profile) -> float``. `tables` maps table names to the frames a class
        sees (no latent columns); the estimator works as a class would: a hold-out difference,
        a logit coefficient, a share.
    tolerance : float
        Largest accepted distance from the planted value, in units of the truth, or as a share
        of it when `relative` is true.
    relative : bool, default False
        Whether `tolerance` is a share of the planted value.
    null : float, optional
        Value of the truth when effects are switched off. Given only for causal effects; defects
        and levels are planted in both versions of the bank and leave it ``None``.
    planted : float, optional
        Number to compare with. By default the planted value, which must then be a number; give
        it when the planted value is text such as ``"B07:0.22,other:0.05"`` or a list.
    """

    lesson: str
    key: str
    estimate: Callable[[Tables, Profile], float]
    tolerance: float
    relative: bool = False
    null: float | None = None
    planted: float | None = None

    def target(self, planted: object) -> float:
        """Return the number that the estimate is compared with.

        Parameters
        ----------
        planted : object
            Parsed value of ``effects.planted(lesson, key)``.

        Returns
        -------
        float
            ``self.planted`` if given, otherwise `planted` as a number.

        Raises
        ------
        TypeError
            If the planted value is not a number and no `planted` was given.
        """
        if self.planted is not None:
            return float(self.planted)
        if isinstance(planted, bool) or not isinstance(planted, int | float):
            raise TypeError(f"{self.lesson}.{self.key}: give planted=, {planted!r} is no number")
        return float(planted)

    def width(self, target: float) -> float:
        """Return the accepted distance in units of the truth."""
        return self.tolerance * abs(target) if self.relative else self.tolerance

    def recovered(self, value: float, target: float) -> bool:
        """Say whether an estimate lies within the tolerance of the truth."""
        return bool(np.isfinite(value) and abs(value - target) <= self.width(target))

    def false_find(self, value: float, target: float) -> bool:
        """Say whether an estimate from a bank without effects claims an effect.

        An estimate that is not finite counts as a false find, so that a broken estimator shows.
        """
        if self.null is None:
            raise TypeError(f"{self.lesson}.{self.key} has no null version")
        return not (np.isfinite(value) and abs(value - self.null) <= self.width(target))
