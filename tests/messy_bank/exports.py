"""A synthetic bank's warehouse → raw files of one system, their mapping, the planted truth."""

from __future__ import annotations

import dataclasses
import datetime
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from course_utils.contract import load_contract

from .identities import raw_tables
from .planting import Gardener
from .sample import known, read_tables, smaller
from .systems.layout import parts, sheet_of
from .systems.mapping_text import clean_mapping_text, mapped, mapping_text
from .systems.shapes import SHAPES
from .systems.sheets import Planted, Sheet, write_sheets

CLEAN = "clean"
ADAPTERS = (CLEAN, *SHAPES)
#: Dates kept of tables of which a small bank needs no more.
DAYS = 40
AS_OF = datetime.date(2025, 12, 31)


@dataclass(frozen=True)
class Export:
    """What was written.

    Parameters
    ----------
    folder : Path
        The files; ``truth.json`` lies beside the folder's files under its own name.
    mapping : str
        Text of ``mapping.yml``.
    planted : tuple of Planted
        Every planted fault with file, sheet and row.
    rows : int
        Good rows, that is, rows that the intake must keep.
    """

    folder: Path
    mapping: str
    planted: tuple[Planted, ...]
    rows: int


def bank_tables(
    warehouse: Path, customers: int = 0, as_of: datetime.date = AS_OF
) -> dict[str, pl.DataFrame]:
    """Return what a synthetic bank can export.

    Parameters
    ----------
    warehouse : Path
        Folder with its Parquet files.
    customers : int
        Number of customers to keep; 0: all.
    as_of : date
        Day of the export: nothing of a later day is in it.
    """
    tables = known(read_tables(warehouse), as_of)
    return smaller(tables, customers, DAYS) if customers else tables


def export(
    tables: dict[str, pl.DataFrame], folder: Path, adapter: str, faults: bool = True
) -> Export:
    """Write the raw files of one system.

    Parameters
    ----------
    tables : dict of str to polars.DataFrame
        The bank's tables with synthetic identifiers.
    folder : Path
        Where the files go.
    adapter : str
        One of :data:`ADAPTERS`.
    faults : bool
        Plant faults; ignored for ``"clean"``.
    """
    tables = raw_tables(tables)
    folder.mkdir(parents=True, exist_ok=True)
    present = {name: frame.columns for name, frame in tables.items()}
    rows = sum(frame.height for frame in tables.values())
    if adapter == CLEAN:
        for name, frame in tables.items():
            columns = [c for c in frame.columns if mapped(load_contract().table(name), c)]
            frame.select(columns).write_parquet(folder / f"{name}.parquet")
        return Export(folder, clean_mapping_text(present), (), rows)
    shape = SHAPES[adapter]
    sheets = [s for n, f in tables.items() for s in _sheets(adapter, n, f, faults)]
    planted = write_sheets(folder, sheets)
    _write_truth(folder.with_name(f"{folder.name}_truth.json"), planted)
    return Export(folder, mapping_text(shape, present), tuple(planted), rows)


def _sheets(adapter: str, name: str, frame: pl.DataFrame, faults: bool) -> list[Sheet]:
    shape, table = SHAPES[adapter], load_contract().table(name)
    fields = [f for f in shape.fields(table, frame.columns) if mapped(table, f.column.name)]
    pieces = parts(shape, table, frame)
    sheets = [sheet_of(shape, table, part, fields, i) for i, part in enumerate(pieces)]
    if faults and frame.height:
        Gardener(adapter, table, frame, fields, sheets).plant()
    return sheets


def _write_truth(path: Path, planted: list[Planted]) -> None:
    entries = [dataclasses.asdict(one) for one in planted]
    path.write_text(json.dumps(entries, ensure_ascii=False, indent=1), encoding="utf-8")
