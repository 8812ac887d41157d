"""Anything at all in: rows or one Chinese sentence out, and every table comes back cell by cell."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import time
import zipfile
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from course_utils.errors import CourseError
from course_utils.intake.reading import ReadOptions, describe_source, open_source
from course_utils.intake.reading.lines import records as records_module
from course_utils.intake.reading.lines import text as text_module
from course_utils.intake.reading.lines.records import Splitter

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

#: Inputs a property, for the daily run; COURSE_FUZZ multiplies them.
TIMES = int(os.environ.get("COURSE_FUZZ", "1"))
quick = settings(
    max_examples=60 * TIMES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
WANTED = ("客户号", "金额")
SECONDS = 20
#: What a file of rows is made of, and what goes wrong in it.
TOKENS = st.sampled_from(
    [
        *("客户号", "金额", "户名", "C1", "1,000.00", "合计", "小 计", "制表人：某", "张某", "𬭚"),
        *(",", ",", ",", "|", "|@|", "\t", ";", "^", '"', '"', '""', "\n", "\n", "\r\n", "\r"),
        *("\x00", "\x1a", "\ufeff", "\ufdd0", "\ufdd1", "\ufdd3", "\u2028", "\x1b", "\x01", " "),
        *("<table>", "<tr>", "<td rowspan=3 colspan=2>", "</table>", "<?xml", "PAR1", "PK\x03\x04"),
    ]
)
ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


def outcome(data: bytes, options: ReadOptions, name: str = "x.csv") -> int | str:
    """Read bytes as a file: the number of rows, or what was said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        start = time.monotonic()
        try:
            rows = 0
            for reading in open_source(path, options):
                last = 0
                for chunk in reading.chunks():
                    assert chunk.columns == ["_row", *reading.columns]
                    assert chunk["_row"].is_sorted()
                    assert chunk["_row"][0] > last
                    assert not any(chunk.null_count().row(0))
                    last = chunk["_row"][-1]
                    rows += len(chunk)
                counts = dict(reading.counts)
                assert counts.pop("lines") == sum(counts.values())
                assert counts["rows"] == sum(len(c) for c in reading.chunks())
                assert len(reading.problems) == counts["ragged"]
        except CourseError as fault:
            message = str(fault)
            assert "\n" not in message
            assert message.endswith("。")
            return message
        assert time.monotonic() - start < SECONDS
        return rows


OPTIONS = st.builds(
    ReadOptions,
    wanted=st.sampled_from([(), WANTED, ("客户号",), ("没有",)]),
    delimiter=st.sampled_from([None, None, ",", "|@|", "\t"]),
    header=st.sampled_from([(), (), (), (1,), (2,), (1, 2)]),
    sheet=st.sampled_from([None, None, "*", "表1"]),
    drop=st.sampled_from([(), ("^C1",)]),
)
NAMES = st.sampled_from(["x.csv", "x.txt", "x.xlsx", "x.xls", "x.parquet"])


@quick
@given(st.binary(max_size=400), OPTIONS, NAMES)
def test_any_bytes(data, options, name):
    outcome(data, options, name)


@quick
@given(st.lists(TOKENS, max_size=80), st.sampled_from(ENCODINGS), OPTIONS, NAMES)
def test_any_tokens(tokens, encoding, options, name):
    outcome("".join(tokens).encode(encoding), options, name)


@quick
@given(st.lists(TOKENS, max_size=60), OPTIONS)
def test_any_tokens_below_a_header(tokens, options):
    outcome(("客户号,户名,金额\nC1,甲,1\n" + "".join(tokens)).encode("gb18030"), options)


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["明细"], ["客户号", "金额"], ["C1", 1.5], ["C2", True], ["合计", 3]):
        book.active.append(row)
    book.active.merge_cells("A1:B1")
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        duckdb.sql(
            "SELECT 'C' || i AS 客户号, i::DECIMAL(9,2) AS 金额 FROM range(50) t(i)"
        ).write_parquet(str(path))
        return path.read_bytes()


SEEDS = {
    "x.xlsx": _workbook(),
    "x.parquet": _parquet(),
    "x.xls": "<table><tr><td>客户号<td>金额<tr><td rowspan=2>C1<td>1<tr><td>2</table>".encode(),
    "x.csv": '客户号,户名,金额\r\nC1,"甲\n乙",1\r\nC2,"说""好""",2\r\n合计,,3\r\n'.encode(
        "gb18030"
    ),
}


@quick
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    st.floats(0, 1),
    st.booleans(),
)
def test_files_with_broken_bytes(name, changes, end, cut):
    data = bytearray(SEEDS[name])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    outcome(bytes(data[: int(end * len(data))] if cut else data), ReadOptions(wanted=WANTED), name)


@quick
@given(
    st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(32, 126)), min_size=1, max_size=8),
)
def test_workbooks_with_broken_parts(part, changes):
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SEEDS["x.xlsx"])) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            data = bytearray(old.read(name))
            if name == part:
                for place, value in changes:
                    data[int(place * (len(data) - 1))] = value
            new.writestr(name, bytes(data))
    outcome(stream.getvalue(), ReadOptions(wanted=WANTED), "x.xlsx")


QUOTED = [*('"', '""', '"""', '""""'), ",", "\n", "a", ' "', '",', ',"', '"\n', ',"",', ',"a"']
CELL = st.text(
    st.characters(
        codec="utf-8",
        exclude_characters="\x00\x1a\ufeff\ufdd0\ufdd1\ufdd2\ufdd3\n\r",
        exclude_categories=["Cs", "Cc"],
    ),
    max_size=8,
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Draw the rows of a table; the first cell of each says that it is one."""
    width = draw(st.integers(1, 6))
    rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=30))
    return [[f"C{i}", *row, f"{i}.00"] for i, row in enumerate(rows)]


@quick
@given(
    tables(),
    st.sampled_from(ENCODINGS),
    st.sampled_from([",", "\t", "|", ";", "^"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
    st.data(),
)
def test_quoted_tables_come_back(rows, encoding, delimiter, quoting, end, data):
    for row in rows:  # line breaks in some cells, of rows that no lost quote could make
        if data.draw(st.booleans()) and delimiter not in row[1]:
            row[1] += "\n" * data.draw(st.integers(1, 3)) + "乙"
    header = ["客户号", *(f"列{i}名" for i in range(len(rows[0]) - 2 if rows else 1)), "金额"]
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(header)
    writer.writerows(rows)
    _comes_back(stream.getvalue().encode(encoding), header, rows, delimiter)


@quick
@given(
    tables(),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["|@|", "@|@", "||", "\x1b", "\x01", "\x1f"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_bare_tables_come_back(rows, encoding, delimiter, end):
    # a cell may not hold part of the delimiter: with what stands beside it it would be one
    assume(not any(c in cell for row in rows for cell in row for c in delimiter))
    header = ["客户号", *(f"列{i}名" for i in range(len(rows[0]) - 2 if rows else 1)), "金额"]
    text = "".join(delimiter.join(row) + end for row in [header, *rows])
    _comes_back(text.encode(encoding), header, rows, delimiter)


def _comes_back(data: bytes, header: list[str], rows: list[list[str]], delimiter: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.txt"
        path.write_bytes(data)
        [reading] = open_source(path, ReadOptions(wanted=WANTED, delimiter=delimiter))
        found = [row for chunk in reading.chunks() for row in chunk.rows()]
    assert list(reading.columns) == header
    line, expected = 2, []
    for row in rows:
        expected.append((line, *row))
        line += 1 + sum(cell.count("\n") for cell in row)
    assert found == expected
    assert reading.counts["lines"] == line - 1
    assert not reading.problems


@quick
@given(
    st.lists(st.sampled_from(QUOTED), max_size=60),
    st.sampled_from([None, 2, 3]),
)
def test_quotes_at_once_and_one_by_one_are_the_same(tokens, width):
    """Whatever the size of a piece: the whole text at once, or line by line."""
    text = "".join(tokens) + "\n"
    seen = [_split(text, width, step, bare) for step in (1, 8, 1 << 14) for bare in (True, False)]
    assert all(result == seen[0] for result in seen)


def _split(text: str, width: int | None, step: int, bare: bool) -> tuple[object, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records_module, "_STEP", step)
        if not bare:
            patch.setattr(Splitter, "_bare", lambda _, text: None if '"' in text else text)
        block, taken = Splitter("x", ",", True, width).split(text, 1, True)
    assert taken == len(text)
    real = [[text_module.restored(c, block) for c in record] for record in block.fields.to_list()]
    return block.rows.to_list(), real, block.continued, block.problems


@quick
@given(st.lists(TOKENS, max_size=60), st.integers(1, 40), st.sampled_from(ENCODINGS))
def test_the_size_of_what_is_read_at_once_does_not_matter(tokens, size, encoding):
    data = ("客户号,户名,金额\nC1,甲,1\n" + "".join(tokens)).encode(encoding)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(data)
        for piece in (text_module.PIECE, size):
            old, text_module.PIECE = text_module.PIECE, piece
            try:
                [reading] = open_source(path, ReadOptions(wanted=WANTED, delimiter=","))
                frames = list(reading.chunks())
                rows = pl.concat(frames).rows() if frames else []
                found.append((rows, reading.counts, reading.problems))
            except CourseError as fault:
                found.append(str(fault))
            finally:
                text_module.PIECE = old
    assert found[0] == found[1]


@quick
@given(st.lists(TOKENS, max_size=50), st.sampled_from(ENCODINGS))
def test_descriptions_of_anything(tokens, encoding):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.txt"
        path.write_bytes("".join(tokens).encode(encoding))
        try:
            for seen in describe_source(path):
                assert len(seen.types) == len(seen.columns)
        except CourseError:
            pass


@pytest.mark.slow
@settings(parent=quick, max_examples=5_000 * TIMES)
@given(st.binary(max_size=4_000), OPTIONS, NAMES)
def test_many_bytes(data, options, name):
    outcome(data, options, name)


@pytest.mark.slow
@settings(parent=quick, max_examples=5_000 * TIMES)
@given(st.lists(TOKENS, max_size=300), st.sampled_from(ENCODINGS), OPTIONS, NAMES)
def test_many_tokens(tokens, encoding, options, name):
    outcome("".join(tokens).encode(encoding), options, name)
