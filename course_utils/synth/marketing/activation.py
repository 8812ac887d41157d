"""Credit lines that wait for a first draw, and the random trial that wakes silent ones.

Holders of never-used lines mostly have the mobile bank and do not log in. Half of the silent ones
are called and shown the way (purpose 活跃); the others are held back. Some draw for the first time
within ninety days. Loans are not added: first loans that the book already has are told as late
first draws, that is, their line was approved months before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit.draws import month_end, month_number, timestamps
from course_utils.synth.marketing.staff import active_managers, assign_managers

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

MONTHS = 24
#: First day of the trial before the as-of date, days of calling, days in which a draw counts.
TRIAL_BACK, CALLING_DAYS, OUTCOME_DAYS = 275, 14, 90
ARM_SIZE = 200  # at most so many customers an arm
SILENT_SHARE = 0.8  # holders of a never-used line who have the mobile bank and do not log in
#: Share of first draws outside the trial that come late, by use of the mobile bank.
LATE_ACTIVE, LATE_OTHER = 0.6, 0.15
LATE_BACK = 540  # late first draws outside the trial: in so many days before the as-of date
WAIT = (60, 300)  # days from approval to a late first draw
WAKE_CALLED, WAKE_HELD, STAY = 0.40, 0.08, 0.6
SAID = ("未接通", "拒绝", "暂不需要", "有意向", "已触达")
SAID_SHARES = (0.30, 0.10, 0.25, 0.12, 0.23)


@dataclass
class Trial:
    """Participants: positions in people, line rows, contact days, arm and day of the first draw."""

    person: np.ndarray
    line: np.ndarray
    day: np.ndarray
    held: np.ndarray
    drawn: np.ndarray  # datetime64[D], NaT without a draw

    def __len__(self) -> int:
        return len(self.person)


def generate(sim: Simulation) -> None:
    """Tell late first draws, silence holders of unused lines, run the trial.

    Changes ``credit_line`` (approval days), ``credit_line_month`` and the mobile columns of
    ``customer_month``; appends the contacts of the trial to ``contact_log``. Runs before behaviour,
    which plays the login days out.
    """
    rng = sim.rng("activation")
    line = sim.tables["credit_line"]
    person = pd.Index(sim.people["customer_id"]).get_indexer(line["customer_id"])
    first = line["first_draw_date"].to_numpy().astype("M8[D]")
    logins = _logins(sim)
    candidates = _first_draws(sim, person, first)
    silent = _silent_holders(sim, person, first, rng)
    trial = _assign(sim, rng, person, silent, candidates, first)
    late = _late_draws(sim, rng, person, first, candidates, logins, trial)
    _approve_earlier(sim, rng, person, np.concatenate([late, trial.line]), trial)
    # silent holders never log in; participants not until they are woken
    logins[person[silent]] = 0
    logins[trial.person] = 0
    _wake(sim, rng, logins, trial)
    _write_logins(sim, logins)
    _log(sim, rng, trial)


def _as_of(sim: Simulation) -> np.datetime64:
    return sim.as_of.to_datetime64().astype("M8[D]")


def _first_draws(sim: Simulation, person: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return rows of ``credit_line``: first lines ever used by persons no campaign has won."""
    used = np.flatnonzero(~np.isnat(first))
    order = used[np.lexsort((first[used], person[used]))]
    earliest = order[np.unique(person[order], return_index=True)[1]]
    organic = sim.people["organic_borrower"].to_numpy(dtype=bool)
    firm = (sim.people["customer_type"] == "企业").to_numpy()
    return earliest[organic[person[earliest]] & ~firm[person[earliest]]]


def _silent_holders(
    sim: Simulation, person: np.ndarray, first: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return rows of never-used lines whose holder has the mobile bank and does not log in."""
    phone = sim.people["uses_mobile"].to_numpy(dtype=bool)
    never = np.flatnonzero(np.isnat(first) & phone[person])
    once = never[np.unique(person[never], return_index=True)[1]]
    return once[rng.random(len(once)) < SILENT_SHARE]


def _assign(
    sim: Simulation,
    rng: np.random.Generator,
    person: np.ndarray,
    silent: np.ndarray,
    candidates: np.ndarray,
    first: np.ndarray,
) -> Trial:
    """Draw two arms of one size; those who draw are first loans of the ninety days after."""
    begin = _as_of(sim) - TRIAL_BACK
    called = float(sim.effects.value("m04_n03", "draw_activation"))
    held = float(sim.effects.entry("m04_n03", "draw_activation").null_value)
    opened = sim.people["open_date"].to_numpy().astype("M8[D]")
    phone = sim.people["uses_mobile"].to_numpy(dtype=bool)
    old = opened < begin - WAIT[1]
    soon = (first[candidates] > begin + CALLING_DAYS + 2) & (
        first[candidates] < begin + OUTCOME_DAYS
    )
    ready = candidates[soon & old[person[candidates]] & phone[person[candidates]]]
    ready = ready[~np.isin(person[ready], person[silent])]
    waiting = silent[old[person[silent]] & ~_draws_soon(sim, person, first, begin)[person[silent]]]
    size = min(ARM_SIZE, int(len(waiting) / (2 - called - held)), int(len(ready) / (called + held)))
    drawing = np.array([round(called * size), round(held * size)])
    rest = rng.permutation(waiting)[: 2 * size - drawing.sum()]
    some = rng.permutation(ready)[: drawing.sum()]
    line = np.concatenate([some, rest])
    arm = np.zeros(len(line), dtype=bool)
    arm[drawing[0] : drawing.sum()] = True
    arm[drawing.sum() + size - drawing[0] :] = True
    drawn = np.where(np.arange(len(line)) < len(some), first[line], np.datetime64("NaT"))
    day = begin + rng.integers(0, CALLING_DAYS, len(line)).astype("m8[D]")
    if size:
        sim.record("m04_n03", "draw_activation", drawing[0] / size, "随机触达组九十天内首次用信率")
    return Trial(person[line], line, day, arm, drawn)


def _draws_soon(
    sim: Simulation, person: np.ndarray, first: np.ndarray, begin: np.datetime64
) -> np.ndarray:
    """Return which customers first draw on another line around the trial."""
    soon = np.zeros(len(sim.people), dtype=bool)
    near = (first > begin - 1) & (first <= begin + CALLING_DAYS + OUTCOME_DAYS + 1)
    soon[person[near]] = True
    return soon


def _late_draws(
    sim: Simulation,
    rng: np.random.Generator,
    person: np.ndarray,
    first: np.ndarray,
    candidates: np.ndarray,
    logins: np.ndarray,
    trial: Trial,
) -> np.ndarray:
    """Return further lines that waited for their first draw, more often of active users."""
    opened = sim.people["open_date"].to_numpy().astype("M8[D]")
    recent = first[candidates] > _as_of(sim) - LATE_BACK
    rows = candidates[recent & ~np.isin(candidates, trial.line)]
    rows = rows[opened[person[rows]] < first[rows] - WAIT[1]]
    active = logins[person[rows]].sum(axis=1) > 0
    return rows[rng.random(len(rows)) < np.where(active, LATE_ACTIVE, LATE_OTHER)]


def _approve_earlier(
    sim: Simulation,
    rng: np.random.Generator,
    person: np.ndarray,
    rows: np.ndarray,
    trial: Trial,
) -> None:
    """Move approvals back: before the first draw, or before the trial for those who do not draw."""
    table = sim.tables["credit_line"]
    approve = table["approve_date"].to_numpy().astype("M8[D]").copy()
    before = approve.copy()
    first = table["first_draw_date"].to_numpy().astype("M8[D]")
    limit = np.where(np.isnat(first), approve, first)
    limit[trial.line] = trial.day
    wait = rng.integers(*WAIT, len(rows)).astype("m8[D]")
    opened = sim.people["open_date"].to_numpy().astype("M8[D]")
    earlier = np.maximum(limit[rows] - wait, opened[person[rows]] + 5)
    approve[rows] = np.minimum(approve[rows], earlier)
    sim.tables["credit_line"] = table.assign(approve_date=timestamps(approve))
    _more_months(sim, before, approve)


def _more_months(sim: Simulation, before: np.ndarray, approve: np.ndarray) -> None:
    """Add the months of ``credit_line_month`` in which a moved line waited unused."""
    table, months = sim.tables["credit_line"], sim.tables["credit_line_month"]
    last = int(month_number(np.array([_as_of(sim)]))[0])
    grid = np.arange(last - MONTHS + 1, last + 1)
    waiting = (grid[None, :] >= month_number(approve)[:, None]) & (
        grid[None, :] < month_number(before)[:, None]
    )
    row, column = np.nonzero(waiting)
    names = table["line_id"].to_numpy()
    more = pd.DataFrame(
        {
            "month": timestamps(month_end(grid[column])),
            "line_id": pd.Categorical(names[row], categories=months["line_id"].cat.categories),
            "limit": table["limit"].to_numpy()[row],
            "used": 0.0,
        }
    )
    both = pd.concat([months, more], ignore_index=True)
    both = both.sort_values(["line_id", "month"], ignore_index=True)
    sim.tables["credit_line_month"] = both


def _logins(sim: Simulation) -> np.ndarray:
    """Return login days as ``[customer, month]``."""
    month = sim.tables["customer_month"]
    panel = np.zeros((len(sim.people), MONTHS), dtype=np.int64)
    panel[_cells(sim)] = month["mobile_login_days"].to_numpy()
    return panel


def _cells(sim: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """Return customer position and month position of each row of ``customer_month``."""
    month = sim.tables["customer_month"]
    row = pd.Index(sim.people["customer_id"]).get_indexer(month["customer_id"])
    return row, sim.months(MONTHS).get_indexer(month["month"])


def _wake(sim: Simulation, rng: np.random.Generator, logins: np.ndarray, trial: Trial) -> None:
    """Let those who draw, many of the called and a few of the held log in from then on."""
    drew = ~np.isnat(trial.drawn)
    woken = drew | (rng.random(len(trial)) < np.where(trial.held, WAKE_HELD, WAKE_CALLED))
    start = trial.day + rng.integers(1, 30, len(trial)).astype("m8[D]")
    start = np.where(drew, trial.drawn, start)
    last = int(month_number(np.array([_as_of(sim)]))[0])
    begin = month_number(start) - (last - MONTHS + 1)
    grid = np.arange(MONTHS)[None, :]
    days = rng.integers(1, 6, (len(trial), MONTHS))
    stays = rng.random((len(trial), MONTHS)) < np.where(drew, 0.85, STAY)[:, None]
    on = woken[:, None] & ((grid == begin[:, None]) | ((grid > begin[:, None]) & stays))
    logins[trial.person] = np.where(on, days, 0)


def _write_logins(sim: Simulation, logins: np.ndarray) -> None:
    """Write the panel back; no payment on the phone in a month without a login."""
    month = sim.tables["customer_month"]
    days = logins[_cells(sim)]
    paid = np.where(days > 0, month["mobile_transaction_count"].to_numpy(), 0)
    sim.tables["customer_month"] = month.assign(
        mobile_login_days=days.astype(month["mobile_login_days"].dtype),
        mobile_transaction_count=paid.astype(month["mobile_transaction_count"].dtype),
    )


def _log(sim: Simulation, rng: np.random.Generator, trial: Trial) -> None:
    """Append the contacts of both arms."""
    n = len(trial)
    if n == 0:
        return
    managers = active_managers(sim)
    staff = managers.employee_id[assign_managers(sim, managers, trial.person, rng, trial.day)]
    drew = ~np.isnat(trial.drawn)
    said = rng.choice(SAID, n, p=SAID_SHARES)
    result = np.where(trial.held, "未触达", np.where(drew, "已办理", said))
    talked = ~np.isin(result, ["未触达", "未接通"])
    minutes = np.round(0.5 + talked * rng.gamma(2.0, 1.6, n), 1)
    table = sim.tables["loan"]
    amount = table.groupby(["customer_id", "issue_date"])["amount"].sum()
    customer = sim.people["customer_id"].to_numpy()[trial.person]
    key = pd.MultiIndex.from_arrays([customer, timestamps(trial.drawn)])
    clock = (8.6 * 3600 + rng.random(n) * 9.5 * 3600).astype(np.int64).astype("m8[s]")
    order = np.lexsort((customer, trial.day))
    rows = pd.DataFrame(
        {
            "customer_id": customer,
            "employee_id": np.where(trial.held, None, staff.astype(object)),
            "contact_time": timestamps(trial.day) + clock,
            "channel": np.where(trial.held, None, "电话"),
            "purpose": "活跃",
            "script": np.where(trial.held, None, "标准"),
            "result": result,
            "minutes": np.where(trial.held, np.nan, minutes),
            "arm": np.where(trial.held, "随机保留", "随机触达"),
            "converted": drew,
            "converted_date": timestamps(trial.drawn),
            "converted_amount": amount.reindex(key).to_numpy(),
        }
    )
    sim.append("contact_log", rows.iloc[order].reset_index(drop=True))
