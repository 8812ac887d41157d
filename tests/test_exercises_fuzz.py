"""Odd values against every kind of check: never an exception, never a word of the answer."""

from __future__ import annotations

import decimal
import html
import math
import re
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fixtures.exercises.memory_bank import MemoryBank
from fixtures.exercises.questions_m99_n02 import QUESTIONS

from course_utils.exercises import Outcome, Question, day, flag, numbers, series
from course_utils.exercises.context import Context
from course_utils.exercises.grading import grade, reference


class Evil:
    """Refuses everything."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    __hash__ = None

    def __repr__(self) -> str:
        raise RuntimeError("repr")

    def __float__(self) -> float:
        raise RuntimeError("float")

    def __len__(self) -> int:
        raise RuntimeError("len")

    def __iter__(self) -> Any:
        raise RuntimeError("iter")

    def __bool__(self) -> bool:
        raise RuntimeError("bool")


def _raises(*args: Any) -> Any:
    raise ValueError("没有想好")


ODD: list[Any] = [
    None, True, False, 0, 0.0, -1, 1e308, float("nan"), float("inf"), 1 + 2j, 10**400,
    "0.03", "3%", "A", "你好" * 200, b"x", bytearray(b"x"),
    [], [1], [[1, 2], [3]], [None], {}, {"a": 1}, {1: "x"}, set(), {1, 2}, (), (1, 2, 3),
    object(), Evil(), [Evil()], {"a": Evil()}, len, math, int, lambda: 1, lambda x: x, _raises,
    decimal.Decimal("0.03"), decimal.Decimal("NaN"), np.float32(0.03), np.int8(3), np.bool_(True),
    np.array([]), np.array([1, 2, 3]), np.array([[1, 2], [3, 4]]), np.array(["a"]),
    pd.NA, pd.NaT, pd.Timestamp("2025-01-01"), pd.Timedelta(days=2), pd.Period("2025-01", "M"),
    date(2025, 1, 1), pd.Interval(0, 1),
    pd.Series(dtype=float), pd.Series(["a", "b"]), pd.Series([1, None, "x"], dtype=object),
    pd.Series([1, 2, 3], index=["x", "x", "y"]), pd.Series([1, 2], index=[("a", 1), ("b", 2)]),
    pd.Series([pd.NA, 1], dtype="Int64"), pd.Series([Evil(), 1], dtype=object),
    pd.Series([1.5], index=pd.MultiIndex.from_tuples([("a", "b")])),
    pd.DataFrame(), pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame([[1, 2]], columns=["a", "a"]),
    pd.DataFrame({("a", "x"): [1]}), pd.DataFrame({1: [1], None: [2]}),
    pd.DataFrame({"customer_id": [None, "C1"], "balance": ["x", None], "tier": [1, []]}),
    pd.DataFrame({"customer_id": [], "manager_id": [], "balance": [], "tier": []}),
    pd.Categorical(["a"]), pd.Index(["a"]), pd.RangeIndex(3), iter([1]), range(3),
    pd.DataFrame({"a": [1]}).groupby("a"), pd.Series([1]).groupby(level=0), pd.Series(["a"]).str,
]  # fmt: skip

EXTRA = [
    Question(
        "E11", "x", lambda c: (0.7391, 0.6182, 0.8613), numbers("值", "下", "上"), hints=("想",)
    ),
    Question("E12", "x", lambda c: True, flag(), hints=("想",)),
    Question("E13", "x", lambda c: pd.Timestamp("2024-07-19"), day(), hints=("想",)),
    Question(
        "E14", "x", lambda c: pd.Series({"甲乙": "丙丁", "戊己": "庚辛"}), series(), hints=("想",)
    ),
]


@pytest.fixture(scope="module")
def context() -> Context:
    bank = MemoryBank("alpha")
    space = {"DAYS": 90, "CAPACITY": 20, "feature_columns": ["login_days"]}
    space["due_table"] = bank.load("deposit").groupby("branch_id")[["amount"]].sum()
    return Context(bank, space)


def secrets(question: Question, value: Any) -> list[str]:
    """Texts that would give the answer away; text that the prompt itself shows is left out."""
    if isinstance(value, pd.DataFrame):
        found = [item for column in value for item in secrets(question, value[column].iloc[:5])]
    elif isinstance(value, pd.Series):
        found = [str(item) for item in (*value.index[:20], *value.iloc[:20])]
        found += [f"{item:.4g}" for item in value.iloc[:20] if isinstance(item, float)]
    elif isinstance(value, (list, tuple)):
        found = [str(item) for item in value]
    elif isinstance(value, float):
        found = [f"{value:.{digits}g}" for digits in (3, 4, 6)] + [f"{value:,.2f}"]
    elif isinstance(value, pd.Timestamp):
        found = [value.strftime("%Y-%m-%d"), f"{value.month}月{value.day}日"]
    elif callable(value) or isinstance(value, (bool, str)):
        found = []
    else:
        found = [str(value)]
    shown = {"高", "中", "低", "无", "0", "1"}
    return [item for item in found if item not in shown and len(item) > 1]


def test_there_are_enough_odd_values():
    assert len(ODD) >= 40


@pytest.mark.parametrize("question", [*QUESTIONS, *EXTRA], ids=lambda q: f"{q.id}-{q.kind}")
def test_no_exception_and_no_leak(question, context):
    hidden = secrets(question, reference(question, context))
    for value in ODD:
        space = {**context.variables, question.variable: value}
        result = grade(question, context.on(space), space)
        said = f"{question.id} {type(value).__name__}: {result!r}"
        if result.outcome is Outcome.RIGHT:
            assert (question.id, value is True) in {("E12", True)} or isinstance(value, np.bool_), (
                said
            )
            continue
        assert result.outcome in {Outcome.WRONG, Outcome.BLANK}, said
        assert result.message, said
        shown = re.sub(
            r"^【.*?】|<b.*?</b>", "", repr(result) + html.unescape(result._repr_html_())
        )
        for secret in hidden:
            assert secret not in shown, f"{said} gives away {secret}"


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{q.id}-{q.kind}")
def test_the_reference_itself_passes(question, context):
    space = {**context.variables, question.variable: reference(question, context)}
    result = grade(question, context.on(space), space)
    assert result.outcome is Outcome.RIGHT, result
