"""数据问题清单.xlsx: what the data clerk works through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.intake.faults import REFUSE, STOP, WARN
from course_utils.intake.report.lists import COLUMNS, details
from course_utils.intake.report.tables import (
    balance_rows,
    change_rows,
    coverage_rows,
    file_rows,
    rule_rows,
)

if TYPE_CHECKING:
    from course_utils.intake.report.model import IntakeResult, Summary

#: Most faults of one rule, column and file, and most in all: Excel must still open it.
EACH, IN_ALL = 5_000, 20_000
#: A fixed date, so that the same content gives the same bytes.
_CREATED = dt.datetime(2026, 1, 1)
_WIDTHS = {"文件": 30, "值": 22, "问题": 44, "怎么改": 44, "规则": 20, "列": 16, "源列": 16}


def write_workbook(path: Path, result: IntakeResult, summary: Summary) -> None:
    """Write the workbook; text is never a formula and never a link."""
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    book = xlsxwriter.Workbook(str(path), options)
    try:
        book.set_properties({"title": f"{result.name}数据问题清单", "created": _CREATED})
        head = book.add_format({"bold": True, "bg_color": "#D7E6F4", "border": 1})
        listed = details(result, summary, EACH, IN_ALL, (STOP, REFUSE, WARN))
        _sheet(book, "需修改清单", list(COLUMNS), listed.iter_rows(), head)
        for name, (names, rows) in {
            "规则汇总": rule_rows(summary),
            "读取情况": file_rows(result),
            "行数勾稽": balance_rows(summary),
            "列的来源": coverage_rows(result),
            "规则改动": change_rows(result),
        }.items():
            _sheet(book, name, names, rows, head)
    finally:
        book.close()


def _sheet(
    book: Any, name: str, names: Sequence[str], rows: Iterable[Sequence[Any]], head: Any
) -> None:
    sheet = book.add_worksheet(name)
    for place, title in enumerate(names):
        sheet.set_column(place, place, _WIDTHS.get(title, 12))
    sheet.freeze_panes(1, 0)
    for place, title in enumerate(names):
        sheet.write_string(0, place, title, head)
    last = 0
    for last, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if isinstance(value, int | float):
                sheet.write_number(last, place, value)
            elif value:
                sheet.write_string(last, place, str(value))
    if last:
        sheet.autofilter(0, 0, last, len(names) - 1)
