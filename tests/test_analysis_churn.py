"""Losses, ratios at a customer's own month, event ratios, spells cut at a change, AUC gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import churn, model, survival
from course_utils.errors import CourseError

MONTHS = pd.date_range("2024-01-31", periods=14, freq="ME")


def panel(**rows: list[float]) -> pd.DataFrame:
    """Return a panel of the given rows."""
    return pd.DataFrame(rows, index=MONTHS).T


def gone_at(month: int, money: float = 50_000.0, rest: float = 500.0) -> list[float]:
    """Return months with ``money`` until ``month`` and a rest from then on."""
    return [money if i < month else rest for i in range(len(MONTHS))]


def test_a_loss_is_seen_two_months_after_the_money_went():
    found = churn.first_loss(panel(a=gone_at(8), b=gone_at(99), c=gone_at(8, money=9_000)))
    assert list(found.index) == ["a"]
    assert found.loc["a", "month"] == MONTHS[10]
    assert found.loc["a", "leave"] == MONTHS[8]
    assert found.loc["a", "before"] == 50_000
    assert found.loc["a", "recent"] == 500


def test_who_was_lost_before_anything_could_be_judged_left_at_an_unknown_date():
    found = churn.first_loss(panel(a=gone_at(6)))
    assert found.loc["a", "month"] == MONTHS[8]
    assert pd.isna(found.loc["a", "leave"])


def test_the_first_loss_agrees_with_the_state_month_by_month():
    rng = np.random.default_rng(3)
    noisy = pd.DataFrame(
        rng.lognormal(10, 1.2, (300, 14)) * (rng.random((300, 14)) < 0.6), columns=MONTHS
    )
    states = churn.state_history(noisy)
    found = churn.first_loss(noisy)
    for customer, row in (states == "流失").iterrows():
        if row.any():
            assert found.loc[customer, "month"] == row.idxmax()
        else:
            assert customer not in found.index


def test_too_few_months_are_told():
    with pytest.raises(CourseError, match="至少需要 9 个月"):
        churn.first_loss(panel(a=gone_at(3)).iloc[:, :8])


def test_the_ratio_is_that_of_the_customers_own_month():
    frame = panel(a=gone_at(8), b=list(range(1, 15)), c=[0.0] * 14)
    month = pd.Series({"a": MONTHS[10], "b": MONTHS[12], "c": MONTHS[9]})
    ratio = churn.ratio_at(frame, month)
    assert ratio["a"] == pytest.approx(0.01)
    assert ratio["b"] == pytest.approx(12 / 7.5)
    assert np.isnan(ratio["c"])
    assert np.isnan(churn.ratio_at(frame, pd.Series({"a": MONTHS[5]}))["a"])
    last = churn.retention_ratio(frame)["ratio"]
    mine = churn.ratio_at(frame, pd.Series(MONTHS[-1], index=frame.index))
    pd.testing.assert_series_equal(mine, last)


def test_event_ratios_compare_the_lost_with_the_others():
    rng = np.random.default_rng(5)
    flags = pd.DataFrame(rng.random((4000, 14)) < 0.2, columns=MONTHS)
    flags.iloc[:2000, 9] = rng.random(2000) < 0.4
    event = pd.Series(MONTHS[10], index=flags.index[:2000])
    others = pd.Series(MONTHS[10], index=flags.index[2000:])
    curve = churn.event_ratios({"x": flags}, event, others)["x"]
    assert list(curve.index) == list(range(-6, 1))
    assert curve.loc[-1, "low"] < 2 < curve.loc[-1, "high"]
    assert curve.loc[-1, "low"] > 1.5
    assert curve.loc[-3, "low"] < 1 < curve.loc[-3, "high"]


def test_a_change_cuts_the_spell_and_later_time_is_left_out():
    spells = pd.DataFrame(
        {"entry": [0, 0, 2, 0], "stop": [10, 10, 5, 4], "event": [True, True, True, False]},
        index=list("abcd"),
    )
    change = pd.Series({"a": 8.0, "b": 2.0, "c": 1.0})
    got = survival.split_at_change(spells, change, 6).set_index("changed", append=True)
    assert got.loc[("a", False)].tolist() == [0, 8, False]
    assert got.loc[("a", True)].tolist() == [8, 10, True]
    assert got.loc[("b", True)].tolist() == [2, 8, False]
    assert ("c", False) not in got.index
    assert got.loc[("c", True)].tolist() == [2, 5, True]
    assert got.loc[("d", False)].tolist() == [0, 4, False]
    assert ("d", True) not in got.index


def test_the_gap_of_two_aucs_and_its_error_agree_with_the_definition_and_the_bootstrap():
    rng = np.random.default_rng(11)
    y = pd.Series((rng.random(3000) < 0.1).astype(int))
    good, weak = y + rng.normal(0, 1.2, 3000), 0.4 * y + rng.normal(0, 1.2, 3000).round(1)
    found = model.auc_gap(y, good, weak)
    assert found["gap"] == pytest.approx(model.auc(y, good) - model.auc(y, weak))
    draws = []
    for _ in range(60):
        rows = rng.integers(0, 3000, 3000)
        draws.append(
            model.auc(y.iloc[rows], good.iloc[rows]) - model.auc(y.iloc[rows], weak.iloc[rows])
        )
    assert (found["high"] - found["low"]) / (2 * 1.96) == pytest.approx(np.std(draws), rel=0.3)
    assert model.auc_gap(y, good, good)["low"] == 0
    assert np.isnan(model.auc_gap(0 * y, good, weak)["gap"])
