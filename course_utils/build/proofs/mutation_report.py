"""How the mutants of one solution fared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from course_utils.exercises.grading import identical
from course_utils.exercises.question import Question
from course_utils.exercises.result import Outcome, Result

FREE_KINDS = {"CK3", "CK4"}


@dataclass
class MutationReport:
    """Counts of one question on one bank.

    Attributes
    ----------
    explained : Mapping[str, str]
        Survivors that the question module explains.
    killed : int
        Mutants judged wrong (or that did not run).
    same : list of str
        Mutants whose result is identical on this bank: no check can tell them apart.
    survivors : list of str
        Mutants judged right although their result differs.
    broken : list of str
        Mutants that made the checker itself fail.
    left : int
        Mutants not run because the time was used up.
    """

    explained: Mapping[str, str]
    killed: int = 0
    same: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    left: int = 0

    def add(self, name: str, result: Result, same: bool) -> None:
        """Count one mutant."""
        if result.outcome is Outcome.BROKEN:
            self.broken.append(f"{name} {result.detail}")
        elif result.outcome is not Outcome.RIGHT:
            self.killed += 1
        elif same:
            self.same.append(name)
        else:
            self.survivors.append(name)

    @property
    def countable(self) -> int:
        """Mutants that a check could tell from the solution."""
        return self.killed + len(self.survivors) + len(self.broken)

    @property
    def unexplained(self) -> list[str]:
        """Survivors without an explanation."""
        return [name for name in self.survivors if name not in self.explained]

    def passed(self, question: Question) -> bool:
        """Whether every survivor is explained.

        A plan or a model (CK3, CK4 without a comparer) is right by definition when it keeps the
        constraints and reaches the baseline: its survivors are other good answers, but at least one
        mutant must be caught. Nothing is proved when the time was up before most mutants ran.
        """
        if self.broken or self.left > self.killed:
            return False
        if _is_free(question):
            return self.killed > 0 or not self.countable
        return not self.unexplained

    def summary(self, question: Question) -> str:
        """Counts and survivors in one line."""
        parts = [f"抓住 {self.killed}/{self.countable}"]
        if self.same:
            parts.append(f"在这家银行上结果完全相同 {len(self.same)}")
        if self.left:
            parts.append(f"时间用完没有跑 {self.left}")
        if self.broken:
            parts.append("检查程序出错：" + "；".join(self.broken))
        known = [name for name in self.survivors if name in self.explained]
        parts += [f"{name}（已说明：{self.explained[name]}）" for name in known]
        if self.unexplained:
            said = "另一份合格的答案" if _is_free(question) else "存活"
            parts.append(f"{said}：" + "；".join(self.unexplained))
        return "，".join(parts)


def _is_free(question: Question) -> bool:
    return question.compare is None and bool(FREE_KINDS & set(question.kinds))


def equivalent(question: Question, one: Any, two: Any) -> bool:
    """Whether two answers are the same value, so that no check can tell them apart.

    Functions never are: a sharper case may tell them apart. Order counts if the comparer says so.
    """
    if callable(one) or callable(two):
        return False
    if not getattr(question.compare, "order", False):
        if isinstance(one, list) and isinstance(two, list) and question.compare is not None:
            return sorted(map(str, one)) == sorted(map(str, two))
        return identical(one, two)
    if isinstance(one, (pd.Series, pd.DataFrame)) and type(one) is type(two):
        return len(one) == len(two) and identical(_numbered(one), _numbered(two))
    return identical(one, two)


def _numbered(table: pd.Series | pd.DataFrame) -> pd.DataFrame:
    frame = table.to_frame("value") if isinstance(table, pd.Series) else table
    return frame.reset_index().assign(_place=range(len(frame)))
