"""Credit campaigns that lead to loans: replacing online loans and replacing other banks' loans.

Both run before the loan book is built (every success is a loan in the book) and append their
contacts to ``contact_log`` at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.borrowers import CONVERTED, REFINANCED, People, Starts
from course_utils.synth.credit.draws import balanced, clip_day, timestamps
from course_utils.synth.marketing.staff import active_managers, assign_managers

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

CONVERSION_RATES = (6.8, 7.8, 8.8, 9.8)
CONVERSION_SHARE = 0.15  # of persons, two waves
CHEAP_RATE = 8.0
YOUNG = (25, 36)
HOLDOUT = 0.12
REFINANCE_SHARE = 0.14  # of persons
REFINANCE_RATES = (4.6, 5.2, 5.8)
GOOD_SAVING, FEW_QUERIES, MANY_QUERIES = 0.12, 1, 4
ACCEPT_MANY = 0.10  # acceptance of applicants with many queries
OFFER_COLUMNS = ("amount", "periods", "remaining", "rate", "query_3m")


@dataclass
class Offers:
    """Persons to whom a replacement of another bank's loan was offered.

    Attributes are arrays of one length; `rate` is the old annual rate in percent, `remaining`
    the months left, `balance` 元; `date` the report date.
    """

    person: np.ndarray
    date: np.ndarray
    amount: np.ndarray
    periods: np.ndarray
    remaining: np.ndarray
    rate: np.ndarray
    balance: np.ndarray
    query_3m: np.ndarray
    accepted: np.ndarray


def level_payment(principal: np.ndarray, rate: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the equal monthly payment of a loan; `rate` annual in percent."""
    i = rate / 1200.0
    return principal * i / (1 - (1 + i) ** -periods.astype(float))


def saving_ratio(offers: Offers, new_rate: np.ndarray) -> np.ndarray:
    """Return which share of the remaining payments a customer saves at the new rate."""
    old = level_payment(offers.balance, offers.rate, offers.remaining)
    new = level_payment(offers.balance, new_rate, offers.remaining)
    return 1 - new / old


def _clock(rng: np.random.Generator, dates: np.ndarray) -> np.ndarray:
    seconds = (8.6 * 3600 + rng.random(len(dates)) * 9.5 * 3600).astype(np.int64)
    return timestamps(dates) + seconds.astype("m8[s]")


def _log(
    sim: Simulation,
    rng: np.random.Generator,
    person: np.ndarray,
    date: np.ndarray,
    purpose: str,
    held: np.ndarray,
    converted: np.ndarray,
    **extra: object,
) -> None:
    """Append contacts of a random trial to ``contact_log``."""
    managers = active_managers(sim)
    manager = managers.employee_id[assign_managers(sim, managers, person, rng, date)].astype(object)
    soft = rng.choice(
        ["未接通", "拒绝", "暂不需要", "有意向"], len(person), p=[0.42, 0.16, 0.32, 0.10]
    )
    talked = converted | ~np.isin(soft, ["未接通"])
    minutes = np.where(talked, np.round(2 + rng.gamma(1.8, 1.7, len(person)), 1), 0.5)
    sim.append(
        "contact_log",
        pd.DataFrame(
            {
                "customer_id": sim.people["customer_id"].to_numpy()[person],
                "employee_id": np.where(held, None, manager),
                "contact_time": _clock(rng, date),
                "channel": np.where(held, None, "电话"),
                "purpose": purpose,
                "script": np.where(held, None, "标准"),
                "result": np.where(held, "未触达", np.where(converted, "已办理", soft)),
                "minutes": np.where(held, np.nan, minutes),
                "arm": np.where(held, "随机保留", "随机触达"),
                "converted": converted,
                **extra,
            }
        ),
    )


def convert_online(sim: Simulation, people: People, taken: np.ndarray) -> Starts:
    """Offer users of online loans to replace them, at a rate drawn at random.

    Conversion is `m03_n03.conv_25_35` for ages 25-35 at a rate of at most 8 %, and the null value
    of that truth otherwise.
    """
    rng = sim.rng("campaign.online")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    allowed = (
        (people.lenders > 0) & ~taken & (people.age >= 22) & (people.age <= 58)
        & ~people.company & ~people.business
        & ((as_of - people.opened).astype(np.int64) > 420)
    )  # fmt: skip
    pool = np.flatnonzero(allowed)
    count = min(len(pool), int(CONVERSION_SHARE / 2 * len(people)))
    chosen = np.sort(rng.choice(pool, count, replace=False))
    wave = np.repeat([1, 2], count)
    person = np.concatenate([chosen, chosen])
    back = np.where(wave == 1, 330, 170) - rng.integers(0, 50, len(person))
    date = as_of - back.astype("m8[D]")
    rate = np.array(CONVERSION_RATES)[rng.integers(0, len(CONVERSION_RATES), len(person))]
    held = balanced(rng, np.full(len(person), HOLDOUT), wave)
    age = people.age[person]
    sweet = (age >= YOUNG[0]) & (age < YOUNG[1]) & (rate <= CHEAP_RATE)
    base = float(sim.effects.entry("m03_n03", "conv_25_35").null_value)
    high = float(sim.effects.value("m03_n03", "conv_25_35"))
    yes = balanced(rng, np.where(held, 0.0, np.where(sweet, high, base)), held, sweet, wave)
    again = np.concatenate([np.zeros(count, dtype=bool), yes[:count]])  # already converted
    keep = ~again
    person, date, rate, wave, held, sweet, yes = (
        a[keep] for a in (person, date, rate, wave, held, sweet, yes)
    )
    done = clip_day(date + rng.integers(5, 40, len(person)).astype("m8[D]"))
    amount = np.maximum(np.round(45 * np.exp(0.5 * rng.standard_normal(len(person)))), 8) * 1000
    amount = np.minimum(amount, 200_000).astype(np.int64)
    _log(
        sim, rng, person, date, "网贷置换", held, yes, wave=wave, offered_rate=rate,
        converted_date=timestamps(np.where(yes, done, np.datetime64("NaT"))),
        converted_amount=np.where(yes, amount, np.nan),
    )  # fmt: skip
    sim.record("m03_n03", "conv_25_35", float(yes[sweet & ~held].mean()) if sweet.any() else None)
    n = int(yes.sum())
    return Starts(
        person[yes], np.full(n, p.ONLINE), done[yes], np.full(n, CONVERTED), amount[yes],
        rate[yes],
    )  # fmt: skip


def replace_other_banks(
    sim: Simulation, people: People, taken: np.ndarray
) -> tuple[Starts, Offers]:
    """Offer to replace loans seen in authorised bureau reports, at a rate drawn at random.

    Acceptance is `m03_n08.accept_good` where the customer saves at least 12 % and had at most one
    query in three months; many queries accept readily too (and default more, see risk.py).
    """
    rng = sim.rng("campaign.refinance")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    allowed = (
        ~taken & (people.age >= 23) & (people.age <= 58) & ~people.company & ~people.business
        & ((as_of - people.opened).astype(np.int64) > 560)
    )  # fmt: skip
    pool = np.flatnonzero(allowed)
    count = min(int(REFINANCE_SHARE * (~people.company).sum()), int(0.5 * len(pool)))
    keys = 0.5 * people.need[pool] + 0.8 * (people.lenders[pool] > 0) + rng.gumbel(size=len(pool))
    person = np.sort(pool[np.argsort(-keys)[:count]])
    offers = _draw_offers(people, person, as_of, rng)
    new_rate = np.array(REFINANCE_RATES)[rng.integers(0, len(REFINANCE_RATES), count)]
    saving = saving_ratio(offers, new_rate)
    good = (saving >= GOOD_SAVING) & (offers.query_3m <= FEW_QUERIES)
    held = balanced(rng, np.full(count, HOLDOUT), good)
    base = float(sim.effects.entry("m03_n08", "accept_good").null_value)
    chance = np.where(offers.query_3m >= MANY_QUERIES, ACCEPT_MANY, base)
    chance = np.where(good, float(sim.effects.value("m03_n08", "accept_good")), chance)
    yes = balanced(rng, np.where(held, 0.0, chance), held, good, offers.query_3m)
    offers.accepted = yes
    date = offers.date + rng.integers(4, 30, count).astype("m8[D]")
    done = clip_day(date + rng.integers(4, 45, count).astype("m8[D]"))
    amount = np.clip(np.round(offers.balance / 1000), 5, 200).astype(np.int64) * 1000
    _log(
        sim, rng, person, date, "他行贷款置换", held, yes, offered_rate=new_rate,
        saving_ratio=saving.round(4),
        converted_date=timestamps(np.where(yes, done, np.datetime64("NaT"))),
        converted_amount=np.where(yes, amount, np.nan),
    )  # fmt: skip
    sim.record("m03_n08", "accept_good", float(yes[good & ~held].mean()) if good.any() else None)
    n = int(yes.sum())
    start = Starts(
        person[yes], np.where(people.business[person[yes]], p.TRADER, p.ONLINE), done[yes],
        np.full(n, REFINANCED), amount[yes], new_rate[yes],
    )  # fmt: skip
    return start, offers


def _draw_offers(
    people: People, person: np.ndarray, as_of: np.datetime64, rng: np.random.Generator
) -> Offers:
    """Draw the other bank's loan and the number of queries of each candidate."""
    n = len(person)
    dear = rng.random(n) < 0.72  # non-bank lenders; the rest are banks
    rate = np.where(dear, 9.0 + 15.0 * rng.beta(1.6, 1.6, n), 3.2 + 3.4 * rng.random(n))
    periods = np.where(dear, rng.choice([12, 18, 24, 36], n, p=[0.15, 0.15, 0.30, 0.40]),
                       rng.choice([36, 60], n))  # fmt: skip
    remaining = np.maximum((periods * (0.55 + 0.42 * rng.random(n))).astype(np.int64), 5)
    amount = np.round(np.where(dear, 55, 160) * np.exp(0.5 * rng.standard_normal(n))).clip(6) * 1000
    i = rate / 1200.0
    left = (
        amount * (1 - (1 + i) ** -remaining.astype(float)) / (1 - (1 + i) ** -periods.astype(float))
    )
    query = rng.choice([0, 1, 2, 3, 4, 5, 6], n, p=[0.40, 0.26, 0.13, 0.07, 0.07, 0.04, 0.03])
    date = as_of - rng.integers(190, 520, n).astype("m8[D]")
    return Offers(
        person, date, amount, periods, remaining, rate.round(2), np.round(left, 2), query,
        np.zeros(n, dtype=bool),
    )  # fmt: skip
