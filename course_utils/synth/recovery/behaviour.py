"""Recover the planted truths of statements and mobile banking from the published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.behaviour.names import FALSE_FRIEND, ONLINE_KINDS
from course_utils.synth.recovery.base import Recovery, Tables

if TYPE_CHECKING:
    from course_utils.bank import Profile

READABLE = 48
MIN_TIMES, MIN_DAYS, MAX_DAYS, MAX_CV = 3, 20, 40, 0.25
FALSE_WORDS = ("餐饮", "商城", "会员权益", "广告", "退款")


def keyword_payments(tables: Tables) -> pd.DataFrame:
    """Return outgoing payments whose payee contains a keyword of an online lender (rule A + B)."""
    words = tables["lender_keyword"]
    words = words.loc[words["lender_kind"].astype(str).isin(ONLINE_KINDS), "keyword"].astype(str)
    rows = tables["transaction"]
    rows = rows[rows["direction"].astype(str) == "支出"]
    payee = rows["counterparty_name"].astype("category")
    hit = payee.cat.categories.astype(str).str.contains("|".join(words), regex=True)
    codes = payee.cat.codes.to_numpy()
    return rows[(codes >= 0) & np.asarray(hit)[codes]]


def periodic(rows: pd.DataFrame) -> np.ndarray:
    """Return which payments belong to a customer and payee that repeat monthly (rule C).

    At least three payments, the median gap 20 to 40 days, the amounts' CV below 0.25.
    """
    rows = rows.sort_values(["customer_id", "counterparty_name", "date"])
    payee = rows["counterparty_name"].astype("category").cat.codes.astype(str)
    key = rows["customer_id"].astype(str) + payee
    gap = rows["date"].diff().dt.days.where(key == key.shift())
    group = pd.DataFrame({"key": key, "amount": rows["amount"].astype(float), "gap": gap})
    stats = group.groupby("key").agg(
        times=("amount", "size"),
        mean=("amount", "mean"),
        sd=("amount", "std"),
        gap=("gap", "median"),
    )
    good = (stats["times"] >= MIN_TIMES) & stats["gap"].between(MIN_DAYS, MAX_DAYS)
    good &= stats["sd"] / stats["mean"] < MAX_CV
    result = key.map(good)
    return result.sort_index().to_numpy(dtype=bool)


def online_users(tables: Tables, profile: Profile) -> float:
    """Share of persons with a readable statement who repay an online lender, weighted.

    Readable: at least 48 payments a year; in a thinner statement a monthly repayment cannot show.
    """
    rows = keyword_payments(tables).sort_index()
    name = rows["counterparty_name"].astype(str)
    real = ~name.str.contains("|".join(FALSE_WORDS)).to_numpy()
    users = set(rows.loc[periodic(rows) & real, "customer_id"])
    customer = tables["customer"].set_index("customer_id")
    out = tables["transaction"]["direction"].astype(str) == "支出"
    lively = tables["transaction"][out].groupby("customer_id").size()
    lively = lively[lively >= READABLE].index
    base = customer.reindex(lively)
    person = (base["customer_type"].astype(str) != "企业").to_numpy()
    weight = base["weight"].to_numpy(dtype=float) if "weight" in base else np.ones(len(base))
    uses = np.isin(lively.to_numpy(), list(users))
    return float(np.average(uses[person], weights=weight[person]))


def keyword_precision(tables: Tables, profile: Profile) -> float:
    """Share of labelled keyword payments that are real repayments."""
    labels = tables["label_sample"]
    labels = labels[labels["task"].astype(str) == "网贷识别"]
    hits = keyword_payments(tables)["transaction_id"]
    checked = labels[labels["left_id"].isin(hits)]
    return float(checked["true_label"].astype(float).mean())


def false_friend(tables: Tables, profile: Profile) -> float:
    """1 if the payee that sounds like a lender occurs in the statements."""
    return float((tables["transaction"]["counterparty_name"].astype(str) == FALSE_FRIEND).any())


def month_end_share(tables: Tables) -> pd.Series:
    """Return by branch the share of logins in the last three days of the month."""
    rows = tables["mobile_day"]
    end = rows["date"] + pd.offsets.MonthEnd(0)
    late = (end - rows["date"]).dt.days < 3
    logins = rows["login_customers"].astype(float)
    total = logins.groupby(rows["branch_id"].astype(str)).sum()
    return (logins * late).groupby(rows["branch_id"].astype(str)).sum() / total


def spike_branches(tables: Tables, profile: Profile) -> float:
    """Number of the planted branches among those whose month-end share is far above the median."""
    share = month_end_share(tables)
    found = set(share.index[share > 1.5 * share.median()])
    return float(len(found & {"B11", "B22"}) - len(found - {"B11", "B22"}))


def draw_after_activation(tables: Tables, profile: Profile) -> float:
    """Share of called silent holders of a never-used line who first draw within ninety days."""
    log = tables["contact_log"]
    called = log[(log["purpose"] == "活跃") & (log["arm"] == "随机触达")]
    first = tables["credit_line"].groupby("customer_id")["first_draw_date"].min()
    days = (called["customer_id"].map(first) - called["contact_time"]).dt.days
    return float(days.between(0, 90).mean())


RECOVERIES = [
    Recovery("m03_n03", "online_users", online_users, tolerance=0.044),
    Recovery("m03_n03", "kw_precision", keyword_precision, tolerance=0.10),
    Recovery("m03_n03", "false_friend", false_friend, tolerance=0.0),
    Recovery("m04_n03", "draw_activation", draw_after_activation, tolerance=0.026, null=0.04),
    Recovery("m04_n03", "spike_branches", spike_branches, tolerance=0.0, planted=2.0),
]
