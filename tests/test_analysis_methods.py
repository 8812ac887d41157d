"""Share, maturity, staffing, experiments, survival, churn: hand-worked and against references."""

import math

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import churn, experiment, maturity, share, staffing, survival
from course_utils.errors import CourseError

D = pd.Timestamp


# ---- share ---------------------------------------------------------------------------------
def report():
    rows = []
    for month, own, rival in [
        ("2024-12-31", 40, 60),
        ("2025-01-31", 50, 60),
        ("2025-02-28", 45, 50),
    ]:
        rows += [
            (D(month), "本行", "个人定期存款", own),
            (D(month), "大行甲", "个人定期存款", rival),
        ]
    return pd.DataFrame(rows, columns=["month", "bank_label", "item", "balance"])


def test_market_share_rank_hhi():
    table = share.market_share(report())
    first = table.iloc[0]
    assert first["share"] == 0.4 and first["rank"] == 2 and first["banks"] == 2
    assert first["hhi"] == pytest.approx(0.52)
    with pytest.raises(CourseError, match="没有“某行”"):
        share.market_share(report(), own="某行")


def test_incremental_share_is_undefined_when_the_market_shrinks():
    table = share.incremental_share(share.market_share(report()))
    assert np.isnan(table["incremental_share"].iloc[0])  # no base month
    assert table["incremental_share"].iloc[1] == pytest.approx(1.0)
    assert np.isnan(table["incremental_share"].iloc[2])  # market fell by 5
    assert table["market_change"].iloc[2] == -5
    month = share.incremental_share(share.market_share(report()), base="month_ago")
    assert month["own_change"].iloc[2] == -5
    year = share.incremental_share(share.market_share(report()), base="year_ago")
    assert year["base_month"].iloc[2] == D("2024-02-29")


def test_mix_within_adds_up_and_sees_simpson():
    before = pd.DataFrame({"own": [60.0, 10.0], "market": [100.0, 100.0]}, index=["定", "活"])
    after = pd.DataFrame({"own": [177.0, 9.0], "market": [300.0, 100.0]}, index=["定", "活"])
    parts = share.mix_within(before, after)
    change = 186 / 400 - 70 / 200
    assert parts["total"].sum() == pytest.approx(change)
    assert (parts["within"] < 0).all()  # every item's share fell …
    assert change > 0  # … and the total rose: all mix
    assert parts["mix_excess"].sum() == pytest.approx(parts["mix"].sum())
    gone = share.mix_within(before, after.drop(index="活"))
    assert gone["total"].sum() == pytest.approx(177 / 300 - 70 / 200)


def test_lost_share_hhi_cagr():
    table = share.market_share(report())
    lost = share.lost_share(table, "2025-01-31")
    assert lost["lost"].tolist() == pytest.approx([0.0, (50 / 110 - 45 / 95) * 95])
    assert share.hhi(pd.Series([1, 1, 1, 1])) == 0.25
    assert share.cagr(100, 121, 2) == pytest.approx(0.1)
    assert math.isnan(share.cagr(0, 1, 1))


def test_event_curve_and_half_life():
    days = pd.date_range("2023-01-01", "2025-12-31")
    events = [D("2023-06-01"), D("2024-06-01"), D("2025-12-20")]
    daily = pd.Series(1000.0, index=days)
    for event in events[:2]:
        offset = (days - event).days
        daily += np.where(offset >= 0, 100 * 0.5 ** (np.maximum(offset, 0) / 28), 0)
    curve = share.event_aligned(daily, events, before=5, after=60)["合计"]
    assert curve.loc[-5] == 0 and curve.loc[0] == pytest.approx(100, abs=1e-2)
    assert share.half_life(curve) == pytest.approx(28, abs=0.1)
    assert share.half_life(curve, from_day=-5) == pytest.approx(33, abs=0.1)
    assert share.half_life(curve, rest=0.01) == math.inf
    with pytest.raises(CourseError, match="没有一个事件日"):
        share.event_aligned(daily, [D("2025-12-20")], after=60)


# ---- maturity ------------------------------------------------------------------------------
def accounts():
    return pd.DataFrame(
        {
            "kind": ["定期", "大额存单", "活期", "定期", "定期", "定期"],
            "open_date": [D("2023-01-05")] * 5 + [D("2026-01-01")],
            "maturity_date": [D("2026-01-05"), D("2026-03-31"), pd.NaT, D("2025-12-31"),
                              D("2028-01-05"), D("2027-01-01")],
            "close_date": [pd.NaT, pd.NaT, pd.NaT, pd.NaT, D("2025-06-01"), pd.NaT],
            "amount": [100.0, 200.0, 7.0, 50.0, 900.0, 1.0],
            "branch_id": ["B01", "B02", "B01", "B01", "B01", "B01"],
            "weight": [2, 1, 1, 1, 1, 1],
        }
    )  # fmt: skip


def test_ladder_keeps_only_what_is_open_and_still_to_mature():
    table = maturity.ladder(accounts(), "2025-12-31", by="branch_id")
    assert list(table.index) == list(pd.to_datetime(["2026-01-31", "2026-02-28", "2026-03-31"]))
    assert table.loc["2026-01-31", "B01"] == 100 and table.loc["2026-03-31", "B02"] == 200
    assert table.to_numpy().sum() == 300
    heavy = maturity.ladder(accounts(), "2025-12-31", weight="weight", months=12)
    assert heavy["合计"].sum() == 400 and len(heavy) == 12
    buckets = maturity.ladder(accounts(), "2025-12-31", period="bucket")["合计"]
    assert buckets["30天内"] == 100 and buckets["31–90天"] == 200
    assert maturity.profile(table)["cumulative"].iloc[-1] == pytest.approx(1.0)
    # a later as-of date sees other deposits: nothing is remembered
    assert maturity.ladder(accounts(), "2026-01-05")["合计"].sum() == 201


@pytest.mark.parametrize(
    ("days", "label"), [(1, "30天内"), (30, "30天内"), (31, "31–90天"), (365, "181–365天"),
                        (366, "1–2年"), (1826, "3–5年"), (1827, "5年以上")]
)  # fmt: skip
def test_bucket_edges(days, label):
    assert maturity.bucket(pd.Series([days]))[0] == label


def test_next_workday_uses_the_calendar_then_weekends():
    calendar = pd.DataFrame(
        {
            "date": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]),
            "workday": [False, False, False, True],
        }
    )
    dates = pd.Series(pd.to_datetime(["2026-01-01", "2026-01-04", "2026-01-10", None]))
    moved = maturity.next_workday(dates, calendar)
    assert list(moved[:3]) == [D("2026-01-04"), D("2026-01-04"), D("2026-01-12")]
    assert pd.isna(moved[3])


def test_renewal_definition_and_rates():
    flag = maturity.renewed(pd.Series([100.0, 100.0, 100.0]), pd.Series([80.0, 79.99, np.nan]))
    assert flag[0] and not flag[1] and pd.isna(flag[2])
    rows = pd.DataFrame({"tier": ["T1"] * 4, "renewed": [*flag.tolist(), True], "w": [1, 3, 1, 1]})
    rows["renewed"] = rows["renewed"].astype("boolean")
    table = maturity.renewal_rate(rows, "tier", weight="w")
    assert table.loc[0, "count"] == 3 and table.loc[0, "rate"] == pytest.approx(2 / 3)
    assert table.loc[0, "weighted_rate"] == pytest.approx(2 / 5)


def test_repricing_and_its_risk():
    saving = maturity.repricing_saving(
        pd.Series([1e6, 2e6]), pd.Series([3.0, 2.6]), pd.Series([1.25, 1.25])
    )
    assert saving == pytest.approx(1e6 * 0.0175 + 2e6 * 0.0135)
    gap = maturity.funding_gap(1e8, 0.7, 0.1, replacement_rate=2.0, new_rate=1.25)
    assert gap["outflow"] == pytest.approx(3e7) and gap["extra_outflow"] == pytest.approx(1e7)
    assert gap["replacement_cost"] == pytest.approx(75_000)


def test_visits_and_event_days():
    rows = pd.DataFrame(
        {"visit_date": pd.to_datetime(["2026-01-04"] * 5 + ["2026-01-07"]), "b": ["x"] * 5 + ["y"]}
    )
    visits = maturity.expected_visits(rows, 0.5)
    assert visits.tolist() == [2.5, 0, 0, 0.5]
    assert maturity.expected_visits(rows, 0.5, by="b").loc["2026-01-07", "y"] == 0.5
    found = maturity.event_days(visits, capacity=1.0, window=3, factor=2.0)
    assert found["start"].tolist() == [D("2026-01-04")] and found["load"].tolist() == [2.5]


def rate_table():
    rows = [("2024-01-01", "本行", 12, 2.0), ("2025-01-01", "本行", 12, 1.5),
            ("2025-06-01", "本行", 12, 1.1), ("2025-01-01", "同业", 12, 1.8)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["effective_date", "who", "term_months", "rate"])
    return table.assign(effective_date=pd.to_datetime(table["effective_date"]), kind="定期")


def test_posted_rate_takes_the_latest_before_the_date():
    rates = rate_table()
    assert maturity.posted_rate(rates, "本行", as_of="2025-03-01")[12] == 1.5
    assert maturity.posted_rate(rates)[12] == 1.1
    with pytest.raises(CourseError, match="挂牌利率"):
        maturity.posted_rate(rates, "本行", as_of="2023-01-01")


def test_rate_gap_is_peer_minus_own_on_the_day():
    rows = pd.DataFrame(
        {
            "term_months": pd.array([12, 12, 12, 36, None], dtype="Int64"),
            "maturity_date": pd.to_datetime(
                ["2025-03-01", "2025-06-01", "2024-06-01", "2025-03-01", "2025-03-01"]
            ),
        }
    )
    gap = maturity.rate_gap(rows, rate_table())
    assert gap[0] == pytest.approx(0.3) and gap[1] == pytest.approx(0.7)
    assert gap[2:].isna().all()


# ---- staffing ------------------------------------------------------------------------------
def erlang_by_definition(a, c):
    top = a**c / math.factorial(c) * c / (c - a)
    return top / (sum(a**k / math.factorial(k) for k in range(c)) + top)


@pytest.mark.parametrize(("arrivals", "service", "counters"), [(20, 6, 3), (55, 5, 6), (3, 12, 1)])
def test_erlang_c_against_the_textbook_sum(arrivals, service, counters):
    load = arrivals * service / 60
    want = erlang_by_definition(load, counters)
    assert staffing.erlang_c(arrivals, service, counters) == pytest.approx(want)
    rate = (counters - load) / service
    assert staffing.wait_over(arrivals, service, counters, 10) == pytest.approx(
        want * math.exp(-10 * rate)
    )
    assert staffing.mean_wait(arrivals, service, counters) == pytest.approx(want / rate)


def test_one_counter_is_the_m_m_1_queue():
    assert staffing.erlang_c(3, 12, 1) == pytest.approx(0.6)  # waits when the counter is busy
    assert staffing.mean_wait(3, 12, 1) == pytest.approx(18.0)  # ρ/(μ−λ) = 0.6/(5−3) h


def test_counters_needed_is_the_smallest():
    need = staffing.counters_needed(40, 8)
    assert staffing.wait_over(40, 8, need) <= 0.2 < staffing.wait_over(40, 8, need - 1)
    assert staffing.counters_needed(0, 8) == 0
    capacity = staffing.daily_capacity(3, 8)
    table = staffing.roster(pd.Series([capacity * 0.99, capacity * 1.01]), 3, 8)
    assert table["overload"].tolist() == [False, True]
    with pytest.raises(CourseError, match="窗口仍达不到"):
        staffing.counters_needed(1000, 60, limit=5)


# ---- experiments ---------------------------------------------------------------------------
def test_wilson_and_newcombe_against_statsmodels():
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    table = experiment.wilson(pd.Series([0, 7, 50]), pd.Series([10, 20, 50]))
    low, high = proportion_confint([0, 7, 50], [10, 20, 50], method="wilson")
    np.testing.assert_allclose(table["low"], low, atol=1e-12)
    np.testing.assert_allclose(table["high"], high, atol=1e-12)
    assert experiment.wilson(0, 0).isna().all(axis=None)
    got = experiment.diff_ci(56, 70, 48, 80)  # Newcombe 1998, example (a)
    assert got["low"] == pytest.approx(0.0524, abs=1e-4)
    assert got["high"] == pytest.approx(0.3339, abs=1e-4)
    ref = confint_proportions_2indep(56, 70, 48, 80, method="newcomb")
    assert (got["low"], got["high"]) == pytest.approx(ref)


def test_compare_arms_by_group_and_missing_outcomes():
    rows = pd.DataFrame({"y": [1, 0, 1, 0, None, 1], "arm": list("ttcctc"), "g": list("xxxxxx")})
    table = experiment.compare_arms(rows, "y", "arm", "t", "c", by="g")
    assert table.loc[0, "n_a"] == 2 and table.loc[0, "n_b"] == 3
    assert table.loc[0, "difference"] == pytest.approx(0.5 - 2 / 3)
    with pytest.raises(CourseError, match="找不到两组"):
        experiment.compare_arms(rows, "y", "arm", "无", "c")


def test_cluster_bootstrap_is_wider_than_newcombe_when_clusters_differ():
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(30), 40)
    arm = np.where(rng.random(1200) < 0.5, "t", "c")
    chance = 0.5 + rng.normal(0, 0.2, 30)[cluster] * np.where(arm == "t", 1, -1)
    rows = pd.DataFrame({"y": rng.random(1200) < np.clip(chance, 0, 1), "arm": arm, "m": cluster})
    boot = experiment.cluster_bootstrap(rows, "y", "arm", "m", "t", "c")
    plain = experiment.compare_arms(rows, "y", "arm", "t", "c").iloc[0]
    assert boot["difference"] == pytest.approx(plain["difference"])
    assert boot["high"] - boot["low"] > 1.3 * (plain["high"] - plain["low"])
    assert boot == experiment.cluster_bootstrap(rows, "y", "arm", "m", "t", "c")


def test_sample_size_matches_the_measured_table():
    # lessons' table of minimum sizes: rates -> n per arm
    assert experiment.sample_size(0.62, 0.71) == pytest.approx(432, abs=1)
    assert experiment.sample_size(0.15, 0.38) == pytest.approx(58, abs=1)
    assert experiment.power_of(0.62, 0.71, experiment.sample_size(0.62, 0.71)) >= 0.8
    assert experiment.power_of(0.62, 0.71, 100) < 0.5
    assert experiment.sample_ratio_p(500, 500) == pytest.approx(1.0)
    assert experiment.sample_ratio_p(600, 400) < 1e-6


def test_logistic_recovers_odds_ratios():
    rng = np.random.default_rng(5)
    x = rng.random(8000) < 0.4
    y = rng.random(8000) < 1 / (1 + np.exp(-(-1.5 + math.log(2.4) * x)))
    rows = pd.DataFrame({"y": y.astype(int), "x": x, "g": rng.integers(0, 40, 8000)})
    table = experiment.logistic(rows, "y", ["x"], cluster="g")
    a, b = y[x].mean(), y[~x].mean()
    assert table.loc["x", "odds_ratio"] == pytest.approx((a / (1 - a)) / (b / (1 - b)), rel=1e-4)
    assert table.loc["x", "low"] < 2.4 < table.loc["x", "high"]


# ---- survival ------------------------------------------------------------------------------
# Freireich et al. (1963): weeks in remission, 6-MP arm (censored: False) and control arm
SIX_MP = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
CONTROL = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
GEHAN = pd.DataFrame(
    {
        "t": [*SIX_MP, *CONTROL],
        "d": np.repeat([True, False, True], [9, 12, 21]),
        "g": np.repeat(["6-MP", "对照"], 21),
    }
)


def test_kaplan_meier_against_statsmodels_and_the_book():
    import warnings

    arm = GEHAN[GEHAN["g"] == "6-MP"]
    curve = survival.kaplan_meier(arm["t"], arm["d"])
    by_time = curve.set_index("time")["survival"]
    assert by_time[6] == pytest.approx(18 / 21)
    assert by_time[10] == pytest.approx(0.7529, abs=1e-4)
    assert by_time[23] == pytest.approx(0.4482, abs=1e-4)
    assert curve.set_index("time").loc[6, "std_error"] == pytest.approx(0.0764, abs=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.duration.survfunc import SurvfuncRight, survdiff

        reference = SurvfuncRight(arm["t"], arm["d"].astype(int))
    np.testing.assert_allclose(curve["survival"].iloc[1:], reference.surv_prob)
    np.testing.assert_allclose(curve["std_error"].iloc[1:], reference.surv_prob_se)
    chi, p = survdiff(
        GEHAN["t"].to_numpy(), GEHAN["d"].astype(int).to_numpy(), GEHAN["g"].to_numpy()
    )
    test = survival.log_rank(GEHAN["t"], GEHAN["d"], GEHAN["g"])
    assert test["statistic"] == pytest.approx(chi) == pytest.approx(16.79, abs=0.01)
    assert test["p"] == pytest.approx(p) and test["df"] == 1
    assert survival.median_time(curve) == 23 and survival.survival_at(curve, 9.9) == by_time[7]


def test_left_truncation_enters_the_risk_set_late():
    duration = pd.Series([2.0, 5.0, 6.0])
    event = pd.Series([True, True, True])
    entry = pd.Series([0.0, 0.0, 3.0])
    curve = survival.kaplan_meier(duration, event, entry).set_index("time")
    assert curve.loc[2.0, "at_risk"] == 2 and curve.loc[2.0, "survival"] == 0.5
    assert curve.loc[5.0, "at_risk"] == 2 and curve.loc[5.0, "survival"] == 0.25
    assert ((curve["low"] <= curve["survival"]) & (curve["survival"] <= curve["high"])).all()


def test_person_months_hazard_equals_kaplan_meier():
    months = survival.person_months(
        pd.Series(0, index=GEHAN.index), GEHAN["t"] - 1, GEHAN["d"], pd.Series(GEHAN.index)
    )
    assert len(months) == GEHAN["t"].sum() and months["event"].sum() == GEHAN["d"].sum()
    table = survival.hazard_table(months)
    curve = survival.kaplan_meier(GEHAN["t"], GEHAN["d"]).iloc[1:]
    got = table[table["events"] > 0]
    np.testing.assert_allclose(got["survival"], curve["survival"])
    assert survival.chance_within([0.1, 0.5]) == pytest.approx(0.55)


def test_fit_hazard_finds_the_planted_ratio():
    rng = np.random.default_rng(9)
    x = rng.random(40_000) < 0.3
    month = rng.integers(0, 6, 40_000)
    base = np.array([-4, -3.5, -3, -3, -3.2, -3.8])[month]
    y = rng.random(40_000) < 1 / (1 + np.exp(-(base + math.log(3.1) * x)))
    rows = pd.DataFrame({"event": y.astype(int), "month": month, "x": x})
    table = survival.fit_hazard(rows, ["x"])
    assert list(table.index) == ["x"]
    assert table.loc["x", "low"] < 3.1 < table.loc["x", "high"]


# ---- churn ---------------------------------------------------------------------------------
def panel(*rows):
    months = pd.date_range("2025-04-30", periods=9, freq="ME")
    return pd.DataFrame([[b] * 6 + [r] * 3 for b, r in rows], columns=months, dtype=float)


def test_loss_states_at_the_cuts():
    data = panel(
        (1e5, 8e4), (1e5, 7.99e4), (1e5, 5e4), (1e5, 2e4), (1e5, 1.9e4), (9999, 0), (1e5, 1e5)
    )
    idle = pd.Series([10, 10, 10, 400, 10, 10, 180])
    states = churn.loss_state(data, idle)
    assert list(states.astype("object")[:5]) == ["稳定", "预警", "预警", "半流失", "流失"]
    assert pd.isna(states[5]) and states[6] == "沉默"
    assert churn.loss_state(data)[6] == "稳定"
    never = churn.loss_state(data, pd.Series([np.nan] * 7))
    assert never[0] == "沉默"
    with pytest.raises(CourseError, match="至少 9 个月"):
        churn.loss_state(data.iloc[:, :8])


def test_transition_and_history():
    a = pd.Series(["稳定", "稳定", "预警", None])
    b = pd.Series(["稳定", "流失", "预警", "稳定"])
    table = churn.transition(a, b, pd.Series([1, 2, 3, 4]))
    assert table.loc["稳定", "流失"] == 2 and table.to_numpy().sum() == 6
    assert list(table.index) == ["稳定", "预警", "流失"]
    longer = panel((1e5, 1e5))
    longer[D("2026-01-31")] = 0.0
    history = churn.state_history(longer)
    assert history.shape == (1, 2) and history.iloc[0, 1] == "预警"


def test_destinations_keep_the_unknown():
    flows = pd.DataFrame(
        {"destination": ["他行", "本行理财", None, "他行"], "amount": [30.0, 10.0, 5.0, 5.0]}
    )
    table = churn.destination_shares(flows, total=100.0)
    assert table.loc["去向不明", "amount"] == pytest.approx(55.0)
    assert table["share"].sum() == pytest.approx(1.0) and table.index[-1] == "去向不明"
    by = churn.destination_shares(flows.assign(tier=["A", "A", "B", "B"]), by="tier")
    np.testing.assert_allclose(by.sum(), 1.0)


def test_event_means_and_lead_time():
    months = pd.date_range("2025-01-31", periods=6, freq="ME")
    p = pd.DataFrame([[0, 1, 2, 3, 4, 5], [9] * 6], columns=months, dtype=float)
    at = pd.Series([months[3], pd.NaT])
    curve = churn.event_means({"登录": p}, at, before=2)
    assert curve["登录"].tolist() == [1, 2, 3] and list(curve.index) == [-2, -1, 0]
    alerts = pd.DataFrame(
        {"customer_id": ["a", "a", "b"], "month": [months[0], months[2], months[4]]}
    )
    lead = churn.lead_time(alerts, pd.Series({"a": months[3], "b": months[4], "c": pd.NaT}))
    assert lead == {"mean": 3.0, "found": 0.5, "losses": 2}
