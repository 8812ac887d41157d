"""Models, portfolio, allocation, FTP: against scikit-learn, brute force and hand-worked cases."""

import itertools

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import allocate, ftp, model, portfolio
from course_utils.errors import CourseError


# ---- model ---------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def months():
    rng = np.random.default_rng(11)
    n = 9000
    rows = pd.DataFrame(
        {
            "month": rng.choice(pd.date_range("2025-01-31", periods=9, freq="ME"), n),
            "x": rng.normal(size=n),
            "z": np.where(rng.random(n) < 0.1, np.nan, rng.random(n)),
            "noise": rng.normal(size=n),
        }
    )
    risk = -2.2 + 1.1 * rows["x"] + 1.5 * (rows["z"].fillna(0.5) > 0.7)
    rows["lost"] = (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(int)
    return rows


def test_time_split_never_looks_ahead(months):
    split = model.time_split(months)
    assert split.train["month"].max() < split.valid["month"].min()
    assert split.valid["month"].max() < split.test["month"].min()
    assert len(split.train) + len(split.valid) + len(split.test) == len(months)
    with pytest.raises(CourseError, match="至少需要 7 个月"):
        model.time_split(months[months["month"] < "2025-04-01"])


def test_boosting_is_calibrated_beats_noise_and_repeats(months):
    split = model.time_split(months)
    names = ["x", "z", "noise"]
    fitted = model.fit_boosting(split.train, names, "lost", split.valid, signs={"x": 1})
    p = fitted.predict(split.test)
    scores = model.judge(split.test["lost"], p)
    assert scores["auc"] > 0.72 and 0.75 < scores["slope"] < 1.3
    assert scores["top_decile_lift"] > 2
    again = model.fit_boosting(split.train, names, "lost", split.valid, signs={"x": 1})
    pd.testing.assert_series_equal(p, again.predict(split.test))
    steps = pd.DataFrame({"x": np.linspace(-3, 3, 50), "z": 0.5, "noise": 0.0})
    assert (np.diff(fitted.predict(steps)) >= -1e-12).all()  # the known sign is kept
    importance = model.permutation_importance(fitted, split.test, "lost")
    assert importance["feature"].iloc[0] == "x" and importance["feature"].iloc[-1] == "noise"
    logit = model.fit_logit(split.train, names, "lost", split.valid).predict(split.test)
    assert model.auc(split.test["lost"], logit) > 0.68
    with pytest.raises(CourseError, match="只有一种结果"):
        model.fit_boosting(split.train.assign(lost=0), names, "lost")
    with pytest.raises(CourseError, match="缺少列“z”"):
        fitted.predict(split.test.drop(columns="z"))


def test_metrics_against_scikit_learn():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import brier_score_loss, roc_auc_score

    rng = np.random.default_rng(2)
    p = pd.Series(np.round(rng.random(500), 2)).clip(0.01, 0.99)
    y = pd.Series((rng.random(500) < p**2).astype(int))
    assert model.auc(y, p) == pytest.approx(roc_auc_score(y, p))
    assert model.brier(y, p) == pytest.approx(brier_score_loss(y, p))
    x = np.log(p / (1 - p)).to_numpy()[:, None]
    reference = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(x, y)
    got = model.calibration_slope(y, p)
    assert got["slope"] == pytest.approx(reference.coef_[0, 0], rel=1e-4)
    assert got["intercept"] == pytest.approx(reference.intercept_[0], rel=1e-4)
    assert np.isnan(model.auc(pd.Series([1, 1]), p[:2]))


def test_calibration_slope_of_overconfident_scores_is_below_one():
    rng = np.random.default_rng(4)
    logit = rng.normal(-1, 1, 20_000)
    y = rng.random(20_000) < 1 / (1 + np.exp(-logit))
    extreme = 1 / (1 + np.exp(-2 * logit))
    assert model.calibration_slope(y, extreme)["slope"] == pytest.approx(0.5, abs=0.03)


def test_lift_gain_reliability_by_hand():
    y = pd.Series([1, 1, 0, 1, 0, 0, 0, 0, 0, 0])
    score = pd.Series(np.linspace(1, 0.1, 10))
    table = model.lift_table(y, score, groups=5)
    assert table["rate"].tolist() == [1.0, 0.5, 0.0, 0.0, 0.0]
    assert table["lift"].iloc[0] == pytest.approx(1 / 0.3)
    assert table["captured"].iloc[1] == pytest.approx(1.0)
    assert model.top_lift(y, score, 0.2) == pytest.approx(1 / 0.3)
    gain = model.gain_table(y, score, points=11)
    assert gain.loc[2, "found"] == pytest.approx(2 / 3) and gain["found"].is_monotonic_increasing
    reliable = model.reliability_table(y, score, groups=2)
    assert reliable["observed"].tolist() == pytest.approx([0.0, 0.6])
    assert reliable["count"].sum() == 10


# ---- portfolio -----------------------------------------------------------------------------
def test_wallet_by_hand():
    table = portfolio.wallet(
        pd.Series([100.0, 100.0, 0.0]),
        pd.Series([80.0, 10.0, 0.0]),
        pd.Series([20.0, 50.0, 0.0]),
        pd.Series([40.0, -5.0, np.nan]),
    )
    assert table["wallet"].tolist() == [200.0, 100.0, 0.0]
    assert table["wallet_share"][0] == 0.5 and table["wallet_share"][1] == 1.0
    assert np.isnan(table["wallet_share"][2])


def test_income_model_compares_like_with_like():
    aum = pd.Series([10.0, 20.0, 30.0, 5.0])
    income = pd.Series([10.0, 10.0, 10.0, np.nan])
    cells = pd.DataFrame({"cell": ["a", "a", "a", "a"]})
    saving = portfolio.income_model_saving(aum, income, cells, quantile=1.0)
    assert saving.tolist() == [20.0, 10.0, 0.0, 0.0]


def test_familiarity_counts_conditions():
    parts = pd.DataFrame([[True, True, False, None, True]], columns=portfolio.FAMILIARITY_PARTS)
    assert portfolio.familiarity(parts).tolist() == [60]


def test_concentration_by_hand_and_with_weights():
    amounts = pd.Series([0.0, 0.0, 0.0, 100.0])
    assert portfolio.gini(amounts) == pytest.approx(0.75)
    assert portfolio.gini(pd.Series([5.0] * 8)) == pytest.approx(0.0, abs=1e-12)
    assert portfolio.top_share(amounts, 0.25) == pytest.approx(1.0)
    weighted = portfolio.gini(pd.Series([0.0, 100.0]), pd.Series([3, 1]))
    assert weighted == pytest.approx(0.75)
    curve = portfolio.lorenz_table(pd.Series(np.arange(1000.0)))
    assert len(curve) == 201 and curve["amount"].is_monotonic_increasing
    with pytest.raises(CourseError, match="不小于 0"):
        portfolio.gini(pd.Series([-1.0, 2.0]))


def test_cohort_has_no_survivorship_bias_and_no_late_joiners():
    before = pd.Series({"a": 2e5, "b": 2e5, "c": 3e5, "d": 1e5, "e": 2e5})
    after = pd.Series({"a": 2.4e5, "b": 1.6e5, "d": 9e9, "f": 9e9, "e": 4e4})  # c has left
    table = portfolio.cohort_table(before, after, 2e5)
    assert table["customers"].to_dict() == {"提升": 1, "保持": 1, "下降": 1, "流失": 1}
    assert table["share"].sum() == pytest.approx(1.0)
    assert portfolio.cohort_state(before, after, 2e5)["c"] == "流失"


def test_contact_gap_does_not_offset_one_customer_with_another():
    customers = pd.DataFrame({"tier": ["T3 20-50万", "T3 20-50万"]}, index=["a", "b"])
    table = portfolio.contact_gap(customers, pd.Series({"a": 9}))
    row = table.loc["T3 20-50万"]
    assert row["planned"] == 4 and row["done"] == 2 and row["gap_hours"] == pytest.approx(0.5)


# ---- allocate ------------------------------------------------------------------------------
def test_blend_mixes_shares():
    mixed = allocate.blend(
        {"base": pd.Series([1.0, 3.0]), "potential": pd.Series([3.0, 1.0])},
        {"base": 1, "potential": 3},
    )
    assert mixed.tolist() == pytest.approx([0.25 * 0.25 + 0.75 * 0.75, 0.25 * 0.75 + 0.75 * 0.25])


def test_water_fill_by_hand_and_its_refusals():
    share = pd.Series({"a": 1.0, "b": 1.0, "c": 2.0})
    got = allocate.water_fill(100, share, floor=pd.Series({"a": 40, "b": 0, "c": 0}), cap=50)
    assert got.to_dict() == pytest.approx({"a": 40, "b": 20, "c": 40})
    capped = allocate.water_fill(100, share, cap=pd.Series({"a": 100, "b": 100, "c": 30}))
    assert capped.to_dict() == pytest.approx({"a": 35, "b": 35, "c": 30})
    with pytest.raises(CourseError, match="下限之和"):
        allocate.water_fill(10, share, floor=20)
    with pytest.raises(CourseError, match="上限之和"):
        allocate.water_fill(100, share, cap=20)


def test_water_fill_keeps_proportions_of_the_free_units():
    rng = np.random.default_rng(8)
    share = pd.Series(rng.random(34))
    floor, cap = pd.Series(rng.random(34) * 2), pd.Series(rng.random(34) * 4 + 2.5)
    got = allocate.water_fill(100, share, floor, cap)
    assert got.sum() == pytest.approx(100, abs=1e-9)
    assert (got >= floor - 1e-9).all() and (got <= cap + 1e-9).all()
    free = (got > floor + 1e-6) & (got < cap - 1e-6)
    assert free.sum() > 2
    np.testing.assert_allclose((got / share)[free], (got / share)[free].iloc[0], rtol=1e-6)


def test_ipf_fits_margins_and_keeps_odds():
    seed = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], index=["x", "y"], columns=["p", "q"])
    got = allocate.ipf(seed, pd.Series({"x": 30, "y": 70}), pd.Series({"p": 40, "q": 60}))
    np.testing.assert_allclose(got.sum(axis=1), [30, 70])
    np.testing.assert_allclose(got.sum(axis=0), [40, 60])
    odds = got.loc["x", "p"] * got.loc["y", "q"] / (got.loc["x", "q"] * got.loc["y", "p"])
    assert odds == pytest.approx(1 * 4 / (2 * 3))
    with pytest.raises(CourseError, match="总数不一致"):
        allocate.ipf(seed, pd.Series({"x": 1, "y": 1}), pd.Series({"p": 1, "q": 9}))
    with pytest.raises(CourseError, match="0 太多"):
        allocate.ipf(
            pd.DataFrame([[1.0, 0.0], [1.0, 0.0]]), pd.Series([5, 5]), pd.Series([5, 5]), rounds=20
        )


def test_daily_average_identity():
    start, goal = 1e8, 1.1e8
    end = allocate.needed_end_balance(goal, start)
    path = allocate.balance_path(start, end)
    assert path.mean() == pytest.approx(goal) and path[-1] == pytest.approx(end)
    early = [0.5, 0.3, 0.2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    assert allocate.needed_end_balance(goal, start, early) < end
    early_path = allocate.balance_path(
        start, allocate.needed_end_balance(goal, start, early), early
    )
    assert early_path.mean() == pytest.approx(goal)
    # one day later lowers the effect by 1/D
    assert allocate.flow_effect(365, 1) - allocate.flow_effect(365, 2) == pytest.approx(1.0)
    assert allocate.flow_effect(366, 366, 366) == pytest.approx(1.0)
    with pytest.raises(CourseError, match="之和必须等于 1"):
        allocate.needed_end_balance(goal, start, [0.1] * 12)


def test_fairness():
    old = pd.Series([100.0, 100.0])
    alike = allocate.fairness(old, old + 0.1, pd.Series([10.0, 20.0]))
    assert np.isnan(alike["correlation"]) and alike["difficulty_cv"] == pytest.approx(1 / 3)
    even = allocate.fairness(old, old + pd.Series([10.0, 20.0]), pd.Series([10.0, 20.0]))
    assert even["correlation"] == pytest.approx(1.0) and even["difficulty_cv"] == pytest.approx(0)
    base = allocate.fairness(old, old + pd.Series([20.0, 10.0]), pd.Series([10.0, 20.0]))
    assert base["correlation"] == pytest.approx(-1.0) and base["difficulty_cv"] > 0.5


def test_term_plan_is_the_cheapest_feasible_mix():
    terms = pd.DataFrame(
        {"cost": [1.0, 1.25, 1.6], "retention": [0.6, 0.7, 0.95]}, index=["1Y", "2Y", "3Y"]
    )
    solved = allocate.term_plan(terms, 100.0, retained=75.0, share_limits={"3Y": (0.0, 0.5)})
    plan = solved["plan"]
    assert plan.sum() == pytest.approx(100) and solved["retained"] >= 75 - 1e-6
    assert plan["3Y"] <= 50 + 1e-9
    best = min(
        sum(terms["cost"] / 100 * terms["retention"] * np.array(x))
        for x in itertools.product(range(101), repeat=3)
        if sum(x) == 100 and x[2] <= 50 and terms["retention"] @ np.array(x) >= 75
    )
    assert solved["cost"] <= best + 1e-9 and solved["cost"] == pytest.approx(best, rel=0.01)
    more = allocate.term_plan(terms, 100.0, retained=76.0, share_limits={"3Y": (0.0, 0.5)})
    assert more["cost"] - solved["cost"] == pytest.approx(solved["shadow"], rel=1e-6)
    with pytest.raises(CourseError, match="没有同时满足"):
        allocate.term_plan(terms, 100.0, retained=96.0)


def test_knapsack_against_brute_force():
    rng = np.random.default_rng(6)
    value, cost = pd.Series(rng.integers(1, 30, 12)), pd.Series(rng.integers(1, 10, 12))
    flag = pd.Series([True] * 3 + [False] * 9)
    chosen = allocate.knapsack(value, cost, 20, count=(3, 6), at_least={"潜力": (flag, 2)})
    best = max(
        sum(value[list(c)])
        for n in range(3, 7)
        for c in itertools.combinations(range(12), n)
        if sum(cost[list(c)]) <= 20 and sum(flag[list(c)]) >= 2
    )
    assert value[chosen].sum() == best and cost[chosen].sum() <= 20
    with pytest.raises(CourseError, match="没有同时满足"):
        allocate.knapsack(value, cost, 1, count=(5, 6))


def test_assign_against_brute_force_and_forbidden_pairs():
    cost = pd.DataFrame(
        [[1, 5], [2, 1], [3, np.inf], [9, 2]], index=list("abcd"), columns=["m", "n"], dtype=float
    )
    got = allocate.assign(cost, 2)
    total = sum(cost.loc[r, c] for r, c in got.items())
    best = min(
        sum(cost.iloc[i, c] for i, c in enumerate(pick))
        for pick in itertools.product([0, 1], repeat=4)
        if pick.count(0) == 2
    )
    assert total == best and got["c"] == "m"
    with pytest.raises(CourseError, match="总容量"):
        allocate.assign(cost, 1)
    with pytest.raises(CourseError, match="放宽限制"):
        allocate.assign(cost.assign(m=np.inf), pd.Series({"m": 2, "n": 4}))


def test_greedy_respects_capacity_exclusion_uniqueness():
    rows = pd.DataFrame(
        {
            "c": ["1", "1", "2", "3", "4", "5"],
            "m": ["x", "x", "x", "x", "y", "y"],
            "s": [9.0, 8.0, 7.0, 6.0, np.nan, 5.0],
        }
    )
    got = allocate.greedy(rows, "s", {"x": 2, "y": 3}, "m", "c", exclude=rows["c"] == "2")
    assert got["c"].tolist() == ["1", "3", "5"] and got["rank"].tolist() == [1, 2, 1]
    assert allocate.greedy(rows, "s", 1)["c"].tolist() == ["1"]


# ---- ftp -----------------------------------------------------------------------------------
def test_ftp_curve_is_looked_up_at_origination():
    curve = pd.DataFrame(
        {
            "month": pd.to_datetime(["2025-01-31"] * 2 + ["2025-02-28"] * 2),
            "term_months": [12, 36] * 2,
            "rate": [2.0, 2.6, 1.8, 2.4],
        }
    )
    dates = pd.Series(pd.to_datetime(["2024-05-01", "2025-01-15", "2025-02-01", "2025-09-01"]))
    got = ftp.curve_at(curve, dates, pd.Series([12, 24, 36, 0]))
    assert got.tolist() == pytest.approx([2.0, 2.3, 2.4, 1.8])


def test_ftp_profit_and_costs():
    assert ftp.deposit_profit(pd.Series([1e6]), 2.0, 1.5)[0] == pytest.approx(5000)
    assert ftp.deposit_profit(pd.Series([1e6]), 2.0, 1.5, months=3)[0] == pytest.approx(1250)
    assert ftp.loan_profit(pd.Series([1e6]), 5.0, 2.0)[0] == pytest.approx(30_000)
    assert ftp.cost_of_funds(pd.Series([1.0, 3.0]), pd.Series([2.0, 1.0])) == pytest.approx(1.25)
    # 1.00 lends 0.95: the drag raises the cost of each lent yuan
    drag = ftp.reserve_drag(2.0, 0.05, 1.62)
    assert pytest.approx(2.0 + drag) == (2.0 - 0.05 * 1.62) / 0.95
    total = ftp.contribution(pd.DataFrame({"a": [5.0, np.nan], "b": [1.0, 2.0]}), 0.5, 1.0)
    assert total.tolist() == [4.5, 0.5]
