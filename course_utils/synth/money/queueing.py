"""Table ``queue_log`` and the three-day maturity spike that one branch will meet."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.book import OPEN, Book, Deposits, add_months, as_dates, day_number
from course_utils.synth.money.slots import Slots

#: Half hours of a working day, and their share of the day's visitors.
HALF_HOURS = [f"{8 + (30 + 30 * i) // 60:02d}:{(30 + 30 * i) % 60:02d}" for i in range(17)]
PROFILE = np.array([5, 9, 11, 10, 8, 6, 4, 3, 3.5, 5, 6.5, 7, 6.5, 5.5, 4.5, 3, 2.5])
#: Minutes at the counter of one visitor, ordinary use of counters, months of the log.
SERVICE_MINUTES = 7.0
USE = 0.72
MONTHS = 6
#: Visits by holders on the day a deposit matures (the rest renew by phone or automatically).
WALK_IN = 0.6
#: Part of a branch's chains that come due on an ordinary day of a first quarter.
USUAL_DAY = 0.0029
#: Earliest spike day after the as-of date.
SPIKE_AFTER = 66


def spare_visits(counters: np.ndarray) -> np.ndarray:
    """Return how many maturity visits a branch can serve a day beside its ordinary business."""
    return open_minutes(counters) * (1 - USE) / SERVICE_MINUTES


def open_minutes(counters: np.ndarray) -> np.ndarray:
    """Return counter minutes of a day; one counter closes over the three lunch half hours."""
    return (counters * len(HALF_HOURS) - 3 * (counters > 1)) * 30


def spike_plan(book: Book) -> tuple[int, float, np.ndarray]:
    """Return position of the branch, size as a multiple of capacity, and the three days."""
    planted = book.sim.effects.value("m02_n02", "spike_branch")
    name, times = next(iter(planted.items()))
    branches = book.sim.tables["branch"]["branch_id"].astype(str).tolist()
    position = branches.index(name) if name in branches else len(branches) - 1
    calendar = book.sim.tables["calendar"]
    days = day_number(calendar["date"])
    working = dict(zip(days.tolist(), calendar["workday"].tolist(), strict=True))
    day = int(book.month_end[-1]) + SPIKE_AFTER
    while not (
        all(working.get(day + i, True) for i in range(3))
        and int(np.datetime64(day + 2, "D").astype(object).day) in range(3, 27)
        and (day + 3) % 7 in (0, 1, 2)
    ):
        day += 1
    return position, float(times), np.arange(day, day + 3)


def plant_spike(book: Book, slots: Slots, protected: np.ndarray) -> Slots:
    """Add three-year deposits of one branch that all come due on three days.

    Parameters
    ----------
    book : Book
        Branches, calendar, planned money.
    slots : Slots
        Chains so far.
    protected : numpy.ndarray of bool, shape (n,)
        Marks the holders, who are not lost before the spike (changed in place).
    """
    rng = book.sim.rng("money.spike")
    position, times, days = spike_plan(book)
    counters = book.sim.tables["branch"]["counters"].to_numpy(dtype=float)
    wanted = times * spare_visits(counters)[position] * 3
    at_branch = book.branch[slots.customer] == position
    usual = book.weight[slots.customer[at_branch]].sum() * USUAL_DAY
    wanted = max(wanted - 3 * usual, 0.0)
    opened = add_months(days, np.full(3, -36))
    money = book.arrays["level"][:, -1] * book.arrays["term_share"]
    pool = np.flatnonzero((book.branch == position) & book.person & (book.opened < opened[0]))
    pool = pool[np.argsort(-(np.log1p(money[pool]) + rng.normal(0, 0.5, len(pool))), kind="stable")]
    if not len(pool):
        return slots
    chosen = np.tile(pool, 4)
    heavy = np.cumsum(book.weight[chosen])
    chosen = chosen[: int(np.searchsorted(heavy, wanted)) + 1]
    protected[chosen] = True
    month = np.searchsorted(book.month_end, opened[0]) - 1
    n = len(chosen)
    which = np.arange(n) % 3
    return Slots(
        customer=np.concatenate([slots.customer, chosen]),
        share=np.concatenate([slots.share, rng.uniform(0.08, 0.2, n)]),
        term=np.concatenate([slots.term, np.full(n, 36)]),
        action=np.concatenate([slots.action, np.full(n, month)]),
        day=np.concatenate([slots.day, np.zeros(n, dtype=np.int64)]),
        live=np.concatenate([slots.live, np.full(n, -1)]),
        dead=np.concatenate([slots.dead, np.zeros(n, dtype=bool)]),
        fixed_day=np.concatenate([slots.fixed_day, opened[which]]),
    )


def visit_days(book: Book, day: np.ndarray) -> np.ndarray:
    """Return the working day on which a maturity is handled (the next one if it is a holiday)."""
    calendar = book.sim.tables["calendar"]
    days = day_number(calendar["date"])
    working = days[calendar["workday"].to_numpy(dtype=bool)]
    return working[np.searchsorted(working, day).clip(max=len(working) - 1)]


def queue_log(book: Book, deposits: Deposits) -> pd.DataFrame:
    """Return table ``queue_log`` of the last months; visitors follow the maturities of the day."""
    rng = book.sim.rng("money.queue")
    calendar = book.sim.tables["calendar"]
    days = day_number(calendar["date"])
    first = book.month_end[-1 - MONTHS] + 1
    open_day = (days >= first) & (days <= book.month_end[-1])
    open_day &= calendar["workday"].to_numpy(dtype=bool)
    dates = days[open_day]
    branch = book.sim.tables["branch"]
    counters = branch["counters"].to_numpy(dtype=np.int64).clip(min=1)
    matured = (
        (deposits.maturity != OPEN)
        & (deposits.maturity >= first)
        & (deposits.maturity <= dates[-1])
    )
    visit = visit_days(book, deposits.maturity[matured])
    load = np.zeros((len(counters), len(dates)))
    at = np.searchsorted(dates, visit).clip(max=len(dates) - 1)
    customer = deposits.customer[matured]
    np.add.at(load, (book.branch[customer], at), book.weight[customer] * WALK_IN)
    ordinary = open_minutes(counters) * USE / SERVICE_MINUTES
    usual = np.median(load, axis=1, keepdims=True)
    season = _season(book, calendar[open_day])
    mean = (ordinary[:, None] - usual).clip(min=0.3 * ordinary[:, None]) * season[None, :] + load
    expected = mean[:, :, None] * (PROFILE / PROFILE.sum())[None, None, :]
    tickets = rng.poisson(expected)
    minutes = np.where(tickets > 0, tickets * rng.normal(SERVICE_MINUTES, 0.5, tickets.shape), 0.0)
    staffed = np.broadcast_to(counters[:, None, None], tickets.shape).copy()
    staffed[:, :, 6:9] = np.maximum(staffed[:, :, 6:9] - 1, 1)
    over = (minutes / (staffed * 30.0) - 0.85).clip(min=0)
    waiting = rng.binomial(tickets, (1.4 * over).clip(max=0.95))
    shape = tickets.shape
    return pd.DataFrame(
        {
            "branch_id": np.repeat(branch["branch_id"].to_numpy(dtype=object), shape[1] * shape[2]),
            "date": np.tile(np.repeat(as_dates(dates), shape[2]), shape[0]),
            "half_hour": np.tile(np.asarray(HALF_HOURS, dtype=object), shape[0] * shape[1]),
            "tickets": tickets.ravel(),
            "served_minutes": np.round(minutes.clip(min=0).ravel(), 1),
            "counters_open": staffed.ravel(),
            "long_wait_count": waiting.ravel(),
        }
    )


def _season(book: Book, calendar: pd.DataFrame) -> np.ndarray:
    """Return how busy a day is against an ordinary one."""
    market = calendar["market_day"].to_numpy(dtype=bool)
    pension = calendar["pension_day"].to_numpy(dtype=bool)
    return 0.95 + 0.10 * market + 0.15 * pension
