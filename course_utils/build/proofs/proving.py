"""Run a lesson's cells in this process and prove its exercises where they stand."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_utils.build.proofs.mutants import ROUGH, mutants, rough, sibling_columns
from course_utils.build.proofs.mutation_report import MutationReport, equivalent
from course_utils.build.proofs.sandbox import Overrun, fork, run_cell, workplace
from course_utils.build.sources.masters import Answer, Master, read_master
from course_utils.exercises import session
from course_utils.exercises.context import Context
from course_utils.exercises.grading import grade, wrong_value
from course_utils.exercises.question import Misconception, Question
from course_utils.exercises.result import Outcome, Result

SECONDS_A_QUESTION = 60.0
MOST_MUTANTS = 120


@dataclass(frozen=True)
class Proof:
    """One thing proved, or not.

    Attributes
    ----------
    lesson, bank, question : str
        Where.
    part : str
        “a” … “e”.
    name : str
        Which misconception, alternative or variation; empty otherwise.
    passed : bool
        Whether it holds.
    detail : str
        What was found instead; for (d) counts and survivors.
    """

    lesson: str
    bank: str
    question: str
    part: str
    name: str
    passed: bool
    detail: str = ""
    report: MutationReport | None = None


@dataclass
class Lesson:
    """A master with its questions and what their module declares.

    Attributes
    ----------
    survivors : Mapping[str, Mapping[str, str]]
        Question → mutant → why it is equivalent (``SURVIVORS``).
    variations : Sequence[Mapping[str, Any]]
        Further parameter values under which (a) must hold (``VARIATIONS``); a callable value is
        called with the bank.
    """

    master: Master
    questions: tuple[Question, ...]
    survivors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    variations: Sequence[Mapping[str, Any]] = ()


def read_lesson(path: Path | str) -> Lesson:
    """Read a master and its question module."""
    master = read_master(path)
    questions = session.load_questions(master.key)
    if not questions:
        return Lesson(master, ())
    module = importlib.import_module(f"{session.QUESTION_PACKAGE}.{master.key}")
    return Lesson(
        master, questions, getattr(module, "SURVIVORS", {}), getattr(module, "VARIATIONS", ())
    )


def prove(
    lesson: Path | str | Lesson,
    bank: str,
    *,
    deep: bool = True,
    seconds: float = SECONDS_A_QUESTION,
) -> list[Proof]:
    """Prove all exercises of one lesson on one bank.

    Parameters
    ----------
    lesson : path-like or Lesson
        The master.
    bank : str
        Code of the bank.
    deep : bool
        Whether to run the mutants (d) too.
    seconds : float
        Time for the mutants of one question; those not run are counted in the proof's detail.

    Returns
    -------
    list[Proof]
        In the order of the questions. A lesson whose cells do not run gives one failed proof.
    """
    lesson = lesson if isinstance(lesson, Lesson) else read_lesson(lesson)
    with workplace(os.environ):  # type: ignore[arg-type]
        proofs = _structure(lesson, bank)
        proofs += _Walk(lesson, bank, seconds if deep else None).proofs()
        for values in lesson.variations:
            proofs += _Walk(lesson, bank, None, values).proofs()
    return proofs


def _structure(lesson: Lesson, bank: str) -> list[Proof]:
    """Answer cells and question module must agree; every question needs (e)."""
    found = []
    master, declared = lesson.master, tuple(question.id for question in lesson.questions)

    def fail(question: str, part: str, detail: str) -> None:
        found.append(Proof(master.key, bank, question, part, "结构", False, detail))

    if master.questions != declared:
        fail("", "a", f"母本有练习 {master.questions}，题目文件有 {declared}")
    for question in lesson.questions:
        if question.id not in master.questions:
            continue
        if "carry_on" in master.answer(question.id).solution:
            fail(question.id, "a", "解答里不能用 carry_on：它要独立算出来")
        if not list(master.variants("alternative", question.id)):
            fail(question.id, "e", f"缺少 alternative:{question.id}:… 单元格")
        wrong = {name for name, _ in master.variants("wrong", question.id)}
        for item in question.misconceptions:
            if item.value is None and item.key not in wrong:
                fail(question.id, "c", f"典型错误 {item.key} 没有 value，也没有 wrong 单元格")
    return found


class _Walk:
    """One run through a lesson: demonstration cells once, questions proved where they stand."""

    def __init__(
        self,
        lesson: Lesson,
        bank: str,
        budget: float | None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self.lesson, self.bank, self.budget = lesson, bank, budget
        self.values = values
        self.questions = {question.id: question for question in lesson.questions}
        self.namespace: dict[str, Any] = {
            "__name__": "__main__",
            "display": lambda *things, **options: None,
            ROUGH: rough,
        }

    def proofs(self) -> list[Proof]:
        """Walk through the cells in order."""
        found: list[Proof] = []
        for cell in self.lesson.master.cells:
            if cell.kind != "code" or cell.instructor_only or _is_aside(cell.tags):
                continue
            name = cell.question("answer")
            try:
                if name is None:
                    run_cell(cell.source, self.namespace)
                elif name in self.questions:
                    found += self._question(self.questions[name])
                if "parameters" in cell.tags:
                    self._set_parameters()
            except Exception as error:
                where = self.lesson.master.where(cell)
                detail = f"{where}{type(error).__name__}: {error}"
                return [*found, self._proof("", "a", "", False, detail)]
        return found

    def _set_parameters(self) -> None:
        self.namespace["BANK"] = self.bank
        if not self.values:
            return
        from course_utils.bank import open_bank

        opened = open_bank(self.bank)
        for name, value in self.values.items():
            self.namespace[name] = value(opened) if callable(value) else value

    def _question(self, question: Question) -> list[Proof]:
        answer = self.lesson.master.answer(question.id)
        trial = _Trial(question, answer, self.namespace)
        began = time.perf_counter()
        result = trial.result(answer.solved_source)
        seconds = time.perf_counter() - began
        shown = "" if self.values is None else "换参数 " + "，".join(self.values)
        found = [self._is(question, "a", shown, result, Outcome.RIGHT)]
        if self.values is None:
            blank = trial.result(answer.blank_source)
            found.append(self._is(question, "b", "", blank, Outcome.BLANK))
            found += self._misconceptions(question, trial)
            if self.budget is not None and found[0].passed:
                found.append(self._mutants(question, trial, seconds))
            for name, source in self.lesson.master.variants("alternative", question.id):
                found.append(self._is(question, "e", name, trial.result(source), Outcome.RIGHT))
        run_cell(answer.solved_source, self.namespace)
        return found

    def _misconceptions(self, question: Question, trial: _Trial) -> list[Proof]:
        declared = {item.key: item for item in question.misconceptions}
        found = []
        for item in question.misconceptions:
            if item.value is not None:
                try:
                    result = trial.judge(wrong_value(question, item, trial.context))
                except Exception as error:
                    detail = f"算不出错误答案：{type(error).__name__}: {error}"
                    found.append(self._proof(question.id, "c", item.key, False, detail))
                    continue
                found.append(self._has_sentence(question, item, result, ""))
        for name, source in self.lesson.master.variants("wrong", question.id):
            result = trial.result(source)
            if name in declared:
                found.append(self._has_sentence(question, declared[name], result, "单元格"))
            else:
                found.append(self._is(question, "c", f"单元格 {name}", result, Outcome.WRONG))
        return found

    def _has_sentence(
        self, question: Question, item: Misconception, result: Result, where: str
    ) -> Proof:
        name = f"{where} {item.key}".strip()
        if self.bank in item.degenerate:
            detail = f"在这家银行上不构成错误（已说明）：{item.degenerate[self.bank]}"
            passed = result.outcome in {Outcome.RIGHT, Outcome.WRONG}
            return self._proof(question.id, "c", name, passed, detail)
        if result.outcome is Outcome.RIGHT:
            detail = "退化：在这家银行上，这个错误恰好得到正确结果；请换题或在 degenerate 里说明"
            return self._proof(question.id, "c", name, False, detail)
        passed = result.outcome is Outcome.WRONG and result.message == item.message
        return self._proof(question.id, "c", name, passed, "" if passed else repr(result))

    def _mutants(self, question: Question, trial: _Trial, seconds: float) -> Proof:
        report = trial.mutate(
            seconds, self.budget or 0.0, self.lesson.survivors.get(question.id, {})
        )
        return Proof(
            self.lesson.master.key,
            self.bank,
            question.id,
            "d",
            "",
            report.passed(question),
            report.summary(question),
            report,
        )

    def _is(
        self, question: Question, part: str, name: str, result: Result, wanted: Outcome
    ) -> Proof:
        passed = result.outcome is wanted
        detail = "" if passed else f"{result!r} {result.detail}".strip()
        return self._proof(question.id, part, name, passed, detail)

    def _proof(self, question: str, part: str, name: str, passed: bool, detail: str) -> Proof:
        key = self.lesson.master.key
        return Proof(key, self.bank, question, part, name, passed, detail)


@dataclass
class _Trial:
    """Runs versions of one answer cell in copies of the notebook's state."""

    question: Question
    answer: Answer
    namespace: dict[str, Any]

    def __post_init__(self) -> None:
        self.context: Context = session.current().context

    def result(self, source: str, seconds: float | None = None) -> Result:
        """Outcome of a version of the answer cell; an error in the cell is a wrong answer."""
        return self._run(source, seconds)[0]

    def judge(self, value: Any) -> Result:
        """Outcome of a value put into the answer variable."""
        space = fork(self.namespace)
        space[self.question.variable] = value
        return grade(self.question, self.context.on(space), space)

    def _run(self, source: str, seconds: float | None = None) -> tuple[Result, Any]:
        space = fork(self.namespace)
        space.pop(self.question.variable, None)
        try:
            run_cell(source, space, seconds)
        except Overrun:
            return self._crashed("超过时间限制"), None
        except Exception as error:
            return self._crashed(f"{type(error).__name__}: {error}"), None
        result = grade(self.question, self.context.on(space), space)
        return result, space.get(self.question.variable)

    def _crashed(self, why: str) -> Result:
        return Result(self.question.id, Outcome.WRONG, f"（单元格没有跑通）{why}")

    def mutate(self, seconds: float, budget: float, explained: Mapping[str, str]) -> MutationReport:
        """Run the mutants of the solution until the time for this question is used up."""
        _, right = self._run(self.answer.solved_source)
        solution, report = self.answer.solution, MutationReport(explained)
        siblings = sibling_columns(self.namespace, solution)
        variants = list(mutants(solution, self.question.variable, siblings))
        step = max(1, -(-len(variants) // MOST_MUTANTS))
        limit, deadline = max(5.0, 10 * seconds), time.monotonic() + budget
        for mutant in variants[::step]:
            if time.monotonic() > deadline:
                report.left += 1
                continue
            result, value = self._run(self.answer.filled(mutant.source), limit)
            same = result.outcome is Outcome.RIGHT and equivalent(self.question, value, right)
            report.add(mutant.name, result, same)
        return report


def _is_aside(tags: Iterable[str]) -> bool:
    return any(tag.split(":")[0] in {"check", "wrong", "alternative"} for tag in tags)


def preflight(lesson: Lesson, bank: Any) -> list[str]:
    """Sentences about misconceptions that give the right answer on a (real) bank.

    Parameters
    ----------
    lesson : Lesson
        The lesson; its default parameters are used.
    bank : Bank
        The opened bank.
    """
    context, found = Context(bank, dict(lesson.master.parameters)), []
    for question in lesson.questions:
        for item in question.misconceptions:
            if item.value is None or bank.code in item.degenerate:
                continue
            space = {**lesson.master.parameters, question.variable: item.value(context)}
            if grade(question, context.on(space), space).outcome is Outcome.RIGHT:
                found.append(
                    f"{lesson.master.key} {question.id}：典型错误 {item.key} 在这家银行上恰好得到"
                    "正确结果，课堂上会被判为正确。"
                )
    return found
