"""Typed definitions of columns, tables and the contract as a whole."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from course_utils.errors import CourseError

#: Contract type → pandas dtype of a column without nulls, and of one that may hold nulls.
DTYPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "id": ("str", "str"),
        "text": ("str", "str"),
        "code": ("str", "str"),
        "flag": ("bool", "boolean"),
        "integer": ("int64", "Int64"),
        "number": ("float64", "float64"),
        "money": ("float64", "float64"),
        "percent": ("float64", "float64"),
        "ratio": ("float64", "float64"),
        "date": ("datetime64[us]", "datetime64[us]"),
        "month": ("datetime64[us]", "datetime64[us]"),
        "timestamp": ("datetime64[us]", "datetime64[us]"),
    }
)
TEXT_TYPES = frozenset({"id", "text", "code"})
FLOAT_TYPES = frozenset({"number", "money", "percent", "ratio"})
DATE_TYPES = frozenset({"date", "month", "timestamp"})


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, zh, meaning : str
        English name, Chinese name, and one line that says what a value means.
    type : str
        One of :data:`DTYPES`.
    privacy : str
        Class of JR/T 0171: ``"C1"``, ``"C2"`` or ``"C3"``.
    unit : str, optional
    nullable, optional : bool
        Values may be missing; a real bank may lack the whole column.
    codes : tuple of str
        Allowed values of a ``code`` column.
    references : str, optional
        ``"table.column"`` that holds every value of this column.
    minimum, maximum : float, optional
    sensitive : bool
        Sensitive personal information under the PIPL.
    hide_after_as_of : bool
        A date that is blanked while it lies after the as-of date.
    known_on, known_after_days : str, int
        The value is blanked until `known_after_days` days after the date in column `known_on`.
    snapshot : bool
        The value describes the day of extraction only.
    locked : str, optional
        What the column must not be used for.
    protect : str
        How a bank's raw value becomes the stored one: ``keep``, ``pseudonym:<domain>``, ``name``,
        ``year``, ``month_number``, ``address``, ``round:<step>``, ``free_text``, ``counterparty``,
        ``organisation`` or ``refuse``. A column with `references` has the rule of the key.
    quasi_identifier : bool
        Names nobody by itself but does together with others: k-anonymity is counted over these.
    coarsen : tuple of str
        Ever coarser forms that a release to a class may use: ``year:5``, ``month``, ``year``,
        ``round:10``, ``digits:1``. Leaving the column out is always the last step.
    empty : str, optional
        What a mart holds where there was nothing to add up: ``"zero"`` or ``"unknown"`` (null).
    """

    name: str
    zh: str
    type: str
    meaning: str
    privacy: str
    unit: str | None = None
    nullable: bool = False
    optional: bool = False
    codes: tuple[str, ...] = ()
    references: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    sensitive: bool = False
    hide_after_as_of: bool = False
    known_on: str | None = None
    known_after_days: int = 0
    snapshot: bool = False
    locked: str | None = None
    protect: str = "keep"
    quasi_identifier: bool = False
    coarsen: tuple[str, ...] = ()
    empty: str | None = None

    @property
    def dtype(self) -> str:
        """Pandas dtype in which generators and intake write the column."""
        plain, with_nulls = DTYPES[self.type]
        return with_nulls if self.nullable else plain

    @property
    def reference(self) -> tuple[str, str] | None:
        """Table and column referred to, or None."""
        if self.references is None:
            return None
        table, _, column = self.references.partition(".")
        return table, column

    @property
    def domain(self) -> str | None:
        """Kind of thing that a pseudonym stands for (``customer``, ``phone`` …), or None.

        Equal raw values get equal pseudonyms within a domain and unlinkable ones across domains.
        """
        rule, _, domain = self.protect.partition(":")
        return domain if rule == "pseudonym" else None


@dataclass(frozen=True)
class Table:
    """One table of the contract.

    Parameters
    ----------
    name, zh, meaning : str
        English name, Chinese name, and what one row is.
    grain : tuple of str
        Columns of the primary key.
    owner : str
        Department that answers for the data.
    size : str
        ``static``, ``per_branch``, ``per_customer`` or ``per_event``.
    columns : mapping of str to Column
        In the order of the contract.
    lessons : tuple of str
        Lessons that read the table.
    area : str
        Name of the contract file.
    as_of : str, optional
        Date column: rows dated after the as-of date do not exist yet.
    as_of_year : str, optional
        Year column: a row exists once that year is over.
    optional : bool
        A real bank may lack the table.
    checker_only : bool
        Only the checker reads it; never part of the trainee kit.
    release : str
        What a row is, for whoever lets rows out: ``open`` (reference data without persons),
        ``aggregate`` (branch level), ``person``, ``event`` (something a person did) or
        ``invented`` (made up for teaching; never taken from a bank).
    """

    name: str
    zh: str
    meaning: str
    grain: tuple[str, ...]
    owner: str
    size: str
    columns: Mapping[str, Column]
    lessons: tuple[str, ...] = ()
    area: str = ""
    as_of: str | None = None
    as_of_year: str | None = None
    optional: bool = False
    checker_only: bool = False
    release: str = "person"

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Columns that every bank must have."""
        return tuple(c.name for c in self.columns.values() if not c.optional)

    @property
    def foreign_keys(self) -> Mapping[str, tuple[str, str]]:
        """Column → (table, column) it refers to."""
        return {c.name: c.reference for c in self.columns.values() if c.reference is not None}

    def column(self, name: str) -> Column:
        """Return one column; an unknown name becomes a Chinese sentence with the nearest name."""
        if name in self.columns:
            return self.columns[name]
        guess = nearest(name, {c.name: c.zh for c in self.columns.values()})
        raise CourseError(f"“{self.zh}”（{self.name}）没有“{name}”这一列，{guess}。")

    def chinese_names(self) -> dict[str, str]:
        """Return English column name → Chinese name, ready for ``DataFrame.rename``."""
        return {c.name: c.zh for c in self.columns.values()}

    def dtypes(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """Return column → pandas dtype, ready for ``DataFrame.astype``."""
        wanted = self.columns if names is None else names
        return {name: self.column(name).dtype for name in wanted}


@dataclass(frozen=True)
class Contract:
    """All tables of the contract.

    Attributes
    ----------
    version : str
    tables : mapping of str to Table
        In the order of the areas.
    areas : mapping of str to str
        Area (file name without ending) → Chinese name.
    legend : mapping
        What the types, privacy classes, sizes and attributes mean, in Chinese.
    """

    version: str
    tables: Mapping[str, Table]
    areas: Mapping[str, str] = field(default_factory=dict)
    legend: Mapping[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """Return one table; an unknown name becomes a Chinese sentence with the nearest name."""
        if name in self.tables:
            return self.tables[name]
        guess = nearest(name, {t.name: t.zh for t in self.tables.values()})
        raise CourseError(f"数据契约里没有“{name}”这张表，{guess}。")

    def for_lesson(self, lesson: str) -> list[Table]:
        """Return the tables that a lesson reads, by its short or full name."""
        short = "_".join(lesson.split("_")[:2])
        return [t for t in self.tables.values() if short in t.lessons]


def nearest(name: object, names: Mapping[str, str]) -> str:
    """Say which known name somebody may have meant.

    Parameters
    ----------
    name : object
        What was written.
    names : mapping of str to str
        English name → Chinese name.
    """
    written = str(name)
    for english, chinese in names.items():
        if written == chinese:
            return f"请用它的英文名“{english}”"
    close = difflib.get_close_matches(written.lower(), names, 1)
    if not close:
        chinese_close = difflib.get_close_matches(written, names.values(), 1)
        close = [english for english, chinese in names.items() if chinese in chinese_close][:1]
    if not close:
        return "请在数据字典里查对名称"
    return f"最接近的是“{close[0]}”（{names[close[0]]}），请核对后重写"
