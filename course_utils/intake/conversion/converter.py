"""One table: chunk after chunk of raw text becomes typed rows, rejected rows and faults."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from course_utils.intake.conversion.cells import (
    NOTHING,
    NOTHING_BUT_TEXT,
    Cells,
    blank,
    strip,
    translate,
)
from course_utils.intake.conversion.choices import (
    convert_code,
    convert_flag,
    convert_id,
    convert_text,
)
from course_utils.intake.conversion.dates import DayOrder, convert_date
from course_utils.intake.conversion.gather import combined, from_name, wanted
from course_utils.intake.conversion.notes import Notes
from course_utils.intake.conversion.numbers import convert_number, parse_money
from course_utils.intake.conversion.row_checks import TYPES, RowChecks
from course_utils.intake.faults import REFUSE, STOP, fault_schema
from course_utils.intake.mapping import factor
from course_utils.intake.reading.names import normalise
from course_utils.intake.rules import CATALOGUE, rule
from course_utils.intake.rules.masking import mask

if TYPE_CHECKING:
    from course_utils.contract.model import Column, Table
    from course_utils.intake.mapping import ColumnMapping, TableMapping
    from course_utils.intake.rules import RuleBook

_DROPS = (REFUSE, STOP)
_DATES = ("date", "month", "timestamp")
_GRAND_TOTAL = re.compile(r"[合总共]\s*计")
_NOTHING = {"text": NOTHING, "id": NOTHING, "flag": NOTHING_BUT_TEXT - {"无"}}


@dataclass
class Converted:
    """What became of one chunk.

    Parameters
    ----------
    rows : polars.DataFrame
        ``_row`` and the contract's columns, typed: rows that may stay, identifiers still raw.
    rejected : polars.DataFrame
        ``_row``, ``reasons`` in Chinese, ``_file``, ``_sheet``, and the source columns that are
        mapped, masked where they are sensitive.
    faults : polars.DataFrame
        In the form of :func:`course_utils.intake.faults.fault_schema`.
    skipped : int
        Rows that the mapping does not want; they are in neither frame.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame
    faults: pl.DataFrame
    skipped: int = 0


@dataclass(frozen=True)
class _Mark:
    """Rows (positions in the chunk) of one column that met one rule."""

    rule: str
    column: Column
    positions: pl.Series


class TableConverter:
    """Converts the chunks of one file.

    Parameters
    ----------
    table : Table
        What the rows are to become.
    mapping : TableMapping
        Where each column comes from.
    as_of : datetime.date
        Last day that is known.
    rules : RuleBook
        Levels and limits of this bank.
    """

    def __init__(self, table: Table, mapping: TableMapping, as_of: date, rules: RuleBook) -> None:
        self.table, self.mapping, self.as_of, self.rules = table, mapping, as_of, rules
        self.columns = [name for name in table.columns if name in mapping.columns]
        said = {name: mapping.columns[name].order for name in self.columns}
        self._orders = {name: DayOrder.said(order, as_of) for name, order in said.items()}
        self._skipped = 0
        self._checks = RowChecks(table, self.columns, rules)
        self._notes = Notes(table, mapping)

    def notes(self) -> dict[str, Any]:
        """Return what was noticed over all rows so far, ready for JSON.

        Keys: ``rows``, ``filled`` (column → filled cells of kept rows), ``translated`` (column →
        code → [contract code, cells]), ``unknown_codes`` (column → code → cells) and ``remarks``
        (rules that a column as a whole met: dictionaries with ``rule``, ``column``, ``source``,
        ``limit``).
        """
        return self._notes.as_dict(self._orders)

    def convert(self, chunk: pl.DataFrame, file: str, sheet: str) -> Converted:
        """Convert one chunk.

        Parameters
        ----------
        chunk : polars.DataFrame
            ``_row`` and one text column for each column of the file.
        file, sheet : str
            Where it came from, for the faults.

        Raises
        ------
        CourseError
            If the file lacks a column that the table cannot do without.
        """
        seen = chunk.height
        chunk = wanted(chunk, self.mapping, file, sheet)
        raw = self._raw(chunk, file, sheet)
        marks: list[_Mark] = []
        typed: dict[str, pl.Series] = {}
        for name in self.columns:
            column = self.table.columns[name]
            cells = self._column(column, raw[name], chunk.height, file, sheet)
            typed[name] = cells.values.alias(name)
            marks += [_Mark(one, column, where) for one, where in cells.marks]
        rows = pl.DataFrame(typed)
        rounded = {m.column.name: len(m.positions) for m in marks if m.rule == "rounded"}
        self._notes.sums(rows, rounded)
        marks += self._row_faults(rows, marks)
        marks += self._time_faults(rows)
        done = self._sort_out(chunk, raw, rows, marks, file, sheet)
        done.skipped = seen - chunk.height
        self._skipped += done.skipped
        return done

    def totals(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Compare the totals that stand in a sheet with its rows; call it after the last chunk.

        Parameters
        ----------
        rows : sequence of mappings
            Rows of totals and footers as the reading room delivers them.
        """
        if self._skipped:  # a total stands for all rows of the sheet
            return
        found: dict[str, list[Decimal]] = {}
        grand = [row for row in rows if _GRAND_TOTAL.search("".join(list(row.values())[:3]))]
        for name in self.columns:
            column, given = self.table.columns[name], self.mapping.columns[name]
            if column.type != "money" or len(given.sources) != 1 or given.absolute:
                continue
            scale = Decimal(factor(column, given.unit or self.mapping.unit))
            cells = [str(row.get(normalise(given.source)) or "").strip() for row in grand]
            cells = [self._decimal(pl.Series([cell]))[0] for cell in cells]
            parsed = [parse_money(cell, column, scale)[0] for cell in cells if cell]
            found[name] = [value for value in parsed if value is not None]
        self._notes.totals(found)

    def _raw(self, chunk: pl.DataFrame, file: str, sheet: str) -> dict[str, pl.Series | None]:
        found = {normalise(name): name for name in reversed(chunk.columns)}
        raw: dict[str, pl.Series | None] = {}
        for name in self.columns:
            given = self.mapping.columns[name]
            there = [found.get(normalise(source)) for source in given.sources]
            for source, actual in zip(given.sources, there, strict=True):
                if actual is None:
                    self._notes.missing(self.table.columns[name], source, file, sheet)
            known = [chunk[actual] for actual in there if actual is not None]
            whole = known and len(known) == len(there)
            raw[name] = combined(given, known) if whole else None
        return raw

    def _column(
        self, column: Column, raw: pl.Series | None, height: int, file: str, sheet: str
    ) -> Cells:
        given = self.mapping.columns[column.name]
        dtype = TYPES[column.type]
        if given.generate is not None:
            return Cells(pl.Series([None] * height, dtype=dtype))
        if given.value is not None:
            one = self._typed(column, given, pl.Series([given.value], dtype=pl.String))
            return Cells(one.values.new_from_index(0, height))
        if given.file is not None:
            text = pl.Series([from_name(given.file, column, file, sheet)], dtype=pl.String)
            return Cells(self._typed(column, given, text).values.new_from_index(0, height))
        if raw is None:
            return Cells(pl.Series([None] * height, dtype=dtype))
        return self._typed(column, given, raw)

    def _typed(self, column: Column, given: ColumnMapping, raw: pl.Series) -> Cells:
        text = strip(raw)
        if given.codes:
            self._notes.translated(column, given, text)
            text = translate(text, given.codes)
        text = blank(text, _NOTHING.get(column.type, NOTHING_BUT_TEXT))
        if column.type == "id":
            self._notes.identifiers(column, text)
            return convert_id(text)
        if column.type == "text":
            return convert_text(text)
        if column.type == "flag":
            return convert_flag(text)
        if column.type == "code":
            cells = convert_code(text, column.codes)
            self._notes.unknown(column, text, cells)
            return cells
        if column.type in _DATES:
            may_miss = column.nullable and column.name not in self.table.grain
            return convert_date(text, column.type, may_miss, self._orders[column.name])
        unit = given.unit or (self.mapping.unit if column.type == "money" else None)
        cells = convert_number(self._decimal(text), column, unit)
        if given.absolute:
            cells.values = cells.values.abs()
        self._notes.scale(column, cells.values)
        return cells

    def _decimal(self, text: pl.Series) -> pl.Series:
        """Write 1.234,56 as 1,234.56 where the bank writes a comma before the decimals."""
        if self.mapping.decimal != ",":
            return text
        return text.str.replace_many([".", ","], [",", "."])

    def _row_faults(self, rows: pl.DataFrame, marks: list[_Mark]) -> list[_Mark]:
        """Add what the contract's own rules find; a cell that was unreadable is not also empty."""
        found = []
        for name, code, positions in self._checks.broken(self._generated(rows)):
            column = self.table.columns[name]
            if code == "null":
                known = [m.positions for m in marks if m.column is column and self._unread(m)]
                if known:
                    seen = pl.concat(known).implode()
                    positions = positions.filter(~positions.is_in(seen))
            if len(positions):
                found.append(_Mark(code, column, positions))
        return found

    def _generated(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Stand something in for columns that are filled once the row numbers are known."""
        made = [n for n in self.columns if self.mapping.columns[n].generate is not None]
        ones = [pl.lit(1).cast(rows[n].dtype).alias(n) for n in made]
        return rows.with_columns(ones) if made else rows

    def _unread(self, mark: _Mark) -> bool:
        return rule(mark.rule).kind == "unreadable"

    def _time_faults(self, rows: pl.DataFrame) -> list[_Mark]:
        found = []
        for name in self.columns:
            column = self.table.columns[name]
            if name == self.table.as_of_year:
                last = self.as_of.year if (self.as_of.month, self.as_of.day) == (12, 31) else -1
                finished = last if last > 0 else self.as_of.year - 1
                late = (rows[name] > finished).fill_null(value=False).arg_true()
                found += [_Mark("after_as_of", column, late)] if len(late) else []
                continue
            if name == self.table.as_of:
                code = "after_as_of"
            elif column.hide_after_as_of:
                code = "hidden_after_as_of"
            else:
                continue
            late = (rows[name].cast(pl.Date) > self.as_of).fill_null(value=False).arg_true()
            if len(late):
                found.append(_Mark(code, column, late))
        return found

    def _sort_out(
        self,
        chunk: pl.DataFrame,
        raw: dict[str, pl.Series | None],
        rows: pl.DataFrame,
        marks: list[_Mark],
        file: str,
        sheet: str,
    ) -> Converted:
        numbers = chunk["_row"]
        dropped = pl.Series([False] * chunk.height, dtype=pl.Boolean)
        parts = []
        for mark in marks:
            key = mark.column.name in self.table.grain
            level = self.rules.level(mark.rule, self.table.name, mark.column, key)
            if level in _DROPS:
                dropped = dropped.scatter(mark.positions, True)
            elif self.rules.blanks(mark.rule, self.table.name, mark.column):
                name = mark.column.name
                nothing = pl.Series([None], dtype=rows[name].dtype)
                rows = rows.with_columns(rows[name].scatter(mark.positions, nothing))
            parts.append(self._faults(mark, level, numbers, raw[mark.column.name], file, sheet))
        rows = self._generate(rows.insert_column(0, numbers), file, sheet)
        faults = pl.concat(parts) if parts else pl.DataFrame(schema=fault_schema())
        rejected = self._rejected(numbers, raw, dropped, faults)
        rejected = rejected.with_columns(_file=pl.lit(file), _sheet=pl.lit(sheet))
        kept = rows.filter(~dropped) if len(rejected) else rows
        self._notes.kept(kept)
        return Converted(kept, rejected, faults.sort("row", maintain_order=True))

    def _generate(self, rows: pl.DataFrame, file: str, sheet: str) -> pl.DataFrame:
        for name in self.columns:
            if self.mapping.columns[name].generate is None:
                continue
            if self.table.columns[name].type != "id":
                rows = rows.with_columns(pl.col("_row").cast(rows[name].dtype).alias(name))
                continue
            place = hashlib.sha256(f"{file}\n{sheet}".encode()).hexdigest()[:8]
            key = pl.format("{}-{}", pl.lit(place), pl.col("_row"))
            rows = rows.with_columns(key.alias(name))
        return rows

    def _faults(
        self,
        mark: _Mark,
        level: str,
        numbers: pl.Series,
        raw: pl.Series | None,
        file: str,
        sheet: str,
    ) -> pl.DataFrame:
        column, height = mark.column, len(mark.positions)
        empty = pl.Series([""], dtype=pl.String).new_from_index(0, height)
        shown = empty if raw is None else mask(raw.gather(mark.positions), column)
        source = self.mapping.columns[column.name].source or ""
        texts = {"table": self.table.name, "column": column.name, "source": source}
        frame = pl.DataFrame({"row": numbers.gather(mark.positions), "value": shown})
        texts |= {"file": file, "sheet": sheet, "rule": mark.rule, "level": level}
        frame = frame.with_columns(pl.lit(text).alias(name) for name, text in texts.items())
        return frame.select(list(fault_schema()))

    def _rejected(
        self,
        numbers: pl.Series,
        raw: dict[str, pl.Series | None],
        dropped: pl.Series,
        faults: pl.DataFrame,
    ) -> pl.DataFrame:
        positions = dropped.arg_true()
        rows = pl.DataFrame({"_row": numbers.gather(positions)})
        if not len(positions):
            return rows.with_columns(pl.lit("").alias("reasons"))
        names = {name: self.table.columns[name].zh for name in self.columns}
        told = {code: one.zh for code, one in CATALOGUE.items()}
        reason = pl.format("{}：{}", pl.col("column").replace(names), pl.col("rule").replace(told))
        reasons = (
            faults.filter(pl.col("level").is_in(_DROPS))
            .group_by(pl.col("row").alias("_row"))
            .agg(reason.unique(maintain_order=True).str.join("；").alias("reasons"))
        )
        rows = rows.join(reasons, on="_row", how="left", maintain_order="left")
        shown: dict[str, pl.Series] = {}
        for name, values in raw.items():
            source = self.mapping.columns[name].source
            if values is not None and source is not None and source not in shown:
                shown[source] = mask(values.gather(positions), self.table.columns[name])
        return rows.with_columns(values.alias(source) for source, values in shown.items())
