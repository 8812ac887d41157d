"""Excel deliverables a branch can use tomorrow: call lists and workbooks with live formulas.

Text never becomes a formula or a link, only masked identifiers are let through, files are written
aside and renamed, and the same data give the same bytes.
"""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "Formula": "cells",
    "Sheet": "sheet",
    "call_list": "call_list",
    "workbook": "book",
    "RESULT_CODES": "call_list",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        module = importlib.import_module(f"course_utils.deliver.{_WHERE[name]}")
        value = getattr(module, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'course_utils.deliver' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
