"""The daily shapes of demand money: the Spring Festival inflow and the quarter-end push."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.book import day_number

#: The inflow starts this many days before the first lunar day and peaks on the eighth.
CNY_START, CNY_PEAK = -20, 7
#: Days of the quarter-end push before and after the last day of the quarter.
PUSH_BEFORE, PUSH_AFTER = 5, 8


def cny_shape(offset: np.ndarray, half_life: float) -> np.ndarray:
    """Return the part of the Spring Festival inflow present so many days after 初一.

    Parameters
    ----------
    offset : numpy.ndarray of float
        Days since the first lunar day (negative before).
    half_life : float
        Days from the peak until half of the inflow has left; one third remains on day +60.

    Returns
    -------
    numpy.ndarray of float
        0 before the window, 1 at the peak.
    """
    rise = (offset - CNY_START) / (CNY_PEAK - CNY_START)
    half = CNY_PEAK + half_life
    slow = np.log(1.5) / (60.0 - half) if half < 60 else np.log(2) / half_life
    fall = np.where(
        offset <= half,
        0.5 ** ((offset - CNY_PEAK) / half_life),
        0.5 * np.exp(-slow * (offset - half)),
    )
    return np.where(offset <= CNY_START, 0.0, np.where(offset <= CNY_PEAK, rise, fall))


def cny_curve(calendar: pd.DataFrame, days: np.ndarray, half_life: float) -> np.ndarray:
    """Return the inflow shape on each day, all festivals of the calendar added up."""
    first = calendar.loc[calendar["days_to_cny"] == 0, "date"]
    curve = np.zeros(len(days))
    for new_year in day_number(first):
        curve += cny_shape((days - new_year).astype(float), half_life)
    return curve


def push_shape(offset: np.ndarray) -> np.ndarray:
    """Return the part of the quarter-end push present so many days after the quarter's end."""
    before = (offset + PUSH_BEFORE + 1) / (PUSH_BEFORE + 1)
    after = 1 - offset / PUSH_AFTER
    inside = (offset > -PUSH_BEFORE - 1) & (offset < PUSH_AFTER)
    return np.where(inside, np.where(offset <= 0, before, after), 0.0)
