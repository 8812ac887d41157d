"""The running lesson: outcomes, hints, carrying on, stale answers, spoilt tables, progress."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest
from fixtures.exercises.memory_bank import MemoryBank
from fixtures.exercises.questions_m99_n02 import QUESTIONS, due_by_branch

from course_utils.errors import CourseError
from course_utils.exercises import Outcome, session
from course_utils.exercises.context import Context, is_parameter
from course_utils.exercises.grading import table_change
from course_utils.exercises.history import assigned


@pytest.fixture
def notebook(monkeypatch):
    """Namespace of a notebook whose first cells have run."""
    monkeypatch.setattr(session, "_current", None)
    bank = MemoryBank("alpha")
    space = {"BANK": "alpha", "AS_OF": None, "DAYS": 90, "CAPACITY": 20}
    space["bank"] = session.begin("m99_n02", bank, namespace=space, questions=tuple(QUESTIONS))
    space["deposits"] = bank.load("deposit")
    return space


def right_answer(space):
    return due_by_branch(Context(space["bank"], space))


def test_the_four_outcomes_in_turn(notebook):
    assert session.check("E1").outcome is Outcome.BLANK
    notebook["due_amount"] = ...
    blank = session.check("E1")
    assert blank.outcome is Outcome.BLANK
    assert "due_amount" in blank.message and "支行编号" in blank.message
    notebook["due_amount"] = right_answer(notebook) * 3
    assert session.check("E1").outcome is Outcome.WRONG
    notebook["due_amount"] = right_answer(notebook)
    assert session.check("e1").outcome is Outcome.RIGHT
    assert session.check(1).outcome is Outcome.RIGHT


def test_hints_grow_with_failed_tries_only(notebook):
    assert session.check("E1").hints == ()
    notebook["due_amount"] = right_answer(notebook) * 3
    hints = QUESTIONS[0].hints
    assert session.check("E1").hints == hints[:1]
    assert session.check("E1").hints == hints[:2]
    assert session.check("E1").hints == hints
    last = session.check("E1")
    assert last.hints == hints
    assert any("carry_on" in note for note in last.notes)


def test_hint_gives_one_after_the_other_then_the_way_out(notebook):
    first, second, third = (str(session.hint("E1")) for _ in range(3))
    for text, hint in zip((first, second, third), QUESTIONS[0].hints, strict=True):
        assert hint in text
    assert QUESTIONS[0].hints[1] not in first
    assert "carry_on" in str(session.hint("E1"))


def test_a_named_mistake_has_its_own_sentence(notebook):
    table = notebook["deposits"].query("maturity_date > '2025-12-31'")
    table = table[table["maturity_date"] <= pd.Timestamp("2025-12-31") + pd.Timedelta(days=90)]
    notebook["due_amount"] = table.groupby("branch_id")["amount"].sum()
    result = session.check("E1")
    assert result.misconception == "closed"
    assert result.message == "你把已经销户的存单也算进来了。"


def test_carry_on_gives_a_copy_and_shows_no_number(notebook):
    said = str(session.carry_on("E1"))
    assert not any(sign.isdigit() for sign in said.replace("E1", ""))
    notebook["due_amount"].iloc[0] = -1.0
    assert session.check("E1").outcome is Outcome.WRONG
    session.carry_on("E1")
    assert session.check("E1").outcome is Outcome.RIGHT
    assert "已经做对" in str(session.carry_on("E1"))


def test_every_question_can_be_carried_on(notebook):
    notebook["feature_columns"] = ["login_days"]
    notebook["due_table"] = notebook["deposits"].groupby("branch_id")[["amount"]].sum()
    for question in QUESTIONS:
        session.carry_on(question.id)
        assert session.check(question.id).outcome is Outcome.RIGHT, question.id
    assert "9 题中做对 9 题" in repr(session.progress())


def test_a_changed_parameter_changes_the_answer_and_tells_stale_from_wrong(notebook):
    notebook["due_amount"] = right_answer(notebook)
    assert session.check("E1").outcome is Outcome.RIGHT
    notebook["DAYS"] = 30
    result = session.check("E1")
    assert result.outcome is Outcome.WRONG
    assert "DAYS" in result.message and "重新运行" in result.message
    notebook["due_amount"] = right_answer(notebook)
    assert session.check("E1").outcome is Outcome.RIGHT
    notebook["due_amount"] = right_answer(notebook) * 3
    assert "重新运行" not in session.check("E1").message


def test_stale_is_noticed_from_the_cells_that_ran(notebook):
    history = session.current().history
    notebook["DAYS"] = 30
    history.note("DAYS = 30")
    notebook["due_amount"] = right_answer(notebook)
    history.note("due_amount = deposits.groupby('branch_id')['amount'].sum()")
    notebook["DAYS"] = 60
    history.note("DAYS = 60")
    assert "DAYS" in session.check("E1").message


def test_a_missing_parameter_is_named(notebook):
    notebook["due_amount"] = right_answer(notebook)
    del notebook["DAYS"]
    result = session.check("E1")
    assert result.outcome is Outcome.WRONG
    assert "参数 DAYS" in result.message


@pytest.mark.parametrize(("name", "value"), [("AS_OF", "2025-06-30"), ("BANK", "beta")])
def test_another_bank_or_date_needs_a_new_beginning(notebook, name, value):
    notebook["due_amount"] = right_answer(notebook)
    notebook[name] = value
    result = session.check("E1")
    assert result.outcome is Outcome.WRONG
    assert name in result.message and "cu.begin" in result.message


def test_cells_out_of_order_are_noticed(notebook):
    history = session.current().history
    notebook["due_amount"] = right_answer(notebook) * 3
    history.note("due_amount = 1")
    history.note("deposits = deposits[deposits['amount'] > 0]")
    assert any("deposits" in note and "再运行" in note for note in session.check("E1").notes)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda t: t.head(10), "少了 2990 行"),
        (lambda t: pd.concat([t, t.head(3)]), "多了 3 行"),
        (lambda t: t.assign(amount=t["amount"] * 2), "amount 被改动过"),
        (lambda t: t.assign(amount=t["amount"].astype(str)), "amount 被改动过"),
        (lambda t: 5, "不是原来那张表，而是整数"),
        (lambda t: t[[]], "列全都变了"),
    ],
)
def test_a_spoilt_table_is_noticed(notebook, spoil, said):
    notebook["deposits"] = spoil(notebook["deposits"])
    notebook["due_amount"] = 0.5
    assert any(said in note for note in session.check("E1").notes)
    notebook["due_amount"] = right_answer(notebook)
    assert session.check("E1").notes == (), "a right answer needs no remark"


def test_harmless_changes_of_a_table_are_not_noticed():
    table = MemoryBank("alpha").load("deposit")
    for changed in (
        table.assign(extra=1),
        table.sort_values("amount"),
        table.astype({"branch_id": "category"}),
        table.drop(columns="average"),
    ):
        assert table_change(changed, table) is None


def test_checking_leaves_the_trainees_table_alone(notebook):
    notebook["deposits"]["amount"] = 1.0
    notebook["due_amount"] = 2.0
    session.check("E1")
    assert (notebook["deposits"]["amount"] == 1.0).all()
    assert notebook["bank"].load("deposit")["amount"].max() > 1.0


def test_unknown_questions_and_no_lesson(notebook, monkeypatch):
    with pytest.raises(CourseError, match="没有练习 E77"):
        session.check("E77")
    monkeypatch.setattr(session, "_current", None)
    with pytest.raises(CourseError, match=r"cu\.begin"):
        session.check("E1")


def test_a_lesson_without_questions_is_allowed():
    assert session.load_questions("m98_n99_nothing") == ()


def test_strict_and_stub_modes(notebook, monkeypatch):
    monkeypatch.setenv("COURSE_CHECK", "stub")
    session.check("E1")
    monkeypatch.setenv("COURSE_CHECK", "strict")
    with pytest.raises(session.CheckFailed, match="还没有作答"):
        session.check("E1")
    notebook["due_amount"] = right_answer(notebook)
    session.check("E1")
    monkeypatch.setenv("COURSE_CHECK", "stub")
    with pytest.raises(session.CheckFailed, match="正确"):
        session.check("E1")


def test_html_is_safe_and_without_scripts(notebook):
    notebook["due_amount"] = right_answer(notebook) * 3
    shown = session.check("E1")._repr_html_()
    assert "<details>" in shown and "✗" in shown
    assert "<script" not in shown and "onclick" not in shown
    table = session.progress()._repr_html_()
    assert "E9" in table and "还没有检查" in table
    from course_utils.exercises import Result

    hostile = Result("E1", Outcome.WRONG, "<script>alert(1)</script>", hints=("<b>",))
    assert "<script" not in hostile._repr_html_() and "<b>" not in hostile._repr_html_()[90:]


def test_parameters_are_uppercase_plain_values():
    assert is_parameter("TIER_CUTS", [1e4, 5e4])
    assert is_parameter("BRANCH", None)
    for name, value in (("days", 1), ("_X", 1), ("TABLE", pd.DataFrame()), ("F", len)):
        assert not is_parameter(name, value)


def test_assigned_names():
    source = """
import pandas as pd
%matplotlib inline
a = b = 1
c, (d, e) = 1, (2, 3)
table["x"] = 5
f += 1
def g(h):
    inner = 1
for i in range(3):
    j = i
if (k := 3): pass
"""
    assert assigned(source) == {"a", "b", "c", "d", "e", "table", "f", "g", "i", "j", "k"}
    assert assigned("a = (") == set()


def test_importing_exercises_is_light():
    code = (
        "import sys, course_utils.exercises.session, course_utils.exercises.friendly;"
        "print([m for m in ('IPython', 'nbformat', 'papermill', 'matplotlib', 'sklearn', 'scipy',"
        " 'jupytext', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.strip() == "[]"
