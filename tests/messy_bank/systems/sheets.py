"""A file as a list of pieces: good rows as a frame, everything else as rows with what they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl


@dataclass
class Planted:
    """One planted fault; `file`, `sheet` and `row` are known once its file is written.

    Parameters
    ----------
    kind : str
        One of the kinds that ``planting`` lists.
    table, column : str
        Names in the contract; `column` is empty where the row as a whole is at fault.
    expected : str
        ``"拒收"``: the row is rejected; ``"警告"``: its cell is blanked, the row stays;
        ``"不读"``: no row of data (title, total …); ``""``: read as if nothing were amiss.
    """

    kind: str
    table: str
    column: str
    expected: str
    file: str = ""
    sheet: str = ""
    row: int = 0


@dataclass
class Extra:
    """One row that is no good row: its cells (or a whole raw line) and why it is there."""

    cells: list[object] | str
    planted: Planted


Piece = pl.DataFrame | Extra


@dataclass
class Sheet:
    """One text file or one sheet of a workbook.

    Parameters
    ----------
    path : str
        Below the folder of the exports.
    table : str
    columns : list of str
        Names in the header.
    pieces : list
        What stands below the header, in order.
    above : list of Extra
        Rows above the header.
    groups : list of str
        First row of a two-row header; empty if the header is one row.
    name : str
        Name of the sheet; empty for a text file.
    encoding, delimiter, line_end : str
        Of a text file.
    trailing : bool
        Every line ends with a delimiter too many.
    numbers : set of str
        Columns whose values are numbers in a workbook.
    """

    path: str
    table: str
    columns: list[str]
    pieces: list[Piece]
    above: list[Extra] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    name: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\n"
    trailing: bool = False
    numbers: frozenset[str] = frozenset()

    @property
    def header_rows(self) -> int:
        """How many rows the header has."""
        return 2 if self.groups else 1

    def locate(self) -> Iterator[Planted]:
        """Give every planted fault its file, sheet and physical row."""
        row = 0
        for extra in self.above:
            row += 1
            yield self._at(extra.planted, row)
        row += self.header_rows
        for piece in self.pieces:
            if isinstance(piece, Extra):
                row += 1
                yield self._at(piece.planted, row)
            else:
                row += piece.height

    def _at(self, planted: Planted, row: int) -> Planted:
        planted.file, planted.sheet, planted.row = self.path, self.name, row
        return planted


def write_sheets(folder: Path, sheets: list[Sheet]) -> list[Planted]:
    """Write the files and return the planted faults with their places."""
    from .workbooks import write_workbook

    books: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        (folder / sheet.path).parent.mkdir(parents=True, exist_ok=True)
        if sheet.path.endswith(".xlsx"):
            books.setdefault(sheet.path, []).append(sheet)
        else:
            _write_text(folder / sheet.path, sheet)
    for path, members in books.items():
        write_workbook(folder / path, members)
    return [planted for sheet in sheets for planted in sheet.locate()]


def _write_text(path: Path, sheet: Sheet) -> None:
    with path.open("wb") as stream:
        for extra in sheet.above:
            stream.write(_encoded(_line(extra.cells, sheet), sheet))
        stream.write(_encoded(_line(sheet.columns, sheet), sheet, first=not sheet.above))
        for piece in sheet.pieces:
            if isinstance(piece, Extra):
                stream.write(_encoded(_line(piece.cells, sheet), sheet))
            elif piece.height:
                text = sheet.line_end.join(_lines(piece, sheet))
                stream.write(_encoded(text, sheet))


def _lines(frame: pl.DataFrame, sheet: Sheet) -> list[str]:
    cells = [pl.col(c).fill_null("") for c in frame.columns]
    if sheet.delimiter == ",":
        cells = [_quoted(cell) for cell in cells]
    if sheet.trailing:
        cells.append(pl.lit(""))
    return frame.select(pl.concat_str(cells, separator=sheet.delimiter)).to_series().to_list()


def _quoted(cell: pl.Expr) -> pl.Expr:
    quoted = pl.concat_str(pl.lit('"'), cell.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(cell.str.contains(r'[,"\n]')).then(quoted).otherwise(cell)


def _line(cells: list[object] | str, sheet: Sheet) -> str:
    if isinstance(cells, str):
        return cells
    texts = ["" if c is None else str(c) for c in cells]
    if sheet.delimiter == ",":
        texts = [f'"{t}"' if "," in t else t for t in texts]
    return sheet.delimiter.join(texts) + (sheet.delimiter if sheet.trailing else "")


def _encoded(text: str, sheet: Sheet, first: bool = False) -> bytes:
    # a byte-order mark stands once, in front of everything
    encoding = "utf-8" if sheet.encoding == "utf-8-sig" and not first else sheet.encoding
    return (text + sheet.line_end).encode(encoding)
