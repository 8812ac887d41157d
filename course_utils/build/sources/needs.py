"""What a lesson needs of a bank's data, found in its text: nothing is run.

The statements of a lesson are followed as `course_utils.exercises.gates` follows them when it
runs: one that reads a table or names a column which the bank lacks is left out, and so is what
uses its results. The estimate is checked against real runs on banks that lack one table or column
after the other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from course_utils.bank.labels import CONSTANTS, LABELS
from course_utils.build.sources.folding import fold
from course_utils.build.sources.masters import Master, split_answer
from course_utils.build.sources.needs_questions import QuestionNeeds, analysis_reads, read_questions
from course_utils.contract import load_contract
from course_utils.exercises.gates.statements import Statement, read_statement

#: A lesson of which less than this share can be shown is not worth a class.
LEAST_SHARE = 0.2
#: The same where no exercise is left: what still shows may be the course's own assumptions.
LEAST_SHARE_WITHOUT_EXERCISES = 0.5
FULL, PART, NONE = "full", "part", "none"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Has = Callable[[str], bool]
Names = frozenset[str]


@dataclass(frozen=True)
class CellVerdict:
    """What becomes of one code cell.

    Attributes
    ----------
    number : int
        Position among the code cells of the instructor's edition, the first being 0.
    state : {"ok", "part", "skip"}
        Runs, runs in part, is left out.
    names : frozenset of str
        What it lacks, by contract name.
    shows : bool
        Whether something of its results is seen.
    demonstrates : bool
        Whether the cell belongs to the lesson proper: no parameters, exercise or dictionary.
    """

    number: int
    state: str
    names: Names
    shows: bool
    demonstrates: bool


@dataclass(frozen=True)
class Verdict:
    """How much of a lesson a bank's data allow."""

    lesson: str
    cells: tuple[CellVerdict, ...]
    questions: Mapping[str, Names]

    @property
    def missing(self) -> dict[str, int]:
        """What is missing → how many cells and exercises it stops, the worst first."""
        stopped = [*(c.names for c in self.cells if c.state != "ok"), *self.questions.values()]
        counts: dict[str, int] = {}
        for names in stopped:
            for name in names:
                counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def extent(self) -> str:
        """``"full"``, ``"part"`` or ``"none"``."""
        proper = [cell for cell in self.cells if cell.demonstrates]
        shown = sum(cell.shows for cell in proper)
        skipped = sum(cell.state == "skip" for cell in proper)
        stopped = any(cell.state != "ok" for cell in self.cells)
        exercises = [not names for names in self.questions.values()]
        return extent(shown, skipped, stopped or not all(exercises), exercises)


def extent(shown: int, skipped: int, stopped: bool, exercises: Collection[bool] = ()) -> str:
    """Say how much of a lesson there is.

    Parameters
    ----------
    shown, skipped : int
        Cells of the lesson proper that show results, and that are left out.
    stopped : bool
        Whether anything at all is left out.
    exercises : collection of bool
        Whether each exercise can be answered.
    """
    if not stopped:
        return FULL
    without = bool(exercises) and not any(exercises)
    least = LEAST_SHARE_WITHOUT_EXERCISES if without else LEAST_SHARE
    return PART if shown and shown >= least * (shown + skipped) else NONE


@dataclass(frozen=True)
class LessonNeeds:
    """A lesson's statements and questions, ready to be followed for any bank."""

    lesson: str
    cells: tuple[tuple[int, tuple[str, ...], str], ...]
    questions: Mapping[str, QuestionNeeds]

    @cached_property
    def tables(self) -> Names:
        """All tables that are read anywhere, or asked after."""
        loads = set()
        for _, _, source in self.cells:
            for node in ast.walk(ast.parse(source)):
                loads |= _asked(node)
        for question in self.questions.values():
            loads |= question.reads(lambda _: True).tables
        return frozenset(loads & set(load_contract().tables))

    def verdict(self, has: Has) -> Verdict:
        """Follow the lesson on a bank.

        Parameters
        ----------
        has : callable
            Says whether the bank has ``"loan"`` or ``"loan.purpose"``.
        """
        walk = _Walk(has)
        cells = tuple(walk.cell(*cell) for cell in self.cells)
        questions = {
            name: names
            for name, question in self.questions.items()
            if (names := walk.question(question))
        }
        return Verdict(self.lesson, cells, questions)


def read_needs(master: Master, questions: Path | None) -> LessonNeeds:
    """Take a lesson apart.

    Parameters
    ----------
    master : Master
        The lesson.
    questions : pathlib.Path, optional
        Its question module.
    """
    cells = []
    for cell in master.cells:
        if cell.kind == "code" and cell.variant is None:
            answer = cell.question("answer") is not None
            source = split_answer(cell.source).solved_source if answer else cell.source
            cells.append((len(cells), tuple(cell.tags), source))
    found = read_questions(questions) if questions is not None and questions.is_file() else {}
    return LessonNeeds(master.lesson, tuple(cells), found)


def _asked(node: ast.AST) -> set[str]:
    """Return the tables named in ``bank.load("loan", …)`` or ``bank.has("loan.purpose")``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        if isinstance(node, ast.Dict):  # TABLES = {"loan": [...], ...}
            keys = [k.value for k in node.keys if isinstance(k, ast.Constant)]
            return {key for key in keys if isinstance(key, str)}
        return set()
    if node.func.attr not in ("load", "has", "missing"):
        return set()
    texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
    return {text.partition(".")[0] for text in texts if isinstance(text, str)}


@dataclass
class _Walk:
    """The state of a notebook while its statements are followed."""

    has: Has
    lost: dict[str, Names] = field(default_factory=dict)
    gaps: dict[str, dict[str, Names]] = field(default_factory=dict)  # variable → columns it lacks
    sources: dict[str, Names] = field(default_factory=dict)  # variable → tables it came from
    made: dict[str, Names] = field(default_factory=dict)  # variable → columns it was given
    bodies: dict[str, Statement] = field(default_factory=dict)
    texts: dict[str, Names] = field(default_factory=dict)  # lists of names of columns

    def cell(self, number: int, tags: Sequence[str], source: str) -> CellVerdict:
        """Follow one cell."""
        names: Names = frozenset()
        shown = done = 0
        for node in ast.parse(source).body:
            folded = fold(node, self.has)
            statement = read_statement(node)
            active = read_statement(folded) if folded is not None else Statement()
            stopped = self._stopped(active)
            if stopped:
                names |= stopped
                self._skip(statement, stopped)
            else:
                self._done(active, node)
                done += 1
                shown += statement.shows or _displays(folded)
        state = "ok" if not names else "part" if shown else "skip"
        plain = (
            all(tag.startswith("board:") for tag in tags)
            and "cu.begin(" not in source
            and "cu.dictionary(" not in source
        )
        return CellVerdict(number, state, names, shown > 0, plain)

    def question(self, question: QuestionNeeds) -> Names:
        """Return what a question lacks."""
        for name in (question.variable, *question.inputs):
            if name in self.lost:
                return self.lost[name]
        reads = question.reads(self.has)
        missing = frozenset(t for t in reads.tables if not self._table(t))
        missing |= self._columns(reads.texts, reads.tables, frozenset())
        for name in reads.variables & set(self.lost):
            missing |= self.lost[name]
        return missing

    def _table(self, table: str) -> bool:
        """Say whether a table can be read, or replaced by one of labels."""
        if self.has(table) or table not in load_contract().tables:
            return True
        return table in LABELS and self._has_ids(LABELS[table][0])

    def _has_ids(self, key: str) -> bool:
        tables = load_contract().tables.values()
        return any(key in t.columns and self.has(f"{t.name}.{key}") for t in tables)

    def _has_column(self, table: str, column: str) -> bool:
        if column in CONSTANTS:
            return True
        if not self.has(table) and table in LABELS:
            return column in LABELS[table]
        return self.has(f"{table}.{column}")

    def _stopped(self, statement: Statement) -> Names:
        """Return why a statement cannot run; empty if it can."""
        if statement.defines:
            return frozenset()
        uses, loads, texts = self._reach(statement)
        missing = frozenset(table for table in loads if not self._table(table))
        for name in uses & set(self.lost):
            missing |= self.lost[name]
        if missing:
            return missing
        tables = loads.union(*(self.sources.get(name, frozenset()) for name in uses))
        missing |= frozenset(t for t in texts & tables if not self._table(t))
        made = frozenset().union(*(self.made.get(name, frozenset()) for name in uses))
        for name in uses:
            for column, names in self.gaps.get(name, {}).items():
                if column in texts and column not in made:
                    missing |= names
        return missing | self._columns(texts, tables, made)

    def _columns(self, texts: Names, tables: Iterable[str], made: Names) -> Names:
        """Return the columns named that none of the tables has although one should."""
        known = load_contract().tables
        tables = [known[name] for name in tables if name in known]
        missing: set[str] = set()
        for column in texts - made:
            should = [t.name for t in tables if column in t.columns]
            if should and not any(self._has_column(name, column) for name in should):
                # of a table that is not there at all no column is named
                missing |= {f"{n}.{column}" if self._table(n) else n for n in should}
        return frozenset(missing)

    def _reach(self, statement: Statement) -> tuple[Names, Names, Names]:
        """Return names, tables and texts of a statement and of the functions it uses."""
        uses, loads = set(statement.uses | statement.changes), set(statement.loads)
        texts = set(statement.texts)
        waiting = [self.bodies[name] for name in uses if name in self.bodies]
        seen: set[str] = set()
        while waiting:
            body = waiting.pop()
            more = {n for n in body.uses if n in self.bodies} - seen
            seen |= more
            waiting += [self.bodies[name] for name in more]
            uses |= body.uses
            loads |= body.loads
            texts |= body.texts
        for name in uses:
            texts |= self.texts.get(name, frozenset())
        for function in statement.calls:
            more = analysis_reads(function, self.has)
            loads |= more.tables
            texts |= more.texts
        words = {part for text in texts if " " in text for part in _WORD.findall(text)}
        return frozenset(uses), frozenset(loads), frozenset(texts | words)

    def _skip(self, statement: Statement, names: Names) -> None:
        for name in statement.sets | statement.changes - {"cu", "bank", "pd", "np"}:
            self.lost[name] = names
        for name, column in statement.grows:
            self.gaps.setdefault(name, {})[column] = names
            self.made[name] = self.made.get(name, frozenset()) - {column}

    def _done(self, statement: Statement, node: ast.stmt) -> None:
        if statement.defines:
            for name in statement.sets:
                self.bodies[name] = statement
                self.lost.pop(name, None)
            return
        uses, loads, _ = self._reach(statement)
        tables = loads.union(*(self.sources.get(name, frozenset()) for name in uses))
        if "load" in statement.calls and not loads:  # {name: bank.load(name) for name in TABLES}
            named = frozenset().union(*(self.texts.get(name, frozenset()) for name in uses))
            tables |= named & set(load_contract().tables)
        made = frozenset(_made_columns(node))
        made = made.union(*(self.made.get(name, frozenset()) for name in uses))
        gaps: dict[str, Names] = {}
        for name in uses:
            gaps |= self.gaps.get(name, {})
        for old, new in statement.renames:
            if gone := self._columns(frozenset({old}), tables, frozenset()):
                gaps[new] = gone
                made -= {new}
        gaps = {column: names for column, names in gaps.items() if column not in made}
        for name in statement.sets:
            self.lost.pop(name, None)
            self.sources[name], self.made[name], self.gaps[name] = tables, made, dict(gaps)
            if tables or not _is_plain(node):
                self.texts.pop(name, None)
            else:
                self.texts[name] = statement.texts
        for name, column in statement.grows:
            self.gaps.setdefault(name, {}).pop(column, None)
            self.sources[name] = self.sources.get(name, frozenset()) | tables
            self.made[name] = self.made.get(name, frozenset()) | made | {column}


def _made_columns(node: ast.stmt) -> set[str]:
    """Return the columns that a statement adds to its result: ``agg(n=…)``, ``assign(a=…)``."""
    found: set[str] = set()
    for part in ast.walk(node):
        if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Attribute):
            continue
        found |= {keyword.arg for keyword in part.keywords if keyword.arg}
        method, texts = part.func.attr, set()
        for child in [*part.args, *(keyword.value for keyword in part.keywords)]:
            texts |= {
                c.value
                for c in ast.walk(child)
                if isinstance(c, ast.Constant) and isinstance(c.value, str)
            }
        if method in ("reindex", "rename", "set_axis", "reset_index", "DataFrame", "melt"):
            found |= texts
    return found


def _is_plain(node: ast.stmt) -> bool:
    """Say whether a statement assigns constants: a list of columns, words for them."""
    if not isinstance(node, ast.Assign):
        return False
    return not any(isinstance(part, ast.Call) for part in ast.walk(node.value))


def _displays(node: ast.stmt | None) -> bool:
    """Say whether a branch that runs shows something."""
    if not isinstance(node, ast.If | ast.For | ast.With):
        return False
    shows = ("say", "show", "finish", "brief")
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in shows
        and "本行没有" not in ast.unparse(call)
        for call in calls
    )
