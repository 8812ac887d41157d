"""Draw docs/overview.png: what goes into a build and what comes out."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_utils import charts

# column, row (0 at the top), title, what it is
BOXES = {
    "master": (0, 0, "课程母本", "lessons/*.py：讲解、示范、\n解答、典型错误、讲师提示"),
    "profile": (0, 1, "银行档案", "bank.yml：名称、日期、规模、\n各课参数"),
    "contract": (0, 2, "数据契约", "每张表每一列：中文名、类型、\n单位、密级"),
    "notebooks": (1, 0, "两个版本", "学员版：留空、锁定检查格\n讲师版：解答、埋设真值"),
    "bank": (1, 1, "合成银行", "一个“人”带动所有表；\n埋下的规律大小已知"),
    "gate": (1, 2, "守门", "写作规则、母本一致、\n练习自证、外发扫描"),
    "run": (2, 1, "course build", "papermill 逐课运行，\n可中断、可续跑"),
    "kit": (3, 0, "学员包", "笔记本、数据、程序包、\n启动脚本"),
    "instructor": (3, 1, "讲师版", "已运行的笔记本、\nExcel 成果"),
    "pages": (3, 2, "网页", "双击就能看，\n不联网"),
}
ARROWS = [
    ("master", "notebooks"),
    ("profile", "bank"),
    ("contract", "bank"),
    ("notebooks", "run"),
    ("bank", "run"),
    ("gate", "run"),
    ("run", "kit"),
    ("run", "instructor"),
    ("run", "pages"),
]
WIDTH, HEIGHT = 2.35, 1.05


def centre(name: str) -> tuple[float, float]:
    """Return the middle of a box."""
    column, row, *_ = BOXES[name]
    return column * 3.05 + WIDTH / 2, (2 - row) * 1.5 + HEIGHT / 2


def draw() -> Figure:
    """Return the picture."""
    charts.theme()
    fig = Figure(figsize=(11.6, 4.3), dpi=110, layout="constrained")
    ax = fig.subplots()
    ax.set_axis_off()
    ax.set(xlim=(-0.1, 3 * 3.05 + WIDTH + 0.1), ylim=(-0.15, 3 + HEIGHT + 0.15))
    for name, (column, _, title, text) in BOXES.items():
        x, y = centre(name)
        color = charts.PALETTE[0] if column == 2 else charts.INK
        ax.add_patch(
            FancyBboxPatch(
                (x - WIDTH / 2, y - HEIGHT / 2),
                WIDTH,
                HEIGHT,
                boxstyle="round,pad=0.02,rounding_size=0.08",
                facecolor="white",
                edgecolor=color,
                linewidth=1.6 if column == 2 else 1.0,
            )
        )
        ax.text(x, y + 0.27, title, ha="center", va="center", fontsize=13, color=color)
        ax.text(x, y - 0.18, text, ha="center", va="center", fontsize=9.5, color=charts.MUTED)
    for start, end in ARROWS:
        (x0, y0), (x1, y1) = centre(start), centre(end)
        ax.annotate(
            "",
            (x1 - WIDTH / 2 - 0.05, y1 + (y0 - y1) * 0.12),
            (x0 + WIDTH / 2 + 0.05, y0 + (y1 - y0) * 0.12),
            arrowprops={"arrowstyle": "-|>", "color": charts.MUTED, "linewidth": 1.1},
        )
    return fig


if __name__ == "__main__":
    mpl.use("Agg")
    path = Path(__file__).with_name("overview.png")
    draw().savefig(path, metadata={"Software": None})
    print(path.name)
