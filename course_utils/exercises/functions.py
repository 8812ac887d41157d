"""CK5: run a trainee's function on altered inputs whose effect is known."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises.compare import Comparer, Number
from course_utils.exercises.context import Context
from course_utils.exercises.question import PASSED, Finding
from course_utils.exercises.values import type_name

Arguments = Callable[[Context], "tuple[Any, ...] | Mapping[str, Any]"]
_DEFAULT = Number()


class CrashError(Exception):
    """A trainee's function raised; ``args[0]`` is the Chinese sentence about it."""


def run(function: Callable[..., Any], arguments: tuple[Any, ...] | Mapping[str, Any]) -> Any:
    """Call a function on copies of its arguments; whatever it prints is swallowed.

    Raises
    ------
    CrashError
        If the function raises.
    """
    given = (
        {name: _own_copy(value) for name, value in arguments.items()}
        if isinstance(arguments, Mapping)
        else tuple(_own_copy(value) for value in arguments)
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return function(**given) if isinstance(given, dict) else function(*given)
    except Exception as error:
        from course_utils.exercises.friendly import explain

        said = explain(type(error), error, {}) or ""
        raise CrashError(f"{type(error).__name__}。{said}") from error


def _own_copy(value: Any) -> Any:
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index, np.ndarray)):
        return value.copy()
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


@dataclass(frozen=True)
class Case:
    """One input with the result it must give.

    Attributes
    ----------
    name : str
        What is tried, in Chinese: “空表”, “刚好 60 岁”.
    arguments : Callable[[Context], tuple or Mapping]
        Arguments of the call. A crafted input is best: it decides the border cases.
    message : str
        Shown when the result is wrong; empty: the comparer's own diagnosis.
    expect : Callable[[Context], Any], optional
        The right result; default: what the reference function returns for the same arguments.
    compare : Comparer, optional
        Default: the check's comparer.
    """

    name: str
    arguments: Arguments
    message: str = ""
    expect: Callable[[Context], Any] | None = None
    compare: Comparer | None = None


@dataclass(frozen=True)
class Relation:
    """Two inputs whose results must be related in a known way.

    Attributes
    ----------
    name : str
        What is changed, in Chinese: “打乱行的顺序”, “金额全部翻倍”.
    before, after : Callable[[Context], tuple or Mapping]
        Arguments of the two calls.
    holds : Callable[[Any, Any], bool]
        Whether (result before, result after) are related as they should be.
    message : str
        Shown when they are not.
    """

    name: str
    before: Arguments
    after: Arguments
    holds: Callable[[Any, Any], bool]
    message: str


@dataclass(frozen=True)
class Behaviour:
    """CK5; see `behaviour`."""

    cases: tuple[Case | Relation, ...]
    compare: Comparer = _DEFAULT
    signature: tuple[str, ...] = ()
    kind: str = "CK5"

    @property
    def shape(self) -> str:
        """What is asked for."""
        return (
            f"一个函数，参数依次是：{'、'.join(self.signature)}" if self.signature else "一个函数"
        )

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Run every case; the first that goes wrong speaks."""
        if trouble := self._no_function(answer):
            return Finding(trouble)
        for case in self.cases:
            if sentence := self._try(case, answer, context, expected):
                return Finding(sentence)
        return PASSED

    def _no_function(self, answer: Any) -> str | None:
        if not callable(answer) or isinstance(answer, type):
            return (
                f"需要一个函数（def 开头），得到的是{type_name(answer)}。"
                "变量应该是函数本身，不是调用它得到的结果。"
            )
        if not self.signature:
            return None
        try:
            inspect.signature(answer).bind(*self.signature)
        except TypeError:
            return f"函数的参数个数不对：应当依次接收 {'、'.join(self.signature)}。"
        except ValueError:
            return None
        return None

    def _try(
        self, case: Case | Relation, answer: Any, context: Context, expected: Any
    ) -> str | None:
        try:
            if isinstance(case, Case):
                return self._case(case, answer, context, expected)
            before = run(answer, case.before(context))
            after = run(answer, case.after(context))
        except CrashError as crash:
            return f"函数在“{case.name}”这种情况下出错了：{crash.args[0]}"
        if before is None or after is None:
            return "函数没有返回值（None）：最后一行要写 return。"
        return None if _holds(case, before, after) else f"“{case.name}”：{case.message}"

    def _case(self, case: Case, answer: Any, context: Context, expected: Any) -> str | None:
        got = run(answer, case.arguments(context))
        want = case.expect(context) if case.expect else run(expected, case.arguments(context))
        if got is None and want is not None:
            return f"函数在“{case.name}”这种情况下没有返回值（None）：每条路都要走到 return。"
        if want is None:
            return (
                None if got is None else f"“{case.name}”：{case.message or '这时应该返回 None。'}"
            )
        reason = (case.compare or self.compare)(got, want)
        return None if reason is None else f"“{case.name}”：{case.message or reason}"

    def agrees(self, answer: Any, other: Any, context: Context) -> bool:
        """Whether two functions give the same results in every case (crashes included)."""
        return all(self._same(case, answer, other, context) for case in self.cases)

    def _same(self, case: Case | Relation, answer: Any, other: Any, context: Context) -> bool:
        calls = (case.arguments,) if isinstance(case, Case) else (case.before, case.after)
        compare = (case.compare if isinstance(case, Case) else None) or self.compare
        for arguments in calls:
            mine, theirs = _outcome(answer, arguments(context)), _outcome(other, arguments(context))
            if isinstance(mine, CrashError) or isinstance(theirs, CrashError):
                if type(mine) is not type(theirs):
                    return False
            elif mine is None or theirs is None:
                if mine is not theirs:
                    return False
            elif compare(mine, theirs) is not None:
                return False
        return True


def _outcome(function: Any, arguments: Any) -> Any:
    try:
        return run(function, arguments)
    except CrashError as crash:
        return crash


def _holds(case: Relation, before: Any, after: Any) -> bool:
    try:
        return bool(case.holds(before, after))
    except Exception:
        return False


def behaviour(
    *cases: Case | Relation, compare: Comparer = _DEFAULT, signature: tuple[str, ...] = ()
) -> Behaviour:
    """CK5: run the trainee's function on crafted and altered inputs.

    Parameters
    ----------
    *cases : Case or Relation
        In the order in which they should speak, simplest first.
    compare : Comparer
        How results are compared.
    signature : tuple of str
        Names of the parameters, to say so when their number is wrong.
    """
    return Behaviour(cases, compare, signature)


def same(before: Any, after: Any) -> bool:
    """Relation: nothing changed (rows of tables may stand in another order)."""
    if isinstance(before, pd.DataFrame) and isinstance(after, pd.DataFrame):
        columns = list(before.columns)
        if set(columns) != set(after.columns) or len(before) != len(after):
            return False
        one, two = (
            table[columns].sort_values(columns, ignore_index=True) for table in (before, after)
        )
        return _same_table(one, two)
    if isinstance(before, pd.Series) and isinstance(after, pd.Series):
        if before.index.is_unique and set(before.index) == set(after.index):
            return _same_table(before.to_frame("x"), after.reindex(before.index).to_frame("x"))
        return False
    if isinstance(before, (int, float, np.number)) and not isinstance(before, bool):
        return bool(np.isclose(before, after, rtol=1e-9, atol=1e-9, equal_nan=True))
    return bool(before == after)


def _same_table(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    try:
        pd.testing.assert_frame_equal(
            one, two, check_dtype=False, check_names=False, check_index_type=False, rtol=1e-9
        )
    except AssertionError:
        return False
    return True


def scaled(factor: float) -> Callable[[Any, Any], bool]:
    """Relation: every number of the result is multiplied by ``factor``."""

    def holds(before: Any, after: Any) -> bool:
        if isinstance(before, pd.Series):
            after = after.reindex(before.index)
        one, two = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
        return bool(np.allclose(one * factor, two, rtol=1e-9, atol=1e-9, equal_nan=True))

    return holds
