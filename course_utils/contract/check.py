"""Check frames against their tables; every rule is vectorised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.contract.model import (
    DATE_TYPES,
    FLOAT_TYPES,
    TEXT_TYPES,
    Column,
    Contract,
    Table,
)
from course_utils.contract.reader import load_contract

if TYPE_CHECKING:
    import pandas as pd

#: How many offending rows a fault names.
SHOWN_ROWS = 5


@dataclass(frozen=True)
class Fault:
    """One rule broken by one column.

    Parameters
    ----------
    table, column : str
        Where; `column` is empty if the fault is the table's as a whole.
    rule : str
        ``missing_column``, ``unknown_column``, ``type``, ``null``, ``code``, ``minimum``,
        ``maximum``, ``cents``, ``time_of_day``, ``month_end``, ``key`` or ``reference``.
    count : int
        Number of rows (1 for a fault of the column as a whole).
    message : str
        One Chinese sentence: what is wrong, where, what to do.
    rows : tuple of int
        Positions of the first few offending rows, counted from 0.
    """

    table: str
    column: str
    rule: str
    count: int
    message: str
    rows: tuple[int, ...] = ()


def check_frame(table: Table | str, frame: pd.DataFrame) -> list[Fault]:
    """Compare a frame with its table.

    Parameters
    ----------
    table : Table or str
        Definition of the table, or its name in the contract.
    frame : pandas.DataFrame
        Its rows; the index plays no part.

    Returns
    -------
    list of Fault
        Empty if the frame keeps the contract.
    """
    if isinstance(table, str):
        table = load_contract().table(table)
    faults = _column_names(table, frame)
    frame = frame.reset_index(drop=True)
    for column in table.columns.values():
        if column.name in frame:
            faults += _check_column(table, column, frame[column.name])
    faults += _check_key(table, frame)
    return faults


def check_references(
    tables: Mapping[str, pd.DataFrame], contract: Contract | None = None
) -> list[Fault]:
    """Find values that the table they refer to does not hold.

    Only references between tables that are present are checked.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Table name → rows.
    contract : Contract, optional
        The project's own if left out.
    """
    contract = contract or load_contract()
    faults = []
    for name, frame in tables.items():
        table = contract.table(name)
        for column, (target, key) in table.foreign_keys.items():
            if column not in frame or target not in tables or key not in tables[target]:
                continue
            values = frame[column].reset_index(drop=True)
            bad = values.notna() & ~values.isin(tables[target][key])
            advice = f"在“{contract.table(target).zh}”里找不到，请补齐或更正"
            faults += _rows(table, table.columns[column], "reference", bad, advice)
    return faults


def _column_names(table: Table, frame: pd.DataFrame) -> list[Fault]:
    faults = []
    for name in table.required_columns:
        if name not in frame:
            label = f"“{table.zh}”（{table.name}）缺少“{table.columns[name].zh}”（{name}）这一列"
            faults.append(Fault(table.name, name, "missing_column", 1, f"{label}，请补上。"))
    for name in frame.columns:
        if name not in table.columns:
            message = (
                f"“{table.zh}”（{table.name}）多出契约里没有的列“{name}”，"
                "请删去它，或先把它写进数据契约。"
            )
            faults.append(Fault(table.name, str(name), "unknown_column", 1, message))
    return faults


def _check_column(table: Table, column: Column, values: pd.Series) -> list[Fault]:
    faults = []
    if not column.nullable:
        faults += _rows(table, column, "null", values.isna(), "为空，请补上")
    known = values.dropna()
    if known.empty:
        return faults
    if (wrong := _wrong_type(column, known)) is not None:
        label = f"“{table.zh}”的“{column.zh}”（{column.name}）应当是{wrong}"
        message = f"{label}，现在是 {values.dtype}，请转换后再写入。"
        return [*faults, Fault(table.name, column.name, "type", 1, message)]
    for rule, bad, advice in _value_rules(column, known):
        whole = bad.reindex(values.index, fill_value=False) if len(bad) < len(values) else bad
        faults += _rows(table, column, rule, whole, advice)
    return faults


def _wrong_type(column: Column, known: pd.Series) -> str | None:
    """Return what the values should have been, or None if the type is right."""
    from pandas.api import types

    numeric = types.is_numeric_dtype(known) and not types.is_bool_dtype(known)
    if column.type in TEXT_TYPES:
        if types.is_string_dtype(known) and types.infer_dtype(known) == "string":
            return None
        return "文本"
    if column.type == "flag":
        return None if types.infer_dtype(known) == "boolean" else "是否（布尔值）"
    if column.type in DATE_TYPES:
        return None if types.is_datetime64_dtype(known) else "日期"
    if column.type == "integer":
        whole = numeric and bool((known.astype("float64") % 1 == 0).all())
        return None if whole else "整数"
    finite = numeric and bool((known.astype("float64").abs() < float("inf")).all())
    return None if finite else "有限的数值"


def _value_rules(column: Column, known: pd.Series) -> list[tuple[str, pd.Series, str]]:
    import numpy as np

    rules: list[tuple[str, pd.Series, str]] = []
    if column.codes:
        allowed = "、".join(column.codes)
        rules.append(("code", ~known.isin(column.codes), f"不在允许值（{allowed}）之中，请更正"))
    if column.type in FLOAT_TYPES | {"integer"}:
        unit = f" {column.unit}" if column.unit else ""
        if column.minimum is not None:
            bad = known < column.minimum
            rules.append(("minimum", bad, f"小于下限 {column.minimum:g}{unit}，请核对单位和正负号"))
        if column.maximum is not None:
            bad = known > column.maximum
            rules.append(("maximum", bad, f"大于上限 {column.maximum:g}{unit}，请核对单位"))
    if column.type == "money":
        amount = known.astype("float64")
        bad = (amount - amount.round(2)).abs() > 4 * np.spacing(amount.abs())
        rules.append(("cents", bad, "不是整分，请四舍五入到两位小数"))
    if column.type in {"date", "month"}:
        rules.append(("time_of_day", known != known.dt.normalize(), "带有时分秒，请只留年月日"))
    if column.type == "month":
        rules.append(("month_end", ~known.dt.is_month_end, "不是月末日，请改为当月最后一天"))
    return rules


def _check_key(table: Table, frame: pd.DataFrame) -> list[Fault]:
    if any(name not in frame for name in table.grain):
        return []
    import numpy as np

    bad = frame.duplicated(list(table.grain)).to_numpy()
    if not bad.any():
        return []
    names = "、".join(table.columns[name].zh for name in table.grain)
    message = (
        f"“{table.zh}”（{table.name}）有 {int(bad.sum()):,} 行的主键（{names}）与前面重复，"
        "请去重或核对取数口径。"
    )
    rows = tuple(np.flatnonzero(bad)[:SHOWN_ROWS].tolist())
    return [Fault(table.name, table.grain[-1], "key", int(bad.sum()), message, rows)]


def _rows(table: Table, column: Column, rule: str, bad: pd.Series, advice: str) -> list[Fault]:
    import numpy as np

    positions = np.flatnonzero(bad.to_numpy(dtype=bool))
    if not positions.size:
        return []
    message = f"“{table.zh}”的“{column.zh}”（{column.name}）有 {positions.size:,} 行{advice}。"
    shown = tuple(positions[:SHOWN_ROWS].tolist())
    return [Fault(table.name, column.name, rule, int(positions.size), message, shown)]
