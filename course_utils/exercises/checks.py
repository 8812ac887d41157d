"""Checks beyond recomputation: CK2 `invariants`, CK3 `plan`, CK6 `recall` and `covers`.

CK4 is in `predictions`, CK5 in `functions`, CK7 in `written`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises.compare_tables import tabulate
from course_utils.exercises.context import Context
from course_utils.exercises.question import PASSED, Finding
from course_utils.exercises.values import as_number, labels

Rule = Callable[[Any, Context], "bool | str"]
_NO_TRUTH = "这份数据不带真实参数（讲师的数据才有），与它对照的一项已跳过。"


@dataclass(frozen=True)
class Invariant:
    """Something that must be true of an answer.

    Attributes
    ----------
    name : str
        Short Chinese name: “合计对账”.
    holds : Callable[[Any, Context], bool or str]
        True when it holds; False to show `message`, or a Chinese sentence of its own.
    message : str
        Shown when it does not hold; says what is violated, not the value that would be right.
    """

    name: str
    holds: Rule
    message: str

    def violation(self, answer: Any, context: Context) -> str | None:
        """Return the sentence to show, or None when it holds."""
        verdict = self.holds(answer, context)
        if isinstance(verdict, str):
            return f"{self.name}：{verdict}"
        return None if bool(verdict) else f"{self.name}：{self.message}"


def _prepared(answer: Any, columns: Sequence[str]) -> Any:
    """Table with the needed columns, or a diagnosis; without columns the answer as it is."""
    return tabulate(answer, columns) if columns else answer


@dataclass(frozen=True)
class Invariants:
    """CK2; see `invariants`."""

    rules: tuple[Invariant, ...]
    columns: tuple[str, ...] = ()
    kind: str = "CK2"

    @property
    def shape(self) -> str:
        """What is asked for."""
        return f"一张表，列有：{'、'.join(self.columns)}" if self.columns else ""

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Check the rules in order; the first violation speaks."""
        table = _prepared(answer, self.columns)
        if self.columns and isinstance(table, str):
            return Finding(table)
        for rule in self.rules:
            if sentence := rule.violation(table, context):
                return Finding(sentence)
        return PASSED


def invariants(*rules: Invariant, columns: Sequence[str] = ()) -> Invariants:
    """CK2: every rule must hold.

    Parameters
    ----------
    *rules : Invariant
        In the order in which they should speak.
    columns : sequence of str
        The answer must be a table with these columns (named index levels count); the rules then get
        that table with the index levels as columns.
    """
    return Invariants(rules, tuple(columns))


def sums_to(
    column: str | None,
    total: Callable[[Context], float],
    message: str,
    *,
    relative: float = 1e-6,
    name: str = "合计对账",
) -> Invariant:
    """Invariant: a column (None: the answer itself, a Series) adds up to a total."""

    def holds(answer: Any, context: Context) -> bool:
        values = answer if column is None else answer[column]
        if isinstance(values, dict):
            values = list(values.values())
        found = float(np.nansum(np.asarray(values, dtype=float)))
        return bool(np.isclose(found, total(context), rtol=relative, atol=1e-6))

    return Invariant(name, holds, message)


def unique(keys: Sequence[str] | str, *, name: str = "主键唯一") -> Invariant:
    """Invariant: no two rows share the key columns."""
    keys = [keys] if isinstance(keys, str) else list(keys)

    def holds(answer: Any, context: Context) -> bool | str:
        repeated = int(answer.duplicated(keys).sum())
        shown = "、".join(keys)
        return not repeated or f"有 {repeated} 行的 {shown} 重复，每个只能出现一次。"

    return Invariant(name, holds, "有重复的行。")


def within(
    column: str | None, low: float, high: float, message: str = "", *, name: str = "取值范围"
) -> Invariant:
    """Invariant: no value is missing or outside [low, high]; ``column=None``: the answer itself."""

    def holds(answer: Any, context: Context) -> bool | str:
        values = np.asarray(answer if column is None else answer[column], dtype=float)
        outside = int((~((values >= low - 1e-9) & (values <= high + 1e-9))).sum())
        return (
            not outside or message or f"有 {outside} 个值是空的，或不在 {low:g} 到 {high:g} 之间。"
        )

    return Invariant(name, holds, message or "有值超出范围。")


def partition(
    column: str, everyone: Callable[[Context], Collection[Any]], *, name: str = "不重不漏"
) -> Invariant:
    """Invariant: the ids in ``column`` are exactly ``everyone``, each once."""

    def holds(answer: Any, context: Context) -> bool | str:
        found, needed = labels(answer[column]), set(labels(list(everyone(context))))
        repeated, lost = len(found) - len(set(found)), len(needed - set(found))
        strange = len(set(found) - needed)
        parts = [f"{repeated} 个重复"] if repeated else []
        parts += [f"{lost} 个漏掉"] if lost else []
        parts += [f"{strange} 个不该在里面"] if strange else []
        return not parts or "，".join(parts) + "：每个对象应当归入一类，而且只归入一类。"

    return Invariant(name, holds, "有重复或遗漏。")


def no_future(column: str, *, name: str = "没有未来数据") -> Invariant:
    """Invariant: no date in ``column`` is after the bank's data date."""

    def holds(answer: Any, context: Context) -> bool | str:
        late = int((pd.to_datetime(answer[column]) > pd.Timestamp(context.as_of)).sum())
        return not late or f"有 {late} 行的日期晚于数据日期 AS_OF：那一天还看不到这些数据。"

    return Invariant(name, holds, "有未来的数据。")


@dataclass(frozen=True)
class Plan:
    """CK3; see `plan`."""

    constraints: tuple[Invariant, ...]
    objective: Callable[[Any, Context], float] | None
    baseline: Callable[[Context], float] | None
    share: float
    maximise: bool
    columns: tuple[str, ...]
    goal: str
    kind: str = "CK3"

    @property
    def shape(self) -> str:
        """What is asked for."""
        return f"一张表，列有：{'、'.join(self.columns)}" if self.columns else ""

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Check all constraints, then the objective against a plan made now."""
        table = _prepared(answer, self.columns)
        if self.columns and isinstance(table, str):
            return Finding(table)
        broken = [text for rule in self.constraints if (text := rule.violation(table, context))]
        if broken:
            return Finding(
                "方案违反了约束。" + "；".join(text.rstrip("。") for text in broken) + "。"
            )
        return self._objective(table, context, expected) if self.objective else PASSED

    def _objective(self, table: Any, context: Context, expected: Any) -> Finding:
        reached, trouble = as_number(self.objective(table, context))
        if trouble or np.isnan(reached):
            return Finding(f"{self.goal}算不出来：检查方案里有没有空值。")
        target = self._target(context, expected)
        slack = 1e-9 * max(1.0, abs(target))
        if self.maximise:
            enough = reached >= target - (1 - self.share) * abs(target) - slack
        else:
            enough = reached <= target + (1 - self.share) * abs(target) + slack
        if enough:
            return PASSED
        return Finding(
            f"约束都满足了，但{self.goal}还不够{'高' if self.maximise else '低'}："
            "比刚刚现算的基准方案差。想想先照顾谁、名额有没有用满。"
        )

    def _target(self, context: Context, expected: Any) -> float:
        if self.baseline is None:
            return float(self.objective(_prepared(expected, self.columns), context))
        return float(context.remember(("baseline", id(self)), lambda: self.baseline(context)))


def plan(
    *constraints: Invariant,
    objective: Callable[[Any, Context], float] | None = None,
    baseline: Callable[[Context], float] | None = None,
    share: float = 1.0,
    maximise: bool = True,
    columns: Sequence[str] = (),
    goal: str = "目标值",
) -> Plan:
    """CK3: a plan that keeps every constraint and reaches a baseline recomputed now.

    Parameters
    ----------
    *constraints : Invariant
        All are checked; every violation is listed.
    objective : Callable[[Any, Context], float], optional
        Value of a plan.
    baseline : Callable[[Context], float], optional
        Value of a baseline plan (random, even, greedy). Default: the question's ``expected``.
    share : float
        Share of the baseline that is enough, e.g. 0.95; for costs (``maximise=False``) 0.9 allows
        10 % more.
    maximise : bool
        Whether more is better.
    columns : sequence of str
        Columns the plan must have.
    goal : str
        What the objective is called, in Chinese.
    """
    return Plan(constraints, objective, baseline, share, maximise, tuple(columns), goal)


@dataclass(frozen=True)
class Recall:
    """CK6; see `recall`."""

    found: Callable[[Any, Context], Collection[Any]]
    planted: Callable[[Context], Collection[Any] | None]
    share: float
    precision: float | None
    what: str
    kind: str = "CK6"

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Compare what was found with what was planted; skipped where no truth exists."""
        if context.truth is None or (planted := self.planted(context)) is None:
            return Finding(note=_NO_TRUTH)
        truth, hits = set(labels(list(planted))), set(labels(list(self.found(answer, context))))
        if not truth:
            return Finding(note=_NO_TRUTH)
        reference = set(labels(list(self.found(expected, context))))
        needed = self.share * len(truth & reference)
        if len(truth & hits) < needed - 1e-9:
            return Finding(
                f"埋设的{self.what}你找出了 {len(truth & hits) / len(truth):.0%}，"
                "参考方法能找出更多：放宽或换一条规则试试。"
            )
        right = len(truth & hits) / len(hits) if hits else 0.0
        if self.precision is not None and right < self.precision:
            return Finding(
                f"找出的{self.what}里只有 {right:.0%} 是真的，低于要求的 {self.precision:.0%}。"
            )
        return PASSED


def recall(
    found: Callable[[Any, Context], Collection[Any]],
    planted: Callable[[Context], Collection[Any] | None],
    *,
    share: float = 0.9,
    precision: float | None = None,
    what: str = "问题",
) -> Recall:
    """CK6: find at least ``share`` of the planted items that the reference finds.

    Parameters
    ----------
    found : Callable[[Any, Context], Collection]
        Ids named by an answer (also used on the reference).
    planted : Callable[[Context], Collection or None]
        Ids planted, read from ``context.truth``; None where this bank has none: skipped.
    share : float
        Needed share of the reference's hits.
    precision : float, optional
        Least share of the named ids that are really planted.
    what : str
        What is looked for, in Chinese.
    """
    return Recall(found, planted, share, precision, what)


@dataclass(frozen=True)
class Covers:
    """CK6; see `covers`."""

    truth: Callable[[Context], float | None]
    interval: Callable[[Any], tuple[float, float]]
    margin: float
    kind: str = "CK6"

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Whether the interval holds the planted value; skipped where no truth exists."""
        if context.truth is None or (value := self.truth(context)) is None:
            return Finding(note=_NO_TRUTH)
        low, high = self.interval(answer)
        if low > high:
            return Finding("区间的下限比上限大：检查两个数的顺序。")
        if low - self.margin <= value <= high + self.margin:
            return PASSED
        return Finding("你的区间没有盖住埋设的真值：检查比较的两组是不是可比，标准误有没有算对。")


def covers(
    truth: Callable[[Context], float | None],
    interval: Callable[[Any], tuple[float, float]] = lambda answer: (answer[-2], answer[-1]),
    *,
    margin: float = 0.0,
) -> Covers:
    """CK6: an interval estimate holds the planted value (default: last two numbers of the answer).

    Use it where the reference's own interval holds it on every shipped bank; ``margin`` widens it.
    """
    return Covers(truth, interval, margin)
