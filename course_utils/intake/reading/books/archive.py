"""Look into a workbook's zip before anything unpacks it: bombs, entities, what it really is."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from course_utils.errors import CourseError
from course_utils.intake.reading.files import not_a_table, opened

#: Bytes that all parts of a workbook may hold when unpacked, and that one part may.
MOST_BYTES = 1 << 30
#: Parts of a workbook.
MOST_PARTS = 5_000
#: Where the end of a zip's directory is looked for, how it begins, and bytes of one entry.
_TAIL, _END, _LONGEST_ENTRY = 66_000, b"PK\x05\x06", 1_000
#: Cells of the rectangle that a sheet spans, empty ones included: they all take memory.
MOST_CELLS = 30_000_000
_PIECE = 1 << 20
#: Kept from a piece for what lies across two.
_OVERLAP = 64
_REFERENCE = re.compile(rb"""\br\s*=\s*["']\$?([A-Za-z]{1,3})\$?(\d{1,7})["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]{0,200}?\br\s*=\s*["'](\d{1,10})["']""")
_ERROR = re.compile(rb"""<(?:\w+:)?c\b[^>]{0,100}?\bt\s*=\s*["']e["'][^>]{0,100}>""")


_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml$")
_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Part:
    """What was seen of one sheet's part."""

    last_row: int = 0
    last_column: int = 0
    #: first cells that hold an error such as #N/A, and how many there are
    errors: list[str] = field(default_factory=list)
    error_cells: int = 0


def check_workbook(path: Path) -> dict[str, Part]:
    """Look through a zip that calls itself a workbook.

    Returns
    -------
    dict
        Name of each sheet → what was seen of it.

    Raises
    ------
    CourseError
        It is no .xlsx, is encrypted or damaged, unpacks to too much, or holds XML entities.
    """
    with opened(path) as stream:
        _check_directory(path, stream)
        try:
            directory = zipfile.ZipFile(stream)
            parts = directory.infolist()
        except (
            zipfile.BadZipFile,
            zlib.error,
            ValueError,
            EOFError,
            struct.error,
            NotImplementedError,
        ):
            raise _damaged(path) from None
        _check_kind(path, [p.filename for p in parts])
        if len(parts) > MOST_PARTS or sum(p.file_size for p in parts) > MOST_BYTES:
            raise _bomb(path)
        seen: dict[str, Part] = {}
        budget = MOST_BYTES
        for part in parts:
            if part.flag_bits & 1:
                raise CourseError(
                    f"{path.name}：工作簿有密码，请在 Excel 里取消密码、另存后再放进来。"
                )
            found = seen.setdefault(part.filename, Part()) if _SHEET.match(part.filename) else None
            try:
                budget -= _look(path, stream, part, budget, found)
            except (zlib.error, struct.error, ValueError, EOFError):
                raise _damaged(path) from None
        names = _sheet_names(path, stream, parts)
        for found in seen.values():
            if found.last_row * found.last_column > MOST_CELLS:
                raise CourseError(
                    f"{path.name}："
                    f"工作表一直铺到第 {found.last_row} 行、第 {found.last_column} 列，"
                    "远超有数据的范围，请在 Excel 里删除多余的行列，或分表另存为 CSV。"
                )
        return {name: seen[part] for name, part in names.items() if part in seen}


def _check_directory(path: Path, stream: BinaryIO) -> None:
    """Refuse a directory of more parts than a workbook has, before it fills the memory."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read(_TAIL)
    place = tail.rfind(_END)
    if place >= 0 and len(tail) >= place + 16:
        count, length = struct.unpack("<HL", tail[place + 10 : place + 16])
        # 65535 stands for a number that is written elsewhere, as only huge archives have it
        if count > MOST_PARTS or length > MOST_PARTS * _LONGEST_ENTRY:
            raise _bomb(path)
    stream.seek(0)


def _sheet_names(path: Path, stream: BinaryIO, parts: list[zipfile.ZipInfo]) -> dict[str, str]:
    """Return the name of each sheet → its part; the parts' own numbers say nothing."""
    from xml.etree import ElementTree

    texts: dict[str, bytes] = {}
    for part in parts:
        if part.filename in (_BOOK, _LINKS):
            texts[part.filename] = b"".join(_unpacked(stream, part))
    try:
        links = {
            link.get("Id"): "xl/" + (link.get("Target") or "").removeprefix("/xl/")
            for link in ElementTree.fromstring(texts.get(_LINKS, b"<a/>"))
        }
        sheets = ElementTree.fromstring(texts.get(_BOOK, b"<a/>")).iter()
        return {
            sheet.get("name") or "": links.get(sheet.get(_LINK), "")
            for sheet in sheets
            if sheet.tag.endswith("}sheet")
        }
    except (ElementTree.ParseError, ValueError, LookupError):
        raise _damaged(path) from None


def _check_kind(path: Path, names: list[str]) -> None:
    if any(name.lower() == "xl/workbook.xml" for name in names):
        return
    for start, kind in (
        ("word/", "Word 文档"),
        ("ppt/", "PowerPoint 文稿"),
        ("xl/workbook.bin", "xlsb 工作簿"),
        ("content.xml", "ods 等 OpenDocument 文件"),
        ("Index/", "Numbers 表格"),
        ("", "zip 压缩包"),
    ):
        if any(name.startswith(start) for name in names):
            if "xlsb" in kind or "ods" in kind:
                raise CourseError(
                    f"{path.name}：是{kind}，请在 Excel 或 WPS 里另存为 xlsx 后再放进来。"
                )
            raise not_a_table(path, kind)
    raise _damaged(path)


def _look(
    path: Path, stream: BinaryIO, part: zipfile.ZipInfo, budget: int, sheet: Part | None
) -> int:
    """Unpack a part without keeping it; return its real size."""
    size, tail = 0, b""
    markup = part.filename.lower().endswith((".xml", ".rels", ".vml"))
    for piece in _unpacked(stream, part):
        size += len(piece)
        if size > budget:
            raise _bomb(path)
        text = tail + piece
        if markup and (b"<!DOCTYPE" in text or b"<!ENTITY" in text):
            raise CourseError(
                f"{path.name}：工作簿里有 XML 实体定义，正常的 Excel 不会写，可能是恶意文件，"
                "不读取。"
            )
        if sheet is not None:
            _see(sheet, text, len(tail))
        tail = text[-_OVERLAP:]
    return size


def _see(sheet: Part, text: bytes, old: int) -> None:
    """Note how far a sheet reaches, and its error cells."""
    for letters, number in set(_REFERENCE.findall(text)):
        column = 0
        for letter in letters.upper():
            column = column * 26 + letter - 64
        sheet.last_column = max(sheet.last_column, column)
        sheet.last_row = max(sheet.last_row, int(number))
    for number in _ROW.findall(text):
        sheet.last_row = max(sheet.last_row, int(number))
    for error in _ERROR.finditer(text):
        if error.end() <= old:
            continue
        sheet.error_cells += 1
        place = _REFERENCE.search(error[0])
        if place and len(sheet.errors) < 1_000:
            sheet.errors.append((place[1] + place[2]).decode())


def _unpacked(stream: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part really unpacks to, whatever the directory says of its size."""
    stream.seek(part.header_offset)
    head = stream.read(30)
    if head[:4] != b"PK\x03\x04":
        raise ValueError
    names, extra = struct.unpack("<HH", head[26:30])
    stream.seek(part.header_offset + 30 + names + extra)
    left = part.compress_size
    if part.compress_type == zipfile.ZIP_STORED:
        while left > 0 and (piece := stream.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise ValueError
    inflate = zlib.decompressobj(-15)
    data = b""
    while not inflate.eof:
        if not data:
            data = stream.read(min(left, _PIECE))
            left -= len(data)
            if not data:
                raise EOFError
        yield inflate.decompress(data, _PIECE)
        data = inflate.unconsumed_tail


def _bomb(path: Path) -> CourseError:
    return CourseError(
        f"{path.name}：解压后超过 {MOST_BYTES >> 30} GB，不像正常的工作簿（可能是压缩炸弹），"
        "不读取；"
        "数据确实这样大时请导出为 CSV。"
    )


def _damaged(path: Path) -> CourseError:
    return CourseError(f"{path.name}：工作簿损坏，打不开，请重新导出或重新另存为 xlsx。")
