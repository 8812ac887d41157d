"""Bring generated frames into the order and the types of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.contract import Table, load_contract
from course_utils.contract.model import DATE_TYPES, TEXT_TYPES

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation


def conform(sim: Simulation) -> None:
    """Replace every table of `sim` by its contract version: columns, types and row order."""
    contract = load_contract()
    for name in sorted(sim.tables):
        sim.tables[name] = conform_table(contract.table(name), sim.tables[name])


def conform_table(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return one frame in contract order and types, sorted by its key.

    Parameters
    ----------
    table : Table
        Definition of the contract.
    frame : pandas.DataFrame
        Generated rows.

    Returns
    -------
    pandas.DataFrame
        Fresh index; optional columns that were not generated stay out.

    Raises
    ------
    KeyError
        If a required column is missing or a column is not in the contract.
    """
    unknown = [name for name in frame.columns if name not in table.columns]
    missing = [name for name in table.required_columns if name not in frame.columns]
    if unknown or missing:
        raise KeyError(f"table {table.name}: unknown columns {unknown}, missing columns {missing}")
    columns = {
        name: _cast(frame[name], column.type, column.dtype)
        for name, column in table.columns.items()
        if name in frame.columns
    }
    result = pd.DataFrame(columns, copy=False)
    if _in_order(result, table.grain):
        return result.reset_index(drop=True)
    return result.sort_values(list(table.grain), ignore_index=True, kind="stable")


def _in_order(frame: pd.DataFrame, keys: tuple[str, ...]) -> bool:
    """Say whether rows are already sorted by the keys, so that most tables need no sorting.

    Each key is compared only where the keys before it are equal. A missing value is neither
    smaller nor equal, or cannot be compared at all: then the answer is no.
    """
    tied = np.arange(len(frame) - 1)
    for name in keys:
        array = frame[name].to_numpy()
        whole = len(tied) == len(array) - 1
        left, right = (array[:-1], array[1:]) if whole else (array[tied], array[tied + 1])
        try:
            rest = np.flatnonzero(~(left < right).astype(bool))
        except TypeError:  # text beside a missing value
            return False
        if not len(rest):
            return True
        if not (left[rest] == right[rest]).all():
            return False
        tied = tied[rest]
    return True


def _cast(values: pd.Series, kind: str, dtype: str) -> pd.Series:
    if kind in TEXT_TYPES:
        return _plain_text(values)
    if values.dtype == dtype and kind != "money":
        return values
    if kind == "money":
        # adding zero turns -0.0 into 0.0, which would be another byte
        return values.astype("float64").round(2) + 0.0
    if kind in DATE_TYPES:
        return pd.to_datetime(values).astype(dtype)
    if dtype == "Int64" and values.dtype != "Int64":
        return values.astype("Float64").astype("Int64")
    return values.astype(dtype)


def _plain_text(values: pd.Series) -> pd.Series:
    """Return a text column that holds nothing but Python's own strings.

    Values picked from a NumPy text array are strings of another class, which DuckDB refuses.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, names = values.cat.codes.to_numpy(), values.cat.categories
    else:
        array = values.to_numpy(dtype=object)
        if values.dtype == "str" and set(map(type, array)) <= {str, float}:
            return values
        codes, names = pd.factorize(array)
    plain = pd.array([str(name) for name in names], dtype="str")
    return pd.Series(plain.take(codes, allow_fill=True), index=values.index)
