"""Bonus quantities and payments, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from course_utils.analysis import bonus
from course_utils.errors import CourseError

MONTHS = pd.date_range("2024-01-31", periods=24, freq="ME")
PRICE = pd.Series([30, 0.02, 2, 60, 15], index=list(bonus.METRICS))


def book() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two merchants of E1 (A grows, B is new and asleep), one of E2 (C loses its star)."""
    merchants = pd.DataFrame(
        {
            "employee_id": ["E1", "E1", "E2"],
            "open_date": pd.to_datetime(["2020-01-01", "2025-03-01", "2020-01-01"]),
        },
        index=pd.Index(["A", "B", "C"], name="merchant_id"),
    )
    rows = pd.DataFrame(
        [(m, shop) for shop in "ABC" for m in MONTHS if shop != "B" or m > pd.Timestamp("2025-03")],
        columns=["month", "merchant_id"],
    )
    late = rows["month"].dt.year == 2025
    a, b, c = (rows["merchant_id"] == shop for shop in "ABC")
    rows["transaction_count"] = 10 + 5 * (a & late).astype(int)
    rows["transaction_amount"] = 2e4 * (1 + (c & late))
    rows["settlement_deposit_average"] = 1e4 + 12e4 * (c & (rows["month"] == MONTHS[-1]))
    rows["active_days"] = 20 - 15 * b.astype(int)
    rows["star"] = 3
    rows.loc[a & (rows["month"] >= MONTHS[-4]), "star"] = 4
    rows.loc[c & ~late, "star"] = 5
    return rows, merchants


def test_quantities_by_hand():
    rows, merchants = book()
    got = bonus.quantities(rows, merchants, 15, suspect=["C"])
    level, rise, kept = got["按存量"], got["按增量"], got["按留存"]
    stock = [2, 12 * 15 + 10 * 10, 2 * 12 + 2 * 10, 1, 1 + 10 / 12]
    assert level.loc["E1"].tolist() == pytest.approx(stock)
    assert rise.loc["E1"].tolist() == pytest.approx([1, 60 + 100, 20, 1, 10 / 12])
    assert kept.loc["E1", "新增商户数"] == 0  # signed, but asleep
    assert kept.loc["E1", "四星以上净增"] == 1  # four stars three months ago and now
    assert rise.loc["E2"].tolist() == pytest.approx([0, 0, 24, -1, 1])
    assert kept.loc["E2", "交易金额"] == 0  # a suspect
    assert kept.loc["E2", "结算户日均"] == pytest.approx(0)  # December is a quarter end
    # B has six months of 2025 that end no quarter
    assert kept.loc["E1", "结算户日均"] == pytest.approx(6 / 8)


def test_paid_by_rule():
    rows, merchants = book()
    quantity = bonus.quantities(rows, merchants)

    def pay(rule: str, metric: str, extra: pd.Series | None = None) -> list[float]:
        scheme = pd.DataFrame({"metric": [metric], "weight": [0.5], "payout_rule": [rule]})
        return bonus.paid(scheme, quantity, PRICE, extra).tolist()

    assert pay("按存量", "新增商户数") == [30, 15]
    assert pay("按增量", "四星以上净增") == [30, 0]  # a loss is not charged
    assert pay("按达标", "四星以上净增") == [30, 0]
    game = pd.Series(0.0, index=PRICE.index)
    game["四星以上净增"] = 3
    assert pay("按增量", "四星以上净增", game) == [120, 60]
    assert pay("按留存", "四星以上净增", game) == [30, 0]


def test_errors():
    rows, merchants = book()
    with pytest.raises(CourseError, match="24 个月"):
        bonus.quantities(rows[rows["month"] > MONTHS[3]], merchants)
    scheme = pd.DataFrame({"metric": ["交易笔数"], "weight": [1.0], "payout_rule": ["看心情"]})
    with pytest.raises(CourseError, match="看心情"):
        bonus.paid(scheme, bonus.quantities(rows, merchants), PRICE)
