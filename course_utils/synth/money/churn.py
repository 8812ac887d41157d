"""What goes before a loss: wages stop, the phone is silent, the manager is new, nobody called."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from course_utils.synth.money.book import FIRST, PANEL, BalancedDraw, Book, day_number, to_cents
from course_utils.synth.tools import logistic

#: Months after the event during which the odds of loss are raised.
WINDOW = {"uncontacted": 3, "payroll": 4, "manager": 6}
#: Monthly hazard of loss averaged over customers at risk (course parameter).
BASE_HAZARD = 0.0080
#: Smallest money for which a loss is defined, 元.
FLOOR = 10_000.0
#: Monthly chance that a user of mobile banking falls silent; coaching at the counter halves it.
SILENCE = 0.027
#: Monthly chance that wages stop (a change of job), and how many months they stay out at least.
WAGE_STOP, SHORTEST_STOP = 0.036, 5
#: What a lost customer leaves behind, as a part of his money.
LEFT_BEHIND = (0.02, 0.10)


def _payroll(book: Book, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return wages in cents and whether they stopped in that month, both (n, PANEL)."""
    paid = book.people["has_payroll"].to_numpy(dtype=bool) & book.person
    wage = book.column("income_month").clip(min=1500.0) * rng.uniform(0.85, 1.05, book.n)
    noise = rng.normal(1.0, 0.03, (book.n, PANEL))
    month = book.months[FIRST:].month.to_numpy()
    bonus = np.where(month == 1, 1.6, np.where(np.isin(month, (6, 12)), 1.15, 1.0))
    amounts = to_cents(wage[:, None] * noise * bonus[None, :] * paid[:, None])
    out, stopped = np.zeros((2, book.n, PANEL), dtype=bool)
    left = np.zeros(book.n, dtype=np.int64)
    for t in range(PANEL):
        stopped[:, t] = paid & (left == 0) & (rng.random(book.n) < WAGE_STOP * (t >= 2))
        left = np.where(stopped[:, t], SHORTEST_STOP + rng.geometric(0.3, book.n), left)
        out[:, t] = left > 0
        left = np.maximum(left - 1, 0)
    amounts[out | ~book.exists()] = 0
    return amounts, stopped


def _coached(book: Book) -> np.ndarray:
    """Return from when on the counter of a customer's branch coaches mobile banking (n, PANEL)."""
    program = book.sim.tables.get("branch_program")
    start = np.full(book.branches, np.iinfo(np.int64).max)
    if program is not None:
        rows = program[program["program"].astype(str) == "手机银行辅导"]
        names = pd.Index(book.sim.tables["branch"]["branch_id"])
        start[names.get_indexer(rows["branch_id"])] = day_number(rows["start_date"])
    return start[book.branch][:, None] <= book.panel_end[None, 1:]


def _mobile(book: Book, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return login days (n, PANEL) and whether the user was silent the whole month."""
    user = book.people["uses_mobile"].to_numpy(dtype=bool)
    silent = np.zeros((book.n, PANEL), dtype=bool)
    left = np.where(rng.random(book.n) < 0.09, 1 + rng.geometric(0.33, book.n), 0)
    coached = _coached(book)
    wealthy = np.log(book.column("own_money", 1.0).clip(min=10.0))
    faithful = np.exp(-0.085 * (wealthy - wealthy[user].mean()))
    for t in range(PANEL):
        chance = np.where(coached[:, t], 0.5, 1.0) * SILENCE * faithful
        start = (left == 0) & (rng.random(book.n) < chance)
        left = np.where(start, 2 + rng.geometric(0.4, book.n), left)
        silent[:, t] = left > 0
        woken = coached[:, t] & (rng.random(book.n) < 0.25)
        left = np.where(woken, 0, np.maximum(left - 1, 0))
    silent &= user[:, None]
    habit = logistic(-1.1 + 0.8 * book.column("digital") + rng.normal(0, 0.5, book.n))
    days = np.diff(book.panel_end).astype(np.int64)
    login = np.maximum(rng.binomial(days[None, :], habit[:, None]), 1)
    login[silent | ~user[:, None] | ~book.exists()] = 0
    return login.astype(np.int64), silent


@dataclass
class Churn:
    """Risk states of all customers and the losses drawn so far.

    ``lost_month`` panel month in which the customer took his money away (−1 never),
    ``to_wealth`` whether it went into own wealth products, ``lost_day`` day number; ``cells``
    customer-months at risk (each counted by its odds without the risks) and losses, by combination
    of the four risks (bits 1, 2, 4, 8).
    """

    book: Book
    rng: np.random.Generator
    payroll: np.ndarray
    payroll_stop: np.ndarray
    login_days: np.ndarray
    silent: np.ndarray
    manager_month: np.ndarray
    uncontacted_month: np.ndarray
    last_maturity: np.ndarray
    lost_month: np.ndarray
    lost_day: np.ndarray
    to_wealth: np.ndarray
    protected: np.ndarray
    log_odds: np.ndarray
    intercept: float = float("nan")
    losses: BalancedDraw = field(init=False)
    movers: BalancedDraw = field(init=False)
    cells: np.ndarray = field(default_factory=lambda: np.zeros((16, 2)))

    def __post_init__(self) -> None:
        self.losses, self.movers = BalancedDraw(self.rng, 16), BalancedDraw(self.rng)

    def exposed(self, t: int) -> np.ndarray:
        """Return the four risk states for panel month `t`, bool (n, 4), known before it begins."""

        def recent(month: np.ndarray, window: int) -> np.ndarray:
            return (month >= 0) & (month < t) & (month >= t - window)

        quiet = (
            self.silent[:, t - 1] & self.silent[:, t - 2] if t >= 2 else self.silent[:, 0] & False
        )
        return np.column_stack(
            [
                recent(self.uncontacted_month, WINDOW["uncontacted"]),
                self.payroll_stop[:, max(t - WINDOW["payroll"], 0) : t].any(axis=1),
                quiet,
                recent(self.manager_month, WINDOW["manager"]),
            ]
        )

    def draw(self, t: int) -> np.ndarray:
        """Draw the losses of panel month `t` and return the rows of lost customers."""
        book = self.book
        money = book.arrays["level"][:, FIRST + t]
        risk = (
            book.person
            & (money >= FLOOR)
            & (self.lost_month < 0)
            & ~self.protected
            & (book.open_month < FIRST + t - 2)
        )
        rows = np.flatnonzero(risk)
        bits = self.exposed(t)[rows]
        score = bits @ self.log_odds - 0.6 * (np.log10(money[rows]) - 4.7)
        if not np.isfinite(self.intercept):
            self.intercept = _intercept(score, BASE_HAZARD)
        wealth_part = book.sim.effects.value("m02_n03", "wealth_misread")
        chance = logistic(score + self.intercept)
        chance = np.where(chance / (1 - wealth_part) > 0.9, 0.9, chance / (1 - wealth_part))
        group = bits @ np.array([1, 2, 4, 8])
        lost = rows[self.losses.draw(chance, group)]
        np.add.at(self.cells[:, 0], group, np.exp(score - bits @ self.log_odds))
        np.add.at(self.cells[:, 1], group[np.isin(rows, lost)], 1)
        self.lost_month[lost] = t
        self.to_wealth[lost] = self.movers.draw(np.full(len(lost), wealth_part))
        first = book.panel_end[t] + 1
        day = first + self.rng.integers(0, 10, len(lost))
        late = np.minimum(self.last_maturity[lost] + 31, book.panel_end[t + 1] - 1)
        self.lost_day[lost] = np.maximum(day, late)
        return lost


def _intercept(score: np.ndarray, mean: float) -> float:
    low, high = -20.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if logistic(score + middle).mean() < mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def start_churn(book: Book) -> Churn:
    """Draw wages and phone habits, and set up the risk states."""
    rng = book.sim.rng("money.churn")
    payroll, stop = _payroll(book, rng)
    login, silent = _mobile(book, rng)
    names = ("or_uncontacted", "or_payroll_stop", "or_mobile_silent", "hr_manager_change")
    odds = [book.sim.effects.value("m02_n03", name) for name in names]
    none = np.full(book.n, -1, dtype=np.int64)
    return Churn(
        book=book,
        rng=rng,
        payroll=payroll,
        payroll_stop=stop,
        login_days=login,
        silent=silent,
        manager_month=book.column("manager_changed_month", -1.0).astype(np.int64),
        uncontacted_month=none.copy(),
        last_maturity=np.full(book.n, -(10**6), dtype=np.int64),
        lost_month=none.copy(),
        lost_day=none.copy(),
        to_wealth=np.zeros(book.n, dtype=bool),
        protected=np.zeros(book.n, dtype=bool),
        log_odds=np.log(np.asarray(odds, dtype=float)),
    )
