"""What may leave the bank: totals of ten customers or more, from which no smaller one follows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank import parquet
from course_utils.bank.parquet import rows_of
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.files import fresh_folder
from course_utils.intake.privacy.release.noise import significant
from course_utils.paths import intake_dir, warehouse_dir

if TYPE_CHECKING:
    import duckdb

    from course_utils.bank.profile import Profile

K_OUTSIDE = 10
#: A total of which one customer makes up more than this share tells about that customer.
DOMINANT = 0.5
#: Amounts are given in 万元 with three significant digits, numbers of customers in tens.
DIGITS, TENS = 3, 10
FOLDER = "对外汇总"
HIDDEN = "未列示"
_MEASURES = {
    "deposit_end": "月末存款（万元）",
    "aum_average": "月日均资产（万元）",
    "loan_balance": "月末贷款（万元）",
    "in_amount": "流入金额（万元）",
}


@dataclass(frozen=True)
class Sheet:
    """One table of totals.

    Parameters
    ----------
    name : str
        Chinese name of the file and the sheet.
    keys : tuple of str
        Columns that say what a row is: SQL expression for each Chinese name follows in `sql`.
    sql : tuple of str
        Their expressions over the customer table ``c`` and the mart ``m``.
    line : int
        So many leading keys make a line whose total is published elsewhere: a single cell that is
        hidden in it could be worked out, so another is hidden with it.
    latest : bool
        Only the last month.
    needs : tuple of str
        Columns of the customer table that it reads.
    """

    name: str
    keys: tuple[str, ...]
    sql: tuple[str, ...]
    line: int
    latest: bool = False
    needs: tuple[str, ...] = ()


SHEETS = (
    Sheet("按月", ("月份",), ("m.month",), 0),
    Sheet("按月按客群", ("月份", "客群"), ("m.month", "c.segment"), 1, needs=("segment",)),
    Sheet("按网点", ("网点号",), ("c.branch_id",), 0, latest=True, needs=("branch_id",)),
    Sheet(
        "按年龄按性别",
        ("出生年代", "性别"),
        ("c.birth_year // 10 * 10", "c.gender"),
        0,
        latest=True,
        needs=("birth_year", "gender"),
    ),
)


def release_outside(profile: Profile, folder: Path | None = None) -> tuple[Path, dict[str, int]]:
    """Write the totals that may leave the bank, as CSV and one workbook.

    Parameters
    ----------
    profile : Profile
        The bank.
    folder : pathlib.Path, optional
        Where to; the bank's folder of reports if left out.

    Returns
    -------
    tuple of pathlib.Path and dict of str to int
        The folder, and per table how many cells are hidden.

    Raises
    ------
    CourseError
        If the bank lacks customers or their months.
    """
    import duckdb

    source = warehouse_dir(profile.code)
    for name in ("customer", "customer_month"):
        if not (source / f"{name}.parquet").is_file():
            zh = load_contract().table(name).zh
            raise CourseError(f"“{profile.name}”没有{zh}，做不了对外汇总：请先运行 course intake。")
    target = folder or intake_dir(profile.code) / FOLDER
    hidden = {}
    with duckdb.connect(config={"threads": 1}) as connection, fresh_folder(target) as aside:
        tables = {}
        stored = parquet.stored_columns(source, "customer")
        measures = [
            one for one in _MEASURES if one in parquet.stored_columns(source, "customer_month")
        ]
        for sheet in SHEETS:
            if set(sheet.needs) <= set(stored):
                rows, hidden[sheet.name] = _table(connection, source, sheet, measures)
                heads = [*sheet.keys, *(h for m in measures for h in ("户数", _MEASURES[m]))]
                tables[sheet.name] = (heads, rows)
        for name, (heads, rows) in tables.items():
            _write_csv(aside / f"{name}.csv", heads, rows)
        _write_workbook(aside / "对外汇总.xlsx", tables)
    return target, hidden


def _table(
    connection: duckdb.DuckDBPyConnection, source: Path, sheet: Sheet, measures: Sequence[str]
) -> tuple[list[list[Any]], int]:
    """Return the rows of a sheet, and how many cells are hidden."""
    customer, month = (
        rows_of(source / f"{name}.parquet") for name in ("customer", "customer_month")
    )
    counted = ", ".join(
        f"count(*) FILTER (m.{one} > 0), coalesce(sum(m.{one}), 0), coalesce(max(m.{one}), 0)"
        for one in measures
    )
    keys = ", ".join(str(place + 1) for place in range(len(sheet.keys)))
    latest = f"WHERE m.month = (SELECT max(month) FROM {month})" if sheet.latest else ""
    found = connection.execute(
        f"SELECT {', '.join(sheet.sql)}, {counted} FROM {month} AS m "
        f"JOIN {customer} AS c USING (customer_id) {latest} GROUP BY {keys} ORDER BY {keys}"
    ).fetchall()
    width = len(sheet.keys)
    rows = [[_key(value) for value in row[:width]] for row in found]
    hidden = 0
    for place in range(len(measures)):
        cells = [row[width + 3 * place : width + 3 * place + 3] for row in found]
        covered = _covered(cells, [row[: sheet.line] for row in rows])
        hidden += len(covered)
        for number, (count, total, _) in enumerate(cells):
            rows[number] += [HIDDEN] * 2 if number in covered else _shown(count, total)
    return rows, hidden


def _covered(cells: Sequence[Sequence[float]], lines: Sequence[Sequence[Any]]) -> set[int]:
    """Return which cells are hidden.

    Those of too few customers or with one who outweighs the rest; and in every line so many more,
    the smallest first, that what is hidden holds two cells and enough customers: the difference
    between the line's total and what is shown then tells of no few.
    """
    places: dict[tuple[Any, ...], list[int]] = {}
    for number, line in enumerate(lines):
        places.setdefault(tuple(line), []).append(number)
    covered: set[int] = set()
    for numbers in places.values():
        hidden = [n for n in numbers if cells[n][0] > 0 and not _safe(cells[n])]
        # a cell without anybody is shown: it is empty, and a total less an empty cell is the total
        rest = sorted(set(numbers) - set(hidden), key=lambda n: cells[n][0])
        rest = [n for n in rest if cells[n][0] > 0]
        while hidden and rest and (len(hidden) < 2 or not _safe_together(hidden, cells)):
            hidden.append(rest.pop(0))
        covered.update(hidden)
    return covered


def _safe(cell: Sequence[float]) -> bool:
    count, total, largest = cell
    return count >= K_OUTSIDE and float(largest) <= DOMINANT * float(total)


def _safe_together(numbers: Iterable[int], cells: Sequence[Sequence[float]]) -> bool:
    chosen = [cells[number] for number in numbers]
    return _safe(
        (
            sum(cell[0] for cell in chosen),
            sum(float(cell[1]) for cell in chosen),
            max(float(cell[2]) for cell in chosen),
        )
    )


def _shown(count: int, total: float) -> list[Any]:
    import numpy as np

    amount = float(total) / 10_000
    # three digits below one thousand, 万元 have no cents here
    rounded = float(significant(np.array([amount]), DIGITS)[0]) if amount >= 1 else round(amount, 2)
    return [round(count / TENS) * TENS, rounded]


def _key(value: object) -> str:
    return "未知" if value is None else str(value)


def _write_csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)


def _write_workbook(path: Path, tables: dict[str, tuple[list[str], list[list[Any]]]]) -> None:
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        for name, (heads, rows) in tables.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, heads)
            for number, row in enumerate(rows, 1):
                sheet.write_row(number, 0, row)
