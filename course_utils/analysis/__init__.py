"""Methods that lessons share: pure functions on frames, one file a family.

``import course_utils as cu`` and then ``cu.analysis.maturity.ladder(...)``; a family is loaded when
it is first used, heavy libraries when a function needs them.
"""

from __future__ import annotations

import importlib
from types import ModuleType

_FAMILIES = (
    "allocate",
    "caliber",
    "churn",
    "classroom",
    "crm",
    "experiment",
    "ftp",
    "maturity",
    "model",
    "portfolio",
    "potential",
    "privacy",
    "quality",
    "share",
    "staffing",
    "survival",
    "terms",
    "tiers",
)

__all__ = list(_FAMILIES)


def __getattr__(name: str) -> ModuleType:
    if name in _FAMILIES:
        return importlib.import_module(f"course_utils.analysis.{name}")
    raise AttributeError(f"module 'course_utils.analysis' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_FAMILIES])
