"""Marts worked out by another engine: the rows stay where they live, only the marts are fetched.

Results are protected before the first of them is written, batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.files import fresh_file
from course_utils.intake.marts.catalogue import Mart, marts, polars_schema
from course_utils.intake.marts.derive import Derived, last_whole, month_end, why
from course_utils.intake.marts.engines import Engine, Row, contract_query, open_engine
from course_utils.intake.marts.lenders import LENDER_COLUMNS, MOST_NAMES, lender_names
from course_utils.intake.marts.translate import Source, list_query, months_query, translate

if TYPE_CHECKING:
    import polars as pl

#: Marts that read the big tables; the others are put together here from these.
REMOTE = (
    "customer_flow", "customer_seen", "deposit_now", "term_month", "wealth_month", "loan_month",
    "payee_stream", "lender_pair", "maturity_ladder", "merchant_flow",
)  # fmt: skip
_DATES = {
    "transaction": "date", "deposit_account": "open_date", "wealth_holding": "start_date",
    "loan": "issue_date", "merchant_day": "date",
}  # fmt: skip

_FLOWS = ("transaction", "merchant_day")
_STOCKS = ("deposit_account", "wealth_holding")

Protect = Callable[[Mart, "pl.DataFrame"], "pl.DataFrame"]


def run_marts(
    engine: str | Engine,
    tables: Mapping[str, str],
    as_of: date,
    out_folder: Path,
    names: tuple[str, ...] = REMOTE,
    protect: Protect | None = None,
    keywords: list[tuple[str, str]] | None = None,
    months: tuple[date, date] | None = None,
) -> list[Derived]:
    """Run the marts where the data live and write their results as Parquet.

    Parameters
    ----------
    engine : str or Engine
        Address, see :func:`open_engine`, or one that is open; that one stays open.
    tables : mapping of str to str
        Contract table → where it is: a table's name, a SELECT that yields contract columns, or
        (DuckDB and Spark) Parquet files.
    as_of : date
        Day of the extracts.
    out_folder : pathlib.Path
        Folder to write to.
    names : tuple of str
        Marts to run; those whose tables are not there are passed over.
    protect : callable, optional
        Gets a mart and a batch of its rows, returns the batch de-identified; nothing is written
        before it has been.
    keywords : list of (str, str), optional
        Keyword and kind of ``lender_keyword``; without it no lenders are looked for.
    months : (date, date), optional
        First day and last day of the months; found in the data if left out.

    Returns
    -------
    list of Derived
    """
    if isinstance(engine, str):
        opened = open_engine(engine)
        try:
            return run_marts(opened, tables, as_of, out_folder, names, protect, keywords, months)
        finally:
            opened.close()
    sources = _sources(engine, tables)
    done = []
    for name in names:
        mart = marts()[name]
        if not {n for n in mart.inputs if n != "lender_names"} <= set(sources):
            continue
        lists = _lists(engine, mart, sources, as_of, keywords or [], months)
        if lists is None:
            continue
        statement = translate(mart, sources, lists, as_of, engine.dialect)
        if not statement.sql:
            continue
        path = out_folder / f"{name}.parquet"
        rows = _write(engine, mart, statement.sql, statement.columns, path, protect)
        reasons = {column: why(gap) for column, gap in statement.left_out.items()}
        done.append(Derived(name, path, rows, tuple(statement.columns), reasons))
    return done


def _sources(engine: Engine, tables: Mapping[str, str]) -> dict[str, Source]:
    """Return the sources with the contract's columns, whatever the case of their names."""
    from course_utils.contract import load_contract

    contract, sources = load_contract(), {}
    for name, place in tables.items():
        table = contract.table(name)
        query = engine.query(name, place)
        there = {column.lower(): column for column in engine.columns(query)}
        found = {column: there[column] for column in table.columns if column in there}
        if not found:
            raise CourseError(
                f"“{table.zh}”（{name}）的来源里没有一列是数据契约的列名："
                "请用 SELECT … AS 列名 改名。"
            )
        sources[name] = Source(contract_query(engine, query, table, found), frozenset(found))
    return sources


def _lists(
    engine: Engine,
    mart: Mart,
    sources: Mapping[str, Source],
    as_of: date,
    keywords: list[tuple[str, str]],
    months: tuple[date, date] | None,
) -> dict[str, str] | None:
    """Return the small lists of a mart, None if it has nothing to work on."""
    lists: dict[str, str] = {}
    if "lender_names" in mart.inputs:
        if not keywords:
            return None
        found = list(lender_names(_names(engine, sources["transaction"]), keywords))
        lists["lender_names"] = list_query(sorted(found)[:MOST_NAMES], LENDER_COLUMNS)
    dated = next((n for n in mart.inputs if n in _DATES and n in sources), None)
    if dated is None or _DATES[dated] not in sources[dated].columns:
        return lists
    # stocks are wanted for the months that the flows cover, however old the accounts are
    leading = "transaction" if "transaction" in sources and dated in _STOCKS else dated
    if months is None:
        first, last = _first(engine, sources[leading], _DATES[leading]), last_whole(as_of)
        if first is not None and first.day > 1 and leading in _FLOWS:
            first = month_end(first) + timedelta(days=1)  # a month that is not whole
    else:
        first, last = months
    if first is None or first > last:
        return None
    lists["months"] = months_query(first, last, as_of if dated == "transaction" else None)
    return lists


def _first(engine: Engine, source: Source, column: str) -> date | None:
    rows = next(engine.rows(f"SELECT MIN({column}) AS x FROM ({source.query}) AS s"))
    return _day(rows[0][0])


def _day(value: Any) -> Any:
    """Return the date of a date or timestamp."""
    return value.date() if hasattr(value, "date") else value


def _names(engine: Engine, source: Source) -> Iterator[str]:
    """Yield the different names that a lender could have."""
    sql = (
        f"SELECT DISTINCT counterparty_name FROM ({source.query}) AS s "
        "WHERE counterparty_name IS NOT NULL"
    )
    for batch in engine.rows(sql):
        yield from (row[0] for row in batch)


def _write(
    engine: Engine,
    mart: Mart,
    sql: str,
    columns: Mapping[str, str],
    path: Path,
    protect: Protect | None,
) -> int:
    """Fetch batch by batch, protect, then write one sorted file; return the number of rows."""
    import polars as pl

    schema = polars_schema(columns)
    frames = []
    for batch in engine.rows(sql):
        frame = _frame(batch, schema)
        frames.append(frame if protect is None else protect(mart, frame))
    whole = pl.concat(frames) if frames else pl.DataFrame(schema=schema)
    whole = whole.sort([name for name in mart.key if name in whole.columns])
    with fresh_file(path) as aside:
        whole.write_parquet(aside)
    return whole.height


def _frame(rows: list[Row], schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """Return a batch as a typed frame; engines differ in the Python types they answer with."""
    import polars as pl

    columns = zip(*rows, strict=True)
    made = []
    for (name, kind), values in zip(schema.items(), columns, strict=True):
        made.append(pl.Series(name, [_plain(value, kind) for value in values], dtype=kind))
    return pl.DataFrame(made)


def _plain(value: object, kind: pl.DataType | type[pl.DataType]) -> object:

    import polars as pl

    if value is None:
        return None
    if kind == pl.Date:
        return _day(value)
    if kind == pl.Int64:
        return int(value)  # type: ignore[call-overload]
    if kind == pl.Float64:
        return float(value)  # type: ignore[arg-type]
    if kind == pl.Boolean:
        return bool(value)
    if kind == pl.String:
        return str(value)
    return Decimal(str(value)).quantize(Decimal("0.01"))
