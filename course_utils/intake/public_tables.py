"""Public tables that a bank has not delivered: the course supplies them, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.bank import parquet
from course_utils.bank.labels import SUPPLIED

if TYPE_CHECKING:
    import datetime
    from pathlib import Path

    import duckdb

    from course_utils.contract import Contract


@dataclass(frozen=True)
class Supplied:
    """A public table that the course supplied.

    Attributes
    ----------
    table : str
    rows : int
    note : str
        What people must know of it, in Chinese.
    """

    table: str
    rows: int
    note: str


def supply(
    connection: duckdb.DuckDBPyConnection, contract: Contract, folder: Path, as_of: datetime.date
) -> list[Supplied]:
    """Write the public tables that are not in a bank's folder; the bank's own stay as they are.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Any.
    contract : Contract
        Definitions of the tables.
    folder : pathlib.Path
        The bank's tables, ``<table>.parquet``.
    as_of : date
        Last day of the bank's data: what was set later is not supplied.

    Returns
    -------
    list of Supplied
    """
    lacking = [name for name in SUPPLIED if not (folder / f"{name}.parquet").is_file()]
    if not lacking:
        return []
    from course_utils.bank.public_tables import supplied

    done = []
    first = first_day(connection, contract, folder)
    for name, frame, note in supplied(lacking, first, as_of):
        table = contract.table(name)
        connection.register("supplied_rows", frame)
        try:
            path = folder / f"{name}.parquet"
            parquet.write(connection, "supplied_rows", table, frame.columns, path, table.grain)
        finally:
            connection.unregister("supplied_rows")
        done.append(Supplied(name, len(frame), note))
    return done


def first_day(
    connection: duckdb.DuckDBPyConnection, contract: Contract, folder: Path
) -> datetime.date | None:
    """Return the first day in the rows that a bank's tables gather day by day, month by month."""
    days = []
    for path in sorted(folder.glob("*.parquet")):
        table = contract.tables.get(path.stem)
        if table is None or table.as_of is None or path.stem in SUPPLIED:
            continue
        rows = parquet.rows_of(path)
        columns = {row[0] for row in connection.execute(f"DESCRIBE FROM {rows}").fetchall()}
        if table.as_of not in columns:
            continue
        query = f'SELECT CAST(min("{table.as_of}") AS DATE) FROM {rows}'
        days += [day for day in connection.execute(query).fetchone() if day is not None]
    return min(days, default=None)
