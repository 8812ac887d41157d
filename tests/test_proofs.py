"""Proofs (a)-(e): they hold on every shipped lesson and bank, and they fail when they should."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fixtures.exercises import questions_m99_n02
from fixtures.exercises.memory_bank import MemoryBank
from fixtures.exercises.questions_m99_n02 import QUESTIONS

from course_utils.build.proofs import command as proofs
from course_utils.build.proofs.mutants import mutants, rough, sibling_columns
from course_utils.build.proofs.sandbox import Overrun, fork, run_cell
from course_utils.build.sources.masters import parse_master, read_master
from course_utils.errors import CourseError
from course_utils.exercises import Misconception, Question, number, session

FIXTURE = Path(__file__).parent / "fixtures" / "exercises" / "m99_n02_all_kinds.py"
BANKS = ("alpha", "beta")


@pytest.fixture(autouse=True)
def memory_banks(monkeypatch, request):
    if "shipped" not in request.node.name:
        monkeypatch.setattr("course_utils.bank.open_bank", MemoryBank)
    monkeypatch.setattr(session, "_current", None)


def sample() -> proofs.Lesson:
    module = questions_m99_n02
    return proofs.Lesson(
        read_master(FIXTURE), tuple(QUESTIONS), module.SURVIVORS, module.VARIATIONS
    )


@pytest.mark.parametrize("bank", BANKS)
def test_every_kind_of_question_is_proved(bank):
    found = proofs.prove(sample(), bank)
    failed = [proof for proof in found if not proof.passed]
    assert not failed, failed
    for question in QUESTIONS:
        parts = {proof.part for proof in found if proof.question == question.id}
        assert parts == set("abcde"), question.id
    assert any(proof.name.startswith("换参数") for proof in found)
    killed = sum(proof.report.killed for proof in found if proof.report)
    assert killed > 70
    assert f"m99_n02   {bank}" in proofs.table(found)


SMALL = """
# %% tags=["parameters"]
BANK = "alpha"
AS_OF = None
FLOOR = 100000

# %%
import course_utils as cu
bank = cu.begin("m99_n03", BANK, AS_OF)
deposits = bank.load("deposit")

# %% tags=["answer:E1"]
big = ...
### BEGIN SOLUTION
big = SOLUTION
### END SOLUTION

# %% tags=["wrong:E1:mean"]
big = deposits.loc[deposits["amount"] >= FLOOR, "amount"].mean()

# %% tags=["alternative:E1:query"]
big = deposits.query("amount >= @FLOOR")["amount"].sum()
"""
GOOD = 'deposits.loc[deposits["amount"] >= FLOOR, "amount"].sum()'


def expected_big(context, floor=None):
    deposits = context.load("deposit", ["amount"])["amount"].to_numpy()
    return float(deposits[deposits >= (floor or context.parameters["FLOOR"])].sum())


def small(solution=GOOD, text=SMALL, variations=(), **changes) -> proofs.Lesson:
    master = parse_master(
        text.strip().replace("SOLUTION\n###", f"{solution}\n###"), Path("m99_n03_small.py")
    )
    question = Question(
        "E1",
        "big",
        expected_big,
        number(),
        hints=("想",),
        misconceptions=(
            Misconception(
                "mean",
                "你算的是平均。",
                lambda c: (
                    expected_big(c) / (c.load("deposit")["amount"] >= c.parameters["FLOOR"]).sum()
                ),
            ),
        ),
        parameters=("FLOOR",),
    )
    question = dataclasses.replace(question, **changes)
    return proofs.Lesson(master, (question,), {}, variations)


def failures(lesson, bank="alpha"):
    return {(p.part, p.name): p.detail for p in proofs.prove(lesson, bank) if not p.passed}


def test_the_small_lesson_is_fine():
    assert (
        failures(small(variations=[{"FLOOR": 5e4}, {"FLOOR": lambda bank: len(bank.code)}])) == {}
    )


def test_a_wrong_solution_is_found():
    assert ("a", "") in failures(small('deposits["amount"].sum()'))


def test_a_solution_that_does_not_run_is_found():
    found = failures(small('deposits["nothing"].sum()'))
    assert "KeyError" in found["a", ""]


def test_a_forgotten_parameter_is_found_by_a_variation():
    lesson = small(variations=[{"FLOOR": 5e4}], expected=lambda c: expected_big(c, 1e5))
    assert set(failures(lesson)) == {("a", "换参数 FLOOR")}


def test_a_blank_that_is_no_blank_is_found():
    spoilt = SMALL.replace("### END SOLUTION", "### END SOLUTION\nbig = 5")
    assert ("b", "") in failures(small(text=spoilt))


def test_a_misconception_without_its_own_sentence_is_found():
    twice = (
        Misconception("first", "第一句。", lambda c: expected_big(c) * 3),
        Misconception("second", "第二句。", lambda c: expected_big(c) * 3),
    )
    found = failures(small(misconceptions=twice))
    assert ("c", "second") in found and ("c", "first") not in found


def test_a_misconception_that_happens_to_be_right_is_reported_unless_declared():
    lucky = Misconception("lucky", "你猜的。", lambda c: expected_big(c))
    assert "退化" in failures(small(misconceptions=(lucky,)))["c", "lucky"]
    declared = dataclasses.replace(lucky, degenerate={"alpha": "这里没有小额存单"})
    assert ("c", "lucky") not in failures(small(misconceptions=(declared,)))
    assert "退化" in failures(small(misconceptions=(declared,)), "beta")["c", "lucky"]


def test_preflight_reports_coincidences_on_a_new_bank():
    lucky = Misconception("lucky", "你猜的。", lambda c: expected_big(c))
    (sentence,) = proofs.preflight(small(misconceptions=(lucky,)), MemoryBank("beta"))
    assert "m99_n03 E1" in sentence and "lucky" in sentence
    assert proofs.preflight(small(), MemoryBank("beta")) == []


def test_a_failing_misconception_is_found():
    broken = Misconception("broken", "坏的。", lambda c: c.load("nothing"))
    assert "KeyError" in failures(small(misconceptions=(broken,)))["c", "broken"]


def test_a_wrong_cell_that_passes_is_found():
    text = SMALL.replace('wrong:E1:mean"]\nbig = ', f'wrong:E1:mean"]\nbig = {GOOD}\nunused = ')
    assert ("c", "单元格 mean") in failures(small(text=text))


def test_a_misconception_recognised_by_rule_needs_a_wrong_cell():
    rule = Misconception("rule", "凭规则。", matches=lambda a, c: a < 0)
    assert "没有 wrong 单元格" in failures(small(misconceptions=(rule,)))["c", "结构"]


def test_a_missing_or_wrong_alternative_is_found():
    without = SMALL[: SMALL.index('# %% tags=["alternative')]
    assert ("e", "结构") in failures(small(text=without))
    wrong = SMALL.replace("amount >= @FLOOR", "amount > 2 * @FLOOR")
    assert ("e", "query") in failures(small(text=wrong))


def test_a_solution_that_copies_the_reference_is_found():
    assert "carry_on" in failures(small('cu.carry_on("E1") or big'))["a", "结构"]


def test_questions_and_master_must_agree():
    lesson = small()
    other = dataclasses.replace(lesson.questions[0], id="E2")
    lesson = proofs.Lesson(lesson.master, (*lesson.questions, other))
    assert "母本有练习" in failures(lesson)["a", "结构"]


def test_mutants_that_were_not_run_are_counted():
    (proof,) = (p for p in proofs.prove(small(), "alpha", seconds=0.0) if p.report)
    report = proof.report
    assert not proof.passed, "nothing was proved"
    assert report.left > 5 and report.killed == 0
    assert "时间用完没有跑" in report.summary(small().questions[0])


def test_survivors_are_listed_and_can_be_explained():
    lesson = small(compare=number(relative=0.5))
    (detail,) = (text for (part, _), text in failures(lesson).items() if part == "d")
    assert "存活" in detail
    names = [
        name
        for proof in proofs.prove(lesson, "alpha")
        if proof.report
        for name in proof.report.survivors
    ]
    assert names
    explained = proofs.Lesson(
        lesson.master, lesson.questions, {"E1": dict.fromkeys(names, "容差大")}
    )
    assert not [part for part, _ in failures(explained) if part == "d"]


def test_a_lesson_that_breaks_gives_one_failed_proof():
    lesson = small(text=SMALL.replace('bank.load("deposit")', 'bank.load("nothing")'))
    (only,) = proofs.prove(lesson, "alpha")
    assert not only.passed and "KeyError" in only.detail


def names_of(solution, variable="x", **options):
    return [mutant.name for mutant in mutants(solution, variable, **options)]


@pytest.mark.parametrize(
    ("solution", "expected"),
    [
        ("x = t.groupby(['a', 'b'])['c'].sum()", {"L1 列表少最后一项", "L1 .sum→.mean"}),
        ("x = t.loc[t['a'].isin(['u', 'v'])]", {"L1 筛选条件取反", "L1 去掉筛选", "L1 “u”→“ux”"}),
        ("x = t[t['a'] >= 3]", {"L1 >= → <", "L1 >= → >", "L1 3→4"}),
        ("x = t[p & q]", {"L1 漏掉前一个条件", "L1 漏掉后一个条件", "L1 & → |"}),
        ("x = t.drop_duplicates('a').merge(u, how='left')", {"L1 去掉 .drop_duplicates()"}),
        ("x = t.merge(u, how='left')", {"L1 “left”→“inner”"}),
        ("x = y.iloc[:12]", {"L1 12→13"}),
        ("x = t.sort_values('a', ascending=False).head(3)", {"L1 False→True", "L1 .head→.tail"}),
        ("x = a / b * 100", {"L1 / → *", "L1 * → /", "L1 100→101", "提前四舍五入"}),
        ("y = 1\nx = a if b > 1 else -c", {"L2 if 条件取反", "L2 去掉 -", "L1 1→2"}),
        ("x = t[t['d'] > '2025-01-31']", {"L1 “2025-01-31”→“2025-01-31x”"}),
        ("x = pd.Timestamp('2025-01-31')", {"L1 “2025-01-31”→“2024-01-31”"}),
    ],
)
def test_mutation_operators(solution, expected):
    assert expected <= set(names_of(solution))


def test_mutants_differ_from_the_solution_and_from_each_other():
    solution = "x = t[(t['a'] >= 3) & ~t['b']].groupby('c')['d'].sum() / 10000"
    sources = [mutant.source for mutant in mutants(solution, "x")]
    assert len(sources) == len(set(sources)) > 8
    assert len(set(names_of(solution))) == len(sources)


def test_column_names_are_swapped_with_a_neighbour_of_the_same_type():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0], "c": ["x"], "d": ["y"]})
    pairs = sibling_columns({"t": frame}, "x = t['a'] * t['c']")
    assert pairs == {"a": "b", "c": "d"}
    assert "L1 “a”→“b”" in names_of("x = t['a']", siblings=pairs)


def test_rough_keeps_two_digits():
    assert rough(0.123456) == 0.12
    assert rough((1234.0, -0.056789)) == (1200.0, -0.057)
    assert rough(pd.Series([1234, 5])).tolist() == [1200.0, 5.0]
    assert rough("文字") == "文字"


def test_forks_do_not_touch_the_original():
    space = {"t": pd.DataFrame({"a": [1, 2]}), "l": [1, [2]], "n": np.array([1, 2]), "k": 1}
    exec("def f():\n    return k", space)
    child = fork(space)
    run_cell("t['a'] = 0\nt.loc[0, 'a'] = 9\nl[1].append(3)\nn[0] = 5\nk = 7\nseen = f()", child)
    assert space["t"]["a"].tolist() == [1, 2]
    assert space["l"] == [1, [2]] and space["n"].tolist() == [1, 2] and space["k"] == 1
    assert child["seen"] == 7


def test_runaway_cells_are_stopped():
    began = time.monotonic()
    with pytest.raises(Overrun):
        run_cell("try:\n    while True: pass\nexcept Exception: pass", {}, 0.3)
    assert time.monotonic() - began < 3
    with pytest.raises(MemoryError):
        run_cell("import numpy as np\nx = np.ones(10 ** 10)", {}, 30)


def test_proofs_leave_no_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COURSE_OUTPUT", raising=False)
    proofs.prove(small(), "alpha", deep=False)
    assert list(tmp_path.iterdir()) == []
    assert "COURSE_OUTPUT" not in os.environ


def test_unknown_banks_are_named():
    with pytest.raises(CourseError, match="没有银行 nowhere"):
        proofs.bank_codes("nowhere")


def _shipped() -> list[tuple[str, str]]:
    return [(path.stem, bank) for path in proofs.master_paths() for bank in proofs.bank_codes()]


@pytest.mark.slow
@pytest.mark.parametrize(("lesson", "bank"), _shipped())
def test_shipped_lessons_are_proved(lesson, bank):
    (path,) = (path for path in proofs.master_paths() if path.stem == lesson)
    found = proofs.prove(path, bank)
    reports = [f"{proof.question} {proof.detail}" for proof in found if proof.report is not None]
    print("\n".join([proofs.table(found), *reports]))
    failed = [
        f"{proof.question} ({proof.part}) {proof.name}: {proof.detail}"
        for proof in found
        if not proof.passed
    ]
    assert not failed, "\n".join(failed)
