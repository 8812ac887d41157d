"""Sixty months of time deposits: openings, maturities, renewals, losses, month by month."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from course_utils.synth.money.book import (
    FIRST,
    HISTORY,
    OPEN,
    BalancedDraw,
    Book,
    Deposits,
    add_months,
)
from course_utils.synth.money.churn import Churn
from course_utils.synth.money.contacts import DOUBT_SLOPE, RENEWAL, Contacts
from course_utils.synth.money.rates import RateBook
from course_utils.synth.money.slots import OPENING, Slots

#: Renewal of customers with 50 万 or more reacts to a peer rate this many percentage points higher.
GAP = 0.20
LARGE = 50_000_000  # cents: 50 万
#: Deposits of this size may be 大额存单 (cents: 20 万).
CERTIFICATE = 20_000_000
DEMAND_DECAY = 0.5


@dataclass
class Ladder:
    """The simulation of all chains.

    ``parked`` is matured money left in the demand account, cents (n, HISTORY + 1); ``outcomes``
    holds for each maturity of the panel: called at random, in the large-gap cell, change of the
    renewal probability by the call and by the gap; ``everything`` who was renewed and called.
    """

    book: Book
    slots: Slots
    churn: Churn
    contacts: Contacts
    own: RateBook
    peer: RateBook
    rng: np.random.Generator
    _flat: dict[str, np.ndarray] = field(default_factory=dict)
    size: int = 0
    parked: np.ndarray = field(default_factory=lambda: np.zeros(0))
    draws: BalancedDraw = field(init=False)
    outcomes: list[np.ndarray] = field(default_factory=list)
    everything: list[dict[str, np.ndarray]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draws = BalancedDraw(self.rng, 12)

    def run(self) -> Deposits:
        """Run all months and return the deposits."""
        book = self.book
        self.parked = np.zeros((book.n, HISTORY + 1))
        for t in range(HISTORY):
            self.parked[:, t + 1] = self.parked[:, t] * np.where(book.active, DEMAND_DECAY, 1.0)
            if t >= FIRST:
                self._lose(t)
            slots = self.slots
            due = (slots.action == t) & ~slots.dead
            mature = np.flatnonzero(due & (slots.live >= 0))
            openers = np.flatnonzero(due & (slots.live < 0))
            if len(mature):
                self._mature(t, mature)
            if len(openers):
                self._open_new(t, openers)
        return self._collect()

    # ---- columns -------------------------------------------------------------------------

    def _value(self, name: str, index: np.ndarray) -> np.ndarray:
        """Return a column at deposit numbers (columns live in per-month blocks)."""
        return self._flat[name][index]

    def _append(self, **columns: np.ndarray) -> np.ndarray:
        """Add deposits and return their numbers."""
        count = len(columns["customer"])
        numbers = np.arange(self.size, self.size + count)
        if not self._flat:
            self._flat = {key: np.zeros(0, dtype=value.dtype) for key, value in columns.items()}
        need = self.size + count
        for key, value in columns.items():
            flat = self._flat[key]
            if need > len(flat):
                grown = np.zeros(max(need, 2 * len(flat), 4096), dtype=flat.dtype)
                grown[: self.size] = flat[: self.size]
                self._flat[key] = flat = grown
            flat[self.size : need] = value
        self.size = need
        return numbers

    def _collect(self) -> Deposits:
        return Deposits({key: value[: self.size].copy() for key, value in self._flat.items()})

    # ---- events --------------------------------------------------------------------------

    def _lose(self, t: int) -> None:
        """Close every deposit of customers lost in this month."""
        lost = self.churn.draw(t - FIRST)
        if not len(lost):
            return
        slots = self.slots
        hit = np.zeros(self.book.n, dtype=bool)
        hit[lost] = True
        gone = np.flatnonzero(hit[slots.customer] & ~slots.dead)
        slots.dead[gone] = True
        live = slots.live[gone]
        live = live[live >= 0]
        day = self.churn.lost_day[self._value("customer", live)]
        close = np.maximum(day, self._value("open", live) + 1)
        maturity = self._value("maturity", live)
        close = np.where(self._value("kind", live) == 3, close, np.minimum(close, maturity))
        self._flat["close"][live] = close
        self._flat["kept"][live[close == maturity]] = 0
        self._flat["channel"][live[close == maturity]] = 1
        self.parked[lost, t + 1] = 0.0

    def _mature(self, t: int, rows: np.ndarray) -> None:
        slots = self.slots
        live = slots.live[rows]
        notice = self._value("kind", live) == 3
        if notice.any():
            self._end_notice(t, rows[notice])
            rows, live = rows[~notice], live[~notice]
        customer, maturity = slots.customer[rows], self._value("maturity", live)
        plan = self.contacts.decide(t, customer, maturity)
        renewed = self._renewals(t, live, customer, maturity, plan)
        if t >= FIRST:
            self._expose(t, customer, maturity, plan["lead"])
        self._flat["close"][live] = maturity
        old = self._value("amount", live)
        rest = ~renewed
        part = rest & (self.rng.random(len(rows)) < 0.55) & (old >= 200_000)
        kept_share = self.rng.uniform(0.25, 0.74, len(rows)) * np.where(rest & ~part, 0.15, 1.0)
        self._flat["kept"][live] = np.where(
            renewed,
            (old * self.rng.uniform(0.86, 1.0, len(rows))).astype(np.int64) // 100 * 100,
            (old * kept_share).astype(np.int64) // 100 * 100,
        )
        follows = renewed | part
        new_amount = self._renew(t, rows, live, follows, renewed, kept_share)
        self._channel(live, follows)
        away = rest & ~part
        np.add.at(self.parked[:, t + 1], customer[away], (old * kept_share)[away])
        self._rest(t, rows[away])
        if t >= FIRST:
            self.contacts.log(live, customer, maturity, plan, renewed, new_amount)

    def _renewals(self, t: int, live, customer, maturity, plan) -> np.ndarray:
        """Draw which deposits are renewed."""
        kind, term = self._value("kind", live), self._value("term", live)
        gap = self.peer.rate(kind, term, maturity) - self.own.rate(kind, term, maturity)
        cell = (self._money(t)[customer] >= LARGE) & (gap > GAP + 1e-9)
        penalty = self.book.sim.effects.value("m02_n02", "big_gap_penalty")
        doubt = (self.contacts.doubt[customer] + self.rng.normal(0, 0.4, len(live))).clip(-2.5, 2.5)
        base = RENEWAL - DOUBT_SLOPE * doubt
        call, gap_part = self.contacts.effect(plan["lead"]), penalty * cell
        chance = (base + call + gap_part).clip(0.02, 0.98)
        group = plan["arm"] * 4 + (plan["lead"] > 0) * 2 + cell
        renewed = self.draws.draw(chance, group)
        if t >= FIRST:
            by_call = chance - (base + gap_part).clip(0.02, 0.98)
            by_gap = chance - (base + call).clip(0.02, 0.98)
            random_call = plan["arm"] == 1
            self.outcomes.append(np.column_stack([random_call, cell, by_call, by_gap]))
            self.everything.append({"renewed": renewed, "called": plan["lead"] > 0})
        return renewed

    def _money(self, t: int) -> np.ndarray:
        """Return all own money of every customer in cents when month `t` begins (his tier)."""
        book, slots = self.book, self.slots
        live = slots.live >= 0
        amount = self._value("amount", slots.live[live])
        term = np.bincount(slots.customer[live], weights=amount, minlength=book.n)
        rest = book.arrays["demand_share"] + book.arrays["wealth_share"]
        return term + self.parked[:, t] + book.arrays["level"][:, t] * rest * 100

    def _expose(self, t: int, customer, maturity, lead) -> None:
        """Note customers with a maturity and no call, and the day of the last maturity."""
        called = np.zeros(self.book.n, dtype=bool)
        called[customer[lead > 0]] = True
        quiet = customer[~called[customer]]
        self.churn.uncontacted_month[quiet] = t - FIRST
        np.maximum.at(self.churn.last_maturity, customer, maturity)

    def _renew(self, t, rows, live, follows, renewed, kept_share) -> np.ndarray:
        """Open the successors; return the amount of each row's successor (0 without one)."""
        slots, rng = self.slots, self.rng
        chosen = rows[follows]
        before = live[follows]
        old = self._value("amount", before)
        plan = self._planned(t, chosen)
        full = np.maximum(plan, (0.87 * old).astype(np.int64))
        full = np.where(full > 1.6 * old, np.maximum(plan * 0.9, 1.2 * old).astype(np.int64), full)
        amount = np.where(
            renewed[follows],
            _round_up(full),
            _round_down((old * kept_share[follows]).astype(np.int64)),
        )
        delay = np.where(rng.random(len(chosen)) < 0.8, 0, rng.integers(1, 6, len(chosen)))
        day = np.minimum(self._value("maturity", before) + delay, self.book.month_end[t + 1])
        switch = rng.random(len(chosen)) < 0.12
        other = rng.choice([12, 24, 36], len(chosen), p=[0.5, 0.2, 0.3])
        term = np.where(
            switch & self.book.person[slots.customer[chosen]], other, slots.term[chosen]
        )
        self._open(t, chosen, amount, day, term, before, delay == 0)
        result = np.zeros(len(rows), dtype=np.int64)
        result[follows] = amount
        return result

    def _open_new(self, t: int, rows: np.ndarray) -> None:
        slots, book = self.slots, self.book
        customer = slots.customer[rows]
        first = book.month_end[t] + 1
        day = np.where(slots.fixed_day[rows] >= 0, slots.fixed_day[rows], first + slots.day[rows])
        day = np.maximum(day, book.opened[customer])
        day = np.minimum(day, book.month_end[t + 1])
        amount = _round_up(self._planned(t, rows))
        flag = self.rng.random(len(rows)) < 0.5
        self._open(t, rows, amount, day, slots.term[rows], np.full(len(rows), -1), flag)

    def _planned(self, t: int, rows: np.ndarray) -> np.ndarray:
        slots, book = self.slots, self.book
        customer = slots.customer[rows]
        money = book.arrays["level"][customer, t + 1] * book.arrays["term_share"][customer]
        return (money * slots.share[rows] * 100).astype(np.int64)

    def _open(self, t, rows, amount, day, term, source, auto) -> None:
        """Append deposits for the chains in `rows`."""
        slots, rng, book = self.slots, self.rng, self.book
        person = book.person[slots.customer[rows]]
        amount = self._insured(amount, person, np.asarray(source))
        large = (amount >= CERTIFICATE) & np.isin(term, (12, 24, 36)) & person
        kind = np.where(term == 0, 3, np.where(large & (rng.random(len(rows)) < 0.11), 2, 1))
        rate = self.own.rate(kind, term, day)
        rate = rate + np.where(
            (amount >= LARGE) & (kind == 1), rng.integers(0, 3, len(rows)) * 0.05, 0
        )
        months = np.where(term == 0, rng.integers(4, 20, len(rows)), term)
        numbers = self._append(
            customer=slots.customer[rows],
            kind=kind,
            term=term,
            open=day,
            maturity=np.where(kind == 3, OPEN, add_months(day, term)),
            close=np.full(len(rows), OPEN),
            amount=amount,
            rate=np.round(rate, 4),
            auto=np.asarray(auto, dtype=bool),
            source=np.asarray(source, dtype=np.int64),
            kept=np.full(len(rows), -1),
            channel=np.full(len(rows), -1),
            slot=rows,
        )
        slots.live[rows] = numbers
        slots.term[rows] = term
        slots.action[rows] = t + months

    def _insured(self, amount: np.ndarray, person: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Bunch at the limit of deposit insurance, unless that would undo a renewal."""
        bunched = _bunch(self.rng, amount, person)
        follows = source >= 0
        if not follows.any():
            return bunched
        before = np.where(follows, self._value("amount", source.clip(min=0)), 0)
        return np.where(bunched * 100 < before * 82, amount, bunched)

    def _end_notice(self, t: int, rows: np.ndarray) -> None:
        live = self.slots.live[rows]
        day = self.book.month_end[t] + 1 + self.rng.integers(0, 27, len(rows))
        self._flat["close"][live] = np.maximum(day, self._value("open", live) + 7)
        self._rest(t, rows)

    def _rest(self, t: int, rows: np.ndarray) -> None:
        """Chains that pause: most begin again later, half of them in a first quarter."""
        slots, rng = self.slots, self.rng
        slots.live[rows] = -1
        wait = t + rng.integers(1, 6, len(rows))
        month = rng.choice(3, len(rows), p=OPENING[:3] / OPENING[:3].sum())
        start = int(self.book.months[0].month) - 1
        ahead = (month - (start + t)) % 12
        first_quarter = t + np.where(ahead == 0, 12, ahead)
        slots.action[rows] = np.where(rng.random(len(rows)) < 0.45, first_quarter, wait)
        slots.dead[rows] |= rng.random(len(rows)) < 0.05

    def _channel(self, live: np.ndarray, follows: np.ndarray) -> None:
        """Where the maturity was handled: 0 counter, 1 mobile, 2 automatic, 3 untouched."""
        rng, book = self.rng, self.book
        customer = self._value("customer", live)
        mobile = book.people["uses_mobile"].to_numpy(dtype=bool)[customer]
        auto = self._value("auto", live) & follows
        by_phone = mobile & (rng.random(len(live)) < 0.45)
        idle = ~follows & (rng.random(len(live)) < 0.10)
        self._flat["channel"][live] = np.select([auto, idle, by_phone], [2, 3, 1], 0)


def _round_up(amount: np.ndarray) -> np.ndarray:
    """Round up to what people deposit: thousands, from 20 万 on whole 万."""
    step = np.where(amount >= 20_000_000, 1_000_000, 100_000)
    return np.maximum(np.ceil(amount / step).astype(np.int64) * step, 100_000)


def _round_down(amount: np.ndarray) -> np.ndarray:
    """Round down to hundreds of 元; never below 500 元."""
    return np.maximum(amount // 10_000 * 10_000, 50_000)


def _bunch(rng: np.random.Generator, amount: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Bunch deposits of 50-60 万 at the limit of deposit insurance (49-50 万)."""
    near = (amount >= 50_000_000) & (amount < 60_000_000) & person
    hit = near & (rng.random(len(amount)) < 0.35)
    return np.where(hit, 49_000_000 + rng.integers(0, 11, len(amount)) * 100_000, amount)
