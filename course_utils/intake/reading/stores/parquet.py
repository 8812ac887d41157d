"""Parquet: every value as the text that a person would write, decimals exactly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank.parquet import rows_of
from course_utils.errors import CourseError
from course_utils.intake.reading.books.workbook import cell_text
from course_utils.intake.reading.files import Stamp, opened
from course_utils.intake.reading.model import MOST_COLUMNS, Problem
from course_utils.intake.reading.names import column_names
from course_utils.intake.reading.reading import Reading

if TYPE_CHECKING:
    import duckdb
    import polars as pl

#: Rows of a chunk.
ROWS = 50_000


def parquet_reading(path: Path, stamp: Stamp) -> Reading:
    """Return a Parquet file as a reading; it has no header row, rows count from 1."""
    with opened(path, stamp), _connection() as connection:
        try:
            described = connection.execute(f"DESCRIBE SELECT * FROM {_source(path)}").fetchall()
        except _errors() as fault:
            raise _damaged(path, fault) from None
    if len(described) > MOST_COLUMNS:
        raise CourseError(
            f"{path.name}：有 {len(described)} 列，最多读 {MOST_COLUMNS} 列，请只导出要用的列。"
        )
    columns = column_names([row[0] for row in described])
    selected = ", ".join(_as_text(name, kind) for name, kind, *_ in described)

    def frames(counts: dict[str, int], problems: list[Problem]) -> Iterator[pl.DataFrame]:
        del problems
        with opened(path, stamp), _connection() as connection:
            try:
                connection.execute(f"SELECT {selected} FROM {_source(path)}")
                while rows := connection.fetchmany(ROWS):
                    yield text_frame(columns, rows, counts)
            except _errors() as fault:
                raise _damaged(path, fault) from None

    return Reading(path, "", columns, frames)


def text_frame(columns: tuple[str, ...], rows: list[Any], counts: dict[str, int]) -> pl.DataFrame:
    """Return rows of a database as raw text and count them; what is missing is empty.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns.
    rows : list of sequence
        Values of any kind.
    counts : dict
        Counts of the reading; the number of the first row follows from them.
    """
    import polars as pl

    first = counts["rows"] + 1
    data: dict[str, Any] = {
        "_row": pl.int_range(first, first + len(rows), dtype=pl.Int64, eager=True)
    }
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        texts = [v if isinstance(v, str) else _text(v) for v in values]
        data[name] = pl.Series(texts, dtype=pl.String)
    counts["rows"] += len(rows)
    counts["lines"] += len(rows)
    return pl.DataFrame(data)


def _text(value: Any) -> str:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.hex()
    return cell_text(value)


def _as_text(name: str, kind: str) -> str:
    column = '"{}"'.format(name.replace('"', '""'))
    if kind in ("DOUBLE", "FLOAT", "DATE", "BLOB", "BOOLEAN") or kind.startswith("TIMESTAMP"):
        return column  # Python writes them: no exponent, a date without a time
    return f"{column}::VARCHAR"


def _connection() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(config={"threads": 1, "memory_limit": "512MB"})


def _errors() -> tuple[type[BaseException], ...]:
    import duckdb

    return (duckdb.Error, UnicodeDecodeError, OverflowError, ValueError)


def _source(path: Path) -> str:
    # a name with such a character is a name, not a pattern
    name = "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
    return rows_of(name)


def _damaged(path: Path, fault: BaseException) -> CourseError:
    return CourseError(
        f"{path.name}：Parquet 文件损坏或格式少见，读不出来（{type(fault).__name__}），请重新导出。"
    )
