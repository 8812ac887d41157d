"""Small things that the chart families share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from course_utils.charts import scales, style
from course_utils.errors import CourseError, TooFewRowsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def canvas(height: float | None = None, width: float | None = None) -> tuple[Figure, Axes]:
    """Open a figure with one pair of axes in the course theme.

    Parameters
    ----------
    height, width : float, optional
        Multiples of the theme's default size.

    Returns
    -------
    (Figure, Axes)
    """
    fig, axes = panels(1, 1, height=height, width=width)
    return fig, axes[0]


def panels(
    rows: int,
    columns: int,
    height: float | None = None,
    width: float | None = None,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """Open a figure with a grid of axes, returned as a flat list.

    Parameters
    ----------
    rows, columns : int
        Shape of the grid.
    height, width : float, optional
        Multiples of the theme's default size.
    **options
        Passed to :func:`matplotlib.pyplot.subplots`.

    Returns
    -------
    (Figure, list of Axes)
    """
    import matplotlib.pyplot as plt

    style.ensure_theme()
    base = plt.rcParams["figure.figsize"]
    size = (base[0] * (width or 1.0), base[1] * (height or 1.0))
    fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **options)
    return fig, list(axes.ravel())


def need(frame: pd.DataFrame, columns: Iterable[str], where: str) -> None:
    """Refuse a frame that lacks columns.

    Parameters
    ----------
    frame : DataFrame
        The frame a caller passed.
    columns : iterable of str
        Columns that must exist.
    where : str
        Chinese name of the chart for the message.

    Raises
    ------
    CourseError
        A column is missing or the frame has no rows.
    """
    missing = [str(name) for name in columns if name not in frame.columns]
    if missing:
        have = "、".join(map(str, frame.columns))
        raise CourseError(
            f"画{where}缺少列“{'、'.join(missing)}”，现有的列是：{have}，请检查列名。"
        )
    need_rows(frame, where)


def need_rows(frame: pd.DataFrame | pd.Series, where: str) -> None:
    """Refuse an empty table (parameters as :func:`need`)."""
    if len(frame) == 0:
        raise TooFewRowsError(f"画{where}的表是空的，请先检查筛选条件是否过严。")


def money_axis(ax: Axes, unit: str | None, axis: str = "y") -> None:
    """Format an axis by the name of its unit.

    Parameters
    ----------
    ax : Axes
        Target.
    unit : str or None
        ``"万元"``, ``"亿元"``, ``"%"`` (data are ratios), ``"基点"`` or any other word, which
        becomes the label while numbers get thousands separators.
    axis : {"x", "y"}
        Which axis.
    """
    if unit == "万元":
        scales.wan(ax, axis)
    elif unit == "亿元":
        scales.yi(ax, axis)
    elif unit == "%":
        scales.percent(ax, axis)
    elif unit == "基点":
        scales.basis_points(ax, axis)
    else:
        scales.scaled(ax, axis, label=unit)


def date_axis(ax: Axes, index: pd.Index, ticks: int = 7) -> None:
    """Put at most about ``ticks`` dates on the x axis, as 2025-01 or, within four months, 01-31.

    Parameters
    ----------
    ax : Axes
        Target.
    index : Index
        The dates drawn; anything but a DatetimeIndex is left alone.
    ticks : int
        Number of labels to aim at.
    """
    if not isinstance(index, pd.DatetimeIndex) or len(index) == 0:
        return
    from matplotlib.dates import DateFormatter, DayLocator, MonthLocator

    days = max(1, (index.max() - index.min()).days)
    if days < 120:
        step = max(1, -(-days // ticks))
        locator, form = DayLocator(interval=step), "%m-%d"
    else:
        months = -(-days // 30)
        step = next((s for s in (1, 2, 3, 6, 12, 24) if months / s <= ticks), 60)
        starts = range(1, 13, step) if step <= 12 else [1]
        locator, form = MonthLocator(bymonth=list(starts), interval=1), "%Y-%m"
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(DateFormatter(form))


def divisor(unit: str | None) -> float:
    """Return what one displayed unit is in data units: 万元 10 000, 亿元 1e8, % 0.01."""
    return {"万元": 1e4, "亿元": 1e8, "%": 0.01}.get(unit or "", 1.0)


def label_of(value: Any) -> str:
    """Return a short label: timestamps as 2025-01, everything else as text."""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m")
    if isinstance(value, pd.Period):
        return str(value)
    return str(value)


def on_color(color: Any) -> str:
    """Return ink or white, whichever is readable on ``color``."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return style.INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "#FFFFFF"


def legend_outside(ax: Axes, title: str | None = None, reverse: bool = False) -> None:
    """Put the legend to the right of the axes, where it covers no data."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    if reverse:
        handles, labels = handles[::-1], labels[::-1]
    ax.legend(handles, labels, title=title, loc="upper left", bbox_to_anchor=(1.0, 1.0))
