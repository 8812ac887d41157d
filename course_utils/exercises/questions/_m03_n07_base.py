"""What the references of m03_n07 share: the cohort, its spells, ages, and who may be listed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.exercises import Context

FEATURES = ("returnee", "payroll", "mobile", "years")


def with_line(context: Context) -> pd.DataFrame:
    """Return all loans with the business line of their product."""
    product = context.load("product").set_index("product_code")["line"].astype(str)
    loan = context.load("loan")
    return loan.assign(line=loan["product_code"].map(product))


def cohort(context: Context) -> pd.DataFrame:
    """Return one row a student borrower (the latest student loan), what he holds, who he is."""
    return context.remember("cohort", lambda: _cohort(context))


def _cohort(context: Context) -> pd.DataFrame:
    loan = with_line(context)
    mine = loan[loan["line"] == "助学贷"].sort_values("issue_date", ascending=False)
    mine = mine[~mine["customer_id"].duplicated()].set_index("customer_id")
    person = context.load("customer").set_index("customer_id").reindex(mine.index)
    held = context.load("customer_product").set_index("customer_id").reindex(mine.index)
    years = (context.as_of - mine["graduation_date"]).dt.days / 365
    home = person["is_returnee"] if "is_returnee" in person else pd.Series(False, mine.index)
    return mine.assign(
        weight=person["weight"].astype(float),
        age=context.as_of.year - person["birth_year"].astype(float),
        do_not_call=person["do_not_call"].astype(bool),
        phone_valid=person["phone_valid"].astype(bool),
        returnee=(home == True).astype(float),  # noqa: E712
        payroll=(held["has_payroll"] == True).astype(float),  # noqa: E712
        mobile=(held["has_mobile_bank"] == True).astype(float),  # noqa: E712
        years=years,
    )


def spells(context: Context) -> pd.DataFrame:
    """Return months until first quiet after settlement, whether it happened, and payroll."""
    return context.remember("spells", lambda: _spells(context))


def _spells(context: Context) -> pd.DataFrame:
    people = cohort(context)
    panel = context.load("customer_month", ["month", "customer_id", "customer_transaction_count"])
    ends = pd.DatetimeIndex(np.sort(panel["month"].unique()))
    panel = panel[panel["customer_id"].isin(people.index)]
    moves = {
        who: dict(zip(part["month"], part["customer_transaction_count"], strict=True))
        for who, part in panel.groupby("customer_id")
    }
    result = {}
    for who, row in people.dropna(subset=["settle_date"]).iterrows():
        start = row["settle_date"] + pd.offsets.MonthEnd(0)
        if not ends[0] <= start <= ends[-4]:
            continue
        at, own = ends.get_loc(start), moves.get(who, {})
        for k in range(3, len(ends) - at):
            recent = ends[at + k - 2 : at + k + 1]
            if sum(own.get(month, 0) for month in recent) <= context.parameters["QUIET_MOVES"]:
                result[who] = (k, True, row["payroll"] == 1)
                break
        else:
            result[who] = (len(ends) - at - 1, False, row["payroll"] == 1)
    return pd.DataFrame.from_dict(result, orient="index", columns=["months", "event", "payroll"])


def crowd(context: Context) -> pd.DataFrame:
    """Return ages and weights of the customers whose statements show online lenders."""
    return context.remember("crowd", lambda: _crowd(context))


def _crowd(context: Context) -> pd.DataFrame:
    from course_utils.analysis import leads

    if context.bank.has("transaction") and context.bank.has("lender_keyword"):
        flow = context.load("transaction", list(leads.ROWS))
        found = leads.lender_pairs(flow, context.load("lender_keyword"))["customer_id"]
    else:
        loan = context.load("loan")
        found = loan.loc[loan["online"].astype(bool), "customer_id"]
    person = context.load("customer")
    person = person[person["customer_id"].isin(found)]
    age = context.as_of.year - person["birth_year"].astype(float)
    return pd.DataFrame({"age": age, "weight": person["weight"].astype(float)}).dropna()


def _shares(context: Context, rows: pd.DataFrame) -> np.ndarray:
    """Return weighted shares by age band; the last band is open."""
    starts = np.arange(18, 81, context.parameters["AGE_STEP"])
    place = np.searchsorted(starts, rows["age"].to_numpy(float), side="right") - 1
    inside = (place >= 0) & (rows["age"].to_numpy(float) <= 120)
    total = np.bincount(
        place[inside], weights=rows["weight"].to_numpy(float)[inside], minlength=len(starts)
    )
    return total / total.sum()


def likeness(context: Context, graduates_only: bool = True) -> tuple[float, float]:
    """Return overlap coefficient and KS of the borrowers' ages and the crowd's."""
    rows = cohort(context)
    if graduates_only:
        rows = rows[rows["graduation_date"] <= context.as_of]
    a, b = _shares(context, rows[["age", "weight"]].dropna()), _shares(context, crowd(context))
    return float(1 - np.abs(a - b).sum() / 2), float(np.abs(np.cumsum(a - b)).max())


def rated(context: Context) -> pd.DataFrame:
    """Return the cohort of the branch with chance, consent and the right occasion."""
    return context.remember("rated", lambda: _rated(context))


def _rated(context: Context) -> pd.DataFrame:
    from course_utils.analysis import model

    people = cohort(context)
    half_year = context.as_of - pd.DateOffset(months=6)
    study = people[(people["graduation_date"] <= half_year)]
    study = study[study["age"] >= context.parameters["LEAST_AGE"]].copy()
    loan = with_line(context)
    loan = loan[loan["line"] != "助学贷"]
    first = loan.groupby("customer_id")["issue_date"].max().reindex(study.index)
    study["later"] = (first > study["graduation_date"]).astype(int)
    rater = model.fit_logit(study, list(FEATURES), "later")
    people = people.assign(years=people["years"].clip(lower=0))
    people["chance"] = rater.predict(people)
    consent = context.load("consent")
    valid = consent["expire_date"].isna() | (consent["expire_date"] >= context.as_of)
    good = consent[valid & consent["granted"].astype(bool) & (consent["scope"] == "营销")]
    people["consent"] = people.index.isin(good["customer_id"])
    border = context.as_of - pd.DateOffset(months=context.parameters["SETTLED_MONTHS"])
    fresh = (people["settle_date"] >= border) & (people["graduation_date"] <= context.as_of)
    people["touch"] = np.where(
        people["returnee"] == 1, "返乡对接", np.where(fresh, "结清祝贺", "毕业回访")
    )
    branch = context.parameters["BRANCH"]
    return people if branch is None else people[people["branch_id"] == branch]


def eligible(context: Context) -> pd.DataFrame:
    """Return whom a list may hold."""
    rows = rated(context)
    grown = (rows["graduation_date"] <= context.as_of) & (
        rows["age"] >= context.parameters["LEAST_AGE"]
    )
    free = rows["consent"] & rows["phone_valid"] & ~rows["do_not_call"]
    return rows[grown & free & (rows["overdue_days"] == 0)]
