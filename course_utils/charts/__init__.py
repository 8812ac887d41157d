"""Charts of the course: theme, axes in 万元, families of pictures, one finishing step.

Every family returns a matplotlib figure; :func:`finish` gives it its title, unit, source line and
alt text and shows it once.  matplotlib itself is loaded with the first picture.
"""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "style": [
        "theme",
        "settings",
        "ensure_theme",
        "register_font",
        "colors_for",
        "PALETTE",
        "TIER_COLORS",
        "STATE_COLORS",
        "LEVEL_COLORS",
        "POSITIVE",
        "NEGATIVE",
        "NEUTRAL",
        "INK",
        "MUTED",
        "FONT_FAMILY",
    ],
    "scales": ["wan", "yi", "percent", "basis_points", "number"],
    "picture": ["finish", "render", "Picture", "wrap"],
    "bars": [
        "stacked_ladder",
        "bars_with_interval",
        "waterfall",
        "histogram",
        "forest",
        "funnel_steps",
    ],
    "heat": [
        "heatmap",
        "tiles",
        "calendar_heatmap",
        "category_strips",
        "null_heatmap",
        "task_calendar",
    ],
    "lines": [
        "small_multiples",
        "bump",
        "curves",
        "slope",
        "event_curve",
        "fan",
        "survival_curves",
        "line_with_gap",
    ],
    "flows": ["state_flow", "bubble_map", "entity_map", "radar"],
    "groups": ["funnel_plot", "profile_bars", "upset"],
    "population": ["pyramid", "overlap_curves"],
    "cards": ["fact_cards"],
    "models": ["reliability", "lift_curve", "gain_curve", "frontier", "lorenz", "uniqueness_curve"],
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"course_utils.charts.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'course_utils.charts' has no attribute {name!r}", name=name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
