"""Three source systems: an EAST 5.0 extract, a core-banking dump, the branches' Excel pack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from course_utils.contract import Column, Table

from .fields import (
    Field,
    coded,
    day,
    distinct,
    flag,
    percent_sign,
    plain,
    serial,
    shifted,
    ten_thousands,
    thousands,
)

#: Tables too long for a branch's workbook: the head office adds them to the pack as CSV.
LONG = frozenset(
    {
        "customer_month",
        "customer_year",
        "customer_product_history",
        "customer_tag",
        "credit_line_month",
        "etc_month",
        "loan_month",
        "merchant_day",
        "merchant_month",
        "mobile_event",
        "queue_log",
        "repayment",
        "transaction",
        "utility_month",
        "wealth_holding",
    }
)
#: Tables of which every group of branches sends its own workbook, with the row of the header.
BRANCH_BOOKS = frozenset({"customer", "deposit_account", "loan", "merchant", "employee", "target"})
#: Short tables that share one workbook, a sheet each.
ONE_BOOK = frozenset({"static"})

_ABBREVIATIONS = {
    "account": "ACCT", "amount": "AMT", "application": "APPL", "average": "AVG",
    "balance": "BAL", "birth": "BIRTH", "branch": "ORG", "channel": "CHNL", "count": "CNT",
    "counterparty": "OPP", "customer": "CUST", "date": "DT", "deposit": "DPST",
    "direction": "DC_FLG", "employee": "EMP", "flag": "FLG", "id": "NO", "kind": "KND",
    "loan": "LN", "manager": "MGR", "maturity": "MATU", "merchant": "MCHT", "month": "MTH",
    "name": "NM", "number": "NUM", "open": "OPEN", "phone": "MOBILE", "product": "PROD",
    "rate": "RATE", "status": "STS", "time": "TM", "transaction": "TXN", "type": "TYP",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """One source system.

    Parameters
    ----------
    name : str
        Folder of the adapter.
    names : callable
        Table → the columns' names in this system, in the contract's order.
    field : callable
        Table, column and its name → the field.
    """

    name: str
    names: Callable[[Table, list[Column]], list[str]]
    field: Callable[[Table, Column, str], Field]

    def fields(self, table: Table, present: list[str]) -> list[Field]:
        """Return the fields of one table for the columns that the bank has."""
        columns = [c for c in table.columns.values() if c.name in present]
        names = distinct(self.names(table, columns))
        return [self.field(table, c, n) for c, n in zip(columns, names, strict=True)]


def initials(text: str) -> str:
    """Return the first letters of the pinyin, as EAST names its columns."""
    from pypinyin import Style, lazy_pinyin

    letters = lazy_pinyin(text, style=Style.FIRST_LETTER, errors="default")
    return "".join(letters).upper()


def _east_names(table: Table, columns: list[Column]) -> list[str]:
    return [initials(c.zh) for c in columns]


def _east(table: Table, column: Column, name: str) -> Field:
    if column.codes:
        codes = {f"{i:02d}": c for i, c in enumerate(column.codes, 1)}
        return Field(column, name, coded(column, codes), codes)
    if column.type == "flag":
        return Field(column, name, flag(column, "1", "0"))
    if column.type in {"date", "month"}:
        # what has not ended yet ends in the year 9999
        empty = "99991231" if column.hide_after_as_of else None
        return Field(column, name, day(column, "%Y%m%d", empty))
    if column.type == "timestamp":
        return Field(column, name, day(column, "%Y%m%d%H%M%S"))
    return Field(column, name, plain(column))


def _core_names(table: Table, columns: list[Column]) -> list[str]:
    return ["_".join(_abbreviate(w) for w in c.name.split("_")) for c in columns]


def _abbreviate(word: str) -> str:
    if word in _ABBREVIATIONS:
        return _ABBREVIATIONS[word]
    if len(word) <= 4:
        return word.upper()
    short = word[0] + "".join(c for c in word[1:] if c not in "aeiou")
    return short[:5].upper()


def _core(table: Table, column: Column, name: str) -> Field:
    if column.name == "direction":
        codes = {"C": "收入", "D": "支出"}
        return Field(column, name, coded(column, codes).fill_null("\\N"), codes)
    if column.codes:
        short = distinct([initials(c) for c in column.codes])
        codes = dict(zip(short, column.codes, strict=True))
        return Field(column, name, coded(column, codes).fill_null("\\N"), codes)
    if column.type == "flag":
        return Field(column, name, flag(column, "Y", "N").fill_null("\\N"))
    if column.type in {"date", "month"}:
        return Field(column, name, day(column, "%Y-%m-%d", "\\N"))
    if column.type == "timestamp":
        return Field(column, name, day(column, "%Y-%m-%d %H:%M:%S", "\\N"))
    if column.type == "money":
        return Field(column, name, thousands(column).fill_null("\\N"))
    text = plain(column)
    if column.name.endswith("account_id"):
        # a tab in front keeps Excel from turning nineteen digits into a number
        text = pl.concat_str(pl.lit("\t"), text)
    elif column.name in {"id_hash", "renewed_from"}:
        text = pl.concat_str(pl.lit("'"), text)
    return Field(column, name, text.fill_null("\\N"))


def _excel_names(table: Table, columns: list[Column]) -> list[str]:
    if table.name in LONG:
        return [c.zh for c in columns]
    return [
        f"{c.zh}（{'万元' if c.type == 'money' else c.unit}）" if c.unit else c.zh for c in columns
    ]


def _excel(table: Table, column: Column, name: str) -> Field:
    if table.name in LONG:
        return _csv_of_the_head_office(column, name)
    if column.type == "money":
        return Field(column, name, ten_thousands(column), unit="万元")
    if column.type == "percent":
        return Field(column, name, percent_sign(column))
    if column.type == "ratio":
        return Field(column, name, pl.concat_str(shifted(column, -2), pl.lit("%")))
    if column.type == "flag":
        return Field(column, name, flag(column, "是", "否"))
    if column.type == "month":
        return Field(column, name, day(column, "%Y年%m月"))
    if column.type == "date":
        ways = [day(column, "%Y-%m-%d"), day(column, "%Y/%m/%d"), day(column, "%Y.%m.%d"),
                day(column, "%Y年%m月%d日"), serial(column)]  # fmt: skip
        chosen = pl.int_range(pl.len()) % len(ways)
        text = ways[0]
        for i, way in enumerate(ways):
            text = pl.when(chosen == i).then(way).otherwise(text)
        return Field(column, name, text)
    if column.type == "timestamp":
        return Field(column, name, day(column, "%Y-%m-%d %H:%M:%S"))
    return Field(column, name, plain(column))


def _csv_of_the_head_office(column: Column, name: str) -> Field:
    if column.type == "flag":
        return Field(column, name, flag(column, "是", "否"))
    if column.type in {"date", "month"}:
        return Field(column, name, day(column, "%Y/%m/%d"))
    if column.type == "timestamp":
        return Field(column, name, day(column, "%Y/%m/%d %H:%M:%S"))
    return Field(column, name, plain(column))


SHAPES = {
    "east5": Shape("east5", _east_names, _east),
    "core_dump": Shape("core_dump", _core_names, _core),
    "branch_excel": Shape("branch_excel", _excel_names, _excel),
}
