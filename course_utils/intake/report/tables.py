"""The tables of the report, the same for the page, the workbook and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from course_utils.intake.rules import rule

if TYPE_CHECKING:
    from course_utils.intake.mapping import ColumnMapping, TableMapping
    from course_utils.intake.report.model import IntakeResult, Summary

#: Names of the columns, and the rows.
Shown = tuple[Sequence[str], list[tuple[Any, ...]]]

_COUNTS = {
    "lines": "总行数", "title": "标题", "header": "表头", "repeated_header": "重复表头",
    "blank": "空行", "total": "合计与页脚", "continued": "续行", "ragged": "读不出",
    "skipped": "映射不取", "rows": "数据行",
}  # fmt: skip


def rule_rows(summary: Summary) -> Shown:
    """Return how often each rule was met."""
    names = ("级别", "表", "列", "源列", "规则", "次数", "问题", "怎么改")
    rows = [
        (r.level, r.table_zh, r.column_zh, r.source, r.rule_zh, r.count, r.problem, r.mend)
        for r in summary.rules
    ]
    return names, rows


def file_rows(result: IntakeResult) -> Shown:
    """Return what was in each file."""
    names = ("文件", "工作表", "表", *_COUNTS.values(), "逐行检查后保留", "逐行检查拒收", "核对")
    rows = []
    for file in result.files:
        counts = [file.counts.get(name, 0) for name in _COUNTS]
        others = sum(n for name, n in file.counts.items() if name != "lines")
        fits = file.counts.get("lines", 0) == others
        fits = fits and file.counts.get("rows", 0) == file.kept + file.rejected
        zh = result.contract.tables[file.table].zh
        verdict = "平" if fits else "不平"
        rows.append((file.file, file.sheet, zh, *counts, file.kept, file.rejected, verdict))
    return names, rows


def balance_rows(summary: Summary) -> Shown:
    """Return rows in and rows out, by reason."""
    names = ("表", "去向", "行数", "占比", "核对")
    rows: list[tuple[Any, ...]] = []
    for table in summary.tables:
        verdict = "平" if table.balanced else "不平"
        rows.append((table.zh, "读入", table.read, "", verdict))
        rows.append((table.zh, "保留", table.kept, _share(table.kept, table.read), ""))
        for code, count in sorted(table.rejected.items(), key=lambda one: -one[1]):
            share = _share(count, table.read)
            rows.append((table.zh, f"拒收：{rule(code).zh}", count, share, ""))
    return names, rows


def table_rows(summary: Summary) -> Shown:
    """Return one row a table."""
    names = ("表", "文件数", "读入", "保留", "拒收", "拒收占比", "核对")
    rows = [
        (t.zh, t.files, t.read, t.kept, t.lost, f"{t.share:.2%}", "平" if t.balanced else "不平")
        for t in summary.tables
    ]
    return names, rows


def coverage_rows(result: IntakeResult) -> Shown:
    """Return where each column came from and how much of it is filled."""
    names = ("表", "列", "英文名", "来源", "单位", "有值的格数", "有值占比")
    rows: list[tuple[Any, ...]] = []
    for name, mapped in result.mapping.tables.items():
        table = result.contract.tables[name]
        filled: Counter[str] = Counter()
        count = 0
        for file in result.files:
            if file.table == name:
                filled.update(file.notes.get("filled", {}))
                count += file.notes.get("rows", 0)
        for column in table.columns.values():
            given = mapped.columns.get(column.name)
            if given is None:
                rows.append((table.zh, column.zh, column.name, "未提供", "", 0, ""))
                continue
            unit = _unit(mapped, given, column.type)
            share = _share(filled[column.name], count)
            cells = filled[column.name]
            rows.append((table.zh, column.zh, column.name, _source(given), unit, cells, share))
    return names, rows


def code_rows(result: IntakeResult) -> Shown:
    """Return which of the bank's codes were translated and which nobody knows."""
    names = ("表", "列", "源码值", "译成", "次数")
    found: Counter[tuple[str, str, str, str]] = Counter()
    for file in result.files:
        for column, seen in file.notes.get("translated", {}).items():
            for code, (meant, count) in seen.items():
                found[file.table, column, code, meant] += count
        for column, seen in file.notes.get("unknown_codes", {}).items():
            for code, count in seen.items():
                found[file.table, column, code, "（未登记）"] += count
    tables = result.contract.tables
    rows = [
        (tables[table].zh, tables[table].columns[column].zh, code, meant, count)
        for (table, column, code, meant), count in sorted(found.items())
    ]
    return names, rows


def change_rows(result: IntakeResult) -> Shown:
    """Return which rules the bank has changed."""
    names = ("规则", "含义", "默认", "本行")
    return names, [(c.key, c.meaning, c.default, c.value) for c in result.rules.changes]


def _source(given: ColumnMapping) -> str:
    if given.source is not None:
        return "、".join(given.sources)
    if given.file is not None:
        return f"文件名：{given.file}"
    return f"固定值：{given.value}" if given.value is not None else "按行号生成"


def _unit(mapped: TableMapping, given: ColumnMapping, kind: str) -> str:
    return given.unit or (mapped.unit if kind == "money" else None) or ""


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else ""
