"""What the mapping says: which file and which column feeds which column of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_utils.contract.model import Table

#: What ``generate:`` may ask for: the number of the row as a key of last resort.
GENERATORS = ("row",)
#: What ``order:`` may say of dates whose year does not come first in four digits.
ORDERS = ("ymd", "dmy", "mdy")
#: In ``codes:``, every value that is not listed.
OTHERS = "*"


def is_deliverable(table: Table) -> bool:
    """Say whether a bank's data may feed a table at all: some are made up for teaching."""
    return not table.checker_only and table.release != "invented"


@dataclass(frozen=True)
class ColumnMapping:
    """Where one column comes from: one of `source`, `value`, `generate`, `file`.

    Parameters
    ----------
    column : str
        Column of the contract.
    source : str, optional
        Name of the column in the file.
    unit : str, optional
        Unit in which the file delivers it, one of `course_utils.intake.mapping.units`.
    codes : mapping of str to str
        The bank's code → the contract's code; what is not in it is taken as it stands, unless
        :data:`OTHERS` says what all others mean.
    value : str, optional
        Every row has this value.
    generate : str, optional
        One of :data:`GENERATORS`.
    file : str, optional
        Regular expression that finds the value in the name of the file (and sheet): its first
        group, or all of it.
    others : tuple of str
        Further columns of the file: the first of all that is neither empty nor zero counts.
    which : tuple of str
        The value for each of `source` and `others`: it says which of them was filled.
    signs : mapping of str to str
        ``"+"`` and ``"-"`` → the value that the sign of the source stands for.
    absolute : bool
        A number counts without its sign.
    order : str, optional
        One of :data:`ORDERS`.
    """

    column: str
    source: str | None = None
    unit: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    value: str | None = None
    generate: str | None = None
    file: str | None = None
    others: tuple[str, ...] = ()
    which: tuple[str, ...] = ()
    signs: Mapping[str, str] = field(default_factory=dict)
    absolute: bool = False
    order: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """All columns of the file that it looks at."""
        return () if self.source is None else (self.source, *self.others)


@dataclass(frozen=True)
class DatabaseSource:
    """A table or a query in the bank's database; the address is in an environment variable."""

    url_env: str
    query: str | None = None
    table: str | None = None


@dataclass(frozen=True)
class TableMapping:
    """Where one table of the contract comes from: files or a database.

    Parameters
    ----------
    table : str
        Table of the contract.
    files : tuple of str
        Patterns below the folder of the exports.
    database : DatabaseSource, optional
    encoding, delimiter, sheet : str, optional
        Said by the mapping; None means that the reader finds out.
    header : tuple of int
        Rows of the header, counted from 1.
    drop : tuple of str
        Regular expressions of rows that are no data.
    unit : str, optional
        Unit of all money columns that do not say their own.
    decimal : str, optional
        ``","`` where numbers are written 1.234,56.
    only, skip : mapping of str to tuple of str
        Column of the file → values: only rows that have one of them, no row that has one.
    columns : mapping of str to ColumnMapping
        If the table comes from several sources: of all of them, the first that has a column.
    sources_apart : tuple of TableMapping
        One a source, where a table comes from exports of different shape (loans to persons, loans
        to firms); empty for a single one.
    """

    table: str
    files: tuple[str, ...] = ()
    database: DatabaseSource | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: tuple[int, ...] = ()
    drop: tuple[str, ...] = ()
    unit: str | None = None
    decimal: str | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skip: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, ColumnMapping] = field(default_factory=dict)
    sources_apart: tuple[TableMapping, ...] = ()

    @property
    def parts(self) -> tuple[TableMapping, ...]:
        """The table's sources, each read by its own settings."""
        return self.sources_apart or (self,)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the source columns that are used, each once."""
        named = [name for column in self.columns.values() for name in column.sources]
        return tuple(dict.fromkeys([*named, *self.only, *self.skip]))


@dataclass(frozen=True)
class BankMapping:
    """The mapping of one bank.

    Parameters
    ----------
    code : str
        Code of the bank.
    folder : str, optional
        Folder of the exports, relative to the project; None means ``data/incoming/<code>``.
    tables : mapping of str to TableMapping
        Iterating over the mapping gives the parts of all tables.
    """

    code: str
    folder: str | None = None
    tables: Mapping[str, TableMapping] = field(default_factory=dict)

    def __iter__(self) -> Iterator[TableMapping]:
        for table in self.tables.values():
            yield from table.parts
