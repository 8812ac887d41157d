"""The faults of the real world, each planted at a known place.

Two families: faults that the intake mends or steps over (the tables come out the same), and rows
that it must reject or cells that it must blank. Rejected rows are added beside the good ones, and
cells are blanked only where the good table has none, so the good tables stay what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from course_utils.contract import Table

from .identities import card_number
from .systems.fields import Field
from .systems.layout import rendered
from .systems.sheets import Extra, Planted, Sheet

#: Values by adapter; the key ``""`` serves every adapter that is not named.
Values = str | dict[str, object]
_NO_DAY: Values = {"east5": "20250230", "core_dump": "2025-02-30", "branch_excel": "2025年2月30日"}
_TWO_DIGITS: Values = {"": "25-01-31", "branch_excel": "25.1.31"}
_LATER: Values = {"east5": "20310501", "core_dump": "2031-05-01", "branch_excel": "2031年5月1日"}
_LETTER_O: Values = {"east5": "2O250131", "": "2O25-01-31"}
_FLOAT: Values = {"": "6.21799E+18", "branch_excel": float(card_number(910_000_001))}


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one column.

    Parameters
    ----------
    kind, table, column, expected : str
        See `sheets.Planted`.
    value : str or dict
        What stands in the cell, for all adapters or by adapter.
    fresh : bool
        The row is added with a key of its own; otherwise a good row is changed.
    where : str
        Column that is null in the row taken as a pattern (or in the good row that is changed).
    only : tuple of str
        Adapters that can have it; empty: all.
    """

    kind: str
    table: str
    column: str
    expected: str
    value: Values = ""
    fresh: bool = True
    where: str = ""
    only: tuple[str, ...] = ()

    def cell(self, adapter: str) -> object:
        """Return what stands in the cell."""
        if not isinstance(self.value, dict):
            return self.value
        return self.value.get(adapter, self.value.get(""))


def _blanked(kind: str, table: str, column: str, value: Values) -> Fault:
    """Return a fault in a cell that the good table leaves empty."""
    return Fault(kind, table, column, "警告", value, fresh=False, where=column)


_TEXT = ("east5", "core_dump")
FAULTS = (
    # transactions
    Fault("no_such_day", "transaction", "date", "拒收", _NO_DAY),
    Fault("letter_for_digit", "transaction", "date", "拒收", _LETTER_O),
    Fault("after_as_of", "transaction", "date", "拒收", _LATER),
    Fault("amount_is_text", "transaction", "amount", "拒收", "待查"),
    Fault("excel_error", "transaction", "amount", "拒收", "#REF!"),
    Fault("amount_negative", "transaction", "amount", "拒收", "-88.00"),
    Fault("amount_scientific", "transaction", "amount", "拒收", "1.2E+05"),
    Fault("amount_too_long", "transaction", "amount", "拒收", "9" * 24),
    Fault("grouping_wrong", "transaction", "amount", "拒收", "1,23,4.5"),
    Fault("code_unknown", "transaction", "direction", "拒收", "X"),
    Fault("required_empty", "transaction", "customer_id", "拒收", ""),
    Fault("orphan", "transaction", "customer_id", "拒收", "819999999999"),
    Fault("hour_above_23", "transaction", "hour", "拒收", "25"),
    Fault("flag_unreadable", "transaction", "customer_initiated", "拒收", "不详"),
    # accounts
    Fault("account_as_float", "deposit_account", "account_id", "拒收", _FLOAT),
    Fault("customer_cut_short", "deposit_account", "customer_id", "拒收", "8100000"),
    Fault("year_of_two_digits", "deposit_account", "open_date", "拒收", _TWO_DIGITS),
    Fault("rate_above_maximum", "deposit_account", "rate", "拒收", "250"),
    Fault("amount_required", "deposit_account", "amount", "拒收", ""),
    _blanked("nullable_date_unreadable", "deposit_account", "maturity_date", "到期另议"),
    _blanked("nullable_orphan", "deposit_account", "renewed_from", card_number(920_000_002)),
    _blanked("nullable_fraction", "deposit_account", "term_months", "12.5"),
    # customers
    Fault("flag_of_customer", "customer", "is_farmer", "拒收", "待核实"),
    Fault(
        "open_date_open", "customer", "open_date", "拒收", {"": "9999-12-31", "east5": "99991231"}
    ),
    _blanked("birth_year_impossible", "customer", "birth_year", "1825"),
    _blanked("nullable_code_unknown", "customer", "gender", "9"),
    # loans
    Fault("class_unknown", "loan", "five_class", "拒收", "99"),
    Fault("overdue_negative", "loan", "overdue_days", "拒收", "-5"),
    Fault("overdue_fraction", "loan", "overdue_days", "拒收", "3.7"),
    Fault("issue_date_empty", "loan", "issue_date", "拒收", ""),
    _blanked("nullable_line_orphan", "loan", "line_id", "K9999999"),
    _blanked("nullable_number_text", "loan", "spread_bp", "协议"),
)
#: Kinds that come with whole rows or with files, beside `FAULTS`.
ROW_KINDS = {
    "duplicate_row": "拒收",
    "duplicate_key": "拒收",
    "ragged_short": "拒收",
    "ragged_long": "拒收",
    "column_shift": "拒收",
    "broken_quote": "拒收",
    "title": "不读",
    "unit_line": "不读",
    "blank": "不读",
    "repeated_header": "不读",
    "subtotal": "不读",
    "total": "不读",
    "footer": "不读",
}
_WIDE = str.maketrans("0123456789.", "０１２３４５６７８９．")


@dataclass(frozen=True)
class Mend:
    """A way of writing a good value that the intake has to read as it is meant.

    Parameters
    ----------
    kind, table, column : str
    way : callable
        The text in the file → the text with the quirk.
    empty : bool
        Only for values that are missing.
    only : tuple of str
        Adapters that can have it; empty: all.
    """

    kind: str
    table: str
    column: str
    way: Callable[[str], str]
    empty: bool = False
    only: tuple[str, ...] = ()


MENDS = (
    *(
        mend
        for table, column in (("transaction", "amount"), ("loan", "amount"))
        for mend in (
            Mend("full_width_digits", table, column, lambda old: old.translate(_WIDE)),
            Mend("spaces_around", table, column, lambda old: f" {old}\u3000"),
            Mend("currency_sign", table, column, lambda old: f"¥{old}"),
            Mend("yuan_suffix", table, column, lambda old: f"{old}元", only=_TEXT),
            Mend("plus_sign", table, column, lambda old: f"+{old}"),
        )
    ),
    Mend("null_word", "deposit_account", "maturity_date", lambda old: "NULL", empty=True),
    Mend("null_dash", "deposit_account", "term_months", lambda old: "-", empty=True),
    Mend("null_dashes", "loan", "spread_bp", lambda old: "--", empty=True),
    Mend(
        "open_date_of_9999", "deposit_account", "close_date", lambda old: "9999-12-31", empty=True
    ),
    Mend("apostrophe_before", "loan", "customer_id", lambda old: f"'{old}"),
    Mend("tab_before", "loan", "loan_id", lambda old: f"\t{old}"),
    Mend("date_with_slashes", "loan", "issue_date", lambda old: _respell(old, "{}/{}/{}")),
    Mend("date_in_chinese", "loan", "maturity_date", lambda old: _respell(old, "{}年{}月{}日")),
    Mend("date_with_dots", "loan", "issue_date", lambda old: _respell(old, "{}.{}.{}")),
    Mend(
        "date_with_midnight",
        "loan",
        "maturity_date",
        lambda old: f"{old} 00:00:00",
        only=("core_dump",),
    ),
)


def _respell(date: str, form: str) -> str:
    """Write a date another way, without zeros in front; a serial number stays."""
    digits = "".join(c for c in date if c.isdigit())
    if len(digits) != 8:
        return date
    return form.format(digits[:4], int(digits[4:6]), int(digits[6:]))


@dataclass
class Gardener:
    """Plants faults in the sheets of one table.

    Parameters
    ----------
    adapter : str
    table : Table
    frame : polars.DataFrame
        The good rows with raw identifiers.
    fields : list of Field
    sheets : list of Sheet
    """

    adapter: str
    table: Table
    frame: pl.DataFrame
    fields: list[Field]
    sheets: list[Sheet]
    fresh: int = 0
    turn: int = 0
    changed: set[tuple[int, int]] = field(default_factory=set)

    def plant(self) -> None:
        """Plant everything that fits the table."""
        for fault in FAULTS:
            if fault.table != self.table.name or (fault.only and self.adapter not in fault.only):
                continue
            if fault.column in self.frame.columns:
                self._add(fault) if fault.fresh else self._change(fault)
        if self.table.name in {"transaction", "deposit_account", "loan"}:
            self._whole_rows()
        for mend in MENDS:
            fits = mend.table == self.table.name and mend.column in self.frame.columns
            if fits and (not mend.only or self.adapter in mend.only):
                planted = Planted(mend.kind, mend.table, mend.column, "")
                self._rewrite(self._source(mend.column), planted, mend.way, mend.empty)
        self._furniture()

    # ---- rows that are added ---------------------------------------------------------------------

    def _add(self, fault: Fault) -> None:
        row = self._fresh_row()
        row[self._source(fault.column)] = fault.cell(self.adapter)
        self._insert(row, Planted(fault.kind, self.table.name, fault.column, fault.expected))

    def _whole_rows(self) -> None:
        name = self.table.name
        twin = self._fresh_row()
        money = self._source("amount")
        other = {**twin, money: "77"}
        for row in (twin, other):
            self._insert(row, Planted("duplicate_key", name, "", "拒收"))
        # a good row once more: the first stays
        sheet = self.sheets[-1]
        again = self._frame_of(sheet).row(0)
        self._place(sheet, Extra(list(again), Planted("duplicate_row", name, "", "拒收")), end=True)
        shifted = list(self._fresh_row().values())
        cells = dict(zip(self._sources(), [shifted[-1], *shifted[:-1]], strict=True))
        self._insert(cells, Planted("column_shift", name, "", "拒收"))
        if self.adapter in _TEXT:
            for kind in ("ragged_short", "ragged_long"):
                self._ragged(kind)
        if self.adapter == "core_dump":
            self._broken_quote()

    def _ragged(self, kind: str) -> None:
        sheet = self._next_sheet()
        row = self._fresh_row()
        cells = [row.get(c) for c in sheet.columns]
        cells = cells[:-3] if kind == "ragged_short" else [*cells[:2], "多出的", "两格", *cells[2:]]
        self._place(sheet, Extra(cells, Planted(kind, self.table.name, "", "拒收")))

    def _broken_quote(self) -> None:
        sheet = self._next_sheet()
        row = self._fresh_row()
        cells = [str(row.get(c) or "").replace(",", "") for c in sheet.columns]
        cells[1] = f'"{cells[1]}'
        planted = Planted("broken_quote", self.table.name, "", "拒收")
        self._place(sheet, Extra(",".join([*cells, ""]), planted))

    # ---- good rows that are changed --------------------------------------------------------------

    def _change(self, fault: Fault) -> None:
        source = self._source(fault.column)
        planted = Planted(fault.kind, self.table.name, fault.column, fault.expected)
        value = fault.cell(self.adapter)
        self._rewrite(source, planted, lambda old: value, wanted_empty=True)

    def _rewrite(
        self,
        source: str,
        planted: Planted,
        way: Callable[[str], object],
        wanted_empty: bool,
    ) -> None:
        """Change one cell of a good row that was not changed before."""
        for number, sheet in enumerate(self.sheets):
            frame = self._frame_of(sheet)
            empty = frame[source].is_null() | frame[source].is_in(["\\N", "99991231", "'\\N"])
            rows = (empty if wanted_empty else ~empty).arg_true().to_list()
            free = [r for r in rows if (number, r) not in self.changed and r > 0]
            if not free:
                continue
            row = free[len(free) // 2]
            self.changed.add((number, row))
            cells = list(frame.row(row))
            at = frame.columns.index(source)
            cells[at] = way(str(cells[at]))
            _replace(sheet, row, Extra(cells, planted))
            return

    # ---- what stands around the rows -------------------------------------------------------------

    def _furniture(self) -> None:
        name = self.table.name
        if self.adapter == "east5" and self.table.name in {"transaction", "customer_month"}:
            header = Extra(
                list(self.sheets[0].columns), Planted("repeated_header", name, "", "不读")
            )
            self._place(self.sheets[0], header)
        if self.adapter != "core_dump":
            return
        for sheet in self.sheets:
            if self._frame_of(sheet).height < 100:
                continue
            width = len(sheet.columns)
            for kind, first in (("repeated_header", None), ("subtotal", "小计"), ("blank", "")):
                cells = [first, *[""] * (width - 1)] if first is not None else list(sheet.columns)
                self._place(sheet, Extra(cells, Planted(kind, name, "", "不读")))
            for kind, first in (("total", "合计"), ("footer", "制表人：某某")):
                cells = [first, *[""] * (width - 1)]
                sheet.pieces.append(Extra(cells, Planted(kind, name, "", "不读")))

    # ---- helpers ---------------------------------------------------------------------------------

    def _fresh_row(self) -> dict[str, object]:
        """Return the text of a good row under a key that no other row has."""
        self.fresh += 1
        pattern = self.frame.sample(1, seed=self.fresh)
        key = self.table.grain[0]
        if key == "account_id":
            made = card_number(900_000_000 + self.fresh)
        elif key == "customer_id":
            made = f"8199{self.fresh:08d}"
        else:
            made = f"{str(pattern[key].item())[0]}9900{self.fresh:05d}"
        row = rendered(pattern.with_columns(pl.lit(made).alias(key)), self.fields)
        return row.row(0, named=True)

    def _insert(self, row: dict[str, object], planted: Planted) -> None:
        sheet = self._next_sheet()
        self._place(sheet, Extra([row.get(c) for c in sheet.columns], planted))

    def _next_sheet(self) -> Sheet:
        self.turn += 1
        return self.sheets[self.turn % len(self.sheets)]

    def _place(self, sheet: Sheet, extra: Extra, end: bool = False) -> None:
        """Put a row behind about three fifths of the longest stretch of good rows."""
        width = self._frame_of(sheet).width
        if not isinstance(extra.cells, str) and sheet.name:
            extra.cells += [None] * (width - len(extra.cells))
        longest = max(
            (i for i, p in enumerate(sheet.pieces) if isinstance(p, pl.DataFrame)),
            key=lambda i: sheet.pieces[i].height,  # type: ignore[union-attr]
        )
        frame = sheet.pieces[longest]
        assert isinstance(frame, pl.DataFrame)
        cut = frame.height if end else frame.height * 3 // 5
        sheet.pieces[longest : longest + 1] = [frame[:cut], extra, frame[cut:]]

    def _frame_of(self, sheet: Sheet) -> pl.DataFrame:
        """Return the untouched good rows of a sheet, in order."""
        return pl.concat([p for p in sheet.pieces if isinstance(p, pl.DataFrame)])

    def _sources(self) -> list[str]:
        return [f.source for f in self.fields]

    def _source(self, column: str) -> str:
        return next(f.source for f in self.fields if f.column.name == column)


def _replace(sheet: Sheet, row: int, extra: Extra) -> None:
    """Put a row in the place of good row `row`, counted over the frames of the sheet."""
    seen = 0
    for place, piece in enumerate(sheet.pieces):
        if isinstance(piece, Extra):
            continue
        if row < seen + piece.height:
            at = row - seen
            sheet.pieces[place : place + 1] = [piece[:at], extra, piece[at + 1 :]]
            return
        seen += piece.height
    raise IndexError(row)
