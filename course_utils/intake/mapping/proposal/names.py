"""How well the name of a source column fits a column of the contract, and why."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from course_utils.contract.model import Column, Contract, Table
from course_utils.intake.mapping.proposal.words import (
    COMMON_WORDS,
    UNUSED,
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


@dataclass(frozen=True)
class _Target:
    """A column of the contract with all its names, ready to be looked up.

    Parameters
    ----------
    exact : mapping of str to NameMatch
        Name in small letters without underscores → match.
    initials : mapping of str to NameMatch
        First letters of the pinyin → match.
    chinese : tuple of (str, str)
        Chinese names, and what is left of them without words that say whose they are.
    words, around : frozenset of str
        English words of the column and of its table.
    prefixes : tuple of str
        Words of the table's Chinese name.
    """

    exact: Mapping[str, NameMatch]
    initials: Mapping[str, NameMatch]
    chinese: tuple[tuple[str, str], ...]
    words: frozenset[str]
    around: frozenset[str]
    prefixes: tuple[str, ...]


class NameBook:
    """All names under which the contract's tables and columns are known."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._known: dict[tuple[str, str], list[_Label]] = {}
        self._targets: dict[tuple[str, str], _Target] = {}
        for table, column, name, system in _reference():
            self._known.setdefault((table, column), []).append(_Label(name, system))

    def match(self, source: str, table: Table, column: Column) -> NameMatch | None:
        """Return how well a source name fits a column; None if it does not."""
        if source.lower() in UNUSED:
            return None
        key = (table.name, column.name)
        if key not in self._targets:
            self._targets[key] = self._target(table, column)
        target, plain = self._targets[key], without_brackets(source)
        found = target.exact.get(_key(source)) or target.exact.get(_key(plain))
        if found is not None and found.score >= 0.9:
            return found
        candidates = [found]
        if is_english(plain):
            candidates += [_english(plain, target), target.initials.get(_key(plain).upper())]
        else:
            candidates.append(_chinese(plain, target))
        known = [one for one in candidates if one is not None]
        return max(known, key=lambda one: one.score, default=None)

    def table_names(self, table: Table) -> list[str]:
        """Return the names under which a table is known."""
        return [table.name, table.zh, *(x.text for x in self._known.get((table.name, ""), ()))]

    def _target(self, table: Table, column: Column) -> _Target:
        labels = [
            _Label(column.zh, ""),
            _Label(column.name, ""),
            _Label(table.zh + column.zh, ""),
            *self._known.get((table.name, column.name), ()),
            *self._known.get(("*", column.name), ()),
        ]
        exact: dict[str, NameMatch] = {}
        letters: dict[str, NameMatch] = {}
        for label in labels:
            exact.setdefault(_key(label.text), _exact(label))
            if not label.text.isascii() and label.system != BORROWED:
                found = _by_initials(label)
                if len(initials(label.text)) >= 2:
                    letters.setdefault(initials(label.text), found)
        prefixes = tuple(table.zh[i : i + 2] for i in range(0, len(table.zh) - 1, 2))
        chinese = [x.text for x in labels if not x.text.isascii() and x.system != BORROWED]
        return _Target(
            exact=exact,
            initials=letters,
            chinese=tuple((name, without_prefix(name, prefixes)) for name in chinese),
            words=frozenset(english_words(column.name)),
            around=frozenset(english_words(table.name)),
            prefixes=prefixes,
        )


def _key(name: str) -> str:
    return name.lower().replace("_", "")


def _exact(label: _Label) -> NameMatch:
    if label.system == BORROWED:
        return NameMatch(0.8, "借用（不是同一种表）")
    if label.own:
        return NameMatch(1.0, "同名")
    via = "同义" if label.system == "通用" else f"同义（{label.system}系统常用名）"
    return NameMatch(0.95, via)


def _by_initials(label: _Label) -> NameMatch:
    sure = {2: 0.55, 3: 0.72}.get(len(label.text), 0.86)
    score = sure if label.own or label.system == "EAST" else sure - 0.04
    return NameMatch(score, f"拼音首字母（{label.text}）")


def _chinese(plain: str, target: _Target) -> NameMatch | None:
    left = without_prefix(plain, target.prefixes)
    best: NameMatch | None = None
    for name, rest in target.chinese:
        score, why = _similar(plain, left, name, rest)
        if score and (best is None or score > best.score):
            best = NameMatch(score, why)
    return best


def _similar(plain: str, left: str, name: str, rest: str) -> tuple[float, str]:
    """Score two Chinese names that are not the same."""
    if left == rest and len(left) >= 2:
        return 0.8, "去掉前缀后相同"
    short, long = sorted((plain, name), key=len)
    if len(short) >= 3 and short in long and len(short) / len(long) >= 0.5:
        return 0.5 + 0.3 * len(short) / len(long), f"名称相近（{name}）"
    share = _dice(plain, name)
    return (0.7 * share, f"名称相近（{name}）") if share >= 0.6 else (0.0, "")


def _english(plain: str, target: _Target) -> NameMatch | None:
    goal, around = target.words, target.around
    near = goal | around
    source = frozenset(_resolved(word, near) for word in english_words(plain))
    if not source or not goal:
        return None
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
    return NameMatch(0.85 * share, "英文词相近") if share >= 0.6 else None


def _resolved(word: str, near: frozenset[str]) -> str:
    """Return the word of the contract that an abbreviation stands for, or the word itself."""
    if word in near:
        return word
    return next((whole for whole in sorted(near) if abbreviates(word, whole)), word)


@cache
def abbreviates(short: str, whole: str) -> bool:
    """Say whether a word is cut off, has lost its vowels, or is another form of the same.

    >>> abbreviates("prchs", "purchase"), abbreviates("dur", "duration"), abbreviates("no", "note")
    (True, True, False)
    """
    if len(short) < 3 or len(whole) < 4:
        return False
    skeleton = whole[0] + "".join(mark for mark in whole[1:] if mark not in "aeiou")
    if whole.startswith(short) or skeleton.startswith(short):
        return True
    return short.startswith(whole) and len(short) - len(whole) <= 2


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
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))


def _dice(one: str, other: str) -> float:
    a, b = _pairs(one), _pairs(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0
