"""Bars: stacked ladder, intervals, waterfall, histogram, forest, funnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from course_utils.charts import base, scales, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def stacked_ladder(
    table: pd.DataFrame,
    unit: str | None = "万元",
    legend: str | None = None,
    colors: Mapping[Any, str] | list[str] | None = None,
    totals: bool = True,
    line: float | None = None,
    line_label: str = "",
) -> Figure:
    """Draw stacked columns, e.g. maturities by month (rows) and tier (columns).

    Parameters
    ----------
    table : DataFrame
        Index = steps of the ladder (months, buckets), columns = layers, values in 元 (or counts).
    unit : str
        Display unit of the axis: 万元, 亿元, %, 户 ….
    legend : str, optional
        Title of the legend.
    colors : mapping or list, optional
        Colours of the layers; ordered layers (T0…T5) get ordered colours.
    totals : bool
        Write the total on top of every column.
    line : float, optional
        Horizontal reference in data units (capacity, target).
    line_label : str
        Its name in the legend.

    Returns
    -------
    Figure
    """
    base.need_rows(table, "到期阶梯图")
    fig, ax = base.canvas()
    frame = table.fillna(0.0)
    palette = style.colors_for(frame.columns, colors)
    positions = np.arange(len(frame))
    foot = np.zeros(len(frame))
    for name in frame.columns:
        values = frame[name].to_numpy(dtype=float)
        ax.bar(
            positions,
            values,
            bottom=foot,
            color=palette[name],
            width=0.78,
            label=str(name),
            edgecolor="white",
        )
        foot = foot + values
    if totals and len(frame) <= 24:
        for x, total in zip(positions, foot, strict=True):
            text = scales.number(total / base.divisor(unit))
            ax.annotate(text, (x, total), (0, 3), textcoords="offset points", ha="center")
    if line is not None:
        ax.axhline(line, color=style.INK, linestyle="--", linewidth=1.4, label=line_label or None)
    ax.set_xticks(positions, [base.label_of(v) for v in frame.index])
    if len(frame) > 8:
        ax.tick_params(axis="x", rotation=45)
    base.money_axis(ax, unit)
    if frame.shape[1] > 1 or line_label:
        base.legend_outside(ax, legend, reverse=True)
    return fig


def bars_with_interval(
    table: pd.DataFrame,
    value: str = "rate",
    low: str = "low",
    high: str = "high",
    label: str | None = None,
    group: str | None = None,
    unit: str | None = "%",
    count: str | None = None,
    reference: float | None = None,
    reference_label: str = "",
) -> Figure:
    """Draw horizontal bars with confidence intervals.

    Parameters
    ----------
    table : DataFrame
        One row a bar (and group).
    value, low, high : str
        Columns with the estimate and the limits of its interval, in data units.
    label : str, optional
        Column with the bar's name; default: the index.
    group : str, optional
        Column that splits every bar into two or more, side by side.
    unit : str
        Display unit of the axis; ``%`` expects ratios.
    count : str, optional
        Column with the number of cases, written beside the name as n=….
    reference : float, optional
        Vertical line (overall mean, zero effect).
    reference_label : str
        Its name in the legend.

    Returns
    -------
    Figure
    """
    columns = [value, low, high, *[c for c in (label, group, count) if c]]
    base.need(table, columns, "带置信区间的条形图")
    frame = table.reset_index(drop=True) if label else table.reset_index()
    name_column = label or str(frame.columns[0])
    names = list(dict.fromkeys(frame[name_column]))
    groups = list(dict.fromkeys(frame[group])) if group else [None]
    palette = style.colors_for([str(g) for g in groups])
    fig, ax = base.canvas(height=max(0.6, 0.2 + 0.11 * len(names) * max(1, 0.75 * len(groups))))
    thick = 0.78 / len(groups)
    for i, which in enumerate(groups):
        part = frame if group is None else frame[frame[group] == which]
        row = part[name_column].map({n: k for k, n in enumerate(names)}).to_numpy(dtype=float)
        y = row - 0.39 + thick * (i + 0.5)
        middle = part[value].to_numpy(dtype=float)
        error = np.vstack([middle - part[low].to_numpy(float), part[high].to_numpy(float) - middle])
        color = style.BLUE if group is None else palette[str(which)]
        ax.barh(y, middle, thick * 0.9, color=color, label=None if group is None else str(which))
        ax.errorbar(middle, y, xerr=np.clip(error, 0, None), fmt="none", ecolor=style.INK,
                    capsize=3, elinewidth=1.3)  # fmt: skip
    texts = [str(n) for n in names]
    if count:
        sizes = frame.groupby(name_column, sort=False, observed=True)[count].sum()
        texts = [f"{n}（n={int(sizes[n]):,}）" for n in names]
    ax.set_yticks(range(len(names)), texts)
    ax.invert_yaxis()
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
    if reference is not None:
        ax.axvline(reference, color=style.INK, linestyle="--", linewidth=1.3,
                   label=reference_label or None)  # fmt: skip
    base.money_axis(ax, unit, "x")
    if group or reference_label:
        base.legend_outside(ax)
    return fig


def waterfall(
    steps: pd.Series | Sequence[tuple[str, float]],
    start: float | None = None,
    start_label: str = "期初",
    end_label: str = "期末",
    unit: str | None = "万元",
) -> Figure:
    """Draw how a start value becomes an end value, one contribution a step.

    Parameters
    ----------
    steps : Series or list of (label, value)
        Contributions in data units.
    start : float, optional
        Start value; without it the picture begins at zero and shows the total at the end.
    start_label, end_label : str
        Names of the first and the last column.
    unit : str
        万元, 亿元, % (ratios; labels in percentage points), 基点 or another word.

    Returns
    -------
    Figure
    """
    items = list(steps.items()) if isinstance(steps, pd.Series) else list(steps)
    base.need_rows(pd.Series(items, dtype=object), "瀑布图")
    fig, ax = base.canvas()
    level = float(start or 0.0)
    labels: list[str] = []
    scale = base.divisor(unit)
    if start is not None:
        ax.bar(0, level, color=style.GREY, width=0.62)
        ax.annotate(scales.number(level / scale), (0, level), (0, 3), ha="center",
                    textcoords="offset points")  # fmt: skip
        labels.append(start_label)
    tops = [level]
    for name, change in items:
        change = float(change)
        x = len(labels)
        color = style.POSITIVE if change >= 0 else style.NEGATIVE
        ax.bar(x, change, bottom=level, color=color, width=0.62)
        if x:
            ax.plot([x - 0.69, x + 0.31], [level, level], color=style.MUTED, linewidth=0.9)
        sign = "+" if change >= 0 else ""
        ax.annotate(f"{sign}{scales.number(change / scale)}", (x, max(level, level + change)),
                    (0, 3), textcoords="offset points", ha="center")  # fmt: skip
        level += change
        tops.append(level)
        labels.append(str(name))
    ax.bar(len(labels), level, color=style.GREY, width=0.62)
    ax.annotate(scales.number(level / scale), (len(labels), max(level, 0)), (0, 3), ha="center",
                textcoords="offset points")  # fmt: skip
    labels.append(end_label)
    low, high = min(tops), max(tops)
    if start is not None and low > 0 and high - low < 0.4 * high:
        ax.set_ylim(low - 0.8 * (high - low or high * 0.05), high + 0.3 * (high - low or high))
        ax.set_title("纵轴未从 0 开始", loc="right")
    elif low < 0 or start is None:
        room = 0.08 * (max(high, 0.0) - min(low, 0.0) or 1.0)
        ax.set_ylim(min(low, 0.0) - (room if low < 0 else 0.0), max(high, 0.0) + room)
    ax.axhline(0, color=style.INK, linewidth=0.8)
    ax.set_xticks(range(len(labels)), labels)
    if max(len(t) for t in labels) * len(labels) > 46:
        ax.tick_params(axis="x", rotation=30)
    base.money_axis(ax, unit)
    return fig


def histogram(
    values: pd.Series | np.ndarray,
    bins: int | Sequence[float] = 20,
    unit: str | None = None,
    cuts: Mapping[str, float] | None = None,
    weights: pd.Series | np.ndarray | None = None,
) -> Figure:
    """Draw a distribution with named vertical lines.

    Parameters
    ----------
    values : Series
        Values in data units; missing ones are left out.
    bins : int or edges
        As for :func:`numpy.histogram`.
    unit : str, optional
        Display unit of the x axis.
    cuts : mapping, optional
        name -> position of a vertical line.
    weights : Series, optional
        Sampling weights of the same length.

    Returns
    -------
    Figure
    """
    data = np.asarray(values, dtype=float)
    keep = np.isfinite(data)
    base.need_rows(pd.Series(data[keep]), "直方图")
    fig, ax = base.canvas()
    weight = None if weights is None else np.asarray(weights, dtype=float)[keep]
    ax.hist(data[keep], bins=bins, weights=weight, color=style.BLUE, edgecolor="white")
    for i, (name, position) in enumerate((cuts or {}).items()):
        color = style.PALETTE[(i + 1) % len(style.PALETTE)]
        ax.axvline(position, color=color, linestyle="--", label=name)
    if cuts:
        base.legend_outside(ax)
    base.money_axis(ax, unit, "x")
    scales.scaled(ax, "y", label="数量")
    if weight is None:  # whole things are counted
        ax.yaxis.get_major_locator().set_params(integer=True)
    return fig


def forest(
    table: pd.DataFrame,
    value: str = "estimate",
    low: str = "low",
    high: str = "high",
    label: str | None = None,
    group: str | None = None,
    reference: float = 0.0,
    unit: str | None = None,
    log: bool = False,
) -> Figure:
    """Draw estimates with intervals as points (odds ratios: ``log=True, reference=1``).

    Parameters
    ----------
    table : DataFrame
        One row an estimate (and group).
    value, low, high : str
        Columns with the estimate and the limits of its interval.
    label, group : str, optional
        Columns with the row's name (default: index) and with e.g. 原始/调整后.
    reference : float
        Value of no effect.
    unit : str, optional
        Display unit of the x axis.
    log : bool
        Logarithmic x axis.

    Returns
    -------
    Figure
    """
    base.need(table, [value, low, high, *[c for c in (label, group) if c]], "森林图")
    frame = table.reset_index(drop=True) if label else table.reset_index()
    name_column = label or str(frame.columns[0])
    names = list(dict.fromkeys(frame[name_column]))
    groups = list(dict.fromkeys(frame[group])) if group else [None]
    palette = style.colors_for([str(g) for g in groups])
    fig, ax = base.canvas(height=max(0.55, 0.2 + 0.1 * len(names)))
    for i, which in enumerate(groups):
        part = frame if group is None else frame[frame[group] == which]
        shift = (i - (len(groups) - 1) / 2) * 0.24
        y = part[name_column].map({n: k for k, n in enumerate(names)}).to_numpy(float) + shift
        middle = part[value].to_numpy(float)
        error = np.vstack([middle - part[low].to_numpy(float), part[high].to_numpy(float) - middle])
        color = style.BLUE if group is None else palette[str(which)]
        ax.errorbar(middle, y, xerr=np.clip(error, 0, None), fmt="o", color=color, capsize=3,
                    label=None if group is None else str(which))  # fmt: skip
    ax.axvline(reference, color=style.INK, linestyle="--", linewidth=1.2)
    if log:
        _ratio_ticks(ax)
    ax.set_yticks(range(len(names)), [str(n) for n in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
    if not log:
        base.money_axis(ax, unit, "x")
    elif unit:
        ax.set_xlabel(unit)
    if group:
        base.legend_outside(ax)
    return fig


def _ratio_ticks(ax: Axes) -> None:
    """Make the x axis logarithmic with round ratios as ticks (0.5, 1, 2 …)."""
    from matplotlib.ticker import NullFormatter, NullLocator

    ax.set_xscale("log")
    low, high = ax.get_xlim()
    choices = [0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 10, 20, 50]
    ticks = [v for v in choices if low <= v <= high]
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(ticks, [f"{v:g}" for v in ticks])


def funnel_steps(counts: pd.Series, compare: pd.Series | None = None) -> Figure:
    """Draw a list funnel: counts a step, rate from step to step.

    Parameters
    ----------
    counts : Series
        Index = steps in order, values = customers left (never rising).
    compare : Series, optional
        Step rates of a reference funnel (ratio of the step before), written beside.

    Returns
    -------
    Figure
    """
    base.need_rows(counts, "漏斗图")
    fig, ax = base.canvas(height=max(0.7, 0.13 * len(counts)))
    values = counts.to_numpy(dtype=float)
    top = values[0] or 1.0
    y = np.arange(len(values))
    ax.barh(y, values, left=(top - values) / 2, color=style.BLUE, height=0.72)
    for i, (name, value) in enumerate(counts.items()):
        text = f"{value:,.0f}"
        if i and values[i - 1]:
            text += f"　上一步的 {value / values[i - 1]:.1%}"
        if compare is not None and name in compare.index and i:
            text += f"（参照 {compare[name]:.1%}）"
        ax.annotate(text, (top * 1.03, i), va="center", annotation_clip=False)
    ax.set_yticks(y, [str(n) for n in counts.index])
    ax.invert_yaxis()
    ax.set_xlim(0, top * 1.6)
    ax.set_xticks([])
    ax.grid(visible=False)
    for side in ("bottom", "left"):
        ax.spines[side].set_visible(False)
    return fig
