"""Open a source, whatever it is, and hand out its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.intake.reading.body import Body, check_patterns
from course_utils.intake.reading.books.archive import Part, check_workbook
from course_utils.intake.reading.files import Stamp, check_place, kind_of, stamp_of
from course_utils.intake.reading.header import find_header
from course_utils.intake.reading.model import Problem, ReadOptions, Source
from course_utils.intake.reading.names import normalise
from course_utils.intake.reading.reading import Reading

if TYPE_CHECKING:
    pass


def open_source(path: Path, options: ReadOptions) -> list[Reading]:
    """Open a file and find its tables; nothing but its head is read.

    Parameters
    ----------
    path : pathlib.Path
        A text file, workbook, HTML table or Parquet file; what it is, its bytes say.
    options : ReadOptions
        How to read it.

    Returns
    -------
    list of Reading
        One, but for a workbook of which all sheets are wanted.

    Raises
    ------
    CourseError
        The file cannot be opened, is no table, or has no header.
    """
    check_place(path)
    check_patterns(options.drop)
    stamp, kind = stamp_of(path), kind_of(path)
    if kind == "parquet":
        from course_utils.intake.reading.stores.parquet import parquet_reading

        return [parquet_reading(path, stamp)]
    if kind == "text":
        from course_utils.intake.reading.lines.delimiter import text_source

        return [_reading(text_source(path, options, stamp), options)]
    return _sheets(path, kind, options, stamp)


def read_database(
    url: str, query: str | None, table: str | None, options: ReadOptions, name: str = "数据库"
) -> Reading:
    """Read a table or query of a database; see :mod:`.stores.database`."""
    from course_utils.intake.reading.stores.database import database_reading

    del options  # nothing to find: a database knows its columns
    return database_reading(url, query, table, name)


def grids(path: Path, kind: str, stamp: Stamp, encoding: str | None = None) -> list[Source]:
    """Return the sheets of a workbook, or the tables of an HTML file, that hold cells."""
    return [grid for grid, _ in _grids(path, kind, stamp, encoding)]


def _grids(
    path: Path, kind: str, stamp: Stamp, encoding: str | None
) -> list[tuple[Source, Part | None]]:
    from course_utils.intake.reading.books.markup import markup_grids
    from course_utils.intake.reading.books.workbook import check_old, grid_of, sheets_of

    if kind in ("html", "xml"):
        return [(grid, None) for grid in markup_grids(path, kind, stamp, encoding)]
    parts = check_workbook(path) if kind == "zip" else {}
    if kind == "ole":
        check_old(path)
    found: list[tuple[Source, Part | None]] = []
    for name, sheet in sheets_of(path, stamp):
        if sheet.start is not None:
            found.append((grid_of(path, name, sheet), parts.get(name)))
    if not found:
        raise CourseError(
            f"{path.name}：工作簿里没有数据，请重新导出，确实没有时请从 mapping.yml 里去掉。"
        )
    return found


def _sheets(path: Path, kind: str, options: ReadOptions, stamp: Stamp) -> list[Reading]:
    found = _grids(path, kind, stamp, options.encoding)
    if options.sheet not in (None, "*"):
        found = [_named(path, found, str(options.sheet))]
        return [_with_errors(_reading(found[0][0], options), found[0][1])]
    readings: list[Reading] = []
    skipped: list[str] = []
    faults: list[CourseError] = []
    for grid, part in found:
        if readings and options.sheet is None:
            skipped.append(grid.sheet)
            continue
        try:
            readings.append(_with_errors(_reading(grid, options), part))
        except CourseError as fault:
            faults.append(fault)
            skipped.append(grid.sheet)
    if not readings:
        if len(faults) == 1:
            raise faults[0]
        sheets = "、".join(f"“{grid.sheet}”" for grid, _ in found[:8])
        wanted = "、".join(options.wanted[:12])
        raise CourseError(
            f"{path.name}：{len(found)} 个工作表（{sheets}）里都找不到表头"
            + (f"，要找的列是 {wanted}" if wanted else "")
            + "；请核对 mapping.yml 里的列名，或用 sheet、header 写明表头在哪里。"
        )
    readings[0].notes += [Problem(0, "sheet_skipped", name) for name in skipped]
    return readings


def _named(
    path: Path, found: list[tuple[Source, Part | None]], wanted: str
) -> tuple[Source, Part | None]:
    from course_utils.intake.reading.books.workbook import sheet_named

    names = [grid.sheet for grid, _ in found]
    name = sheet_named(names, wanted)
    if name is None:
        raise CourseError(
            f"{path.name}：没有（有数据的）工作表“{wanted[:40]}”，现有 {'、'.join(names[:12])}，"
            "请核对 mapping.yml 里的 sheet。"
        )
    return found[names.index(name)]


def _reading(source: Source, options: ReadOptions) -> Reading:
    header = find_header(source, options)
    source.expect(header.width)
    body = Body(source, header, options.drop)
    reading = Reading(
        source.path,
        source.sheet,
        header.columns,
        body.frames,
        header.rows,
        getattr(source, "encoding", ""),
        getattr(source, "delimiter", ""),
    )
    reading.totals = body.totals
    return reading


def _with_errors(reading: Reading, part: Part | None) -> Reading:
    if part is None:
        return reading
    for cell in part.errors:
        row = int(cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") or 0)
        reading.notes.append(Problem(row, "cell_error", cell))
    return reading


def missing_columns(reading: Reading, options: ReadOptions) -> list[str]:
    """Return the wanted columns that a reading does not have."""
    return [name for name in options.wanted if normalise(name) not in reading.columns]
