"""Workbooks as a branch makes them: titles, merged cells, real dates beside text."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .sheets import Extra, Sheet

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d+)?")
_SERIAL = re.compile(r"[1-9]\d{4}")


def write_workbook(path: Path, sheets: list[Sheet]) -> None:
    """Write one workbook with all its sheets."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for sheet in sheets:
        _write_sheet(book, sheet, day)
    book.close()


def _write_sheet(book: Workbook, sheet: Sheet, day: Any) -> None:
    page = book.add_worksheet(sheet.name)
    centre = book.add_format({"align": "center"})
    row = 0
    for extra in sheet.above:
        first, *rest = extra.cells
        if any(c is not None for c in rest) or len(extra.cells) < 2:
            page.write_row(row, 0, extra.cells)
        else:
            page.merge_range(row, 0, row, len(extra.cells) - 1, first, centre)
        row += 1
    if sheet.groups:
        _write_groups(page, row, sheet, centre)
        row += 1
    for place, name in enumerate(sheet.columns):
        if not sheet.groups or sheet.groups[place]:
            page.write_string(row, place, name)
    row += 1
    numeric = [name in sheet.numbers for name in sheet.columns]
    for piece in sheet.pieces:
        rows = [piece.cells] if isinstance(piece, Extra) else piece.iter_rows()
        for cells in rows:
            for place, value in enumerate(cells):
                if value is not None:
                    _write_cell(page, row, place, value, numeric[place], day)
            row += 1


def _write_groups(page: Any, row: int, sheet: Sheet, centre: Any) -> None:
    """Write the upper row of the header; a column without a group is merged downwards."""
    start = 0
    while start < len(sheet.groups):
        group = sheet.groups[start]
        if not group:
            page.merge_range(row, start, row + 1, start, sheet.columns[start], centre)
            start += 1
            continue
        end = start
        while end + 1 < len(sheet.groups) and sheet.groups[end + 1] == group:
            end += 1
        if end > start:
            page.merge_range(row, start, row, end, group, centre)
        else:
            page.write_string(row, start, group)
        start = end + 1


def _write_cell(page: Any, row: int, place: int, value: object, numeric: bool, day: Any) -> None:
    if isinstance(value, float):
        page.write_number(row, place, value)
        return
    text = str(value)
    if match := _DAY.fullmatch(text):
        try:
            page.write_datetime(row, place, datetime.datetime(*map(int, match.groups())), day)
        except ValueError:  # an impossible day stays what somebody typed
            page.write_string(row, place, text)
    elif numeric and _NUMBER.fullmatch(text):
        page.write_number(row, place, float(text))
    else:
        page.write_string(row, place, text)
