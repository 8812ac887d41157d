"""Where a mart's SQL runs: DuckDB here, Spark, a PostgreSQL or MySQL warehouse where the data live.

Every engine answers the same two questions: which columns does a query yield, and which rows. Rows
come in batches, so that the machine that asks holds one batch at a time.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from course_utils.bank.parquet import rows_of
from course_utils.errors import CourseError
from course_utils.intake.marts.translate import DIALECTS, select_only

if TYPE_CHECKING:
    from course_utils.contract import Table

Row = tuple[Any, ...]
BATCH = 50_000
_NAME = re.compile(r"[\w一-鿿$]+(\.[\w一-鿿$]+){0,2}")


class Engine(Protocol):
    """What can run a statement."""

    dialect: str

    def query(self, table: str, place: str) -> str:
        """Return a SELECT for a table's place: a file pattern, a table's name, or a SELECT."""

    def columns(self, query: str) -> list[str]:
        """Return the names of the columns of a query."""

    def rows(self, sql: str) -> Iterator[list[Row]]:
        """Yield the rows of a statement in batches."""

    def close(self) -> None:
        """Let go of connections and sessions."""


def open_engine(url: str) -> Engine:
    """Return the engine for a URL.

    Parameters
    ----------
    url : str
        ``duckdb``, ``spark-local``, ``spark://host:port``, ``postgresql://…`` or ``mysql://…``
        (``mariadb://…`` is the same).

    Raises
    ------
    CourseError
        If the URL is of no known kind, its driver is not installed, or nobody answers.
    """
    kind = url.split(":", 1)[0].split("+", 1)[0]
    if kind == "duckdb":
        return DuckDBEngine()
    if kind in ("spark", "spark-local"):
        return SparkEngine(url)
    if kind in ("postgresql", "postgres", "mysql", "mariadb"):
        return WarehouseEngine(url)
    raise CourseError(
        f"不认识的引擎“{kind}”：可用 duckdb、spark-local、spark://主机:端口、"
        "postgresql://… 或 mysql://…，请改写 --engine。"
    )


def _query_of_name(place: str, dialect: str) -> str:
    if place.lstrip("( \n").lower().startswith(("select", "with")):
        return select_only(place, dialect).sql(dialect=dialect, identify=True)
    if not _NAME.fullmatch(place):
        raise CourseError(f"“{place}”既不是表名，也不是 SELECT 查询，请改写来源。")
    return select_only(f"SELECT * FROM {place}", dialect).sql(dialect=dialect, identify=True)


def _is_files(place: str) -> bool:
    select = place.lstrip("( \n").lower().startswith(("select", "with"))
    return not select and ("/" in place or "\\" in place or place.endswith(".parquet"))


def files_query(pattern: str) -> str:
    """Return the DuckDB query that reads Parquet files."""
    return f"SELECT * FROM {rows_of(pattern)}"


class DuckDBEngine:
    """DuckDB over Parquet files in this process."""

    dialect = DIALECTS["duckdb"]

    def __init__(self) -> None:
        import duckdb

        self.connection = duckdb.connect()

    def query(self, table: str, place: str) -> str:
        """Return a SELECT for a table's place."""
        return files_query(place) if _is_files(place) else _query_of_name(place, self.dialect)

    def columns(self, query: str) -> list[str]:
        """Return the names of the columns of a query."""
        rows = self.connection.execute(f"DESCRIBE {query}").fetchall()
        return [row[0] for row in rows]

    def rows(self, sql: str) -> Iterator[list[Row]]:
        """Yield the rows of a statement in batches."""
        cursor = self.connection.cursor()
        cursor.execute(sql)
        while batch := cursor.fetchmany(BATCH):
            yield batch

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class SparkEngine:
    """A Spark cluster, or Spark on this machine."""

    dialect = DIALECTS["spark"]

    def __init__(self, url: str) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise CourseError(
                '这台机器没有装 Spark 的 Python 包：请先运行 pip install "course-utils[spark]"，'
                "并装好 Java 17。"
            ) from error
        master = "local[2]" if url == "spark-local" else url
        builder = SparkSession.builder.master(master).appName("course-intake")
        settings = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "8",
            "spark.sql.session.timeZone": "Asia/Shanghai",
            "spark.sql.ansi.enabled": "true",  # a value that does not fit is an error, not a NULL
        }
        for name, value in settings.items():
            builder = builder.config(name, value)
        try:
            self.session = builder.getOrCreate()
        except Exception as error:
            raise CourseError(
                f"Spark（{master}）启动不了：{_first_line(error)}。"
                "请检查 Java 17 和集群地址后重试。"
            ) from error
        self.session.sparkContext.setLogLevel("ERROR")

    def query(self, table: str, place: str) -> str:
        """Return a SELECT for a table's place; files become a view of this session."""
        if not _is_files(place):
            return _query_of_name(place, self.dialect)
        view = f"course_{table}"
        self.session.read.parquet(place).createOrReplaceTempView(view)
        return f"SELECT * FROM {view}"

    def columns(self, query: str) -> list[str]:
        """Return the names of the columns of a query."""
        return list(self.session.sql(query).columns)

    def rows(self, sql: str) -> Iterator[list[Row]]:
        """Yield the rows of a statement in batches."""
        batch: list[Row] = []
        for row in self.session.sql(sql).toLocalIterator():
            batch.append(tuple(row))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def close(self) -> None:
        """End the session."""
        self.session.stop()


class WarehouseEngine:
    """A warehouse that speaks like PostgreSQL or MySQL, by URL; nothing is written there."""

    def __init__(self, url: str) -> None:
        import sqlalchemy

        kind = urlsplit(url).scheme.split("+")[0]
        family = "mysql" if kind in ("mysql", "mariadb") else "postgresql"
        self.dialect = DIALECTS[family]
        driver = {"mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg"}[family]
        address = driver + url[url.index(":") :]
        try:
            self._engine = sqlalchemy.create_engine(address)
            with self._engine.connect():
                pass
        except ImportError as error:
            raise CourseError(
                '没有装数据库驱动：请先运行 pip install "course-utils[warehouse]"。'
            ) from error
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise CourseError(
                f"连不上数据仓库（{family}）：请检查地址、账号、口令和网络。{_reason(error, url)}"
            ) from error

    def query(self, table: str, place: str) -> str:
        """Return a SELECT for a table's place."""
        if _is_files(place):
            raise CourseError(f"数据仓库读不到文件“{place}”，请写表名或 SELECT 查询。")
        return _query_of_name(place, self.dialect)

    def columns(self, query: str) -> list[str]:
        """Return the names of the columns of a query."""
        with self._run(f"SELECT * FROM ({query}) AS x WHERE 1 = 0") as result:
            return list(result.keys())

    def rows(self, sql: str) -> Iterator[list[Row]]:
        """Yield the rows of a statement in batches."""
        with self._run(sql) as result:
            for batch in result.partitions(BATCH):
                yield [tuple(row) for row in batch]

    @contextlib.contextmanager
    def _run(self, sql: str) -> Iterator[Any]:
        import sqlalchemy

        options = {"stream_results": True, "no_parameters": True, "max_row_buffer": BATCH}
        read_only = "SET SESSION TRANSACTION READ ONLY"
        if self.dialect == DIALECTS["postgresql"]:
            read_only = "SET TRANSACTION READ ONLY"
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql(read_only)
                yield connection.exec_driver_sql(sql, execution_options=options)
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise CourseError(
                f"数据仓库没能完成查询：{_first_line(error.orig or error)}"
            ) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()


def _first_line(error: object) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]


def _reason(error: Any, url: str) -> str:
    """Return the driver's own words without the password."""
    text = _first_line(getattr(error, "orig", None) or error)
    password = urlsplit(url).password
    return text.replace(password, "***") if password else text


def contract_query(engine: Engine, query: str, table: Table, found: Mapping[str, str]) -> str:
    """Return a query that yields a table's contract columns and compares texts exactly.

    MySQL's usual collations call “A” and “a”, or a half-width and a full-width letter, the same:
    customer numbers and names would be thrown together. Texts are compared by their bytes there.
    """
    quote = "`" if engine.dialect in ("mysql", "spark") else '"'

    def one(name: str) -> str:
        column = f"{quote}{found[name]}{quote}"
        if engine.dialect == "mysql" and table.column(name).type in ("id", "text", "code"):
            column = f"CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin"
        return f"{column} AS {quote}{name}{quote}"

    return f"SELECT {', '.join(one(name) for name in found)} FROM ({query}) AS s"
