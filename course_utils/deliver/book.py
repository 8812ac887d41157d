"""Workbooks: several sheets in one file, the same bytes for the same content."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from course_utils.deliver import download
from course_utils.deliver.cells import sheet_name
from course_utils.deliver.sheet import Formats, Sheet, write
from course_utils.errors import CourseError
from course_utils.libraries import IN_BROWSER

#: a fixed creation date, so that the same content gives the same bytes
_CREATED = dt.datetime(2026, 1, 1)


def heading(purpose: str, purge_date: object | None, notes: Sequence[str] = ()) -> list[str]:
    """Return the lines every sheet carries: what for, until when, and notes.

    Parameters
    ----------
    purpose : str
        What the list may be used for.
    purge_date : date or str, optional
        Day by which the file must be deleted.
    notes : sequence of str
        Further lines.

    Returns
    -------
    list of str
    """
    lines = [f"用途：{purpose}。仅限授权人员使用，不得外传。"] if purpose else []
    if purge_date is not None:
        day = pd.Timestamp(purge_date)
        lines.append(f"销毁日期：{day:%Y-%m-%d}（到期请删除本文件及副本）。")
    return [*lines, *notes]


def workbook(
    path: str | Path,
    sheets: Mapping[str, Sheet | pd.DataFrame],
    title: str = "",
    purpose: str = "",
    purge_date: object | None = None,
    notes: Sequence[str] = (),
    money: str = "万元",
) -> Path:
    """Write a workbook.

    Parameters
    ----------
    path : str or Path
        Target ``.xlsx``; the folder is made.
    sheets : mapping
        Sheet name -> :class:`Sheet` or plain frame, in order.
    title : str
        Title of the sheets that have none of their own.
    purpose : str
        用途, on every sheet.
    purge_date : date or str, optional
        销毁日期, on every sheet.
    notes : sequence of str
        Lines on the first sheet.
    money : str
        Unit of money columns: 万元 (default), 元 or 亿元.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    CourseError
        A raw identifier, no sheet, or the file cannot be written (open in Excel?).
    """
    target = Path(path)
    if not sheets:
        raise CourseError(f"工作簿“{target.name}”没有任何工作表，请先准备好要输出的表。")
    if target.suffix.lower() != ".xlsx":
        raise CourseError(f"输出文件名应以 .xlsx 结尾，现在是“{target.name}”，请改正。")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        _write(aside, sheets, title or target.stem, purpose, purge_date, notes, money)
        aside.replace(target)
    except PermissionError:
        raise CourseError(
            f"无法写入“{target.name}”，可能正在 Excel 中打开，请关闭后再运行。"
        ) from None
    finally:
        aside.unlink(missing_ok=True)
    if IN_BROWSER:
        download.offer(target)
    return target


def _write(
    path: Path,
    sheets: Mapping[str, Sheet | pd.DataFrame],
    title: str,
    purpose: str,
    purge_date: object | None,
    notes: Sequence[str],
    money: str,
) -> None:
    import xlsxwriter

    options: dict[str, Any] = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    book = xlsxwriter.Workbook(str(path), options)
    try:
        book.set_properties({"title": title, "created": _CREATED})
        formats = Formats(book)
        used: list[str] = []
        for i, (name, given) in enumerate(sheets.items()):
            sheet = given if isinstance(given, Sheet) else Sheet(given)
            lines = heading(purpose, purge_date, notes if i == 0 else ())
            sheet = Sheet(**{**vars(sheet), "title": sheet.title or title,
                             "notes": [*lines, *sheet.notes]})  # fmt: skip
            used.append(sheet_name(name, used))
            write(book.add_worksheet(used[-1]), formats, sheet, used[-1], money)
    finally:
        book.close()
