"""Which cell set a variable last, and under which parameters: tells stale from wrong."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from course_utils.exercises.context import is_parameter
from course_utils.exercises.question import Question


@dataclass
class History:
    """Follows the cells of a notebook.

    Attributes
    ----------
    namespace : Mapping[str, Any]
        The notebook's variables.
    at_begin : dict[str, Any]
        Parameter values when the lesson began.
    """

    namespace: Mapping[str, Any]
    at_begin: dict[str, Any]
    _cell: int = 0
    _set_in: dict[str, int] = field(default_factory=dict)
    _parameters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def after_cell(self, result: Any) -> None:
        """Handle IPython's ``post_run_cell`` event."""
        info = getattr(result, "info", None)
        self.note(getattr(info, "raw_cell", "") or "")

    def note(self, source: str) -> None:
        """Remember the names a cell assigned and the parameters in force.

        Parameters
        ----------
        source : str
            Source of the cell that just ran.
        """
        self._cell += 1
        names = assigned(source)
        if not names:
            return
        parameters = {
            name: value for name, value in self.namespace.items() if is_parameter(name, value)
        }
        for name in names:
            self._set_in[name] = self._cell
            self._parameters[name] = parameters

    def parameters_at(self, variable: str) -> Mapping[str, Any]:
        """Parameter values when a variable was last assigned, as far as known."""
        return self._parameters.get(variable, self.at_begin)

    def out_of_order(self, question: Question) -> str | None:
        """Say so when an input was set again after the answer had been computed."""
        answered = self._set_in.get(question.variable)
        if answered is None:
            return None
        later = [name for name in question.inputs if self._set_in.get(name, 0) > answered]
        if not later:
            return None
        return (
            f"答案算出来之后，{'、'.join(later)} 又重新读取或改动过：请再运行一遍答题格，然后检查。"
        )


def assigned(source: str) -> set[str]:
    """Names that a cell assigns or defines at its top level; empty if it is no plain Python.

    An item assignment such as ``table["x"] = 1`` counts for ``table``.
    """
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in _outside_functions(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {name for target in targets for name in _target_names(target)}
        elif isinstance(node, ast.NamedExpr):
            found.add(node.target.id)
        elif isinstance(node, ast.For):
            found |= set(_target_names(node.target))
    return found


def _outside_functions(tree: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        found.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            found += _outside_functions(node)
    return found


def _target_names(target: ast.AST) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for item in target.elts for name in _target_names(item)]
    if isinstance(target, (ast.Subscript, ast.Attribute, ast.Starred)):
        return _target_names(target.value)
    return []
