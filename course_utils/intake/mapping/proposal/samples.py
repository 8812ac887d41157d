"""What a console may show of real people's data: the form of a value, never the value."""

from __future__ import annotations

import re

from course_utils.intake.mapping.proposal.evidence import Evidence

#: A column of that name holds people, however few of them there are.
_PEOPLE = re.compile(
    r"姓名|户名|名称|人$|经理|法人|负责|联系|name|_nm$|owner|contact", re.IGNORECASE
)
_SHOWN_VALUES = 12
_SHOWN_LENGTH = 12


def shown(name: str, evidence: Evidence, known: frozenset[str], number: bool = False) -> str:
    """Describe the values of a column without naming anybody.

    Parameters
    ----------
    name : str
        Name of the source column.
    evidence : Evidence
        What was seen in the values.
    known : frozenset of str
        Codes of the contract: they may be shown.
    number : bool
        The values are identifiers.
    """
    e = evidence
    if not e.filled:
        return "（空）"
    if e.distinct and all(value in known for value in e.distinct):
        return _list(e)
    kind = e.kind
    if kind in ("证件号", "电话", "长编号", "信用代码"):
        return _form(e.first)
    if kind in ("日期", "时间"):
        return f"{_month(e.first)} 至 {_month(e.last)}"
    if kind == "时刻":
        return "时刻"
    if not number and _is_code_list(name, e):
        return _list(e)
    if kind in ("整数", "小数", "数字", "百分数") and e.low is not None and e.high is not None:
        if number or (
            e.share("integer") >= 0.9 and len(e.first) >= 6 and e.different > 0.5 * e.filled
        ):
            return _form(e.first)
        signed = "，有负数" if e.share("minus") else ""
        return f"约 {_rough(e.low)} 至 {_rough(e.high)}{signed}"
    return _form(e.first)


def _is_code_list(name: str, e: Evidence) -> bool:
    if not e.few or len(e.distinct) > _SHOWN_VALUES or _PEOPLE.search(name):
        return False
    if e.share("name") > 0.5 and e.share("flag") < 0.5 and min(e.distinct.values()) < 5:
        return False
    return all(len(value) <= _SHOWN_LENGTH and not _is_number(value) for value in e.distinct)


def _is_number(value: str) -> bool:
    """Amounts and numbers of people are no codes."""
    return "." in value or (value.isdigit() and len(value) > 4)


def _list(e: Evidence) -> str:
    values = list(e.distinct)
    more = f" 等 {e.different} 种" if len(values) > 6 else ""
    return "、".join(values[:6]) + more


def _form(value: str) -> str:
    """Return the first character and the length."""
    if not value:
        return ""
    if value.isascii() and len(value) >= 8:
        return f"{value[:2]}…（{len(value)} 位）"
    return f"{value[0]}{'*' * min(len(value) - 1, 3)}（{len(value)} 字）"


def _month(value: str) -> str:
    """Return year and month of a date as it is written."""
    digits = re.sub(r"\D", " ", value).split()
    if not digits:
        return "?"
    if len(digits[0]) >= 6:
        return f"{digits[0][:4]}-{digits[0][4:6]}"
    return f"{digits[0]}-{int(digits[1]):02d}" if len(digits) > 1 else digits[0]


def _rough(number: float) -> str:
    """Return a number in two significant digits."""
    if number == 0:
        return "0"
    rounded = float(f"{number:.1e}")
    if abs(rounded) >= 1e8:
        return f"{rounded / 1e8:g}亿"
    if abs(rounded) >= 1e4:
        return f"{rounded / 1e4:g}万"
    return f"{rounded:g}"
