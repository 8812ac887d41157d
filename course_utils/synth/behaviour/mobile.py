"""Mobile-bank sessions: login days of the panel, page events, and branches that polish figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.behaviour.transactions import MonthPanel
from course_utils.synth.tools import hex_hash, ids
from course_utils.synth.trade.draw import coded, systematic_uniform, weighted_choice

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

DAY_MONTHS, EVENT_MONTHS = 12, 3
EVENT_CUSTOMERS = 20_000  # at most so many customers in mobile_event
GAMED_SHARE = 0.8  # customers of a polishing branch whose logins staff make at month end
PAGES = ("首页", "转账", "缴费", "理财", "贷款", "提款", "工资", "积分", "其他")
ACTIONS = ("登录", "浏览", "提交", "成功", "失败")
_PAGE_WEIGHTS = (0.05, 0.30, 0.14, 0.14, 0.09, 0.03, 0.10, 0.07, 0.08)


def generate(sim: Simulation) -> None:
    """Generate ``mobile_day`` (twelve months) and ``mobile_event`` (three months, sampled)."""
    rows = np.flatnonzero(sim.people["uses_mobile"].to_numpy(dtype=bool))
    panel = MonthPanel(sim, rows, DAY_MONTHS)
    days_panel = panel.counts("mobile_login_days")
    pay_panel = panel.counts("mobile_transaction_count")
    gamed = _gamed(sim, rows)
    shown = systematic_uniform(sim.rng("mobile.sample"), len(rows)) < EVENT_CUSTOMERS / len(rows)
    months = sim.months(DAY_MONTHS)
    opened = sim.people["open_date"].to_numpy().astype("datetime64[D]")[rows]
    days, events = [], []
    for number, end in enumerate(months):
        rng = sim.rng(f"mobile.{number}")
        first = end.to_datetime64().astype("datetime64[M]").astype("datetime64[D]")
        earliest = ((opened - first).astype(np.int64) + 1).clip(1, end.day)
        who, day = login_days(rng, days_panel[:, number], end.day, gamed, earliest)
        short = gamed[who] & (day > end.day - 3) & (rng.random(len(who)) < 0.85)
        pays = _payments(rng, who, pay_panel[:, number]) & ~short
        date = first + (day - 1).astype("timedelta64[D]")
        days.append(_branch_days(sim, rows[who], date, short, pays))
        if number >= DAY_MONTHS - EVENT_MONTHS:
            keep = shown[who]
            events.append(_events(sim, rng, rows[who][keep], date[keep], short[keep], pays[keep]))
    sim.tables["mobile_day"] = pd.concat(days, ignore_index=True)
    table = pd.concat(events, ignore_index=True)
    table.insert(0, "event_id", ids("V", np.arange(1, len(table) + 1), 9))
    sim.tables["mobile_event"] = table
    branches = sim.effects.value("m04_n03", "spike_branches")
    sim.record("m04_n03", "spike_branches", branches, "月末最后三天由员工代登录的网点")


def _gamed(sim: Simulation, rows: np.ndarray) -> np.ndarray:
    """Choose the customers whose logins the branch makes itself at month end."""
    planted = sim.effects.value("m04_n03", "spike_branches")
    branches = planted if isinstance(planted, list) else [planted]
    branch = sim.people["branch_id"].astype(str).to_numpy()[rows]
    return np.isin(branch, branches) & (sim.rng("mobile.gamed").random(len(rows)) < GAMED_SHARE)


def login_days(
    rng: np.random.Generator,
    counts: np.ndarray,
    length: int,
    gamed: np.ndarray,
    earliest: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose distinct login days of one month.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random stream.
    counts : numpy.ndarray
        Login days of each customer, shape ``(customers,)``.
    length : int
        Days of the month.
    gamed : numpy.ndarray of bool
        Customers whose logins crowd into the last three days.
    earliest : numpy.ndarray, optional
        First possible day (1-based) of each customer; the number of days is cut to what is left.

    Returns
    -------
    tuple of numpy.ndarray
        Customer position and day (1-based), ordered by customer and day.
    """
    users = np.flatnonzero(counts > 0)
    keys = rng.gumbel(size=(len(users), length)).astype(np.float32)
    keys[:, -3:] += np.where(gamed[users], 4.0, 0.0)[:, None].astype(np.float32)
    room = np.full(len(users), length)
    if earliest is not None:
        keys[np.arange(length)[None, :] < earliest[users][:, None] - 1] = -np.inf
        room = length - earliest[users] + 1
    order = np.argsort(-keys, axis=1)
    chosen = np.zeros(keys.shape, dtype=bool)
    first = np.arange(length)[None, :] < np.minimum(counts[users], room)[:, None]
    np.put_along_axis(chosen, order, first, axis=1)
    position, day = np.nonzero(chosen)
    return users[position], day + 1


def _payments(rng: np.random.Generator, who: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Say on which login days money moves: at most one day for each payment counted."""
    draw = rng.random(len(who))
    days = np.bincount(who, minlength=len(counts))
    pays = (counts > 0)[who]
    # days are drawn only for those with fewer payments than login days
    some = np.flatnonzero(pays & (counts < days)[who])
    few = who[some]
    order = some[np.lexsort((draw[some], few))]
    rank = np.arange(len(few)) - np.searchsorted(few, few, side="left")
    pays[order] = rank < counts[few]
    return pays


def _branch_days(
    sim: Simulation, person: np.ndarray, date: np.ndarray, short: np.ndarray, pays: np.ndarray
) -> pd.DataFrame:
    """Count by branch and day, at the scale of the whole bank (customers times weight)."""
    branch = sim.people["branch_pos"].to_numpy(dtype=int)[person]
    weight = sim.people["weight"].to_numpy(dtype=float)[person]
    names = sim.tables["branch"]["branch_id"].to_numpy()
    first = date.min() if len(date) else np.datetime64("1970-01-01", "D")
    offset = (date - first).astype(np.int64)
    days = int(offset.max()) + 1 if len(offset) else 0
    key = offset * len(names) + branch

    def count(mask: np.ndarray) -> np.ndarray:
        total = np.bincount(key[mask], weights=weight[mask], minlength=days * len(names))
        return np.rint(total).astype(np.int64)

    return pd.DataFrame(
        {
            "date": np.repeat(first + np.arange(days), len(names)).astype("datetime64[s]"),
            "branch_id": np.tile(names, days),
            "login_customers": count(np.ones(len(key), dtype=bool)),
            "short_sessions": count(short),
            "transaction_customers": count(pays),
        }
    )


def _events(
    sim: Simulation,
    rng: np.random.Generator,
    person: np.ndarray,
    date: np.ndarray,
    short: np.ndarray,
    pays: np.ndarray,
) -> pd.DataFrame:
    """Write the page events of the sessions: a login, some pages, sometimes a payment."""
    sessions = len(person)
    begin = np.where(
        short, rng.integers(16 * 3600, 18 * 3600, sessions),
        (3600 * (6.5 + 16.5 * rng.beta(1.7, 1.3, sessions))).astype(np.int64),
    )  # fmt: skip
    views = np.where(short, 0, rng.poisson(1.4, sessions))
    length = 1 + views + 2 * pays
    seconds = np.where(short, rng.integers(1, 3, sessions), 15 + rng.gamma(1.6, 55, sessions))
    row = np.repeat(np.arange(sessions), length)
    start = np.concatenate(([0], np.cumsum(length)[:-1]))
    step = np.arange(len(row)) - start[row]
    page = weighted_choice(rng, _PAGE_WEIGHTS, len(row))
    page[step == 0] = 0
    paying = pays[row] & (step >= length[row] - 2)
    goal = weighted_choice(rng, (0.7, 0.3), sessions) + 1
    page[paying] = goal[row[paying]]
    action = np.where(step == 0, 0, 1)
    last = step == length[row] - 1
    action[paying] = np.where(last[paying], 3, 2)
    fails = (page == PAGES.index("提款")) & (action == 1) & (rng.random(len(row)) < 0.3)
    action[fails] = 4
    moment = begin[row] + np.floor(seconds[row] * step / np.maximum(length[row], 1)).astype(int)
    own = hex_hash("device", np.arange(len(sim.people)))
    branch = sim.people["branch_pos"].to_numpy(dtype=int)[person]
    shared = hex_hash("counter", np.arange(len(sim.tables["branch"])))
    device = np.where(short, shared[branch], own[person])
    return pd.DataFrame(
        {
            "customer_id": sim.people["customer_id"].to_numpy()[person[row]],
            "event_time": (date[row].astype("datetime64[s]") + moment.astype("timedelta64[s]")),
            "page": coded(page, PAGES),
            "action": coded(action, ACTIONS),
            "session_seconds": np.rint(seconds)[row],
            "device_hash": device[row],
        }
    )
