"""What a reading is: one sheet or text file as raw text, every row with its physical number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import polars as pl

#: Stands before a workbook number that has lost digits (|float| ≥ 1e15): an identifier in it is
#: gone. Text files never hold it: the reader leaves this character out.
LOST = "\x1a"

#: Longest physical line, longest record with line breaks in its cells, in characters.
LONGEST_LINE = 1_000_000
#: A quoted cell that goes on for more lines than this has lost its closing quote.
LONGEST_CELL_LINES = 20
#: Most columns of a table.
MOST_COLUMNS = 4_096
#: Rows among which the header is looked for.
HEAD_ROWS = 60
#: Problems kept with their row; beyond them only the counts go on.
MOST_PROBLEMS = 100_000
#: Characters of a faulty row that a problem keeps.
SHOWN = 200

#: Keys of ``Reading.counts``; ``lines`` is the sum of the others.
COUNTS = (
    "lines",
    "title",
    "header",
    "blank",
    "repeated_header",
    "total",
    "ragged",
    "continued",
    "rows",
)


@dataclass(frozen=True)
class ReadOptions:
    """How a source is to be read; what is left out is found from the bytes.

    Attributes
    ----------
    wanted : tuple of str
        Source column names that the mapping uses: they find the header row.
    encoding : str or None
        None: byte-order mark, else strict UTF-8, else strict GB18030. Never statistics.
    delimiter : str or None
        May be several characters such as ``|@|``. Quotes enclose cells only where the delimiter is
        one printable character or a tab.
    sheet : str or None
        A sheet of a workbook; ``*`` all; None: the first that has the header.
    header : tuple of int
        Physical rows of the header from 1 (two rows: group, name); empty: look for it.
    drop : tuple of str
        More regular expressions (Rust syntax, no look-around): a row whose first filled cell, in
        NFKC and without blanks, matches is a total or footer.
    """

    wanted: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: tuple[int, ...] = ()
    drop: tuple[str, ...] = ()


class Problem(NamedTuple):
    """A row that was not read (or, among ``Reading.notes``, one that was, with a remark)."""

    row: int
    rule: str
    value: str


class Record(NamedTuple):
    """One row as it stands in the source."""

    row: int
    cells: list[str]


@dataclass
class Block:
    """Some records on their way, in the order of the source.

    Attributes
    ----------
    rows : polars.Series
        Physical number of each record's first line.
    fields : polars.Series
        Cells of each record, a list of text.
    continued : int
        Physical lines beyond the first of records with line breaks in their cells.
    problems : list of Problem
        Lines that are not records.
    restore : dict
        Characters that stand for others in the cells → those others.
    """

    rows: pl.Series
    fields: pl.Series
    continued: int = 0
    problems: list[Problem] = field(default_factory=list)
    restore: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Where records come from: a text file, a sheet, a table of a database."""

    path: Path
    sheet: str

    def head(self, limit: int) -> list[Record]:
        """Return the first records, without reading the rest."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Read all records from the start, in bounded memory."""
        ...

    def group_row(self, record: Record) -> Sequence[str]:
        """Return the upper of two header rows with each group's name over all its columns."""
        ...

    def expect(self, width: int) -> None:
        """Learn how many cells a record has."""
        ...


def empty_counts() -> dict[str, int]:
    """Return counts before the first row."""
    return dict.fromkeys(COUNTS, 0)
