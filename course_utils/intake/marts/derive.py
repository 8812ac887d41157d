"""Contract tables that a bank did not deliver, worked out from those that it did."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from course_utils.intake.marts.catalogue import marts
from course_utils.intake.marts.engines import files_query
from course_utils.intake.marts.lenders import LENDER_COLUMNS, MOST_NAMES, lender_names
from course_utils.intake.marts.local import Local, local
from course_utils.intake.marts.translate import Source, Statement, list_query, months_query

#: Contract tables that can be worked out, in the order in which they need each other.
DERIVABLE = ("loan_month", "customer_month", "merchant_month")
#: What else is worked out for the lessons' features.
FEATURES = (
    "payee_stream", "lender_pair", "merchant_stability", "maturity_ladder", "churn_state",
)  # fmt: skip
#: Days at the end of a month without any row before the month counts as not delivered.
QUIET_DAYS = 2
#: Share of the customers with deposits that must have statements.
LEAST_MOVING = 0.5


@dataclass
class Derived:
    """A table that was worked out.

    Parameters
    ----------
    table : str
    path : pathlib.Path
    rows : int
    columns : tuple of str
    left_out : dict of str to str
        Column that could not be worked out → why, in Chinese.
    notes : list of str
        What people should know, in Chinese.
    """

    table: str
    path: Path
    rows: int
    columns: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def derive(
    folder: Path,
    have: Iterable[str] | Mapping[str, str],
    as_of: date,
    out: Path | None = None,
    features: bool = False,
    scratch: Path | None = None,
    **options: Any,
) -> list[Derived]:
    """Write the contract tables that are missing and can be worked out.

    Parameters
    ----------
    folder : pathlib.Path
        Folder with ``<table>.parquet``.
    have : iterable of str, or mapping of str to str
        Tables that the bank delivered; as a mapping: table → Parquet files (a pattern), for tables
        that are not in `folder` under their names, such as all the raw transactions. Marts that
        :func:`run_marts` has fetched may stand there too, by their names.
    as_of : date
        Day of the extracts: balances are those of this day, later rows are not read.
    out : pathlib.Path, optional
        Folder to write to; `folder` if left out.
    features : bool
        Whether to write the marts of :data:`FEATURES`, too.
    scratch : pathlib.Path, optional
        Folder for what does not fit into memory.
    **options
        ``memory_mb`` and ``threads``, see :class:`Local`.

    Returns
    -------
    list of Derived
        In the order in which they were written; empty if nothing is missing or can be worked out.
    """
    patterns = (
        dict(have)
        if isinstance(have, Mapping)
        else {name: str(folder / f"{name}.parquet") for name in have}
    )
    with local(scratch, **options) as engine:
        work = _Work(engine, patterns, as_of, out or folder)
        for table in DERIVABLE:
            if table not in patterns:
                work.table(table)
        if features:
            for table in FEATURES:
                work.feature(table)
        return work.done


class _Work:
    """One run of :func:`derive`."""

    def __init__(self, engine: Local, patterns: Mapping[str, str], as_of: date, out: Path) -> None:
        self.engine, self.as_of, self.out = engine, as_of, out
        self.sources = {name: engine.source(pattern) for name, pattern in patterns.items()}
        self.done: list[Derived] = []

    # -------------------------------------------------------------------------------- tables

    def table(self, name: str) -> None:
        """Write one contract table if what it needs is there."""
        getattr(self, f"_{name}")()

    def _loan_month(self) -> None:
        if not {"loan", "repayment"} <= set(self.sources):
            return
        first = self.engine.one(f"SELECT min(issue_date) FROM ({self.sources['loan'].query})")[0]
        last = last_whole(self.as_of)
        if first is None or first > last:
            return
        self._publish("loan_month", {"months": months_query(first, last)})

    def _customer_month(self) -> None:
        span = self._fetched_span() or self._span("transaction")
        if span is None:
            return
        first, last, until, notes = span
        whole = {"months": months_query(first, last)}
        flows = self._scratch("customer_flow", {}, (first, until))
        if not flows.sql:
            return
        if "customer" not in self.sources:
            if not self._scratch("customer_seen", {}).sql:
                return
            self.sources["customer"] = self.sources.pop("customer_seen")
            notes.append("没有客户表，用流水里出现过的客户、以第一笔交易日为建档日。")
        for part in ("deposit_now", "term_month", "wealth_month", "loan_balance_month"):
            self._scratch(part, whole)
        lists = {"months": months_query(first, last, until if until > last else None)}
        derived = self._publish("customer_month", lists, keep=f"month <= DATE '{last}'")
        if derived is None:
            return
        derived.notes[:0] = notes
        if "deposit_open" in derived.columns:
            self._say_negative(derived)
            self._say_partial(derived)

    def _merchant_month(self) -> None:
        if "merchant" not in self.sources:
            return
        if "merchant_flow" in self.sources:
            span = self._span("merchant_flow", "first_date", "last_date")
        else:
            span = self._span("merchant_day")
        if span is None:
            return
        first, last, _, notes = span
        if not self._scratch("merchant_flow", {}).sql:
            return
        derived = self._publish("merchant_month", {"months": months_query(first, last)})
        if derived is not None:
            derived.notes[:0] = notes

    def feature(self, name: str) -> None:
        """Write one mart of :data:`FEATURES` if what it needs is there."""
        lists = {}
        if name == "lender_pair":
            if not {"transaction", "lender_keyword"} <= set(self.sources):
                return
            lists["lender_names"] = self._lender_names()
        if name == "churn_state":
            if "customer_month" not in self.sources:
                return
            query = self.sources["customer_month"].query
            first, last = self.engine.one(f"SELECT min(month), max(month) FROM ({query})")
            if first is None or _months_between(first, last) < 8:
                return
            lists["months"] = months_query(first, last)
        if not set(marts()[name].inputs) <= {*self.sources, *lists}:
            return
        self._publish(name, lists)

    # ----------------------------------------------------------------------------------- parts

    def _scratch(
        self, name: str, lists: Mapping[str, str], months: tuple[date, date] | None = None
    ) -> Statement:
        """Work out a mart that others need; it becomes a source if it can be had.

        One that another engine has worked out is a source already.
        """
        if name in self.sources:
            return Statement("given", {}, {})
        path = self.engine.scratch / f"{name}.parquet"
        mart = marts()[name]
        statement = self.engine.write(mart, self.sources, lists, self.as_of, path, months)
        if statement.sql:
            self.sources[name] = Source(files_query(str(path)), frozenset(statement.columns))
        return statement

    def _publish(self, name: str, lists: Mapping[str, str], keep: str = "") -> Derived | None:
        """Write a mart that people read."""
        path = self.out / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        mart = marts()[name]
        statement = self.engine.write(mart, self.sources, lists, self.as_of, path, None, keep)
        if not statement.sql:
            return None
        source = Source(files_query(str(path)), frozenset(statement.columns))
        self.sources[name] = source
        reasons = {column: why(gap) for column, gap in statement.left_out.items()}
        reasons |= {column: CANNOT for column in underivable(name)}
        derived = Derived(name, path, self.engine.count(source), tuple(statement.columns), reasons)
        self.done.append(derived)
        return derived

    def _span(
        self, table: str, begins: str = "date", ends: str = "date"
    ) -> tuple[date, date, date, list[str]] | None:
        """Return first day, last whole month's end, last day to read, and what was dropped."""
        if table not in self.sources or begins not in self.sources[table].columns:
            return None
        first, last = self.engine.one(
            f"SELECT min({begins}), max({ends}) FROM ({self.sources[table].query}) "
            f"WHERE {ends} <= DATE '{self.as_of}'"
        )
        if first is None:
            return None
        notes = []
        begin = first
        if first.day > 1:
            begin = month_end(first) + timedelta(days=1)
            notes.append(f"{first:%Y-%m} 的数据从 {first.day} 日才开始，这个月不完整，没有算。")
        end = last_whole(self.as_of)
        # the month in which the data end is whole if hardly any day of it is missing
        delivered = last_whole(min(last + timedelta(days=QUIET_DAYS), month_end(last)))
        if delivered < end:
            end = delivered
            notes.append(f"数据到 {last} 为止，之后的月份没有算。")
        if begin > end:
            return None
        return begin, end, max(self.as_of, end), notes

    def _fetched_span(self) -> tuple[date, date, date, list[str]] | None:
        """Return the same for flows that another engine has worked out."""
        if "customer_flow" not in self.sources:
            return None
        query = self.sources["customer_flow"].query
        first, until = self.engine.one(
            f"SELECT min(month), max(month) FROM ({query}) WHERE in_count + out_count > 0"
        )
        if first is None:
            return None
        return first.replace(day=1), min(last_whole(self.as_of), until), until, []

    def _say_negative(self, derived: Derived) -> None:
        query = files_query(str(derived.path))
        negative = int(self.engine.one(f"SELECT count(*) FROM ({query}) WHERE deposit_open < 0")[0])
        if negative:
            share = 100 * negative / max(derived.rows, 1)
            derived.notes.append(
                f"有 {negative} 行（{share:.1f}%）倒推出的月初存款为负：流水与取数日余额对不上，"
                "请核对流水是否齐全。"
            )

    def _say_partial(self, derived: Derived) -> None:
        """Say so when the statements are those of a sample: the others' balances would not move."""
        flows = self.sources["customer_flow"].query
        everybody, moved = self.engine.one(
            f"""SELECT count(*), count(f.customer_id) FROM (
              SELECT customer_id FROM ({self.sources["deposit_now"].query})
              WHERE deposit_balance > 0) AS d
            LEFT JOIN (SELECT DISTINCT customer_id FROM ({flows})) AS f
            ON f.customer_id = d.customer_id"""
        )
        if moved < LEAST_MOVING * everybody:
            derived.notes.append(
                f"有存款的 {everybody} 户里只有 {moved} 户出现在流水中：如果流水只是一部分客户的，"
                "其余客户的月末存款和流入流出都不可用，请提供全部流水。"
            )

    def _lender_names(self) -> str:
        words = self.engine.connection.execute(
            f"SELECT keyword, lender_kind FROM ({self.sources['lender_keyword'].query})"
        ).fetchall()
        names = self.engine.connection.cursor().execute(
            f"SELECT DISTINCT counterparty_name FROM ({self.sources['transaction'].query}) "
            "WHERE counterparty_name IS NOT NULL"
        )
        found: list[tuple[str, str, str]] = []
        while batch := names.fetchmany(50_000):
            found += lender_names((row[0] for row in batch), words)
        return list_query(sorted(found)[:MOST_NAMES], LENDER_COLUMNS)


#: Why a column is in the contract and no mart yields it.
CANNOT = "不能由现有的流水和账户推出，需要银行提供"
_SOURCES = {
    "customer_flow": "transaction", "deposit_now": "deposit_account",
    "term_month": "deposit_account", "wealth_month": "wealth_holding",
    "loan_balance_month": "loan_month", "merchant_flow": "merchant_day",
}  # fmt: skip


def underivable(table: str) -> tuple[str, ...]:
    """Return the columns of a contract table that its mart never yields."""
    from course_utils.contract import load_contract

    contract = load_contract()
    if table not in contract.tables:
        return ()
    return tuple(
        name for name in contract.table(table).columns if name not in marts()[table].columns
    )


def why(gap: str) -> str:
    """Say in Chinese what is missing for a column.

    Parameters
    ----------
    gap : str
        ``table.column`` of a contract table or a mart.
    """
    from course_utils.contract import load_contract

    contract = load_contract()
    name, _, column = gap.partition(".")
    if name in _SOURCES:
        table = contract.table(_SOURCES[name])
        return f"缺少“{table.zh}”（{table.name}）或其中需要的列"
    table = contract.table(name)
    zh = table.columns[column].zh if column in table.columns else column
    return f"“{table.zh}”（{table.name}）没有“{zh}”（{column}）这一列"


def month_end(day: date) -> date:
    """Return the last day of a month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def last_whole(day: date) -> date:
    """Return the last month end that is not after a day."""
    return day if day == month_end(day) else day.replace(day=1) - timedelta(days=1)


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
