"""Early warning of merchants: hand-worked amounts, crafted levels, the season, the lead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import warning
from course_utils.errors import CourseError

MONTHS = pd.date_range("2025-01-31", periods=8, freq="ME")


def panel(rows: dict[str, list[float]]) -> pd.DataFrame:
    """Return a panel whose columns are the last months."""
    width = len(next(iter(rows.values())))
    return pd.DataFrame(rows, index=MONTHS[-width:]).T


def merchant(**changes: float) -> pd.DataFrame:
    """Return the indicators of one healthy merchant, changed."""
    row = {"stability": 0.9, "trend": 1.0, "active_days": 26.0, "gap_days": 0.0, **changes}
    return pd.DataFrame([row], index=["M1"])


def test_stability_and_trend_of_a_case_worked_by_hand():
    # months a5 to a0; the five before the latest have the mean 10
    values = [8.0, 10.0, 12.0, 10.0, 10.0, 5.0]
    mean = 55 / 6
    deviation = sum((x - mean) ** 2 for x in values) / 5
    frame = panel({"a": values})
    assert warning.stability(frame)["a"] == pytest.approx(1 - deviation**0.5 / mean)
    assert warning.trend(frame)["a"] == pytest.approx(5 / 10)


def test_only_the_last_six_months_count():
    frame = panel({"a": [900.0, 0.0, 8, 10, 12, 10, 10, 5]})
    assert warning.trend(frame)["a"] == pytest.approx(0.5)
    assert warning.stability(frame)["a"] == pytest.approx(
        warning.stability(panel({"a": [8.0, 10, 12, 10, 10, 5]}))["a"]
    )


def test_stability_never_falls_below_zero_and_is_missing_where_it_cannot_be_known():
    frame = panel(
        {"spike": [0.0, 0, 0, 0, 0, 60], "dead": [0.0] * 6, "new": [np.nan, 1, 1, 1, 1, 1]}
    )
    found = warning.stability(frame)
    assert found["spike"] == 0
    assert np.isnan(found["dead"])
    assert np.isnan(found["new"])


def test_a_young_merchant_is_compared_with_the_months_it_has():
    frame = panel({"three": [np.nan, np.nan, 10, 20, 30, 10], "two": [np.nan] * 3 + [10, 20, 10]})
    found = warning.trend(frame)
    assert found["three"] == pytest.approx(0.5)
    assert np.isnan(found["two"])


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "绿"),
        ({"gap_days": 60}, "红"),
        ({"gap_days": 59}, "橙"),
        ({"gap_days": 30}, "橙"),
        ({"gap_days": 29}, "绿"),
        ({"trend": 0.299}, "橙"),
        ({"trend": 0.30}, "黄"),
        ({"trend": 0.599}, "黄"),
        ({"trend": 0.60}, "蓝"),
        ({"trend": 0.85}, "绿"),
        ({"active_days": 7}, "黄"),
        ({"active_days": 8}, "绿"),
        ({"stability": 0.499}, "蓝"),
        ({"stability": 0.50}, "绿"),
        ({"stability": 0.1, "trend": 0.5, "gap_days": 75}, "红"),
        ({"stability": np.nan, "trend": np.nan}, "绿"),
    ],
)
def test_the_worst_hit_decides(changes: dict[str, float], level: str):
    frame = merchant(**changes)
    assert warning.levels(frame)["M1"] == level
    said = warning.reasons(frame)["M1"]
    assert (said == "各项正常") == (level == "绿")


def test_levels_are_ordered_and_missing_before_signing():
    frame = pd.concat(
        [
            merchant(gap_days=70),
            merchant(),
            merchant(active_days=np.nan, gap_days=np.nan, trend=np.nan),
        ]
    )
    found = warning.levels(frame.set_axis(["r", "g", "n"]))
    assert list(found >= "橙") == [True, False, False]
    assert pd.isna(found["n"])


def test_limits_are_parameters_and_must_be_in_order():
    frame = merchant(gap_days=40)
    assert warning.levels(frame, warning.Rules(red_gap=40))["M1"] == "红"
    assert warning.reasons(frame, warning.Rules(red_gap=40))["M1"] == "未交易满 40 天"
    with pytest.raises(CourseError, match="从小到大"):
        warning.Rules(yellow_trend=0.9)
    with pytest.raises(CourseError, match="未交易天数"):
        warning.Rules(orange_gap=90)


def school_panel() -> tuple[pd.DataFrame, pd.Series]:
    """Return shops whose last month is a holiday for one class, and one shop that really falls."""
    season = np.array([1.0, 1, 1, 1, 1, 0.3])
    rows = {f"s{i}": list(season * (100 + i)) for i in range(6)}
    rows |= {f"t{i}": [100.0 + i] * 6 for i in range(6)}
    rows["fallen"] = list(season * 100 * np.array([1, 1, 1, 1, 1, 0.2]))
    kind = pd.Series(["学校" if name[0] in "sf" else "街边" for name in rows], index=list(rows))
    return panel(rows), kind


def test_the_season_of_a_class_is_its_median_share():
    frame, kind = school_panel()
    index = warning.season_index(frame, kind)
    assert index.loc["学校"].iloc[-1] / index.loc["学校"].iloc[0] == pytest.approx(0.3, rel=1e-9)
    assert np.allclose(index.loc["街边"], 1.0)


def test_the_season_takes_the_holiday_out_but_not_the_fall():
    frame, kind = school_panel()
    days = pd.Series(20.0, index=frame.index)
    none = pd.Series(0.0, index=frame.index)
    raw = warning.levels(warning.indicators(frame, days, none))
    fair = warning.levels(warning.indicators(frame, days, none, kind))
    assert (raw[kind == "学校"] >= "黄").all()
    assert list(fair[fair >= "黄"].index) == ["fallen"]
    assert fair["fallen"] == "橙"


def test_a_small_class_gets_no_season_and_a_given_one_is_used():
    frame, kind = school_panel()
    assert np.allclose(warning.season_index(frame, kind, minimum=8).loc["学校"], 1.0)
    given = pd.DataFrame([[1.0] * 7 + [0.3] + [1.0] * 4], index=["学校"], columns=range(1, 13))
    even = warning.deseason(frame, kind, given)  # the panel ends in August
    assert warning.trend(even)["s0"] == pytest.approx(1.0)
    assert warning.trend(even)["t0"] == pytest.approx(1.0)
    with pytest.raises(CourseError, match="季节指数"):
        warning.deseason(frame, kind, given[[1, 2]])


def test_days_come_from_the_daily_table():
    daily = pd.DataFrame(
        {
            "merchant_id": ["a", "a", "a", "b", "b"],
            "date": pd.to_datetime(
                ["2025-08-01", "2025-08-02", "2025-08-31", "2025-07-20", "2025-09-01"]
            ),
        }
    )
    found = warning.day_activity(daily, pd.Timestamp("2025-08-31"))
    # 30 days up to 31 August begin on 2 August
    assert found.loc["a"].tolist() == [2, 0]
    assert found.loc["b"].tolist() == [0, 42]


def test_too_few_months_are_told():
    with pytest.raises(CourseError, match="最近 6 个月"):
        warning.stability(panel({"a": [1.0, 2, 3]}))


def test_history_knows_only_the_past_of_each_month():
    frame = panel({"a": [100.0] * 6 + [20.0, 0.0]})
    days = panel({"a": [25.0] * 6 + [5.0, 0.0]})
    gap = panel({"a": [0.0] * 6 + [24.0, 55.0]})
    found = warning.history(frame, days, gap)
    assert found.loc["a"].tolist() == ["绿", "橙", "橙"]
    shorter = warning.history(frame.iloc[:, :7], days.iloc[:, :7], gap.iloc[:, :7])
    assert shorter.loc["a"].tolist() == ["绿", "橙"]


def test_the_lead_counts_from_the_first_orange_month_end():
    columns = MONTHS[-3:]
    levels = pd.DataFrame(
        [["橙", "橙", "红"], ["绿", "橙", "红"], ["绿", "黄", "红"], ["绿", "绿", "橙"]],
        index=list("abcd"),
        columns=columns,
    )
    gap = pd.DataFrame(
        [[5, 35, 66], [0, 31, 62], [0, 29, 60], [0, 2, 33]], index=list("abcd"), columns=columns
    )
    lead = warning.lead_days(levels, gap)
    assert lead.droplevel("month").to_dict() == pytest.approx(
        {"a": 55, "b": 29, "c": np.nan}, nan_ok=True
    )
