"""What ``course bank inspect`` says on a console."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from course_utils.contract.model import Contract, Table
from course_utils.intake.mapping.proposal.fragment import (
    file_patterns,
    fragment,
    is_ready,
    mark_of,
)
from course_utils.intake.mapping.proposal.inspect import Finding
from course_utils.intake.mapping.proposal.match import ColumnProposal, TableProposal
from course_utils.intake.mapping.proposal.samples import shown
from course_utils.intake.mapping.proposal.shapes import shapes

_WIDEST = 34
_DELIMITERS = {",": "逗号", "\t": "制表符", ";": "分号", "|": "竖线", " ": "空格"}
#: Lessons that are named.
_LESSONS = 6


def describe(finding: Finding, contract: Contract, titles: Mapping[str, str]) -> list[str]:
    """Return the lines that describe sheets of one shape.

    Parameters
    ----------
    finding : Finding
        What was found.
    contract : Contract
        Where codes are looked up that may be shown.
    titles : mapping of str to str
        Short name of a lesson → its title.
    """
    first, best = finding.first, finding.best
    lines = [_heading(finding)]
    if best is None:
        lines.append("  课程没有与它对应的表，也没有哪一列能用上。")
    elif best.borrowed:
        lines += _borrowed(best, titles)
    else:
        lines.append(f"  {_verdict(best)}{_beside(finding)}")
    known = _codes(contract)
    fed: dict[str, tuple[Table, ColumnProposal]] = {}
    for table in (best, *finding.also) if best else ():
        for one in table.columns:
            fed.setdefault(one.source, (table.table, one))
    rows = [("列", "内容", "样例（已打码）", "课程的列", "依据")]
    for seen in first.columns:
        found = fed.get(seen.name)
        is_number = found is not None and found[1].column.type == "id"
        sample = shown(seen.name, seen.evidence, known, is_number)
        goal, why = _goal(found, best)
        rows.append((seen.name, seen.evidence.kind, sample, goal, why))
    lines += _table(rows)
    if best is not None:
        lines += [f"  另：{one.column.name} {one.column.zh} 可写 {one.value}（{one.why}）。"
                  for one in shapes(finding, best)]  # fmt: skip
    if best is not None and best.missing:
        names = (f"{best.table.columns[name].zh}（{name}）" for name in best.missing)
        lines.append(f"  缺主键：{'、'.join(names)}。")
    return lines


def blocks_of(
    findings: Iterable[Finding], folder: Path | None
) -> list[tuple[Table, str, list[str]]]:
    """Return table, mark and lines of every proposal, as `write_proposals` wants them."""
    found: list[tuple[bool, tuple[Table, str, list[str]]]] = []
    for finding in findings:
        patterns = file_patterns([sheet.path for sheet in finding.sheets], folder)
        for one in (finding.best, *finding.also) if finding.best else ():
            mark = mark_of(one.table, patterns)
            block = (one.table, mark, fragment(finding, one, folder))
            found.append((is_ready(one), block))
    # where two files claim a table, the one that is sure comes first
    return [block for _, block in sorted(found, key=lambda pair: not pair[0])]


def _heading(finding: Finding) -> str:
    first = finding.first
    parts = []
    if first.sheet:
        parts.append(f"工作表“{first.sheet}”")
    if first.encoding:
        parts.append(first.encoding.upper())
    if first.delimiter:
        parts.append(f"分隔符 {_DELIMITERS.get(first.delimiter, repr(first.delimiter)[1:-1])}")
    if first.header:
        parts.append(f"表头第 {'、'.join(map(str, first.header))} 行")
    parts.append(f"{len(first.columns)} 列，看了前 {first.rows:,} 行")
    more = len(finding.sheets) - 1
    same = f"，另有 {more} 个同样格式的" if more else ""
    return f"■ {first.path.name}（{'；'.join(parts)}{same}）"


def _verdict(best: TableProposal) -> str:
    name = f"{best.table.zh}（{best.table.name}，{best.table.meaning}）"
    sure = sum(one.sure for one in best.columns)
    recognised = f"认出 {len(best.columns)} 列，其中 {sure} 列有把握"
    if best.sure:
        return f"最像：{name}，把握 {best.score:.0%}；{recognised}。"
    return f"可能是：{name}，把握只有 {best.score:.0%}，请人判断；{recognised}。"


def _beside(finding: Finding) -> str:
    text = ""
    if finding.also:
        text += "同一个文件还能填 " + "、".join(o.table.zh for o in finding.also) + "。"
    if finding.others:
        others = "、".join(f"{o.table.zh} {o.score:.0%}" for o in finding.others)
        text += f"其次：{others}。"
    return text


def _borrowed(best: TableProposal, titles: Mapping[str, str]) -> list[str]:
    lessons = [f"{key}《{titles.get(key, key)}》" for key in best.table.lessons]
    more = f" 等 {len(lessons)} 课" if len(lessons) > _LESSONS else ""
    return [
        "  课程没有与它对应的表：这里的一行不是课程哪张表的一行。",
        f"  如果把一行当作“{best.table.zh}”的一行（{best.table.meaning}）来用，"
        f"可以上 {'、'.join(lessons[:_LESSONS])}{more}；",
        "  结论要按“这些单据里的客户”来说，不能当作全行的账户流水。提议都标了“待确认”。",
    ]


def _goal(
    found: tuple[Table, ColumnProposal] | None, best: TableProposal | None
) -> tuple[str, str]:
    if found is None:
        return "", ""
    table, one = found
    where = "" if best is not None and table.name == best.table.name else f"{table.name}."
    sign = "" if one.sure else "？"
    guessed = "（按数值大小猜的，请核对）" if one.unit_guessed else ""
    unit = f"，单位 {one.unit}{guessed}" if one.unit else ""
    codes = f"，换算 {len(one.translation.codes)} 个代码" if one.translation.codes else ""
    ask = f"，{len(one.translation.unknown)} 个代码要人填" if one.translation.unknown else ""
    goal = f"{sign}{where}{one.column.name} {one.column.zh}"
    return goal, f"{one.score:.2f} {one.why}{unit}{codes}{ask}"


def _codes(contract: Contract) -> frozenset[str]:
    return frozenset(
        code
        for table in contract.tables.values()
        for c in table.columns.values()
        for code in c.codes
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [min(_WIDEST, max(_width(row[i]) for row in rows)) for i in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [_fit(cell, width) for cell, width in zip(row, widths, strict=False)]
        lines.append(("  " + "  ".join([*cells, row[-1]])).rstrip())
    return lines


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)


def _fit(text: str, width: int) -> str:
    while _width(text) > width:
        text = text[:-2] + "…"
    return text + " " * (width - _width(text))
