"""Pictures of models and distributions: reliability, lift, gain, frontier, Lorenz, uniqueness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.charts import base, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability(curves: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Figure:
    """Draw predicted against observed rates.

    Parameters
    ----------
    curves : DataFrame or mapping of name -> DataFrame
        Columns ``predicted``, ``observed`` (ratios) and optionally ``low``, ``high``, ``count``,
        as :func:`course_utils.analysis.statistics.model.reliability_table` returns.

    Returns
    -------
    Figure
    """
    named = {"模型": curves} if isinstance(curves, pd.DataFrame) else dict(curves)
    fig, ax = base.canvas()
    palette = style.colors_for(list(named))
    top = 0.0
    for name, curve in named.items():
        base.need(curve, ["predicted", "observed"], "可靠性曲线")
        x, y = curve["predicted"].to_numpy(float), curve["observed"].to_numpy(float)
        if "low" in curve and "high" in curve:
            error = np.vstack([y - curve["low"].to_numpy(float), curve["high"].to_numpy(float) - y])
            ax.errorbar(x, y, yerr=np.clip(error, 0, None), fmt="none", ecolor=palette[name],
                        elinewidth=1.0, capsize=2)  # fmt: skip
            top = max(top, float(curve["high"].max()))
        ax.plot(x, y, "o-", color=palette[name], label=name)
        top = max(top, float(x.max()), float(y.max()))
    ax.plot([0, top], [0, top], "--", color=style.MUTED, label="完全校准")
    ax.grid(axis="both")
    base.money_axis(ax, "%", "x")
    base.money_axis(ax, "%", "y")
    ax.set_xlabel("预测概率")
    ax.set_ylabel("实际比例")
    base.legend_outside(ax)
    return fig


def lift_curve(tables: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Figure:
    """Draw lift by decile of the score (1 = as good as drawing lots).

    Parameters
    ----------
    tables : DataFrame or mapping
        Columns ``group`` (1 = highest scores) and ``lift``, as
        :func:`course_utils.analysis.statistics.model.lift_table` returns.

    Returns
    -------
    Figure
    """
    named = {"模型": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
    fig, ax = base.canvas()
    palette = style.colors_for(list(named))
    for i, (name, table) in enumerate(named.items()):
        base.need(table, ["group", "lift"], "提升图")
        width = 0.8 / len(named)
        x = table["group"].to_numpy(float) - 0.4 + width * (i + 0.5)
        ax.bar(x, table["lift"], width, color=palette[name], label=name)
    ax.axhline(1.0, linestyle="--", color=style.INK, label="随机名单")
    ax.set_xticks(list(next(iter(named.values()))["group"]))
    ax.set_xlabel("得分由高到低的十等分")
    ax.set_ylabel("提升（倍）")
    base.legend_outside(ax)
    return fig


def gain_curve(curves: Mapping[str, pd.DataFrame] | pd.DataFrame) -> Figure:
    """Draw the share of cases found against the share of customers contacted.

    Parameters
    ----------
    curves : DataFrame or mapping
        Columns ``share`` and ``found`` (ratios), as
        :func:`course_utils.analysis.statistics.model.gain_table` returns.

    Returns
    -------
    Figure
    """
    named = {"模型": curves} if isinstance(curves, pd.DataFrame) else dict(curves)
    fig, ax = base.canvas()
    palette = style.colors_for(list(named))
    for name, curve in named.items():
        base.need(curve, ["share", "found"], "累积捕获曲线")
        ax.plot(curve["share"], curve["found"], color=palette[name], label=name)
    ax.plot([0, 1], [0, 1], "--", color=style.MUTED, label="随机名单")
    ax.grid(axis="both")
    base.money_axis(ax, "%", "x")
    base.money_axis(ax, "%", "y")
    ax.set_xlabel("联系的客户占比")
    ax.set_ylabel("找到的目标占比")
    base.legend_outside(ax)
    return fig


def frontier(
    table: pd.DataFrame,
    x: str,
    y: str,
    label: str | None = None,
    chosen: object | None = None,
    x_unit: str | None = None,
    y_unit: str | None = None,
    x_label: str = "",
    y_label: str = "",
) -> Figure:
    """Draw an efficient frontier: what one more unit costs in the other measure.

    Parameters
    ----------
    table : DataFrame
        One row a plan, sorted along the frontier.
    x, y : str
        Columns of the two measures.
    label : str, optional
        Column with words beside the points.
    chosen : object, optional
        Index value of the recommended plan.
    x_unit, y_unit : str, optional
        Display units.
    x_label, y_label : str
        Axis labels.

    Returns
    -------
    Figure
    """
    base.need(table, [x, y, *([label] if label else [])], "效率前沿")
    fig, ax = base.canvas()
    ax.plot(table[x], table[y], "o-", color=style.BLUE)
    if label:
        rises = table[y].iloc[-1] > table[y].iloc[0]  # the free side: below a rising curve
        for _, row in table.iterrows():
            ax.annotate(str(row[label]), (row[x], row[y]), (7, -15 if rises else 6),
                        textcoords="offset points")  # fmt: skip
    if chosen is not None:
        ax.plot(table.loc[chosen, x], table.loc[chosen, y], "o", markersize=14,
                markerfacecolor="none", markeredgecolor=style.NEGATIVE,
                markeredgewidth=2.4)  # fmt: skip
    ax.grid(axis="both")
    base.money_axis(ax, x_unit, "x")
    base.money_axis(ax, y_unit, "y")
    if x_label:
        ax.set_xlabel(f"{x_label}（{x_unit}）" if x_unit else x_label)
    if y_label:
        ax.set_ylabel(f"{y_label}（{y_unit}）" if y_unit else y_label)
    return fig


def lorenz(
    curves: Mapping[str, pd.DataFrame] | pd.DataFrame, top_share: float | None = None
) -> Figure:
    """Draw Lorenz curves: share of customers against share of money.

    Parameters
    ----------
    curves : DataFrame or mapping
        Columns ``population`` and ``amount`` (cumulative shares), as
        :func:`course_utils.analysis.customers.portfolio.lorenz_table` returns.
    top_share : float, optional
        Mark the richest share of customers, e.g. 0.05.

    Returns
    -------
    Figure
    """
    named = {"资金": curves} if isinstance(curves, pd.DataFrame) else dict(curves)
    fig, ax = base.canvas()
    palette = style.colors_for(list(named))
    for name, curve in named.items():
        base.need(curve, ["population", "amount"], "洛伦兹曲线")
        x, y = curve["population"].to_numpy(float), curve["amount"].to_numpy(float)
        ax.plot(x, y, color=palette[name], label=name)
        if top_share is not None:
            rest = float(np.interp(1 - top_share, x, y))
            ax.plot([1 - top_share], [rest], "o", color=palette[name])
            ax.annotate(f"前 {top_share:.0%} 客户占 {1 - rest:.0%}", (1 - top_share, rest),
                        (-10, -4), textcoords="offset points", ha="right",
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0})  # fmt: skip
    ax.plot([0, 1], [0, 1], "--", color=style.MUTED, label="完全平均")
    ax.grid(axis="both")
    base.money_axis(ax, "%", "x")
    base.money_axis(ax, "%", "y")
    ax.set_xlabel("客户累计占比（由少到多）")
    ax.set_ylabel("资金累计占比")
    base.legend_outside(ax)
    return fig


def uniqueness_curve(
    curves: Mapping[str, pd.DataFrame] | pd.DataFrame, limit: float | None = None
) -> Figure:
    """Draw the share of persons who are unique against the number of known attributes.

    Parameters
    ----------
    curves : DataFrame or mapping
        Columns ``attributes`` (words, cumulative) and ``unique_share`` (ratio), as
        :func:`course_utils.analysis.governance.privacy.uniqueness_table` returns.
    limit : float, optional
        Acceptable share, drawn as a line.

    Returns
    -------
    Figure
    """
    named = {"唯一可识别": curves} if isinstance(curves, pd.DataFrame) else dict(curves)
    fig, ax = base.canvas()
    palette = style.colors_for(list(named))
    for name, curve in named.items():
        base.need(curve, ["attributes", "unique_share"], "唯一性曲线")
        x = np.arange(len(curve))
        ax.plot(x, curve["unique_share"], "o-", color=palette[name], label=name)
        for place, value in zip(x, curve["unique_share"], strict=True):
            ax.annotate(f"{value:.1%}", (place, value), (0, 7), textcoords="offset points",
                        ha="center")  # fmt: skip
    words = list(next(iter(named.values()))["attributes"])
    ax.set_xticks(range(len(words)), [str(w) for w in words])
    if limit is not None:
        ax.axhline(limit, linestyle="--", color=style.NEGATIVE, label=f"上限 {limit:.0%}")
    ax.set_ylim(bottom=0)
    base.money_axis(ax, "%")
    ax.set_xlabel("已知的属性（逐个增加）")
    base.legend_outside(ax)
    return fig
