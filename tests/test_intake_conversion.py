"""From text to the contract's types: every way of writing a value, every fault with its row."""

from __future__ import annotations

import datetime as dt
import random
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.intake.conversion import TableConverter
from course_utils.intake.faults import fault_schema
from course_utils.intake.mapping import ColumnMapping, TableMapping
from course_utils.intake.rules import RuleBook

AS_OF = dt.date(2025, 12, 31)
CONTRACT = load_contract()


def converter(table: str, *columns: ColumnMapping, rules: RuleBook | None = None, **more):
    mapping = TableMapping(table, columns={one.column: one for one in columns}, **more)
    return TableConverter(CONTRACT.tables[table], mapping, AS_OF, rules or RuleBook())


def convert(table: str, column: str, texts: list[str], **given_):
    """Convert one column; the key of the table is generated where it is not the column."""
    definition = CONTRACT.tables[table]
    keys = [ColumnMapping(k, generate="row") for k in definition.grain
            if k != column and definition.columns[k].type == "id"]  # fmt: skip
    one = converter(table, *keys, ColumnMapping(column, source="列", **given_))
    chunk = pl.DataFrame({"_row": range(1, len(texts) + 1), "列": texts})
    return one.convert(chunk, "a.csv", ""), one


def outcome(table: str, column: str, text: str, **given_):
    """Return the value of one cell (None if its row went) and the rules it met."""
    done, _ = convert(table, column, [text], **given_)
    value = done.rows[column][0] if done.rows.height else None
    return value, set(done.faults["rule"])


MONEY = [
    ("1234.5", "1234.50", set()),
    ("1,234.56", "1234.56", set()),
    ("1 234.56", "1234.56", set()),
    ("\u3000 12 \u00a0", "12.00", set()),
    ("'12.30", "12.30", set()),
    ("\t88", "88.00", set()),
    ("¥1,263.20", "1263.20", {"currency_sign"}),
    ("￥5", "5.00", {"currency_sign"}),
    ("292.77元", "292.77", {"currency_sign"}),
    ("１２３．５", "123.50", {"full_width"}),
    ("3.5万", "35000.00", {"unit_in_cell"}),
    ("1.2亿元", "120000000.00", {"unit_in_cell"}),
    ("0.125", "0.13", {"rounded"}),
    ("+7", "7.00", set()),
    ("(5.00)", None, {"minimum"}),
    ("（5.00）", None, {"minimum"}),
    ("5-", None, {"minimum"}),
    ("-3", None, {"minimum"}),
    ("1,23", None, {"number"}),
    ("12,34.5", None, {"number"}),
    ("1.2.3", None, {"number"}),
    ("-(5)", None, {"number"}),
    ("abc", None, {"number"}),
    ("1.23E+08", None, {"number_scientific"}),
    ("\x1a1234567890123450", None, {"number_scientific"}),
    ("99999999999999999999", None, {"number_size"}),
    ("9" * 100, None, {"number_size"}),
    ("--", None, {"null"}),
    ("无", None, {"null"}),
    ("\\N", None, {"null"}),
    ("#N/A", None, {"null"}),
    ("", None, {"null"}),
]


@pytest.mark.parametrize(("text", "value", "rules"), MONEY)
def test_money(text, value, rules):
    found, met = outcome("deposit_account", "amount", text)
    assert (found, met) == (None if value is None else Decimal(value), rules)


def test_money_is_of_the_contracts_type():
    done, _ = convert("deposit_account", "amount", ["1"])
    assert done.rows.schema["amount"] == pl.Decimal(18, 2)


@settings(max_examples=40, deadline=None)
@given(
    st.decimals(min_value=0, max_value=10**9, places=6),
    st.sampled_from([("元", "1"), ("万元", "10000"), ("分", "0.01"), ("亿元", "100000000")]),
)
def test_declared_units_are_exact(number, unit):
    name, scale = unit
    expected = (number * Decimal(scale)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    plain, _ = outcome("deposit_account", "amount", f"{number:f}", unit=name)
    grouped, _ = outcome("deposit_account", "amount", f" {number:,f}", unit=name)
    assert plain == grouped == (expected if expected < 10**16 else None)


def test_unit_of_the_table_holds_for_money_only():
    keys = [ColumnMapping("account_id", generate="row")]
    columns = [ColumnMapping("amount", "本金"), ColumnMapping("rate", "利率")]
    one = converter("deposit_account", *keys, *columns, unit="万元")
    done = one.convert(pl.DataFrame({"_row": [2], "本金": ["1.5"], "利率": ["2.1"]}), "a.csv", "")
    assert done.rows.select("amount", "rate").row(0) == (Decimal("15000.00"), 2.1)


DATES = [
    ("20240131", "2024-01-31", set()),
    ("2024-1-31", "2024-01-31", set()),
    ("2024/1/31", "2024-01-31", set()),
    ("2024.1.31", "2024-01-31", set()),
    ("2024年1月31日", "2024-01-31", set()),
    ("2024-01-31 08:30:00", "2024-01-31", set()),
    ("2024-01-31T08:30:00.123+08:00", "2024-01-31", set()),
    ("20240131083000", "2024-01-31", set()),
    ("２０２４－０１－３１", "2024-01-31", set()),
    ("45322", "2024-01-31", {"date_serial"}),
    ("13/02/2024", "2024-02-13", set()),
    ("99991231", None, set()),
    ("9999-12-31 00:00:00", None, set()),
    ("00000000", None, set()),
    ("0", None, set()),
    ("1900-01-01", None, set()),
    ("2025-02-30", None, {"date"}),
    ("2025-13-01", None, {"date"}),
    ("2024-02-29", "2024-02-29", set()),
    ("2023-02-29", None, {"date"}),
    ("24-01-31", None, {"date_year"}),
    ("240131", None, {"date_year"}),
    ("03/04/2025", None, {"date_order"}),
    ("1850-01-01", None, {"date_range"}),
    ("8888-01-01", None, {"date_range"}),
    ("明天", None, {"date"}),
]


@pytest.mark.parametrize(("text", "value", "rules"), DATES)
def test_dates(text, value, rules):
    found, met = outcome("deposit_account", "maturity_date", text)
    assert (found, met) == (None if value is None else dt.date.fromisoformat(value), rules)


def test_a_placeholder_is_no_date_where_one_must_be():
    assert outcome("deposit_account", "open_date", "99991231") == (None, {"date_open"})


@pytest.mark.parametrize("text", ["202402", "2024-02", "2024年2月", "20240215", "2024/2/29"])
def test_any_day_of_a_month_is_its_end(text):
    assert outcome("loan_month", "month", text)[0] == dt.date(2024, 2, 29)


def test_order_of_day_and_month_comes_from_the_whole_column():
    texts = ["03/04/2025", "25/12/2025"]
    done, one = convert("deposit_account", "maturity_date", texts)
    assert done.rows["maturity_date"].to_list() == [dt.date(2025, 4, 3), dt.date(2025, 12, 25)]
    assert [r["rule"] for r in one.notes()["remarks"]] == ["date_order_guess"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-06-01 08:09:10", dt.datetime(2025, 6, 1, 8, 9, 10)),
        ("2025/6/1 8:09", dt.datetime(2025, 6, 1, 8, 9)),
        ("20250601080910", dt.datetime(2025, 6, 1, 8, 9, 10)),
        ("2025-06-01", dt.datetime(2025, 6, 1)),
        ("45809.5", dt.datetime(2025, 6, 1, 12)),
    ],
)
def test_timestamps(text, value):
    assert outcome("service_record", "request_time", text)[0] == value


@pytest.mark.parametrize("text", ["是", "Y", "1", "true", "T", "有", "Ｙ"])
def test_yes(text):
    assert outcome("deposit_account", "auto_renew", text) == (True, set())


@pytest.mark.parametrize("text", ["否", "n", "0", "FALSE", "无", "没有"])
def test_no(text):
    value, _ = outcome("customer_product", "has_etc", text)
    assert value is False


@pytest.mark.parametrize(
    ("text", "value", "rules"),
    [
        ("6217000000000000000", "6217000000000000000", set()),
        ("0012", "0012", set()),
        ("A-1_b", "A-1_b", set()),
        ("'0012", "0012", set()),
        ("6217 0000 0000", "621700000000", set()),
        ("1234.0", "1234", {"id_tail"}),
        ("1234567890123456.0", None, {"id_lost"}),
        ("6.217E+18", None, {"id_lost"}),
        ("\x1a6217000000000000000", None, {"id_lost"}),
        ("００１２", "0012", {"full_width"}),
        ("", None, {"null"}),
    ],
)
def test_identifiers(text, value, rules):
    assert outcome("deposit_account", "account_id", text) == (value, rules)


def test_codes_of_the_bank_the_contract_and_nobody():
    done, one = convert(
        "deposit_account", "kind", ["01", "定期", "77", " 01 "], codes={"01": "活期"}
    )
    assert done.rows["kind"].to_list() == ["活期", "定期", "活期"]
    assert done.faults.select("row", "rule", "value").rows() == [(3, "code", "77")]
    notes = one.notes()
    assert notes["translated"] == {"kind": {"01": ["活期", 2]}}
    assert notes["unknown_codes"] == {"kind": {"77": 1}}


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), ("12个月", 12), ("3年", 36), ("三年", 36), ("36M", 36)]
)
def test_terms_in_months(text, value):
    assert outcome("deposit_account", "term_months", text)[0] == value


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("birth_year", "1980", 1980),
        ("birth_year", "19800102", 1980),
        ("birth_year", "1980年1月2日", 1980),
        ("birth_year", "511323" + "19800102" + "0000", 1980),
        ("birth_month", "1980-07-02", 7),
        ("birth_month", "7", 7),
        ("birth_year", "19801302", None),
    ],
)
def test_years_and_months_come_out_of_dates_and_identity_numbers(column, text, value):
    assert outcome("customer", column, text)[0] == value


@pytest.mark.parametrize("text", ["14", "14:05:06", "2025-01-01 14:05", "14时05分"])
def test_hours_come_out_of_times(text):
    assert outcome("transaction", "hour", text) == (14, set())


def test_per_cent_and_shares():
    assert outcome("deposit_account", "rate", "3.25%") == (3.25, set())
    assert outcome("deposit_account", "rate", "0.0325", unit="小数") == (3.25, set())
    assert outcome("deposit_account", "rate", "3.25%", unit="小数")[0] == 3.25
    assert outcome("village", "migrant_rate", "25%") == (0.25, {"unit_in_cell"})


def test_a_scale_that_looks_wrong_is_a_remark_of_the_column():
    _, one = convert("deposit_account", "rate", ["0.0215", "0.0325"])
    assert [(r["rule"], r["column"]) for r in one.notes()["remarks"]] == [("scale", "rate")]


def test_short_identifiers_among_long_ones_are_a_remark():
    _, one = convert("deposit_account", "account_id", [f"{i:08d}" for i in range(99)] + ["12345"])
    assert [(r["rule"], r["limit"]) for r in one.notes()["remarks"]] == [("id_length", "8")]


def test_text_keeps_its_words_and_loses_line_breaks():
    texts = ["无", "=1+1", "甲\n乙", "NULL"]
    done, _ = convert("transaction", "memo", texts)
    assert done.rows["memo"].to_list() == ["无", "=1+1", "甲 乙", None]
    assert done.faults.select("row", "rule").rows() == [(2, "formula_text")]


def test_rows_after_the_last_known_day_go_and_later_results_are_told():
    columns = [ColumnMapping("loan_id", "号"), ColumnMapping("issue_date", "发放"),
               ColumnMapping("settle_date", "结清")]  # fmt: skip
    chunk = pl.DataFrame(
        {"_row": [2, 3], "号": ["1", "2"], "发放": ["2026-01-01", "2025-01-01"],
         "结清": ["", "2026-02-01"]}
    )  # fmt: skip
    done = converter("loan", *columns).convert(chunk, "a.csv", "")
    found = done.faults.select("row", "rule", "level").rows()
    assert found == [(2, "after_as_of", "拒收"), (3, "hidden_after_as_of", "提示")]
    assert done.rows["_row"].to_list() == [3]


def test_rejected_rows_say_why_and_hide_whose_they_are():
    account = "62170000" + "0" * 10 + "7"
    columns = [ColumnMapping("account_id", "账号"), ColumnMapping("amount", "本金")]
    chunk = pl.DataFrame({"_row": [9], "账号": [account], "本金": ["x"], "姓名": ["张三"]})
    done = converter("deposit_account", *columns).convert(chunk, "a.csv", "表1")
    row = done.rejected.row(0, named=True)
    assert (row["_row"], row["_sheet"], row["reasons"]) == (9, "表1", "本金：不是数字")
    assert row["账号"] == "62****07"
    assert "姓名" not in row


def test_numbers_and_names_that_slipped_into_other_columns_are_hidden():
    phone = "139" + "1" * 8
    for text in (phone + "x", "张小三"):
        done, _ = convert("deposit_account", "amount", [text])
        assert text not in done.faults["value"][0]
        assert done.faults["rule"].to_list() == ["number"]


def test_generated_keys_differ_between_sheets():
    one = converter("transaction", ColumnMapping("transaction_id", generate="row"),
                    ColumnMapping("memo", "附言"))  # fmt: skip
    chunk = pl.DataFrame({"_row": [5, 6], "附言": ["甲", "乙"]})
    keys = [
        k for sheet in ("一", "二") for k in one.convert(chunk, "a", sheet).rows["transaction_id"]
    ]
    assert len(set(keys)) == 4


def test_a_column_that_is_not_there_is_named():
    one = converter("deposit_account", ColumnMapping("account_id", "帐号"))
    with pytest.raises(CourseError, match=r"b\.csv 里没有“帐号”这一列.*account_id"):
        one.convert(pl.DataFrame({"_row": [1], "账号": ["1"]}), "b.csv", "")


def test_a_nullable_column_that_is_not_there_is_a_remark():
    one = converter("loan", ColumnMapping("loan_id", "号"), ColumnMapping("settle_date", "结清"))
    done = one.convert(pl.DataFrame({"_row": [1], "号": ["1"]}), "b.csv", "")
    assert done.rows["settle_date"].to_list() == [None]
    assert [r["rule"] for r in one.notes()["remarks"]] == ["column_absent"]


def test_limits_and_levels_of_the_bank():
    rules = RuleBook.from_profile({"loan.rate.maximum": 36, "customer.gender.code": "拒收"})
    one = converter(
        "loan", ColumnMapping("loan_id", "号"), ColumnMapping("rate", "率"), rules=rules
    )
    done = one.convert(
        pl.DataFrame({"_row": [1, 2], "号": ["1", "2"], "率": ["30", "37"]}), "a", ""
    )
    assert done.rows["rate"].to_list() == [30.0]
    two = converter("customer", ColumnMapping("customer_id", "号"), ColumnMapping("gender", "性别"),
                    rules=rules)  # fmt: skip
    done = two.convert(pl.DataFrame({"_row": [1], "号": ["1"], "性别": ["X"]}), "a", "")
    assert done.rows.height == 0


@pytest.mark.parametrize(
    ("totals", "gap"),
    [
        ([{"号": "合计", "额": "3.5"}], None),
        ([{"号": "小计", "额": "1"}, {"号": "总 计", "额": "35,000元"}], None),
        ([{"号": "甲合计", "额": "1"}, {"号": "乙合计", "额": "2.5"}], None),
        ([{"号": "制表人：", "额": "9"}], None),
        ([{"号": "合计", "额": ""}], None),
        ([{"号": "合计", "额": "4"}], "-5,000.00 元"),
    ],
)
def test_totals_in_the_file_are_compared_with_its_rows(totals, gap):
    columns = ColumnMapping("account_id", "号"), ColumnMapping("amount", "额")
    one = converter("deposit_account", *columns, unit="万元")
    chunk = pl.DataFrame({"_row": [2, 3], "号": ["", "2"], "额": ["1", "2.5"]})
    one.convert(chunk, "a.csv", "")
    one.totals(totals)
    told = [r["limit"] for r in one.notes()["remarks"] if r["rule"] == "total_differs"]
    assert told == ([] if gap is None else [gap])


CLEAN = {"account_id": "A", "customer_id": "C1", "open_date": "2024-05-06", "amount": "1,000.00",
         "rate": "1.5", "kind": "活期", "term_months": "12", "auto_renew": "是"}  # fmt: skip
PLANTS = [
    ("amount", "--", "null", "拒收"),
    ("amount", "-5", "minimum", "拒收"),
    ("amount", "ＡＢ", "number", "拒收"),
    ("open_date", "2025-02-30", "date", "拒收"),
    ("open_date", "2031-05-01", "after_as_of", "拒收"),
    ("account_id", "6.21700E+18", "id_lost", "拒收"),
    ("customer_id", "", "null", "拒收"),
    ("kind", "X", "code", "拒收"),
    ("rate", "215", "maximum", "拒收"),
    ("term_months", "61", "maximum", "警告"),
    ("term_months", "一些", "number", "警告"),
    ("auto_renew", "也许", "flag", "警告"),
    ("amount", "¥3", "currency_sign", "提示"),
    ("open_date", "45322", "date_serial", "提示"),
]


@pytest.mark.parametrize("seed", range(3))
def test_every_planted_fault_is_found_with_its_row_and_nothing_else(seed):
    chance = random.Random(seed)
    rows = [dict(CLEAN, account_id=f"A{i:07d}") for i in range(4_000)]
    planted = []
    for place in chance.sample(range(len(rows)), 700):
        column, text, rule, level = chance.choice(PLANTS)
        rows[place][column] = text
        planted.append((place + 2, column, rule, level))
    one = converter("deposit_account", *(ColumnMapping(c, f"源{c}") for c in CLEAN))
    frame = pl.DataFrame(rows).rename({c: f"源{c}" for c in CLEAN})
    frame = frame.insert_column(0, pl.Series("_row", range(2, len(rows) + 2)))
    parts = [one.convert(part, "a.csv", "") for part in frame.iter_slices(900)]
    faults = pl.concat([part.faults for part in parts])
    assert faults.schema == pl.Schema(fault_schema())
    found = sorted(faults.select("row", "column", "rule", "level").rows())
    assert found == sorted(planted)
    gone = {row for row, _, _, level in planted if level == "拒收"}
    assert {r for part in parts for r in part.rejected["_row"]} == gone
    kept = pl.concat([part.rows for part in parts])
    assert set(kept["_row"]) == set(frame["_row"]) - gone
    blanked = {row for row, column, _, level in planted if level == "警告"}
    empty = kept.filter(pl.any_horizontal(pl.all().is_null()))
    assert set(empty["_row"]) == blanked


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=20))
def test_no_text_breaks_a_column(texts):
    for column in (*CLEAN, "maturity_date"):
        done, _ = convert("deposit_account", column, texts)
        assert done.rows.height + done.rejected.height == len(texts)
