"""Read ``data/banks/<bank>/mapping.yml`` strictly: every slip is one sentence with its line."""

from __future__ import annotations

import codecs
import re
import warnings
from dataclasses import replace
from pathlib import Path

from course_utils.bank.profile import check_code
from course_utils.bank.strict_yaml import Node, fail, read_nodes
from course_utils.contract import load_contract
from course_utils.contract.model import Contract, Table, nearest
from course_utils.errors import CourseError
from course_utils.intake.mapping.columns import ColumnReader
from course_utils.intake.mapping.model import (
    BankMapping,
    ColumnMapping,
    DatabaseSource,
    TableMapping,
    is_deliverable,
)
from course_utils.intake.mapping.places import pattern_fault
from course_utils.intake.mapping.units import MONEY
from course_utils.paths import data_dir

ENCODINGS = (
    *("utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "big5", "utf-16"),
    *("cp1250", "cp1252", "iso8859-1", "iso8859-2"),
)
_TOP = ("contract", "folder", "tables")
_TABLE = (
    *("files", "database", "encoding", "delimiter", "sheet", "header", "drop", "only", "skip"),
    *("unit", "decimal", "columns"),
)
_DATABASE = ("url_env", "query", "table")
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_DATABASE_TABLE = re.compile(r"\w+(\.\w+){0,2}")
_QUERY = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_LAST_HEADER = 200


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


class _Reader(ColumnReader):
    """One file being read."""

    def __init__(self, path: Path, contract: Contract) -> None:
        super().__init__(path)
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
            decimal=self.decimal(parts.get("decimal")),
            only=self.choice(parts.get("only"), "only"),
            skip=self.choice(parts.get("skip"), "skip"),
            columns=columns,
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

    def decimal(self, node: Node | None) -> str | None:
        """Read what stands before the decimals."""
        written = self.optional_text(node, "decimal")
        if node is not None and written not in (None, ".", ","):
            fail(self.path, node.line, 'decimal 只能写 "," 或 "."，即小数点的写法')
        return written

    def choice(self, node: Node | None, what: str) -> dict[str, tuple[str, ...]]:
        """Read column of the file → values of the rows that are wanted, or not."""
        found = {}
        for key, value in self.named(node, what):
            items = value.items if value.kind == "seq" else (value,)
            texts = ["" if one.empty else self.text(one, what, blank=True) for one in items]
            if not texts:
                fail(self.path, key.line, f"{what} 的“{key.text}”后面是空的，请写上值或删去")
            found[key.text] = tuple(texts)
        return found
