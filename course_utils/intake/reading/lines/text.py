"""Text files: CSV and txt in any encoding, with any delimiter, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.intake.reading.files import Stamp, opened
from course_utils.intake.reading.lines.encoding import decoded, find_encoding
from course_utils.intake.reading.lines.records import STAND_INS, Splitter, too_long
from course_utils.intake.reading.model import LONGEST_LINE, Block, Record
from course_utils.intake.reading.names import carried

if TYPE_CHECKING:
    from typing import BinaryIO

#: Bytes read at a time.
PIECE = 4 << 20
#: Bytes from which the header and the delimiter are found.
_HEAD = 1 << 18
_HEAD_PIECES = 8
#: Zeros in a piece from which they are no padding of fields but a hole in the file.
_MOST_ZEROS = PIECE // 2
#: Without meaning in a text: padding of host systems, end of file of DOS, byte-order marks of
#: files that were put one behind the other, what Unicode keeps for use inside programs.
_UNSEEN = ("\x00", "\x1a", "\ufeff", *STAND_INS)


class TextSource:
    """A text file as records.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    encoding : str
        A codec.
    delimiter : str
        One or more characters.
    returns : bool
        Whether a carriage return alone ends a line.
    stamp : Stamp
        What the file was when this was found out.
    """

    sheet = ""

    def __init__(
        self, path: Path, encoding: str, delimiter: str, returns: bool, stamp: Stamp
    ) -> None:
        self.path, self.encoding, self.delimiter = path, encoding, delimiter
        self.returns, self.stamp = returns, stamp
        self.splitter = Splitter(path.name, delimiter, quotes_with(delimiter))

    def head(self, limit: int) -> list[Record]:
        """Return the first records."""
        records: list[Record] = []
        with opened(self.path, self.stamp) as stream:
            for pieces, block in enumerate(self._split(stream, _HEAD), 1):
                records += records_of(block, limit - len(records))
                if len(records) >= limit or pieces >= _HEAD_PIECES:
                    break
        return records

    def blocks(self) -> Iterator[Block]:
        """Read all records from the start."""
        with opened(self.path, self.stamp) as stream:
            yield from self._split(stream, PIECE)

    def group_row(self, record: Record) -> Sequence[str]:
        """Return the upper of two header rows with each name carried to the right."""
        return carried(record.cells)

    def expect(self, width: int) -> None:
        """Say how many cells a record has."""
        self.splitter.width = width

    def _split(self, stream: BinaryIO, size: int) -> Iterator[Block]:
        pending, line = "", 1
        for text, final in lines_of(self.path, stream, self.encoding, self.returns, size):
            pending += text
            whole = pending.rfind("\n") + 1
            if len(pending) - whole > LONGEST_LINE:
                raise too_long(self.path.name, line + pending.count("\n", 0, whole))
            while whole:
                block, taken = self.splitter.split(pending[:whole], line, final)
                if not taken:
                    break
                line += len(block.rows) + block.continued + len(block.problems)
                yield block
                pending, whole = pending[taken:], whole - taken
                if not final:
                    break


def quotes_with(delimiter: str) -> bool:
    """Say whether quotes enclose cells beside a delimiter: not in the files of hosts and Hive."""
    return len(delimiter) == 1 and (delimiter >= " " or delimiter == "\t") and delimiter != '"'


def records_of(block: Block, limit: int) -> list[Record]:
    """Return the first records of a block."""
    pairs = zip(block.rows.head(limit), block.fields.head(limit).to_list(), strict=True)
    return [Record(row, [restored(c, block) for c in cells]) for row, cells in pairs]


def restored(cell: str, block: Block) -> str:
    """Return a cell with the characters that stood aside while its block was split."""
    for instead, real in block.restore.items():
        cell = cell.replace(instead, real)
    return cell


def lines_of(
    path: Path, stream: BinaryIO, encoding: str, returns: bool, size: int
) -> Iterator[tuple[str, bool]]:
    """Yield text whose lines end with a line feed, and whether the file ends with it.

    The last line has its line feed, whether or not the file gives it one.
    """
    held, any_text, ended = "", False, True
    for piece in decoded(path, stream, encoding, size):
        if piece.count("\x00") > _MOST_ZEROS:
            raise CourseError(
                f"{path.name}：文件里有大段空字节，多半是传输或磁盘中断留下的，请从系统重新导出。"
            )
        for unseen in _UNSEEN:
            if unseen in piece:
                piece = piece.replace(unseen, "")
        text = held + piece
        kept = len(text) - len(text.rstrip("\r")) if text.endswith("\r") else 0
        held, text = text[len(text) - kept :], text[: len(text) - kept]
        if len(held) > LONGEST_LINE:
            held = held[-2:]  # nothing but carriage returns
        if not text:
            continue
        text = _feeds(text, returns)
        any_text, ended = True, text.endswith("\n")
        yield text, False
    if held and returns:
        yield ("" if ended else "\n") + "\n" * (len(held) - (not ended)), True
    elif any_text:
        yield "" if ended else "\n", True


def _feeds(text: str, returns: bool) -> str:
    if "\r" not in text:
        return text
    if "\r\r\n" in text:  # written as text once too often
        text = text.replace("\r\r\n", "\n")
    text = text.replace("\r\n", "\n")
    return text.replace("\r", "\n") if returns else text


def returns_end_lines(text: str) -> bool:
    """Say whether a carriage return alone ends the lines of a text."""
    place = text.find("\r")
    if place < 0:
        return False
    behind = text[place:].lstrip("\r")[:1]
    return behind != "\n" and "\n" not in text[:place]


def find_head(path: Path, declared: str | None, stamp: Stamp) -> tuple[str, str]:
    """Return the encoding of a file and the text at its start."""
    with opened(path, stamp) as stream:
        encoding = find_encoding(path, stream, declared)
        text = next(decoded(path, stream, encoding, _HEAD), "")
    for unseen in _UNSEEN:
        text = text.replace(unseen, "")
    if not text.strip():
        raise CourseError(f"{path.name}：文件里没有内容，请重新导出。")
    return encoding, text
