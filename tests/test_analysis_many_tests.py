"""Counts against expectation, their scatter, and many tests at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from course_utils.analysis import experiment
from course_utils.errors import CourseError


def test_scatter_of_weighted_counts_is_the_weight():
    rng = np.random.default_rng(5)
    expected = rng.uniform(50, 400, 4000)
    counts = rng.poisson(expected).astype(float)
    assert experiment.dispersion(counts, expected) == pytest.approx(1, abs=0.08)
    assert experiment.dispersion(20 * counts, 20 * expected) == pytest.approx(20, rel=0.08)
    spiked = counts.copy()
    spiked[:200] *= 5  # a twentieth of the cells is polished
    assert experiment.dispersion(spiked, expected) == pytest.approx(1, abs=0.2)
    with pytest.raises(CourseError, match="期望"):
        experiment.dispersion([1.0], [0.0])


def test_excess_by_hand():
    observed, expected = pd.Series([120.0, 90.0], ["A", "B"]), pd.Series([100.0, 100.0], ["A", "B"])
    got = experiment.excess(observed, expected)
    assert got["z"].tolist() == [2, -1] and got["ratio"].tolist() == [1.2, 0.9]
    assert got["p"].tolist() == pytest.approx([0.02275, 0.84134], abs=1e-5)
    assert experiment.excess(observed, expected, 4)["z"].tolist() == [1, -0.5]
    assert experiment.excess(observed, expected[::-1]).equals(got)


def test_false_discovery_is_benjamini_hochberg():
    rng = np.random.default_rng(11)
    for _ in range(20):
        p = pd.Series(np.concatenate([rng.random(30), rng.random(6) * 0.01]))
        want = multipletests(p.to_numpy(), 0.1, "fdr_bh")[0]
        assert experiment.false_discovery(p, 0.1).tolist() == want.tolist()
    p = pd.Series([0.011, 0.02, np.nan, 0.03, 0.9], list("abcde"))
    # lines for four tests: 0.0125 0.025 0.0375 0.05
    assert experiment.false_discovery(p).tolist() == [True, True, False, True, False]
    assert not experiment.false_discovery(pd.Series([0.2, 0.9])).any()
