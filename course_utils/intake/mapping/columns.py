"""One column of a mapping: where its values come from and what is done to them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping

from course_utils.bank.strict_yaml import Node, fail
from course_utils.contract.model import Column, Table, nearest
from course_utils.intake.mapping.model import GENERATORS, ORDERS, ColumnMapping
from course_utils.intake.mapping.nodes import NodeReader
from course_utils.intake.mapping.units import units_of
from course_utils.intake.mapping.values import NUMBERS, value_fault

#: Where values may come from.
_WAYS = ("from", "value", "generate", "file")
#: What may stand beside them → with which.
_EXTRAS = {
    "unit": ("from",),
    "codes": ("from", "file"),
    "which": ("from",),
    "signs": ("from",),
    "absolute": ("from",),
    "order": ("from", "file"),
}
_DATES = ("date", "month", "timestamp")
_LONGEST_PATTERN = 200


class ColumnReader(NodeReader):
    """Reads the columns of a table."""

    def column(self, table: Table, key: Node, node: Node) -> ColumnMapping:
        """Read one column: a name, or a mapping of ``from``, ``unit``, ``codes`` …"""
        if key.text not in table.columns:
            names = {c.name: c.zh for c in table.columns.values()}
            fail(
                self.path,
                key.line,
                f"“{table.zh}”（{table.name}）没有“{key.text}”这一列，{nearest(key.text, names)}",
            )
        column = table.columns[key.text]
        if column.protect == "refuse":
            fail(self.path, key.line, f"“{column.zh}”不得进入课堂，请从映射里删去这一列")
        if node.kind != "map":
            return ColumnMapping(column.name, source=self.text(node, key.text))
        parts = self.pairs(node, key.text, (*_WAYS, *_EXTRAS))
        ways = [way for way in _WAYS if way in parts]
        if len(ways) != 1:
            fail(self.path, key.line, f"“{key.text}”要写 {'、'.join(_WAYS)} 之一，只写一个")
        if parts[ways[0]].empty:
            fail(self.path, key.line, f"“{key.text}”的 {ways[0]} 后面是空的，请补上或删去这一列")
        for extra, allowed in _EXTRAS.items():
            if extra in parts and ways[0] not in allowed:
                fail(self.path, parts[extra].line, f"{extra} 只能与 from 一起写，请删去")
        said = [name for name in ("codes", "which", "signs") if name in parts]
        if len(said) > 1:
            fail(self.path, parts[said[1]].line, f"{'、'.join(said)} 只能写一个，请删去其余的")
        sources = self.texts(parts.get("from"), "from")
        return ColumnMapping(
            column=column.name,
            source=sources[0] if sources else None,
            unit=self.unit(parts.get("unit"), units_of(column), f"“{column.zh}”"),
            codes=self.codes(parts.get("codes"), column),
            value=self.constant(parts.get("value"), column, table),
            generate=self.generator(parts.get("generate"), column),
            file=self.file_name(parts.get("file")),
            others=sources[1:],
            which=self.which(parts.get("which"), column, len(sources)),
            signs=self.signs(parts.get("signs"), column),
            absolute=self.absolute(parts.get("absolute"), column),
            order=self.order(parts.get("order"), column),
        )

    def unit(self, node: Node | None, known: Mapping[str, str], whose: str) -> str | None:
        """Read a unit."""
        written = self.optional_text(node, "unit")
        if node is None or written is None:
            return None
        for name in known:
            if written.upper() == name.upper():
                return name
        if not known:
            fail(self.path, node.line, f"{whose}不换算单位，请删去 unit")
        return fail(
            self.path,
            node.line,
            f"{whose}的单位不能是“{written}”，请写 {'、'.join(known)} 之一",
        )

    def codes(self, node: Node | None, column: Column) -> dict[str, str]:
        """Read the bank's code → the contract's code."""
        found = {}
        for key, value in self.named(node, "codes"):
            if key.kind != "str":
                fail(
                    self.path,
                    key.line,
                    f'代码“{key.text}”要加引号（"{key.text}"），否则前面的 0 会丢',
                )
            target = "" if value.empty else self.scalar(value, "codes")
            if value.kind not in ("str", "null", "bool") and column.type in ("id", "text", "code"):
                fail(self.path, value.line, f'代码“{value.text}”要加引号（"{value.text}"）')
            if not target and not column.nullable:
                fail(self.path, value.line, f"“{column.zh}”不能为空，请给“{key.text}”写上对应的值")
            if target and (fault := value_fault(column, target)):
                fail(self.path, value.line, fault)
            found[key.text] = target
        return found

    def constant(self, node: Node | None, column: Column, table: Table) -> str | None:
        """Read a constant, and hold it against the column."""
        if node is None:
            return None
        text = self.scalar(node, "value")
        if table.grain == (column.name,):
            fail(self.path, node.line, f"“{column.zh}”是主键，各行必须不同，不能写同一个值")
        if node.kind not in ("str", "bool") and column.type in ("id", "text", "code"):
            fail(self.path, node.line, f'“{column.zh}”是文字，值要加引号（"{text}"）')
        if fault := value_fault(column, text):
            fail(self.path, node.line, fault)
        return text

    def generator(self, node: Node | None, column: Column) -> str | None:
        """Read how a key of last resort is made."""
        if node is None:
            return None
        name = self.text(node, "generate")
        if name not in GENERATORS:
            fail(self.path, node.line, f"generate 只能写 {'、'.join(GENERATORS)}（行号）")
        if column.type not in ("id", "integer") or column.references is not None:
            fail(self.path, node.line, f"“{column.zh}”不能用行号代替，只有本表自己的编号可以")
        return name

    def file_name(self, node: Node | None) -> str | None:
        """Read the pattern that finds a value in the name of the file."""
        if node is None:
            return None
        pattern = self.text(node, "file", longest=_LONGEST_PATTERN)
        try:
            with warnings.catch_warnings():  # a warning to programmers is none to people
                warnings.simplefilter("ignore")
                groups = re.compile(pattern).groups
        except (re.error, OverflowError, RecursionError):
            groups = -1
        if groups not in (0, 1):
            fail(
                self.path,
                node.line,
                f"file 的“{pattern}”应当是最多带一个括号的正则表达式，如 '(\\d{{6}})'，请改写",
            )
        return pattern

    def which(self, node: Node | None, column: Column, sources: int) -> tuple[str, ...]:
        """Read the value for each of the source columns."""
        if node is None or node.empty:
            return ()
        values = self.texts(node, "which")
        if len(values) != sources or sources < 2:
            fail(self.path, node.line, "which 要与 from 的列一样多（至少两列），一列对一个值")
        for value in values:
            if fault := value_fault(column, value):
                fail(self.path, node.line, fault)
        return values

    def signs(self, node: Node | None, column: Column) -> dict[str, str]:
        """Read what plus and minus stand for."""
        found = {}
        for key, value in self.named(node, "signs"):
            if key.text not in ("+", "-"):
                fail(self.path, key.line, 'signs 的左边只能是 "+" 和 "-"，要加引号')
            found[key.text] = self.text(value, "signs")
            if fault := value_fault(column, found[key.text]):
                fail(self.path, value.line, fault)
        if node is not None and len(found) != 2:
            fail(self.path, node.line, 'signs 要写明 "+" 和 "-" 各是什么')
        return found

    def absolute(self, node: Node | None, column: Column) -> bool:
        """Read whether the sign of a number is left out."""
        if node is None:
            return False
        if column.type not in NUMBERS:
            fail(self.path, node.line, f"“{column.zh}”不是数字，不能写 absolute，请删去")
        if node.kind != "bool":
            fail(self.path, node.line, "absolute 只能写 true 或 false")
        return node.text.lower() == "true"

    def order(self, node: Node | None, column: Column) -> str | None:
        """Read in which order a date is written."""
        if node is None:
            return None
        written = self.text(node, "order")
        if column.type not in _DATES or written not in ORDERS:
            fail(
                self.path,
                node.line,
                "order 只用于日期，写 ymd（年月日）、dmy（日月年）、mdy（月日年）之一",
            )
        return written
