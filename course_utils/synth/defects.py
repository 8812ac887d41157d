"""Planted faults of the data, added last, when every identity still holds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth import export
from course_utils.synth.state import Simulation

#: Columns that two files of the same person share.
_IDENTITY = ("id_hash", "masked_name", "gender", "birth_year", "birth_month")


def generate(sim: Simulation) -> None:
    """Plant the faults of m00_n01 and write raw_export, village_list and note of m00_n02."""
    _duplicates(sim)
    _missing_birth(sim)
    _phones(sim)
    if "loan" in sim.tables:
        _maturities(sim)
    if "branch_day" in sim.tables:
        _ledger_gap(sim)
    if "bureau_report" in sim.tables:
        scope = sim.tables["bureau_report"]["consent_scope"].astype(str)
        outside = ~scope.isin(["营销", "授信管理"])
        sim.record("m00_n02", "scope_missing", float(outside.mean()), "授权范围不能用于营销的查询")
    export.generate(sim)


def _persons(sim: Simulation) -> np.ndarray:
    return np.flatnonzero((sim.people["customer_type"] != "企业").to_numpy())


def _duplicates(sim: Simulation) -> None:
    """Let some customers carry the identity of a neighbour of like age: one person, two files."""
    rng, customer = sim.rng("duplicate"), sim.tables["customer"]
    persons = _persons(sim)
    people = sim.people.iloc[persons]
    # neighbours in this order share town, gender and nearly the age
    order = persons[
        np.lexsort((people["age"], people["gender"].astype(str), people["town_id"].astype(str)))
    ]
    same = np.zeros(len(order), dtype=bool)
    for column in ("gender", "town_id"):
        values = sim.people[column].to_numpy(str)[order]
        same[1:] |= values[1:] != values[:-1]
    gap = np.diff(sim.people["age"].to_numpy(float)[order], prepend=0)
    usable = np.flatnonzero(~same & (gap <= 1) & (np.arange(len(order)) > 0))
    usable = usable[~sim.people["is_borrower"].to_numpy(bool)[order[usable]]]
    wanted = round(sim.effects.value("m00_n01", "dup_person_rate") * len(persons))
    chosen = np.sort(rng.permutation(usable)[: 3 * wanted])
    # no chains: a copy is never copied again
    apart = np.ones(len(chosen), dtype=bool)
    apart[1:] = np.diff(chosen) > 1
    chosen = rng.permutation(chosen[apart])[:wanted]
    copy, source = order[chosen], order[chosen - 1]
    changed = customer.copy()
    for column in _IDENTITY:
        values = changed[column].to_numpy(dtype=object, na_value=None, copy=True)
        values[copy] = values[source]
        changed[column] = pd.Series(values, index=changed.index).astype(customer[column].dtype)
    sim.tables["customer"] = changed
    share = changed["id_hash"].iloc[persons].duplicated().mean()
    sim.record("m00_n01", "dup_person_rate", float(share), "证件假名与另一客户相同的个人客户占比")


def _missing_birth(sim: Simulation) -> None:
    """Drop birth years, ten times as often in the small outlets."""
    rng, customer = sim.rng("missing_birth"), sim.tables["customer"]
    kind = sim.tables["branch"].set_index("branch_id")["branch_type"]
    small = (customer["branch_id"].map(kind) == "分理处").to_numpy()
    persons = np.zeros(len(customer), dtype=bool)
    persons[_persons(sim)] = True
    weight = np.where(small, 10.0, 1.0) * persons
    wanted = round(sim.effects.value("m00_n01", "missing_birth_rate") * persons.sum())
    key = np.where(persons, rng.exponential(size=len(customer)) / np.maximum(weight, 1e-9), np.inf)
    gone = np.zeros(len(customer), dtype=bool)
    gone[np.argsort(key, kind="stable")[:wanted]] = True
    sim.tables["customer"] = customer.assign(
        birth_year=customer["birth_year"].mask(gone), birth_month=customer["birth_month"].mask(gone)
    )
    note = (
        f"分理处缺失率 {gone[small & persons].mean():.3f}，其他 {gone[~small & persons].mean():.3f}"
    )
    sim.record("m00_n01", "missing_birth_rate", float(gone[persons].mean()), note)


def _phones(sim: Simulation) -> None:
    """Record the share of invalid phones, planted when the customers were drawn."""
    customer = sim.tables["customer"]
    bad = ~customer["phone_valid"].astype(bool)
    branch = next(
        name for name in sim.effects.value("m00_n01", "bad_phone_branch") if name != "other"
    )
    here = customer["branch_id"] == branch
    realised = {branch: float(bad[here].mean()), "other": float(bad[~here].mean())}
    sim.record("m00_n01", "bad_phone_branch", realised, "无效电话占比")


def _maturities(sim: Simulation) -> None:
    """Put the maturity of some settled loans before their start, as a mistyped year does."""
    rng, loan = sim.rng("bad_maturity"), sim.tables["loan"]
    settled = np.flatnonzero(loan["settle_date"].notna().to_numpy())
    wanted = round(sim.effects.value("m00_n01", "bad_maturity_rate") * len(loan))
    chosen = rng.permutation(settled)[:wanted]
    maturity = loan["maturity_date"].to_numpy().astype("datetime64[D]").copy()
    issued = loan["issue_date"].to_numpy().astype("datetime64[D]")
    length = (maturity - issued).astype(int)[chosen].clip(30, 1095)
    maturity[chosen] = issued[chosen] - length
    sim.tables["loan"] = loan.assign(maturity_date=maturity.astype("datetime64[s]"))
    ids = sorted(loan["loan_id"].astype(str).to_numpy()[chosen])
    share = (maturity < issued).mean()
    note = "到期日早于发放日的借据，如 " + "、".join(ids[:3])
    sim.record("m00_n01", "bad_maturity_rate", float(share), note)


def _ledger_gap(sim: Simulation) -> None:
    """Shift the ledger of one branch at one month end away from the sum of its accounts."""
    rng, ledger = sim.rng("ledger_gap"), sim.tables["branch_day"]
    day = pd.to_datetime(ledger["date"])
    ends = sim.months(12)[1:-2]
    ends = ends[~ends.is_quarter_end]
    month = ends[rng.integers(0, len(ends))]
    branches = np.unique(ledger["branch_id"].astype(str))
    branch = branches[rng.integers(0, len(branches))]
    row = ((day == month) & (ledger["branch_id"].astype(str) == branch)).to_numpy()
    money = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
    total = ledger.loc[row, money].sum(axis=1).to_numpy()
    gap = np.round(total * sim.effects.value("m00_n01", "ledger_gap"), 2)
    shifted = ledger["personal_term"].to_numpy(dtype=float).copy()
    shifted[row] = np.round(shifted[row] + gap, 2)
    sim.tables["branch_day"] = ledger.assign(personal_term=shifted)
    note = f"{branch} {month:%Y-%m}：总账比账户合计多 {gap[0]:.2f} 元"
    sim.record("m00_n01", "ledger_gap", float(gap[0] / total[0]), note)
