"""The customer-month mart of a class release, month by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.intake.privacy.release.attack import MONTHS, Cells
from course_utils.intake.privacy.release.noise import Noise

if TYPE_CHECKING:
    import duckdb
    import numpy as np

    from course_utils.contract import Table

#: Amounts that are parts of others: after the noise they are cut so that they stay parts.
PARTS = {
    "payroll_amount": "in_amount",
    "external_bank_in_amount": "in_amount",
    "external_bank_out_amount": "out_amount",
    "third_party_pay_amount": "out_amount",
    "consumption_amount": "out_amount",
}
#: Amounts that are sums of others; released as the sums of what is released.
SUMS = {"aum_average": ("demand_deposit_average", "term_deposit_average", "wealth_average")}
#: What a month begins with is what the month before ended with.
OPENING, CLOSING = "deposit_open", "deposit_end"
#: Small numbers that would vanish in fives: kept, cut at the top.
KEPT_COUNTS = {"product_count": 6}


@dataclass
class Month:
    """One month of all customers of the release.

    Parameters
    ----------
    date : object
        Last day of the month.
    there : numpy.ndarray
        Which customers have a row.
    values : dict of str to numpy.ndarray
        Column → one value a customer; NaN where null or without a row.
    """

    date: object
    there: np.ndarray
    values: dict[str, np.ndarray]


@dataclass
class Mart:
    """Reads a bank's customer-month mart for the customers of a release.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the table ``crowd``.
    source : str
        SQL expression for the rows of the mart.
    table : Table
        Its definition.
    columns : sequence of str
        The columns that the bank has.
    """

    connection: duckdb.DuckDBPyConnection
    source: str
    table: Table
    columns: Sequence[str]
    customers: list[str] = field(init=False)
    months: list[object] = field(init=False)

    def __post_init__(self) -> None:
        """Number the customers: a row of every array is one of them."""
        run = self.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE place AS SELECT customer_id, "
            "row_number() OVER (ORDER BY customer_id) - 1 AS place FROM crowd"
        )
        rows = run("SELECT customer_id FROM place ORDER BY place").fetchall()
        self.customers = [row[0] for row in rows]
        rows = run(f"SELECT DISTINCT month FROM {self.source} ORDER BY 1").fetchall()
        self.months = [row[0] for row in rows]

    @property
    def amounts(self) -> list[str]:
        """Columns of money."""
        return [name for name in self.columns if self.table.columns[name].type == "money"]

    @property
    def counts(self) -> list[str]:
        """Columns of counts."""
        return [name for name in self.columns if self.table.columns[name].type == "integer"]

    def read(self, month: object) -> Month:
        """Return the true numbers of one month."""
        import numpy as np

        names = [*self.amounts, *self.counts]
        selected = ", ".join(f'CAST("{name}" AS DOUBLE) AS "{name}"' for name in names)
        found = self.connection.execute(
            f"SELECT place, {selected} FROM {self.source} AS mart JOIN place USING (customer_id) "
            "WHERE month = ?",
            [month],
        ).fetchnumpy()
        there = np.zeros(len(self.customers), dtype=bool)
        place = np.asarray(found["place"], dtype=np.int64)
        there[place] = True
        values = {}
        for name in names:
            values[name] = np.full(len(there), np.nan)
            values[name][place] = np.ma.filled(np.ma.asarray(found[name]), np.nan)
        return Month(month, there, values)

    def sample_months(self) -> list[object]:
        """Return the months that an attack draws its items from, spread over the whole time."""
        step = max(len(self.months) / MONTHS, 1)
        return [self.months[int(at * step)] for at in range(min(MONTHS, len(self.months)))]


def disturb(month: Month, mart: Mart, noise: Noise, closing: np.ndarray | None) -> Month:
    """Return a month as it is released.

    Parameters
    ----------
    month : Month
        The true numbers.
    mart : Mart
        Says what the columns are.
    noise : Noise
        Noise of this release.
    closing : numpy.ndarray, optional
        What the month before released as its end; None in the first month.
    """
    import numpy as np

    values = {}
    for name in mart.amounts:
        if name not in SUMS:
            values[name] = noise.amounts(f"{month.date} {name}", month.values[name])
    for name, parts in SUMS.items():
        if name in mart.columns:
            if all(part in values for part in parts):
                values[name] = np.round(sum(values[part] for part in parts), 2)
            else:
                values[name] = noise.amounts(f"{month.date} {name}", month.values[name])
    for part, whole in PARTS.items():
        if part in values and whole in values:
            values[part] = np.fmin(values[part], values[whole])
    if OPENING in values and closing is not None:
        values[OPENING] = np.where(np.isnan(closing), values[OPENING], closing)
    for name in mart.counts:
        values[name] = _count(name, month, mart, noise)
    return Month(month.date, month.there, {name: values[name] for name in month.values})


def _count(name: str, month: Month, mart: Mart, noise: Noise) -> np.ndarray:
    import numpy as np

    true = month.values[name]
    if name in KEPT_COUNTS:
        return np.minimum(true, KEPT_COUNTS[name])
    most = mart.table.columns[name].maximum
    counts = noise.counts(f"{month.date} {name}", true)
    return counts if most is None else np.minimum(counts, most // 5 * 5)


def released_months(mart: Mart, noise: Noise) -> Iterator[tuple[Month, Month]]:
    """Yield every month as it is and as it is released."""
    closing = None
    for date in mart.months:
        true = mart.read(date)
        released = disturb(true, mart, noise, closing)
        closing = released.values.get(CLOSING)
        yield true, released


def attack_cells_of(mart: Mart, noise: Noise) -> Cells:
    """Return the cells that an attack draws from, before and after.

    The opening balance is left out: it repeats the closing balance of the month before.
    """
    import numpy as np

    names = [name for name in mart.amounts if name != OPENING]
    true, released = [], []
    for date in mart.sample_months():
        month = mart.read(date)
        after = disturb(month, mart, noise, None)
        true += [np.nan_to_num(month.values[name]).astype(np.float32) for name in names]
        released += [np.nan_to_num(after.values[name]).astype(np.float32) for name in names]
    return Cells(np.stack(true, axis=1), np.stack(released, axis=1))


def write_shard(month: Month, mart: Mart, pseudonyms: Sequence[str], path: Path) -> None:
    """Write one released month in the order of the pseudonyms of the release."""
    import numpy as np
    import polars as pl

    rows = np.flatnonzero(month.there)
    columns: dict[str, pl.Series] = {
        "month": pl.repeat(month.date, len(rows), dtype=pl.Date, eager=True),
        "customer_id": pl.Series([pseudonyms[row] for row in rows], dtype=pl.String),
    }
    for name in (*mart.amounts, *mart.counts):
        values = pl.Series(month.values[name][rows], nan_to_null=True)
        columns[name] = values.cast(pl.Int64) if name in mart.counts else values
    pl.DataFrame(columns).sort("customer_id").write_parquet(path)
