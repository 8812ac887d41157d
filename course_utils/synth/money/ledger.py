"""Table ``branch_day``: daily balances that meet the customers' money at every month end."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.balances import (
    Balances,
    interpolate,
    month_of_day,
    panel_days,
    push_path,
    settle_path,
    term_days,
)
from course_utils.synth.money.book import PANEL, Book, Deposits, as_dates
from course_utils.synth.money.shapes import cny_curve

#: Size of the daily noise of a branch's demand money, relative, and of its loans.
NOISE = 0.004
LOAN_NOISE = 0.0008


def by_branch(book: Book, values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return weighted sums by branch of the customers in `group`.

    Parameters
    ----------
    book : Book
        Weights and branches.
    values : numpy.ndarray, shape (n, k)
        Cents.
    group : numpy.ndarray of bool, shape (n,)
        Customers that count.

    Returns
    -------
    numpy.ndarray of float, shape (branches, k)
        Whole numbers stay exact below 2**53.
    """
    rows = np.flatnonzero(group)
    result = np.zeros((book.branches, values.shape[1]))
    order = rows[np.argsort(book.branch[rows], kind="stable")]
    if not len(order):
        return result
    branch = book.branch[order]
    starts = np.flatnonzero(np.diff(branch, prepend=-1))
    weighted = values[order] * book.weight[order, None]
    result[branch[starts]] = np.add.reduceat(weighted, starts, axis=0)
    return result


def _bridge(book: Book, rng: np.random.Generator, scale: np.ndarray) -> np.ndarray:
    """Return daily noise (groups, days) that is zero on month ends and sums to zero in a month."""
    month = month_of_day(book)
    days = len(month)
    walk = np.zeros((len(scale), days))
    state = np.zeros(len(scale))
    shocks = rng.normal(0, 1, (days, len(scale)))
    for day in range(days):
        state = 0.7 * state + shocks[day]
        walk[:, day] = state
    ends = np.searchsorted(panel_days(book), book.panel_end[1:])
    walk[:, ends] = 0.0
    for t in range(PANEL):
        inside = np.flatnonzero(month == t)[:-1]
        walk[:, inside] -= walk[:, inside].mean(axis=1, keepdims=True)
    return walk * scale[:, None]


def daily_demand(book: Book, balances: Balances, group: np.ndarray, name: str) -> np.ndarray:
    """Return the daily demand money of each branch in cents, exact on month ends."""
    rng = book.sim.rng(f"money.ledger.{name}")
    curve = cny_curve(
        book.sim.tables["calendar"],
        panel_days(book),
        float(book.sim.effects.value("m02_n01", "cny_half_life_days")),
    )
    month = month_of_day(book)
    path = interpolate(book, by_branch(book, balances.smooth_end, group))
    alive = balances.alive[:, 1:]
    path += by_branch(book, balances.cny[:, None] * alive, group)[:, month] * curve[None, :]
    push = by_branch(book, balances.push[:, None] * alive, group)
    path += push[:, month] * push_path(book, balances.kappa)[None, :]
    means = by_branch(book, balances.settle, group)
    path += settle_path(book, by_branch(book, balances.settle_end, group), means)
    path += _bridge(book, rng, NOISE * path.mean(axis=1))
    path = np.rint(path).clip(min=0)
    ends = np.searchsorted(panel_days(book), book.panel_end[1:])
    exact = by_branch(book, balances.demand_end[:, 1:], group)
    path[:, ends] = exact
    return path


def branch_day(book: Book, deposits: Deposits, balances: Balances) -> pd.DataFrame:
    """Return table ``branch_day``.

    Month ends equal Σ weight × customer balance exactly; term money equals the accounts on every
    day; demand money between month ends follows the festival, the quarter ends and some noise.
    """
    rng = book.sim.rng("money.ledger.loans")
    key = book.branch[deposits.customer] + book.branches * (~book.person[deposits.customer])
    term = term_days(book, deposits, key, 2 * book.branches)
    loans = by_branch(book, book.given("loan_balance"), np.ones(book.n, dtype=bool))
    loans = np.concatenate([loans[:, :1], loans], axis=1)
    loan_path = interpolate(book, loans)
    loan_path = np.rint(loan_path + _bridge(book, rng, LOAN_NOISE * loan_path.mean(axis=1)))
    days = panel_days(book)
    ends = np.searchsorted(days, book.panel_end[1:])
    loan_path[:, ends] = loans[:, 1:]
    count = len(days)
    branch = book.sim.tables["branch"]["branch_id"].to_numpy(dtype=object)
    ledger = np.zeros(count, dtype=bool)
    ledger[ends] = True

    def yuan(values: np.ndarray) -> np.ndarray:
        return values.T.ravel() / 100

    return pd.DataFrame(
        {
            "date": np.repeat(as_dates(days), book.branches),
            "branch_id": np.tile(branch, count),
            "personal_demand": yuan(daily_demand(book, balances, book.person, "personal")),
            "personal_term": yuan(term[: book.branches]),
            "corporate_demand": yuan(daily_demand(book, balances, ~book.person, "corporate")),
            "corporate_term": yuan(term[book.branches :]),
            "loans": yuan(loan_path.clip(min=0)),
            "is_ledger": np.repeat(ledger, book.branches),
        }
    )
