"""Customer relations: contribution to the cent, facts of the future stay out, tasks get days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import crm
from course_utils.errors import CourseError

DAYS = list(pd.to_datetime(["2026-01-05", "2026-01-06", "2026-01-08"]))


def test_contribution_by_hand() -> None:
    months = pd.date_range("2025-01-31", periods=12, freq="ME")
    curve = pd.concat(
        [
            pd.DataFrame({"month": months, "term_months": t, "rate": r})
            for t, r in ((0, 1.05), (12, 2))
        ]
    )
    accounts = pd.DataFrame(
        {
            "customer_id": ["A", "A", "B"],
            "kind": ["定期", "活期", "活期"],
            "open_date": pd.to_datetime(["2025-03-05"] * 3),
            "term_months": pd.array([12, None, None], dtype="Int64"),
            "balance": [1000.0, 10.0, 20.0],
            "rate": [1.5, 0.05, 0.05],
        }
    )
    year = pd.DataFrame(
        {
            "demand_deposit_average": [12_000.0, 24_000.0],
            "term_deposit_average": [120_000.0, 0.0],
            "fee_income": [7.0, 0.0],
        },
        index=["A", "B"],
    )
    value = crm.contribution(year, accounts, curve)
    assert value["A"] == pytest.approx(10_000 * 0.005 + 1_000 * 0.01 + 7)
    assert value["B"] == pytest.approx(2_000 * 0.01)


def test_tasks_take_turns_and_wait_for_a_working_day() -> None:
    tasks = pd.DataFrame({"n": range(5)}, index=list("abcde"))
    fixed = pd.Series(pd.to_datetime(["2026-01-07", "2026-01-20"]), index=["b", "d"])
    days = crm.spread_tasks(tasks, DAYS, fixed)
    assert days.to_list() == [DAYS[0], DAYS[2], DAYS[2], DAYS[2], DAYS[1]]
    with pytest.raises(CourseError, match="没有工作日"):
        crm.spread_tasks(tasks, [])


def test_a_snapshot_knows_nothing_of_later_months() -> None:
    rng = np.random.default_rng(3)
    names = ("aum", "in", "out", "back", "products")
    panels = {k: pd.DataFrame(rng.uniform(2e4, 9e4, (50, 18))) for k in names}
    later = {k: p.copy() for k, p in panels.items()}
    for panel in later.values():
        panel.iloc[:, 9:] *= 3.0
    before, after = crm.upgrade_snapshot(panels, 9), crm.upgrade_snapshot(later, 9)
    pd.testing.assert_frame_equal(before.drop(columns="up"), after.drop(columns="up"))
    assert after["up"].sum() > before["up"].sum()
    assert "up" not in crm.upgrade_snapshot(panels, 15)
    with pytest.raises(CourseError):
        crm.upgrade_snapshot(panels, 5)


def test_the_outcome_is_the_last_three_months_of_the_horizon() -> None:
    money = pd.DataFrame([[4e4] * 12, [4e4] * 12])
    money.iloc[0, 6:9] = 9e4  # rises and falls back before it counts
    money.iloc[1, 9:12] = 5e4  # exactly on the limit: the upper tier
    panels = {"aum": money} | {k: money * 0 for k in ("in", "out", "back", "products")}
    data = crm.upgrade_snapshot(panels, 6)
    assert data["up"].to_list() == [0, 1]
    assert data["distance"].to_list() == pytest.approx([1.25, 1.25])
