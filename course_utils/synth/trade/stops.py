"""When merchants stop, who is visited, who comes back: the randomised visit pilot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.trade.draw import coded, systematic_uniform
from course_utils.synth.trade.merchants import pick_employees

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

STOP_HAZARD = 0.015  # a month
SLEEPING_AT_START = 0.09
SLIDE_BEFORE_STOP = 0.5
PILOT_SHARE = 0.65
PILOT_MONTHS = (6, 20)  # alerts in these panel months; later ones have no 90-day outcome yet
HARD_SPREAD = 0.10  # return probability of an easy and of a hard case: mean ± spread
ORANGE_DROP = 0.30  # facts §16.1: r < 0.30 is 橙


@dataclass
class Stops:
    """What happens to each merchant, arrays of shape ``(merchants,)``.

    ``stop`` and ``resume`` are day numbers counted from the first day of the panel (a large
    number = never), ``alert`` is the panel month at whose end the merchant turns 橙 (99 = never),
    ``arm`` is -1 none, 0 随机保留, 1 随机触达, 2 自选 (visited), ``returns`` whether it comes back.
    """

    stop: np.ndarray
    resume: np.ndarray
    alert: np.ndarray
    arm: np.ndarray
    returns: np.ndarray
    visit_day: np.ndarray


NEVER = 1_000_000


def month_starts(months: pd.DatetimeIndex) -> np.ndarray:
    """Return day numbers of the first day of every month and of the day after the last."""
    ends = months.values.astype("datetime64[D]")
    first = ends[0].astype("datetime64[M]").astype("datetime64[D]")
    after = (ends - first).astype(np.int64) + 1
    return np.concatenate(([0], after))


def draw(sim: Simulation, opened: np.ndarray, months: pd.DatetimeIndex) -> Stops:
    """Draw stops, the pilot's arms and returns.

    Parameters
    ----------
    sim : Simulation
        The bank; the planted return rate is ``m04_n01.visit_orange``.
    opened : numpy.ndarray
        Signing day of each merchant, in days from the start of the panel.
    months : pandas.DatetimeIndex
        Month ends of the panel.
    """
    rng = sim.rng("merchant.stops")
    n = len(opened)
    starts = month_starts(months)
    stop = _stop_days(rng, n, opened, starts)
    month = np.searchsorted(starts, stop, side="right") - 1
    inside = (stop >= 0) & (stop < starts[-1])
    length = np.diff(starts)[month.clip(0, len(months) - 1)]
    worked = (stop - starts[month.clip(0, len(months) - 1)]) / length
    alert = np.where(inside, month + (worked >= ORANGE_DROP), 99)
    alert = np.where(alert < len(months), alert, 99)
    hard = systematic_uniform(rng, n) < 0.5
    arm = _arms(rng, alert, hard)
    returns = _returns(sim, rng, alert, arm, hard)
    alert_day = starts[np.minimum(alert + 1, len(months))]
    visit_day = alert_day + rng.integers(0, 7, n)
    resume = np.where(returns, alert_day + rng.integers(6, 27, n), NEVER)
    return Stops(stop, resume, alert, arm, returns, visit_day)


def _stop_days(
    rng: np.random.Generator, n: int, opened: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Day of the last sale plus one; a constant monthly hazard, not in the first 120 days."""
    wait = -np.log(1 - systematic_uniform(rng, n)) / STOP_HAZARD * 30.4
    stop = np.maximum(opened + 120, 0) + wait
    stop = np.where(stop < starts[-1], stop, NEVER).astype(np.int64)
    # shops close in the middle of a month more often than at its ends
    month = np.searchsorted(starts, stop.clip(0, starts[-1] - 1), side="right") - 1
    moved = starts[month] + (np.diff(starts)[month] * rng.beta(2, 2, n)).astype(np.int64)
    stop = np.where(stop < NEVER, np.maximum(moved, opened + 1), stop)
    asleep = (rng.random(n) < SLEEPING_AT_START) & (opened < -200)
    return np.where(asleep, -rng.integers(20, 180, n), stop)


def _arms(rng: np.random.Generator, alert: np.ndarray, hard: np.ndarray) -> np.ndarray:
    """Randomise inside the pilot; outside it staff go to the hard cases more often."""
    arm = np.full(len(alert), -1, dtype=np.int8)
    first, last = PILOT_MONTHS
    window = (alert >= first) & (alert < last)
    pilot = window & (rng.random(len(alert)) < PILOT_SHARE)
    for kind in (False, True):
        rows = np.flatnonzero(pilot & (hard == kind))
        arm[rows] = systematic_uniform(rng, len(rows)) < 0.5
    chosen = rng.random(len(alert)) < np.where(hard, 0.50, 0.18)
    arm[(alert < 99) & ~pilot & chosen] = 2
    return arm


def _returns(
    sim: Simulation,
    rng: np.random.Generator,
    alert: np.ndarray,
    arm: np.ndarray,
    hard: np.ndarray,
) -> np.ndarray:
    """Draw returns from the potential outcomes of visited and not visited merchants."""
    base = float(sim.effects.entry("m04_n01", "visit_orange").null_value)
    lift = sim.effects.value("m04_n01", "visit_orange") - base
    quiet = base + np.where(hard, -HARD_SPREAD, HARD_SPREAD)
    chance = quiet + lift * (arm >= 1)
    returns = np.zeros(len(alert), dtype=bool)
    for value in (-1, 0, 1, 2):
        rows = np.flatnonzero((alert < 99) & (arm == value))
        rows = rows[np.argsort(hard[rows], kind="stable")]
        # one systematic comb over the sorted chances keeps the arm's rate at its planted value
        edges = np.floor(np.cumsum(chance[rows]) + rng.random())
        returns[rows] = np.diff(edges, prepend=0.0) > 0
    pilot = (arm == 0) | (arm == 1)
    treated, held = arm == 1, arm == 0
    sim.record(
        "m04_n01",
        "visit_orange",
        {
            "visited": float(returns[treated].mean()) if treated.any() else float("nan"),
            "held": float(returns[held].mean()) if held.any() else float("nan"),
            "n": int(pilot.sum()),
        },
        "随机触达与随机保留两组在告警后六十天内恢复收款的比例",
    )
    return returns


def contact_rows(
    sim: Simulation, merchant: pd.DataFrame, stops: Stops, months: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return the rows of ``contact_log`` for merchant visits (purpose 收单走访)."""
    rng = sim.rng("merchant.contact")
    rows = np.flatnonzero(stops.arm >= 0)
    first = months.values.astype("datetime64[D]")[0].astype("datetime64[M]")
    day = first.astype("datetime64[D]") + stops.visit_day[rows].astype("timedelta64[D]")
    seconds = rng.integers(9 * 3600, 17 * 3600, len(rows)).astype("timedelta64[s]")
    rows, day, seconds = _until(sim, rows, day, seconds)
    visited = stops.arm[rows] >= 1
    branch = merchant["branch_id"].astype(str).to_numpy()[rows]
    staff = pick_employees(sim, branch, rng, ("客户经理", "大堂经理"))
    answer = np.where(stops.returns[rows], 5, np.where(rng.random(len(rows)) < 0.5, 3, 2))
    labels = (
        "未接通",
        "空号",
        "拒绝",
        "暂不需要",
        "有意向",
        "已预约",
        "已办理",
        "已触达",
        "未触达",
    )
    known = day + np.timedelta64(90, "D") <= sim.as_of.to_datetime64()
    converted = pd.array(stops.returns[rows], dtype="boolean")
    converted[~known] = pd.NA
    return pd.DataFrame(
        {
            "customer_id": merchant["customer_id"].to_numpy()[rows],
            "employee_id": np.where(visited, staff, None),
            "contact_time": day.astype("datetime64[s]") + seconds,
            "channel": coded(np.where(visited, 2, -1), ("电话", "短信", "上门", "企微", "网点")),
            "purpose": "收单走访",
            "result": coded(np.where(visited, answer, 8), labels),
            "minutes": np.where(visited, rng.integers(12, 46, len(rows)), np.nan),
            "arm": coded(stops.arm[rows], ("随机保留", "随机触达", "自选")),
            "merchant_id": merchant["merchant_id"].to_numpy()[rows],
            "converted": converted,
        }
    )


def _until(
    sim: Simulation, rows: np.ndarray, day: np.ndarray, seconds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drop contacts that would lie after the as-of date."""
    keep = day <= sim.as_of.to_datetime64().astype("datetime64[D]")
    return rows[keep], day[keep], seconds[keep]
