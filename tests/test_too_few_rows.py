"""A real bank with too few rows for a step: the step is left out, mistakes of a trainee are not."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from test_partial_bank import Notebook, home, notebook  # noqa: F401  (fixtures)

from course_utils.analysis.statistics import survival
from course_utils.charts import base
from course_utils.errors import CourseError, MissingDataError, TooFewRowsError
from course_utils.exercises.gates.few import TOO_FEW, UNFIT, too_few
from course_utils.exercises.gates.gate import BUILDING
from course_utils.exercises.gates.words import chinese, sentence
from course_utils.exercises.result import Outcome
from course_utils.exercises.session import current

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

LOANS = "loans = bank.load('loan')\nnobody = loans[loans['balance'] < 0]\n"


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUILDING, "cells.jsonl")
    monkeypatch.setattr("course_utils.bank.warehouse.ASKED_IN_VAIN", set())


@pytest.mark.parametrize(
    "step",
    [
        "first = nobody['balance'].iloc[0]",
        "first = nobody.groupby('branch_id')['balance'].sum().idxmax()",
        "first = cu_base.need_rows(nobody, '直方图')",
        "first = loans['loan_id'].value_counts()['正常']",
    ],
)
def test_an_empty_table_costs_the_step(notebook: Notebook, step: str) -> None:  # noqa: F811
    notebook.names["cu_base"] = base
    ran = notebook.run(f"{LOANS}{step}\nprint(len(loans))")
    assert ran.error is None
    assert ran.note == {"names": [TOO_FEW], "partly": True}
    assert "本行这类数据太少" in ran.text
    assert notebook.run("twice = first * 2").note["names"] == [TOO_FEW]


def test_the_chart_says_itself_what_was_empty(notebook: Notebook) -> None:  # noqa: F811
    notebook.names["cu_base"] = base
    ran = notebook.run(f"{LOANS}cu_base.need_rows(nobody, '直方图')")
    assert "本行这类数据太少（画直方图的表是空的" in ran.text


def test_an_empty_answer_of_a_trainee_stays_his_mistake(notebook: Notebook) -> None:  # noqa: F811
    ran = notebook.run(f"{LOANS}answer = nobody['balance'].iloc[0]")
    assert isinstance(ran.error, IndexError)
    assert ran.note is None


def test_a_step_that_fails_for_no_known_reason_stops_a_class_only_at_the_desk(
    notebook: Notebook,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notebook.run(LOANS)
    assert notebook.run("share = 1 / 0").error is not None
    monkeypatch.setenv(BUILDING, "cells.jsonl")
    monkeypatch.setattr("course_utils.bank.warehouse.ASKED_IN_VAIN", set())
    ran = notebook.run("share = 1 / 0")
    assert ran.error is None
    assert ran.note["names"] == [UNFIT]
    assert ran.note["errors"] == ["ZeroDivisionError: division by zero"]


@pytest.mark.parametrize("bug", ["assert False", "lones.head()", "import no_such_module"])
def test_bugs_are_bugs_in_a_build_too(
    notebook: Notebook,  # noqa: F811
    building: None,
    bug: str,
) -> None:
    assert notebook.run(bug).error is not None


def test_what_is_missing_is_not_called_too_few() -> None:
    try:
        raise MissingDataError("没有这张表。", ("loan",))
    except MissingDataError as error:
        assert not too_few(error, [pd.DataFrame()])


def test_an_empty_list_of_columns_is_no_empty_table() -> None:
    try:
        pd.DataFrame({"a": [1.0]})["b"]
    except KeyError as error:
        assert not too_few(error, [pd.DataFrame({"a": [1.0]})])


def test_a_calculation_without_rows_is_known_for_what_it_is() -> None:
    nothing = pd.Series(dtype=float)
    with pytest.raises(TooFewRowsError):
        survival.kaplan_meier(nothing, nothing.astype(bool), nothing)
    assert issubclass(TooFewRowsError, CourseError)


def test_a_question_that_cannot_be_computed_is_counted_out(notebook: Notebook) -> None:  # noqa: F811
    session = current()
    session.questions["E1"] = replace(session.question("E1"), expected=lambda _: 1 / len([]))
    notebook.run("answer = 21000.0")
    result = session.grade("E1")
    assert result.outcome is Outcome.MISSING
    assert "本题跳过" in result.message


def test_sentences() -> None:
    assert sentence([TOO_FEW], detail="画图的表是空的") == (
        "本行这类数据太少（画图的表是空的），这一格跳过。"
    )
    assert sentence(["loan", TOO_FEW]) == "本行没有“贷款借据”，或这类数据太少，这一格跳过。"
    assert sentence([UNFIT], what="本题") == "本行的数据算不出来，本题跳过。"
    assert chinese([TOO_FEW, "loan"]) == "“贷款借据”、足够多的数据"
