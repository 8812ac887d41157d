"""How well the name of a source column fits a column of the contract, and why."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from course_utils.contract.model import Column, Contract, Table
from course_utils.intake.mapping.proposal.words import (
    COMMON_WORDS,
    english_words,
    is_english,
    without_brackets,
    without_prefix,
)
from course_utils.paths import data_dir

#: Systems whose tables are no table of the course: a column fits, the row means something else.
BORROWED = "发票"


@dataclass(frozen=True)
class NameMatch:
    """A fit of two names, 0 to 1, with the reason in Chinese."""

    score: float
    why: str


@dataclass(frozen=True)
class _Label:
    """A name under which a column of the contract is known."""

    text: str
    system: str

    @property
    def own(self) -> bool:
        """It is the contract's own name."""
        return self.system == ""


class NameBook:
    """All names under which the contract's tables and columns are known."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._known: dict[tuple[str, str], list[_Label]] = {}
        for table, column, name, system in _reference():
            self._known.setdefault((table, column), []).append(_Label(name, system))

    def match(self, source: str, table: Table, column: Column) -> NameMatch | None:
        """Return how well a source name fits a column; None if it does not."""
        plain = without_brackets(source)
        best: NameMatch | None = None
        for label in self._labels(table, column):
            found = _exact(source, plain, label, table)
            if found is not None and (best is None or found.score > best.score):
                best = found
        if best is not None and best.score >= 0.9:
            return best
        other = (
            self._english(plain, table, column)
            if is_english(plain)
            else self._chinese(plain, table, column)
        )
        initial = self._initials(plain, table, column) if is_english(plain) else None
        return max(
            (one for one in (best, other, initial) if one is not None),
            key=lambda one: one.score,
            default=None,
        )

    def table_names(self, table: Table) -> list[str]:
        """Return the names under which a table is known."""
        return [table.name, table.zh, *(x.text for x in self._known.get((table.name, ""), ()))]

    @cached_property
    def borrowed(self) -> frozenset[str]:
        """Names that stand for files which are no table of the course."""
        return frozenset(
            label.text
            for labels in self._known.values()
            for label in labels
            if label.system == BORROWED
        )

    def _labels(self, table: Table, column: Column) -> Iterable[_Label]:
        yield _Label(column.zh, "")
        yield _Label(column.name, "")
        yield from self._known.get((table.name, column.name), ())
        yield from self._known.get(("*", column.name), ())

    def _chinese(self, plain: str, table: Table, column: Column) -> NameMatch | None:
        if is_english(plain) or not plain:
            return None
        prefixes = _table_words(table)
        left = without_prefix(plain, prefixes)
        best: NameMatch | None = None
        for label in self._labels(table, column):
            if label.text.isascii():
                continue
            score, why = _similar(plain, left, label, prefixes)
            if score and (best is None or score > best.score):
                best = NameMatch(score, why)
        return best

    def _english(self, plain: str, table: Table, column: Column) -> NameMatch | None:
        source = frozenset(english_words(plain))
        goal = frozenset(word for word in english_words(column.name))
        if not source or not goal:
            return None
        around = frozenset(english_words(table.name))
        if source == goal:
            return NameMatch(0.9, "英文词相同")
        if source - around == goal - around and goal - around:
            return NameMatch(0.84, "英文词相同")
        weight = {word: 0.4 if word in COMMON_WORDS else 1.0 for word in source | goal}
        common = sum(weight[word] for word in source & goal)
        if not common:
            return None
        whole = sum(weight[w] for w in source) + sum(weight[w] for w in goal)
        share = 2 * common / whole
        return NameMatch(0.75 * share, "英文词相近") if share >= 0.6 else None

    def _initials(self, plain: str, table: Table, column: Column) -> NameMatch | None:
        letters = plain.replace("_", "").upper()
        if not letters.isalpha() or len(letters) < 2:
            return None
        best: NameMatch | None = None
        for label in self._labels(table, column):
            if label.text.isascii() or initials(label.text) != letters:
                continue
            sure = {2: 0.55, 3: 0.72}.get(len(letters), 0.86)
            score = sure if label.own or label.system == "EAST" else sure - 0.04
            if best is None or score > best.score:
                best = NameMatch(score, f"拼音首字母（{label.text}）")
        return best


@cache
def initials(text: str) -> str:
    """Return the first letters of the pinyin, as EAST names its columns.

    >>> initials("客户统一编号")
    'KHTYBH'
    """
    from pypinyin import Style, lazy_pinyin

    letters = lazy_pinyin(text, style=Style.FIRST_LETTER, errors="default")
    return "".join(letters).upper()


@cache
def _reference() -> tuple[tuple[str, str, str, str], ...]:
    path = data_dir("reference") / "source_names.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        return tuple((r["table"], r["column"], r["name"], r["system"]) for r in rows)


@cache
def _words_of(name: str) -> tuple[str, ...]:
    return tuple(name[i : i + 2] for i in range(0, len(name) - 1, 2))


def _table_words(table: Table) -> tuple[str, ...]:
    return _words_of(table.zh)


def _exact(source: str, plain: str, label: _Label, table: Table) -> NameMatch | None:
    name = label.text.lower()
    if label.system == BORROWED:
        return NameMatch(0.8, "借用（不是同一种表）") if plain.lower() == name else None
    for written, off in ((source.lower(), 0.0), (plain.lower(), 0.0)):
        if written == name or written.replace("_", "") == name.replace("_", ""):
            if label.own:
                return NameMatch(1.0 - off, "同名")
            return NameMatch(0.95 - off, _via(label))
    if label.own and plain == table.zh + label.text:
        return NameMatch(0.95, "同名（带表名）")
    return None


def _via(label: _Label) -> str:
    return "同义" if label.system == "通用" else f"同义（{label.system}系统常用名）"


def _similar(plain: str, left: str, label: _Label, prefixes: tuple[str, ...]) -> tuple[float, str]:
    """Score two Chinese names that are not the same."""
    name = label.text
    if left == without_prefix(name, prefixes) and len(left) >= 2:
        return 0.8, "去掉前缀后相同"
    short, long = sorted((plain, name), key=len)
    if len(short) >= 3 and short in long and len(short) / len(long) >= 0.5:
        return 0.5 + 0.3 * len(short) / len(long), f"名称相近（{name}）"
    share = _dice(plain, name)
    return (0.7 * share, f"名称相近（{name}）") if share >= 0.6 else (0.0, "")


@cache
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def _dice(one: str, other: str) -> float:
    a, b = _pairs(one), _pairs(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0
