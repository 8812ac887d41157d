"""Which encoding a text file is in: its mark, or the first that reads it without a fault."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from unicodedata import name

from course_utils.errors import CourseError

_PIECE = 1 << 20
#: So many bytes beyond ASCII that are all good UTF-8 are not another encoding by chance.
_SURE = 3_000
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Names that people write → the codec that reads at least as much.
_CODECS = {
    "utf8": "utf-8",
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "ascii": "utf-8",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "gb18030": "gb18030",
    "cp936": "gb18030",
    "ansi": "gb18030",
    "big5": "big5",
    # one byte a letter: never guessed, because every file can be read as one of them
    "cp1250": "cp1250",
    "cp1252": "cp1252",
    "iso8859-1": "iso8859-1",
    "iso8859-2": "iso8859-2",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32",
}
KNOWN = ("UTF-8", "GB18030", "GBK", "UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-32", "BIG5", "CP1250",
         "CP1252", "ISO8859-1", "ISO8859-2")  # fmt: skip


def find_encoding(path: Path, stream: BinaryIO, declared: str | None) -> str:
    """Return the codec of a text file; leave the stream where it was found.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    stream : binary file
        At its start.
    declared : str or None
        What the mapping says; it is believed.

    Raises
    ------
    CourseError
        The name is unknown, or neither UTF-8 nor GB18030 reads the file.
    """
    if declared is not None:
        codec = _CODECS.get(declared.strip().lower().replace("_", "-"))
        if codec is None:
            raise CourseError(
                f"{path.name}：不认识编码“{declared[:40]}”，"
                f"请在 mapping.yml 里写 {'、'.join(KNOWN)} 之一，"
                "或删去 encoding 由程序判断。"
            )
        return codec
    try:
        return _found(path, stream)
    finally:
        stream.seek(0)


def _found(path: Path, stream: BinaryIO) -> str:
    head = stream.read(_PIECE)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    if wide := wide_encoding(head):
        return wide
    stream.seek(0)
    utf8_fault, good = _first_fault(stream, "utf-8")
    if utf8_fault is None or good >= _SURE:
        return "gb18030" if good < _SURE and _by_accident(head) else "utf-8"
    stream.seek(0)
    fault, good = _first_fault(stream, "gb18030")
    if fault is None or good >= _SURE:
        return "gb18030"  # a fault further on is named when it is reached
    raise CourseError(
        f"{path.name}：既不是 UTF-8（第 {utf8_fault + 1} 字节起读不通）也不是 GB18030"
        f"（第 {fault + 1} 字节起读不通），请从系统重新导出，或在 mapping.yml 里写明 encoding。"
    )


def _by_accident(head: bytes) -> bool:
    """Say whether a short text is UTF-8 only by accident, and GB18030 in truth.

    A few Chinese letters, such as 同业 in GB18030, are good UTF-8, too: letters of several scripts
    (ͬҵ) that no word has side by side. Words of one script, such as café, are what they are.
    """
    text = head.decode("utf-8", errors="ignore")
    if len(head) == _PIECE or not text or max(text) >= "\u0800":
        return False
    words = _FOREIGN.findall(text)
    if all(len({name(c, "").partition(" ")[0] for c in word}) == 1 for word in words):
        return False
    try:
        letters = "".join(_FOREIGN.findall(head.decode("gb18030")))
    except UnicodeDecodeError:
        return False
    return all("\u3000" <= c <= "\u9fff" or c >= "\uff00" for c in letters)


def wide_encoding(head: bytes) -> str | None:
    """Return which UTF-16 a text without a mark is in: ASCII in it has a zero beside each byte."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if len(head) < 4 or max(even, odd) < 0.02 * half or 2 * min(even, odd) > max(even, odd):
        return None
    codec = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = codecs.getincrementaldecoder(codec)("strict").decode(head)
    except UnicodeDecodeError:
        return None
    return codec if "\x00" not in text and ("\n" in text or "\r" in text) else None


def _first_fault(stream: BinaryIO, codec: str) -> tuple[int | None, int]:
    """Return the place of the first byte that the codec does not read, from 0.

    Behind it: how many bytes beyond ASCII were read before; with enough of them the search ends.
    """
    decoder = codecs.getincrementaldecoder(codec)("strict")
    done = good = 0
    while piece := stream.read(_PIECE):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as fault:
            start = max(fault.start - pending, 0)
            return done - pending + fault.start, good + _beyond_ascii(piece[:start])
        done += len(piece)
        good += _beyond_ascii(piece)
        if good >= _SURE:
            return None, good
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return done - pending, good
    return None, good


def _beyond_ascii(data: bytes) -> int:
    return 0 if data.isascii() else len(data.translate(None, _ASCII))


_ASCII = bytes(range(128))


def decoded(path: Path, stream: BinaryIO, codec: str, size: int) -> Iterator[str]:
    """Yield the text of a file in pieces.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    stream : binary file
        At its start.
    codec : str
        From :func:`find_encoding`.
    size : int
        Bytes a piece.
    """
    decoder = codecs.getincrementaldecoder(codec)("strict")
    done = 0
    while True:
        piece = stream.read(size)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(piece, not piece)
        except UnicodeDecodeError as fault:
            place = done - pending + fault.start + 1
            raise CourseError(
                f"{path.name}：第 {place} 字节起不是 {codec.upper()} 编码，"
                "文件可能损坏或混有两种编码，"
                "请从系统重新导出，或在 mapping.yml 里写明 encoding。"
            ) from None
        except UnicodeError:  # a mark that is none: "UTF-16 stream does not start with BOM"
            raise CourseError(
                f"{path.name}：开头不是 {codec.upper()} 的标记，请在 mapping.yml 里写明 encoding。"
            ) from None
        done += len(piece)
        if text:
            yield text
        if not piece:
            return
