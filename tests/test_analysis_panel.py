"""Fixed effects, difference in differences and event study: by hand and against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from course_utils.analysis import panel
from course_utils.errors import CourseError

MONTHS = pd.date_range("2024-01-31", periods=24, freq="ME")
START = pd.Timestamp("2025-01-01")


def make(seed: int = 3, effect: float = 1.1, season: float = 2.0, drop: float = 0.0):
    """Twelve branches of four managers; branches 0-4 start in 2025-01, all gain in a season."""
    rng = np.random.default_rng(seed)
    rows = pd.MultiIndex.from_product([range(48), MONTHS], names=["who", "month"]).to_frame(False)
    rows["branch"] = rows["who"] % 12
    rows["start"] = pd.Series(START, index=rows.index).where(rows["branch"] < 5)
    on = (rows["branch"] < 5) & (rows["month"] >= START)
    level = rng.normal(4, 1, 48)[rows["who"]] + rng.normal(0, 0.3, 12)[rows["branch"]]
    common = season * (rows["month"].dt.year == 2025)
    rows["draws"] = level + common + effect * on + rng.normal(0, 0.8, len(rows))
    return rows[rng.random(len(rows)) >= drop].reset_index(drop=True)


def test_two_by_two_by_hand() -> None:
    rows = pd.DataFrame(
        {
            "who": ["a", "a", "b", "b", "c", "c", "d", "d"],
            "t": [0, 1] * 4,
            "y": [2.0, 7.0, 4.0, 8.0, 1.0, 3.0, 5.0, 8.0],
            "start": [1.0, 1.0, 1.0, 1.0] + [np.nan] * 4,
        }
    )
    found = panel.did(rows, "y", "who", "t", "start")
    # treated rose by 5 and 4, the others by 2 and 3: 4.5 − 2.5
    assert found["estimate"] == pytest.approx(2.0)
    assert (found["units"], found["treated_units"], found["n"]) == (4, 2, 8)


@pytest.mark.parametrize("drop", [0.0, 0.2])
def test_same_as_all_dummies_in_statsmodels(drop: float) -> None:
    rows = make(drop=drop)
    rows["on"] = ((rows["branch"] < 5) & (rows["month"] >= START)).astype(float)
    ours = panel.two_way(rows, "draws", ["on"], "who", "month", cluster="branch")
    theirs = smf.ols("draws ~ on + C(who) + C(month)", rows).fit(
        cov_type="cluster", cov_kwds={"groups": rows["branch"]}, use_t=True
    )
    assert ours.loc["on", "estimate"] == pytest.approx(theirs.params["on"], rel=1e-8)
    # statsmodels counts the 48 unit dummies in K, we do not: the factor is known exactly
    n, full = len(rows), len(theirs.params)
    factor = np.sqrt((n - full) / (n - 24))
    assert ours.loc["on", "se"] == pytest.approx(theirs.bse["on"] * factor, rel=1e-6)
    width = ours.loc["on", "high"] - ours.loc["on", "low"]
    theirs_width = np.ptp(theirs.conf_int().loc["on"])
    assert width == pytest.approx(theirs_width * factor, rel=1e-6)
    assert ours.attrs["clusters"] == 12


def test_did_removes_the_season_that_fools_before_and_after() -> None:
    rows = make()
    treated = rows[rows["branch"] < 5]
    after = treated["month"] >= START
    naive = treated.loc[after, "draws"].mean() - treated.loc[~after, "draws"].mean()
    found = panel.did(rows, "draws", "who", "month", "start", cluster="branch")
    assert naive > 2.8
    assert found["low"] < 1.1 < found["high"]
    assert found["estimate"] == pytest.approx(1.1, abs=0.2)


def test_interval_covers_as_often_as_it_says() -> None:
    covered = []
    for seed in range(60):
        rows = make(seed=seed)
        found = panel.did(rows, "draws", "who", "month", "start", cluster="branch")
        covered.append(found["low"] < 1.1 < found["high"])
    assert 0.85 <= np.mean(covered) <= 1.0


def test_event_study_same_as_dummies_and_flat_leads() -> None:
    rows = make()
    table = panel.event_study(rows, "draws", "who", "month", "start", 6, 6, cluster="branch")
    assert list(table.index) == list(range(-6, 7))
    assert table.loc[-1, "estimate"] == 0 and np.isnan(table.loc[-1, "low"])
    assert table.loc[0:, "estimate"].mean() == pytest.approx(1.1, abs=0.35)
    assert abs(table.loc[:-2, "estimate"].mean()) < 0.35
    assert table.attrs["lead_p"] > 0.01
    month = (rows["month"].dt.year - 2025) * 12 + rows["month"].dt.month - 1
    step = month.clip(-6, 6).where(rows["branch"] < 5)
    dummies = {f"k{k + 6}": (step == k).astype(float) for k in range(-6, 7) if k != -1}
    wide = rows.assign(**dummies)
    theirs = smf.ols("draws ~ " + " + ".join(dummies) + " + C(who) + C(month)", wide).fit()
    for k in (-6, -3, 0, 6):
        assert table.loc[k, "estimate"] == pytest.approx(theirs.params[f"k{k + 6}"], rel=1e-7)


def test_event_study_of_staggered_starts_finds_growth() -> None:
    rows = make(effect=0.0)
    late = rows["branch"].between(2, 4)
    rows.loc[late, "start"] = pd.Timestamp("2025-05-01")
    ahead = (rows["month"].dt.year - rows["start"].dt.year) * 12
    ahead = ahead + rows["month"].dt.month - rows["start"].dt.month
    rows["draws"] += 0.5 * (ahead >= 0) + 0.25 * ahead.clip(0, 4).fillna(0)
    table = panel.event_study(rows, "draws", "who", "month", "start", 4, 4, cluster="branch")
    assert table.loc[4, "estimate"] - table.loc[0, "estimate"] == pytest.approx(1.0, abs=0.35)


def test_a_trend_before_the_start_is_told() -> None:
    rows = make(effect=0.0)
    ahead = (rows["month"].dt.year - 2025) * 12 + rows["month"].dt.month - 1
    rows["draws"] += 0.25 * ahead * (rows["branch"] < 5)
    table = panel.event_study(rows, "draws", "who", "month", "start", 6, 6, cluster="branch")
    assert table.attrs["lead_p"] < 0.001


def test_placebo_agrees_with_did_and_knows_no_effect() -> None:
    rows = make(drop=0.1)
    real = panel.did(rows, "draws", "who", "month", "start", cluster="branch")
    dealt = panel.placebo(rows, "draws", "who", "month", "start", "branch", draws=199)
    assert dealt["estimate"] == pytest.approx(real["estimate"], rel=1e-8)
    assert dealt["p"] <= 0.02
    none = panel.placebo(make(effect=0.0), "draws", "who", "month", "start", "branch", draws=199)
    assert none["p"] > 0.1
    again = panel.placebo(make(effect=0.0), "draws", "who", "month", "start", "branch", draws=199)
    assert np.array_equal(none["draws"], again["draws"])


def test_missing_outcomes_are_left_out() -> None:
    rows = make()
    rows.loc[:20, "draws"] = np.nan
    found = panel.did(rows, "draws", "who", "month", "start", cluster="branch")
    assert found["n"] == len(rows) - 21


def test_clear_refusals() -> None:
    rows = make()
    everyone = rows.assign(start=START)
    with pytest.raises(CourseError, match="固定效应重合"):
        panel.did(everyone, "draws", "who", "month", "start", cluster="branch")
    with pytest.raises(CourseError, match="没有一个已开始的单位"):
        panel.did(rows.assign(start=pd.NaT), "draws", "who", "month", "start")
    with pytest.raises(CourseError, match="有多行"):
        panel.did(pd.concat([rows, rows.head(1)]), "draws", "who", "month", "start")
    with pytest.raises(CourseError, match="缺少列"):
        panel.two_way(rows, "draws", ["nothing"], "who", "month")
    with pytest.raises(CourseError, match="三个群"):
        panel.did(rows[rows["branch"].isin([1, 9])], "draws", "who", "month", "start", "branch")
    mixed = rows.assign(start=rows["start"].where(rows["who"] != 0))
    with pytest.raises(CourseError, match="不同的开始日期"):
        panel.placebo(mixed, "draws", "who", "month", "start", "branch")
