"""History a limit needs and the look back: hand-worked cases."""

import itertools

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import allocate, limits
from course_utils.errors import CourseError

AS_OF = pd.Timestamp("2025-12-31")


def _ends(first: str, count: int) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=count, freq="ME")


def test_clean_months_counts_from_the_last_overdue_month_or_the_first_loan() -> None:
    old = pd.DataFrame({"customer_id": "C1", "month": _ends("2025-07-31", 6), "dpd": 0})
    late = old.assign(customer_id="C2", dpd=[0, 3, 0, 0, 0, 0])
    now = old.assign(customer_id="C3", dpd=[0, 0, 0, 0, 0, 40])
    found = limits.clean_months(pd.concat([old, late, now]), AS_OF)
    assert found.to_dict() == {"C1": 6, "C2": 4, "C3": 0}


def test_one_large_sum_does_not_turn_the_trend() -> None:
    wide = pd.DataFrame(
        [[10.0] * 6 + [8.0] * 5 + [500.0], [10.0] * 6 + [12.0] * 6, [0.0] * 5 + [9.0] + [1.0] * 6],
        index=["C1", "C2", "C3"],
        columns=_ends("2025-01-31", 12),
    )
    found = limits.steady_trend(wide)
    assert found["C1"] == pytest.approx(-0.2)
    assert found["C2"] == pytest.approx(0.2)
    assert np.isnan(found["C3"])
    with pytest.raises(CourseError, match="12 个月"):
        limits.steady_trend(wide.iloc[:, :11])


def test_usable_reports_need_scope_freshness_and_a_living_consent() -> None:
    rows = [
        ("C1", "Q1", "2025-11-01", "授信管理", None),
        ("C1", "Q2", "2025-12-01", "营销", None),
        ("C2", "Q3", "2024-12-31", "授信管理", None),
        ("C3", "Q4", "2025-11-01", "贷后管理", "2025-12-30"),
        ("C4", "Q5", "2025-11-01", "贷后管理", "2025-12-31"),
        ("C4", "Q6", "2025-10-01", "授信管理", None),
    ]
    table = pd.DataFrame(
        rows,
        columns=["customer_id", "query_id", "query_date", "consent_scope", "consent_expire_date"],
    )
    for name in ("query_date", "consent_expire_date"):
        table[name] = pd.to_datetime(table[name])
    found = limits.usable_reports(table, AS_OF)
    assert found["query_id"].to_dict() == {"C1": "Q1", "C4": "Q5"}


def test_after_check_by_hand() -> None:
    changes = pd.DataFrame(
        {
            "change_id": ["G1", "G2", "G3"],
            "line_id": ["K1", "K2", "K3"],
            "change_date": pd.to_datetime(["2025-01-10"] * 3),
            "new_limit": [100.0, 100.0, 100.0],
        }
    )
    loans = pd.DataFrame(
        {
            "loan_id": ["L1", "L2", "L3", "L0"],
            "line_id": ["K1", "K2", "K3", "K3"],
            "issue_date": pd.to_datetime(["2025-01-10"] * 3 + ["2024-01-10"]),
        }
    )
    months = pd.DataFrame(
        {
            "loan_id": ["L1", "L2", "L0"],
            "month": pd.to_datetime(["2025-04-30", "2025-05-31", "2025-02-28"]),
            "dpd": [5, 9, 9],
        }
    )
    used = pd.DataFrame(
        {
            "line_id": ["K1", "K2", "K2", "K3"],
            "month": pd.to_datetime(["2025-04-30", "2025-04-30", "2025-03-31", "2025-03-31"]),
            "used": [95.0, 30.0, 0.0, 80.0],
        }
    )
    found = limits.after_check(changes, loans, months, used).set_index("change_id")
    assert found["late"].to_dict() == {"G1": True, "G2": False, "G3": False}
    assert found["idle"].to_dict() == {"G1": False, "G2": False, "G3": True}
    assert found["full"].to_dict() == {"G1": True, "G2": False, "G3": False}


def test_signal_rates_by_hand() -> None:
    checked = pd.DataFrame(
        {"raised": [True, True, True, False], "late": [True, False, False, True]}
    )
    found = limits.signal_rates(checked, "raised", {True: "提", False: "未"}, {"late": "逾期"})
    assert found["group"].tolist() == ["提", "未"]
    assert found["size"].tolist() == [3, 1]
    assert found["rate"].tolist() == pytest.approx([1 / 3, 1.0])
    assert (found["low"] < found["rate"]).all()


def test_knapsack_with_upper_limits_against_brute_force() -> None:
    rng = np.random.default_rng(8)
    value, cost = pd.Series(rng.integers(1, 30, 10)), pd.Series(rng.integers(1, 10, 10))
    branch = pd.Series(list("aabbccddaa"))
    farming = pd.Series(rng.random(10) < 0.5)
    rules = {name: (branch == name, 1) for name in "abcd"}
    rules["农"] = (cost * farming, 6)
    chosen = allocate.knapsack(value, cost, 18, at_most=rules)

    def fits(picked: list[int]) -> bool:
        return (
            cost[picked].sum() <= 18
            and branch[picked].value_counts().max() <= 1
            and (cost * farming)[picked].sum() <= 6
        )

    sets = (list(c) for n in range(1, 11) for c in itertools.combinations(range(10), n))
    assert fits(list(chosen))
    assert value[chosen].sum() == max(value[c].sum() for c in sets if fits(c))
    assert len(allocate.knapsack(value.head(0), cost.head(0), 18)) == 0
