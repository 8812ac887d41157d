"""Font, theme, axes, colours, the finishing step; every family draws with warnings as errors."""

import struct
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")

import itertools

from matplotlib import pyplot as plt

from course_utils import charts
from course_utils.charts import picture, scales, style
from course_utils.errors import CourseError

MONTHS = pd.date_range("2026-01-31", periods=12, freq="ME")


@pytest.fixture(autouse=True)
def clean():
    matplotlib.rcdefaults()
    charts.theme()
    yield
    plt.close("all")


def strict(fig, **words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return charts.render(fig, **{"title": "一季度到期占全年 43%", **words})


# ---- font and theme ------------------------------------------------------------------------
def test_the_bundled_font_is_found_without_fallback():
    from matplotlib import font_manager

    assert charts.register_font() == str(style.FONT_FILE)
    for family in style.FAMILIES:
        assert font_manager.findfont(family, fallback_to_default=False)
    assert (
        (style.FONT_FILE.parent / "OFL.txt").read_text(encoding="utf-8").count("Noto Sans CJK SC")
    )


def test_a_stale_font_cache_does_no_harm():
    from matplotlib import font_manager

    stale = font_manager.FontEntry(fname="/gone/CourseSansSC.otf", name=style.FONT_FAMILY)
    manager = font_manager.fontManager
    manager.ttflist = [e for e in manager.ttflist if e.name != style.FONT_FAMILY] + [stale]
    assert charts.register_font() == str(style.FONT_FILE)
    strict(charts.histogram(pd.Series([1.0, 2.0])))


def test_importing_charts_does_not_load_matplotlib():
    code = "import sys, course_utils.charts as c; c.PALETTE; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_gb2312_character_and_common_sign_has_a_glyph():
    from matplotlib.ft2font import FT2Font

    have = set(FT2Font(str(style.FONT_FILE)).get_charmap())
    gb2312 = {
        bytes([h, low]).decode("gb2312")
        for h in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)
        if not (h == 0xD7 and low > 0xF9)
    }  # fmt: skip
    assert len(gb2312) == 6763
    assert not {
        c for c in gb2312 | set("−—…％‰≥≤±×÷①★→「」《》，。；：？！（）、") if ord(c) not in have
    }


@pytest.mark.parametrize("medium", ["screen", "projector", "print"])
def test_theme_sets_readable_sizes(medium):
    charts.theme(medium)
    size = plt.rcParams["figure.figsize"][0]
    points = plt.rcParams["font.size"]
    assert points / (size * 72) > 0.016  # a letter is at least 1.6 % of the picture's width
    with pytest.raises(CourseError, match="没有“wall”"):
        charts.theme("wall")


def test_seaborn_reset_does_not_lose_the_font():
    import seaborn as sns

    fig, ax = plt.subplots()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sns.set_theme()
    ax.set_xlabel("到期月份")
    assert strict(fig).png
    sns.set_theme(rc=charts.settings())
    assert plt.rcParams["font.family"] == style.FAMILIES


def test_negative_numbers_and_fallback_signs_draw():
    fig, ax = plt.subplots()
    ax.plot([-1, 1])
    ax.set_title("H₂O ✓ −1")  # ₂ comes from DejaVu Sans
    strict(fig)


def test_a_missing_glyph_is_an_error_that_says_so():
    fig, ax = plt.subplots()
    ax.set_title("\U0002a6a5")
    with pytest.raises(CourseError, match="字体不包含的字符"):
        charts.render(fig, title="标题")
    assert not plt.get_fignums()


@pytest.mark.parametrize("kind", ["panels", "colorbar", "legend", "no layout", "no axes"])
def test_drawing_once_gives_the_picture_of_drawing_twice(kind):
    def draw():
        if kind == "no axes":
            return plt.figure()
        fig, axes = plt.subplots(2, 2, constrained_layout=kind != "no layout")
        for ax, high in zip(axes.ravel(), (1, 20, 3e5, 4e8), strict=True):
            ax.plot([0, high], label="余额")
            ax.set_ylabel("万元\n两行")
            if kind == "legend":
                ax.legend(loc="best")
        if kind == "colorbar":
            fig.colorbar(axes[0, 0].imshow([[1, 2], [3, 4]]), ax=axes[0, 1])
        return fig

    once = charts.render(draw(), title="一季度到期占全年 43%", source="存款账户表", unit="万元")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "_lay_out", lambda fig: None)
        twice = charts.render(
            draw(), title="一季度到期占全年 43%", source="存款账户表", unit="万元"
        )
    assert once == twice


# ---- colours -------------------------------------------------------------------------------
_MACHADO = {  # Machado, Oliveira & Fernandes (2009), full severity, linear RGB
    "red-blind": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                  [-0.003882, -0.048116, 1.051998]],
    "green-blind": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                    [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def lab(color, matrix=None):
    rgb = np.array(matplotlib.colors.to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if matrix is not None:
        linear = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = xyz @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("matrix", [None, *_MACHADO.values()], ids=["all", *_MACHADO])
def test_neighbouring_colours_stay_apart_for_the_colour_blind(matrix):
    def nearest(colors):
        labs = [lab(c, matrix) for c in colors]
        return min(np.linalg.norm(a - b) for i, a in enumerate(labs) for b in labs[i + 1 :])

    assert nearest(style.PALETTE[:5]) > 12
    assert nearest(list(style.STATE_COLORS.values())) > 12
    assert nearest([style.POSITIVE, style.NEGATIVE, style.NEUTRAL]) > 20


def test_tier_colours_darken_step_by_step():
    light = [lab(c)[0] for c in style.TIER_COLORS]
    assert all(a - b > 8 for a, b in itertools.pairwise(light))


def test_known_words_keep_their_colour():
    chosen = charts.colors_for(["流失", "T2 5-20万", "甲", "乙"])
    assert chosen["流失"] == style.STATE_COLORS["流失"]
    assert chosen["T2 5-20万"] == style.TIER_COLORS[2]
    assert len(set(chosen.values())) == 4
    assert charts.colors_for(["甲"], {"甲": "#123456"}) == {"甲": "#123456"}


# ---- axes ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1234567.0, None, "1,234,567"), (-12.34, None, "−12.3"), (0.5, None, "0.5"),
     (float("nan"), None, "—"), (-0.001, 1, "0.0"), (2.0, 2, "2.00")],
)  # fmt: skip
def test_number(value, decimals, text):
    assert charts.number(value, decimals) == text


def labels(ax, axis="y"):
    ax.figure.canvas.draw()
    ticks = ax.get_yticklabels() if axis == "y" else ax.get_xticklabels()
    return [t.get_text() for t in ticks]


def test_axes_speak_the_units():
    _, ax = plt.subplots()
    ax.plot([0, 3e6])
    charts.wan(ax)
    assert "100" in labels(ax) and ax.get_ylabel() == "万元"
    _, ax = plt.subplots()
    ax.plot([0, 3e8])
    charts.yi(ax)
    assert {"1", "2"} & {t.split(".")[0] for t in labels(ax)} and ax.get_ylabel() == "亿元"
    _, ax = plt.subplots()
    ax.plot([0.3, 0.302])
    charts.percent(ax)
    shown = labels(ax)
    assert all(t.endswith("%") for t in shown) and len(set(shown)) == len(shown)
    _, ax = plt.subplots()
    ax.plot([0, 0.004])
    charts.basis_points(ax, scale=10_000)
    assert "10" in labels(ax)
    with pytest.raises(CourseError, match="只能写 x 或 y"):
        scales.wan(ax, "z")


# ---- finishing -----------------------------------------------------------------------------
def test_finish_shows_once_with_alt_text(monkeypatch):
    import IPython.display

    caught = []
    monkeypatch.setattr(IPython.display, "display", caught.append)
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    out = charts.finish(fig, "到期高峰在一月", source="存款账户表", alt="折线上升", unit="万元")
    assert out is None and len(caught) == 1 and not plt.get_fignums()
    data, metadata = caught[0]._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "折线上升" and "折线上升" in data["text/plain"]
    assert fig.get_suptitle() == "到期高峰在一月"
    assert fig.get_supxlabel() == "数据来源：存款账户表"
    assert ax.get_title(loc="left") == "单位：万元"


def test_alt_text_survives_in_a_real_notebook_output():
    """Run the display through IPython's own formatter and nbformat's validation."""
    import nbformat
    from IPython.core.formatters import DisplayFormatter

    fig, ax = plt.subplots()
    ax.plot([1, 2])
    shown = charts.render(fig, title="标题", alt="两点连线")
    data, metadata = DisplayFormatter().format(shown)
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    nbformat.validate(book)
    again = nbformat.reads(nbformat.writes(book), as_version=4)
    assert again.cells[0].outputs[0].metadata["image/png"]["alt"] == "两点连线"


def test_same_figure_same_bytes_and_true_size():
    def one():
        return charts.render(charts.waterfall([("甲", 1e5), ("乙", -4e4)]), title="同一张图")

    first, second = one(), one()
    assert first.png == second.png and b"Software" not in first.png
    width, height = struct.unpack(">II", first.png[16:24])
    assert (width, height) == (first.width, first.height)


def test_a_figure_without_words_is_refused():
    fig, _ = plt.subplots()
    with pytest.raises(CourseError, match="还没有标题"):
        charts.render(fig)


def test_save_is_whole_or_nothing(tmp_path):
    shown = charts.render(charts.histogram(pd.Series([1.0])), title="图")
    target = shown.save(tmp_path / "深" / "图.png")
    assert target.read_bytes() == shown.png
    assert [p.name for p in target.parent.iterdir()] == ["图.png"]


def test_wrap_keeps_numbers_whole_and_leaves_no_orphan():
    text = "全行一季度到期的定期存款占全年到期量的 43.25%，应当提前安排联系与柜面人手"
    lines = picture.wrap(text, 20).split("\n")
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert any("43.25%" in line for line in lines)
    assert all(picture.text_width(line) <= 22 for line in lines)
    assert picture.text_width(lines[-1]) >= 4
    assert not any(line[0] in "，。；" for line in lines)


def test_alt_text_reaches_the_html_page():
    import nbformat
    from nbconvert import HTMLExporter

    fig, _ = plt.subplots()
    data, metadata = charts.render(fig, title="标题", alt="一张空图")._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(book)
    assert 'alt="一张空图"' in body
