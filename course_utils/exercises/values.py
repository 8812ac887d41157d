"""Look at whatever a trainee assigned: blank or not, its kind, its number, its label."""

from __future__ import annotations

import dis
import math
import numbers
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd

BLANK_TEXTS = {"", "?", "...", "…", "……", "A/B/C/D"}
_TYPE_NAMES = {
    "NoneType": "空值 None",
    "bool": "真假值（True/False）",
    "int": "整数",
    "float": "小数",
    "complex": "复数",
    "str": "文字",
    "bytes": "字节串",
    "list": "列表",
    "tuple": "元组",
    "dict": "字典",
    "set": "集合",
    "frozenset": "集合",
    "range": "数列 range",
    "Series": "一列数（Series）",
    "DataFrame": "一张表（DataFrame）",
    "Index": "一组标签（Index）",
    "ndarray": "数组（ndarray）",
    "Timestamp": "日期",
    "datetime": "日期",
    "date": "日期",
    "Timedelta": "时间间隔",
    "Period": "期间",
    "function": "函数",
    "method": "方法",
    "builtin_function_or_method": "函数",
    "type": "类型",
    "module": "模块",
    "NAType": "空值（NA）",
    "NaTType": "空日期（NaT）",
    "DataFrameGroupBy": "还没有汇总的分组（groupby 之后缺少 .sum()、.mean() 之类）",
    "SeriesGroupBy": "还没有汇总的分组（groupby 之后缺少 .sum()、.mean() 之类）",
}
_MONTH = re.compile(r"^(\d{4})-(\d{2})$")
_DATE = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[ T]00:00:00.*)?$")


def type_name(value: Any) -> str:
    """Chinese name of a value's type, for sentences such as “得到的是一列数（Series）”."""
    name = type(value).__name__
    if isinstance(value, np.generic) and not isinstance(value, (np.floating, np.integer)):
        return f"{name} 类型"
    if isinstance(value, np.floating):
        return "小数"
    if isinstance(value, np.integer):
        return "整数"
    return _TYPE_NAMES.get(name, f"{name} 类型")


def is_blank(value: Any) -> bool:
    """Whether an answer is untouched: ``...``, an empty or question-mark text, an empty function.

    A collection that still holds ``...`` (``{"A": ...}``) counts as untouched as well.
    """
    if value is ...:
        return True
    if isinstance(value, str):
        return unicodedata.normalize("NFKC", value).strip() in BLANK_TEXTS
    if type(value) is FunctionType:
        return _does_nothing(value)
    if type(value) in (list, tuple, set):
        return any(item is ... for item in value)
    if type(value) is dict:
        return any(item is ... for item in value.values())
    return False


def _does_nothing(function: FunctionType) -> bool:
    """Whether a function's body is only ``...``, ``pass`` or a docstring."""
    steps = [
        step
        for step in dis.get_instructions(function)
        if step.opname not in {"RESUME", "NOP", "CACHE", "POP_TOP"}
    ]
    names = [step.opname for step in steps]
    if names in (["RETURN_CONST"], ["LOAD_CONST", "RETURN_VALUE"]):
        return steps[0].argval is None or steps[0].argval is ...
    return False


def as_number(value: Any) -> tuple[float, str | None]:
    """Read one number.

    Parameters
    ----------
    value : Any
        What the trainee assigned. A one-element Series, Index, array or 1 × 1 frame is accepted.

    Returns
    -------
    tuple[float, str or None]
        The number and None, or NaN and a Chinese sentence saying what was found instead.
    """
    if isinstance(value, pd.DataFrame):
        if value.shape != (1, 1):
            rows, columns = value.shape
            return math.nan, (
                f"需要一个数，得到的是一张 {rows} 行 {columns} 列的表。"
                "先用列名取出一列，再用 .sum()、.mean() 等算成一个数。"
            )
        value = value.iloc[0, 0]
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (pd.Series, pd.Index, np.ndarray, list, tuple)):
        if len(np.shape(value)) != 1 or len(value) != 1:
            return math.nan, (
                f"需要一个数，得到的是{type_name(value)}。是不是忘了 .sum()、.mean() 或 .iloc[0]？"
            )
        value = value.iloc[0] if isinstance(value, pd.Series) else value[0]
    return _scalar(value)


def _scalar(value: Any) -> tuple[float, str | None]:
    if value is None:
        return math.nan, (
            "需要一个数，得到的是空值 None。函数里可能缺少 return，或者用了 inplace=True。"
        )
    if isinstance(value, str):
        return math.nan, "需要一个数，得到的是文字。去掉引号，让变量直接等于计算结果。"
    if isinstance(value, (bool, np.bool_)):
        return math.nan, "需要一个数，得到的是真假值（True/False）。比较之后还要计数或求和。"
    if callable(value):
        return math.nan, "得到的是一个函数，不是数。是不是忘了写最后的括号 ()？"
    if value is pd.NA or value is pd.NaT:
        return math.nan, None
    if isinstance(value, (pd.Timedelta, np.timedelta64)):
        return math.nan, "需要一个数，得到的是时间间隔。用 .days 取出天数。"
    if isinstance(value, (numbers.Real, Decimal)):
        try:
            return float(value), None
        except (OverflowError, ValueError, TypeError):
            return math.nan, "这个数太大或写法特殊，没法比较。"
    return math.nan, f"需要一个数，得到的是{type_name(value)}。"


def label(value: Any) -> Any:
    """Canonical form of a row label, so that equal things written differently meet.

    Dates, month periods and their ISO texts become ``YYYY-MM-DD`` (a month is its last day), whole
    floats become ints, text is stripped and width-normalised, missing values become None.
    """
    if isinstance(value, tuple):
        return tuple(label(item) for item in value)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Period):
        return value.end_time.strftime("%Y-%m-%d")
    if isinstance(value, (pd.Timestamp, datetime, date)):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value).strftime("%Y-%m-%d")
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        if math.isnan(number):
            return None
        return int(number) if number.is_integer() else round(number, 9)
    return _text_label(value) if isinstance(value, str) else str(value)


def _text_label(value: str) -> str:
    text = unicodedata.normalize("NFKC", value).strip()
    if found := _DATE.match(text):
        return found.group(1)
    if (found := _MONTH.match(text)) and 1 <= int(found.group(2)) <= 12:
        return pd.Period(text, "M").end_time.strftime("%Y-%m-%d")
    return text


def labels(values: Any) -> list[Any]:
    """Canonical labels of every element; rows of a frame become tuples."""
    if isinstance(values, pd.DataFrame):
        columns = [labels(values.iloc[:, i]) for i in range(values.shape[1])]
        if len(columns) == 1:
            return columns[0]
        return list(zip(*columns, strict=True)) if columns else []
    return [label(value) for value in values]
