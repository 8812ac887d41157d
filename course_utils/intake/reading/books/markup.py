"""Tables in HTML that calls itself .xls, and workbooks in XML: what old systems send as Excel."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.parsers import expat

from course_utils.errors import CourseError
from course_utils.intake.reading.books.workbook import Grid
from course_utils.intake.reading.files import Stamp, opened
from course_utils.intake.reading.lines.encoding import decoded, find_encoding
from course_utils.intake.reading.model import MOST_COLUMNS

#: Bytes of such a file; it is read whole.
MOST_BYTES = 128 << 20
#: Tables of such a file; an export has a handful.
MOST_TABLES = 1_000
#: Cells of such a file, those that spans add included.
MOST_CELLS = 5_000_000
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_ENCODING = re.compile(rb"""<\?xml[^>]{0,80}encoding\s*=\s*["']([\w-]+)""", re.IGNORECASE)
_Merges = list[tuple[tuple[int, int], tuple[int, int]]]


class _Table:
    """A table that is being read, cell by cell."""

    def __init__(self, name: str, full: Callable[[], CourseError]) -> None:
        self.name, self._full = name, full
        self.rows: list[list[str]] = []
        self.merged: _Merges = []
        #: (row, column) that a cell above or to the left reaches
        self._taken: set[tuple[int, int]] = set()
        self._cells = 0

    def start_row(self, number: int | None = None) -> None:
        """Begin a row, the next one if no number (from 1) is given."""
        while number is not None and len(self.rows) < number - 1:
            self._count(1)
            self.rows.append([])
        self._count(1)
        self.rows.append([])

    def add(self, text: str, down: int, right: int, column: int | None = None) -> None:
        """Put a cell where the row goes on, or in a column (from 1)."""
        if not self.rows:
            self.start_row()
        row, cells = len(self.rows) - 1, self.rows[-1]
        while column is not None and len(cells) < column - 1:
            self._count(1)
            cells.append("")
        while (row, len(cells)) in self._taken:
            cells.append("")
        down, right = min(max(down, 1), 65_536), min(max(right, 1), MOST_COLUMNS)
        left = len(cells)
        self._count(down * right)
        cells += [text] + [""] * (right - 1)
        if len(cells) > MOST_COLUMNS:
            raise self._full()
        if down == right == 1:
            return
        self.merged.append(((row, left), (row + down - 1, left + right - 1)))
        for r in range(row + 1, row + down):
            self._taken.update((r, c) for c in range(left, left + right))

    def grid(self, path: Path) -> Grid:
        """Return the table as records, its rows all of one width."""
        width = max(map(len, self.rows), default=0)
        self._count(width * len(self.rows) - sum(map(len, self.rows)))

        def rows() -> Iterator[list[str]]:
            for row in self.rows:
                yield row + [""] * (width - len(row))

        return Grid(path, self.name, rows, self.merged)

    def _count(self, cells: int) -> None:
        self._cells += cells
        if self._cells > MOST_CELLS:
            raise self._full()


class _Html(HTMLParser):
    def __init__(self, full: Callable[[], CourseError]) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[_Table] = []
        self._open: list[_Table] = []
        self._full = full
        self._cell: tuple[list[str], int, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._end_cell()
            if len(self.tables) >= MOST_TABLES:
                raise self._full()
            table = _Table(f"表{len(self.tables) + 1}", self._full)
            self.tables.append(table)
            self._open.append(table)
        elif tag == "tr" and self._open:
            self._end_cell()
            self._open[-1].start_row()
        elif tag in ("td", "th") and self._open:
            self._end_cell()
            given = dict(attrs)
            self._cell = ([], _number(given.get("rowspan")), _number(given.get("colspan")))
        elif tag == "br" and self._cell:
            self._cell[0].append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if tag == "table" and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._cell:
            self._cell[0].append(data)

    def _end_cell(self) -> None:
        if self._cell and self._open:
            texts, down, right = self._cell
            self._open[-1].add("".join(texts).strip("\r\n "), down, right)
        self._cell = None


def markup_grids(path: Path, kind: str, stamp: Stamp, encoding: str | None) -> list[Grid]:
    """Return the tables of an HTML file, or the sheets of an XML workbook, that hold cells."""
    with opened(path, stamp) as stream:
        data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise _full(path)
        stream.seek(0)
        if kind == "html":
            declared = encoding or _declared(data)
            codec = find_encoding(path, stream, declared)
            text = "".join(decoded(path, stream, codec, 1 << 20))
    tables = _xml_tables(path, data) if kind == "xml" else _html_tables(path, text)
    tables = [t for t in tables if any(any(row) for row in t.rows)]
    if not tables:
        raise CourseError(f"{path.name}：网页或 XML 里没有表格，请从系统重新导出为 CSV 或 xlsx。")
    return [table.grid(path) for table in tables]


def _html_tables(path: Path, text: str) -> list[_Table]:
    parser = _Html(lambda: _full(path))
    try:
        parser.feed(text.replace("\x00", ""))
        parser.close()
    except (AssertionError, ValueError, RecursionError) as fault:
        raise CourseError(
            f"{path.name}：网页内容残缺，读不出表格（{type(fault).__name__}），"
            "请重新导出为 CSV 或 xlsx。"
        ) from None
    parser._end_cell()
    return parser.tables


def _xml_tables(path: Path, data: bytes) -> list[_Table]:
    """Read SpreadsheetML of Excel 2003; entities are refused before they grow."""
    tables: list[_Table] = []
    state: dict[str, object] = {"text": None, "cell": (1, 1, None)}

    def refuse(*_: object) -> None:
        raise CourseError(f"{path.name}：XML 里有实体定义，可能是恶意文件，不读取。")

    def start(tag: str, attrs: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        given = {key.rpartition(":")[2]: value for key, value in attrs.items()}
        if name == "Worksheet":
            tables.append(_Table(given.get("Name", f"表{len(tables) + 1}"), lambda: _full(path)))
        elif name == "Row" and tables:
            tables[-1].start_row(_number(given["Index"]) if "Index" in given else None)
        elif name == "Cell" and tables:
            across, down = _number(given.get("MergeAcross"), 0), _number(given.get("MergeDown"), 0)
            place = _number(given["Index"]) if "Index" in given else None
            state["cell"], state["text"] = (down + 1, across + 1, place), []

    def data_of(text: str) -> None:
        if isinstance(state["text"], list):
            state["text"].append(text)

    def end(tag: str) -> None:
        if tag.rpartition(":")[2] == "Cell" and isinstance(state["text"], list) and tables:
            down, across, place = state["cell"]  # type: ignore[misc]
            tables[-1].add("".join(state["text"]).strip("\r\n "), down, across, place)
            state["text"] = None

    codec = _ENCODING.search(data[:200])
    known = codec and codec[1].decode().lower() not in ("utf-8", "utf-16", "us-ascii")
    try:
        if known:
            data = data.decode("gb18030").encode("utf-8")
        parser = expat.ParserCreate("utf-8" if known else None)
        parser.buffer_text = True
        parser.EntityDeclHandler = refuse
        parser.StartDoctypeDeclHandler = refuse
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = data_of
        parser.Parse(data, True)
    except (expat.ExpatError, UnicodeDecodeError, ValueError) as fault:
        raise CourseError(
            f"{path.name}：XML 工作簿残缺，读不出来（{type(fault).__name__}），请另存为 xlsx。"
        ) from None
    return tables


def _declared(data: bytes) -> str | None:
    """Return the encoding that a page names, if Python and this course know it."""
    if data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    found = _CHARSET.search(data[:4_096])
    name = found[1].decode("ascii", "ignore").lower() if found else ""
    return "gb18030" if name in ("gbk", "gb2312", "gb18030") else None


def _number(text: str | None, otherwise: int = 1) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else otherwise


def _full(path: Path) -> CourseError:
    return CourseError(
        f"{path.name}：网页或 XML 格式的表太大，请从系统导出为 CSV，或在 Excel 里另存为 xlsx。"
    )
