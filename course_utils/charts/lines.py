"""Lines: small multiples, ranks, slopes, event time, fans, survival, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from course_utils.charts import base, scales, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def small_multiples(
    table: pd.DataFrame,
    unit: str | None = "万元",
    columns: int = 3,
    same_scale: bool = False,
    highlight: Sequence[Any] = (),
    band: Mapping[Any, pd.DataFrame] | None = None,
) -> Figure:
    """Draw one small line chart a column of a table.

    Parameters
    ----------
    table : DataFrame
        Index = time (DatetimeIndex of month ends or event days), one column a panel, data units.
    unit : str
        Display unit of the y axes.
    columns : int
        Panels in a row.
    same_scale : bool
        Whether all panels share the y axis.
    highlight : sequence
        Panels drawn in the warning colour.
    band : mapping, optional
        panel -> frame with columns ``low`` and ``high`` on the same index.

    Returns
    -------
    Figure
    """
    base.need_rows(table, "小图组")
    rows = -(-table.shape[1] // columns)
    fig, axes = base.panels(
        rows, min(columns, table.shape[1]), height=max(0.8, 0.46 * rows), sharey=same_scale
    )
    for ax, name in zip(axes, table.columns, strict=False):
        color = style.NEGATIVE if name in highlight else style.BLUE
        ax.plot(table.index, table[name].to_numpy(float), color=color)
        if band and name in band:
            edge = band[name]
            ax.fill_between(edge.index, edge["low"], edge["high"], color=color, alpha=0.18, lw=0)
        last = table[name].last_valid_index()
        if last is not None:
            ax.plot([last], [table.loc[last, name]], "o", color=color)
        ax.set_title(str(name), loc="left", color=style.INK)
        base.money_axis(ax, unit)
        ax.set_ylabel("")
        base.date_axis(ax, table.index, 4)
        if isinstance(table.index, pd.DatetimeIndex):
            ax.tick_params(axis="x", rotation=30)
    for ax in axes[table.shape[1] :]:
        ax.set_axis_off()
    return fig


def _spread(positions: np.ndarray, gap: float) -> np.ndarray:
    """Move labels apart so that neighbours are at least ``gap`` from each other."""
    order = np.argsort(positions, kind="stable")
    placed = positions[order].astype(float)
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    excess = (placed - positions[order]).mean() if len(placed) else 0.0
    result = np.empty_like(placed)
    result[order] = placed - excess
    return result


def bump(table: pd.DataFrame, highlight: Sequence[Any] = (), already_ranks: bool = False) -> Figure:
    """Draw how ranks change over time.

    Parameters
    ----------
    table : DataFrame
        Index = time, one column a competitor, values (largest = rank 1) or ranks.
    highlight : sequence
        Columns in strong colour; the others stay grey.  Default: the best at the end.
    already_ranks : bool
        Values are ranks.

    Returns
    -------
    Figure
    """
    base.need_rows(table, "名次图")
    ranks = table if already_ranks else table.rank(axis=1, ascending=False, method="first")
    fig, ax = base.canvas()
    strong = list(highlight) or [ranks.iloc[-1].idxmin()]
    x = np.arange(len(ranks))
    for name in ranks.columns:
        hit = name in strong
        color = style.PALETTE[strong.index(name) % 8] if hit else style.NEUTRAL
        y = ranks[name].to_numpy(float)
        ax.plot(x, y, color=color, linewidth=3.2 if hit else 1.6, zorder=3 if hit else 2,
                marker="o", markersize=6 if hit else 3)  # fmt: skip
        if np.isfinite(y[-1]):
            ax.annotate(str(name), (x[-1], y[-1]), (8, 0), textcoords="offset points",
                        va="center", color=color if hit else style.MUTED)  # fmt: skip
    ax.grid(visible=False, axis="y")
    ax.set_ylim(ranks.to_numpy(float).max() + 0.6, 0.4)
    ax.set_yticks(range(1, int(np.nanmax(ranks.to_numpy(float))) + 1))
    ax.set_ylabel("名次")
    step = max(1, len(x) // 8)
    ax.set_xticks(x[::step], [base.label_of(v) for v in ranks.index[::step]])
    ax.set_xlim(-0.3, x[-1] + max(1.0, 0.16 * len(x)))
    return fig


def slope(
    table: pd.DataFrame,
    before: str,
    after: str,
    unit: str | None = "万元",
    highlight: Sequence[Any] = (),
    label: str | None = None,
) -> Figure:
    """Draw old against new as sloped lines, e.g. targets by two allocation methods.

    Parameters
    ----------
    table : DataFrame
        One row a unit with the two columns.
    before, after : str
        Column names; also written on the axis.
    unit : str
        Display unit.
    highlight : sequence
        Rows in strong colour (values of ``label`` or of the index); default: the three largest
        changes.
    label : str, optional
        Column with the name of the row; default: the index.

    Returns
    -------
    Figure
    """
    base.need(table, [before, after, *([label] if label else [])], "斜率图")
    frame = table.set_index(label) if label else table
    change = (frame[after] - frame[before]).abs()
    strong = list(highlight) or list(change.nlargest(3).index)
    fig, ax = base.canvas(height=1.25)
    span = np.ptp(frame[[before, after]].to_numpy(float)) or 1.0
    for name, row in frame.iterrows():
        hit = name in strong
        up = row[after] >= row[before]
        color = (style.POSITIVE if up else style.NEGATIVE) if hit else style.NEUTRAL
        ax.plot([0, 1], [row[before], row[after]], "o-", color=color,
                linewidth=2.6 if hit else 1.2, zorder=3 if hit else 2)  # fmt: skip
    shown = frame.loc[strong]
    for x, column, align in ((0, before, "right"), (1, after, "left")):
        places = _spread(shown[column].to_numpy(float), span * 0.05)
        for place, (name, row) in zip(places, shown.iterrows(), strict=True):
            shown_value = base.scales.number(row[column] / base.divisor(unit))
            ax.annotate(f"{name} {shown_value}", (x + (0.03 if x else -0.03), place), ha=align,
                        va="center", annotation_clip=False)  # fmt: skip
    ax.set_xlim(-0.55, 1.55)
    ax.set_xticks([0, 1], [before, after])
    base.money_axis(ax, unit)
    return fig


def event_curve(
    table: pd.DataFrame,
    unit: str | None = "万元",
    event: str = "事件日",
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw averages aligned on an event (day or month 0).

    Parameters
    ----------
    table : DataFrame
        Index = time relative to the event (integers), one column a group, data units.
    unit : str
        Display unit.
    event : str
        Word written at zero.
    low, high : DataFrame, optional
        Limits of a band, same shape.
    marks : mapping, optional
        Further vertical lines: name -> position (e.g. the half-life).

    Returns
    -------
    Figure
    """
    base.need_rows(table, "事件对齐曲线")
    fig, ax = base.canvas()
    palette = style.colors_for([str(c) for c in table.columns])
    for name in table.columns:
        color = palette[str(name)]
        ax.plot(table.index, table[name].to_numpy(float), color=color, label=str(name))
        if low is not None and high is not None:
            ax.fill_between(table.index, low[name], high[name], color=color, alpha=0.16, lw=0)
    ax.axvline(0, color=style.INK, linewidth=1.2)
    ax.axhline(0, color=style.MUTED, linewidth=0.8)
    foot, top = ax.get_ylim()
    top += 0.1 * (top - foot)
    ax.set_ylim(foot, top)
    side = -1 if table.index.min() < 0 else 1
    ax.annotate(event, (0, top), (4 * side, -2), textcoords="offset points", va="top",
                ha="left" if side > 0 else "right")  # fmt: skip
    for name, place in (marks or {}).items():
        ax.axvline(place, color=style.NEGATIVE, linestyle="--", linewidth=1.4)
        ax.annotate(name, (place, top), (4, -18), textcoords="offset points", va="top",
                    color=style.NEGATIVE)  # fmt: skip
    ax.set_xlabel(f"距{event}的时间")
    base.money_axis(ax, unit)
    if table.shape[1] > 1:
        base.legend_outside(ax)
    return fig


def fan(
    actual: pd.Series,
    paths: pd.DataFrame,
    target: pd.Series | float | None = None,
    unit: str | None = "万元",
    target_label: str = "目标",
) -> Figure:
    """Draw a history and a fan of quantiles around its forecast.

    Parameters
    ----------
    actual : Series
        History, index = time.
    paths : DataFrame
        Quantile columns named 0.1, 0.25, 0.5 … (numbers), index = future time.
    target : Series or float, optional
        Line to reach.
    unit : str
        Display unit.
    target_label : str
        Name of the line in the legend.

    Returns
    -------
    Figure
    """
    base.need_rows(paths, "扇形图")
    fig, ax = base.canvas()
    ax.plot(actual.index, actual.to_numpy(float), color=style.INK, label="实际")
    levels = sorted(float(c) for c in paths.columns)
    pairs = [(q, 1 - q) for q in levels if q < 0.5 and any(np.isclose(1 - q, levels))]
    for i, (low, high) in enumerate(pairs):
        ax.fill_between(paths.index, paths[_key(paths, low)], paths[_key(paths, high)],
                        color=style.BLUE, alpha=0.18 + 0.12 * i, lw=0,
                        label=f"{high - low:.0%} 区间")  # fmt: skip
    if any(np.isclose(0.5, levels)):
        ax.plot(paths.index, paths[_key(paths, 0.5)], color=style.BLUE, label="中位路径")
    if target is not None:
        if isinstance(target, pd.Series):
            ax.plot(target.index, target.to_numpy(float), "--", color=style.NEGATIVE,
                    label=target_label)  # fmt: skip
        else:
            ax.axhline(target, linestyle="--", color=style.NEGATIVE, label=target_label)
    base.date_axis(ax, actual.index.append(paths.index) if len(actual) else paths.index)
    base.money_axis(ax, unit)
    base.legend_outside(ax)
    return fig


def _key(frame: pd.DataFrame, level: float) -> Any:
    return next(c for c in frame.columns if np.isclose(float(c), level))


def survival_curves(
    curves: Mapping[str, pd.DataFrame],
    time_label: str = "月",
    note: str | None = None,
    lowest: float = 0.0,
) -> Figure:
    """Draw Kaplan–Meier step curves with confidence bands.

    Parameters
    ----------
    curves : mapping
        name -> frame with columns ``time``, ``survival``, ``low``, ``high``, as
        :func:`course_utils.analysis.statistics.survival.kaplan_meier` returns.
    time_label : str
        Unit of time.
    note : str, optional
        Text in the lower left corner (e.g. the log-rank p value).
    lowest : float
        Where the axis of survival begins (0-1); above 0 the axis label says so.

    Returns
    -------
    Figure
    """
    fig, ax = base.canvas()
    palette = style.colors_for(list(curves))
    for name, curve in curves.items():
        base.need(curve, ["time", "survival"], "生存曲线")
        ax.step(curve["time"], curve["survival"], where="post", color=palette[name], label=name)
        if "low" in curve and "high" in curve:
            ax.fill_between(curve["time"], curve["low"], curve["high"], step="post",
                            color=palette[name], alpha=0.16, lw=0)  # fmt: skip
    ax.set_ylim(lowest, 1 + 0.02 * (1 - lowest))
    ax.set_xlabel(f"时间（{time_label}）")
    base.money_axis(ax, "%")
    ax.set_ylabel(f"留存比例（纵轴从 {lowest:.0%} 起）" if lowest else "留存比例")
    if note:
        ax.annotate(note, (0.02, 0.04), xycoords="axes fraction")
    base.legend_outside(ax)
    return fig


def line_with_gap(
    table: pd.DataFrame,
    first: str,
    second: str,
    unit: str | None = "万元",
    marks: pd.DatetimeIndex | None = None,
    mark_label: str = "",
) -> Figure:
    """Draw two lines and shade the gap (时点 against 日均).

    Parameters
    ----------
    table : DataFrame
        Index = time, the two columns in data units.
    first, second : str
        Column names, written in the legend.
    unit : str
        Display unit.
    marks : DatetimeIndex, optional
        Dates marked on the first line.
    mark_label : str
        Their name in the legend.

    Returns
    -------
    Figure
    """
    base.need(table, [first, second], "时点与日均对比图")
    fig, ax = base.canvas()
    a, b = table[first].to_numpy(float), table[second].to_numpy(float)
    ax.plot(table.index, a, color=style.BLUE, label=first)
    ax.plot(table.index, b, color=style.ORANGE, label=second)
    ax.fill_between(table.index, a, b, where=a >= b, color=style.BLUE, alpha=0.15, lw=0,
                    interpolate=True)  # fmt: skip
    ax.fill_between(table.index, a, b, where=a < b, color=style.ORANGE, alpha=0.15, lw=0,
                    interpolate=True)  # fmt: skip
    if marks is not None and len(marks):
        hit = table.index.isin(marks)
        ax.plot(table.index[hit], a[hit], "o", color=style.NEGATIVE, label=mark_label or None)
    base.date_axis(ax, table.index)
    base.money_axis(ax, unit)
    base.legend_outside(ax)
    return fig


def curves(
    table: pd.DataFrame,
    unit: str | None = None,
    x_label: str = "",
    marks: Mapping[Any, float] | None = None,
    log: bool = False,
) -> Figure:
    """Draw measures over a quantity that is chosen (days between checks, a rate, a cap).

    Parameters
    ----------
    table : DataFrame
        Index = the quantity, increasing numbers; one column a line, data units.
    unit : str
        Display unit of the y axis.
    x_label : str
        What the index is.
    marks : mapping, optional
        Line -> index value at which a dot is put (e.g. its minimum).
    log : bool
        Logarithmic x axis with the index values as ticks.

    Returns
    -------
    Figure
    """
    base.need_rows(table, "曲线图")
    fig, ax = base.canvas()
    palette = style.colors_for([str(c) for c in table.columns])
    for name in table.columns:
        color = palette[str(name)]
        ax.plot(table.index, table[name].to_numpy(float), color=color, label=str(name))
        if marks and name in marks:
            ax.plot([marks[name]], [float(table.loc[marks[name], name])], "o", color=color,
                    markersize=10)  # fmt: skip
    if log:
        ax.set_xscale("log")
        few = table.index[np.unique(np.linspace(0, len(table) - 1, min(len(table), 8)).astype(int))]
        ax.set_xticks(few, [scales.number(float(v)) for v in few])
        ax.minorticks_off()
    ax.set_xlabel(x_label)
    base.money_axis(ax, unit)
    if table.shape[1] > 1:
        base.legend_outside(ax)
    return fig
