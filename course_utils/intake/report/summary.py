"""Counting: rules, rows in and out, and whether the tables may be published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from course_utils.intake.faults import LEVELS, REFUSE, STOP, fault_schema
from course_utils.intake.report.model import IntakeResult, RuleCount, Summary, TableSummary
from course_utils.intake.rules import rule

if TYPE_CHECKING:
    from course_utils.contract.model import Table
    from course_utils.intake.mapping import TableMapping

_SHARE = "rejected_share"
#: Share of rows after the last known day beyond which that day itself must be wrong.
_MOST_LATE = 0.5
_NOT_LISTED = "not_read"


def scan_faults(result: IntakeResult) -> pl.LazyFrame:
    """Return all faults of rows, unread."""
    if not result.faults:
        return pl.LazyFrame(schema=fault_schema())
    return pl.scan_parquet(list(result.faults), glob=False)


def summarise(result: IntakeResult) -> Summary:
    """Count the faults and say whether the tables may be published."""
    counted = _count_rules(result) + _column_rules(result)
    tables = _tables(result)
    stops = [
        f"“{one.table_zh}”{_of(one)}：{one.problem}（{one.count:,} 处），{one.mend}。"
        for one in counted
        if one.level == STOP
    ]
    limit = result.rules.max_rejected_share
    for table in tables:
        if table.fault_share > limit:
            shares = f"{table.fault_share:.2%}，超过允许的 {limit:.2%}"
            stops.append(
                f"“{table.zh}”因问题拒收 {table.lost - table.late:,} 行，占 {shares}，"
                f"{rule(_SHARE).mend}。"
            )
        if table.late > _MOST_LATE * table.read:
            stops.append(
                f"“{table.zh}”有 {table.late:,} 行晚于基准日 {result.as_of}，超过一半，"
                "请核对 bank.yml 的 as_of 和导出的取数日期。"
            )
        if not table.balanced:
            stops.append(
                f"“{table.zh}”的行数对不平：读入 {table.read:,} 行，保留 {table.kept:,} 行，"
                f"拒收 {table.lost:,} 行，请把这份报告交给课程维护人员。"
            )
    counted.sort(key=lambda one: (LEVELS.index(one.level), -one.count, one.table, one.column))
    return Summary(tuple(tables), tuple(counted), tuple([*stops]))


def _of(one: RuleCount) -> str:
    return f"的“{one.column_zh}”" if one.column_zh else ""


def _count_rules(result: IntakeResult) -> list[RuleCount]:
    keys = ["table", "column", "source", "rule", "level"]
    frame = scan_faults(result).group_by(keys).len().sort(keys).collect(engine="streaming")
    return [_rule_count(result, *row, limit=None) for row in frame.iter_rows()]


def _rule_count(
    result: IntakeResult,
    table: str,
    column: str,
    source: str,
    code: str,
    level: str,
    count: int,
    limit: str | None,
) -> RuleCount:
    one, known = rule(code), result.contract.tables[table]
    column_zh = known.columns[column].zh if column in known.columns else ""
    said, unit = _limit(result, known, column, code) if limit is None else (limit, "")
    return RuleCount(
        table=table,
        table_zh=known.zh,
        column=column,
        column_zh=column_zh,
        source=source,
        rule=code,
        rule_zh=one.zh,
        level=level,
        problem=one.problem.format(limit=said, unit=unit),
        mend=one.mend.format(limit=said, unit=unit),
        count=count,
    )


def _limit(result: IntakeResult, table: Table, name: str, code: str) -> tuple[str, str]:
    """Return what stands for ``{limit}`` and ``{unit}`` in the sentences of a rule."""
    column = table.columns.get(name)
    if column is None:
        return "", ""
    if code in ("minimum", "maximum"):
        value = result.rules.limit(code, table.name, column)
        return "" if value is None else f"{value:g}", f" {column.unit}" if column.unit else ""
    if code == "code":
        return "、".join(column.codes), ""
    if code == "reference" and column.reference is not None:
        return result.contract.tables[column.reference[0]].zh, ""
    if code in ("after_as_of", "hidden_after_as_of"):
        return str(result.as_of), ""
    return "", ""


def _column_rules(result: IntakeResult) -> list[RuleCount]:
    """Return what whole columns met: remarks of the converter, columns that nobody delivers."""
    found: Counter[tuple[str, str, str, str, str]] = Counter()
    for file in result.files:
        for one in file.notes.get("remarks", ()):
            place = (file.table, one["column"], one["source"], one["rule"], one["limit"])
            found[place] += 1
    counted = []
    for (table, column, source, code, limit), count in found.items():
        known = result.contract.tables[table].columns[column]
        level = result.rules.level(code, table, known)
        counted.append(_rule_count(result, table, column, source, code, level, count, limit=limit))
    for name, mapped in result.mapping.tables.items():
        for column, code in _without_source(result.contract.tables[name], mapped):
            level = rule(code).level
            counted.append(_rule_count(result, name, column, "", code, level, 1, limit=None))
    return counted


def _without_source(table: Table, mapped: TableMapping) -> Iterator[tuple[str, str]]:
    """Yield the columns that no source delivers, or not every one, and the rule that this meets."""
    for column in table.columns.values():
        lacking = [part for part in mapped.parts if column.name not in part.columns]
        if lacking and column.name in table.grain:
            yield column.name, "key_not_mapped"
        elif len(lacking) == len(mapped.parts):
            yield column.name, "column_not_mapped"
        elif lacking and not column.nullable:
            yield column.name, "column_elsewhere"


def _tables(result: IntakeResult) -> list[TableSummary]:
    reasons = _reasons(result)
    tables = []
    for name in result.mapping.tables:
        files = [file for file in result.files if file.table == name]
        rows = sum(file.counts.get("rows", 0) for file in files)
        ragged = sum(file.counts.get("ragged", 0) for file in files)
        rejected = dict(reasons.get(name, {}))
        # the reader names a bounded number of rows that it could not read; the rest only counts
        listed = sum(n for code, n in rejected.items() if rule(code).kind == "row"
                     and not code.startswith("duplicate"))  # fmt: skip
        if ragged > listed:
            rejected[_NOT_LISTED] = rejected.get(_NOT_LISTED, 0) + ragged - listed
        tables.append(
            TableSummary(
                table=name,
                zh=result.contract.tables[name].zh,
                files=len({file.file for file in files}),
                read=rows + ragged,
                kept=result.kept.get(name, 0),
                rejected=rejected,
            )
        )
    return tables


def _reasons(result: IntakeResult) -> dict[str, dict[str, int]]:
    """Return table → rule → rejected rows; a row that breaks several counts once."""
    place = ["table", "file", "sheet", "row"]
    frame = (
        scan_faults(result)
        .filter(pl.col("level").is_in([REFUSE, STOP]))
        .select(*place, "rule")
        .group_by(place)
        .agg(pl.col("rule").min())
        .group_by("table", "rule")
        .len()
        .sort("table", "rule")
        .collect(engine="streaming")
    )
    reasons: dict[str, dict[str, int]] = {}
    for table, code, count in frame.iter_rows():
        reasons.setdefault(table, {})[code] = count
    return reasons
