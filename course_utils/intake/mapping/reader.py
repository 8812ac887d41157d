"""Read ``data/banks/<bank>/mapping.yml`` strictly: every slip is one sentence with its line."""

from __future__ import annotations

import codecs
import difflib
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from course_utils.bank.profile import check_code
from course_utils.bank.strict_yaml import Node, fail, read_nodes
from course_utils.contract import load_contract
from course_utils.contract.model import Column, Contract, Table, nearest
from course_utils.errors import CourseError
from course_utils.intake.mapping.model import (
    GENERATORS,
    BankMapping,
    ColumnMapping,
    DatabaseSource,
    TableMapping,
    is_deliverable,
)
from course_utils.intake.mapping.places import pattern_fault
from course_utils.intake.mapping.units import MONEY, units_of
from course_utils.intake.mapping.values import value_fault
from course_utils.paths import data_dir

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "big5", "utf-16")
_TOP = ("contract", "folder", "tables")
_TABLE = (
    *("files", "database", "encoding", "delimiter", "sheet", "header", "drop", "unit"),
    "columns",
)
_COLUMN = ("from", "unit", "codes", "value", "generate")
_DATABASE = ("url_env", "query", "table")
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_DATABASE_TABLE = re.compile(r"\w+(\.\w+){0,2}")
_QUERY = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_LAST_HEADER = 200
_LONGEST = 500


def mapping_path(code: str) -> Path:
    """Return where the mapping of a bank stands; it need not exist."""
    return data_dir("banks") / check_code(code) / "mapping.yml"


def has_mapping(code: str) -> bool:
    """Say whether a bank is a real one, that is, has a mapping."""
    return mapping_path(code).is_file()


def load_mapping(code: str) -> BankMapping:
    """Read the mapping of one bank.

    Raises
    ------
    CourseError
        If there is none, or at the first thing in it that cannot be meant: an unknown table,
        column or key, a key written twice, a value of the wrong kind, a path that leaves the
        folder of the exports. The sentence names file and line.
    """
    path = mapping_path(code)
    if not path.is_file():
        raise CourseError(
            f"“{code}”没有数据映射（data/banks/{code}/mapping.yml）："
            f"请先运行 course bank new {code}，再按文件里的说明填写。"
        )
    return read_mapping(path, code)


def read_mapping(path: Path, code: str) -> BankMapping:
    """Read the mapping that stands in `path`; see :func:`load_mapping`."""
    return _Reader(path, load_contract()).bank(code, read_nodes(path))


class _Reader:
    """One file being read."""

    def __init__(self, path: Path, contract: Contract) -> None:
        self.path = path
        self.contract = contract

    def bank(self, code: str, root: Node) -> BankMapping:
        """Read the file as a whole."""
        parts = self.pairs(root, "整个文件", _TOP)
        self.version(parts.get("contract"))
        folder = parts.get("folder")
        where = None if folder is None or folder.empty else self.text(folder, "folder")
        if where is not None and (fault := pattern_fault(where, "folder")):
            fail(self.path, folder.line, f"{fault}；文件夹在别处时，请在命令里写 --from 文件夹")
        tables = {}
        for key, value in self.named(parts.get("tables"), "tables"):
            tables[key.text] = self.table(key, value)
        return BankMapping(code, where, tables)

    def version(self, node: Node | None) -> None:
        """Refuse a mapping that was written for another generation of the contract."""
        if node is None or node.empty:
            return
        ours = self.contract.version
        if node.text.split(".")[0] != ours.split(".")[0]:
            fail(
                self.path,
                node.line,
                f"映射按数据契约 {node.text} 版填写，现在是 {ours} 版，"
                "请对照新的数据字典核对后改写版本号",
            )

    def table(self, key: Node, node: Node) -> TableMapping:
        """Read one table."""
        if key.text not in self.contract.tables:
            names = {t.name: t.zh for t in self.contract.tables.values()}
            fail(
                self.path, key.line, f"数据契约里没有“{key.text}”这张表，{nearest(key.text, names)}"
            )
        table = self.contract.tables[key.text]
        if not is_deliverable(table):
            fail(
                self.path,
                key.line,
                f"“{table.zh}”是教学或检查用的虚构数据，不能由银行数据填写，请删去这张表",
            )
        if node.kind == "seq":
            return self.joined(table, key, node)
        return self.part(table, key, node)

    def joined(self, table: Table, key: Node, node: Node) -> TableMapping:
        """Read a table that comes from several exports of different shape."""
        if not node.items:
            fail(self.path, key.line, f"“{key.text}”下面还没有内容，请补上或删去")
        parts = tuple(self.part(table, replace(key, line=one.line), one) for one in node.items)
        columns: dict[str, ColumnMapping] = {}
        for part in reversed(parts):
            columns |= part.columns
        files = tuple(dict.fromkeys(name for part in parts for name in part.files))
        ordered = {name: columns[name] for name in table.columns if name in columns}
        return TableMapping(table.name, files, columns=ordered, sources_apart=parts)

    def part(self, table: Table, key: Node, node: Node) -> TableMapping:
        """Read one source of a table."""
        parts = self.pairs(node, key.text, _TABLE)
        files = self.files(parts.get("files"))
        database = self.database(parts.get("database"))
        if bool(files) == (database is not None):
            fail(self.path, key.line, f"“{key.text}”要写 files 或 database，二者取一")
        columns = {}
        for name, value in self.named(parts.get("columns"), "columns"):
            columns[name.text] = self.column(table, name, value)
        if not columns:
            fail(self.path, key.line, f"“{key.text}”还没有写任何一列，请在 columns 下面填写")
        return TableMapping(
            table=table.name,
            files=files,
            database=database,
            encoding=self.encoding(parts.get("encoding")),
            delimiter=self.delimiter(parts.get("delimiter")),
            sheet=self.optional_text(parts.get("sheet"), "sheet"),
            header=self.header(parts.get("header")),
            drop=self.drop(parts.get("drop")),
            unit=self.unit(parts.get("unit"), MONEY, "全表"),
            columns=columns,
        )

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
        parts = self.pairs(node, key.text, _COLUMN)
        ways = [way for way in ("from", "value", "generate") if way in parts]
        if len(ways) != 1:
            fail(self.path, key.line, f"“{key.text}”要写 from、value、generate 之一，只写一个")
        if parts[ways[0]].empty:
            fail(self.path, key.line, f"“{key.text}”的 {ways[0]} 后面是空的，请补上或删去这一列")
        for extra in ("unit", "codes"):
            if extra in parts and ways != ["from"]:
                fail(self.path, parts[extra].line, f"{extra} 只能与 from 一起写，请删去")
        return ColumnMapping(
            column=column.name,
            source=self.optional_text(parts.get("from"), "from"),
            unit=self.unit(parts.get("unit"), units_of(column), f"“{column.zh}”"),
            codes=self.codes(parts.get("codes"), column),
            value=self.constant(parts.get("value"), column, table),
            generate=self.generator(parts.get("generate"), column),
        )

    # ---- parts of a table ------------------------------------------------------------------------

    def files(self, node: Node | None) -> tuple[str, ...]:
        """Read patterns below the folder of the exports."""
        patterns = self.texts(node, "files")
        for pattern in patterns:
            if fault := pattern_fault(pattern, "files"):
                fail(self.path, node.line if node else 1, fault)
        return patterns

    def database(self, node: Node | None) -> DatabaseSource | None:
        """Read where in a database the table stands."""
        if node is None or node.empty:
            return None
        parts = self.pairs(node, "database", _DATABASE)
        variable = self.optional_text(parts.get("url_env"), "url_env")
        if variable is None or not _ENVIRONMENT.fullmatch(variable):
            fail(
                self.path,
                node.line,
                "url_env 应当是保存连接地址的环境变量名，如 BANK_DB_URL；地址和密码不得写进文件",
            )
        query = self.optional_text(parts.get("query"), "query", longest=20_000)
        name = self.optional_text(parts.get("table"), "table")
        if (query is None) == (name is None):
            fail(self.path, node.line, "database 要写 query 或 table，二者取一")
        if query is not None and (not _QUERY.match(query) or ";" in query.strip().rstrip(";")):
            fail(self.path, node.line, "query 只能是一条以 select 或 with 开头的查询，请改写")
        if name is not None and not _DATABASE_TABLE.fullmatch(name):
            fail(self.path, node.line, f"table 应当是“库.表”这样的名称，现在是“{name}”，请改写")
        return DatabaseSource(variable, query, name)

    def encoding(self, node: Node | None) -> str | None:
        """Read the encoding of text files."""
        written = self.optional_text(node, "encoding")
        if node is None or written is None:
            return None
        try:
            known = codecs.lookup(written.strip()).name
        except (LookupError, ValueError):
            known = ""
        for name in ENCODINGS:
            if known == codecs.lookup(name).name:
                return name
        return fail(
            self.path,
            node.line,
            f"不认识编码“{written}”，请写 {'、'.join(ENCODINGS)} 之一，或删去这一行由系统判断",
        )

    def delimiter(self, node: Node | None) -> str | None:
        """Read what separates fields."""
        written = self.optional_text(node, "delimiter", blank=True)
        if node is None or written is None:
            return None
        found = "\t" if written.lower() in ("tab", "\\t", "制表符") else written
        if not 1 <= len(found) <= 10 or any(mark in found for mark in "\"'\r\n\0"):
            fail(self.path, node.line, "delimiter 应当是 1 到 10 个字符的分隔符，不能是引号或换行")
        return found

    def header(self, node: Node | None) -> tuple[int, ...]:
        """Read the rows of the header."""
        if node is None or node.empty:
            return ()
        items = node.items if node.kind == "seq" else (node,)
        rows = [int(n.text) for n in items if n.kind == "int" and re.fullmatch(r"\d{1,6}", n.text)]
        good = len(rows) == len(items) and 1 <= len(rows) <= 5 and rows == sorted(set(rows))
        if not good or not 1 <= rows[0] <= rows[-1] <= _LAST_HEADER:
            fail(
                self.path,
                node.line,
                f"header 应当是表头的行号，如 3 或 [3, 4]，从 1 数起，不超过 {_LAST_HEADER}",
            )
        return tuple(rows)

    def drop(self, node: Node | None) -> tuple[str, ...]:
        """Read the regular expressions of rows that are no data."""
        patterns = self.texts(node, "drop")
        for pattern in patterns:
            try:
                with warnings.catch_warnings():  # a warning to programmers is none to people
                    warnings.simplefilter("ignore")
                    re.compile(pattern)
            except (re.error, OverflowError, RecursionError):
                fail(
                    self.path,
                    node.line if node else 1,
                    f"drop 里的“{pattern}”不是正确的正则表达式，请检查括号是否成对",
                )
        return patterns

    # ---- parts of a column -----------------------------------------------------------------------

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

    # ---- values of YAML --------------------------------------------------------------------------

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
