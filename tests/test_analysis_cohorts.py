"""Loan cohorts: hand-worked vintages, roll rates, loan to value, streaks."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import cohorts, experiment
from course_utils.errors import CourseError

D = pd.Timestamp


def month_rows(loan: str, start: str, dpd: list[int]) -> pd.DataFrame:
    ends = pd.date_range(D(start) + pd.offsets.MonthEnd(0), periods=len(dpd), freq="ME")
    return pd.DataFrame({"loan_id": loan, "month": ends, "dpd": dpd})


LOANS = pd.DataFrame(
    {"loan_id": ["a", "b", "c"], "issue_date": [D("2024-01-10"), D("2024-03-05"), D("2025-01-20")]}
)
MONTHS = pd.concat(
    [
        month_rows("a", "2024-01-10", [0, 0, 5, 36, 66, 97, 0, 0]),
        month_rows("b", "2024-03-05", [0] * 10),
        month_rows("c", "2025-01-20", [0, 31, 0]),
    ]
)


def test_buckets_change_on_the_day():
    days = pd.Series([0, 1, 30, 31, 60, 61, 90, 91, 150, 151, 2000, np.nan])
    expected = ["M0", "M1", "M1", "M2", "M2", "M3", "M3", "M4", "M5", "M6+", "M6+"]
    assert cohorts.bucket(days).dropna().tolist() == expected
    assert cohorts.bucket(days).isna().sum() == 1
    with pytest.raises(CourseError):
        cohorts.bucket(pd.Series([-1]))


def test_months_on_book_count_calendar_months():
    start = pd.Series([D("2024-01-31"), D("2023-12-01"), pd.NaT])
    assert cohorts.months_between(start, D("2024-02-01")).tolist()[:2] == [1, 2]
    assert np.isnan(cohorts.months_between(start, D("2024-02-01")).iloc[2])


def test_vintage_steps_up_once_and_stops_with_the_youngest_loan():
    table = cohorts.vintage(MONTHS, LOANS, D("2025-03-31"), days=30)
    assert table.columns.tolist() == [2024, 2025]
    assert table.loc[:2, 2024].tolist() == [0, 0, 0]
    assert table.loc[3, 2024] == 0.5  # loan a, 36 days in April 2024 = third month on book
    assert table[2024].last_valid_index() == 12  # loan b is 12 months old
    assert table[2025].dropna().tolist() == [0, 1, 1]
    worse = cohorts.vintage(MONTHS, LOANS, D("2025-03-31"), days=90)
    assert worse.loc[4, 2024] == 0
    assert worse.loc[5, 2024] == 0.5
    assert (table[2024].dropna().diff().dropna() >= 0).all()


def test_seen_at_leaves_out_young_loans():
    table = cohorts.seen_at(MONTHS, LOANS, D("2025-03-31"), months=6)
    assert table.loc[2024, ["n", "late"]].tolist() == [2, 1]
    assert 2025 not in table.index
    assert table.loc[2024, "low"] == pytest.approx(experiment.wilson(1, 2).iloc[0]["low"])


def test_roll_rates_and_flow_to_loss_by_hand():
    settled = pd.Series({"a": D("2024-08-31")})
    counts = cohorts.roll_counts(MONTHS, settled)
    # a: M0→M0 M0→M1 M1→M2 M2→M3 M3→M4 M4→M0 M0→结清; b: nine M0→M0; c: M0→M2, M2→M0
    assert counts.loc["M0", "M0"] == 1 + 9
    assert counts.loc["M0", ["M1", "M2", "结清"]].tolist() == [1, 1, 1]
    assert counts.loc["M2", ["M0", "M3"]].tolist() == [1, 1]
    assert counts.to_numpy().sum() == 7 + 9 + 2
    rates = cohorts.roll_rates(counts)
    assert rates.loc["M0"].sum() == pytest.approx(1)
    assert rates.loc["M5"].isna().all()
    flow = cohorts.flow_to_loss(rates.fillna(1.0))
    assert flow["M5"] > 0
    half = pd.DataFrame(0.0, index=list(cohorts.BUCKETS), columns=[*cohorts.BUCKETS, "结清"])
    for now, after in zip(cohorts.BUCKETS[:-1], cohorts.BUCKETS[1:], strict=True):
        half.loc[now, after] = 0.5
    assert cohorts.flow_to_loss(half).tolist() == pytest.approx([0.5**k for k in range(6, 0, -1)])


def test_a_gap_in_the_months_is_not_a_step():
    rows = pd.concat([month_rows("a", "2024-01-10", [0]), month_rows("a", "2024-05-10", [40])])
    assert cohorts.roll_counts(rows).to_numpy().sum() == 0


def test_loan_to_value_follows_the_index():
    index = pd.Series(
        [100.0, 110.0, 90.0], pd.to_datetime(["2024-01-31", "2024-06-30", "2025-12-31"])
    )
    start = pd.Series([D("2020-05-01"), D("2024-07-15"), pd.NaT])
    ratio = cohorts.price_ratio(index, start, D("2025-12-31"))
    assert ratio.tolist()[:2] == pytest.approx([0.9, 90 / 110])
    assert np.isnan(ratio.iloc[2])
    assert cohorts.price_ratio(index, start, D("2024-12-31")).iloc[0] == pytest.approx(1.1)
    ltv = cohorts.current_ltv(pd.Series([45.0, 10.0]), pd.Series([100.0, 0.0]), 0.9)
    assert ltv.iloc[0] == pytest.approx(0.5)
    assert np.isnan(ltv.iloc[1])
    with pytest.raises(CourseError):
        cohorts.price_ratio(index, start, D("2023-12-31"))


def test_going_rate_is_the_median_of_the_window():
    issue = pd.Series(pd.to_datetime(["2024-01-05", "2024-02-10", "2024-02-20", "2024-07-01"]))
    rate = pd.Series([5.0, 4.0, 3.0, 1.0])
    ends = pd.Series(
        pd.to_datetime(
            ["2024-01-31", "2024-02-29", "2024-02-29", "2024-05-31", "2024-06-30", "2024-07-31"]
        )
    )
    got = cohorts.going_rate(issue, rate, ends, months=2)
    assert got.tolist() == [5.0, 4.0, 4.0, 4.0, 1.0]
    assert got.index.is_unique
    assert cohorts.going_rate(issue, rate, ends, months=1)[D("2024-02-29")] == 3.5


def pay(loan: str, waits: list[int | None], kind: str = "按期") -> pd.DataFrame:
    due = pd.date_range("2025-01-20", periods=len(waits), freq="MS") + pd.Timedelta(days=19)
    paid = [
        pd.NaT if w is None else d + pd.Timedelta(days=w) for d, w in zip(due, waits, strict=True)
    ]
    return pd.DataFrame({"loan_id": loan, "due_date": due, "paid_date": paid, "kind": kind})


def test_streak_counts_back_to_the_last_break():
    rows = pd.concat(
        [
            pay("never", [0, 0, 1, 0]),
            pay("broke", [0, 4, 0, 3]),
            pay("late_now", [0, 0, 0, 40]),
            pay("unpaid", [0, 0, None, None]),
        ]
    )
    when = D("2025-05-31")
    got = cohorts.streak(rows, when)
    assert got.to_dict() == {"never": 4, "broke": 2, "late_now": 0, "unpaid": 0}
    assert cohorts.streak(rows, when, grace=4)["broke"] == 4
    assert cohorts.streak(rows, D("2025-04-10"))["late_now"] == 2
    early = pd.concat([rows, pay("never", [99], kind="部分提前")])
    assert cohorts.streak(early, when)["never"] == 4


def test_an_instalment_due_yesterday_breaks_nothing_yet():
    rows = pay("x", [0, 0, 2])
    last = rows["due_date"].iloc[-1]
    assert cohorts.streak(rows, last + pd.Timedelta(days=1))["x"] == 2
    assert cohorts.streak(rows, last + pd.Timedelta(days=2))["x"] == 3
    rows = pay("x", [0, 0, None])
    assert cohorts.streak(rows, last + pd.Timedelta(days=4))["x"] == 0
