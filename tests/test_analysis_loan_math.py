"""Loan arithmetic against closed forms and a plan worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import loan_math
from course_utils.errors import CourseError


def test_payment_of_a_loan_worked_by_hand():
    # two months at 12 % a year: a = P / (1/1.01 + 1/1.01²)
    expected = 10_000 / (1 / 1.01 + 1 / 1.01**2)
    assert loan_math.annuity_payment(10_000, 12, 2) == pytest.approx(expected, rel=1e-12)
    assert loan_math.annuity_payment(12_000, 0, 12) == pytest.approx(1000.0)
    assert loan_math.annuity_value(expected, 12, 2) == pytest.approx(10_000)


def test_balance_follows_the_plan_month_by_month():
    principal, percent, months = 100_000.0, 7.2, 36
    payment = loan_math.annuity_payment(principal, percent, months)
    balance, walked = principal, []
    for _ in range(months):
        balance = balance * (1 + percent / 1200) - payment
        walked.append(balance)
    direct = loan_math.remaining_balance(principal, percent, months, np.arange(1, months + 1))
    assert direct == pytest.approx(walked, abs=1e-6)
    assert loan_math.remaining_balance(principal, percent, months, 40) == 0.0
    plan = loan_math.schedule(principal, percent, months)
    assert plan["balance"].to_numpy() == pytest.approx(walked, abs=1e-6)
    assert plan["payment"].to_numpy() == pytest.approx(np.full(months, payment))
    assert plan["repaid"].sum() == pytest.approx(principal)
    assert plan.loc[1, "interest"] == pytest.approx(600.0)


def test_zero_interest_balance_is_a_straight_line():
    assert loan_math.remaining_balance(1200, 0, 12, 3) == pytest.approx(900.0)
    assert loan_math.schedule(1200, 0, 12)["interest"].abs().max() == 0.0


def test_hidden_rate_closed_forms():
    # one payment: r = a/P − 1; two payments: the quadratic P·x² − a·x − a = 0, x = 1 + i
    assert loan_math.annuity_percent(1000, 1010, 1) == pytest.approx(12.0, abs=1e-9)
    x = (520 + math.sqrt(520**2 + 4 * 1000 * 520)) / 2000
    assert loan_math.annuity_percent(1000, 520, 2) == pytest.approx((x - 1) * 1200, abs=1e-9)
    assert loan_math.annuity_percent(12_000, 1000, 12) == 0.0


def test_hidden_rate_inverts_the_payment_for_many_loans():
    percents = pd.Series([0.5, 3.1, 7.2, 18.0, 36.0, 300.0], index=list("abcdef"))
    months = pd.Series([240, 36, 12, 24, 6, 3], index=percents.index)
    payment = loan_math.annuity_payment(50_000, percents, months)
    found = loan_math.annuity_percent(50_000, payment, months)
    assert list(found.index) == list("abcdef")
    assert found.to_numpy() == pytest.approx(percents.to_numpy(), abs=1e-8)


def test_flat_fee_quote_is_nearly_double():
    # "0.6 % a month of the original amount" over 12 months is about 13 % a year, not 7.2 %
    payment = 12_000 / 12 + 12_000 * 0.006
    assert 12.5 < loan_math.annuity_percent(12_000, payment, 12) < 13.5


def test_hidden_rate_has_no_answer_where_there_is_none():
    wrong = loan_math.annuity_percent(
        pd.Series([12_000.0, 12_000, np.nan, 0, 1000]), [900, 30_000, 1000, 1000, -5], 12
    )
    assert wrong.isna().all()


def test_irr_of_any_plan():
    payment = loan_math.annuity_payment(10_000, 9.0, 10)
    assert loan_math.irr(10_000, [payment] * 10) == pytest.approx(9.0, abs=1e-9)
    # last payment partial: walk the balance by hand and let the last payment be the rest
    balance, flows = 10_000.0, []
    for _ in range(4):
        flows.append(2_200.0)
        balance = balance * 1.01 - 2_200
    flows.append(balance * 1.01)
    assert 0 < flows[-1] < 2_200
    assert loan_math.irr(10_000, flows) == pytest.approx(12.0, abs=1e-9)
    # a bullet: interest monthly, principal at the end
    assert loan_math.irr(10_000, [50.0] * 11 + [10_050.0]) == pytest.approx(6.0, abs=1e-9)
    assert loan_math.irr(1200, [100.0] * 12) == 0.0


@pytest.mark.parametrize(
    ("principal", "flows"), [(1000, [900]), (0, [10]), (100, []), (100, [200, -50])]
)
def test_irr_refuses_what_has_no_rate(principal, flows):
    with pytest.raises(CourseError):
        loan_math.irr(principal, flows)


def test_effective_rate():
    assert loan_math.effective_percent(12.0) == pytest.approx((1.01**12 - 1) * 100)
    values = pd.Series([3.0, 7.2])
    back = loan_math.nominal_percent(loan_math.effective_percent(values))
    assert back.to_numpy() == pytest.approx(values.to_numpy())


def test_refinance_saving_identities():
    old = loan_math.annuity_payment(60_000, 15.0, 30)
    equal = loan_math.refinance_saving(60_000, old, 30, 5.2).iloc[0]
    new = loan_math.annuity_payment(60_000, 5.2, 30)
    assert equal["saving_ratio"] == pytest.approx(1 - new / old)
    assert equal["new_value"] == pytest.approx(60_000)
    assert equal["total_saving"] == pytest.approx((old - new) * 30)
    costs = loan_math.refinance_saving(60_000, old, 30, 5.2, fee=300, penalty_percent=1).iloc[0]
    assert equal["saving"] - costs["saving"] == pytest.approx(900.0)
    same = loan_math.refinance_saving(60_000, old, 30, 15.0).iloc[0]
    assert same["saving"] == pytest.approx(0.0, abs=1e-6)


def test_a_longer_term_lowers_the_payment_not_the_price():
    balance = pd.Series([60_000.0, 20_000.0], index=["x", "y"])
    old = loan_math.annuity_payment(balance, 9.0, 24)
    longer = loan_math.refinance_saving(balance, old, 24, 9.0, new_months=48)
    assert list(longer.index) == ["x", "y"]
    assert (longer["month_saving"] > 0).all()
    assert longer["saving"].abs().max() < 1e-6  # same rate: no saving at all
    assert (longer["total_saving"] < 0).all()
