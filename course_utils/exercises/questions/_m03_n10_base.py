"""Reference tables of m03_n10: today's lines, past raises and the pool for the plan.

Rebuilt from the bank's own tables with plain arrays; nothing is taken from the notebook but the
parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises import Context

# ------------------------------------------------------------------------------ today's lines


def _ordinal(dates: pd.Series) -> pd.Series:
    """Return months as integers."""
    return dates.dt.year * 12 + dates.dt.month


def _clean(context: Context, customers: pd.Series) -> pd.Series:
    """Months since the last overdue month end (or since before the first loan) by customer."""
    loans = context.load("loan", ["loan_id", "customer_id"])
    owner = dict(zip(loans["loan_id"].astype(str), loans["customer_id"], strict=True))
    months = context.load("loan_month", ["month", "loan_id", "dpd"])
    who = months["loan_id"].astype(str).map(owner)
    table = pd.DataFrame({"who": who, "m": _ordinal(months["month"]), "late": months["dpd"] > 0})
    table = table[table["who"].isin(customers)]
    begin = table.groupby("who")["m"].min() - 1
    last = table[table["late"]].groupby("who")["m"].max()
    now = context.as_of.year * 12 + context.as_of.month
    return now - begin.where(~begin.index.isin(last.index), last.reindex(begin.index))


def _money(context: Context, customers: pd.Series) -> pd.DataFrame:
    """Monthly inflow without own transfers, twelve columns in order."""
    columns = ["month", "customer_id", "in_amount", "external_bank_in_amount"]
    flow = context.load("customer_month", columns)
    now = context.as_of.year * 12 + context.as_of.month
    age = now - _ordinal(flow["month"])
    flow = flow[flow["customer_id"].isin(customers) & (age < 12)]
    net = flow["in_amount"] - flow["external_bank_in_amount"]
    return flow.assign(net=net).pivot_table("net", "customer_id", "month", "sum").fillna(0.0)


def _due(context: Context) -> pd.Series:
    """Monthly payment at other lenders from the newest report that may be used."""
    p, today = context.parameters, context.as_of
    report = context.load("bureau_report")
    start = today - pd.DateOffset(months=p["REPORT_MONTHS"])
    scope = np.isin(report["consent_scope"].to_numpy(dtype=object), ["授信管理", "贷后管理"])
    expired = report["consent_expire_date"].notna() & (report["consent_expire_date"] < today)
    report = report[scope & ~expired & (report["query_date"] > start)]
    report = report.sort_values(["query_date", "query_id"])
    return report.groupby("customer_id")["month_due"].last()


def payment_factor(percent: Any, months: int) -> Any:
    """Principal that one 元 a month repays."""
    rate = np.asarray(percent, dtype=float) / 1200
    safe = np.where(rate == 0, 1.0, rate)
    return np.where(rate == 0, months, (1 - (1 + safe) ** -months) / safe)


def _base(context: Context) -> pd.DataFrame:
    """Personal lines in use, one a customer."""
    people = context.load("customer").set_index("customer_id")
    line = context.load("credit_line")
    guarded = line["guarantee"].astype(str).isin(list(context.parameters["LGD"]))
    personal = ~line["customer_id"].map(people["customer_type"]).eq("企业")
    line = line[(line["status"] == "有效") & guarded & personal]
    line = line.sort_values(["customer_id", "limit", "line_id"]).groupby("customer_id").tail(1)
    line = line[line["used"] > 0].set_index("line_id")
    for name in ("segment", "branch_id", "credit_grade", "occupation", "do_not_call"):
        line[name] = line["customer_id"].map(people[name])
    return line


def _lines(context: Context) -> pd.DataFrame:
    p = context.parameters
    line = _base(context)
    usage = context.load("credit_line_month")
    usage = usage.assign(line_id=usage["line_id"].astype(str))
    usage = usage[usage["line_id"].isin(line.index)]
    age = context.as_of.year * 12 + context.as_of.month - _ordinal(usage["month"])
    full = (age < 6) & (usage["used"] >= p["HIGH_USE"] * usage["limit"])
    line["high_use_months"] = full.groupby(usage["line_id"]).sum().reindex(line.index).fillna(0)
    year = usage[age < 12]
    line["peak_use"] = year.groupby("line_id")["used"].max()
    who = line["customer_id"]
    line["clean_months"] = who.map(_clean(context, who))
    money = _money(context, who)
    halves = [np.sort(money.to_numpy()[:, part], axis=1)[:, :-1].sum(axis=1)
              for part in (slice(0, 6), slice(6, 12))]  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        trend = np.where(halves[0] > 0, halves[1] / halves[0] - 1, np.nan)
    line["trend"] = who.map(pd.Series(trend, index=money.index))
    share = line["segment"].map(lambda name: p["INCOME_SHARE"].get(name, 1.0)).astype(float)
    line["net_income"] = who.map(money.sum(axis=1) / money.shape[1]) * share
    line["other_due"] = who.map(_due(context))
    line["grade"] = line["credit_grade"]
    line["new_limit"] = limit_of(context, line)
    line["raise_amount"] = line["new_limit"] - line["limit"]
    month = line["new_limit"] / payment_factor(line["rate"], p["REPAY_MONTHS"])
    income = line["net_income"].where(line["net_income"] > 0)
    line["dsr_after"] = (month + line["other_due"].fillna(0)) / income
    return line


def lines(context: Context) -> pd.DataFrame:
    """Return today's lines with everything the lesson computes (made once)."""
    return context.remember("lines", lambda: _lines(context))


def limit_of(
    context: Context,
    table: pd.DataFrame,
    *,
    largest: bool = False,
    other_debt: bool = True,
    interest: bool = True,
    floor: bool = True,
) -> pd.Series:
    """New limits, or those of a named mistake."""
    p = context.parameters
    due = np.nan_to_num(table["other_due"].to_numpy(float)) if other_debt else 0.0
    room = np.maximum(table["net_income"].to_numpy(float) * p["DISPOSABLE_SHARE"] - due, 0.0)
    months = p["REPAY_MONTHS"]
    worth = payment_factor(table["rate"], months) if interest else months
    scale = [p["GRADE_MULTIPLE"].get(g, 1.0) for g in table["grade"]]
    old = table["limit"].to_numpy(float)
    caps = np.vstack(
        [room * worth, old * np.array(scale, float), table["peak_use"] * p["NEED_BUFFER"]]
    ).reshape(3, len(table))
    cap = caps.max(axis=0) if largest else caps.min(axis=0)
    cents = np.round(cap * 100)
    whole = cents // 1_000_000 * 10_000
    return pd.Series(np.maximum(whole, old) if floor else whole, index=table.index)


# --------------------------------------------------------------------------------- past raises


def capital(p: dict[str, Any]) -> float:
    return p["RISK_WEIGHT"] * p["CAPITAL_RATIO"] * p["CAPITAL_RETURN"] / (1 - p["TAX"])


def past_raises(context: Context) -> pd.DataFrame:
    """Past raises of personal lines with margin and expected value of one 元 of raise."""
    p = context.parameters
    people = context.load("customer", ["customer_id", "customer_type"]).set_index("customer_id")
    line = context.load("credit_line").set_index("line_id")
    change = context.load("credit_line_change")
    change = change[change["kind"].astype(str).isin(["主动提额", "申请提额"])].copy()
    change["kind_of"] = change["line_id"].map(line["guarantee"].astype(str))
    change = change[
        change["kind_of"].isin(list(p["LGD"]))
        & ~change["customer_id"].map(people["customer_type"]).eq("企业")
    ].copy()
    curve = context.load("ftp_curve")
    curve = curve[curve["term_months"] == 12].sort_values("month")
    ends, rates = curve["month"].to_numpy(), curve["rate"].to_numpy()
    day = change["change_date"].to_numpy()
    after = np.clip(np.searchsorted(ends, day), 1, len(ends) - 1)
    earlier = (day - ends[after - 1]) <= (ends[after] - day)
    price = rates[np.where(earlier, after - 1, after)]
    rate = change["line_id"].map(line["rate"]).to_numpy()
    change["margin"] = (rate - price) / 100 - p["OPEX"] - capital(p)
    change["lgd"] = change["kind_of"].map(p["LGD"]).astype(float)
    raised = change["new_limit"] - change["old_limit"]
    change["value"] = raised * (change["margin"] - change["pd_estimate"] * change["lgd"])
    return change


# ----------------------------------------------------------------------------- pool of the plan


def _pool(context: Context) -> pd.DataFrame:
    p, today, line = context.parameters, context.as_of, lines(context).copy()
    agreed = context.load("consent")
    alive = agreed["expire_date"].isna() | (agreed["expire_date"] >= today)
    agreed = set(agreed.loc[alive & agreed["granted"] & (agreed["scope"] == "营销"), "customer_id"])
    curve = context.load("ftp_curve")
    price = curve[curve["term_months"] == 12].sort_values("month")["rate"].iloc[-1]
    loss = line["pd_estimate"] * line["guarantee"].astype(str).map(p["LGD"]).astype(float)
    unit = (line["rate"] - price) / 100 - p["OPEX"] - capital(p) - loss
    line["value"] = line["raise_amount"] * unit
    loans = context.load("loan", ["loan_id", "line_id", "issue_date", "industry_code"])
    loans = loans.sort_values(["issue_date", "loan_id"]).groupby("line_id").tail(1)
    code = loans.set_index("line_id")["industry_code"].reindex(line.index)
    section = context.load("industry").set_index("industry_code")["section"]
    line["farming"] = (code.map(section) == "A").fillna(False).astype(bool)
    keep = (
        (line["clean_months"] >= p["CLEAN_MONTHS"])
        & (line["dsr_after"] <= p["DSR_MAX"])
        & (line["trend"] >= p["TREND_MIN"])
        & (line["high_use_months"] >= 1)
        & (line["raise_amount"] >= 10_000)
        & (line["value"] > 0)
        & line["customer_id"].isin(agreed)
        & ~line["do_not_call"].astype(bool)
        & line["occupation"].ne("学生")
    )
    return line[keep]


def pool(context: Context) -> pd.DataFrame:
    """Return the lines that may be offered (made once)."""
    return context.remember("pool", lambda: _pool(context))
