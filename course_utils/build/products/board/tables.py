"""Tables that a lesson showed, read back: few rows, and nobody to be recognised in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: A meeting reads so many rows.
MOST_ROWS = 6
#: Groups of fewer people are not shown.
SMALLEST_GROUP = 5
_PEOPLE = re.compile(r"户数|笔数|人数")
_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?%?")
_TOTAL = re.compile(r"共 ([\d,]+) 行")
DASH = "—"


@dataclass(frozen=True)
class TableView:
    """A table in texts.

    Parameters
    ----------
    caption : str
        Its title; may be empty.
    heads : tuple of str
        Column names with units.
    rows : tuple of tuple of str
        Cells.
    numeric : tuple of bool
        Which columns are aligned to the right.
    notes : tuple of str
        How many rows are left out, and which are not shown.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    notes: tuple[str, ...]


def read_table(markup: str) -> TableView:
    """Read the first table of a cell's HTML output.

    Parameters
    ----------
    markup : str
        What ``cu.show`` displayed.

    Returns
    -------
    TableView
        Its first rows; rows about one to four people keep their name only.
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(markup, "html.parser")
    table = soup.find("table")
    caption = table.find("caption")
    heads = tuple(cell.get_text() for cell in table.find("thead").find_all("th"))
    every = [
        tuple(cell.get_text() for cell in row.find_all("td"))
        for row in table.find("tbody").find_all("tr")
    ]
    numeric = tuple(
        all(_is_number(row[number]) for row in every) and bool(every)
        for number in range(len(heads))
    )
    hidden = [_without_small_groups(heads, row) for row in every]
    rows = hidden[:MOST_ROWS]
    total = _TOTAL.search(soup.get_text())
    count = int(total.group(1).replace(",", "")) if total else len(every)
    notes = []
    if count > len(rows):
        notes.append(f"共 {count:,} 行，只列前 {len(rows)} 行。")
    if rows != every[:MOST_ROWS]:
        notes.append(f"不足 {SMALLEST_GROUP} 的组不列数。")
    return TableView(
        caption.get_text() if caption else "", heads, tuple(rows), numeric, tuple(notes)
    )


def _is_number(text: str) -> bool:
    return text == DASH or bool(_NUMBER.fullmatch(text.strip()))


def _without_small_groups(heads: tuple[str, ...], row: tuple[str, ...]) -> tuple[str, ...]:
    """Take the numbers out of a row that is about one to four people."""
    counts = [
        float(cell.replace(",", ""))
        for head, cell in zip(heads, row, strict=True)
        if _PEOPLE.search(head) and re.fullmatch(r"[\d,]+", cell)
    ]
    if not any(0 < count < SMALLEST_GROUP for count in counts):
        return row
    return tuple(DASH if _is_number(cell) else cell for cell in row)
