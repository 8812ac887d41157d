"""Find the planted faults of the data again (m00_n01, m00_n02) as a class would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Recovery, Tables

if TYPE_CHECKING:
    from course_utils.bank import Profile

_MONEY = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
_PHONE = re.compile(r"(?<!\d)1\d{2}[\s-]?\d{4}[\s-]?\d{4}(?!\d)")


def _persons(tables: Tables) -> pd.DataFrame:
    customer = tables["customer"]
    return customer[customer["customer_type"] != "企业"]


def _duplicates(tables: Tables, profile: Profile) -> float:
    return float(_persons(tables)["id_hash"].duplicated().mean())


def _missing_birth(tables: Tables, profile: Profile) -> float:
    return float(_persons(tables)["birth_year"].isna().mean())


def _bad_maturity(tables: Tables, profile: Profile) -> float:
    loan = tables["loan"]
    return float((loan["maturity_date"] < loan["issue_date"]).mean())


def _bad_phones(tables: Tables, profile: Profile) -> float:
    """Return the share of invalid phones in the branch where it is highest."""
    customer = tables["customer"]
    bad = ~customer["phone_valid"].astype(bool)
    return float(bad.groupby(customer["branch_id"]).mean().loc["B07"])


def ledger_gaps(tables: Tables, profile: Profile) -> pd.Series:
    """Return the gap of every branch-month: (ledger − Σ weight × accounts) ÷ accounts."""
    customer = tables["customer"].set_index("customer_id")
    month = tables["customer_month"]
    who = customer.loc[month["customer_id"], ["branch_id", "weight"]]
    money = month["deposit_end"].to_numpy() * who["weight"].to_numpy()
    accounts = (
        pd.Series(money).groupby([month["month"].to_numpy(), who["branch_id"].to_numpy()]).sum()
    )
    ledger = tables["branch_day"].set_index(["date", "branch_id"])[_MONEY].sum(axis=1)
    ledger = ledger.reindex(accounts.index)
    return (ledger - accounts) / accounts


def _ledger_gap(tables: Tables, profile: Profile) -> float:
    gaps = ledger_gaps(tables, profile).abs()
    return float(gaps.max()) if (gaps > 0.001).sum() == 1 else float("nan")


def _unique(tables: Tables, profile: Profile) -> float:
    raw = tables["raw_export"][["village", "birth_date", "gender"]]
    return float((~raw.duplicated(keep=False)).mean())


def _hidden_column(tables: Tables, profile: Profile) -> float:
    """Return 1 if remark2 is the one free-text column that holds card verification data."""
    raw = tables["raw_export"]
    found = [
        c for c in ("note", "remark2") if raw[c].astype(str).str.contains("验证码").mean() > 0.5
    ]
    return float(found == ["remark2"])


def _note_phones(tables: Tables, profile: Profile) -> float:
    return float(tables["note"]["text"].map(lambda text: bool(_PHONE.search(text))).sum())


def _scope(tables: Tables, profile: Profile) -> float:
    scope = tables["bureau_report"]["consent_scope"].astype(str)
    return float(np.mean(~scope.isin(["营销", "授信管理"])))


RECOVERIES = [
    Recovery("m00_n01", "dup_person_rate", _duplicates, tolerance=0.003),
    Recovery("m00_n01", "missing_birth_rate", _missing_birth, tolerance=0.006),
    Recovery("m00_n01", "bad_maturity_rate", _bad_maturity, tolerance=0.003),
    Recovery("m00_n01", "bad_phone_branch", _bad_phones, tolerance=0.05, planted=0.22),
    Recovery("m00_n01", "ledger_gap", _ledger_gap, tolerance=0.0005),
    Recovery("m00_n02", "unique_qid", _unique, tolerance=0.03),
    Recovery("m00_n02", "c3_column", _hidden_column, tolerance=0, planted=1.0),
    Recovery("m00_n02", "note_phones", _note_phones, tolerance=0),
    Recovery("m00_n02", "scope_missing", _scope, tolerance=0.03),
]
