"""Small wrong versions of a solution: each changes one place, as a hurried person would."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

ROUGH = "_course_rough"
_METHODS = {
    "sum": "mean",
    "mean": "sum",
    "median": "mean",
    "head": "tail",
    "tail": "head",
    "max": "min",
    "min": "max",
    "count": "sum",
    "size": "sum",
    "nunique": "count",
    "nlargest": "nsmallest",
    "nsmallest": "nlargest",
    "idxmax": "idxmin",
    "idxmin": "idxmax",
    "first": "last",
    "last": "first",
    "cumsum": "cummax",
    "any": "all",
    "all": "any",
    "isna": "notna",
    "notna": "isna",
    "floor": "ceil",
    "ceil": "floor",
    "var": "std",
}
_WORDS = {
    "left": "inner",
    "inner": "left",
    "outer": "inner",
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "count": "sum",
    "nunique": "count",
    "first": "last",
    "last": "first",
    "size": "sum",
}
_REMOVABLE = {
    "drop_duplicates",
    "dropna",
    "fillna",
    "abs",
    "clip",
    "round",
    "sort_values",
    "sort_index",
    "head",
    "cumsum",
    "shift",
    "diff",
    "unique",
    "strip",
    "normalize",
}
_NEGATED = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Pow: ast.Mult,
}
_SIGNS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.Pow: "**",
}
_MASK_CALLS = {"isin", "isna", "notna", "between", "contains", "startswith", "duplicated", "eq"}
_TEXTS = (ast.JoinedStr, ast.Lambda)
_DATE = re.compile(r"^(\d{4})(-\d{2}-\d{2})$")


@dataclass(frozen=True)
class Mutant:
    """A solution with one place changed.

    Attributes
    ----------
    name : str
        “L2 .sum→.mean”: line of the solution and what changed; `SURVIVORS` refers to it.
    source : str
        The changed solution.
    """

    name: str
    source: str


def mutants(
    solution: str, variable: str, siblings: Mapping[str, str] | None = None
) -> Iterator[Mutant]:
    """Yield all mutants of a solution, each with one change.

    Parameters
    ----------
    solution : str
        Source between the solution markers.
    variable : str
        The question's variable; a rounded version of it is one of the mutants.
    siblings : Mapping[str, str], optional
        Column name → another column of the same table and type; from `sibling_columns`.
    """
    seen, names = {ast.unparse(ast.parse(solution))}, {}
    place = 0
    while True:
        mutator = _Mutator(place, siblings or {})
        tree = mutator.visit(ast.parse(solution))
        if mutator.name is None:
            break
        place += 1
        source = ast.unparse(ast.fix_missing_locations(tree))
        if source in seen:
            continue
        seen.add(source)
        names[mutator.name] = names.get(mutator.name, 0) + 1
        count = names[mutator.name]
        yield Mutant(mutator.name + (f" #{count}" if count > 1 else ""), source)
    if f"def {variable}(" not in solution and not isinstance(_last_value(solution), _TEXTS):
        rounded = f"{solution}\n{variable} = {ROUGH}({variable})"
        yield Mutant("提前四舍五入", rounded)


def _last_value(solution: str) -> ast.AST | None:
    last = ast.parse(solution).body[-1]
    return getattr(last, "value", None)


def sibling_columns(namespace: Mapping[str, object], solution: str) -> dict[str, str]:
    """Pair each column name that a solution mentions with a neighbour of the same type.

    Parameters
    ----------
    namespace : Mapping[str, object]
        Variables before the answer cell; its frames are looked at.
    solution : str
        Source of the solution.
    """
    used = {
        node.value
        for node in ast.walk(ast.parse(solution))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    frames = [
        value
        for name, value in sorted(namespace.items())
        if isinstance(value, pd.DataFrame) and not name.startswith("_")
    ]
    frames.sort(key=lambda frame: -len(used & set(map(str, frame.columns))))
    found: dict[str, str] = {}
    for name in sorted(used):
        frame = next((f for f in frames if name in f.columns and f.columns.is_unique), None)
        if frame is None:
            continue
        columns = list(frame.columns)
        start = columns.index(name)
        around = columns[start + 1 :] + columns[:start]
        alike = [c for c in around if frame[c].dtype == frame[name].dtype]
        fresh = [c for c in alike if c not in used] or alike
        if fresh:
            found[name] = str(fresh[0])
    return found


class _Mutator(ast.NodeTransformer):
    """Changes the place numbered `target`, counting possible changes in source order."""

    def __init__(self, target: int, siblings: Mapping[str, str]) -> None:
        self.target, self.place, self.name = target, -1, None
        self.siblings = siblings
        self._quiet: set[int] = set()
        self._values: set[int] = set()

    def _here(self, node: ast.AST, what: str) -> bool:
        self.place += 1
        if self.place != self.target:
            return False
        self.name = f"L{getattr(node, 'lineno', 0)} {what}"
        return True

    def visit_Import(self, node: ast.Import) -> ast.AST:
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        other = _METHODS.get(node.attr)
        if other and self._here(node, f".{node.attr}→.{other}"):
            node.attr = other
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if called in {"isin", "eq", "ne"}:
            self._values |= {id(item) for arg in node.args for item in ast.walk(arg)}
        self.generic_visit(node)
        if called in _REMOVABLE and self._here(node, f"去掉 .{called}()"):
            return node.func.value
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool):
            return ast.Constant(not value) if self._here(node, f"{value}→{not value}") else node
        if isinstance(value, (int, float)):
            other = value + 1
            return ast.Constant(other) if self._here(node, f"{value}→{other}") else node
        if isinstance(value, str):
            return self._text(node, value)
        return node

    def _text(self, node: ast.Constant, value: str) -> ast.AST:
        other = self.siblings.get(value)
        if other is None and id(node) in self._values:
            other = value + "x"
        if other is None:
            other = _WORDS.get(value)
        if other is None and (date := _DATE.match(value)):
            other = f"{int(date.group(1)) - 1}{date.group(2)}"
        if other is None and len(value) > 12 and (digit := re.search(r"\d", value)):
            other = value[: digit.start()] + str(9 - int(digit.group())) + value[digit.end() :]
        if other is not None and self._here(node, f"“{value[:16]}”→“{other[:16]}”"):
            return ast.Constant(other)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        for side in (node.left, *node.comparators):
            if isinstance(side, ast.Constant):
                self._values.add(id(side))
        self.generic_visit(node)
        kind = type(node.ops[0])
        for table in (_NEGATED, _BOUNDARY):
            other = table.get(kind)
            if other and self._here(node, f"{_SIGNS[kind]} → {_SIGNS[other]}"):
                node.ops[0] = other()
                break
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        other = _OPERATORS.get(type(node.op))
        if other and self._here(node, f"{_SIGNS[type(node.op)]} → {_SIGNS[other]}"):
            node.op = other()
        elif isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            if self._here(node, "漏掉前一个条件"):
                return node.right
            if self._here(node, "漏掉后一个条件"):
                return node.left
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self._here(node, "and ↔ or"):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        signs = {ast.Invert: "~", ast.USub: "-", ast.Not: "not"}
        if type(node.op) in signs and self._here(node, f"去掉 {signs[type(node.op)]}"):
            return node.operand
        return node

    def visit_List(self, node: ast.List) -> ast.AST:
        self.generic_visit(node)
        if len(node.elts) > 1 and self._here(node, "列表少最后一项"):
            node.elts = node.elts[:-1]
        elif len(node.elts) > 1 and self._here(node, "列表少第一项"):
            node.elts = node.elts[1:]
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        if self._here(node, "if 条件取反"):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        if self._here(node, "if 条件取反"):
            node.body, node.orelse = node.orelse, node.body
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        is_loc = isinstance(node.value, ast.Attribute) and node.value.attr == "loc"
        chosen = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
        if isinstance(chosen, ast.Name) and not is_loc and self._here(node, "去掉筛选"):
            return node.value
        if not _is_mask(chosen):
            return node
        if self._here(node, "筛选条件取反"):
            return self._with_mask(node, ast.UnaryOp(ast.Invert(), chosen))
        if self._here(node, "去掉筛选"):
            return self._with_mask(node, ast.Slice()) if is_loc else node.value
        return node

    @staticmethod
    def _with_mask(node: ast.Subscript, mask: ast.expr) -> ast.Subscript:
        if isinstance(node.slice, ast.Tuple):
            node.slice.elts[0] = mask
        else:
            node.slice = mask
        return node


def _is_mask(node: ast.expr) -> bool:
    if isinstance(node, ast.Compare):
        return True
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, (ast.BitAnd, ast.BitOr))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Invert)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _MASK_CALLS
    return False


def rough(value: object) -> object:
    """Round numbers to two significant digits: what an early rounding does to an answer."""
    if isinstance(value, pd.DataFrame):
        return value.apply(lambda column: rough(column) if column.dtype.kind == "f" else column)
    if isinstance(value, pd.Series):
        return value.map(_two_digits) if value.dtype.kind in "fi" else value
    if isinstance(value, (list, tuple)):
        return type(value)(rough(item) for item in value)
    if isinstance(value, dict):
        return {name: rough(item) for name, item in value.items()}
    return _two_digits(value) if hasattr(value, "__float__") else value


def _two_digits(value: object) -> object:
    if isinstance(value, (bool, str)) or value is pd.NA:
        return value
    number = float(value)  # type: ignore[arg-type]
    return number if number != number else float(f"{number:.2g}")
