"""Keys, references and relations over small shards whose faults are known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from course_utils.contract import load_contract
from course_utils.intake.checking import check_sets
from course_utils.intake.faults import fault_schema
from course_utils.intake.mapping import BankMapping, ColumnMapping, TableMapping
from course_utils.intake.rules import RuleBook

CONTRACT = load_contract()
AS_OF = dt.date(2025, 12, 31)
MONEY = pl.Decimal(18, 2)


class Bank:
    """Shards in a folder and the checks over them."""

    def __init__(self, folder):
        self.folder, self.shards = folder, {}
        self.connection = duckdb.connect()

    def add(self, table, *rows, part=0, first=2):
        frame = pl.DataFrame(list(rows), infer_schema_length=None)
        kinds = CONTRACT.tables[table].columns
        casts = [pl.col(n).cast(MONEY) for n in frame.columns if kinds[n].type == "money"]
        frame = frame.with_columns(
            *casts,
            _file=pl.lit(part, pl.Int32),
            _row=pl.int_range(first, first + len(rows), dtype=pl.Int64),
        )
        (self.folder / table).mkdir(exist_ok=True)
        frame.write_parquet(self.folder / table / f"rows-{part}.parquet")
        self.shards[table] = str(self.folder / table / "rows-*.parquet")

    def check(self, rules=None, **more):
        book = RuleBook.from_profile(rules or {})
        return check_sets(self.connection, self.shards, CONTRACT, book, AS_OF, **more)

    def left(self, found, table):
        return sorted(self.connection.execute(found.query(table)).fetchall())


@pytest.fixture
def bank(tmp_path):
    made = Bank(tmp_path)
    yield made
    made.connection.close()


def faults(found):
    return found.faults.select("table", "row", "column", "rule", "level").rows()


def test_nothing_is_found_where_nothing_is_wrong(bank):
    bank.add("customer", {"customer_id": "C1"}, {"customer_id": "C2"})
    bank.add("loan", {"loan_id": "L1", "customer_id": "C1"})
    found = bank.check()
    assert faults(found) == []
    assert found.faults.schema == pl.Schema(fault_schema())
    assert bank.left(found, "loan") == [("L1", "C1")]


def test_of_identical_rows_the_first_stays_of_contradicting_ones_none(bank):
    bank.add("loan_month", *({"month": AS_OF, "loan_id": i, "balance": b} for i, b in
             [("A", 1), ("A", 1), ("B", 1), ("B", 2), ("C", 5)]))  # fmt: skip
    bank.add("loan_month", {"month": AS_OF, "loan_id": "A", "balance": 1}, part=1, first=9)
    found = bank.check()
    assert faults(found) == [
        ("loan_month", 3, "month", "duplicate_row", "拒收"),
        ("loan_month", 4, "month", "duplicate_key", "拒收"),
        ("loan_month", 5, "month", "duplicate_key", "拒收"),
        ("loan_month", 9, "month", "duplicate_row", "拒收"),
    ]
    assert found.rejected["loan_month"] == {"duplicate_row": 2, "duplicate_key": 2}
    kept = bank.left(found, "loan_month")
    assert kept == [(AS_OF, "A", Decimal("1.00")), (AS_OF, "C", Decimal("5.00"))]


def test_keys_made_of_row_numbers_are_not_compared(bank):
    bank.add("transaction", {"transaction_id": "1"}, {"transaction_id": "1"})
    columns = {"transaction_id": ColumnMapping("transaction_id", generate="row")}
    mapped = {"transaction": TableMapping("transaction", columns=columns)}
    assert len(faults(bank.check())) == 1
    assert faults(bank.check(mapping=BankMapping("x", None, mapped))) == []


def test_rows_go_with_what_they_point_to_and_cells_are_blanked(bank):
    bank.add("branch", {"branch_id": "B1"})
    bank.add("employee", {"employee_id": "E1", "branch_id": "B1"},
             {"employee_id": "E2", "branch_id": "B9"})  # fmt: skip
    bank.add("customer", {"customer_id": "C1", "branch_id": "B1", "manager_id": "E1"},
             {"customer_id": "C2", "branch_id": "B8", "manager_id": None},
             {"customer_id": "C3", "branch_id": "B1", "manager_id": "E2"})  # fmt: skip
    bank.add("loan", {"loan_id": "L1", "customer_id": "C1"}, {"loan_id": "L2", "customer_id": "C2"})
    bank.add("loan_month", {"month": AS_OF, "loan_id": "L1"}, {"month": AS_OF, "loan_id": "L2"})
    found = bank.check()
    assert faults(found) == [
        ("customer", 3, "branch_id", "reference", "拒收"),
        ("customer", 4, "manager_id", "reference", "警告"),
        ("employee", 3, "branch_id", "reference", "拒收"),
        ("loan", 3, "customer_id", "reference", "拒收"),
        ("loan_month", 3, "loan_id", "reference", "拒收"),
    ]
    assert found.blanked == {"customer": {"manager_id": 1}}
    assert bank.left(found, "customer") == [("C1", "B1", "E1"), ("C3", "B1", None)]
    assert bank.left(found, "loan_month") == [(AS_OF, "L1")]
    values = dict(found.faults.select("table", "value").rows())
    assert values["employee"] == "B9", "a branch code helps the clerk and hides nobody"
    assert values["loan"] == "", "a customer is not shown"


def test_a_chain_within_one_table_is_followed_to_its_end(bank):
    rows = [("A1", None), ("A2", "A1"), ("A3", "gone"), ("A4", "A3")]
    bank.add("deposit_account", *({"account_id": a, "renewed_from": f} for a, f in rows))
    found = bank.check({"deposit_account.renewed_from.reference": "拒收"})
    assert bank.left(found, "deposit_account") == [("A1", None), ("A2", "A1")]


def test_tables_and_columns_that_the_bank_lacks_are_passed_over(bank):
    bank.add("loan", {"loan_id": "L1", "customer_id": "nobody"})
    assert faults(bank.check()) == []


def test_places_and_sources_are_told_and_written_to_parquet(bank, tmp_path):
    bank.add("branch", {"branch_id": "B1"})
    bank.add("employee", {"employee_id": "E1", "branch_id": "B9"}, part=7)
    columns = {"branch_id": ColumnMapping("branch_id", "机构号")}
    mapping = BankMapping("x", None, {"employee": TableMapping("employee", columns=columns)})
    places = {"employee": {7: ("员工.xlsx", "表2")}}
    found = bank.check(places=places, mapping=mapping, folder=tmp_path / "out")
    lost = pl.read_parquet(found.lost["employee"]).row(0, named=True)
    assert (lost["_file"], lost["_row"], lost["reasons"]) == ("员工.xlsx", 2, "关联不上")
    assert (lost["员工号"], lost["网点号"]) == ("E1", "B9")
    frame = pl.read_parquet(found.path)
    assert frame.columns == list(fault_schema())
    assert frame.select("file", "sheet", "row", "source").row(0) == (
        "员工.xlsx",
        "表2",
        2,
        "机构号",
    )


def day(text):
    return dt.date.fromisoformat(text)


LATE, EARLY = day("2025-06-30"), day("2025-01-31")
BROKEN = {
    "end_before_start": {"loan": [{"loan_id": "L", "issue_date": LATE, "maturity_date": EARLY}]},
    "before_opening": {
        "loan": [{"loan_id": "L", "issue_date": LATE}],
        "loan_month": [{"loan_id": "L", "month": EARLY}],
    },
    "after_closing": {
        "loan": [{"loan_id": "L", "settle_date": EARLY}],
        "loan_month": [{"loan_id": "L", "month": LATE, "balance": 5}],
    },
    "closed_with_balance": {
        "deposit_account": [{"account_id": "A", "close_date": EARLY, "balance": 1}]
    },
    "balance_over_amount": {"loan": [{"loan_id": "L", "balance": 2, "amount": 1}]},
    "paid_after_settled": {
        "loan": [{"loan_id": "L", "settle_date": EARLY}],
        "repayment": [
            {"loan_id": "L", "due_date": EARLY, "kind": "按期", "paid_date": LATE, "paid_amount": 1}
        ],
    },
    "deposit_balance": {
        "customer_month": [{"month": AS_OF, "customer_id": "C", "deposit_end": 10}],
        "deposit_account": [{"account_id": "A", "customer_id": "C", "balance": 9}],
    },
    "deposit_carried": {
        "customer_month": [
            {"month": m, "customer_id": "C", "deposit_open": o, "deposit_end": e}
            for m, o, e in [(day("2025-01-31"), 0, 5), (day("2025-02-28"), 4, 5)]
        ]
    },
    "deposit_flow": {
        "customer_month": [
            {"month": AS_OF, "customer_id": "C", "deposit_open": 1, "in_amount": 2,
             "out_amount": 1, "deposit_end": 3}
        ]
    },
    "aum_sum": {
        "customer_month": [
            {"month": AS_OF, "customer_id": "C", "demand_deposit_average": 1,
             "term_deposit_average": 2, "wealth_average": 3, "aum_average": 7}
        ]
    },
    "loan_balance": {
        "loan": [{"loan_id": "L", "balance": 3}],
        "loan_month": [{"month": AS_OF, "loan_id": "L", "balance": 2}],
    },
    "customer_loan_balance": {
        "loan": [{"loan_id": "L", "customer_id": "C"}],
        "loan_month": [{"month": AS_OF, "loan_id": "L", "balance": 2}],
        "customer_month": [{"month": AS_OF, "customer_id": "C", "loan_balance": 3}],
    },
    "merchant_amount": {
        "merchant_month": [{"month": EARLY, "merchant_id": "M", "transaction_amount": 3}],
        "merchant_day": [
            {"date": day(d), "merchant_id": "M", "transaction_amount": 1}
            for d in ("2025-01-01", "2025-01-31")
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_each_relation_finds_the_row_that_breaks_it_and_leaves_it(bank, rule):
    for table, rows in BROKEN[rule].items():
        bank.add(table, *rows)
    found = bank.check()
    assert [(r, level) for *_, r, level in faults(found)] == [(rule, "警告")]
    assert found.rejected == {}


def test_a_bank_may_refuse_what_breaks_a_relation(bank):
    for table, rows in BROKEN["end_before_start"].items():
        bank.add(table, *rows)
    bank.add("loan_month", {"month": AS_OF, "loan_id": "L"})
    found = bank.check({"loan.end_before_start": "拒收"})
    assert found.rejected == {"loan": {"end_before_start": 1}, "loan_month": {"reference": 1}}
    assert bank.left(found, "loan_month") == []


def test_every_relation_has_a_test():
    from course_utils.intake.rules.relations import SENTENCES

    assert set(BROKEN) == set(SENTENCES)
