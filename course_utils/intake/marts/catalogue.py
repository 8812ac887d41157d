"""The marts: one SQL file each, whose header says what it is, in Chinese, and what comes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_FOLDER = Path(__file__).parent / "sql"
_FIELD = re.compile(r"--\s{3}(?P<name>[a-z_]+)\s+(?P<type>[a-z]+)\s+(?P<zh>.+)")
_ENTRY = re.compile(r"-- (?P<key>口径|输入|分区|主键|空值|单位|输出)：(?P<value>.*)")
BY_MONTH, BY_CUSTOMER, WHOLE = "月", "客户", "无"


@dataclass(frozen=True)
class Mart:
    """One table that is worked out where the data live.

    Parameters
    ----------
    name, zh : str
    sql : str
        One SELECT in DuckDB's dialect; ``$as_of`` is the as-of date.
    inputs : tuple of str
        Contract tables and other marts that it reads.
    split : str
        :data:`BY_MONTH`, :data:`BY_CUSTOMER` or :data:`WHOLE`: how it may be cut into parts.
    key : tuple of str
    columns : mapping of str to str
        Output column → contract type, in order.
    names : mapping of str to str
        Output column → Chinese name.
    """

    name: str
    zh: str
    sql: str
    inputs: tuple[str, ...]
    split: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    names: Mapping[str, str]


@cache
def marts() -> Mapping[str, Mart]:
    """Return every mart by its name."""
    found = (_read(path) for path in sorted(_FOLDER.glob("*.sql")))
    return MappingProxyType({mart.name: mart for mart in found})


def _read(path: Path) -> Mart:
    text = path.read_text(encoding="utf-8")
    header, entries, columns, names = [], {}, {}, {}
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        header.append(line)
        if entry := _ENTRY.fullmatch(line):
            entries[entry["key"]] = entry["value"].strip()
        elif "输出" in entries and (field := _FIELD.fullmatch(line)):
            columns[field["name"]], names[field["name"]] = field["type"], field["zh"]
    return Mart(
        name=path.stem,
        zh=header[0].removeprefix("--").strip(),
        sql=text,
        inputs=tuple(entries["输入"].split(", ")),
        split=entries["分区"],
        key=tuple(entries["主键"].split(", ")),
        columns=MappingProxyType(columns),
        names=MappingProxyType(names),
    )


#: Contract type → type in DuckDB.
DUCKDB_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "id": "VARCHAR", "text": "VARCHAR", "code": "VARCHAR", "flag": "BOOLEAN",
        "integer": "BIGINT", "number": "DOUBLE", "percent": "DOUBLE", "ratio": "DOUBLE",
        "money": "DECIMAL(18, 2)", "date": "DATE", "month": "DATE",
    }
)  # fmt: skip


def polars_schema(columns: Mapping[str, str]) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the polars types of columns given by contract types."""
    import polars as pl

    types = {
        "VARCHAR": pl.String, "BOOLEAN": pl.Boolean, "BIGINT": pl.Int64, "DOUBLE": pl.Float64,
        "DECIMAL(18, 2)": pl.Decimal(18, 2), "DATE": pl.Date,
    }  # fmt: skip
    return {name: types[DUCKDB_TYPES[kind]] for name, kind in columns.items()}
