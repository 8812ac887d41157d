'''Exercises: how an answer is checked, and how to write a question.

A lesson's questions stand in ``course_utils/exercises/questions/mNN_nNN.py`` as ``QUESTIONS``,
a list of `Question`. Prompt, blank, solution, wrong and alternative answers stand in the lesson's
master (tags ``answer:E1``, ``check:E1``, ``wrong:E1:<key>``, ``alternative:E1:<name>``).

::

    """Questions of m02_n02: maturity ladder."""

    from course_utils.exercises import (
        Context, Invariant, Misconception, Question, frame, invariants, number, sums_to,
    )

    def open_time(context: Context) -> pd.DataFrame:
        """Open time deposits of the branch in force (None = the whole bank)."""
        deposits = context.load("deposit_account")
        deposits = deposits[deposits["close_date"].isna()]
        branch = context.parameters["BRANCH"]
        return deposits if branch is None else deposits[deposits["branch_id"] == branch]

    def share_due(context: Context) -> float:
        """Share of the balance that matures within 90 days of the data date."""
        deposits = open_time(context)
        near = deposits["maturity_date"] <= context.as_of + pd.Timedelta(days=90)
        return deposits.loc[near, "amount"].sum() / deposits["amount"].sum()

    def share_due_by_count(context: Context) -> float:
        """Count accounts instead of adding up balances."""
        ...

    QUESTIONS = [
        Question(
            "E1",
            "share_due",
            share_due,
            number(unit="小数（0-1）"),
            hints=("先筛出还没有销户的定期。", "分子和分母都用 amount 求和。"),
            misconceptions=(
                Misconception("count", "你算的是笔数占比。要按金额算。", share_due_by_count),
            ),
            inputs={"deposits": "deposit_account"},
            parameters=("BRANCH",),
        ),
    ]

Rules
-----
* ``expected(context)`` reads ``context.load(...)`` (pristine tables), ``context.parameters[...]``
  (current values) and ``context.as_of``; never the trainee's variables. Write it differently from
  the lesson's solution: proof (a) is then a real cross-check. It runs once per bank and parameters.
* Messages and hints are Chinese, say what to do, and never contain the answer.
* Each question needs hints and at least two misconceptions with their own sentences; each
  misconception has ``value=`` (the wrong answer, recomputed) or ``matches=`` and a ``wrong:`` cell.
* What the blank is: ``name = ...`` for values and functions, ``name = "?"`` for choices and texts.
* Functions: the blank is ``late = ...`` and the solution holds ``def late(...)``.

Kinds
-----
CK1 ``compare=`` `number` `numbers` `choice` `flag` `day` `names` `series` `frame`;
CK2 `invariants`; CK3 `plan`; CK4 `predictions`; CK5 `behaviour`; CK6 `recall` and `covers`;
CK7 `written`. Kinds combine: a comparer and any number of ``checks=``.

Prove every question with ``python -m course_utils.build.proofs --lessons m02_n02 --banks all``.
'''

from course_utils.exercises.checks import (
    Invariant,
    covers,
    invariants,
    no_future,
    partition,
    plan,
    recall,
    sums_to,
    unique,
    within,
)
from course_utils.exercises.compare import choice, day, flag, names, number, numbers
from course_utils.exercises.compare_tables import frame, series
from course_utils.exercises.context import Context
from course_utils.exercises.functions import Case, Relation, behaviour, same, scaled
from course_utils.exercises.numbers_match import Tolerance
from course_utils.exercises.predictions import predictions
from course_utils.exercises.question import Check, Finding, Misconception, Question
from course_utils.exercises.result import Outcome, Result
from course_utils.exercises.written import Part, Quote, written

__all__ = [
    "Case",
    "Check",
    "Context",
    "Finding",
    "Invariant",
    "Misconception",
    "Outcome",
    "Part",
    "Question",
    "Quote",
    "Relation",
    "Result",
    "Tolerance",
    "behaviour",
    "choice",
    "covers",
    "day",
    "flag",
    "frame",
    "invariants",
    "names",
    "no_future",
    "number",
    "numbers",
    "partition",
    "plan",
    "predictions",
    "recall",
    "same",
    "scaled",
    "series",
    "sums_to",
    "unique",
    "within",
    "written",
]
