"""Words that banks abbreviate in column names, and prefixes that say nothing about a column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

#: Abbreviation → words of the contract's English.
ABBREVIATIONS: Mapping[str, str] = {
    "acc": "account",
    "acct": "account",
    "ac": "account",
    "acno": "account id",
    "actual": "actual",
    "agrclt": "agricultural",
    "amt": "amount",
    "amnt": "amount",
    "appl": "application",
    "app": "application",
    "appr": "approve",
    "aprv": "approve",
    "avg": "average",
    "bal": "balance",
    "beg": "start",
    "begin": "start",
    "bgn": "start",
    "biz": "",
    "bk": "bank",
    "br": "branch",
    "brch": "branch",
    "brh": "branch",
    "brn": "branch",
    "cd": "code",
    "chnl": "channel",
    "chn": "channel",
    "client": "customer",
    "cls": "class",
    "clt": "collateral",
    "cnt": "count",
    "cnl": "channel",
    "cif": "customer",
    "coll": "collateral",
    "cpty": "counterparty",
    "cntpty": "counterparty",
    "crd": "credit",
    "cst": "customer",
    "cust": "customer",
    "dep": "deposit",
    "dept": "branch",
    "desc": "memo",
    "disb": "issue",
    "dpst": "deposit",
    "dps": "deposit",
    "dt": "date",
    "dte": "date",
    "due": "maturity",
    "edu": "education",
    "emp": "employee",
    "end": "end",
    "ent": "enterprise",
    "exp": "expire",
    "expiry": "expire",
    "flg": "",
    "flag": "",
    "ind": "",
    "fst": "first",
    "guar": "guarantee",
    "guaranty": "guarantee",
    "hh": "household",
    "id": "id",
    "indu": "industry",
    "inst": "branch",
    "int": "interest",
    "intr": "interest",
    "is": "",
    "lmt": "limit",
    "ln": "loan",
    "lst": "last",
    "mat": "maturity",
    "matu": "maturity",
    "mcht": "merchant",
    "mer": "merchant",
    "mbr": "customer",
    "mgr": "manager",
    "mkt": "market",
    "mobile": "phone",
    "mon": "month",
    "mth": "month",
    "nm": "name",
    "no": "id",
    "nbr": "id",
    "num": "id",
    "open": "open",
    "opn": "open",
    "opp": "counterparty",
    "oppo": "counterparty",
    "org": "branch",
    "ovd": "overdue",
    "overdue": "overdue",
    "pd": "paid",
    "prd": "product",
    "prin": "principal",
    "prod": "product",
    "pur": "purpose",
    "qty": "count",
    "reg": "register",
    "remark": "memo",
    "rpy": "repay",
    "sal": "amount",
    "seq": "id",
    "sex": "gender",
    "st": "status",
    "staff": "employee",
    "stat": "status",
    "sts": "status",
    "tel": "phone",
    "term": "term",
    "ths": "",
    "times": "count",
    "tm": "time",
    "tot": "total",
    "total": "",
    "tp": "kind",
    "typ": "kind",
    "type": "kind",
    "tran": "transaction",
    "trans": "transaction",
    "trx": "transaction",
    "tx": "transaction",
    "txn": "transaction",
    "usd": "used",
    "user": "customer",
    "usr": "customer",
    "yr": "year",
}
#: Words that nearly every table has; alone they prove little.
COMMON_WORDS = frozenset(
    "id code date name amount status kind balance month rate count number time "  # noqa: SIM905
    "level current value total list".split()
)
#: Columns that extracts of a system carry everywhere and the course has no use for.
UNUSED = frozenset(("cjrq", "采集日期", "jrxkzh", "金融许可证号", "etl_date", "etl_dt", "load_dt"))
#: What stands before the name of a column without changing what it is.
EMPTY_PREFIXES = (
    "本次",
    "当前",
    "最新",
    "我行",
    "本行",
    "是否",
    "有无",
    "该",
    "其中",
    "期末",
    "实际",
)

_TOKENS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_BRACKETS = re.compile(r"[(\[【〔].*?[)\]】〕]")


@cache
def english_words(name: str) -> tuple[str, ...]:
    """Return the words of an English column name, abbreviations written out.

    >>> english_words("CUST_NO"), english_words("openDate")
    (('customer', 'id'), ('open', 'date'))
    """
    words: list[str] = []
    for token in _TOKENS.findall(name):
        words += [_one(w) for w in ABBREVIATIONS.get(token.lower(), token.lower()).split()]
    return tuple(dict.fromkeys(words))


def _one(word: str) -> str:
    """Return the singular of a word."""
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us"))
    return word[:-1] if plural else word


def is_english(name: str) -> bool:
    """Say whether a name has Latin letters only."""
    return any(mark.isalpha() for mark in name) and name.isascii()


def without_brackets(name: str) -> str:
    """Return a name without what stands in brackets, such as a unit."""
    return _BRACKETS.sub("", name).strip(":_-/*") or name


@cache
def without_prefix(name: str, prefixes: tuple[str, ...]) -> str:
    """Return what is left of a name when words that only say whose it is are taken off."""
    left = name
    for _ in range(2):
        for prefix in (*EMPTY_PREFIXES, *prefixes):
            if left.startswith(prefix) and len(left) - len(prefix) >= 2:
                left = left[len(prefix) :]
    return left
