"""The synthetic bank: world → people → credit → trade → money → behaviour → marketing → defects.

``generate(profile)`` makes one bank in memory; ``write_bank(profile)`` writes its tables and its
planted truth; ``is_current(profile)`` says whether that is still needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_utils.synth.pipeline import generate
    from course_utils.synth.state import Simulation
    from course_utils.synth.storage import is_current, write_bank

_WHERE = {
    "generate": "course_utils.synth.pipeline",
    "write_bank": "course_utils.synth.storage",
    "is_current": "course_utils.synth.storage",
    "Simulation": "course_utils.synth.state",
}

__all__ = ["Simulation", "generate", "is_current", "write_bank"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
