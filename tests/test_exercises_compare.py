"""Comparers: what passes, what is said about what does not, and that nothing is given away."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from course_utils.exercises import (
    Tolerance,
    choice,
    day,
    flag,
    frame,
    names,
    number,
    numbers,
    series,
)
from course_utils.exercises.values import is_blank, label

SHARE = 0.0371842
MONEY = 123_456_789.125


@pytest.mark.parametrize(
    "answer",
    [
        MONEY,
        MONEY * (1 + 1e-12),
        np.float64(MONEY),
        Decimal(str(MONEY)),
        np.array(MONEY),
        np.array([MONEY]),
        pd.Series([MONEY], index=["合计"]),
        pd.DataFrame({"a": [MONEY]}),
    ],
)
def test_number_accepts_every_spelling_of_the_same_number(answer):
    assert number()(answer, MONEY) is None


@pytest.mark.parametrize(
    ("answer", "expected", "said"),
    [
        (SHARE * 100, SHARE, "100 倍"),
        (SHARE / 100, SHARE, "百分之一"),
        (MONEY / 1e4, MONEY, "万元"),
        (MONEY * 1e4, MONEY, "万元"),
        (-MONEY, MONEY, "正负号"),
        (MONEY * 12, MONEY, "按月还是按年"),
        (1 / SHARE, SHARE, "分子、分母"),
        (1 - SHARE, SHARE, "另一半"),
        (0.04, SHARE, "四舍五入"),
        (0.0372, SHARE, "四舍五入"),
        (SHARE * 1.003, SHARE, "很接近"),
        (float("nan"), SHARE, "空值"),
        (float("inf"), SHARE, "除数是 0"),
        ("0.0371842", SHARE, "文字"),
        (sum, SHARE, "括号 ()"),
        (True, SHARE, "真假值"),
        (None, SHARE, "None"),
        (pd.Series([1.0, 2.0]), SHARE, ".sum()"),
        (pd.DataFrame({"a": [1, 2]}), SHARE, "表"),
        (pd.Timedelta(days=3), 3, ".days"),
        (1j, SHARE, "复数"),
        (SHARE * 7, SHARE, "数值不对"),
        (0.0, SHARE, "数值不对"),
        (10**400, SHARE, "太大"),
    ],
)
def test_number_says_what_is_wrong(answer, expected, said):
    assert said in number()(answer, expected)


def test_number_accepts_zero_up_to_noise_and_rounding_when_asked():
    assert number()(1e-12, 0.0) is None
    assert number()(0.001, 0.0) is not None
    assert number(decimals=2)(3.14, 3.14159) is None
    assert number(decimals=2)(3.14159, 3.14159) is None
    assert number(decimals=2)(3.1, 3.14159) is not None
    assert number(absolute=3)(28, 30) is None
    assert number(absolute=3)(26, 30) is not None


def test_numbers_names_the_part_that_is_wrong():
    compare = numbers("估计值", "下限", "上限")
    assert compare((0.1, 0.05, 0.15), (0.1, 0.05, 0.15)) is None
    assert compare({"e": 0.1, "l": 0.05, "h": 0.15}, (0.1, 0.05, 0.15)) is None
    assert "“下限”" in compare([0.1, 5.0, 0.15], (0.1, 0.05, 0.15))
    assert "100 倍" in compare([0.1, 5.0, 0.15], (0.1, 0.05, 0.15))
    assert "2 个" in compare([0.1, 0.05], (0.1, 0.05, 0.15))
    assert "文字" in compare("0.1", (0.1, 0.05, 0.15))


@pytest.mark.parametrize("answer", ["C", "c", " Ｃ ", "C.", "c、"])
def test_choice_accepts_width_case_and_punctuation(answer):
    assert choice()(answer, "C") is None


def test_choice_with_several_letters():
    compare = choice("ABCDE", multiple=True)
    for answer in ("AC", "C,A", ["A", "C"], {"c", "a"}, "Ａ、Ｃ", "A 和 C"):
        assert compare(answer, "AC") is None, answer
    assert "个数" in compare("ACD", "AC")
    assert "再想一想" in compare("AB", "AC")


@pytest.mark.parametrize("answer", ["E", "AB", 3, ["C", 1], None])
def test_choice_refuses_what_is_no_option(answer):
    assert "字母" in choice()(answer, "C")


def test_flag_and_day():
    assert flag()(np.bool_(True), True) is None
    assert "反了" in flag()(False, True)
    assert "引号" in flag()("True", True)
    for answer in ("2025-03-31", pd.Timestamp("2025-03-31"), pd.Period("2025-03", "M"), "2025-03"):
        assert day()(answer, pd.Timestamp("2025-03-31")) is None, answer
    assert "边界" in day()("2025-04-01", pd.Timestamp("2025-03-31"))
    assert "不对" in day()("2024-01-01", pd.Timestamp("2025-03-31"))
    assert "日期" in day()("三月", pd.Timestamp("2025-03-31"))


def test_names_in_every_container():
    want = ["B01", "B02", "B03"]
    for answer in (
        want,
        tuple(want),
        np.array(want),
        pd.Index(want),
        pd.Series(want),
        pd.Series([1, 2, 3], index=want),
        pd.DataFrame({"branch_id": want, "x": 1}),
        pd.DataFrame({"x": [1, 2, 3]}, index=pd.Index(want, name="branch_id")),
        ["B01 ", "Ｂ02", "B03"],
    ):
        assert names(column="branch_id")(answer, want) is None, answer
    assert names(order=False)({"B03", "B01", "B02"}, want) is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (["B03", "B02", "B01"], "顺序"),
        ({"B01", "B02", "B03"}, "集合"),
        (["B01", "B02"], "少了 1 个"),
        (["B01", "B02", "B03", "B04"], "多了 1 个"),
        (["B01", "B02", "B09"], "少了 1 个，多了 1 个"),
        (["B01", "B01", "B02", "B03"], "1 处重复"),
        (["B01", "B02", None], "空值"),
        ([], "空的"),
        ("B01", "文字"),
        (5, "整数"),
    ],
)
def test_names_say_what_is_wrong(answer, said):
    assert said in names()(answer, ["B01", "B02", "B03"])


@pytest.fixture
def by_branch() -> pd.Series:
    return pd.Series(
        [120.5, 80.25, 300.0],
        index=pd.Index(["B01", "B02", "B03"], name="branch_id"),
        name="amount",
    )


def test_series_accepts_the_same_numbers_in_any_dress(by_branch):
    compare = series()
    for answer in (
        by_branch,
        by_branch.sort_values(),
        by_branch * (1 + 1e-14),
        by_branch.rename("x"),
        by_branch.to_frame(),
        by_branch.reset_index(),
        by_branch.to_dict(),
        by_branch.astype(object),
        by_branch.set_axis(by_branch.index.astype("category")),
    ):
        assert compare(answer, by_branch) is None, answer
    assert (
        compare(pd.Series([1, 2], index=["a", "b"]), pd.Series([1.0, 2.0], index=["a", "b"]))
        is None
    )


def test_series_meets_months_written_differently():
    want = pd.Series([1.0, 2.0], index=pd.to_datetime(["2025-01-31", "2025-02-28"]))
    for index in (
        pd.PeriodIndex(["2025-01", "2025-02"], freq="M"),
        ["2025-01", "2025-02"],
        ["2025-01-31", "2025-02-28"],
    ):
        assert series()(pd.Series([1.0, 2.0], index=index), want) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s * 100, "100 倍"),
        (lambda s: s / 1e4, "万元"),
        (lambda s: -s, "正负号"),
        (lambda s: s.round(0), "四舍五入"),
        (lambda s: s.iloc[:2], "少了 1 个"),
        (lambda s: pd.concat([s, pd.Series({"B09": 1.0})]), "多了 1 个"),
        (lambda s: pd.concat([s, s.iloc[:1]]), "重复"),
        (lambda s: s.where(s > 100), "1 个空值"),
        (lambda s: s.reset_index(drop=True), "都对不上"),
        (lambda s: s.add([0, 7, 0]), "1 个数值不对（共 3 个）"),
        (lambda s: s.astype(str), "文字"),
        (lambda s: s.tolist(), "列表"),
        (lambda s: s.groupby(level=0), "groupby"),
        (lambda s: s.reset_index().assign(y=1), "3 列的表"),
        (lambda s: s / 0, "除数是 0"),
    ],
)
def test_series_says_what_is_wrong(by_branch, change, said):
    assert said in series()(change(by_branch), by_branch)


def test_series_order_counts_only_when_asked(by_branch):
    assert "顺序" in series(order=True)(by_branch.iloc[::-1], by_branch)


def test_series_fill_lets_empty_groups_be_left_out(by_branch):
    want = pd.concat([by_branch, pd.Series({"B04": 0.0})])
    assert "少了 1 个" in series()(by_branch, want)
    assert series(fill=0)(by_branch, want) is None
    assert series(fill=0)(want, by_branch) is None
    assert series(fill=0)(by_branch.iloc[:2], want) is not None


def test_series_of_texts():
    want = pd.Series({"C1": "稳定", "C2": "流失"})
    assert series()(want.astype("category"), want) is None
    assert "1 个值不对" in series()(pd.Series({"C1": "稳定", "C2": "稳定"}), want)
    assert "文字" in series()(want, pd.Series({"C1": 1.0, "C2": 2.0}))


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "branch_id": ["B01", "B01", "B02"],
            "month": pd.to_datetime(["2025-01-31", "2025-02-28", "2025-01-31"]),
            "share": [0.123456, 0.234567, 0.345678],
            "level": ["红", "黄", "绿"],
        }
    )


KEYS = ["branch_id", "month"]


def test_frame_ignores_order_index_dtype_and_surplus_columns(table):
    compare = frame(KEYS)
    for answer in (
        table,
        table.iloc[::-1],
        table[table.columns[::-1]],
        table.set_index(KEYS),
        table.set_index("month"),
        table.assign(extra=1),
        table.assign(level=table["level"].astype("category")),
        table.assign(month=table["month"].dt.to_period("M")),
        table.assign(month=table["month"].dt.strftime("%Y-%m-%d")),
        table.assign(share=table["share"] + 1e-15),
        table.set_axis([7, 7, 7]),
    ):
        assert compare(answer, table) is None, answer


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.rename(columns={"share": "shaer"}), "“shaer”列是不是名字写错了"),
        (lambda t: t.drop(columns="level"), "缺少列：“level”"),
        (lambda t: t.iloc[:2], "少了 1 个"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "重复"),
        (lambda t: t.assign(share=t["share"] * 100), "“share”列：数值放大了 100 倍"),
        (lambda t: t.assign(share=t["share"].round(2)), "四舍五入"),
        (lambda t: t.assign(share=t["share"].astype(str)), "应该是数"),
        (lambda t: t.assign(level=["红", "红", "绿"]), "“level”列有 1 个值不对"),
        (lambda t: t.assign(share=[0.123456, 0.5, np.nan]), "1 个空值"),
        (lambda t: t["share"], "缺少列"),
        (lambda t: t.to_dict(), "字典"),
        (lambda t: t.groupby("branch_id")[["share"]].agg(["sum", "max"]), "两层"),
        (lambda t: pd.concat([t, t], axis=1), "重名"),
        (lambda t: t.head(0), "空的"),
    ],
)
def test_frame_says_what_is_wrong(table, change, said):
    assert said in frame(KEYS)(change(table), table)


def test_frame_options(table):
    assert "顺序" in frame(KEYS, order=True)(table.iloc[::-1], table)
    off = table.assign(share=table["share"] + 0.004)
    assert frame(KEYS)(off, table) is not None
    assert frame(KEYS, tolerances={"share": Tolerance(absolute=0.005)})(off, table) is None
    assert frame(KEYS, ["level"])(off, table) is None


def test_labels_meet():
    assert label(3.0) == label(np.int64(3)) == 3
    assert label(" Ｂ０１ ") == "B01"
    assert label(pd.NaT) is label(float("nan")) is None
    assert label((pd.Timestamp("2025-01-31"), 1.0)) == ("2025-01-31", 1)


def test_blanks():
    def nothing(x):
        """Say nothing."""

    def something(x):
        return x

    for value in (..., "", "?", "？", " ... ", nothing, {"A": ...}, [1, ...], lambda: ...):
        assert is_blank(value), value
    for value in (None, 0, "A", something, {}, [], pd.Series([...]), len):
        assert not is_blank(value), value


def test_frame_takes_a_nameless_index_for_the_one_missing_key():
    expected = pd.DataFrame({"band": ["a", "b"], "rate": [0.1, 0.2]})
    check = frame(["band"], ["rate"])
    assert check(pd.DataFrame({"rate": [0.2, 0.1]}, index=["b", "a"]), expected) is None
    assert "rate" in check(pd.DataFrame({"rate": [0.1, 0.2]}, index=["b", "a"]), expected)
    assert "缺少列" in check(pd.DataFrame({"rate": [0.1, 0.2]}), expected)  # just row numbers
    assert "缺少列" in check(pd.DataFrame({"other": [0.1, 0.2]}, index=["a", "b"]), expected)
