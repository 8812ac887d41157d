"""Matching of lists: names, blocks, similarity, threshold and band against hand-worked cases."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import matching
from course_utils.errors import CourseError


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("甲县禾牧·丰酒店店", "禾牧丰酒店店"),
        ("禾牧 丰酒店店（个体工商户）", "禾牧丰酒店店"),
        ("禾牧丰酒店店(个体)", "禾牧丰酒店店"),
        ("禾牧丰贸易有限责任公司", "禾牧丰贸易"),
        ("禾牧丰贸易个体工商户", "禾牧丰贸易"),
        ("ＡＢ便利１号店", "AB便利1号店"),
        ("ab便利1号店", "AB便利1号店"),
        ("禾牧甲县店", "禾牧甲县店"),  # the place goes in front only
        ("甲县", "甲县"),  # nothing would be left
        ("（个体）", "个体"),
        ("有限公司", "有限公司"),
    ],
)
def test_names_come_to_one_form(raw, clean):
    got = matching.normalise(pd.Series([raw, None], index=["a", "b"]), places=["甲县"])
    assert got["a"] == clean
    assert pd.isna(got["b"])


def test_normalising_twice_changes_nothing():
    names = pd.Series(["甲县禾牧·丰酒店店", "禾牧(总店)（个体）", "ＡＢ 店"])
    once = matching.normalise(names, ["甲县"])
    assert matching.normalise(once, ["甲县"]).equals(once)


def test_similarity_is_common_runs_over_all_runs():
    left = pd.Series(["稷禹茂百货店", "甲乙", "甲", None, "甲乙丙"], index=list("pqrst"))
    right = pd.Series(["稷禹康百货店", "甲乙", "甲", "甲", "丁戊己"], index=list("pqrst"))
    got = matching.similarity(left, right)
    # 稷禹 百货 货店 are common; 禹茂 茂百 | 禹康 康百 are not: 3 / 7
    assert got.to_numpy() == pytest.approx([3 / 7, 1, 1, 0, 0])
    assert list(got.index) == list("pqrst")
    assert matching.similarity(right, left).to_numpy() == pytest.approx(got.to_numpy())


def test_similarity_needs_pairs():
    with pytest.raises(CourseError, match="一行一对"):
        matching.similarity(pd.Series(["甲"]), pd.Series(["甲", "乙"]))


def test_blocks_unite_their_passes_and_missing_agrees_with_nothing():
    left = pd.DataFrame(
        {"l": ["a", "b", "c"], "town": ["T1", "T1", "T2"], "head": ["禾", "牧", "禾"],
         "phone": ["1", None, None]}
    )  # fmt: skip
    right = pd.DataFrame(
        {"r": ["x", "y", "z"], "town": ["T1", "T1", "T1"], "head": ["禾", "禾", "牧"],
         "phone": ["1", "1", None]}
    )  # fmt: skip
    got = matching.block(left, right, [["town", "head"], ["phone"]], "l", "r")
    assert got.to_numpy().tolist() == [["a", "x"], ["a", "y"], ["b", "z"]]
    with pytest.raises(CourseError, match="缺少列"):
        matching.block(left, right, [["street"]], "l", "r")


def test_agreement_counts_equal_columns():
    left = pd.DataFrame({"owner": ["余*", "余*", None], "code": ["52", "52", "52"]})
    right = pd.DataFrame({"code": ["52", "61", "52"], "owner": ["余*", "王*", None]})
    assert matching.agreement(left, right).tolist() == [2, 0, 1]


def test_nobody_is_matched_twice_and_ties_go_by_the_second_score():
    pairs = pd.DataFrame(
        {"l": ["a", "a", "b", "b"], "r": ["x", "y", "x", "y"],
         "similarity": [0.9, 0.9, 0.95, 0.5], "agreement": [1, 2, 0, 0]}
    )  # fmt: skip
    got = matching.one_to_one(pairs, ["similarity", "agreement"], "l", "r")
    assert got[["l", "r"]].to_numpy().tolist() == [["b", "x"], ["a", "y"]]
    shuffled = matching.one_to_one(
        pairs.sample(frac=1, random_state=1), ["similarity", "agreement"], "l", "r"
    )
    assert got.equals(shuffled)


SCORE = pd.Series([0.2, 0.4, 0.4, 0.6, 0.6, 1.0, 1.0, 1.0])
LABEL = pd.Series([False, True, False, True, False, True, True, True])


def test_thresholds_by_hand():
    table = matching.threshold_table(SCORE, LABEL).set_index("threshold")
    assert table["accepted"].tolist() == [8, 7, 5, 3]
    assert table["right"].tolist() == [5, 5, 4, 3]
    assert table["precision"].to_numpy() == pytest.approx([5 / 8, 5 / 7, 4 / 5, 1])
    assert table["recall"].to_numpy() == pytest.approx([1, 1, 4 / 5, 3 / 5])
    assert (table["low"] < table["precision"]).all() and (table["high"] <= 1).all()


def test_the_threshold_finds_most_among_the_precise():
    assert matching.choose_threshold(SCORE, LABEL, 0.97) == 1.0
    assert matching.choose_threshold(SCORE, LABEL, 0.80) == 0.6
    assert matching.choose_threshold(SCORE, LABEL, 0.60) == 0.4  # same recall, more precise
    with pytest.raises(CourseError, match="没有哪个门槛"):
        matching.choose_threshold(SCORE, ~LABEL & (SCORE < 0.5), 0.97)
    with pytest.raises(CourseError, match="没有一对是真的"):
        matching.threshold_table(SCORE, LABEL & False)


def test_band_limits_belong_to_the_upper_zone():
    got = matching.band(pd.Series([0.39, 0.4, 0.59, 0.6, np.nan]), 0.4, 0.6)
    assert got.astype(str).tolist() == ["放弃", "人工复核", "人工复核", "自动接受", "放弃"]
    with pytest.raises(CourseError, match="复核带"):
        matching.band(pd.Series([0.1]), 0.6, 0.4)


LEFT = pd.DataFrame(
    {"l": ["a", "b", "c", "d"], "code": ["1", None, None, "2"], "phone": ["7", "8", None, "7"],
     "town": ["T1", "T1", "T2", "T2"], "clean": ["禾牧店", "穗丰店", "禾丰店", "砚店"],
     "owner": ["余*", "王*", "赵*", "李*"]}
)  # fmt: skip
RIGHT = pd.DataFrame(
    {"r": ["x", "y", "z"], "code": ["1", "2", None], "phone": ["9", "8", "7"],
     "town": ["T1", "T1", "T2"], "clean": ["禾牧店", "穗丰店", "禾牧店"],
     "boss": ["余*", "钱*", "赵*"]}
)  # fmt: skip


def test_hard_keys_link_in_order_of_trust_and_nobody_twice():
    got = matching.exact(LEFT, RIGHT, {"代码": "code", "电话": "phone"}, "l", "r")
    # d has the code of y, so b (phone of y) comes too late; a took x by code, not z by phone
    assert got.to_numpy().tolist() == [["a", "x", "代码"], ["d", "y", "代码"]]


def test_blocks_cost_and_keep():
    pairs = pd.DataFrame({"l": ["a", "c", "b"], "r": ["x", "z", "z"]})
    got = matching.block_cost(LEFT, RIGHT, {"同镇": ["town"]}, pairs, "l", "r")
    assert got["pairs"].tolist() == [12, 2 * 2 + 2 * 1]
    assert got["kept"].to_numpy() == pytest.approx([1, 2 / 3])


def test_pairs_get_similarity_and_proof():
    pairs = pd.DataFrame({"l": ["c", "b"], "r": ["z", "y"]}, index=[7, 9])
    got = matching.score(pairs, LEFT, RIGHT, "clean", {"owner": "boss"}, "l", "r")
    assert got["similarity"].to_numpy() == pytest.approx([0, 1])
    assert got["agreement"].tolist() == [1, 0]
    assert list(got.index) == [7, 9]


def test_a_threshold_is_judged_on_pairs_that_did_not_choose_it():
    """Labels that follow the score keep their precision; labels drawn by lot lose it."""
    rng = np.random.default_rng(1)
    score = pd.Series(rng.random(200))
    assert matching.held_out(score, score > 0.5, 1.0, rounds=20).median() > 0.95
    lot = pd.Series(rng.random(200) < 0.3)
    found = matching.held_out(score, lot, 0.9, rounds=20)
    assert found.empty or found.mean() < 0.6
