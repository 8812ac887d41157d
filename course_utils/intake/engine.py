"""``--engine``: raw rows stay where they live; only what was worked out from them is fetched.

A table of events that the mapping takes from a database (``database:``) is not read row by row:
its columns are renamed, coded and scaled by the same mapping in SQL, the marts run over it in the
bank's own engine, and the results are de-identified batch by batch before they are written.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from course_utils.errors import CourseError
from course_utils.intake.mapping import factor
from course_utils.intake.marts import protecting, run_marts
from course_utils.intake.marts.translate import DIALECTS
from course_utils.intake.privacy import Protector

if TYPE_CHECKING:
    from sqlglot import exp

    from course_utils.contract import Column, Contract
    from course_utils.intake.mapping import BankMapping, ColumnMapping, TableMapping
    from course_utils.intake.marts import Derived

#: Size of the tables that are never read row by row where an engine can do it.
EVENTS = "per_event"


def staying(mapping: BankMapping, contract: Contract) -> list[TableMapping]:
    """Return the sources whose rows stay in the engine.

    Raises
    ------
    CourseError
        If there are none, or a table has several.
    """
    kept = [
        part
        for part in mapping
        if part.database is not None and contract.table(part.table).size == EVENTS
    ]
    if not kept:
        raise CourseError(
            "mapping.yml 里没有从数据库取的流水类表，--engine 用不上："
            "请给交易流水、商户日交易写上 database，或去掉 --engine。"
        )
    if len({part.table for part in kept}) < len(kept):
        raise CourseError("--engine 的一张表只能有一个来源：请在数据库里先用视图把它们合在一起。")
    return kept


def fetch_marts(
    engine: str,
    mapping: BankMapping,
    contract: Contract,
    key: bytes,
    as_of: datetime.date,
    folder: Path,
) -> list[Derived]:
    """Run the marts over the tables that stay in the engine.

    Parameters
    ----------
    engine : str
        Address, see :func:`course_utils.intake.marts.engines.open_engine`.
    mapping : BankMapping
        Where the tables are.
    contract : Contract
        Their definitions.
    key : bytes
        The bank's key.
    as_of : datetime.date
        Day of the extraction.
    folder : pathlib.Path
        Where the marts are written.

    Raises
    ------
    CourseError
        If the mapping leaves nothing to the engine, or the engine does not answer.
    """
    dialect = _dialect(engine)
    tables = {
        part.table: contract_select(part, contract, dialect) for part in staying(mapping, contract)
    }
    folder.mkdir(parents=True, exist_ok=True)
    protect = protecting(Protector(key), contract)
    return run_marts(engine, tables, as_of, folder, protect=protect)


def contract_select(mapping: TableMapping, contract: Contract, dialect: str) -> str:
    """Return the SELECT that turns a table of the bank into a table of the contract.

    Parameters
    ----------
    mapping : TableMapping
        With ``database``.
    contract : Contract
        Definition of the table.
    dialect : str
        Dialect of sqlglot.

    Raises
    ------
    CourseError
        If a column cannot be had by SQL alone.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import ParseError

    source = mapping.database
    assert source is not None
    table = contract.table(mapping.table)
    chosen = [
        _expression(table.columns[name], one, mapping.unit).as_(name, quoted=True)
        for name, one in mapping.columns.items()
    ]
    try:
        place = (
            parse_one(source.query, dialect=dialect).subquery("source")
            if source.query is not None
            else exp.to_table(source.table or "", dialect=dialect)
        )
    except ParseError:
        raise CourseError(
            f"mapping.yml 里“{table.zh}”的 query 不是这个引擎能懂的 SELECT，请改写后再试。"
        ) from None
    return exp.select(*chosen).from_(place).sql(dialect=dialect)


def _expression(column: Column, mapped: ColumnMapping, unit: str | None) -> exp.Expression:
    from sqlglot import exp

    if mapped.generate is not None:
        # a key of last resort; which row gets which number plays no part in a mart
        return exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=[exp.Null()]))
    if mapped.value is not None:
        return exp.Literal.string(mapped.value)
    value: exp.Expression = exp.column(mapped.source or "", quoted=True)
    if mapped.codes:
        case = exp.Case()
        text = exp.cast(value.copy(), "text")
        for code, meant in mapped.codes.items():
            case = case.when(text.eq(exp.Literal.string(code)), exp.Literal.string(meant))
        value = case.else_(text)
    times = factor(column, mapped.unit or (unit if column.type == "money" else None))
    return value if times == "1" else exp.Mul(this=value, expression=exp.Literal.number(times))


def _dialect(engine: str) -> str:
    kind = urlsplit(engine).scheme.split("+")[0] or engine
    name = {"spark-local": "spark", "postgres": "postgresql", "mariadb": "mysql"}.get(kind, kind)
    return DIALECTS.get(name, "duckdb")
