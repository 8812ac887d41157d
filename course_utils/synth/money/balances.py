"""Month-end balances and monthly averages of every customer, and the daily balances of branches.

A customer's demand money is a smooth part (linear between month ends), the Spring Festival
inflow, the quarter-end push and the merchant settlement money. Branches carry the same four parts
day by day, so that customers and ledger agree: month ends to the cent, averages by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.synth.money.book import FIRST, HISTORY, PANEL, Book, Deposits
from course_utils.synth.money.churn import LEFT_BEHIND, Churn
from course_utils.synth.money.level import DEMAND_DRIFT
from course_utils.synth.money.shapes import cny_curve, push_shape

#: Peak of the Spring Festival inflow as a part of personal demand money.
CNY_SIZE = 0.18
#: Deviation (month end over month average − 1) aimed at on ordinary and on planted quarter ends.
ORDINARY, BREACH = (0.010, 0.022), (0.049, 0.055)
#: Positions among the panel's quarter ends where the 4 % line is broken.
BREACH_AT = (2, 5)


@dataclass
class Balances:
    """Customers' money; cents.

    ``demand_end``, ``term_end``, ``wealth_end`` int64 (n, PANEL + 1) start with the month end
    before the panel; ``demand_average``, ``term_average``, ``wealth_average`` (n, PANEL).
    ``smooth_end`` float (n, PANEL + 1), ``cny`` and ``push`` float (n,) in cents, ``alive`` float
    (n, PANEL + 1), ``kappa`` (PANEL + 1) size of the push at each month end, ``busy`` bool
    (n, PANEL): months in which the customer does anything; ``settle`` and ``settle_end`` merchant
    settlement money, monthly average and month end.
    """

    demand_end: np.ndarray
    term_end: np.ndarray
    wealth_end: np.ndarray
    demand_average: np.ndarray
    term_average: np.ndarray
    wealth_average: np.ndarray
    smooth_end: np.ndarray
    cny: np.ndarray
    push: np.ndarray
    alive: np.ndarray
    kappa: np.ndarray
    busy: np.ndarray
    settle: np.ndarray
    settle_end: np.ndarray


def panel_days(book: Book) -> np.ndarray:
    """Return the day numbers of the panel, first day to as-of date."""
    return np.arange(book.panel_end[0] + 1, book.panel_end[-1] + 1)


def month_of_day(book: Book) -> np.ndarray:
    """Return the panel month (0 … PANEL − 1) of each panel day."""
    return np.searchsorted(book.panel_end, panel_days(book)) - 1


def month_mean(book: Book, values: np.ndarray) -> np.ndarray:
    """Return the mean over each panel month of daily values (days on the last axis)."""
    starts = np.searchsorted(panel_days(book), book.panel_end[:-1] + 1)
    sums = np.add.reduceat(values, starts, axis=-1)
    return sums / np.diff(book.panel_end)


def term_panel(book: Book, deposits: Deposits) -> tuple[np.ndarray, np.ndarray]:
    """Return month-end (n, PANEL + 1) and average (n, PANEL) term money in cents."""
    ends = np.zeros((book.n, PANEL + 1), dtype=np.int64)
    average = np.zeros((book.n, PANEL), dtype=np.int64)
    amount = deposits.amount.astype(float)
    for j, end in enumerate(book.panel_end):
        live = (deposits.open <= end) & (deposits.close > end)
        ends[:, j] = np.bincount(deposits.customer[live], amount[live], book.n).astype(np.int64)
        if j == 0:
            continue
        start = book.panel_end[j - 1]
        days = np.minimum(deposits.close - 1, end) - np.maximum(deposits.open, start + 1) + 1
        held = days > 0
        total = np.bincount(deposits.customer[held], (amount * days)[held], book.n)
        average[:, j - 1] = np.rint(total / (end - start)).astype(np.int64)
    return ends, average


def make_balances(book: Book, deposits: Deposits, churn: Churn, parked: np.ndarray) -> Balances:
    """Build all balances of the panel.

    Parameters
    ----------
    book, deposits, churn : Book, Deposits, Churn
        State after the ladder has run.
    parked : numpy.ndarray of float, shape (n, HISTORY + 1)
        Matured money left in demand accounts, cents.
    """
    rng = book.sim.rng("money.balances")
    term_end, term_average = term_panel(book, deposits)
    settle = book.given("settlement_deposit")
    settle_end = _between_months(settle)
    busy = _busy(book, rng, parked, settle)
    alive = _alive(book, churn, rng)
    exists = np.concatenate([book.exists()[:, :1], book.exists()], axis=1)
    exists[:, 0] = book.opened <= book.panel_end[0]
    smooth = _smooth(book, rng, busy, parked, settle_end, churn.silent) * alive * exists
    wealth_end = _wealth(book, rng, churn, alive, smooth, term_end) * exists
    cny = _cny_amounts(book, rng, smooth, term_end) * (busy.sum(axis=1) > 20)
    push = _push_amounts(book, rng, smooth, busy)
    alive = alive * exists
    curve = cny_curve(book.sim.tables["calendar"], panel_days(book), _half_life(book))
    ends = np.searchsorted(panel_days(book), book.panel_end[1:])
    cny_end = np.concatenate([[0.0], curve[ends]])
    kappa = _push_sizes(book, rng, deposits, smooth, cny, push, alive, settle, settle_end, curve)
    part = alive * (cny[:, None] * cny_end[None, :] + push[:, None] * kappa[None, :])
    demand_end = np.rint(smooth + part).astype(np.int64) + settle_end * exists
    both = np.minimum(alive[:, 1:], alive[:, :-1])
    length = np.diff(book.panel_end)
    slope = (length + 1) / (2 * length)
    mean = smooth[:, :-1] + (smooth[:, 1:] - smooth[:, :-1]) * slope[None, :]
    mean += both * cny[:, None] * month_mean(book, curve)[None, :]
    mean += both * push[:, None] * month_mean(book, push_path(book, kappa))[None, :]
    demand_average = np.rint(mean).astype(np.int64).clip(min=0) + settle * book.exists()
    wealth_average = (wealth_end[:, 1:] + wealth_end[:, :-1]) // 2
    return Balances(
        demand_end, term_end, wealth_end, demand_average, term_average, wealth_average,
        smooth, cny, push, alive, kappa, busy,
        settle * book.exists(), settle_end * exists,
    )  # fmt: skip


def _half_life(book: Book) -> float:
    return float(book.sim.effects.value("m02_n01", "cny_half_life_days"))


def _busy(
    book: Book, rng: np.random.Generator, parked: np.ndarray, settle: np.ndarray
) -> np.ndarray:
    """Draw in which months a customer moves money; also sets his usual number of transactions."""
    size = book.column("business_size", 0.0)
    money = np.log(book.arrays["level"][:, HISTORY].clip(min=100.0))
    base = 0.35 * (money - money.mean()) / money.std() + 0.35 * book.column("digital")
    base = base + rng.normal(0.0, 1.22, book.n) + np.where(size > 0, 0.5, 0.0)
    trend = np.zeros((book.n, PANEL))
    shock = rng.normal(0, 1, book.n)
    for t in range(PANEL):
        shock = 0.8 * shock + 0.6 * rng.normal(0, 1, book.n)
        trend[:, t] = 0.6 * shock
    rate = np.exp(1.48 + base)[:, None] * np.exp(trend) * book.active[:, None]
    rate = np.minimum(rate, 900.0) * book.exists()
    book.arrays["activity"] = rate
    count = rng.poisson(rate)
    book.arrays["everyday_count"] = count
    fresh = parked[:, FIRST + 1 :] > parked[:, FIRST:-1]
    return (count > 0) | fresh | (settle > 0)


def _alive(book: Book, churn: Churn, rng: np.random.Generator) -> np.ndarray:
    """Return the part of the planned money that is still there, float (n, PANEL + 1)."""
    left = rng.uniform(*LEFT_BEHIND, book.n)
    month = np.arange(PANEL + 1)[None, :]
    gone = (churn.lost_month[:, None] >= 0) & (month > churn.lost_month[:, None])
    return np.where(gone, left[:, None], 1.0)


def _smooth(book, rng, busy, parked, settle_end, silent) -> np.ndarray:
    """Return the smooth demand money in cents; it only changes in months with transactions."""
    noise = np.zeros((book.n, PANEL + 1))
    for j in range(1, PANEL + 1):
        noise[:, j] = 0.75 * noise[:, j - 1] + rng.normal(0, 0.13, book.n)
    years = (np.arange(FIRST, HISTORY + 1) - HISTORY) / 12
    plan = book.arrays["level"][:, FIRST:] * book.arrays["demand_share"][:, None]
    plan = plan * np.exp(DEMAND_DRIFT * years)[None, :] * 100
    for group in (book.person, ~book.person):
        share = (plan * book.weight[:, None])[group]
        noise[group] -= (noise[group] * share).sum(axis=0) / share.sum(axis=0).clip(min=1.0)
    plan = plan * np.exp(noise) * _against_wobble(book, plan, settle_end) + parked[:, FIRST:]
    plan = _less_when_silent(book, plan, silent)
    first_month = book.open_month[:, None] == np.arange(FIRST, HISTORY)[None, :]
    change = np.concatenate([np.ones((book.n, 1), bool), busy | first_month], axis=1)
    last = np.where(change, np.arange(PANEL + 1)[None, :], 0)
    last = np.maximum.accumulate(last, axis=1)
    return np.take_along_axis(plan, last, axis=1)


def _less_when_silent(book: Book, plan: np.ndarray, silent: np.ndarray) -> np.ndarray:
    """Take the planted part of all deposits out of demand money while mobile banking is silent."""
    part = book.sim.effects.value("m04_n03", "active_true")
    deposits = book.arrays["level"][:, FIRST:] * (1 - book.arrays["wealth_share"])[:, None] * 100
    quiet = np.concatenate([silent[:, :1], silent], axis=1)
    return np.maximum(plan - part * deposits * quiet, np.where(quiet, 0.05 * plan, plan))


def _against_wobble(book: Book, plan: np.ndarray, settle_end: np.ndarray) -> np.ndarray:
    """Return factors (n, PANEL + 1) by which other money absorbs the wobble of settlement money.

    Merchants' settlement money jumps from month to month; without this a per cent of the bank's
    demand money would jump with it and hide the Spring Festival curve.
    """
    group = book.person & book.active
    total = (settle_end * book.weight[:, None])[group].sum(axis=0).astype(float)
    padded = np.pad(total, 4, mode="edge")
    wobble = total - np.convolve(padded, np.full(9, 1 / 9), mode="valid")
    base = (plan * book.weight[:, None])[group].sum(axis=0).clip(min=1.0)
    factor = 1 - (wobble / base).clip(-0.05, 0.05)
    return np.where(group[:, None], factor[None, :], 1.0)


def _wealth(book, rng, churn, alive, smooth, term_end) -> np.ndarray:
    """Return month-end wealth products (cents), with what losers of deposits moved there."""
    noise = np.exp(np.cumsum(rng.normal(0, 0.02, (book.n, PANEL + 1)), axis=1))
    plan = book.arrays["level"][:, FIRST:] * book.arrays["wealth_share"][:, None] * noise * 100
    moved = churn.to_wealth & (churn.lost_month >= 0)
    at = churn.lost_month.clip(min=0)
    rows = np.arange(book.n)
    before = smooth[rows, at] + term_end[rows, at]
    after = smooth[rows, at + 1] + term_end[rows, at + 1]
    extra = np.where(moved, (before - after).clip(min=0), 0.0)
    gone = np.arange(PANEL + 1)[None, :] > churn.lost_month[:, None]
    plan = np.where(moved[:, None], plan, plan * alive)
    return np.rint(plan + extra[:, None] * (gone & moved[:, None])).astype(np.int64) // 100 * 100


def _cny_amounts(book, rng, smooth, term_end) -> np.ndarray:
    """Return each customer's Spring Festival inflow at its peak, cents."""
    people = book.people
    migrant = people["is_migrant"].to_numpy(dtype=bool) & book.person
    village = people["is_farmer"].to_numpy(dtype=bool) | people["is_merchant"].to_numpy(dtype=bool)
    money = (smooth + term_end).mean(axis=1)
    part = np.where(migrant, rng.uniform(0.3, 1.0, book.n), np.where(village, 0.08, 0.03))
    raw = money * part * book.person * book.active
    total = (raw * book.weight).sum()
    wish = CNY_SIZE * (smooth.mean(axis=1) * book.weight * book.person).sum()
    return np.minimum(raw * wish / max(total, 1.0), 0.8 * money)


def _push_amounts(book, rng, smooth, busy) -> np.ndarray:
    """Return each customer's weight in the quarter-end push, cents."""
    large = (smooth.mean(axis=1) >= 500_000) & (busy.sum(axis=1) > 18)
    return np.where(large, smooth.mean(axis=1) * rng.uniform(0.5, 1.5, book.n), 0.0)


def push_path(book: Book, kappa: np.ndarray) -> np.ndarray:
    """Return the quarter-end push on each panel day in units of ``push``."""
    days = panel_days(book).astype(float)
    path = np.zeros(len(days))
    for j, end in enumerate(book.panel_end):
        if kappa[j] > 0:
            path += kappa[j] * push_shape(days - end)
    return path


def term_days(book: Book, deposits: Deposits, key: np.ndarray, groups: int) -> np.ndarray:
    """Return weighted term money on each panel day, float cents (groups, days)."""
    days = panel_days(book)
    weighted = (deposits.amount * book.weight[deposits.customer]).astype(float)
    change = np.zeros((groups, len(days) + 1))
    start = (deposits.open - days[0]).clip(min=0)
    stop = (deposits.close - days[0]).clip(min=0)
    inside = start < len(days)
    np.add.at(change, (key[inside], start[inside]), weighted[inside])
    closed = stop < len(days)
    np.add.at(change, (key[closed], stop[closed]), -weighted[closed])
    return np.cumsum(change, axis=1)[:, :-1]


def _between_months(average: np.ndarray) -> np.ndarray:
    """Return month-end values (n, PANEL + 1) half way between the averages of two months."""
    first, last = average[:, :1], average[:, -1:]
    middle = (average[:, :-1] + average[:, 1:]) // 2
    return np.concatenate([first, middle, last], axis=1)


def settle_path(book: Book, ends: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return daily values (groups, days) through the month ends whose month means are `means`.

    Linear from month end to the middle of the month and on to the next month end; the middle
    value is the one that gives the mean (not below zero).
    """
    middle = ((4 * means - ends[:, :-1] - ends[:, 1:]) / 2).clip(min=0)
    days = np.empty(2 * PANEL + 1)
    days[::2], days[1::2] = book.panel_end, (book.panel_end[:-1] + book.panel_end[1:]) / 2
    knots = np.empty((len(ends), 2 * PANEL + 1))
    knots[:, ::2], knots[:, 1::2] = ends, middle
    return np.stack([np.interp(panel_days(book), days, row) for row in knots])


def interpolate(book: Book, ends: np.ndarray) -> np.ndarray:
    """Return daily values, linear between month ends (groups, PANEL + 1)."""
    return np.stack([np.interp(panel_days(book), book.panel_end, row) for row in ends])


def _push_sizes(
    book, rng, deposits, smooth, cny, push, alive, settle, settle_end, curve
) -> np.ndarray:
    """Solve the size of the push at each quarter end from the deviation aimed at."""
    weight = book.weight.astype(float)
    total = interpolate(book, (weight @ smooth)[None, :])[0]
    month = month_of_day(book)
    total += ((weight * cny) @ alive[:, 1:])[month] * curve
    total += settle_path(book, (weight @ settle_end)[None, :], (weight @ settle)[None, :])[0]
    total += term_days(book, deposits, np.zeros(len(deposits), int), 1)[0]
    mean = month_mean(book, total)
    end = total[np.searchsorted(panel_days(book), book.panel_end[1:])]
    size = (weight * push) @ alive
    kappa = np.zeros(PANEL + 1)
    ends = book.months[FIRST - 1 :].month
    quarters = [j for j in range(1, PANEL + 1) if int(ends[j]) % 3 == 0]
    single = np.zeros(PANEL + 1)
    for position, j in enumerate(quarters):
        single[:] = 0
        single[j] = 1.0
        share = month_mean(book, push_path(book, single))[j - 1]
        aim = rng.uniform(*(BREACH if position in BREACH_AT else ORDINARY))
        room = mean[j - 1] * (1 + aim) - end[j - 1]
        kappa[j] = max(room / max(size[j] * (1 - share * (1 + aim)), 1.0), 0.0)
    if int(ends[0]) % 3 == 0:
        kappa[0] = float(np.median(kappa[quarters]))
    return kappa
