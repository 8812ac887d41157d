"""The bank's own raw values as keyed hashes: the scan of outputs looks for them by their hash."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.files import write_text
from course_utils.intake.privacy.tokens import Tokens

#: The sample's file in the folder of a bank's intake.
FILE = "raw_values.json"
#: How many values of a bank are kept in all, and hashed per call of :meth:`RawValueSample.note`.
KEPT = 50_000
NOTED_AT_ONCE = 2_000
#: Bytes of a hash. 50,000 of them among 10 million candidates meet by chance once in 10 million.
_HASH_BYTES = 8
_DOMAIN = "raw value"
#: Shortest values that are told from other text: digits alone, with letters, Chinese.
LEAST_DIGITS, LEAST_MIXED, LEAST_CHINESE = 10, 7, 3
#: A long Chinese value is recognised by its beginning first.
BEGINNING = 5

_MIXED = re.compile(r"[0-9A-Za-z]{7,}")
_DIGITS = re.compile(r"\d{10,}")
#: A pseudonym is no raw value; a page of customers holds thousands.
_TOKEN = re.compile(r"[A-Z][a-z2-7]{16}$")
_STRETCH = re.compile(r"[0-9][0-9]{2,5}[ \-][0-9][0-9 \-]{3,}")
_SPACED = re.compile(r"(?<!\d)\d{3,6}(?:[ \-]\d{3,6}){1,5}(?!\d)")
_CHINESE = re.compile(r"[\u3400-\u9fff·]{3,}")
_NOT_TEXT = re.compile(r"[^0-9A-Za-z\u3400-\u9fff·]")
_NOT_CHINESE = re.compile(r"[^\u3400-\u9fff·]")


class RawValueSample:
    """A sample of raw values of one bank, kept as keyed hashes.

    Parameters
    ----------
    key : bytes
        The bank's key; hashes of the sample have their own domain.
    """

    def __init__(self, key: bytes) -> None:
        self._tokens = Tokens(key)
        self._columns: dict[str, dict[bytes, int]] = {}
        self._beginnings: dict[bytes, bytes] = {}

    def __repr__(self) -> str:
        return f"<RawValueSample of {len(self._columns)} columns>"

    def note(self, column: str, values: Iterable[str | None]) -> None:
        """Take values of one column into the sample; those that are too common to tell are left.

        A column keeps the values with the smallest hashes: a sample that neither the order of the
        files nor the number of runs changes.
        """
        kept = self._columns.setdefault(column, {})
        for text in _first(values):
            hashed = self._hash(text)
            kept[hashed] = len(text)
            if _is_chinese(text) and len(text) > BEGINNING:
                self._beginnings[hashed] = self._hash(text[:BEGINNING])
        if len(kept) > 2 * KEPT:
            self._columns[column] = _smallest(kept, KEPT)

    def save(self, path: Path) -> int:
        """Write the sample; return how many values it holds."""
        share = KEPT // max(len(self._columns), 1)
        columns = {
            name: {
                hashed.hex(): [length, self._beginnings.get(hashed, b"").hex()]
                for hashed, length in sorted(_smallest(kept, share).items())
            }
            for name, kept in self._columns.items()
        }
        content = {"version": 2, "check": self._hash("check").hex(), "columns": columns}
        write_text(path, json.dumps(content))
        return sum(map(len, columns.values()))

    def absorb(self, path: Path) -> None:
        """Take over what another sample of the same bank has saved.

        Raises
        ------
        CourseError
            If it is broken or was made with another key.
        """
        for name, values in _read(path, self._tokens).items():
            kept = self._columns.setdefault(name, {})
            for hashed, (length, beginning) in values.items():
                kept[bytes.fromhex(hashed)] = length
                if beginning:
                    self._beginnings[bytes.fromhex(hashed)] = bytes.fromhex(beginning)

    def _hash(self, text: str) -> bytes:
        return self._tokens.digest(_DOMAIN, text)[:_HASH_BYTES]


class RawValueFinder:
    """Finds the values of a sample in texts.

    Parameters
    ----------
    key : bytes
    path : pathlib.Path
        What :meth:`RawValueSample.save` wrote.

    Raises
    ------
    CourseError
        If the sample is broken or was made with another key.
    """

    def __init__(self, key: bytes, path: Path) -> None:
        self._tokens = Tokens(key)
        columns = _read(path, self._tokens).values()
        values = {bytes.fromhex(one): pair for kept in columns for one, pair in kept.items()}
        self._whole = frozenset(values)
        self._lengths: dict[bytes, set[int]] = {}
        short = set()
        for length, beginning in values.values():
            if beginning:
                self._lengths.setdefault(bytes.fromhex(beginning), set()).add(length)
            elif length <= BEGINNING:
                short.add(length)
        self._short = sorted(short)
        self._seen: set[str] = set()

    def __len__(self) -> int:
        return len(self._whole)

    def find(self, text: str) -> Iterator[str]:
        """Yield the values of the sample that stand in a text.

        A piece of text that was looked up before, in this text or another, is not looked up again
        unless it held something.
        """
        for piece in _pieces(text):
            if piece in self._seen:
                continue
            found = list(self._find_chinese(piece) if _is_chinese(piece) else self._whole_of(piece))
            if not found and len(self._seen) < 2_000_000:
                self._seen.add(piece)
            yield from found

    def _whole_of(self, piece: str) -> Iterator[str]:
        if self._hash(piece) in self._whole:
            yield piece

    def _find_chinese(self, run: str) -> Iterator[str]:
        for start in range(len(run) - LEAST_CHINESE + 1):
            for length in self._short:
                part = run[start : start + length]
                if len(part) == length and self._hash(part) in self._whole:
                    yield part
            if not self._lengths or len(run) - start <= BEGINNING:
                continue
            for length in self._lengths.get(self._hash(run[start : start + BEGINNING]), ()):
                part = run[start : start + length]
                if len(part) == length and self._hash(part) in self._whole:
                    yield part

    def _hash(self, text: str) -> bytes:
        return self._tokens.digest(_DOMAIN, text)[:_HASH_BYTES]


def made_with(key: bytes, path: Path) -> bool:
    """Say whether a saved sample was made with a key; one that is broken tells nothing."""
    try:
        check = json.loads(path.read_text(encoding="utf-8"))["check"]
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return check == Tokens(key).digest(_DOMAIN, "check")[:_HASH_BYTES].hex()


def _read(path: Path, tokens: Tokens) -> dict[str, dict[str, tuple[int, str]]]:
    """Return column → hash → length and hash of the beginning."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        columns, check = content["columns"], content["check"]
        for kept in columns.values():
            for hashed, (length, beginning) in kept.items():
                if not isinstance(length, int):
                    raise TypeError
                bytes.fromhex(hashed + beginning)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(f"原始值样本“{path.name}”读不懂，请重新运行 course intake。") from None
    if check != tokens.digest(_DOMAIN, "check")[:_HASH_BYTES].hex():
        raise CourseError("原始值样本与现在的密钥对不上，请重新运行 course intake。")
    return columns


def worth_keeping(value: str) -> str:
    """Return a value as the sample keeps it, or an empty text if it cannot be told from others."""
    text = _NOT_TEXT.sub("", value)
    chinese = _NOT_CHINESE.sub("", text)
    if len(chinese) >= LEAST_CHINESE and len(chinese) * 2 > len(text):
        # signs, digits and letters inside a name or an address part it in outputs, too
        return max(re.split(r"[^\u3400-\u9fff·]+", value), key=len)
    if chinese:
        return ""
    if text.isdigit():
        return text if len(text) >= LEAST_DIGITS else ""
    return text.upper() if len(text) >= LEAST_MIXED and any(c.isdigit() for c in text) else ""


def _first(values: Iterable[str | None]) -> Iterator[str]:
    count = 0
    for value in values:
        text = worth_keeping(value) if value else ""
        if len(text) >= LEAST_CHINESE:
            yield text
            count += 1
            if count == NOTED_AT_ONCE:
                return


def _pieces(text: str) -> set[str]:
    """Return everything in a text that may be a value of the sample."""
    mixed = {one for one in set(_MIXED.findall(text)) if not (one.isalpha() or _TOKEN.match(one))}
    pieces = set(_CHINESE.findall(text))
    pieces.update(one.upper() for one in mixed)
    pieces.update(digits for one in mixed if not one.isdigit() for digits in _DIGITS.findall(one))
    for stretch in set(_STRETCH.findall(text)):
        for spaced in _SPACED.findall(stretch):
            pieces.add(re.sub(r"\D", "", spaced))
    return pieces


def _is_chinese(text: str) -> bool:
    return _CHINESE.fullmatch(text) is not None


def _smallest(kept: dict[bytes, int], count: int) -> dict[bytes, int]:
    return {hashed: kept[hashed] for hashed in sorted(kept)[:count]}
