"""Open a file that somebody else made: what it is by its bytes, and whether it stays the same."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from course_utils.errors import CourseError
from course_utils.intake.reading.lines.encoding import wide_encoding

#: First bytes → what a person calls such a file.
_OTHERS = (
    (b"%PDF", "PDF 文件"),
    (b"\xff\xd8\xff", "图片"),
    (b"\x89PNG", "图片"),
    (b"GIF8", "图片"),
    (b"BM", "图片"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (b"Rar!", "rar 压缩包"),
    (b"BZh", "bzip2 压缩包"),
    (b"\xfd7zXZ", "xz 压缩包"),
    (b"\x28\xb5\x2f\xfd", "zstd 压缩包"),
    (b"SQLite format 3\x00", "SQLite 数据库"),
    (b"MZ", "程序"),
    (b"\x7fELF", "程序"),
    (b"{\\rtf", "Word 文档"),
)
#: A head of so many bytes tells what a file is.
_HEAD = 65_536
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
#: Bytes that are neither text nor anybody's delimiter.
_STRANGE = bytes([*range(2, 7), *range(14, 26), 127])
_MARKUP = (b"<html", b"<table", b"<!doctype html", b"<body", b"<meta", b"<style", b"<div")


class Stamp(NamedTuple):
    """What tells that a file is still the one that was opened."""

    size: int
    changed: int
    inode: int


@contextmanager
def opened(path: Path, stamp: Stamp | None = None) -> Iterator[BinaryIO]:
    """Open a regular file; what the system says against it becomes a Chinese sentence.

    Parameters
    ----------
    path : pathlib.Path
        The file. A link that leaves its folder, a folder, a pipe or a device is refused.
    stamp : Stamp, optional
        What the file was when its header was read; it must be that before and after.
    """
    check_place(path)
    try:
        with path.open("rb") as stream:
            if stamp is not None:
                _same(path, stamp)
            yield stream
            if stamp is not None:
                _same(path, stamp)
    except FileNotFoundError:
        raise CourseError(f"{path.name}：文件不见了，请核对数据文件夹后重新运行。") from None
    except PermissionError:
        raise CourseError(
            f"{path.name}：没有读取权限，可能正被别的程序打开，请关闭它或请管理员授权后重新运行。"
        ) from None
    except OSError as fault:
        raise CourseError(
            f"{path.name}：读取失败（{fault.strerror or type(fault).__name__}），"
            "请检查磁盘或网络盘后重新运行。"
        ) from None


def check_place(path: Path) -> None:
    """Refuse what is not a file of this folder, before it is opened: a pipe would wait for ever."""
    try:
        if path.is_symlink() and path.parent.resolve() not in path.resolve().parents:
            raise CourseError(
                f"{path.name}：是指向数据文件夹以外的链接，不读取，请把文件本身放进数据文件夹。"
            )
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CourseError(f"{path.name}：找不到这个文件，请核对数据文件夹和文件名。") from None
    except (OSError, RuntimeError, ValueError) as fault:
        raise CourseError(
            f"{path.name}：打不开（{type(fault).__name__}），请核对文件名、权限和链接。"
        ) from None
    if stat.S_ISDIR(mode):
        raise CourseError(f"{path.name}：是文件夹，不是文件，请在 mapping.yml 里写到文件名。")
    if not stat.S_ISREG(mode):
        raise CourseError(f"{path.name}：不是普通文件（管道或设备），不读取。")


def stamp_of(path: Path) -> Stamp:
    """Return what tells that a file is still the same."""
    try:
        now = path.stat()
    except OSError:
        raise CourseError(f"{path.name}：文件不见了，请核对数据文件夹后重新运行。") from None
    return Stamp(now.st_size, now.st_mtime_ns, now.st_ino)


def _same(path: Path, stamp: Stamp) -> None:
    if stamp_of(path) != stamp:
        raise CourseError(
            f"{path.name}：读取期间文件有改动，结果不可靠，"
            "请等文件写完、关闭打开它的程序后重新运行。"
        )


def kind_of(path: Path) -> str:
    """Return what a file is by its bytes, whatever its name.

    Returns
    -------
    str
        ``text``, ``zip`` (a workbook or something else), ``ole`` (an old workbook or something
        else), ``html``, ``xml`` or ``parquet``.

    Raises
    ------
    CourseError
        The file is empty, or a kind that holds no table.
    """
    with opened(path) as stream:
        head = stream.read(_HEAD)
    if not head.strip(b"\xef\xbb\xbf\r\n\t \x00\x1a"):
        raise CourseError(
            f"{path.name}：文件是空的，请重新导出，确实没有数据时请从 mapping.yml 里去掉。"
        )
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(_OLE):
        return "ole"
    for magic, kind in _OTHERS:
        if head.startswith(magic) and (len(magic) > 2 or b"\x00" in head):
            raise not_a_table(path, kind)
    start = _plain_start(head)
    if start.startswith(b"<?xml") and b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        return "xml"
    if start.startswith(_MARKUP) or (start.startswith((b"<?xml", b"<!--")) and b"<table" in start):
        return "html"
    if _binary(head):
        raise not_a_table(path, "二进制文件")
    return "text"


def not_a_table(path: Path, kind: str) -> CourseError:
    """Return what is said of a file that holds no table."""
    return CourseError(
        f"{path.name}：内容是{kind}，不是文本表格或 Excel 工作簿，"
        "请从系统重新导出为 CSV、txt 或 xlsx。"
    )


def _plain_start(head: bytes) -> bytes:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.replace(b"\x00", b"")[2:]
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()


def _binary(head: bytes) -> bool:
    """Say whether a head holds what no text has.

    Zeros pad the fields of host systems, and stand beside every letter in UTF-16: they alone do not
    tell. A few other control characters are delimiters.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or wide_encoding(head):
        return False
    zeros = head.count(0)
    strange = len(head) - len(head.translate(None, _STRANGE))
    return zeros > max(16, 0.3 * len(head)) or strange > max(16, 0.02 * len(head))
