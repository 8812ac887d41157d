"""Bundled Chinese font, theme and colours.

The font travels with the package, so a chart looks the same on a trainee's laptop, in class and in
CI, and nothing has to be installed.  It is registered with :func:`addfont` at run time; the font
cache of matplotlib, which may be stale, is not consulted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError

FONT_FAMILY = "Course Sans SC"
FONT_FILE = Path(__file__).with_name("font") / "CourseSansSC.otf"
FAMILIES = [FONT_FAMILY, "DejaVu Sans"]

INK = "#222222"
MUTED = "#5F6670"
GRID = "#D9DCE1"
PAPER = "#FFFFFF"

# Okabe & Ito (2008), the yellow darkened so that it can be read on white.
PALETTE = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#8A7A00", "#5F6670"]
BLUE, ORANGE, GREEN, RED, SKY, PINK, OLIVE, GREY = PALETTE
POSITIVE, NEGATIVE, NEUTRAL = BLUE, RED, "#9AA1AB"

# Six tiers, light to dark: the order can be read in black and white, too.
TIER_COLORS = ["#D7E6F4", "#A6CBE6", "#6CAAD3", "#3583B8", "#125A91", "#08315C"]
STATE_COLORS = {
    "稳定": BLUE,
    "预警": "#F0C75E",
    "半流失": "#E07B1A",
    "流失": "#A83200",
    "沉默": GREY,
}
LEVEL_COLORS = {"红": "#A83200", "橙": "#E07B1A", "黄": "#F0C75E", "蓝": SKY, "绿": GREEN}

_MEDIA: dict[str, dict[str, float]] = {
    "screen": {"base": 12.0, "dpi": 110.0, "width": 9.6, "height": 5.2},
    "projector": {"base": 14.5, "dpi": 110.0, "width": 10.6, "height": 5.9},
    "print": {"base": 9.0, "dpi": 200.0, "width": 6.7, "height": 3.8},
}


def register_font() -> str:
    """Make the bundled font known to matplotlib in this process.

    Returns
    -------
    str
        Path of the font file that matplotlib now uses for :data:`FONT_FAMILY`.

    Raises
    ------
    CourseError
        The font file is missing from the installed package.
    """
    from matplotlib import font_manager

    if not FONT_FILE.is_file():
        raise CourseError(
            f"找不到随课程安装的中文字体 {FONT_FILE.name}，请重新安装 course_utils 后再画图。"
        )
    manager = font_manager.fontManager
    if not any(Path(entry.fname) == FONT_FILE for entry in manager.ttflist):
        manager.ttflist = [entry for entry in manager.ttflist if entry.name != FONT_FAMILY]
        manager.addfont(str(FONT_FILE))
    return str(font_manager.findfont(FONT_FAMILY, fallback_to_default=False))


def settings(medium: str = "screen") -> dict[str, Any]:
    """Return the rcParams of the course for one medium.

    Parameters
    ----------
    medium : {"screen", "projector", "print"}
        Where the picture will be read.

    Returns
    -------
    dict
        Can be passed to ``seaborn.set_theme(rc=...)``, which otherwise resets the font.

    Raises
    ------
    CourseError
        Unknown medium.
    """
    from cycler import cycler

    if medium not in _MEDIA:
        raise CourseError(f"图表主题没有“{medium}”，请从 {'、'.join(_MEDIA)} 中选择。")
    size = _MEDIA[medium]
    base = size["base"]
    return {
        "font.family": list(FAMILIES),
        "font.size": base,
        "axes.unicode_minus": True,
        "axes.titlesize": base,
        "axes.titlelocation": "left",
        "axes.titlecolor": MUTED,
        "axes.labelsize": base,
        "axes.labelcolor": INK,
        "axes.edgecolor": MUTED,
        "axes.facecolor": PAPER,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=PALETTE),
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "xtick.labelsize": base * 0.92,
        "ytick.labelsize": base * 0.92,
        "xtick.color": INK,
        "ytick.color": INK,
        "text.color": INK,
        "legend.fontsize": base * 0.92,
        "legend.frameon": False,
        "lines.linewidth": 2.2,
        "lines.markersize": 6,
        "patch.linewidth": 0.6,
        "figure.titlesize": base * 1.3,
        "figure.figsize": (size["width"], size["height"]),
        "figure.dpi": size["dpi"],
        "figure.facecolor": PAPER,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.w_pad": 0.1,
        "savefig.dpi": "figure",
        "savefig.facecolor": PAPER,
        "svg.hashsalt": "course",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
    }


def theme(medium: str = "screen") -> None:
    """Apply the course theme: Chinese font, readable sizes, colour-blind-safe colours.

    Parameters
    ----------
    medium : {"screen", "projector", "print"}
        Where the picture will be read.
    """
    import matplotlib as mpl

    register_font()
    mpl.rcParams.update(settings(medium))


def ensure_theme() -> None:
    """Apply the screen theme unless a course theme is already active."""
    import matplotlib as mpl

    register_font()
    if FONT_FAMILY not in mpl.rcParams["font.family"]:
        mpl.rcParams.update(settings("screen"))


def colors_for(
    labels: Iterable[Any], given: Mapping[Any, str] | list[str] | None = None
) -> dict[Any, str]:
    """Assign a colour to every label; known words keep their meaning.

    Parameters
    ----------
    labels : iterable
        Categories in drawing order.
    given : mapping or list of str, optional
        Colours that take precedence.

    Returns
    -------
    dict
        label -> colour.  Churn states and warning levels have fixed colours, labels T0…T5 get the
        ordered tier colours, everything else takes the next colour of the palette.
    """
    names = list(labels)
    if isinstance(given, list):
        return {name: given[i % len(given)] for i, name in enumerate(names)}
    fixed: dict[Any, str] = {**STATE_COLORS, **LEVEL_COLORS}
    fixed.update({f"T{i}": color for i, color in enumerate(TIER_COLORS)})
    if given:
        fixed.update(given)
    chosen: dict[Any, str] = {}
    spare = [color for color in PALETTE if color not in {fixed.get(name) for name in names}]
    spare = spare or PALETTE
    for name in names:
        key = name if name in fixed else str(name)[:2]
        tier_like = isinstance(name, str) and key in fixed and key.startswith("T")
        if name in fixed or tier_like:
            chosen[name] = fixed[key]
        else:
            position = sum(1 for other in chosen if chosen[other] in spare)
            chosen[name] = spare[position % len(spare)]
    return chosen
