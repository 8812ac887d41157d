"""What an intake hands to its report, and what the report makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_utils.contract.model import Contract
    from course_utils.intake.mapping import BankMapping
    from course_utils.intake.rules import RuleBook


@dataclass(frozen=True)
class FileResult:
    """One text file, sheet or query.

    Parameters
    ----------
    table : str
        Table of the contract that it feeds.
    file, sheet : str
        Its name for people; `sheet` is empty for text.
    columns : sequence of str
        Its header.
    counts : mapping of str to int
        Lines by what they were; ``lines`` is the sum of the others.
    kept, rejected : int
        Rows after the checks of single rows.
    notes : mapping
        What the converter noticed, see :meth:`TableConverter.notes`; of several sheets of one file
        the first carries them.
    """

    table: str
    file: str
    sheet: str = ""
    columns: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    kept: int = 0
    rejected: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IntakeResult:
    """All that is known after an intake.

    Parameters
    ----------
    bank, name : str
        Code and name of the bank.
    as_of : datetime.date
        Last day that is known.
    made : str
        When, as 2026-01-31 08:30.
    contract : Contract
    mapping : BankMapping
    rules : RuleBook
    files : sequence of FileResult
    kept : mapping of str to int
        Table → rows after all checks.
    faults : sequence of pathlib.Path
        Parquet files in the form of :func:`course_utils.intake.faults.fault_schema`: those of the
        rows, and those of the checks of sets.
    rejected : mapping of str to sequence of pathlib.Path
        Table → Parquet files of rows that were left out, masked.
    messages : sequence of str
        Further Chinese sentences for the head of the report.
    """

    bank: str
    name: str
    as_of: date
    made: str
    contract: Contract
    mapping: BankMapping
    rules: RuleBook
    files: Sequence[FileResult] = ()
    kept: Mapping[str, int] = field(default_factory=dict)
    faults: Sequence[Path] = ()
    rejected: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    messages: Sequence[str] = ()


@dataclass(frozen=True)
class RuleCount:
    """How often one rule was met in one column."""

    table: str
    table_zh: str
    column: str
    column_zh: str
    source: str
    rule: str
    rule_zh: str
    level: str
    problem: str
    mend: str
    count: int


@dataclass(frozen=True)
class TableSummary:
    """What became of the rows of one table.

    Parameters
    ----------
    table, zh : str
    files : int
    read : int
        Rows in all files, with those that could not be read.
    kept : int
    rejected : mapping of str to int
        Rule → rows; a row that breaks several counts once.
    balanced : bool
        ``read`` is ``kept`` plus all rejected rows.
    """

    table: str
    zh: str
    files: int
    read: int
    kept: int
    rejected: Mapping[str, int]

    @property
    def lost(self) -> int:
        """Rows that were left out."""
        return sum(self.rejected.values())

    @property
    def late(self) -> int:
        """Rows after the last known day: left out, but no fault of the data."""
        return self.rejected.get("after_as_of", 0)

    @property
    def share(self) -> float:
        """Share of rows that were left out, 0 to 1."""
        return self.lost / self.read if self.read else 0.0

    @property
    def fault_share(self) -> float:
        """Share of rows that were left out for a fault, 0 to 1."""
        return (self.lost - self.late) / self.read if self.read else 0.0

    @property
    def balanced(self) -> bool:
        """Every row that came in is accounted for."""
        return self.read == self.kept + self.lost


@dataclass(frozen=True)
class Summary:
    """What the report says in short.

    Parameters
    ----------
    tables : tuple of TableSummary
    rules : tuple of RuleCount
        The worst first.
    stops : tuple of str
        Chinese sentences: why nothing may be published; empty if it may.
    """

    tables: tuple[TableSummary, ...]
    rules: tuple[RuleCount, ...]
    stops: tuple[str, ...]

    @property
    def may_publish(self) -> bool:
        """Nothing keeps the tables from being published."""
        return not self.stops
