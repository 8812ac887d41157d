"""Recover the planted truths of merchants and toll users from the published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Recovery, Tables
from course_utils.synth.trade.etc import recent_overdue
from course_utils.synth.trade.merchants import loan_turned_bad

if TYPE_CHECKING:
    from course_utils.bank import Profile


def wide(tables: Tables, column: str) -> np.ndarray:
    """Return one column of ``merchant_month`` as ``[merchant, month]``; NaN before the signing."""
    rows = tables["merchant_month"]
    months = np.sort(rows["month"].unique())
    who = pd.Index(tables["merchant"]["merchant_id"]).get_indexer(rows["merchant_id"])
    when = np.searchsorted(months, rows["month"].to_numpy())
    panel = np.full((len(tables["merchant"]), len(months)), np.nan)
    panel[who, when] = pd.to_numeric(rows[column]).to_numpy(dtype=float)
    return panel


def season_class(tables: Tables) -> np.ndarray:
    """Return an integer class of season for each merchant: trade group × beside a school."""
    merchant, industry = tables["merchant"], tables["industry"]
    row = pd.Index(industry["industry_code"]).get_indexer(merchant["industry_code"])
    group = pd.factorize(industry["trade_group"].astype(str))[0][row]
    return group * 2 + merchant["near_school"].astype(bool).to_numpy()


def adjusted(amount: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Divide amounts by the season of their class: the median share of the own mean.

    Parameters
    ----------
    amount : numpy.ndarray
        ``[merchant, month]``, the months of one window.
    kind : numpy.ndarray
        Class of each merchant.
    """
    mean = amount.mean(axis=1, keepdims=True)
    steady = (amount > 0).all(axis=1)
    relative = np.divide(amount, mean, out=np.ones_like(amount), where=mean > 0)
    season = np.ones((kind.max() + 1, amount.shape[1]))
    for value in np.unique(kind):
        rows = steady & (kind == value)
        if rows.sum() >= 5:
            season[value] = np.median(relative[rows], axis=0)
    return amount / season[kind]


def logit_slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of a logistic regression of 0/1 `y` on `x` (Newton's method)."""
    design = np.column_stack([np.ones_like(x), x - x.mean()])
    beta = np.array([np.log(y.mean() / (1 - y.mean())), 0.0])
    for _ in range(25):
        p = 1 / (1 + np.exp(-design @ beta))
        hessian = (design * (p * (1 - p))[:, None]).T @ design
        beta = beta + np.linalg.solve(hessian, design.T @ (y - p))
    return float(beta[1])


def merchant_outcome(tables: Tables) -> np.ndarray:
    """Return 1 bad, 0 good, -1 no loan for the owner of each merchant."""
    loan = tables["loan"]
    worst = pd.Series(loan_turned_bad(loan), index=loan["customer_id"].to_numpy())
    worst = worst.groupby(level=0).max()
    found = worst.reindex(tables["merchant"]["customer_id"])
    return found.astype(float).fillna(-1).to_numpy().astype(int)


def stability_odds(tables: Tables, profile: Profile) -> float:
    """Odds ratio of a bad loan for 0.2 more six-month stability, seasonally adjusted."""
    amount = wide(tables, "transaction_amount")[:, -6:]
    outcome = merchant_outcome(tables)
    rows = (outcome >= 0) & (np.nan_to_num(amount) > 0).all(axis=1)
    steady = adjusted(np.nan_to_num(amount), season_class(tables))[rows]
    stability = 1 - steady.std(axis=1, ddof=1) / steady.mean(axis=1)
    inside = stability > 0.5  # lower ones opened, paused or slid in the window
    slope = logit_slope(stability[inside], outcome[rows][inside].astype(float))
    return float(np.exp(0.2 * slope))


def share60_change(tables: Tables, profile: Profile) -> float:
    """Relative change of the bad rate above 60 % of sales on our code."""
    outcome = merchant_outcome(tables)
    high = tables["merchant"]["own_code_share"].to_numpy(dtype=float) > 0.6
    bad = outcome == 1
    return float(bad[(outcome >= 0) & high].mean() / bad[(outcome >= 0) & ~high].mean() - 1)


def fake_share(tables: Tables, profile: Profile) -> float:
    """Share of merchants with many round amounts and many sales at night."""
    rows = tables["merchant_month"].dropna(subset=["round_amount_share", "night_share"])
    means = rows.groupby("merchant_id")[["round_amount_share", "night_share"]].mean()
    return float(((means["round_amount_share"] > 0.3) & (means["night_share"] > 0.12)).mean())


def area_gap_vanishes(tables: Tables, profile: Profile) -> float:
    """1 if the areas differ in draw rate, but not star by star."""
    rows = tables["merchant_peer"]
    total = rows.groupby("area", observed=True)[["merchants", "draws"]].sum()
    raw = total["draws"] / total["merchants"]
    cell = rows.groupby(["area", "star"], observed=True)[["merchants", "draws"]].sum()
    rate = (cell["draws"] / cell["merchants"]).rename("rate").reset_index()
    mix = rows.groupby("star")["merchants"].sum() / rows["merchants"].sum()
    rate["part"] = rate["rate"] * mix.reindex(rate["star"]).to_numpy()
    standard = rate.groupby("area", observed=True)["part"].sum()
    return float(np.ptp(raw) > 0.04 and np.ptp(standard) < np.ptp(raw) / 3)


def visited_return(tables: Tables, profile: Profile) -> float:
    """Share of randomly visited 橙 merchants that came back."""
    log = tables["contact_log"]
    rows = log[(log["purpose"].astype(str) == "收单走访") & (log["arm"].astype(str) == "随机触达")]
    return float(rows["converted"].dropna().astype(float).mean())


def january_false(tables: Tables, profile: Profile) -> float:
    """Share of January's 黄-or-worse alarms that a season index would not have raised."""
    rows = tables["merchant_month"]
    months = pd.DatetimeIndex(np.sort(rows["month"].unique()))
    january = [m for m in np.flatnonzero(months.month == 1) if m >= 5][-1]
    amount = np.nan_to_num(wide(tables, "transaction_amount"))[:, january - 5 : january + 1]
    before = amount[:, :5].mean(axis=1)
    known = (amount[:, :5] > 0).any(axis=1)
    raw = amount[known, 5] / before[known]
    even = adjusted(amount, season_class(tables))[known]
    fair = even[:, 5] / even[:, :5].mean(axis=1)
    alarm = raw < 0.6
    return float((fair[alarm] >= 0.6).mean())


def lead_days(tables: Tables, profile: Profile) -> float:
    """Mean days from the first 橙 month end to the 60th day without a sale."""
    rows = tables["merchant_month"]
    months = pd.DatetimeIndex(np.sort(rows["month"].unique()))
    amount = np.nan_to_num(wide(tables, "transaction_amount"))
    gap = wide(tables, "gap_days")
    leads = []
    for m in range(6, len(months)):
        lost = (gap[:, m] >= 60) & (gap[:, m - 1] < 60)
        ratio = lambda t: amount[:, t] / np.maximum(amount[:, t - 5 : t].mean(axis=1), 1)  # noqa: E731
        for back in (2, 1):
            t = m - back
            if t < 5:
                continue
            orange = lost & ((gap[:, t] >= 30) | (ratio(t) < 0.3)) & (gap[:, t] < 60)
            leads.append(60 - gap[orange, t])
            lost = lost & ~orange
    return float(np.concatenate(leads).mean())


def star_deposit_share(tables: Tables, profile: Profile) -> float:
    """Share of settlement deposits that merchants of four and five stars hold."""
    rows = tables["merchant_month"]
    last = rows[rows["month"] == rows["month"].max()]
    held = last["settlement_deposit_average"].to_numpy(dtype=float)
    return float(held[last["star"].to_numpy() >= 4].sum() / held.sum())


def waiver_loss(tables: Tables, profile: Profile) -> float:
    """Mean monthly fee income less cost of fee-waived merchants with one or two stars."""
    rows = tables["merchant_month"]
    months = np.sort(rows["month"].unique())[-12:]
    waived = tables["merchant"].set_index("merchant_id")["fee_waived"].astype(bool)
    chosen = rows["month"].isin(months) & (rows["star"] <= 2)
    chosen &= waived.reindex(rows["merchant_id"]).to_numpy()
    return float((rows["fee_income"] - rows["cost"])[chosen].mean())


def within_star(tables: Tables, profile: Profile) -> float:
    """Log deposits on star and log turnover with merchant and month effects."""
    amount = wide(tables, "transaction_amount")
    full = (np.nan_to_num(amount) > 0).all(axis=1)
    columns = [
        np.log(wide(tables, "settlement_deposit_average")[full]),
        wide(tables, "star")[full],
        np.log(amount[full]),
    ]
    y, star, turnover = (
        x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean() for x in columns
    )
    design = np.column_stack([star.ravel(), turnover.ravel()])
    return float(np.linalg.lstsq(design, y.ravel(), rcond=None)[0][0])


def truck_share(tables: Tables, profile: Profile) -> float:
    """Share of trucks among toll users."""
    return float((tables["etc_user"]["vehicle_kind"].astype(str) == "货车").mean())


def toll_drop_ratio(tables: Tables, profile: Profile) -> float:
    """Overdue rate of borrowers whose tolls fell by over 40 %, relative to the others."""
    users = tables["etc_user"]
    borrowers, overdue = recent_overdue(tables)
    rows = users[users["customer_id"].isin(borrowers) & (users["toll_12m"] > 0)]
    fell = (rows["toll_3m"] < 0.6 * rows["toll_12m"] / 4).to_numpy(dtype=bool)
    late = rows["customer_id"].isin(overdue).to_numpy()
    return float(late[fell].mean() / late[~fell].mean())


RECOVERIES = [
    Recovery("m03_n04", "or_stab", stability_odds, tolerance=0.2, null=1.0),
    Recovery("m03_n04", "pd_share60", share60_change, tolerance=0.17, null=0.0),
    Recovery("m03_n04", "simpson_area", area_gap_vanishes, tolerance=0.0, planted=1.0),
    Recovery("m03_n04", "fake_volume", fake_share, tolerance=0.014),
    Recovery("m03_n05", "truck_need", truck_share, tolerance=0.01, planted=0.08),
    Recovery("m03_n05", "toll_drop", toll_drop_ratio, tolerance=0.5, null=1.0),
    Recovery("m04_n01", "visit_orange", visited_return, tolerance=0.076, null=0.15),
    Recovery("m04_n01", "jan_false", january_false, tolerance=0.092),
    Recovery("m04_n01", "lead_days", lead_days, tolerance=6.0),
    Recovery("m04_n02", "star4", star_deposit_share, tolerance=0.08, planted=0.58),
    Recovery("m04_n02", "waiver_loss", waiver_loss, tolerance=5.25),
    Recovery("m04_n02", "within_effect", within_star, tolerance=0.022, null=0.0),
]
