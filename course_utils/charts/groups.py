"""Pictures of groups: units in a funnel of luck, size with profile, tags that meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.charts import base, scales, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def funnel_plot(
    table: pd.DataFrame,
    size: str = "n",
    value: str = "rate",
    limits: Mapping[str, tuple[str, str]] | None = None,
    center: float | None = None,
    unit: str | None = "%",
    size_label: str = "户数",
    label: Sequence[object] = (),
) -> Figure:
    """Draw units by size and result inside the limits that luck alone would keep.

    Parameters
    ----------
    table : DataFrame
        Index = unit (branch, grid, manager); columns ``size``, ``value`` and those of ``limits``.
    size, value : str
        Columns with the number of cases and with the result, in data units.
    limits : mapping, optional
        Name of a pair of limits -> its columns (low, high), each computed at the row's own size.
        Default: ``low_95``/``high_95`` and ``low_99.8``/``high_99.8`` of ``ranking.funnel``.
    center : float, optional
        Result of all units together.
    unit : str
        Display unit of the result; ``%`` expects ratios.
    size_label : str
        What the size counts.
    label : sequence
        Units whose names are written beside their dots.

    Returns
    -------
    Figure
    """
    if limits is None:
        limits = {"95% 界限": ("low_95", "high_95"), "99.8% 界限": ("low_99.8", "high_99.8")}
    base.need(table, [size, value, *[c for pair in limits.values() for c in pair]], "漏斗图")
    frame = table.dropna(subset=[size, value]).sort_values(size, kind="stable")
    base.need_rows(frame, "漏斗图")
    fig, ax = base.canvas()
    for (name, (low, high)), line in zip(limits.items(), ("--", ":", "-."), strict=False):
        for i, column in enumerate((low, high)):
            ax.plot(frame[size], frame[column], color=style.MUTED, linestyle=line, linewidth=1.4,
                    label=name if i == 0 else None)  # fmt: skip
    low, high = next(iter(limits.values()))
    outside = ((frame[value] < frame[low]) | (frame[value] > frame[high])).to_numpy()
    for hit, color, text in (
        (~outside, style.BLUE, "界限以内"),
        (outside, style.NEGATIVE, "界限以外"),
    ):
        if hit.any():
            ax.scatter(frame.loc[hit, size], frame.loc[hit, value], color=color, s=46, zorder=3,
                       edgecolors="white", linewidths=0.6, label=text)  # fmt: skip
    if center is not None:
        ax.axhline(center, color=style.INK, linewidth=1.2, label="平均")
    for unit_name in label:
        if unit_name in frame.index:
            row = frame.loc[unit_name]
            ax.annotate(base.label_of(unit_name), (row[size], row[value]), (6, 4),
                        textcoords="offset points", fontsize="small", zorder=4)  # fmt: skip
    ax.set_xlabel(size_label)
    ax.grid(axis="both")
    base.money_axis(ax, unit)
    base.legend_outside(ax)
    return fig


def profile_bars(
    table: pd.DataFrame,
    bar: str,
    lines: Mapping[str, str | None],
    unit: str | None = "%",
    label: str = "",
) -> Figure:
    """Draw how large each group is and, below, how its profile changes from group to group.

    Parameters
    ----------
    table : DataFrame
        Index = ordered groups; one column a measure.
    bar : str
        Column of the size, drawn as bars.
    lines : mapping
        Column of a profile measure -> its display unit; one small panel each.
    unit : str
        Display unit of the bars.
    label : str
        What the groups are.

    Returns
    -------
    Figure
    """
    base.need(table, [bar, *lines], "分组画像图")
    base.need_rows(table, "分组画像图")
    fig, axes = base.panels(1, 1 + len(lines), height=0.85, width=1.15)
    x = np.arange(len(table))
    for ax, (name, scale) in zip(axes, {bar: unit, **lines}.items(), strict=True):
        values = table[name].to_numpy(dtype=float)
        if name == bar:
            ax.bar(x, values, color=style.BLUE, width=0.7)
        else:
            ax.plot(x, values, "o-", color=style.NEGATIVE, linewidth=2)
        for at, number in zip(x, values, strict=True):
            if np.isfinite(number):
                text = scales.number(number / base.divisor(scale) if scale != "%" else number * 100)
                ax.annotate(text, (at, number), (0, 6), textcoords="offset points", ha="center",
                            fontsize="small")  # fmt: skip
        ax.set_title(str(name) + (f"（{scale}）" if scale else ""), fontsize="medium")
        ax.set_xticks(x, [base.label_of(v) for v in table.index], rotation=45)
        ax.set_ylim(0, (np.nanmax(values) or 1.0) * 1.2 if np.isfinite(values).any() else 1.0)
        ax.tick_params(axis="y", labelleft=False)
        ax.set_xlabel(label)
    return fig


def upset(
    counts: pd.DataFrame,
    sets: Sequence[str],
    value: str = "n",
    color: str | None = None,
    color_label: str = "",
    unit: str | None = "户",
    color_unit: str | None = "%",
) -> Figure:
    """Draw combinations of tags: bars for their size, dots below for which tags are in.

    Parameters
    ----------
    counts : DataFrame
        One row a combination, in the order to draw; boolean columns ``sets``, the size ``value``.
    sets : sequence of str
        Tags, top to bottom.
    value : str
        Column with the height of the bar.
    color : str, optional
        Column written above the bar and used for its colour (a rate); missing stays grey.
    color_label : str
        Name of that column.
    unit, color_unit : str
        Display units.

    Returns
    -------
    Figure
    """
    base.need(counts, [*sets, value, *([color] if color else [])], "组合图")
    base.need_rows(counts, "组合图")
    from course_utils.charts.heat import _colormap

    ratio = [2.2, max(0.5, 0.26 * len(sets))]
    fig, (top, low) = base.panels(
        2, 1, height=1.05, sharex=True, gridspec_kw={"height_ratios": ratio, "hspace": 0.06}
    )
    x = np.arange(len(counts))
    heights = counts[value].to_numpy(dtype=float)
    rate = counts[color].to_numpy(dtype=float) if color else np.full(len(counts), np.nan)
    span = np.nanmax(rate) - np.nanmin(rate) if np.isfinite(rate).any() else 0.0
    tone = (rate - np.nanmin(rate)) / span if span else np.full(len(counts), 0.6)
    paint = [
        _colormap(None)(0.25 + 0.7 * t) if np.isfinite(r) else style.GREY
        for t, r in zip(tone, rate, strict=True)
    ]
    top.bar(x, heights, color=paint if color else style.BLUE, width=0.72)
    for at, height, number in zip(x, heights, rate, strict=True):
        words = scales.number(height / base.divisor(unit))
        if color and np.isfinite(number):
            share = number * 100 if color_unit == "%" else number / base.divisor(color_unit)
            words = f"{scales.number(share)}{color_unit or ''}\n{words}"
        top.annotate(words, (at, height), (0, 4), textcoords="offset points", ha="center",
                     fontsize="small")  # fmt: skip
    top.set_ylim(0, heights.max() * 1.25)
    base.money_axis(top, unit)
    inside = counts[list(sets)].to_numpy(dtype=bool)
    for row in range(len(sets)):
        low.scatter(x, np.full(len(x), row), s=70, color="#DDDDDD", zorder=2)
        low.scatter(x[inside[:, row]], np.full(inside[:, row].sum(), row), s=70, color=style.INK,
                    zorder=3)  # fmt: skip
    for at in x:
        rows = np.flatnonzero(inside[at])
        if len(rows) > 1:
            low.plot([at, at], [rows.min(), rows.max()], color=style.INK, linewidth=2, zorder=2)
    low.set_yticks(range(len(sets)), list(sets))
    low.set_ylim(len(sets) - 0.5, -0.5)
    low.set_xticks([])
    low.grid(visible=False)
    if color_label:
        top.set_title(f"柱上第一行：{color_label}", loc="right", fontsize="small")
    return fig
