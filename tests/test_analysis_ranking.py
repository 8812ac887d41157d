"""Funnel limits, shrinkage and standardised rates against hand-worked cases."""

import math

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import ranking
from course_utils.errors import CourseError


def test_funnel_limits_by_hand():
    limits = ranking.funnel_limits(pd.Series({"small": 25, "large": 2500, "none": 0}), 0.2)
    assert limits.loc["large", "high_95"] == pytest.approx(0.2 + 1.959964 * 0.4 / 50, abs=1e-6)
    assert limits.loc["large", "low_99.8"] == pytest.approx(0.2 - 3.090232 * 0.4 / 50, abs=1e-6)
    assert limits.loc["small", "low_99.8"] == 0.0  # clipped
    assert limits.loc["none"].isna().all()


def test_funnel_names_the_place_of_a_unit():
    n = pd.Series({"a": 10, "b": 1000, "c": 1000, "d": 0, "e": 1000})
    s = pd.Series({"a": 4, "b": 260, "c": 120, "d": 0, "e": 226})
    table = ranking.funnel(s, n, center=0.2)
    assert list(table["place"]) == ["正常波动", "明显偏高", "明显偏低", "没有样本", "偏高"]
    assert table.loc["b", "z"] == pytest.approx(0.06 / math.sqrt(0.16 / 1000))
    assert ranking.overall(s, n) == pytest.approx(610 / 3010)


def test_kappa_by_moments_solves_its_equation():
    s, n = pd.Series([2, 18, 10]), pd.Series([20, 40, 50])
    mean, total = 30 / 110, 110
    spread = sum(k * (a / k - mean) ** 2 for a, k in zip(s, n, strict=True))
    rho = (spread / (mean * (1 - mean)) - 2) / (total - sum(k * k for k in n) / total - 2)
    assert ranking.moments_kappa(s, n) == pytest.approx(1 / rho - 1)


def test_kappa_is_infinite_when_only_luck_differs():
    assert ranking.moments_kappa(pd.Series([10, 20]), pd.Series([50, 100])) == math.inf
    table = ranking.shrink(pd.Series([2, 3]), pd.Series([10, 10]))
    assert table["shrunk"].tolist() == [0.25, 0.25]
    assert table["rank"].tolist() == [1, 1]


def test_kappa_is_recovered_from_a_beta_binomial():
    rng = np.random.default_rng(20251231)
    n = pd.Series(rng.integers(20, 400, 3000))
    s = pd.Series(rng.binomial(n, rng.beta(0.2 * 30, 0.8 * 30, 3000)))
    assert ranking.moments_kappa(s, n) == pytest.approx(30, rel=0.1)


def test_shrink_by_hand():
    table = ranking.shrink(pd.Series({"a": 5, "b": 50}), pd.Series({"a": 10, "b": 290}), kappa=20)
    mean = 55 / 300
    assert table.loc["a", "shrunk"] == pytest.approx((5 + 20 * mean) / 30)
    assert table.loc["a", "weight"] == pytest.approx(1 / 3)
    assert table.loc["b", "weight"] == pytest.approx(290 / 310)
    assert table.attrs == {"kappa": 20.0, "mean": pytest.approx(mean)}
    assert (table["low"] < table["shrunk"]).all() and (table["shrunk"] < table["high"]).all()
    assert table["rank"].tolist() == [1, 2]


def test_small_unit_loses_the_first_place():
    s, n = (
        pd.Series({"tiny": 3, "big": 300, "mid": 60}),
        pd.Series({"tiny": 5, "big": 900, "mid": 400}),
    )
    table = ranking.shrink(s, n, kappa=50)
    assert table["rate"].idxmax() == "tiny" and table["rank"].idxmin() == "big"


def test_shrink_without_rows_is_the_mean():
    table = ranking.shrink(
        pd.Series({"a": 0, "b": 6, "c": 9}), pd.Series({"a": 0, "b": 20, "c": 60})
    )
    assert table.loc["a", "shrunk"] == pytest.approx(15 / 80)
    assert table.loc["a", "weight"] == 0.0


def _cases(unit, stratum, events, n):
    return pd.DataFrame(
        {"unit": unit, "age": stratum, "lost": [True] * events + [False] * (n - events)}
    )


def test_standardised_rates_remove_the_mix():
    # same rates by age (10 %, 50 %), opposite mix: raw rates differ, adjusted ones do not
    rows = pd.concat(
        [_cases("a", "young", 18, 180), _cases("a", "old", 10, 20),
         _cases("b", "young", 2, 20), _cases("b", "old", 90, 180)]
    )  # fmt: skip
    table = ranking.standardise(rows, "lost", "unit", "age")
    assert table["rate"].tolist() == pytest.approx([0.14, 0.46])
    assert table["adjusted"].tolist() == pytest.approx([0.3, 0.3])
    assert table["covered"].tolist() == pytest.approx([1.0, 1.0])
    # variance by hand for unit a, smoothed as documented
    p1, p2 = 18.5 / 181, 10.5 / 21
    v = 0.25 * p1 * (1 - p1) / 180 + 0.25 * p2 * (1 - p2) / 20
    n = 0.21 / v
    z = 1.959964
    center = (0.3 + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(0.21 / n + z**2 / (4 * n**2))
    assert table.loc["a", ["low", "high"]].tolist() == pytest.approx(
        [center - half, center + half], abs=1e-6
    )
    assert table.loc["a", "high"] - table.loc["a", "low"] > 0.1  # 20 old rows carry half


def test_standardised_rate_with_one_stratum_is_the_raw_rate():
    rows = pd.concat([_cases("a", "all", 3, 30), _cases("b", "all", 0, 12)])
    table = ranking.standardise(rows, "lost", "unit", "age")
    assert table["adjusted"].tolist() == pytest.approx(table["rate"].tolist())
    assert table.loc["b", "low"] == 0.0 and table.loc["b", "high"] > 0.05


def test_missing_stratum_is_told():
    rows = pd.concat(
        [_cases("a", "young", 1, 10), _cases("b", "young", 2, 10), _cases("b", "old", 4, 20)]
    )
    standard = pd.Series({"young": 1.0, "old": 3.0})
    table = ranking.standardise(rows, "lost", "unit", ["age"], standard)
    assert table["covered"].tolist() == pytest.approx([0.25, 1.0])
    assert table["adjusted"].tolist() == pytest.approx([0.1, 0.25 * 0.2 + 0.75 * 0.2])


def test_bad_counts_are_refused():
    for s, n in (([5], [4]), ([-1], [4]), ([0], [0])):
        with pytest.raises(CourseError):
            ranking.shrink(pd.Series(s), pd.Series(n))
    with pytest.raises(CourseError):
        ranking.funnel_limits(10, 1.2)


def test_the_sharpest_step_is_where_the_rate_jumps():
    age = pd.Series([*range(50, 70)] * 10, dtype=float)
    lost = age >= 60
    table = ranking.sharpest_step(age, lost, range(53, 68))
    assert table["z"].abs().idxmax() == 60
    # worked by hand at 60: rates 1 and 0, pooled 0.5, 100 rows on either side
    assert table.loc[60, ["n_above", "above", "below"]].tolist() == [100, 1.0, 0.0]
    assert table.loc[60, "z"] == pytest.approx(1 / math.sqrt(0.25 * (2 / 100)))
    assert 69 not in ranking.sharpest_step(age, lost, [60, 69], least=11).index
    with pytest.raises(CourseError):
        ranking.sharpest_step(age, lost, [90])
