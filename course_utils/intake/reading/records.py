"""Text into records: quotes, line breaks inside cells, and the true number of every line.

The way by columns (polars) and the way by records (Python) give the same; the first is taken
wherever a block of text is well formed, the second decides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from course_utils.errors import CourseError
from course_utils.intake.reading.model import (
    LONGEST_CELL_LINES,
    LONGEST_LINE,
    Block,
    Problem,
)

if TYPE_CHECKING:
    import polars as pl

QUOTE = '"'
#: Stand for a delimiter and a line break inside quotes while a block is split; never in real text.
DELIMITER_INSIDE, BREAK_INSIDE = "\ufdd0", "\ufdd1"


@dataclass
class Splitter:
    """Splits the lines of one file.

    Attributes
    ----------
    name : str
        The file, for messages.
    delimiter : str
        One or more characters.
    quoting : bool
        Whether quotes enclose cells.
    width : int or None
        Cells of a record, once the header is known: a record of several lines must have them, or
        its quote was never closed.
    """

    name: str
    delimiter: str
    quoting: bool
    width: int | None = None

    def split(self, text: str, line: int, final: bool) -> tuple[Block, int]:
        """Split whole lines into records.

        Parameters
        ----------
        text : str
            Lines, each ending with a line feed.
        line : int
            Number of the first.
        final : bool
            Whether the file ends here.

        Returns
        -------
        tuple of Block and int
            The records, and how many characters they took: the rest waits for more text.
        """
        if not self.quoting or QUOTE not in text:
            return self._plain(text, line), len(text)
        whole = _closed(text)
        if whole and (block := self._by_columns(text[:whole], line)):
            return block, whole
        return self._by_records(text, line, final)

    def _plain(self, text: str, line: int, breaks: bool = False) -> Block:
        import polars as pl

        lines = pl.Series([text[:-1]]).str.split("\n").explode()
        if not breaks:
            self._check_length(lines, line)
        rows = pl.int_range(line, line + len(lines), dtype=pl.Int64, eager=True)
        continued = 0
        if breaks:
            inside = lines.str.count_matches(BREAK_INSIDE, literal=True).cast(pl.Int64)
            continued = int(inside.sum())
            rows = rows + inside.cum_sum() - inside
        return Block(rows, lines.str.split(self.delimiter), continued)

    def _check_length(self, lines: pl.Series, line: int) -> None:
        if not (lines.str.len_bytes() > LONGEST_LINE).any():
            return
        long = (lines.str.len_chars() > LONGEST_LINE).arg_true()
        if len(long):
            raise too_long(self.name, line + int(long[0]))

    def _by_columns(self, text: str, line: int) -> Block | None:
        """Split a block whose quotes all enclose cells; None if they do not."""
        if DELIMITER_INSIDE in text or BREAK_INSIDE in text:
            return None
        pieces = text.split(QUOTE)
        outside = QUOTE.join(pieces[0::2])
        cells = len(pieces) // 2
        before = outside.count(self.delimiter + QUOTE) + outside.count("\n" + QUOTE)
        after = outside.count(QUOTE + self.delimiter) + outside.count(QUOTE + "\n")
        if before + outside.startswith(QUOTE) != cells or after != cells:
            return None
        inside = QUOTE.join(pieces[1::2])
        breaks = "\n" in inside
        delimiters = self.delimiter in inside
        if breaks:
            inside = inside.replace("\n", BREAK_INSIDE)
        if delimiters:
            inside = inside.replace(self.delimiter, DELIMITER_INSIDE)
        if breaks or delimiters:
            pieces[1::2] = inside.split(QUOTE)
        block = self._plain("".join(pieces), line, breaks)
        if breaks and not self._all_closed(block):
            return None
        if breaks:
            block.restore[BREAK_INSIDE] = "\n"
        if delimiters:
            block.restore[DELIMITER_INSIDE] = self.delimiter
        return block

    def _all_closed(self, block: Block) -> bool:
        """Say whether the records of several lines are records, not the work of a lost quote."""
        records = block.fields.list.join("")
        if (records.str.len_bytes() > LONGEST_LINE).any():
            return False  # let the way by records say what it is
        lines = records.str.count_matches(BREAK_INSIDE, literal=True)
        if (lines > LONGEST_CELL_LINES).any():
            return False
        several = block.fields.filter(lines > 0)
        return self.width is None or bool((several.list.len() == self.width).all())

    def _by_records(self, text: str, line: int, final: bool) -> tuple[Block, int]:
        import polars as pl

        rows: list[int] = []
        fields: list[list[str]] = []
        problems: list[Problem] = []
        start = continued = 0
        while start < len(text):
            end = text.find("\n", start)
            if end - start > LONGEST_LINE:
                raise too_long(self.name, line)
            taken = _record(text, start, end, self.delimiter)
            if taken is None and not final and self._may_close(text, start):
                break
            if taken is not None and taken.end > end and not self._accepts(text, start, taken):
                taken = None
            if taken is None:
                problems.append(Problem(line, "broken_quote", "引号没有配对"))
                taken = _Taken([], end)
            else:
                rows.append(line)
                fields.append(taken.cells)
            breaks = text.count("\n", start, taken.end)
            continued += breaks
            line += breaks + 1
            start = taken.end + 1
        block = Block(
            pl.Series(rows, dtype=pl.Int64),
            pl.Series(fields, dtype=pl.List(pl.String)),
            continued,
            problems,
        )
        return block, start

    def _may_close(self, text: str, start: int) -> bool:
        """Say whether more text may still close the quote of the record that starts here."""
        return len(text) - start <= LONGEST_LINE and text.count("\n", start) <= LONGEST_CELL_LINES

    def _accepts(self, text: str, start: int, taken: _Taken) -> bool:
        return text.count("\n", start, taken.end) <= LONGEST_CELL_LINES and (
            self.width is None or len(taken.cells) == self.width
        )


class _Taken(NamedTuple):
    cells: list[str]
    #: place of the line feed behind the record
    end: int


def _record(text: str, start: int, end: int, delimiter: str) -> _Taken | None:
    """Take the record that starts at a place; None if a quote of it is broken or not closed."""
    if text.find(QUOTE, start, end) < 0:
        return _Taken(text[start:end].split(delimiter), end)
    cells: list[str] = []
    while True:
        if not text.startswith(QUOTE, start):
            stop = text.find(delimiter, start, end)
            if stop < 0:
                cells.append(text[start:end])
                return _Taken(cells, end)
            cells.append(text[start:stop])
            start = stop + len(delimiter)
            continue
        close = _closing(text, start + 1)
        if close < 0:
            return None
        cells.append(text[start + 1 : close].replace(QUOTE * 2, QUOTE))
        if text.startswith("\n", close + 1):
            return _Taken(cells, close + 1)
        if not text.startswith(delimiter, close + 1):
            return None
        if close > end:
            end = text.find("\n", close)
        start = close + 1 + len(delimiter)


def _closing(text: str, start: int) -> int:
    """Return the place of the quote that closes a cell, -1 if there is none near."""
    limit = start + LONGEST_LINE
    while True:
        close = text.find(QUOTE, start, limit)
        if close < 0 or not text.startswith(QUOTE, close + 1):
            return close
        start = close + 2


def _closed(text: str) -> int:
    """Return up to where, at the start of a line, all quotes are in pairs (0: nowhere)."""
    end, quotes = len(text), text.count(QUOTE)
    while quotes % 2:
        last = text.rfind(QUOTE, 0, end)
        cut = text.rfind("\n", 0, last) + 1
        quotes -= text.count(QUOTE, cut, end)
        end = cut
    return end


def too_long(name: str, line: int) -> CourseError:
    """Return what is said of a line that no table has."""
    return CourseError(
        f"{name}：第 {line} 行超过 {LONGEST_LINE // 1_000_000} MB 还没有换行，不是逐行的表，"
        "请核对导出时的换行符和文件类型。"
    )
