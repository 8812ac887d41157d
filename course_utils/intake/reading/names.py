"""Names of columns: how a header cell is compared, and what a column is called."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence

#: White space, and what is invisible: zero-width characters, byte-order marks, soft hyphens.
_UNSEEN = re.compile(r"[\s\x00-\x1f\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")


def normalise(name: str) -> str:
    """Return a header cell as it is compared: NFKC, no blanks, no apostrophe before it.

    >>> normalise(" 账户余额（万元）\\n")
    '账户余额(万元)'
    """
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", name)).lstrip("'’")


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of a one-row header.

    A column without a name is called 列N by its place, the second of a name 名称#2.
    """
    return _unique([normalise(cell) or f"列{i}" for i, cell in enumerate(cells, 1)])


def joined_names(
    groups: Sequence[str], cells: Sequence[str], wanted: Collection[str] = ()
) -> tuple[str, ...]:
    """Name the columns of a two-row header.

    A column is called by its lower cell, or by its upper one where the lower is empty. Where the
    same name stands under several groups, or the mapping asks for it, it is 组/名称.
    """
    width = max(len(groups), len(cells))
    upper = [normalise(cell) for cell in groups] + [""] * (width - len(groups))
    lower = [normalise(cell) for cell in cells] + [""] * (width - len(cells))
    short = [low or up for up, low in zip(upper, lower, strict=True)]
    often = Counter(short)
    names = []
    for place, (up, low, name) in enumerate(zip(upper, lower, short, strict=True), 1):
        full = f"{up}/{low}" if up and low and up != low else name
        names.append((full if full in wanted or often[name] > 1 else name) or f"列{place}")
    return _unique(names)


def carried(cells: Sequence[str]) -> list[str]:
    """Return group names, each over the empty cells to its right."""
    names, name = [], ""
    for cell in cells:
        name = cell if normalise(cell) else name
        names.append(name)
    return names


def _unique(names: list[str]) -> tuple[str, ...]:
    taken: set[str] = set()
    unique = []
    last: dict[str, int] = {}  # a row of a hundred thousand equal cells is read, too
    for name in names:
        called, number = name, last.get(name, 1)
        while called in taken:
            number += 1
            called = f"{name}#{number}"
        last[name] = number
        taken.add(called)
        unique.append(called)
    return tuple(unique)
