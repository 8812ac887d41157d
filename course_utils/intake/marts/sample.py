"""Statements for the lessons: whole customers, drawn by a hash, no more rows than fit."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from course_utils.files import fresh_file
from course_utils.intake.marts.local import local

MOST_ROWS = 2_000_000
MONTHS = 12


@dataclass(frozen=True)
class Sample:
    """What was drawn, for the manifest.

    Parameters
    ----------
    rows, customers : int
        In the sample.
    all_rows, all_customers : int
        Before, in the same months.
    weight : float
        Customers of the bank that one customer of the sample stands for.
    first, last : str
        Dates of the first and last statement row.
    """

    rows: int
    customers: int
    all_rows: int
    all_customers: int
    weight: float
    first: str
    last: str

    def as_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""
        return asdict(self)


def sample_transactions(
    pattern: str,
    target: Path,
    as_of: date,
    rows: int = MOST_ROWS,
    salt: str = "",
    scratch: Path | None = None,
    **options: Any,
) -> Sample:
    """Write the statements of as many whole customers as fit into a number of rows.

    Which customers depends on their numbers and the salt alone: the same on every run and machine,
    whatever the order of the files. All of a customer's rows of the last twelve months come along.

    Parameters
    ----------
    pattern : str
        Parquet files of the contract table ``transaction``, already de-identified.
    target : pathlib.Path
        File to write.
    as_of : date
        Rows after it are left out.
    rows : int
        Most rows; the customer that would go beyond them is left out, the first one is kept.
    salt : str
        Changes the draw.
    scratch : pathlib.Path, optional
        Folder for what does not fit into memory.
    **options
        ``memory_mb`` and ``threads``.
    """
    since = as_of.replace(day=1)
    since = since.replace(year=since.year - 1, month=since.month)
    month = since.month % 12 + 1
    since = since.replace(year=since.year + since.month // 12, month=month)
    mark = hashlib.sha256(f"sample:{salt}".encode()).hexdigest()[:16]
    with local(scratch, **options) as engine:
        source = engine.source(pattern)
        recent = (
            f"({source.query}) WHERE date >= DATE '{since}' AND date <= DATE '{as_of}' "
            "AND customer_id IS NOT NULL"
        )
        run = engine.connection.execute
        run(f"""CREATE TEMP TABLE customers AS
            SELECT customer_id, count(*) AS n FROM {recent} GROUP BY customer_id""")
        run(f"""CREATE TEMP TABLE chosen AS SELECT customer_id, n FROM (
            SELECT customer_id, n, place, sum(n) OVER (ORDER BY place) AS upto FROM (
              SELECT customer_id, n, row_number() OVER (
                ORDER BY md5('{mark}' || customer_id), customer_id) AS place FROM customers))
            WHERE upto <= {int(rows)} OR place = 1""")
        with fresh_file(target) as aside:
            engine.copy(
                f"SELECT * FROM {recent} AND customer_id IN (SELECT customer_id FROM chosen) "
                "ORDER BY date, transaction_id",
                aside,
            )
            first, last = engine.one(f"SELECT min(date), max(date) FROM read_parquet('{aside}')")
        all_rows, everybody = engine.one("SELECT coalesce(sum(n), 0), count(*) FROM customers")
        kept, people = engine.one("SELECT coalesce(sum(n), 0), count(*) FROM chosen")
    return Sample(
        int(kept), people, int(all_rows), everybody,
        everybody / people if people else 1.0, str(first or ""), str(last or ""),
    )  # fmt: skip
