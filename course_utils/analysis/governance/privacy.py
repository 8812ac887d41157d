"""De-identification and its limits: pseudonyms, masks, bands, k-anonymity, linkage, text scan.

A keyed pseudonym is 去标识化 (still personal information), not 匿名化 (PIPL art. 73).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need

_FULL_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def pseudonym(
    values: pd.Series, key: str | bytes, domain: str = "customer", length: int = 16
) -> pd.Series:
    """Replace identifiers by keyed pseudonyms (HMAC-SHA256, separate per domain).

    Parameters
    ----------
    values : Series
        Identifiers as text; missing stays missing.  Spaces are stripped first.
    key : str or bytes
        The bank's secret, at least 16 bytes; it never leaves the bank.
    domain : str
        Kind of identifier; the same number gets different pseudonyms in different domains.
    length : int
        Hexadecimal characters kept (16 = 64 bits).

    Returns
    -------
    Series
        Pseudonyms, same index.

    Raises
    ------
    CourseError
        The key is too short.
    """
    secret = key.encode("utf-8") if isinstance(key, str) else key
    _need.that(len(secret) >= 16, "假名密钥太短，请使用至少 16 个字符的密钥，并只保存在行内。")

    def one(value: object) -> str:
        message = f"{domain}\x1f{str(value).strip()}".encode()
        return hmac.new(secret, message, hashlib.sha256).hexdigest()[:length]

    unique = values.dropna().unique()
    return values.map({value: one(value) for value in unique})


def mask_name(values: pd.Series) -> pd.Series:
    """Keep the first character and hide the rest: 张三丰 → 张**; missing stays missing."""
    text = values.astype("object")
    return text.map(lambda v: v if pd.isna(v) else _mask_one_name(str(v)))


def _mask_one_name(name: str) -> str:
    clean = re.sub(r"\s", "", name)
    return clean[:1] + "*" * max(len(clean) - 1, 1) if clean else ""


def mask_phone(values: pd.Series) -> pd.Series:
    """Mask mobile numbers 3-4-4: 19912345678 → 199****5678; anything else is hidden entirely."""
    text = values.astype("object")
    return text.map(lambda v: v if pd.isna(v) else _mask_one_phone(v))


def _mask_one_phone(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    digits = re.sub(r"\D", "", str(value).translate(_FULL_WIDTH))
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) == 11 else "***"


def age_band(ages: pd.Series, width: int = 5, top: int = 80, bottom: int = 0) -> pd.Series:
    """Turn ages into bands such as ``35-39`` and ``80+``; missing or negative gives 「未知」.

    Parameters
    ----------
    ages : Series
        Years.
    width : int
        Years a band.
    top : int
        From this age on one open band.
    bottom : int
        Ages below are one band ``<bottom`` (0 = no such band).

    Returns
    -------
    Series
        Text, same index.
    """
    _need.that(width > 0, f"年龄段宽度必须大于 0，现在是 {width}，请改正。")
    age = pd.to_numeric(ages, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(age) & (age >= 0)
    whole = np.where(known, np.floor(np.where(known, age, 0)), 0).astype(int)
    low = whole // width * width
    high = np.minimum(low + width, top) - 1
    bands = [f"{a}-{b}" if b > a else f"{a}" for a, b in zip(low, high, strict=True)]
    text = np.array(bands, dtype=object)
    text[whole >= top] = f"{top}+"
    text[whole < bottom] = f"<{bottom}"
    text[~known] = "未知"
    return pd.Series(text, index=ages.index, dtype="str")


def round_amount(values: pd.Series, step: float = 1000.0, exact_below: float = 0.0) -> pd.Series:
    """Round amounts to the nearest ``step`` 元 (half away from zero); small ones stay if asked."""
    number = values.astype(float)
    rounded = np.sign(number) * np.floor(number.abs() / step + 0.5) * step
    return rounded.where(number.abs() >= exact_below, number)


def shift_dates(dates: pd.Series, person: pd.Series, key: str | bytes, days: int = 7) -> pd.Series:
    """Move all dates of a person by the same secret number of days, so intervals stay.

    Parameters
    ----------
    dates, person : Series
        Dates and the person's id, same index.
    key : str or bytes
        Secret, as in :func:`pseudonym`.
    days : int
        Largest shift; −days … +days.

    Returns
    -------
    Series
        Shifted dates.
    """
    code = pseudonym(person.astype("object"), key, domain="date-shift", length=8)
    shift = code.map(lambda v: 0 if pd.isna(v) else int(v, 16) % (2 * days + 1) - days)
    return pd.to_datetime(dates) + pd.to_timedelta(shift.astype(int), unit="D")


def generalise(frame: pd.DataFrame, how: Mapping[str, Any]) -> pd.DataFrame:
    """Coarsen columns.

    Parameters
    ----------
    frame : DataFrame
        Any table.
    how : mapping
        column -> one of: a number (width of bands for numbers), a mapping value -> coarser value
        (unmapped values become 「其他」), ``"year"`` (dates to years), ``"drop"``, ``"all"`` (one
        value 「*」), or a function of the Series.

    Returns
    -------
    DataFrame
        A coarser copy.
    """
    _need.columns(frame, how, "泛化")
    result = frame.copy()
    for name, rule in how.items():
        column = frame[name]
        if isinstance(rule, str) and rule == "drop":
            result = result.drop(columns=name)
        elif isinstance(rule, str) and rule == "all":
            result[name] = "*"
        elif isinstance(rule, str) and rule == "year":
            result[name] = pd.to_datetime(column).dt.year.astype("Int64")
        elif isinstance(rule, Mapping):
            result[name] = column.map(dict(rule)).fillna("其他")
        elif callable(rule):
            result[name] = rule(column)
        else:
            low = np.floor(column.astype(float) / float(rule)) * float(rule)
            result[name] = low
    return result


def class_sizes(frame: pd.DataFrame, quasi: Sequence[str]) -> pd.Series:
    """Return, for every row, how many rows share its quasi-identifiers (missing is a value)."""
    quasi = list(quasi)
    _need.columns(frame, quasi, "等价类")
    if not quasi:
        return pd.Series(len(frame), index=frame.index)
    return frame.groupby(quasi, dropna=False, observed=True)[quasi[0]].transform("size")


def k_anonymity(frame: pd.DataFrame, quasi: Sequence[str], k: int = 5) -> dict[str, float]:
    """Measure how well rows hide in their group.

    Parameters
    ----------
    frame : DataFrame
        One row a person.
    quasi : sequence of str
        Attributes an outsider may know.
    k : int
        Smallest acceptable group.

    Returns
    -------
    dict
        ``k_min``, ``classes``, ``rows_below_k``, ``share_below_k``, ``unique_share``.
    """
    if frame.empty:
        return {
            "k_min": 0, "classes": 0, "rows_below_k": 0, "share_below_k": 0.0, "unique_share": 0.0
        }  # fmt: skip
    sizes = class_sizes(frame, quasi)
    return {
        "k_min": int(sizes.min()),
        "classes": round(float((1 / sizes).sum())),
        "rows_below_k": int((sizes < k).sum()),
        "share_below_k": float((sizes < k).mean()),
        "unique_share": float((sizes == 1).mean()),
    }


def l_diversity(frame: pd.DataFrame, quasi: Sequence[str], sensitive: str) -> dict[str, float]:
    """Measure how many values of a sensitive column each group contains.

    Parameters
    ----------
    frame : DataFrame
        One row a person.
    quasi : sequence of str
        Attributes an outsider may know.
    sensitive : str
        Column that must not be revealed.

    Returns
    -------
    dict
        ``l_min`` and ``share_revealed``: share of rows in groups with one value only.
    """
    _need.columns(frame, [*quasi, sensitive], "l-多样性")
    if frame.empty:
        return {"l_min": 0, "share_revealed": 0.0}
    values = frame[sensitive].astype("object").where(frame[sensitive].notna(), "（空）")
    data = frame[list(quasi)].assign(_value=values)
    kinds = data.groupby(list(quasi), dropna=False, observed=True)["_value"].transform("nunique")
    return {"l_min": int(kinds.min()), "share_revealed": float((kinds == 1).mean())}


def uniqueness_table(frame: pd.DataFrame, quasi: Sequence[str]) -> pd.DataFrame:
    """Return the share of unique rows as attributes become known one after the other.

    Parameters
    ----------
    frame : DataFrame
        One row a person.
    quasi : sequence of str
        Attributes in the order in which they become known.

    Returns
    -------
    DataFrame
        ``count``, ``attributes`` (``"village_id"``, ``"+gender"`` …), ``unique_share``, ``k_min``.
    """
    rows = []
    for n in range(1, len(quasi) + 1):
        result = k_anonymity(frame, quasi[:n])
        name = quasi[0] if n == 1 else f"+{quasi[n - 1]}"
        rows.append((n, name, result["unique_share"], result["k_min"]))
    return pd.DataFrame(rows, columns=["count", "attributes", "unique_share", "k_min"])


def linkage_attack(
    released: pd.DataFrame, known: pd.DataFrame, on: Sequence[str]
) -> dict[str, float]:
    """Count whom an outsider with a list of known persons can single out.

    Parameters
    ----------
    released : DataFrame
        The table handed out.
    known : DataFrame
        What the outsider knows, one row a person, with the same columns ``on``.
    on : sequence of str
        Columns both tables have.

    Returns
    -------
    dict
        ``known``, ``unique_hits`` (known persons whose attributes fit exactly one released row and
        no other known person), ``hit_share``, ``candidates`` (mean fitting rows of those found).
    """
    on = list(on)
    _need.columns(released, on, "链接攻击")
    _need.columns(known, on, "链接攻击")
    table = released.groupby(on, dropna=False, observed=True).size().rename("rows").reset_index()
    mine = known[on].assign(people=class_sizes(known, on))
    joined = mine.merge(table, on=on, how="left")
    rows = joined["rows"].fillna(0)
    hits = int(((rows == 1) & (joined["people"] == 1)).sum())
    found = rows[rows > 0]
    return {
        "known": len(known),
        "unique_hits": hits,
        "hit_share": hits / len(known) if len(known) else 0.0,
        "candidates": float(found.mean()) if len(found) else 0.0,
    }


_GAP = r"[ \t\-－—.·,，]{0,2}"
_PHONE = re.compile(rf"(?<!\d)(?:\+?86{_GAP})?(1(?:{_GAP}\d){{10}})(?!{_GAP}\d)")
_ID_CARD = re.compile(rf"(?<!\d)([1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx])(?![\dXx])")
_CARD = re.compile(rf"(?<!\d)([1-9](?:{_GAP}\d){{15,18}})(?!{_GAP}\d)")


def _compact(text: str) -> str:
    return re.sub(r"[^\dXx]", "", text)


def id_checksum_ok(number: str) -> bool:
    """Tell whether an 18-character identity number has the right check digit (GB 11643)."""
    number = number.upper()
    if not re.fullmatch(r"\d{17}[\dX]", number):
        return False
    total = sum(int(d) * w for d, w in zip(number, _ID_WEIGHTS, strict=False))
    return number[-1] == "10X98765432"[total % 11]


def luhn_ok(number: str) -> bool:
    """Tell whether a card number has the right check digit (ISO/IEC 7812, Luhn)."""
    if not re.fullmatch(r"\d{12,19}", number):
        return False
    digits = [int(d) for d in reversed(number)]
    doubled = [d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(digits)]
    return sum(doubled) % 10 == 0


def scan_text(values: pd.Series) -> pd.DataFrame:
    """Find phone, identity and card numbers hidden in free text.

    Full-width digits and separators inside a number are seen through.  A number is reported by its
    most specific kind once; the hit itself is never returned in full.

    Parameters
    ----------
    values : Series
        Free text.

    Returns
    -------
    DataFrame
        One row a hit: ``row`` (index of the text), ``kind`` 手机号 / 证件号 / 卡号, ``masked``,
        ``checksum`` (bool; phones have none: False), ``start``, ``end``.
    """
    hits: list[tuple[Any, str, str, bool, int, int]] = []
    for row, text in values.dropna().items():
        plain = str(text).translate(_FULL_WIDTH)
        taken: list[tuple[int, int]] = []
        for kind, pattern, check in (
            ("证件号", _ID_CARD, id_checksum_ok),
            ("卡号", _CARD, luhn_ok),
            ("手机号", _PHONE, lambda _: False),
        ):
            for match in pattern.finditer(plain):
                span = match.span(1)
                number = _compact(match.group(1))
                if any(span[0] < b and a < span[1] for a, b in taken):
                    continue
                if kind == "证件号" and not _looks_like_id(number):
                    continue
                taken.append(span)
                hits.append((row, kind, f"{number[:3]}****{number[-2:]}", check(number), *span))
    names = ["row", "kind", "masked", "checksum", "start", "end"]
    return pd.DataFrame(hits, columns=names)


def _looks_like_id(number: str) -> bool:
    """An identity number carries a date of birth, whatever its check digit says."""
    month, day = int(number[10:12]), int(number[12:14])
    return number[6:8] in ("18", "19", "20") and 1 <= month <= 12 and 1 <= day <= 31
