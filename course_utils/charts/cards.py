"""Key numbers as cards: a sheet for one reader (a payslip, a customer, a branch)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.charts import base, picture, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def fact_cards(
    table: pd.DataFrame,
    label: str = "label",
    value: str = "value",
    note: str = "note",
    columns: int = 3,
) -> Figure:
    """Draw key numbers as cards in reading order.

    Parameters
    ----------
    table : DataFrame
        One row a card: what it is, the number as text (already formatted), a short remark.
    label, value, note : str
        Columns of text.
    columns : int
        Cards side by side.

    Returns
    -------
    Figure

    Raises
    ------
    CourseError
        The table is empty or lacks a column.
    """
    base.need(table, [label, value, note], "数字卡片")
    base.need_rows(table, "数字卡片")
    rows = -(-len(table) // columns)
    fig, ax = base.canvas(height=max(0.35, 0.32 * rows))
    ax.set(xlim=(0, columns), ylim=(rows, 0))
    ax.axis("off")
    from matplotlib.patches import FancyBboxPatch

    for place, (_, card) in enumerate(table.iterrows()):
        x, y = place % columns, place // columns
        ax.add_patch(
            FancyBboxPatch(
                (x + 0.05, y + 0.07), 0.9, 0.86, boxstyle="round,pad=0,rounding_size=0.04",
                facecolor="#f3f6f9", edgecolor=style.GREY, linewidth=0.8,
            )
        )  # fmt: skip
        middle = x + 0.5
        ax.text(middle, y + 0.24, str(card[label]), ha="center", va="center", color=style.MUTED)
        ax.text(middle, y + 0.50, str(card[value]), ha="center", va="center", color=style.INK,
                fontsize="x-large")  # fmt: skip
        words = picture.wrap(str(card[note]), 42 / columns)
        ax.text(middle, y + 0.78, words, ha="center", va="center", color=style.MUTED,
                fontsize="small")  # fmt: skip
    return fig
