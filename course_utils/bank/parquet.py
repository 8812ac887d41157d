"""Read Parquet files quickly: one DuckDB a process, one copy of a text that stands in many rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

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
    return "read_parquet('{}')".format(str(folder / f"{table}.parquet").replace("'", "''"))


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
