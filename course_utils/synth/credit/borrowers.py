"""Who borrows: choice of borrowers and of the product they use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.draws import balanced, days, month_number, top_weighted

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

#: Student loans a person of the sample; mortgages a borrower (course parameters).
STUDENT_SHARE, MORTGAGE_SHARE = 0.016, 0.21
#: Mortgage borrowers who also use other credit; graduates who borrow again when not returned.
SECOND_CHAIN, GRADUATE_LOAN = 0.15, 0.12
RETURNEE_PULL = 20.0  # over-representation of returned graduates, so that they can be compared
Pairs = tuple[np.ndarray, np.ndarray]
ORGANIC, LISTED, CONVERTED, REFINANCED = range(4)


@dataclass
class Starts:
    """First loans of chains of loans: one row a borrower.

    Parameters
    ----------
    person : ndarray of int
        Positions in ``sim.people``.
    kind : ndarray of int
        Kind of loan (position in `products.KINDS`).
    date : ndarray of datetime64[D]
        Date of the first loan.
    source : ndarray of int
        ORGANIC, LISTED (white list), CONVERTED (online loans replaced) or REFINANCED.
    amount : ndarray of int
        Amount in 元; 0 = draw it.
    rate : ndarray of float
        Rate in percent; NaN = draw it.
    """

    person: np.ndarray
    kind: np.ndarray
    date: np.ndarray
    source: np.ndarray
    amount: np.ndarray
    rate: np.ndarray

    @staticmethod
    def organic(person: np.ndarray, kind: np.ndarray, date: np.ndarray) -> Starts:
        """Return starts without a campaign."""
        n = len(person)
        return Starts(
            person, kind, date, np.full(n, ORGANIC), np.zeros(n, np.int64), np.full(n, np.nan)
        )

    @staticmethod
    def join(parts: list[Starts]) -> Starts:
        """Return all starts one after another."""
        return Starts(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("person", "kind", "date", "source", "amount", "rate")
            )
        )


@dataclass
class People:
    """The columns of ``sim.people`` that credit needs, as arrays.

    Attributes have the length of ``sim.people``; `opened` is datetime64[D].
    """

    frame: pd.DataFrame
    age: np.ndarray
    segment: np.ndarray
    company: np.ndarray
    business: np.ndarray
    merchant: np.ndarray
    need: np.ndarray
    pd: np.ndarray
    price: np.ndarray
    opened: np.ndarray
    weight: np.ndarray
    lenders: np.ndarray
    active: np.ndarray
    branch: np.ndarray
    borrower: np.ndarray

    def __len__(self) -> int:
        return len(self.frame)


def read_people(sim: Simulation) -> People:
    """Return the columns of ``sim.people`` that credit needs, missing numbers filled."""
    frame = sim.people
    number = lambda name, fill: pd.to_numeric(frame[name]).fillna(fill).to_numpy(dtype=float)  # noqa: E731
    kind = frame["customer_type"].astype(str).to_numpy()
    return People(
        frame=frame,
        age=number("age", 40.0),
        segment=frame["segment"].astype(str).to_numpy(),
        company=kind == "企业",
        business=kind == "个体工商户",
        merchant=frame["is_merchant"].to_numpy(dtype=bool),
        need=number("need", 0.0),
        pd=number("pd", 0.03),
        price=number("price_sensitivity", 0.0),
        opened=days(frame["open_date"]),
        weight=number("weight", 1.0),
        lenders=number("online_lender_count", 0.0).astype(np.int64)
        * frame["uses_online_loan"].to_numpy(dtype=bool),
        active=frame["active"].to_numpy(dtype=bool),
        branch=frame["branch_pos"].to_numpy(dtype=np.int64),
        borrower=frame["is_borrower"].to_numpy(dtype=bool),
    )


def choose_borrowers(sim: Simulation, people: People) -> tuple[Starts, Pairs, Pairs]:
    """Split the borrowers of the bank over chains of credit, mortgages and student loans.

    Every person whom the population marks as borrower gets at least one loan.

    Returns
    -------
    tuple
        Starts of chains; persons and graduation dates of student loans; persons and issue dates
        of mortgages.
    """
    rng = sim.rng("borrowers")
    persons = int((~people.company).sum())
    students = choose_students(sim, people, max(round(STUDENT_SHARE * persons), 3), rng)
    flagged = people.borrower & ~people.company
    flagged[students[0]] = False
    mortgages = choose_mortgages(
        sim, people, round(MORTGAGE_SHARE * people.borrower.sum()), flagged, rng
    )
    chains = choose_chains(sim, people, students[0], mortgages[0], rng)
    return chains, students, mortgages


def choose_students(sim: Simulation, people: People, count: int, rng: np.random.Generator) -> Pairs:
    """Choose holders of student loans; `m03_n07.in_school` of them are still at school.

    Returns
    -------
    tuple of ndarray
        Positions in people, graduation dates (1 July of the year of the 22nd birthday).
    """
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    year = as_of.astype("M8[Y]").astype(np.int64) + 1970
    graduation_year = (year - people.age + 22).astype(np.int64)
    graduation = ((graduation_year - 1970).astype("M8[Y]").astype("M8[M]") + 6).astype("M8[D]")
    room = (np.minimum(graduation, as_of) - people.opened).astype(np.int64) > 400
    fits = (people.age >= 18.5) & (people.age <= 31) & room & ~people.company & ~people.business
    at_school = graduation > as_of
    educated = people.frame["education"].astype(str).isin(["大专", "本科及以上"]).to_numpy()
    wish = np.where(educated | at_school, 1.0, 0.2)
    home = people.frame["is_returnee"].to_numpy(dtype=bool)
    wish = wish * np.where(home, RETURNEE_PULL, 1.0)
    share = float(sim.effects.value("m03_n07", "in_school"))
    school = top_weighted(rng, wish, round(count * share), fits & at_school)
    rest = round(len(school) / share * (1 - share)) if len(school) else count
    graduates = choose_graduates(sim, people, wish, rest, fits & ~at_school, rng)
    chosen = np.concatenate([school, graduates])
    return chosen, graduation[chosen]


def choose_graduates(
    sim: Simulation,
    people: People,
    wish: np.ndarray,
    count: int,
    allowed: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Choose graduates so that activity today has the planted shares.

    `m03_n07.dormant_after` of them no longer use the account; of those whose wage is paid here
    `m03_n07.payroll_keep` still do.
    """
    keep_all = 1 - float(sim.effects.value("m03_n07", "dormant_after"))
    keep_paid = float(sim.effects.value("m03_n07", "payroll_keep"))
    paid = people.frame["has_payroll"].to_numpy(dtype=bool)
    count_paid = min(round(0.30 * count), int((allowed & paid).sum()))
    active_paid = round(keep_paid * count_paid)
    active_rest = max(round(keep_all * count) - active_paid, 0)
    cells = (
        (active_paid, paid & people.active),
        (count_paid - active_paid, paid & ~people.active),
        (active_rest, ~paid & people.active),
        (count - count_paid - active_rest, ~paid & ~people.active),
    )
    chosen = [top_weighted(rng, wish, number, allowed & cell) for number, cell in cells]
    return np.sort(np.concatenate(chosen))


def choose_mortgages(
    sim: Simulation, people: People, count: int, flagged: np.ndarray, rng: np.random.Generator
) -> Pairs:
    """Choose mortgage borrowers and their issue dates (ten years back at most).

    Returns
    -------
    tuple of ndarray
        Positions in people, issue dates (datetime64[D], day 1-28).
    """
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    room = (as_of - people.opened).astype(np.int64) > 120
    fits = (people.age >= 25) & (people.age <= 58) & flagged & room
    segment = np.select(
        [people.segment == "工薪", np.isin(people.segment, ["商户", "企业主"])], [3.0, 2.0], 0.6
    )
    chosen = top_weighted(rng, segment * np.exp(0.2 * people.need), count, fits)
    adult = as_of - ((people.age[chosen] - 23) * 365.25).astype("m8[D]")
    first = np.maximum(
        np.maximum(people.opened[chosen] + 30, adult), as_of - np.timedelta64(3600, "D")
    )
    room_days = np.maximum((as_of - first).astype(np.int64) - 45, 1)
    return chosen, first + (room_days * rng.beta(1.1, 1.0, len(chosen))).astype("m8[D]")


def chain_kinds(people: People, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the kind of loan of each chosen borrower, by customer group."""
    segment, u = people.segment[chosen], rng.random(len(chosen))
    trade = np.where(u < 0.80, p.TRADER, p.SECURED)
    kind = np.full(len(chosen), p.ONLINE)
    kind = np.where(segment == "农户", np.where(u < 0.85, p.FARM, p.ONLINE), kind)
    kind = np.where(segment == "务工", np.where(u < 0.35, p.FARM, p.ONLINE), kind)
    kind = np.where(np.isin(segment, ["商户", "企业主"]) | people.business[chosen], trade, kind)
    return np.where(people.company[chosen], np.where(u < 0.9, p.SME, p.SECURED), kind)


def choose_chains(
    sim: Simulation,
    people: People,
    students: np.ndarray,
    mortgages: np.ndarray,
    rng: np.random.Generator,
) -> Starts:
    """Choose organic borrowers of revolving and instalment credit and when they start.

    Among self-employed customers the weighted odds of having borrowed are `m03_n02.gateway_lift`
    times higher for merchants with our code than for the others.
    """
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    single = np.zeros(len(people), dtype=bool)
    single[students] = True
    single[mortgages] = True
    old_enough = ((as_of - people.opened).astype(np.int64) > 150) & (people.age >= 21)
    chosen = people.borrower & ~single & (old_enough | people.company)
    second = mortgages[rng.random(len(mortgages)) < SECOND_CHAIN]
    chosen[second[people.age[second] <= 60]] = True
    chance = returnee_chance(sim, people, students)
    home = people.frame["is_returnee"].to_numpy(dtype=bool)[students]
    chosen[students[balanced(rng, chance, home, chance)]] = True
    _gateway(sim, people, chosen, old_enough & ~single, rng)
    rows = np.flatnonzero(chosen)
    window = np.datetime64(int(month_number(as_of)) - 59, "M").astype("M8[D]")
    adult = as_of - ((people.age[rows] - 21) * 365.25).astype("m8[D]")
    adult = np.where(people.company[rows], people.opened[rows], adult)
    elder = as_of - (np.maximum(people.age[rows] - 61, 0) * 365.25).astype("m8[D]")
    first = np.maximum(np.maximum(people.opened[rows] + 20, adult), window)
    last = np.where(people.company[rows], as_of, np.maximum(elder, first)) - np.timedelta64(75, "D")
    room = np.maximum((np.maximum(last, first) - first).astype(np.int64), 1)
    start = first + (room * rng.beta(0.85, 1.75, len(rows))).astype("m8[D]")
    recent = as_of - np.timedelta64(500, "D")
    graduate = np.isin(rows, students)
    start = np.where(graduate, np.maximum(start, recent + rng.integers(0, 380, len(rows))), start)
    start = np.minimum(start, as_of - np.timedelta64(60, "D"))
    return Starts.organic(rows, chain_kinds(people, rows, rng), start)


def returnee_chance(sim: Simulation, people: People, students: np.ndarray) -> np.ndarray:
    """Return the chance of another loan of each graduate: returnees `m03_n07.returnee` times."""
    home = people.frame["is_returnee"].to_numpy(dtype=bool)[students]
    ratio = float(sim.effects.value("m03_n07", "returnee"))
    graduate = people.age[students] > 22
    return np.where(graduate, GRADUATE_LOAN * np.where(home, ratio, 1.0), 0.0)


def _gateway(
    sim: Simulation,
    people: People,
    chosen: np.ndarray,
    free: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Add or drop self-employed merchants until the planted odds ratio holds (in place)."""
    shop = people.business & people.merchant & free
    other = people.business & ~people.merchant & free
    if not shop.any() or not other.any():
        return
    every = people.business & ~people.merchant
    base = np.average(chosen[every], weights=people.weight[every])
    odds = float(sim.effects.value("m03_n02", "gateway_lift")) * base / max(1 - base, 0.02)
    fixed = people.business & people.merchant & ~free & chosen
    wanted = odds / (1 + odds) * people.weight[people.business & people.merchant].sum()
    wanted -= people.weight[fixed].sum()
    rows = np.flatnonzero(shop)
    keys = np.log(0.05 + chosen[rows]) * 3 + 0.5 * people.need[rows] + rng.gumbel(size=len(rows))
    order = rows[np.argsort(-keys)]
    take = int(np.searchsorted(np.cumsum(people.weight[order]), wanted))
    chosen[rows] = False
    chosen[order[:take]] = True
