"""A table of the bank as a table of the contract, in SQL: what the mapping says, said to an engine.

The same as the conversion of files as far as SQL can say it; what it cannot is refused, not left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.intake.mapping import factor
from course_utils.intake.mapping.model import OTHERS
from course_utils.intake.marts.translate import select_only

if TYPE_CHECKING:
    from sqlglot import exp

    from course_utils.contract import Column, Table
    from course_utils.intake.mapping import ColumnMapping, TableMapping
    from course_utils.intake.marts.engines import Engine

_TEXTS = ("id", "text", "code")
_DAYS = ("date", "month")
#: What a column of dates holds in the engine: days, times of a day, or texts such as 20240131.
DAY, MOMENT, TEXT = "day", "moment", "text"


def contract_select(engine: Engine, mapping: TableMapping, table: Table) -> str:
    """Return the SELECT that turns a table of the bank into a table of the contract.

    Parameters
    ----------
    engine : Engine
        Where the table is; it is asked for one date of each column of dates.
    mapping : TableMapping
        With ``database``.
    table : Table
        Definition in the contract.

    Raises
    ------
    CourseError
        If a column cannot be had by SQL alone, or the query is no SELECT.
    """
    from sqlglot import exp

    if mapping.decimal == ",":
        raise CourseError(
            f"--engine：“{table.zh}”的 decimal 只用于文本，数据库里请存数值，并删去 decimal。"
        )
    place = _place(mapping, engine.dialect)
    days = {
        name: _kind_of_day(engine, place, one.source)
        for name, one in mapping.columns.items()
        if table.columns[name].type in _DAYS and one.source is not None
    }
    chosen = [
        _expression(table.columns[name], one, mapping.unit, days.get(name, DAY)).as_(
            name, quoted=True
        )
        for name, one in mapping.columns.items()
    ]
    select = exp.select(*chosen).from_(place)
    for name, values in mapping.only.items():
        select = select.where(_one_of(name, values))
    for name, values in mapping.skip.items():
        select = select.where(exp.not_(_one_of(name, values)))
    return select.sql(dialect=engine.dialect)


def _place(mapping: TableMapping, dialect: str) -> exp.Expression:
    from sqlglot import exp

    source = mapping.database
    assert source is not None
    if source.query is None:
        return exp.to_table(source.table or "", dialect=dialect)
    return exp.Subquery(
        this=select_only(source.query, dialect),
        alias=exp.TableAlias(this=exp.to_identifier("source")),
    )


def _kind_of_day(engine: Engine, place: exp.Expression, source: str) -> str:
    """Look at one value: banks keep days as dates, as times and as texts."""
    from sqlglot import exp

    column = exp.column(source, quoted=True)
    query = exp.select(column).from_(place.copy()).where(column.copy().is_(exp.null()).not_())
    batch = next(iter(engine.rows(query.limit(1).sql(dialect=engine.dialect))), None)
    value = batch[0][0] if batch else None
    if isinstance(value, datetime):
        return MOMENT
    return DAY if value is None or isinstance(value, date) else TEXT


def _expression(
    column: Column, mapped: ColumnMapping, unit: str | None, day: str
) -> exp.Expression:
    from sqlglot import exp

    if mapped.file is not None or mapped.order in ("dmy", "mdy"):
        raise CourseError(
            f"--engine：“{column.zh}”（{column.name}）的 file、order 只用于文件，"
            "请在数据库的 query 里写成列和日期。"
        )
    if mapped.generate is not None:
        # a key of last resort; which row gets which number plays no part in a mart
        return exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=[exp.Null()]))
    if mapped.value is not None:
        return _flag(exp.Literal.string(mapped.value), column)
    value = _gathered(mapped)
    if mapped.codes:
        value = _coded(_text(value), mapped.codes)
    if column.type in _TEXTS or column.type == "flag":
        return _flag(_text(value), column)
    if column.type in _DAYS:
        return _day(value, day)
    if mapped.absolute:
        value = exp.Abs(this=value)
    times = factor(column, mapped.unit or (unit if column.type == "money" else None))
    return value if times == "1" else exp.Mul(this=value, expression=exp.Literal.number(times))


def _gathered(mapped: ColumnMapping) -> exp.Expression:
    """Return the value before codes and units: of several columns, the first that is not zero."""
    from sqlglot import exp

    columns = [exp.column(name, quoted=True) for name in mapped.sources]
    if len(columns) == 1 and not mapped.signs:
        return columns[0]
    zero = exp.Literal.number(0)
    if mapped.which:
        case = exp.Case()
        for one, value in zip(columns, mapped.which, strict=True):
            case = case.when(exp.NEQ(this=one, expression=zero), exp.Literal.string(value))
        return case
    filled = [exp.func("NULLIF", one, zero) for one in columns]
    value = columns[0] if len(columns) == 1 else exp.func("COALESCE", *filled, columns[0].copy())
    if not mapped.signs:
        return value
    minus, plus = mapped.signs.get("-"), mapped.signs.get("+")
    return (
        exp.Case()
        .when(exp.LT(this=value, expression=zero), _literal(minus))
        .when(exp.GTE(this=value.copy(), expression=zero), _literal(plus))
    )


def _literal(value: str | None) -> exp.Expression:
    from sqlglot import exp

    return exp.null() if value is None else exp.Literal.string(value)


def _coded(text: exp.Expression, codes: Mapping[str, str]) -> exp.Expression:
    from sqlglot import exp

    case = exp.Case()
    if OTHERS in codes:
        case = case.when(text.copy().is_(exp.null()), exp.null())
    for code, meant in codes.items():
        if code != OTHERS:
            case = case.when(
                exp.EQ(this=text.copy(), expression=exp.Literal.string(code)),
                exp.Literal.string(meant),
            )
    if OTHERS not in codes:
        return case.else_(text)
    return case.else_(exp.Literal.string(codes[OTHERS]))


def _text(value: exp.Expression) -> exp.Expression:
    """Return the text without blanks around it; an empty one is missing."""
    from sqlglot import exp

    return exp.func("NULLIF", exp.Trim(this=exp.cast(value, "text")), exp.Literal.string(""))


def _flag(text: exp.Expression, column: Column) -> exp.Expression:
    """Return the truth of a text, for a flag; other texts as they are."""
    from sqlglot import exp

    from course_utils.intake.conversion.choices import NO, YES

    if column.type != "flag":
        return text
    lower = exp.Lower(this=text)
    return (
        exp.Case().when(_among(lower, YES), exp.true()).when(_among(lower.copy(), NO), exp.false())
    )


def _day(value: exp.Expression, kind: str) -> exp.Expression:
    """Return a date, also of 2024-01-31 10:30:00 and of texts and numbers such as 20240131."""
    from sqlglot import exp

    if kind == DAY:
        return value
    if kind == MOMENT:
        return exp.cast(value, "date")
    text = _text(value)
    for mark in ("-", "/", "."):
        text = exp.func("REPLACE", text, exp.Literal.string(mark), exp.Literal.string(""))
    parts = [
        exp.Substring(
            this=text.copy(), start=exp.Literal.number(start), length=exp.Literal.number(length)
        )
        for start, length in ((1, 4), (5, 2), (7, 2))
    ]
    dash = exp.Literal.string("-")
    return exp.cast(
        exp.func("CONCAT", parts[0], dash.copy(), parts[1], dash.copy(), parts[2]), "date"
    )


def _one_of(name: str, values: tuple[str, ...]) -> exp.Expression:
    """Compare a column with texts; a missing one is the empty text."""
    from sqlglot import exp

    text = exp.Trim(this=exp.cast(exp.column(name, quoted=True), "text"))
    return _among(exp.func("COALESCE", text, exp.Literal.string("")), values)


def _among(text: exp.Expression, values: Iterable[str]) -> exp.Expression:
    from sqlglot import exp

    return exp.In(this=text, expressions=[exp.Literal.string(v) for v in sorted(values)])
