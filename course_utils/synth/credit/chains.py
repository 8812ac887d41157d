"""Chains of loans: a borrower takes a loan, settles it, renews, leaves, is called back, returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import BAD, EARLY, MATURED, NONE, RUNNING, Book
from course_utils.synth.credit.borrowers import ORGANIC, REFINANCED, People, Starts
from course_utils.synth.credit.draws import add_months, balanced, clip_day
from course_utils.synth.credit.loss import CUTS, Recall, draw_losses, recall_lost
from course_utils.synth.credit.risk import draw_bad

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

MAX_SLOTS = 7
EARLY_SHARE = np.array([0.34, 0.24, 0.15, 0.26, 0.15, 0.0, 0.0])  # by kind
RAISED_SHARE, FALLING_SHARE = 0.40, 0.30
QUERIES = (0, 1, 2, 3, 4, 5, 6, 7)
QUERY_SHARES = (0.36, 0.28, 0.16, 0.10, 0.05, 0.03, 0.015, 0.005)
PRICE_SD = 0.38  # percent, individual price differences


@dataclass
class Chains:
    """State of all chains between two loans (arrays of one length)."""

    person: np.ndarray
    kind: np.ndarray
    date: np.ndarray
    source: np.ndarray
    amount: np.ndarray
    rate: np.ndarray
    chain: np.ndarray
    episode: np.ndarray
    price: np.ndarray
    renewal: np.ndarray
    last_amount: np.ndarray

    def take(self, rows: np.ndarray) -> Chains:
        """Return the chosen chains."""
        return Chains(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass
class ChainResult:
    """All loans of the chains and the recalls made between them."""

    book: Book
    recalls: list[Recall] = field(default_factory=list)
    lost: list[pd.DataFrame] = field(default_factory=list)


def simulate(sim: Simulation, people: People, starts: Starts) -> ChainResult:
    """Build every loan of every chain, loan after loan.

    Parameters
    ----------
    sim : Simulation
        The bank.
    people : People
        Its customers.
    starts : Starts
        First loans.

    Returns
    -------
    ChainResult
        The loans (in order of slot) and the recall contacts.
    """
    rng = sim.rng("chains")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    n = len(starts.person)
    state = Chains(
        starts.person, starts.kind, clip_day(starts.date), starts.source, starts.amount,
        starts.rate, np.arange(n), np.zeros(n, np.int64), PRICE_SD * rng.standard_normal(n),
        np.zeros(n, dtype=bool), np.zeros(n, np.int64),
    )  # fmt: skip
    recalls: list[Recall] = []
    parts: list[Book] = []
    count = 0
    carry = rng.random((2, 2, len(CUTS)))
    for slot in range(MAX_SLOTS):
        state = state.take(np.flatnonzero(state.date <= as_of - 12))
        if len(state.person) == 0:
            break
        book = _issue(sim, people, state, slot, rng)
        parts.append(book)
        over = np.flatnonzero(np.isin(book.ending, (MATURED, EARLY)))
        settled = np.where(book.ending == EARLY, book.settle, add_months(book.issue, book.term))[
            over
        ]
        lost = draw_losses(sim, people, book.take(over), settled, rng)
        recall = recall_lost(sim, people, book.take(over), settled, lost, count + over, carry, rng)
        count += len(book)
        recalls.append(recall)
        state = _next(state.take(over), book.take(over), settled, lost, recall, rng)
    return ChainResult(Book.join(parts), recalls)


def _issue(
    sim: Simulation, people: People, state: Chains, slot: int, rng: np.random.Generator
) -> Book:
    """Draw the loans of one slot."""
    n = len(state.person)
    kind, person = state.kind, state.person
    term = p.draw_terms(rng, kind)
    method = p.choose_option(rng, kind, [list(k.methods) for k in p.KINDS])
    method = np.where((method == p.FLEXIBLE) & (term > 12), p.BULLET, method)
    raised = state.renewal & (rng.random(n) < RAISED_SHARE)
    falling = raised & balanced(rng, np.full(n, FALLING_SHARE), raised, kind)
    amount = _amounts(people, state, raised, rng)
    base = p.base_rate(sim, kind, state.date)
    listed = base + p.grid_spread(kind, state.date) / 100 + state.price
    rate = np.where(np.isnan(state.rate), np.maximum(listed, base - 0.3), state.rate)
    rate = np.round(rate * 20) / 20
    query = rng.choice(QUERIES, n, p=QUERY_SHARES)
    refinanced = state.source == REFINANCED
    query = np.where(
        refinanced, rng.choice((0, 1, 2, 4, 5), n, p=(0.4, 0.35, 0.1, 0.1, 0.05)), query
    )
    lenders = people.lenders[person]
    bad, chance = draw_bad(sim, people, state, term, lenders, query, raised, falling, rng)
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    early = ~bad & balanced(rng, EARLY_SHARE[kind], kind)
    length = (add_months(state.date, term) - state.date).astype(np.int64)
    stop = state.date + np.maximum((length * (0.3 + 0.62 * rng.random(n))).astype(np.int64), 32)
    stop = clip_day(np.minimum(stop, add_months(state.date, term) - 12))
    matured = add_months(state.date, term) <= as_of
    ending = np.where(matured, MATURED, RUNNING)
    ending = np.where(early & (stop <= as_of), EARLY, ending)
    ending = np.where(bad, BAD, ending)
    return Book(
        person=person, kind=kind, source=np.where(slot == 0, state.source, ORGANIC),
        chain=state.chain, episode=state.episode, slot=np.full(n, slot), issue=state.date,
        first_gap=np.ones(n, np.int64), step=np.ones(n, np.int64), periods=term, method=method,
        guarantee=p.choose_option(rng, kind, [list(k.guarantees) for k in p.KINDS]),
        amount=amount, rate=rate, spread=np.round((rate - base) * 100),
        ending=ending, settle=np.where(ending == EARLY, stop, NONE),
        missed=np.where(bad, 1 + rng.integers(0, 8, n), 0), lenders=lenders, query_3m=query,
        raised=raised, falling=falling, pd=chance, graduation=np.full(n, NONE),
    )  # fmt: skip


def _amounts(
    people: People, state: Chains, raised: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return amounts in 元: the wish of a campaign, the last one again or raised, or new."""
    n = len(state.person)
    size = people.frame["business_size"].to_numpy(dtype=float)[state.person]
    tilt = np.where(np.isnan(size), 0.12 * people.need[state.person], 0.0)
    usual = np.array([12.0 if k.name == "sme" else 10.8 for k in p.KINDS])[state.kind]
    tilt = np.where(np.isnan(size), tilt, 0.35 * np.clip(size - usual, -2, 2))
    fresh = p.draw_amounts(rng, state.kind, tilt)
    step = np.array([k.step for k in p.KINDS])[state.kind]
    cap = np.array([k.cap for k in p.KINDS])[state.kind]
    change = np.where(raised, 1.25 + 0.5 * rng.random(n), np.exp(0.08 * rng.standard_normal(n)))
    again = np.maximum(np.round(np.minimum(state.last_amount * change, cap) / step), 1) * step
    amount = np.where(state.last_amount > 0, again, fresh)
    return np.where(state.amount > 0, state.amount, amount).astype(np.int64)


def _next(
    state: Chains,
    book: Book,
    settled: np.ndarray,
    lost: np.ndarray,
    recall: Recall,
    rng: np.random.Generator,
) -> Chains:
    """Return the chains that go on after their settled loans."""
    n = len(state.person)
    date = settled + rng.integers(0, 40, n).astype("m8[D]")
    back = np.zeros(n, dtype=bool)
    back[recall.row[recall.returned]] = True
    date[recall.row[recall.returned]] = recall.done[recall.returned]
    rate = np.full(n, np.nan)
    rate[recall.row[recall.returned]] = recall.rate[recall.returned]
    called = np.zeros(n, dtype=bool)
    called[recall.row] = True
    alone = lost & ~called & (rng.random(n) < 0.05)
    date = np.where(alone, settled + rng.integers(120, 400, n).astype("m8[D]"), date)
    state.date = clip_day(date)
    state.date = np.where(state.date < settled, settled, state.date)
    state.date = clip_day(state.date)
    state.rate = rate
    state.source = np.full(n, ORGANIC)
    state.amount = np.zeros(n, np.int64)
    state.renewal = ~lost
    state.last_amount = book.amount
    state.episode = state.episode + lost
    return state.take(np.flatnonzero(~lost | back | alone))
