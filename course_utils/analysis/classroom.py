"""Tables that stand in for an unmasked export, so that privacy can be taught on every bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from course_utils.analysis import _need

if TYPE_CHECKING:
    from course_utils.bank import Bank

COLUMNS = (
    "row_id", "customer_id", "name", "id_number", "phone", "address", "card_number", "balance",
    "birth_date", "gender", "village", "town", "occupation", "five_class", "note", "remark2",
)  # fmt: skip
KNOWN_SHARE = 0.2


def unmasked_export(bank: Bank) -> pd.DataFrame:
    """Return the example export, or what stands in for it at a bank that has none.

    A bank that keeps its rules has no unmasked export to give.  Its own, already de-identified
    customer table then takes the place: the tests for re-identification are worth even more there.

    Parameters
    ----------
    bank : Bank
        The open bank.

    Returns
    -------
    DataFrame
        The columns of the contract's ``raw_export``; columns that only an unmasked export has are
        empty in the stand-in, and a birth date is the first day of the known year or month.
    """
    if bank.has("raw_export"):
        return bank.load("raw_export")
    customer = bank.load("customer")
    _need.columns(customer, ["customer_id", "birth_year", "gender", "town_id"], "脱敏教学样本")
    persons = customer[customer["birth_year"].notna()].reset_index(drop=True)
    month = persons["birth_month"] if "birth_month" in persons else pd.Series(1, persons.index)
    parts = {"year": persons["birth_year"].astype(int), "month": month.fillna(1).astype(int)}
    frame = pd.DataFrame(
        {
            "row_id": [f"R{n:06d}" for n in range(1, len(persons) + 1)],
            "customer_id": persons["customer_id"],
            "name": persons["masked_name"],
            "birth_date": pd.to_datetime(pd.DataFrame(parts).assign(day=1)),
            "gender": persons["gender"],
            "village": persons["village_id"].fillna("（无村）"),
            "town": persons["town_id"],
            "occupation": persons["occupation"],
        }
    )
    frame = frame.reindex(columns=list(COLUMNS))
    text = [c for c in COLUMNS if c not in ("balance", "birth_date")]
    return frame.astype(dict.fromkeys(text, "str") | {"balance": "float64"})


def neighbours(bank: Bank, export: pd.DataFrame) -> pd.DataFrame:
    """Return what a neighbour knows: village, birth date and gender of some people.

    Parameters
    ----------
    bank : Bank
        Its ``village_list`` is used if there is one.
    export : DataFrame
        From :func:`unmasked_export`; without a list, one row in five stands in.

    Returns
    -------
    DataFrame
        ``list_id``, ``village``, ``birth_date``, ``gender``; no names, the attack needs none.
    """
    wanted = ["list_id", "village", "birth_date", "gender"]
    if bank.has("village_list") and bank.has("raw_export"):
        return bank.load("village_list", columns=wanted)
    known = export.sample(frac=KNOWN_SHARE, random_state=0).reset_index(drop=True)
    known["list_id"] = [f"L{n:05d}" for n in range(1, len(known) + 1)]
    return known[wanted]
