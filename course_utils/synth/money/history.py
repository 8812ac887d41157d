"""Table ``customer_year``: six years of averages, with the cohort of 20 万 in its first year.

The last two years are the means of the published months. The years before are drawn backwards:
growth (larger for customers with three or more products), and customers who were lost before the
panel begins and still show as almost empty accounts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.balances import Balances
from course_utils.synth.money.book import PANEL, Book

#: Years shown before the two panel years.
BEFORE = 4
#: Cohort: yearly average of term money in the first year, 元.
COHORT = 200_000.0
#: Upper ends of the tiers T0 … T4, 元.
TIERS = np.array([1e4, 5e4, 2e5, 5e5, 1e6])
#: Spread of five-year log growth between customers.
GROWTH_SPREAD = 0.34
#: Below this part of the first year a customer counts as lost.
LOST = 0.20


def tier(money: np.ndarray) -> np.ndarray:
    """Return the tier 0 … 5 of money in 元."""
    return np.searchsorted(TIERS, money, side="right")


def _panel_years(book: Book, balances: Balances) -> dict[str, np.ndarray]:
    """Return yearly means of the panel in 元, (n, 2) each: deposit, term, aum."""
    exists = book.exists().reshape(book.n, PANEL // 12, 12)
    months = exists.sum(axis=2).clip(min=1)

    def mean(values: np.ndarray) -> np.ndarray:
        return (values.reshape(book.n, PANEL // 12, 12) * exists).sum(axis=2) / months / 100

    deposit = balances.demand_average + balances.term_average
    return {
        "deposit": mean(deposit),
        "term": mean(balances.term_average),
        "aum": mean(deposit + balances.wealth_average),
    }


def _first_year(book, rng, now, early, shift) -> np.ndarray:
    """Return the money of the first year for the log growth `shift` added to everybody's."""
    return np.where(early, now * np.exp(-(book.arrays["growth5"] + shift)), 0.0)


def _outcome(money: np.ndarray, term_part: np.ndarray, now: np.ndarray, weight: np.ndarray):
    """Return cohort marks, and weighted upgrade and lost counts."""
    cohort = money * term_part >= COHORT
    lost = cohort & (now < LOST * money)
    up = cohort & (tier(now) > tier(money)) & ~lost
    return cohort, (weight * up).sum(), (weight * lost).sum()


def _place_lost(book, rng, early, cohort, lost_weight, money, now, pool) -> np.ndarray:
    """Return first-year money of almost empty accounts that were in the cohort once."""
    effects = book.sim.effects
    share = effects.value("m02_n04", "cohort_lost")
    total = (book.weight * cohort).sum()
    missing = (share * total - lost_weight) / (1 - share)
    result = np.zeros(book.n)
    if missing <= 0 or not len(pool):
        return result
    order = rng.permutation(pool)
    heavy = np.cumsum(book.weight[order]) - book.weight[order] / 2
    chosen = order[heavy <= missing]
    donors = money[np.flatnonzero(cohort)]
    if len(donors):
        result[chosen] = rng.choice(donors, len(chosen)).clip(min=1.15 * COHORT)
    return result


def customer_year(book: Book, balances: Balances, product_count: np.ndarray) -> pd.DataFrame:
    """Return table ``customer_year``; also keeps the first year's truth in ``book.arrays``."""
    rng = book.sim.rng("money.history")
    effects = book.sim.effects
    panel = _panel_years(book, balances)
    now = panel["aum"][:, 1]
    years = book.months[-1].year - 5 + np.arange(6)
    opened_year = book.people["open_date"].dt.year.to_numpy()
    early = (opened_year <= years[0]) & book.person
    count_now = product_count[:, -1]
    count_first = np.maximum(count_now - rng.binomial(count_now, 0.13), 1)
    many = count_first >= 3
    bonus = np.log1p(effects.value("m02_n04", "growth_3products"))
    moved = book.column("manager_changed_month", -1.0) >= 0
    growth = bonus * many - 0.06 * moved + rng.normal(0, GROWTH_SPREAD, book.n)
    book.arrays["growth5"] = growth
    term_now = panel["term"][:, 1] / now.clip(min=1.0)
    term_first = np.where(
        term_now > 0.05, (term_now * rng.uniform(0.9, 1.05, book.n)).clip(max=0.95), 0.0
    )
    shift = _solve_shift(book, rng, now, early, term_first)
    money = _first_year(book, rng, now, early, shift)
    money, term_first = _with_lost(book, rng, balances, money, term_first, now, early)
    aum, deposit, term = _fill_years(book, rng, panel, money, term_first, opened_year, years)
    counts = _product_years(rng, count_first, product_count, money)
    return _table(book, years, opened_year, aum, deposit, term, counts)


def _solve_shift(book, rng, now, early, term_first) -> float:
    """Find the general growth at which the planted part of the cohort moves up a tier."""
    effects = book.sim.effects
    wish = effects.value("m02_n04", "cohort_upgrade")
    kept = 1 - effects.value("m02_n04", "cohort_lost")
    low, high = -0.8, 1.6
    for _ in range(40):
        middle = (low + high) / 2
        money = _first_year(book, rng, now, early, middle)
        cohort, up, lost = _outcome(money, term_first, now, book.weight)
        survivors = (book.weight * cohort).sum() - lost
        if up < wish / kept * survivors:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _with_lost(book, rng, balances, money, term_first, now, early):
    """Add to the first year those of the cohort who were lost since, panel losses first."""
    lost_month = book.arrays["lost_month"]
    before = (balances.demand_end + balances.term_end + balances.wealth_end) / 100
    gone = (lost_month >= 0) & (book.arrays["lost_to_wealth"] == 0) & early
    at = lost_month.clip(min=0)
    full = before[np.arange(book.n), at] / 1.25
    part = book.arrays["term_share"].clip(0.3, 0.9)
    left_long_ago = gone & (now < LOST * full)
    money = np.where(left_long_ago, full, money)
    term_first = np.where(left_long_ago, part, term_first)
    cohort, _, lost = _outcome(money, term_first, now, book.weight)
    empty = np.flatnonzero(early & (now > 10) & (now < 9_000) & (lost_month < 0) & (money < 20_000))
    placed = _place_lost(book, rng, early, cohort, lost, money, now, empty)
    back = placed > 0
    return np.where(back, placed, money), np.where(back, rng.uniform(0.9, 0.98, book.n), term_first)


def _fill_years(book, rng, panel, money, term_first, opened_year, years):
    """Interpolate the years between the first year and the panel; return aum, deposit, term."""
    n = book.n
    aum, deposit, term = (np.zeros((n, 6)) for _ in range(3))
    for key, target in (("aum", aum), ("deposit", deposit), ("term", term)):
        target[:, 4:] = panel[key]
    wealth_part = (1 - panel["deposit"][:, 0] / panel["aum"][:, 0].clip(min=0.01)).clip(0, 1)
    term_part = panel["term"][:, 0] / panel["aum"][:, 0].clip(min=0.01)
    start = np.where(money > 0, money, panel["aum"][:, 0] * np.exp(rng.normal(-0.25, 0.2, n)))
    leave = rng.integers(1, 4, n)
    vanished = (money > 3 * panel["aum"][:, 0]) & (money > 50_000)
    for y in range(BEFORE):
        step = y / BEFORE
        path = np.exp(
            (1 - step) * np.log(start.clip(min=0.01))
            + step * np.log(panel["aum"][:, 0].clip(min=0.01))
        )
        path = np.where(vanished, np.where(y < leave, start, panel["aum"][:, 0]), path)
        path = path * np.exp(rng.normal(0, 0.05, n) * (y > 0))
        rest = 1 - (wealth_part * step)
        share = (1 - step) * term_first + step * term_part
        share = np.where(vanished & (y < leave), term_first, share)
        aum[:, y] = path
        deposit[:, y] = path * np.maximum(rest, share)
        term[:, y] = path * share
    exists = opened_year[:, None] <= years[None, :]
    return aum * exists, deposit * exists, term * exists


def _product_years(rng, count_first, product_count, money) -> np.ndarray:
    """Return products at each year's end; they grow from the first year's count to the panel's."""
    n = len(count_first)
    counts = np.zeros((n, 6), dtype=np.int64)
    counts[:, 4], counts[:, 5] = product_count[:, 11], product_count[:, 23]
    for y in range(BEFORE):
        up = rng.random(n) < y / BEFORE
        counts[:, y] = np.where(up, counts[:, 4], count_first)
    return np.maximum(counts, 1)


def _table(book, years, opened_year, aum, deposit, term, counts) -> pd.DataFrame:
    keep = (opened_year[:, None] <= years[None, :]).T.ravel()
    cents = {name: np.rint(value * 100).astype(np.int64) for name, value in
             {"deposit": deposit, "term": term, "aum": aum}.items()}  # fmt: skip
    cents["deposit"] = np.maximum(cents["deposit"], cents["term"])
    cents["aum"] = np.maximum(cents["aum"], cents["deposit"])
    customer = book.people["customer_id"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "year": np.repeat(years, book.n)[keep],
            "customer_id": np.tile(customer, len(years))[keep],
            "deposit_average": cents["deposit"].T.ravel()[keep] / 100,
            "term_deposit_average": cents["term"].T.ravel()[keep] / 100,
            "aum_average": cents["aum"].T.ravel()[keep] / 100,
            "product_count": counts.T.ravel()[keep],
        }
    )
