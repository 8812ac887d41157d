"""Five-star grading, settlement deposits, fees and benefits of the merchants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.trade.draw import group_offsets, systematic_normal
from course_utils.synth.trade.turnover import Turnover

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

STAR_EDGES = (35.0, 50.0, 65.0, 80.0)
GATE_DAYS, GATE_DEPOSIT, GATE_DEPOSIT_5 = 15, 10_000.0, 50_000.0
BETWEEN_LOG = np.log(1.46)  # deposits of merchants one star apart
TURNOVER_ELASTICITY = 0.30
DEPOSIT_NOISE = 0.12
SLEEPING_FACTOR = 0.25
INSURANCE_EFFECT = 0.08  # log deposits; paper rolls have none
INSURANCE_COST, PAPER_COST = 160.0, 18.0
FEE_RATE = 0.38


@dataclass
class Grades:
    """Panels ``[merchant, month]``: star, log settlement deposit; and the latent product count."""

    star: np.ndarray
    deposit: np.ndarray
    products: np.ndarray
    benefit_cost: np.ndarray
    benefit: pd.DataFrame


def percentile_in_group(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return percentile ranks 0-1 inside groups, shape ``(n,)``."""
    order = np.lexsort((values, group))
    sizes = np.bincount(group)
    ranks = np.empty(len(values))
    sorted_group = group[order]
    starts = group_offsets(sizes)
    ranks[order] = (np.arange(len(values)) - starts[sorted_group] + 0.5) / sizes[sorted_group]
    return ranks


def star_of(score: np.ndarray, days: np.ndarray, deposit: np.ndarray) -> np.ndarray:
    """Return stars 1-5 from score and gates (facts §16.2)."""
    star = 1 + np.searchsorted(STAR_EDGES, score, side="right")
    star = np.where((star == 5) & (deposit < GATE_DEPOSIT_5), 4, star)
    return np.where((star >= 4) & ((days < GATE_DAYS) | (deposit < GATE_DEPOSIT)), 3, star)


def partial_score(
    turnover: Turnover,
    group: np.ndarray,
    stability: np.ndarray,
    products: np.ndarray,
    block: slice,
) -> np.ndarray:
    """Return the score without the 25 points for deposits, from the months of `block`."""
    amount = turnover.cents[:, block].mean(axis=1)
    count = turnover.count[:, block].mean(axis=1)
    days = turnover.active_days[:, block].mean(axis=1)
    steady = np.where((turnover.cents[:, block] > 0).all(axis=1), stability, 0.0)
    return (
        25 * percentile_in_group(amount, group)
        + 15 * percentile_in_group(count, group)
        + 15 * percentile_in_group(days, group)
        + 10 * steady
        + 10 * np.minimum(products, 5) / 5
    )


def grade(sim: Simulation, latent: dict[str, np.ndarray], turnover: Turnover) -> Grades:
    """Draw settlement deposits and stars, quarter after quarter.

    A quarter's star is set from the quarter before and raises deposits by the planted effect
    ``m04_n02.within_effect``; better merchants hold more anyway (between effect).
    """
    rng = sim.rng("merchant.stars")
    n, months = turnover.cents.shape
    group, stability = latent["group"], latent["stability"]
    quality = percentile_in_group(turnover.cents.mean(axis=1), group)
    products = 1 + rng.binomial(4, 0.15 + 0.5 * quality)
    z = systematic_normal(rng, n)
    live = turnover.cents > 0
    log_amount = np.log(np.maximum(turnover.cents, 100) / 100)
    centre = (log_amount * live).sum(axis=1) / np.maximum(live.sum(axis=1), 1)
    wave = np.where(live, TURNOVER_ELASTICITY * (log_amount - centre[:, None]),
                    np.log(SLEEPING_FACTOR))  # fmt: skip
    wave += DEPOSIT_NOISE * rng.standard_normal((n, months))
    insured, cost, benefit = _benefits(sim, latent, turnover, rng)
    wave += INSURANCE_EFFECT * sim.effects.active * insured
    parts = [
        partial_score(turnover, group, stability, products, slice(max(m - 3, 0), max(m, 3)))
        for m in range(0, months, 3)
    ]
    base, sigma, slope = _calibrate(sim, z, quality, wave, parts[-1], turnover, group)
    effect = sim.effects.value("m04_n02", "within_effect")
    fixed = base + slope * quality + sigma * z
    star = np.zeros((n, months), dtype=np.int8)
    logs = np.empty((n, months))
    for quarter, m in enumerate(range(0, months, 3)):
        before = slice(max(m - 3, 0), max(m, 3))
        known = fixed[:, None] + wave[:, :3] if m == 0 else logs[:, before]
        average = np.exp(known).mean(axis=1)
        score = parts[quarter] + 25 * percentile_in_group(average, group)
        days = turnover.active_days[:, before][:, -1]
        now = star_of(score, days, average)
        star[:, m : m + 3] = now[:, None]
        logs[:, m : m + 3] = fixed[:, None] + wave[:, m : m + 3] + effect * (now - 2.0)[:, None]
    opened = turnover.last_day > -1_000_000
    return Grades(star, np.exp(logs) * opened, products, cost, benefit)


def _calibrate(
    sim: Simulation,
    z: np.ndarray,
    quality: np.ndarray,
    wave: np.ndarray,
    part: np.ndarray,
    turnover: Turnover,
    group: np.ndarray,
) -> tuple[float, float, float]:
    """Find level and spread so that ★4+ are 12 % of merchants with 58 % of deposits.

    Only the gate depends on the level and only ranks on the spread, so that the level follows
    from a quantile and the spread from bisection.
    """
    share, money = sim.effects.value("m04_n02", "star4")
    effect = sim.effects.value("m04_n02", "within_effect")
    slope = 3.2 * (BETWEEN_LOG - effect)
    recent = np.log(np.exp(wave[:, -3:]).mean(axis=1))
    days = turnover.active_days[:, -1]
    wanted = max(round(share * len(z)), 1)
    low, high = 0.4, 2.6
    for _ in range(12):
        sigma = (low + high) / 2
        logs = slope * quality + sigma * z + recent
        score = part + 25 * percentile_in_group(logs, group)
        logs = logs + effect * np.searchsorted(STAR_EDGES, score, side="right")
        fit = np.flatnonzero((score >= STAR_EDGES[2]) & (days >= GATE_DAYS))
        best = np.sort(logs[fit])[::-1]
        edge = best[min(wanted, len(best)) - 1]
        base = np.log(GATE_DEPOSIT) - edge
        top = np.exp(best[best >= edge]).sum() / np.exp(logs).sum()
        low, high = (sigma, high) if top < money else (low, sigma)
    return base + effect, sigma, slope


def _benefits(
    sim: Simulation,
    latent: dict[str, np.ndarray],
    turnover: Turnover,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Roll out insurance and paper rolls branch after branch; half of the merchants take them.

    Returns
    -------
    tuple
        Insured flag and cost, both ``[merchant, month]``, and rows for ``merchant_benefit``
        (``who``, ``month``, benefit code, cost).
    """
    n, months = turnover.cents.shape
    branch = sim.people["branch_pos"].to_numpy(dtype=int)[latent["person"]]
    when = np.arange(months)
    live = turnover.cents > 0
    insured = np.zeros((n, months), dtype=bool)
    cost = np.zeros((n, months))
    rows = []
    programmes = ((0, "商户体检保险权益", INSURANCE_COST, 12), (1, "商户纸卷权益", PAPER_COST, 3))
    for code, name, price, every in programmes:
        start = _start_month(sim, name, months)[branch]
        takes = rng.random(n) < 0.5
        since = when[None, :] - start[:, None]
        holds = takes[:, None] & (since >= 0) & live
        if code == 0:
            insured = takes[:, None] & (since >= 0)
        paid = holds & (since % every == 0)
        cost += paid * price
        who, month = np.nonzero(paid)
        rows.append(pd.DataFrame({"who": who, "month": month, "benefit": code, "cost": price}))
    return insured, cost, pd.concat(rows, ignore_index=True)


def _start_month(sim: Simulation, program: str, months: int) -> np.ndarray:
    """Return the panel month in which each branch starts a programme (999 = never)."""
    table = sim.tables["branch_program"]
    table = table[table["program"].astype(str) == program]
    start = np.full(len(sim.tables["branch"]), 999)
    row = pd.Index(sim.tables["branch"]["branch_id"]).get_indexer(table["branch_id"])
    ends = sim.months(months).to_numpy().astype("datetime64[D]")
    start[row] = np.searchsorted(ends, table["start_date"].to_numpy().astype("datetime64[D]"))
    return start


def fees(
    sim: Simulation,
    turnover: Turnover,
    star: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return fee-waived flags, fee income and cost (元, ``[merchant, month]``).

    The cost rate and the fixed part are set so that a waived merchant of one or two stars loses
    the planted amount a month on average.
    """
    last = star[:, -1]
    chance = np.array([0.9, 0.85, 0.45, 0.5, 0.6])[last - 1]
    waived = rng.random(len(last)) < chance
    amount = turnover.cents / 100
    income = np.where(waived, 0.0, FEE_RATE / 100)[:, None] * amount
    loss = -sim.effects.value("m04_n02", "waiver_loss")
    opened = turnover.last_day > -1_000_000
    low = waived[:, None] & (star <= 2) & opened
    low[:, :-12] = False
    usual = amount[low].mean() if low.any() else 1000.0
    rate = min(0.0022, 0.6 * loss / max(usual, 1.0))
    fixed = loss - rate * usual
    cost = (rate * amount + fixed) * opened
    return waived, income, cost
