"""Daily activity of customer managers with the staggered data pilot, and the staff survey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit.draws import days, month_number, timestamps
from course_utils.synth.marketing.staff import active_managers
from course_utils.synth.tools import ids

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

PROGRAM = "数据营销试点"
BASE_DRAWS, MANAGER_SD, MONTH_SD = 4.2, 1.0, 0.8
#: Draws a manager-month on top of the base, by calendar month: 开门红 lifts the first quarter.
SEASON = np.array([1.4, 1.0, 1.2, 0.3, 0.0, 0.3, -0.2, 0.0, 0.2, -0.1, 0.0, 0.1])
SURVEYED = 180


def generate_activity(sim: Simulation) -> None:
    """Write ``activity_day``: 24 months, one row a manager and workday.

    The pilot lifts draws by `m01_n01.pilot_effect` a manager-month from its start; the start falls
    on 开门红, so that before-and-after shows about twice as much.
    """
    rng = sim.rng("activity")
    managers = active_managers(sim)
    months = np.asarray(sim.months(24), dtype="M8[D]")
    start = _pilot_start(sim)
    pilot = start[managers.branch][:, None] <= months[None, :].astype("M8[M]").astype("M8[D]")
    month_of_year = months.astype("M8[M]").astype(np.int64) % 12
    effect = float(sim.effects.value("m01_n01", "pilot_effect"))
    person = MANAGER_SD * rng.standard_normal(len(managers)).clip(-1.8, 2.5)
    mean = BASE_DRAWS + person[:, None] + SEASON[month_of_year][None, :] + effect * pilot
    noise = MONTH_SD * rng.standard_normal(mean.shape)
    draws = np.floor(np.maximum(mean + noise, 0.0) + rng.random(mean.shape)).astype(np.int64)
    sim.tables["activity_day"] = _days(sim, managers.employee_id, draws, months, rng)
    before = (~pilot) & np.isfinite(mean)
    sim.record("m01_n01", "pilot_effect", float(sim.effects.value("m01_n01", "pilot_effect")),
               f"试点前人月均提款 {float(draws[before].mean()):.2f} 笔")  # fmt: skip


def _pilot_start(sim: Simulation) -> np.ndarray:
    """Return the start of the pilot in each branch (far future where it never starts)."""
    branch = pd.Index(sim.tables["branch"]["branch_id"].astype(str))
    start = np.full(len(branch), np.datetime64("2999-01-01", "D"))
    program = sim.tables["branch_program"]
    rows = program[program["program"].astype(str) == PROGRAM]
    start[branch.get_indexer(rows["branch_id"].astype(str))] = days(rows["start_date"])
    return start


def _days(
    sim: Simulation,
    employee: np.ndarray,
    draws: np.ndarray,
    months: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Spread monthly draws over workdays and add the activity that leads to them."""
    calendar = sim.tables["calendar"]
    date = days(calendar["date"])[calendar["workday"].to_numpy(dtype=bool)]
    first = months[0].astype("M8[M]").astype("M8[D]")
    date = date[(date >= first) & (date <= months[-1])]
    month = month_number(date) - month_number(months[:1])[0]
    counts = np.bincount(month, minlength=24)
    begin = np.cumsum(counts) - counts
    done = np.zeros((len(employee), len(date)), dtype=np.int64)
    who, when = np.nonzero(draws)
    who, when = (np.repeat(a, draws[draws > 0]) for a in (who, when))
    at = begin[when] + (rng.random(len(who)) * counts[when]).astype(np.int64)
    np.add.at(done, (who, at), 1)
    shape = done.shape
    hired = np.ones(shape, dtype=bool)
    staff = sim.tables["employee"].set_index("employee_id")["hire_date"]
    hired = date[None, :] >= days(staff.reindex(employee))[:, None]
    present = (rng.random(shape) < 0.955) | (done > 0)
    zeal = np.exp(0.35 * rng.standard_normal(len(employee)))[:, None]
    calls = rng.poisson(np.where(present, 5.5 * zeal, 0))
    visits = rng.poisson(np.where(present, 1.9 * zeal, 0)) + (done > 0)
    valid = np.minimum(visits, rng.binomial(visits, 0.55) + (done > 0))
    leads = rng.poisson(np.where(present, 0.45 * zeal, 0)) + done
    applications = rng.poisson(np.where(present, 0.11, 0)) + done
    amount = np.round(done * np.exp(11.7 + 0.55 * rng.standard_normal(shape)), -3)
    row, column = np.nonzero(hired)
    pick = lambda values: values[row, column]  # noqa: E731
    return pd.DataFrame(
        {
            "date": timestamps(date[column]),
            "employee_id": employee[row],
            "calls": pick(calls),
            "visits": pick(visits),
            "valid_visits": pick(valid),
            "leads": pick(leads),
            "applications": pick(applications),
            "draws": pick(done),
            "draw_amount": pick(amount),
            "wechat_added": pick(rng.poisson(np.where(present, 0.5, 0))),
            "attended": pick(present),
            "gps_km": np.round(pick(visits) * (2.5 + 3 * rng.random(len(row))), 1),
        }
    )


def generate_survey(sim: Simulation) -> None:
    """Write ``staff_survey``: why credit customers are hard to find, by tenure."""
    rng = sim.rng("staff_survey")
    n = min(SURVEYED, max(len(sim.tables["employee"]), 1))
    tenure = rng.choice(3, n, p=(0.25, 0.40, 0.35))
    causes = np.array(["客户", "产品", "价格", "人"], dtype=object)
    shares = np.array(
        [(0.34, 0.18, 0.34, 0.14), (0.42, 0.15, 0.33, 0.10), (0.52, 0.12, 0.30, 0.06)]
    )
    main = (rng.random(n)[:, None] > np.cumsum(shares[tenure], axis=1)).sum(axis=1).clip(0, 3)
    second = (main + rng.integers(1, 4, n)) % 4
    useful = np.clip(np.round(3.4 - 0.45 * tenure + 0.95 * rng.standard_normal(n)), 1, 5)
    sim.tables["staff_survey"] = pd.DataFrame(
        {
            "response_id": ids("S", np.arange(1, n + 1), 4),
            "tenure_band": np.array(["3年以下", "3至10年", "10年以上"], dtype=object)[tenure],
            "main_cause": causes[main],
            "second_cause": causes[second],
            "list_useful": useful.astype(np.int64),
        }
    )
