"""Contract tables of the loan book: loan, repayment, loan_month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import BAD, Book
from course_utils.synth.credit.draws import add_months, month_end, timestamps
from course_utils.synth.credit.months import FIVE, LoanMonths, five_class
from course_utils.synth.credit.schedule import PAY_KINDS, Instalments
from course_utils.synth.marketing.staff import active_managers, assign_managers
from course_utils.synth.tools import ids

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

ISSUE_TYPES = ("新增", "续贷", "借新还旧", "重组")
SETTLE_TYPES = ("到期结清", "提前结清", "核销")
INCLUSIVE_CAP = 10_000_000  # 元, all lines of a customer


def loan_ids(book: Book) -> np.ndarray:
    """Return the ids of all loans in the order of the book."""
    return ids("L", np.arange(1, len(book) + 1), 7)


def manager_ids(sim: Simulation, book: Book) -> np.ndarray:
    """Return the manager of each loan; None for loans made online.

    The named manager of the borrower, unless hired after the issue: then one of the
    longest-serving managers; None if nobody served yet.
    """
    named = sim.people["manager_id"].astype(object).to_numpy()[book.person]
    managers = active_managers(sim)
    chosen = assign_managers(sim, managers, book.person, sim.rng("loan_manager"), book.issue)
    served = managers.hired[chosen] <= book.issue
    keep = served & pd.notna(named) & (book.kind != p.ONLINE)
    return np.where(keep, managers.employee_id[chosen].astype(object), None)


def industry_codes(sim: Simulation, book: Book, rng: np.random.Generator) -> np.ndarray:
    """Return the industry a business loan goes to; None for private purposes."""
    industry = sim.tables["industry"]
    code = industry["industry_code"].astype(str).to_numpy(dtype=object)
    section = industry["section"].astype(str).to_numpy()
    farm, trade = np.flatnonzero(section == "A"), np.flatnonzero(np.isin(section, list("CFGHO")))
    own = sim.people["industry_code"].astype(object).to_numpy()[book.person]
    # the same customer keeps the same trade
    seed = rng.random(len(sim.people))[book.person]
    drawn = np.where(
        book.kind == p.FARM,
        code[farm[(seed * len(farm)).astype(int)]],
        code[trade[(seed * len(trade)).astype(int)]],
    )
    known = pd.notna(own) & (book.kind != p.FARM)
    return np.where(np.isin(book.kind, p.BUSINESS), np.where(known, own, drawn), None)


def loan_table(
    sim: Simulation,
    book: Book,
    rows: Instalments,
    months: LoanMonths,
    settle: np.ndarray,
    written_off: np.ndarray,
    line_id: np.ndarray,
) -> pd.DataFrame:
    """Return the contract table ``loan``."""
    rng = sim.rng("loan_table")
    people = sim.people
    customer = people["customer_id"].to_numpy()[book.person]
    maturity = add_months(book.issue, book.term)
    final = np.concatenate((months.first[1:], [len(months.loan)])) - 1
    settled = ~np.isnat(settle)
    balance = np.where(settled, 0, months.balance[final]) if len(book) else np.zeros(0)
    dpd = np.where(settled, 0, months.dpd[final]) if len(book) else np.zeros(0, int)
    lost = ~np.isnat(written_off)
    how = np.where(lost, 2, np.where(settle < maturity, 1, 0))
    industry = industry_codes(sim, book, rng)
    codes = p.product_codes(sim)
    agricultural_trade = set(
        sim.tables["industry"].loc[
            sim.tables["industry"]["agricultural"].astype(bool), "industry_code"
        ]
    )
    farmer = people["is_farmer"].to_numpy(dtype=bool)[book.person]
    company = (people["customer_type"].astype(str) == "企业").to_numpy()[book.person]
    rural = _rural_firm(sim)[book.person]
    agricultural = (
        farmer | np.isin(industry.astype(str), list(agricultural_trade)) | (company & rural)
    )
    green = np.isin(industry.astype(str), list(_codes(sim, "green")))
    issue_type = np.where(book.slot > 0, 1, 0)
    issue_type = np.where(
        (book.ending == BAD) & (book.slot > 0) & (rng.random(len(book)) < 0.1), 2, issue_type
    )
    purpose = np.array([k.purpose for k in p.KINDS])[book.kind]
    return pd.DataFrame(
        {
            "loan_id": loan_ids(book),
            "customer_id": customer,
            "line_id": line_id,
            "branch_id": people["branch_id"].astype(str).to_numpy()[book.person],
            "manager_id": manager_ids(sim, book),
            "product_code": codes[book.kind],
            "issue_date": timestamps(book.issue),
            "maturity_date": timestamps(maturity),
            "settle_date": timestamps(settle),
            "amount": book.amount.astype(float),
            "balance": balance / 100,
            "rate": book.rate.round(4),
            "spread_bp": book.spread,
            "repay_method": p.code_of(book.method, p.METHODS),
            "guarantee": p.code_of(book.guarantee, p.GUARANTEES),
            "industry_code": industry,
            "purpose": p.code_of(purpose, p.PURPOSES),
            "graduation_date": timestamps(book.graduation),
            "five_class": p.code_of(np.where(lost, 4, five_class(dpd)), FIVE),
            "overdue_days": dpd,
            "issue_type": p.code_of(issue_type, ISSUE_TYPES),
            "settle_type": pd.Categorical.from_codes(
                np.where(settled, how, -1), list(SETTLE_TYPES)
            ),
            "online": book.kind == p.ONLINE,
            "inclusive": _inclusive(sim, book, company),
            "agricultural": agricultural,
            "green": green,
            "pd_estimate": _estimate(book.pd, rng),
        }
    )


def _estimate(chance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the bank's own estimate of a true chance: right on average, with noise."""
    noisy = chance * np.exp(0.35 * rng.standard_normal(len(chance)) - 0.06)
    return np.clip(noisy, 0.0005, 0.6).round(4)


def _codes(sim: Simulation, flag: str) -> set[str]:
    table = sim.tables["industry"]
    return set(table.loc[table[flag].astype(bool), "industry_code"].astype(str))


def _rural_firm(sim: Simulation) -> np.ndarray:
    """Return which customers sit outside the county seat."""
    town = sim.tables["town"]
    core = set(town.loc[town["town_kind"].astype(str) == "城关", "town_id"].astype(str))
    return ~sim.people["town_id"].astype(str).isin(core).to_numpy()


def _inclusive(sim: Simulation, book: Book, company: np.ndarray) -> np.ndarray:
    """Return which loans count as inclusive small-business loans (single customer ≤ 1000 万)."""
    total = np.zeros(len(sim.people))
    np.maximum.at(total, book.person, book.amount.astype(float))
    kind = sim.people["customer_type"].astype(str).to_numpy()[book.person]
    segment = sim.people["segment"].astype(str).to_numpy()[book.person]
    firms = sim.tables["enterprise"].drop_duplicates("customer_id").set_index("customer_id")
    size = firms["size_reported"].reindex(sim.people["customer_id"]).astype(str).to_numpy()
    small = ~np.isin(size, ("大型", "中型"))[book.person]
    owner = (kind == "个体工商户") | np.isin(segment, ("商户", "企业主"))
    business = np.isin(book.kind, (p.TRADER, p.SECURED, p.SME)) & (owner | (company & small))
    return business & (total[book.person] <= INCLUSIVE_CAP)


def repayment_table(book: Book, rows: Instalments, names: np.ndarray) -> pd.DataFrame:
    """Return the contract table ``repayment``."""
    return pd.DataFrame(
        {
            "loan_id": pd.Categorical.from_codes(rows.loan, names),
            "due_date": timestamps(rows.due),
            "kind": pd.Categorical.from_codes(rows.kind.astype(np.int8), list(PAY_KINDS)),
            "due_principal": rows.principal / 100,
            "due_interest": rows.interest / 100,
            "paid_date": timestamps(rows.paid),
            "paid_amount": rows.paid_amount / 100,
        }
    )


def loan_month_table(
    book: Book, months: LoanMonths, names: np.ndarray, rate: np.ndarray
) -> pd.DataFrame:
    """Return the contract table ``loan_month``, sorted by loan and month."""
    return pd.DataFrame(
        {
            "month": timestamps(month_end(months.month)),
            "loan_id": pd.Categorical.from_codes(months.loan, names),
            "balance": months.balance / 100,
            "dpd": months.dpd,
            "five_class": p.code_of(five_class(months.dpd), FIVE),
            "rate": rate.round(4),
        }
    )
