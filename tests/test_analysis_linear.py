"""Least squares with robust intervals: the planted effects are found, missing rows left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import experiment
from course_utils.errors import CourseError


def test_planted_effects_are_found() -> None:
    rng = np.random.default_rng(7)
    many, size = rng.random(4000) < 0.4, rng.normal(12, 1, 4000)
    growth = 0.2 * many - 0.1 * size + rng.normal(0, 0.1 + 0.2 * many, 4000)
    rows = pd.DataFrame({"growth": growth, "many": many, "size": size})
    rows.loc[:9, "growth"] = np.nan
    table = experiment.linear(rows, "growth", ["many", "size"])
    assert table.attrs["n"] == 3990
    assert (table["low"] < [0.2, -0.1]).all() and (table["high"] > [0.2, -0.1]).all()
    assert table.loc["many", "high"] - table.loc["many", "low"] == pytest.approx(0.0304, abs=0.002)


def test_too_few_rows_are_refused() -> None:
    rows = pd.DataFrame({"growth": [0.1, 0.2], "many": [0, 1]})
    with pytest.raises(CourseError, match="样本太少"):
        experiment.linear(rows, "growth", ["many"])
