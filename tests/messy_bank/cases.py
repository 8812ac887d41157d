"""A project of its own for one test: export a bank's tables, take them in, compare."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from course_utils.contract import load_contract
from course_utils.paths import data_dir

from .exports import Export, export

_PROFILE = """\
name: 示例农村商业银行
kind: 沿海县域农商行
as_of: 2025-12-31
rules:
  max_rejected_share: 0.5   # a small sample of a bank with all faults there are
"""
#: Levels that say that a row or a cell did not come through.
LOST = ("拒收", "警告")


@dataclass(frozen=True)
class Line:
    """One line of the list of faults."""

    file: str
    sheet: str
    row: int
    column: str
    rule: str
    level: str


@dataclass(frozen=True)
class Taken:
    """What became of one export."""

    export: Export
    warehouse: Path
    faults: list[Line]

    def table(self, name: str) -> pl.DataFrame:
        """Return a table of the bank, in the order of its key."""
        frame = pl.read_parquet(self.warehouse / f"{name}.parquet")
        return frame.sort(frame.columns)


class Project:
    """A folder with the contract, the lessons and no bank.

    Parameters
    ----------
    folder : Path
        An empty folder; the project and its key get their places in it.
    setenv : callable
        Sets an environment variable while the test runs.
    """

    def __init__(self, folder: Path, setenv: Callable[[str, str], None]) -> None:
        keys = folder / "keys"  # beside the project, not in it
        keys.mkdir(mode=0o700)
        self.folder = folder = folder / "project"
        contract, reference = data_dir("contract"), data_dir("reference")
        (folder / "data" / "banks").mkdir(parents=True)
        (folder / "data" / "contract").symlink_to(contract.resolve())
        (folder / "data" / "reference").symlink_to(reference.resolve())
        (folder / "lessons").symlink_to(contract.resolve().parents[1] / "lessons")
        setenv("COURSE_HOME", str(folder))
        setenv("COURSE_KEY_FILE", str(keys / "test.key"))

    def bank(self, code: str, mapping: str) -> None:
        """Write profile and mapping of a bank."""
        place = self.folder / "data" / "banks" / code
        place.mkdir()
        (place / "bank.yml").write_text(_PROFILE, encoding="utf-8")
        (place / "mapping.yml").write_text(mapping, encoding="utf-8")

    def take(self, tables: dict[str, pl.DataFrame], adapter: str, faults: bool = True) -> Taken:
        """Export the tables as one system would, and take them in."""
        from course_utils.intake.run import Request, run_intake

        code = f"x_{adapter}"
        written = export(tables, self.folder / "exports" / adapter, adapter, faults)
        self.bank(code, written.mapping)
        outcome = run_intake(Request(code, written.folder))
        assert outcome.published is not None, outcome.summary.stops
        warehouse = self.folder / "data" / "warehouse" / code
        return Taken(written, warehouse, read_faults(outcome.report))


def read_faults(report: Path) -> list[Line]:
    """Read the list of faults that the data clerk gets."""
    path = report / "问题明细.csv"
    if not path.exists():
        return []
    zh = {c.zh for t in load_contract().tables.values() for c in t.columns.values()}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [
            Line(
                row["文件"],
                row["工作表"],
                int(row["行号"] or 0),
                row["列"] if row["列"] in zh else "",
                row["规则"],
                row["级别"],
            )
            for row in csv.DictReader(stream)
        ]


def different_tables(clean: Taken, other: Taken) -> list[str]:
    """Name the tables that did not come out the same, and how they differ."""
    found = []
    for path in sorted(clean.warehouse.glob("*.parquet")):
        name = path.stem
        if not (other.warehouse / path.name).exists():
            found.append(f"{name}: missing")
            continue
        one, two = clean.table(name), other.table(name)
        if not one.equals(two):
            found.append(f"{name}: {one.height} rows against {two.height}")
    return found


def missed_faults(taken: Taken) -> list[str]:
    """Name the planted faults that the list does not have at their place."""
    there = {(x.file, x.sheet, x.row, x.level) for x in taken.faults}
    columns = {(x.file, x.sheet, x.row, x.level, x.column) for x in taken.faults}
    missed = []
    for one in taken.export.planted:
        if one.expected not in LOST:
            continue
        place = (one.file, one.sheet, one.row, one.expected)
        zh = load_contract().table(one.table).columns[one.column].zh if one.column else ""
        if not (place in there if not one.column else (*place, zh) in columns):
            missed.append(f"{one.kind} in {one.table}.{one.column}: {place}")
    return missed


def false_alarms(taken: Taken, clean: Taken, known: tuple[str, ...] = ()) -> list[Line]:
    """Return lines on rows where nothing was planted.

    Parameters
    ----------
    taken, clean : Taken
        Rules that the clean tables break, too, are no false alarms.
    known : tuple of str
        Chinese names of rules that the way of writing itself meets.
    """
    planted = {(p.file, p.sheet, p.row) for p in taken.export.planted if p.expected in LOST}
    usual = {(x.column, x.rule) for x in clean.faults}
    return [
        x
        for x in taken.faults
        if x.level in LOST
        and x.row
        and x.rule not in known
        and (x.file, x.sheet, x.row) not in planted
        and (x.column, x.rule) not in usual
    ]
