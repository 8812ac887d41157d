"""Look into exports that nobody has described: what they hold, and what they could feed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from course_utils.contract.model import Contract
from course_utils.errors import CourseError
from course_utils.intake.mapping.proposal.evidence import LOOKED, look
from course_utils.intake.mapping.proposal.match import Seen, TableProposal, also_feeds, propose
from course_utils.intake.mapping.proposal.names import NameBook
from course_utils.intake.mapping.units import MONEY

_ASIDE = ("~$", ".")
#: Tables that are named beside the likeliest.
_OTHERS = 2


@dataclass(frozen=True)
class Sheet:
    """A sheet or text file as it was found.

    Parameters
    ----------
    path : pathlib.Path
    sheet : str
        Empty for anything but a workbook.
    encoding, delimiter : str
    header : tuple of int
        Rows of the header.
    rows : int
        Rows looked at.
    columns : tuple of Seen
    above : str
        What stands above the header.
    sheets : int
        Sheets of the file that hold a table.
    """

    path: Path
    sheet: str
    encoding: str
    delimiter: str
    header: tuple[int, ...]
    rows: int
    columns: tuple[Seen, ...]
    above: str = ""
    sheets: int = 1

    @property
    def shape(self) -> tuple[str, ...]:
        """What sheets of the same export have in common."""
        return (self.sheet, *(c.name for c in self.columns))

    @property
    def unit(self) -> str | None:
        """Unit of the amounts that is stated above the header."""
        found = [unit for unit in MONEY if f"单位:{unit}" in self.above.replace("：", ":")]
        return max(found, key=len, default=None)


@dataclass(frozen=True)
class Finding:
    """Sheets of one shape with what they could feed.

    Parameters
    ----------
    sheets : tuple of Sheet
        The first was looked at; the others have the same columns.
    best : TableProposal, optional
    also : tuple of TableProposal
        Fed by the same file beside the best.
    others : tuple of TableProposal
        Next best.
    """

    sheets: tuple[Sheet, ...]
    best: TableProposal | None
    also: tuple[TableProposal, ...] = ()
    others: tuple[TableProposal, ...] = ()

    @property
    def first(self) -> Sheet:
        """The sheet that was looked at."""
        return self.sheets[0]


def find_files(given: Iterable[str]) -> list[Path]:
    """Return the files that names, folders and patterns stand for, each once, sorted.

    Raises
    ------
    CourseError
        If something given stands for no file.
    """
    found: dict[Path, None] = {}
    for text in given:
        path = Path(text)
        if path.is_dir():
            here = sorted(p for p in path.rglob("*") if p.is_file())
        elif path.exists():
            here = [path]
        else:
            # the Windows console leaves patterns to the program
            is_pattern = any(mark in path.name for mark in "*?[") and path.parent.is_dir()
            here = sorted(path.parent.glob(path.name)) if is_pattern else []
        here = [p for p in here if not p.name.startswith(_ASIDE)]
        if not here:
            raise CourseError(f"没有找到“{text}”，请核对文件名和所在文件夹。")
        found.update(dict.fromkeys(here))
    return list(found)


def look_at(path: Path) -> list[Sheet]:
    """Return the tables of a file with evidence from their first rows."""
    from course_utils.intake.reading import ReadOptions, open_source

    readings = open_source(path, ReadOptions(sheet="*"))
    sheets = []
    for reading in readings:
        frame = next(islice(reading.chunks(), 1), None)
        rows = 0 if frame is None else min(frame.height, LOOKED)
        seen = tuple(
            Seen(name, look(() if frame is None else frame[name].head(LOOKED).to_list()))
            for name in reading.columns
        )
        sheets.append(
            Sheet(
                path=path,
                sheet=reading.sheet,
                encoding=reading.encoding,
                delimiter=reading.delimiter,
                header=reading.header_rows,
                rows=rows,
                columns=seen,
                above=_above(path, reading.sheet, reading.header_rows),
                sheets=len(readings),
            )
        )
    return sheets


def inspect(sheets: Sequence[Sheet], contract: Contract) -> list[Finding]:
    """Group sheets of one shape and say what each group could feed."""
    groups: dict[tuple[str, ...], list[Sheet]] = {}
    for sheet in sheets:
        groups.setdefault(sheet.shape, []).append(sheet)
    book = NameBook(contract)
    return [_finding(group, contract, book) for group in groups.values()]


def _finding(group: Sequence[Sheet], contract: Contract, book: NameBook) -> Finding:
    first = max(group, key=lambda sheet: sheet.rows)
    ordered = (first, *(sheet for sheet in group if sheet is not first))
    title = f"{first.path.stem} {first.sheet} {first.above}"
    found = propose(first.columns, contract, title, first.unit, book)
    if not found:
        return Finding(ordered, None)
    best, rest = found[0], found[1:]
    also = [] if best.borrowed else also_feeds(best, rest)
    others = [one for one in rest if one not in also][:_OTHERS]
    return Finding(ordered, best, tuple(also), tuple(others))


def _above(path: Path, sheet: str, header: tuple[int, ...]) -> str:
    """Return the text above the header: titles, the unit, the date."""
    if not header or header[0] < 2:
        return ""
    from course_utils.intake.reading import ReadOptions, open_source

    try:
        reading = open_source(path, ReadOptions(sheet=sheet or None, header=(1,)))[0]
        frame = next(islice(reading.chunks(), 1), None)
    except CourseError:
        return ""
    texts = [name for name in reading.columns if not name.startswith("列")]
    if frame is not None:
        head = frame.filter(frame["_row"] < header[0]).drop("_row")
        texts += [cell for row in head.rows() for cell in row if cell]
    texts += [one.value for one in reading.problems if one.row < header[0]]
    return " ".join(texts)
