"""Methods that lessons share: pure functions on frames, one file a family, families in rooms.

``import course_utils as cu`` and then ``cu.analysis.maturity.ladder(...)``; a family is loaded when
it is first used, heavy libraries when a function needs them. Lessons name the family alone, so
that a family can move to another room.
"""

from __future__ import annotations

import importlib
from types import ModuleType

#: Room of each family.
_FAMILIES = {
    "allocate": "operations",
    "bonus": "merchants",
    "caliber": "deposits",
    "causal": "statistics",
    "churn": "deposits",
    "classroom": "governance",
    "cohorts": "lending",
    "crm": "customers",
    "experiment": "statistics",
    "ftp": "deposits",
    "funnel": "customers",
    "glm": "statistics",
    "leads": "customers",
    "limits": "lending",
    "loan_math": "lending",
    "matching": "customers",
    "maturity": "deposits",
    "model": "statistics",
    "panel": "statistics",
    "payroll": "operations",
    "portfolio": "customers",
    "potential": "deposits",
    "privacy": "governance",
    "quality": "governance",
    "ranking": "statistics",
    "share": "deposits",
    "staffing": "operations",
    "stars": "merchants",
    "survival": "statistics",
    "terms": "deposits",
    "tiers": "customers",
    "trees": "statistics",
    "warning": "merchants",
    "workshop": "customers",
    "weighted": "statistics",
    "whitelist": "customers",
}

__all__ = list(_FAMILIES)


def __getattr__(name: str) -> ModuleType:
    if name in _FAMILIES:
        return importlib.import_module(f"course_utils.analysis.{_FAMILIES[name]}.{name}")
    raise AttributeError(f"module 'course_utils.analysis' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_FAMILIES])
