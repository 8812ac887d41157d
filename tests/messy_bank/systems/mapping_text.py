"""The mapping that a data clerk would write for the files, as text."""

from __future__ import annotations

from course_utils.contract import Table, load_contract

from .fields import Field
from .layout import pattern
from .shapes import LONG, Shape


def mapping_text(shape: Shape, present: dict[str, list[str]], opening: str = "") -> str:
    """Return ``mapping.yml`` for the tables and columns that the bank has.

    Parameters
    ----------
    shape : Shape
    present : dict of str to list of str
        Table → columns of the contract that it has.
    opening : str
        Comment lines on top.
    """
    contract = load_contract()
    lines = [opening.rstrip()] if opening else []
    lines += [f'contract: "{contract.version}"', "tables:"]
    for name, columns in present.items():
        table = contract.table(name)
        lines += _table_lines(shape, table, shape.fields(table, columns))
    return "\n".join(lines) + "\n"


def clean_mapping_text(present: dict[str, list[str]]) -> str:
    """Return the mapping of tables that are Parquet files under the contract's own names."""
    contract = load_contract()
    lines = [f'contract: "{contract.version}"', "tables:"]
    for name, columns in present.items():
        lines += [f"  {name}:", f'    files: ["{name}.parquet"]', "    columns:"]
        table = contract.table(name)
        lines += [f"      {c}: {c}" for c in columns if mapped(table, c)]
    return "\n".join(lines) + "\n"


def mapped(table: Table, column: str) -> bool:
    """Say whether a bank may deliver the column at all."""
    return getattr(table.columns[column], "protect", "") != "refuse"


def _table_lines(shape: Shape, table: Table, fields: list[Field]) -> list[str]:
    files, sheet = pattern(shape, table)
    lines = [f"  {table.name}:  # {table.zh}", f'    files: ["{files}"]']
    if sheet is not None:
        lines.append(f'    sheet: "{sheet}"')
    if shape.name == "east5":
        lines.append('    delimiter: "|@|"')
        if table.area == "side":
            # a few hundred bytes can be read by accident in an encoding that is not theirs
            lines.append("    encoding: gb18030")
    if shape.name == "core_dump":
        lines.append("    encoding: gb18030")
    if shape.name == "branch_excel" and table.name not in LONG and _has_money(table):
        lines.append("    unit: 万元")
    lines.append("    columns:")
    for one in fields:
        if mapped(table, one.column.name):
            lines.append(f"      {one.column.name}: {_source(one)}")
    return lines


def _has_money(table: Table) -> bool:
    return any(c.type == "money" for c in table.columns.values())


def _source(field: Field) -> str:
    name = f'"{field.source}"'
    codes = {k: v for k, v in field.codes.items() if k != v}
    unit = _unit(field)
    if not codes and unit is None:
        return name
    entries = [f"from: {name}"]
    if unit is not None:
        entries.append(f"unit: {unit}")
    if codes:
        inside = ", ".join(f'"{code}": "{meaning}"' for code, meaning in codes.items())
        entries.append(f"codes: {{{inside}}}")
    return "{" + ", ".join(entries) + "}"


def _unit(field: Field) -> str | None:
    # a workbook shows shares with a percent sign; 万元 is said once for the table
    return None if field.unit == "万元" else field.unit
