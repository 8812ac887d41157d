"""Calibers, quality, privacy, tiers: hand-worked cases."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import caliber, privacy, quality, tiers
from course_utils.errors import CourseError


# ---- caliber -------------------------------------------------------------------------------
def test_daily_average_carries_weekends_and_counts_days_before_opening_as_zero():
    daily = pd.Series([100.0, 200.0], index=pd.to_datetime(["2025-01-02", "2025-01-04"]))
    # 1 Jan 0, 2 Jan 100, 3 Jan 100 (carried), 4 Jan 200
    assert caliber.daily_average(daily, "2025-01-01", "2025-01-04") == pytest.approx(100.0)
    assert caliber.year_daily_average(daily, "2025-01-04") == pytest.approx(100.0)
    assert caliber.point_balance(daily, "2025-01-03") == 100.0
    assert np.isnan(caliber.point_balance(daily, "2024-12-31"))
    # a balance from before the period is carried into it
    assert caliber.daily_average(daily, "2025-01-05", "2025-01-06") == pytest.approx(200.0)


def test_month_table_deviation_against_the_four_percent_line():
    days = pd.date_range("2025-06-01", "2025-06-30")
    flat = pd.DataFrame({"branch_id": "B01", "date": days, "balance": 100.0})
    spiky = flat.assign(branch_id="B02")
    spiky.loc[29, "balance"] = 130.0
    table = caliber.month_table(pd.concat([flat, spiky]), by="branch_id").set_index("branch_id")
    assert table.loc["B01", "deviation"] == pytest.approx(0.0)
    assert table.loc["B02", "month_average"] == pytest.approx(101.0)
    assert table.loc["B02", "deviation"] == pytest.approx(29 / 101)
    assert list(table["breach"]) == [False, True]
    assert caliber.deviation(104.0, 100.0) == pytest.approx(0.04)


def test_weighted_numbers():
    values, weights = pd.Series([1.0, 2.0, np.nan]), pd.Series([1, 3, 100])
    assert caliber.weighted_sum(values, weights) == 7.0
    assert caliber.weighted_mean(values, weights) == pytest.approx(7 / 4)
    assert caliber.weighted_quantile(values, weights, 0.25) == 1.0
    assert caliber.weighted_quantile(values, weights, 0.26) == 2.0
    # integer weights mean: the row stands for so many customers
    repeated = pd.Series(np.repeat([3.0, 1.0, 2.0], [2, 1, 4]))
    for q in (0.1, 0.3, 0.5, 0.9):
        want = np.quantile(repeated, q, method="inverted_cdf")
        assert (
            caliber.weighted_quantile(pd.Series([3.0, 1.0, 2.0]), pd.Series([2, 1, 4]), q) == want
        )


def test_wide_and_quarter_average_match_a_plain_groupby():
    rng = np.random.default_rng(1)
    months = pd.date_range("2025-01-31", periods=5, freq="ME")
    long = pd.DataFrame(
        [(f"C{i}", m) for i in range(6) for m in months if rng.random() < 0.8],
        columns=["customer_id", "month"],
    )
    long["a"] = rng.integers(0, 100, len(long)).astype(float)
    long["b"] = 1.0
    panel = caliber.wide(long.sample(frac=1, random_state=2), ["a", "b"])
    want = (
        long.assign(s=long["a"] + long["b"])
        .pivot_table(index="customer_id", columns="month", values="s", aggfunc="sum")
        .fillna(0.0)
    )
    pd.testing.assert_frame_equal(panel, want, check_freq=False, check_column_type=False)
    rolled = panel.T.rolling(3).mean().T.iloc[:, 2:]
    got = caliber.quarter_average(panel)
    np.testing.assert_allclose(got.to_numpy(), rolled.to_numpy())
    assert list(got.columns) == list(months[2:])
    with pytest.raises(CourseError, match="至少 3 个月"):
        caliber.quarter_average(panel.iloc[:, :2])


# ---- quality -------------------------------------------------------------------------------
def test_quality_parts_by_hand():
    frame = pd.DataFrame({"k": ["a", "a", "b", None, None], "v": [1.0, None, 3.0, 4.0, 5.0]})
    assert quality.completeness(frame, ["k", "v"]) == pytest.approx(1 - 3 / 10)
    assert quality.uniqueness(frame, "k") == pytest.approx(1 - 1 / 5)  # blanks are not duplicates
    assert quality.uniqueness(frame.iloc[:0], "k") == 1.0
    shares = quality.null_shares({"t": frame}).set_index("column")["null_share"]
    assert shares["k"] == 0.4 and shares["v"] == 0.2
    rules = quality.validity(frame, {"不超过 3": (frame["v"] <= 3).where(frame["v"].notna())})
    assert rules.loc[0, "checked"] == 4 and rules.loc[0, "failed"] == 2
    lag = quality.timeliness(
        pd.Series(pd.to_datetime(["2025-01-01"] * 3)),
        pd.Series(pd.to_datetime(["2025-01-04", "2025-01-05", None])),
    )
    assert lag == 0.5


def test_ledger_gap_keeps_keys_of_both_sides():
    detail = pd.DataFrame({"b": ["x", "x", "y"], "v": [60.0, 40.0, 50.0], "w": [1, 1, 2]})
    ledger = pd.DataFrame({"b": ["x", "y", "z"], "total": [100.0, 100.6, 5.0]})
    gaps = quality.ledger_gap(detail, ledger, ["b"], "v", "total", weight="w").set_index("b")
    assert gaps.loc["x", "gap"] == 0.0 and not gaps.loc["x", "breach"]
    assert gaps.loc["y", "gap_share"] == pytest.approx(-0.6 / 100.6) and gaps.loc["y", "breach"]
    assert gaps.loc["z", "detail"] == 0.0 and gaps.loc["z", "breach"]
    assert quality.consistency(gaps) == pytest.approx(1 - 5.6 / 205.6)


def test_join_coverage_counts_orphans_blanks_and_multiplying_parents():
    child = pd.DataFrame({"id": ["a", "b", "zz", None]})
    parent = pd.DataFrame({"id": ["a", "b", "b", None]})
    result = quality.join_coverage(child, parent, "id")
    assert result == {
        "rows": 4, "missing_key": 1, "matched": 2, "orphans": 1, "coverage": 0.5,
        "parent_duplicates": 1,
    }  # fmt: skip


def test_score_rescales_weights_to_the_parts_present():
    scores = quality.score({"completeness": 1.0, "uniqueness": 0.5})
    assert scores["total"] == pytest.approx((0.25 * 100 + 0.2 * 50) / 0.45)
    table = quality.score(pd.DataFrame({"validity": [1.0, 0.0]}, index=["B01", "B02"]))
    assert list(table["total"]) == [100.0, 0.0]
    with pytest.raises(CourseError, match="至少需要一项"):
        quality.score({"nonsense": 1.0})


def test_near_duplicates_need_different_ids():
    frame = pd.DataFrame(
        {"customer_id": ["1", "2", "3", "3"], "n": ["张*", "张*", "李*", "李*"], "y": [1, 1, 2, 2]}
    )
    pairs = quality.near_duplicates(frame, ["n", "y"])
    assert list(pairs["customer_id"]) == ["1", "2"] and set(pairs["group"]) == {1}


# ---- privacy -------------------------------------------------------------------------------
def test_pseudonyms_are_keyed_separated_and_stable():
    ids = pd.Series(["A1", "A1 ", None, "B2"])
    one = privacy.pseudonym(ids, "k" * 16)
    assert one[0] == one[1] != one[3] and pd.isna(one[2])
    assert one[0] != privacy.pseudonym(ids, "j" * 16)[0]
    assert one[0] != privacy.pseudonym(ids, "k" * 16, domain="phone")[0]
    with pytest.raises(CourseError, match="密钥太短"):
        privacy.pseudonym(ids, "short")


def test_masks_leave_no_middle_digits():
    phones = pd.Series(["19912345678", "+86 199-1234-5678", 19912345678.0, "1234", None])
    masked = privacy.mask_phone(phones)
    assert list(masked[:3]) == ["199****5678"] * 3
    assert masked[3] == "***" and pd.isna(masked[4])
    assert list(privacy.mask_name(pd.Series(["张三丰", "李 四", "王"]))) == ["张**", "李*", "王*"]


@pytest.mark.parametrize(
    ("age", "band"), [(0, "0-4"), (39, "35-39"), (40, "40-44"), (79.9, "75-79"), (80, "80+"),
                      (np.nan, "未知"), (-1, "未知")]
)  # fmt: skip
def test_age_band(age, band):
    assert privacy.age_band(pd.Series([age]))[0] == band


def test_round_amount_and_shift_dates():
    assert list(privacy.round_amount(pd.Series([1499.0, 1500.0, -1500.0]))) == [1000, 2000, -2000]
    dates = pd.Series(pd.to_datetime(["2025-01-01", "2025-01-11", "2025-01-01"]))
    person = pd.Series(["p", "p", "q"])
    shifted = privacy.shift_dates(dates, person, "k" * 16)
    assert (shifted[1] - shifted[0]).days == 10
    assert ((shifted - dates).dt.days.abs() <= 7).all()
    many = privacy.shift_dates(
        pd.Series([pd.Timestamp("2025-01-01")] * 300), pd.Series([str(i) for i in range(300)]),
        "k" * 16,
    )  # fmt: skip
    assert many.nunique() == 15


def test_k_anonymity_l_diversity_and_uniqueness():
    frame = pd.DataFrame(
        {"v": ["a", "a", "a", "b", None, None], "g": list("mmfmff"), "s": list("xxxyxy")}
    )
    result = privacy.k_anonymity(frame, ["v", "g"], k=2)
    assert result == {
        "k_min": 1, "classes": 4, "rows_below_k": 2, "share_below_k": pytest.approx(2 / 6),
        "unique_share": pytest.approx(2 / 6),
    }  # fmt: skip
    assert privacy.l_diversity(frame, ["v", "g"], "s") == {
        "l_min": 1, "share_revealed": pytest.approx(4 / 6),
    }  # fmt: skip
    table = privacy.uniqueness_table(frame, ["v", "g"])
    assert list(table["unique_share"]) == pytest.approx([1 / 6, 2 / 6])
    coarse = privacy.generalise(frame, {"v": {"a": "片区"}, "g": "all"})
    assert set(coarse["v"]) == {"片区", "其他"} and set(coarse["g"]) == {"*"}
    assert privacy.k_anonymity(coarse, ["v", "g"])["k_min"] == 3


def test_linkage_attack_counts_only_certain_hits():
    released = pd.DataFrame({"v": ["a", "a", "b"], "y": [1, 2, 3]})
    known = pd.DataFrame({"v": ["a", "b", "b", "z"], "y": [1, 3, 3, 9]})
    result = privacy.linkage_attack(released, known, ["v", "y"])
    assert result["unique_hits"] == 1  # two known persons fit (b, 3): not certain who it is
    assert result["hit_share"] == 0.25


def test_scan_text_sees_through_separators_and_full_width():
    texts = pd.Series(
        [
            "电话19912345678。",
            "手机 199-1234-5678 另 １９９８７６５４３２１",
            "身份证11010119900101123X",
            "卡号 6222 0212 3456 7890 123",
            "金额 19912345678901 元",
            "编号A00000001，日期20250101",
            None,
        ],
        index=list("abcdefg"),
    )
    hits = privacy.scan_text(texts)
    assert list(hits["row"]) == ["a", "b", "b", "c", "d"]
    assert list(hits["kind"]) == ["手机号", "手机号", "手机号", "证件号", "卡号"]
    assert not hits["masked"].str.contains("12345678").any()
    assert privacy.id_checksum_ok("11010519491231002X")  # the standard's own example
    assert not privacy.id_checksum_ok("110105194912310021")
    assert privacy.luhn_ok("79927398713") is False and privacy.luhn_ok("4111111111111111")


# ---- tiers ---------------------------------------------------------------------------------
def test_aum_tier_edges_belong_to_the_upper_tier():
    aum = pd.Series([0.0, 9999.99, 1e4, 5e4, 2e5, 5e5, 1e6, np.nan])
    names = list(tiers.aum_tier(aum).astype("object"))
    assert [str(n)[:2] for n in names[:7]] == ["T0", "T0", "T1", "T2", "T3", "T4", "T5"]
    assert pd.isna(names[7])
    assert tiers.tier_labels() == [
        "T0 <1万", "T1 1-5万", "T2 5-20万", "T3 20-50万", "T4 50-100万", "T5 ≥100万"
    ]  # fmt: skip
    table = tiers.tier_table(pd.Series([1e4, 1e6]), pd.Series([3, 1]))
    assert table["customers"].tolist() == [0, 3, 0, 0, 0, 1]
    assert table.loc["T5 ≥100万", "amount_share"] == pytest.approx(1e6 / 1.03e6)
    with pytest.raises(CourseError, match="由小到大"):
        tiers.aum_tier(aum, cuts=[5e4, 1e4])


def test_rfm_scores_and_segments():
    days = pd.Series([1, 20, 40, 80, np.nan])
    table = tiers.rfm(days, pd.Series([9, 7, 5, 3, 0]), pd.Series([5.0, 4.0, 3.0, 2.0, 1.0]))
    assert list(table["R"]) == [5, 4, 3, 2, 1]
    assert list(table["F"]) == [5, 4, 3, 2, 1]
    assert table.loc[0, "segment"] == "重要价值" and table.loc[4, "segment"] == "一般挽留"
    same = tiers.quintile(pd.Series([7, 7, 7, 7]))
    assert len(set(same)) == 1
