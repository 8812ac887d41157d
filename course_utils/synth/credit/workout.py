"""What becomes of bad loans: paid in full, paid in part, written off, or still open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.synth.credit.book import BAD, NONE, Book
from course_utils.synth.credit.draws import balanced, spread
from course_utils.synth.credit.schedule import PART, Instalments, join, sort

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

NPL_RATIO = 0.026  # of balances at the as-of date (course parameter)
FULL_PAYROLL, FULL_OTHER = 0.16, 0.05  # paid in full within twelve months
BIG_CASE = 0.2  # a case of more than this part of all open principal is closed
LATER_FULL = 0.35  # of closed cases not paid in the first year; the rest is written off
OPEN, PAID, WRITTEN_OFF = range(3)


@dataclass
class Workout:
    """Bad loans that the bank has called (arrays of one length).

    Parameters
    ----------
    loan : ndarray of int
        Position in the book.
    date : ndarray of datetime64[D]
        Day on which the loan became non-performing.
    outcome : ndarray of int
        OPEN, PAID or WRITTEN_OFF.
    end : ndarray of datetime64[D]
        Day of the end of the case; NaT if open.
    principal : ndarray of int
        Unpaid principal when it became non-performing, cents.
    interest : ndarray of int
        Unpaid interest at that time, cents.
    recovered : ndarray of int
        Principal recovered in parts within twelve months, cents.
    recovered_12m : ndarray of int
        All money recovered within twelve months, cents.
    payroll : ndarray of bool
        Whether the debtor's wage is paid here.
    pay_loan, pay_date, pay_amount : ndarray
        Partial payments: position in these arrays, date, cents.
    """

    loan: np.ndarray
    date: np.ndarray
    outcome: np.ndarray
    end: np.ndarray
    principal: np.ndarray
    interest: np.ndarray
    recovered: np.ndarray
    recovered_12m: np.ndarray
    payroll: np.ndarray
    pay_loan: np.ndarray
    pay_date: np.ndarray
    pay_amount: np.ndarray


def work_out(
    sim: Simulation, book: Book, rows: Instalments, called: np.ndarray
) -> tuple[Instalments, Workout]:
    """Decide the fate of every called loan and show the payments in the instalments.

    Debtors whose wage is paid here give back `m04_n04.payroll_recover` of the principal within a
    year, others the null value of that truth. Cases stay open until open principal is 2.6 % of
    all balances (weighted); the others are paid or written off.
    """
    rng = sim.rng("workout")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    loan = np.flatnonzero((book.ending == BAD) & (called <= as_of))
    date = called[loan]
    unpaid = np.isnat(rows.paid)
    debt = np.zeros(len(book), dtype=np.int64)
    owed = np.zeros(len(book), dtype=np.int64)
    np.add.at(debt, rows.loan[unpaid], rows.principal[unpaid])
    due_now = unpaid & (rows.due <= as_of)
    np.add.at(owed, rows.loan[due_now], rows.interest[due_now])
    payroll = sim.people["has_payroll"].to_numpy(dtype=bool)[book.person[loan]]
    active = sim.people["active"].to_numpy(dtype=bool)[book.person[loan]]
    full, ratio = _first_year(sim, payroll, active, (as_of - date).astype(np.int64), rng)
    recovered = np.where(full, 0, np.round(debt[loan] * ratio)).astype(np.int64)
    weight = sim.people["weight"].to_numpy(dtype=float)[book.person]
    performing = float((weight * debt)[(book.ending != BAD)].sum())
    target = NPL_RATIO / (1 - NPL_RATIO) * performing
    left = np.where(full, 0, debt[loan] - recovered) * weight[loan]
    outcome, end = _ends(date, full, left, target, as_of, rng)
    pay = _part_payments(date, end, recovered, as_of, rng)
    work = Workout(
        loan, date, outcome, end, debt[loan], owed[loan], recovered,
        np.where(full, debt[loan] + owed[loan], recovered), payroll, *pay,
    )  # fmt: skip
    return _show(rows, book, work), work


def _first_year(
    sim: Simulation,
    payroll: np.ndarray,
    active: np.ndarray,
    age: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return who pays in full within a year and the part the others pay."""
    entry = sim.effects.entry("m04_n04", "payroll_recover")
    with_wage = float(sim.effects.value("m04_n04", "payroll_recover"))
    without = float(entry.null_value)
    paid = FULL_PAYROLL if with_wage > without else FULL_OTHER
    share = np.where(payroll, paid, FULL_OTHER)
    known = age >= 365
    full = known & balanced(rng, share, known, payroll, active)
    mean = np.where(
        payroll, (with_wage - paid) / (1 - paid), (without - FULL_OTHER) / (1 - FULL_OTHER)
    )
    level = spread(rng, full, known, payroll, active)
    return full, 2 * mean * level * np.clip(age / 365, 0, 1)


def _ends(
    date: np.ndarray,
    full: np.ndarray,
    left: np.ndarray,
    target: float,
    as_of: np.datetime64,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the outcome and end date of each case; the youngest cases tend to stay open."""
    n = len(date)
    age = (as_of - date).astype(np.int64)
    key = age / 365 + rng.exponential(1.2, n)
    big = left > BIG_CASE * target
    fresh = (age < 120) & ~full & ~big
    key = np.where(full | big, np.inf, np.where(fresh, -np.inf, key))
    order = np.argsort(key, kind="stable")
    order = order[np.isfinite(key[order]) | fresh[order]]
    opened = np.zeros(n, dtype=bool)
    opened[order] = np.cumsum(left[order]) <= target
    opened |= fresh
    later = rng.random(n) < LATER_FULL
    outcome = np.where(
        opened, OPEN, np.where(full | later | (big & (age < 366)), PAID, WRITTEN_OFF)
    )
    first = np.where(full, 40, np.minimum(366, age))
    last = np.where(full, np.minimum(364, age), age)
    wait = first + (np.maximum(last - first, 0) * rng.beta(1.1, 1.6, n)).astype(np.int64)
    wait = np.where(~full & (age <= 366), np.maximum(age - 1, 60), wait)
    end = np.minimum(date + wait.astype("m8[D]"), as_of)
    return outcome, np.where(opened, NONE, end)


def _part_payments(
    date: np.ndarray,
    end: np.ndarray,
    recovered: np.ndarray,
    as_of: np.datetime64,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split what was recovered in parts over one to three payments in the first year."""
    last = np.where(np.isnat(end), as_of, end - 1)
    room = np.minimum((last - date).astype(np.int64), 360)
    some = np.flatnonzero((recovered >= 5_000) & (room >= 6))
    recovered[np.setdiff1d(np.arange(len(date)), some)] = 0
    count = np.minimum(1 + rng.integers(0, 3, len(some)), 3)
    case = np.repeat(some, count)
    starts = np.cumsum(count) - count
    number = np.arange(len(case)) - np.repeat(starts, count)
    width = room[case] // np.repeat(count, count)
    day = date[case] + (number * width + 1 + rng.integers(0, np.maximum(width - 1, 1))).astype(
        "m8[D]"
    )
    even = recovered[case] // np.repeat(count, count)
    amount = np.where(number == 0, recovered[case] - even * (np.repeat(count, count) - 1), even)
    return case, day, amount


def _show(rows: Instalments, book: Book, work: Workout) -> Instalments:
    """Write part payments as rows of their own, off the last unpaid rows; pay closed cases."""
    take = np.zeros(len(book), dtype=np.int64)
    take[work.loan] = work.recovered
    unpaid = np.isnat(rows.paid)
    open_principal = np.where(unpaid, rows.principal, 0)
    running = np.cumsum(open_principal[::-1])[::-1]  # principal unpaid from this row to the end
    final = np.concatenate((rows.loan[1:] != rows.loan[:-1], [True]))
    after = running - open_principal
    behind = after - _next_base(after, final)
    cut = np.clip(take[rows.loan] - behind, 0, open_principal)
    rows.principal[:] = rows.principal - cut
    end = np.full(len(book), NONE)
    paid = work.outcome == 1
    end[work.loan[paid]] = work.end[paid]
    close = unpaid & ~np.isnat(end[rows.loan])
    rows.paid[close] = end[rows.loan[close]]
    rows.paid_amount[close] = (rows.principal + rows.interest)[close]
    m = len(work.pay_loan)
    extra = Instalments(
        work.loan[work.pay_loan], work.pay_date, np.full(m, PART), work.pay_amount,
        np.zeros(m, np.int64), work.pay_date, work.pay_amount,
    )  # fmt: skip
    return sort(join([rows, extra]))


def _next_base(after: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Return for each row the running total behind the last row of its loan."""
    ends = np.flatnonzero(final)
    return after[ends][np.searchsorted(ends, np.arange(len(after)))]
