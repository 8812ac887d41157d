"""White list of pre-approved online credit: three batches, a random hold-out, staff who choose.

The part that leads to loans (`plan`) runs before the loan book is built, so that every draw on the
list is a loan in the book; `finish` adds the useless rows (doubled, already borrowing) afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.borrowers import LISTED, People, Starts
from course_utils.synth.credit.draws import add_months, balanced, clip_day, spread, timestamps
from course_utils.synth.marketing.staff import Managers, active_managers, assign_managers
from course_utils.synth.tools import calibrated, ids, standardise

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

BATCH_MONTHS = (13, 9, 5)  # months before the as-of date at which a batch is issued
BATCH_SHARE = 0.30  # of persons
HOLDOUT = 0.10
REACHED = 0.50
APPROVED, TAKEN_UP = 0.66, 0.85
HUMP_ODDS = 2.0
OLD_STAFF = 45
MANAGER_RANGE = (0.12, 0.88)
DOUBLED_PART = 0.35  # of useless rows; the rest already borrow
REASONS = ("号码失效", "需求不匹配", "已有贷款", "不准入", "一线未打", "重复外呼反感", "价格偏高",
           "暂不需要", "其他")  # fmt: skip


@dataclass
class ListRows:
    """Rows of the white list that could lead to a loan (arrays of one length)."""

    person: np.ndarray
    batch: np.ndarray
    date: np.ndarray
    manager: np.ndarray
    managers: Managers
    columns: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.person)


def in_humps(age: np.ndarray, bands: object) -> np.ndarray:
    """Return which ages lie in one of the planted bands of high need."""
    pairs = bands if isinstance(bands, list) else [bands]
    return np.logical_or.reduce([(age >= low) & (age < high + 1) for low, high in pairs])


def call_chance(
    sim: Simulation, rows_of: np.ndarray, managers: Managers, rng: np.random.Generator
) -> np.ndarray:
    """Return for each manager the chance that a valid row of the list is called.

    Staff above 45 call `m03_n01.old_staff_call` times as often as the others; the row-weighted
    mean is 1 − `m01_n01.loss_not_called`; single managers spread over 12-88 %.
    """
    rows = np.bincount(rows_of, minlength=len(managers)).astype(float)
    old = managers.age > OLD_STAFF
    ratio = float(sim.effects.value("m03_n01", "old_staff_call"))
    mean = 1 - float(sim.effects.value("m01_n01", "loss_not_called"))
    share_old = rows[old].sum() / max(rows.sum(), 1)
    young_level = mean / (1 - share_old + ratio * share_old)
    level = np.where(old, ratio * young_level, young_level)
    deviation = 0.17 * standardise(spread(rng, old.astype(int), rows)) if len(rows) > 1 else 0.0
    chance = level + deviation
    for _ in range(40):
        chance = np.clip(chance, *MANAGER_RANGE)
        for group in (old, ~old):
            if rows[group].sum() > 0:
                gap = level[group] - np.average(chance[group], weights=rows[group])
                chance[group] += gap
    return np.clip(chance, *MANAGER_RANGE)


def plan(sim: Simulation, people: People, taken: np.ndarray) -> tuple[ListRows, Starts]:
    """Draw the usable rows of all batches and the loans they lead to.

    Parameters
    ----------
    sim, people : Simulation, People
        The bank and its customers.
    taken : ndarray of bool
        Customers who borrow without the list.

    Returns
    -------
    tuple
        List rows, starts of the loans drawn.
    """
    rng = sim.rng("white_list")
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    allowed = (
        ~taken & ~people.company & ~people.business & (people.age >= 22) & (people.age <= 58)
        & ((as_of - people.opened).astype(np.int64) > 430)
    )  # fmt: skip
    pool = np.flatnonzero(allowed)
    size = min(int(BATCH_SHARE * (~people.company).sum()), int(0.62 * len(pool)))
    wish = np.exp(0.25 * people.need[pool] + 0.5 * people.active[pool])
    managers = active_managers(sim)
    drawn_before = np.zeros(len(people), dtype=bool)
    parts: list[tuple[np.ndarray, ...]] = []
    for number, back in enumerate(BATCH_MONTHS, 1):
        open_rows = pool[~drawn_before[pool]]
        keys = np.log(wish[~drawn_before[pool]]) + rng.gumbel(size=len(open_rows))
        chosen = np.sort(open_rows[np.argsort(-keys)[:size]])
        date = add_months(clip_day(np.array([as_of])), -back)[0].astype("M8[M]").astype("M8[D]") + 9
        manager = assign_managers(sim, managers, chosen, rng, np.full(len(chosen), date))
        parts.append((chosen, np.full(len(chosen), number), np.full(len(chosen), date), manager))
        if number < len(BATCH_MONTHS):
            drawn_before[chosen[rng.random(len(chosen)) < 0.55]] = True
    person, batch, date, manager = (np.concatenate([part[i] for part in parts]) for i in range(4))
    rows = ListRows(person, batch, date, manager, managers, {})
    _funnel(sim, people, rows, rng)
    return rows, _starts(rows)


def _funnel(sim: Simulation, people: People, rows: ListRows, rng: np.random.Generator) -> None:
    """Draw every step from the list to the loan."""
    n = len(rows)
    age, online = people.age[rows.person], people.lenders[rows.person] > 0
    hump = in_humps(age, sim.effects.value("m03_n01", "need_humps"))
    valid = balanced(rng, np.full(n, 1 - sim.effects.value("m01_n01", "loss_phone")), rows.batch)
    holdout = balanced(rng, np.full(n, HOLDOUT), rows.batch, valid)
    chance = call_chance(sim, rows.manager[valid & ~holdout], rows.managers, rng)
    called = valid & ~holdout & balanced(rng, chance[rows.manager], holdout, valid, rows.manager)
    # a person draws at most once: reached only in the first batch that calls
    reached = called & balanced(rng, np.full(n, REACHED), called, hump, online)
    score = (
        np.log(HUMP_ODDS) * hump
        + np.log(float(sim.effects.value("m03_n01", "online_flag_lift"))) * online
        + 0.15 * people.need[rows.person]
    )
    apply_level = float(sim.effects.value("m01_n01", "reach_to_apply"))
    pass_rate = APPROVED * TAKEN_UP
    draw_chance = np.zeros(n)
    if reached.any():
        draw_chance[reached] = calibrated(score[reached], apply_level * pass_rate)
    drawn = balanced(rng, draw_chance, reached, online, hump)
    # the steps between: a draw implies approval, application and interest
    approved = drawn | balanced(rng, draw_chance * (1 / TAKEN_UP - 1), reached, online, hump)
    applied = approved | balanced(
        rng, draw_chance * (1 / pass_rate - 1 / TAKEN_UP), reached, online, hump
    )
    interested = applied | (reached & (rng.random(n) < 0.17))
    call_date = rows.date + (2 + rng.gamma(1.3, 9.0, n)).astype(np.int64).clip(2, 45).astype(
        "m8[D]"
    )
    drawn_date = clip_day(call_date + rng.integers(4, 24, n).astype("m8[D]"))
    limit = (
        np.round(np.exp(11.0 + 0.5 * rng.standard_normal(n) + 0.15 * standardise(age)) / 5000)
        * 5000
    )
    limit = np.clip(limit, 10_000, 200_000)
    lpr, _ = p.lpr_at(sim, rows.date)
    rate = np.round(lpr + 1.6 + 0.25 * rng.integers(0, 5, n), 2)
    amount = np.maximum(np.round(limit * rng.beta(4, 2, n) / 1000), 5) * 1000
    rows.columns = {
        "online": online, "hump": hump, "phone_valid": valid, "random_holdout": holdout,
        "called": called, "reached": reached, "interested": interested, "applied": applied,
        "approved": approved, "drawn": drawn, "call_date": call_date, "drawn_date": drawn_date,
        "limit": limit, "rate": rate, "amount": amount,
        "call_count": np.where(called, 1 + rng.poisson(0.6, n), 0),
        "score": np.round(
            np.clip(600 + 25 * people.need[rows.person] + 45 * rng.standard_normal(n), 420, 820)
        ),
        "reason": _reasons(rng, valid, holdout, called, reached, applied, approved, drawn),
    }  # fmt: skip
    _once(rows)


def _once(rows: ListRows) -> None:
    """Keep only the first draw of a person; later rows of that person end as 已有贷款."""
    c = rows.columns
    order = np.lexsort((rows.batch, rows.person))
    person, drawn = rows.person[order], c["drawn"][order]
    before = np.cumsum(drawn) - drawn
    first_row = np.concatenate(([True], person[1:] != person[:-1]))
    start = np.maximum.accumulate(np.where(first_row, np.arange(len(order)), 0))
    late = order[(before - before[start]) > 0]
    for name in ("interested", "applied", "approved", "drawn"):
        c[name][late] = False
    c["late"] = np.zeros(len(rows), dtype=bool)
    c["late"][late] = True
    c["reason"][late] = REASONS.index("已有贷款")


def _reasons(
    rng: np.random.Generator,
    valid: np.ndarray,
    holdout: np.ndarray,
    called: np.ndarray,
    reached: np.ndarray,
    applied: np.ndarray,
    approved: np.ndarray,
    drawn: np.ndarray,
) -> np.ndarray:
    """Return the position in `REASONS` of why a row did not end in a loan; -1 for none."""
    n = len(valid)
    soft = rng.choice([1, 5, 6, 7, 8], size=n, p=[0.24, 0.08, 0.22, 0.36, 0.10])
    reason = np.where(applied & ~approved, 3, soft)
    reason = np.where(approved & ~drawn, 6, reason)
    reason = np.where(called & ~reached, 8, reason)
    reason = np.where(valid & ~called, 4, reason)
    reason = np.where(~valid, 0, reason)
    return np.where(drawn | (holdout & valid), -1, reason)


def _starts(rows: ListRows) -> Starts:
    """Return the loans that the list led to."""
    hit = rows.columns["drawn"]
    n = int(hit.sum())
    return Starts(
        rows.person[hit],
        np.full(n, p.ONLINE),
        rows.columns["drawn_date"][hit],
        np.full(n, LISTED),
        rows.columns["amount"][hit].astype(np.int64),
        rows.columns["rate"][hit],
    )


def finish(sim: Simulation, rows: ListRows, borrowing: dict[int, np.ndarray]) -> None:
    """Add doubled and already-borrowing rows and write ``white_list`` and its contacts.

    Parameters
    ----------
    sim : Simulation
        The bank.
    rows : ListRows
        Usable rows from `plan`.
    borrowing : dict
        For each batch number the positions of persons with a live loan at the list date.
    """
    rng = sim.rng("white_list.finish")
    share = float(sim.effects.value("m03_n01", "useless_rows"))
    useful = _frame(sim, rows)
    late = rows.columns["late"]
    useful.loc[late, "already_borrowing"] = True
    useless = max(round(share / (1 - share) * (len(useful) - late.sum()) - late.sum()), 0)
    doubles = useful.iloc[rng.choice(len(useful), int(DOUBLED_PART * useless), replace=False)]
    doubles = _idle(doubles[~doubles["already_borrowing"]], rng)
    borrowers = _borrowing_rows(sim, rows, borrowing, useless - len(doubles), useful, rng)
    table = pd.concat([useful, doubles, borrowers], ignore_index=True)
    table = table.sort_values(["batch", "_shuffle"], kind="stable").reset_index(drop=True)
    table.insert(0, "list_id", ids("W", np.arange(1, len(table) + 1), 6))
    sim.tables["white_list"] = table.drop(columns=["_shuffle"])
    _record(sim, sim.tables["white_list"])
    sim.append("contact_log", contacts(sim.tables["white_list"], rng))


def _frame(sim: Simulation, rows: ListRows) -> pd.DataFrame:
    """Return the contract columns of the usable rows."""
    c, people = rows.columns, sim.people
    called = c["called"]
    nat = np.datetime64("NaT")
    assigned = np.where(
        c["random_holdout"], None, rows.managers.employee_id[rows.manager].astype(object)
    )
    return pd.DataFrame(
        {
            "batch": rows.batch,
            "list_date": timestamps(rows.date),
            "customer_id": people["customer_id"].to_numpy()[rows.person],
            "branch_id": people["branch_id"].astype(str).to_numpy()[rows.person],
            "product_code": p.product_codes(sim)[p.ONLINE],
            "offered_limit": c["limit"].astype(float),
            "offered_rate": c["rate"],
            "prior_score": c["score"],
            "assigned_employee_id": assigned,
            "online_loan_flag": c["online"],
            "phone_valid": c["phone_valid"],
            "already_borrowing": False,
            "random_holdout": c["random_holdout"],
            "called": called,
            "call_date": timestamps(np.where(called, c["call_date"], nat)),
            "call_count": c["call_count"],
            "reached": c["reached"],
            "interested": c["interested"],
            "applied": c["applied"],
            "approved": c["approved"],
            "drawn": c["drawn"],
            "drawn_date": timestamps(np.where(c["drawn"], c["drawn_date"], nat)),
            "drawn_amount": np.where(c["drawn"], c["amount"], 0.0),
            "reason_code": pd.Categorical.from_codes(c["reason"], list(REASONS)),
            "_shuffle": sim.rng("white_list.order").random(len(rows)),
        }
    )


def _idle(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return copies of rows with nothing done on them (doubled rows are skipped by the front)."""
    result = frame.copy()
    for name in ("called", "reached", "interested", "applied", "approved", "drawn"):
        result[name] = False
    for name in ("call_date", "drawn_date"):
        result[name] = np.datetime64("NaT")
        result[name] = result[name].astype("M8[s]")
    result["call_count"] = 0
    result["drawn_amount"] = 0.0
    code = np.where(
        ~result["phone_valid"], 0, np.where(result["random_holdout"], -1, REASONS.index("一线未打"))
    )
    result["reason_code"] = pd.Categorical.from_codes(code, list(REASONS))
    result["_shuffle"] = rng.random(len(result))
    return result


def _borrowing_rows(
    sim: Simulation,
    rows: ListRows,
    borrowing: dict[int, np.ndarray],
    count: int,
    useful: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return rows of persons who already borrowed when the list was issued."""
    parts = []
    for batch, persons in borrowing.items():
        take = min(count // len(borrowing), len(persons))
        chosen = np.sort(rng.choice(persons, take, replace=False))
        template = useful[useful["batch"] == batch]
        part = template.iloc[rng.integers(0, len(template), take)].copy()
        manager = assign_managers(
            sim, rows.managers, chosen, rng, template["list_date"].to_numpy()[:1].astype("M8[D]")
        )
        part["customer_id"] = sim.people["customer_id"].to_numpy()[chosen]
        part["branch_id"] = sim.people["branch_id"].astype(str).to_numpy()[chosen]
        part["assigned_employee_id"] = np.where(
            part["random_holdout"], None, rows.managers.employee_id[manager].astype(object)
        )
        part["online_loan_flag"] = sim.people["uses_online_loan"].to_numpy(dtype=bool)[chosen]
        part = _idle(part, rng)
        part["already_borrowing"] = True
        part["called"] = (part["phone_valid"] & ~part["random_holdout"]) & (rng.random(take) < 0.55)
        part["reached"] = part["called"] & (rng.random(take) < REACHED)
        gap = (rng.integers(3, 40, take) * 86_400).astype("m8[s]")
        part["call_date"] = np.where(
            part["called"], part["list_date"].to_numpy() + gap, np.datetime64("NaT", "s")
        )
        part["call_count"] = part["called"].astype(int)
        code = np.where(part["called"], REASONS.index("已有贷款"), part["reason_code"].cat.codes)
        part["reason_code"] = pd.Categorical.from_codes(code, list(REASONS))
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else useful.iloc[:0]


def contacts(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows of ``contact_log`` that belong to the white list (calls and hold-outs)."""
    rows = table[table["called"] | table["random_holdout"]]
    held = rows["random_holdout"].to_numpy(dtype=bool)
    n = len(rows)
    base = np.where(
        held,
        rows["list_date"].to_numpy() + np.timedelta64(7 * 86_400, "s"),
        rows["call_date"].to_numpy(),
    )
    clock = (8.6 * 3600 + rng.random(n) * 9.5 * 3600).astype(np.int64).astype("m8[s]")
    reached, drawn = rows["reached"].to_numpy(), rows["drawn"].to_numpy()
    reason = rows["reason_code"].astype(object).to_numpy()
    result = np.select(
        [
            held,
            drawn,
            rows["applied"],
            rows["interested"],
            reached & (reason == "重复外呼反感"),
            reached,
        ],
        ["未触达", "已办理", "已预约", "有意向", "拒绝", "暂不需要"],
        "未接通",
    )
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"].to_numpy(),
            "employee_id": rows["assigned_employee_id"].to_numpy(),
            "contact_time": base + clock,
            "channel": np.where(held, None, "电话"),
            "purpose": "白名单",
            "script": np.where(held, None, "标准"),
            "result": result,
            "minutes": np.where(
                held, np.nan, np.where(reached, np.round(1.5 + rng.gamma(1.6, 1.6, n), 1), 0.5)
            ),
            "arm": np.where(held, "随机保留", "自选"),
            "offered_rate": rows["offered_rate"].to_numpy(),
            "converted": drawn,
            "converted_date": rows["drawn_date"].to_numpy(),
            "converted_amount": np.where(drawn, rows["drawn_amount"], np.nan),
        }
    )


def _record(sim: Simulation, table: pd.DataFrame) -> None:
    """Write what really happened on the list to the truth."""
    worked = table.sort_values(["called", "list_id"], ascending=[False, True])
    doubled = worked.duplicated(["batch", "customer_id"])
    fresh = worked[~worked["already_borrowing"] & ~doubled]
    valid = fresh[fresh["phone_valid"] & ~fresh["random_holdout"]]
    reached = fresh[fresh["reached"]]
    sim.record("m01_n01", "loss_phone", float(1 - table["phone_valid"].mean()))
    sim.record("m01_n01", "loss_not_called", float(1 - valid["called"].mean()))
    sim.record("m01_n01", "reach_to_apply", float(reached["applied"].mean()))
    sim.record("m03_n01", "useless_rows", float((worked["already_borrowing"] | doubled).mean()))
