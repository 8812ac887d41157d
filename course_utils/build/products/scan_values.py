"""What a text that is handed out must not hold: identifiers, addresses, glyphs that are missing.

A text is gone through once for stretches of digits and capitals, which is fast; the exact patterns
look at those stretches only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from course_utils.build.products.scan_pages import DATA_URI
from course_utils.intake.privacy.free_text import SURNAMES

#: Names on the network that are only names: nothing is ever fetched from them.
NAMESPACES = (
    "http://www.w3.org/",
    "https://www.w3.org/",
    "http://schemas.openxmlformats.org/",
    "http://schemas.microsoft.com/",
    "http://purl.org/dc/",
    "http://ns.adobe.com/",
    "http://jupyter.org/",
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_USCC_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PROVINCES = (
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
    *("41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54"),
    *("61", "62", "63", "64", "65", "71", "81", "82", "83"),
)

#: A stretch that may hold an identifier: ten or more digits, capitals, blanks, dashes in a row.
_STRETCH = re.compile(r"[0-9A-Z][0-9A-Zx\- ]{9,}")
_ID = re.compile(
    r"(?<![\dA-Za-z.])[1-9]\d{5}[ -]?(?:19|20)\d{2}[ -]?(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"[ -]?\d{3}[\dXx](?![\dA-Za-z])"
)
_PHONE = re.compile(
    r"(?<![\dA-Za-z.])(?:86[ -]?)?1[3-9]\d{9}(?![\dA-Za-z]|\.\d)|"
    r"(?<![\d.])1[3-9]\d([ -])\d{4}\1\d{4}(?!\d)"
)
_CALLED = re.compile(r"[话机系]|tel|phone|86", re.IGNORECASE)
# banks' cards begin with 3 to 6 (ISO/IEC 7812); account numbers of other kinds are not cards
_CARD = re.compile(
    r"(?<![\dA-Za-z.])[3-6]\d{15,18}(?![\dA-Za-z.])|"
    r"(?<![\dA-Za-z.])[3-6]\d{3}(?:([ -])\d{4})(?:\1\d{4}){2}(?:\1\d{1,3})?(?![\dA-Za-z.])"
)
_USCC = re.compile(
    r"(?<![0-9A-Za-z])(?:1[1239]|2[19]|3[123459]|4[19]|5[1239]|6[129]|7[129]|8[19]|9[123]|A1|N[1239]|"
    r"Y1)\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])"
)
_LIKE_ID = re.compile(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}")
_NAME = re.compile(
    r"(?:姓名|户名|借款人|担保人|联系人|持卡人|法人代表|法定代表人|户主|配偶)\s*[:：]\s*[\"']?"
    rf"([{SURNAMES}][\u4e00-\u9fff]{{1,2}})(?![\u4e00-\u9fff*])"
)
_URL = re.compile(r"(?:https?:)?//[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}[^\s\"'<>)\\]*")
_GLYPH = re.compile(r"Glyph \d+ .{0,80}missing|findfont: ")
_TRACEBACK = "Traceback (most recent call last)"
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[nrt])|&#(x?)([0-9a-fA-F]{2,6});")
_WIDE = re.compile(r"[\uff10-\uff19]")
_NARROW = {0xFF10 + digit: str(digit) for digit in range(10)}


def is_valid_id_number(text: str) -> bool:
    """Say whether an 18-character id number has the right check digit (GB 11643, MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11] == text[17].upper()


def is_valid_uscc(text: str) -> bool:
    """Say whether a unified social credit code has the right check digit (GB 32100, MOD 31-3)."""
    total = sum(_USCC_DIGITS.index(one) * pow(3, at, 31) for at, one in enumerate(text[:17]))
    return _USCC_DIGITS[-total % 31] == text[17]


def passes_luhn(digits: str) -> bool:
    """Say whether a card number passes the Luhn check (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def find_values(text: str) -> Iterator[tuple[str, str, int]]:
    """Find identifiers, addresses, missing glyphs and tracebacks in a text.

    Yields
    ------
    tuple of str, str, int
        Chinese name of the kind, the masked value, and where it begins.
    """
    yield from find_identifiers(text)
    for match in _NAME.finditer(text):
        yield "姓名", f"{match[1][0]}**", match.start(1)
    if "//" in text:
        yield from _addresses(text)
    if ("Glyph " in text or "findfont: " in text) and (match := _GLYPH.search(text)):
        yield "缺字", match.group()[:60], match.start()
    if (at := text.find(_TRACEBACK)) >= 0:
        yield "报错堆栈", "", at


def find_identifiers(text: str) -> Iterator[tuple[str, str, int]]:
    """Find id numbers, phones, cards and credit codes; see :func:`find_values`."""
    for stretch in _STRETCH.finditer(text):
        # patterns look a little further for what may not follow
        start, end = stretch.start(), stretch.end() + 2
        taken: list[tuple[int, int]] = []
        for kind, at, until, value in _in_stretch(text, start, end):
            if not any(at < other and begin < until for begin, other in taken):
                taken.append((at, until))
                yield kind, mask(value), at


def _in_stretch(text: str, start: int, end: int) -> Iterator[tuple[str, int, int, str]]:
    for match in _ID.finditer(text, start, end):
        value = re.sub("[ -]", "", match.group())
        if value[:2] in _PROVINCES and is_valid_id_number(value):
            yield "身份证号", *match.span(), value
    for match in _PHONE.finditer(text, start, end):
        # three numbers beside each other in a table look like a phone with blanks
        if match[1] != " " or _CALLED.search(text, max(match.start() - 8, 0), match.start()):
            yield "手机号", *match.span(), match.group()
    for match in _CARD.finditer(text, start, end):
        value = re.sub("[ -]", "", match.group())
        round_numbers = match[1] == " " and set(match.group()[3::5]) == {"0"}
        if (
            16 <= len(value) <= 19
            and not round_numbers
            and not _LIKE_ID.fullmatch(value)
            and passes_luhn(value)
        ):
            yield "银行卡号", *match.span(), value
    for match in _USCC.finditer(text, start, end):
        if is_valid_uscc(match.group()):
            yield "统一社会信用代码", *match.span(), match.group()


def _addresses(text: str) -> Iterator[tuple[str, str, int]]:
    for match in _URL.finditer(text):
        if match.group().startswith("//") and text[max(match.start() - 1, 0)] == ":":
            continue
        if not match.group().startswith(NAMESPACES):
            yield "外部网址", match.group()[:60], match.start()


def readable(text: str) -> str:
    """Return a text of the same length as a person would read it.

    Pictures inside it are emptied; escaped characters (``\\u5f20``, ``&#24352;``, ``\\n``) and
    full-width digits become plain ones, so that they hide nothing and join to nothing.
    """
    if ";base64," in text:
        text = DATA_URI.sub(_emptied, text)
    if "\\" in text or "&#" in text:
        text = _ESCAPE.sub(_plain, text)
    if _WIDE.search(text):
        text = text.translate(_NARROW)
    return text


def _emptied(match: re.Match[str]) -> str:
    inside = match.group()
    return "data:" + re.sub(r"[^\n]+", lambda part: " " * len(part.group()), inside[5:])


def _plain(match: re.Match[str]) -> str:
    code, hexadecimal, number = match.groups()
    if number:
        value = int(number, 16 if hexadecimal else 10) if hexadecimal or number.isdigit() else 32
    else:
        value = int(code, 16) if code else 32
    return (chr(value) if 32 <= value < 0x110000 else " ").rjust(len(match.group()))


def mask(value: str) -> str:
    """Return a value of which only the beginning and the end can be read."""
    if len(value) < 8:
        return value[:1] + "*" * (len(value) - 1)
    return f"{value[:3]}{'*' * (len(value) - 5)}{value[-2:]}"
