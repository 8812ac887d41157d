"""Table ``wealth_holding``: wealth products held now, bought with lost deposits, or redeemed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.balances import Balances
from course_utils.synth.money.book import Book, Deposits, as_dates
from course_utils.synth.money.churn import Churn
from course_utils.synth.tools import ids

#: A product runs for at most so many days before it is bought anew.
LONGEST = 540


def _moved(balances: Balances, churn: Churn) -> np.ndarray:
    """Return what each mover still holds of the deposits he turned into wealth products, cents."""
    at = churn.lost_month.clip(min=0)
    rows = np.arange(len(at))
    jump = balances.wealth_end[rows, at + 1] - balances.wealth_end[rows, at]
    moved = np.where(churn.to_wealth, jump, 0).clip(min=0)
    return np.minimum(moved, balances.wealth_end[:, -1])


def _sources(book: Book, deposits: Deposits, churn: Churn, term_id: np.ndarray) -> np.ndarray:
    """Return for each customer the largest deposit he closed on the day he moved (None if none)."""
    customer = deposits.customer
    hit = churn.to_wealth[customer] & (deposits.close == churn.lost_day[customer])
    numbers = np.flatnonzero(hit)
    numbers = numbers[np.argsort(deposits.amount[numbers], kind="stable")]
    source = np.full(book.n, None, dtype=object)
    source[customer[numbers]] = term_id[numbers]
    return source


def wealth_holding(
    book: Book, deposits: Deposits, balances: Balances, churn: Churn, term_id: np.ndarray
) -> pd.DataFrame:
    """Return table ``wealth_holding``; open holdings add up to each customer's wealth now.

    Parameters
    ----------
    book, deposits, balances, churn : Book, Deposits, Balances, Churn
        Finished state.
    term_id : numpy.ndarray of object
        Account id of each time deposit.
    """
    rng = book.sim.rng("money.wealth")
    as_of = book.month_end[-1]
    moved = _moved(balances, churn)
    rest = balances.wealth_end[:, -1] - moved
    holder = np.flatnonzero(rest > 0)
    two = rng.random(len(holder)) < 0.35
    first = np.where(two, (rest[holder] * rng.uniform(0.3, 0.7, len(holder))).astype(np.int64), 0)
    first = first // 100_000 * 100_000
    parts = [(holder, rest[holder] - first), (holder[first > 0], first[first > 0])]
    customer = np.concatenate([rows for rows, _ in parts])
    amount = np.concatenate([value for _, value in parts])
    start = as_of - rng.integers(1, LONGEST, len(customer))
    start = np.maximum(start, book.opened[customer])
    mover = np.flatnonzero(moved > 0)
    gone = np.flatnonzero((churn.lost_month >= 0) & ~churn.to_wealth)
    before = balances.wealth_end[gone, churn.lost_month[gone]] - balances.wealth_end[gone, -1]
    gone, before = gone[before > 0], before[before > 0]
    redeemed = churn.lost_day[gone]
    bought = np.maximum(redeemed - rng.integers(30, LONGEST, len(gone)), book.opened[gone])
    source = _sources(book, deposits, churn, term_id)
    who = np.concatenate([customer, mover, gone])
    since = np.concatenate([start, churn.lost_day[mover], bought])
    end = np.concatenate([np.zeros(len(customer) + len(mover), dtype=np.int64), redeemed])
    none = np.full(len(customer), None, dtype=object)
    origin = np.concatenate([none, source[mover], np.full(len(gone), None, dtype=object)])
    order = np.argsort(since, kind="stable")
    frame = pd.DataFrame(
        {
            "customer_id": book.people["customer_id"].to_numpy(dtype=object)[who],
            "start_date": as_dates(since),
            "end_date": as_dates(end, end == 0),
            "amount": np.concatenate([amount, moved[mover], before]) / 100,
            "source_account_id": origin,
        }
    ).iloc[order]
    frame.insert(0, "holding_id", ids("W", np.arange(1, len(frame) + 1), 8))
    return frame.reset_index(drop=True)
