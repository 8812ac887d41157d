"""What is no table, or a trap: one Chinese sentence each, in bounded memory and time."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path

import pytest

from course_utils.errors import CourseError
from course_utils.intake.reading import ReadOptions, open_source
from course_utils.intake.reading.books import archive
from course_utils.intake.reading.lines import text as text_module

TABLE = "客户号,户名,金额\nC1,甲,1\nC2,乙,2\n"


def fault(path: Path, **options: object) -> str:
    options.setdefault("wanted", ("客户号", "金额"))
    with pytest.raises(CourseError) as caught:
        for reading in open_source(path, ReadOptions(**options)):  # type: ignore[arg-type]
            for _ in reading.chunks():
                pass
    message = str(caught.value)
    assert message.startswith((path.name, "mapping.yml"))
    assert message.endswith("。")
    assert "\n" not in message
    return message


def put(folder: Path, data: bytes, name: str = "流水.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def book(folder: Path, parts: dict[str, bytes], name: str = "表.xlsx") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part, data in parts.items():
            target.writestr(part, data)
    return path


def test_a_byte_that_no_encoding_reads_is_named(tmp_path):
    data = TABLE.encode("gb18030")
    assert "第 20 字节" in fault(put(tmp_path, data[:19] + b"\xff\xff" + data[19:]))
    long = ("客户号,户名,金额\n" + "C1,甲乙丙丁,1\n" * 5_000).encode("utf-8")
    place = long.index(b"\n", 90_000)
    message = fault(put(tmp_path, long[:place] + b"\xff" + long[place:]))
    assert f"第 {place + 1} 字节起不是 UTF-8" in message


def test_the_wrong_declared_encoding(tmp_path):
    path = put(tmp_path, TABLE.encode("gb18030"))
    assert "第 1 字节" in fault(path, encoding="utf-8")
    assert "不认识编码" in fault(path, encoding="rot13")
    assert "UTF-16" in fault(path, encoding="utf-16")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "图片"),
        (b"\x89PNG\r\n\x1a\n\x00", "图片"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
        (b"SQLite format 3\x00", "SQLite"),
        (b"MZ\x90\x00", "程序"),
        (bytes(range(256)) * 8, "二进制"),
        (b"abc\x00\x00\x00\x00" * 50, "二进制"),
    ],
)
@pytest.mark.parametrize("name", ["流水.csv", "流水.xlsx"])
def test_what_is_no_table_is_called_what_it_is(tmp_path, head, said, name):
    assert said in fault(put(tmp_path, head, name))


def test_other_archives_are_no_workbooks(tmp_path):
    assert "Word" in fault(book(tmp_path, {"word/document.xml": b"<a/>"}))
    assert "zip 压缩包" in fault(book(tmp_path, {"流水.csv": TABLE.encode()}, "流水.csv"))
    assert "xlsb" in fault(book(tmp_path, {"xl/workbook.bin": b"x"}))
    assert "ods" in fault(book(tmp_path, {"content.xml": b"x", "mimetype": b"x"}))
    assert "损坏" in fault(put(tmp_path, b"PK\x03\x04" + bytes(200), "表.xlsx"))


def test_a_locked_workbook_and_old_documents(tmp_path):
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    assert "密码" in fault(put(tmp_path, ole + "EncryptedPackage".encode("utf-16-le"), "表.xlsx"))
    assert "Word" in fault(put(tmp_path, ole + "WordDocument".encode("utf-16-le"), "表.xls"))
    assert "没有工作簿" in fault(put(tmp_path, ole, "表.xls"))
    assert "读不出来" in fault(put(tmp_path, ole + "Workbook".encode("utf-16-le"), "表.xls"))


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 5 << 20)
    parts = {"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": bytes(6 << 20)}
    assert "压缩炸弹" in fault(book(tmp_path, parts))


def test_a_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 5 << 20)
    parts = {"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": bytes(6 << 20)}
    path = book(tmp_path, parts)
    data = path.read_bytes()
    real, said = struct.pack("<I", 6 << 20), struct.pack("<I", 600)
    assert data.count(real) == 2
    path.write_bytes(data.replace(real, said))
    assert sum(p.file_size for p in zipfile.ZipFile(path).infolist()) < 1_000
    assert "压缩炸弹" in fault(path)


def test_too_many_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_PARTS", 20)
    parts = {f"xl/{i}.xml": b"" for i in range(21)}
    assert "压缩炸弹" in fault(book(tmp_path, {"xl/workbook.xml": b"<a/>", **parts}))


def test_entities_are_refused(tmp_path):
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><sst><t>&b;</t></sst>'
    parts = {"xl/workbook.xml": b"<a/>", "xl/sharedStrings.xml": laughs}
    assert "实体" in fault(book(tmp_path, parts))
    xml = b'<?xml version="1.0"?>' + laughs.replace(
        b"<sst>", b'<sst xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    )
    assert "实体" in fault(put(tmp_path, xml, "表.xls"))


def test_a_sheet_of_two_cells_far_apart(tmp_path):
    cells = b'<row r="1"><c r="A1"/></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    parts = {"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": b"<worksheet>" + cells}
    assert "第 1048576 行、第 16384 列" in fault(book(tmp_path, parts))


def test_a_line_without_end_is_refused_before_it_is_held(tmp_path, monkeypatch):
    long = put(tmp_path, TABLE.encode() + b"x" * 3_000_000, "长.csv")
    monkeypatch.setattr(text_module, "PIECE", 1 << 18)
    assert "第 4 行超过 1 MB" in fault(long)
    first = put(tmp_path, b"x" * 3_000_000, "头.csv")
    assert "第 1 行超过 1 MB" in fault(first)
    monkeypatch.undo()
    inside = put(tmp_path, TABLE.encode() + b"x" * 1_000_001 + b"\nC3,x,3\n", "中.csv")
    assert "第 4 行超过 1 MB" in fault(inside)
    quoted = put(tmp_path, TABLE.encode() + b'"' + b"x" * 1_000_001 + b'"\nC3,x,3\n', "引.csv")
    assert "第 4 行超过 1 MB" in fault(quoted)


def test_a_hole_in_a_file_is_no_end(tmp_path):
    path = put(tmp_path, TABLE.encode() + b"C3,x,3\n" * 20_000)
    with path.open("ab") as stream:
        stream.truncate(32 << 20)
    assert "空字节" in fault(path)


def test_more_columns_than_a_table_has(tmp_path):
    header = ",".join(["客户号", "金额", *map(str, range(4_095))])
    assert "4097 列" in fault(put(tmp_path, header.encode() + b"\n"))


@pytest.mark.parametrize("data", [b"", b"\n\n \r\n", b"\xef\xbb\xbf", b"\x00" * 50, b"\xff\xfe"])
def test_an_empty_file(tmp_path, data):
    message = fault(put(tmp_path, data))
    assert "空" in message or "没有内容" in message


def test_a_header_that_is_not_there_says_what_is(tmp_path):
    identity = "11010519491231" + "0021"
    text = f"a,b,c\n{identity},甲,1\n"
    message = fault(put(tmp_path, text.encode("gb18030")))
    assert "客户号、金额" in message
    assert "第 1 行：a | b | c" in message
    assert identity not in message
    assert "11…" in message


def test_a_declared_header_that_is_not_there(tmp_path):
    path = put(tmp_path, ("\n" + TABLE).encode())
    assert "第 9 行不存在" in fault(path, header=(9,))
    assert "是空的" in fault(path, header=(1,))
    assert "[3, 4]" in fault(path, header=(2, 1))
    assert "第 0 行" in fault(path, header=(0,))


def test_a_delimiter_or_expression_that_is_none(tmp_path):
    path = put(tmp_path, TABLE.encode())
    assert "delimiter" in fault(path, delimiter="")
    assert "delimiter" in fault(path, delimiter='"')
    assert "正则" in fault(path, drop=("(",))
    assert "正则" in fault(path, drop=("(?=x)",))


def test_places_that_are_no_files(tmp_path):
    assert "找不到" in fault(tmp_path / "没有.csv")
    assert "文件夹" in fault(tmp_path)
    pipe = tmp_path / "管.csv"
    os.mkfifo(pipe)
    assert "不是普通文件" in fault(pipe)
    loop = tmp_path / "环.csv"
    loop.symlink_to(loop)
    assert "打不开" in fault(loop)


def test_a_link_may_not_leave_its_folder(tmp_path):
    inside, outside = tmp_path / "内", tmp_path / "外"
    inside.mkdir()
    outside.mkdir()
    put(outside, TABLE.encode())
    put(inside, TABLE.encode(), "真.csv")
    (inside / "外.csv").symlink_to(outside / "流水.csv")
    (inside / "真链.csv").symlink_to(inside / "真.csv")
    assert "链接" in fault(inside / "外.csv")
    assert open_source(inside / "真链.csv", ReadOptions(wanted=("客户号",)))


def test_no_permission(tmp_path, monkeypatch):
    path = put(tmp_path, TABLE.encode())
    if os.geteuid() == 0:

        def refuse(*_: object, **__: object) -> io.BytesIO:
            raise PermissionError(13, "denied")

        monkeypatch.setattr(Path, "open", refuse)
    else:
        path.chmod(0)
    assert "没有读取权限" in fault(path)


def test_a_file_that_changes_or_goes_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(text_module, "PIECE", 64)
    path = put(tmp_path, TABLE.encode() + b"C3,x,3\n" * 100)
    options = ReadOptions(wanted=("客户号",))
    [reading] = open_source(path, options)
    with pytest.raises(CourseError, match="有改动"):
        for number, _ in enumerate(reading.chunks()):
            if number == 1:
                with path.open("ab") as stream:
                    stream.write(b"C4,x,4\n")
    [reading] = open_source(path, options)
    with path.open("ab") as stream:
        stream.write(b"C5,x,5\n")
    with pytest.raises(CourseError, match="有改动"):
        list(reading.chunks())
    [reading] = open_source(path, options)
    path.unlink()
    with pytest.raises(CourseError, match="找不到"):
        list(reading.chunks())


def test_an_html_page_without_a_table(tmp_path):
    assert "没有表格" in fault(put(tmp_path, "<html>请登录</html>".encode(), "表.xls"))
    huge = b"<table><tr><td>x</td></tr><tr>" + b"<td rowspan=60000 colspan=4000>x</td>" * 9
    assert "太大" in fault(put(tmp_path, huge, "表.xls"))
