"""Call lists: a summary and one sheet a branch, with result codes to fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from course_utils import columns
from course_utils.deliver.book import workbook
from course_utils.deliver.sheet import Sheet
from course_utils.errors import CourseError

RESULT_CODES = ("已联系-同意", "已联系-考虑", "已联系-拒绝", "未接通", "号码无效", "谢绝来电")
RESULT, CONTACT_DATE, REMARK = "结果", "联系日期", "备注"


def call_list(
    path: str | Path,
    frame: pd.DataFrame,
    branch_column: str = "branch_name",
    title: str = "",
    purpose: str = "客户联系",
    purge_date: object | None = None,
    result_codes: Sequence[str] = RESULT_CODES,
    notes: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    tables: str | Sequence[str] = (),
    money: str = "万元",
    extra: Mapping[str, Sheet | pd.DataFrame] | None = None,
) -> Path:
    """Write a call list: a summary sheet, a sheet a branch, further sheets.

    Parameters
    ----------
    path : str or Path
        Target ``.xlsx``.
    frame : DataFrame
        One row a customer to contact, in the order of work; masked identifiers only.
    branch_column : str
        Column that splits the list into sheets.
    title : str
        Title of the sheets.
    purpose : str
        用途, on every sheet.
    purge_date : date or str
        销毁日期; required, because a list of customers must not live for ever.
    result_codes : sequence of str
        Answers of the drop-down in 结果.
    notes : sequence of str
        Lines on the summary sheet (rules, script, order of calls).
    names, units, tables, money
        As in :class:`course_utils.deliver.Sheet`.
    extra : mapping, optional
        Further sheets behind the branches.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    CourseError
        No purge date, no such column, or a raw identifier.
    """
    if purge_date is None:
        raise CourseError("导出客户名单必须写明销毁日期，请给 call_list() 加上 purge_date。")
    if branch_column not in frame.columns:
        raise CourseError(f"名单里没有分行列“{branch_column}”，请检查 branch_column 的列名。")
    rows = frame.reset_index(drop=True)
    rows[branch_column] = (
        rows[branch_column].astype("object").where(rows[branch_column].notna(), "未分配")
    )
    words = {**(names or {})}
    choices = {RESULT: list(result_codes)}
    sheets: dict[str, Sheet | pd.DataFrame] = {
        "汇总": Sheet(
            _summary(rows, branch_column), notes=notes, names=words, units=units or {},
            tables=tables, totals=[c for c in _summary(rows, branch_column).columns[1:]],
        )
    }  # fmt: skip
    for branch, part in rows.groupby(branch_column, sort=True, observed=True):
        body = part.drop(columns=branch_column).reset_index(drop=True)
        body.insert(0, "序号", range(1, len(body) + 1))
        body = body.assign(**{RESULT: "", CONTACT_DATE: "", REMARK: ""})
        sheets[str(branch)] = Sheet(
            body,
            title=f"{title or Path(path).stem}：{branch}",
            names=words,
            units=units or {},
            tables=tables,
            choices=choices,
            widths={RESULT: 16, CONTACT_DATE: 13, REMARK: 24},
        )
    sheets.update(extra or {})
    return workbook(path, sheets, title, purpose, purge_date, money=money)


def _summary(rows: pd.DataFrame, branch_column: str) -> pd.DataFrame:
    """Return customers and money by branch."""
    looks = columns.look(rows)
    money = [look.name for look in looks if look.kind == "money"]
    groups = rows.groupby(branch_column, sort=True, observed=True)
    table = groups.size().rename("户数").to_frame()
    if money:
        table = table.join(groups[money].sum())
    return table.reset_index()
