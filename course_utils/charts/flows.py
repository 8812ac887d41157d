"""Relations: state flow, bubble map, entity map, radar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from course_utils.charts import base, style
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = 0.09


def state_flow(
    flows: pd.DataFrame | Sequence[pd.DataFrame],
    labels: Sequence[str] | None = None,
    order: Sequence[Any] | None = None,
    colors: Mapping[Any, str] | None = None,
    minimum: float = 0.0,
    unit: str = "户",
) -> Figure:
    """Draw how units move between states over two or more points in time (alluvial diagram).

    Parameters
    ----------
    flows : DataFrame or list of DataFrame
        One matrix a step: index = state before, columns = state after, values = units.
    labels : sequence of str, optional
        Names of the points in time (one more than there are matrices).
    order : sequence, optional
        States from top to bottom; default: as they appear.
    colors : mapping, optional
        state -> colour.
    minimum : float
        Streams smaller than this share of the total are not drawn.
    unit : str
        Word after the numbers.

    Returns
    -------
    Figure
    """
    steps = [flows] if isinstance(flows, pd.DataFrame) else list(flows)
    if not steps or any(step.size == 0 for step in steps):
        raise CourseError("画状态流向图的转移表是空的，请先检查两个时点是否都有客户。")
    states = list(order or dict.fromkeys(s for m in steps for s in [*m.index, *m.columns]))
    palette = style.colors_for(states, colors)
    fig, ax = base.canvas(height=1.1)
    total = max(float(step.to_numpy(float).sum()) for step in steps)
    gap = 0.03 * total
    last = len(steps)
    for i, step in enumerate(steps):
        matrix = step.reindex(index=states, columns=states).fillna(0.0).to_numpy(float)
        left = _foot(matrix.sum(axis=1), gap)
        right_size = matrix.sum(axis=0)
        if i + 1 < last:
            after = steps[i + 1].reindex(index=states, columns=states).fillna(0.0)
            right_size = np.maximum(right_size, after.to_numpy(float).sum(axis=1))
        right = _foot(right_size, gap)
        _streams(ax, matrix, left, right, i, states, palette, minimum * total)
        _columns(ax, i, matrix.sum(axis=1), left, states, palette, "right", unit, i == 0)
        if i + 1 == last:
            _columns(ax, i + 1, matrix.sum(axis=0), right, states, palette, "left", unit, True)
    ax.set_xlim(-0.42, last + 0.42)
    ax.invert_yaxis()
    ax.set_axis_off()
    for i, name in enumerate(labels or []):
        ax.annotate(str(name), (i, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 4),
                    textcoords="offset points", ha="center", color=style.MUTED)  # fmt: skip
    return fig


def _foot(sizes: np.ndarray, gap: float) -> np.ndarray:
    spaces = np.where(sizes > 0, gap, 0.0)
    return np.concatenate([[0.0], np.cumsum(sizes + spaces)[:-1]])


def _streams(
    ax: Axes,
    matrix: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    x: int,
    states: list[Any],
    palette: Mapping[Any, str],
    minimum: float,
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    start, goal = left.copy(), right.copy()
    x0, x1 = x + _BAR / 2, x + 1 - _BAR / 2
    mid = (x0 + x1) / 2
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    for i, j in np.ndindex(matrix.shape):
        size = matrix[i, j]
        if size <= 0:
            continue
        a, b = start[i], goal[j]
        start[i] += size
        goal[j] += size
        if size < minimum:
            continue
        points = [(x0, a), (mid, a), (mid, b), (x1, b), (x1, b + size), (mid, b + size),
                  (mid, a + size), (x0, a + size), (x0, a)]  # fmt: skip
        ax.add_patch(PathPatch(Path(points, codes), facecolor=palette[states[i]], alpha=0.42, lw=0))


def _columns(
    ax: Axes,
    x: int,
    sizes: np.ndarray,
    foot: np.ndarray,
    states: list[Any],
    palette: Mapping[Any, str],
    side: str,
    unit: str,
    text: bool,
) -> None:
    for size, start, state in zip(sizes, foot, states, strict=True):
        if size <= 0:
            continue
        ax.barh(start + size / 2, _BAR, size, left=x - _BAR / 2, color=palette[state], lw=0)
        if text:
            shift = -0.07 if side == "right" else 0.07
            words = f"{state} {base.scales.number(float(size))}{unit}"
            ax.text(x + shift, start + size / 2, words, ha=side, va="center")


def bubble_map(
    table: pd.DataFrame,
    x: str,
    y: str,
    size: str | None = None,
    color: str | None = None,
    label: str | None = None,
    x_unit: str | None = None,
    y_unit: str | None = None,
    color_label: str | None = None,
    cut_x: float | None = None,
    cut_y: float | None = None,
    log: bool = False,
) -> Figure:
    """Draw value × potential (or any two measures) as bubbles; colour for the relation.

    Parameters
    ----------
    table : DataFrame
        One row a customer, branch or segment.
    x, y : str
        Columns of the position.
    size : str, optional
        Column of the area.
    color : str, optional
        Column of the colour: numbers get a scale, words get categories.
    label : str, optional
        Column of the words written beside (leave empty above 40 rows).
    x_unit, y_unit : str, optional
        Display units.
    color_label : str, optional
        Title of the colour scale or legend.
    cut_x, cut_y : float, optional
        Lines that divide the map into quadrants.
    log : bool
        Logarithmic axes (only positive values are drawn).

    Returns
    -------
    Figure
    """
    base.need(table, [x, y, *[c for c in (size, color, label) if c]], "气泡图")
    frame = table.dropna(subset=[x, y])
    if log:
        frame = frame[(frame[x] > 0) & (frame[y] > 0)]
    base.need_rows(frame, "气泡图")
    fig, ax = base.canvas(height=1.15)
    area = np.full(len(frame), 60.0 if len(frame) < 300 else 16.0)
    if size:
        raw = frame[size].clip(lower=0).fillna(0).to_numpy(float)
        area = 14 + 560 * raw / (raw.max() or 1.0)
    options = {"s": area, "alpha": 0.75, "edgecolors": "white", "linewidths": 0.6, "zorder": 3}
    if color and pd.api.types.is_numeric_dtype(frame[color]):
        from course_utils.charts.heat import _colormap

        dots = ax.scatter(frame[x], frame[y], c=frame[color], cmap=_colormap(None), **options)
        bar = fig.colorbar(dots, ax=ax, fraction=0.03, pad=0.01)
        bar.outline.set_visible(False)
        bar.set_label(color_label or color)
    elif color:
        palette = style.colors_for(list(dict.fromkeys(frame[color])))
        for name in palette:
            hit = (frame[color] == name).to_numpy()
            options["s"] = area[hit]
            ax.scatter(frame.loc[hit, x], frame.loc[hit, y], color=palette[name], label=str(name),
                       **options)  # fmt: skip
        base.legend_outside(ax, color_label)
    else:
        ax.scatter(frame[x], frame[y], color=style.BLUE, **options)
    if log:
        ax.set_xscale("log")
        ax.set_yscale("log")
    for place, draw in ((cut_x, ax.axvline), (cut_y, ax.axhline)):
        if place is not None:
            draw(place, color=style.MUTED, linestyle="--", linewidth=1.2)
    if label:
        for _, row in frame.iterrows():
            ax.annotate(str(row[label]), (row[x], row[y]), (5, 5), textcoords="offset points",
                        fontsize="small", zorder=4)  # fmt: skip
    ax.grid(axis="both")
    base.money_axis(ax, x_unit, "x")
    base.money_axis(ax, y_unit, "y")
    return fig


def entity_map(
    tables: Mapping[str, Sequence[str]],
    links: Sequence[tuple[str, str, str]],
    columns: int = 4,
    groups: Mapping[str, str] | None = None,
) -> Figure:
    """Draw tables as boxes and their keys as lines.

    Parameters
    ----------
    tables : mapping
        Chinese table name -> the few columns to show.
    links : sequence of (table, table, key)
        Which tables join by which key.
    columns : int
        Boxes in a row.
    groups : mapping, optional
        table -> group; a group has one colour.

    Returns
    -------
    Figure
    """
    from matplotlib.patches import FancyBboxPatch

    names = list(tables)
    if not names:
        raise CourseError("画数据地图至少要有一张表，请检查传入的表名。")
    rows = -(-len(names) // columns)
    deep = max(len(c) for c in tables.values())
    high = 0.55 + 0.3 * deep
    fig, ax = base.canvas(height=max(0.8, 0.17 * rows * (high + 0.8)), width=1.1)
    center = {n: ((i % columns) * 2.6, (i // columns) * (high + 0.8)) for i, n in enumerate(names)}
    palette = style.colors_for(list(dict.fromkeys((groups or {}).values()))) if groups else {}
    for first, second, _ in links:
        if first not in center or second not in center:
            lost = first if first not in center else second
            raise CourseError(f"数据地图里没有表“{lost}”，请检查连线的表名。")
    paths = [_link_path(center[first], center[second], high) for first, second, _ in links]
    boxes = np.array(list(center.values())) + np.array([0.0, high / 2])
    taken: list[np.ndarray] = []
    for i, (path, (_, _, key)) in enumerate(zip(paths, links, strict=True)):
        ax.plot(path[:, 0], path[:, 1], color=style.NEUTRAL, zorder=1)
        place = _label_place(path, paths[:i] + paths[i + 1 :], boxes, high, taken)
        taken.append(place)
        blank = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        words = {"fontsize": "small", "color": style.MUTED, "bbox": blank}
        ax.text(*place, key, ha="center", va="center", zorder=4, **words)
    for name, (x, y) in center.items():
        color = palette.get((groups or {}).get(name, ""), style.BLUE)
        ax.add_patch(FancyBboxPatch((x - 0.95, y), 1.9, high, boxstyle="round,pad=0.04",
                     facecolor="white", edgecolor=color, linewidth=1.8, zorder=2))  # fmt: skip
        ax.text(x, y + 0.28, name, ha="center", va="center", color=color, zorder=3)
        for i, column in enumerate(tables[name]):
            ax.text(x, y + 0.65 + 0.3 * i, column, ha="center", va="center", fontsize="small",
                    zorder=3)  # fmt: skip
    ax.set_xlim(-1.2, (min(columns, len(names)) - 1) * 2.6 + 1.2)
    ax.set_ylim(rows * (high + 0.8) - 0.5, -0.75)
    ax.set_axis_off()
    return fig


def _link_path(start: tuple[float, float], goal: tuple[float, float], high: float) -> np.ndarray:
    """Return the points of one key's line (rows of x, y); a link that skips a box passes above."""
    (x0, y0), (x1, y1) = sorted((start, goal))
    lift = high / 2 + 0.3 if y0 == y1 and x1 - x0 > 2.7 else 0.0
    t = np.linspace(0, 1, 81)
    y = y0 + (y1 - y0) * t + high / 2 - lift * np.minimum(1.0, 6 * np.minimum(t, 1 - t))
    return np.column_stack([x0 + (x1 - x0) * t, y])


def _label_place(
    path: np.ndarray,
    others: Sequence[np.ndarray],
    boxes: np.ndarray,
    high: float,
    taken: Sequence[np.ndarray],
) -> np.ndarray:
    """Return the point of a line where its name covers no box, no other name and no other line."""
    best, least = path[40], np.inf
    for step in sorted(range(8, 73, 2), key=lambda k: abs(k - 40)):
        point = path[step]
        apart = np.abs(boxes - point)
        cost = 100.0 * ((apart[:, 0] < 1.0) & (apart[:, 1] < high / 2 + 0.14)).sum()
        cost += 10.0 * sum(bool((np.abs(spot - point) < [0.5, 0.3]).all()) for spot in taken)
        near = (np.abs(line - point) < [0.25, 0.14] for line in others)
        cost += sum(bool(hit.all(axis=1).any()) for hit in near)
        if cost < least:
            best, least = point, cost
    return best


def radar(
    table: pd.DataFrame, high: float = 100.0, highlight: Sequence[Any] | None = None
) -> Figure:
    """Draw scores on spokes, one polygon a row.

    Parameters
    ----------
    table : DataFrame
        Index = units (branches), columns = scores from 0 to ``high``.
    high : float
        Full score.
    highlight : sequence, optional
        Rows drawn in colour, the others in thin grey; default: all rows up to five.

    Returns
    -------
    Figure
    """
    base.need_rows(table, "雷达图")
    if table.shape[1] < 3:
        raise CourseError("雷达图至少要有三项指标，请增加列或改用条形图。")
    strong = list(table.index[:5]) if highlight is None else list(highlight)
    angles = np.linspace(0, 2 * np.pi, table.shape[1], endpoint=False)
    fig, axes = base.panels(1, 1, height=1.15, subplot_kw={"projection": "polar"})
    ax = axes[0]
    ax.set_theta_offset(np.pi / 2)
    ax.set_theta_direction(-1)
    closed = np.append(angles, angles[0])
    for name in [n for n in table.index if n not in strong]:
        ring = np.append(table.loc[name].to_numpy(float), float(table.loc[name].iloc[0]))
        ax.plot(closed, ring, color=style.GRID, linewidth=0.9, zorder=1)
    for i, name in enumerate(strong):
        ring = np.append(table.loc[name].to_numpy(float), float(table.loc[name].iloc[0]))
        color = style.PALETTE[i % len(style.PALETTE)]
        ax.plot(closed, ring, color=color, label=str(name), zorder=3)
        ax.fill(closed, ring, color=color, alpha=0.08, zorder=2)
    ax.set_xticks(angles, [str(c) for c in table.columns])
    ax.tick_params(axis="x", pad=10)
    ax.set_ylim(0, high)
    ax.set_yticks(np.linspace(0, high, 5)[1:])
    ax.tick_params(axis="y", labelsize="x-small", labelcolor=style.MUTED)
    ax.grid(visible=True)
    ax.legend(loc="upper left", bbox_to_anchor=(1.12, 1.0))
    return fig
