"""The data dictionary: as a frame and a Markdown page, from the contract alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from course_utils.contract.model import Column, Contract, Table
from course_utils.contract.reader import load_contract

if TYPE_CHECKING:
    import pandas as pd

HEADERS = (
    "表",
    "表名",
    "字段",
    "中文名",
    "类型",
    "单位",
    "主键",
    "可空",
    "允许值",
    "隐私级别",
    "入库处理",
    "含义",
)
_PAGE_COLUMNS = HEADERS[2:]


def dictionary_frame(
    table_names: Iterable[str] | None = None, contract: Contract | None = None
) -> pd.DataFrame:
    """Return the data dictionary with Chinese headers, one row a column.

    Parameters
    ----------
    table_names : iterable of str, optional
        Only these tables, in this order; all tables if left out.
    contract : Contract, optional
        The project's own if left out.
    """
    import pandas as pd

    contract = contract or load_contract()
    rows = [
        (table.zh, table.name, *_cells(table, column, contract))
        for table in _tables(table_names, contract)
        for column in table.columns.values()
    ]
    return pd.DataFrame(rows, columns=list(HEADERS))


def dictionary_markdown(
    table_names: Iterable[str] | None = None, contract: Contract | None = None
) -> str:
    """Return the data dictionary as a Markdown page, one section a table."""
    contract = contract or load_contract()
    lines = ["# 数据字典", "", _opening(contract), ""]
    lines += _markdown_table(("类型", "名称", "含义"), _type_legend(contract))
    lines += _markdown_table(("级别", "名称", "含义"), _privacy_legend(contract))
    lines += _markdown_table(("入库处理", "含义"), _protect_legend(contract))
    for table in _tables(table_names, contract):
        lines += [f"## {table.zh} `{table.name}`", "", _escape_markdown(_about(table, contract))]
        lines.append("")
        rows = [_cells(table, column, contract) for column in table.columns.values()]
        lines += _markdown_table(_PAGE_COLUMNS, rows)
    return "\n".join(lines)


def protect_words(column: Column, contract: Contract | None = None) -> str:
    """Return in a few Chinese words what becomes of a bank's raw value before it is stored."""
    contract = contract or load_contract()
    rule, _, argument = column.protect.partition(":")
    words = contract.legend.get("protect", {}).get(rule, {}).get("zh", rule)
    return f"{words}（{argument}）" if rule == "round" else words


def _tables(table_names: Iterable[str] | None, contract: Contract) -> list[Table]:
    if table_names is None:
        return list(contract.tables.values())
    names = [table_names] if isinstance(table_names, str) else table_names
    return [contract.table(name) for name in names]


def _cells(table: Table, column: Column, contract: Contract) -> tuple[str, ...]:
    """Return the cells from 字段 to 含义."""
    types = contract.legend.get("types", {})
    return (
        column.name,
        column.zh,
        types.get(column.type, {}).get("zh", column.type),
        column.unit or "",
        "是" if column.name in table.grain else "",
        "是" if column.nullable else "",
        "、".join(column.codes) or _range(column),
        column.privacy + ("，敏感" if column.sensitive else ""),
        "" if column.protect == "keep" else protect_words(column, contract),
        column.meaning + _remarks(column),
    )


def _range(column: Column) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"{column.minimum:g} 至 {column.maximum:g}"
    if column.minimum is not None:
        return f"不小于 {column.minimum:g}"
    if column.maximum is not None:
        return f"不大于 {column.maximum:g}"
    return ""


def _remarks(column: Column) -> str:
    remarks = []
    if column.references:
        remarks.append(f"引用 {column.references}")
    if column.optional:
        remarks.append("有的银行没有这一列")
    if column.snapshot:
        remarks.append("只反映取数日")
    if column.empty:
        remarks.append({"zero": "没有明细记零", "unknown": "没有明细为空"}[column.empty])
    if column.locked:
        remarks.append(f"锁定：{column.locked}")
    return f"（{'；'.join(remarks)}）" if remarks else ""


def _opening(contract: Contract) -> str:
    columns = sum(len(table.columns) for table in contract.tables.values())
    return (
        f"数据契约 {contract.version} 版，共 {len(contract.tables)} 张表、{columns} 个字段。"
        "金额以元为单位，月份记当月最后一天，编号一律是文本。"
    )


def _about(table: Table, contract: Contract) -> str:
    keys = "、".join(table.columns[name].zh for name in table.grain if name in table.columns)
    size = contract.legend.get("sizes", {}).get(table.size, table.size)
    text = f"{table.meaning}。主键：{keys}。归口：{table.owner}。规模：{size}。"
    dated = table.as_of or table.as_of_year
    if dated:
        text += f"按“{table.columns[dated].zh}”截取到数据截止日。"
    if table.optional:
        text += "有的银行没有这张表。"
    if table.checker_only:
        text += "只供检查程序读取。"
    return text


def _type_legend(contract: Contract) -> list[tuple[str, ...]]:
    types = contract.legend.get("types", {})
    return [(key, entry["zh"], entry["meaning"]) for key, entry in types.items()]


def _privacy_legend(contract: Contract) -> list[tuple[str, ...]]:
    classes = contract.legend.get("privacy", {})
    return [(key, entry["zh"], entry["meaning"]) for key, entry in classes.items()]


def _protect_legend(contract: Contract) -> list[tuple[str, ...]]:
    rules = contract.legend.get("protect", {})
    return [(entry["zh"], entry["meaning"]) for key, entry in rules.items() if key != "keep"]


def _markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_markdown_row(headers), "|" + " --- |" * len(headers)]
    lines += [_markdown_row([_escape_markdown(cell) for cell in row]) for row in rows]
    return [*lines, ""]


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escape_markdown(text: str) -> str:
    for mark in ("\\", "|", "*", "_", "<", "`"):
        text = text.replace(mark, "\\" + mark)
    return text
