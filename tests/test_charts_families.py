"""Every chart family: draws without a warning, shows what it was given, refuses what it cannot."""

import inspect
import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from course_utils import charts
from course_utils.errors import CourseError

MONTHS = pd.date_range("2026-01-31", periods=12, freq="ME")
STATES = ["稳定", "预警", "半流失", "流失", "沉默"]
RNG = np.random.default_rng(7)


def interval_table():
    return pd.DataFrame(
        {"名": list("甲乙"), "组": ["联系", "留出"], "rate": [0.7, 0.6], "low": [0.6, 0.5],
         "high": [0.8, 0.7], "n": [30, 40]}
    )  # fmt: skip


def share_curve():
    return pd.DataFrame({"share": [0, 0.5, 1], "found": [0, 0.8, 1.0]})


def funnel_table():
    return pd.DataFrame(
        {"n": [20, 80, 200], "rate": [0.5, 0.2, 0.19], "low_95": [0.02, 0.11, 0.14],
         "high_95": [0.38, 0.29, 0.26], "low_99.8": [0.0, 0.06, 0.11],
         "high_99.8": [0.48, 0.34, 0.29]}, ["甲", "乙", "丙"],
    )  # fmt: skip


CASES = {
    "fact_cards": lambda: charts.fact_cards(
        pd.DataFrame({"label": ["应发", "到手"], "value": ["15.2 万元", "11.4 万元"],
                      "note": ["全年", "应发的四分之三"]}), columns=2),
    "stacked_ladder": lambda: charts.stacked_ladder(
        pd.DataFrame(RNG.random((12, 2)) * 1e6, MONTHS, ["T0 <1万", "T5 ≥100万"]), line=1e6,
        line_label="能力"),
    "bars_with_interval": lambda: charts.bars_with_interval(
        interval_table(), label="名", group="组", count="n", reference=0.65,
        reference_label="平均"),
    "overlap_curves": lambda: charts.overlap_curves(
        pd.DataFrame({"甲": [0.2, 0.8], "乙": [0.6, 0.4]}, ["18-20", "21-23"])),
    "pyramid": lambda: charts.pyramid(
        pd.DataFrame({"男": [0.2, 0.3], "女": [0.1, 0.4]}, ["18-30", "31-45"]),
        compare=pd.DataFrame({"男": [0.25, 0.25], "女": [0.25, 0.25]}, ["18-30", "31-45"])),
    "funnel_plot": lambda: charts.funnel_plot(funnel_table(), center=0.2, label=["甲", "丙"]),
    "profile_bars": lambda: charts.profile_bars(
        pd.DataFrame({"占比": [0.3, 0.7], "营收": [2e5, np.nan]}, ["少", "多"]), bar="占比",
        lines={"营收": "万元"}, label="产品数"),
    "upset": lambda: charts.upset(
        pd.DataFrame({"网贷": [False, True, True], "商户": [False, False, True],
                      "n": [90, 30, 9], "rate": [0.02, 0.05, np.nan]}),
        sets=["网贷", "商户"], color="rate", color_label="提款率"),
    "waterfall": lambda: charts.waterfall([("甲", 0.01), ("乙", -0.02)], start=0.3, unit="%"),
    "histogram": lambda: charts.histogram(
        pd.Series([1.0, 2.0, np.nan]), cuts={"均值": 1.5}, unit="万元"),
    "forest": lambda: charts.forest(
        pd.DataFrame({"estimate": [2.4], "low": [1.5], "high": [3.3]}, ["停发"]), reference=1,
        log=True),
    "funnel_steps": lambda: charts.funnel_steps(
        pd.Series({"名单": 100, "接通": 60, "申请": 6}), pd.Series({"接通": 0.7})),
    "heatmap": lambda: charts.heatmap(
        pd.DataFrame([[1e4, np.nan], [-2e4, 3e4]], ["甲", "乙"], MONTHS[:2]), center=0),
    "tiles": lambda: charts.tiles(
        pd.DataFrame({"group": ["农户", "农户", "商户"], "label": ["茶农", "农产品加工", "药店"],
                      "value": [0.12, np.nan, 0.3]}), columns=2),
    "calendar_heatmap": lambda: charts.calendar_heatmap(
        pd.Series(range(40), pd.date_range("2026-01-20", periods=40)), capacity=30,
        holidays=pd.DatetimeIndex(["2026-02-17"])),
    "category_strips": lambda: charts.category_strips(
        pd.DataFrame([["绿", "橙", None], ["红", "红", "绿"]], ["甲", "乙"], MONTHS[:3]),
        order=["红", "橙", "绿"], legend="级别"),
    "curves": lambda: charts.curves(
        pd.DataFrame({"甲": [3.0, 1, 2], "乙": [1.0, 2, 3]}, [1, 7, 30]), "元", "天", {"甲": 7},
        log=True),
    "null_heatmap": lambda: charts.null_heatmap(
        pd.DataFrame({"table": ["客户", "贷款"], "column": ["a", "b"], "null_share": [0.1, 0]})),
    "task_calendar": lambda: charts.task_calendar(
        pd.DataFrame({"date": MONTHS[:3], "kind": ["到期", "生日", "到期"], "who": list("甲乙甲")}),
        label="who"),
    "small_multiples": lambda: charts.small_multiples(
        pd.DataFrame(RNG.random((12, 4)), MONTHS, list("甲乙丙丁")), unit="%", highlight=["乙"],
        band={"甲": pd.DataFrame({"low": 0.1, "high": 0.9}, MONTHS)}),
    "bump": lambda: charts.bump(
        pd.DataFrame(RNG.random((6, 3)), MONTHS[:6], ["本行", "工行", "邮储"]), highlight=["本行"]),
    "slope": lambda: charts.slope(
        pd.DataFrame({"旧": [1e6, 2e6], "新": [2e6, 1e6]}, ["甲", "乙"]), "旧", "新"),
    "event_curve": lambda: charts.event_curve(
        pd.DataFrame({"务工": RNG.random(81)}, range(-20, 61)), event="春节",
        marks={"半衰期": 28}),
    "fan": lambda: charts.fan(
        pd.Series([1.0, 2, 3], MONTHS[:3]),
        pd.DataFrame({0.1: [3.0, 3], 0.5: [4.0, 5], 0.9: [5.0, 7]}, MONTHS[3:5]), target=5.0),
    "survival_curves": lambda: charts.survival_curves(
        {"甲": pd.DataFrame({"time": [0, 1], "survival": [1, 0.9], "low": [1, 0.8],
                             "high": [1, 0.95]})}, note="p=0.01"),
    "line_with_gap": lambda: charts.line_with_gap(
        pd.DataFrame({"时点": [3.0, 1, 2], "日均": [2.0, 2, 2]}, MONTHS[:3]), "时点", "日均",
        marks=MONTHS[:1], mark_label="超限"),
    "state_flow": lambda: charts.state_flow(
        [pd.DataFrame(RNG.integers(1, 9, (5, 5)), STATES, STATES)] * 2, labels=["一", "二", "三"]),
    "bubble_map": lambda: charts.bubble_map(
        pd.DataFrame({"x": [1.0, 2, 3], "y": [3.0, 1, 2], "s": [1, 2, 3], "c": ["甲", "乙", "甲"]}),
        "x", "y", "s", "c", cut_x=2, cut_y=2, log=True),
    "entity_map": lambda: charts.entity_map(
        {"客户": ["客户号"], "账户": ["账号"], "贷款": ["借据号"]},
        [("客户", "账户", "客户号"), ("客户", "贷款", "客户号")]),
    "radar": lambda: charts.radar(
        pd.DataFrame(RNG.random((3, 4)) * 100, list("甲乙丙"), list("一二三四"))),
    "reliability": lambda: charts.reliability(
        pd.DataFrame({"predicted": [0.1, 0.5], "observed": [0.2, 0.4], "low": [0.1, 0.3],
                      "high": [0.3, 0.5]})),
    "lift_curve": lambda: charts.lift_curve(pd.DataFrame({"group": [1, 2], "lift": [2.0, 0.5]})),
    "gain_curve": lambda: charts.gain_curve({"模型": share_curve()}),
    "frontier": lambda: charts.frontier(
        pd.DataFrame({"c": [1.0, 2], "k": [3.0, 4], "n": ["省", "稳"]}), "c", "k", "n", chosen=1,
        x_label="成本", x_unit="基点"),
    "lorenz": lambda: charts.lorenz(
        pd.DataFrame({"population": [0, 0.5, 1], "amount": [0, 0.1, 1.0]}), top_share=0.05),
    "uniqueness_curve": lambda: charts.uniqueness_curve(
        pd.DataFrame({"attributes": ["村", "+性别"], "unique_share": [0.1, 0.4]}), limit=0.02),
}  # fmt: skip


@pytest.fixture(autouse=True)
def clean():
    matplotlib.rcdefaults()
    charts.theme()
    yield
    plt.close("all")


@pytest.mark.parametrize("family", CASES)
def test_family_draws_without_a_warning(family):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = charts.render(CASES[family](), title="标题说出发现", source="样本", unit="万元")
    assert shown.png.startswith(b"\x89PNG") and 8_000 < len(shown.png) < 400_000
    assert not plt.get_fignums()


def test_every_public_family_is_covered_and_documented():
    families = {
        name
        for name in charts.__all__
        if inspect.isfunction(getattr(charts, name))
        and "Figure" in str(inspect.signature(getattr(charts, name)).return_annotation)
    }
    assert families == set(CASES)


def texts(fig):
    fig.canvas.draw()
    return [t.get_text() for t in fig.findobj(matplotlib.text.Text) if t.get_text()]


def test_ladder_writes_totals_in_the_unit():
    table = pd.DataFrame({"一": [1e6, 2e6], "二": [3e6, 0.0]}, ["1月", "2月"])
    words = texts(charts.stacked_ladder(table))
    assert "400" in words and "200" in words and "万元" in words


def test_overlap_curves_shade_the_smaller_share():
    fig = charts.overlap_curves(pd.DataFrame({"甲": [0.2, 0.8], "乙": [0.6, 0.4]}, ["18", "21"]))
    shade = fig.axes[0].collections[0].get_paths()[0].vertices
    assert shade[:, 1].max() == pytest.approx(0.4)
    assert [round(float(y), 2) for y in fig.axes[0].lines[0].get_ydata()] == [0.2, 0.8]
    plt.close(fig)


def test_pyramid_mirrors_the_left_group_and_keeps_the_axis_even():
    fig = charts.pyramid(pd.DataFrame({"男": [0.2, 0.3], "女": [0.1, 0.4]}, ["18-30", "31-45"]))
    ax = fig.axes[0]
    assert [round(bar.get_width(), 2) for bar in ax.patches] == [-0.2, -0.3, 0.1, 0.4]
    low, high = ax.get_xlim()
    assert low == -high
    fig.canvas.draw()
    assert not any("-" in label.get_text() for label in ax.get_xticklabels())
    plt.close(fig)


def test_waterfall_ends_where_the_parts_lead():
    fig = charts.waterfall([("甲", 3e4), ("乙", -1e4)], start=1e5)
    tops = [round(p.get_y() + p.get_height()) for p in fig.axes[0].patches]
    assert tops == [100_000, 130_000, 120_000, 120_000]
    assert "+3" in texts(fig) and "−1" in texts(fig)
    near = charts.waterfall([("甲", 0.001)], start=0.3, unit="%")
    assert "纵轴未从 0 开始" in texts(near)


def test_logarithmic_ticks_carry_only_the_digits_they_need():
    table = pd.DataFrame({"x": [1e3, 1e5, 1e6], "y": [1e4, 1e5, 1e6]})
    fig = charts.bubble_map(table, "x", "y", x_unit="万元", y_unit="万元", log=True)
    fig.canvas.draw()
    words = [text.get_text() for text in fig.axes[0].get_xticklabels()]
    plt.close(fig)
    assert {"0.1", "1", "10", "100"} <= set(words)


def test_waterfall_keeps_the_lowest_bar_off_the_axis():
    fig = charts.waterfall([("甲", -3e4), ("乙", -1e4), ("丙", 2e4)])
    assert fig.axes[0].get_ylim()[0] < -4e4 and fig.axes[0].get_ylim()[1] > 0


def test_entity_map_names_do_not_cover_each_other():
    boxes = {name: ["编号"] for name in ["账户", "客户", "贷款", "月度", "网点", "商户", "日余额"]}
    links = [(p, c, "客户号") for p, c in [("客户", "账户"), ("客户", "贷款"), ("客户", "月度"),
             ("客户", "商户"), ("网点", "账户"), ("网点", "客户"), ("网点", "贷款"),
             ("网点", "商户"), ("网点", "日余额")]]  # fmt: skip
    fig = charts.entity_map(boxes, links, columns=3)
    fig.canvas.draw()
    drawn = fig.axes[0].texts
    frames = [t.get_window_extent() for t in drawn if t.get_text() == "客户号"]
    assert len(frames) == len(links)
    others = [t.get_window_extent() for t in drawn if t.get_text() != "客户号"]
    for i, frame in enumerate(frames):
        assert not any(frame.overlaps(other) for other in frames[:i] + others)


def test_heatmap_writes_divided_numbers_and_leaves_gaps_empty():
    fig = charts.heatmap(pd.DataFrame([[10_000.0, np.nan]], ["甲"], ["1月", "2月"]))
    inside = [t.get_text() for t in fig.axes[0].texts]
    assert inside == ["1"]


def test_tiles_name_every_segment_and_leave_unknown_ones_grey():
    table = pd.DataFrame({"group": ["农户"] * 3 + ["商户"], "label": list("甲乙丙丁")})
    table["value"] = [0.1, np.nan, 0.3, 0.2]
    ax = charts.tiles(table, columns=2).axes[0]
    written = {t.get_text(): t.get_position() for t in ax.texts}
    places = [np.floor(written[name]).tolist() for name in "甲乙丙丁"]
    assert places == [[0, 0], [1, 0], [0, 1], [0, 2]]
    assert {"10", "30", "20"} < set(written) and len(ax.texts) == 7
    assert [patch.get_xy() for patch in ax.patches] == [(1, 0)]


def test_bump_ranks_the_largest_first():
    table = pd.DataFrame({"本行": [1.0, 9.0], "工行": [5.0, 5.0]}, MONTHS[:2])
    fig = charts.bump(table, highlight=["本行"])
    strong = max(fig.axes[0].lines, key=lambda line: line.get_linewidth())
    assert strong.get_ydata().tolist() == [2.0, 1.0]


def test_state_flow_conserves_units():
    matrix = pd.DataFrame([[8, 2], [0, 5]], STATES[:2], STATES[:2])
    words = texts(charts.state_flow(matrix, labels=["年初", "年末"]))
    for want in ("稳定 10户", "预警 5户", "稳定 8户", "预警 7户", "年初"):
        assert want in words


def test_calendar_marks_overload():
    days = pd.date_range("2026-01-01", periods=31)
    fig = charts.calendar_heatmap(pd.Series([1] * 30 + [9], days), capacity=5)
    thick = [p for p in fig.axes[0].patches if p.get_linewidth() > 2]
    assert len(thick) == 1 and "2026年1月" in texts(fig)


def test_interval_bars_show_the_counts_and_limits():
    fig = charts.bars_with_interval(interval_table(), label="名", count="n")
    assert "甲（n=30）" in texts(fig)
    bars = [p.get_width() for p in fig.axes[0].patches]
    assert bars == pytest.approx([0.7, 0.6])


def test_lorenz_reads_the_top_share():
    curve = pd.DataFrame({"population": [0, 0.95, 1], "amount": [0, 0.54, 1.0]})
    assert any("前 5% 客户占 46%" in t for t in texts(charts.lorenz(curve, top_share=0.05)))


def test_refusals_name_the_missing_column():
    with pytest.raises(CourseError, match="缺少列“low、high”"):
        charts.bars_with_interval(pd.DataFrame({"rate": [0.1]}))
    with pytest.raises(CourseError, match="是空的"):
        charts.heatmap(pd.DataFrame())
    with pytest.raises(CourseError, match="至少要有三项"):
        charts.radar(pd.DataFrame({"a": [1], "b": [2]}))
    with pytest.raises(CourseError, match="没有表“无”"):
        charts.entity_map({"客户": ["a"]}, [("客户", "无", "a")])


def test_strips_colour_each_state_and_leave_unknown_months_grey():
    table = pd.DataFrame([["绿", None], ["红", "绿"]], ["甲", "乙"], MONTHS[:2])
    mesh = charts.category_strips(table, order=["红", "绿"]).axes[0].collections[0]
    values = mesh.get_array().reshape(2, 2)
    assert values.tolist() == [[1.0, None], [0.0, 1.0]]
    assert matplotlib.colors.to_hex(mesh.cmap(mesh.norm(0.0))) == charts.LEVEL_COLORS["红"].lower()
    with pytest.raises(CourseError, match="不认识的状态“紫”"):
        charts.category_strips(table.replace("绿", "紫"), order=["红", "绿"])


def test_curves_put_the_dot_on_the_line():
    table = pd.DataFrame({"甲": [3.0, 1.0, 2.0]}, [1, 7, 30])
    line, dot = charts.curves(table, marks={"甲": 7}).axes[0].lines
    assert line.get_ydata().tolist() == [3.0, 1.0, 2.0]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (7, 1.0)


def test_funnel_marks_the_units_outside_the_inner_limits_and_names_only_the_wanted():
    ax = charts.funnel_plot(funnel_table(), center=0.2, label=["甲"]).axes[0]
    dots = {c.get_label(): c.get_offsets().tolist() for c in ax.collections}
    assert dots == {"界限以内": [[80, 0.2], [200, 0.19]], "界限以外": [[20, 0.5]]}
    assert [t.get_text() for t in ax.texts] == ["甲"]


def test_profile_bars_write_each_measure_in_its_unit():
    axes = CASES["profile_bars"]().axes
    assert [[t.get_text() for t in ax.texts] for ax in axes] == [["30", "70"], ["20"]]
    assert [ax.get_title(loc="left") for ax in axes] == ["占比（%）", "营收（万元）"]


def test_upset_shows_which_tags_meet():
    top, low = CASES["upset"]().axes
    assert [t.get_text().split("\n") for t in top.texts] == [["2%", "90"], ["5%", "30"], ["9"]]
    dark = [c.get_offsets().tolist() for c in low.collections[1::2]]
    assert dark == [[[1, 0], [2, 0]], [[2, 1]]]
    assert [label.get_text() for label in low.get_yticklabels()] == ["网贷", "商户"]


def test_fact_cards_write_every_number_once():
    words = [t.get_text() for t in CASES["fact_cards"]().axes[0].texts]
    assert words == ["应发", "15.2 万元", "全年", "到手", "11.4 万元", "应发的四分之三"]
