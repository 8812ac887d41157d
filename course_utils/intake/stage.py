"""One file after the other: read, convert, check row by row, de-identify, put into shards."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils import __version__
from course_utils.errors import CourseError
from course_utils.intake.conversion import TableConverter
from course_utils.intake.faults import fault_schema
from course_utils.intake.mapping import source_files
from course_utils.intake.privacy import (
    Finding,
    Protector,
    RawValueSample,
    fingerprint,
    refuse_secrets,
)
from course_utils.intake.staging import (
    FAULTS,
    REJECTED,
    ROWS,
    SAMPLE,
    StagedFile,
    StagedSheet,
    Staging,
    identity_of,
    write_shard,
)
from course_utils.visible import file_label

if TYPE_CHECKING:
    import datetime

    from course_utils.contract import Contract, Table
    from course_utils.intake.conversion import Converted
    from course_utils.intake.mapping import BankMapping, DatabaseSource, TableMapping
    from course_utils.intake.reading import Reading
    from course_utils.intake.rules import RuleBook

#: A part is a sheet of a file: ``_file`` of its rows is the file's number times this plus its own.
SHEETS = 1000
#: Called as ``report(label, done, total)``.
Progress = Callable[[str, int, int], None]


@dataclass
class Stage:
    """What every file of one intake is treated with.

    Parameters
    ----------
    contract : Contract
    mapping : BankMapping
    folder : pathlib.Path
        Where the exports lie.
    as_of : datetime.date
        Day of the extraction.
    rules : RuleBook
    key : bytes
        The bank's key; never shown.
    staging : Staging
        Where the shards go.
    elsewhere : frozenset of str
        Tables whose rows stay in another engine.

    Attributes
    ----------
    resumed : list of str
        Files whose shards an earlier run had finished.
    """

    contract: Contract
    mapping: BankMapping
    folder: Path
    as_of: datetime.date
    rules: RuleBook
    key: bytes = field(repr=False)
    staging: Staging
    elsewhere: frozenset[str] = frozenset()
    resumed: list[str] = field(default_factory=list, init=False)

    def run(self, report: Progress = lambda label, done, total: None) -> list[StagedFile]:
        """Stage every file of every table; what an earlier run has finished stays.

        Raises
        ------
        CourseError
            If a file cannot be read at all, or a pattern finds none.
        """
        work = list(self._work())
        staged = []
        for done, (table, number, path) in enumerate(work):
            report(path.name if path else table.table, done, len(work))
            staged.append(self._stage(table, number, path))
        report("完成", len(work), len(work))
        self.staging.drop_others({one.folder for one in staged})
        return staged

    def _work(self) -> Iterator[tuple[TableMapping, int, Path | None]]:
        """Find all files before the first is read, so that a slip in the mapping costs no time."""
        done: Counter[str] = Counter()  # a table may come from exports of several shapes
        for table in self.mapping:
            refuse_secrets(self.contract.table(table.table).zh, table.sources)
            if table.database and table.table in self.elsewhere:
                continue  # files of such a table are read: a sample of statements for the lessons
            paths = [None] if table.database else source_files(table, self.folder)
            for number, path in enumerate(paths, done[table.table]):
                yield table, number, path
            done[table.table] += len(paths)

    def _stage(self, mapping: TableMapping, number: int, path: Path | None) -> StagedFile:
        name = "数据库" if path is None else _label(path, self.folder)
        identity = identity_of(path, self._parts(mapping))
        if path is not None and (known := self.staging.recall(mapping.table, number, identity)):
            self.resumed.append(name)
            return known
        folder = self.staging.begin(mapping.table, number)
        writer = _Writer(self, self.contract.table(mapping.table), mapping, folder, name)
        readings = enumerate(self._readings(mapping, path), number * SHEETS)
        sheets = tuple(writer.write(reading, part) for part, reading in readings)
        staged = StagedFile(mapping.table, number, name, identity, folder, sheets, writer.close())
        self.staging.finish(staged)
        return staged

    def _readings(self, mapping: TableMapping, path: Path | None) -> Iterable[Reading]:
        from course_utils.intake import reading

        options = reading.ReadOptions(
            wanted=mapping.sources,
            encoding=mapping.encoding,
            delimiter=mapping.delimiter,
            sheet=mapping.sheet,
            header=mapping.header,
            drop=mapping.drop,
        )
        if path is not None:
            return reading.open_source(path, options)
        source = mapping.database
        assert source is not None
        return [reading.read_database(_address(source), source.query, source.table, options)]

    def _parts(self, mapping: TableMapping) -> list[str]:
        """Return what shapes the shards of a file beside the file."""
        whose = fingerprint(self.key)
        rules, mapped = repr(self.rules), repr(mapping)
        return [__version__, self.contract.version, mapped, rules, str(self.as_of), whose]


class _Writer:
    """Puts the sheets of one file into its shards."""

    def __init__(
        self, stage: Stage, table: Table, mapping: TableMapping, folder: Path, name: str
    ) -> None:
        self.stage, self.table, self.mapping = stage, table, mapping
        self.folder, self.name = folder, name
        self.converter = TableConverter(table, mapping, stage.as_of, stage.rules)
        self.sample = RawValueSample(stage.key)
        self.protector = Protector(stage.key, self.sample)
        self.shard = 0

    def write(self, reading: Reading, part: int) -> StagedSheet:
        """Stage one sheet."""
        kept = rejected = skipped = 0
        for chunk in reading.chunks():
            converted = self.converter.convert(chunk, self.name, reading.sheet)
            kept, rejected = kept + converted.rows.height, rejected + converted.rejected.height
            skipped += converted.skipped
            self._write(converted, part)
        self.converter.totals(reading.totals)
        self._write_problems(reading)
        counts = dict(reading.counts)
        if skipped:
            counts |= {"rows": counts["rows"] - skipped, "skipped": skipped}
        return StagedSheet(part, reading.sheet, reading.columns, counts, kept, rejected)

    def close(self) -> dict[str, Any]:
        """Keep the sample of raw values; return what was noticed over all rows."""
        self.sample.save(self.folder / SAMPLE)
        notes = self.converter.notes()
        notes["remarks"] = [*notes["remarks"], *map(self._covered, self.protector.findings)]
        return notes

    def _covered(self, found: Finding) -> dict[str, str]:
        """Return a remark on what had to be covered where the contract expects no such thing."""
        source = self.mapping.columns[found.column].source or ""
        expected = self.table.columns[found.column].protect == "free_text"
        rule = "covered_text" if expected else "covered"
        what = f"{found.kind}（{found.count:,} 个不同的值）"
        return {"rule": rule, "column": found.column, "source": source, "limit": what}

    def _write(self, converted: Converted, part: int) -> None:
        import polars as pl

        safe = self.protector.protect(self.table, converted.rows)
        safe = safe.with_columns(pl.lit(part, pl.Int32).alias("_file"))
        write_shard(self.folder, ROWS, self.shard, safe)
        write_shard(self.folder, REJECTED, self.shard, converted.rejected)
        write_shard(self.folder, FAULTS, self.shard, converted.faults)
        self.shard += 1

    def _write_problems(self, reading: Reading) -> None:
        """Rows that could not be read are faults, too."""
        import polars as pl

        rules, name = self.stage.rules, self.table.name
        found = [(p, rules.level(p.rule, name)) for p in (*reading.problems, *reading.notes)]
        if not found:
            return
        rows = [
            (self.name, reading.sheet, p.row, name, "", "", p.value, p.rule, level)
            for p, level in found
        ]
        frame = pl.DataFrame(rows, schema=fault_schema(), orient="row")
        write_shard(self.folder, FAULTS, self.shard, frame)
        self.shard += 1


def _label(path: Path, folder: Path) -> str:
    return file_label(path.relative_to(folder).as_posix())


def _address(source: DatabaseSource) -> str:
    """Return the address of the bank's database, which stands in no file."""
    if not (address := os.environ.get(source.url_env)):
        raise CourseError(
            f"mapping.yml 要从数据库取数，但环境变量 {source.url_env} 没有设置："
            "请先把数据库地址放进去，地址和口令不要写进 mapping.yml。"
        )
    return address
