"""Comparing groups nobody drew by lot: against statsmodels, closed forms and a known effect."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import causal
from course_utils.errors import CourseError

EFFECT = 0.3


def _world(n: int = 3000, seed: int = 1, clusters: int | None = None) -> pd.DataFrame:
    """Confounded by ``a`` and ``b``; the treatment adds EFFECT for everybody."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.integers(0, 2, n)
    t = rng.random(n) < 1 / (1 + np.exp(-(0.9 * a + 0.8 * b - 0.6)))
    y = 1 + EFFECT * t + 0.7 * a - 0.4 * b + rng.normal(size=n)
    rows = pd.DataFrame({"a": a, "b": b, "kind": np.where(b == 1, "甲", "乙"), "t": t, "y": y})
    if clusters:
        rows["branch"] = rng.integers(0, clusters, n)
        rows["y"] += rng.normal(0, 0.5, clusters)[rows["branch"]]
    return rows


def test_propensity_is_the_maximum_likelihood_logit() -> None:
    import statsmodels.api as sm

    rows = _world()
    x = sm.add_constant(rows[["a", "b"]].astype(float))
    fit = sm.GLM(rows["t"].astype(float), x, family=sm.families.Binomial()).fit()
    score = causal.propensity(rows, "t", ["a", "b"])
    assert np.allclose(score, fit.fittedvalues, atol=1e-8)
    assert np.allclose(score, causal.propensity(rows, "t", ["a", "kind"]), atol=1e-8)


def test_repeated_and_constant_columns_do_not_change_the_score() -> None:
    rows = _world().assign(same=1.0, twice=lambda d: 2 * d["a"] + 3)
    plain = causal.propensity(rows, "t", ["a", "b"])
    assert np.allclose(plain, causal.propensity(rows, "t", ["a", "b", "same", "twice"]))


def test_inverse_weighting_and_its_error_agree_with_statsmodels() -> None:
    import statsmodels.api as sm
    from statsmodels.treatment.treatment_effects import TreatmentEffect

    rows = _world(800)
    x = sm.add_constant(rows[["a", "b"]].astype(float))
    t = rows["t"].astype(int).to_numpy()
    select = sm.Logit(t, x).fit(disp=0)
    model = TreatmentEffect(sm.OLS(rows["y"], x), t, results_select=select)
    theirs = model.ipw()
    ours = causal.weighted_effect(rows, "y", "t", ["a", "b"], target="all")
    assert ours["estimate"] == pytest.approx(theirs.effect[0], abs=1e-5)
    errors = np.asarray(theirs.results_gmm.bse)
    assert ours["error"] == pytest.approx(errors[0], rel=0.003)
    augmented = model.aipw()
    robust = causal.doubly_robust(rows, "y", "t", ["a", "b"], target="all")
    assert robust["estimate"] == pytest.approx(augmented.effect[0], abs=1e-3)


def test_overlap_weights_balance_the_means_exactly() -> None:
    rows = _world()
    score = causal.propensity(rows, "t", ["a", "kind"])
    weights = causal.overlap_weights(score, rows["t"])
    table = causal.balance_table(rows, "t", ["a", "kind"], weights)
    assert (table["difference"].abs() > 0.2).all()
    assert table["weighted_difference"].abs().max() < 1e-8
    assert weights.groupby(rows["t"]).sum().tolist() == pytest.approx([1, 1])


def test_balance_table_by_hand() -> None:
    rows = pd.DataFrame({"t": [1, 1, 0, 0], "v": [3.0, 5.0, 1.0, 3.0]})
    table = causal.balance_table(rows, "t", ["v"])
    assert table.loc["v", ["treated_mean", "control_mean"]].tolist() == [4, 2]
    assert table.loc["v", "difference"] == pytest.approx(2 / np.sqrt(2))


def test_the_known_effect_is_found_and_the_raw_difference_is_not() -> None:
    rows = _world(6000)
    table = causal.effect_table(rows, "y", "t", ["a", "b"])
    assert table.loc["直接比较", "low"] > EFFECT + 0.2
    for method in ("回归校正", "重叠加权", "双重稳健"):
        assert table.loc[method, "low"] < EFFECT < table.loc[method, "high"], method
        assert table.loc[method, "estimate"] == pytest.approx(EFFECT, abs=0.08)


def test_doubly_robust_survives_a_wrong_outcome_model_or_a_wrong_logit() -> None:
    """Truth is nonlinear in a; only one of the two models gets the square."""
    rng = np.random.default_rng(5)
    n = 40_000
    a = rng.normal(size=n)
    rows = pd.DataFrame({"a": a, "square": a**2})
    rows["t"] = rng.random(n) < 1 / (1 + np.exp(-(a - 0.5)))  # logit right with a alone
    rows["y"] = EFFECT * rows["t"] + a**2 + a + rng.normal(size=n)  # outcome is not
    linear = causal.regression_effect(rows, "y", "t", ["a"])
    robust = causal.doubly_robust(rows, "y", "t", ["a"], target="all")
    assert abs(linear["estimate"] - EFFECT) > 2 * abs(robust["estimate"] - EFFECT)
    assert robust["low"] < EFFECT < robust["high"]
    rows["t"] = rng.random(n) < 1 / (1 + np.exp(-(a**2 + a - 1)))  # now the logit is wrong ...
    rows["y"] = EFFECT * rows["t"] + a + rng.normal(size=n)  # ... and the outcome right
    weighted = causal.weighted_effect(rows, "y", "t", ["a"], target="all")
    robust = causal.doubly_robust(rows, "y", "t", ["a"], target="all")
    assert abs(robust["estimate"] - EFFECT) < abs(weighted["estimate"] - EFFECT)
    assert robust["low"] < EFFECT < robust["high"]


@pytest.mark.parametrize("method", [causal.weighted_effect, causal.doubly_robust])
def test_intervals_cover_as_often_as_they_say(method) -> None:
    hits = 0
    for seed in range(200):
        answer = method(_world(400, seed), "y", "t", ["a", "b"])
        hits += answer["low"] < EFFECT < answer["high"]
    assert 0.90 <= hits / 200 <= 0.985


def test_clusters_widen_the_interval_when_whole_branches_are_treated() -> None:
    rng = np.random.default_rng(3)
    rows = _world(2000, seed=3, clusters=30)
    rows["t"] = rng.random(30)[rows["branch"]] < 0.5
    plain = causal.doubly_robust(rows, "y", "t", ["a", "b"])
    grouped = causal.doubly_robust(rows, "y", "t", ["a", "b"], cluster="branch")
    assert grouped["estimate"] == pytest.approx(plain["estimate"])
    assert grouped["error"] > 2 * plain["error"]


def test_error_agrees_with_the_bootstrap() -> None:
    rows = _world(600, seed=9, clusters=40)

    def estimate(frame: pd.DataFrame) -> float:
        return causal.doubly_robust(frame, "y", "t", ["a", "b"])["estimate"]

    exact = causal.doubly_robust(rows, "y", "t", ["a", "b"], cluster="branch")
    drawn = causal.bootstrap_interval(rows, estimate, cluster="branch", draws=300)
    width = drawn["high"] - drawn["low"]
    assert width == pytest.approx(exact["high"] - exact["low"], rel=0.2)
    assert drawn["estimate"] == exact["estimate"]


def test_trimming_drops_rows_that_have_no_counterpart() -> None:
    rows = _world()
    score = causal.propensity(rows, "t", ["a", "b"])
    kept = causal.trimmed(score, 0.2, 0.8)
    assert score[kept].min() >= 0.2
    assert score[~kept].between(0.2, 0.8).sum() == 0
    answer = causal.doubly_robust(rows, "y", "t", ["a", "b"], trim=(0.2, 0.8))
    assert answer["dropped"] == (~kept).sum()
    assert answer["low"] < EFFECT < answer["high"]


def test_refuses_one_group_and_too_few_rows() -> None:
    rows = _world(200)
    with pytest.raises(CourseError, match="同时有"):
        causal.propensity(rows.assign(t=1), "t", ["a"])
    with pytest.raises(CourseError, match="较小的一组只有"):
        causal.propensity(rows.head(5), "t", ["a", "b"])
    few = rows.assign(t=[True] * 3 + [False] * 197, c=rows["a"] ** 2, d=rows["a"] ** 3)
    pooled = causal.regression_effect(few, "y", "t", ["a", "b", "c", "d"])
    assert pooled["treated"] == 3
    with pytest.raises(CourseError, match="较小的一组只有 3 行"):
        causal.doubly_robust(few, "y", "t", ["a", "b", "c", "d"])
    with pytest.raises(CourseError, match="权重目标"):
        causal.weighted_effect(rows, "y", "t", ["a"], target="nobody")
