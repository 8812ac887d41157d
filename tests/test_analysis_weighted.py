"""Weighted rates and lifts: hand-worked cases."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import experiment, weighted
from course_utils.errors import CourseError


def test_equal_weights_give_the_plain_wilson_interval():
    flag = pd.Series([1, 1, 0, 0, 0, 0, 0, 0, 1, 0])
    table = weighted.rates(flag, pd.Series(7.0, index=flag.index))
    plain = experiment.wilson(3, 10).iloc[0]
    assert table.loc["合计", "effective"] == pytest.approx(10)
    assert table.loc["合计", ["rate", "low", "high"]].tolist() == pytest.approx(plain.tolist())


def test_uneven_weights_move_the_rate_and_widen_the_interval():
    flag = pd.Series([True, False, False, True])
    weight = pd.Series([1.0, 1.0, 4.0, 4.0])
    group = pd.Series(["甲", "甲", "乙", "乙"])
    row = weighted.rates(flag, weight).iloc[0]
    assert row["rate"] == pytest.approx(0.5)
    assert row["effective"] == pytest.approx(100 / 34)
    even = experiment.wilson(2, 4).iloc[0]
    assert row["high"] - row["low"] > even["high"] - even["low"]
    both = weighted.rates(flag, weight, group)
    assert both["n"].to_dict() == {"乙": 2, "甲": 2}
    assert both["weight"].to_dict() == {"乙": 8, "甲": 2}


def test_rates_refuse_nothing_and_zero_weights():
    empty = pd.Series([], dtype=float)
    with pytest.raises(CourseError):
        weighted.rates(empty, empty)
    with pytest.raises(CourseError):
        weighted.rates(pd.Series([1, 0]), pd.Series([1.0, 0.0]))


def test_lift_of_a_perfect_an_even_and_a_tied_score():
    actual = pd.Series([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    assert weighted.lift(actual, pd.Series(range(10, 0, -1))) == pytest.approx(5.0)
    assert weighted.lift(actual, pd.Series(range(10))) == 0.0
    assert weighted.lift(actual, pd.Series(np.zeros(10))) == pytest.approx(1.0)
    # one event above, the second ties with three others: half of the group of four fits
    tied = pd.Series([9, 5, 5, 5, 1, 1, 1, 1, 1, 1])
    assert weighted.lift(actual, tied) == pytest.approx((1 + 1 / 3) / 2 / 0.2)
    assert np.isnan(weighted.lift(actual * 0, tied))


def test_lift_counts_weights_not_rows():
    actual, score = pd.Series([1, 0, 1, 0]), pd.Series([4, 3, 2, 1])
    weight = pd.Series([2.0, 2.0, 8.0, 8.0])
    # the top 20 % of 20 customers are the first two rows: 2 events of 4, overall 10 of 20
    assert weighted.lift(actual, score, weight) == pytest.approx(1.0)
    assert weighted.lift(actual, score, weight, share=0.1) == pytest.approx(2.0)
