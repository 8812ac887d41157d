"""Five stars: ranks, score, gates, near misses and other weights, against cases done by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from course_utils.analysis import stars
from course_utils.errors import CourseError

ENDS = pd.date_range("2025-01-31", periods=6, freq="ME")


def table(**columns: list[float]) -> pd.DataFrame:
    """Return facts of merchants A, B, C …; whatever is not given is the same for everybody."""
    size = len(next(iter(columns.values())))
    usual = {
        "amount": [30_000.0] * size,
        "count": [300.0] * size,
        "days": [25.0] * size,
        "last_days": [25.0] * size,
        "deposit": [20_000.0] * size,
        "stability": [0.8] * size,
        "products": [3.0] * size,
    }
    frame = pd.DataFrame(usual | columns, index=list("ABCDEFGHIJ"[:size]))
    return frame.rename_axis("merchant_id")


def test_percentile_inside_groups_with_ties():
    values = pd.Series([10.0, 20.0, 20.0, 40.0, 5.0, None], index=list("ABCDEF"))
    group = pd.Series(["x", "x", "x", "x", "y", "y"], index=list("ABCDEF"))
    got = stars.percentile(values, group)
    assert got.tolist() == [0.125, 0.5, 0.5, 0.875, 0.75, 0.25]  # ties share, missing is zero
    assert stars.percentile(pd.Series([7.0])).tolist() == [0.5]


def test_score_by_hand():
    got = stars.parts(table(amount=[1.0, 2.0], stability=[0.5, 1.4], products=[2.0, 9.0]))
    # two merchants rank 0.25 and 0.75; equal values 0.5
    assert got.loc["A"].to_dict() == pytest.approx(
        {"amount": 6.25, "count": 7.5, "days": 7.5, "deposit": 12.5, "stability": 5, "products": 4}
    )
    assert got.loc["B", ["amount", "stability", "products"]].tolist() == [18.75, 10.0, 10.0]


def test_gates_take_stars_away():
    score = pd.Series([34.9, 35, 50, 65, 80, 80, 80, 79.9, 90, 60])
    days = pd.Series([30.0, 30, 30, 15, 15, 14, 30, 30, 30, 2])
    money = pd.Series([9e4, 9e4, 9e4, 1e4, 5e4, 9e4, 9_999, 9e4, 49_999, 0])
    got = stars.star(score, days, money)
    assert got.tolist() == [1, 2, 3, 4, 5, 3, 3, 4, 4, 3]
    loose = stars.StarRules(gate_days=14, gate_deposit=9_000)
    assert stars.star(score, days, money, loose).tolist() == [1, 2, 3, 4, 5, 5, 4, 4, 4, 3]


def test_rate_names_the_gate():
    low = [1.0] * 6
    frame = table(
        amount=[*low, 9.0, 9.0, 9.0, 9.0],
        count=[*low, 9.0, 9.0, 9.0, 9.0],
        days=[*low, 9.0, 9.0, 9.0, 9.0],
        last_days=[20.0] * 6 + [10.0, 20.0, 10.0, 20.0],
        deposit=[5e4, 2.0, 3.0, 4.0, 5.0, 6.0, 2e4, 7.0, 8.0, 6e4],
        products=[5.0] * 10,
    )
    rated = stars.rate(frame)
    # G: 55 ranked points × 0.8 + 25 × 0.75 + 8 + 10
    assert rated.loc["G", "score"] == pytest.approx(55 * 0.8 + 25 * 0.75 + 8 + 10)
    assert rated.loc[["G", "H", "I", "J"], "gate"].tolist() == [
        "差天数",
        "差日均",
        "差天数和日均",
        "未触门槛",
    ]
    assert rated.loc[["G", "H", "I", "J"], "star"].tolist() == [3, 3, 3, 5]
    assert rated.loc["G", "star_by_score"] == 5
    assert (rated.loc["A":"F", "gate"] == "未触门槛").all()
    five = frame.assign(deposit=frame["deposit"].where(frame.index != "J", 45_000.0))
    assert stars.rate(five).loc["J", ["star", "gate"]].tolist() == [4, "差五星日均"]


def test_critical_needs_every_obstacle_within_reach():
    # equal ranks give 40 points; stability and products add the rest
    frame = table(
        products=[5.0, 5.0, 5.0, 5.0, 1.0, 5.0],
        stability=[1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        last_days=[25.0, 12.0, 11.9, 25.0, 25.0, 25.0],
        deposit=[1e4] * 6,
    )
    rules = stars.StarRules(edges=(10, 20, 60.5, 90), near_points=5)
    # score of A-D: 40 + 10 + 10 = 60, E: 52, F: 50
    found = stars.critical(frame, rules=rules)
    assert found.index.tolist() == ["A", "B", "D"]
    assert found["reason"].tolist() == ["差分数", "差分数、差天数", "差分数"]
    assert found.loc["B", ["lack_points", "lack_days"]].tolist() == [0.5, 3.0]
    poor = frame.assign(deposit=8_000.0)
    assert stars.critical(poor, rules=rules).loc["A", "lack_deposit"] == 2_000
    assert stars.critical(frame.assign(deposit=7_999.0), rules=rules).empty
    already = stars.StarRules(edges=(10, 20, 60, 90))
    assert "A" not in stars.critical(frame, rules=already).index  # has four stars


def test_facts_average_the_quarter_and_count_missing_months_as_zero():
    rows = pd.DataFrame(
        {
            "month": list(ENDS) * 2,
            "merchant_id": ["A"] * 6 + ["B"] * 6,
            "transaction_amount": [100.0] * 6 + [0, 0, 0, 60, 60, 60],
            "transaction_count": [10] * 12,
            "active_days": [20] * 5 + [9] + [4] * 6,
            "settlement_deposit_average": [300.0] * 12,
            "product_count": [1, 1, 1, 1, 1, 4] + [2] * 6,
        }
    )
    late = rows[(rows["merchant_id"] == "A") | (rows["month"] > ENDS[3])]  # B signed in May
    got = stars.facts(late, ENDS[-1])
    assert got.loc["A", ["amount", "count", "deposit"]].tolist() == [100, 10, 300]
    assert got.loc["A", "days"] == pytest.approx(49 / 3)
    assert got.loc["A", ["last_days", "products", "stability"]].tolist() == [9, 4, 1]
    assert got.loc["B", ["amount", "stability"]].tolist() == [40, 0]  # two of three months
    before = stars.facts(rows, ENDS[-2])
    assert before.loc["A", ["last_days", "products"]].tolist() == [20, 1]  # nothing later is seen
    assert stars.facts(rows.drop(columns="product_count"), ENDS[-1])["products"].eq(0).all()
    with pytest.raises(CourseError, match="2024-12"):
        stars.facts(rows, pd.Timestamp("2024-12-31"))


def test_season_is_taken_out_of_the_stability():
    season = [1.0, 1, 1, 1, 2, 2]
    shops = list("ABCDEF")
    rows = pd.DataFrame(
        [(m, shop, 100.0 * s) for shop in shops for m, s in zip(ENDS, season, strict=True)],
        columns=["month", "merchant_id", "transaction_amount"],
    )
    rows = rows.assign(transaction_count=1, active_days=20, settlement_deposit_average=1.0)
    kind = pd.Series("小吃", index=shops)
    raw = stars.facts(rows, ENDS[-1])["stability"]
    # mean 4/3, squares 4 × 1/9 + 2 × 4/9 over five: sd = √(4/15)
    assert raw.tolist() == pytest.approx([1 - (4 / 15) ** 0.5 * 0.75] * 6)
    assert stars.facts(rows, ENDS[-1], kind)["stability"].tolist() == pytest.approx([1.0] * 6)


def test_other_weights():
    frame = table(amount=[1.0, 2, 3, 4], deposit=[4e4, 3e4, 2e4, 1e4], products=[5.0] * 4)
    money = dict.fromkeys(stars.WEIGHTS, 0) | {"deposit": 100}
    flow = dict.fromkeys(stars.WEIGHTS, 0) | {"amount": 100}
    got = stars.weight_sensitivity(frame, {"存款": money, "流水": flow})
    assert got["rank_correlation"].tolist() == pytest.approx([1, -1])
    # deposit ranks .875 .625 .375 .125 → 87.5 gated to ★4, 62.5 ★3, 37.5 ★2, 12.5 ★1
    assert got["same_star"].tolist() == [1, 0]
    assert got.loc["流水", ["moved_into_4", "moved_out_of_4"]].tolist() == [1, 1]


def test_executed_star_comes_from_the_quarter_before():
    rows = pd.DataFrame(
        [(m, shop, 100.0) for shop in "AB" for m in ENDS],
        columns=["month", "merchant_id", "transaction_amount"],
    )
    rows["settlement_deposit_average"] = [9e4] * 3 + [0.0] * 3 + [1.0] * 3 + [9e4] * 3
    rows = rows.assign(transaction_count=5, active_days=20, product_count=5)
    late = rows[(rows["merchant_id"] == "A") | (rows["month"] > ENDS[2])]  # B signed in April
    got = stars.executed(rows)
    assert got[rows["month"] <= ENDS[2]].isna().all()
    # A: 55·0.5 + 25·0.75 + 20 = 66.25 points and both gates; B: 53.75 points
    april = rows["month"] == ENDS[3]
    assert got[april].tolist() == [4, 3]
    assert stars.executed(late)[late["merchant_id"] == "B"].isna().all()


def test_rules_are_checked():
    with pytest.raises(CourseError, match="六项"):
        stars.StarRules(weights={"amount": 100})
    with pytest.raises(CourseError, match="由小到大"):
        stars.StarRules(edges=(50, 35, 65, 80))
