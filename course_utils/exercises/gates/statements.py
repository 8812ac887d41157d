"""What one statement of a lesson sets, changes and uses: names, columns, texts."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Statement:
    """One statement at the top level of a cell.

    Attributes
    ----------
    sets : frozenset of str
        Names that get a new value, or may get one.
    grows : frozenset of (str, str)
        ``("loans", "bad")`` for ``loans["bad"] = …``.
    changes : frozenset of str
        Names whose value may be changed in place: ``counts[name] = …``, ``rows.append(…)``.
    uses : frozenset of str
        Names that are read.
    texts : frozenset of str
        Text constants and names of attributes and arguments: what may be names of columns.
    renames : frozenset of (str, str)
        ``("amount", "size")`` for ``….rename(columns={"amount": "size"})``.
    loads : frozenset of str
        Tables that are read: ``bank.load("loan")``.
    calls : frozenset of str
        Last names of the functions that are called.
    shows : bool
        The statement is an expression: it is there for what it shows.
    defines : bool
        The statement is a function or a class: what it uses is used when it is called.
    """

    sets: frozenset[str] = frozenset()
    grows: frozenset[tuple[str, str]] = frozenset()
    changes: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    renames: frozenset[tuple[str, str]] = frozenset()
    loads: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    shows: bool = False
    defines: bool = False

    @property
    def touched(self) -> frozenset[str]:
        """All names whose value may differ afterwards."""
        return self.sets | self.changes | {name for name, _ in self.grows}


@dataclass
class _Found:
    sets: set[str] = field(default_factory=set)
    grows: set[tuple[str, str]] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    renames: set[tuple[str, str]] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


def read_statement(node: ast.stmt) -> Statement:
    """Take one statement apart.

    Parameters
    ----------
    node : ast.stmt
        A statement at the top level of a cell.
    """
    found = _Found()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        own = _function_names(node)
        for child in node.body:
            _walk(child, found, own)
        defaults = [] if isinstance(node, ast.ClassDef) else node.args.defaults
        for child in [*node.decorator_list, *defaults]:
            _walk(child, found, set())
        return Statement(
            sets=frozenset({node.name}),
            uses=frozenset(found.uses - own),
            texts=frozenset(found.texts),
            loads=frozenset(found.loads),
            calls=frozenset(found.calls),
            defines=True,
        )
    _walk(node, found, set())
    return Statement(
        frozenset(found.sets),
        frozenset(found.grows),
        frozenset(found.changes - found.sets),
        frozenset(found.uses),
        frozenset(found.texts),
        frozenset(found.renames),
        frozenset(found.loads),
        frozenset(found.calls),
        isinstance(node, ast.Expr),
    )


def _function_names(node: ast.AST) -> set[str]:
    """Return the names that belong to a function alone."""
    names = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
    return names | {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _walk(node: ast.AST, found: _Found, own: set[str]) -> None:
    if isinstance(node, (*_SCOPES, *_COMPREHENSIONS)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.sets.add(node.name)
        own = own | _function_names(node)
    if isinstance(node, ast.Name):
        if node.id not in own:
            (found.uses if isinstance(node.ctx, ast.Load) else found.sets).add(node.id)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        found.texts.add(node.value)
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        found.sets |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        return
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        found.uses.add(node.target.id)
    if _is_target(node) and _target(node, found, own):
        texts = set(found.texts)
        for child in ast.iter_child_nodes(node):
            _walk(child, found, own)
        found.texts = texts  # the columns that are set are not used
        return
    if isinstance(node, ast.Attribute):
        found.texts.add(node.attr)
    if isinstance(node, ast.keyword) and node.arg:
        found.texts.add(node.arg)
    if isinstance(node, ast.Call) and _call(node, found, own):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        base = base_name(node.value.func)
        if base is not None and base not in own and isinstance(node.value.func, ast.Attribute):
            found.changes.add(base)
    for child in ast.iter_child_nodes(node):
        _walk(child, found, own)


def _call(node: ast.Call, found: _Found, own: set[str]) -> bool:
    """Note what ``.load`` and ``.rename`` say; whether there is nothing more to find in the call.

    Names of columns in a call of ``load`` are asked for, not used.
    """
    if not isinstance(node.func, ast.Attribute):
        found.calls |= {node.func.id} if isinstance(node.func, ast.Name) else set()
        return False
    method = node.func.attr
    found.calls.add(method)
    if method == "rename":
        for argument in node.keywords:
            if argument.arg == "columns" and isinstance(argument.value, ast.Dict):
                pairs = zip(argument.value.keys, argument.value.values, strict=True)
                found.renames |= {
                    (old.value, new.value)
                    for old, new in pairs
                    if isinstance(old, ast.Constant) and isinstance(new, ast.Constant)
                }
        return False
    if method != "load" or not node.args or base_name(node.func) not in ("bank", "context"):
        return False
    table = node.args[0]
    if not isinstance(table, ast.Constant):
        return False
    found.loads.add(str(table.value))
    for child in [node.func, *node.args[1:], *(k.value for k in node.keywords)]:
        within = _Found()
        _walk(child, within, own)
        found.uses |= within.uses
    return True


def _is_target(node: ast.AST) -> bool:
    """Say whether something is set within a value: ``x["c"] = …``, ``x.c = …``."""
    return isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load)


def _target(node: ast.Subscript | ast.Attribute, found: _Found, own: set[str]) -> bool:
    """Note what ``x["c"] = …`` or ``x.loc[…] = …`` changes; whether columns are known."""
    base = base_name(node)
    if base is None or base in own:
        return False
    direct = isinstance(node.value, ast.Name) or _is_loc(node.value)
    names = column_names(node) if direct else None
    if names:
        found.grows |= {(base, name) for name in names}
    else:
        found.changes.add(base)
    return bool(names)


def column_names(node: ast.AST) -> list[str] | None:
    """Return the texts in ``x["a"]``, ``x[["a", "b"]]`` or ``x.loc[…, "a"]``; None for others."""
    if not isinstance(node, ast.Subscript):
        return None
    key = node.slice
    if _is_loc(node.value):
        if not isinstance(key, ast.Tuple) or len(key.elts) != 2:
            return None
        key = key.elts[1]
    parts = key.elts if isinstance(key, ast.List) else [key]
    if all(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts):
        return [part.value for part in parts]
    return None


def _is_loc(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ("loc", "at")
        and isinstance(node.value, ast.Name)
    )


def base_name(node: ast.AST) -> str | None:
    """Return the name at the beginning of ``a.b[c].d``; None if there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None
