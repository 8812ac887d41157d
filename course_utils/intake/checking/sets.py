"""Keys, references and relations in DuckDB, over Parquet shards that are de-identified already.

Memory stays bounded: every question is a query over the shards, and only the rows that break a rule
are kept, as pairs of ``_file`` and ``_row``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.bank.parquet import sql_text
from course_utils.intake.faults import REFUSE, STOP, WARN, fault_schema
from course_utils.intake.rules import CATALOGUE
from course_utils.intake.rules.masking import is_sensitive
from course_utils.intake.rules.relations import RELATIONS, Relation

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from course_utils.contract.model import Column, Contract, Table
    from course_utils.intake.mapping import BankMapping
    from course_utils.intake.rules import RuleBook

_DROPS = (REFUSE, STOP)
#: ``_file`` of a table's shards → file and sheet, for people.
Places = Mapping[str, Mapping[int, tuple[str, str]]]


@dataclass
class SetChecks:
    """What the checks found; valid while the connection is open.

    Parameters
    ----------
    faults : polars.DataFrame or None
        Only if no folder was given: in the form of
        :func:`course_utils.intake.faults.fault_schema`.
    path : pathlib.Path or None
        The same as a Parquet file, if a folder was given.
    lost : mapping of str to pathlib.Path
        Table → Parquet file of the rows that must go, de-identified, in the form of the
        converter's rejected rows; only if a folder was given.
    rejected : mapping of str to Counter
        Table → rule → rows that must go; a row that breaks two rules counts for the first.
    blanked : mapping of str to Counter
        Table → column → cells that lose their value.
    counts : Counter
        (table, column, rule, level) → faults.
    """

    faults: pl.DataFrame | None = None
    path: Path | None = None
    lost: dict[str, Path] = field(default_factory=dict)
    rejected: dict[str, Counter[str]] = field(default_factory=dict)
    blanked: dict[str, Counter[str]] = field(default_factory=dict)
    counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    queries: dict[str, str] = field(default_factory=dict)

    def query(self, table: str) -> str:
        """Return SQL for the rows of a table that stay, without ``_file`` and ``_row``."""
        return self.queries[table]


def check_sets(
    connection: duckdb.DuckDBPyConnection,
    shards: Mapping[str, str],
    contract: Contract,
    rules: RuleBook,
    as_of: date,
    places: Places | None = None,
    mapping: BankMapping | None = None,
    folder: Path | None = None,
) -> SetChecks:
    """Check all tables of a bank.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Temporary tables are made in it.
    shards : mapping of str to str
        Table → pattern of its Parquet files: the contract's columns, ``_file`` and ``_row``.
    contract : Contract
        Keys and references; those to a table that the bank does not have are passed over.
    rules : RuleBook
        Levels of this bank.
    as_of : datetime.date
        Last day that is known.
    places : mapping, optional
        What ``_file`` stands for.
    mapping : BankMapping, optional
        Names of the source columns.
    folder : pathlib.Path, optional
        Where the faults are written, as ``set_faults.parquet``.
    """
    work = _Work(connection, dict(shards), contract, rules, as_of)
    work.prepare()
    for name in work.shards:
        if not _numbered(contract.tables[name], mapping):
            work.keys(contract.tables[name])
    work.references()
    for relation in RELATIONS:
        work.relation(relation)
    work.references()
    return work.result(places or {}, mapping, folder)


def _numbered(table: Table, mapping: BankMapping | None) -> bool:
    """Tell whether the key is made of row numbers: then no two rows share one."""
    if mapping is None or table.name not in mapping.tables:
        return False
    parts = mapping.tables[table.name].parts
    made = [{c.column for c in part.columns.values() if c.generate} for part in parts]
    return all(not columns.isdisjoint(table.grain) for columns in made)


class _Work:
    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        shards: dict[str, str],
        contract: Contract,
        rules: RuleBook,
        as_of: date,
    ) -> None:
        self.connection, self.shards, self.contract = connection, shards, contract
        self.rules, self.as_of = rules, as_of
        self.columns: dict[str, set[str]] = {}
        self.changed: set[str] = set()
        self.blank: dict[str, set[str]] = {}

    def prepare(self) -> None:
        """Make a view of all rows, a list of the gone, and a view of the living, for each table."""
        run = self.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE set_fault (tab VARCHAR, col VARCHAR, rule VARCHAR, "
            "level VARCHAR, _file INTEGER, _row BIGINT, shown VARCHAR, fatal BOOLEAN)"
        )
        for name, pattern in self.shards.items():
            source = f"read_parquet({sql_text(pattern)}, union_by_name = true)"
            run(f"CREATE OR REPLACE TEMP VIEW all_{name} AS SELECT * FROM {source}")
            run(f"CREATE OR REPLACE TEMP TABLE gone_{name} (_file INTEGER, _row BIGINT)")
            run(
                f"CREATE OR REPLACE TEMP VIEW live_{name} AS SELECT * FROM all_{name} "
                f"ANTI JOIN gone_{name} USING (_file, _row)"
            )
            found = run(f"DESCRIBE all_{name}").fetchall()
            self.columns[name] = {row[0] for row in found} - {"_file", "_row"}
        self.changed = set(self.shards)

    def keys(self, table: Table) -> None:
        """Find rows with the key of another: of identical ones the first stays."""
        if not set(table.grain) <= self.columns[table.name]:
            return
        key = ", ".join(f'"{name}"' for name in table.grain)
        body = ", ".join(f'"{name}"' for name in sorted(self.columns[table.name]))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE twice AS SELECT {key} FROM live_{table.name} "
            "GROUP BY ALL HAVING count(*) > 1"
        )
        if not self._count("SELECT count(*) FROM twice"):
            return
        # NULL in a key was refused before; the window needs memory for the doubled rows only
        doubled = (
            f"SELECT _file, _row, row_number() OVER w AS place, "
            f"min(content) OVER k = max(content) OVER k AS same FROM ("
            f"SELECT _file, _row, {key}, hash({body}) AS content FROM live_{table.name} "
            f"SEMI JOIN twice USING ({key})) "
            f"WINDOW w AS (PARTITION BY {key} ORDER BY _file, _row), k AS (PARTITION BY {key})"
        )
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE doubled AS {doubled}")
        column = table.columns[table.grain[0]]
        for rule, condition in (
            ("duplicate_row", "same AND place > 1"),
            ("duplicate_key", "NOT same"),
        ):
            query = f"SELECT _file, _row, '' AS shown FROM doubled WHERE {condition}"
            self._record(table, column, rule, query)

    def references(self) -> None:
        """Find values that point to nothing, until no more rows go because of others that went."""
        while self.changed:
            changed, self.changed = self.changed, set()
            for table, column, target, key in self._links():
                if target.name in changed:
                    self._orphans(table, column, target, key)

    def _links(self) -> Iterator[tuple[Table, Column, Table, str]]:
        for name in self.shards:
            table = self.contract.tables[name]
            for column, (target, key) in table.foreign_keys.items():
                if column in self.columns[name] and key in self.columns.get(target, ()):
                    yield table, table.columns[column], self.contract.tables[target], key

    def _orphans(self, table: Table, column: Column, target: Table, key: str) -> None:
        shown = "''" if is_sensitive(column) else f't."{column.name}"::VARCHAR'
        query = (
            f"SELECT t._file, t._row, {shown} AS shown FROM live_{table.name} t "
            f'ANTI JOIN live_{target.name} p ON t."{column.name}" = p."{key}" '
            f'WHERE t."{column.name}" IS NOT NULL'
        )
        if column.name in self.blank.get(table.name, ()):
            # what was blanked in an earlier round points nowhere any more
            query = (
                f"SELECT * FROM ({query}) ANTI JOIN (SELECT _file, _row FROM set_fault WHERE "
                f"tab = '{table.name}' AND col = '{column.name}' AND rule = 'reference') "
                "USING (_file, _row)"
            )
        self._record(table, column, "reference", query)

    def relation(self, relation: Relation) -> None:
        """Find the rows that break one rule between columns or tables."""
        for name, columns in relation.needs.items():
            if not set(columns) <= self.columns.get(name, set()):
                return
        names = {name: f"live_{name}" for name in relation.needs}
        query = relation.sql.format(**names).replace("$as_of", f"DATE '{self.as_of}'")
        table = self.contract.tables[relation.table]
        self._record(table, table.columns[relation.column], relation.code, query)

    def _record(self, table: Table, column: Column, rule: str, query: str) -> None:
        level = self.rules.level(rule, table.name, column, column.name in table.grain)
        fatal = level in _DROPS
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT DISTINCT ON (_file, _row) "
            f"_file, _row, shown FROM ({query})"
        )
        if not self._count("SELECT count(*) FROM fresh"):
            return
        self.connection.execute(
            "INSERT INTO set_fault SELECT ?, ?, ?, ?, _file, _row, shown, ? FROM fresh",
            [table.name, column.name, rule, level, fatal],
        )
        if fatal:
            self.connection.execute(f"INSERT INTO gone_{table.name} SELECT _file, _row FROM fresh")
            self.changed.add(table.name)
        elif rule == "reference" and level == WARN:
            self.blank.setdefault(table.name, set()).add(column.name)

    def result(self, places: Places, mapping: BankMapping | None, folder: Path | None) -> SetChecks:
        result = SetChecks(queries={name: self._query(name) for name in self.shards})
        counted = "SELECT tab, col, rule, level, fatal, count(*) FROM set_fault GROUP BY ALL"
        for tab, col, rule, level, fatal, count in self.connection.execute(counted).fetchall():
            result.counts[tab, col, rule, level] += count
            if fatal:
                result.rejected.setdefault(tab, Counter())[rule] += count
            elif col in self.blank.get(tab, ()) and rule == "reference":
                result.blanked.setdefault(tab, Counter())[col] += count
        self._name_places(places, mapping)
        if folder is None:
            result.faults = self._frame()
        else:
            result.path = folder / "set_faults.parquet"
            folder.mkdir(parents=True, exist_ok=True)
            self.connection.execute(
                f"COPY ({_FAULTS}) TO {sql_text(str(result.path))} (FORMAT parquet)"
            )
            for name in result.rejected:
                result.lost[name] = self._write_lost(name, folder)
        return result

    def _name_places(self, places: Places, mapping: BankMapping | None) -> None:
        run = self.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE set_place "
            "(tab VARCHAR, _file INTEGER, file VARCHAR, sheet VARCHAR)"
        )
        rows = [(t, n, *place) for t, files in places.items() for n, place in files.items()]
        if rows:
            self.connection.executemany("INSERT INTO set_place VALUES (?, ?, ?, ?)", rows)
        run("CREATE OR REPLACE TEMP TABLE set_source (tab VARCHAR, col VARCHAR, source VARCHAR)")
        tables = mapping.tables if mapping is not None else {}
        names = [
            (name, column.column, column.source)
            for name, table in tables.items()
            for column in table.columns.values()
            if column.source is not None
        ]
        if names:
            self.connection.executemany("INSERT INTO set_source VALUES (?, ?, ?)", names)

    def _write_lost(self, name: str, folder: Path) -> Path:
        """Write the rows of a table that must go, with their reasons."""
        path = folder / f"set_rejected_{name}.parquet"
        table = self.contract.tables[name]
        codes = {code for tab, _, code, _ in self._found() if tab == name}
        told = " ".join(f"WHEN '{code}' THEN '{CATALOGUE[code].zh}'" for code in sorted(codes))
        columns = ", ".join(
            f't."{c}"::VARCHAR AS "{table.columns[c].zh}"'
            for c in table.columns
            if c in self.columns[name]
        )
        self.connection.execute(
            f"COPY (SELECT t._row, f.reasons, coalesce(p.file, '') AS _file, "
            f"coalesce(p.sheet, '') AS _sheet, {columns} FROM all_{name} t JOIN ("
            f"SELECT _file, _row, string_agg(DISTINCT CASE rule {told} END, '；') AS reasons "
            f"FROM set_fault WHERE tab = '{name}' AND fatal GROUP BY ALL) f USING (_file, _row) "
            f"LEFT JOIN set_place p ON p.tab = '{name}' AND p._file = t._file "
            f"ORDER BY t._file, t._row) TO {sql_text(str(path))} (FORMAT parquet)"
        )
        return path

    def _found(self) -> list[tuple[str, str, str, str]]:
        query = "SELECT DISTINCT tab, col, rule, level FROM set_fault"
        return self.connection.execute(query).fetchall()

    def _frame(self) -> pl.DataFrame:
        import polars as pl

        rows = self.connection.execute(_FAULTS).fetchall()
        return pl.DataFrame(rows, schema=fault_schema(), orient="row")

    def _query(self, name: str) -> str:
        """Return the rows that stay, cells blanked, in no order."""
        blanked = self.blank.get(name, set())
        parts = []
        for column in self.contract.tables[name].columns:
            if column not in self.columns[name]:
                continue
            if column in blanked:
                parts.append(
                    f'CASE WHEN b_{column}._row IS NULL THEN t."{column}" END AS "{column}"'
                )
            else:
                parts.append(f't."{column}"')
        joins = "".join(
            f" LEFT JOIN (SELECT DISTINCT _file, _row FROM set_fault WHERE tab = '{name}' AND "
            f"col = '{column}' AND rule = 'reference' AND NOT fatal) b_{column} "
            f"ON b_{column}._file = t._file AND b_{column}._row = t._row"
            for column in sorted(blanked)
        )
        return f"SELECT {', '.join(parts)} FROM live_{name} t{joins}"

    def _count(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0


_FAULTS = (
    "SELECT coalesce(p.file, '') AS file, coalesce(p.sheet, '') AS sheet, f._row AS row, "
    'f.tab AS "table", f.col AS "column", coalesce(s.source, \'\') AS source, '
    "coalesce(f.shown, '') AS value, f.rule, f.level FROM set_fault f "
    "LEFT JOIN set_place p ON p.tab = f.tab AND p._file = f._file "
    "LEFT JOIN set_source s ON s.tab = f.tab AND s.col = f.col "
    "ORDER BY f.tab, f._file, f._row, f.col, f.rule"
)
