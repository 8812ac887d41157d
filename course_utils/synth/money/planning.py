"""Tables ``target`` and ``branch_profit``, and the deposit potential of each branch."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.balances import Balances
from course_utils.synth.money.book import FIRST, PANEL, Book, Deposits
from course_utils.synth.money.ledger import by_branch

#: Ranks that make a branch under-targeted: base below, potential above these quantiles.
LOW_BASE, HIGH_POTENTIAL = 0.45, 0.75
#: Course parameters of the management accounts.
LOAN_RATE, OPERATING_COST, PROVISION, CAPITAL = 5.2, 0.011, 0.009, 0.075


def potential(book: Book, base: np.ndarray) -> np.ndarray:
    """Return the deposit potential of each branch in 元.

    Correlates with the base exactly as planted, and exactly the planted number of branches has a
    low base and a high potential.

    Parameters
    ----------
    book : Book
        Random stream and planted values.
    base : numpy.ndarray of float, shape (branches,)
        Average deposits of the last year in 元.
    """
    rng = book.sim.rng("money.potential")
    effects = book.sim.effects
    wanted = effects.value("m02_n05", "corr_base_potential")
    count = int(effects.value("m02_n05", "under_targeted"))
    size = np.log(base.clip(min=1.0))
    spread = max(size.std(), 1e-9)
    z = (size - size.mean()) / spread
    best, best_gap = z, np.inf
    for _ in range(4000):
        noise = rng.normal(0, 1, len(z))
        noise -= (noise @ z) / (z @ z) * z
        noise = (noise - noise.mean()) / noise.std()
        candidate = np.exp(0.45 * (wanted * z + np.sqrt(1 - wanted**2) * noise))
        gap = 5 * abs(int(under_targeted(base, candidate).sum()) - count)
        gap += abs(np.corrcoef(base, candidate)[0, 1] - wanted)
        if gap < best_gap:
            best, best_gap = candidate, gap
        if best_gap < 0.02:
            break
    return best / best.mean() * base.mean() * 0.6


def under_targeted(base: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Mark branches with a low base and a high potential."""
    return (base <= np.quantile(base, LOW_BASE)) & (room >= np.quantile(room, HIGH_POTENTIAL))


def yearly_average(book: Book, branch_day: pd.DataFrame) -> np.ndarray:
    """Return average deposits (branches, years) of the panel years from the ledger."""
    money = branch_day[["personal_demand", "personal_term", "corporate_demand", "corporate_term"]]
    total = money.to_numpy().sum(axis=1).reshape(-1, book.branches)
    year = branch_day["date"].dt.year.to_numpy().reshape(-1, book.branches)[:, 0]
    return np.stack([total[year == value].mean(axis=0) for value in np.unique(year)], axis=1)


def yearly_base(tables: dict[str, pd.DataFrame]) -> np.ndarray:
    """Return each branch's average deposits of the last year, in the order of ``branch``."""
    rows = tables["branch_day"]
    rows = rows[rows["date"].dt.year == rows["date"].dt.year.max()]
    names = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
    base = rows[names].sum(axis=1).groupby(rows["branch_id"]).mean()
    return base.reindex(tables["branch"]["branch_id"]).to_numpy()


def targets(book: Book, branch_day: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """Return the deposit and account targets by branch and year, by the base method."""
    average = yearly_average(book, branch_day)
    rng = book.sim.rng("money.target")
    year = book.months[-1].year
    growth = 0.08
    parts = []
    actual = average[:, 1]
    goal = np.rint(average[:, 0] * (1 + growth) / UNIT) * UNIT
    parts.append(_rows(book, year, "存款年日均", goal, actual))
    parts.append(_rows(book, year, "存款年日均增量", goal - average[:, 0], actual - average[:, 0]))
    goal = np.rint(actual * (1 + growth) / UNIT) * UNIT
    parts.append(_rows(book, year + 1, "存款年日均", goal, None))
    parts.append(_rows(book, year + 1, "存款年日均增量", goal - actual, None))
    opened, active = _openings(book, accounts)
    goal = np.rint(active * rng.uniform(0.85, 1.25, book.branches)).clip(min=1)
    parts.append(_rows(book, year, "有效对公户", goal, active))
    parts.append(_rows(book, year + 1, "有效对公户", np.rint(np.maximum(opened, 1) * 1.1), None))
    return pd.concat(parts, ignore_index=True)


UNIT = 10_000.0


def _openings(book: Book, accounts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return corporate accounts opened last year by branch (bank scale), all and active."""
    year = book.months[-1].year
    rows = accounts["corporate_account_kind"].notna() & (accounts["open_date"].dt.year == year)
    part = accounts[rows & (accounts["kind"] == "活期")]
    customer = pd.Index(book.people["customer_id"]).get_indexer(part["customer_id"])
    used = part["transaction_count_90d"].fillna(0).to_numpy(dtype=float) >= 2
    branch, weight = book.branch[customer], book.weight[customer].astype(float)
    opened = np.bincount(branch, weight, book.branches)
    return opened, np.bincount(branch, weight * used, book.branches)


def _rows(
    book: Book, year: int, metric: str, target: np.ndarray, actual: np.ndarray | None
) -> pd.DataFrame:
    n = book.branches
    return pd.DataFrame(
        {
            "period": f"{year} 年",
            "period_start": np.datetime64(f"{year}-01-01", "s"),
            "period_end": np.datetime64(f"{year}-12-31", "s"),
            "branch_id": book.sim.tables["branch"]["branch_id"].to_numpy(dtype=object),
            "employee_id": None,
            "metric": metric,
            "target": target.astype(float),
            "actual": np.full(n, np.nan) if actual is None else np.round(actual.astype(float), 2),
        }
    )


def _ftp_points(book: Book) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Return transfer prices by term at sixty month ends, percent."""
    curve = book.sim.tables["ftp_curve"]
    wide = curve.pivot_table(index="month", columns="term_months", values="rate").sort_index()
    at = np.searchsorted(wide.index.values, book.months.values).clip(max=len(wide) - 1)
    return at, {int(term): wide[term].to_numpy()[at] for term in wide.columns}


def branch_profit(
    book: Book, deposits: Deposits, balances: Balances, fee: np.ndarray, demand_rate: np.ndarray
) -> pd.DataFrame:
    """Return table ``branch_profit``: a management account of each branch and month.

    Deposits earn the transfer price of their term in the month of opening; demand money earns the
    one-year price; loans pay the one-year price and earn the profile's average rate.
    """
    everyone = np.ones(book.n, dtype=bool)
    _, ftp = _ftp_points(book)
    demand = by_branch(book, balances.demand_average, everyone) / 100
    term_cost, term_ftp = _term_interest(book, deposits, ftp)
    one_year = ftp[12][FIRST:]
    loans = by_branch(book, book.given("loan_balance"), everyone) / 100
    rng = book.sim.rng("money.profit")
    wobble = rng.normal(1.0, 0.02, loans.shape)
    months = np.asarray(book.months[FIRST:].values, dtype="datetime64[s]")
    money = demand + by_branch(book, balances.term_average, everyone) / 100

    def column(values: np.ndarray) -> np.ndarray:
        return np.round(values.T.ravel(), 2)

    return pd.DataFrame(
        {
            "month": np.repeat(months, book.branches),
            "branch_id": np.tile(book.sim.tables["branch"]["branch_id"].to_numpy(object), PANEL),
            "loan_interest": column(loans * LOAN_RATE / 1200 * wobble),
            "loan_ftp": column(loans * one_year / 1200),
            "deposit_ftp": column(demand * one_year / 1200 + term_ftp),
            "deposit_interest": column(demand * demand_rate / 1200 + term_cost),
            "fee": column(by_branch(book, fee, everyone) / 100),
            "operating_cost": column((money * 0.45 + loans) * OPERATING_COST / 12 + 60_000),
            "provision": column(loans * PROVISION / 12 * wobble),
            "economic_capital": column(loans * CAPITAL),
        }
    )


def _term_interest(book: Book, deposits: Deposits, ftp: dict[int, np.ndarray]):
    """Return interest cost and transfer income of term money by branch and month in 元."""
    origin = np.searchsorted(book.month_end[1:], deposits.open).clip(0, len(book.months) - 1)
    price = np.zeros(len(deposits))
    for term in np.unique(deposits.term):
        rows = deposits.term == term
        key = int(term) if int(term) in ftp else 3
        price[rows] = ftp[key][origin[rows]]
    weight = book.weight[deposits.customer]
    branch = book.branch[deposits.customer]
    cost = np.zeros((book.branches, PANEL))
    income = np.zeros((book.branches, PANEL))
    for t in range(PANEL):
        start, end = book.panel_end[t], book.panel_end[t + 1]
        days = np.minimum(deposits.close - 1, end) - np.maximum(deposits.open, start + 1) + 1
        held = np.flatnonzero(days > 0)
        base = deposits.amount[held] * weight[held] * days[held] / 100 / 36500
        cost[:, t] = np.bincount(branch[held], base * deposits.rate[held], book.branches)
        income[:, t] = np.bincount(branch[held], base * price[held], book.branches)
    return cost, income
