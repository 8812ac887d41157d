"""Text into records: quotes, line breaks inside cells, and the true number of every line.

Quotes are taken off piece by piece: whole pieces at once where every quote encloses a cell, record
by record elsewhere. What is left, one line a record and no quotes, is split by columns.
"""

from __future__ import annotations

from collections.abc import Sequence
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
#: Stand for a delimiter, a line break and a quote in a cell, and for a line that is no record.
#: Unicode keeps them for such use inside a program; the reader takes them out of real text.
DELIMITER_INSIDE, BREAK_INSIDE, BROKEN, QUOTE_INSIDE = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
STAND_INS = (DELIMITER_INSIDE, BREAK_INSIDE, BROKEN, QUOTE_INSIDE)
#: Characters from which quotes are taken off at once.
_STEP = 1 << 14


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
            return self._columns(text, line), len(text)
        pieces: list[str] = []
        broken: list[int] = []
        start = 0
        while start < len(text):
            end = text.find("\n", min(start + _STEP, len(text) - 1)) + 1
            piece = text[start:end]
            whole = _closed(piece) if QUOTE in piece else len(piece)
            bare = self._bare(piece[:whole]) if whole else None
            if bare is not None:
                pieces.append(bare)
                start += whole
                continue
            stop = self._records(text, start, end, final, pieces, broken, line)
            if stop < end:
                start = stop
                break
            start = stop
        problems, counted = [], 0
        for place in broken:
            line_here = (problems[-1].row if problems else line) + text.count("\n", counted, place)
            problems.append(Problem(line_here, "broken_quote", "引号没有配对"))
            counted = place
        return self._columns("".join(pieces), line, problems), start

    def _columns(self, text: str, line: int, problems: Sequence[Problem] = ()) -> Block:
        """Split lines without quotes."""
        import polars as pl

        if not text:
            empty = pl.Series([], dtype=pl.List(pl.String))
            return Block(pl.Series([], dtype=pl.Int64), empty)
        lines = pl.Series([text[:-1]]).str.split("\n").explode()
        self._check_length(lines, line)
        rows = pl.int_range(line, line + len(lines), dtype=pl.Int64, eager=True)
        block = Block(rows, lines, problems=list(problems))
        if BREAK_INSIDE in text:
            inside = lines.str.count_matches(BREAK_INSIDE, literal=True).cast(pl.Int64)
            block.continued = int(inside.sum())
            block.rows = rows + inside.cum_sum() - inside
            block.restore[BREAK_INSIDE] = "\n"
        if DELIMITER_INSIDE in text:
            block.restore[DELIMITER_INSIDE] = self.delimiter
        if QUOTE_INSIDE in text:
            block.restore[QUOTE_INSIDE] = QUOTE
        if problems:
            records = lines != BROKEN
            block.rows, lines = block.rows.filter(records), lines.filter(records)
        block.fields = lines.str.split(self.delimiter)
        return block

    def _check_length(self, lines: pl.Series, line: int) -> None:
        if not (lines.str.len_bytes() > LONGEST_LINE).any():
            return
        long = (lines.str.len_chars() > LONGEST_LINE).arg_true()
        if len(long):
            raise too_long(self.name, line + int(long[0]))

    def _bare(self, text: str) -> str | None:
        """Take the quotes off lines in which all quotes enclose cells; None if they do not."""
        if QUOTE not in text:
            return text
        doubled = QUOTE * 2 in text
        pieces = (self._without_doubled(text) if doubled else text).split(QUOTE)
        outside = QUOTE.join(pieces[0::2])
        if doubled and QUOTE_INSIDE in outside:
            outside = self._without_empty(outside)
            if QUOTE_INSIDE in outside:
                return None
            pieces[0::2] = outside.split(QUOTE)
        cells = len(pieces) // 2
        before = outside.count(self.delimiter + QUOTE) + outside.count("\n" + QUOTE)
        after = outside.count(QUOTE + self.delimiter) + outside.count(QUOTE + "\n")
        if before + outside.startswith(QUOTE) != cells or after != cells:
            return None
        inside = QUOTE.join(pieces[1::2])
        breaks = "\n" in inside
        if breaks or self.delimiter in inside:
            pieces[1::2] = self._inside(inside).split(QUOTE)
        bare = "".join(pieces)
        return bare if not breaks or self._all_closed(bare) else None

    def _without_doubled(self, text: str) -> str:
        """Put a stand-in for the quotes that a cell holds; an empty cell in quotes is one too."""
        for before in (self.delimiter, "\n"):
            text = text.replace(before + QUOTE * 3, before + QUOTE + QUOTE_INSIDE)
        if text.startswith(QUOTE * 3):
            text = QUOTE + QUOTE_INSIDE + text[3:]
        return text.replace(QUOTE * 2, QUOTE_INSIDE)

    def _without_empty(self, outside: str) -> str:
        """Take the empty cells in quotes out of what stands between quotes."""
        if outside.startswith((QUOTE_INSIDE + self.delimiter, QUOTE_INSIDE + "\n")):
            outside = outside[1:]
        for before in (self.delimiter, "\n"):
            for behind in (self.delimiter, self.delimiter, "\n"):  # twice: they share a delimiter
                outside = outside.replace(before + QUOTE_INSIDE + behind, before + behind)
        return outside

    def _inside(self, text: str) -> str:
        return text.replace("\n", BREAK_INSIDE).replace(self.delimiter, DELIMITER_INSIDE)

    def _all_closed(self, text: str) -> bool:
        """Say whether the records of several lines are records, not the work of a lost quote."""
        return all(self._accepts(line) for line in text.split("\n") if BREAK_INSIDE in line)

    def _accepts(self, record: str) -> bool:
        """Say whether a bare record of several lines is one.

        It is not where each of its lines has the cells of a whole row: then one quote was lost
        before them and another behind.
        """
        lines = record.split(BREAK_INSIDE)
        if len(lines) > LONGEST_CELL_LINES + 1 or len(record) > LONGEST_LINE:
            return False
        if self.width is None:
            return True
        if record.count(self.delimiter) + 1 != self.width:
            return False
        cells = [s.count(self.delimiter) + s.count(DELIMITER_INSIDE) + 1 for s in lines]
        return self.width < 3 or any(n != self.width for n in cells)

    def _records(
        self,
        text: str,
        start: int,
        stop: int,
        final: bool,
        pieces: list[str],
        broken: list[int],
        line: int,
    ) -> int:
        """Take the quotes off record by record, from a place up to another; return where it ends.

        It ends before the other where more text may close a quote.
        """
        while start < stop:
            end = text.find("\n", start)
            if end - start > LONGEST_LINE:
                raise too_long(self.name, line + text.count("\n", 0, start))
            taken = _record(text, start, end, self.delimiter)
            if taken is None and not final and _may_close(text, start):
                return start
            bare = self.delimiter.join(map(self._inside, taken.cells)) if taken else ""
            if taken is None or (taken.end > end and not self._accepts(bare)):
                broken.append(start)
                pieces.append(BROKEN + "\n")
                start = end + 1
            else:
                pieces.append(bare + "\n")
                start = taken.end + 1
        return start


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


def _may_close(text: str, start: int) -> bool:
    """Say whether more text may still close the quote of the record that starts here."""
    if len(text) - start > LONGEST_LINE:
        return False
    for _ in range(LONGEST_CELL_LINES + 1):
        start = text.find("\n", start) + 1
        if not start:
            return True
    return False


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
