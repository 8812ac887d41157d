"""Exports of another shape: signs, debit and credit, names of files, unwanted rows, commas."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.intake.conversion import TableConverter
from course_utils.intake.mapping import ColumnMapping, TableMapping, read_mapping
from course_utils.intake.rules import RuleBook

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

CONTRACT = load_contract()
AS_OF = dt.date(2025, 12, 31)


def convert(table: str, columns: str, rows: dict[str, list[str]], tmp_path, file="a.csv", more=""):
    """Read a mapping of one table and convert rows with it."""
    path = tmp_path / "mapping.yml"
    path.write_text(
        f'tables:\n  {table}:\n    files: ["*.csv"]\n{more}    columns:\n{columns}',
        encoding="utf-8",
    )
    mapping = read_mapping(path, "demo").tables[table]
    one = TableConverter(CONTRACT.tables[table], mapping, AS_OF, RuleBook())
    height = len(next(iter(rows.values())))
    return one.convert(pl.DataFrame({"_row": range(2, height + 2), **rows}), file, ""), one


SIGNED = """\
      transaction_id: {generate: row}
      amount: {from: amt, absolute: true}
      direction: {from: amt, signs: {"+": 收入, "-": 支出}}
"""


def test_the_sign_of_an_amount_says_its_direction(tmp_path):
    amounts = ["12.50", "-3", "(4.00)", "5-", "－6", "+7", "1,000.00"]
    done, _ = convert("transaction", SIGNED, {"amt": amounts}, tmp_path)
    out, in_ = "支出", "收入"
    assert done.rows["direction"].to_list() == [in_, out, out, out, out, in_, in_]
    expected = ["12.50", "3.00", "4.00", "5.00", "6.00", "7.00", "1000.00"]
    assert [str(x) for x in done.rows["amount"]] == expected
    assert done.rejected.is_empty()


def test_a_blank_amount_has_no_direction(tmp_path):
    done, _ = convert("transaction", SIGNED, {"amt": ["", "1"]}, tmp_path)
    assert done.rows["_row"].to_list() == [3]
    assert set(done.faults["rule"]) == {"null"}


TWO = """\
      transaction_id: {generate: row}
      amount: {from: [借方, 贷方]}
      direction: {from: [借方, 贷方], which: [支出, 收入]}
"""


def test_debit_and_credit_are_one_amount_and_its_direction(tmp_path):
    rows = {"借方": ["10.00", "0.00", "", "-", "0"], "贷方": ["0", "20", "30", "40.00", "0.00"]}
    done, _ = convert("transaction", TWO, rows, tmp_path)
    assert done.rows["amount"].to_list() == [Decimal(n) for n in (10, 20, 30, 40)]
    assert done.rows["direction"].to_list() == ["支出", "收入", "收入", "收入"]
    assert done.rejected["_row"].to_list() == [6], "nothing moved: no direction"


def test_a_reversal_in_red_is_not_turned_round_in_silence(tmp_path):
    done, _ = convert("transaction", TWO, {"借方": ["-10"], "贷方": [""]}, tmp_path)
    assert set(done.faults["rule"]) == {"minimum"}


def test_debit_and_credit_must_both_be_in_the_file(tmp_path):
    with pytest.raises(CourseError, match="没有“贷方”这一列"):
        convert("transaction", TWO, {"借方": ["1"]}, tmp_path)


def test_a_month_stands_in_the_name_of_the_file(tmp_path):
    columns = "      month: {file: '_(\\d{6})\\.'}\n      customer_id: 客户号\n"
    done, _ = convert("customer_month", columns, {"客户号": ["C1"]}, tmp_path, "月度_202502.csv")
    assert done.rows["month"].to_list() == [dt.date(2025, 2, 28)]
    with pytest.raises(CourseError, match="文件名里找不到“月份”"):
        convert("customer_month", columns, {"客户号": ["C1"]}, tmp_path, "月度.csv")


def test_rows_that_the_mapping_does_not_want_are_counted(tmp_path):
    columns = "      transaction_id: 号\n"
    rows = {"号": ["1", "2", "3", "4"], "状态": ["正常", " 作废", "红字", ""]}
    more = "    skip: {状态: [作废, 红字]}\n"
    done, _ = convert("transaction", columns, rows, tmp_path, more=more)
    assert (done.rows["_row"].to_list(), done.skipped) == ([2, 5], 2)
    more = '    only: {状态: 正常, 号: ["1", "2"]}\n'
    done, one = convert("transaction", columns, rows, tmp_path, more=more)
    assert (done.rows["transaction_id"].to_list(), done.skipped) == (["1"], 3)
    none = pl.DataFrame({"_row": [9], "号": ["9"], "状态": ["作废"]})
    again = one.convert(none, "a.csv", "")
    assert (again.rows.height, again.rejected.height, again.skipped) == (0, 0, 1)
    with pytest.raises(CourseError, match="没有“状态”这一列"):
        convert("transaction", columns, {"号": ["1"]}, tmp_path, more=more)


def test_a_comma_before_the_decimals(tmp_path):
    texts = ["1.234,56", "7,5", "1000", "-2,00", "3.50", "1 234,5"]
    columns = "      transaction_id: {generate: row}\n      amount: {from: amt, absolute: true}\n"
    done, _ = convert("transaction", columns, {"amt": texts}, tmp_path, more='    decimal: ","\n')
    assert [str(x) for x in done.rows["amount"]] == [
        "1234.56", "7.50", "1000.00", "2.00", "1234.50"
    ]  # fmt: skip
    assert done.faults["row"].to_list() == [6], "a point before two digits is no group"


@pytest.mark.parametrize(
    ("order", "text", "expected"),
    [
        ("ymd", "930105", "1993-01-05"), ("ymd", "250131", "2025-01-31"),
        ("ymd", "65-2-1", "2065-02-01"), ("ymd", "66/2/1", "1966-02-01"),
        ("dmy", "03/04/2025", "2025-04-03"), ("mdy", "03/04/2025", "2025-03-04"),
        ("dmy", "31122025", "2025-12-31"), ("dmy", "31.12.25", "2025-12-31"),
        ("dmy", "2025-12-31", "2025-12-31"), ("ymd", "20251231", "2025-12-31"),
        ("ymd", "930231", None), ("dmy", "931231", None),
    ],
)  # fmt: skip
def test_the_mapping_says_the_order_of_a_date(order, text, expected, tmp_path):
    columns = (
        f"      loan_id: {{generate: row}}\n      maturity_date: {{from: d, order: {order}}}\n"
    )
    done, _ = convert("loan", columns, {"d": [text]}, tmp_path)
    assert (str(done.rows["maturity_date"][0]) if done.rows.height else None) == expected


def test_all_other_codes(tmp_path):
    mapping = TableMapping(
        "loan",
        columns={
            "loan_id": ColumnMapping("loan_id", generate="row"),
            "purpose": ColumnMapping("purpose", source="p", codes={"1": "购房", "*": "其他"}),
        },
    )
    one = TableConverter(CONTRACT.tables["loan"], mapping, AS_OF, RuleBook())
    chunk = pl.DataFrame({"_row": [2, 3, 4, 5], "p": ["1", "9", "x", ""]})
    done = one.convert(chunk, "a.csv", "")
    assert done.rows["purpose"].to_list() == ["购房", "其他", "其他"]
    assert done.rejected["_row"].to_list() == [5], "an empty cell is no other code"
    assert one.notes()["translated"]["purpose"] == {"1": ["购房", 1], "*": ["其他", 2]}


def test_hours_in_times_without_colons(tmp_path):
    texts = ["083015", "83015", "0830", "23", "20251231235959", "240000"]
    columns = "      transaction_id: {generate: row}\n      hour: t\n"
    done, _ = convert("transaction", columns, {"t": texts}, tmp_path)
    assert done.rows["hour"].to_list() == [8, 8, 8, 23, 23]


def test_times_of_other_zones_are_kept_and_named(tmp_path):
    columns = "      event_id: {generate: row}\n      event_time: t\n"
    texts = ["2025-01-02T03:04:05+08:00", "2025-01-02T03:04:05Z", "2025-01-02T03:04:05.5-0500"]
    done, _ = convert("mobile_event", columns, {"t": texts}, tmp_path)
    assert done.rows["event_time"].dt.hour().to_list() == [3, 3, 3]
    assert done.faults["row"].to_list() == [3, 4]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('direction: {from: a, signs: {"+": 收入}}', '要写明 "+" 和 "-"'),
        ('direction: {from: a, signs: {"+": 进, "-": 出}}', "没有“进”"),
        ('direction: {from: a, signs: {"0": 收入, "-": 支出}}', 'signs 的左边只能是'),
        ("direction: {from: [a, b], which: [收入]}", "which 要与 from 的列一样多"),
        ("direction: {from: a, which: [收入]}", "which 要与 from 的列一样多"),
        ('direction: {from: [a, b], which: [收入, 支出], codes: {"1": 收入}}', "只能写一个"),
        ("direction: {value: 收入, absolute: true}", "absolute 只能与 from 一起写"),
        ("direction: {from: a, absolute: true}", "不是数字"),
        ("amount: {from: a, absolute: 1}", "absolute 只能写 true 或 false"),
        ("amount: {from: a, order: ymd}", "order 只用于日期"),
        ("date: {from: a, order: yyyymmdd}", "order 只用于日期"),
        ("date: {file: '('}", "正则表达式"),
        ("date: {file: '(a)(b)'}", "正则表达式"),
    ],
)  # fmt: skip
def test_slips_in_the_mapping_are_one_sentence(line, said, tmp_path):
    with pytest.raises(CourseError, match="第 5 行") as caught:
        convert("transaction", f"      {line}\n", {"a": []}, tmp_path)
    assert said in str(caught.value)


def test_a_foreign_encoding_is_believed_and_never_guessed(tmp_path):
    from course_utils.intake.reading import ReadOptions, open_source

    path = tmp_path / "okres.csv"
    path.write_bytes("id;name\n1;Okres č.1\n".encode("cp1250"))
    mapping = tmp_path / "mapping.yml"
    text = 'tables:\n  note:\n    files: ["a"]\n    encoding: {}\n    columns: {{text: name}}\n'
    for written, known in (("windows-1250", "cp1250"), ("latin1", "iso8859-1")):
        mapping.write_text(text.format(written), encoding="utf-8")
        assert read_mapping(mapping, "demo").tables["note"].encoding == known
    (reading,) = open_source(path, ReadOptions(encoding="cp1250"))
    assert next(iter(reading.chunks()))["name"].to_list() == ["Okres č.1"]


def test_the_help_of_a_new_mapping_says_what_can_be_read(tmp_path):
    """Every way of writing a column that the help shows is one that the reader takes."""
    from course_utils.intake.mapping.template import mapping_template

    help_ = [
        line[2:] for line in mapping_template("demo", CONTRACT, {}).split("tables:")[0].split("\n")
    ]
    shown = [line.strip() for line in help_ if line.startswith("   ")]
    columns = {"amount", "direction", "month", "date", "kind"}
    ways = [line for line in shown if line.split(":")[0] in columns and "{" in line]
    assert len(ways) >= 8
    for way in ways:
        table = "customer_month" if way.startswith("month") else "transaction"
        cells = {"date": "930105", "摘要": "其他"}
        names = ("贷款金额", "金额", "借方发生额", "贷方发生额", "date", "摘要")
        rows = {name: [cells.get(name, "1")] for name in names}
        done, _ = convert(table, f"      {way}\n", rows, tmp_path, file="月_202501.csv")
        assert done.rejected.is_empty(), way
