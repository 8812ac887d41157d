"""What a report may show of a cell: enough to find it, not enough to know whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from course_utils.visible import UNSEEN

if TYPE_CHECKING:
    from course_utils.contract.model import Column

#: Longest value that a report shows.
_SHOWN = 60
#: Digits in a row that may be a phone, card or identity number.
_LONG_NUMBER = r"(\d{2})\d{7,}([\dXx]{2})"
_NAME = r"^[\p{Han}·]{2,4}$"


def is_sensitive(column: Column) -> bool:
    """Tell whether values of the column are shown masked."""
    if getattr(column, "protect", "keep") != "keep":
        return column.type in ("id", "text")
    return column.type in ("id", "text") and column.privacy != "C1"


def mask(values: pl.Series, column: Column | None) -> pl.Series:
    """Mask texts of a column.

    Parameters
    ----------
    values : polars.Series
        Raw texts.
    column : Column, optional
        What they were meant to be; None masks as for any column: long numbers, and what may be a
        name in a column of numbers or dates (a row may have slipped).

    Returns
    -------
    polars.Series
    """
    text = values.cast(pl.String).str.strip_chars().fill_null("")
    if not len(text):
        return text
    text = text.str.replace_all("\x1a", "", literal=True).str.replace_all(UNSEEN, "\ufffd")
    if column is not None and is_sensitive(column):
        return _hide(text)
    shown = text.str.replace_all(_LONG_NUMBER, "${1}*******${2}").str.slice(0, _SHOWN)
    if column is None or column.type in ("text", "code", "flag"):
        return shown
    frame = pl.DataFrame({"t": shown})
    name = pl.col("t").str.contains(_NAME)
    hidden = pl.col("t").str.slice(0, 1) + "**"
    return frame.select(pl.when(name).then(hidden).otherwise("t")).to_series()


def _hide(text: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"t": text})
    value, length = pl.col("t"), pl.col("t").str.len_chars()
    long = value.str.slice(0, 2) + "****" + value.str.slice(-2, 2)
    short = value.str.slice(0, 1) + "**"
    masked = pl.when(length > 7).then(long).when(length > 0).then(short).otherwise(value)
    return frame.select(masked).to_series()
