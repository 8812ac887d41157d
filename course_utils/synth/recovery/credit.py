"""Recover the planted truths of loans, bureau reports, lost borrowers, raises and bad loans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Recovery, Tables

if TYPE_CHECKING:
    from course_utils.bank import Profile

LOST_DAYS = 90
DORMANT_MOVES = 3  # transactions of their own in three months that a sleeping customer may have
#: Marginal cost of a raise for a known customer and loss given default of unsecured credit.
OPEX, LGD = 0.006, 0.65
CAPITAL_COST = 0.75 * 0.105 * 0.10 / 0.75  # risk weight × ratio × cost, before tax
TOWN_TYPES = ["营业部", "城区"]


def coverage(tables: Tables, profile: Profile) -> float:
    """Eligible persons without a live loan or line, over those with one (weighted)."""
    customer = tables["customer"]
    age = profile.as_of.year - customer["birth_year"].astype(float)
    agreed = tables["consent"].query("scope == '营销' and granted")["customer_id"]
    loan, line = tables["loan"], tables["credit_line"]
    live = loan[loan["settle_date"].isna()]
    bad = live.loc[live["five_class"].isin(["次级", "可疑", "损失"]), "customer_id"]
    fits = (
        age.between(18, 65) & (customer["customer_type"] != "企业") & ~customer["do_not_call"]
        & customer["customer_id"].isin(agreed) & ~customer["customer_id"].isin(bad)
    )  # fmt: skip
    usable = line.loc[line["status"] == "有效", "customer_id"]
    covered = customer["customer_id"].isin(live["customer_id"]) | customer["customer_id"].isin(
        usable
    )
    weight = customer["weight"].astype(float)
    return float(weight[fits & ~covered].sum() / weight[fits & covered].sum())


def bad_within_year(tables: Tables, profile: Profile) -> pd.DataFrame:
    """Return loans issued at least a year ago with ``bad``: > 90 days overdue within 12 months."""
    loan = tables["loan"]
    year = loan["issue_date"] + pd.DateOffset(months=12)
    month = tables["loan_month"]
    late = month[month["dpd"] > 90].groupby("loan_id", observed=True)["month"].min()
    first = loan["loan_id"].map(late)
    loan = loan.assign(bad=(first <= year + pd.offsets.MonthEnd(0)).fillna(False))
    return loan[year <= profile.as_of]


def approval_reports(tables: Tables, profile: Profile) -> pd.DataFrame:
    """Return mature loans with the bureau report drawn for their approval."""
    loan = bad_within_year(tables, profile).sort_values("issue_date")
    report = tables["bureau_report"]
    report = report[report["reason"] == "贷款审批"].sort_values("query_date")
    columns = ["customer_id", "query_date", "nonbank_lenders", "query_3m"]
    joined = pd.merge_asof(
        loan, report[columns], left_on="issue_date", right_on="query_date", by="customer_id",
        tolerance=pd.Timedelta(days=15),
    )  # fmt: skip
    line = tables["product"].set_index("product_code")["line"]
    return joined[joined["query_date"].notna() & ~joined["product_code"].map(line).isin(["按揭"])]


def _ratio(flag: pd.Series, bad: pd.Series) -> float:
    return float(bad[flag].mean() / bad[~flag].mean())


def many_lenders(tables: Tables, profile: Profile) -> float:
    """Bad rate with at least four non-bank lenders over the rate with fewer."""
    rows = approval_reports(tables, profile)
    return _ratio(rows["nonbank_lenders"] >= 4, rows["bad"])


def many_queries(tables: Tables, profile: Profile) -> float:
    """Bad rate with at least four queries in three months over the rate with fewer."""
    rows = approval_reports(tables, profile)
    return _ratio(rows["query_3m"] >= 4, rows["bad"])


def _mortgages(tables: Tables) -> pd.DataFrame:
    line = tables["product"].set_index("product_code")["line"]
    loan = tables["loan"]
    return loan[loan["product_code"].map(line) == "按揭"]


def safe_mortgage_pd(tables: Tables, profile: Profile) -> float:
    """Twelve-month default rate of seasoned, clean mortgages with a loan to value up to 50 %."""
    loan = _mortgages(tables)
    past = profile.as_of - pd.DateOffset(months=12) + pd.offsets.MonthEnd(0)
    month = tables["loan_month"]
    month = month[month["loan_id"].isin(loan["loan_id"])]
    now = month[month["month"] == past].set_index("loan_id")
    window = month[(month["month"] <= past) & (month["month"] > past - pd.DateOffset(months=24))]
    worst = window.groupby("loan_id", observed=True)["dpd"].max()
    value = tables["collateral"].drop_duplicates("loan_id").set_index("loan_id")["appraised"]
    age = loan.set_index("loan_id")["issue_date"]
    ids = now.index.astype(str)
    seasoned = (past - age.reindex(ids)).dt.days.to_numpy() >= 730
    ltv = now["balance"].to_numpy() / value.reindex(ids).to_numpy()
    clean = worst.reindex(now.index).fillna(0).to_numpy() <= 3
    grade_a = ids[seasoned & clean & (ltv <= 0.5) & (now["balance"] > 0).to_numpy()]
    later = month[(month["month"] > past) & month["loan_id"].isin(grade_a)]
    failed = later.groupby("loan_id", observed=True)["dpd"].max() > 90
    return float(failed.sum() / max(len(grade_a), 1))


def second_product(tables: Tables, profile: Profile) -> float:
    """Share of mortgage holders with a credit card, business or consumer loan."""
    held = tables["customer_product"]
    held = held[held["has_mortgage"].astype(bool)]
    other = held[["has_credit_card", "has_business_loan", "has_consumer_loan"]].astype(bool)
    return float(other.any(axis=1).mean())


def prepay_ratio(tables: Tables, profile: Profile) -> float:
    """Prepayments a month at a rate gap above 120 bp over those below, seasoned mortgages."""
    loan = _mortgages(tables)
    month = tables["loan_month"]
    month = month[month["loan_id"].isin(loan["loan_id"])].copy()
    issued = loan.set_index("issue_date")["rate"].sort_index()
    ends = np.sort(month["month"].unique())
    usual = pd.Series(
        [issued[(issued.index <= m) & (issued.index > m - pd.DateOffset(months=4))].median()
         for m in pd.DatetimeIndex(ends)], index=ends,
    ).ffill()  # fmt: skip
    by = loan.set_index("loan_id")
    key = month["loan_id"].astype(str)
    age = (month["month"] - key.map(by["issue_date"])).dt.days
    left = (key.map(by["maturity_date"]) - month["month"]).dt.days
    early = key.map(by["settle_type"].astype(object)).eq("提前结清") & (month["balance"] == 0)
    early &= key.map(by["five_class"].astype(object)).eq("正常")
    wide = (month["rate"] - month["month"].map(usual)) * 100 > 120
    inside = (age > 260) & (left > 250)
    return float(early[inside & wide].mean() / early[inside & ~wide].mean())


def dear_appraisals(tables: Tables, profile: Profile) -> float:
    """Number of the branch whose homes are appraised highest above comparable prices."""
    home = tables["collateral"].dropna(subset=["area_price_reference"])
    branch = home["loan_id"].map(tables["loan"].set_index("loan_id")["branch_id"])
    excess = home["appraised"] / home["area_price_reference"]
    mean = excess.groupby(branch).agg(["median", "size"])
    return float(mean.loc[mean["size"] >= 5, "median"].idxmax().lstrip("B"))


def _students(tables: Tables) -> pd.DataFrame:
    line = tables["product"].set_index("product_code")["line"]
    loan = tables["loan"]
    return loan[loan["product_code"].map(line) == "助学贷"]


def in_school(tables: Tables, profile: Profile) -> float:
    """Share of student borrowers who have not graduated."""
    rows = _students(tables).drop_duplicates("customer_id")
    return float((rows["graduation_date"] > profile.as_of).mean())


def _settled_students(tables: Tables, profile: Profile) -> pd.DataFrame:
    """Return students settled for a year or more with ``dormant``: nothing done in three months."""
    rows = _students(tables)
    rows = rows[rows["settle_date"] <= profile.as_of - pd.DateOffset(months=12)]
    panel = tables["customer_month"]
    recent = panel[panel["month"] > profile.as_of - pd.DateOffset(months=3)]
    moves = recent.groupby("customer_id")["customer_transaction_count"].sum()
    held = tables["customer_product"].set_index("customer_id")["has_payroll"]
    return rows.assign(
        dormant=rows["customer_id"].map(moves).fillna(0).to_numpy() <= DORMANT_MOVES,
        payroll=rows["customer_id"]
        .map(held)
        .astype("boolean")
        .fillna(False)
        .astype(bool)
        .to_numpy(),
    )


def dormant_students(tables: Tables, profile: Profile) -> float:
    """Share of customers who no longer use the account a year after settling."""
    return float(_settled_students(tables, profile)["dormant"].mean())


def kept_by_payroll(tables: Tables, profile: Profile) -> float:
    """Share of settled students with payroll here who still use the account."""
    rows = _settled_students(tables, profile)
    return float(1 - rows.loc[rows["payroll"], "dormant"].mean())


def returnees(tables: Tables, profile: Profile) -> float:
    """Later loans of returned graduates over those of the others."""
    rows = _students(tables).drop_duplicates("customer_id")
    rows = rows[rows["graduation_date"] <= profile.as_of - pd.DateOffset(months=6)]
    loan = tables["loan"]
    others = loan[~loan["loan_id"].isin(_students(tables)["loan_id"])]["customer_id"]
    home = rows["customer_id"].map(tables["customer"].set_index("customer_id")["is_returnee"])
    later = rows["customer_id"].isin(others)
    return _ratio(home.astype(bool), later)


def out_of_scope(tables: Tables, profile: Profile) -> float:
    """Share of reports whose consent covers neither marketing nor credit management."""
    scope = tables["bureau_report"]["consent_scope"]
    return float((~scope.isin(["营销", "授信管理"])).mean())


def good_acceptance(tables: Tables, profile: Profile) -> float:
    """Acceptance of random offers that save 12 % or more, at most one query in three months."""
    log = tables["contact_log"]
    log = log[(log["purpose"] == "他行贷款置换") & (log["arm"] == "随机触达")]
    report = tables["bureau_report"].sort_values("query_date")
    rows = pd.merge_asof(
        log.sort_values("contact_time"), report[["customer_id", "query_date", "query_3m"]],
        left_on="contact_time", right_on="query_date", by="customer_id",
    )  # fmt: skip
    good = (rows["saving_ratio"].astype(float) >= 0.12) & (rows["query_3m"].astype(float) <= 1)
    return float(rows.loc[good, "converted"].astype(float).mean())


def settled_loans(tables: Tables, profile: Profile) -> pd.DataFrame:
    """Return settled loans, never bad, with ``lost``: no new loan within 90 days."""
    loan = tables["loan"].sort_values("issue_date")
    line = tables["product"].set_index("product_code")["line"]
    name = loan["product_code"].map(line)
    loan = loan.assign(line=name)
    done = loan[loan["settle_date"].notna() & ~name.isin(["按揭", "助学贷"])]
    done = done[(done["settle_type"] != "核销") & (done["maturity_date"] >= done["issue_date"])]
    done = done[done["settle_date"] <= profile.as_of - pd.Timedelta(days=LOST_DAYS)]
    month = tables["loan_month"]
    bad = month.loc[month["dpd"] > 90, "loan_id"].unique()
    done = done[~done["loan_id"].isin(bad)].sort_values("settle_date")
    again = loan.loc[~name.isin(["按揭", "助学贷"]), ["customer_id", "issue_date"]]
    again = again.rename(columns={"issue_date": "again"})
    rows = pd.merge_asof(
        done, again, left_on="settle_date", right_on="again", by="customer_id",
        direction="forward", allow_exact_matches=True,
    )  # fmt: skip
    wait = (rows["again"] - rows["settle_date"]).dt.days
    kind = tables["branch"].set_index("branch_id")["branch_type"]
    return rows.assign(lost=~(wait <= LOST_DAYS), town=rows["branch_id"].map(kind).isin(TOWN_TYPES))


def gap_effect(tables: Tables, profile: Profile) -> float:
    """Loss rate in the county seat above a price gap of 150 bp minus the rate below it."""
    rows = settled_loans(tables, profile)
    rows = rows[rows["town"]].sort_values("settle_date")
    lpr = tables["lpr_rate"].sort_values("effective_date")
    rows = pd.merge_asof(rows, lpr, left_on="settle_date", right_on="effective_date")
    rival = tables["competitor_product"]
    low = rival[rival["bank_type"] == "大行"].groupby("line")["rate_low"].min()
    today = lpr.loc[lpr["effective_date"] <= profile.as_of, "lpr_1y"].iloc[-1]
    gap = rows["rate"] - rows["lpr_1y"] - (rows["line"].map(low).astype(float) - today)
    wide = gap * 100 > 150
    return float(rows.loc[wide, "lost"].mean() - rows.loc[~wide, "lost"].mean())


def age_limit(tables: Tables, profile: Profile) -> float:
    """Age at which borrowers begin to leave: the split with the largest chi-square."""
    rows = settled_loans(tables, profile)
    born = rows["customer_id"].map(tables["customer"].set_index("customer_id")["birth_year"])
    age = rows["settle_date"].dt.year - born.astype(float)
    best, limit = -1.0, np.nan
    for candidate in range(53, 68):
        old = age >= candidate
        if old.sum() < 5:
            continue
        p, p1, p0 = rows["lost"].mean(), rows.loc[old, "lost"].mean(), rows.loc[~old, "lost"].mean()
        chi = (p1 - p0) ** 2 / (p * (1 - p) * (1 / old.sum() + 1 / (~old).sum()))
        if chi > best:
            best, limit = chi, float(candidate)
    return limit


def recall_calls(tables: Tables) -> pd.DataFrame:
    """Return random recall calls with days since settlement and the price cut of their arm."""
    log = tables["contact_log"]
    log = log[(log["purpose"] == "归巢") & (log["arm"] == "随机触达")].copy()
    loan = tables["loan"].set_index("loan_id")
    log["days"] = (log["contact_time"] - log["loan_id"].map(loan["settle_date"])).dt.days
    lpr = tables["lpr_rate"].sort_values("effective_date")
    row = lpr["effective_date"].searchsorted(log["contact_time"], side="right") - 1
    log["lpr_1y"] = lpr["lpr_1y"].to_numpy()[row]
    group = [
        log["loan_id"].map(loan["product_code"]), log["contact_time"].dt.year, log["lpr_1y"],
    ]  # fmt: skip
    rate = log["offered_rate"].astype(float)
    price = rate.groupby(group)
    # only where the list price and the lowest price were both offered can the cut be read off
    whole = price.transform("max") - price.transform("min") > 0.75
    log["cut"] = (price.transform("max") - rate).where(whole)
    log["back"] = log["converted"].astype("boolean").fillna(False).astype(bool)
    return log


def early_recall(tables: Tables, profile: Profile) -> float:
    """Return rate of calls within 60 days of settlement over that of later calls."""
    log = recall_calls(tables)
    return _ratio(log["days"] <= 60, log["back"])


def price_sensitive(tables: Tables, profile: Profile) -> float:
    """Share of returners who return only for a lower price: 1 − rate(list price)/rate(−80 bp)."""
    log = recall_calls(tables)
    full, low = log["cut"] < 0.2, log["cut"] > 0.6
    return float(1 - log.loc[full, "back"].mean() / log.loc[low, "back"].mean())


def noise_branches(tables: Tables, profile: Profile) -> float:
    """Number of worst branches whose loss rate the funnel of their own area explains (1 or 0)."""
    rows = settled_loans(tables, profile)
    by = rows.groupby("branch_id").agg(
        mean=("lost", "mean"), size=("lost", "size"), town=("town", "first")
    )
    by = by[by["size"] >= 10]
    worst = by["mean"].idxmax()
    p = rows.loc[rows["town"] == by.loc[worst, "town"], "lost"].mean()
    limit = p + 3 * np.sqrt(p * (1 - p) / by.loc[worst, "size"])
    return float(by.loc[worst, "mean"] <= limit)


def raises(tables: Tables) -> pd.DataFrame:
    """Return limit increases whose outcome is known."""
    change = tables["credit_line_change"]
    change = change[change["kind"].isin(["主动提额", "申请提额"]) & change["bad_12m"].notna()]
    return change.assign(bad=change["bad_12m"].astype(bool))


def falling_inflow(tables: Tables, profile: Profile) -> float:
    """Bad rate of raises with falling inflow over the rate of the others."""
    rows = raises(tables)
    return _ratio(rows["inflow_trend_before"] < 0, rows["bad"])


def unused_lines(tables: Tables, profile: Profile) -> float:
    """Share of live lines that were never used."""
    line = tables["credit_line"]
    return float(line.loc[line["status"] == "有效", "first_draw_date"].isna().mean())


def cut_off(tables: Tables, profile: Profile) -> float:
    """PD at which an unsecured raise earns nothing: net margin over loss given default."""
    line = tables["credit_line"].set_index("line_id")
    rows = raises(tables).sort_values("change_date")
    rows = rows[rows["line_id"].map(line["guarantee"].astype(object)) == "信用"]
    curve = tables["ftp_curve"]
    curve = curve[curve["term_months"] == 12].sort_values("month")
    rows = pd.merge_asof(
        rows, curve[["month", "rate"]], left_on="change_date", right_on="month", direction="nearest"
    )
    margin = (rows["line_id"].map(line["rate"]) - rows["rate"]) / 100 - OPEX - CAPITAL_COST
    return float(margin.mean() / LGD)


def _open_debt(tables: Tables) -> pd.Series:
    case = tables["npl_case"]
    debt = case[["principal", "interest", "penalty", "fees"]].sum(axis=1)
    debt = debt.groupby(case["customer_id"]).sum()
    return debt[debt > 0]


def deposits_of_debtors(tables: Tables, profile: Profile) -> float:
    """Share of open bad debtors whose deposits reach a fifth of their debt."""
    debt = _open_debt(tables)
    panel = tables["customer_month"]
    now = panel[panel["month"] == panel["month"].max()].set_index("customer_id")["deposit_end"]
    return float((now.reindex(debt.index).fillna(0) >= 0.2 * debt).mean())


def payroll_recovery(tables: Tables, profile: Profile) -> float:
    """Mean share of the principal recovered within a year from debtors with payroll here."""
    case = tables["npl_case"].dropna(subset=["recovered_12m"])
    held = tables["customer_product"].set_index("customer_id")["has_payroll"]
    case = case[case["customer_id"].map(held).astype("boolean").fillna(False).astype(bool)]
    month = tables["loan_month"]
    month = month[month["loan_id"].isin(case["loan_id"])]
    start = month["loan_id"].astype(str).map(case.set_index("loan_id")["npl_date"])
    before = month[month["month"] < start].sort_values("month")
    owed = before.groupby("loan_id", observed=True)["balance"].last()
    share = case["recovered_12m"].to_numpy() / owed.reindex(case["loan_id"]).to_numpy()
    return float(np.nanmean(np.clip(share, 0, 1)))


def locked_column(tables: Tables, profile: Profile) -> float:
    """1 if the case table shows the household, which must not be used."""
    case = tables["npl_case"]
    known = tables["customer"].set_index("customer_id")["household_id"]
    same = case["household_id"].astype(object) == case["customer_id"].map(known).astype(object)
    return float(same[case["household_id"].notna()].mean() > 0.95)


RECOVERIES = [
    Recovery("m01_n01", "uncovered_ratio", coverage, tolerance=0.6),
    Recovery("m03_n03", "pd_multi", many_lenders, tolerance=0.75, null=1.0),
    Recovery("m03_n06", "a_grade_pd", safe_mortgage_pd, tolerance=0.01),
    Recovery("m03_n06", "second_product", second_product, tolerance=0.03),
    Recovery("m03_n06", "prepay_hr", prepay_ratio, tolerance=0.6, null=1.0),
    Recovery("m03_n06", "bad_appraisal", dear_appraisals, tolerance=0, planted=7.0),
    Recovery("m03_n07", "dormant_after", dormant_students, tolerance=0.1),
    Recovery("m03_n07", "payroll_keep", kept_by_payroll, tolerance=0.148, null=0.39),
    Recovery("m03_n07", "in_school", in_school, tolerance=0.03),
    Recovery("m03_n07", "returnee", returnees, tolerance=0.75, null=1.0),
    Recovery("m03_n08", "scope_missing", out_of_scope, tolerance=0.03),
    Recovery("m03_n08", "accept_good", good_acceptance, tolerance=0.028, null=0.05),
    Recovery("m03_n08", "default_multi", many_queries, tolerance=1.0, null=1.0),
    Recovery("m03_n09", "gap_driver", gap_effect, tolerance=0.06, null=0.0, planted=0.16),
    Recovery("m03_n09", "age_rule", age_limit, tolerance=0),
    Recovery("m03_n09", "price_sensitive", price_sensitive, tolerance=0.09),
    Recovery("m03_n09", "early_recall", early_recall, tolerance=0.625, null=1.0),
    Recovery("m03_n09", "noise_branch", noise_branches, tolerance=0),
    Recovery("m03_n10", "falling_inflow", falling_inflow, tolerance=0.6, null=1.0),
    Recovery("m03_n10", "unused_lines", unused_lines, tolerance=0.02),
    Recovery("m03_n10", "cut_pd", cut_off, tolerance=0.006),
    Recovery("m04_n04", "deposit20", deposits_of_debtors, tolerance=0.035),
    Recovery("m04_n04", "payroll_recover", payroll_recovery, tolerance=0.082, null=0.18),
    Recovery("m04_n04", "locked_household", locked_column, tolerance=0, planted=1.0),
]
