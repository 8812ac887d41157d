"""What takes the place of labels that a real bank has not delivered: the ids themselves.

A table that a lesson needs only for the names of branches or products must not stop it. Where a
bank lacks such a table, it is made of the ids that stand in its other tables, each id being its
own name; nothing else is made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from course_utils.contract import Table, load_contract

if TYPE_CHECKING:
    import pandas as pd

    from course_utils.bank.warehouse import Bank

#: Table → its key and the column that holds the name.
LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "branch": ("branch_id", "branch_name"),
        "product": ("product_code", "product_name"),
        "town": ("town_id", "town_name"),
    }
)
#: Columns with the same value in every row of a bank that does not have them: a real bank sends
#: all its customers, so each stands for itself.
CONSTANTS: Mapping[str, float] = MappingProxyType({"weight": 1.0})

#: Public tables that the course supplies to a real bank without them → columns it cannot know.
SUPPLIED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "calendar": ("market_day", "pension_day", "school_holiday"),
        "lpr_rate": (),
        "deposit_rate": (),
        "industry": (),
        "lender_keyword": (),
    }
)

#: What a bank may lack that has no name in the contract.
NO_NAMES: Mapping[str, str] = MappingProxyType(
    {"too_few_rows": "足够多的数据", "not_computable": "算得出结果的数据"}
)


def is_supplied(name: str) -> bool:
    """Say whether the course supplies a table, ``"calendar"``, or a column, ``"calendar.date"``."""
    table, _, column = name.partition(".")
    return table in SUPPLIED and column not in SUPPLIED[table]


def chinese(name: str) -> str:
    """Return the Chinese name of ``"loan"`` or ``"loan.five_class"``."""
    if name in NO_NAMES:
        return NO_NAMES[name]
    table, _, column = name.partition(".")
    definition = load_contract().table(table)
    if not column:
        return definition.zh
    return f"{definition.zh}的“{definition.column(column).zh}”"


def stand_in(bank: Bank, table: Table, columns: Sequence[str] | None) -> pd.DataFrame | None:
    """Return a table of ids that are their own names; None where that would not be honest.

    Parameters
    ----------
    bank : Bank
        Lacks the table.
    table : Table
        Its definition.
    columns : sequence of str, optional
        What is asked for; other columns than key and name are left out.
    """
    import pandas as pd

    if table.name not in LABELS:
        return None
    key, label = LABELS[table.name]
    if columns is not None and label not in columns:
        return None
    ids = sorted(_ids(bank, key))
    if not ids:
        return None
    frame = pd.DataFrame({key: pd.array(ids, dtype="str"), label: pd.array(ids, dtype="str")})
    return frame if columns is None else frame[[c for c in columns if c in frame.columns]]


def _ids(bank: Bank, key: str) -> set[str]:
    found: set[str] = set()
    for definition in load_contract().tables.values():
        if definition.checker_only or definition.name not in bank.tables:
            continue
        if key in definition.columns and key not in bank.lacking_columns(definition.name):
            found |= set(bank.load(definition.name, [key])[key].dropna().unique())
    return found


def filled(frame: pd.DataFrame, table: Table, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a frame with the constants that were asked for and that the bank's table lacks."""
    for name in table.columns if columns is None else columns:
        if name in CONSTANTS and name in table.columns and name not in frame.columns:
            frame[name] = CONSTANTS[name]
    return frame if columns is None else frame[[c for c in columns if c in frame.columns]]
