"""Scoring of the workshop: only sums leave, scores by hand, submissions that come back."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import workshop
from course_utils.bank import open_bank
from course_utils.errors import CourseError


@pytest.fixture
def known():
    ids = [f"C{n}" for n in range(6)]
    return pd.DataFrame(
        {"net_benefit": [100.0, 80.0, 60.0, -20.0, 0.0, 40.0], "bad": [False] * 6},
        index=pd.Index(ids, name="customer_id"),
    )


class Hidden:
    """A bank that has outcomes for six customers, four of them public."""

    def __init__(self, known):
        self.table = pd.DataFrame(
            {
                "customer_id": known.index,
                "benefit_contacted": known["net_benefit"].to_numpy() + 5,
                "benefit_not_contacted": 5.0,
                "bad_flag": False,
                "score_half": ["公榜"] * 5 + ["终榜"],
            }
        )

    def has(self, name):
        return name == workshop.TABLE

    def load_hidden(self, name):
        return self.table


def test_a_list_sums_what_is_known_of_its_names_once(known):
    assert workshop.list_benefit(known, ["C0", "C0", "C3", "unknown"]) == 80


def test_gains_add_up_in_the_order_of_the_list(known):
    table = workshop.gains(known, {"甲": ["C3", "C0"], "乙": ["C0"]}, step=1)
    assert table["甲"].tolist() == [0, -20, 80]
    assert table["乙"].tolist() == [0, 100, 100]


def test_benefit_score_runs_from_the_baseline_to_the_best():
    assert workshop.benefit_score(50, 0, 100) == 50
    assert workshop.benefit_score(-10, 0, 100) == 0
    assert workshop.benefit_score(120, 0, 100) == 100
    assert workshop.benefit_score(120, 100, 100) == 0


def test_order_score_of_a_perfect_a_reversed_and_a_doubled_list(known):
    right = known["net_benefit"]
    assert workshop.order_score(known, right) == pytest.approx(100)
    assert workshop.order_score(known, 2 * right) == pytest.approx(50)
    assert workshop.order_score(known, right.max() - right) < 35
    same = pd.Series(right.mean(), index=right.index)
    assert workshop.order_score(known, same) == pytest.approx(50)
    assert workshop.order_score(known, right.head(2)) == 0.0


def test_the_score_weighs_its_four_parts():
    parts = {"净收益": 50, "排序": 100, "可执行": 0, "说得清": 80}
    assert workshop.total_score(parts) == pytest.approx(0.4 * 50 + 20 + 16)
    with pytest.raises(CourseError, match="缺少“排序”"):
        workshop.total_score({"净收益": 50})
    with pytest.raises(CourseError, match="0 到 100"):
        workshop.total_score(parts | {"排序": 120})


def test_a_pilot_tries_public_customers_only_and_hides_small_groups(known):
    bank = Hidden(known)
    result = workshop.pilot(bank, {"全部": list(known.index), "小组": ["C0", "C5"]})
    assert result.loc["全部", "tried"] == 5 and result.loc["全部", "customers"] == 6
    assert result.loc["全部", "net_benefit"] == pytest.approx(np.mean([100, 80, 60, -20, 0]))
    assert result.loc["全部", "low"] < result.loc["全部", "net_benefit"]
    assert result.loc["小组", ["net_benefit", "bad_share"]].isna().all()
    with pytest.raises(CourseError):
        workshop.pilot(bank, {})


def test_the_board_ranks_by_the_half_that_scores(known):
    bank = Hidden(known)
    lists = {
        "好": pd.DataFrame({"customer_id": ["C0", "C1"], "expected_benefit": [100.0, 80.0]}),
        "差": pd.DataFrame({"customer_id": ["C3", "C5"], "expected_benefit": [9.0, 9.0]}),
    }
    public = workshop.board(bank, lists, known.index, ["C4"])
    assert public.index.tolist() == ["好", "差"]
    assert public["names"].tolist() == [2, 1]
    assert public.loc["好", "benefit_score"] == 100
    final = workshop.board(bank, lists, known.index, ["C4"], workshop.FINAL)
    assert final.loc["差", "net_benefit"] == 40


def test_submissions_come_back_and_a_strange_file_is_named(tmp_path):
    frame = pd.DataFrame({"customer_id": ["C1"], "expected_benefit": [12.345], "phone": ["x"]})
    path = workshop.save_submission(tmp_path, "第一组", frame)
    assert "phone" not in path.read_text(encoding="utf-8-sig")
    (back,) = workshop.read_submissions(tmp_path).values()
    assert back["expected_benefit"].tolist() == [12.35] or back["expected_benefit"][0] == 12.34
    (tmp_path / "坏_提交.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(CourseError, match="坏_提交"):
        workshop.read_submissions(tmp_path)
    assert workshop.read_submissions(None) == {}


def test_nobody_in_class_reads_the_outcomes():
    bank = open_bank("coastal")
    with pytest.raises(CourseError, match="只供检查和计分使用"):
        bank.load(workshop.TABLE)
    assert len(workshop.outcomes(bank)) > 1000
