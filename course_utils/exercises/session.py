"""The lesson that runs in this notebook: `begin`, `check`, `hint`, `carry_on`, `progress`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from course_utils.errors import CourseError
from course_utils.exercises import progress as room
from course_utils.exercises.context import Bank, Context, MissingParameterError
from course_utils.exercises.gates.few import TOO_FEW, UNFIT, too_few
from course_utils.exercises.gates.gate import Gate
from course_utils.exercises.gates.words import sentence
from course_utils.exercises.grading import (
    CheckerError,
    examine,
    grade,
    reference,
    reference_copy,
)
from course_utils.exercises.history import History
from course_utils.exercises.question import Question
from course_utils.exercises.result import Note, Outcome, ProgressTable, Result
from course_utils.libraries import MissingLibraryError

QUESTION_PACKAGE = "course_utils.exercises.questions"


class CheckFailed(AssertionError):
    """An outcome that CI does not accept; raised only under ``COURSE_CHECK=strict`` or ``stub``."""


@dataclass
class Standing:
    """How far a trainee is with one question."""

    failed: int = 0
    checked: int = 0
    hints: int = 0
    carried: bool = False
    last: Outcome | None = None

    @property
    def told(self) -> room.State:
        """What the instructor may know of it."""
        return room.State(self.checked, self.hints, self.carried)


@dataclass
class Session:
    """One lesson on one bank in one notebook.

    Attributes
    ----------
    lesson : str
        “m02_n02”.
    bank : Bank
        The opened bank.
    questions : dict[str, Question]
        By id.
    namespace : MutableMapping[str, Any]
        The notebook's variables.
    """

    lesson: str
    bank: Bank
    questions: dict[str, Question]
    namespace: MutableMapping[str, Any]
    context: Context = field(init=False)
    history: History = field(init=False)
    standing: dict[str, Standing] = field(init=False)
    gate: Gate | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.context = Context(self.bank, self.namespace)
        if getattr(self.bank, "is_real", False):
            answers = [question.variable for question in self.questions.values()]
            self.gate = Gate(self.bank, self.namespace, answers)
        self.history = History(self.namespace, self.context.parameters.snapshot())
        self.standing = {name: Standing() for name in self.questions}

    def question(self, name: str) -> Question:
        """Find a question by id (“E1”, “e1” or 1).

        Raises
        ------
        CourseError
            If the lesson has no such question.
        """
        wanted = str(name).strip().upper()
        wanted = f"E{wanted}" if wanted.isdigit() else wanted
        if wanted not in self.questions:
            known = "、".join(self.questions) or "（没有）"
            raise CourseError(f"本课没有练习 {name}；有的是：{known}。请核对题号。")
        return self.questions[wanted]

    def grade(self, name: str) -> Result:
        """Judge one question now, without showing or counting it."""
        question = self.question(name)
        if reopened := self._opened_otherwise():
            return Result(question.id, Outcome.WRONG, reopened)
        if lacking := self._lacking(question):
            text = sentence(lacking, what="本题")
            return Result(question.id, Outcome.MISSING, text)
        earlier = self.history.parameters_at(question.variable)
        result = grade(question, self.context, self.namespace, earlier=earlier)
        if result.outcome is Outcome.WRONG and (note := self.history.out_of_order(question)):
            result = result.with_notes(note)
        return result

    def _lacking(self, question: Question) -> frozenset[str]:
        """Return what the bank would need for a question and has not got, by contract name."""
        if self.gate is None:
            return frozenset()
        for name in (question.variable, *question.inputs):
            if name in self.gate.lost:
                return self.gate.lost[name]
        try:
            value = reference(question, self.context)
            examine(question, value, self.context, value)
        except (MissingParameterError, MissingLibraryError):
            return frozenset()
        except Exception as error:
            return self.gate.reasons(error) or frozenset({TOO_FEW if too_few(error) else UNFIT})
        return frozenset()

    def _opened_otherwise(self) -> str | None:
        """Say so when BANK or AS_OF changed after the bank was opened."""
        begun, now = self.history.at_begin, self.namespace
        changed = [
            name for name in ("BANK", "AS_OF") if name in begun and now.get(name) != begun[name]
        ]
        if not changed:
            return None
        return (
            f"参数 {'、'.join(changed)} 改过了，但数据还是按旧的值打开的。"
            "请重新运行含有 cu.begin(...) 的那一格，再把后面的单元格依次运行一遍。"
        )

    def check(self, name: str) -> Result:
        """Judge one question, count the try, add the hints earned so far."""
        question = self.question(name)
        result, standing = self.grade(name), self.standing[question.id]
        standing.checked, standing.last = standing.checked + 1, result.outcome
        if result.outcome is Outcome.MISSING:
            return result  # nobody's work: the class is told nothing
        if result.outcome is Outcome.WRONG:
            standing.failed += 1
            standing.hints = max(standing.hints, min(standing.failed, len(question.hints)))
            result = result.with_hints(question.hints[: standing.hints])
            if standing.failed > len(question.hints):
                result = result.with_notes(_way_out(question))
        room.record("check", self.lesson, question.id, standing.told, result)
        return result

    def hint(self, name: str) -> Note:
        """Give the next hint."""
        question = self.question(name)
        standing = self.standing[question.id]
        if standing.hints >= len(question.hints):
            lines = [f"提示 {i}：{text}" for i, text in enumerate(question.hints, 1)]
            return Note("\n".join([*lines, "提示已经全部给出。" + _way_out(question)]))
        standing.hints += 1
        room.record("hint", self.lesson, question.id, standing.told)
        text = question.hints[standing.hints - 1]
        return Note(f"{question.id} 提示 {standing.hints}/{len(question.hints)}：{text}")

    def carry_on(self, name: str) -> Note:
        """Put the reference result into the trainee's variable, so that the lesson can go on."""
        question = self.question(name)
        result = self.grade(name)
        if result.outcome is Outcome.MISSING and self.gate is not None:
            # what follows must not take the blank for an answer
            self.gate.lose(question.variable, self._lacking(question))
            return Note(f"{question.id}：{result.message}")
        if result.outcome is Outcome.RIGHT:
            return Note(f"{question.id} 已经做对了，变量 {question.variable} 保持不变。")
        try:
            value = reference_copy(question, self.context)
        except (CheckerError, KeyError) as error:
            raise CourseError(
                f"{question.id} 的参考结果算不出来：请从参数格开始重新运行，还不行就告诉讲师。"
            ) from error
        self.namespace[question.variable] = value
        standing = self.standing[question.id]
        standing.carried = True
        room.record("carry_on", self.lesson, question.id, standing.told)
        return Note(
            f"变量 {question.variable} 已换成参考结果，可以接着往下做。"
            f"想自己再试，重新运行 {question.id} 的答题格即可。"
        )

    def progress(self) -> ProgressTable:
        """Where the trainee stands."""
        rows = tuple(
            (name, state.last, state.checked, state.hints, state.carried)
            for name, state in self.standing.items()
        )
        return ProgressTable(self.lesson, rows)


_current: Session | None = None


def begin(
    lesson: str,
    bank: str | Bank,
    as_of: str | None = None,
    *,
    namespace: MutableMapping[str, Any] | None = None,
    questions: tuple[Question, ...] | None = None,
) -> Bank:
    """Open the bank, register the lesson's questions, make charts and errors speak Chinese.

    Parameters
    ----------
    lesson : str
        Short name of the lesson, “m02_n02”; its questions are in ``questions/m02_n02.py``.
    bank : str or Bank
        Code of the bank, or a bank already opened.
    as_of : str, optional
        Data date; None = the profile's.
    namespace : MutableMapping[str, Any], optional
        The notebook's variables; found by itself.
    questions : tuple[Question, ...], optional
        Questions to use instead of the lesson's own (tests).

    Returns
    -------
    Bank
        The opened bank.

    Raises
    ------
    CourseError
        If the bank cannot be opened.
    """
    global _current
    space = _namespace(sys._getframe(1).f_globals) if namespace is None else namespace
    if isinstance(bank, str):
        from course_utils.bank import open_bank

        bank = open_bank(bank, as_of)
    found = load_questions(lesson) if questions is None else questions
    _leave()
    _current = Session(lesson, bank, {question.id: question for question in found}, space)
    _enter_notebook(_current)
    _show(Note(f"数据已打开：{bank.name}，截至 {bank.as_of:%Y-%m-%d}。"))
    if (note := room.greet(lesson)) is not None:
        _show(note)
    return bank


def load_questions(lesson: str) -> tuple[Question, ...]:
    """Questions of a lesson; empty where the lesson has none.

    Parameters
    ----------
    lesson : str
        “m02_n02”, or the full lesson name that starts with it.
    """
    key = "_".join(lesson.split("_")[:2])
    name = f"{QUESTION_PACKAGE}.{key}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return ()
    return tuple(module.QUESTIONS)


def current() -> Session:
    """Return the running session.

    Raises
    ------
    CourseError
        If `begin` has not run yet.
    """
    if _current is None:
        raise CourseError("课程还没有开始：请先运行最上面含有 cu.begin(...) 的那一格。")
    return _current


def check(name: str) -> Result | None:
    """Check the answer to one exercise and show the outcome.

    Parameters
    ----------
    name : str
        “E1”.

    Returns
    -------
    Result or None
        In a notebook the result is shown and None returned; elsewhere the result is returned.
    """
    result = current().check(name)
    shown = _show(result)
    mode = os.environ.get("COURSE_CHECK", "")
    if result.outcome is Outcome.MISSING:
        return shown
    if mode == "strict" and result.outcome is not Outcome.RIGHT:
        raise CheckFailed(repr(result))
    if mode == "stub" and result.outcome is not Outcome.BLANK:
        raise CheckFailed(repr(result))
    return shown


def hint(name: str) -> Note | None:
    """Show the next hint of one exercise."""
    return _show(current().hint(name))


def carry_on(name: str) -> Note | None:
    """Go on with the reference result of one exercise."""
    return _show(current().carry_on(name))


def progress() -> ProgressTable | None:
    """Show where the trainee stands in this lesson."""
    return _show(current().progress())


def join(seat: object = None, address: str | None = None, *, again: bool = False) -> Note | None:
    """Let the instructor see your progress (never your answers) under a seat number.

    Parameters
    ----------
    seat : str or int, optional
        Seat number or nickname.
    address : str, optional
        Address of the class as the projector shows it; only where nothing is configured.
    again : bool
        It is me although the seat is taken.
    """
    return _show(room.join(seat, address, again=again))


def leave(*, erase: bool = False) -> Note | None:
    """Send no progress, or none any more; with `erase` what was sent is deleted."""
    return _show(room.leave(erase=erase))


def _way_out(question: Question) -> str:
    return f'想先往下走，运行 cu.carry_on("{question.id}")。'


def _show(thing: Any) -> Any:
    """Display in a notebook (and return None); elsewhere return the thing."""
    if _shell() is None:
        return thing
    from IPython.display import display

    display(thing)
    return None


def _shell() -> Any:
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()


def _namespace(caller: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    shell = _shell()
    return caller if shell is None else shell.user_ns


def _enter_notebook(session: Session) -> None:
    shell = _shell()
    if shell is None:
        return
    from course_utils.exercises import friendly

    friendly.install(shell)
    shell.events.register("post_run_cell", session.history.after_cell)
    if session.gate is not None:
        shell.ast_transformers.append(session.gate)
        shell.events.register("post_run_cell", session.gate.after_cell)
    from course_utils.charts import theme

    theme()


def _leave() -> None:
    """Detach an earlier session of the same notebook from the kernel's events."""
    shell = _shell()
    if shell is None or _current is None:
        return
    handlers: Mapping[str, list[Any]] = shell.events.callbacks
    followers = [_current.history.after_cell]
    if (gate := _current.gate) is not None:
        followers.append(gate.after_cell)
        shell.ast_transformers = [one for one in shell.ast_transformers if one is not gate]
    for follower in followers:
        if follower in handlers.get("post_run_cell", []):
            shell.events.unregister("post_run_cell", follower)
