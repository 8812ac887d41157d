"""Units that a source may deliver in, as factors to the unit of the contract.

Money is in 元, a percent column holds 3.25 for 3.25 %, a ratio column 0.25 for 25 %. Factors are
texts: they multiply decimals, never floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_utils.contract.model import Column

MONEY: Mapping[str, str] = MappingProxyType(
    {
        "元": "1",
        "分": "0.01",
        "角": "0.1",
        "百元": "100",
        "千元": "1000",
        "万元": "10000",
        "十万元": "100000",
        "百万元": "1000000",
        "千万元": "10000000",
        "亿元": "100000000",
    }
)
#: To per cent.
PERCENT: Mapping[str, str] = MappingProxyType(
    {"百分数": "1", "%": "1", "小数": "100", "‰": "0.1", "千分数": "0.1", "BP": "0.01"}
)
#: To a share of 1.
RATIO: Mapping[str, str] = MappingProxyType(
    {"小数": "1", "百分数": "0.01", "%": "0.01", "‰": "0.001", "千分数": "0.001", "BP": "0.0001"}
)
#: To basis points.
BASIS_POINTS: Mapping[str, str] = MappingProxyType(
    {"BP": "1", "百分数": "100", "%": "100", "小数": "10000"}
)
#: To persons, households, shops.
COUNTS: Mapping[str, str] = MappingProxyType({"个": "1", "千": "1000", "万": "10000"})


def units_of(column: Column) -> Mapping[str, str]:
    """Return unit → factor to the contract's unit; empty where a column knows no other unit."""
    if column.type == "money":
        return MONEY
    if column.type == "percent":
        return PERCENT
    if column.type == "ratio":
        return RATIO
    if column.unit == "基点":
        return BASIS_POINTS
    if column.unit in ("人", "户", "家", "笔", "次") and column.type in ("integer", "number"):
        return COUNTS
    return {}


def factor(column: Column, unit: str | None) -> str:
    """Return what a value of the source is multiplied by; ``"1"`` if no unit is said."""
    return "1" if unit is None else units_of(column).get(unit, "1")
