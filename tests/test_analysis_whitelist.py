"""White lists and regressions of rates and amounts against statsmodels and hand-worked cases."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from course_utils.analysis import glm, whitelist
from course_utils.errors import CourseError


def counts():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"old": rng.integers(0, 2, 400), "branch": rng.choice(list("甲乙丙"), 400)})
    rows["n"] = rng.integers(5, 60, 400)
    rate = (
        0.6
        * np.where(rows["old"] == 1, 0.5, 1.0)
        * rows["branch"].map({"甲": 1, "乙": 0.8, "丙": 1.2})
    )
    return rows.assign(
        called=rng.binomial(rows["n"], rate.clip(upper=0.95)), who=np.arange(400) // 2
    )


def test_rate_ratio_agrees_with_the_formula_interface_and_finds_the_half():
    rows = counts()
    got = glm.rate_ratios(rows, "called", "n", ["old"], ["branch"], cluster="who")
    import statsmodels.api as sm

    fit = smf.glm(
        "called ~ old + C(branch)", rows, family=sm.families.Poisson(), offset=np.log(rows["n"])
    ).fit(cov_type="cluster", cov_kwds={"groups": rows["who"]})
    assert got.loc["old", "ratio"] == pytest.approx(np.exp(fit.params["old"]))
    assert got.loc["old", ["low", "high"]].tolist() == pytest.approx(
        np.exp(fit.conf_int().loc["old"])
    )
    assert 0.46 < got.loc["old", "ratio"] < 0.54


def test_rate_ratio_of_two_groups_is_the_plain_ratio():
    rows = pd.DataFrame({"c": [9, 21, 6, 8, 7], "n": [20, 40, 30, 45, 25], "g": [0, 0, 1, 1, 1]})
    got = glm.rate_ratios(rows, "c", "n", ["g"])
    assert got.loc["g", "ratio"] == pytest.approx((21 / 100) / (30 / 60))
    with pytest.raises(CourseError, match="样本太少"):
        glm.rate_ratios(rows.head(3), "c", "n", ["g"])


def test_amounts_follow_a_gamma_with_log_link():
    rng = np.random.default_rng(5)
    x = rng.normal(size=3000)
    rows = pd.DataFrame({"x": x, "amount": rng.gamma(4, np.exp(9 + 0.7 * x) / 4)})
    model = glm.fit_amount(rows, "amount", ["x"])
    assert model.ratios.loc["x", "low"] < np.exp(0.7) < model.ratios.loc["x", "high"]
    assert model.predict(rows).mean() == pytest.approx(rows["amount"].mean(), rel=0.05)
    group = pd.DataFrame({"x": [0, 0, 0, 0, 1, 1, 1, 1], "amount": [1.0, 2, 3, 4, 10, 20, 30, 60]})
    fit = glm.fit_amount(group, "amount", ["x"])
    assert fit.predict(pd.DataFrame({"x": [0, 1]})).tolist() == pytest.approx([2.5, 30])
    with pytest.raises(CourseError, match="大于零"):
        glm.fit_amount(group.assign(amount=0.0), "amount", ["x"])


def test_features_know_nothing_of_the_month_of_issue_or_later():
    months = pd.DataFrame(
        {"customer_id": ["a"] * 5, "month": pd.date_range("2025-01-31", periods=5, freq="ME"),
         "aum": [1.0, 2, 4, 8, 16]}
    )  # fmt: skip
    rows = pd.DataFrame(
        {"customer_id": ["a", "b", "a"],
         "list_date": pd.to_datetime(["2025-04-10", "2025-04-10", "2025-06-10"])}, index=[7, 8, 9],
    )  # fmt: skip
    got = whitelist.known_then(rows, months, ["aum"], window=2)
    assert got.loc[[7, 9], "aum"].tolist() == [3.0, 12.0]  # Feb+Mar; Apr+May
    assert np.isnan(got.loc[8, "aum"])


def test_call_weights_make_units_count_alike():
    rows = pd.DataFrame(
        {
            "m": ["x"] * 400 + ["y"] * 400,
            "called": [True] * 320 + [False] * 80 + [True] * 80 + [False] * 320,
        }
    )
    weight = whitelist.call_weights(rows, "m")
    share = weight.groupby(rows["m"]).sum() / weight.sum()
    assert share["x"] == pytest.approx(0.5, abs=0.02)  # 320 and 80 calls stand for 400 rows each
    assert weight.mean() == pytest.approx(1)


def test_adoption_counts_a_unit_from_the_day_its_share_is_done():
    rows = pd.DataFrame(
        {"who": ["a"] * 4 + ["b"] * 2 + ["c"], "batch": [1] * 7,
         "day": [3.0, 1.0, 9.0, np.nan, 2.0, np.nan, np.nan]}
    )  # fmt: skip
    got = whitelist.adoption(rows, "who", "batch", "day", share=0.5, until=4)
    # a needs two of four (done on day 3), b one of two (day 2), c never
    assert got[1].tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 2 / 3])
    with pytest.raises(CourseError, match="动起来"):
        whitelist.adoption(rows, "who", "batch", "day", share=0)


def test_branch_factor_by_hand():
    got = whitelist.branch_factor(pd.Series([8, 0]), pd.Series([3.0, 5.0]), prior=5)
    assert got.tolist() == pytest.approx([(8 + 5) / 8, 5 / 10])
    assert whitelist.branch_factor(pd.Series([0, 0]), pd.Series([1.0, 1.0])).tolist() == [1, 1]


def test_snake_deals_there_and_back_until_full():
    got = whitelist.snake(range(8), ["甲", "乙", "丙"], 2)
    assert got == ["甲", "乙", "丙", "丙", "乙", "甲", None, None]
    assert whitelist.snake(range(2), [], 5) == [None, None]


def test_age_bands_leave_out_the_first():
    got = whitelist.wave(pd.Series([18, 28, 37, 38, np.nan]), [18, 28, 38, 60])
    assert list(got.columns) == ["age_28", "age_38"]
    assert got.to_numpy().tolist() == [[0, 0], [1, 0], [1, 0], [0, 1], [0, 0]]


def test_weighted_rows_count_as_often_as_their_weight():
    from course_utils.analysis import model

    rng = np.random.default_rng(8)
    x = rng.normal(size=600)
    rows = pd.DataFrame({"x": x, "y": (rng.random(600) < 1 / (1 + np.exp(1 - x))).astype(int)})
    twice = pd.Series(np.where(rows["y"] == 1, 2.0, 1.0))
    doubled = pd.concat([rows, rows[rows["y"] == 1]])
    for fit in (model.fit_logit, model.fit_boosting):
        a, b = fit(rows, ["x"], "y", weight=twice), fit(rows, ["x"], "y")
        seen = np.average(a.predict(rows), weights=twice)
        assert seen == pytest.approx(doubled["y"].mean(), abs=0.03)
        assert a.predict(rows).mean() > b.predict(rows).mean() + 0.05
        with pytest.raises(CourseError, match="训练权数"):
            fit(rows, ["x"], "y", weight=twice.head(10))
