"""Which files a table becomes in each system, and what surrounds the rows there."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from course_utils.contract import Table, load_contract

from .fields import Field
from .shapes import BRANCH_BOOKS, LONG, Shape
from .sheets import Extra, Planted, Sheet

#: From this height on a table is delivered in several files.
SPLIT_FROM = 2_000
#: Groups of branches that send their own workbooks.
GROUPS = 3
#: Rows between two subtotals of a workbook.
SUBTOTAL = 150

#: Its rows are called …合计: in the first column they would be taken for totals.
TOTAL_IN_NAME = "it_spend"


@dataclass(frozen=True)
class Part:
    """Some rows of a table, as the contract has them, and what tells their file apart."""

    suffix: str
    frame: pl.DataFrame


def number_of(table: Table) -> int:
    """Return the place of a table in the contract: it tells the files apart."""
    return list(load_contract().tables).index(table.name) + 1


def pattern(shape: Shape, table: Table) -> tuple[str, str | None]:
    """Return the pattern of a table's files and the name of its sheet."""
    if shape.name == "east5":
        return f"EAST5_{number_of(table):03d}_*.txt", None
    if shape.name == "core_dump":
        return f"T{number_of(table):03d}_*.csv", None
    if table.name in LONG:
        return f"总行数据/{number_of(table):03d}_*.csv", None
    if table.name in BRANCH_BOOKS:
        return f"支行报送/{number_of(table):03d}_*.xlsx", table.zh
    return f"总行参数/{load_contract().areas[table.area]}.xlsx", table.zh


def parts(shape: Shape, table: Table, frame: pl.DataFrame) -> list[Part]:
    """Split a table by branch or by month, as the system would."""
    if shape.name == "branch_excel" and table.name in BRANCH_BOOKS:
        branch = pl.col("branch_id").rank("dense") * GROUPS // (pl.col("branch_id").n_unique() + 1)
        return [
            Part(f"第{key[0] + 1}片区", rows)
            for key, rows in frame.group_by(branch.alias("group"), maintain_order=True)
        ]
    in_book = shape.name == "branch_excel" and table.name not in LONG
    if in_book or table.as_of is None or frame.height < SPLIT_FROM:
        return [Part("全部", frame)]
    date = pl.col(table.as_of)
    months = frame.select(date.dt.truncate("1mo").n_unique()).item()
    form = "%Y%m" if months <= 24 else "%Y"
    split = frame.group_by(date.dt.strftime(form).alias("part"), maintain_order=True)
    return [Part(str(key[0]), rows) for key, rows in split]


def sheet_of(shape: Shape, table: Table, part: Part, fields: list[Field], number: int) -> Sheet:
    """Return one file with good rows only; `number` counts the table's files from 0."""
    frame = rendered(part.frame, fields)
    swapped = number % 2 and shape.name != "branch_excel"
    if swapped or table.name == TOTAL_IN_NAME:
        # the next release of the extract has its columns in another order
        frame = frame.select(reversed(frame.columns))
    names = frame.columns
    place, name = pattern(shape, table)
    path = place.replace("*", f"{table.zh}_{part.suffix}")
    if shape.name == "east5":
        marked = number % 3 == 2 and table.area != "side"
        encoding = "utf-8-sig" if marked else "gb18030"
        # the day of collection, which nobody maps
        frame = frame.with_columns(pl.lit("20251231").alias("CJRQ"))
        names = frame.columns
        return Sheet(path, table.name, names, [frame], encoding=encoding, delimiter="|@|")
    if shape.name == "core_dump":
        return Sheet(
            path,
            table.name,
            names,
            [frame],
            above=[title(table, "核心系统数据下传  打印日期：2026-01-04")] if number == 0 else [],
            encoding="gb18030",
            line_end="\r\n",
            trailing=True,
        )
    if name is None:
        return Sheet(path, table.name, names, [frame], encoding="utf-8-sig", line_end="\r\n")
    return _book_sheet(table, path, name, frame, fields)


def rendered(frame: pl.DataFrame, fields: list[Field]) -> pl.DataFrame:
    """Return the rows as the file shows them."""
    return frame.select(f.text.alias(f.source) for f in fields)


def title(table: Table, text: str, width: int = 1) -> Extra:
    """Return a row above the header."""
    cells: list[object] = [f"{table.zh}  {text}", *[None] * (width - 1)]
    return Extra(cells, Planted("title", table.name, "", "不读"))


def _book_sheet(
    table: Table, path: str, name: str, frame: pl.DataFrame, fields: list[Field]
) -> Sheet:
    # two columns nobody asked for, of the same name
    names = [*frame.columns, "备注", "备注"]
    wide = frame.with_columns(pl.lit(None, pl.String).alias(f"_{i}") for i in range(2))
    pieces = _with_subtotals(table, wide) if table.name in BRANCH_BOOKS else [wide]
    above = [title(table, "报送表", len(names))]
    if table.name in BRANCH_BOOKS:
        unit = [None] * (len(names) - 1) + ["单位：万元"]
        above.append(Extra(unit, Planted("unit_line", table.name, "", "不读")))
    numeric = {"money", "number", "integer"}
    return Sheet(
        path,
        table.name,
        names,
        pieces,
        above=above,
        groups=_groups(table, len(names)),
        name=name,
        numbers=frozenset(f.source for f in fields if f.column.type in numeric),
    )


def _groups(table: Table, width: int) -> list[str]:
    """Return the upper header row of the two tables that have one."""
    if table.name not in {"deposit_account", "loan"}:
        return []
    names = ["", *["基本信息"] * 4, *["业务信息"] * (width - 7)]
    return names + [""] * (width - len(names))


def _with_subtotals(table: Table, frame: pl.DataFrame) -> list[pl.DataFrame | Extra]:
    width = frame.width
    pieces: list[pl.DataFrame | Extra] = []
    for start in range(0, frame.height, SUBTOTAL):
        pieces.append(frame.slice(start, SUBTOTAL))
        kind = Planted("subtotal", table.name, "", "不读")
        pieces.append(Extra(["小计", *[None] * (width - 1)], kind))
    pieces.append(Extra([None] * width, Planted("blank", table.name, "", "不读")))
    total = Planted("total", table.name, "", "不读")
    pieces.append(Extra(["合计", *[None] * (width - 1)], total))
    footer = Planted("footer", table.name, "", "不读")
    pieces.append(Extra(["制表人：某某  复核：某某", *[None] * (width - 1)], footer))
    return pieces
