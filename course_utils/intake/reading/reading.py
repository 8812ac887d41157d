"""One table of a source on its way: names, counts, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.intake.reading.model import Problem, empty_counts

if TYPE_CHECKING:
    import polars as pl

Frames = Callable[[dict[str, int], list[Problem]], Iterator["pl.DataFrame"]]


class Reading:
    """One sheet, text file or database table, row by row as raw text.

    Attributes
    ----------
    path : pathlib.Path
        The file (for a database, what it is called in reports).
    sheet : str
        The sheet; empty for anything but a workbook.
    columns : tuple of str
        Names of the columns: NFKC, without blanks, the second of a name 名称#2, one without a name
        列N by its place.
    counts : dict
        Complete after the last chunk. ``lines`` (physical lines or sheet rows) is the sum of the
        others: title, header, blank, repeated_header, total, ragged (the problems), continued
        (lines beyond the first of a record), rows.
    problems : list of Problem
        Rows that were not read: ``ragged_short``, ``ragged_long``, ``broken_quote``. At most
        100,000 are kept at a time (``counts`` goes on); whoever wants all takes them out after each
        chunk (``problems.clear()``).
    notes : list of Problem
        What was read with a remark: ``cell_error`` (an Excel error such as #N/A reads as empty;
        value: the cell), ``sheet_skipped`` (row 0; value: a sheet that was not read).
    totals : list of dict
        Rows of totals and footers, column → raw text, for the comparison with the rows.
    encoding, delimiter : str
        What was found; empty where there is none.
    header_rows : tuple of int
        Physical rows of the header; empty where there is none.
    """

    def __init__(
        self,
        path: Path,
        sheet: str,
        columns: tuple[str, ...],
        frames: Frames,
        header_rows: tuple[int, ...] = (),
        encoding: str = "",
        delimiter: str = "",
    ) -> None:
        self.path, self.sheet, self.columns, self._frames = path, sheet, columns, frames
        self.header_rows, self.encoding, self.delimiter = header_rows, encoding, delimiter
        self.counts = empty_counts()
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.totals: list[dict[str, str]] = []

    def chunks(self) -> Iterator[pl.DataFrame]:
        """Yield the rows from the first: ``_row`` and one text column a header column.

        Reading again counts again.
        """
        self.counts = empty_counts()
        self.problems.clear()
        yield from self._frames(self.counts, self.problems)
