"""What is noticed about the columns of a file as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from course_utils.errors import CourseError
from course_utils.intake.mapping.model import OTHERS
from course_utils.intake.rules.masking import mask

if TYPE_CHECKING:
    from course_utils.contract.model import Column, Table
    from course_utils.intake.conversion.cells import Cells
    from course_utils.intake.conversion.dates import DayOrder
    from course_utils.intake.mapping import ColumnMapping, TableMapping

#: A column of per cent whose largest value is below this looks like shares of 1.
_PERCENT_TOO_SMALL = 0.3
#: A ratio above this looks like per cent.
_RATIO_TOO_LARGE = 1.5
#: Share of identifiers that must have one length before shorter ones look suspicious.
_ONE_LENGTH = 0.98
#: Share of long identifiers ending in zeros beyond which Excel is suspected.
_MANY_ZEROS = 0.05
_MOST_CODES = 200
_LONG = 16
_CENT = Decimal("0.01")


class Notes:
    """Counts over all chunks of one file."""

    def __init__(self, table: Table, mapping: TableMapping) -> None:
        self.table, self.mapping = table, mapping
        self.rows = 0
        self._filled: Counter[str] = Counter()
        self._translated: dict[str, Counter[str]] = {}
        self._unknown: dict[str, Counter[str]] = {}
        self._sheet: dict[str, tuple[Decimal, int]] = {}
        self._differing: dict[str, Decimal] = {}
        self._range: dict[str, tuple[float, float]] = {}
        self._lengths: dict[str, Counter[int]] = {}
        self._zeros: dict[str, list[int]] = {}
        self._missing: dict[str, str] = {}

    def missing(self, column: Column, source: str, file: str, sheet: str) -> None:
        """Note a column that this file lacks.

        Raises
        ------
        CourseError
            If rows make no sense without it.
        """
        if not column.nullable or column.name in self.table.grain:
            where = f"{file}（工作表 {sheet}）" if sheet else file
            raise CourseError(
                f"{where} 里没有“{source}”这一列，“{self.table.zh}”的“{column.zh}”"
                f"（{column.name}）要靠它：请补上这一列，或改正 mapping.yml。"
            )
        self._missing[column.name] = source

    def kept(self, rows: pl.DataFrame) -> None:
        """Count the filled cells of rows that stay."""
        self.rows += rows.height
        for name in rows.columns:
            if name != "_row":
                self._filled[name] += rows.height - rows[name].null_count()

    def sums(self, rows: pl.DataFrame, rounded: Mapping[str, int]) -> None:
        """Add up the money columns of a sheet, for the comparison with totals in it.

        Parameters
        ----------
        rows : polars.DataFrame
            All rows that could be read, also those that will not stay.
        rounded : mapping of str to int
            Column → cells that were rounded to the cent.
        """
        for name in rows.columns:
            if self.table.columns[name].type != "money":
                continue
            total = rows[name].cast(pl.Decimal(38, 2)).sum() or Decimal(0)
            before, blurred = self._sheet.get(name, (Decimal(0), 0))
            self._sheet[name] = (before + total, blurred + rounded.get(name, 0))

    def totals(self, found: Mapping[str, Sequence[Decimal]]) -> None:
        """Compare the sums of a sheet with the totals that stand in it, and forget the sums.

        A sheet may carry a total for each of its parts: it fits if one of them, or all together,
        are the sum.
        """
        for name, totals in found.items():
            total, blurred = self._sheet.get(name, (Decimal(0), 0))
            allowed = _CENT * (1 + blurred)
            gaps = [total - one for one in (*totals, sum(totals, Decimal(0)))]
            if totals and min(map(abs, gaps)) > allowed:
                self._differing[name] = total - totals[-1]
        self._sheet.clear()

    def translated(self, column: Column, given: ColumnMapping, text: pl.Series) -> None:
        """Count the bank's codes that the mapping translates."""
        used = text.filter(text.is_in(list(given.codes))).value_counts()
        counts = self._translated.setdefault(column.name, Counter())
        for code, count in used.iter_rows():
            counts[code] += count
        if OTHERS in given.codes:
            filled = int((text.str.len_bytes() > 0).sum())
            counts[OTHERS] += filled - int(text.is_in(list(given.codes)).sum())

    def unknown(self, column: Column, text: pl.Series, cells: Cells) -> None:
        """Count codes that neither the contract nor the mapping knows."""
        counts = self._unknown.setdefault(column.name, Counter())
        for rule, positions in cells.marks:
            if rule != "code":
                continue
            seen = mask(text.gather(positions), column).value_counts().iter_rows()
            for code, count in seen:
                if code in counts or len(counts) < _MOST_CODES:
                    counts[code] += count

    def scale(self, column: Column, values: pl.Series) -> None:
        """Keep the range of shares and rates."""
        if column.type not in ("percent", "ratio") or values.null_count() == len(values):
            return
        size = values.abs()
        low, high = float(size.min()), float(size.max())  # type: ignore[arg-type]
        before = self._range.get(column.name, (low, high))
        self._range[column.name] = (min(low, before[0]), max(high, before[1]))

    def identifiers(self, column: Column, text: pl.Series) -> None:
        """Count the lengths of identifiers that are digits only, and those that end in zeros."""
        known = text.drop_nulls()
        digits = known.filter(known.str.contains(r"^\d{4,}$"))
        if not len(digits):
            return
        lengths = self._lengths.setdefault(column.name, Counter())
        for length, count in digits.str.len_bytes().value_counts().iter_rows():
            lengths[length] += count
        long = digits.filter(digits.str.len_bytes() >= _LONG)
        if len(long):
            zeros = int(long.str.slice(15).str.contains(r"^0+$").sum())
            before = self._zeros.get(column.name, [0, 0])
            self._zeros[column.name] = [before[0] + zeros, before[1] + len(long)]

    def as_dict(self, orders: Mapping[str, DayOrder]) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        translated = {
            name: {code: [self.mapping.columns[name].codes[code], n] for code, n in seen.items()}
            for name, seen in self._translated.items()
            if seen
        }
        return {
            "rows": self.rows,
            "filled": dict(self._filled),
            "translated": translated,
            "unknown_codes": {name: dict(seen) for name, seen in self._unknown.items() if seen},
            "remarks": [*self._remarks(orders)],
        }

    def _remarks(self, orders: Mapping[str, DayOrder]) -> list[dict[str, str]]:
        remarks = [self._remark("column_absent", name, "") for name in self._missing]
        for name, (_, high) in self._range.items():
            kind = self.table.columns[name].type
            if kind == "percent" and 0 < high < _PERCENT_TOO_SMALL:
                remarks.append(self._remark("scale", name, f"最大的也只有 {high:g}，像是小数"))
            if kind == "ratio" and high > _RATIO_TOO_LARGE:
                remarks.append(self._remark("scale", name, f"最大的是 {high:g}，像是百分数"))
        for name, lengths in self._lengths.items():
            usual, count = lengths.most_common(1)[0]
            shorter = sum(n for length, n in lengths.items() if length < usual)
            if shorter and count >= _ONE_LENGTH * lengths.total():
                remarks.append(self._remark("id_length", name, str(usual)))
        for name, (zeros, long) in self._zeros.items():
            if zeros > 1 and zeros > _MANY_ZEROS * long:
                remarks.append(self._remark("id_zeros", name, ""))
        for name, gap in self._differing.items():
            remarks.append(self._remark("total_differs", name, f"{gap:,.2f} 元"))
        for name, order in orders.items():
            if order.used:
                remarks.append(self._remark("date_order_guess", name, order.zh))
        return remarks

    def _remark(self, rule: str, name: str, limit: str) -> dict[str, str]:
        source = self.mapping.columns[name].source or ""
        return {"rule": rule, "column": name, "source": source, "limit": limit}
