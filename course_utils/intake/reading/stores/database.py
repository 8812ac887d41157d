"""A database by its address: one table or query, row by row, never written to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.errors import CourseError
from course_utils.intake.reading.model import MOST_COLUMNS, Problem
from course_utils.intake.reading.names import column_names
from course_utils.intake.reading.reading import Reading
from course_utils.intake.reading.stores.parquet import text_frame

if TYPE_CHECKING:
    import polars as pl
    from sqlalchemy import Connection, Engine

#: Rows fetched at a time.
ROWS = 20_000
#: What makes a session read only, by kind of database.
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}


def database_reading(url: str, query: str | None, table: str | None, name: str) -> Reading:
    """Return a table or query of a database as a reading; rows count from 1.

    Parameters
    ----------
    url : str
        SQLAlchemy address. It holds a password: no message ever shows it.
    query : str or None
        One SELECT.
    table : str or None
        Instead of a query: ``table`` or ``schema.table``.
    name : str
        What reports call it.

    Raises
    ------
    CourseError
        The driver is missing, the database does not answer, or the query is none.
    """
    engine = _engine(url, name)
    statement = _statement(engine, query, table, name)
    with _talking(engine, name) as connection:
        columns = _columns(connection, statement, name)

    def frames(counts: dict[str, int], problems: list[Problem]) -> Iterator[pl.DataFrame]:
        del problems
        with _talking(engine, name) as connection:
            result = _run(connection, statement, name)
            while rows := _fetch(result, name):
                yield text_frame(columns, rows, counts)

    return Reading(Path(name), "", columns, frames)


def _engine(url: str, name: str) -> Engine:
    import sqlalchemy

    try:
        address = sqlalchemy.make_url(url)
        if address.get_backend_name() == "sqlite" and address.database not in (
            None,
            "",
            ":memory:",
        ):
            address = _sqlite_address(str(address.database), name)
        return sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)
    except CourseError:
        raise
    except ImportError as fault:
        raise CourseError(
            f"{name}：缺少数据库驱动 {fault.name or ''}，请先用 pip 安装，或改用导出的文件。"
        ) from None
    except Exception as fault:
        raise CourseError(
            f"{name}：数据库地址写法不对（{type(fault).__name__}），"
            "应为 类型+驱动://用户:密码@主机:端口/库名。"
        ) from None


def _sqlite_address(database: str, name: str) -> Any:
    """Open an existing SQLite file for reading; without this a wrong path makes a new file."""
    from urllib.parse import quote

    import sqlalchemy

    path = Path(database.removeprefix("file:").split("?")[0])
    if not path.is_file():
        raise CourseError(f"{name}：找不到 SQLite 文件 {path.name}，请核对数据库地址。")
    return sqlalchemy.make_url(f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&uri=true")


def _statement(engine: Engine, query: str | None, table: str | None, name: str) -> str:
    if bool(query) == bool(table):
        raise CourseError(f"{name}：mapping.yml 的 database 里 query 和 table 必须且只能写一个。")
    if table:
        quote = engine.dialect.identifier_preparer.quote_identifier
        return "SELECT * FROM " + ".".join(quote(part) for part in table.split("."))
    return checked_query(str(query), engine.dialect.name, name)


def checked_query(query: str, dialect: str, name: str) -> str:
    """Return a query that is one SELECT, without its semicolon; refuse anything else."""
    import sqlglot
    from sqlglot import expressions

    dialects = {"postgresql": "postgres", "mariadb": "mysql", "mssql": "tsql"}
    known = sqlglot.Dialect.get(dialects.get(dialect, dialect))
    try:
        parsed = [p for p in sqlglot.parse(query, read=known) if p is not None]
    except sqlglot.errors.SqlglotError:
        raise CourseError(f"{name}：mapping.yml 里的 query 不是能读懂的 SQL，请改正。") from None
    writes = (
        expressions.Insert,
        expressions.Update,
        expressions.Delete,
        expressions.Drop,
        expressions.Create,
        expressions.Into,
        expressions.Lock,
        expressions.Command,
        expressions.Merge,
    )
    if (
        len(parsed) != 1
        or not isinstance(parsed[0], expressions.Query)
        or any(parsed[0].find(kind) for kind in writes)
    ):
        raise CourseError(f"{name}：mapping.yml 里的 query 只能是一条 SELECT 语句，请改正。")
    return query.strip().rstrip(";").rstrip()


def _talking(engine: Engine, name: str) -> _Session:
    return _Session(engine, name)


class _Session:
    """A connection that only reads, and rolls back what it did not do."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.name = engine, name
        self.connection: Connection | None = None

    def __enter__(self) -> Connection:
        import sqlalchemy

        try:
            connection = self.engine.connect()
            self.connection = connection
            if command := _READ_ONLY.get(self.engine.dialect.name):
                connection.execute(sqlalchemy.text(command))
                if self.engine.dialect.name != "oracle":
                    connection.commit()
            return connection
        except Exception as fault:
            self.__exit__()
            raise _no_answer(self.name, fault) from None

    def __exit__(self, *_: object) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _columns(connection: Connection, statement: str, name: str) -> tuple[str, ...]:
    result = _run(connection, statement, name)
    columns = column_names([str(key) for key in result.keys()])  # noqa: SIM118
    result.close()
    if len(columns) > MOST_COLUMNS:
        raise CourseError(
            f"{name}：有 {len(columns)} 列，最多读 {MOST_COLUMNS} 列，请只查询要用的列。"
        )
    return columns


def _run(connection: Connection, statement: str, name: str) -> Any:
    try:
        streamed = connection.execution_options(stream_results=True, max_row_buffer=ROWS)
        return streamed.exec_driver_sql(statement)
    except Exception as fault:
        raise _no_answer(name, fault) from None


def _fetch(result: Any, name: str) -> list[Any]:
    try:
        return result.fetchmany(ROWS)
    except Exception as fault:
        raise _no_answer(name, fault) from None


def _no_answer(name: str, fault: Exception) -> CourseError:
    """Say what kind of fault it was; the driver's own words may hold the address."""
    if isinstance(fault, CourseError):
        return fault
    kind = type(getattr(fault, "orig", None) or fault).__name__
    return CourseError(
        f"{name}：数据库没有给出数据（{kind}），请核对地址、账号权限（只读即可）、表名和 query。"
    )
