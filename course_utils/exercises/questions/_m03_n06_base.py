"""What the references of m03_n06 share: mortgages, grades, uptake and the pool of each branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import Context

Grade = Callable[[Any, Any, Any], str]
STUDENT, MORTGAGE = "助学贷", "按揭"

# ---------------------------------------------------------------------------------- shared


def with_line(context: Context) -> pd.DataFrame:
    """Return all loans with the business line of their product."""
    product = context.load("product").set_index("product_code")["line"].astype(str)
    loan = context.load("loan")
    return loan.assign(line=loan["product_code"].map(product))


def mortgages(context: Context) -> pd.DataFrame:
    """Return the mortgages."""
    loan = with_line(context)
    return loan[loan["line"] == MORTGAGE]


def months(context: Context) -> pd.DataFrame:
    """Return the monthly rows of the mortgages."""
    rows = context.load("loan_month")
    return rows[rows["loan_id"].isin(mortgages(context)["loan_id"])]


def last_month(context: Context) -> pd.Timestamp:
    """Return the last month of the data."""
    return pd.Timestamp(months(context)["month"].max())


def month_number(date: Any) -> int:
    return date.year * 12 + date.month


def grade_rule(context: Context) -> Grade:
    """Return the reference rule for the lines in force."""
    lines = context.parameters["GRADE_LINES"]

    def grade_of(streak: Any, ltv: Any, dsr: Any) -> str:
        if ltv is None:
            return "C"
        passed = [
            name
            for name, (least, top_ltv, top_dsr) in lines.items()
            if not streak < least
            and not ltv > top_ltv
            and ((name != "A") if dsr is None else not dsr > top_dsr)
        ]
        return min(passed) if passed else "C"

    return grade_of


def snapshot(context: Context, when: pd.Timestamp) -> pd.DataFrame:
    """Return the mortgages alive on a month end with balance, days past due, grade."""
    from course_utils.analysis import cohorts

    loan = mortgages(context).set_index("loan_id")
    loan = loan[
        (loan["issue_date"] <= when) & (loan["settle_date"].isna() | (loan["settle_date"] > when))
    ]
    rows = months(context)
    rows = rows[rows["month"] == when].set_index("loan_id")[["balance", "dpd"]]
    loan = loan.drop(columns="balance").join(rows)
    due = context.load("repayment")
    due = due[due["loan_id"].isin(loan.index)]
    loan["streak"] = cohorts.streak(due, when, context.parameters["GRACE_DAYS"]).reindex(loan.index)
    loan["streak"] = loan["streak"].fillna(0)
    last = due[(due["due_date"] <= when) & (due["kind"] == "按期")]
    last = last.loc[last.groupby("loan_id")["due_date"].idxmax()].set_index("loan_id")
    loan["due"] = (last["due_principal"] + last["due_interest"]).reindex(loan.index)
    loan["dsr"] = loan["due"] * 12 / loan["customer_id"].map(_incomes(context))
    for name in ("appraised", "area_price_reference"):
        loan[name] = _worth(context, name).reindex(loan.index)
    loan["ratio"] = _price_ratio(context, when).reindex(loan.index)
    loan["grade"] = _grades(context, loan, loan["appraised"])
    return loan


def _incomes(context: Context) -> pd.Series:
    """Return customer -> yearly income of the household."""
    if not context.bank.has("household.income_year"):
        return pd.Series(dtype=float)
    home = context.load("customer").set_index("customer_id")["household_id"].astype(object)
    income = context.load("household").set_index("household_id")["income_year"]
    return home.map(income)


def _worth(context: Context, name: str) -> pd.Series:
    if not context.bank.has(f"collateral.{name}"):
        return pd.Series(dtype=float)
    return context.load("collateral").groupby("loan_id")[name].first()


def _price_ratio(context: Context, when: pd.Timestamp) -> pd.Series:
    """Return loan -> house prices at ``when`` over those at the appraisal."""
    from course_utils.analysis import cohorts

    if not context.bank.has("collateral"):
        return pd.Series(dtype=float)
    dates = context.load("collateral").groupby("loan_id")["appraise_date"].first()
    if not context.bank.has("macro_month.house_price_index"):
        return dates.notna().astype(float)
    index = context.load("macro_month").set_index("month")["house_price_index"]
    return cohorts.price_ratio(index, dates, when)


def _grades(context: Context, loan: pd.DataFrame, worth: pd.Series) -> pd.Series:
    rule = grade_rule(context)
    ltv = loan["balance"] / (worth.astype(float) * loan["ratio"] * context.parameters["HAIRCUT"])
    cells = zip(loan["streak"], ltv, loan["dsr"], strict=True)
    return pd.Series(
        [rule(s, None if pd.isna(x) else x, None if pd.isna(d) else d) for s, x, d in cells],
        index=loan.index,
    )


def _others(context: Context) -> pd.DataFrame:
    loan = with_line(context)
    return loan[~loan["line"].isin([MORTGAGE, STUDENT])]


def took(context: Context) -> tuple[float, float]:
    """Return the Wilson limits of the share that took another loan within a year."""
    return context.remember("took", lambda: _took(context))


def _took(context: Context) -> tuple[float, float]:
    from course_utils.analysis import experiment

    other, today = _others(context), last_month(context)
    hits = size = 0
    for years in (1, 2, 3):
        when = today - pd.offsets.MonthEnd(12 * years)
        until = when + pd.offsets.MonthEnd(12)
        rows = snapshot(context, when)
        rows = rows[rows["dpd"] <= 30]
        before = other[(other["issue_date"] <= when) & ~(other["settle_date"] <= when)]
        after = other[(other["issue_date"] > when) & (other["issue_date"] <= until)]
        free = rows.loc[~rows["customer_id"].isin(before["customer_id"]), "customer_id"]
        hits, size = hits + int(free.isin(after["customer_id"]).sum()), size + len(free)
    row = experiment.wilson([hits], [size]).iloc[0]
    return float(row["low"]), float(row["high"])


def pool(context: Context) -> pd.DataFrame:
    """Return, by branch, customers who can be contacted and the managers' capacity."""
    return context.remember("pool", lambda: _pool(context))


def _pool(context: Context) -> pd.DataFrame:
    rows = snapshot(context, last_month(context))
    excess = rows["appraised"].astype(float) / rows["area_price_reference"].astype(float) - 1
    part = excess.dropna().groupby(rows["branch_id"])
    low = part.mean() - 1.96 * part.std() / part.size() ** 0.5
    dear = low.index[(low > context.parameters["APPRAISAL_LIMIT"]) & (part.size() >= 10)]
    fair = rows["area_price_reference"].where(
        rows["branch_id"].isin(dear) & rows["area_price_reference"].notna(), rows["appraised"]
    )
    rows["grade"] = _grades(context, rows, fair)
    rows = rows[rows["grade"].isin(["A", "B"]) & (rows["dpd"] == 0)]
    person = context.load("customer").set_index("customer_id")
    consent = context.load("consent")
    valid = consent["expire_date"].isna() | (consent["expire_date"] >= context.as_of)
    agreed = consent[valid & consent["granted"].astype(bool) & (consent["scope"] == "营销")]
    busy = _others(context)
    busy = busy[busy["settle_date"].isna()]
    owner = rows["customer_id"]
    keep = owner.isin(agreed["customer_id"]) & ~owner.isin(busy["customer_id"])
    keep &= owner.map(person["phone_valid"]).astype(bool)
    keep &= ~owner.map(person["do_not_call"]).astype(bool)
    keep &= owner.map(person["occupation"]) != "学生"  # no lending calls to students
    rows = rows[keep].assign(weight=owner[keep].map(person["weight"]).astype(float))
    staff = context.load("employee")
    staff = staff[(staff["post"].astype(str) == "客户经理") & staff["active"].astype(bool)]
    table = rows.groupby("branch_id")["weight"].sum().to_frame("customers")
    heads = staff["branch_id"].value_counts().reindex(table.index).fillna(0)
    table["room"] = np.minimum(
        table["customers"], heads * context.parameters["CONTACTS_PER_MANAGER"]
    )
    return table


def total_goal(context: Context) -> int:
    """Return the contacts of the whole bank."""
    table = pool(context)
    return int(
        min(context.parameters["CONTACT_SHARE"] * table["customers"].sum(), table["room"].sum())
    )
