"""Instalments: contract schedule, what was paid and when, to the cent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import BAD, EARLY, NONE, Book
from course_utils.synth.credit.draws import add_months

DUE, PART, FULL = range(3)
PAY_KINDS = ("按期", "部分提前", "全部提前")
ACCELERATION_DAYS = 91  # the bank calls the whole loan once it is more than 90 days overdue
LATE_SHARE = 0.016
CHRONIC_SHARE, CHRONIC_LATE = 0.065, 0.6  # borrowers who pay late again and again


@dataclass
class Instalments:
    """Rows of the table ``repayment``, sorted by loan and due date.

    Parameters
    ----------
    loan : ndarray of int
        Position in the book.
    due : ndarray of datetime64[D]
        Due date.
    kind : ndarray of int
        DUE, PART or FULL (position in `PAY_KINDS`).
    principal, interest, paid_amount : ndarray of int
        Cents.
    paid : ndarray of datetime64[D]
        Date paid in full; NaT if not.
    """

    loan: np.ndarray
    due: np.ndarray
    kind: np.ndarray
    principal: np.ndarray
    interest: np.ndarray
    paid: np.ndarray
    paid_amount: np.ndarray

    def __len__(self) -> int:
        return len(self.loan)

    def take(self, rows: np.ndarray) -> Instalments:
        """Return the chosen rows."""
        return Instalments(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def balance_after(book: Book, loan: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return the planned balance in cents after instalment `number` of each `loan`.

    Equal payment: ``P ((1+i)^n − (1+i)^k) / ((1+i)^n − 1)``; equal principal: ``P (1 − k/n)``;
    others: P until the last instalment. Rounded to cents; 0 after the last.
    """
    total = book.amount[loan] * 100
    n = book.periods[loan]
    k = number.astype(float)
    i = np.maximum(book.rate[loan], 0.01) / 1200 * book.step[loan]
    grown = (1 + i) ** n
    level = (grown - (1 + i) ** k) / (grown - 1)
    share = np.select(
        [book.method[loan] == p.LEVEL, book.method[loan] == p.LINEAR], [level, 1 - k / n], 1.0
    )
    planned = np.round(total * share).astype(np.int64)
    planned = np.where(book.method[loan] == p.SINGLE, total, planned)
    return np.where(number >= n, 0, planned)


def expand(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return group number and 1-based number within the group for groups of given sizes."""
    group = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    return group, np.arange(len(group)) - starts[group] + 1


def contract_schedule(book: Book, rate_of: np.ndarray | None = None) -> Instalments:
    """Return the full schedule of every loan as agreed at issue (nothing paid yet)."""
    loan, number = expand(book.periods)
    due = add_months(book.issue[loan], book.first_gap[loan] + book.step[loan] * (number - 1))
    before = balance_after(book, loan, number - 1)
    after = balance_after(book, loan, number)
    months = np.where(number == 1, book.first_gap[loan], book.step[loan])
    school = due <= np.where(
        np.isnat(book.graduation[loan]), book.issue[loan], book.graduation[loan]
    )
    months = np.where(
        (book.kind[loan] == p.STUDENT) & (number == 1) & ~school,
        np.minimum(months, 6), months,
    )  # fmt: skip  # interest at school is paid by the state
    interest = np.round(before * book.rate[loan] / 1200 * months).astype(np.int64)
    blank = np.zeros(len(loan), dtype=np.int64)
    return Instalments(
        loan, due, blank, before - after, interest, np.full(len(loan), NONE), blank.copy()
    )


def reprice(
    rows: Instalments, book: Book, first: int, rates: np.ndarray, months: np.ndarray
) -> None:
    """Recompute mortgage interest with the rate of the month (in place).

    Parameters
    ----------
    rows : Instalments
        Contract schedule of the whole book.
    book : Book
        The loans.
    first : int
        Position of the first mortgage in the book.
    rates : ndarray, shape (mortgages, months)
        Rates in percent.
    months : ndarray of int
        Month numbers of the columns.
    """
    hit = np.flatnonzero((rows.loan >= first) & (rows.loan < first + len(rates)))
    if len(hit) == 0:
        return
    loan = rows.loan[hit]
    column = np.clip(rows.due[hit].astype("M8[M]").astype(np.int64) - months[0], 0, len(months) - 1)
    rate = rates[loan - first, column]
    total = np.cumsum(rows.principal[hit])
    new_loan = np.concatenate(([True], loan[1:] != loan[:-1]))
    base = np.maximum.accumulate(np.where(new_loan, total - rows.principal[hit], 0))
    before = book.amount[loan] * 100 - (total - base) + rows.principal[hit]
    rows.interest[hit] = np.round(before * rate / 1200).astype(np.int64)


def called_dates(rows: Instalments, book: Book) -> np.ndarray:
    """Return when the bank calls each bad loan (NaT for others): 91 days after the first miss."""
    number = expand(book.periods)[1]
    hit = (book.missed[rows.loan] > 0) & (number == book.missed[rows.loan])
    called = np.full(len(book), NONE)
    called[rows.loan[hit]] = rows.due[hit] + ACCELERATION_DAYS
    return called


def truncate(
    rows: Instalments, book: Book, called: np.ndarray, as_of: np.datetime64
) -> Instalments:
    """Cut schedules where they end early: prepaid loans and loans called by the bank.

    A prepaid loan keeps the instalments due before the day of settlement and gets one row
    全部提前 with the rest. A bad loan keeps the instalments due up to 91 days after the first
    missed one; the rest falls due on that day.
    """
    stop = np.full(len(book), np.datetime64("9999-12-31", "D"))
    early = book.ending == EARLY
    stop[early] = book.settle[early]
    bad = (book.ending == BAD) & (called <= as_of)
    stop[bad] = called[bad]
    inside = rows.due < stop[rows.loan]
    kept = rows.take(np.flatnonzero(inside))
    rest = np.zeros(len(book), dtype=np.int64)
    np.add.at(rest, rows.loan[~inside], rows.principal[~inside])
    last = book.issue.astype(np.int64)
    np.maximum.at(last, kept.loan, kept.due.astype(np.int64))
    add = np.flatnonzero(rest > 0)
    gap_days = stop[add].astype(np.int64) - last[add]
    interest = np.round(rest[add] * book.rate[add] / 36_000 * np.maximum(gap_days, 0)).astype(
        np.int64
    )
    extra = Instalments(
        add, stop[add], np.where(early[add], FULL, DUE), rest[add], interest,
        np.full(len(add), NONE), np.zeros(len(add), np.int64),
    )  # fmt: skip
    return sort(join([kept, extra]))


def join(parts: list[Instalments]) -> Instalments:
    """Return rows of several sets one after another."""
    return Instalments(
        *(np.concatenate([getattr(a, n) for a in parts]) for n in Instalments.__dataclass_fields__)
    )


def sort(rows: Instalments) -> Instalments:
    """Return rows by loan, due date and kind."""
    return rows.take(np.lexsort((rows.kind, rows.due.astype(np.int64), rows.loan)))


def pay(
    rows: Instalments,
    book: Book,
    tendency: np.ndarray,
    as_of: np.datetime64,
    rng: np.random.Generator,
) -> None:
    """Fill in payments of loans that do not turn bad and the good part of those that do.

    Most instalments are paid on the day, some a few days late, few of them weeks late; never after
    the as-of date, never out of order, and the last instalment of a finished loan on the day.

    Parameters
    ----------
    rows : Instalments
        Instalments, sorted by loan and due date; `paid` and `paid_amount` are filled in place.
    book : Book
        The loans.
    tendency : ndarray of float, shape (loans,)
        Factor on the share of late payments.
    as_of : datetime64[D]
        As-of date.
    rng : Generator
        Random stream.
    """
    n = len(rows)
    first = np.concatenate(([True], rows.loan[1:] != rows.loan[:-1]))
    start = np.maximum.accumulate(np.where(first, np.arange(n), 0))
    number = np.arange(n) - start + 1
    final = np.concatenate((rows.loan[1:] != rows.loan[:-1], [True]))
    chronic = rng.random(len(book)) < np.clip(CHRONIC_SHARE * tendency, 0, 0.4)
    chance = np.where(chronic, CHRONIC_LATE, np.clip(LATE_SHARE * tendency, 0, 0.2))
    late = rng.random(n) < chance[rows.loan]
    short = rng.random(n) < np.where(chronic, 0.12, 0.85)[rows.loan]
    days_late = np.where(short, 1 + rng.integers(0, 7, n), 8 + rng.geometric(1 / 24, n)).clip(1, 55)
    done = np.isin(book.ending[rows.loan], (1, 2))
    near_end = done & (
        final | np.concatenate((final[1:], [True])) | np.concatenate((final[2:], [True, True]))
    )
    delay = np.where(late & ~near_end, days_late, 0)
    paid = rows.due.astype(np.int64) + delay
    offset = rows.loan.astype(np.int64) * 200_000
    paid = np.maximum.accumulate(paid + offset) - offset
    missed = book.missed[rows.loan]
    paying = (rows.due <= as_of) & (paid <= as_of.astype(np.int64))
    paying &= (missed == 0) | (number < missed)
    rows.paid[:] = np.where(paying, paid.astype("M8[D]"), NONE)
    rows.paid_amount[:] = np.where(paying, rows.principal + rows.interest, 0)
