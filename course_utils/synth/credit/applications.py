"""Loan applications of the last two years, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import Book
from course_utils.synth.credit.borrowers import LISTED, ORGANIC, People
from course_utils.synth.credit.draws import add_months, clip_day, timestamps
from course_utils.synth.tools import ids

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

STEPS = ("申请", "调查", "审查", "审批", "放款")
STEP_DAYS = np.array([0.3, 2.2, 1.6, 0.9, 0.6])
CHANNELS = ("网点", "客户经理", "手机银行", "转介绍")
RESULTS = ("通过", "拒绝", "撤回", "办理中")
WHY = ("负债过高", "征信查询过多", "流水不足", "担保不足", "用途不实", "客户放弃")
HISTORY_MONTHS = 24
REFUSED = 0.32  # refused or withdrawn, per granted loan


def write_applications(sim: Simulation, people: People, book: Book) -> None:
    """Write ``loan_application``: granted ones end on the issue date, others stop on the way."""
    rng = sim.rng("application")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    start = add_months(clip_day(np.array([as_of])), -HISTORY_MONTHS)[0]
    granted = np.flatnonzero((book.issue >= start) & (book.kind != p.STUDENT))
    fits = ~people.company & (people.age >= 21) & (people.age <= 60)
    fits &= (as_of - people.opened).astype(np.int64) > 790
    refused_count = int(REFUSED * len(granted))
    refused = rng.choice(np.flatnonzero(fits), refused_count, replace=True)
    kind = np.where(
        np.isin(people.segment[refused], ["农户"]), p.FARM,
        np.where(people.business[refused], p.TRADER, p.ONLINE),
    )  # fmt: skip
    person = np.concatenate([book.person[granted], refused])
    kinds = np.concatenate([book.kind[granted], kind])
    amount = np.concatenate(
        [book.amount[granted], p.draw_amounts(rng, kind, np.full(refused_count, 0.2))]
    )
    stop = np.concatenate(
        [np.full(len(granted), 4), rng.choice((1, 2, 3), refused_count, p=(0.3, 0.4, 0.3))]
    )
    result = np.concatenate(
        [np.zeros(len(granted), int), rng.choice((1, 2), refused_count, p=(0.78, 0.22))]
    )
    end = np.concatenate(
        [book.issue[granted], as_of - rng.integers(2, 30 * HISTORY_MONTHS, refused_count)]
    )
    source = np.concatenate([book.source[granted], np.full(refused_count, ORGANIC)])
    online = kinds == p.ONLINE
    channel = np.where(
        online & (rng.random(len(person)) < 0.6),
        2,
        rng.choice((0, 1, 3), len(person), p=(0.35, 0.5, 0.15)),
    )
    channel = np.where(source == LISTED, 1, channel)
    sim.tables["loan_application"] = _steps(
        sim, people, person, kinds, amount, stop, result, end, channel, rng
    )


def _steps(
    sim: Simulation,
    people: People,
    person: np.ndarray,
    kind: np.ndarray,
    amount: np.ndarray,
    stop: np.ndarray,
    result: np.ndarray,
    end: np.ndarray,
    channel: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Expand applications to one row a step; the last step ends at noon of the end date."""
    n = len(person)
    order = np.lexsort((person, end.astype(np.int64)))
    person, kind, amount, stop, result, end, channel = (
        a[order] for a in (person, kind, amount, stop, result, end, channel)
    )
    days = STEP_DAYS * np.exp(0.6 * rng.standard_normal((n, 5)))
    days = np.where((kind == p.ONLINE)[:, None], days * 0.12, days)
    used = np.arange(5)[None, :] <= stop[:, None]
    seconds = np.where(used, np.round(days * 86_400).astype(np.int64) + 600, 0)
    close = timestamps(end) + np.timedelta64(12 * 3600, "s")
    room = np.maximum((end - people.opened[person]).astype(np.int64), 0) * 86_400 + 1_800
    scale = np.minimum(1.0, room / seconds.sum(axis=1))
    seconds = (seconds * scale[:, None]).astype(np.int64)
    ends = close[:, None] - (seconds.sum(axis=1)[:, None] - np.cumsum(seconds, axis=1)).astype(
        "m8[s]"
    )
    begins = ends - seconds.astype("m8[s]")
    row, step = np.nonzero(used)
    last = step == stop[row]
    manager = people.frame["manager_id"].astype(object).to_numpy()
    outcome = np.where(last, result[row], 0)
    why = np.array([*WHY, None], dtype=object)
    reason = np.where(outcome == 1, rng.integers(0, 5, len(row)), np.where(outcome == 2, 5, 6))
    return pd.DataFrame(
        {
            "application_id": ids("P", np.arange(1, n + 1), 7)[row],
            "customer_id": people.frame["customer_id"].to_numpy()[person[row]],
            "product_code": p.product_codes(sim)[kind[row]],
            "channel": pd.Categorical.from_codes(channel[row], list(CHANNELS)),
            "amount": amount[row].astype(float),
            "step": pd.Categorical.from_codes(step, list(STEPS)),
            "start_time": begins[row, step],
            "end_time": ends[row, step],
            "employee_id": np.where(
                (kind[row] == p.ONLINE) | (step > 1), None, manager[person[row]]
            ),
            "result": pd.Categorical.from_codes(outcome, list(RESULTS)),
            "reason": why[reason],
        }
    )
