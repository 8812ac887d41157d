"""Axes that speak the trade's units: 万元, 亿元, %, 基点."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def scaled(
    ax: Axes,
    axis: str = "y",
    factor: float = 1.0,
    suffix: str = "",
    decimals: int | None = None,
    label: str | None = None,
) -> None:
    """Show an axis multiplied by ``factor``, with just enough digits to tell the ticks apart.

    Parameters
    ----------
    ax : Axes
        Target.
    axis : {"x", "y"}
        Which axis.
    factor : float
        Displayed value = data value × factor.
    suffix : str
        Text after every number.
    decimals : int, optional
        Fixed number of digits.
    label : str or None
        Axis label if none is set yet.
    """
    from matplotlib.ticker import FuncFormatter

    if axis not in ("x", "y"):
        raise CourseError(f"坐标轴只能写 x 或 y，不能写“{axis}”。")
    target = ax.xaxis if axis == "x" else ax.yaxis

    class Ticks(FuncFormatter):
        def __init__(self) -> None:
            super().__init__(lambda value, _: f"{number(value * factor, self.digits)}{suffix}")
            self.digits = decimals

        def set_locs(self, locs: list[float]) -> None:
            super().set_locs(locs)
            if decimals is None:  # on a logarithmic axis every tick has the digits it needs
                log = target.get_scale() == "log"
                self.digits = None if log else _digits([value * factor for value in locs])

    target.set_major_formatter(Ticks())
    if label and not target.get_label_text():
        target.set_label_text(label)


def _digits(values: list[float]) -> int:
    """Return the fewest digits that show every tick without rounding it visibly."""
    size = max((abs(v) for v in values), default=1.0) or 1.0
    for digits in range(6):
        if all(abs(round(v, digits) - v) <= 1e-6 * size for v in values):
            return digits
    return 6


def number(value: float, decimals: int | None = None) -> str:
    """Format a number with thousands separators and a real minus sign.

    Parameters
    ----------
    value : float
        The number; NaN gives 「—」.
    decimals : int, optional
        Digits after the point; by default none above 100, one above 10, else two, zeros dropped.

    Returns
    -------
    str
        For example ``"−1,234"``.
    """
    if value != value:
        return "—"
    trim = decimals is None
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{value:,.{decimals}f}"
    if trim and "." in text:
        text = text.rstrip("0").rstrip(".")
    if text.strip("-0.,") == "":
        text = text.lstrip("-")
    return text.replace("-", "−")


def wan(ax: Axes, axis: str = "y", decimals: int | None = None, label: str | None = "万元") -> None:
    """Show an axis of 元 in 万元.

    Parameters
    ----------
    ax : Axes
        Axes whose data are in 元.
    axis : {"x", "y"}
        Which axis.
    decimals : int, optional
        Fixed number of digits.
    label : str or None
        Axis label if none is set yet.
    """
    scaled(ax, axis, 1e-4, "", decimals, label)


def yi(ax: Axes, axis: str = "y", decimals: int | None = None, label: str | None = "亿元") -> None:
    """Show an axis of 元 in 亿元 (parameters as :func:`wan`)."""
    scaled(ax, axis, 1e-8, "", decimals, label)


def percent(
    ax: Axes,
    axis: str = "y",
    decimals: int | None = None,
    scale: float = 1.0,
    label: str | None = None,
) -> None:
    """Show an axis of ratios as percentages.

    Parameters
    ----------
    ax : Axes
        Axes whose data are ratios (``scale=1``) or already percentages (``scale=100``).
    axis : {"x", "y"}
        Which axis.
    decimals : int, optional
        Fixed number of digits.
    scale : float
        The data value that means 100 %.
    label : str or None
        Axis label if none is set yet.
    """
    scaled(ax, axis, 100 / scale, "%", decimals, label)


def basis_points(
    ax: Axes,
    axis: str = "y",
    scale: float = 1.0,
    decimals: int | None = None,
    label: str | None = "基点",
) -> None:
    """Show an axis in basis points.

    Parameters
    ----------
    ax : Axes
        Axes with data in basis points (``scale=1``), in percent (``scale=100``) or in ratios
        (``scale=10000``).
    axis : {"x", "y"}
        Which axis.
    scale : float
        Basis points of one data unit.
    decimals : int, optional
        Fixed number of digits.
    label : str or None
        Axis label if none is set yet.
    """
    scaled(ax, axis, scale, "", decimals, label)
