"""Derived tables against the tables of the shipped banks, where the sources are complete.

``transaction`` is a sample of customers: they are compared, the others are not.
"""

import duckdb
import pandas as pd
import pytest
from build_project import REPOSITORY

from course_utils.analysis.customers import leads
from course_utils.bank.profile import load_profile
from course_utils.intake.marts import derive

WAREHOUSE = REPOSITORY / "data" / "warehouse"
BANKS = ("coastal", "western", "city_micro")
HAVE = (
    "transaction", "customer", "deposit_account", "wealth_holding", "loan", "repayment", "merchant",
    "merchant_day", "lender_keyword",
)  # fmt: skip
#: Equal in every row.
EXACT = (
    "term_deposit_average", "deposit_open", "deposit_end", "loan_balance", "in_amount", "in_count",
    "out_amount", "out_count",
)  # fmt: skip
#: Least correlation; the generator draws the sample's payments for these within a budget.
CLOSE = {
    "wealth_average": 0.999, "third_party_pay_amount": 0.99, "payroll_amount": 0.98,
    "customer_transaction_count": 0.99, "mobile_transaction_count": 0.98,
    "external_bank_out_amount": 0.9, "external_bank_in_amount": 0.9,
    "aum_average": 0.85, "demand_deposit_average": 0.6, "consumption_amount": 0.8,
}  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all((WAREHOUSE / bank / "transaction.parquet").exists() for bank in BANKS),
        reason="the shipped banks are not generated",
    ),
]


def as_of(bank):
    return pd.Timestamp(load_profile(bank).as_of)


@pytest.fixture(scope="module", params=BANKS)
def bank(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    done = derive(WAREHOUSE / request.param, HAVE, as_of(request.param).date(), folder, True)
    return request.param, {d.table: d for d in done}


def compare(bank, table, key, column, where="true"):
    name, done = bank
    mine, theirs = done[table].path, WAREHOUSE / name / f"{table}.parquet"
    on = " AND ".join(f"d.{k} = k.{k}" for k in key)
    return duckdb.execute(
        f"""SELECT count(*),
          avg(CAST(d.{column} IS NOT DISTINCT FROM k.{column}
                   OR abs(d.{column} - k.{column}) < 0.0051 AS INT)),
          corr(d.{column}, k.{column})
        FROM '{mine}' AS d JOIN '{theirs}' AS k ON {on} WHERE {where}"""
    ).fetchone()


def test_statements_of_a_sample_are_announced(bank):
    assert any("全部流水" in note for note in bank[1]["customer_month"].notes)


def test_customer_months_agree_with_the_bank(bank):
    sample = (
        f"d.customer_id IN (SELECT customer_id FROM '{WAREHOUSE / bank[0]}/transaction.parquet')"
    )
    for column in EXACT:
        rows, same, _ = compare(bank, "customer_month", ("month", "customer_id"), column, sample)
        assert rows > 30_000 and same == 1.0, column
    for column, least in CLOSE.items():
        found = compare(bank, "customer_month", ("month", "customer_id"), column, sample)
        assert found[2] > least, (column, found)


def test_loan_and_merchant_months_agree_with_the_bank(bank):
    for column in ("balance", "dpd"):
        rows, same, _ = compare(bank, "loan_month", ("month", "loan_id"), column)
        assert rows > 100_000 and same == 1.0, column
    for column in ("transaction_count", "transaction_amount", "active_days", "fee_income"):
        rows, same, _ = compare(bank, "merchant_month", ("month", "merchant_id"), column)
        assert rows > 4_000 and same == 1.0, column


def test_lenders_are_those_of_the_lesson(bank):
    name, done = bank
    rows = duckdb.execute(
        f"SELECT {', '.join(leads.ROWS)} FROM '{WAREHOUSE / name}/transaction.parquet'"
    ).df()
    keywords = duckdb.execute(f"SELECT * FROM '{WAREHOUSE / name}/lender_keyword.parquet'").df()
    rows["date"] = pd.to_datetime(rows["date"])
    key = ["customer_id", "lender"]
    expected = leads.lender_pairs(rows, keywords).set_index(key).sort_index()
    mine = duckdb.execute(f"SELECT * FROM '{done['lender_pair'].path}'").df()
    mine = mine.set_index(key).sort_index()
    assert len(mine) > 300 and mine.index.equals(expected.index)
    for column in ("lender_kind", "payments", "periodic", "payouts", "evidence"):
        assert (mine[column] == expected[column]).all(), column
    for column in ("gap", "widest", "payout"):
        pd.testing.assert_series_equal(
            mine[column].astype(float),
            expected[column].astype(float),
            check_dtype=False,
            atol=1e-6,
            rtol=0,
        )
    assert (mine["amount"] - expected["amount"]).abs().max() < 0.0051
    assert (mine["cv"] - expected["cv"]).abs().max() < 1e-6
