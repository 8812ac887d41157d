"""What stayed after a maturity, and the counters of each half hour: hand-worked cases."""

import pandas as pd
import pytest

from course_utils.analysis import maturity, staffing
from course_utils.errors import CourseError


def chain(**more):
    """One deposit long due, one due too late to know, and what was opened from them."""
    return pd.DataFrame(
        {
            "account_id": ["A1", "A2", "A3", "A4", "A5", "A6"],
            "renewed_from": [None, None, "A1", "A1", "A1", "A2"],
            "open_date": pd.to_datetime(
                ["2022-01-10", "2022-12-20", "2025-01-10", "2025-02-09", "2025-02-10", "2025-12-20"]
            ),
            "maturity_date": pd.to_datetime(
                ["2025-01-10", "2025-12-20", "2028-01-10", "2026-02-09", "2026-02-10", "2028-12-20"]
            ),
            "amount": [1000.0, 500.0, 400.0, 300.0, 200.0, 500.0],
            **more,
        }
    )


def test_kept_amount_takes_the_column_once_it_is_known():
    rows = chain(kept_amount_30d=[820.0, 500.0, None, None, None, None])
    kept = maturity.kept_amount(rows, "2025-12-31")
    assert kept.iloc[0] == 820.0
    assert kept.iloc[1:].isna().all()  # A2 matured eleven days before: nobody knows yet
    assert maturity.kept_amount(rows, "2026-01-19").iloc[1] == 500.0  # exactly thirty days
    assert maturity.kept_amount(rows, "2026-01-18").isna().iloc[1]


def test_kept_amount_without_the_column_adds_up_heirs_of_thirty_days():
    kept = maturity.kept_amount(chain(), "2025-12-31")
    assert kept.iloc[0] == 700.0  # A3 at once, A4 on day 30; A5 came a day too late
    assert kept.iloc[1:].isna().all()
    alone = chain().drop(index=[2, 3, 4, 5])
    assert maturity.kept_amount(alone, "2025-12-31").iloc[0] == 0.0
    with pytest.raises(CourseError, match="到期留存"):
        maturity.kept_amount(chain().drop(columns="renewed_from"), "2025-12-31")


def queue():
    """Two days of three half hours: busy, idle, half busy; six minutes a customer, two counters."""
    tickets = [8, 2, 5, 10, 2, 5]
    return pd.DataFrame(
        {
            "half_hour": ["09:00", "12:00", "15:00"] * 2,
            "tickets": tickets,
            "served_minutes": [6.0 * n for n in tickets],
            "counters_open": [2, 1, 2] * 2,
        }
    )


def test_half_hour_plan_books_only_where_there_is_room():
    plan = staffing.half_hour_plan(queue(), extra=8.0, full=0.9)
    assert plan["tickets"].tolist() == [9, 2, 5]
    # 2 × 30 × 0.9 / 6 = 9 and 4.5 customers a half hour
    assert plan["room"].tolist() == pytest.approx([0.0, 2.5, 4.0])
    assert plan["crowd"].sum() == pytest.approx(16 + 8)
    assert plan.loc["09:00", "crowd"] == pytest.approx(9 + 8 * 9 / 16)
    assert plan["booked"].sum() == pytest.approx(16 + 6.5)  # two find no room
    few = staffing.half_hour_plan(queue(), extra=1.3, full=0.9)
    assert few["booked"].tolist() == pytest.approx([9, 2 + 0.5, 5 + 0.8])
    for people, need in zip(plan["crowd"], plan["need_crowd"], strict=True):
        assert need == staffing.counters_needed(2 * people, 6.0)
    assert (plan["need_crowd"] >= plan["need_usual"]).all()
    none = staffing.half_hour_plan(queue(), extra=5.0, full=0.0)
    assert none["booked"].tolist() == none["tickets"].tolist()


def test_half_hour_plan_refuses_an_empty_log():
    with pytest.raises(CourseError, match="没有取号"):
        staffing.half_hour_plan(queue().head(0), extra=1.0)
