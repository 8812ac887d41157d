"""Public tables that the course supplies to a bank that has none of its own."""

from datetime import date

import duckdb
import pandas as pd
import pytest

from course_utils.bank import parquet
from course_utils.bank.labels import SUPPLIED, is_supplied
from course_utils.bank.public_tables import read_reference, supplied
from course_utils.contract import load_contract
from course_utils.intake.public_tables import first_day, supply

AS_OF = date(2025, 7, 15)


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def put(connection, folder, table, query):
    definition = load_contract().table(table)
    columns = [c[0] for c in connection.execute(f"DESCRIBE {query}").fetchall()]
    parquet.write(connection, f"({query})", definition, columns, folder / f"{table}.parquet")


def flows(connection, folder, first):
    query = f"SELECT 'T1' AS transaction_id, 'K-1' AS customer_id, DATE '{first}' AS date"
    put(connection, folder, "transaction", query)


def test_what_is_lacking_is_supplied_with_the_columns_of_the_contract(connection, tmp_path):
    flows(connection, tmp_path, "2023-04-03")
    done = supply(connection, load_contract(), tmp_path, AS_OF)
    assert [one.table for one in done] == list(SUPPLIED)
    for one in done:
        stored = parquet.stored_columns(tmp_path, one.table)
        lacking = set(load_contract().table(one.table).columns) - set(stored)
        assert lacking == set(SUPPLIED[one.table]), one.table
        assert one.rows == len(parquet.read(tmp_path, one.table)) > 0


def test_the_calendar_covers_the_dates_of_the_bank(connection, tmp_path):
    flows(connection, tmp_path, "2023-04-03")
    supply(connection, load_contract(), tmp_path, AS_OF)
    days = parquet.read(tmp_path, "calendar").set_index("date")
    assert (days.index.min(), days.index.max()) == (
        pd.Timestamp(2023, 1, 1),
        pd.Timestamp(2026, 12, 31),
    )
    assert days.index.is_unique and days.index.is_monotonic_increasing
    assert days.loc["2025-10-01", "holiday"] == "国庆" and not days.loc["2025-10-01", "workday"]
    assert days.loc["2025-09-28", "workday"]  # a Sunday that is worked


def test_a_calendar_does_not_begin_before_the_known_holidays(connection, tmp_path):
    flows(connection, tmp_path, "1998-01-05")
    supply(connection, load_contract(), tmp_path, AS_OF)
    known = int(read_reference("holidays")["year"].min())
    assert parquet.read(tmp_path, "calendar")["date"].min() == pd.Timestamp(known, 1, 1)


def test_nothing_set_after_the_day_of_the_data_is_supplied(connection, tmp_path):
    day = date(2023, 1, 10)
    supply(connection, load_contract(), tmp_path, day)
    for table in ("lpr_rate", "deposit_rate"):
        assert parquet.read(tmp_path, table)["effective_date"].max() <= pd.Timestamp(day)
    assert set(parquet.read(tmp_path, "deposit_rate")["who"]) == {"大行"}


def test_the_own_table_of_a_bank_wins(connection, tmp_path):
    put(connection, tmp_path, "lpr_rate", "SELECT DATE '2024-01-01' AS effective_date, 3.4 lpr_1y")
    done = supply(connection, load_contract(), tmp_path, AS_OF)
    assert "lpr_rate" not in {one.table for one in done}
    assert parquet.read(tmp_path, "lpr_rate")["lpr_1y"].tolist() == [3.4]


def test_rates_from_memory_have_to_be_checked():
    notes = {name: note for name, _, note in supplied(["lpr_rate", "deposit_rate"], None, AS_OF)}
    assert all("凭记忆录入" in note and "核实" in note for note in notes.values())


def test_years_without_a_published_schedule_are_named():
    notes = {name: note for name, _, note in supplied(["calendar"], None, date(2030, 6, 30))}
    assert "2030、2031 年的放假安排未经核对或未公布" in notes["calendar"]


def test_lender_words_are_kinds_of_the_contract_and_no_names():
    frame = read_reference("lender_keywords")
    codes = load_contract().table("lender_keyword").columns["lender_kind"].codes
    assert set(frame["lender_kind"]) <= set(codes)
    assert frame["keyword"].is_unique and frame["keyword"].str.len().max() <= 4


def test_first_day_of_the_rows_that_a_bank_gathers(connection, tmp_path):
    assert first_day(connection, load_contract(), tmp_path) is None
    flows(connection, tmp_path, "2024-02-29")
    assert first_day(connection, load_contract(), tmp_path) == date(2024, 2, 29)


def test_what_the_course_supplies_counts_as_there():
    assert is_supplied("calendar") and is_supplied("calendar.workday")
    assert not is_supplied("calendar.market_day") and not is_supplied("loan")
