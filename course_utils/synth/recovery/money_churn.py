"""Recover what drives deposit losses: a person-month hazard model on the published panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Tables
from course_utils.synth.recovery.money_panel import is_person, wide_month

if TYPE_CHECKING:
    from course_utils.bank import Profile

#: Prior money from which a loss is defined, 元, and the ratio below which a customer is lost.
FLOOR, LOST = 10_000.0, 0.20
NAMES = ("uncontacted", "payroll", "silent", "manager")


@dataclass(frozen=True)
class Hazard:
    """Person-months at risk.

    ``x`` columns are the constant, the four risks of `NAMES` and controls; ``y`` marks the month
    in which the loss begins; ``customer`` and ``month`` say which person-month a row is.
    """

    x: np.ndarray
    y: np.ndarray
    customer: np.ndarray
    month: np.ndarray
    onset: np.ndarray


def _ratio(money: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean money of the last three months over the six before, and that mean."""
    prior = money[:, t - 8 : t - 2].mean(axis=1)
    recent = money[:, t - 2 : t + 1].mean(axis=1)
    return np.divide(recent, prior, out=np.ones_like(prior), where=prior > 0), prior


def first_loss(money: np.ndarray) -> np.ndarray:
    """Return the first month in which a customer counts as lost (−1 never)."""
    result = np.full(len(money), -1)
    for t in range(8, money.shape[1]):
        ratio, prior = _ratio(money, t)
        result = np.where((result < 0) & (ratio < LOST) & (prior >= FLOOR), t, result)
    return result


def onset_month(tables: Tables) -> np.ndarray:
    """Return the month in which a lost customer's money went (−1: not lost)."""
    money = np.nan_to_num(wide_month(tables, "aum_average"))
    end = np.nan_to_num(wide_month(tables, "deposit_end"))
    end = end + np.nan_to_num(wide_month(tables, "wealth_average"))
    loss = first_loss(money)
    onset = np.full(len(money), -1)
    for back in range(4, -1, -1):
        month = loss - back
        ok = (loss >= 0) & (onset < 0) & (month >= 0)
        rows = np.flatnonzero(ok)
        prior = np.array([0.0])
        at = loss[rows]
        columns = at[:, None] + np.arange(-8, -2)[None, :]
        prior = money[rows[:, None], columns].mean(axis=1)
        low = end[rows, month[rows]] < 0.4 * prior
        onset[rows[low]] = month[rows[low]]
    return np.where((loss >= 0) & (onset < 0), loss, onset)


def _uncontacted(tables: Tables, months: np.ndarray) -> np.ndarray:
    """Return months in which a customer had maturities and no call before any of them."""
    account = tables["deposit_account"]
    account = account[account["maturity_date"].notna()]
    customers = pd.Index(tables["customer"]["customer_id"])
    row = customers.get_indexer(account["customer_id"])
    at = np.searchsorted(months, account["maturity_date"].to_numpy())
    log = tables["contact_log"]
    called = log[(log["purpose"] == "到期") & log["channel"].notna()]["account_id"]
    touched = account["account_id"].isin(called).to_numpy()
    closed = account["close_date"].to_numpy() == account["maturity_date"].to_numpy()
    inside = (at < len(months)) & (
        account["maturity_date"].to_numpy() > months[0] - np.timedelta64(31, "D")
    )
    due = np.zeros((len(customers), len(months)), dtype=bool)
    reached = due.copy()
    due[row[inside & closed], at[inside & closed]] = True
    reached[row[inside & touched], at[inside & touched]] = True
    return due & ~reached


def _manager_months(tables: Tables, months: np.ndarray) -> np.ndarray:
    history = tables["customer_manager_history"].sort_values(["customer_id", "from_date"])
    later = history["customer_id"].duplicated()
    customers = pd.Index(tables["customer"]["customer_id"])
    row = customers.get_indexer(history.loc[later, "customer_id"])
    at = np.searchsorted(months, history.loc[later, "from_date"].to_numpy())
    ok = (row >= 0) & (at < len(months))
    changed = np.zeros((len(customers), len(months)), dtype=bool)
    changed[row[ok], at[ok]] = True
    return changed


def hazard_rows(tables: Tables) -> Hazard:
    """Build person-months with features dated before the month they predict."""
    months = np.sort(tables["customer_month"]["month"].unique())
    width = len(months)
    money = np.nan_to_num(wide_month(tables, "aum_average"))
    payroll = np.nan_to_num(wide_month(tables, "payroll_amount"))
    login = np.nan_to_num(wide_month(tables, "mobile_login_days"))
    quiet, moved = _uncontacted(tables, months), _manager_months(tables, months)
    onset, person = onset_month(tables), is_person(tables)
    user = login.max(axis=1) > 0
    parts = []
    for t in range(6, width - 2):
        prior = money[:, t - 6 : t].mean(axis=1)
        rows = np.flatnonzero(
            person & (prior >= FLOOR) & ((onset < 0) | (onset >= t)) & (money[:, t - 6] > 0)
        )
        stop = (payroll[:, t - 1] == 0) & (payroll[:, t - 5 : t - 1].max(axis=1) > 0)
        silent = user & (login[:, t - 1] == 0) & (login[:, t - 2] == 0)
        size = np.log10(prior[rows])
        x = np.column_stack(
            [
                np.ones(len(rows)), quiet[rows, t - 3 : t].any(axis=1), stop[rows], silent[rows],
                moved[rows, t - 6 : t].any(axis=1), size, user[rows], payroll[rows].max(axis=1) > 0,
            ]
        ).astype(float)  # fmt: skip
        parts.append((x, onset[rows] == t, rows, np.full(len(rows), t)))
    x, y, customer, month = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Hazard(x, y.astype(float), customer, month, onset)


def logit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the coefficients of a logistic regression (Newton's method)."""
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(max(y.mean(), 1e-6) / (1 - y.mean()))
    for _ in range(15):
        p = 1 / (1 + np.exp(-(x @ beta).clip(-30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(x.shape[1])
        step = np.linalg.solve(hessian, x.T @ (y - p))
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return beta


def odds_ratios(tables: Tables) -> dict[str, float]:
    """Return the odds ratios of the four risks."""
    rows = hazard_rows(tables)
    beta = logit(rows.x, rows.y)
    return {name: float(np.exp(beta[i + 1])) for i, name in enumerate(NAMES)}


def or_uncontacted(tables: Tables, profile: Profile) -> float:
    """Odds ratio of loss after a maturity without a call (three months)."""
    return odds_ratios(tables)["uncontacted"]


def or_payroll_stop(tables: Tables, profile: Profile) -> float:
    """Odds ratio of loss after wages stopped (four months)."""
    return odds_ratios(tables)["payroll"]


def or_mobile_silent(tables: Tables, profile: Profile) -> float:
    """Odds ratio of loss after sixty days without a login."""
    return odds_ratios(tables)["silent"]


def hr_manager_change(tables: Tables, profile: Profile) -> float:
    """Hazard ratio of loss in the six months after a change of manager."""
    return odds_ratios(tables)["manager"]


def lead_months(tables: Tables, profile: Profile) -> float:
    """Mean months from the first alert to the loss, over losses that were on alert.

    A customer is on alert in a month if his score is in the month's top decile; the first alert
    is the start of the unbroken run of alerts (at most six months) that leads up to the loss.
    """
    rows = hazard_rows(tables)
    score = rows.x @ logit(rows.x, rows.y)
    alert = np.zeros((len(rows.onset), int(rows.month.max()) + 1), dtype=bool)
    for t in np.unique(rows.month):
        at = np.flatnonzero(rows.month == t)
        top = at[score[at] >= np.quantile(score[at], 0.9)]
        alert[rows.customer[top], t] = True
    lost = np.flatnonzero((rows.onset >= 6) & (rows.onset < alert.shape[1]))
    run, unbroken = np.zeros(len(lost), dtype=int), np.ones(len(lost), dtype=bool)
    for back in range(6):
        unbroken &= alert[lost, rows.onset[lost] - back]
        run += unbroken
    return float(run[run > 0].mean())


def active_true(tables: Tables, profile: Profile) -> float:
    """Log deposits in active against silent months of the same user of mobile banking.

    A month is active with at least one login. Each customer's level and trend and each month's
    mean are taken out; only users who come nearly every month and whose deposits do not jump
    (a lapsed time deposit would drown the effect, and silence foretells a loss) are compared.
    """
    login, money = wide_month(tables, "mobile_login_days"), wide_month(tables, "deposit_end")
    visits = np.nan_to_num(wide_month(tables, "customer_transaction_count")) > 0
    user = is_person(tables) & (np.nan_to_num(login).max(axis=1) > 0)
    user &= np.isfinite(money).all(axis=1) & (visits.mean(axis=1) > 0.8)
    user &= np.nan_to_num(money).min(axis=1) >= 1_000
    y, x = np.log(money[user]), (login[user] > 0).astype(float)
    calm = y.std(axis=1) < 0.25
    trend = np.arange(y.shape[1]) - (y.shape[1] - 1) / 2

    def within(z: np.ndarray) -> np.ndarray:
        z = z - z.mean(axis=1, keepdims=True)
        z = z - np.outer(z @ trend / (trend @ trend), trend)
        return z - z.mean(axis=0, keepdims=True)

    y, x = within(y[calm]), within(x[calm])
    return float((x * y).sum() / (x * x).sum())


def wealth_misread(tables: Tables, profile: Profile) -> float:
    """Share of deposit losers whose money is still here, in own wealth products."""
    deposit = np.nan_to_num(wide_month(tables, "demand_deposit_average"))
    deposit = deposit + np.nan_to_num(wide_month(tables, "term_deposit_average"))
    money = np.nan_to_num(wide_month(tables, "aum_average"))
    loss = first_loss(deposit)
    rows = np.flatnonzero((loss >= 0) & is_person(tables))
    kept = np.zeros(len(rows), dtype=bool)
    for i, t in enumerate(loss[rows]):
        ratio, _ = _ratio(money[rows[i] : rows[i] + 1], t)
        kept[i] = ratio[0] >= 0.5
    return float(kept.mean())
