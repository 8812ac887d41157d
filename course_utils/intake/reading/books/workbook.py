"""Workbooks: cells as the text a person sees, merged cells filled, every row with its number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.intake.reading.files import Stamp, not_a_table, opened
from course_utils.intake.reading.model import LOST, Block, Record
from course_utils.intake.reading.names import carried, normalise

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

#: Rows of a block.
_ROWS = 20_000
#: From here on a float has lost digits of a whole number.
_EXACT = 1e15
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WORD = "WordDocument".encode("utf-16-le")
_SLIDES = "PowerPoint Document".encode("utf-16-le")
_BOOKS = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))
#: An old workbook is read whole.
_MOST_OLD = 256 << 20


class Grid:
    """A sheet, or an HTML table, as records.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    sheet : str
        Name of the sheet.
    rows : sequence or callable
        Gives an iterator over the rows, each a list of text.
    merged : sequence
        Merged ranges ((row, column), (row, column)) from 0, both ends included.
    """

    def __init__(self, path: Path, sheet: str, rows: Any, merged: Sequence[Any] = ()) -> None:
        self.path, self.sheet, self._rows, self._merged = path, sheet, rows, merged

    def head(self, limit: int) -> list[Record]:
        """Return the first records."""
        found = []
        for record in self._records():
            found.append(record)
            if len(found) >= limit:
                break
        return found

    def blocks(self) -> Iterator[Block]:
        """Read all records from the start."""
        import polars as pl

        rows: list[int] = []
        fields: list[list[str]] = []
        for record in self._records():
            rows.append(record.row)
            fields.append(record.cells)
            if len(rows) >= _ROWS:
                yield Block(
                    pl.Series(rows, dtype=pl.Int64), pl.Series(fields, dtype=pl.List(pl.String))
                )
                rows, fields = [], []
        if rows:
            yield Block(
                pl.Series(rows, dtype=pl.Int64), pl.Series(fields, dtype=pl.List(pl.String))
            )

    def group_row(self, record: Record) -> Sequence[str]:
        """Return the upper of two header rows, merged names over all their columns."""
        ranges = [r for r in self._merged if r[0][0] <= record.row - 1 <= r[1][0]]
        if not ranges:
            return carried(record.cells)
        cells = list(record.cells)
        for (_, first), (_, last) in ranges:
            for column in range(first, min(last + 1, len(cells))):
                cells[column] = record.cells[first]
        return cells

    def expect(self, width: int) -> None:
        """Rows of a sheet are all of one width."""

    def _records(self) -> Iterator[Record]:
        """Give the rows with vertical merges filled: each row says what it belongs to."""
        starts: dict[int, list[tuple[int, int]]] = {}
        for (top, left), (bottom, _) in self._merged:
            if bottom > top:
                starts.setdefault(top, []).append((left, bottom))
        active: dict[int, tuple[int, str]] = {}
        for number, cells in enumerate(self._rows()):
            for column, (bottom, value) in list(active.items()):
                if number > bottom:
                    del active[column]
                elif column < len(cells) and not cells[column]:
                    cells[column] = value
            for column, bottom in starts.get(number, ()):
                if column < len(cells) and cells[column]:
                    active[column] = (bottom, cells[column])
            yield Record(number + 1, cells)


def sheets_of(path: Path, stamp: Stamp) -> list[tuple[str, CalamineSheet]]:
    """Return the sheets of a workbook that hold cells, in their order.

    Parameters
    ----------
    path : pathlib.Path
        An .xlsx that was looked into (:func:`.archive.check_workbook`), or an old .xls.
    stamp : Stamp
        What the file was then.
    """
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    with opened(path, stamp):
        try:
            book = CalamineWorkbook.from_path(str(path))
            names = [s.name for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
            return [(name, book.get_sheet_by_name(name)) for name in names]
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as fault:  # a panic in the library is no Exception
            if type(fault).__name__ == "PasswordError":
                raise locked(path) from None
            raise CourseError(
                f"{path.name}：工作簿损坏或格式少见，读不出来（{type(fault).__name__}），"
                "请在 Excel 或 WPS 里打开后另存为 xlsx。"
            ) from None


def grid_of(path: Path, name: str, sheet: CalamineSheet) -> Grid:
    """Return a sheet as records."""
    left = (sheet.start or (0, 0))[1]

    def rows() -> Iterator[list[str]]:
        for row in sheet.iter_rows():
            yield [""] * left + [cell_text(value) for value in row]

    return Grid(path, name, rows, sheet.merged_cell_ranges or ())


def cell_text(value: Any) -> str:
    """Return a cell's value as text: a number as Excel shows it at 15 digits, a date as a date.

    >>> cell_text(0.1 + 0.2), cell_text(12.0), cell_text(True)
    ('0.3', '12', 'TRUE')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        if not (value.hour or value.minute or value.second or value.microsecond):
            return value.date().isoformat()
        return value.replace(microsecond=0).isoformat(" ")
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(value, dt.time):
        return value.replace(microsecond=0).isoformat()
    return "" if value is None else str(value)


def number_text(value: float) -> str:
    """Return a number that a library gave as a float, at 15 digits and never with an exponent."""
    if isinstance(value, int):
        return str(value) if abs(value) < _EXACT else f"{LOST}{value}"
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    if abs(value) >= _EXACT:
        return f"{LOST}{value:.0f}"
    text = f"{value:.15g}"
    if "e" in text:
        text = f"{Decimal(text):f}"
    return "0" if text in ("-0", "") else text


def check_old(path: Path) -> None:
    """Refuse a compound file that is no workbook: a locked one, a Word document."""
    with opened(path) as stream:
        data = stream.read(_MOST_OLD + 1)
    if len(data) > _MOST_OLD:
        raise CourseError(
            f"{path.name}：旧版工作簿超过 {_MOST_OLD >> 20} MB，请另存为 xlsx 或 CSV。"
        )
    if _ENCRYPTED in data:
        raise locked(path)
    if any(book in data for book in _BOOKS):
        return
    if _WORD in data or _SLIDES in data:
        raise not_a_table(path, "Word 或 PowerPoint 文稿")
    raise not_a_table(path, "旧版 Office 文件，里面没有工作簿，")


def locked(path: Path) -> CourseError:
    """Return what is said of a workbook with a password."""
    return CourseError(f"{path.name}：工作簿有密码，请在 Excel 里取消密码、另存后再放进来。")


def sheet_named(names: Sequence[str], wanted: str) -> str | None:
    """Return the sheet that a name means: exactly, else without blanks and width."""
    if wanted in names:
        return wanted
    same = [name for name in names if normalise(name) == normalise(wanted)]
    return same[0] if len(same) == 1 else None
