"""From shards to the bank: what passed every check becomes its tables, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import __version__
from course_utils.bank import parquet
from course_utils.files import fresh_folder
from course_utils.intake.marts import Derived, derive, sample_transactions
from course_utils.intake.public_tables import Supplied, supply

if TYPE_CHECKING:
    import datetime

    import duckdb

    from course_utils.contract import Contract, Table
    from course_utils.intake.checking import SetChecks

MANIFEST = "manifest.json"
#: The one table of which lessons read a sample: whole customers, no more rows than pandas holds.
SAMPLED = "transaction"


@dataclass
class Published:
    """What stands in the bank after an intake.

    Parameters
    ----------
    rows : dict of str to int
        Table → rows.
    derived : list of Derived
        Tables that were worked out from others.
    sample : dict
        How the statements were drawn; empty if there are none.
    supplied : list of Supplied
        Public tables that the course supplied.
    """

    rows: dict[str, int] = field(default_factory=dict)
    derived: list[Derived] = field(default_factory=list)
    sample: dict[str, Any] = field(default_factory=dict)
    supplied: list[Supplied] = field(default_factory=list)


def publish(
    connection: duckdb.DuckDBPyConnection,
    checks: SetChecks,
    contract: Contract,
    target: Path,
    as_of: datetime.date,
    scratch: Path,
    about: Mapping[str, Any],
    carried: Mapping[str, Path] | None = None,
) -> Published:
    """Write the tables of a bank, those that can be worked out, public ones, and the manifest.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        In which `checks` looked at the shards.
    checks : SetChecks
        Which rows stay.
    contract : Contract
        Definitions of the tables.
    target : pathlib.Path
        The bank's folder; it appears complete or stays as it was.
    as_of : datetime.date
        Day of the extraction.
    scratch : pathlib.Path
        For what does not fit into memory.
    about : mapping
        More entries of the manifest.
    carried : mapping of str to pathlib.Path, optional
        Marts that another engine worked out where the data live: tables of the contract become
        the bank's where it has not delivered them, the others serve to work out further ones.

    Returns
    -------
    Published
    """
    done = Published()
    with fresh_folder(target) as aside:
        sources: dict[str, str] = {}
        for name in sorted(checks.queries):
            table, query = contract.table(name), f"({checks.query(name)})"
            path = aside / f"{name}.parquet"
            if name == SAMPLED:
                done.sample = _statements(connection, query, table, path, scratch, as_of, sources)
            else:
                columns = _columns(connection, query, table)
                parquet.write(connection, query, table, columns, path, table.grain)
                sources[name] = str(path)
        for name, path in (carried or {}).items():
            sources.setdefault(name, str(path))
            if name in contract.tables and name not in checks.queries:
                table, rows = contract.table(name), parquet.rows_of(path)
                columns = _columns(connection, rows, table)
                parquet.write(connection, rows, table, columns, aside / path.name, table.grain)
        done.derived = derive(aside, sources, as_of, out=aside, scratch=scratch)
        done.supplied = supply(connection, contract, aside, as_of)
        for path in sorted(aside.glob("*.parquet")):
            count = f"SELECT count(*) FROM {parquet.rows_of(path)}"
            done.rows[path.stem] = connection.execute(count).fetchall()[0][0]
        _write_manifest(aside / MANIFEST, contract, done, about)
    return done


def _statements(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    table: Table,
    path: Path,
    scratch: Path,
    as_of: datetime.date,
    sources: dict[str, str],
) -> dict[str, Any]:
    """Keep all statements for the marts until the end, and give the lessons a sample."""
    scratch.mkdir(parents=True, exist_ok=True)
    whole = scratch / f"{table.name}.parquet"
    columns = _columns(connection, query, table)
    parquet.write(connection, query, table, columns, whole)
    sources[table.name] = str(whole)
    if not {"customer_id", "date", "transaction_id"} <= set(columns):
        parquet.write(connection, parquet.rows_of(whole), table, columns, path)
        return {}
    return sample_transactions(str(whole), path, as_of, scratch=scratch).as_dict()


def _columns(connection: duckdb.DuckDBPyConnection, source: str, table: Table) -> list[str]:
    """Return the contract's columns that a source has, in the order of the contract."""
    there = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    return [name for name in table.columns if name in there]


def _write_manifest(
    path: Path, contract: Contract, done: Published, about: Mapping[str, Any]
) -> None:
    content = {
        "source": "intake",
        "package": __version__,
        "contract": contract.version,
        "rows": done.rows,
        "derived": {
            one.table: {"left_out": one.left_out, "notes": one.notes} for one in done.derived
        },
        "sample": done.sample,
        "supplied": {one.table: one.note for one in done.supplied},
        **about,
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    path.write_text(text + "\n", encoding="utf-8")
