"""Sentences about data that a bank lacks."""

from __future__ import annotations

from collections.abc import Iterable

from course_utils.exercises.gates.few import TOO_FEW, UNFIT

#: So many tables and columns are named in one sentence.
MOST = 4


def sentence(
    names: Iterable[str], *, partly: bool = False, what: str = "这一格", detail: str = ""
) -> str:
    """Return one Chinese sentence about data that a bank lacks.

    Parameters
    ----------
    names : iterable of str
        Contract names: ``"loan"``, ``"loan.five_class"``; or :data:`TOO_FEW`, :data:`UNFIT`.
    partly : bool
        Whether the rest of the cell ran.
    what : str
        What is left out.
    detail : str
        What a calculation or a chart says itself.
    """
    every = list(names)
    lacking = [name for name in every if name not in (TOO_FEW, UNFIT)]
    reasons = [f"没有{chinese(lacking)}"] if lacking else []
    said = f"（{detail}）" if detail else ""
    if TOO_FEW in every:
        reasons.append(f"这类数据太少{said}")
    elif UNFIT in every:
        reasons.append(f"的数据算不出来{said}")
    words = f"本行{'，或'.join(reasons)}，"
    return words + (f"{what}里用到的部分跳过。" if partly else f"{what}跳过。")


def chinese(names: Iterable[str]) -> str:
    """Return the Chinese names of tables and columns, in the order given, not too many of them.

    A column is left out where its table is named.
    """
    from course_utils.bank import labels

    every = list(dict.fromkeys(names))
    bare = [name for name in every if name in labels.NO_NAMES]
    tables = {name for name in every if "." not in name and name not in bare}
    kept = [name for name in every if name in tables or name.partition(".")[0] not in tables]
    words = [
        f"“{labels.chinese(name)}”" if name in tables else labels.chinese(name)
        for name in sorted(kept, key=lambda name: (name in bare, name not in tables))
    ]
    return "、".join(words[:MOST]) + (f"等 {len(words)} 项" if len(words) > MOST else "")
