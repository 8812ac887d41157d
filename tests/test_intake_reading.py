"""Text files as banks send them: encodings, delimiters, titles and totals, true row numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from course_utils.intake.reading import Reading, ReadOptions, normalise, open_source
from course_utils.intake.reading.lines import text as text_module

WANTED = ("客户号", "金额")


def read(path: Path, **options: object) -> tuple[Reading, pl.DataFrame]:
    options.setdefault("wanted", WANTED)
    [reading] = open_source(path, ReadOptions(**options))  # type: ignore[arg-type]
    chunks = list(reading.chunks())
    assert reading.counts["lines"] == sum(n for k, n in reading.counts.items() if k != "lines")
    schema = {"_row": pl.Int64, **dict.fromkeys(reading.columns, pl.String)}
    assert all(dict(chunk.schema) == schema for chunk in chunks)
    return reading, pl.concat(chunks) if chunks else pl.DataFrame(schema=schema)


def put(folder: Path, text: str, encoding: str = "gb18030", name: str = "流水.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_the_encoding_is_found_from_the_bytes(tmp_path, encoding, found):
    rows = "".join(f"C{i},农商,{i}.50\r\n" for i in range(40))
    reading, frame = read(put(tmp_path, "客户号,户名,金额\r\n" + rows, encoding))
    assert reading.encoding == found
    assert frame.row(39) == (41, "C39", "农商", "39.50")


def test_characters_that_gbk_lacks_are_read_from_gb18030(tmp_path):
    _, frame = read(put(tmp_path, "客户号,户名,金额\nC1,李𬭚㛃,1\n"))
    assert frame["户名"].to_list() == ["李𬭚㛃"]


def test_a_declared_encoding_is_believed(tmp_path):
    path = put(tmp_path, "客戶號,金額\nC1,國庫\n", "big5")
    _, frame = read(path, wanted=("金額", "客戶號"), encoding="BIG5", header=(1,))
    assert frame.row(0) == (2, "C1", "國庫")


@pytest.mark.parametrize(
    "delimiter", [",", "\t", "|", ";", "^", "\x1b", "\x01", "|@|", "@|@", "|+|", "||", "~~", "#|#"]
)
def test_every_delimiter_is_found(tmp_path, delimiter):
    lines = ["客户号", "户名", "金额"], ["C1", "张某", "1.00"], ["C2", "", "2.00"]
    path = put(tmp_path, "".join(delimiter.join(line) + "\n" for line in lines), name="x.txt")
    reading, frame = read(path)
    assert reading.delimiter == delimiter
    assert frame.rows() == [(2, "C1", "张某", "1.00"), (3, "C2", "", "2.00")]


def test_without_wanted_names_the_delimiter_is_where_the_rows_agree(tmp_path):
    text = "某行流水，单位：元\n客户号;摘要;金额\nC1;转账,备注;1,000.00\nC2;a,b;2,000.00\n"
    reading, frame = read(put(tmp_path, text), wanted=())
    assert (reading.delimiter, reading.header_rows) == (";", (2,))
    assert frame["金额"].to_list() == ["1,000.00", "2,000.00"]


def test_a_declared_delimiter_may_be_written_out(tmp_path):
    reading, frame = read(put(tmp_path, "客户号\t金额\nC1\t1\n"), delimiter="\\t")
    assert (reading.delimiter, frame.row(0)) == ("\t", (2, "C1", "1"))


def test_what_stands_around_the_rows_is_counted_and_left_out(tmp_path):
    text = (
        "某银行 活期明细,,\r\n"
        "\r\n"
        "客户号,户名,金额\r\n"
        "C1,甲,1.00\r\n"
        ",,\r\n"
        "小 计,,1.00\r\n"
        "客户号,户名,金额\r\n"
        "某银行 活期明细,,\r\n"
        "C2,乙,2.00\r\n"
        "青山支行小计,,2.00\r\n"
        "合计：,,3.00\r\n"
        "合计3笔,,3.00\r\n"
        "制表人：某某,复核：,\r\n"
        "第1页/共1页\r\n"
    )
    reading, frame = read(put(tmp_path, text))
    assert frame["_row"].to_list() == [4, 9]
    assert reading.counts == {
        "lines": 14,
        "title": 2,
        "header": 1,
        "blank": 2,
        "repeated_header": 1,
        "total": 6,
        "ragged": 0,
        "continued": 0,
        "rows": 2,
    }


def test_a_name_that_only_sounds_like_a_total_is_a_row(tmp_path):
    names = ["合计商贸部", "说明:本人", "总务科", "C9", "小计划店"]
    text = "户名,客户号,机构,渠道,金额\n" + "".join(f"{n},1,2,3,4\n" for n in names)
    _, frame = read(put(tmp_path, text))
    assert frame["户名"].to_list() == names


def test_a_bank_may_name_more_footers(tmp_path):
    text = "客户号,金额\nC1,1\n* 以下 空白 *,\nC2,2\n"
    reading, frame = read(put(tmp_path, text), drop=(r"^\*以下空白",))
    assert (frame["_row"].to_list(), reading.counts["total"]) == ([2, 4], 1)


def test_two_header_rows_become_one(tmp_path):
    text = "机构,客户,,余额,,备注\n,客户号,户名,本金,金额,\n01,C1,甲,1,2,\n"
    reading, frame = read(put(tmp_path, text), wanted=("机构", "客户号", "金额", "备注"))
    assert reading.header_rows == (1, 2)
    assert reading.columns == ("机构", "客户号", "户名", "本金", "金额", "备注")
    assert frame.row(0) == (3, "01", "C1", "甲", "1", "2", "")


def test_the_same_name_under_two_groups_says_which(tmp_path):
    text = "本行,,他行,\n客户号,金额,户名,金额\nC1,1,甲,2\n"
    reading, _ = read(put(tmp_path, text), header=(1, 2))
    assert reading.columns == ("客户号", "本行/金额", "户名", "他行/金额")
    reading, _ = read(put(tmp_path, text), wanted=("本行/客户号", "他行/金额"))
    assert reading.columns == ("本行/客户号", "本行/金额", "户名", "他行/金额")


def test_columns_are_named_once(tmp_path):
    text = "\ufeff客 户 号,金额,金额,,（万元）\nC1,1,2,3,4\n"
    reading, _ = read(put(tmp_path, text, "utf-8"))
    assert reading.columns == ("客户号", "金额", "金额#2", "列4", "(万元)")
    assert normalise(" 客户\u3000号\n") == "客户号"


def test_rows_with_fewer_or_more_cells_are_never_shifted(tmp_path):
    text = "客户号,户名,金额\nC1,甲,1\nC2,2\nC3,丙,丁,3\nC4,戊,4\nC5,己,5,\n"
    reading, frame = read(put(tmp_path, text))
    assert frame["_row"].to_list() == [2, 5]
    assert [(p.row, p.rule) for p in reading.problems] == [
        (3, "ragged_short"),
        (4, "ragged_long"),
        (6, "ragged_long"),
    ]
    assert "C3" not in str(reading.problems)
    assert reading.counts["ragged"] == 3


@pytest.mark.parametrize("header", ["客户号,户名,金额", "客户号,户名,金额,"])
def test_a_delimiter_at_the_end_of_every_row_is_no_cell(tmp_path, header):
    text = header + "\nC1,甲,1,\nC2,,2,\nC3,丙,丁,3\nC4,己,4,\nC5,庚\n"
    reading, frame = read(put(tmp_path, text), delimiter=",")
    assert reading.columns == ("客户号", "户名", "金额")
    assert frame["_row"].to_list() == [2, 3, 5]
    assert [p.row for p in reading.problems] == [4, 6]


def test_a_header_may_end_with_a_delimiter_that_rows_lack(tmp_path):
    reading, frame = read(put(tmp_path, "客户号,户名,金额,\nC1,甲,1\nC2,,2\n"))
    assert (reading.columns[-1], frame["金额"].to_list()) == ("金额", ["1", "2"])


def test_line_breaks_in_cells_count_as_lines(tmp_path):
    text = '客户号,户名,金额\r\nC1,"甲\r\n乙","1,000"\r\nC2,丙,2\r\nC3,"说""好""",3\r\n'
    reading, frame = read(put(tmp_path, text))
    assert frame.rows() == [
        (2, "C1", "甲\n乙", "1,000"),
        (4, "C2", "丙", "2"),
        (5, "C3", '说"好"', "3"),
    ]
    assert (reading.counts["continued"], reading.counts["lines"]) == (1, 5)


def test_a_lost_quote_costs_its_own_row_only(tmp_path):
    text = '客户号,户名,金额\nC1,"甲,1\nC2,乙,2\nC3,丙",3\nC4,"丁",4\nC5,5"管,5\nC6,"己"x,6\n'
    reading, frame = read(put(tmp_path, text))
    assert [(p.row, p.rule) for p in reading.problems] == [
        (2, "broken_quote"),
        (7, "broken_quote"),
    ]
    assert frame["客户号"].to_list() == ["C2", "C3", "C4", "C5"]
    assert frame["户名"].to_list() == ["乙", '丙"', "丁", '5"管']


def test_a_quote_that_never_closes_does_not_swallow_the_file(tmp_path):
    rows = "".join(f"C{i},甲,{i}\n" for i in range(200_000))
    reading, frame = read(put(tmp_path, '客户号,户名,金额\nC,"甲,1\n' + rows))
    assert ([p.row for p in reading.problems], len(frame)) == ([2], 200_000)
    assert frame["_row"].to_list()[-1] == 200_002


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end(tmp_path, end, last):
    text = end.join(["客户号,户名,金额", "C1,甲,1", "", "C2,乙,2"]) + (end if last else "")
    reading, frame = read(put(tmp_path, text))
    assert frame.rows() == [(2, "C1", "甲", "1"), (4, "C2", "乙", "2")]
    assert reading.counts["lines"] == 4


def test_separators_that_only_python_takes_for_line_ends_are_text(tmp_path):
    text = "客户号,户名,金额\nC1,甲\x0b\x0c\x1c\x85\u2028乙\r丙,1\n"
    _, frame = read(put(tmp_path, text, "utf-8"))
    assert frame.rows() == [(2, "C1", "甲\x0b\x0c\x1c\x85\u2028乙\r丙", "1")]


def test_characters_without_meaning_are_left_out_and_the_rest_stays(tmp_path):
    text = "客户号,户名,金额\nC1\x00\x00,'甲 ,\t1\n\ufeffC2,　乙,\\N\n\x1a"
    _, frame = read(put(tmp_path, text, "utf-8"))
    assert frame.rows() == [(2, "C1", "'甲 ", "\t1"), (3, "C2", "　乙", "\\N")]


def test_the_header_may_be_declared(tmp_path):
    reading, frame = read(put(tmp_path, "甲,乙\n丙,丁\n1,2\n"), header=(2,), wanted=("甲",))
    assert (reading.columns, frame.rows()) == (("丙", "丁"), [(3, "1", "2")])
    assert reading.counts["title"] == 1


def test_reading_twice_gives_the_same(tmp_path):
    reading, frame = read(put(tmp_path, "客户号,金额\nC1,1\nC2\n"))
    again = pl.concat(list(reading.chunks()))
    assert again.equals(frame)
    assert (reading.counts["rows"], len(reading.problems)) == (1, 1)


def test_blocks_meet_anywhere(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    with path.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["客户号", "户名", "金额"])
        for i in range(400):
            writer.writerow([f"C{i}", ["甲", '乙"丙', "丁\n戊", "己,庚", ""][i % 5], f"{i:,}.00"])
    _, whole = read(path)
    assert (len(whole), whole["_row"][-1]) == (400, 401 + 80)
    for size in (1, 2, 3, 7, 64, 1_000):
        monkeypatch.setattr(text_module, "PIECE", size)
        _, frame = read(path)
        assert frame.equals(whole), size


def test_the_header_of_a_file_of_one_column(tmp_path):
    _, frame = read(put(tmp_path, "客户号\nC1\nC2\n"), wanted=("客户号",))
    assert frame.rows() == [(2, "C1"), (3, "C2")]


def test_a_file_with_a_header_and_no_rows(tmp_path):
    reading, frame = read(put(tmp_path, "客户号,金额\n"))
    assert (frame.is_empty(), reading.counts["header"], reading.columns) == (True, 1, WANTED)
