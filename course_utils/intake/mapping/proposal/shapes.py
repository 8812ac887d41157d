"""What the shape of a file says beyond the names of its columns: signs, debit and credit, dates.

Everything found here is a question to a person, never a proposal that is ready to use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.intake.mapping.template import yaml_name

if TYPE_CHECKING:
    from course_utils.contract.model import Column
    from course_utils.intake.mapping.proposal.inspect import Finding
    from course_utils.intake.mapping.proposal.match import Seen, TableProposal

_OUT = re.compile(r"借方|支出|付出|转出|取出|debit|withdraw|paid.?out|money.?out", re.IGNORECASE)
_IN = re.compile(r"贷方|收入|存入|转入|credit|paid.?in|money.?in|^deposits?$", re.IGNORECASE)
_MONTH = re.compile(r"20\d{2}(?:0[1-9]|1[0-2])(?!\d{3})")
#: What a row says that stands no more.
_VOID = re.compile(r"作废|撤销|撤消|冲销|已撤|交易失败|void(ed)?|cancell?ed|failed", re.IGNORECASE)
_SURE = 0.9
#: From this share on, numbers with a comma before the decimals are the way of the file.
_COMMAS = 0.2
_NEEDED = 8


@dataclass(frozen=True)
class Shaped:
    """A line for a column of the contract: what stands after its name, and why."""

    column: Column
    value: str
    why: str


def shapes(finding: Finding, proposal: TableProposal) -> list[Shaped]:
    """Return the lines that the shape of the file suggests, in the order of the contract."""
    found = {one.column.name: one for one in _found(finding, proposal)}
    return [found[name] for name in proposal.table.columns if name in found]


def has_commas(seen: Sequence[Seen]) -> bool:
    """Say whether numbers of a file are written 1.234,56."""
    return any(one.evidence.share("comma") > _COMMAS for one in seen)


def unwanted(seen: Sequence[Seen]) -> list[str]:
    """Return lines of ``skip`` for columns that say which rows stand no more."""
    found = {
        one.name: [value for value in one.evidence.distinct if _VOID.fullmatch(value)]
        for one in seen
        if one.evidence.few
    }
    parts = [f"{yaml_name(name)}: [{', '.join(map(yaml_name, values))}]"
             for name, values in found.items() if values]  # fmt: skip
    return [f"    skip: {{{', '.join(parts)}}}"] if parts else []


def needed(proposal: TableProposal, shaped: Sequence[Shaped]) -> str:
    """Name the columns that no row should be without and that nothing feeds; empty if none."""
    fed = {c.column.name for c in proposal.columns} | {s.column.name for s in shaped}
    table = proposal.table
    named = {*fed, *table.grain}
    left = [n for n in table.required_columns if n not in named and not table.columns[n].nullable]
    if not left:
        return ""
    names = "、".join(f"{name} {table.columns[name].zh}" for name in left[:_NEEDED])
    more = f" 等 {len(left)} 列" if len(left) > _NEEDED else ""
    return (
        f"还没有来源：{names}{more}；没有就不写（用到的步骤会跳过），全表一个样可以写 {{value: …}}"
    )


def _found(finding: Finding, proposal: TableProposal) -> Iterator[Shaped]:
    yield from _months(finding, proposal)
    seen = finding.first.columns
    pair = _pair(seen, proposal)
    yield from _directions(seen, proposal, pair)
    by_name = {one.name: one for one in seen}
    for one in proposal.columns:
        evidence = by_name[one.source].evidence
        if one.column.type in ("date", "timestamp") and evidence.share("short_date") > _SURE:
            value = f"{{from: {yaml_name(one.source)}, order: ymd}}"
            yield Shaped(one.column, value, "像两位年份的年月日")


def _months(finding: Finding, proposal: TableProposal) -> Iterator[Shaped]:
    """A month that no column holds may stand in the names of the files."""
    for name in proposal.missing:
        column = proposal.table.columns[name]
        if column.type != "month":
            continue
        if all(_MONTH.search(sheet.path.stem) for sheet in finding.sheets):
            yield Shaped(column, "{file: '(20\\d{4})'}", "取文件名里的年月")


def _directions(
    seen: Sequence[Seen], proposal: TableProposal, pair: tuple[Seen, Seen] | None
) -> Iterator[Shaped]:
    amount = proposal.table.columns.get("amount")
    direction = proposal.table.columns.get("direction")
    if amount is None or direction is None or direction.codes != ("收入", "支出"):
        return
    if pair is not None:
        out, in_ = (yaml_name(one.name) for one in pair)
        why = "一出一入两列合成一列"
        yield Shaped(amount, f"{{from: [{out}, {in_}]}}", why)
        yield Shaped(direction, f"{{from: [{out}, {in_}], which: [支出, 收入]}}", why)
        return
    fed = {one.column.name: one.source for one in proposal.columns}
    evidence = {one.name: one.evidence for one in seen}
    if "amount" not in fed or "direction" in fed:
        return
    if 0 < evidence[fed["amount"]].share("minus") < 1:
        name = yaml_name(fed["amount"])
        yield Shaped(amount, f"{{from: {name}, absolute: true}}", "有负数，正负号是方向")
        signs = 'signs: {"+": 收入, "-": 支出}'
        yield Shaped(direction, f"{{from: {name}, {signs}}}", "有负数，正负号是方向")


def _pair(seen: Sequence[Seen], proposal: TableProposal) -> tuple[Seen, Seen] | None:
    """Find the columns of what went out and what came in, if there is one of each."""
    taken = {one.source for one in proposal.columns if one.column.name not in ("amount",)}
    free = [x for x in seen if x.name not in taken and x.evidence.share("number") > _SURE]
    out = [one for one in free if _OUT.search(one.name)]
    in_ = [one for one in free if _IN.search(one.name) and one not in out]
    return (out[0], in_[0]) if len(out) == len(in_) == 1 else None
