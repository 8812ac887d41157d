"""The contract's privacy rules checked: nothing personal is stored as it came."""

from __future__ import annotations

import re
from collections.abc import Iterator

from course_utils.contract.model import DATE_TYPES, FLOAT_TYPES, TEXT_TYPES, Column, Contract, Table

#: What a row can be for a release.
RELEASES = ("open", "aggregate", "person", "event", "invented")
#: Rule → types of the columns that it can be applied to.
RULES = {
    "keep": TEXT_TYPES | FLOAT_TYPES | DATE_TYPES | {"flag", "integer"},
    "pseudonym": frozenset({"id"}),
    "name": frozenset({"text"}),
    "year": frozenset({"integer"}),
    "month_number": frozenset({"integer"}),
    "address": frozenset({"text"}),
    "round": FLOAT_TYPES,
    "free_text": frozenset({"text"}),
    "counterparty": frozenset({"text"}),
    "organisation": frozenset({"text"}),
    "refuse": TEXT_TYPES | FLOAT_TYPES | DATE_TYPES | {"flag", "integer"},
}
_ARGUMENTS = {"pseudonym": re.compile(r"[a-z]+(_[a-z]+)*"), "round": re.compile(r"\d+(\.\d+)?")}
#: First word of a step that coarsens → types it can be applied to, and whether it has a number.
_STEPS = {
    "month": (DATE_TYPES, False),
    "quarter": (DATE_TYPES, False),
    "year": (DATE_TYPES | {"integer"}, None),
    "round": (FLOAT_TYPES | {"integer"}, True),
    "digits": (FLOAT_TYPES | {"integer"}, True),
}
EMPTIES = ("zero", "unknown")


def protection_faults(table: Table, contract: Contract) -> Iterator[str]:
    """Yield one Chinese sentence for every column whose protection contradicts the rest."""
    where = f"表 {table.name}"
    if table.release not in RELEASES:
        yield f"{where} 的 release“{table.release}”应当是 {'、'.join(RELEASES)} 之一，请修改。"
    for column in table.columns.values():
        place = f"{where} 的列 {column.name}"
        yield from _rule(column, place)
        yield from _personal(column, table, contract, place)
        yield from _steps(column, place)
        yield from _empty(column, place)


def _rule(column: Column, where: str) -> Iterator[str]:
    rule, _, argument = column.protect.partition(":")
    wanted = _ARGUMENTS.get(rule)
    if rule not in RULES or (wanted.fullmatch(argument) is None if wanted else argument):
        yield f"{where} 的 protect“{column.protect}”不认识，请用 {'、'.join(RULES)} 之一。"
    elif column.type not in RULES[rule]:
        yield f"{where} 的 protect“{column.protect}”不适用于类型 {column.type}，请修改。"


def _personal(column: Column, table: Table, contract: Contract, where: str) -> Iterator[str]:
    if (column.privacy == "C3") and column.protect != "refuse":
        yield f"{where} 是用户鉴别信息，protect 只能是 refuse，请修改。"
    target = _target(column, contract)
    if target is not None and target.protect != column.protect:
        yield f"{where} 与所引用的“{column.references}”的 protect 不同，两边会对不上，请统一。"
    kept = column.protect == "keep"
    if kept and column.privacy == "C2" and table.release != "invented":
        if column.type == "text":
            yield f"{where} 是能识别主体的文字，不得原样入库，请写明 protect。"
        if column.type == "id" and (target is None or target.privacy != "C1"):
            yield f"{where} 是能识别主体的编号，请写明 protect: pseudonym:…。"
    if table.release == "open" and (column.privacy != "C1" or column.domain is not None):
        yield f"{where} 含有个人信息，这张表的 release 不能是 open，请修改。"


def _target(column: Column, contract: Contract) -> Column | None:
    if column.reference is None:
        return None
    table = contract.tables.get(column.reference[0])
    return table.columns.get(column.reference[1]) if table else None


def _steps(column: Column, where: str) -> Iterator[str]:
    if column.coarsen and not column.quasi_identifier:
        yield f"{where} 有 coarsen 而不是准标识符，请补上 quasi_identifier 或删去 coarsen。"
    for step in column.coarsen:
        word, colon, number = step.partition(":")
        types, numbered = _STEPS.get(word, (frozenset(), None))
        # a date is cut to its year, a number of a year into bands of so many years
        needs = column.type not in DATE_TYPES if numbered is None else numbered
        fits = bool(number.isdigit() and int(number)) if needs else not colon
        if column.type not in types or not fits:
            yield f"{where} 的 coarsen“{step}”不认识或不适用于类型 {column.type}，请修改。"


def _empty(column: Column, where: str) -> Iterator[str]:
    if column.empty is None:
        return
    if column.empty not in EMPTIES:
        yield f"{where} 的 empty“{column.empty}”应当是 zero 或 unknown，请修改。"
    elif column.empty == "zero" and column.type not in FLOAT_TYPES | {"integer"}:
        yield f"{where} 不是数，empty 不能是 zero，请修改。"
    elif column.empty == "unknown" and not column.nullable:
        yield f"{where} 的 empty 是 unknown，就要允许为空，请去掉 required。"
