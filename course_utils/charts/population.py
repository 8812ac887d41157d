"""Population pyramid: two groups of people by age band, against the outline of another group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.charts import base, scales, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pyramid(
    table: pd.DataFrame,
    left: str = "男",
    right: str = "女",
    compare: pd.DataFrame | None = None,
    compare_label: str = "全体客户",
    unit: str = "%",
) -> Figure:
    """Draw a population pyramid, one bar to each side per age band, youngest at the bottom.

    Parameters
    ----------
    table : DataFrame
        Index = age bands from young to old; columns ``left`` and ``right`` with non-negative
        values in data units (shares for ``%``).
    left, right : str
        Columns drawn to the left and to the right.
    compare : DataFrame, optional
        The same shape for another group; drawn as a dashed outline.
    compare_label : str
        Its name in the legend.
    unit : str
        Display unit of the axis: %, 户 ….

    Returns
    -------
    Figure
    """
    base.need(table, [left, right], "人口金字塔")
    base.need_rows(table, "人口金字塔")
    fig, ax = base.canvas(height=max(0.75, 0.25 + 0.075 * len(table)))
    y = np.arange(len(table))
    palette = style.colors_for([left, right])
    for side, name in ((-1, left), (1, right)):
        ax.barh(y, side * table[name].fillna(0).to_numpy(float), 0.86, color=palette[name],
                label=name)  # fmt: skip
        if compare is not None:
            base.need(compare, [left, right], "人口金字塔的对照组")
            other = side * compare[name].reindex(table.index).fillna(0).to_numpy(float)
            ax.plot(np.repeat(other, 2), np.repeat(y, 2) + np.tile([-0.5, 0.5], len(y)),
                    color=style.INK, linestyle="--", linewidth=1.4,
                    label=compare_label if side < 0 else None)  # fmt: skip
    ax.axvline(0, color=style.INK, linewidth=0.8)
    ax.set_yticks(y, [base.label_of(v) for v in table.index])
    ax.grid(axis="x")
    ax.grid(visible=False, axis="y")
    widest = max(abs(limit) for limit in ax.get_xlim())
    ax.set_xlim(-widest, widest)
    scale = 100.0 if unit == "%" else 1.0
    ax.xaxis.set_major_formatter(lambda value, _: scales.number(abs(value) * scale))
    ax.set_xlabel(unit)
    base.legend_outside(ax)
    return fig


def overlap_curves(
    table: pd.DataFrame, unit: str = "%", x_label: str = "年龄", shade: str = "重叠部分"
) -> Figure:
    """Draw distributions of two groups over the same bands and shade what they share.

    Parameters
    ----------
    table : DataFrame
        Index = bands in order (e.g. ages); two columns of shares that each add up to one.
    unit : str
        Display unit of the axis; ``%`` expects ratios.
    x_label : str
        Name of the horizontal axis.
    shade : str
        Name of the shaded part in the legend.

    Returns
    -------
    Figure
    """
    base.need_rows(table, "重叠分布图")
    base.need(table, list(table.columns[:2]), "重叠分布图")
    fig, ax = base.canvas()
    palette = style.colors_for([str(c) for c in table.columns[:2]])
    x = np.arange(len(table))
    both = table.iloc[:, :2].fillna(0).to_numpy(float)
    ax.fill_between(x, both.min(axis=1), color=style.MUTED, alpha=0.35, linewidth=0, label=shade)
    for k, name in enumerate(table.columns[:2]):
        ax.plot(x, both[:, k], color=palette[str(name)], label=str(name), linewidth=2)
    step = max(1, len(table) // 12)
    ax.set_xticks(x[::step], [base.label_of(v) for v in table.index[::step]])
    ax.set_xlabel(x_label)
    ax.set_ylim(bottom=0)
    base.money_axis(ax, unit)
    base.legend_outside(ax)
    return fig
