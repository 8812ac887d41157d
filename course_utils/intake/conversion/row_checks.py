"""Checks of single rows against the contract, by pandera: all faults at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from course_utils.contract.model import Column, Table
    from course_utils.intake.rules import RuleBook

#: Contract type → type of a converted column.
TYPES: dict[str, Any] = {
    "id": pl.String,
    "text": pl.String,
    "code": pl.String,
    "flag": pl.Boolean,
    "integer": pl.Int64,
    "number": pl.Float64,
    "percent": pl.Float64,
    "ratio": pl.Float64,
    "money": pl.Decimal(18, 2),
    "date": pl.Date,
    "month": pl.Date,
    "timestamp": pl.Datetime("us"),
}
_NUMERIC = ("integer", "number", "money", "percent", "ratio")


class RowChecks:
    """The rules of a table's columns as a pandera schema.

    Parameters
    ----------
    table : Table
        Its definition.
    columns : list of str
        Columns that the bank delivers.
    rules : RuleBook
        Limits of this bank.
    """

    def __init__(self, table: Table, columns: list[str], rules: RuleBook) -> None:
        import pandera.polars as pa

        self.table, self.rules = table, rules
        parts = {name: self._column(table.columns[name]) for name in columns}
        self.schema = pa.DataFrameSchema(parts)

    def _column(self, column: Column) -> Any:
        import pandera.polars as pa

        checks = []
        if column.codes:
            checks.append(pa.Check.isin(list(column.codes), name="code"))
        if column.type in _NUMERIC:
            low = self.rules.limit("minimum", self.table.name, column)
            high = self.rules.limit("maximum", self.table.name, column)
            if low is not None:
                checks.append(pa.Check.ge(_limit(low), name="minimum"))
            if high is not None:
                checks.append(pa.Check.le(_limit(high), name="maximum"))
        required = not column.nullable or column.name in self.table.grain
        return pa.Column(TYPES[column.type], nullable=not required, checks=checks)

    def broken(self, rows: pl.DataFrame) -> list[tuple[str, str, pl.Series]]:
        """Return column, rule and the positions of the rows that break it."""
        import pandera.errors

        try:
            self.schema.validate(rows, lazy=True)
        except pandera.errors.SchemaErrors as errors:
            return [self._fault(error) for error in errors.schema_errors]
        return []

    def _fault(self, error: Any) -> tuple[str, str, pl.Series]:
        rule = getattr(error.check, "name", None) or "null"
        if not isinstance(error.check_output, pl.DataFrame):
            # a column of the wrong type or none at all is a slip in the program, not in the data
            raise TypeError(f"{self.table.name}.{error.schema.name}: {error}")
        wrong = ~error.check_output.to_series().fill_null(value=True)
        return error.schema.name, rule, wrong.arg_true()


def _limit(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
