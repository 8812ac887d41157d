"""Identifiers, free text, codes and flags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import polars as pl

from course_utils.intake.conversion.cells import Cells, Parsed, by_distinct, with_rest

#: Identifiers that need no second look; anything with a dot, a plus or a blank does.
_PLAIN_ID = r"^[0-9A-Za-z_\-]+$"
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{2,3}")
_TAIL = re.compile(r"(\d+)\.0+")
#: Significant digits that a number in Excel keeps.
_EXCEL_DIGITS = 15
#: What banks write for yes and no, in lower case.
YES = frozenset({"是", "y", "yes", "1", "t", "true", "有", "√", "✓", "1.0"})
NO = frozenset({"否", "n", "no", "0", "f", "false", "无", "×", "✗", "0.0", "没有"})
_CONTROL = r"[\x00-\x08\x0a-\x1f\x7f]+"
_FORMULA = r"^(?:[=@]|[+\-][^\d\s.])"


def convert_id(text: pl.Series) -> Cells:
    """Convert identifiers: text all the way, digits that Excel has lost are a fault."""
    return by_distinct(text, _ids)


def _ids(text: pl.Series) -> Cells:
    plain = text.str.contains(_PLAIN_ID) & ~text.str.contains(r"^\d[eE]\d{2}$")
    values = pl.select(pl.when(plain).then(text)).to_series()
    return with_rest(text, values, _parse_id, pl.String)


def _parse_id(text: str) -> Parsed:
    if text.startswith("\x1a"):
        return None, ("id_lost",)
    body = unicodedata.normalize("NFKC", text).strip()
    rules = ("full_width",) if any(c.isdigit() and not c.isascii() for c in text) else ()
    if found := _TAIL.fullmatch(body):
        lost = len(found[1]) > _EXCEL_DIGITS
        return (None, ("id_lost",)) if lost else (found[1], (*rules, "id_tail"))
    if _SCIENTIFIC.fullmatch(body):
        return None, ("id_lost",)
    if re.fullmatch(r"[\d\s]+", body):  # cards are often written in groups of four
        body = re.sub(r"\s", "", body)
    return body, rules


def convert_text(text: pl.Series) -> Cells:
    """Convert free text: line breaks and control characters become blanks."""
    broken = text.str.contains(_CONTROL)
    cells = Cells(text.str.replace_all(_CONTROL, " ") if broken.any() else text)
    cells.mark("formula_text", text.str.contains(_FORMULA))
    return cells


def convert_code(text: pl.Series, allowed: tuple[str, ...]) -> Cells:
    """Convert codes; one that the contract does not know is a fault."""
    known = {unicodedata.normalize("NFKC", one): one for one in allowed}
    return by_distinct(text, lambda one: _by_table(one, known, "code", pl.String))


def convert_flag(text: pl.Series) -> Cells:
    """Convert yes and no."""
    known: dict[str, object] = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
    return by_distinct(text, lambda one: _by_table(one, known, "flag", pl.Boolean))


def _by_table(
    text: pl.Series, known: Mapping[str, object], rule: str, dtype: type[pl.DataType]
) -> Cells:
    def parse(one: str) -> Parsed:
        body = unicodedata.normalize("NFKC", one).strip()
        for form in (one, body, body.lower()):
            if form in known:
                return known[form], ()
        return None, (rule,)

    return with_rest(text, pl.Series([None] * len(text), dtype=dtype), parse, dtype)
