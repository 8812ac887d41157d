"""Whether a constant or the target of a code fits its column."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

from course_utils.contract.model import Column

#: Texts that stand for yes and no in a mapping.
YES, NO = ("是", "true", "1"), ("否", "false", "0")
#: Contract types that are numbers.
NUMBERS = ("integer", "number", "money", "percent", "ratio")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
#: No exponents: ``1e999999999`` is a short way to fill the memory.
_NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d{1,10})?")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


def value_fault(column: Column, text: str) -> str:
    """Say in Chinese why a text is no value of the column; empty if it is one."""
    if not text:
        return f"“{column.zh}”的值不能是空的，请补上"
    if column.type == "code" and text not in column.codes:
        return f"“{column.zh}”没有“{text}”这个值，可以写 {'、'.join(column.codes)}"
    if column.type == "flag" and text.lower() not in (*YES, *NO):
        return f"“{column.zh}”只能是 是 或 否，现在是“{text}”"
    if column.type in NUMBERS:
        return _number_fault(column, text)
    if column.type in ("date", "month") and not _is_date(text):
        return f"“{column.zh}”的“{text}”应写成 2025-12-31 这样的日期"
    if column.type == "timestamp" and not _is_date(text[:10]):
        return f"“{column.zh}”的“{text}”应写成 2025-12-31 08:30:00 这样的时间"
    return ""


def _number_fault(column: Column, text: str) -> str:
    if not _NUMBER.fullmatch(text):
        return f"“{column.zh}”是数字，现在是“{text[:60]}”，请写成 1234.5 这样"
    number = Decimal(text)
    if column.type == "integer" and number != int(number):
        return f"“{column.zh}”应当是整数，现在是“{text}”，请改写"
    low, high = column.minimum, column.maximum
    if low is not None and number < Decimal(str(low)):
        return f"“{column.zh}”不能小于 {low:g}，现在是“{text}”"
    if high is not None and number > Decimal(str(high)):
        return f"“{column.zh}”不能大于 {high:g}，现在是“{text}”"
    return ""


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return _FIRST_YEAR <= day.year <= _LAST_YEAR
