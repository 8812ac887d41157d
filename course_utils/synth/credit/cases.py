"""Bad loans as cases: debt, legal stage, actions, promises; and the collateral behind loans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import Book
from course_utils.synth.credit.borrowers import People
from course_utils.synth.credit.draws import timestamps
from course_utils.synth.credit.schedule import Instalments
from course_utils.synth.credit.workout import OPEN, WRITTEN_OFF, Workout
from course_utils.synth.tools import ids

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

STAGES = ("未诉", "已诉", "已判", "执行中", "终本")
STAGE_DAYS = (150, 330, 480, 900)
ACTIONS = ("电话", "上门", "信函", "部分还款", "分期协议", "重组", "诉讼", "执行", "核销材料")
ACTION_COST = np.array([2, 45, 12, 0, 30, 200, 900, 1500, 120], dtype=float)
PENALTY_RATE = 0.5  # penalty interest: half the contract rate on top
LIVING_MONTHS = 6
RICH_SHARE, POOR_SHARE = (0.40, 1.10), (0.002, 0.06)  # deposits over debt
COLLATERAL = ("住宅", "商铺", "土地", "厂房", "设备", "存单")
APPRAISAL_EXCESS = 1.30


def write_cases(
    sim: Simulation, people: People, book: Book, rows: Instalments, work: Workout, names: np.ndarray
) -> None:
    """Write ``npl_case`` and ``npl_action``; lower the wealth of debtors to what they have left."""
    rng = sim.rng("npl")
    case = _case_table(sim, people, book, rows, work, names, rng)
    sim.tables["npl_case"] = case
    sim.tables["npl_action"] = _actions(sim, people, book, work, names, rng)
    _set_deposits(sim, book, work, case, rng)
    old = work.date <= sim.as_of.to_datetime64().astype("M8[D]") - 365
    share = work.recovered_12m / np.maximum(work.principal, 1)
    if (old & work.payroll).any():
        sim.record("m04_n04", "payroll_recover", float(share[old & work.payroll].clip(0, 1).mean()))
    sim.record("m04_n04", "locked_household", "household_id", "债务人家庭，不得使用")


def _case_table(
    sim: Simulation,
    people: People,
    book: Book,
    rows: Instalments,
    work: Workout,
    names: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    n = len(work.loan)
    open_case = work.outcome == OPEN
    unpaid = np.isnat(rows.paid)
    principal = np.zeros(len(book), dtype=np.int64)
    interest = np.zeros(len(book), dtype=np.int64)
    np.add.at(principal, rows.loan[unpaid], rows.principal[unpaid])
    np.add.at(interest, rows.loan[unpaid], rows.interest[unpaid])
    debt = np.where(open_case, principal[work.loan], 0)
    age = (as_of - work.date).astype(np.int64)
    rate = book.rate[work.loan] / 100
    due = np.where(open_case, interest[work.loan] + np.round(debt * rate * age / 360), 0)
    penalty = np.where(open_case, np.round(debt * rate * PENALTY_RATE * age / 360), 0)
    shift = age + rng.normal(0, 60, n)
    stage = np.searchsorted(STAGE_DAYS, np.maximum(shift, 0))
    fees = np.where(open_case & (stage >= 1), np.round(debt * 0.012) + 80_000, 0)
    known = age >= 365
    return pd.DataFrame(
        {
            "loan_id": names[work.loan],
            "customer_id": people.frame["customer_id"].to_numpy()[book.person[work.loan]],
            "npl_date": timestamps(work.date),
            "principal": debt / 100,
            "interest": due / 100,
            "penalty": penalty / 100,
            "fees": fees / 100,
            "legal_stage": pd.Categorical.from_codes(stage, list(STAGES)),
            "guarantor_count": np.where(book.guarantee[work.loan] == 1, 1 + rng.poisson(0.5, n), 0),
            "household_id": people.frame["household_id"]
            .astype(object)
            .to_numpy()[book.person[work.loan]],
            "recovered_12m": np.where(known, work.recovered_12m / 100, np.nan),
            "contactable": rng.random(n) < np.where(work.recovered_12m > 0, 0.88, 0.55),
        }
    )


def _actions(
    sim: Simulation,
    people: People,
    book: Book,
    work: Workout,
    names: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return calls, visits, promises and payments of each case in time order."""
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    end = np.where(np.isnat(work.end), as_of, work.end)
    span = np.maximum((end - work.date).astype(np.int64), 1)
    counts = np.minimum(3 + (span / 55).astype(np.int64) + rng.poisson(1.5, len(span)), 16)
    case = np.repeat(np.arange(len(span)), counts)
    m = len(case)
    share = (work.recovered_12m / np.maximum(work.principal, 1)).clip(0, 1)
    kind = rng.choice(7, m, p=(0.46, 0.22, 0.16, 0.0, 0.08, 0.02, 0.06))
    kind = np.where(kind >= 6, rng.choice((6, 7), m, p=(0.6, 0.4)), kind)
    day = work.date[case] + (span[case] * rng.random(m)).astype(np.int64).astype("m8[D]")
    talk = np.isin(kind, (0, 1))
    connected = talk & (rng.random(m) < 0.35 + 0.4 * share[case])
    promised = (connected & (rng.random(m) < 0.45)) | (kind == 4)
    amount = np.round(work.principal[case] / 100 * (0.02 + 0.10 * rng.random(m)), -2)
    due = day + rng.integers(7, 40, m).astype("m8[D]")
    kept = rng.random(m) < 0.08 + 0.80 * share[case] ** 0.7
    kept = pd.array(kept, dtype="boolean")
    kept[~promised | (due > as_of)] = pd.NA
    flag = pd.array(connected, dtype="boolean")
    flag[~talk] = pd.NA
    act = pd.DataFrame(
        {
            "case": case, "action_date": day, "kind": kind, "connected": flag,
            "promised_amount": np.where(promised, amount, np.nan),
            "promised_date": np.where(promised, due, np.datetime64("NaT")),
            "promise_kept": kept, "paid_amount": 0.0,
        }
    )  # fmt: skip
    pay = pd.DataFrame(
        {
            "case": work.pay_loan, "action_date": work.pay_date, "kind": 3,
            "connected": pd.array([pd.NA] * len(work.pay_loan), dtype="boolean"),
            "promised_amount": np.nan, "promised_date": np.datetime64("NaT", "D"),
            "promise_kept": pd.array([pd.NA] * len(work.pay_loan), dtype="boolean"),
            "paid_amount": work.pay_amount / 100,
        }
    )  # fmt: skip
    table = pd.concat([act, pay], ignore_index=True)
    table = table.sort_values(["action_date", "case", "kind"], kind="stable", ignore_index=True)
    manager = people.frame["manager_id"].astype(object).to_numpy()[book.person[work.loan]]
    code = table["kind"].to_numpy(dtype=np.int64)
    base = np.array([6, 75, 15, 10, 60, 120, 180, 240, 90], dtype=float)[code]
    case = table["case"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "action_id": ids("Z", np.arange(1, len(table) + 1), 6),
            "loan_id": names[work.loan[case]],
            "action_date": timestamps(table["action_date"].to_numpy().astype("M8[D]")),
            "employee_id": manager[case],
            "kind": pd.Categorical.from_codes(code, list(ACTIONS)),
            "connected": table["connected"],
            "promised_amount": table["promised_amount"],
            "promised_date": timestamps(table["promised_date"].to_numpy().astype("M8[D]")),
            "promise_kept": table["promise_kept"],
            "paid_amount": table["paid_amount"],
            "cost": ACTION_COST[code],
            "minutes": np.round(base * np.exp(0.3 * rng.standard_normal(len(code))), 1),
        }
    )


def _set_deposits(
    sim: Simulation, book: Book, work: Workout, case: pd.DataFrame, rng: np.random.Generator
) -> None:
    """Leave the planted share of open debtors with deposits of a fifth of their debt or more.

    Debtors have used up what they own; money.generate builds deposits from ``own_money``.
    """
    open_case = np.flatnonzero(work.outcome == OPEN)
    debt = (case["principal"] + case["interest"] + case["penalty"] + case["fees"]).to_numpy()
    total = np.zeros(len(sim.people))
    np.add.at(total, book.person[work.loan[open_case]], debt[open_case])
    debtor = np.flatnonzero(total > 0)
    share = float(sim.effects.value("m04_n04", "deposit20"))
    rich = np.zeros(len(debtor), dtype=bool)
    rich[rng.permutation(len(debtor))[: round(share * len(debtor))]] = True
    u = rng.random(len(debtor))
    part = np.where(
        rich, RICH_SHARE[0] + (RICH_SHARE[1] - RICH_SHARE[0]) * u,
        POOR_SHARE[0] + (POOR_SHARE[1] - POOR_SHARE[0]) * u**2,
    )  # fmt: skip
    money = np.maximum(np.round(part * total[debtor], 2), 5.0)
    own = sim.people["own_money"].to_numpy(dtype=float, copy=True)
    wealth = sim.people["wealth"].to_numpy(dtype=float, copy=True)
    wallet = sim.people["wallet_share"].to_numpy(dtype=float)
    own[debtor] = money
    wealth[debtor] = np.round(money / np.maximum(wallet[debtor], 0.05), 2)
    sim.people["own_money"] = own
    sim.people["wealth"] = wealth
    sim.people["debt_share"] = np.where(total > 0, own / np.maximum(total, 1), np.nan)
    sim.record("m04_n04", "deposit20", float(rich.mean()) if len(rich) else None)


def write_collateral(
    sim: Simulation, book: Book, names: np.ndarray, ltv: np.ndarray, home: slice, work: Workout
) -> None:
    """Write ``collateral``: one piece for each secured loan; one branch appraises too high.

    Parameters
    ----------
    sim : Simulation
        The bank.
    book : Book
        The loans.
    names : ndarray of str
        Loan ids.
    ltv : ndarray of float
        Loan to value at issue of the mortgages ``book[home]``.
    home : slice
        Where the mortgages stand in the book.
    work : Workout
        Fate of bad loans (collateral of written-off ones was sold).
    """
    rng = sim.rng("collateral")
    rows = np.flatnonzero(book.guarantee == 2)
    n = len(rows)
    value = book.amount[rows] / (0.42 + 0.28 * rng.random(n))
    mortgage = np.full(len(book), np.nan)
    mortgage[home] = ltv
    value = np.where(np.isnan(mortgage[rows]), value, book.amount[rows] / mortgage[rows])
    true = np.round(value / 1000) * 1000
    branch = sim.people["branch_id"].astype(str).to_numpy()[book.person[rows]]
    inflated = branch == str(sim.effects.value("m03_n06", "bad_appraisal"))
    appraised = np.round(true * np.where(inflated, APPRAISAL_EXCESS, 1.0) / 1000) * 1000
    reference = np.round(true * np.exp(0.06 * rng.standard_normal(n)) / 1000) * 1000
    kind = np.where(
        book.kind[rows] == p.MORTGAGE, 0, rng.choice(5, n, p=(0.5, 0.25, 0.1, 0.12, 0.03))
    )
    sold = np.zeros(len(book), dtype=bool)
    sold[work.loan[work.outcome == WRITTEN_OFF]] = True
    auction = np.where(sold[rows], np.round(true * (0.5 + 0.3 * rng.random(n)), -3), np.nan)
    rank = np.where(rng.random(n) < 0.08, 2, 1)
    sim.tables["collateral"] = pd.DataFrame(
        {
            "collateral_id": ids("U", np.arange(1, n + 1), 6),
            "loan_id": names[rows],
            "kind": pd.Categorical.from_codes(kind, list(COLLATERAL)),
            "appraised": appraised,
            "appraise_date": timestamps(book.issue[rows] - rng.integers(3, 30, n).astype("m8[D]")),
            "area_price_reference": np.where(kind <= 1, reference, np.nan),
            "auction_price": auction,
            "rank": rank,
            "other_claims": np.where(rank == 2, np.round(true * 0.2, -3), 0.0),
        }
    )
    sim.record("m03_n06", "bad_appraisal", str(sim.effects.value("m03_n06", "bad_appraisal")))
