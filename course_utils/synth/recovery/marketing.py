"""Recover the planted truths of lists, registry, statements, the pilot and the hidden outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Recovery, Tables
from course_utils.synth.recovery.service import fit_logit

if TYPE_CHECKING:
    from course_utils.bank import Profile

OLD_STAFF = 45
HUMP_ODDS = 2.0


def fresh_rows(tables: Tables) -> pd.DataFrame:
    """Return list rows that are neither doubled nor already borrowing (the worked row is kept)."""
    rows = tables["white_list"].sort_values(["called", "list_id"], ascending=[False, True])
    rows = rows[~rows.duplicated(["batch", "customer_id"])]
    return rows[~rows["already_borrowing"].astype(bool)]


def invalid_phones(tables: Tables, profile: Profile) -> float:
    """Share of list rows whose number does not work."""
    return float(1 - fresh_rows(tables)["phone_valid"].astype(float).mean())


def not_called(tables: Tables, profile: Profile) -> float:
    """Share of valid rows (hold-out aside) that nobody called."""
    rows = fresh_rows(tables)
    rows = rows[rows["phone_valid"].astype(bool) & ~rows["random_holdout"].astype(bool)]
    return float(1 - rows["called"].astype(float).mean())


def reached_to_apply(tables: Tables, profile: Profile) -> float:
    """Share of reached customers who applied."""
    rows = fresh_rows(tables)
    return float(rows.loc[rows["reached"].astype(bool), "applied"].astype(float).mean())


def pilot_effect(tables: Tables, profile: Profile) -> float:
    """Difference in differences of draws a manager-month, manager and month effects removed."""
    day = tables["activity_day"]
    month = day["date"].dt.to_period("M")
    panel = day.assign(month=month).pivot_table("draws", "employee_id", "month", aggfunc="sum")
    panel = panel.dropna()
    staff = tables["employee"].set_index("employee_id")["branch_id"]
    program = tables["branch_program"]
    program = program[program["program"] == "数据营销试点"].set_index("branch_id")["start_date"]
    start = panel.index.to_series().map(staff).map(program)
    first = program.min().to_period("M")
    after = panel.loc[:, panel.columns >= first].mean(axis=1)
    change = after - panel.loc[:, panel.columns < first].mean(axis=1)
    treated = start.notna().to_numpy()
    return float(change[treated].mean() - change[~treated].mean())


def useless_rows(tables: Tables, profile: Profile) -> float:
    """Share of rows that are doubled or already borrow."""
    return float(1 - len(fresh_rows(tables)) / len(tables["white_list"]))


def _reached(tables: Tables, profile: Profile) -> pd.DataFrame:
    rows = fresh_rows(tables)
    rows = rows[rows["reached"].astype(bool)]
    customer = tables["customer"].set_index("customer_id")
    age = profile.as_of.year - rows["customer_id"].map(customer["birth_year"]).astype(float)
    hump = age.between(28, 39) | age.between(45, 53)
    flag = rows["online_loan_flag"].astype(float)
    return rows.assign(age=age, hump=hump.astype(float), online=flag).dropna(subset=["age"])


def _odds(rows: pd.DataFrame, outcome: str) -> np.ndarray:
    design = np.column_stack([np.ones(len(rows)), rows["online"], rows["hump"]])
    return np.exp(fit_logit(design, rows[outcome].astype(float).to_numpy()))


def online_lift(tables: Tables, profile: Profile) -> float:
    """Odds ratio of a draw for users of online loans among reached customers, age held fixed."""
    return float(_odds(_reached(tables, profile), "drawn")[1])


def hump_odds(tables: Tables, profile: Profile) -> float:
    """Odds ratio of an application in the age bands of high need."""
    return float(_odds(_reached(tables, profile), "applied")[2])


def old_staff_calls(tables: Tables, profile: Profile) -> float:
    """Call rate of staff above 45 over that of the others."""
    rows = fresh_rows(tables)
    rows = rows[rows["phone_valid"].astype(bool) & rows["assigned_employee_id"].notna()]
    born = tables["employee"].set_index("employee_id")["birth_year"].astype(float)
    old = profile.as_of.year - rows["assigned_employee_id"].map(born) > OLD_STAFF
    called = rows["called"].astype(float)
    return float(called[old].mean() / called[~old].mean())


def normal_name(name: pd.Series, county: str) -> pd.Series:
    """Return names without prefix, brackets, blanks and dots."""
    text = name.astype(object).astype(str)
    text = text.str.replace(r"[（(].*?[)）]", "", regex=True).str.replace(r"[\s·]", "", regex=True)
    return text.str.removeprefix(county) if county else text


def registry_match(tables: Tables, profile: Profile) -> float:
    """Share of registry rows found among customers: by code, by phone, by name within a town."""
    registry, customer = tables["registry_list"], tables["customer"]
    firm = tables["enterprise"]
    firm = firm[
        firm["customer_id"].isin(
            customer.loc[customer["customer_type"] == "个体工商户", "customer_id"]
        )
    ]
    phones = customer.loc[customer["customer_id"].isin(firm["customer_id"]), "phone_hash"]
    found = registry["uscc_hash"].isin(firm["uscc_hash"].dropna())
    found |= registry["phone_hash"].isin(phones.dropna())
    county = str(profile.world.get("county", ""))
    own = firm["town_id"].astype(str) + normal_name(firm["enterprise_name"], county)
    theirs = registry["town_id"].astype(str) + normal_name(registry["name"], county)
    return float((found | theirs.isin(own)).mean())


def gateway_odds(tables: Tables, profile: Profile) -> float:
    """Weighted odds ratio of ever having borrowed: self-employed with our code against without."""
    customer = tables["customer"]
    rows = customer[customer["customer_type"] == "个体工商户"]
    shop = rows["customer_id"].isin(tables["merchant"]["customer_id"])
    line = tables["product"].set_index("product_code")["line"]
    loan = tables["loan"]
    loan = loan[~loan["product_code"].map(line).isin(["按揭", "助学贷"])]
    borrowed = rows["customer_id"].isin(loan["customer_id"])
    weight = rows["weight"].astype(float)
    total = lambda a, b: weight[a & b].sum()  # noqa: E731
    return float(total(shop, borrowed) * total(~shop, ~borrowed)
                 / (total(shop, ~borrowed) * total(~shop, borrowed)))  # fmt: skip


def zero_streets(tables: Tables, profile: Profile) -> float:
    """Number of markets or streets with at least 20 registered shops and no merchant of ours."""
    grid = tables["grid"]
    grid = grid[grid["kind"].isin(["市场", "街道"])]
    shops = tables["registry_list"]["grid_id"].value_counts().reindex(grid["grid_id"]).fillna(0)
    ours = tables["merchant"]["grid_id"].value_counts().reindex(grid["grid_id"]).fillna(0)
    firm = tables["enterprise"]["uscc_hash"].dropna()
    listed = tables["registry_list"]
    matched = listed.loc[listed["uscc_hash"].isin(firm), "grid_id"].value_counts()
    matched = matched.reindex(grid["grid_id"]).fillna(0)
    return float(((shops >= 20) & (ours == 0) & (matched == 0)).sum())


def cancelled(tables: Tables, profile: Profile) -> float:
    """Share of registry rows that are 注销."""
    return float((tables["registry_list"]["status"] == "注销").mean())


def young_conversion(tables: Tables, profile: Profile) -> float:
    """Conversion of random offers at 8 % or less, ages 25-35."""
    log = tables["contact_log"]
    log = log[(log["purpose"] == "网贷置换") & (log["arm"] == "随机触达")]
    born = log["customer_id"].map(tables["customer"].set_index("customer_id")["birth_year"])
    age = profile.as_of.year - born.astype(float)
    sweet = age.between(26, 35) & (log["offered_rate"].astype(float) <= 8.0)
    return float(log.loc[sweet, "converted"].astype(float).mean())


def gold_customers(tables: Tables, profile: Profile) -> float:
    """Customers who stand out in the gain from a contact, per 20 000 persons."""
    outcome = tables["next_90d_outcome"]
    gain = outcome["benefit_contacted"] - outcome["benefit_not_contacted"]
    return float((gain > 412).sum() * 20_000 / profile.persons)


def trap_customers(tables: Tables, profile: Profile) -> float:
    """1 if contacting customers of four online lenders and more loses money."""
    outcome = tables["next_90d_outcome"].set_index("customer_id")
    gain = outcome["benefit_contacted"] - outcome["benefit_not_contacted"]
    report = tables["bureau_report"]
    risky = report.loc[report["nonbank_lenders"] >= 4, "customer_id"].unique()
    return float(gain.reindex(risky).mean() < 0 < gain.mean())


RECOVERIES = [
    Recovery("m01_n01", "loss_phone", invalid_phones, tolerance=0.03),
    Recovery("m01_n01", "loss_not_called", not_called, tolerance=0.05),
    Recovery("m01_n01", "reach_to_apply", reached_to_apply, tolerance=0.024),
    Recovery("m01_n01", "pilot_effect", pilot_effect, tolerance=0.35, null=0.0),
    Recovery("m03_n01", "need_humps", hump_odds, tolerance=0.6, planted=HUMP_ODDS),
    Recovery("m03_n01", "online_flag_lift", online_lift, tolerance=0.65, null=1.0),
    Recovery("m03_n01", "useless_rows", useless_rows, tolerance=0.02),
    Recovery("m03_n01", "old_staff_call", old_staff_calls, tolerance=0.1),
    Recovery("m03_n02", "true_match", registry_match, tolerance=0.04),
    Recovery("m03_n02", "gateway_lift", gateway_odds, tolerance=0.6, null=1.0),
    Recovery("m03_n02", "zero_street", zero_streets, tolerance=0),
    Recovery("m03_n02", "cancelled_rows", cancelled, tolerance=0.015),
    Recovery("m03_n03", "conv_25_35", young_conversion, tolerance=0.025, null=0.03),
    Recovery("m05_n01", "gold_segment", gold_customers, tolerance=0.5),
    Recovery("m05_n01", "trap_segment", trap_customers, tolerance=0, planted=1.0),
]
