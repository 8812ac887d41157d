"""Plumbing of customer relations: contribution, relation facts, task days, upgrade snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.analysis import _need, ftp, portfolio
from course_utils.analysis.customers.tiers import CUTS

if TYPE_CHECKING:
    from course_utils.bank import Bank


def contribution(year: pd.DataFrame, accounts: pd.DataFrame, curve: pd.DataFrame) -> pd.Series:
    """Return a year's contribution of depositors: FTP profit of term and demand money plus fees.

    Parameters
    ----------
    year : DataFrame
        Index = customer; 12-month SUMS of ``demand_deposit_average``, ``term_deposit_average``
        and of ``fee_income``, 元.
    accounts : DataFrame
        Open accounts: ``customer_id``, ``kind``, ``open_date``, ``term_months``, ``balance``,
        ``rate``.
    curve : DataFrame
        ``month``, ``term_months``, ``rate`` (percent); its last 12 months price demand money.

    Returns
    -------
    Series
        元 a year. A term deposit earns the FTP of its opening month less its rate; customers
        without one get the bank's mean spread.
    """
    is_demand = accounts["kind"] == "活期"
    term = accounts[~is_demand]
    spread = ftp.curve_at(curve, term["open_date"], term["term_months"]) - term["rate"]
    held = pd.DataFrame(
        {"profit": spread * term["balance"], "balance": term["balance"]}, index=term.index
    )
    held = held.groupby(term["customer_id"]).sum()
    mean = held["profit"].sum() / held["balance"].sum() if len(held) else 0.0
    own = (held["profit"] / held["balance"].where(held["balance"] > 0)).reindex(year.index)
    short = curve[curve["term_months"] == curve["term_months"].min()].sort_values("month")
    demand = short["rate"].tail(12).mean() - accounts.loc[is_demand, "rate"].mean()
    money = year["term_deposit_average"] * own.fillna(mean)
    money = money + year["demand_deposit_average"] * demand
    return money / 12 / 100 + year["fee_income"]


def expected_saving(bank: Bank, people: pd.DataFrame, quantile: float = 0.5) -> pd.Series:
    """Return the saving that households of like age and occupation reach and this one does not.

    Parameters
    ----------
    bank : Bank
        The open bank; without ``household.income_year`` the saving is 0.
    people : DataFrame
        Index = customer; ``aum`` (元), ``birth_year``, ``occupation``, ``household_id``.
    quantile : float
        Level reached in the cell, see :func:`portfolio.income_model_saving`.

    Returns
    -------
    Series
        元.
    """
    if not bank.has("household.income_year"):
        return pd.Series(0.0, index=people.index)
    homes = bank.load("household", columns=["household_id", "income_year"])
    income = people["household_id"].map(homes.set_index("household_id")["income_year"])
    age = (bank.as_of.year - people["birth_year"]) // 10
    alike = pd.DataFrame({"age": age, "job": people["occupation"]})
    return portfolio.income_model_saving(people["aum"], income, alike, quantile)


def relation_parts(bank: Bank, customers: pd.Index, contacts: pd.DataFrame) -> pd.DataFrame:
    """Return the five yes/no facts of the familiarity score.

    Parameters
    ----------
    bank : Bank
        The open bank; the optional tables ``customer_manager_history``, ``enterprise_relation``
        and ``event_attendance`` count as "no" where the bank lacks them.
    customers : Index
        Customers to judge.
    contacts : DataFrame
        Contacts tried in the last 12 months: ``customer_id``, ``contact_time``, ``channel``,
        boolean ``answered``.

    Returns
    -------
    DataFrame
        Boolean columns of :data:`course_utils.analysis.customers.portfolio.FAMILIARITY_PARTS`.
    """
    year_ago = bank.as_of - pd.DateOffset(months=12)
    _need.columns(contacts, ["customer_id", "contact_time", "channel", "answered"], "熟悉度")
    face = contacts[contacts["answered"] & contacts["channel"].isin(["上门", "网点"])]
    face = face[face["contact_time"] > bank.as_of - pd.Timedelta(days=90)]
    rate = contacts.groupby("customer_id")["answered"].mean().reindex(customers)
    named: list[str] = []
    if bank.has("customer_manager_history"):
        history = bank.load("customer_manager_history")
        now = history[history["to_date"].isna() & (history["from_date"] <= year_ago)]
        named = now["customer_id"].to_list()
    came: list[str] = []
    if bank.has("event_attendance"):
        events = bank.load("event_attendance")
        came = events.loc[events["date"] > year_ago, "customer_id"].to_list()
    return pd.DataFrame(
        {
            "named_12m": customers.isin(named),
            "visited_90d": customers.isin(face["customer_id"]),
            "knows_family": customers.isin(family_pairs(bank)["customer_id"]),
            "answers_half": (rate >= 0.5).to_numpy(),
            "event_or_referral_12m": customers.isin(came),
        },
        index=customers,
    )


def family_pairs(bank: Bank) -> pd.DataFrame:
    """Return ``customer_id``, ``kin_id``: registered relatives, each pair in both directions."""
    ends = ["source_customer_id", "target_customer_id"]
    if not bank.has("enterprise_relation"):
        return pd.DataFrame(columns=["customer_id", "kin_id"], dtype=str)
    rows = bank.load("enterprise_relation", columns=[*ends, "relation"])
    rows = rows[rows["relation"] == "亲属"]
    both = [rows[order].set_axis(["customer_id", "kin_id"], axis=1) for order in (ends, ends[::-1])]
    return pd.concat(both, ignore_index=True).drop_duplicates(ignore_index=True)


def spread_tasks(
    tasks: pd.DataFrame, days: Sequence[pd.Timestamp], fixed: pd.Series | None = None
) -> pd.Series:
    """Give every task a working day: fixed ones the first day not before theirs, others in turn.

    Parameters
    ----------
    tasks : DataFrame
        One row a task, most important first.
    days : sequence of Timestamp
        Working days of the period, rising.
    fixed : Series, optional
        Day that a task belongs to (index of ``tasks``); missing = any day.

    Returns
    -------
    Series
        Day of each task; a fixed day after the last working day gets the last one.
    """
    _need.that(len(days) > 0, "这段时间里没有工作日，排不了任务，请换一周。")
    calendar = pd.DatetimeIndex(days)
    turn = pd.Series(calendar[np.arange(len(tasks)) % len(days)], index=tasks.index)
    if fixed is None:
        return turn
    wanted = pd.to_datetime(fixed.reindex(tasks.index))
    at = calendar.searchsorted(wanted.fillna(calendar[0])).clip(max=len(days) - 1)
    return turn.where(wanted.isna(), pd.Series(calendar[at], index=tasks.index))


def upgrade_snapshot(
    panels: Mapping[str, pd.DataFrame], end: int, horizon: int = 6, cuts: Sequence[float] = CUTS
) -> pd.DataFrame:
    """Return what was known of customers after month ``end``, and who then rose a tier.

    Parameters
    ----------
    panels : mapping
        Wide monthly panels (customer × month) ``aum``, ``in``, ``out``, ``back``, ``products``.
    end : int
        Months that were known (≥ 6); features use only the columns before ``end``.
    horizon : int
        Months ahead; the outcome is the mean of the last three of them.
    cuts : sequence of float
        Tier limits in 元; only customers between the first and the last cut are returned.

    Returns
    -------
    DataFrame
        ``level`` (季日均AUM, 元), ``distance`` (next limit / level), ``trend`` (last three months
        over the three before), ``net_out`` (six months, 元), ``inflow`` (a month, 元),
        ``products``, and ``up`` (0/1) if the panel reaches that far.
    """
    money = panels["aum"]
    _need.that(6 <= end <= money.shape[1], f"时点要在第 6 到第 {money.shape[1]} 个月之间。")
    level = money.iloc[:, end - 3 : end].mean(axis=1)
    past = money.iloc[:, end - 6 : end - 3].mean(axis=1)
    limits = np.asarray(cuts, dtype=float)
    tier = np.searchsorted(limits, level, side="right")
    half_year = slice(end - 6, end)
    data = pd.DataFrame(
        {
            "level": level,
            "distance": limits[tier.clip(max=len(limits) - 1)] / level.where(level > 0),
            "trend": level / past.where(past > 0),
            "net_out": (panels["out"] - panels["back"]).iloc[:, half_year].sum(axis=1),
            "inflow": panels["in"].iloc[:, half_year].mean(axis=1),
            "products": panels["products"].iloc[:, end - 1],
        }
    )
    if end + horizon <= money.shape[1]:
        later = money.iloc[:, end + horizon - 3 : end + horizon].mean(axis=1)
        data["up"] = (np.searchsorted(limits, later, side="right") > tier).astype(int)
    return data[(level >= limits[0]) & (level < limits[-1])]
