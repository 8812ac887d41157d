"""DuckDB on this machine, in bounded memory: a mart is built part by part and joined from files."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from course_utils.bank.parquet import sql_text
from course_utils.errors import CourseError
from course_utils.files import explain_os_errors, fresh_file
from course_utils.intake.marts.catalogue import BY_CUSTOMER, BY_MONTH, DUCKDB_TYPES, Mart
from course_utils.intake.marts.engines import files_query
from course_utils.intake.marts.translate import Source, Statement, months_query, translate

#: Memory that DuckDB may use before it spills to the scratch folder, and rows a part may hold.
MEMORY_MB = 180
ROWS_A_PART = 300_000
#: A month of very many rows has more customers at once: rows from which more memory is taken.
MANY_ROWS, MORE_MB = 20_000_000, 512
MOST_PARTS = 64
#: Row groups of files that are copied: DuckDB holds some of them per thread.
SMALL_GROUPS = "FORMAT parquet, ROW_GROUP_SIZE 30720"


class Local:
    """One DuckDB with a memory limit and a scratch folder.

    Parameters
    ----------
    scratch : pathlib.Path
        Folder for files that are needed only while the work goes on.
    memory_mb : int
        DuckDB's memory limit; the process needs about 100 MB more.
    threads : int
    """

    def __init__(self, scratch: Path, memory_mb: int = MEMORY_MB, threads: int = 2) -> None:
        import duckdb

        self.scratch, self.memory_mb = scratch, memory_mb
        self.connection = duckdb.connect(
            config={
                "memory_limit": f"{memory_mb}MB",
                "threads": str(threads),
                "temp_directory": str(scratch / "spill"),
                "preserve_insertion_order": "false",
                "allocator_flush_threshold": "16MB",  # what is free goes back to the system
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )

    def one(self, sql: str) -> tuple[Any, ...]:
        """Return the first row of a query."""
        row = self.connection.execute(sql).fetchone()
        assert row is not None
        return row

    def source(self, pattern: str) -> Source:
        """Return a source for Parquet files."""
        query = files_query(pattern)
        rows = self.connection.execute(f"DESCRIBE {query}").fetchall()
        return Source(query, frozenset(row[0] for row in rows))

    def count(self, source: Source) -> int:
        """Return how many rows a source has."""
        return int(self.one(f"SELECT count(*) FROM ({source.query})")[0])

    def copy(self, query: str, path: Path, options: str = "FORMAT parquet") -> None:
        """Write a query to a file.

        Raises
        ------
        CourseError
            If the disk is full or the memory is not enough.
        """
        import duckdb

        with explain_os_errors(path):
            try:
                self.connection.execute(f"COPY ({query}) TO {sql_text(str(path))} ({options})")
            except duckdb.OutOfMemoryException as error:
                raise CourseError(
                    f"内存不够，算不完“{path.stem}”：请关掉其他程序，或在内存更大的机器上运行。"
                ) from error
            except duckdb.IOException as error:
                raise CourseError(f"读写“{path.name}”时出错：{str(error)[:200]}") from error

    def write(
        self,
        mart: Mart,
        sources: Mapping[str, Source],
        lists: Mapping[str, str],
        as_of: date,
        target: Path,
        months: tuple[date, date] | None = None,
        keep: str = "",
    ) -> Statement:
        """Work out a mart part by part and write it, each part sorted by its key, into one file.

        Parameters
        ----------
        mart : Mart
            What to work out.
        sources, lists, as_of
            As for :func:`translate`.
        target : pathlib.Path
            File to write.
        months : (date, date), optional
            First and last day of the rows, for a mart that is cut by month.
        keep : str
            Condition on the rows that are written.

        Returns
        -------
        Statement
            What was asked; nothing is written if something it needs is missing.
        """
        statement = translate(mart, sources, lists, as_of, "duckdb")
        if not statement.sql:
            return statement
        typed = ", ".join(
            f'CAST("{name}" AS {DUCKDB_TYPES[kind]}) AS "{name}"'
            for name, kind in statement.columns.items()
        )
        self._limit(mart, sources)
        where = f" WHERE {keep}" if keep else ""
        order = ", ".join(f'"{name}"' for name in mart.key)
        with self._folder(mart.name) as folder:
            parts = self._parts(mart, sources, lists, months, folder)
            for number, (narrowed, narrow_lists) in enumerate(parts):
                sql = translate(mart, narrowed, narrow_lists, as_of, "duckdb").sql
                query = f"SELECT {typed} FROM ({sql}){where} ORDER BY {order}"
                self.copy(query, folder / f"part_{number:04}.parquet")
            self._join(folder, target)
        return statement

    def _limit(self, mart: Mart, sources: Mapping[str, Source]) -> None:
        """Set the memory for a mart; parts cut by customer are small, but their work is wide."""
        rows = max((self.count(sources[n]) for n in mart.inputs if n in sources), default=0)
        memory = self.memory_mb if rows <= MANY_ROWS else max(self.memory_mb, MORE_MB)
        if mart.split == BY_CUSTOMER:
            memory = memory * 7 // 10
        self.connection.execute(f"SET memory_limit = '{memory}MB'")

    def _join(self, folder: Path, target: Path) -> None:
        """Put the parts one behind the other: the same file on every run, without one big sort."""
        parts = sorted(folder.glob("part_*.parquet"))
        with fresh_file(target) as aside:
            if len(parts) == 1:
                shutil.move(parts[0], aside)
                return
            threads = self.one("SELECT current_setting('threads')")[0]
            self.connection.execute("SET preserve_insertion_order = true; SET threads = 1")
            self.copy(files_query(str(folder / "part_*.parquet")), aside, SMALL_GROUPS)
            self.connection.execute(
                f"SET preserve_insertion_order = false; SET threads = {threads}"
            )

    @contextlib.contextmanager
    def _folder(self, name: str) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=f"{name}_", dir=self.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _parts(
        self,
        mart: Mart,
        sources: Mapping[str, Source],
        lists: Mapping[str, str],
        months: tuple[date, date] | None,
        folder: Path,
    ) -> Iterator[tuple[Mapping[str, Source], Mapping[str, str]]]:
        """Yield the sources, and lists, of each part of a mart."""
        if mart.split == BY_MONTH and months is not None:
            yield from _by_month(sources, lists, months)
        elif mart.split == BY_CUSTOMER:
            yield from self._by_customer(mart, sources, lists, folder)
        else:
            yield sources, lists

    def _by_customer(
        self,
        mart: Mart,
        sources: Mapping[str, Source],
        lists: Mapping[str, str],
        folder: Path,
    ) -> Iterator[tuple[Mapping[str, Source], Mapping[str, str]]]:
        used = {n: s for n, s in sources.items() if n in mart.inputs and "customer_id" in s.columns}
        rows = {name: self.count(source) for name, source in used.items()}
        most = max(rows.values(), default=0)
        if "customer" in rows and "months" in lists:
            most = max(most, rows["customer"] * lists["months"].count("SELECT"))
        parts = min(MOST_PARTS, 1 + most // ROWS_A_PART)
        if parts == 1:
            yield sources, lists
            return
        cut = {n: self._cut(s, parts, folder / n) for n, s in used.items()}
        for part in range(parts):
            narrowed = dict(sources)
            for name, source in used.items():
                here = cut[name] / f"part={part}"
                pattern = f"{here}/*.parquet"
                query = files_query(pattern) if here.is_dir() else f"{source.query} LIMIT 0"
                narrowed[name] = Source(query, source.columns)
            yield narrowed, lists

    def _cut(self, source: Source, parts: int, folder: Path) -> Path:
        """Write a source once more, cut by customer: reading it once for every part costs more."""
        names = ", ".join(f'"{name}"' for name in sorted(source.columns))
        number = f"CAST(hash(customer_id) % {parts} AS INTEGER)"
        self.connection.execute("SET partitioned_write_flush_threshold = 32768")
        self.copy(
            f"SELECT {names}, {number} AS part FROM ({source.query})",
            folder,
            f"{SMALL_GROUPS}, PARTITION_BY (part)",
        )
        return folder

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def _by_month(
    sources: Mapping[str, Source], lists: Mapping[str, str], months: tuple[date, date]
) -> Iterator[tuple[Mapping[str, Source], Mapping[str, str]]]:
    """Yield one month after the other; Parquet knows its ranges of dates and skips the others."""
    first, last = months
    start = first.replace(day=1)
    while start <= last:
        following = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        narrowed = {
            name: Source(
                f"SELECT * FROM ({source.query}) WHERE date >= DATE '{start}' "
                f"AND date < DATE '{following}' AND date <= DATE '{last}'",
                source.columns,
            )
            if "date" in source.columns
            else source
            for name, source in sources.items()
        }
        yield narrowed, {**lists, "months": months_query(start, start)}
        start = following


@contextlib.contextmanager
def local(scratch: Path | None = None, **options: Any) -> Iterator[Local]:
    """Open a DuckDB whose scratch folder goes when the block ends."""
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="marts_", dir=scratch))
    engine = Local(folder, **options)
    try:
        yield engine
    finally:
        engine.close()
        shutil.rmtree(folder, ignore_errors=True)
