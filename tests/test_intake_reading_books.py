"""Workbooks, web pages called .xls, Parquet and databases: every value as exact text."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest

from course_utils.errors import CourseError
from course_utils.intake.reading import (
    LOST,
    Reading,
    ReadOptions,
    describe_source,
    open_source,
    read_database,
)
from course_utils.intake.reading.books.workbook import number_text
from course_utils.intake.reading.stores.database import checked_query


def rows_of(reading: Reading) -> list[tuple[object, ...]]:
    rows = [row for chunk in reading.chunks() for row in chunk.rows()]
    assert reading.counts["lines"] == sum(n for k, n in reading.counts.items() if k != "lines")
    assert reading.counts["rows"] == len(rows)
    return rows


def branch_pack(path: Path) -> Path:
    """Write a workbook as branches do: titles, merged groups and branches, subtotals."""
    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "说明"
    cover["A1"] = "本表由支行填报"
    sheet = book.create_sheet(" 到期 结构")
    sheet.append(["某行到期明细表"])
    sheet.merge_cells("A1:F1")
    sheet.append(["单位：万元"])
    sheet.append(["机构", "客户", None, "账户", None, "备注"])
    sheet.append([None, "客户号", "户名", "账号", "余额", None])
    for cells in ("A3:A4", "B3:C3", "D3:E3", "F3:F4"):
        sheet.merge_cells(cells)
    sheet.append(["01 青山", "C1", "甲", "0012", 12.5, dt.date(2025, 1, 31)])
    sheet.append([None, "C2", "乙", 6217000000000000000.0, 0.1 + 0.2, "#N/A"])
    sheet.append([None, "C3", None, 123456789012345, True, dt.datetime(2025, 1, 31, 8, 0)])
    sheet.merge_cells("A5:A7")
    sheet.append(["小计", None, None, None, 13])
    sheet.append([])
    sheet.append(["02 江口", "C4", "丁", "'0013", -1e-7, dt.timedelta(hours=30)])
    sheet.append(["合计"])
    book.save(path)
    return path


WANTED = ("机构", "客户号", "账号", "余额")


def test_a_pack_from_a_branch(tmp_path):
    [reading] = open_source(branch_pack(tmp_path / "表.xlsx"), ReadOptions(wanted=WANTED))
    assert (reading.sheet, reading.header_rows) == (" 到期 结构", (3, 4))
    assert reading.columns == ("机构", "客户号", "户名", "账号", "余额", "备注")
    assert rows_of(reading) == [
        (5, "01 青山", "C1", "甲", "0012", "12.5", "2025-01-31"),
        (6, "01 青山", "C2", "乙", f"{LOST}6217000000000000000", "0.3", ""),
        (7, "01 青山", "C3", "", "123456789012345", "TRUE", "2025-01-31 08:00:00"),
        (10, "02 江口", "C4", "丁", "'0013", "-0.0000001", "30:00:00"),
    ]
    assert (reading.counts["title"], reading.counts["total"], reading.counts["blank"]) == (2, 2, 1)
    notes = [(note.row, note.rule, note.value) for note in reading.notes]
    assert notes == [(6, "cell_error", "F6"), (0, "sheet_skipped", "说明")]


def test_sheets_by_name(tmp_path):
    path = branch_pack(tmp_path / "表.xlsx")
    [reading] = open_source(path, ReadOptions(wanted=WANTED, sheet="到期结构"))
    assert len(rows_of(reading)) == 4
    with pytest.raises(CourseError, match="没有（有数据的）工作表“到期”，现有 说明"):
        open_source(path, ReadOptions(wanted=WANTED, sheet="到期"))
    [reading] = open_source(path, ReadOptions(wanted=WANTED, sheet="*"))
    assert [(n.rule, n.value) for n in reading.notes][-1] == ("sheet_skipped", "说明")
    with pytest.raises(CourseError, match="2 个工作表（“说明”、“ 到期 结构”）里都找不到表头"):
        open_source(path, ReadOptions(wanted=("柜员号",)))


def test_a_sheet_a_branch_each(tmp_path):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in ("青山", "江口", "空"):
        sheet = book.create_sheet(name)
        if name != "空":
            sheet["B3"], sheet["C3"] = "客户号", "余额"
            sheet["B4"], sheet["C4"] = name, 1
    book.save(tmp_path / "表.xlsx")
    readings = open_source(tmp_path / "表.xlsx", ReadOptions(wanted=("客户号", "余额"), sheet="*"))
    assert [(r.sheet, rows_of(r)) for r in readings] == [
        ("青山", [(4, "", "青山", "1")]),
        ("江口", [(4, "", "江口", "1")]),
    ]
    assert readings[0].columns == ("列1", "客户号", "余额")
    [first] = open_source(tmp_path / "表.xlsx", ReadOptions(wanted=("客户号",)))
    assert [(n.rule, n.value) for n in first.notes] == [("sheet_skipped", "江口")]


def test_a_column_without_a_name_is_kept_in_a_sheet(tmp_path):
    book = openpyxl.Workbook()
    for row in (["客户号", "余额"], ["C1", 1], ["C2", 2], ["C3", 3, "已核"]):
        book.active.append(row)
    book.save(tmp_path / "表.xlsx")
    [reading] = open_source(tmp_path / "表.xlsx", ReadOptions(wanted=("客户号", "余额")))
    assert rows_of(reading)[-1] == (4, "C3", "3", "已核")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0435, "0.0435"),
        (1234567.89, "1234567.89"),
        (-0.0, "0"),
        (1e-9, "0.000000001"),
        (999999999999999.0, "999999999999999"),
        (1e15, f"{LOST}1000000000000000"),
        (-6.217e18, f"{LOST}-6217000000000000000"),
        (float("nan"), ""),
        (62170012345678901, f"{LOST}62170012345678901"),
    ],
)
def test_numbers_as_excel_shows_them(value, text):
    assert number_text(value) == text


def test_a_web_page_called_xls(tmp_path):
    page = (
        '<html><head><meta charset="gb2312"></head><body><p>导出</p>'
        "<table><tr><td colspan=3>某行明细</td></tr>"
        "<tr><th>机构</th><th>客户号</th><th>余额</th></tr>"
        "<tr><td rowspan=2>01&nbsp;青山</td><td>C&#49;<br>x</td><td>1,000.00</td></tr>"
        "<tr><td>C2<td>2</tr><tr><td>合计</td><td></td><td>3</td></tr></table></body></html>"
    )
    path = tmp_path / "表.xls"
    path.write_bytes(page.encode("gb18030"))
    [reading] = open_source(path, ReadOptions(wanted=("客户号", "余额")))
    assert rows_of(reading) == [
        (3, "01\xa0青山", "C1\nx", "1,000.00"),
        (4, "01\xa0青山", "C2", "2"),
    ]
    assert reading.counts["total"] == 1


def test_a_workbook_in_xml(tmp_path):
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    xml = (
        f'<?xml version="1.0" encoding="gb2312"?><Workbook xmlns="{space}" xmlns:ss="{space}">'
        '<Worksheet ss:Name="明细"><Table><Row><Cell><Data ss:Type="String">客户号</Data></Cell>'
        '<Cell><Data ss:Type="String">余额</Data></Cell></Row><Row ss:Index="4">'
        '<Cell ss:Index="2"><Data ss:Type="Number">5</Data></Cell></Row></Table>'
        "</Worksheet></Workbook>"
    )
    path = tmp_path / "表.xls"
    path.write_bytes(xml.encode("gb18030"))
    [reading] = open_source(path, ReadOptions(wanted=("客户号", "余额")))
    assert (reading.sheet, rows_of(reading)) == ("明细", [(4, "", "5")])


def test_parquet_to_the_last_digit(tmp_path):
    path = tmp_path / "流水[1].parquet"
    duckdb.sql(
        "SELECT 6217001234567890123::BIGINT AS 账号, 0.10::DECIMAL(18,2) AS 金额, "
        "123456789012345678901234567.89::DECIMAL(38,2) AS 大额, 1e16::DOUBLE AS 坏号, "
        "DATE '2025-01-31' AS 日期, TIMESTAMP '2025-01-31 08:00:01' AS 时间, true AS 标志, "
        "NULL::VARCHAR AS 空, '甲\n乙' AS 户名, 0.3::DOUBLE AS 率 FROM range(3)"
    ).write_parquet(str(path))
    [reading] = open_source(path, ReadOptions())
    rows = rows_of(reading)
    assert rows[2] == (
        3,
        "6217001234567890123",
        "0.10",
        "123456789012345678901234567.89",
        f"{LOST}10000000000000000",
        "2025-01-31",
        "2025-01-31 08:00:01",
        "TRUE",
        "",
        "甲\n乙",
        "0.3",
    )
    broken = tmp_path / "坏.parquet"
    broken.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CourseError, match=r"坏\.parquet：Parquet 文件损坏"):
        open_source(broken, ReadOptions())


def test_parquet_comes_in_chunks(tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": range(120_000)}).write_parquet(path)
    [reading] = open_source(path, ReadOptions())
    rows = rows_of(reading)
    assert all(row == (i + 1, str(i)) for i, row in enumerate(rows))
    assert reading.columns == ("a",)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "核心.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            'CREATE TABLE "流 水" (客户号 TEXT, 账号 INTEGER, 金额 NUMERIC, 备注 BLOB)'
        )
        connection.executemany(
            'INSERT INTO "流 水" VALUES (?, ?, ?, ?)',
            [("C1", 6217001234567890123, 0.5, None), ("00C2", 1, "1,000.00", "甲".encode())],
        )
    connection.close()
    return f"sqlite:///{path}"


def test_a_table_of_a_database(database):
    reading = read_database(database, None, "流 水", ReadOptions())
    assert reading.columns == ("客户号", "账号", "金额", "备注")
    assert rows_of(reading) == [
        (1, "C1", "6217001234567890123", "0.5", ""),
        (2, "00C2", "1", "1,000.00", "甲"),
    ]


def test_a_query_of_a_database(database):
    query = 'select 客户号 as "客 户", count(*) n from "流 水" where 客户号 like \'C%\' group by 1;'
    reading = read_database(database, query, None, ReadOptions())
    assert (reading.columns, rows_of(reading)) == (("客户", "n"), [(1, "C1", "1")])


@pytest.mark.parametrize(
    "query",
    [
        'delete from "流 水"',
        'select 1; drop table "流 水"',
        "with x as (select 1) insert into t select * from x",
        "create table t as select 1",
        "pragma writable_schema = 1",
        "attach 'x' as y",
        "select 1 into t",
        "这不是查询",
        "",
    ],
)
def test_only_one_select_is_run(database, query):
    with pytest.raises(CourseError, match="query"):
        read_database(database, query, None, ReadOptions())


def test_locks_are_no_reading():
    with pytest.raises(CourseError, match="SELECT"):
        checked_query("select * from t for update", "postgresql", "x")
    assert checked_query(" select 1 ; ", "postgresql", "x") == "select 1"


def test_a_database_that_does_not_answer_says_nothing_of_its_address(tmp_path, database):
    secret = "p4ssw0rd"
    for url in (
        f"nosuch://u:{secret}@h/db",
        f"postgresql://u:{secret}@127.0.0.1:1/db",
        f"::{secret}::",
        f"sqlite:////nowhere/{secret}/x.db",
    ):
        with pytest.raises(CourseError) as caught:
            read_database(url, "select 1", None, ReadOptions())
        assert secret not in str(caught.value)
    with pytest.raises(CourseError, match="没有给出数据"):
        read_database(database, None, "没有这张表", ReadOptions())
    assert not list(tmp_path.glob("x.db"))


def test_decimals_of_a_database_are_exact():
    from course_utils.intake.reading.stores.parquet import text_frame

    counts = {"rows": 4, "lines": 4}
    frame = text_frame(("a", "b"), [(Decimal("1E+3"), dt.date(2025, 1, 1))], counts)
    assert frame.rows() == [(5, "1000", "2025-01-01")]


def test_what_a_file_seems_to_be(tmp_path):
    text = "\n某行明细\n客户号;开户日;余额;利率;类别;户名\n" + "".join(
        f"0000{i};2025010{i % 9 + 1};{i},000.50;4.{i}%;{'甲乙'[i % 2]}类;户{i}名\n"
        for i in range(9)
    )
    path = tmp_path / "x.txt"
    path.write_bytes(text.encode("gb18030"))
    [seen] = describe_source(path)
    assert (seen.encoding, seen.delimiter, seen.header) == ("gb18030", ";", (3,))
    assert seen.columns == ("客户号", "开户日", "余额", "利率", "类别", "户名")
    assert seen.types == ("id", "date", "number", "percent", "code", "text")
    assert seen.sample[0] == ("00000", "20250101", "0,000.50", "4.0%", "甲类", "户0名")
    books = describe_source(branch_pack(tmp_path / "表.xlsx"), ReadOptions(sheet=" 到期 结构"))
    assert [(b.sheet, b.header) for b in books] == [(" 到期 结构", (3, 4))]


def test_an_old_workbook():
    """One that Excel 97 wrote, and that comes with a library of this course."""
    import statsmodels

    folder = Path(statsmodels.__file__).parent / "datasets" / "macrodata" / "src"
    path = folder / "macrodata.xls" / "macrodata.xls"
    if not path.is_file():
        pytest.skip("this statsmodels comes without its workbook")
    [reading] = open_source(path, ReadOptions(wanted=("DATE", "CPIAUCSL"), sheet="Monthly"))
    rows = rows_of(reading)
    assert reading.header_rows == (1,)
    assert rows[0][:2] == (2, "1934-01-01")
    assert [row[0] for row in rows] == list(range(2, len(rows) + 2))
