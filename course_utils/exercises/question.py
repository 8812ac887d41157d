"""What a question is: variable, reference, comparer, further checks, hints, misconceptions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from course_utils.exercises.compare import Comparer
from course_utils.exercises.context import Context

_ID = re.compile(r"E[1-9]\d?")
_KEY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    message : str or None
        A Chinese sentence when the answer fails; None when it passes.
    note : str or None
        Something to mention whatever the outcome, e.g. that a check was skipped.
    """

    message: str | None = None
    note: str | None = None


PASSED = Finding()


class Check(Protocol):
    """One check (CK1-CK7) of a question."""

    kind: str

    def examine(self, answer: Any, context: Context, expected: Any) -> Finding:
        """Look at the answer."""


@dataclass(frozen=True)
class Misconception:
    """A mistake people make, and the sentence written for exactly that.

    Attributes
    ----------
    key : str
        Short English name; a master's ``wrong:E1:<key>`` cell refers to it.
    message : str
        What the trainee reads (Chinese); must not contain the answer.
    value : Callable[[Context], Any], optional
        The wrong answer, recomputed from the bank. For a function question: the wrong function.
    matches : Callable[[Any, Context], bool], optional
        Recognises the mistake where no single wrong value exists (plans, texts).
    degenerate : Mapping[str, str]
        Bank code → why on this bank the mistake gives the right answer, e.g. the bank has no
        settled loan. Undeclared coincidences fail proof (c).
    """

    key: str
    message: str
    value: Callable[[Context], Any] | None = None
    matches: Callable[[Any, Context], bool] | None = None
    degenerate: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"misconception key {self.key!r}: lower-case ASCII letters and _ only")
        if not self.message:
            raise ValueError(f"misconception {self.key}: a message is needed")


@dataclass(frozen=True)
class Question:
    """One exercise of a lesson. The prompt stands in the lesson; this is how an answer is judged.

    Attributes
    ----------
    id : str
        “E1” … “E4”.
    variable : str
        The notebook variable the trainee assigns (a value or a function).
    expected : Callable[[Context], Any]
        Recomputes the reference from ``context.load(...)`` and ``context.parameters[...]``,
        written differently from the lesson's own solution. For a function question it returns the
        reference function. `carry_on` assigns it.
    compare : Comparer, optional
        CK1: compares the answer with the reference.
    checks : tuple[Check, ...]
        Further checks, CK2-CK7, in the order in which they should speak.
    hints : tuple[str, ...]
        From vague to concrete; one more is shown after each failed try.
    misconceptions : tuple[Misconception, ...]
        Named mistakes, the most specific first.
    inputs : Mapping[str, str or Callable[[Context], pandas.DataFrame]]
        Notebook variable → table (or how to recompute it): tells the trainee when the variable was
        overwritten or changed.
    parameters : tuple[str, ...]
        Names of the lesson parameters that the answer depends on.
    accepts : tuple[Callable[[Any], Any], ...]
        Other accepted forms: each turns an answer into the form that `compare` understands, or
        raises.
    shape : str
        What is asked for, in Chinese; default: the comparer's.
    """

    id: str
    variable: str
    expected: Callable[[Context], Any]
    compare: Comparer | None = None
    checks: tuple[Check, ...] = ()
    hints: tuple[str, ...] = ()
    misconceptions: tuple[Misconception, ...] = ()
    inputs: Mapping[str, str | Callable[[Context], pd.DataFrame]] = field(
        default_factory=dict, hash=False
    )
    parameters: tuple[str, ...] = ()
    accepts: tuple[Callable[[Any], Any], ...] = ()
    shape: str = ""

    def __post_init__(self) -> None:
        where = f"question {self.id} ({self.variable})"
        if not _ID.fullmatch(self.id):
            raise ValueError(f"{where}: the id must look like E1")
        if not self.variable.isidentifier():
            raise ValueError(f"{where}: the variable is no Python name")
        for name in ("checks", "hints", "misconceptions", "parameters", "accepts"):
            if not isinstance(getattr(self, name), tuple):
                raise ValueError(f"{where}: {name} must be a tuple (a comma missing?)")
        if not self.hints:
            raise ValueError(f"{where}: at least one hint is needed")
        kinds = self.kinds
        if not kinds or set(kinds) == {"CK6"}:
            raise ValueError(f"{where}: needs a check that also works without planted truth")
        keys = [item.key for item in self.misconceptions]
        if len(set(keys)) != len(keys):
            raise ValueError(f"{where}: two misconceptions share a key")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of check in use, e.g. ``("CK1", "CK5")``."""
        own = ("CK1",) if self.compare is not None else ()
        return own + tuple(check.kind for check in self.checks)

    @property
    def kind(self) -> str:
        """Kinds of check in one text, e.g. “CK1+CK5”."""
        return "+".join(dict.fromkeys(self.kinds))

    @property
    def wanted(self) -> str:
        """What is asked for, in Chinese; empty when the question does not say."""
        if self.shape:
            return self.shape
        if self.compare is not None:
            return self.compare.shape
        shapes = (getattr(check, "shape", "") for check in self.checks)
        return next((shape for shape in shapes if shape), "")
