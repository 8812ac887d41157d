"""Settings that people write, read as nodes with line numbers: nothing is guessed, run or expanded.

A value comes as the text that stands in the file, with what YAML takes it for: ``01`` without
quotes is a number to YAML and a code to a bank, so the reader has to see both.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from course_utils.errors import CourseError

#: A mapping of all tables with every code translated has a few thousand lines.
LARGEST = 2_000_000
DEEPEST = 12


@dataclass(frozen=True)
class Node:
    """One value of the file.

    Parameters
    ----------
    line : int
        Line it begins in, counted from 1.
    kind : str
        ``map``, ``seq``, ``str``, ``int``, ``float``, ``bool``, ``null`` or ``timestamp``.
    text : str
        What a scalar's text is, without quotes.
    quoted : bool
        A scalar in quotes.
    items : tuple of Node
        Of a sequence.
    pairs : tuple of (Node, Node)
        Of a mapping; every key is there once.
    """

    line: int
    kind: str
    text: str = ""
    quoted: bool = False
    items: tuple[Node, ...] = ()
    pairs: tuple[tuple[Node, Node], ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing stands there."""
        return self.kind == "null" and not self.quoted


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what a YAML reader says about a file into one Chinese sentence."""
    from ruamel.yaml.error import YAMLError

    where = f"{path.parent.name}/{path.name}"
    try:
        yield
    except UnicodeDecodeError:
        raise CourseError(f"{path.name} 不是 UTF-8 编码，请另存为 UTF-8 后再试。") from None
    except OSError as error:
        raise CourseError(
            f"读不了 {where}（{error.strerror}），请检查文件是否在、能否打开。"
        ) from None
    except ValueError as error:
        # an impossible date such as 2025-13-31 fails while the file is being read
        raise CourseError(
            f"{where} 里有读不懂的值（{error}），日期请写成 2025-12-31 这样，文字请加引号。"
        ) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"第 {mark.line + 1} 行第 {mark.column + 1} 列附近" if mark else "某处"
        raise CourseError(
            f"{where} 在{place}写法不对，请检查缩进、冒号后的空格、引号是否成对、键有没有重复。"
        ) from None


def check_plain(path: Path) -> str:
    """Return the text of a YAML file that holds plain settings.

    Raises
    ------
    CourseError
        If it is too long, nested too deeply, or uses tags, anchors, aliases or directives: a
        settings file needs none of them, and with a dozen aliases a hostile one fills the memory.
    """
    from ruamel.yaml import YAML

    with explained(path):
        if path.stat().st_size > LARGEST:
            raise CourseError(
                f"{path.parent.name}/{path.name} 超过 {LARGEST // 1_000_000} MB，"
                "不像是手写的设置，请核对文件。"
            )
        text = path.read_text(encoding="utf-8-sig")
        _refuse_machinery(YAML(typ="safe", pure=True).scan(text), path)
    return text


def read_nodes(path: Path) -> Node:
    """Read one YAML 1.2 document.

    Raises
    ------
    CourseError
        If the file is no YAML, has a key twice, or is not plain (:func:`check_plain`).
    """
    from ruamel.yaml import YAML

    text = check_plain(path)
    with explained(path):
        root = YAML(typ="safe", pure=True).compose(text)
        return Node(1, "null") if root is None else _node(root, path)


def _refuse_machinery(tokens: Any, path: Path) -> None:
    from ruamel.yaml import tokens as kinds

    opening = (
        kinds.BlockMappingStartToken,
        kinds.BlockSequenceStartToken,
        kinds.FlowMappingStartToken,
        kinds.FlowSequenceStartToken,
    )
    closing = (kinds.BlockEndToken, kinds.FlowMappingEndToken, kinds.FlowSequenceEndToken)
    named = {
        kinds.TagToken: "“!”开头的标签",
        kinds.AnchorToken: "“&”开头的锚点",
        kinds.AliasToken: "“*”开头的引用",
        kinds.DirectiveToken: "“%”开头的指令",
    }
    depth = 0
    for token in tokens:
        if (what := named.get(type(token))) is not None:
            fail(path, token.start_mark.line + 1, f"用了{what}，这里不允许；如果是文字，请加引号")
        depth += isinstance(token, opening) - isinstance(token, closing)
        if depth > DEEPEST:
            fail(path, token.start_mark.line + 1, "一层套一层太深，请对照模板减少层数")


def fail(path: Path, line: int, what: str) -> NoReturn:
    """Raise the sentence with file and line; `what` has no full stop."""
    raise CourseError(f"{path.parent.name}/{path.name} 第 {line} 行：{what}。")


def _node(raw: Any, path: Path) -> Node:
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    line = raw.start_mark.line + 1
    if isinstance(raw, ScalarNode):
        kind = str(raw.tag).rpartition(":")[2]
        return Node(line, kind, text=str(raw.value), quoted=bool(raw.style))
    if not isinstance(raw, MappingNode):
        return Node(line, "seq", items=tuple(_node(item, path) for item in raw.value))
    pairs: list[tuple[Node, Node]] = []
    seen: dict[str, int] = {}
    for key, value in raw.value:
        name = _node(key, path)
        if name.kind in ("map", "seq"):
            fail(path, name.line, "冒号左边应当是一个名称，请检查括号和缩进")
        if name.text in seen:
            fail(
                path,
                name.line,
                f"“{name.text}”在第 {seen[name.text]} 行已经写过，请只留一处",
            )
        seen[name.text] = name.line
        found = _node(value, path)
        # what is left empty seems to stand where the next thing begins
        pairs.append((name, replace(found, line=name.line) if found.empty else found))
    return Node(line, "map", pairs=tuple(pairs))
