"""The data contract: its own consistency, and faults planted into frames that must be found."""

import subprocess
import sys

import pandas as pd
import pytest

from course_utils.contract import (
    Column,
    Contract,
    Table,
    check_frame,
    check_references,
    dictionary_frame,
    dictionary_markdown,
    known_at,
    load_contract,
    protect_words,
)
from course_utils.contract.schema import schema_faults
from course_utils.errors import CourseError

SAMPLES = {
    "id": "X1",
    "text": "文字",
    "flag": True,
    "integer": 1,
    "number": 1.5,
    "money": 12.34,
    "percent": 3.25,
    "ratio": 0.25,
    "date": pd.Timestamp("2025-03-14"),
    "month": pd.Timestamp("2025-03-31"),
    "timestamp": pd.Timestamp("2025-03-14 09:30"),
}


def valid_value(column, position):
    """Return a value that keeps every rule of the column; ids differ by row."""
    if column.type == "code":
        return column.codes[position % len(column.codes)]
    if column.type == "id":
        return f"X{position}"
    value = SAMPLES[column.type]
    if column.minimum is not None and not isinstance(value, str):
        value = max(value, type(value)(column.minimum))
    if column.maximum is not None:
        value = min(value, type(value)(column.maximum))
    return value


def valid_frame(table, rows=6):
    """Return a small frame that keeps the contract."""
    data = {c.name: [valid_value(c, i) for i in range(rows)] for c in table.columns.values()}
    frame = pd.DataFrame(data).astype(table.dtypes())
    return frame.drop_duplicates(list(table.grain), ignore_index=True)


def rules(faults):
    return {(fault.column, fault.rule) for fault in faults}


@pytest.fixture
def accounts():
    return valid_frame(load_contract().table("deposit_account"))


def test_contract_agrees_with_itself():
    contract = load_contract()
    assert schema_faults(contract) == []
    assert {"customer", "deposit_account", "customer_month", "loan"} <= set(contract.tables)


def test_every_table_accepts_a_frame_that_keeps_it():
    for table in load_contract().tables.values():
        assert check_frame(table, valid_frame(table)) == [], table.name


def test_every_lesson_of_the_first_modules_has_tables():
    contract = load_contract()
    counts = {0: 2, 1: 2, 2: 5, 3: 10, 4: 5, 5: 1}
    for module, lessons in counts.items():
        for number in range(1, lessons + 1):
            assert contract.for_lesson(f"m{module:02}_n{number:02}_any_name")


def test_money_identity_columns_are_there():
    columns = load_contract().table("customer_month").required_columns
    assert {"deposit_open", "in_amount", "out_amount", "deposit_end"} <= set(columns)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("depsit_account", "deposit_account"),
        ("存款账户", "deposit_account"),
        ("Loan", "“loan”"),
        ("zzzz", "请在数据字典里查对名称"),
    ],
)
def test_unknown_table_names_the_nearest(written, said):
    with pytest.raises(CourseError, match=said) as caught:
        load_contract().table(written)
    assert written in str(caught.value)
    assert str(caught.value).endswith("。")


def test_unknown_column_names_the_nearest():
    with pytest.raises(CourseError, match="overdue_days"):
        load_contract().table("loan").column("overdue_day")


def test_chinese_names_rename_a_frame(accounts):
    names = load_contract().table("deposit_account").chinese_names()
    assert "存款种类" in accounts.rename(columns=names)


def planted(frame, column, value):
    frame = frame.copy()
    frame[column] = frame[column].astype(object)
    frame.loc[2, column] = value
    return frame.infer_objects()


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("kind", "储蓄", "code"),
        ("amount", -1.0, "minimum"),
        ("rate", 325.0, "maximum"),
        ("amount", 100.005, "cents"),
        ("open_date", None, "null"),
        ("customer_id", None, "null"),
        ("open_date", pd.Timestamp("2025-03-14 08:00"), "time_of_day"),
        ("term_months", 2.5, "type"),
        ("amount", float("inf"), "type"),
        ("amount", "12,000.00", "type"),
        ("account_id", 123, "type"),
        ("auto_renew", "是", "type"),
        ("maturity_date", "2025-01-01", "type"),
    ],
)
def test_planted_value_is_found(accounts, column, value, rule):
    faults = check_frame("deposit_account", planted(accounts, column, value))
    assert rules(faults) == {(column, rule)}
    assert faults[0].count == 1
    assert faults[0].message.endswith("。")
    if rule != "type":
        assert faults[0].rows == (2,)


def test_month_must_be_a_month_end():
    table = load_contract().table("loan_month")
    frame = planted(valid_frame(table), "month", pd.Timestamp("2025-03-01"))
    assert rules(check_frame(table, frame)) == {("month", "month_end")}


def test_double_key_is_found_whatever_the_index(accounts):
    frame = pd.concat([accounts, accounts.iloc[[1, 4]]])
    (fault,) = check_frame("deposit_account", frame)
    assert (fault.rule, fault.count, fault.rows) == ("key", 2, (6, 7))


def test_missing_and_surplus_columns_are_found(accounts):
    frame = accounts.drop(columns=["amount", "kept_amount_30d"]).assign(phone="1")
    assert rules(check_frame("deposit_account", frame)) == {
        ("amount", "missing_column"),
        ("phone", "unknown_column"),
    }


def test_physical_types_of_other_readers_are_accepted(accounts):
    frame = accounts.astype(
        {"account_id": object, "term_months": "float64", "auto_renew": object, "rate": "float32"}
    )
    frame["open_date"] = frame["open_date"].astype("datetime64[s]")
    assert check_frame("deposit_account", frame) == []


def test_large_exact_amounts_have_no_fault(accounts):
    frame = accounts.assign(amount=[0.1 + 0.2, 1e10 + 0.07, 0.0, 9_999_999.99, 1e12, 0.01])
    assert check_frame("deposit_account", frame) == []


def test_lost_reference_is_found(accounts):
    customers = valid_frame(load_contract().table("customer"))
    accounts = accounts.assign(renewed_from=None)
    assert check_references({"customer": customers, "deposit_account": accounts}) == []
    accounts.loc[3, "customer_id"] = "X99"
    accounts.loc[1, "renewed_from"] = "X98"
    accounts.index = [7] * len(accounts)
    faults = check_references({"customer": customers, "deposit_account": accounts})
    assert rules(faults) == {("customer_id", "reference"), ("renewed_from", "reference")}
    assert [fault.rows for fault in faults] == [(3,), (1,)]


def small_contract(**changes):
    settings = {"name": "month", "zh": "月份", "type": "month", "meaning": "月末", "privacy": "C1"}
    table = Table(
        name="sheet",
        zh="表",
        meaning="一行一月",
        grain=("month",),
        owner="办公室",
        size="static",
        columns={"month": Column(**{**settings, **changes})},
    )
    return Contract(version="1.0", tables={"sheet": table})


@pytest.mark.parametrize(
    "changes",
    [
        {"references": "nowhere.id"},
        {"type": "code"},
        {"codes": ("甲",)},
        {"type": "Month"},
        {"privacy": "C4"},
        {"nullable": True},
        {"hide_after_as_of": True},
        {"known_on": "due"},
        {"known_after_days": 3},
        {"minimum": 0},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "money", "unit": "万元"},
        {"type": "code", "codes": ("甲", "甲")},
    ],
)
def test_self_check_finds_a_contradiction(changes):
    assert schema_faults(small_contract()) == []
    faults = schema_faults(small_contract(**changes))
    assert faults
    assert all(fault.endswith("。") for fault in faults)


def test_dictionary_has_a_row_a_column():
    contract = load_contract()
    frame = dictionary_frame()
    assert len(frame) == sum(len(t.columns) for t in contract.tables.values())
    assert list(frame.columns[:4]) == ["表", "表名", "字段", "中文名"]
    assert not frame.isna().any().any()
    loan = dictionary_frame(["loan"]).set_index("字段")
    assert loan.loc["loan_id", "主键"] == "是"
    assert loan.loc["five_class", "允许值"] == "正常、关注、次级、可疑、损失"
    assert loan.loc["amount", "单位"] == "元"
    assert loan.loc["amount", "入库处理"] == ""
    assert loan.loc["customer_id", "入库处理"] == "换假名"


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("loan.amount", "原样"),
        ("loan.manager_id", "换假名"),
        ("customer.birth_year", "只留年份"),
        ("merchant.x_km", "取整（0.1）"),
        ("raw_export.remark2", "不收"),
    ],
)
def test_protection_is_said_in_chinese(column, words):
    table, name = column.split(".")
    assert protect_words(load_contract().table(table).column(name)) == words


def test_dictionary_pages_have_a_section_a_table():
    tables = load_contract().tables
    text = dictionary_markdown()
    assert text.count("\n## ") == len(tables)
    widths = {line.count(" |") for line in text.splitlines() if line.startswith("| ")}
    assert widths == {2, 3, 10}


def test_dictionary_escapes_what_the_contract_says():
    contract = small_contract(meaning="a|b")
    assert r"a\|b" in dictionary_markdown(contract=contract)


def test_known_at_drops_rows_and_blanks_values_of_the_future():
    table = load_contract().table("deposit_account")
    frame = valid_frame(table).head(4)
    frame["open_date"] = pd.to_datetime(["2024-01-01", "2024-06-30", "2024-07-01", "2024-03-01"])
    frame["close_date"] = pd.to_datetime(["2024-06-30", "2024-08-01", None, None])
    frame["maturity_date"] = pd.to_datetime(["2024-05-31", "2024-06-01", "2025-07-01", None])
    frame["kept_amount_30d"] = [1.0, 2.0, 3.0, 4.0]
    frame["transaction_count_90d"] = pd.array([1, 2, 3, 4], dtype="Int64")
    before = frame.copy()
    seen = known_at(table, frame, "2024-06-30")
    assert seen.index.tolist() == [0, 1, 3]
    assert seen["close_date"].tolist()[0] == pd.Timestamp("2024-06-30")
    assert seen["close_date"].isna().tolist() == [False, True, True]
    # thirty days after 31 May is 30 June; after 1 June it is not yet known
    assert seen["kept_amount_30d"].isna().tolist() == [False, True, False]
    assert seen["transaction_count_90d"].isna().tolist() == [False, True, False]
    pd.testing.assert_frame_equal(frame, before)


def test_known_at_waits_for_the_end_of_a_year():
    table = load_contract().table("customer_year")
    frame = valid_frame(table).head(1)
    years = pd.concat([frame.assign(year=y) for y in (2023, 2024, 2025)], ignore_index=True)
    assert known_at(table, years, "2025-12-30")["year"].tolist() == [2023, 2024]
    assert known_at(table, years, "2025-12-31")["year"].tolist() == [2023, 2024, 2025]


def test_known_at_keeps_the_whole_day_of_a_timestamp():
    table = load_contract().table("note")
    notes = valid_frame(table).head(2)
    notes["note_time"] = pd.to_datetime(["2025-03-14 17:59", "2025-03-15 00:00"])
    assert len(known_at(table, notes, "2025-03-14")) == 1


def test_import_is_light():
    code = (
        "import sys, course_utils.contract;"
        "print([m for m in ('pandas', 'numpy', 'ruamel.yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
