"""What a fault is: one cell, row or file that breaks one rule, in a form that every room shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

#: Levels of a rule, from the worst: the whole intake stops; the row is left out (or, where the
#: contract allows no value, the cell is blanked); the row stays and somebody should look; for
#: information.
STOP, REFUSE, WARN, NOTE = "停止", "拒收", "警告", "提示"
LEVELS = (STOP, REFUSE, WARN, NOTE)


def fault_schema() -> dict[str, type[pl.DataType]]:
    """Return the columns of a frame of faults.

    ``file`` and ``sheet`` (empty for text files) say where the row came from, ``row`` is the
    physical line or sheet row counted from 1 (0: the file as a whole), ``table`` and ``column`` are
    contract names, ``source`` is the column's name in the file, ``value`` is what stood there,
    masked where the contract's privacy class asks for it, ``rule`` is a code of the catalogue,
    ``level`` one of :data:`LEVELS`.
    """
    import polars as pl

    return {
        "file": pl.String,
        "sheet": pl.String,
        "row": pl.Int64,
        "table": pl.String,
        "column": pl.String,
        "source": pl.String,
        "value": pl.String,
        "rule": pl.String,
        "level": pl.String,
    }
