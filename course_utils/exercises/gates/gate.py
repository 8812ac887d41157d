"""Runs a notebook's statements so that one whose data a real bank lacks is left out, with all that
needs its result, and the rest goes on.

Each statement at the top level of a cell is run by itself. Where it fails because a table or a
column is not there, the names it would have set are taken away (an old value must not be mistaken
for the result), and whatever asks for them later fails for the same reason. A cell says once, at
its end, what is missing. Errors for any other reason stay errors.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Callable, Iterable, MutableMapping
from types import ModuleType
from typing import Any

from course_utils.bank.labels import CONSTANTS
from course_utils.errors import MissingDataError, TooFewRowsError
from course_utils.exercises.gates.few import TOO_FEW, UNFIT, causes, detail, too_few
from course_utils.exercises.gates.statements import Statement, read_statement
from course_utils.exercises.gates.words import sentence
from course_utils.exercises.result import boxed

#: Name under which the notebook's statements find the gate.
HANDLE = "_course_gate"
#: Set in the kernels of a build.
BUILDING = "COURSE_CELL_LOG"
#: Where a notebook's output keeps what was missing.
METADATA = "course_missing"
_QUOTED = re.compile(r"""['"“‘`]([^'"”’`]+)['"”’`]""")
#: Errors that a missing column does not cause without being named.
_OWN = (AssertionError, KeyError, NameError, AttributeError, SyntaxError)
#: Errors that no data cause.
_BUGS = (AssertionError, SyntaxError, ImportError)
Names = frozenset[str]


class Gate(ast.NodeTransformer):
    """Decides which statements of a notebook can run on a bank.

    Parameters
    ----------
    bank : Bank
        A real bank.
    namespace : MutableMapping
        The notebook's variables.
    answers : iterable of str
        Variables that the trainee sets: with them an empty table may be a mistake of his.

    Attributes
    ----------
    lost : dict of str to frozenset of str
        Variables that could not be set → what the bank lacks, by contract name.
    lost_columns : dict of str to frozenset of str
        Columns that could not be added to a frame.
    """

    def __init__(
        self, bank: Any, namespace: MutableMapping[str, Any], answers: Iterable[str] = ()
    ) -> None:
        self.bank, self.namespace, self.answers = bank, namespace, frozenset(answers)
        self.lost: dict[str, Names] = {}
        self.lost_columns: dict[str, Names] = {}
        self._thin: dict[str, Names] = {}  # frames without a column that was asked for
        self._statements: list[Statement] = []
        self._read = len(bank.left_out)
        self._missing: Names = frozenset()
        self._detail = ""
        self._unknown: list[str] = []
        self._shown = 0
        namespace[HANDLE] = self

    # ---- a cell before it runs -------------------------------------------------------------------

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Wrap each statement of a cell; IPython hands over every cell."""
        last = len(node.body) - 1
        node.body = [self._wrapped(child, at == last) for at, child in enumerate(node.body)]
        return ast.fix_missing_locations(node)

    def _wrapped(self, node: ast.stmt, last: bool) -> ast.stmt:
        number = len(self._statements)
        self._statements.append(read_statement(node))
        if last and isinstance(node, ast.Expr) and not _is_special(node):
            # the notebook shows the value of an expression that ends a cell
            made = ast.parse(f"{HANDLE}.value({number}, lambda: 0)").body[0]
            made.value.args[1].body = node.value
        else:
            made = ast.parse(
                f"try:\n    0\nexcept Exception as {HANDLE}_error:\n"
                f"    if not {HANDLE}.skip({number}, {HANDLE}_error):\n        raise\n"
                f"else:\n    {HANDLE}.done({number})"
            ).body[0]
            made.body = [node]
        return ast.copy_location(made, node)

    # ---- while it runs ---------------------------------------------------------------------------

    def value(self, number: int, compute: Callable[[], Any]) -> Any:
        """Return the value of the expression that ends a cell; None if it has to be left out."""
        try:
            result = compute()
        except Exception as error:
            if not self.skip(number, error):
                raise
            return None
        self.done(number)
        return result

    def done(self, number: int) -> None:
        """Note that a statement ran through."""
        statement = self._statements[number]
        self._shown += statement.shows
        thin = self._inherited(statement) | frozenset(self.bank.left_out[self._read :])
        self._read = len(self.bank.left_out)
        for name in statement.sets & set(self.namespace):
            self.lost.pop(name, None)
            self._thin.pop(name, None)
        for _, column in statement.grows:
            self.lost_columns.pop(column, None)
        for old, new in statement.renames:
            if names := self._column(old):
                self.lost_columns[new] = names
        if thin:
            for name in statement.touched:
                self._thin[name] = self._thin.get(name, frozenset()) | thin

    def skip(self, number: int, error: BaseException) -> bool:
        """Say whether a statement failed because the bank lacks data, and take back its results."""
        statement = self._statements[number]
        names = self.reasons(error)
        if names is None and not isinstance(error, _OWN):
            names = self._inherited(statement) or None
        if names is None and (names := self._unfit(statement, error)):
            self._detail = self._detail or detail(error)
        self._read = len(self.bank.left_out)
        if names is None:
            return False
        for name in statement.sets:
            self.lose(name, names)
        for name in statement.changes:
            if not _is_tool(self.namespace.get(name), self.bank):
                self.lose(name, names)
        for name, column in statement.grows:
            self._lose_column(name, column, names)
        self._missing |= names
        self._close_figures(statement)
        return True

    def _unfit(self, statement: Statement, error: BaseException) -> Names | None:
        """Return why there is no result although what was asked for is there."""
        if isinstance(error, _BUGS):
            return None
        building = BUILDING in os.environ
        used = statement.uses | statement.touched
        if not building and used & self.answers:
            return None
        few = too_few(error, [self.namespace.get(name) for name in used])
        if few and (not building or any(isinstance(e, TooFewRowsError) for e in causes(error))):
            return frozenset({TOO_FEW})
        if not building:
            return None
        # what a lesson puts in the place of missing data may not do for all that follows: the
        # instructor's build keeps the rest of the lesson
        asked = sys.modules["course_utils.bank.warehouse"].ASKED_IN_VAIN
        vain = frozenset(name for name in asked if name.partition(".")[2] not in CONSTANTS)
        if few:
            return vain | {TOO_FEW}
        if vain or isinstance(error, NameError):
            return vain or None
        self._unknown.append(f"{type(error).__name__}: {error}"[:200])
        return frozenset({UNFIT})

    def lose(self, name: str, names: Iterable[str]) -> None:
        """Take away a variable that depends on data the bank lacks."""
        self.namespace.pop(name, None)
        self.lost[name] = frozenset(names)

    def _lose_column(self, name: str, column: str, names: Names) -> None:
        self.lost_columns[column] = names
        frame = self.namespace.get(name)
        if column not in getattr(frame, "columns", ()):
            return
        try:
            self.namespace[name] = frame.drop(columns=[column])
        except (AttributeError, KeyError, TypeError):
            self.lose(name, names)

    def _inherited(self, statement: Statement) -> Names:
        """Return what is missing in the frames that a statement uses."""
        used = statement.uses | statement.touched
        return frozenset().union(*(self._thin.get(name, ()) for name in used))

    def _close_figures(self, statement: Statement) -> None:
        """Close pictures that would be shown unfinished."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close("all")  # a finished picture has been shown and closed already

    # ---- why -------------------------------------------------------------------------------------

    def reasons(self, error: BaseException | None) -> Names | None:
        """Return what the bank lacks if that is why something failed, else None."""
        for one in causes(error):
            if isinstance(one, MissingDataError):
                return frozenset(one.names)
            found = [self._name(word) for word in _words(one)]
            found = [names for names in found if names]
            if found:
                return frozenset().union(*found)
        return None

    def _name(self, word: str) -> Names | None:
        if names := self.lost.get(word) or self._column(word):
            return names
        return frozenset({word}) if word in self.bank.tables_absent else None

    def _column(self, column: str) -> Names | None:
        """Return what a column that is not there belongs to."""
        if column in self.lost_columns:
            return self.lost_columns[column]
        return frozenset(
            f"{table}.{column}"
            for table in self.bank.tables_read
            if column in self.bank.lacking_columns(table)
        )

    # ---- after the cell --------------------------------------------------------------------------

    def after_cell(self, _: Any = None) -> None:
        """Say once what was missing in the cell that has just run."""
        names, shown, said = self._missing, self._shown, self._detail
        self._missing, self._shown, self._detail = frozenset(), 0, ""
        self._statements.clear()
        if names:
            text = sentence(names, partly=shown > 0, detail=said)
            show(text, names, partly=shown > 0, errors=self._unknown)
            self._unknown.clear()


def show(text: str, names: Iterable[str], *, partly: bool, errors: Iterable[str] = ()) -> None:
    """Show the sentence below a cell; the build finds in it what was missing.

    Errors that say nothing to the class stand beside it, for those who look after the course.
    """
    from IPython.display import display

    colour = "#57606a"
    content: dict[str, Any] = {"names": sorted(names), "partly": partly}
    if errors := list(errors):
        content["errors"] = errors
    display(
        {"text/plain": f"【本行缺数据】{text}", "text/html": boxed(text, colour)},
        metadata={METADATA: content},
        raw=True,
    )


def _words(error: BaseException) -> list[str]:
    """Return the words of an error that may be names of variables or columns."""
    words = [str(part) for part in error.args]
    found = [part for word in words for part in _QUOTED.findall(word)]
    if isinstance(error, KeyError):
        found += [word.rpartition(": ")[2] for word in words]
    named = getattr(error, "name", None)
    found += [named] if isinstance(named, str) else []
    return [part for words in found for part in re.split(r"[、,，]\s*", words)]


def _is_special(node: ast.Expr) -> bool:
    """Say whether an expression means something else inside a function."""
    kinds = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    return any(isinstance(part, kinds) for part in ast.walk(node))


def _is_tool(value: Any, bank: Any) -> bool:
    """Say whether a value is not changed by its methods: a module, the bank, a function."""
    return value is None or value is bank or isinstance(value, ModuleType) or callable(value)
