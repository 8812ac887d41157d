"""Read and write Parquet files: one DuckDB a process, one copy of a text of many rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.contract.model import DATE_TYPES, FLOAT_TYPES, TEXT_TYPES

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from course_utils.contract import Table

#: Rows from which it pays to look for the different texts first.
LONG = 100_000


def tables(folder: Path) -> list[str]:
    """Return the names of the tables in a bank's folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.parquet"))


def stored_columns(folder: Path, table: str) -> dict[str, str]:
    """Return column → DuckDB type, in the order of the file."""
    with _cursor() as cursor:
        rows = cursor.execute(f"DESCRIBE SELECT * FROM {_source(folder, table)}").fetchall()
    return {row[0]: row[1] for row in rows}


def smallest(folder: Path, table: str, column: str) -> Any:
    """Return the smallest value of a column."""
    smallest_of = f"SELECT min({_quoted(column)}) FROM {_source(folder, table)}"
    with _cursor() as cursor:
        rows = cursor.execute(smallest_of).fetchall()
    return rows[0][0]


def read(
    folder: Path, table: str, columns: Sequence[str] | None = None, codes: Iterable[str] = ()
) -> pd.DataFrame:
    """Return the rows of a table.

    Parameters
    ----------
    folder : pathlib.Path
        The bank's folder.
    table : str
        Name of the table, and of its file.
    columns : sequence of str, optional
        Only these columns; all if left out.
    codes : iterable of str
        Those of them that hold few different texts. It only makes a long table faster and smaller:
        the rows share the texts instead of holding a copy each.
    """
    selected = "*" if columns is None else ", ".join(map(_quoted, columns))
    source, shared = _source(folder, table), list(dict.fromkeys(codes))
    with _cursor() as cursor:
        if not shared or _count(cursor, source) < LONG:
            return cursor.execute(f"SELECT {selected} FROM {source}").df()
        casts = [f"{_quoted(c)}::{_share(cursor, source, c)} AS {_quoted(c)}" for c in shared]
        source = f"(SELECT * REPLACE ({', '.join(casts)}) FROM {source})"
        frame = cursor.execute(f"SELECT {selected} FROM {source}").df()
    for name in frame.columns[frame.dtypes == "category"]:
        # a column without any text comes as Nones from DuckDB, and so it does here
        frame[name] = frame[name].astype("str") if len(frame[name].cat.categories) else None
    return frame


def write(
    cursor: duckdb.DuckDBPyConnection,
    source: str,
    table: Table,
    columns: Iterable[str],
    path: Path,
    order: Iterable[str] = (),
) -> None:
    """Write rows as the Parquet file of a table: the types of the contract, fixed settings.

    Parameters
    ----------
    cursor : duckdb.DuckDBPyConnection
        Knows `source`; with one thread the same rows give the same bytes.
    source : str
        What stands after ``FROM``.
    table : Table
        Definition of the table.
    columns : iterable of str
        Its columns, in the order of the file.
    path : pathlib.Path
        The file.
    order : iterable of str
        Columns to sort by; the order of `source` if left out.
    """
    selected = ", ".join(
        f"CAST({_quoted(name)} AS {sql_type(table.columns[name].type)}) AS {_quoted(name)}"
        for name in columns
    )
    ordered = f" ORDER BY {', '.join(map(_quoted, order))}" if order else ""
    cursor.execute(
        f"COPY (SELECT {selected} FROM {source}{ordered}) TO {sql_text(str(path))} "
        "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
    )


def rows_of(path: Path | str) -> str:
    """Return what stands after ``FROM`` for a Parquet file, or for the files of a pattern."""
    return f"read_parquet({sql_text(str(path))})"


def sql_type(kind: str) -> str:
    """Return the DuckDB type in which a column of a contract type is stored."""
    if kind in TEXT_TYPES:
        return "VARCHAR"
    if kind in FLOAT_TYPES:
        return "DOUBLE"
    if kind in DATE_TYPES:
        return "TIMESTAMP" if kind == "timestamp" else "DATE"
    return "BOOLEAN" if kind == "flag" else "BIGINT"


def _share(cursor: duckdb.DuckDBPyConnection, source: str, column: str) -> str:
    """Make a type of the texts of a column; only this cursor knows it."""
    name = _quoted(f"texts of {column}")
    texts = f"SELECT DISTINCT {_quoted(column)} FROM {source}"
    cursor.execute(f"CREATE TEMP TYPE {name} AS ENUM ({texts} WHERE {_quoted(column)} IS NOT NULL)")
    return name


def _count(cursor: duckdb.DuckDBPyConnection, source: str) -> int:
    return cursor.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0]


def _cursor() -> duckdb.DuckDBPyConnection:
    return _database(os.getpid()).cursor()


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:
    """Return the in-memory database of a process.

    Opening one takes longer than most reads. A forked kernel opens its own. Only its cursors are
    used, because several threads may have one each. The file cache is off: what was read is not
    to stay in memory.
    """
    import duckdb

    return duckdb.connect(config={"threads": 1, "enable_external_file_cache": False})


def _source(folder: Path, table: str) -> str:
    return rows_of(folder / f"{table}.parquet")


def sql_text(value: str) -> str:
    """Return a text as SQL writes it, quotes doubled."""
    return "'{}'".format(value.replace("'", "''"))


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
