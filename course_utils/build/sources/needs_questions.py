"""What the questions of a lesson read of a bank, found in the text of their modules."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course_utils.exercises.gates.statements import Statement, read_statement

_PACKAGE = Path(__file__).parents[2]
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
    tables : frozenset of str
        Tables that are read.
    texts : frozenset of str
        Text constants: what may be names of columns.
    variables : frozenset of str
        The trainee's variables that its check looks at.
    """

    variable: str
    inputs: tuple[str, ...]
    tables: frozenset[str]
    texts: frozenset[str]
    variables: frozenset[str]


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
    tables, texts, uses_variables = set(), set(), False
    for name in reached:
        node_of = functions[name]
        body = read_statement(node_of)
        tables |= body.loads
        texts |= body.texts
        uses_variables |= any(
            isinstance(part, ast.Attribute) and part.attr == "variables"
            for part in ast.walk(node_of)
        )
    for word in list(texts):
        texts |= analysis_texts(word)
    inputs = values.get("inputs")
    keys = inputs.keys if isinstance(inputs, ast.Dict) else []
    return _text(values.get("id")), QuestionNeeds(
        variable=_text(values.get("variable")),
        inputs=tuple(_text(key) for key in keys),
        tables=frozenset(tables),
        texts=frozenset(texts),
        variables=frozenset(texts) if uses_variables else frozenset(),
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


def analysis_texts(function: str) -> frozenset[str]:
    """Return the columns that a function of the analysis rooms takes out of what it is given.

    Parameters
    ----------
    function : str
        Its name; other words give nothing.
    """
    return _analysis().get(function, frozenset())


@cache
def _analysis() -> dict[str, frozenset[str]]:
    texts: dict[str, frozenset[str]] = {}
    for path in sorted((_PACKAGE / "analysis").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        for name in own:
            if name.startswith("_"):
                continue
            bodies = [own[reached] for reached in _reached({name}, own)]
            found = frozenset().union(*(_subscripts(body) for body in bodies))
            texts[name] = texts.get(name, frozenset()) | found
    return texts


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
    made |= {k.arg for k in ast.walk(node) if isinstance(k, ast.keyword) and k.arg}
    read = {
        text.value
        for part in ast.walk(node)
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Load)
        for text in ast.walk(part.slice)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    }
    return frozenset(read & statement.texts) - made
