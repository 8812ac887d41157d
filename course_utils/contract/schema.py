"""The contract checked against itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from course_utils.contract.model import DATE_TYPES, DTYPES, FLOAT_TYPES, Column, Contract, Table
from course_utils.contract.odcs import UNITS
from course_utils.contract.protection import protection_faults

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LESSON = re.compile(r"m\d\d_n\d\d")
_PRIVACY = frozenset({"C1", "C2", "C3"})
_SIZES = frozenset({"static", "per_branch", "per_customer", "per_event"})


def schema_faults(contract: Contract) -> list[str]:
    """Return one Chinese sentence for every place where the contract contradicts itself."""
    return [fault for table in contract.tables.values() for fault in _table(table, contract)]


def _table(table: Table, contract: Contract) -> Iterator[str]:
    where = f"表 {table.name}"
    if not _NAME.fullmatch(table.name):
        yield f"{where} 的名字应当是小写字母、数字和下划线，请改名。"
    if table.size not in _SIZES:
        yield f"{where} 的 size“{table.size}”不在 {'、'.join(sorted(_SIZES))} 之中，请修改。"
    if not table.grain:
        yield f"{where} 没有主键，请写上 grain。"
    for lesson in table.lessons:
        if not _LESSON.fullmatch(lesson):
            yield f"{where} 的课程编号“{lesson}”应当形如 m00_n01，请修改。"
    for name in table.grain:
        if name not in table.columns:
            yield f"{where} 的主键列“{name}”不存在，请核对 grain。"
        elif table.columns[name].nullable or table.columns[name].optional:
            yield f"{where} 的主键列“{name}”不得为空，也不得可缺，请修改。"
    yield from _as_of(table, where)
    repeated = [zh for zh, n in Counter(c.zh for c in table.columns.values()).items() if n > 1]
    if repeated:
        yield f"{where} 有两列的中文名都是“{repeated[0]}”，请改掉一个。"
    for column in table.columns.values():
        yield from _column(column, table, contract)
    yield from protection_faults(table, contract)


def _as_of(table: Table, where: str) -> Iterator[str]:
    if table.as_of is not None:
        column = table.columns.get(table.as_of)
        if column is None or column.type not in DATE_TYPES or column.optional:
            yield f"{where} 的 as_of“{table.as_of}”应当是一列必有的日期，请修改。"
    if table.as_of_year is not None:
        column = table.columns.get(table.as_of_year)
        if column is None or column.type != "integer" or column.optional:
            yield f"{where} 的 as_of_year“{table.as_of_year}”应当是一列必有的整数年份，请修改。"


def _column(column: Column, table: Table, contract: Contract) -> Iterator[str]:
    where = f"表 {table.name} 的列 {column.name}"
    if not _NAME.fullmatch(column.name):
        yield f"{where} 的名字应当是小写字母、数字和下划线，请改名。"
    if column.type not in DTYPES:
        yield f"{where} 的类型“{column.type}”不存在，请用 {'、'.join(DTYPES)} 之一。"
    if column.privacy not in _PRIVACY:
        yield f"{where} 的隐私级别“{column.privacy}”应当是 C1、C2 或 C3，请修改。"
    if (column.type == "code") != bool(column.codes):
        yield f"{where} 的允许值与类型不符，代码列必须有 codes，其他列不得有。"
    if len(set(column.codes)) != len(column.codes):
        yield f"{where} 的 codes 有重复的值，请删去。"
    if column.unit != UNITS.get(column.type, column.unit):
        yield f"{where} 的单位应当是“{UNITS[column.type]}”，请修改。"
    bounded = column.minimum is not None or column.maximum is not None
    if bounded and column.type not in FLOAT_TYPES | {"integer"}:
        yield f"{where} 不是数，不能有 minimum 或 maximum，请删去。"
    if None not in (column.minimum, column.maximum) and column.minimum > column.maximum:
        yield f"{where} 的 minimum 大于 maximum，请对调。"
    yield from _time(column, table, where)
    yield from _reference(column, contract, where)


def _time(column: Column, table: Table, where: str) -> Iterator[str]:
    if column.hide_after_as_of and column.type not in DATE_TYPES:
        yield f"{where} 不是日期，不能用 hide_after_as_of，请改用 known_on。"
    if column.known_on is not None:
        known = table.columns.get(column.known_on)
        if known is None or known.type not in DATE_TYPES:
            yield f"{where} 的 known_on“{column.known_on}”应当是同表的一列日期，请修改。"
    elif column.known_after_days:
        yield f"{where} 有 known_after_days 而没有 known_on，请补上。"
    if (column.hide_after_as_of or column.known_on) and not column.nullable:
        yield f"{where} 在数据截止日之前会置空，请加上 nullable: true。"


def _reference(column: Column, contract: Contract, where: str) -> Iterator[str]:
    if column.reference is None:
        return
    table, name = column.reference
    target = contract.tables.get(table)
    if target is None or name not in target.columns:
        yield f"{where} 引用的“{column.references}”不存在，请核对表名和列名。"
    elif target.columns[name].type != column.type:
        yield f"{where} 与所引用的“{column.references}”类型不同，请统一。"
    elif target.grain != (name,):
        yield f"{where} 引用的“{column.references}”不是那张表的主键，请修改。"
