"""Chains of time deposits: who holds how many, with which terms, and when they begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.synth.money.book import FIRST, HISTORY, Book

#: Original terms of the stock (course parameters): months and shares, persons and enterprises.
PERSON_TERMS = ((3, 0.03), (6, 0.05), (12, 0.31), (24, 0.13), (36, 0.43), (60, 0.05))
FIRM_TERMS = ((3, 0.16), (6, 0.22), (12, 0.37), (24, 0.08), (36, 0.12), (0, 0.05))
#: Share of openings by calendar month: a third and more in the first quarter (开门红).
OPENING = np.array([0.155, 0.11, 0.12, 0.05, 0.055, 0.08, 0.05, 0.06, 0.085, 0.05, 0.055, 0.13])
#: Additional chains that begin inside the panel (new money), per holder.
NEW_CHAINS = 0.6


@dataclass
class Slots:
    """State of every chain; arrays of equal length.

    ``action`` is the history month in which something happens next (opening or maturity),
    ``live`` the index of the open deposit or −1, ``share`` the part of the holder's term money,
    ``day`` the usual day of the month (fixed ``fixed_day`` ≥ 0 overrides it at the opening).
    """

    customer: np.ndarray
    share: np.ndarray
    term: np.ndarray
    action: np.ndarray
    day: np.ndarray
    live: np.ndarray
    dead: np.ndarray
    fixed_day: np.ndarray

    def __len__(self) -> int:
        return len(self.customer)


def _terms(rng: np.random.Generator, person: np.ndarray) -> np.ndarray:
    result = np.zeros(len(person), dtype=np.int64)
    for group, mix in ((person, PERSON_TERMS), (~person, FIRM_TERMS)):
        months, shares = np.array([m for m, _ in mix]), np.array([s for _, s in mix])
        result[group] = rng.choice(months, int(group.sum()), p=shares / shares.sum())
    return result


def month_of_year(rng: np.random.Generator, size: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Draw calendar months 0-11 so that every size class is spread over the year alike.

    Rows are taken in the order of `size`; a golden-ratio sequence through the cumulative weights
    gives neighbours different months, so that money follows the weights as well as counts do.
    """
    order = np.argsort(-size, kind="stable")
    sequence = (np.arange(len(size)) * 0.6180339887498949 + rng.random()) % 1.0
    month = np.empty(len(size), dtype=np.int64)
    edges = np.cumsum(weights / weights.sum())
    month[order] = np.searchsorted(edges, sequence).clip(0, 11)
    return month


def _first_month(rng: np.random.Generator, term: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the history month in which each stock chain begins."""
    first = np.zeros(len(term), dtype=np.int64)
    for value in np.unique(term):
        rows = term == value
        month = month_of_year(rng, size[rows], OPENING)
        years = max(int(value) // 12, 1)
        if value in (0, 3, 6):
            first[rows] = month % max(int(value), 1)
            continue
        chances = np.ones(years) / years
        year = rng.choice(years, int(rows.sum()), p=chances)
        if value == 36:  # the campaign of the third year fell into its first quarter
            strong = (month < 3) & (rng.random(len(month)) < 0.22)
            year = np.where(strong, 2, year)
        first[rows] = 12 * year + month
    return first


def make_slots(book: Book) -> Slots:
    """Lay out the chains of all holders of term money."""
    rng = book.sim.rng("money.slots")
    money = book.arrays["level"][:, HISTORY] * book.arrays["term_share"]
    holder = np.flatnonzero(money >= 2000)
    more = rng.poisson(1.0 * np.log10((money[holder] / 15_000).clip(min=1.0)) + 0.15)
    count = 1 + np.minimum(more, (money[holder] / 5_000).astype(np.int64)).clip(max=7)
    stock = np.repeat(holder, count)
    raw = rng.exponential(1.0, len(stock)) + 0.35
    total = np.bincount(stock, weights=raw, minlength=book.n)
    share = raw / total[stock]
    chance = np.where(book.person[holder], NEW_CHAINS, 0.3 * NEW_CHAINS)
    fresh = holder[rng.random(len(holder)) < chance]
    fresh = fresh[money[fresh] >= 8_000]
    customer = np.concatenate([stock, fresh])
    share = np.concatenate([share, rng.uniform(0.25, 0.6, len(fresh))])
    term = _terms(rng, book.person[customer])
    size = money[customer] * share * book.weight[customer]
    action = _first_month(rng, term, size)
    new = np.arange(len(customer)) >= len(stock)
    month = month_of_year(rng, size[new], OPENING)
    action[new] = FIRST + 12 * rng.integers(0, 2, int(new.sum())) + month
    late = book.open_month[customer]
    action = np.where(late > 0, np.maximum(action, late + rng.integers(0, 3, len(action))), action)
    n = len(customer)
    return Slots(
        customer=customer,
        share=share,
        term=term,
        action=action,
        day=rng.integers(0, 28, n),
        live=np.full(n, -1, dtype=np.int64),
        dead=np.zeros(n, dtype=bool),
        fixed_day=np.full(n, -1, dtype=np.int64),
    )
