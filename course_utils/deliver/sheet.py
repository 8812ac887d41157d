"""One sheet: Chinese headers, formats, frozen header, drop-downs, formulas, widths."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from course_utils import columns, display
from course_utils.columns import Look
from course_utils.deliver.cells import Formula, refuse_identifiers
from course_utils.errors import CourseError

WIDTH_MIN, WIDTH_MAX = 8, 46
_REFERENCE = re.compile(r"\[([^\[\]]+)\]")
_NUMBER_FORMATS = {
    "money": "#,##0.00",
    "percent": '0.00"%"',
    "ratio": "0.0%",
    "integer": "#,##0",
    "number": "#,##0.##",
    "date": "yyyy-mm-dd",
    "month": "yyyy-mm",
    "timestamp": "yyyy-mm-dd hh:mm",
}


@dataclass(frozen=True)
class Sheet:
    """A table and how it is to be written.

    Parameters
    ----------
    frame : DataFrame
        Values; a meaningful index becomes the first columns.
    title : str
        Line above the table.
    notes : sequence of str
        Lines below the title.
    names, units : mapping
        As in :func:`course_utils.display.show`.
    tables : str or sequence of str
        Contract tables the columns come from.
    money : str, optional
        Unit of money columns: 元, 万元 or 亿元; default: that of the workbook.
    choices : mapping
        column -> allowed answers (drop-down); a column the frame lacks is added empty.
    formulas : mapping
        column -> formula of a row with ``[column]`` for the cell of that column in the same row,
        e.g. ``{"gap": "=[target]-[done]"}``.  If the frame has the column, its values are the
        results shown before recalculation.  Cells hold displayed units (万元 if money is in 万元).
    totals : sequence of str
        Columns with a SUM below.
    widths : mapping
        column -> width in characters, where the computed width does not please.
    """

    frame: pd.DataFrame
    title: str = ""
    notes: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    tables: str | Sequence[str] = ()
    money: str | None = None
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict)
    totals: Sequence[str] = ()
    widths: Mapping[str, float] = field(default_factory=dict)


class Formats:
    """The cell formats of a workbook, made once each."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def get(self, **properties: Any) -> Any:
        """Return the format with these XlsxWriter properties.

        Parameters
        ----------
        **properties
            As for ``Workbook.add_format``.
        """
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({"font_size": 11, **properties})
        return self._made[key]

    def title(self) -> Any:
        """Return the format of the title line."""
        return self.get(bold=True, font_size=14)

    def note(self) -> Any:
        """Return the format of note lines."""
        return self.get(font_color="#5F6670")

    def header(self) -> Any:
        """Return the format of the header row."""
        return self.get(
            bold=True,
            bg_color="#D7E6F4",
            border=1,
            text_wrap=True,
            valign="vcenter",
            align="center",
        )

    def cell(self, kind: str, bold: bool = False) -> Any:
        """Return the format of a value of a contract type."""
        properties: dict[str, Any] = {"border": 1}
        if kind in _NUMBER_FORMATS:
            properties["num_format"] = _NUMBER_FORMATS[kind]
        if bold:
            properties["bold"] = True
        return self.get(**properties)


def text_units(text: str) -> int:
    """Return the width of a text in Excel characters (a full-width one counts two)."""
    return max(
        (sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line))
        for line in (text.split("\n") or [""])
    )


def prepare(sheet: Sheet, where: str) -> tuple[pd.DataFrame, list[Look]]:
    """Flatten the frame, add drop-down and formula columns, check identifiers.

    Parameters
    ----------
    sheet : Sheet
        What to write.
    where : str
        Name of the sheet, for messages.

    Returns
    -------
    (DataFrame, list of Look)
    """
    frame = display.flatten(sheet.frame)
    refuse_identifiers(frame, where)
    extra = {c: "" for c in sheet.choices if c not in frame.columns}
    extra |= {c: float("nan") for c in sheet.formulas if c not in frame.columns}
    frame = frame.assign(**extra) if extra else frame
    tables = [sheet.tables] if isinstance(sheet.tables, str) else list(sheet.tables)
    looks = columns.look(frame, tables, sheet.names, sheet.units)
    for name in [*sheet.totals, *sheet.widths]:
        if name not in frame.columns:
            raise CourseError(f"工作表“{where}”没有列“{name}”，请检查合计列或列宽的列名。")
    return frame, looks


def write(worksheet: Any, formats: Formats, sheet: Sheet, where: str, money: str) -> None:
    """Write one sheet.

    Parameters
    ----------
    worksheet : xlsxwriter worksheet
        Empty worksheet.
    formats : Formats
        Formats of the workbook.
    sheet : Sheet
        What to write.
    where : str
        Name of the sheet, for messages.
    money : str
        Unit of money columns unless the sheet has its own.
    """
    frame, looks = prepare(sheet, where)
    unit = sheet.money or money
    top = _write_head(worksheet, formats, sheet)
    for i, look in enumerate(looks):
        worksheet.write_string(top, i, columns.header(look, unit), formats.header())
    letters = {look.name: column_letter(i) for i, look in enumerate(looks)}
    for i, look in enumerate(looks):
        scale = columns.divisor(look, unit)
        formula = sheet.formulas.get(look.name)
        values = frame.iloc[:, i].tolist()
        form = formats.cell(look.kind)
        for row, value in enumerate(values, start=top + 1):
            shown = _scaled(value, scale)
            if formula is not None:
                shown = Formula(_row_formula(formula, letters, row + 1, where), _cached(shown))
            put(worksheet, row, i, shown, form)
    bottom = top + len(frame)
    _write_totals(worksheet, formats, sheet, frame, looks, unit, top, bottom)
    _finish(worksheet, sheet, frame, looks, unit, top, bottom)


def _write_head(worksheet: Any, formats: Formats, sheet: Sheet) -> int:
    row = 0
    if sheet.title:
        worksheet.write_string(row, 0, sheet.title, formats.title())
        row += 1
    for note in sheet.notes:
        worksheet.write_string(row, 0, str(note), formats.note())
        row += 1
    return row


def column_letter(index: int) -> str:
    """Return the letters of a column number from 0: 0 → A, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _row_formula(text: str, letters: Mapping[str, str], row: int, where: str) -> str:
    def cell(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in letters:
            raise CourseError(f"工作表“{where}”的公式引用了不存在的列“{name}”，请检查列名。")
        return f"{letters[name]}{row}"

    return _REFERENCE.sub(cell, text)


def _scaled(value: Any, scale: float) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value / scale if number and scale != 1.0 else value


def _cached(value: Any) -> float | str:
    if isinstance(value, bool) or value is None or value is pd.NaT:
        return 0
    if isinstance(value, int | float):
        return value if value == value and abs(value) != float("inf") else 0
    return str(value)


def put(worksheet: Any, row: int, column: int, value: Any, form: Any) -> None:
    """Write one value by its type; text is always text.

    Parameters
    ----------
    worksheet : xlsxwriter worksheet
        Target.
    row, column : int
        Position from 0.
    value : object
        Missing values leave an empty cell.
    form : xlsxwriter format
        Cell format.
    """
    if isinstance(value, Formula):
        worksheet.write_formula(row, column, value.text, form, value.value)
    elif value is None or value is pd.NaT or value is pd.NA or value != value:
        worksheet.write_blank(row, column, None, form)
    elif isinstance(value, bool):
        worksheet.write_string(row, column, "是" if value else "否", form)
    elif isinstance(value, pd.Timestamp | dt.datetime | dt.date):
        worksheet.write_datetime(row, column, pd.Timestamp(value).to_pydatetime(), form)
    elif isinstance(value, int | float) and abs(value) != float("inf"):
        worksheet.write_number(row, column, value, form)
    elif hasattr(value, "item") and not isinstance(value, str):
        put(worksheet, row, column, value.item(), form)
    else:
        worksheet.write_string(row, column, str(value), form)


def _write_totals(
    worksheet: Any,
    formats: Formats,
    sheet: Sheet,
    frame: pd.DataFrame,
    looks: Sequence[Look],
    unit: str,
    top: int,
    bottom: int,
) -> None:
    if not sheet.totals or not len(frame):
        return
    row = bottom + 1
    for i, look in enumerate(looks):
        form = formats.cell(look.kind, bold=True)
        if look.name in sheet.totals:
            letter = column_letter(i)
            amount = float(pd.to_numeric(frame.iloc[:, i]).sum()) / columns.divisor(look, unit)
            text = f"=SUM({letter}{top + 2}:{letter}{bottom + 1})"
            put(worksheet, row, i, Formula(text, amount), form)
        elif i == 0:
            put(worksheet, row, i, "合计", formats.cell("text", bold=True))
        else:
            worksheet.write_blank(row, i, None, form)


def _finish(
    worksheet: Any,
    sheet: Sheet,
    frame: pd.DataFrame,
    looks: Sequence[Look],
    unit: str,
    top: int,
    bottom: int,
) -> None:
    shown = display.as_text(_results(frame.head(300)), list(looks), unit) if len(frame) else None
    for i, look in enumerate(looks):
        widest = text_units(columns.header(look, unit))
        if shown is not None and len(shown):
            widest = max(widest, *map(text_units, set(shown.iloc[:, i])))
        width = sheet.widths.get(look.name, min(max(widest + 2, WIDTH_MIN), WIDTH_MAX))
        worksheet.set_column(i, i, width)
        answers = sheet.choices.get(look.name)
        if answers and len(frame):
            worksheet.data_validation(
                top + 1, i, bottom, i,
                {"validate": "list", "source": list(answers), "error_title": "请从列表中选择",
                 "error_message": "请从下拉列表中选择一项。"},
            )  # fmt: skip
    worksheet.freeze_panes(top + 1, 0)
    if len(frame):
        worksheet.autofilter(top, 0, bottom, len(looks) - 1)
    worksheet.set_landscape()
    worksheet.set_paper(9)
    worksheet.fit_to_pages(1, 0)
    worksheet.repeat_rows(top)


def _results(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the result of each formula in its place."""
    objects = [i for i, dtype in enumerate(frame.dtypes) if dtype == "object"]
    if not any(isinstance(v, Formula) for i in objects for v in frame.iloc[:, i]):
        return frame
    return frame.map(lambda value: value.value if isinstance(value, Formula) else value)
