"""The customer table of a class release: coarse enough that every customer stands in a crowd.

Every column has a ladder of generalisations. All begin at the coarsest rung; then, by turns and
what the lessons need most first, a column becomes one rung finer wherever at most
:data:`MOST_LEFT_OUT` of the customers then stand in a group smaller than `k`. Those few are left
out of the release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.errors import CourseError

if TYPE_CHECKING:
    import duckdb

#: Smallest group of customers who look alike in a class release.
K_CLASS = 5
#: Share of customers that may be left out for finer columns.
MOST_LEFT_OUT = 0.02
#: What outsiders may know of a customer, from the finest to the coarsest that the lessons can use.
LADDERS: Mapping[str, tuple[str, ...]] = {
    "birth_year": (
        "greatest(birth_year // 5 * 5, 1925)",
        "greatest(birth_year // 10 * 10, 1925)",
        "greatest(birth_year // 20 * 20, 1925)",
        "CAST(NULL AS BIGINT)",
    ),
    "open_date": (
        "date_trunc('year', open_date)",
        "make_date(year(open_date) // 5 * 5, 1, 1)",
        "DATE '2000-01-01'",
    ),
    "gender": ("gender", "NULL"),
    "customer_type": ("customer_type",),
    "segment": ("segment", "CASE WHEN customer_type = '企业' THEN '企业' ELSE '其他' END"),
    "occupation": ("occupation", "NULL"),
    "town_id": (
        "town_id",
        "first_value(town_id) OVER (PARTITION BY branch_id ORDER BY town_id)",
    ),
    "branch_id": ("branch_id",),
    "is_farmer": ("is_farmer", "segment = '农户'"),
    "is_migrant": ("is_migrant", "FALSE"),
    "status": (
        "status",
        "CASE WHEN status = '正常' THEN '正常' ELSE '销户' END",
        "'正常'",
    ),
    "credit_grade": ("NULL",),
    "weight": ("round(weight, 1 - CAST(floor(log10(greatest(weight, 0.01))) AS INTEGER))", "1.0"),
}
#: What the lessons need most, first.
WORTH = (
    "birth_year",
    "segment",
    "gender",
    "open_date",
    "status",
    "weight",
    "is_farmer",
    "is_migrant",
    "occupation",
    "town_id",
)
#: Flags of no use to somebody who looks for a person; everything else that is not on a ladder goes.
PLAIN = ("phone_valid", "do_not_call")


@dataclass(frozen=True)
class Crowd:
    """What the ladder came to.

    Parameters
    ----------
    k : int
        Customers in the smallest group of the release.
    groups, customers, left_out : int
        Groups and customers in the release; customers left out of it.
    steps : mapping of str to tuple of int
        Column → rung used and number of rungs.
    diversity : int, optional
        Smallest number of different 五级分类 in a group whose members have loans; None without
        loans.
    """

    k: int
    groups: int
    customers: int
    left_out: int
    steps: Mapping[str, tuple[int, int]]
    diversity: int | None = None

    @property
    def share_left_out(self) -> float:
        """Share of the bank's customers that the release lacks, between 0 and 1."""
        return self.left_out / max(self.customers + self.left_out, 1)


def build_crowd(
    connection: duckdb.DuckDBPyConnection, source: str, columns: Mapping[str, str], k: int
) -> Crowd:
    """Make the table ``crowd``: ``customer_id`` and the coarse columns of those who stay.

    Parameters
    ----------
    connection : DuckDBPyConnection
        The table is made here.
    source : str
        SQL expression for the rows of the bank's customer table.
    columns : mapping of str to str
        Its columns and their DuckDB types.
    k : int
        Smallest group.

    Raises
    ------
    CourseError
        If even the coarsest table has too many customers in groups that are too small.
    """
    ladders = _ladders(columns)
    rungs = {name: len(steps) - 1 for name, steps in ladders.items()}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE people AS SELECT * FROM {source}")
    (all_of_them,) = _one(connection, "SELECT count(*) FROM people")
    outside = _count_outside(connection, ladders, rungs, k)
    if outside > MOST_LEFT_OUT * all_of_them:
        raise CourseError(
            f"客户太少或太分散：再怎么归并也有 {outside:,} 名客户所在的组不足 {k} 人，"
            "不能做课堂版，请改用合成数据上课。"
        )
    for name in _by_turns(rungs):
        finer = rungs | {name: rungs[name] - 1}
        if _count_outside(connection, ladders, finer, k) <= MOST_LEFT_OUT * all_of_them:
            rungs = finer
    _make(connection, ladders, rungs, columns, k)
    return _measure(connection, ladders, rungs, int(all_of_them))


def _ladders(columns: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the ladders of the columns that a bank has, without rungs that need one it lacks."""
    lacking = [name for name in LADDERS if name not in columns]
    needs_other = re.compile(rf"\b(?:{'|'.join(lacking)})\b") if lacking else None
    return {
        name: tuple(rung for rung in rungs if needs_other is None or not needs_other.search(rung))
        for name, rungs in LADDERS.items()
        if name in columns
    }


def _by_turns(rungs: Mapping[str, int]) -> list[str]:
    """Return the steps down the ladders in the order in which they are tried."""
    most = max(rungs.values())
    return [name for turn in range(most) for name in WORTH if rungs.get(name, 0) > turn]


def _count_outside(
    connection: duckdb.DuckDBPyConnection,
    ladders: Mapping[str, tuple[str, ...]],
    rungs: Mapping[str, int],
    k: int,
) -> int:
    """Return how many customers stand in groups smaller than `k`."""
    (count,) = _one(
        connection,
        f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM "
        f"(SELECT {_selected(ladders, rungs)} FROM people) GROUP BY {_keys(ladders)}) "
        f"WHERE n < {k}",
    )
    return int(count)


def _make(
    connection: duckdb.DuckDBPyConnection,
    ladders: Mapping[str, tuple[str, ...]],
    rungs: Mapping[str, int],
    columns: Mapping[str, str],
    k: int,
) -> None:
    keys = _keys(ladders)
    plain = "".join(f', "{name}"' for name in PLAIN if name in columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE crowd AS SELECT * FROM "
        f"(SELECT customer_id, {_selected(ladders, rungs)}{plain} FROM people) "
        f"QUALIFY count(*) OVER (PARTITION BY {keys}) >= {k}"
    )


def _measure(
    connection: duckdb.DuckDBPyConnection,
    ladders: Mapping[str, tuple[str, ...]],
    rungs: Mapping[str, int],
    everybody: int,
) -> Crowd:
    keys = _keys(ladders)
    smallest, groups, customers = _one(
        connection,
        f"SELECT coalesce(min(n), 0), count(*), coalesce(sum(n), 0) FROM "
        f"(SELECT count(*) AS n FROM crowd GROUP BY {keys})",
    )
    steps = {name: (rung + 1, len(ladders[name])) for name, rung in rungs.items()}
    return Crowd(int(smallest), int(groups), int(customers), everybody - int(customers), steps)


def diversity(connection: duckdb.DuckDBPyConnection, loans: str, crowd: Crowd) -> int | None:
    """Return the smallest number of different 五级分类 in a group of which anybody has a loan.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the table ``crowd``.
    loans : str
        SQL expression for the rows of the loan table.
    crowd : Crowd
        Says which columns make a group.
    """
    keys = ", ".join(f'crowd."{name}"' for name in crowd.steps)
    (least,) = _one(
        connection,
        "SELECT min(classes) FROM (SELECT count(five_class) AS loans, "
        "count(DISTINCT coalesce(five_class, '无贷款')) AS classes "
        f"FROM crowd LEFT JOIN {loans} AS loan USING (customer_id) "
        f"GROUP BY {keys}) WHERE loans > 0",
    )
    return None if least is None else int(least)


def _selected(ladders: Mapping[str, tuple[str, ...]], rungs: Mapping[str, int]) -> str:
    return ", ".join(f'{steps[rungs[name]]} AS "{name}"' for name, steps in ladders.items())


def _keys(ladders: Mapping[str, tuple[str, ...]]) -> str:
    return ", ".join(f'"{name}"' for name in ladders)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row
