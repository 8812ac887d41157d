"""What would happen to every customer in the next ninety days, contacted or not (checker only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

MARGIN, COST = 1500.0, 18.0
RESPONSE, GOLD_RATIO = 0.08, 5.0
TRAP_LOSS = 1400.0
MIDDLE = (50_000.0, 500_000.0)
LOW_WALLET = 0.25


def generate_outcomes(sim: Simulation) -> None:
    """Write ``next_90d_outcome``.

    The gold segment (`m05_n01.gold_segment` customers) answers five times as often: merchants
    without a loan who repay online loans, middle-tier customers with less than a quarter of their
    wallet here, returned graduates. High need with high PD looks tempting and loses money.
    """
    rng = sim.rng("outcomes")
    people = sim.people
    gold, rule = gold_customers(sim, rng)
    risky = trap_customers(sim)
    age = people["age"].fillna(45).to_numpy(dtype=float)
    need = people["need"].fillna(0).to_numpy(dtype=float)
    response = RESPONSE * np.exp(0.25 * np.clip(need, -2, 2)) * np.where(age > 70, 0.4, 1.0)
    response = np.where(gold, RESPONSE * GOLD_RATIO, np.minimum(response, 0.20))
    margin = MARGIN * np.exp(0.18 * rng.standard_normal(len(people)))
    margin = np.where(gold, np.maximum(margin, 1_150.0), np.minimum(margin, 2_000.0))
    gain = response * margin - COST
    bad = risky & (rng.random(len(people)) < 0.55)
    bad |= ~risky & (rng.random(len(people)) < people["pd"].fillna(0.02).to_numpy(dtype=float))
    gain = np.where(risky & ~gold, -TRAP_LOSS * (0.35 + 0.3 * rng.random(len(people))), gain)
    base = np.round(25 * rng.gamma(1.2, 1.0, len(people)), 2)
    half = np.where(rng.random(len(people)) < 0.5, "公榜", "终榜")
    sim.tables["next_90d_outcome"] = pd.DataFrame(
        {
            "customer_id": people["customer_id"].to_numpy(),
            "benefit_contacted": np.round(base + gain, 2),
            "benefit_not_contacted": base,
            "bad_flag": bad & ~gold,
            "score_half": half,
        }
    )
    sim.record(
        "m05_n01", "gold_segment", int(gold.sum()), f"符合三条规则的客户 {int(rule.sum())} 户"
    )
    sim.record(
        "m05_n01", "trap_segment", "high_need_high_pd", f"共 {int(risky.sum())} 户，收益为负"
    )


def gold_customers(sim: Simulation, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the gold segment and everyone who fits one of its three rules."""
    people = sim.people
    flag = lambda name: people[name].fillna(False).to_numpy(dtype=bool)  # noqa: E731
    borrower = flag("borrower") if "borrower" in people else flag("is_borrower")
    money = people["own_money"].fillna(0).to_numpy(dtype=float)
    wallet = people["wallet_share"].fillna(1).to_numpy(dtype=float)
    callable_ = flag("marketing_consent") & ~flag("do_not_call")
    person = (people["customer_type"].astype(str) != "企业").to_numpy() & callable_
    merchant = person & flag("is_merchant") & flag("uses_online_loan") & ~flag("has_business_loan")
    middle = person & (money >= MIDDLE[0]) & (money < MIDDLE[1]) & (wallet < LOW_WALLET)
    graduate = person & flag("is_returnee") & (people["loan_outcome"].to_numpy() == 0)
    graduate &= people["age"].fillna(0).to_numpy() <= 35
    rule = (merchant & ~borrower) | middle | graduate
    safe = people["pd"].fillna(1).to_numpy(dtype=float) < 0.08
    pool = np.flatnonzero(rule & safe)
    size = float(sim.effects.value("m05_n01", "gold_segment")) * sim.profile.persons / 20_000
    gold = np.zeros(len(people), dtype=bool)
    rank = np.argsort(-(1.0 * merchant[pool] + 0.8 * graduate[pool] + rng.random(len(pool))))
    gold[pool[rank[: round(size)]]] = True
    return gold, rule


def trap_customers(sim: Simulation) -> np.ndarray:
    """Return customers of high need and high risk: several online lenders and a high PD."""
    people = sim.people
    need = people["need"].fillna(0).to_numpy(dtype=float)
    risk = people["pd"].fillna(0).to_numpy(dtype=float)
    lenders = people["online_lender_count"].fillna(0).to_numpy(dtype=float)
    high = risk > np.quantile(risk, 0.75)
    return ((need > 0.8) & high) | (lenders >= 4)
