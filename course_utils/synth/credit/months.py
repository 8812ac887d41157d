"""Month ends of the loan book: balances, days past due, five classes, panels by customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.synth.credit.book import Book
from course_utils.synth.credit.draws import month_end, month_number
from course_utils.synth.credit.schedule import Instalments

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

FIVE = ("正常", "关注", "次级", "可疑", "损失")
#: More than this many days past due: 关注, 次级, 可疑, 损失 (2023 rule; 7 days are technical).
FIVE_LIMITS = (7, 90, 270, 360)


@dataclass
class LoanMonths:
    """Rows of ``loan_month``, sorted by loan and month (arrays of one length).

    Parameters
    ----------
    loan, month : ndarray of int
        Position in the book, months since 1970-01.
    balance : ndarray of int
        Cents at the month end.
    dpd : ndarray of int
        Days past due at the month end.
    first : ndarray of int, shape (loans,)
        First row of each loan.
    """

    loan: np.ndarray
    month: np.ndarray
    balance: np.ndarray
    dpd: np.ndarray
    first: np.ndarray


def five_class(dpd: np.ndarray) -> np.ndarray:
    """Return the position in `FIVE` for days past due."""
    return np.searchsorted(FIVE_LIMITS, dpd, side="left")


def settle_dates(book: Book, rows: Instalments, written_off: np.ndarray) -> np.ndarray:
    """Return when each loan ended: everything paid, or written off; NaT if running.

    Parameters
    ----------
    book : Book
        The loans.
    rows : Instalments
        Their instalments with payments.
    written_off : ndarray of datetime64[D], shape (loans,)
        Date of write-off, NaT if none.
    """
    unpaid = np.zeros(len(book), dtype=np.int64)
    np.add.at(unpaid, rows.loan, np.isnat(rows.paid).astype(np.int64))
    last = np.zeros(len(book), dtype=np.int64)
    filled = ~np.isnat(rows.paid)
    np.maximum.at(last, rows.loan[filled], rows.paid[filled].astype(np.int64))
    settled = np.where(unpaid == 0, last.astype("M8[D]"), np.datetime64("NaT"))
    return np.where(np.isnat(written_off), settled, written_off)


def build_months(
    book: Book, rows: Instalments, settle: np.ndarray, as_of: np.datetime64
) -> LoanMonths:
    """Return the month-end state of every loan from the month of issue to its end.

    Balance = amount − principal of rows paid by then (0 at the end of a settled or written-off
    loan); days past due = days since the oldest due and unpaid row.
    """
    start = month_number(book.issue)
    end = np.where(np.isnat(settle), month_number(as_of), month_number(settle))
    counts = end - start + 1
    first = np.cumsum(counts) - counts
    loan = np.repeat(np.arange(len(book)), counts)
    month = start[loan] + np.arange(len(loan)) - first[loan]
    paid = np.flatnonzero(~np.isnat(rows.paid) & (rows.principal > 0))
    where = first[rows.loan[paid]] + month_number(rows.paid[paid]) - start[rows.loan[paid]]
    repaid = np.bincount(where, weights=rows.principal[paid], minlength=len(loan)).astype(np.int64)
    total = np.cumsum(repaid)
    before = (total - repaid)[first]
    balance = book.amount[loan] * 100 - (total - before[loan])
    ended = ~np.isnat(settle[loan]) & (month == end[loan])
    balance = np.where(ended, 0, balance)
    dpd = _days_past_due(rows, book, loan, first, start, end, settle, as_of)
    return LoanMonths(loan, month, balance, np.where(ended, 0, dpd), first)


def _days_past_due(
    rows: Instalments,
    book: Book,
    loan: np.ndarray,
    first: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    settle: np.ndarray,
    as_of: np.datetime64,
) -> np.ndarray:
    """Spread every late row over the month ends at which it was unpaid; keep the longest."""
    until = np.where(np.isnat(rows.paid), as_of + 1, rows.paid)
    stop = np.where(np.isnat(settle), as_of + 1, settle)[rows.loan]
    until = np.minimum(until, stop)
    late = np.flatnonzero((rows.due < until) & (rows.due <= as_of))
    begin = month_number(rows.due[late])  # first month end not before the due date
    finish = month_number(until[late] - 1)
    finish = np.where(month_end(finish) > until[late] - 1, finish - 1, finish)
    counts = np.maximum(finish - begin + 1, 0)
    source = np.repeat(late, counts)
    starts = np.cumsum(counts) - counts
    month = np.repeat(begin, counts) + np.arange(len(source)) - np.repeat(starts, counts)
    days = (month_end(month) - rows.due[source]).astype(np.int64)
    result = np.zeros(len(loan), dtype=np.int64)
    where = first[rows.loan[source]] + month - start[rows.loan[source]]
    np.maximum.at(result, where, days)
    return result


def fill_panels(sim: Simulation, book: Book, rows: Instalments, months: LoanMonths) -> None:
    """Set ``sim.arrays["loan_balance"]`` and ``["loan_installment"]`` (元, customer × 24)."""
    last = int(month_number(np.array([sim.as_of.to_datetime64()]))[0])
    people = len(sim.people)
    balance = np.zeros((people, 24), dtype=np.int64)
    hit = months.month > last - 24
    np.add.at(
        balance,
        (book.person[months.loan[hit]], months.month[hit] - last + 23),
        months.balance[hit],
    )
    sim.arrays["loan_balance"] = balance / 100
    paid = np.zeros((people, 24), dtype=np.int64)
    done = ~np.isnat(rows.paid)
    month = np.full(len(rows), -1, dtype=np.int64)
    month[done] = month_number(rows.paid[done]) - last + 23
    use = done & (month >= 0) & (month < 24)
    np.add.at(paid, (book.person[rows.loan[use]], month[use]), rows.paid_amount[use])
    sim.arrays["loan_installment"] = paid / 100
