"""What may stand in a cell: values as they are, formulas only on purpose, no raw identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from course_utils import columns
from course_utils.analysis import privacy
from course_utils.errors import CourseError

SHEET_NAME_LIMIT = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_PSEUDONYM = re.compile(r"[A-Z]{1,4}\d{1,12}|[0-9a-f]{8,64}")
_MASKED = re.compile(r"\*|＊|某|×")
_CODED = frozenset({"是", "否", "有效", "无效", "True", "False"})
_PHONE_DIGITS = 11
_NAME_WORDS = ("name", "姓名")
_NUMBER_WORDS = tuple(w for w in columns.IDENTIFIER_WORDS if w not in _NAME_WORDS)


@dataclass(frozen=True)
class Formula:
    """A live formula; the only way to get one into a deliverable.

    Parameters
    ----------
    text : str
        Formula with ``=``, in English function names, e.g. ``"=B2*参数!$B$1"``.
    value : float or str
        Result shown until the sheet is recalculated.
    """

    text: str
    value: float | str = 0

    def __post_init__(self) -> None:
        if not self.text.startswith("=") or len(self.text) < 2:
            raise CourseError(f"公式必须以等号开头，现在是“{self.text}”，请改正。")


def sheet_name(name: object, used: Iterable[str] = ()) -> str:
    """Return a sheet name that Excel accepts and that no other sheet has.

    Parameters
    ----------
    name : object
        Wanted name.
    used : iterable of str
        Names already in the workbook.

    Returns
    -------
    str
        At most 31 characters, without ``[]:*?/\\``, not starting or ending with an apostrophe.
    """
    clean = _FORBIDDEN.sub("", str(name)).strip().strip("'").strip()[:SHEET_NAME_LIMIT] or "表"
    if clean.lower() == "history":
        clean = f"{clean}表"
    taken = {u.lower() for u in used}
    result, number = clean, 2
    while result.lower() in taken:
        tail = f"({number})"
        result = clean[: SHEET_NAME_LIMIT - len(tail)] + tail
        number += 1
    return result


def refuse_identifiers(frame: pd.DataFrame, where: str) -> None:
    """Refuse a table that would carry a raw name, phone, identity or card number out of the class.

    Parameters
    ----------
    frame : DataFrame
        What is about to be written.
    where : str
        Chinese name of the sheet, for the message.

    Raises
    ------
    CourseError
        Names the column, never the value.

    Notes
    -----
    Three nets: columns of class C3 in the contract; columns named like identifiers whose values are
    neither masked nor pseudonyms; any text with a phone, identity or card number in it.
    """
    for position, raw in enumerate(frame.columns):
        name = str(raw)
        column = columns.find(name)
        if column is not None and column.privacy == "C3":
            raise CourseError(
                f"“{where}”里的列“{name}”属于用户鉴别信息（C3），任何时候都不能导出，请删除这一列。"
            )
        text = _texts(frame.iloc[:, position])
        looks_named = _is_identifier(name, column.zh if column else name)
        if looks_named and not all(_safe(t, looks_named) for t in text):
            raise CourseError(
                f"“{where}”里的列“{name}”含有未脱敏的姓名、电话、证件或地址，"
                "请先用 cu.analysis.privacy 脱敏，或删除这一列。"
            )
        if not (suspicious := [t for t in text if _has_long_number(t)]):
            continue
        hits = privacy.scan_text(pd.Series(suspicious))
        if len(hits):
            kind = hits["kind"].iloc[0]
            raise CourseError(
                f"“{where}”里的列“{name}”有 {hits['row'].nunique()} 处疑似{kind}，"
                "请先脱敏或删除后再导出。"
            )


def _texts(values: pd.Series) -> list[str]:
    """Return the different texts of a column; none where the values cannot be identifiers."""
    known = values.dropna()
    if pd.api.types.is_bool_dtype(known) or pd.api.types.is_datetime64_any_dtype(known):
        return []
    if pd.api.types.is_float_dtype(known):
        # amounts; an 11-digit phone read as a number is an integer everywhere in the column
        whole = len(known) > 0 and bool((known == known.round()).all())
        if not whole or not known.between(1e10, 1e18).all():
            return []
        known = known.astype("int64")
    elif pd.api.types.is_integer_dtype(known) and not known.between(1e10, 10**18).any():
        return []
    texts = (v.text if isinstance(v, Formula) else str(v) for v in known.tolist())
    return list(dict.fromkeys(texts))


def _has_long_number(text: str) -> bool:
    """Tell whether a text has digits enough for a phone number, the shortest identifier."""
    return len(text) >= _PHONE_DIGITS and sum(map(str.isdecimal, text)) >= _PHONE_DIGITS


def _is_identifier(name: str, zh: str) -> str | None:
    """Return 'name' or 'number' for columns named like personal identifiers."""
    low = name.lower()
    if low.endswith(("_hash", "_id")) or "branch" in low or "product" in low or "network" in low:
        return None
    if low in ("name", "customer_name", "person_name", "full_name", "masked_name"):
        return "name"
    if any(word in text for word in ("姓名", "客户名称") for text in (low, zh)):
        return "name"
    if any(word in low for word in _NUMBER_WORDS if word.isascii()) and not low.startswith("has_"):
        if low in ("phone_valid", "credit_card") or low.endswith(("_count", "_valid", "_amount")):
            return None
        return "number"
    chinese = [word for word in _NUMBER_WORDS if not word.isascii()]
    return "number" if any(low.startswith(w) or low.endswith(w) for w in chinese) else None


def _safe(text: str, kind: str) -> bool:
    """Tell whether a text in a column of identifiers is masked, a pseudonym or none at all."""
    if _MASKED.search(text) or _PSEUDONYM.fullmatch(text) or not text.strip():
        return True
    return kind == "number" and text in _CODED
