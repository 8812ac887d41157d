"""How much money a customer keeps here, and in which form, before events change it."""

from __future__ import annotations

import numpy as np

from course_utils.synth.money.book import FIRST, HISTORY, Book
from course_utils.synth.tools import logistic

#: Course parameters (structure of a county bank): share of personal and of corporate deposits
#: that is term money.
PERSONAL_TERM_SHARE = 0.84
CORPORATE_TERM_SHARE = 0.50
#: Losses, pauses of term money and growth change the concentration by this much until the end.
EVENT_DRIFT = -0.05
#: Firms that came within the panel keep this part of what their size suggests.
YOUNG_FIRM = 0.35
#: Yearly drift of demand money against all money (the trend into term money).
DEMAND_DRIFT = -0.10


def _compress(money: np.ndarray, weights: np.ndarray, share: float) -> np.ndarray:
    """Raise money to a power so that the top 5 % hold `share`; the weighted total stays."""
    order = np.argsort(-money, kind="stable")
    heads = np.cumsum(weights[order])
    low, high = 0.3, 2.0
    for _ in range(30):
        middle = (low + high) / 2
        held = np.cumsum(money[order] ** middle * weights[order])
        if np.interp(0.05 * heads[-1], heads, held) < share * held[-1]:
            low = middle
        else:
            high = middle
    result = money ** ((low + high) / 2)
    return result * (money * weights).sum() / (result * weights).sum()


def _solve_share(tau: np.ndarray, money: np.ndarray, share: float) -> np.ndarray:
    """Shift positive term shares on the logit scale until their money-weighted mean is `share`."""
    holder = tau > 0
    score = np.log(tau[holder] / (1 - tau[holder]))
    low, high = -4.0, 4.0
    for _ in range(50):
        middle = (low + high) / 2
        total = (logistic(score + middle) * money[holder]).sum()
        if total < share * money.sum():
            low = middle
        else:
            high = middle
    result = np.zeros(len(tau))
    result[holder] = logistic(score + (low + high) / 2).clip(max=0.97)
    return result


def _planned_money(book: Book) -> np.ndarray:
    """Return all own money of each customer in 元 at the as-of date, before events."""
    money = book.column("own_money", 0.0).clip(min=0.0)
    person = book.person
    young = ~person & (book.open_month >= FIRST)
    money[young] *= YOUNG_FIRM
    share = book.sim.effects.value("m02_n04", "top5_share") + EVENT_DRIFT
    money[person] = _compress(money[person], book.weight[person].astype(float), share)
    return money


def _holds_wealth(book: Book, decade: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    chance = logistic(2.2 * (decade - 5.25) + 0.5 * book.column("digital") - 0.3)
    return book.person & (rng.random(book.n) < chance) & (decade > 4.0)


def plan_money(book: Book) -> None:
    """Set the planned money of every customer and its split into demand, term and wealth.

    Fills ``book.arrays``: ``level`` float 元 (n, HISTORY + 1) at month ends, ``demand_share``,
    ``term_share``, ``wealth_share`` float (n,), summing to one at the as-of date.
    """
    rng = book.sim.rng("money.level")
    money = _planned_money(book)
    decade = np.log10(money.clip(min=1.0))
    omega = np.where(_holds_wealth(book, decade, rng), rng.uniform(0.06, 0.34, book.n), 0.0)
    age = book.column("age", 45.0)
    chance = logistic(3.0 * (decade - 4.2) + 0.02 * (age - 45))
    floor = np.where(book.person, 3.7, 5.3)
    chance = np.where(book.person, chance, 0.5)
    holder = (decade > floor) & (rng.random(book.n) < chance)
    raw = np.where(book.person, rng.beta(8, 2, book.n), rng.beta(4, 2.5, book.n)).clip(0.05, 0.97)
    tau = np.where(holder, raw, 0.0)
    for group, share in ((book.person, PERSONAL_TERM_SHARE), (~book.person, CORPORATE_TERM_SHARE)):
        if group.any():
            weighted = (money * (1 - omega) * book.weight)[group]
            tau[group] = _solve_share(tau[group], weighted, share)
    growth = rng.normal(np.where(book.person, 0.105, -0.01), 0.07)
    growth = np.where(book.active, growth, 0.03)
    years = (np.arange(HISTORY + 1) - HISTORY) / 12
    book.arrays["level"] = money[:, None] * np.exp(growth[:, None] * years[None, :])
    book.arrays["wealth_share"] = omega
    book.arrays["term_share"] = tau * (1 - omega)
    book.arrays["demand_share"] = (1 - tau) * (1 - omega)
