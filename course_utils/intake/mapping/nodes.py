"""Values of a mapping's YAML, each read strictly."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from course_utils.bank.strict_yaml import Node, fail

_LONGEST = 500


class NodeReader:
    """Reads texts, lists and pairs; what cannot be meant is one sentence with its line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def named(self, node: Node | None, what: str) -> tuple[tuple[Node, Node], ...]:
        """Return key and value of a mapping; nothing if it is left empty."""
        if node is None or node.empty:
            return ()
        if node.kind != "map":
            fail(self.path, node.line, f"{what} 下面应当是缩进的“键: 值”，请检查缩进和冒号")
        return node.pairs

    def pairs(self, node: Node, what: str, known: Iterable[str]) -> dict[str, Node]:
        """Return key → value of a mapping that knows only some keys."""
        names = list(known)
        for key, _ in self.named(node, what):
            if key.text not in names:
                near = difflib.get_close_matches(key.text, names, 1)
                guess = f"，是不是想写“{near[0]}”" if near else ""
                fail(
                    self.path,
                    key.line,
                    f"“{what}”里不认识“{key.text}”{guess}；可以写 {'、'.join(names)}",
                )
        return {key.text: value for key, value in node.pairs}

    def scalar(self, node: Node, what: str) -> str:
        """Return the text of a single value."""
        if node.kind in ("map", "seq") or node.empty:
            fail(self.path, node.line, f"{what} 后面应当是一个值，请检查缩进或补上")
        return node.text.strip()

    def text(self, node: Node, what: str, longest: int = _LONGEST, blank: bool = False) -> str:
        """Return a text; what YAML takes for a number or a date has to stand in quotes."""
        found = node.text if blank else self.scalar(node, what)
        if node.kind in ("map", "seq") or not found or len(found) > longest:
            fail(self.path, node.line, f"{what} 应当是一段文字（不超过 {longest} 字），请补上")
        if node.kind != "str":
            fail(self.path, node.line, f'{what} 的“{found}”要加引号（"{found}"），按文字读')
        return found

    def optional_text(
        self, node: Node | None, what: str, longest: int = _LONGEST, blank: bool = False
    ) -> str | None:
        """Return a text, or None where the key is missing or left empty."""
        if node is None or node.empty:
            return None
        return self.text(node, what, longest, blank)

    def texts(self, node: Node | None, what: str) -> tuple[str, ...]:
        """Return one text or a list of texts."""
        if node is None or node.empty:
            return ()
        items = node.items if node.kind == "seq" else (node,)
        return tuple(self.text(item, what) for item in items)
