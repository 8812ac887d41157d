"""The report: counts to the row, caps, masked values, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import openpyxl
import polars as pl
import pytest

from course_utils.contract import load_contract
from course_utils.intake.conversion import TableConverter
from course_utils.intake.faults import fault_schema
from course_utils.intake.mapping import BankMapping, ColumnMapping, TableMapping
from course_utils.intake.report import FileResult, IntakeResult, summarise, write_report
from course_utils.intake.report import page as report_page
from course_utils.intake.report import workbook as report_workbook
from course_utils.intake.rules import RuleBook

CONTRACT = load_contract()
AS_OF = dt.date(2025, 12, 31)
ACCOUNT = "62170000" + "0" * 10 + "7"
MAPPING = BankMapping(
    "trial",
    None,
    {
        "deposit_account": TableMapping(
            "deposit_account",
            ("a.csv",),
            unit="万元",
            columns={
                "account_id": ColumnMapping("account_id", "账号"),
                "kind": ColumnMapping("kind", "种类", codes={"01": "活期"}),
                "amount": ColumnMapping("amount", "本金"),
                "auto_renew": ColumnMapping("auto_renew", "=转存"),
            },
        )
    },
)
ROWS = [
    (ACCOUNT, "01", "1.5", "是"),
    ("A2", "99", "2", "是"),
    ("A3", "定期", "-1", "否"),
    ("A4", "01", "x", "=cmd|'/c calc'!A1"),
    ("A5", "01", "3万元", "=cmd|'/c calc'!A1"),
]


def result_of(folder, rows, rules=None, ragged=0, repeat=1, **more):
    """Convert rows and return what an intake would hand to the report."""
    book = RuleBook.from_profile(rules or {})
    mapping = MAPPING.tables["deposit_account"]
    converter = TableConverter(CONTRACT.tables["deposit_account"], mapping, AS_OF, book)
    names = [column.source for column in mapping.columns.values()]
    frame = pl.DataFrame(list(rows) * repeat, schema=names, orient="row")
    frame = frame.insert_column(0, pl.Series("_row", range(2, len(frame) + 2)))
    done = converter.convert(frame, "a.csv", "")
    lost = {name: "" for name in fault_schema()} | {
        "file": "a.csv", "row": 99, "table": "deposit_account", "rule": "ragged_short",
        "level": "拒收"}  # fmt: skip
    faults = pl.concat([done.faults, pl.DataFrame([lost] * min(ragged, 1), schema=fault_schema())])
    folder.mkdir(exist_ok=True)
    faults.write_parquet(folder / "faults.parquet")
    done.rejected.write_parquet(folder / "rejected.parquet")
    counts = {"lines": len(frame) + 1 + ragged, "header": 1, "ragged": ragged, "rows": len(frame)}
    one = FileResult("deposit_account", "a.csv", "", names, counts, done.rows.height,
                     done.rejected.height, converter.notes())  # fmt: skip
    given = {
        "bank": "trial", "name": "试验<银行>", "as_of": AS_OF, "made": "2026-01-01 08:00",
        "contract": CONTRACT, "mapping": MAPPING, "rules": book, "files": [one],
        "kept": {"deposit_account": done.rows.height}, "faults": [folder / "faults.parquet"],
        "rejected": {"deposit_account": [folder / "rejected.parquet"]},
    }  # fmt: skip
    return IntakeResult(**(given | more))


@pytest.fixture
def written(tmp_path):
    result = result_of(tmp_path / "in", ROWS, {"max_rejected_share": 0.1})
    summary = write_report(tmp_path / "数据报告", result)
    return tmp_path / "数据报告", summary


def table_of(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_rows_are_accounted_for_by_reason(tmp_path):
    summary = summarise(result_of(tmp_path, ROWS, {"max_rejected_share": 0.5}, ragged=1))
    (table,) = summary.tables
    assert (table.read, table.kept, table.lost, table.balanced) == (6, 2, 4, True)
    assert table.rejected == {"code": 1, "minimum": 1, "number": 1, "ragged_short": 1}


def test_unread_rows_that_the_reader_did_not_list_are_counted(tmp_path):
    (table,) = summarise(result_of(tmp_path, ROWS, ragged=7)).tables
    assert table.rejected["not_read"] == 6
    assert table.balanced


def test_a_row_that_is_missing_stops_the_intake(tmp_path):
    result = result_of(tmp_path, ROWS, {"max_rejected_share": 0.5}, kept={"deposit_account": 1})
    summary = summarise(result)
    assert not summary.may_publish
    assert "行数对不平" in "".join(summary.stops)


def test_too_many_rejected_rows_stop_the_intake_and_few_do_not(tmp_path):
    strict = summarise(result_of(tmp_path, ROWS, {"max_rejected_share": 0.1}))
    assert any("因问题拒收 3 行，占 60.00%" in one for one in strict.stops)
    good = [ROWS[0]] + [(f"A{i:04d}", "01", "1", "是") for i in range(50)]
    assert summarise(result_of(tmp_path, good)).may_publish


def test_a_key_without_a_source_stops_the_intake(tmp_path):
    mapping = BankMapping("trial", None, {"branch": TableMapping("branch", ("b.csv",))})
    given = result_of(tmp_path, ROWS[:1])
    result = IntakeResult(**{**vars(given), "mapping": mapping, "files": (), "faults": ()})
    assert any("“网点”的“网点号”" in one for one in summarise(result).stops)


@pytest.mark.parametrize(("late", "fine"), [(4, True), (6, False)])
def test_rows_after_the_last_day_are_no_fault_unless_most_are(tmp_path, late, fine):
    row = {"file": "a.csv", "sheet": "", "table": "deposit_account", "column": "open_date",
           "source": "开户", "value": "", "rule": "after_as_of", "level": "拒收"}  # fmt: skip
    frame = pl.DataFrame([row | {"row": i} for i in range(late)]).select(list(fault_schema()))
    frame.write_parquet(tmp_path / "late.parquet")
    file = FileResult("deposit_account", "a.csv", counts={"lines": 10, "rows": 10}, kept=10 - late)
    given = result_of(tmp_path / "in", ROWS[:1], kept={"deposit_account": 10 - late})
    more = {"files": [file], "faults": [tmp_path / "late.parquet"]}
    summary = summarise(IntakeResult(**(vars(given) | more)))
    assert summary.may_publish is fine
    assert summary.tables[0].fault_share == 0
    assert summary.tables[0].lost == late


def test_every_source_of_a_table_must_have_what_each_row_needs(tmp_path):
    key = {"account_id": ColumnMapping("account_id", "账号")}
    both = {
        **key,
        "kind": ColumnMapping("kind", "种类"),
        "term_months": ColumnMapping("term_months"),
    }
    parts = tuple(TableMapping("deposit_account", columns=one) for one in (both, key))
    mapped = TableMapping("deposit_account", columns=both, sources_apart=parts)
    bank = BankMapping("trial", None, {"deposit_account": mapped})
    given = result_of(tmp_path, ROWS[:1], mapping=bank)
    told = {r.column: r.level for r in summarise(given).rules if r.rule == "column_elsewhere"}
    assert told == {"kind": "停止"}


def test_sentences_name_limits_and_values(written):
    _, summary = written
    told = {(r.column, r.rule): r for r in summary.rules}
    assert told["amount", "minimum"].problem == "小于下限 0 元"
    assert "活期、定期" in told["kind", "code"].problem
    assert told["rate", "column_not_mapped"].level == "提示"


def test_lists_are_complete_and_hide_what_is_sensitive(written):
    folder, _ = written
    head, *rows = table_of(folder / "问题明细.csv")
    assert head == [
        "文件",
        "工作表",
        "行号",
        "表",
        "源列",
        "列",
        "值",
        "规则",
        "级别",
        "问题",
        "怎么改",
    ]
    places = {(row[2], row[5], row[7]) for row in rows}
    assert places == {
        ("3", "存款种类", "码值未登记"),
        ("4", "本金", "小于下限"),
        ("5", "本金", "不是数字"),
        ("5", "自动转存", "不是是否值"),
        ("6", "自动转存", "不是是否值"),
    }
    head, *rows = table_of(folder / "剔除行" / "deposit_account.csv")
    assert head[:4] == ["文件", "工作表", "行号", "拒收原因"]
    assert [row[2] for row in rows] == ["3", "4", "5"]


def test_no_cell_is_a_formula_and_no_account_is_shown(written):
    folder, _ = written
    for path in [folder / "问题明细.csv", folder / "剔除行" / "deposit_account.csv"]:
        for row in table_of(path):
            assert not any(cell.startswith(("=", "+", "@")) for cell in row), path
    book = openpyxl.load_workbook(folder / "数据问题清单.xlsx")
    cells = [cell for sheet in book for row in sheet for cell in row]
    assert any(str(cell.value).startswith("=cmd") for cell in cells)
    assert not any(cell.data_type == "f" or cell.hyperlink for cell in cells)
    for path in folder.rglob("*.*"):
        assert ACCOUNT not in path.read_text(encoding="utf-8", errors="ignore")


def test_the_workbook_has_its_sheets(written):
    book = openpyxl.load_workbook(written[0] / "数据问题清单.xlsx")
    names = ["需修改清单", "规则汇总", "读取情况", "行数勾稽", "列的来源", "规则改动"]
    assert book.sheetnames == names
    assert book["规则改动"]["A2"].value == "max_rejected_share"
    units = {row[2].value: row[4].value for row in book["列的来源"].iter_rows(min_row=2)}
    assert units["amount"] == "万元"


def test_the_page_stands_alone(written):
    text = (written[0] / "数据报告.html").read_text(encoding="utf-8")
    assert "试验&lt;银行&gt;" in text
    assert "结论：没有发布" in text
    for foreign in ("<script", "http://", "https://", "<link", "<img"):
        assert foreign not in text


def test_json_is_the_same_report(written):
    folder, summary = written
    data = json.loads((folder / "数据报告.json").read_text(encoding="utf-8"))
    assert data["may_publish"] is False
    assert data["tables"][0]["rejected"] == dict(summary.tables[0].rejected)
    assert {c["源码值"]: c["译成"] for c in data["codes"]} == {"01": "活期", "99": "（未登记）"}
    assert data["rule_changes"][0]["value"] == "0.1"


def test_details_are_capped_and_counts_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(report_page, "EACH", 3)
    monkeypatch.setattr(report_workbook, "EACH", 4)
    result = result_of(tmp_path / "in", ROWS, repeat=20)
    summary = write_report(tmp_path / "out", result)
    counts = {(r.column, r.rule): r.count for r in summary.rules}
    assert counts["kind", "code"] == 20
    text = (tmp_path / "out" / "数据报告.html").read_text(encoding="utf-8")
    # once in the summary of rules, in the balance of rows, and three details
    assert text.count("<td>码值未登记</td>") == 4
    book = openpyxl.load_workbook(tmp_path / "out" / "数据问题清单.xlsx")
    rules = [row[7].value for row in book["需修改清单"].iter_rows(min_row=2)]
    assert rules.count("码值未登记") == 4
    assert len(table_of(tmp_path / "out" / "问题明细.csv")) == 1 + 5 * 20


def test_an_intake_without_a_fault_says_so(tmp_path):
    result = result_of(tmp_path / "in", [("A1", "01", "1", "是")])
    assert write_report(tmp_path / "out", result).may_publish
    text = (tmp_path / "out" / "数据报告.html").read_text(encoding="utf-8")
    assert "结论：可以使用" in text
    assert "没有需要逐行修改的问题" in text
