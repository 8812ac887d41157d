"""Wide panels and joins that the money recoveries share."""

from __future__ import annotations

import weakref

import numpy as np
import pandas as pd

from course_utils.synth.recovery.base import Tables

#: Upper ends of the tiers T0 … T4, 元.
TIERS = np.array([1e4, 5e4, 2e5, 5e5, 1e6])


def tier(money: np.ndarray) -> np.ndarray:
    """Return the tier 0 … 5 of money in 元."""
    return np.searchsorted(TIERS, money, side="right")


def is_person(tables: Tables) -> np.ndarray:
    """Return whether each row of ``customer`` is a person (shop owners included)."""
    return (tables["customer"]["customer_type"].astype(str) != "企业").to_numpy()


def customer_weights(tables: Tables, customer_id: pd.Series) -> np.ndarray:
    """Return the sampling weight of each customer id."""
    customer = tables["customer"]
    row = pd.Index(customer["customer_id"]).get_indexer(customer_id)
    return customer["weight"].to_numpy(dtype=float)[row]


def wide_month(tables: Tables, column: str) -> np.ndarray:
    """Return a column of ``customer_month`` as ``[customer, month]``; NaN where there is no row."""
    return _wide(tables, "customer_month", "month", column)


def wide_year(tables: Tables, column: str) -> np.ndarray:
    """Return a column of ``customer_year`` as ``[customer, year]``; NaN where there is no row."""
    return _wide(tables, "customer_year", "year", column)


#: Positions of the last panel of each name: looking up millions of ids is the slow part.
_POSITIONS: dict[str, tuple[weakref.ref, weakref.ref, np.ndarray, np.ndarray, int]] = {}


def _positions(tables: Tables, name: str, time: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Return row of the customer, column of the period, and number of periods, for each row."""
    panel, customer = tables[name], tables["customer"]
    known = _POSITIONS.get(name)
    if known is not None and known[0]() is panel and known[1]() is customer:
        return known[2:]
    periods = np.sort(panel[time].unique())
    row = pd.Index(customer["customer_id"]).get_indexer(panel["customer_id"])
    when = np.searchsorted(periods, panel[time].to_numpy())
    _POSITIONS[name] = weakref.ref(panel), weakref.ref(customer), row, when, len(periods)
    return row, when, len(periods)


def _wide(tables: Tables, name: str, time: str, column: str) -> np.ndarray:
    row, when, width = _positions(tables, name, time)
    panel = np.full((len(tables["customer"]), width), np.nan)
    panel[row, when] = tables[name][column].to_numpy(dtype=float)
    return panel


def due_deposits(tables: Tables) -> pd.DataFrame:
    """Return the deposits whose renewal is known, with the call before their maturity.

    Returns
    -------
    pandas.DataFrame
        Columns of ``deposit_account`` plus ``renewed`` (80 % stayed thirty days), ``lead`` (days
        between call and maturity, 0 not called) and ``arm``; maturities inside the panel only.
    """
    account = tables["deposit_account"]
    first = tables["customer_month"]["month"].min()
    known = account["kept_amount_30d"].notna() & (account["maturity_date"] > first)
    due = account[known].copy()
    due["renewed"] = due["kept_amount_30d"] >= 0.8 * due["amount"]
    log = tables["contact_log"]
    log = log[(log["purpose"] == "到期") & log["account_id"].notna()]
    lead = (log["due_date"] - log["contact_time"].dt.normalize()).dt.days
    log = pd.DataFrame(
        {
            "account_id": log["account_id"],
            "arm": log["arm"].astype(object),
            "lead": np.where(log["channel"].isna(), 0, lead),
        }
    ).drop_duplicates("account_id")
    due = due.merge(log, on="account_id", how="left", validate="1:1")
    due["lead"] = due["lead"].fillna(0).astype(int)
    return due


def posted_rate(table: pd.DataFrame, who: str, due: pd.DataFrame) -> np.ndarray:
    """Return the rate posted by `who` for each deposit's kind and term on its maturity date."""
    own = table[table["who"] == who]
    result = np.full(len(due), np.nan)
    kind, term = due["kind"].astype(str).to_numpy(), due["term_months"].to_numpy(dtype=float)
    day = due["maturity_date"].to_numpy()
    for (name, months), part in own.groupby(["kind", "term_months"], observed=True):
        rows = (kind == name) & (term == months)
        part = part.sort_values("effective_date")
        at = np.searchsorted(part["effective_date"].to_numpy(), day[rows], side="right") - 1
        result[rows] = part["rate"].to_numpy()[at.clip(min=0)]
    return result
