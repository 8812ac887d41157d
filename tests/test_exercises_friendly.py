"""Chinese notes above a beginner's errors, in a real IPython shell; the error itself stays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.exercises.friendly import explain

NAMES = {
    "pd": pd,
    "np": np,
    "deposits": pd.DataFrame({"branch_id": ["B01", "B02"], "amount": [1.0, 2.0]}),
    "loans": pd.DataFrame({"loan_id": ["L1"], "balance": [1.0]}),
    "total": 10,
    "text": "共",
    "nothing": None,
}

CASES = [
    ("x = （1 + 2)", "「（」改成「(」"),
    ("x = [1，2]", "「，」改成「,」"),
    ("x = “甲”", '「“」改成「"」'),
    ("if total > 1：\n    pass", "「：」改成「:」"),
    ("x\u3000= 1", "全角空格"),
    ("x = (1 + 2", "没有配对"),
    ("x = 1)", "没有成对"),
    ("x = 'abc", "引号没有成对"),
    ("if total > 1\n    pass", "冒号"),
    ("if total = 1:\n    pass", "=="),
    ("x = 0012", "编号要当文字"),
    ("x = [1 2]", "逗号"),
    ("for i in [1]:\nprint(i)", "缩进"),
    ("x = 1\n  y = 2", "不对齐"),
    ("deposits.loc[0, 'amount'] = '甲'", "类型不一样"),
    ("kinds = pd.Series(pd.Categorical(['a']))\nkinds.loc[0] = 'x'", "已有的类别"),
    ("deposits[amount]", '"amount"'),
    ("deposits[deposits['branch_id'] == B01]", '"B01"'),
    ("城区", '"城区"'),
    ("totel + 1", "是不是想写 total"),
    ("never_defined", "还没有运行"),
    ("deposits['amuont']", "最接近的列名是“amount”"),
    ("deposits[['branch_id', 'amout']]", "最接近的列名是“amount”"),
    ("deposits['balance']", "别的表里有"),
    ("deposits.groupby('branch')['amount'].sum()", "最接近的列名是“branch_id”"),
    ("deposits.drop(columns='amounts')", "最接近的列名是“amount”"),
    ("... + 1", "还有 ... 没有填"),
    ("(...).sum()", "还有 ... 没有填"),
    ("text + total", "文字和数字不能直接相加减"),
    ("'5' * 2 - 1", "文字和数字不能直接相加减"),
    ("deposits.amout.sum()", "是不是想写 .amount"),
    ("deposits['amount'].meen()", "是不是想写 .mean"),
    ("nothing.sum()", "空值 None"),
    ("deposits('amount')", "方括号"),
    ("deposits['amount'].sum['x']", "圆括号"),
    ("len(1, 2)", "参数个数"),
    ("'a' < 1", "不能比大小"),
    ("open('没有.csv')", "找不到文件“没有.csv”"),
    ("1 / 0", "除数是 0"),
    ("if deposits['amount'] > 1: pass", "用 &（并且）"),
    ("deposits['new'] = [1, 2, 3]", "长度对不上"),
    ("float('3,000元')", "不能转成数字"),
    ("pd.to_datetime('2025年1月')", "日期"),
    ("[1, 2][5]", "从 0 数起"),
    ("import pandsa", "import course_utils as cu"),
    ("deposits.merge(loans, on='branch_id')", "“branch_id”"),
]


def error_of(source: str) -> BaseException:
    try:
        exec(compile(source, "<cell>", "exec"), dict(NAMES))
    except Exception as error:
        return error
    raise AssertionError(f"{source!r} raised nothing")


@pytest.mark.parametrize(("source", "said"), CASES, ids=[source[:30] for source, _ in CASES])
def test_a_beginners_error_is_explained(source, said):
    error = error_of(source)
    note = explain(type(error), error, NAMES)
    assert note is not None, repr(error)
    assert said in note, note


def test_unknown_errors_get_no_note():
    assert explain(StopIteration, StopIteration(), {}) is None
    assert explain(ValueError, ValueError("something rare"), {}) is None


def test_course_errors_speak_for_themselves():
    from course_utils.errors import CourseError

    assert explain(CourseError, CourseError("没有这家银行。"), {}) == "没有这家银行。"


@pytest.fixture
def shell(monkeypatch, tmp_path):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    from IPython.core.interactiveshell import InteractiveShell

    from course_utils.exercises import friendly

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    shell.user_ns.update(NAMES)
    friendly.install(shell)
    yield shell
    InteractiveShell.clear_instance()


def run(shell, source):
    from IPython.utils.capture import capture_output

    with capture_output() as seen:
        result = shell.run_cell(source)
    notes = [output.data.get("text/html", "") for output in seen.outputs]
    return result, notes, seen.stdout


@pytest.mark.parametrize(
    ("source", "said", "error"),
    [
        ("deposits['amuont']", "amount", KeyError),
        ("x = （1)", "「（」改成「(」", SyntaxError),
        ("x = 1\n  y = 2", "不对齐", IndentationError),
    ],
)
def test_note_and_standard_error_in_a_shell(shell, source, said, error):
    result, notes, standard = run(shell, source)
    assert not result.success
    assert isinstance(result.error_in_exec or result.error_before_exec, error)
    assert len(notes) == 1 and said in notes[0]
    assert error.__name__ in standard
    assert len(standard.splitlines()) < 12, "the standard error is short"


@pytest.mark.slow
def test_a_kernel_still_reports_the_error():
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    install = "from course_utils.exercises import friendly\nfriendly.install(get_ipython())"
    for source, kind in (("{}['没有']", "KeyError"), ("x = （1)", "SyntaxError")):
        cells = [nbformat.v4.new_code_cell(text) for text in (install, source)]
        notebook = nbformat.v4.new_notebook(cells=cells)
        with pytest.raises(CellExecutionError, match=kind):
            NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
        types = [output.output_type for output in notebook.cells[1].outputs]
        assert types == ["display_data", "error"]


def test_session_events_in_a_shell(shell, monkeypatch):
    from fixtures.exercises.memory_bank import MemoryBank
    from fixtures.exercises.questions_m99_n02 import QUESTIONS

    from course_utils.exercises import session

    monkeypatch.setattr(session, "_current", None)
    shell.user_ns.update(session=session, bank=MemoryBank("alpha"), QUESTIONS=tuple(QUESTIONS))
    run(shell, "DAYS = 30\nCAPACITY = 20")
    for _ in range(2):
        begun = (
            "session.begin('m99_n02', bank, questions=QUESTIONS); deposits = bank.load('deposit')"
        )
        assert run(shell, begun)[0].success
    handlers = shell.events.callbacks["post_run_cell"]
    assert sum("History.after_cell" in repr(handler) for handler in handlers) == 1
    run(shell, "due_amount = ...")
    result, notes, _ = run(shell, "session.check('E1')")
    assert result.result is None and "还没有作答" in notes[0]
    run(shell, "session.carry_on('E1')")
    assert "正确" in run(shell, "session.check('E1')")[1][0]
    run(shell, "due_amount = due_amount.copy()")
    run(shell, "DAYS = 60")
    assert "参数 DAYS" in run(shell, "session.check('E1')")[1][0]
    session._leave()
