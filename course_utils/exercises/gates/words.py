"""Sentences about data that a bank lacks."""

from __future__ import annotations

from collections.abc import Iterable

#: So many tables and columns are named in one sentence.
MOST = 4


def sentence(names: Iterable[str], *, partly: bool = False, what: str = "这一格") -> str:
    """Return one Chinese sentence about data that a bank lacks.

    Parameters
    ----------
    names : iterable of str
        Contract names: ``"loan"``, ``"loan.five_class"``.
    partly : bool
        Whether the rest of the cell ran.
    what : str
        What is left out.
    """
    words = f"本行没有{chinese(names)}，"
    return words + (f"{what}里用到的部分跳过。" if partly else f"{what}跳过。")


def chinese(names: Iterable[str]) -> str:
    """Return the Chinese names of tables and columns, in the order given, not too many of them.

    A column is left out where its table is named.
    """
    from course_utils.bank import labels

    every = list(dict.fromkeys(names))
    tables = {name for name in every if "." not in name}
    kept = [name for name in every if name in tables or name.partition(".")[0] not in tables]
    words = [
        f"“{labels.chinese(name)}”" if name in tables else labels.chinese(name)
        for name in sorted(kept, key=lambda name: name not in tables)
    ]
    return "、".join(words[:MOST]) + (f"等 {len(words)} 项" if len(words) > MOST else "")
