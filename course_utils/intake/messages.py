"""What people should know about an intake though nothing is wrong: console and report say it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from course_utils.contract import Contract
    from course_utils.intake.publish import Published
    from course_utils.intake.report import IntakeResult, Summary

#: Days between the last row of a bank and the day of the extraction beyond which people are asked.
STALE = 31
_STATEMENTS = "transaction"


def empty(summary: Summary) -> list[str]:
    """Name the tables whose files hold no row at all: nobody is to miss them by chance."""
    return [
        f"“{one.zh}”的文件里一行数据也没有，不写入这张表：请核对导出的条件和 mapping.yml 的 drop。"
        for one in summary.tables
        if one.files and not one.read
    ]


def skipped(result: IntakeResult) -> list[str]:
    """Say how many rows the mapping did not want."""
    counts: dict[str, int] = {}
    for file in result.files:
        counts[file.table] = counts.get(file.table, 0) + file.counts.get("skipped", 0)
    return [
        f"“{result.contract.table(name).zh}”有 {count:,} 行按映射的 only、skip 不取，不算读入。"
        for name, count in counts.items()
        if count
    ]


def stale(result: IntakeResult, folder: Path) -> list[str]:
    """Ask about the day of the extraction if the data end long before it.

    Parameters
    ----------
    result : IntakeResult
        Says which tables the bank delivered.
    folder : pathlib.Path
        The bank's tables.
    """
    latest = _latest(result.contract, [name for name in result.kept if result.kept[name]], folder)
    if latest is None or (result.as_of - latest).days <= STALE:
        return []
    return [
        f"数据最晚到 {latest}，比截止日 {result.as_of} 早 {(result.as_of - latest).days} 天："
        "“最近”“本月”之类的结论会落空，"
        "请把 bank.yml 的 as_of 改成数据的最后一天，或补上后来的数据。"
    ]


def _latest(contract: Contract, names: list[str], folder: Path) -> datetime.date | None:
    import polars as pl

    found = []
    for name in names:
        column, path = contract.table(name).as_of, folder / f"{name}.parquet"
        if not column or not path.is_file():
            continue
        frame = pl.scan_parquet(path)
        if column in frame.collect_schema().names():
            day = frame.select(pl.col(column).max().cast(pl.Date)).collect().item()
            found += [] if day is None else [day]
    return max(found, default=None)


def published_as(published: Published, result: IntakeResult) -> list[str]:
    """Say which tables were worked out or supplied, and which statements the lessons see."""
    contract = result.contract
    sentences = []
    for one in published.derived:
        zh = contract.table(one.table).zh
        sentences.append(f"“{zh}”没有报送，由其他表算出 {one.rows:,} 行。" + "".join(one.notes))
    for supplied in published.supplied:
        zh = contract.table(supplied.table).zh
        sentences.append(f"“{zh}”没有报送，由课程补上 {supplied.rows:,} 行：{supplied.note}。")
    drawn = published.sample
    if not drawn:
        return sentences
    older = result.kept.get(_STATEMENTS, 0) - drawn["all_rows"]
    if older > 0:
        sentences.append(
            f"课堂上的交易流水只到截止日前十二个月：更早的 {older:,} 笔只用来算月度指标。"
        )
    if drawn["rows"] < drawn["all_rows"]:
        sentences.append(
            f"课堂上的交易流水是整户抽样：{drawn['customers']:,} 户、{drawn['rows']:,} 笔，"
            f"一户代表 {drawn['weight']:.1f} 户；各项月度指标按全部 {drawn['all_rows']:,} 笔计算。"
        )
    return sentences
