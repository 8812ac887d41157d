"""The complete lists, faults and rejected rows, as CSV that a spreadsheet opens safely."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from course_utils.intake.report.model import IntakeResult, Summary
from course_utils.intake.report.summary import scan_faults

#: Column of the list → column of the frame of faults with its sentences.
COLUMNS = {
    "文件": "file", "工作表": "sheet", "行号": "row", "表": "table_zh", "源列": "source",
    "列": "column_zh", "值": "value", "规则": "rule_zh", "级别": "level", "问题": "problem",
    "怎么改": "mend",
}  # fmt: skip
_KEYS = ("table", "column", "source", "rule", "level")
#: A cell that starts like this is a formula to a spreadsheet.
_LIVE = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")
_OWN = "_file", "_sheet", "_row", "reasons"
_FIRST = "文件", "工作表", "行号", "拒收原因"


def with_sentences(result: IntakeResult, summary: Summary) -> pl.LazyFrame:
    """Return all faults of rows with the sentences of their rules."""
    told = [{**vars(one)} for one in summary.rules if one.rule != "column_not_mapped"]
    names = (*_KEYS, "table_zh", "column_zh", "rule_zh", "problem", "mend")
    schema = dict.fromkeys(names, pl.String)
    rules = pl.LazyFrame([{name: one[name] for name in names} for one in told], schema=schema)
    rules = rules.unique(list(_KEYS), maintain_order=True)
    return scan_faults(result).join(rules, on=_KEYS, how="left", maintain_order="left")


def safe(name: str) -> pl.Expr:
    """Return a text column that no spreadsheet takes for formulas."""
    column = pl.col(name)
    live = column.str.contains(f"^[{re.escape(''.join(_LIVE))}]") & ~column.str.contains(
        r"^-[\d,.]+%?$"
    )
    return pl.when(live).then("'" + column).otherwise(column).alias(name)


def _safe_name(name: str) -> str:
    return f"'{name}" if name.startswith(_LIVE) else name


def write_faults(path: Path, result: IntakeResult, summary: Summary) -> None:
    """Write every fault of a row."""
    texts = [name for name in COLUMNS.values() if name != "row"]
    frame = with_sentences(result, summary).with_columns(safe(name) for name in texts)
    shown = frame.select(pl.col(name).alias(zh) for zh, name in COLUMNS.items())
    shown.sink_csv(path, include_bom=True, engine="streaming")


def write_rejected(folder: Path, result: IntakeResult) -> None:
    """Write the rejected rows of each table, sensitive cells masked."""
    for table, paths in result.rejected.items():
        if not paths:
            continue
        frame = pl.concat([pl.scan_parquet(path, glob=False) for path in paths], how="diagonal")
        names = frame.collect_schema()
        renamed = dict(zip(_OWN, _FIRST, strict=True))
        texts = [name for name, dtype in names.items() if dtype == pl.String]
        frame = frame.with_columns(safe(name) for name in texts)
        first = [pl.col(old).alias(new) for old, new in renamed.items() if old in names]
        others = [pl.col(name).alias(_safe_name(name)) for name in names if name not in _OWN]
        frame = frame.select(*first, *others)
        folder.mkdir(parents=True, exist_ok=True)
        frame.sink_csv(folder / f"{table}.csv", include_bom=True, engine="streaming")


def details(
    result: IntakeResult, summary: Summary, each: int, in_all: int, levels: tuple[str, ...]
) -> pl.DataFrame:
    """Return the first faults of each rule and file.

    Parameters
    ----------
    result, summary
        What was found.
    each : int
        Most rows of one rule, column and file.
    in_all : int
        Most rows in all.
    levels : tuple of str
        Levels that are wanted.
    """
    frame = with_sentences(result, summary).filter(pl.col("level").is_in(list(levels)))
    place = ["file", "sheet", "table", "column", "rule"]
    order = pl.col("level").replace_strict(list(levels), list(range(len(levels))))
    return (
        frame.filter(pl.int_range(pl.len()).over(place) < each)
        .sort(order, "table", "file", "sheet", "rule", "column", "row", maintain_order=True)
        .head(in_all)
        .select(pl.col(name).alias(zh) for zh, name in COLUMNS.items())
        .collect()
    )
