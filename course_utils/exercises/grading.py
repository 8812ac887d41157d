"""Judge an answer: a pure function of question, context and namespace."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course_utils.exercises.context import Context, MissingParameterError
from course_utils.exercises.functions import Behaviour
from course_utils.exercises.question import PASSED, Finding, Misconception, Question
from course_utils.exercises.result import Outcome, Result
from course_utils.exercises.values import is_blank, type_name
from course_utils.libraries import MissingLibraryError


class CheckerError(Exception):
    """The question itself is at fault; ``args[0]`` is the place, for the instructor."""


def reference(question: Question, context: Context) -> Any:
    """Recompute the expected answer, once per bank and parameter values; do not change the result.

    Raises
    ------
    MissingParameterError
        If the notebook no longer has a parameter the question needs.
    MissingLibraryError
        If the computation needs a library that this Python does not have.
    CheckerError
        If the computation fails.
    """
    try:
        return context.remember(("expected", _name(question)), lambda: question.expected(context))
    except (MissingParameterError, MissingLibraryError):
        raise
    except Exception as error:
        raise CheckerError(_place(error)) from error


def reference_copy(question: Question, context: Context) -> Any:
    """Return the expected answer as a copy a trainee may change."""
    value = reference(question, context)
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index, np.ndarray)):
        return value.copy()
    return value if callable(value) else copy.deepcopy(value)


def grade(
    question: Question,
    context: Context,
    namespace: Mapping[str, Any],
    *,
    earlier: Mapping[str, Any] | None = None,
) -> Result:
    """Judge the answer that a namespace holds. Shows and records nothing.

    Parameters
    ----------
    question : Question
        The question.
    context : Context
        Bank and parameters.
    namespace : Mapping[str, Any]
        The notebook's variables.
    earlier : Mapping[str, Any], optional
        Parameter values in force when the answer was computed: tells a stale answer from a wrong
        one.

    Returns
    -------
    Result
        Without hints; `session.check` adds those.
    """
    answer = namespace.get(question.variable, ...)
    if is_blank(answer):
        return Result(question.id, Outcome.BLANK, _please(question))
    try:
        expected = reference(question, context)
        finding = examine(question, answer, context, expected)
    except MissingParameterError as error:
        return Result(question.id, Outcome.WRONG, _no_parameter(str(error.args[0])))
    except MissingLibraryError as error:
        return Result(question.id, Outcome.BROKEN, f"这道题在这里检查不了：{error}")
    except CheckerError as error:
        message = "不是你的错：这道题的检查程序自己出错了，请告诉讲师。可以先做下一题。"
        return Result(question.id, Outcome.BROKEN, message, detail=str(error.args[0]))
    notes = (finding.note,) if finding.note else ()
    if finding.message is None:
        return Result(question.id, Outcome.RIGHT, notes=notes)
    wrong = _diagnosed(question, answer, context, finding.message, earlier)
    return wrong.with_notes(*notes, *_changed_inputs(question, context, namespace))


def examine(question: Question, answer: Any, context: Context, expected: Any) -> Finding:
    """Run all checks of a question; the first failure speaks.

    Raises
    ------
    CheckerError
        If a check fails on the reference answer as well.
    """
    finding = _examine_once(question, answer, context, expected)
    if finding.message is None:
        return finding
    for convert in question.accepts:
        try:
            other = _examine_once(question, convert(answer), context, expected)
        except CheckerError:
            raise
        except Exception:
            continue
        if other.message is None:
            return other
    return finding


def _examine_once(question: Question, answer: Any, context: Context, expected: Any) -> Finding:
    notes: list[str] = []
    if question.compare is not None:
        try:
            reason = question.compare(answer, expected)
        except Exception as error:
            _blame(lambda: question.compare(expected, expected), error)
            return Finding(_cannot_compare(question, answer))
        if reason is not None:
            return Finding(reason)
    for check in question.checks:
        try:
            finding = check.examine(answer, context, expected)
        except MissingParameterError:
            raise
        except Exception as error:
            _blame(lambda check=check: check.examine(expected, context, expected), error)
            return Finding(_cannot_compare(question, answer))
        if finding.note:
            notes.append(finding.note)
        if finding.message is not None:
            return finding
    return Finding(note=" ".join(notes)) if notes else PASSED


def _blame(on_reference: Any, error: Exception) -> None:
    """Raise CheckerError if the check breaks (or fails) on the reference answer too."""
    try:
        on_reference()
    except Exception as own:
        raise CheckerError(_place(own)) from error


def agrees(question: Question, answer: Any, other: Any, context: Context) -> bool:
    """Whether two answers count as the same for this question."""
    if question.compare is not None:
        return question.compare(answer, other) is None
    behaviours = [check for check in question.checks if isinstance(check, Behaviour)]
    if behaviours:
        return callable(answer) and all(
            check.agrees(answer, other, context) for check in behaviours
        )
    return identical(answer, other)


def identical(one: Any, two: Any) -> bool:
    """Whether two values are the same up to float noise, dtype, order of rows and columns."""
    if isinstance(one, pd.Series) and isinstance(two, pd.Series):
        one, two = one.to_frame("value").reset_index(), two.to_frame("value").reset_index()
    if isinstance(one, pd.DataFrame) and isinstance(two, pd.DataFrame):
        return _identical_frames(one, two)
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(map(identical, one, two))
    if isinstance(one, (float, np.floating)) and isinstance(two, (int, float, np.number)):
        return bool(np.isclose(one, two, rtol=1e-12, atol=1e-12, equal_nan=True))
    if isinstance(one, np.ndarray) or isinstance(two, np.ndarray):
        return np.shape(one) == np.shape(two) and bool(np.all(np.asarray(one) == np.asarray(two)))
    try:
        return bool(one == two)
    except Exception:
        return False


def _identical_frames(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    if set(map(str, one.columns)) != set(map(str, two.columns)) or len(one) != len(two):
        return False
    columns = sorted(one.columns, key=str)
    try:
        left, right = (
            table[columns].sort_values(columns, ignore_index=True) for table in (one, two)
        )
        pd.testing.assert_frame_equal(left, right, check_dtype=False, rtol=1e-12, atol=1e-12)
    except (AssertionError, TypeError, ValueError, KeyError):
        return False
    return True


def _diagnosed(
    question: Question,
    answer: Any,
    context: Context,
    message: str,
    earlier: Mapping[str, Any] | None,
) -> Result:
    if stale := _stale(question, answer, context, earlier):
        return Result(question.id, Outcome.WRONG, stale)
    for misconception in question.misconceptions:
        if recognised(question, misconception, answer, context):
            return Result(
                question.id,
                Outcome.WRONG,
                misconception.message,
                misconception=misconception.key,
            )
    return Result(question.id, Outcome.WRONG, message)


def recognised(
    question: Question, misconception: Misconception, answer: Any, context: Context
) -> bool:
    """Whether an answer is exactly this mistake.

    A mistake that gives the right answer on this bank, or whose recogniser fails, is none.
    """
    try:
        if misconception.matches is not None and misconception.matches(answer, context):
            return True
        if misconception.value is None:
            return False
        wrong = wrong_value(question, misconception, context)
        if agrees(question, wrong, reference(question, context), context):
            return False
        return agrees(question, answer, wrong, context)
    except Exception:
        return False


def wrong_value(question: Question, misconception: Misconception, context: Context) -> Any:
    """Return the wrong answer of a misconception on this bank, computed once."""
    key = ("wrong", _name(question), misconception.key)
    return context.remember(key, lambda: misconception.value(context))


def _stale(
    question: Question, answer: Any, context: Context, earlier: Mapping[str, Any] | None
) -> str | None:
    if not earlier:
        return None
    now = context.parameters.snapshot()
    changed = [
        name
        for name in (question.parameters or tuple(earlier))
        if name in earlier and name in now and repr(earlier[name]) != repr(now[name])
    ]
    if not changed:
        return None
    past = context.with_parameters(**{name: earlier[name] for name in changed})
    try:
        if examine(question, answer, past, reference(question, past)).message is not None:
            return None
    except Exception:
        return None
    return (
        f"参数 {'、'.join(changed)} 改过了，而这个答案还是用旧的值算的。"
        "请从参数那一格开始，把后面的单元格依次重新运行一遍。"
    )


def _changed_inputs(
    question: Question, context: Context, namespace: Mapping[str, Any]
) -> list[str]:
    notes = []
    for variable, source in question.inputs.items():
        found = namespace.get(variable, ...)
        try:
            change = table_change(found, _pristine(source, found, context))
        except Exception:
            continue
        if change:
            notes.append(
                f"另外，变量 {variable} {change}。请重新运行读数据的那一格，再运行答题格。"
            )
    return notes


def _pristine(
    source: str | Callable[[Context], pd.DataFrame], found: Any, context: Context
) -> pd.DataFrame:
    """Return the table a variable should hold; only the columns it has, to read no more."""
    if callable(source):
        return source(context)
    if not isinstance(found, pd.DataFrame):
        return pd.DataFrame()
    shared = [name for name in map(str, found.columns) if context.bank.has(f"{source}.{name}")]
    return context.load(source, shared or None)


def table_change(found: Any, pristine: pd.DataFrame) -> str | None:
    """Say how a variable differs from the table it should hold; added columns do not matter."""
    if found is ...:
        return "不见了，可能读数据的那一格还没有运行"
    if not isinstance(found, pd.DataFrame):
        return f"已经不是原来那张表，而是{type_name(found)}"
    if len(found) != len(pristine):
        kind = "少" if len(found) < len(pristine) else "多"
        return (
            f"比原表{kind}了 {abs(len(found) - len(pristine))} 行，可能被筛选或合并后的结果覆盖了"
        )
    shared = [name for name in pristine.columns if name in found.columns]
    if not shared:
        return "的列全都变了，已经不是原来那张表"
    if not found.index.equals(pristine.index):
        if not found.index.sort_values().equals(pristine.index.sort_values()):
            return None
        found = found.loc[pristine.index]
    altered = [name for name in shared if not _same_column(found[name], pristine[name])]
    return f"的列 {'、'.join(map(str, altered))} 被改动过" if altered else None


def _same_column(one: pd.Series, two: pd.Series) -> bool:
    if one.equals(two):
        return True
    if one.dtype == two.dtype:
        return False
    try:
        return bool(((one == two.to_numpy()) | (one.isna() & two.isna().to_numpy())).all())
    except (TypeError, ValueError):
        return False


def _please(question: Question) -> str:
    wanted = f"要的是{question.wanted}。" if question.wanted else ""
    return f"请在上面的答题格里给变量 {question.variable} 赋值，运行之后再检查。{wanted}"


def _no_parameter(name: str) -> str:
    return f"找不到参数 {name}：请先运行最上面的参数格，再从那里往下重新运行。"


def _cannot_compare(question: Question, answer: Any) -> str:
    wanted = f"要的是{question.wanted}，" if question.wanted else ""
    return f"没法检查：{wanted}得到的是{type_name(answer)}，内容和题目要求的形式不一样。"


def _name(question: Question) -> tuple[str, str, int]:
    return question.id, question.variable, id(question.expected)


def _place(error: Exception) -> str:
    """Type of an error and the line it came from; not its text, which may hold values."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name} 第 {frames[-1].lineno} 行" if frames else "位置不明"
    own = next((f for f in reversed(frames) if "questions" in f.filename), None)
    if own is not None:
        where += f"；题目在 {Path(own.filename).name} 第 {own.lineno} 行"
    return f"{type(error).__name__}（{where}）"
