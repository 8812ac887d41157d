"""What is left of a statement on one bank: its own questions ``bank.has(…)`` answered."""

from __future__ import annotations

import ast
from collections.abc import Callable

from course_utils.contract import load_contract


def fold(node: ast.stmt, has: Callable[[str], bool]) -> ast.stmt | None:
    """Return a statement with the branches that a bank takes; None if nothing is left.

    Parameters
    ----------
    node : ast.stmt
        A statement of a lesson.
    has : callable
        Says whether the bank has ``"loan"`` or ``"loan.purpose"``.
    """
    copied = ast.parse(ast.unparse(node)).body[0]
    folded = _Folder(has).visit(copied)
    return None if isinstance(folded, ast.Pass) else folded


class _Folder(ast.NodeTransformer):
    def __init__(self, has: Callable[[str], bool]) -> None:
        self._has = has

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Drop what comes after ``if not bank.has("loan"): return``."""
        self.generic_visit(node)
        node.body = _reached(node.body)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Answer ``bank.has("loan")``."""
        self.generic_visit(node)
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr == "has"
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Constant)
        ):
            return ast.Constant(bool(self._has(str(node.args[0].value))))
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Answer ``"loan_id" in frame``, and ``not in``, where no table has such a column."""
        self.generic_visit(node)
        if not isinstance(node.left, ast.Constant) or not isinstance(node.left.value, str):
            return node
        operator = node.ops[0]
        if not isinstance(operator, ast.In | ast.NotIn) or not self._nowhere(node.left.value):
            return node
        return ast.Constant(isinstance(operator, ast.NotIn))

    def _nowhere(self, column: str) -> bool:
        """Say whether a column of the contract is in none of the bank's tables."""
        owners = [t.name for t in load_contract().tables.values() if column in t.columns]
        there = [name for name in owners if self._has(name)]
        return bool(there) and not any(self._has(f"{name}.{column}") for name in there)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """Answer ``not …``."""
        self.generic_visit(node)
        known = _known(node.operand)
        if isinstance(node.op, ast.Not) and known is not None:
            return ast.Constant(not known)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Answer ``… and …``, ``… or …`` as far as it is known."""
        self.generic_visit(node)
        decisive = isinstance(node.op, ast.Or)
        if any(_known(value) is decisive for value in node.values):
            return ast.Constant(decisive)
        rest = [value for value in node.values if _known(value) is None]
        if not rest:
            return ast.Constant(not decisive)
        return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Take the branch of ``a if … else b``."""
        self.generic_visit(node)
        known = _known(node.test)
        return node if known is None else node.body if known else node.orelse

    def visit_If(self, node: ast.If) -> ast.AST:
        """Take the branch of ``if …:``."""
        self.generic_visit(node)
        known = _known(node.test)
        if known is None:
            return node
        body = node.body if known else node.orelse
        if not body:
            return ast.Pass()
        return ast.If(ast.Constant(True), body, [])


def _reached(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements up to the first that surely leaves the function."""
    for at, child in enumerate(body):
        if isinstance(child, ast.If) and _known(child.test) and _leaves(child.body[-1]):
            return body[: at + 1]
    return body


def _leaves(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return | ast.Raise)


def _known(node: ast.AST) -> bool | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None
