"""A smaller bank: some customers with everything that belongs to them, so that tests stay quick."""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl

from course_utils.contract import Table, load_contract

#: The checker's own, and two course tables full of names and id numbers: no bank delivers them.
LEFT_OUT = frozenset({"next_90d_outcome", "raw_export", "village_list"})

#: Long tables that do not hang on a customer: thinned out like the customers.
THINNED = frozenset({"household", "registry_list", "brand_survey", "assessment"})

#: A workbook keeps fifteen digits; a figure that has more loses them there, not in the intake.
DECIMALS = 5


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Return the tables of a synthetic bank's warehouse, in the order of the contract."""
    return {
        name: pl.read_parquet(path).with_columns(pl.col(pl.Float64).round(DECIMALS))
        for name in load_contract().tables
        if name not in LEFT_OUT and (path := folder / f"{name}.parquet").exists()
    }


def known(tables: dict[str, pl.DataFrame], as_of: datetime.date) -> dict[str, pl.DataFrame]:
    """Return what a bank can export on the day `as_of`: no row and no value of a later day."""
    contract = load_contract()
    return {name: _known(contract.table(name), frame, as_of) for name, frame in tables.items()}


def _known(table: Table, frame: pl.DataFrame, as_of: datetime.date) -> pl.DataFrame:
    end = as_of + datetime.timedelta(days=1)
    if table.as_of is not None and table.as_of in frame.columns:
        date = pl.col(table.as_of)
        frame = frame.filter((date < end) | date.is_null())
    if table.as_of_year is not None:
        finished = as_of.year if (as_of.month, as_of.day) == (12, 31) else as_of.year - 1
        frame = frame.filter(pl.col(table.as_of_year) <= finished)
    changes = []
    for column in table.columns.values():
        if column.name not in frame.columns:
            continue
        value = pl.col(column.name)
        if column.hide_after_as_of:
            changes.append(pl.when((value >= end).not_()).then(value).alias(column.name))
        elif column.known_on is not None and column.known_on in frame.columns:
            wait = datetime.timedelta(days=column.known_after_days)
            late = (pl.col(column.known_on) >= end - wait).fill_null(value=False)
            changes.append(pl.when(~late).then(value).alias(column.name))
    return frame.with_columns(changes)


def smaller(
    tables: dict[str, pl.DataFrame], customers: int, days: int = 0
) -> dict[str, pl.DataFrame]:
    """Keep about `customers` customers and the rows of the other tables that belong to them.

    A reference to somebody who left is blanked where the contract allows it; otherwise its row
    goes too, until nothing refers to a row that is not there.

    Parameters
    ----------
    tables : dict of str to polars.DataFrame
    customers : int
        How many, evenly spread over the table.
    days : int
        Of tables with one row a day or month and branch only the last `days` dates; 0: all.
    """
    step = max(1, tables["customer"].height // customers)
    kept = dict(tables)
    for name in {"customer", *THINNED} & set(tables):
        kept[name] = tables[name].gather_every(step)
    if days:
        kept = {name: _last_dates(name, frame, days) for name, frame in kept.items()}
    contract = load_contract()
    changed = True
    while changed:
        changed = False
        for name in kept:
            closed = _close(contract.table(name), kept)
            changed |= closed.height != kept[name].height
            kept[name] = closed
    return kept


def _last_dates(name: str, frame: pl.DataFrame, days: int) -> pl.DataFrame:
    table = load_contract().table(name)
    dated = table.as_of if table.size in {"per_branch", "static"} else None
    if dated is None or dated not in table.grain or frame[dated].n_unique() <= days:
        return frame
    last = frame[dated].unique().sort().tail(days)
    return frame.filter(pl.col(dated).is_in(last.implode()))


def _close(table: Table, tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    frame = tables[table.name]
    for column, (target, key) in table.foreign_keys.items():
        if column not in frame.columns or target not in tables:
            continue
        known = pl.col(column).is_in(tables[target][key].implode())
        if table.columns[column].nullable:
            frame = frame.with_columns(pl.when(known).then(pl.col(column)).alias(column))
        else:
            frame = frame.filter(known)
    return frame
