"""What becomes of a mart's columns: what the contract says of the columns they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from course_utils.intake.marts.catalogue import Mart

if TYPE_CHECKING:
    import polars as pl

    from course_utils.contract import Contract, Table

#: Mart column → column of the contract whose rule holds, where the names differ.
_ORIGINS = {"lender": ("transaction", "counterparty_name")}


def mart_table(mart: Mart, contract: Contract) -> Table:
    """Return the mart as a table of the contract: each column by the rule of its origin.

    Columns that are counts, sums or dates of the mart's own have no origin and are kept.
    """
    tables = [contract.tables[name] for name in mart.inputs if name in contract.tables]
    columns = {}
    for name in mart.columns:
        origin_table, origin = _ORIGINS.get(name, (None, name))
        places = [contract.tables[origin_table]] if origin_table else tables
        found = next((t.columns[origin] for t in places if origin in t.columns), None)
        if found is not None:
            columns[name] = replace(found, name=name)
    return replace(tables[0], name=mart.name, zh=mart.names[mart.key[-1]], columns=columns)


def protecting(protector: Any, contract: Contract) -> Callable[[Mart, pl.DataFrame], pl.DataFrame]:
    """Return the hook of ``run_marts`` that de-identifies with a bank's protector.

    Parameters
    ----------
    protector : Protector
        Has ``protect(table, rows)``.
    contract : Contract
        Says what becomes of each column.
    """

    def protect(mart: Mart, rows: pl.DataFrame) -> pl.DataFrame:
        return protector.protect(mart_table(mart, contract), rows)

    return protect
