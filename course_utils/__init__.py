"""Helpers of the 普惠金融 data workbook: ``import course_utils as cu``.

Importing the package costs almost nothing: every name below is looked up when it is first used.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

# Spinning worker threads cost up to thirty times the CPU time on a shared machine, and the
# setting must be there before NumPy loads.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

__version__ = "0.5.0"

_WHERE = {
    "begin": "course_utils.exercises.session",
    "check": "course_utils.exercises.session",
    "hint": "course_utils.exercises.session",
    "carry_on": "course_utils.exercises.session",
    "progress": "course_utils.exercises.session",
    "join": "course_utils.exercises.session",
    "leave": "course_utils.exercises.session",
    "open_bank": "course_utils.bank",
    "list_banks": "course_utils.bank",
    "CourseError": "course_utils.errors",
    "show": "course_utils.display",
    "dictionary": "course_utils.display",
    "say": "course_utils.display",
    "brief": "course_utils.brief",
    "reveal": "course_utils.display",
}
_ROOMS = (
    "analysis",
    "bank",
    "build",
    "charts",
    "classroom",
    "contract",
    "deliver",
    "exercises",
    "synth",
)

__all__ = [*_WHERE, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(importlib.import_module(_WHERE[name]), name)
        globals()[name] = value
        return value
    # a trainee's wheel has fewer rooms
    if name in _ROOMS and importlib.util.find_spec(f"course_utils.{name}"):
        return importlib.import_module(f"course_utils.{name}")
    raise AttributeError(f"module 'course_utils' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
