"""The rows of a table, apart from titles, blank rows, repeated headers, totals and footers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.intake.reading.header import Header, bare_row
from course_utils.intake.reading.lines.text import restored
from course_utils.intake.reading.model import MOST_PROBLEMS, Block, Problem, Source
from course_utils.intake.reading.names import normalise

if TYPE_CHECKING:
    import polars as pl

#: A first filled cell (NFKC, without blanks) that makes a row a total: the word alone, behind the
#: name of what is summed, or before a colon or a count.
TOTALS = (r"^.{0,24}(合计|小计|总计|共计)([:(].*|\d+[笔户条行]?.*|[笔户金余]..?)?$",)
#: One that makes it a footer, where most of the row is empty.
FOOTERS = (
    r"^(制表|复核|审核|打印|填表|填报|经办|主管|负责|报表|截止|统计|数据来源|导出|备注|附注|说明|注)"
    r"(人|员|者|日期|时间|单位|部门|机构|人员)?\d?[:].*$",
    r"^第\d+页.*$",
    r"^[-—=*_]{3,}$",
    r"^(\(?\d+rowsselected\.?\)?|已选择\d+行。?|--结束--|<EOF>|EOF)$",
)
#: What such a cell must hold, blanks between the letters or not: a first sieve over all rows.
_SIEVE = (
    r"^[\s'’\x{200b}\x{feff}]*$|[合小总共]\s*计|[表核印报办管责止源出注明审]|^\s*第|^\s*[-—=*_]{3}"
    r"|(?i:rows\s*selected|EOF)|已\s*选\s*择|结\s*束"
)


class Body:
    """Reads a source below its header.

    Parameters
    ----------
    source : Source
        Where the records come from.
    header : Header
        Its names and width.
    drop : tuple of str
        More regular expressions of totals and footers.
    """

    def __init__(self, source: Source, header: Header, drop: tuple[str, ...]) -> None:
        self.source, self.header, self.drop = source, header, drop
        self.totals: list[dict[str, str]] = []
        check_patterns(drop)

    def frames(self, counts: dict[str, int], problems: list[Problem]) -> Iterator[pl.DataFrame]:
        """Yield the rows; count what is read and note what is not."""
        self.totals.clear()
        for block in self.source.blocks():
            counts["lines"] += len(block.rows) + block.continued + len(block.problems)
            counts["continued"] += block.continued
            counts["ragged"] += len(block.problems)
            found = list(block.problems)
            verdicts = self._verdicts(block)
            for place, (verdict, extra) in verdicts.items():
                counts[verdict if verdict in counts else "ragged"] += 1
                if verdict not in counts:
                    found.append(Problem(int(block.rows[place]), verdict, extra))
                if verdict == "total" and len(self.totals) < MOST_PROBLEMS:
                    cells = [restored(c, block) for c in block.fields[place].to_list()]
                    self.totals.append(dict(zip(self.header.columns, cells, strict=False)))
            _note(problems, sorted(found))
            frame = self._frame(block, verdicts)
            counts["rows"] += len(frame)
            if len(frame):
                yield frame

    def _verdicts(self, block: Block) -> dict[int, tuple[str, str]]:
        """Return what the records are that are no rows: place in the block → reason and value."""
        header = self.header
        verdicts: dict[int, tuple[str, str]] = {}
        suspects = self._suspects(block)
        fields = block.fields.gather(suspects).to_list()
        rows = block.rows.gather(suspects).to_list()
        firsts: list[str] = []
        sparse: list[bool] = []
        open_places: list[int] = []
        for place, row, cells in zip(suspects, rows, fields, strict=True):
            bare = bare_row(cells)
            if row <= header.rows[-1]:
                verdict = "header" if row in header.rows else "title" if bare else "blank"
                verdicts[place] = (verdict, "")
            elif not bare:
                verdicts[place] = ("blank", "")
            elif bare in header.cells:
                verdicts[place] = ("repeated_header", "")
            elif bare in header.titles:
                verdicts[place] = ("title", "")
            else:
                firsts.append(next(filter(None, bare)))
                sparse.append(2 * sum(map(bool, bare)) <= header.width + 2)
                open_places.append(place)
                if len(cells) != header.width:
                    short = len(cells) < header.width
                    verdicts[place] = (
                        "ragged_short" if short else "ragged_long",
                        _size(cells, header),
                    )
                elif any(map(normalise, cells[len(header.columns) :])):
                    verdicts[place] = ("ragged_long", _size(cells, header))
        for place, total in zip(open_places, self._totals(firsts, sparse), strict=True):
            if total:
                verdicts[place] = ("total", "")
        return verdicts

    def _suspects(self, block: Block) -> list[int]:
        """Return the places of records that may be something else than rows."""
        import polars as pl

        header = self.header
        first = block.fields.list.first().fill_null("")
        names = {first_name for first_name in (c[0] for c in header.cells + header.titles if c)}
        suspect = (
            (block.fields.list.len() != header.width)
            | (block.rows <= header.rows[-1])
            | first.str.contains(_SIEVE)
        )
        if len(header.columns) < header.width:
            beyond = block.fields.list.slice(len(header.columns)).list.join("")
            suspect = suspect | (beyond != "")
        firsts = first.str.normalize("NFKC") if self._exotic(first) else first
        firsts = firsts.str.replace_all(r"[\s'’]", "") if names else firsts
        suspect = suspect | firsts.is_in(pl.Series(sorted(names), dtype=pl.String).implode())
        if self.drop:
            normal = first.str.normalize("NFKC").str.replace_all(r"\s", "")
            for pattern in self.drop:
                suspect = suspect | normal.str.contains(pattern)
        return suspect.arg_true().to_list()

    @staticmethod
    def _exotic(first: pl.Series) -> bool:
        return bool((first.str.len_bytes() != first.str.len_chars()).any())

    def _totals(self, firsts: list[str], sparse: list[bool]) -> list[bool]:
        """Say which first filled cells make their row a total or a footer."""
        import polars as pl

        cells = pl.Series(firsts, dtype=pl.String)
        found = pl.Series([False] * len(firsts), dtype=pl.Boolean)
        for pattern in (*TOTALS, *self.drop):
            found = found | cells.str.contains(pattern)
        few = pl.Series(sparse, dtype=pl.Boolean)
        for pattern in FOOTERS:
            found = found | (few & cells.str.contains(pattern))
        return found.to_list()

    def _frame(self, block: Block, verdicts: dict[int, tuple[str, str]]) -> pl.DataFrame:
        import polars as pl

        rows, fields = block.rows, block.fields
        if verdicts:
            keep = pl.Series([True]).new_from_index(0, len(rows))
            keep = keep.scatter(list(verdicts), False)
            rows, fields = rows.filter(keep), fields.filter(keep)
        width = self.header.width
        flat = fields.explode() if len(fields) else pl.Series([], dtype=pl.String)
        columns = {
            name: flat.gather_every(width, offset) if len(flat) else flat
            for offset, name in enumerate(self.header.columns)
        }
        frame = pl.DataFrame({"_row": rows.cast(pl.Int64), **columns})
        for instead, real in block.restore.items():
            frame = frame.with_columns(
                column.str.replace_all(instead, real, literal=True)
                for column in frame.iter_columns()
                if column.name != "_row" and column.str.contains(instead, literal=True).any()
            )
        return frame


def check_patterns(patterns: tuple[str, ...]) -> None:
    """Refuse a regular expression that is none."""
    import polars as pl

    for pattern in patterns:
        try:
            pl.Series([""]).str.contains(pattern)
        except pl.exceptions.ComputeError:
            raise CourseError(
                f"mapping.yml 里 drop 的正则表达式“{pattern[:60]}”写法不对（不支持前后断言），"
                "请改正。"
            ) from None


def _note(problems: list[Problem], found: list[Problem]) -> None:
    problems += found[: max(MOST_PROBLEMS - len(problems), 0)]


def _size(cells: list[str], header: Header) -> str:
    """Say how many cells a row has; its content is nobody's business here."""
    return f"{len(cells)} 个字段，应有 {header.width} 个"
