"""How one column is called in a source system and how its values are written there."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from course_utils.contract import Column


@dataclass(frozen=True)
class Field:
    """One column of an export.

    Parameters
    ----------
    column : Column
        Column of the contract that it feeds.
    source : str
        Its name in the file.
    text : polars.Expr
        Its values as the file shows them.
    codes : dict of str to str
        The system's code → the contract's.
    unit : str, optional
        Unit of the file where it is not the contract's.
    """

    column: Column
    source: str
    text: pl.Expr
    codes: dict[str, str] = field(default_factory=dict)
    unit: str | None = None


def plain(column: Column) -> pl.Expr:
    """Return integers, numbers and texts as they stand; a money value shows its cents."""
    value = pl.col(column.name)
    if column.type == "money":
        return value.cast(pl.Decimal(18, 2)).cast(pl.String)
    return value.cast(pl.String)


def thousands(column: Column) -> pl.Expr:
    """Return money as 1,234,567.89."""
    cents = plain(column)
    whole = cents.str.split(".").list.get(0).str.replace("-", "", literal=True)
    groups = whole.str.reverse().str.replace_all(r"(\d{3})", "${1},").str.reverse()
    sign = pl.when(pl.col(column.name) < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, groups.str.strip_chars(","), pl.lit("."), cents.str.tail(2))


def shifted(column: Column, places: int) -> pl.Expr:
    """Return a number divided by 10 ** `places`, exactly, without zeros at the end."""
    value = pl.col(column.name).cast(pl.Decimal(24, 6)) / pl.lit(10**places)
    return (
        value.cast(pl.Decimal(24, 6)).cast(pl.String).str.strip_chars_end("0").str.strip_suffix(".")
    )


def ten_thousands(column: Column) -> pl.Expr:
    """Return 元 as 万元 with as many decimals as it takes; negatives stand in brackets."""
    text = shifted(column, 4)
    bracketed = pl.concat_str(pl.lit("("), text.str.strip_prefix("-"), pl.lit(")"))
    return pl.when(pl.col(column.name) < 0).then(bracketed).otherwise(text)


def percent_sign(column: Column) -> pl.Expr:
    """Return 3.25 as 3.25%."""
    return pl.concat_str(pl.col(column.name).cast(pl.String), pl.lit("%"))


def day(column: Column, pattern: str, empty: str | None = None) -> pl.Expr:
    """Return a date in one way of writing it."""
    text = pl.col(column.name).dt.strftime(pattern)
    return text if empty is None else text.fill_null(empty)


def serial(column: Column) -> pl.Expr:
    """Return the number by which a workbook counts days."""
    days = pl.col(column.name).cast(pl.Date).cast(pl.Int32) + 25569
    return days.cast(pl.String)


def coded(column: Column, codes: dict[str, str]) -> pl.Expr:
    """Return the system's code for each of the contract's."""
    back = {meaning: code for code, meaning in codes.items()}
    return pl.col(column.name).replace_strict(back, return_dtype=pl.String)


def flag(column: Column, yes: str, no: str) -> pl.Expr:
    """Return a flag in the system's two words."""
    value = pl.col(column.name)
    return pl.when(value).then(pl.lit(yes)).when(value.not_()).then(pl.lit(no))


def distinct(names: list[str]) -> list[str]:
    """Number the second and later of equal names, as a designer of tables would."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}{seen[name]}")
    return result
