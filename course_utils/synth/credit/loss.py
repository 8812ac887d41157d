"""Borrowers who leave after settling, and the random trial of calling them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import Book
from course_utils.synth.credit.borrowers import People
from course_utils.synth.credit.draws import balanced, clip_day

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

TOWN_TYPES = ("营业部", "城区")
TOWN_LOSS, TOWN_GAP_LOSS = 0.105, 0.18  # county seat: base, added when the gap is large
VILLAGE_LOSS, MANAGER_LOSS, AGE_LOSS = 0.10, 0.26, 0.95
NOISE_LEVEL, NOISE_SD = 0.245, 2.2  # of the noise branch: town mean plus so many standard errors
RECALL_MONTHS = 60
RECALL_HOLDOUT = 0.12
EARLY_DAYS, LATE_DAYS = (12, 58), (75, 300)
MEAN_RETURN = 0.18  # of early and late calls, at a price that suits
CUTS = (0.0, 0.4, 0.8)  # percent below the list price, drawn at random
CUT_RESPONSE = (0.0, 0.5, 1.0)  # share of price-sensitive returners who take each cut


@dataclass
class Recall:
    """Recall contacts: `row` in the settled loans of one slot, `loan` in the whole book."""

    row: np.ndarray
    loan: np.ndarray
    person: np.ndarray
    date: np.ndarray
    settled: np.ndarray
    rate: np.ndarray
    cut: np.ndarray
    held: np.ndarray
    early: np.ndarray
    returned: np.ndarray
    done: np.ndarray
    sensitive: np.ndarray


def rival_spread(sim: Simulation) -> np.ndarray:
    """Return for each kind the lowest price of the big banks as percent over the one-year LPR."""
    table = sim.tables["competitor_product"]
    big = table[table["bank_type"].astype(str) == "大行"]
    one, _ = p.lpr_at(sim, np.array([sim.as_of.to_datetime64()]))
    low = big.groupby(big["line"].astype(str))["rate_low"].min() - one[0]
    return np.array([float(low.get(kind.line, 0.5)) for kind in p.KINDS])


def price_gap(sim: Simulation, kind: np.ndarray, rate: np.ndarray, date: np.ndarray) -> np.ndarray:
    """Return how many bp a loan costs more than the big banks' lowest price on a date."""
    one, _ = p.lpr_at(sim, date)
    return (rate - one - rival_spread(sim)[kind]) * 100


def noise_branch(sim: Simulation) -> tuple[int, float]:
    """Return the branch that is worst by bad luck only, and its loss rate.

    The smallest branch of the county seat; its rate lies inside the funnel limits of its size and
    area, and above most other branches.
    """
    kinds = sim.tables["branch"]["branch_type"].astype(str)
    town = kinds.isin(TOWN_TYPES).to_numpy()
    counts = np.bincount(
        sim.people["branch_pos"].to_numpy(dtype=np.int64)[
            sim.people["is_borrower"].to_numpy(dtype=bool)
        ],
        minlength=len(sim.tables["branch"]),
    )
    usable = (counts >= 3) & (town if town.sum() > 1 else np.ones(len(town), dtype=bool))
    branch = int(np.argmin(np.where(usable, counts, 10**9)))
    error = np.sqrt(NOISE_LEVEL * (1 - NOISE_LEVEL) / max(1.8 * counts[branch], 12.0))
    return branch, float(min(NOISE_LEVEL + NOISE_SD * error, 0.6))


def draw_losses(
    sim: Simulation, people: People, book: Book, settled: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return which settled loans are not followed by another within 90 days.

    County seat: customers leave when the price gap exceeds `m03_n09.gap_driver`. Villages: after
    a change of manager. Everywhere at the age limit `m03_n09.age_rule`, which is felt in the
    villages, where borrowers are older.
    """
    kinds = sim.tables["branch"]["branch_type"].astype(str).to_numpy()
    branch = people.branch[book.person]
    town = np.isin(kinds[branch], TOWN_TYPES)
    gap = price_gap(sim, book.kind, book.rate, settled)
    limit = float(sim.effects.value("m03_n09", "gap_driver"))
    wide = gap > limit
    level = TOWN_LOSS if np.isfinite(limit) else TOWN_LOSS + TOWN_GAP_LOSS / 2
    chance = np.where(town, level + TOWN_GAP_LOSS * wide, VILLAGE_LOSS)
    born = people.frame["birth_date"].to_numpy().astype("M8[Y]").astype(np.int64) + 1970
    age = settled.astype("M8[Y]").astype(np.int64) + 1970 - born[book.person]
    known = ~np.isnat(people.frame["birth_date"].to_numpy())[book.person]
    old = known & (age >= float(sim.effects.value("m03_n09", "age_rule")))
    chance = np.where(
        ~town & changed_manager(sim, people, book.person, settled), MANAGER_LOSS, chance
    )
    unlucky, rate = noise_branch(sim)
    small = branch == unlucky
    chance = np.where(small, rate, chance)
    chance = np.where(old, AGE_LOSS, chance)
    return balanced(rng, chance, small, town, wide, old, book.kind)


def changed_manager(
    sim: Simulation, people: People, person: np.ndarray, date: np.ndarray
) -> np.ndarray:
    """Return whether a customer's manager changed in the 180 days before a date."""
    month = people.frame["manager_changed_month"].to_numpy(dtype=np.int64)[person]
    ends = np.asarray(sim.months(24), dtype="M8[D]")
    since = (date - ends[np.maximum(month, 0)]).astype(np.int64)
    return (month >= 0) & (since >= -28) & (since <= 180)


def recall_lost(
    sim: Simulation,
    people: People,
    book: Book,
    settled: np.ndarray,
    lost: np.ndarray,
    number: np.ndarray,
    carry: np.ndarray,
    rng: np.random.Generator,
) -> Recall:
    """Call lost borrowers back at a random time with a random price; some return.

    Early calls (within 60 days of settlement) bring `m03_n09.early_recall` times as many back;
    the share `m03_n09.price_sensitive` returns only for a lower price.

    Parameters
    ----------
    sim, people : Simulation, People
        The bank and its customers.
    book : Book
        Settled loans of one slot, with `settled` dates (datetime64[D]) and `lost` flags.
    settled, lost : ndarray
        See `book`.
    number : ndarray of int
        Number of each settled loan in the whole book.
    carry : ndarray of float, shape (2, 2, 3)
        Rest of each cell (late, sensitive, price arm) from the slots before; changed in place, so
        that the returns of a cell differ from their expectation by less than one over all slots.
    rng : Generator
        Random stream.
    """
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    since = (as_of - settled).astype(np.int64)
    age = people.age[book.person] - since / 365.25
    limit = float(sim.effects.value("m03_n09", "age_rule"))
    row = np.flatnonzero(
        lost & (since <= 30 * RECALL_MONTHS) & (since > 160) & ~(age >= limit - 0.5)
    )
    n = len(row)
    late_possible = since[row] > LATE_DAYS[1] + 100
    late = late_possible & balanced(rng, np.full(n, 0.55), late_possible)
    delay = np.where(late, rng.integers(*LATE_DAYS, n), rng.integers(*EARLY_DAYS, n))
    date = settled[row] + delay.astype("m8[D]")
    held = balanced(rng, np.full(n, RECALL_HOLDOUT), late)
    order = np.argsort(np.argsort(people.price[book.person[row]], kind="stable"), kind="stable")
    sensitive = order >= round((1 - float(sim.effects.value("m03_n09", "price_sensitive"))) * n)
    turn = np.lexsort((rng.random(n), sensitive, late, held))  # arms of equal size everywhere
    arm = np.empty(n, dtype=np.int64)
    arm[turn] = (np.arange(n) + rng.integers(0, 3)) % 3
    ratio = float(sim.effects.value("m03_n09", "early_recall"))
    level = 2 * MEAN_RETURN / (1 + ratio)
    response = np.where(sensitive, np.array(CUT_RESPONSE)[arm], 1.0)
    chance = np.where(late, level, level * ratio) * response
    returned = _by_quota(rng, chance, ~held, (late.astype(int), sensitive.astype(int), arm), carry)
    done = clip_day(date + rng.integers(3, 52, n).astype("m8[D]"))
    done = np.where(done <= date, clip_day(date + 31), done)
    returned &= done <= as_of - 12
    kind = book.kind[row]
    listed = p.base_rate(sim, kind, date) + p.grid_spread(kind, date) / 100
    rate = np.round((listed - np.array(CUTS)[arm]) * 20) / 20
    return Recall(
        row, number[row], book.person[row], date, settled[row], rate, np.array(CUTS)[arm], held,
        ~late, returned, done, sensitive,
    )  # fmt: skip


def _by_quota(
    rng: np.random.Generator,
    chance: np.ndarray,
    open_rows: np.ndarray,
    cells: tuple[np.ndarray, ...],
    carry: np.ndarray,
) -> np.ndarray:
    """Draw yes in every cell as often as expected, carrying the fraction over to the next call."""
    result = np.zeros(len(chance), dtype=bool)
    for cell in np.ndindex(carry.shape):
        inside = open_rows.copy()
        for values, value in zip(cells, cell, strict=True):
            inside &= values == value
        rows = np.flatnonzero(inside)
        expected = chance[rows].sum() + carry[cell]
        count = min(int(np.floor(expected)), len(rows))
        carry[cell] = expected - count
        result[rng.permutation(rows)[:count]] = True
    return result
