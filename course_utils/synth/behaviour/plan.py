"""What recurs in a customer's statement: lenders, other-bank loans, pay, bills; planned once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.synth.behaviour.names import (
    EMPLOYERS,
    LENDERS,
    OTHER_BANK_LOAN,
    PLAIN_LENDERS,
    UTILITIES,
    positions,
)

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

MAX_LENDERS = 5
PLAIN_SHARE = 0.06  # lenders that no keyword finds
OTHER_BANK_SHARE = 0.09  # of active persons pay a loan at another bank
CENTS = 100
LOAN_MONTHS, LOAN_MONTHS_SHARE = (3, 6, 9, 12), (0.10, 0.45, 0.25, 0.20)
LOAN_RATE = (10.0, 24.0)  # percent a year of online loans that begin inside the statement


@dataclass
class Panel:
    """Integer-cent panels ``[customer, month]`` of the chosen customers, 12 months."""

    in_cents: np.ndarray
    in_count: np.ndarray
    out_cents: np.ndarray
    out_count: np.ndarray
    payroll: np.ndarray
    external_in: np.ndarray
    external_out: np.ndarray
    third_party: np.ndarray
    wealth: np.ndarray
    mobile_count: np.ndarray
    installment: np.ndarray
    acquiring: np.ndarray
    passive_in: np.ndarray


@dataclass
class Plan:
    """Recurring items of the chosen customers; amounts in cents, days 1-28, names as codes."""

    lender_name: np.ndarray
    lender_amount: np.ndarray
    lender_day: np.ndarray
    lender_first: np.ndarray
    lender_last: np.ndarray
    lender_payout: np.ndarray
    bank_name: np.ndarray
    bank_amount: np.ndarray
    bank_day: np.ndarray
    employer: np.ndarray
    pay_day: np.ndarray
    pension: np.ndarray
    pension_day: np.ndarray
    subsidy: np.ndarray
    bill: np.ndarray
    bill_name: np.ndarray
    habit: np.ndarray
    priority: np.ndarray


def room(panel: Panel) -> np.ndarray:
    """Return the usual money (cents) that leaves for neither own accounts nor wallets."""
    left = panel.out_cents - panel.external_out - panel.third_party - panel.installment
    return np.median(left, axis=1).clip(0)


def new_loans(
    rng: np.random.Generator, amount: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give loans that begin inside the statement a term and a sum paid out.

    Parameters
    ----------
    rng : Generator
        Random stream of its own.
    amount : ndarray
        Monthly repayment, cents.
    first, last : ndarray
        Month of the payout (-1: before the statement) and of the last repayment.

    Returns
    -------
    last, payout : ndarray
        Last month of repayment; present value of the repayments at a rate within
        `LOAN_RATE`, in cents, in steps of 100 yuan, 0 for older loans.
    """
    term = rng.choice(LOAN_MONTHS, amount.shape, p=LOAN_MONTHS_SHARE)
    monthly = rng.uniform(*LOAN_RATE, amount.shape) / 1200
    worth = amount * (1 - (1 + monthly) ** -term.astype(float)) / monthly
    new = first >= 0
    payout = np.where(new, np.rint(worth / (100 * CENTS)) * 100 * CENTS, 0).astype(np.int64)
    return np.where(new, first + term, last), payout


def draw(sim: Simulation, rows: np.ndarray, panel: Panel) -> Plan:
    """Plan the recurring items of the customers at positions `rows` of ``sim.people``."""
    rng = sim.rng("transaction.plan")
    n, months = panel.out_cents.shape
    people = sim.people.iloc[rows]
    space = room(panel)
    lenders = people["online_lender_count"].fillna(0).to_numpy(dtype=int).clip(0, MAX_LENDERS)
    lenders = np.where(people["uses_online_loan"].to_numpy(dtype=bool), lenders.clip(1), 0)
    slot = np.arange(MAX_LENDERS)[None, :]
    used = slot < lenders[:, None]
    wish = np.exp(rng.normal(np.log(900), 0.55, (n, MAX_LENDERS))) * CENTS
    cap = 0.5 * space / np.maximum(lenders, 1)
    amount = np.minimum(wish, cap[:, None] * rng.uniform(0.6, 1.0, wish.shape))
    first = np.where(rng.random(wish.shape) < 0.7, -1, rng.integers(0, months - 4, wish.shape))
    last = np.where(
        (first < 0) & (rng.random(wish.shape) < 0.35),
        rng.integers(4, months, wish.shape),
        months,
    )
    last, payout = new_loans(sim.rng("transaction.terms"), amount, first, last)
    name = np.where(
        rng.random(wish.shape) < PLAIN_SHARE,
        np.array(positions(PLAIN_LENDERS))[rng.integers(0, len(PLAIN_LENDERS), wish.shape)],
        np.array(positions(LENDERS))[
            (rng.integers(0, len(LENDERS), n)[:, None] + slot * 3) % len(LENDERS)
        ],
    )
    active = people["active"].to_numpy(dtype=bool)
    person = (people["customer_type"].astype(str) != "企业").to_numpy()
    age = people["age"].fillna(0).to_numpy(dtype=float)
    income = people["income_month"].fillna(3000).to_numpy(dtype=float)
    other = person & active & (age >= 24) & (age < 60) & (rng.random(n) < OTHER_BANK_SHARE * 1.6)
    instalment = np.rint(np.minimum(income * rng.uniform(0.25, 0.5, n) * CENTS, 0.6 * space))
    farmer = people["is_farmer"].to_numpy(dtype=bool)
    start = sim.months(months)[0].to_datetime64().astype("datetime64[M]")
    settled = people["open_date"].to_numpy().astype("datetime64[M]") < start
    retired = person & (age >= 60) & settled
    worker_pension = rng.random(n) < 0.45
    pension = np.where(worker_pension, rng.uniform(1900, 3900, n), rng.uniform(180, 320, n))
    return Plan(
        lender_name=name,
        lender_amount=np.where(used & (amount > 5000), np.rint(amount), 0).astype(np.int64),
        lender_day=rng.integers(2, 27, wish.shape),
        lender_first=first,
        lender_last=last,
        lender_payout=payout,
        bank_name=np.array(positions(OTHER_BANK_LOAN))[rng.integers(0, len(OTHER_BANK_LOAN), n)],
        bank_amount=np.where(other & (instalment > 20_000), instalment, 0).astype(np.int64),
        bank_day=rng.integers(1, 29, n),
        employer=np.array(positions(EMPLOYERS))[rng.integers(0, len(EMPLOYERS), n)],
        pay_day=rng.choice([5, 8, 10, 12, 15, 20, 25], n),
        pension=np.where(retired, np.rint(pension * CENTS), 0).astype(np.int64),
        pension_day=np.where(worker_pension, 15, 10),
        subsidy=np.where(farmer & person, np.rint(rng.uniform(80, 900, n)) * CENTS, 0).astype(
            np.int64
        ),
        bill=np.where(rng.random(n) < 0.45, np.exp(rng.normal(4.4, 0.5, n)) * CENTS, 0),
        bill_name=np.array(positions(UTILITIES))[rng.integers(0, len(UTILITIES), n)],
        habit=rng.random(n),
        priority=rng.random(n),
    )
