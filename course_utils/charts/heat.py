"""Fields of colour: heat map, calendar, missing values, tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from course_utils.charts import base, scales, style
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEQUENTIAL = ["#F4F7FA", "#C9DDEE", "#8CBBDD", "#4C93C5", "#1B659F", "#08315C"]
DIVERGING = ["#A83200", "#E39A6B", "#F5F1EC", "#8CBBDD", "#125A91"]


def _colormap(center: float | None) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    stops = SEQUENTIAL if center is None else DIVERGING
    return LinearSegmentedColormap.from_list("course", stops).with_extremes(bad="#EEEEEE")


def _limits(values: np.ndarray, center: float | None) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if center is not None:
        reach = max(abs(high - center), abs(low - center)) or 1.0
        return center - reach, center + reach
    return (low, high) if high > low else (low, low + 1.0)


def heatmap(
    table: pd.DataFrame,
    unit: str | None = "万元",
    center: float | None = None,
    annotate: bool | None = None,
    decimals: int | None = None,
    row_label: str | None = None,
    column_label: str | None = None,
) -> Figure:
    """Draw a table as coloured cells with the numbers written in.

    Parameters
    ----------
    table : DataFrame
        Rows and columns as they should appear (e.g. branch × month); NaN cells stay grey.
    unit : str
        Display unit: 万元/亿元 divide, % multiplies ratios by 100.
    center : float, optional
        Neutral value of a diverging scale (0 for changes); orange below, blue above.
    annotate : bool, optional
        Write the numbers; by default up to 400 cells.
    decimals : int, optional
        Digits of the numbers.
    row_label, column_label : str, optional
        Axis labels.

    Returns
    -------
    Figure
    """
    base.need_rows(table, "热力图")
    values = table.to_numpy(dtype=float)
    rows, columns = values.shape
    fig, ax = base.canvas(height=min(2.6, max(0.65, 0.22 + 0.075 * rows)))
    low, high = _limits(values, center)
    mesh = ax.pcolormesh(
        np.ma.masked_invalid(values),
        cmap=_colormap(center),
        vmin=low,
        vmax=high,
        edgecolors="white",
        linewidth=1.0,
    )
    ax.invert_yaxis()
    ax.grid(visible=False)
    ax.set_xticks(np.arange(columns) + 0.5, [base.label_of(v) for v in table.columns])
    ax.set_yticks(np.arange(rows) + 0.5, [base.label_of(v) for v in table.index])
    if columns > 8 or max(len(base.label_of(v)) for v in table.columns) > 6:
        ax.tick_params(axis="x", rotation=45)
    ax.set_xlabel(column_label or "")
    ax.set_ylabel(row_label or "")
    if annotate if annotate is not None else values.size <= 400:
        _write(ax, values, mesh, base.divisor(unit), decimals)
    bar = fig.colorbar(mesh, ax=ax, pad=0.01, fraction=0.03)
    bar.outline.set_visible(False)
    base.money_axis(bar.ax, unit)
    return fig


def tiles(
    table: pd.DataFrame,
    group: str = "group",
    label: str = "label",
    value: str = "value",
    columns: int = 15,
    unit: str | None = "%",
    decimals: int | None = 0,
) -> Figure:
    """Draw named tiles, one band a group: what each of many small segments looks like.

    Parameters
    ----------
    table : DataFrame
        One row a tile, in the order of drawing; a missing value leaves the tile grey.
    group, label, value : str
        Columns with the band, the tile's name and its value in data units.
    columns : int
        Tiles side by side before a band goes on in the next line.
    unit : str
        Display unit of the numbers and the colour scale.
    decimals : int, optional
        Digits of the numbers.

    Returns
    -------
    Figure

    Raises
    ------
    CourseError
        The table is empty or lacks a column.
    """
    base.need(table, [group, label, value], "方格图")
    names = table[group].astype(str)
    bands = {name: table[names == name] for name in dict.fromkeys(names)}
    lines = sum(-(-len(part) // columns) for part in bands.values())
    fig, ax = base.canvas(height=min(2.6, max(0.5, 0.15 + 0.19 * lines)))
    low, high = _limits(table[value].to_numpy(dtype=float), None)
    field = np.full((lines, columns), np.nan)
    shown = np.zeros((lines, columns), dtype=bool)
    row, ticks, words = 0, [], []
    for name, part in bands.items():
        height = -(-len(part) // columns)
        ticks.append((row + height / 2, name))
        for place, (text, number) in enumerate(zip(part[label], part[value], strict=True)):
            at = (row + place // columns, place % columns)
            field[at], shown[at] = number, True
            words.append((at, str(text), float(number)))
        row += height
    mesh = ax.pcolormesh(
        np.ma.array(np.nan_to_num(field), mask=np.isnan(field) & shown | ~shown),
        cmap=_colormap(None).with_extremes(bad=(0, 0, 0, 0)),
        vmin=low, vmax=high, edgecolors="white", linewidth=1.5,
    )  # fmt: skip
    _name_tiles(ax, words, mesh, base.divisor(unit), decimals)
    ax.invert_yaxis()
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    for side in ax.spines.values():
        side.set_visible(False)
    bar = fig.colorbar(mesh, ax=ax, pad=0.01, fraction=0.03)
    bar.outline.set_visible(False)
    base.money_axis(bar.ax, unit)
    return fig


def _name_tiles(
    ax: Axes,
    words: Sequence[tuple[tuple[int, int], str, float]],
    mesh: Any,
    scale: float,
    decimals: int | None,
) -> None:
    """Write name and number into each tile; tiles without a value get a grey ground."""
    import matplotlib as mpl
    from matplotlib.patches import Rectangle

    size = mpl.rcParams["font.size"] * 0.66
    for (row, column), text, number in words:
        known = np.isfinite(number)
        if not known:
            ax.add_patch(Rectangle((column, row), 1, 1, facecolor="#EEEEEE", edgecolor="white"))
        ink = base.on_color(mesh.cmap(mesh.norm(number))) if known else style.MUTED
        half = -(-len(text) // 2) if len(text) > 4 else len(text)
        name = text[:half] + ("\n" + text[half:] if len(text) > half else "")
        ax.text(column + 0.5, row + 0.36, name, ha="center", va="center", color=ink,
                fontsize=size, linespacing=1.05)  # fmt: skip
        if known:
            ax.text(column + 0.5, row + 0.8, scales.number(number / scale, decimals), ha="center",
                    va="center", color=ink, fontsize=size * 1.1)  # fmt: skip


def _write(ax: Axes, values: np.ndarray, mesh: Any, scale: float, decimals: int | None) -> None:
    import matplotlib as mpl

    size = mpl.rcParams["font.size"] * (0.92 if values.shape[1] <= 13 else 0.7)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = base.on_color(mesh.cmap(mesh.norm(value)))
            text = scales.number(value / scale, decimals)
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=ink,
                    fontsize=size)  # fmt: skip


def calendar_heatmap(
    daily: pd.Series,
    capacity: float | None = None,
    unit: str | None = "户",
    holidays: pd.DatetimeIndex | None = None,
) -> Figure:
    """Draw one value a day as a wall calendar, one block a month; red frames mark overload.

    Parameters
    ----------
    daily : Series
        DatetimeIndex (days), values in data units.  At most twelve months are drawn.
    capacity : float, optional
        Days above it get a red frame.
    unit : str
        Display unit, for the colour bar.
    holidays : DatetimeIndex, optional
        Days written in grey italics as 休.

    Returns
    -------
    Figure
    """
    from matplotlib.patches import Rectangle

    base.need_rows(daily, "日历热力图")
    series = daily.groupby(pd.DatetimeIndex(daily.index).normalize()).sum().sort_index()
    months = list(dict.fromkeys(series.index.to_period("M")))[:12]
    columns = min(3, len(months))
    rows = -(-len(months) // columns)
    fig, axes = base.panels(rows, columns, height=0.62 * rows)
    cmap, (low, high) = _colormap(None), _limits(series.to_numpy(float), None)
    low = min(low, 0.0)
    rest = set() if holidays is None else set(pd.DatetimeIndex(holidays).normalize())
    for ax, month in zip(axes, months, strict=False):
        _month_grid(ax, month)
        for day, value in series[series.index.to_period("M") == month].items():
            row, column = _cell(day)
            color = cmap((value - low) / (high - low))
            over = capacity is not None and value > capacity
            frame = {"linewidth": 2.4, "edgecolor": style.NEGATIVE, "zorder": 3}
            plain = {"linewidth": 0.8, "edgecolor": "white", "zorder": 2}
            box = Rectangle((column, row), 1, 1, facecolor=color, **(frame if over else plain))
            ax.add_patch(box)
            mark = "休" if day in rest else str(day.day)
            ax.text(column + 0.5, row + 0.5, mark, ha="center", va="center", zorder=4,
                    color=base.on_color(color), fontsize="small")  # fmt: skip
    for ax in axes[len(months) :]:
        ax.set_axis_off()
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = fig.colorbar(ScalarMappable(Normalize(low, high), cmap), ax=axes, fraction=0.03, pad=0.01)
    bar.outline.set_visible(False)
    base.money_axis(bar.ax, unit)
    if capacity is not None:
        bar.ax.axhline(capacity, color=style.NEGATIVE, linewidth=2.4)
    return fig


def _cell(day: pd.Timestamp) -> tuple[int, int]:
    first = day.replace(day=1).weekday()
    return (first + day.day - 1) // 7, day.weekday()


def _month_grid(ax: Axes, month: pd.Period) -> None:
    ax.set_xlim(0, 7)
    ax.set_ylim(6, 0)
    ax.set_aspect("equal")
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.set_xticks(np.arange(7) + 0.5, list("一二三四五六日"))
    ax.tick_params(length=0)
    ax.xaxis.tick_top()
    ax.set_title(f"{month.year}年{month.month}月", loc="left", color=style.INK)
    for spine in ax.spines.values():
        spine.set_visible(False)


def null_heatmap(table: pd.DataFrame, limit: int = 24) -> Figure:
    """Draw the share of missing values, tables down, columns across.

    Parameters
    ----------
    table : DataFrame
        Long form with columns ``table``, ``column``, ``null_share`` (0-1), as
        :func:`course_utils.analysis.governance.quality.null_shares` returns.
    limit : int
        At most this many columns, those with the most missing values.

    Returns
    -------
    Figure
    """
    base.need(table, ["table", "column", "null_share"], "空值热力图")
    worst = table.groupby("column", observed=True)["null_share"].max().nlargest(limit)
    wide = table[table["column"].isin(worst.index)].pivot_table(
        index="table", columns="column", values="null_share", aggfunc="max", observed=True
    )
    fig = heatmap(wide[list(worst.index)], unit="%", annotate=wide.size <= 300)
    fig.axes[0].set_xlabel("列")
    fig.axes[0].set_ylabel("")  # row labels are table names already
    return fig


def task_calendar(
    tasks: pd.DataFrame,
    date: str = "date",
    kind: str = "kind",
    label: str | None = None,
    max_rows: int = 30,
) -> Figure:
    """Draw tasks as marks on a time axis, one row a person (or branch), one colour a kind.

    Parameters
    ----------
    tasks : DataFrame
        One row a task.
    date, kind : str
        Columns with the day and the kind of task.
    label : str, optional
        Column with the row (customer, manager); default: one row a kind.
    max_rows : int
        Rows drawn; those with the most tasks first.

    Returns
    -------
    Figure
    """
    base.need(tasks, [date, kind, *([label] if label else [])], "任务日历")
    row_column = label or kind
    rows = list(tasks[row_column].value_counts(sort=True).index[:max_rows])
    fig, ax = base.canvas(height=max(0.6, 0.2 + 0.06 * len(rows)))
    kinds = list(dict.fromkeys(tasks[kind]))
    palette = style.colors_for([str(k) for k in kinds])
    place = {name: i for i, name in enumerate(rows)}
    shown = tasks[tasks[row_column].isin(rows)]
    for i, which in enumerate(kinds):
        part = shown[shown[kind] == which]
        y = part[row_column].map(place).to_numpy(float) + (i % 3 - 1) * 0.16
        ax.scatter(pd.to_datetime(part[date]), y, s=46, marker="osD^vP"[i % 6],
                   color=palette[str(which)], label=str(which), zorder=3)  # fmt: skip
    ax.set_yticks(range(len(rows)), [str(r) for r in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="both")
    base.date_axis(ax, pd.DatetimeIndex(shown[date]), 8)
    base.legend_outside(ax)
    return fig


def category_strips(
    table: pd.DataFrame,
    order: Sequence[str],
    colors: Mapping[str, str] | None = None,
    legend: str | None = None,
) -> Figure:
    """Draw how a state changed: one strip a row, one coloured cell a column.

    Parameters
    ----------
    table : DataFrame
        Rows (e.g. merchants) × time in order; texts of ``order``, missing cells stay grey.
    order : sequence of str
        The states, as they stand in the legend.
    colors : mapping, optional
        State -> colour; known states (levels, loss states) have their own.
    legend : str, optional
        Title of the legend.

    Returns
    -------
    Figure

    Raises
    ------
    CourseError
        No rows, or a state that is not in ``order``.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    base.need_rows(table, "状态条")
    states = [str(state) for state in order]
    place = {state: float(i) for i, state in enumerate(states)}
    texts = table.astype("object").to_numpy()
    strange = sorted({str(v) for v in texts.ravel() if pd.notna(v)} - set(states))
    if strange:
        raise CourseError(f"状态条里有不认识的状态“{strange[0]}”，请把它写进 order。")
    palette = style.colors_for(states, colors)
    cells = np.ma.masked_invalid([[place.get(v, np.nan) for v in row] for row in texts])
    fig, ax = base.canvas(height=min(2.2, max(0.5, 0.22 + 0.06 * len(table))))
    tint = ListedColormap([palette[state] for state in states]).with_extremes(bad="#EEEEEE")
    ax.pcolormesh(cells, cmap=tint, vmin=-0.5, vmax=len(states) - 0.5, edgecolors="white", lw=1.4)
    ax.invert_yaxis()
    ax.grid(visible=False)
    ax.set_xticks(np.arange(table.shape[1]) + 0.5, [base.label_of(v) for v in table.columns])
    ax.set_yticks(np.arange(len(table)) + 0.5, [base.label_of(v) for v in table.index])
    if table.shape[1] > 8:
        ax.tick_params(axis="x", rotation=45)
    handles = [Patch(facecolor=palette[state], label=state) for state in states]
    ax.legend(handles=handles, title=legend, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return fig
