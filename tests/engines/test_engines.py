"""The same marts from every engine, on the three shipped banks."""

from datetime import date
from functools import cache

import duckdb
import polars as pl
import pytest
from servers import BANKS, TABLES, WAREHOUSE

from course_utils.bank.profile import load_profile
from course_utils.intake.marts import REMOTE, marts, run_marts

#: Averages are quotients: the last digit may round either way. Everything else is equal.
CENT, SIXTH = 0.0101, 1.01e-6


def as_of(bank):
    return date.fromisoformat(str(load_profile(bank).as_of)[:10])


@cache
def keywords(bank):
    path = WAREHOUSE / bank / "lender_keyword.parquet"
    return duckdb.execute(f"SELECT keyword, lender_kind FROM '{path}'").fetchall()


def files(bank):
    return {name: str(WAREHOUSE / bank / f"{name}.parquet") for name in TABLES}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("duckdb")
    for bank in BANKS:
        run_marts("duckdb", files(bank), as_of(bank), folder / bank, keywords=keywords(bank))
    return folder


def assert_same(expected, folder, bank, names=REMOTE):
    for name in names:
        mine = pl.read_parquet(expected / bank / f"{name}.parquet")
        theirs = pl.read_parquet(folder / f"{name}.parquet")
        assert mine.height > 0, name
        assert theirs.schema == mine.schema, name
        assert theirs.height == mine.height, name
        key = list(marts()[name].key)
        both = mine.sort(key).with_row_index("n"), theirs.sort(key).with_row_index("n")
        for column, kind in mine.schema.items():
            left, right = both[0][column], both[1][column]
            assert left.is_null().to_list() == right.is_null().to_list(), (name, column)
            if kind == pl.Float64 or isinstance(kind, pl.Decimal):
                apart = (left.cast(pl.Float64) - right.cast(pl.Float64)).abs().max() or 0.0
                exact = column in SUMS
                limit = 0.0 if exact else SIXTH if kind == pl.Float64 else CENT
                assert apart <= limit, (name, column, apart)
            else:
                assert left.to_list() == right.to_list(), (name, column)


#: Sums of money: equal to the cent on every engine.
SUMS = frozenset(
    {
        "in_amount", "out_amount", "external_bank_out_amount", "external_bank_in_amount",
        "third_party_pay_amount", "consumption_amount", "payroll_amount", "weighted_net",
        "deposit_balance", "balance", "payout", "transaction_amount",
    }
)  # fmt: skip


@pytest.mark.parametrize("bank", BANKS)
def test_spark_on_this_machine_gives_the_same(bank, expected, tmp_path):
    run_marts("spark-local", files(bank), as_of(bank), tmp_path, keywords=keywords(bank))
    assert_same(expected, tmp_path, bank)


@pytest.mark.parametrize("bank", BANKS)
def test_postgresql_gives_the_same(bank, expected, tmp_path, postgres_url):
    tables = {name: f"{bank}.{name}" for name in TABLES}
    run_marts(postgres_url, tables, as_of(bank), tmp_path, keywords=keywords(bank))
    assert_same(expected, tmp_path, bank)


@pytest.mark.parametrize("bank", BANKS)
def test_mariadb_gives_the_same(bank, expected, tmp_path, mariadb_url):
    tables = {name: f"{bank}.{name}" for name in TABLES}
    run_marts(mariadb_url, tables, as_of(bank), tmp_path, keywords=keywords(bank))
    assert_same(expected, tmp_path, bank)
