"""A mart's SQL for one bank and one engine: sources put in, missing columns left out, translated.

Sources and small lists (the months, the lenders' names) go in as subqueries, so that nothing has
to be created in a bank's warehouse: the account that asks needs the right to read, no more.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.intake.marts.catalogue import Mart

if TYPE_CHECKING:
    from sqlglot import exp

#: sqlglot's name of the dialect of each kind of engine.
DIALECTS = {"duckdb": "duckdb", "spark": "spark", "postgresql": "postgres", "mysql": "mysql"}


@dataclass(frozen=True)
class Source:
    """Where rows come from: a query in the engine's own dialect, and the columns it yields.

    Parameters
    ----------
    query : str
        ``SELECT …`` in the dialect of the engine.
    columns : frozenset of str
        Contract names of the columns.
    """

    query: str
    columns: frozenset[str]


@dataclass(frozen=True)
class Statement:
    """A mart's statement for an engine.

    Parameters
    ----------
    sql : str
        Empty if the mart cannot be worked out.
    columns : mapping of str to str
        Columns that come out → contract type.
    left_out : mapping of str to str
        Column → ``table.column`` that is missing for it.
    missing : tuple of str
        What the mart cannot do without and the bank does not have; then ``sql`` is empty.
    """

    sql: str
    columns: Mapping[str, str]
    left_out: Mapping[str, str]
    missing: tuple[str, ...] = ()


def months_query(first: date, last: date, until: date | None = None) -> str:
    """Return the list of calendar months, latest first, as a query every engine understands.

    ``place`` is 1 for `last`; months after it up to `until` have 0 (they are needed to roll
    balances back but are not whole).
    """
    rows, place, day = [], 0, _month_end(until or last)
    last, first = _month_end(last), _month_end(first)
    while day >= first:
        place += 1 if day <= last else 0
        start, following = day.replace(day=1), day + timedelta(days=1)
        rows.append(
            f"SELECT CAST('{day}' AS DATE) AS month, CAST('{start}' AS DATE) AS month_start, "
            f"CAST('{following}' AS DATE) AS next_start, {day.day} AS days, {place} AS place"
        )
        day = start - timedelta(days=1)
    return " UNION ALL ".join(rows)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def list_query(rows: Iterable[Sequence[str]], names: Sequence[str]) -> str:
    """Return a list of texts as a query; an empty list has the columns and no rows."""
    from sqlglot import exp

    def one(row: Sequence[str]) -> str:
        pairs = zip(row, names, strict=True)
        return "SELECT " + ", ".join(
            f"{exp.Literal.string(value).sql('duckdb')} AS {name}" for value, name in pairs
        )

    queries = [one(row) for row in rows]
    return " UNION ALL ".join(queries) or one([""] * len(names)) + " WHERE 1 = 0"


def translate(
    mart: Mart, sources: Mapping[str, Source], lists: Mapping[str, str], as_of: date, dialect: str
) -> Statement:
    """Return the statement of a mart for one bank's sources in one dialect.

    Parameters
    ----------
    mart : Mart
        What to ask.
    sources : mapping of str to Source
        Tables that the bank has (contract tables and marts already worked out).
    lists : mapping of str to str
        Queries in DuckDB's dialect that belong to the mart, see :func:`months_query`.
    as_of : date
        Day of the extracts.
    dialect : str
        A value of :data:`DIALECTS`.
    """
    import sqlglot
    from sqlglot import ErrorLevel, exp

    tree = sqlglot.parse_one(mart.sql, read="duckdb")
    assert isinstance(tree, exp.Select)
    known = {name: source.columns for name, source in sources.items()}
    left_out = _leave_out(tree, mart, known)
    missing = _missing(tree, mart, known, lists)
    if missing:
        return Statement("", {}, left_out, missing)
    for parameter in list(tree.find_all(exp.Parameter, exp.Placeholder)):
        parameter.replace(sqlglot.parse_one(f"CAST('{as_of}' AS DATE)", read="duckdb"))
    inner = {name: sqlglot.parse_one(text, read="duckdb") for name, text in lists.items()}
    for name, source in sources.items():
        if name in mart.inputs:
            inner[name] = select_only(source.query, dialect)
    for table in list(tree.find_all(exp.Table)):
        if table.name in inner:
            alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
            table.replace(exp.Subquery(this=inner[table.name].copy(), alias=alias))
    tree.comments = None
    kept = {name: kind for name, kind in mart.columns.items() if name not in left_out}
    quiet = ErrorLevel.IGNORE  # MySQL has no NULLS LAST; no mart orders by a column with NULLs
    sql = tree.sql(dialect=dialect, identify=True, comments=False, unsupported_level=quiet)
    return Statement(sql, kept, left_out)


def select_only(query: str, dialect: str) -> exp.Expression:
    """Return a parsed query; anything but one SELECT is refused.

    Raises
    ------
    CourseError
        If the text is not one query.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

    try:
        trees = sqlglot.parse(query, read=dialect)
    except SqlglotError as error:
        raise CourseError(f"这条查询看不懂，请检查语法：{query[:200]}") from error
    writes = (exp.Insert, exp.Update, exp.Delete, exp.Into, exp.Create, exp.Drop, exp.Command)
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Query) or tree.find(*writes) or tree.args.get("locks"):
        raise CourseError(f"来源只能是一条只读的 SELECT 查询，请改写：{query[:200]}")
    # names are quoted from here on: PostgreSQL alone means the lower case by an unquoted one, and
    # the others' names may be paths, whose case counts
    return normalize_identifiers(tree, dialect=dialect) if dialect == "postgres" else tree


#: What could not be had of each subquery: column → ``table.column`` that is missing for it. Under
#: ALL stands why the subquery as a whole cannot be worked out.
_Lost = dict[str, dict[str, str]]
_ALL = ""


def _leave_out(tree: exp.Select, mart: Mart, known: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Drop output columns, and joins, that stand on tables or columns the bank does not have.

    A column that a subquery (``WITH``) cannot yield is missing to those who read the subquery; a
    subquery that stands on nothing goes with the LEFT JOIN that wanted it.
    """
    from sqlglot import exp

    lost: _Lost = {}
    for cte in tree.ctes:
        lost[cte.alias] = _drop(cte.this, mart, known, lost)
        rest = cte.this.copy()
        rest.set("expressions", [])
        if gap := next(iter(_gaps(rest, _aliases(cte.this), mart, known, lost)), None):
            lost[cte.alias][_ALL] = gap
    left_out = _drop(tree, mart, known, lost)
    left_out = {name: gap for name, gap in left_out.items() if name not in mart.key}
    for cte in reversed(tree.ctes):
        if not any(table.name == cte.alias for table in tree.find_all(exp.Table)):
            cte.pop()
    return left_out


def _drop(
    select: exp.Select, mart: Mart, known: Mapping[str, frozenset[str]], lost: _Lost
) -> dict[str, str]:
    """Drop the columns of one SELECT that cannot be had, and return why; joins likewise."""
    aliases, dropped, kept = _aliases(select), {}, []
    for projection in select.expressions:
        gap = next(iter(_gaps(projection, aliases, mart, known, lost)), None)
        if gap is not None:
            dropped[projection.alias_or_name] = gap
        if gap is None or projection.alias_or_name in mart.key:
            kept.append(projection)
    select.set("expressions", kept)
    joins = select.args.get("joins") or []
    there = [
        j
        for j in joins
        if j.side != "LEFT"
        or (_has(j.this.name, mart, known) and _ALL not in lost.get(j.this.name, {}))
    ]
    select.set("joins", there)
    return dropped


def _aliases(select: exp.Select) -> dict[str, str]:
    return {table.alias_or_name: table.name for table in _direct_tables(select)}


def _missing(
    tree: exp.Select,
    mart: Mart,
    known: Mapping[str, frozenset[str]],
    lists: Mapping[str, str],
) -> tuple[str, ...]:
    """Return what is still referred to and not there."""
    from sqlglot import exp

    found: dict[str, None] = {}
    for select in tree.find_all(exp.Select):
        aliases = _aliases(select)
        for name in aliases.values():
            if name in mart.inputs and name not in known and name not in lists:
                found[name] = None
        for gap in _gaps(select, aliases, mart, known):
            if gap.partition(".")[0] not in found and gap.partition(".")[0] not in lists:
                found[gap] = None
    return tuple(found)


def _direct_tables(select: exp.Select) -> list[exp.Table]:
    from sqlglot import exp

    source = select.args.get("from_") or select.args.get("from")
    places = [source.this] if source else []
    places += [join.this for join in select.args.get("joins") or ()]
    return [place for place in places if isinstance(place, exp.Table)]


def _has(table: str, mart: Mart, known: Mapping[str, frozenset[str]]) -> bool:
    return table not in mart.inputs or table in known


def _gaps(
    part: exp.Expression,
    aliases: Mapping[str, str],
    mart: Mart,
    known: Mapping[str, frozenset[str]],
    lost: _Lost | None = None,
) -> Iterable[str]:
    from sqlglot import exp

    for column in part.find_all(exp.Column):
        table = aliases.get(column.table)
        gaps = (lost or {}).get(table or "", {})
        if gap := gaps.get(column.name) or gaps.get(_ALL):
            yield gap
        if table is None or table not in mart.inputs:
            continue
        if column.name not in known.get(table, frozenset()) and table != "lender_names":
            yield f"{table}.{column.name}"
