"""Which row is the header: the one that holds the names which the mapping uses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from course_utils.errors import CourseError
from course_utils.intake.reading.model import (
    HEAD_ROWS,
    MOST_COLUMNS,
    ReadOptions,
    Record,
    Source,
)
from course_utils.intake.reading.names import carried, column_names, joined_names, normalise

#: Cells that are values, not names: numbers, dates, amounts, long codes.
_VALUE = re.compile(r"[-+¥$(]?[\d,.:/\-%()年月日时分秒]+(万|元|万元)?|[A-Za-z]?\d{5,}[\dXx]*")
_WORD = re.compile(r"\w")
#: Digits that a message may show in a row.
_DIGITS = re.compile(r"\d{5,}")
_NAME = re.compile("(?<![\u3400-\u9fff])[\u3400-\u9fff·]{2,4}(?![\u3400-\u9fff])")


@dataclass(frozen=True)
class Header:
    """Where the names stand and how wide a row is.

    Attributes
    ----------
    rows : tuple of int
        Physical rows of the header.
    columns : tuple of str
        Names of the columns.
    width : int
        Cells of a row; those beyond the columns must be empty.
    cells : tuple of tuple of str
        The header rows, normalised: a row in the body that is the same is a repeated header.
    titles : tuple of tuple of str
        The rows above, normalised, without empty ones.
    """

    rows: tuple[int, ...]
    columns: tuple[str, ...]
    width: int
    cells: tuple[tuple[str, ...], ...]
    titles: tuple[tuple[str, ...], ...]


def find_header(source: Source, options: ReadOptions) -> Header:
    """Find the header of a source.

    Raises
    ------
    CourseError
        There is no header: which columns were looked for, and what the first rows hold.
    """
    deepest = max(options.header, default=0)
    records = source.head(max(deepest, HEAD_ROWS) + HEAD_ROWS)
    places = _declared(source, records, options) if options.header else _found(records, options)
    if not places:
        raise _not_found(source, records, options)
    columns = _names(source, [records[i] for i in places], options)
    if len(columns) > MOST_COLUMNS:
        raise _too_wide(source, records[places[-1]].row, len(columns))
    body = [r.cells for r in records[places[-1] + 1 :]]
    columns, width = _width(source, columns, body)
    normal = [tuple(normalise(c) for c in r.cells) for r in records[: places[-1] + 1]]
    return Header(
        rows=tuple(records[i].row for i in places),
        columns=columns,
        width=width,
        cells=tuple(_bare(normal[i]) for i in places),
        titles=tuple(
            bare for i, row in enumerate(normal) if i not in places and (bare := _bare(row))
        ),
    )


def bare_row(cells: Sequence[str]) -> tuple[str, ...]:
    """Return a row as rows are compared: normalised, without the empty cells behind the last."""
    return _bare(tuple(normalise(cell) for cell in cells))


def place_of(source: Source) -> str:
    """Return how messages call a source: its file, and its sheet."""
    return f"{source.path.name}（工作表“{source.sheet}”）" if source.sheet else source.path.name


def header_score(records: Sequence[Record], wanted: frozenset[str]) -> int:
    """Return how many of the wanted names the best row holds."""
    return max((len(wanted & set(column_names(r.cells))) for r in records), default=0)


def wanted_names(options: ReadOptions) -> frozenset[str]:
    """Return the names that the mapping uses, as they are compared."""
    return frozenset(filter(None, map(normalise, options.wanted)))


def is_name(cell: str) -> bool:
    """Say whether a normalised cell can be the name of a column."""
    return len(cell) <= 40 and bool(_WORD.search(cell)) and not _VALUE.fullmatch(cell)


def _bare(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _names(source: Source, rows: Sequence[Record], options: ReadOptions) -> tuple[str, ...]:
    if len(rows) == 1:
        return column_names(rows[0].cells)
    return joined_names(source.group_row(rows[0]), rows[1].cells, wanted_names(options))


def _declared(source: Source, records: Sequence[Record], options: ReadOptions) -> list[int]:
    if len(options.header) > 2 or list(options.header) != sorted(set(options.header)):
        raise CourseError(
            f"{place_of(source)}：header 写一行或上下两行，如 [3] 或 [3, 4]，"
            f"现在是 {list(options.header)}。"
        )
    places = {record.row: place for place, record in enumerate(records)}
    for row in options.header:
        if row not in places:
            raise CourseError(
                f"{place_of(source)}：mapping.yml 里 header 写的第 {row} 行不存在或读不通，"
                "请核对行号（从 1 数）。"
            )
    found = [places[row] for row in options.header]
    if not any(normalise(c) for i in found for c in records[i].cells):
        raise CourseError(
            f"{place_of(source)}：mapping.yml 里 header 写的第 {options.header[0]} 行是空的，"
            "请核对行号（从 1 数）。"
        )
    return found


def _found(records: Sequence[Record], options: ReadOptions) -> list[int]:
    """Return the places of the header rows among the first rows; empty if there are none."""
    wanted = wanted_names(options)
    if not wanted:
        return _guessed(records)
    best, places = 0, []
    for i, record in enumerate(records[:HEAD_ROWS]):
        if (score := len(wanted & set(column_names(record.cells)))) > best:
            best, places = score, [i]
    # two rows only where they hold more, or a cell is merged over both: a title is no group
    for i, (upper, lower) in enumerate(pairwise(records[: HEAD_ROWS + 1])):
        names = set(joined_names(carried(upper.cells), lower.cells, wanted))
        score = len(wanted & names)
        merged = places == [i + 1] and score >= best and _share(upper.cells, lower.cells)
        if score > best or merged:
            best, places = score, [i, i + 1]
    return places if best >= max(1, (len(wanted) + 1) // 2) else []


def _guessed(records: Sequence[Record]) -> list[int]:
    """Return the places of the likeliest header: the first row of names that is wide enough."""
    rows = [[normalise(c) for c in r.cells] for r in records]
    filled = [sum(map(bool, row)) for row in rows]
    usual = Counter(n for n in filled if n).most_common(1)
    need = min(max(2, 0.6 * usual[0][0]), max(filled)) if usual else 1
    for i, row in enumerate(rows[:HEAD_ROWS]):
        if not filled[i] or not all(is_name(c) for c in row if c):
            continue
        if i + 1 < len(rows) and _completes(row, rows[i + 1]):
            return [i, i + 1]
        names = [c for c in row if c]
        if filled[i] >= need and len(set(names)) >= 0.8 * len(names):
            return [i]
    return []


def _completes(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Say whether two rows are group and name: the lower fills what the upper leaves open."""
    if sum(map(bool, upper)) < 2 or len(upper) != len(lower):
        return False
    if not any(lower) or not all(is_name(c) for c in lower if c):
        return False
    both = [bool(u or v) for u, v in zip(upper, lower, strict=True)]
    opened = sum(not u and bool(v) for u, v in zip(upper, lower, strict=True))
    closed = sum(bool(u) and not v for u, v in zip(upper, lower, strict=True))
    closed += _share(upper, lower)
    return opened > 0 and closed > 0 and all(both[: len(both) - both[::-1].index(True)])


def _share(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Say whether a name stands in both rows, as one cell merged over them does."""
    return any(u and normalise(u) == normalise(v) for u, v in zip(upper, lower, strict=False))


def _width(
    source: Source, columns: tuple[str, ...], body: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], int]:
    """Return the columns, and the cells of a row: a delimiter at the end of every row is no cell.

    It is taken for that only where most of the first rows have it, and nothing behind it. A sheet
    has no delimiters: all its columns stay.
    """
    usual = Counter(len(c) for c in body if any(map(normalise, c))).most_common(1)
    width = usual[0][0] if usual else len(columns)
    named = len(columns)
    while named > 1 and columns[named - 1] == f"列{named}":
        named -= 1
    if source.sheet or width < named:
        return columns, len(columns)
    rows = [c for c in body if len(c) == width]
    empty = sum(not any(map(normalise, c[named:])) for c in rows)
    if 2 * empty <= len(rows) and rows:
        return columns, len(columns)
    return columns[:named], width


def _too_wide(source: Source, row: int, width: int) -> CourseError:
    return CourseError(
        f"{place_of(source)}：第 {row} 行有 {width} 列，最多读 {MOST_COLUMNS} 列，请核对分隔符。"
    )


def _not_found(source: Source, records: Sequence[Record], options: ReadOptions) -> CourseError:
    widest = max(records, key=lambda record: len(record.cells), default=None)
    if widest is not None and len(widest.cells) > MOST_COLUMNS:
        return _too_wide(source, widest.row, len(widest.cells))
    names = "、".join(options.wanted[:12]) + ("…" if len(options.wanted) > 12 else "")
    looked = f"，要找的列是 {names}" if names else ""
    shown = "；".join(f"第 {r.row} 行：{_shown(r.cells)}" for r in records[:3] if any(r.cells))
    return CourseError(
        f"{place_of(source)}：前 {HEAD_ROWS} 行里找不到表头{looked}；文件开头是 {shown or '空行'}；"
        "请核对 mapping.yml 里的列名、分隔符和编码，或用 header 写明表头在第几行。"
    )


def _shown(cells: Sequence[str]) -> str:
    """Return a row for a message; what may be somebody's number is cut."""
    parts = [_DIGITS.sub(lambda m: m[0][:2] + "…", normalise(c)[:12]) for c in cells[:8]]
    if any(mark.isdigit() for cell in cells for mark in cell):  # no header: may name somebody
        parts = [_NAME.sub(lambda m: m[0][0] + "…", part) for part in parts]
    return " | ".join(parts)[:80]
