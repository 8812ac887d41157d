"""Loan arithmetic: payment, remaining balance, rate hidden in an instalment, saving of a new loan.

Payments fall at month ends; a nominal annual rate of 3.25 % is passed as 3.25 and charged 3.25/12
percent a month. All functions but :func:`irr` and :func:`schedule` work row by row on numbers,
arrays or Series (results keep the index).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need

MONTHS = 12
#: The search for a rate ends at 100 % a month; dearer instalments have no rate (NaN).
HIGHEST_MONTHLY = 1.0


def _like(result: np.ndarray, *sources: Any) -> Any:
    """Give ``result`` the index of the first Series among ``sources``; a number stays a number."""
    for source in sources:
        if isinstance(source, pd.Series):
            return pd.Series(np.broadcast_to(result, source.shape).copy(), index=source.index)
    return float(result) if np.ndim(result) == 0 else result


def _floats(*values: Any) -> list[np.ndarray]:
    return [np.asarray(value, dtype=float) for value in values]


def _factor(monthly: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return the value of one 元 a month for ``months`` months at a monthly rate (ratio)."""
    safe = np.where(monthly == 0, 1.0, monthly)
    with np.errstate(over="ignore", invalid="ignore"):
        value = -np.expm1(-months * np.log1p(safe)) / safe
    return np.where(monthly == 0, months, value)


def annuity_payment(principal: Any, percent: Any, months: Any) -> Any:
    """Return the equal monthly payment that repays a loan (等额本息).

    Parameters
    ----------
    principal : number or Series
        Money borrowed, 元.
    percent : number or Series
        Nominal annual rate in percent (3.25 means 3.25 %); 0 means principal / months.
    months : number or Series
        Number of payments.

    Returns
    -------
    float or Series
        元 a month: P·i / (1 − (1+i)^−n) with i = percent / 1200.
    """
    p, r, n = _floats(principal, percent, months)
    return _like(p / _factor(r / 100 / MONTHS, n), principal, percent, months)


def annuity_value(payment: Any, percent: Any, months: Any) -> Any:
    """Return the present value (元) of equal monthly payments at a nominal annual rate.

    Inverse of :func:`annuity_payment`; at the loan's own rate it is the remaining balance.
    """
    a, r, n = _floats(payment, percent, months)
    return _like(a * _factor(r / 100 / MONTHS, n), payment, percent, months)


def remaining_balance(principal: Any, percent: Any, months: Any, paid: Any) -> Any:
    """Return what is still owed after ``paid`` of ``months`` equal payments, 元.

    Parameters
    ----------
    principal, percent, months
        See :func:`annuity_payment`.
    paid : number or Series
        Payments already made; more than ``months`` leaves 0.

    Returns
    -------
    float or Series
        Present value of the payments that are left, at the loan's own rate.
    """
    p, r, n, k = _floats(principal, percent, months, paid)
    monthly = r / 100 / MONTHS
    left = np.clip(n - k, 0, None)
    result = p * _factor(monthly, left) / _factor(monthly, n)
    return _like(result, principal, percent, months, paid)


def schedule(principal: float, percent: float, months: int) -> pd.DataFrame:
    """Return the plan of an equal-payment loan month by month.

    Returns
    -------
    DataFrame
        Index ``period`` 1…n; ``payment``, ``interest``, ``repaid`` (principal part), ``balance``
        (after the payment), 元.
    """
    _need.that(months >= 1, "还款期数至少是 1 期，请检查期数。")
    paid = np.arange(months + 1)
    balance = remaining_balance(principal, percent, months, paid)
    interest = balance[:-1] * percent / 100 / MONTHS
    repaid = balance[:-1] - balance[1:]
    return pd.DataFrame(
        {"payment": interest + repaid, "interest": interest, "repaid": repaid,
         "balance": balance[1:]},
        index=pd.RangeIndex(1, months + 1, name="period"),
    )  # fmt: skip


def annuity_percent(principal: Any, payment: Any, months: Any) -> Any:
    """Return the nominal annual rate hidden in (amount, equal payment, number of payments).

    Parameters
    ----------
    principal : number or Series
        Money received, 元.
    payment : number or Series
        Monthly payment, 元.
    months : number or Series
        Number of payments.

    Returns
    -------
    float or Series
        Nominal annual percent; 0 for an interest-free plan; NaN where the payments do not even
        return the principal, where inputs are missing or not positive, or where the rate is
        above 100 % a month.

    Notes
    -----
    Bisection on the monthly rate (the value of the payments falls as the rate rises, so the root
    is single); exact to about 1e-12 percent.
    """
    p, a, n = np.broadcast_arrays(*_floats(principal, payment, months))
    with np.errstate(invalid="ignore"):
        known = (p > 0) & (a > 0) & (n >= 1)
        surplus = a * n - p
        free = known & (np.abs(surplus) <= 1e-9 * p)
        known &= (surplus > 0) & ~free
    low, high = np.zeros(p.shape), np.full(p.shape, HIGHEST_MONTHLY)
    with np.errstate(invalid="ignore"):
        known &= a * _factor(high, n) <= p
        for _ in range(80):
            middle = (low + high) / 2
            above = a * _factor(middle, n) > p
            low, high = np.where(above, middle, low), np.where(above, high, middle)
    rate = np.where(known, (low + high) / 2 * MONTHS * 100, np.where(free, 0.0, np.nan))
    return _like(rate, principal, payment, months)


def irr(principal: float, payments: Sequence[float]) -> float:
    """Return the nominal annual rate of any monthly plan (last payment smaller, pauses, …).

    Parameters
    ----------
    principal : float
        Money received at the start, 元.
    payments : sequence of float
        Payment at the end of month 1, 2, …, 元; none negative.

    Returns
    -------
    float
        Nominal annual percent = 12 × monthly internal rate of return × 100; 0 when the payments
        add up to the principal.

    Raises
    ------
    CourseError
        The payments do not return the principal, a payment is negative, or the plan is empty.
    """
    from scipy.optimize import brentq

    flows = np.asarray(payments, dtype=float)
    _need.that(principal > 0 and flows.size > 0, "本金要大于零，还款计划至少要有一期。")
    _need.that(bool((flows >= 0).all()), "还款计划里有负数，请检查现金流的方向。")
    surplus = flows.sum() - principal
    _need.that(surplus >= -1e-9 * principal, "还款合计不到本金，算不出利率，请检查期数和月供。")
    if surplus <= 1e-9 * principal:
        return 0.0
    times = np.arange(1, flows.size + 1)

    def gap(monthly: float) -> float:
        return float((flows * (1 + monthly) ** -times).sum() - principal)

    _need.that(gap(HIGHEST_MONTHLY) < 0, "算出的月利率超过 100%，请检查本金和月供的单位。")
    return float(brentq(gap, 0.0, HIGHEST_MONTHLY, xtol=1e-15)) * MONTHS * 100


def effective_percent(nominal: Any) -> Any:
    """Return the effective annual percent of a nominal one: (1 + r/12)^12 − 1."""
    (r,) = _floats(nominal)
    return _like(((1 + r / 100 / MONTHS) ** MONTHS - 1) * 100, nominal)


def nominal_percent(effective: Any) -> Any:
    """Return the nominal annual percent (paid monthly) of an effective one."""
    (r,) = _floats(effective)
    return _like(((1 + r / 100) ** (1 / MONTHS) - 1) * MONTHS * 100, effective)


def refinance_saving(
    balance: Any,
    old_payment: Any,
    months_left: Any,
    new_percent: Any,
    new_months: Any = None,
    fee: Any = 0.0,
    penalty_percent: Any = 0.0,
    discount_percent: Any = None,
) -> pd.DataFrame:
    """Return what a customer saves by replacing the rest of a loan with a new one.

    Parameters
    ----------
    balance : number or Series
        Principal still owed to the old lender, 元; this is what the new loan has to pay.
    old_payment, months_left : number or Series
        Old monthly payment (元) and payments left.
    new_percent : number or Series
        Nominal annual rate of the new loan, percent.
    new_months : number or Series, optional
        Term of the new loan; the old months left if None. A longer term lowers the payment but
        not the price: look at ``saving``.
    fee : number or Series
        One-off cost of the new loan paid at the start, 元.
    penalty_percent : number or Series
        Prepayment penalty of the old lender, percent of ``balance``.
    discount_percent : number or Series, optional
        Nominal annual rate at which later money is worth less; the new rate if None.

    Returns
    -------
    DataFrame
        ``new_payment``, ``month_saving``, ``total_saving`` (undiscounted, after fee and penalty),
        ``old_value``, ``new_value`` (present values, 元), ``saving`` = old − new value,
        ``saving_ratio`` = saving / old value.

    Notes
    -----
    At equal terms, no costs and discounting at the new rate, the ratio is 1 − new payment / old
    payment.
    """
    b, a, n, r, c, q = _floats(balance, old_payment, months_left, new_percent, fee, penalty_percent)
    m = n if new_months is None else np.asarray(new_months, dtype=float)
    d = r if discount_percent is None else np.asarray(discount_percent, dtype=float)
    costs = c + b * q / 100
    new = b / _factor(r / 100 / MONTHS, m)
    monthly = d / 100 / MONTHS
    old_value, new_value = a * _factor(monthly, n), new * _factor(monthly, m) + costs
    columns = {
        "new_payment": new, "month_saving": a - new, "total_saving": a * n - new * m - costs,
        "old_value": old_value, "new_value": new_value, "saving": old_value - new_value,
        "saving_ratio": 1 - new_value / old_value,
    }  # fmt: skip
    arguments = (balance, old_payment, months_left, new_percent)
    index = next((x.index for x in arguments if isinstance(x, pd.Series)), None)
    shape = np.broadcast_shapes(*(np.shape(v) for v in columns.values()))
    flat = {name: np.broadcast_to(v, shape).ravel() for name, v in columns.items()}
    return pd.DataFrame(flat, index=index)
