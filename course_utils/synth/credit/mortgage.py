"""Mortgages (repricing, prepayment, default, appraisals) and student loans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import BAD, EARLY, MATURED, NONE, RUNNING, Book
from course_utils.synth.credit.borrowers import ORGANIC, Pairs, People
from course_utils.synth.credit.draws import (
    add_months,
    balanced,
    clip_day,
    days,
    month_end,
    month_number,
)

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

#: Spread over the five-year LPR in bp by year of issue (county market, course parameters).
ISSUE_SPREAD = {2015: 95, 2016: 100, 2017: 115, 2018: 130, 2019: 135, 2020: 125, 2021: 115,
                2022: 40, 2023: 5, 2024: -25, 2025: -30}  # fmt: skip
SECOND_HOME = 0.26  # not covered by the cuts of stock rates
STOCK_CUTS = {2023: 15, 2024: -30}  # highest spread in bp after the cut of that year
WIDE_GAP = 120.0
PREPAY_MONTHLY = 0.0055
DEFAULT_MONTHLY, SEASONED_DEFAULT = 0.0012, 0.00018
SEASONED_MONTHS, SAFE_LTV = 22, 0.56
STUDENT_BAD, SETTLED_SHARE = 0.02, 0.8


def stock_cuts(sim: Simulation) -> list[tuple[np.datetime64, int]]:
    """Return the dates of the cuts of stock mortgage rates and the highest spread after each."""
    table = sim.tables["policy_event"]
    cut = table[table["kind"].astype(str) == "存量房贷利率下调"]
    dates = np.sort(days(cut["date"]))
    caps = [STOCK_CUTS[year] for year in sorted(STOCK_CUTS)]
    return [(date, caps[min(i, len(caps) - 1)]) for i, date in enumerate(dates)]


def rate_path(
    sim: Simulation, issue: np.ndarray, spread: np.ndarray, second: np.ndarray, months: np.ndarray
) -> np.ndarray:
    """Return the rate in percent of each mortgage in each month.

    Repriced every 1 January with the five-year LPR then in force; the cuts of stock rates lower
    the spread of first homes.

    Parameters
    ----------
    sim : Simulation
        The bank (LPR and policy events).
    issue : ndarray of datetime64[D], shape (loans,)
        Issue dates.
    spread : ndarray of float, shape (loans,)
        Spread at issue, bp.
    second : ndarray of bool, shape (loans,)
        Second homes, which the cuts leave out.
    months : ndarray of int, shape (months,)
        Months since 1970-01.

    Returns
    -------
    ndarray of float, shape (loans, months)
        Rates in percent at month ends.
    """
    january = (months // 12 * 12).astype("M8[M]").astype("M8[D]")
    reset = np.maximum(january[None, :], issue[:, None])
    _, five = p.lpr_at(sim, reset.ravel())
    current = np.repeat(spread[:, None].astype(float), len(months), axis=1)
    ends = month_end(months)
    for date, cap in stock_cuts(sim):
        hit = (ends[None, :] >= date) & ~second[:, None] & (issue[:, None] < date)
        current = np.where(hit, np.minimum(current, cap), current)
    return five.reshape(reset.shape) + current / 100


def new_rate(sim: Simulation, months: np.ndarray) -> np.ndarray:
    """Return the list rate in percent of new mortgages in each month."""
    _, five = p.lpr_at(sim, month_end(months))
    year = months // 12 + 1970
    known = np.array(sorted(ISSUE_SPREAD))
    spread = np.array([ISSUE_SPREAD[int(y)] for y in known], dtype=float)
    return five + spread[np.clip(year, known[0], known[-1]) - known[0]] / 100


def build_mortgages(sim: Simulation, people: People, chosen: Pairs) -> tuple[Book, dict]:
    """Build the mortgages.

    Returns
    -------
    tuple
        The book; ``{"second": flags, "ltv": loan to value at issue, "rates": (loans, months),
        "months": month numbers}`` in the order of the book.
    """
    rng = sim.rng("mortgage")
    person, date = chosen
    issue = clip_day(date)
    issue = np.where(issue < people.opened[person], clip_day(issue + 31), issue)
    n = len(person)
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    kind = np.full(n, p.MORTGAGE)
    term = p.draw_terms(rng, kind)
    year = issue.astype("M8[Y]").astype(np.int64) + 1970
    known = sorted(ISSUE_SPREAD)
    listed = np.array([ISSUE_SPREAD[y] for y in known])[
        np.clip(year, known[0], known[-1]) - known[0]
    ]
    spread = np.round(listed + np.where(year <= 2021, 25, 6) * rng.standard_normal(n))
    second = rng.random(n) < SECOND_HOME
    spread = np.where(second, spread + 25, spread)
    _, five = p.lpr_at(sim, issue)
    months = np.arange(int(month_number(issue).min()) if n else 0, int(month_number(as_of)) + 1)
    rates = rate_path(sim, issue, spread, second, months)
    amount = p.draw_amounts(rng, kind, np.zeros(n))
    ltv = 0.32 + 0.47 * rng.beta(2.0, 2.0, n)
    settle, missed = _events(sim, issue, term, rates, months, ltv, rng)
    ending = np.where(missed > 0, BAD, np.where(np.isnat(settle), RUNNING, EARLY))
    ending = np.where((ending == RUNNING) & (add_months(issue, term) <= as_of), MATURED, ending)
    zero = np.zeros(n, dtype=np.int64)
    book = Book(
        person=person, kind=kind, source=np.full(n, ORGANIC), chain=zero - 1, episode=zero,
        slot=zero, issue=issue, first_gap=zero + 1, step=zero + 1, periods=term,
        method=p.choose_option(rng, kind, [list(k.methods) for k in p.KINDS]),
        guarantee=zero + 2, amount=amount, rate=np.round(five + spread / 100, 4), spread=spread,
        ending=ending, settle=settle, missed=missed, lenders=people.lenders[person],
        query_3m=rng.choice((0, 1, 2, 3), n, p=(0.5, 0.3, 0.15, 0.05)),
        raised=np.zeros(n, dtype=bool), falling=np.zeros(n, dtype=bool),
        pd=np.full(n, 12 * DEFAULT_MONTHLY), graduation=np.full(n, NONE),
    )  # fmt: skip
    return book, {"second": second, "ltv": ltv, "rates": rates, "months": months}


def _events(
    sim: Simulation,
    issue: np.ndarray,
    term: np.ndarray,
    rates: np.ndarray,
    months: np.ndarray,
    ltv: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw prepayment dates (NaT = none) and first missed instalments (0 = none)."""
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    age = months[None, :] - month_number(issue)[:, None]
    gap = (rates - new_rate(sim, months)[None, :]) * 100
    ratio = float(sim.effects.value("m03_n06", "prepay_hr"))
    alive = (age >= 8) & (age < term[:, None] - 6) & (months[None, :] < month_number(as_of))
    wide = gap > WIDE_GAP
    hazard = np.where(alive, PREPAY_MONTHLY * np.where(wide, ratio, 1.0), 0.0)
    prepaid = _first_event(rng, hazard, wide)
    seasoned = (age >= SEASONED_MONTHS) & (ltv[:, None] * (1 - age / 420) <= SAFE_LTV)
    risk = np.where((age >= 3) & alive, np.where(seasoned, SEASONED_DEFAULT, DEFAULT_MONTHLY), 0.0)
    failed = _first_event(rng, risk, seasoned)
    fails = (failed >= 0) & ((prepaid < 0) | (failed < prepaid))
    row = np.arange(len(issue))
    missed = np.where(fails, age[row, np.maximum(failed, 0)], 0)
    month = months[np.maximum(prepaid, 0)].astype("M8[M]").astype("M8[D]")
    settle = month + rng.integers(0, 28, len(issue)).astype("m8[D]")
    return np.where((prepaid >= 0) & ~fails, settle, NONE), missed


def _first_event(rng: np.random.Generator, hazard: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Return the first month with an event of each row, −1 for none; balanced by stratum."""
    hit = np.zeros(hazard.shape, dtype=bool)
    row, column = np.nonzero(hazard > 0)
    yes = balanced(rng, hazard[row, column], stratum[row, column], column)
    hit[row[yes], column[yes]] = True
    return np.where(hit.any(axis=1), hit.argmax(axis=1), -1)


def build_students(sim: Simulation, people: People, chosen: Pairs) -> Book:
    """Build the student loans: yearly principal from the first 20 December after graduation.

    Graduates of earlier years have often settled; most of those no longer use the account.
    """
    rng = sim.rng("student")
    person, graduation = chosen
    n = len(person)
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    wish = graduation - rng.integers(300, 1000, n).astype("m8[D]")
    issue = np.maximum(np.maximum(wish, people.opened[person] + 20), as_of - 365 * 11)
    issue = clip_day(np.minimum(issue, as_of - 100))
    issue = np.where(issue < people.opened[person], clip_day(issue + 31), issue)
    due_month = graduation.astype("M8[Y]").astype("M8[M]") + 11  # December of that year
    first_gap = due_month.astype(np.int64) - month_number(issue)
    first_gap = np.where(first_gap < 3, first_gap + 12, first_gap)
    periods = rng.choice((4, 5, 6, 8, 10), n, p=(0.25, 0.25, 0.2, 0.2, 0.1))
    issue = issue.astype("M8[M]").astype("M8[D]") + 19  # falls due on the 20th
    issue = np.where(issue < people.opened[person], add_months(issue, 1), issue)
    issue = np.where(issue > as_of - 20, add_months(issue, -1), issue)
    first_gap = np.maximum(due_month.astype(np.int64) - month_number(issue), 3)
    zero = np.zeros(n, dtype=np.int64)
    kind = np.full(n, p.STUDENT)
    since = (as_of - graduation).astype(np.int64)
    stop, settled = _student_settlement(people, person, rng, graduation, since, as_of)
    settled &= stop > issue + 60
    last = add_months(issue, first_gap + 12 * (periods - 1))
    settled &= stop < last - 20
    missed = np.where((since > 400) & ~settled & (rng.random(n) < STUDENT_BAD), 1, 0)
    over = last <= as_of
    ending = np.select([missed > 0, settled, over], [BAD, EARLY, MATURED], RUNNING)
    spread = p.grid_spread(kind, issue)
    _, five = p.lpr_at(sim, issue)
    return Book(
        person=person, kind=kind, source=np.full(n, ORGANIC), chain=zero - 1, episode=zero,
        slot=zero, issue=issue, first_gap=first_gap, step=zero + 12, periods=periods,
        method=zero + p.LINEAR, guarantee=zero, amount=p.draw_amounts(rng, kind, np.zeros(n)),
        rate=np.round(five + spread / 100, 4), spread=spread, ending=ending,
        settle=np.where(ending == EARLY, stop, NONE), missed=missed, lenders=zero,
        query_3m=zero, raised=np.zeros(n, dtype=bool), falling=np.zeros(n, dtype=bool),
        pd=np.full(n, STUDENT_BAD), graduation=graduation,
    )  # fmt: skip


def _student_settlement(
    people: People,
    person: np.ndarray,
    rng: np.random.Generator,
    graduation: np.ndarray,
    since: np.ndarray,
    as_of: np.datetime64,
) -> tuple[np.ndarray, np.ndarray]:
    """Return early-settlement dates and who settles: most graduates within a few years.

    Spread evenly over payroll and activity, so that the settled ones look like all graduates.
    """
    n = len(since)
    wait = np.minimum(60 + rng.gamma(1.6, 300.0, n), np.maximum(since - 390, 40)).astype(np.int64)
    stop = clip_day(graduation + wait.astype("m8[D]"))
    possible = (since > 450) & (stop <= as_of - 20)
    paid = people.frame["has_payroll"].to_numpy(dtype=bool)[person]
    active = people.active[person]
    return stop, balanced(rng, np.where(possible, SETTLED_SHARE, 0.0), possible, paid, active)
