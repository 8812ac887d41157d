"""Recover the planted truths of deposits, market share and targets from the published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery import money_churn as churn
from course_utils.synth.recovery.base import Recovery, Tables
from course_utils.synth.recovery.money_panel import (
    customer_weights,
    due_deposits,
    is_person,
    posted_rate,
    tier,
    wide_month,
    wide_year,
)

if TYPE_CHECKING:
    from course_utils.bank import Profile

DEPOSIT_ITEMS = ("个人活期存款", "个人定期存款", "单位活期存款", "单位定期存款", "机关团体存款")
MONEY = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]


# ---- m02_n01 ------------------------------------------------------------------------------


def _items(tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return own and market balances of the five deposit items, months × items."""
    rows = tables["market_share"]
    rows = rows[rows["item"].isin(DEPOSIT_ITEMS)]
    own = rows[rows["bank_label"] == "本行"]
    ours, market = (
        part.pivot_table(index="month", columns="item", values="balance", aggfunc="sum")
        for part in (own, rows)
    )
    return ours[list(DEPOSIT_ITEMS)].sort_index(), market[list(DEPOSIT_ITEMS)].sort_index()


def total_share_change(tables: Tables, profile: Profile) -> float:
    """Change of the share of all deposits over the last eighteen months."""
    ours, market = _items(tables)
    share = ours.sum(axis=1) / market.sum(axis=1)
    return float(share.iloc[-1] - share.iloc[-19])


def corp_demand_share_change(tables: Tables, profile: Profile) -> float:
    """Change of the share of 单位活期 since July 2023."""
    ours, market = _items(tables)
    share = (ours / market)["单位活期存款"]
    return float(share.iloc[-1] - share[share.index <= pd.Timestamp("2023-07-31")].iloc[-1])


def mix_only(tables: Tables, profile: Profile) -> float:
    """1 if the rise is all mix: the mix part is positive, the within part is not."""
    ours, market = _items(tables)
    share, weight = ours / market, market.div(market.sum(axis=1), axis=0)
    mix = ((weight.iloc[-1] - weight.iloc[-19]) * (share.iloc[-1] + share.iloc[-19]) / 2).sum()
    within = ((share.iloc[-1] - share.iloc[-19]) * (weight.iloc[-1] + weight.iloc[-19]) / 2).sum()
    return float(mix > 0 >= within)


def _festival_curve(tables: Tables, offsets: np.ndarray) -> np.ndarray:
    """Return personal demand money around 初一 against twenty days before, festivals averaged."""
    daily = tables["branch_day"].groupby("date")["personal_demand"].sum()
    calendar = tables["calendar"]
    curves = []
    for day in calendar.loc[calendar["days_to_cny"] == 0, "date"]:
        window = daily.reindex(day + pd.to_timedelta(offsets, unit="D")).to_numpy()
        if np.isfinite(window).all():
            curves.append(window / window[0] - 1)
    return np.mean(curves, axis=0)


def cny_half_life(tables: Tables, profile: Profile) -> float:
    """Half-life in days of the Spring Festival inflow: best fit of a rise and an exponential fall.

    The inflow rises from twenty days before 初一 to 正月初八 and then halves every h days; h is
    chosen by least squares with level and height free.
    """
    offsets = np.arange(-20, 45)
    curve = _festival_curve(tables, offsets)
    best, answer = np.inf, float("nan")
    for half_life in np.arange(10.0, 80.0, 0.5):
        fall = 0.5 ** ((offsets - 7) / half_life)
        shape = np.where(offsets <= 7, (offsets + 20) / 27, fall)
        design = np.column_stack([np.ones(len(offsets)), shape])
        rest = curve - design @ np.linalg.lstsq(design, curve, rcond=None)[0]
        if rest @ rest < best:
            best, answer = rest @ rest, float(half_life)
    return answer


def deviate_breach(tables: Tables, profile: Profile) -> float:
    """Number of quarter ends at which the bank's 偏离度 exceeds 4 %."""
    daily = tables["branch_day"].groupby("date")[MONEY].sum().sum(axis=1)
    month = daily.index.to_period("M")
    end, mean = daily.groupby(month).last(), daily.groupby(month).mean()
    quarter = end.index.month % 3 == 0
    return float(((end / mean - 1)[quarter] > 0.04).sum())


# ---- m02_n02 ------------------------------------------------------------------------------


def q1_maturity_share(tables: Tables, profile: Profile) -> float:
    """Share of the coming year's maturing money that is due in January to March."""
    account = tables["deposit_account"]
    as_of = pd.Timestamp(profile.as_of)
    due = account["close_date"].isna() & (account["maturity_date"] > as_of)
    due &= account["maturity_date"] <= as_of + pd.DateOffset(months=12)
    rows = account[due]
    money = rows["amount"].to_numpy() * customer_weights(tables, rows["customer_id"])
    first = rows["maturity_date"].dt.month.to_numpy() <= 3
    return float(money[first].sum() / money.sum())


def contact_effect(tables: Tables, profile: Profile) -> float:
    """Renewal of randomly called against randomly held-out deposits."""
    due = due_deposits(tables)
    called, held = due["arm"] == "随机触达", due["arm"] == "随机保留"
    return float(due.loc[called, "renewed"].mean() - due.loc[held, "renewed"].mean())


def big_gap_penalty(tables: Tables, profile: Profile) -> float:
    """Renewal of customers with 50 万 or more when peers pay over 20 bp more, calls held fixed."""
    due = due_deposits(tables)
    rate = tables["deposit_rate"]
    gap = posted_rate(rate, "同业", due) - posted_rate(rate, "本行", due)
    aum = wide_month(tables, "aum_average")
    months = np.sort(tables["customer_month"]["month"].unique())
    row = pd.Index(tables["customer"]["customer_id"]).get_indexer(due["customer_id"])
    at = np.searchsorted(months, due["maturity_date"].to_numpy()) - 1
    money = np.where(at >= 0, aum[row, at.clip(min=0)], np.nan)
    keep = np.isfinite(money)
    cell = (money >= 500_000) & (gap > 0.20 + 1e-9)
    lead = due["lead"].to_numpy()
    held = (due["arm"] == "随机保留").to_numpy()
    called = (due["arm"] == "随机触达").to_numpy()
    columns = [np.ones(len(due)), cell, (lead >= 1) & (lead <= 6)]
    columns += [(lead >= 7) & (lead <= 15), lead >= 16, held, called]
    design = np.column_stack(columns).astype(float)[keep]
    fit = np.linalg.lstsq(design, due["renewed"].to_numpy(dtype=float)[keep], rcond=None)[0]
    return float(fit[1])


def spike_size(tables: Tables, profile: Profile) -> float:
    """Largest three-day maturity load of the planted branch over its spare capacity."""
    branch_id = "B03"
    log = tables["queue_log"]
    log = log[log["branch_id"] == branch_id]
    minutes = log.groupby("date")["served_minutes"].sum()
    open_minutes = (log["counters_open"] * 30).groupby(log["date"]).sum()
    per_ticket = log["served_minutes"].sum() / log["tickets"].sum()
    counters = tables["branch"].set_index("branch_id")["counters"][branch_id]
    use = (minutes / open_minutes).median()
    capacity = counters * 17 * 30 * (1 - use) / per_ticket
    account = tables["deposit_account"]
    as_of = pd.Timestamp(profile.as_of)
    rows = account[
        (account["branch_id"] == branch_id)
        & account["close_date"].isna()
        & (account["maturity_date"] > as_of)
        & (account["maturity_date"] <= as_of + pd.DateOffset(months=12))
    ]
    weight = pd.Series(customer_weights(tables, rows["customer_id"]), index=rows["maturity_date"])
    daily = weight.groupby(level=0).sum().resample("D").sum()
    return float(daily.rolling(3).sum().max() / 3 / capacity)


# ---- m02_n04 ------------------------------------------------------------------------------


def _cohort(tables: Tables) -> dict[str, np.ndarray]:
    """Return first- and last-year money and weights of the cohort with 20 万 of term money."""
    years = np.sort(tables["customer_year"]["year"].unique())
    aum, term = wide_year(tables, "aum_average"), wide_year(tables, "term_deposit_average")
    member = is_person(tables) & (np.nan_to_num(term[:, 0]) >= 200_000)
    first, last = aum[member, 0], np.nan_to_num(aum[member, len(years) - 1])
    weight = tables["customer"]["weight"].to_numpy(dtype=float)[member]
    return {"first": first, "last": last, "weight": weight}


def cohort_lost(tables: Tables, profile: Profile) -> float:
    """Weighted share of the cohort that keeps less than a fifth of its money five years later."""
    c = _cohort(tables)
    return float(np.average(c["last"] < 0.2 * c["first"], weights=c["weight"]))


def cohort_upgrade(tables: Tables, profile: Profile) -> float:
    """Weighted share of the cohort that is in a higher tier five years later."""
    c = _cohort(tables)
    return float(np.average(tier(c["last"]) > tier(c["first"]), weights=c["weight"]))


def growth_3products(tables: Tables, profile: Profile) -> float:
    """Extra growth of customers with three or more products, among survivors with 5 万 or more."""
    aum, count = wide_year(tables, "aum_average"), wide_year(tables, "product_count")
    first, last = aum[:, 0], aum[:, -1]
    keep = is_person(tables) & np.isfinite(first) & (first >= 50_000) & (last >= 0.2 * first)
    growth = np.log(last[keep] / first[keep])
    many = count[keep, 0] >= 3
    return float(np.exp(growth[many].mean() - growth[~many].mean()) - 1)


def _aum_now(tables: Tables) -> np.ndarray:
    return np.nan_to_num(wide_month(tables, "aum_average")[:, -3:]).mean(axis=1)


def top5_share(tables: Tables, profile: Profile) -> float:
    """Share of persons' money held by the top 5 % of persons, weighted."""
    person = is_person(tables)
    money, weight = _aum_now(tables)[person], tables["customer"]["weight"].to_numpy(float)[person]
    order = np.argsort(-money)
    heads, held = np.cumsum(weight[order]), np.cumsum(money[order] * weight[order])
    return float(np.interp(0.05 * heads[-1], heads, held) / held[-1])


def gold_wallet(tables: Tables, profile: Profile) -> float:
    """Weighted share of the middle tier (5-50 万) whose wallet share is below 25 %."""
    money = _aum_now(tables)
    out = np.nan_to_num(wide_month(tables, "external_bank_out_amount")[:, -12:]).sum(axis=1)
    back = np.nan_to_num(wide_month(tables, "external_bank_in_amount")[:, -12:]).sum(axis=1)
    middle = is_person(tables) & (money >= 50_000) & (money < 500_000)
    share = money / (money + np.maximum(out - back, 0)).clip(min=1)
    weight = tables["customer"]["weight"].to_numpy(dtype=float)
    return float(np.average(share[middle] < 0.25, weights=weight[middle]))


# ---- m02_n05 ------------------------------------------------------------------------------


def _base(tables: Tables) -> pd.Series:
    """Return each branch's average deposits of the last year."""
    rows = tables["branch_day"]
    rows = rows[rows["date"].dt.year == rows["date"].dt.year.max()]
    return rows[MONEY].sum(axis=1).groupby(rows["branch_id"]).mean()


def corr_base_potential(tables: Tables, profile: Profile) -> float:
    """Correlation of base and potential over branches."""
    branch = tables["branch"].set_index("branch_id")
    base = _base(tables).reindex(branch.index)
    return float(np.corrcoef(base, branch["deposit_potential"])[0, 1])


def under_targeted(tables: Tables, profile: Profile) -> float:
    """Number of branches with a base below the 45 % and a potential above the 75 % quantile."""
    branch = tables["branch"].set_index("branch_id")
    base, room = _base(tables).reindex(branch.index), branch["deposit_potential"]
    return float(((base <= base.quantile(0.45)) & (room >= room.quantile(0.75))).sum())


def dead_accounts(tables: Tables, profile: Profile) -> float:
    """Share of corporate accounts opened in two years with at most one transaction in 90 days."""
    account = tables["deposit_account"]
    new = account[(account["kind"] == "活期") & account["transaction_count_90d"].notna()]
    return float((new["transaction_count_90d"].astype(float) <= 1).mean())


def shift_saving(tables: Tables, profile: Profile) -> float:
    """Basis points saved by moving 9 pp from 3Y to 1Y: the premium that open 3Y money is paid."""
    account = tables["deposit_account"]
    rows = account[account["close_date"].isna() & (account["term_months"] == 36)]
    rows = rows.assign(maturity_date=rows["open_date"])
    rate = tables["deposit_rate"]
    premium = posted_rate(rate, "本行", rows) - posted_rate(
        rate, "本行", rows.assign(term_months=12)
    )
    money = rows["amount"].to_numpy() * customer_weights(tables, rows["customer_id"])
    return float(np.average(premium, weights=money) * 9)


RECOVERIES = [
    Recovery("m04_n03", "active_true", churn.active_true, 0.009, null=0.0),
    Recovery("m00_n01", "deviate_breach", deviate_breach, 0.5),
    Recovery("m02_n01", "total_share_change", total_share_change, 0.001),
    Recovery("m02_n01", "corp_demand_share_change", corp_demand_share_change, 0.002),
    Recovery("m02_n01", "mix_only", mix_only, 0.0, planted=1.0),
    Recovery("m02_n01", "cny_half_life_days", cny_half_life, 4.0),
    Recovery("m02_n02", "q1_maturity_share", q1_maturity_share, 0.05),
    Recovery("m02_n02", "contact_effect", contact_effect, 0.04, null=0.0),
    Recovery("m02_n02", "big_gap_penalty", big_gap_penalty, 0.08, null=0.0),
    Recovery("m02_n02", "spike_branch", spike_size, 0.8, planted=4.0),
    Recovery("m02_n03", "wealth_misread", churn.wealth_misread, 0.03),
    Recovery("m02_n03", "or_uncontacted", churn.or_uncontacted, 0.6, null=1.0),
    Recovery("m02_n03", "or_payroll_stop", churn.or_payroll_stop, 0.9, null=1.0),
    Recovery("m02_n03", "or_mobile_silent", churn.or_mobile_silent, 0.5, null=1.0),
    Recovery("m02_n03", "hr_manager_change", churn.hr_manager_change, 0.45, null=1.0),
    Recovery("m02_n03", "lead_months", churn.lead_months, 0.575),
    Recovery("m02_n04", "cohort_upgrade", cohort_upgrade, 0.04),
    Recovery("m02_n04", "cohort_lost", cohort_lost, 0.03),
    Recovery("m02_n04", "growth_3products", growth_3products, 0.10, null=0.0),
    Recovery("m02_n04", "top5_share", top5_share, 0.03),
    Recovery("m02_n04", "gold_wallet", gold_wallet, 0.006),
    Recovery("m02_n05", "corr_base_potential", corr_base_potential, 0.08),
    Recovery("m02_n05", "under_targeted", under_targeted, 0.5),
    Recovery("m02_n05", "dead_accounts", dead_accounts, 0.03),
    Recovery("m02_n05", "shift_saving_bp", shift_saving, 1.2),
]
