"""Invent the identifiers that a bank's own systems would hold, one to one for the synthetic ones.

Contract tables hold pseudonyms. A raw export holds customer numbers, 19-digit accounts, names, id
numbers and phones. They are invented here while the test runs and are written nowhere else: id
numbers start with 99, an area that does not exist, but their check digit is right.
"""

from __future__ import annotations

import hashlib

import polars as pl

from course_utils.contract import load_contract

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_GIVEN = "云川禾岚泉青石木山海松月星辰雨雪风田园舟帆桥林竹梅兰荷桂榕杉"


def id_number(number: int, year: int, month: int) -> str:
    """Return an 18-digit id number with a right check digit in an area that does not exist."""
    day = number % 28 + 1
    body = f"99{number // 1000 % 10000:04d}{year:04d}{month:02d}{day:02d}{number % 1000:03d}"
    return body + _CHECKS[sum(int(c) * w for c, w in zip(body, _WEIGHTS, strict=True)) % 11]


def credit_code(number: int) -> str:
    """Return an 18-character 统一社会信用代码 with a right check character."""
    body = f"92990000{number:09d}"
    total = sum(_USCC.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _USCC[(31 - total % 31) % 31]


def card_number(number: int) -> str:
    """Return a 19-digit account number that ends in a right Luhn digit."""
    body = f"621799{number:012d}"
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


def raw_tables(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the tables with raw identifiers in place of the synthetic ones.

    The same synthetic identifier gets the same raw one in every table, two different ones never
    share one; everything else stays.
    """
    lookups = _lookups(tables)
    return {name: _replace(name, frame, lookups) for name, frame in tables.items()}


_Lookup = dict[str, str]


def _lookups(tables: dict[str, pl.DataFrame]) -> dict[str, _Lookup]:
    customer = tables["customer"]
    born = customer.unique("id_hash", keep="first", maintain_order=True)
    people = {
        row["id_hash"]: id_number(i, row["birth_year"] or 1970, row["birth_month"] or 7)
        if row["customer_type"] == "个人"
        else credit_code(500_000_000 + i)
        for i, row in enumerate(born.iter_rows(named=True))
    }
    return {
        "id_hash": people,
        "customer": {v: f"81{_number(v):010d}" for v in _values(tables, "customer", "customer_id")},
        "account": {
            v: card_number(_number(v)) for v in _values(tables, "deposit_account", "account_id")
        },
        "phone": _numbered(_all_values(tables, "phone_hash"), lambda i: f"199{i:08d}"),
        "uscc": _numbered(_all_values(tables, "uscc_hash"), credit_code),
        "device": _numbered(
            _all_values(tables, "device_hash"),
            lambda i: hashlib.md5(f"device{i}".encode()).hexdigest().upper(),
        ),
    }


#: Columns that hold an identifier, whatever table they stand in → the lookup they use.
_COLUMNS = {
    "id_hash": "id_hash",
    "phone_hash": "phone",
    "uscc_hash": "uscc",
    "device_hash": "device",
    "left_id": "customer",
    "right_id": "customer",
}


def _lookup_of(name: str) -> str | None:
    if name in _COLUMNS:
        return _COLUMNS[name]
    if name.endswith("customer_id"):
        return "customer"
    if name.endswith("account_id") or name == "renewed_from":
        return "account"
    return None


def _replace(table: str, frame: pl.DataFrame, lookups: dict[str, _Lookup]) -> pl.DataFrame:
    changes = []
    for name, column in load_contract().table(table).columns.items():
        if name not in frame.columns or not column.protect.startswith("pseudonym:"):
            continue
        lookup = _lookup_of(name)
        # a label may be of another table; an orphan keeps what it was
        raw = pl.col(name).replace(lookups[lookup]) if lookup else pl.col(name)
        # the dictionary shows L0000001 as an example: a bank's own numbers look otherwise
        changes.append(raw.str.replace(r"^([A-Z])(\d{4,})$", "${1}9${2}7"))
    if table == "customer":
        changes.append(_full_name("masked_name", "id_hash"))
    if table == "registry_list":
        changes.append(_full_name("owner_masked", "registry_id"))
    return frame.with_columns(changes)


def _full_name(column: str, by: str) -> pl.Expr:
    """Fill the stars of a masked name with given names that the identifier decides."""
    code = pl.col(by).hash(seed=6)
    first = (code % len(_GIVEN)).cast(pl.Int64)
    second = (code // 97 % len(_GIVEN)).cast(pl.Int64)
    letters = pl.Series(list(_GIVEN))
    filled = pl.col(column)
    for place in (first, second):
        letter = place.replace_strict(range(len(_GIVEN)), letters, return_dtype=pl.String)
        filled = filled.str.replace("*", letter, literal=True)
    # names of firms have more stars than two
    return filled.str.replace_all("*", "某", literal=True).alias(column)


def _number(synthetic: str) -> int:
    return int(synthetic.lstrip("CA"))


def _values(tables: dict[str, pl.DataFrame], table: str, column: str) -> list[str]:
    return tables[table][column].to_list()


def _all_values(tables: dict[str, pl.DataFrame], column: str) -> list[str]:
    parts = [f[column] for f in tables.values() if column in f.columns]
    return pl.concat(parts).drop_nulls().unique().sort().to_list() if parts else []


def _numbered(values: list[str], make: object) -> _Lookup:
    return {value: make(i) for i, value in enumerate(values)}  # type: ignore[operator]
