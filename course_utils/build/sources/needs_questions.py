"""What the questions of a lesson read of a bank, found in the text of their modules."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course_utils.build.sources.folding import fold
from course_utils.exercises.gates.statements import Statement, read_statement

_PACKAGE = Path(__file__).parents[2]
Has = Callable[[str], bool]
_PREFIX = "course_utils.exercises.questions."
#: Arguments of a question that may fail without stopping it.
_HARMLESS = ("hints", "misconceptions", "wanted", "accepts")


@dataclass(frozen=True)
class QuestionNeeds:
    """What one question reads.

    Attributes
    ----------
    variable : str
        What the trainee assigns.
    inputs : tuple of str
        The trainee's variables that it starts from.
    steps : tuple of ast.stmt
        The functions and values of the module that the question leads to.
    """

    variable: str
    inputs: tuple[str, ...]
    steps: tuple[ast.stmt, ...]

    def reads(self, has: Has) -> QuestionReads:
        """Return what the question reads on a bank.

        Parameters
        ----------
        has : callable
            Says whether the bank has ``"loan"`` or ``"loan.purpose"``.
        """
        tables: set[str] = set()
        texts: set[str] = set()
        calls: set[str] = set()
        variables = False
        for step in self.steps:
            folded = fold(step, has)
            if folded is None:
                continue
            body = read_statement(folded)
            tables |= body.loads
            texts |= body.texts
            calls |= body.calls
            variables |= any(
                isinstance(part, ast.Attribute) and part.attr == "variables"
                for part in ast.walk(folded)
            )
        for name in calls:
            more = analysis_reads(name, has)
            tables |= more.tables
            texts |= more.texts
        return QuestionReads(
            frozenset(tables), frozenset(texts), frozenset(texts if variables else ())
        )


@dataclass(frozen=True)
class QuestionReads:
    """Tables that are read, texts that may be columns, the trainee's variables looked at."""

    tables: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()


def read_questions(path: Path) -> dict[str, QuestionNeeds]:
    """Return the questions of a module by id.

    Parameters
    ----------
    path : pathlib.Path
        ``questions/mNN_nNN.py``.
    """
    functions, tree = _functions(path)
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Question":
            name, needs = _question(node, functions)
            found[name] = needs
    return found


def _question(node: ast.Call, functions: dict[str, ast.stmt]) -> tuple[str, QuestionNeeds]:
    values = dict(zip(("id", "variable"), (a for a in node.args), strict=False))
    values |= {k.arg: k.value for k in node.keywords if k.arg}
    parts = [*node.args[2:]]
    parts += [k.value for k in node.keywords if k.arg not in (*_HARMLESS, "inputs", "parameters")]
    reached = _reached({n for part in parts for n in _names(part)}, functions)
    inputs = values.get("inputs")
    keys = inputs.keys if isinstance(inputs, ast.Dict) else []
    return _text(values.get("id")), QuestionNeeds(
        variable=_text(values.get("variable")),
        inputs=tuple(_text(key) for key in keys),
        steps=tuple(functions[name] for name in sorted(reached)),
    )


def _text(node: ast.AST | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _reached(names: set[str], functions: dict[str, ast.stmt]) -> set[str]:
    """Return the module's functions and values that names lead to."""
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        waiting += _names(functions[name])
    return seen


def _functions(path: Path) -> tuple[dict[str, ast.stmt], ast.Module]:
    """Return what a module defines at its top, and what it takes from others of its kind."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PREFIX):
            other = path.with_name(node.module.removeprefix(_PREFIX) + ".py")
            found = {**_functions(other)[0], **found} if other.is_file() else found
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {name: node for target in targets for name in _names(target)}
    found.pop("QUESTIONS", None)
    return found, tree


def analysis_reads(function: str, has: Has) -> QuestionReads:
    """Return the columns that a function of the analysis rooms takes out of what it is given.

    Parameters
    ----------
    function : str
        Its name; other words give nothing.
    has : callable
        Says whether the bank has ``"loan"`` or ``"loan.purpose"``.
    """
    if function not in _analysis():
        return QuestionReads()
    texts, steps = _analysis()[function]
    folded = [fold(step, has) for step in steps]
    loads = [read_statement(step).loads for step in folded if step is not None]
    return QuestionReads(frozenset().union(*loads), texts)


@cache
def _analysis() -> dict[str, tuple[frozenset[str], tuple[ast.stmt, ...]]]:
    """Return function → columns it takes, functions with which it reads tables itself."""
    found: dict[str, tuple[frozenset[str], tuple[ast.stmt, ...]]] = {}
    for path in sorted((_PACKAGE / "analysis").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        for name in own:
            if name.startswith("_"):
                continue
            bodies = [own[reached] for reached in _reached({name}, own)]
            texts = frozenset().union(*(_subscripts(body) for body in bodies))
            reading = tuple(body for body in bodies if _surely_loads(body))
            before = found.get(name, (frozenset(), ()))
            found[name] = before[0] | texts, (*before[1], *reading)
    return found


def _surely_loads(node: ast.stmt) -> bool:
    """Say whether a function reads tables whatever the bank has, or asks for them by name."""
    asks = [
        part
        for part in ast.walk(node)
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr == "has"
    ]
    plain = all(part.args and isinstance(part.args[0], ast.Constant) for part in asks)
    return plain and bool(read_statement(node).loads)


def _subscripts(node: ast.stmt) -> frozenset[str]:
    """Return the texts with which a function takes columns out of frames it did not make."""
    statement: Statement = read_statement(node)
    made = {
        part.slice.value
        for part in ast.walk(node)
        if isinstance(part, ast.Subscript)
        and isinstance(part.ctx, ast.Store)
        and isinstance(part.slice, ast.Constant)
    }
    made |= {  # "x" in frame: it does without
        part.left.value
        for part in ast.walk(node)
        if isinstance(part, ast.Compare) and isinstance(part.left, ast.Constant)
    }
    made |= {k.arg for k in ast.walk(node) if isinstance(k, ast.keyword) and k.arg}
    read = {
        text.value
        for part in ast.walk(node)
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Load)
        for text in ast.walk(part.slice)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }
    return frozenset(read & statement.texts) - made
