"""Small tables that keep the contract, drawn from the contract alone: they need no bank."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable

import polars as pl

from course_utils.contract import Column, Table, load_contract

from .exports import AS_OF

_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,
    "text": pl.String,
    "code": pl.String,
    "flag": pl.Boolean,
    "integer": pl.Int64,
    "number": pl.Float64,
    "percent": pl.Float64,
    "ratio": pl.Float64,
    "money": pl.Float64,
    "date": pl.Date,
    "month": pl.Date,
    "timestamp": pl.Datetime("us"),
}
#: Letters of the ids that identities know how to replace.
_LETTERS = {"customer_id": "C", "account_id": "A"}
#: One value in so many of a column that may be empty is missing.
_MISSING = 4
_DAYS = 600


def invent(names: Iterable[str], rows: int, seed: int = 1) -> dict[str, pl.DataFrame]:
    """Return tables with about `rows` rows each.

    Parameters
    ----------
    names : iterable of str
        Tables of the contract; one that is referred to comes before the one that refers.
    rows : int
    seed : int
    """
    chance = random.Random(seed)
    made: dict[str, pl.DataFrame] = {}
    for name in names:
        table = load_contract().table(name)
        columns = {c.name: _values(table, c, rows, made, chance) for c in table.columns.values()}
        frame = pl.DataFrame(columns, schema={n: _TYPES[table.columns[n].type] for n in columns})
        made[name] = frame.unique(list(table.grain), keep="first", maintain_order=True)
    return made


def _values(
    table: Table, column: Column, rows: int, made: dict[str, pl.DataFrame], chance: random.Random
) -> list[object]:
    if table.grain == (column.name,) and column.reference is None:
        letter = _LETTERS.get(column.name, "N")
        if column.type == "id":
            return [f"{letter}{i:07d}" for i in range(1, rows + 1)]
    choices = _choices(table, column, made)
    values = [chance.choice(choices) if choices else _value(column, chance) for _ in range(rows)]
    if table.grain == (column.name,) and choices:
        values = (choices * rows)[:rows]
    if not column.nullable or column.name in table.grain:
        return values
    return [None if chance.randrange(_MISSING) == 0 else v for v in values]


def _choices(table: Table, column: Column, made: dict[str, pl.DataFrame]) -> list[object]:
    if column.reference is not None:
        target, key = column.reference
        if target in made:
            return made[target][key].to_list()
        return [f"{'A' if key == 'account_id' else 'N'}{i:07d}" for i in range(1, 4)]
    return list(column.codes)


def _value(column: Column, chance: random.Random) -> object:
    day = AS_OF - datetime.timedelta(days=chance.randrange(_DAYS))
    if column.type == "date":
        return day
    if column.type == "month":
        return day.replace(day=1) - datetime.timedelta(days=1)
    if column.type == "timestamp":
        return datetime.datetime(day.year, day.month, day.day, 9, chance.randrange(60), 7)
    if column.type == "flag":
        return chance.random() < 0.5
    if column.type in {"id", "text"}:
        return f"{chance.choice('云禾岚泉青')}{chance.randrange(1000)}"
    low = column.minimum if column.minimum is not None else -9_000
    high = column.maximum if column.maximum is not None else low + 90_000
    if column.type == "integer":
        return chance.randint(int(low), int(high))
    return round(chance.uniform(low, high), 4 if column.type == "ratio" else 2)
