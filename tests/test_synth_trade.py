"""Merchants, toll users, utility records: identities, shapes, planted truths."""

import numpy as np
import pandas as pd
import pytest
from synth_stage import BANKS, staged

from course_utils.synth.recovery import trade as found
from course_utils.synth.trade.draw import split_cents, systematic_uniform
from course_utils.synth.trade.merchants import share_given_bad
from course_utils.synth.trade.season import day_factors, days_to_new_year
from course_utils.synth.trade.stars import percentile_in_group, star_of
from course_utils.synth.trade.turnover import month_noise

pytestmark = pytest.mark.slow  # whole banks: left out of the fast loop

NEEDS_OTHERS = {"simpson_area"}


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    return staged(request.param, "trade")


@pytest.fixture(scope="module")
def tables(sim):
    parts = sim._parts["contact_log"]
    return sim.tables | {"contact_log": pd.concat(parts, ignore_index=True)}


def test_split_is_exact_and_leaves_a_cent_for_everyone():
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 40, 500)
    totals = np.where(counts > 0, counts + rng.integers(0, 10**11, 500), 0)
    parts = split_cents(totals, counts, rng.lognormal(0, 2, counts.sum()))
    group = np.repeat(np.arange(500), counts)
    assert (np.bincount(group, parts, minlength=500) == totals).all()
    assert parts.min() >= 1


def test_balanced_draw_hits_its_share_in_a_small_arm():
    draws = systematic_uniform(np.random.default_rng(3), 100) < 0.38
    assert draws.sum() == 38


@pytest.mark.parametrize(("ratio", "p_bad"), [(0.65, 0.04), (2.0, 0.05), (1.0, 0.02)])
def test_exposure_given_the_outcome_gives_the_wanted_ratio(ratio, p_bad):
    share = 0.3
    x = share_given_bad(share, ratio, p_bad)
    exposed = x * p_bad / (x * p_bad + share * (1 - p_bad))
    rest = (1 - x) * p_bad / ((1 - x) * p_bad + (1 - share) * (1 - p_bad))
    assert exposed / rest == pytest.approx(ratio, rel=1e-6)


def test_noise_has_exactly_the_wanted_stability():
    noise = month_noise(np.random.default_rng(5), np.full(200, 0.8), 24)
    for first in range(0, 24, 6):
        block = noise[:, first : first + 6]
        assert (1 - block.std(axis=1, ddof=1) / block.mean(axis=1)) == pytest.approx(0.8)


def test_festival_moves_turnover_as_measured():
    dates = np.arange(np.datetime64("2025-01-01"), np.datetime64("2025-03-01"))
    lunar = days_to_new_year(dates)
    assert dates[lunar == 0] == np.datetime64("2025-01-29")
    groups = ["便利店超市", "正餐", "建材批发", "理发美容"]
    factors = day_factors(groups, dates)
    for row in factors[:4]:
        usual = row[(lunar < -12)].mean()
        week = row[(lunar >= 0) & (lunar < 7)].mean() / usual
        ahead = row[(lunar >= -6) & (lunar < 0)].mean() / usual
        assert 0.3 <= week <= 1.15
        assert 1.1 <= ahead <= 1.9
    holiday = np.abs(lunar) <= 18
    assert factors[4:, holiday] == pytest.approx(0.3 * factors[:4, holiday])


def test_stars_respect_the_gates():
    score = np.array([90.0, 90, 90, 70, 40, 10])
    days = np.array([20, 20, 10, 20, 20, 20])
    deposit = np.array([60_000.0, 20_000, 60_000, 9_000, 0, 0])
    assert star_of(score, days, deposit).tolist() == [5, 4, 3, 3, 2, 1]


def test_percentiles_are_ranks_inside_the_group():
    values = np.array([3.0, 1, 2, 10, 20])
    group = np.array([0, 0, 0, 1, 1])
    assert percentile_in_group(values, group) == pytest.approx([5 / 6, 1 / 6, 0.5, 0.25, 0.75])


def test_days_add_up_to_months_to_the_cent(sim):
    day, month = sim.tables["merchant_day"], sim.tables["merchant_month"]
    end = day["date"] + pd.offsets.MonthEnd(0)
    keys = ["month", "merchant_id"]
    sums = day.assign(month=end, cents=np.rint(day["transaction_amount"] * 100)).groupby(keys)
    sums = sums.agg(
        cents=("cents", "sum"), count=("transaction_count", "sum"), days=("date", "size")
    )
    whole = month[month["month"] > sim.as_of - pd.DateOffset(months=3)].set_index(keys)
    sums = sums.reindex(whole.index, fill_value=0)
    assert (sums["cents"] == np.rint(whole["transaction_amount"] * 100)).all()
    assert (sums["count"] == whole["transaction_count"]).all()
    assert (sums["days"] == whole["active_days"]).all()


def test_daily_table_covers_120_days_without_empty_rows(sim):
    day = sim.tables["merchant_day"]
    assert day["date"].min() == sim.as_of - pd.Timedelta(days=119)
    assert day["date"].max() == sim.as_of
    assert (day["transaction_amount"] > 0).all()
    assert (day["transaction_count"] >= 1).all()
    assert not day.duplicated(["date", "merchant_id"]).any()


def test_gap_days_tell_the_last_sale(sim):
    day, month = sim.tables["merchant_day"], sim.tables["merchant_month"]
    last = day.groupby("merchant_id")["date"].max()
    end = month[month["month"] == sim.as_of].set_index("merchant_id")
    seen = end.index.isin(last.index)
    gap = (sim.as_of - last.reindex(end.index[seen])).dt.days
    assert (gap.to_numpy() == end.loc[seen, "gap_days"].to_numpy()).all()
    assert (end.loc[~seen, "gap_days"] >= 60).mean() > 0.95
    assert (month["gap_days"] >= 0).all()


def test_nothing_before_the_signing(sim):
    merchant = sim.tables["merchant"].set_index("merchant_id")
    customer = sim.tables["customer"].set_index("customer_id")
    own = customer["open_date"].reindex(merchant["customer_id"]).to_numpy()
    assert (merchant["open_date"].to_numpy() >= own).all()
    month = sim.tables["merchant_month"]
    assert (month["month"] >= merchant["open_date"].reindex(month["merchant_id"]).to_numpy()).all()
    benefit = sim.tables["merchant_benefit"]
    assert (
        benefit["date"].to_numpy()
        >= merchant["open_date"].reindex(benefit["merchant_id"]).to_numpy()
    ).all()


def test_benefits_only_where_the_branch_has_started(sim):
    merchant = sim.tables["merchant"].set_index("merchant_id")["branch_id"].astype(str)
    names = {"体检保险": "商户体检保险权益", "收款纸卷": "商户纸卷权益"}
    program = sim.tables["branch_program"]
    start = program.set_index([program["branch_id"].astype(str), program["program"].astype(str)])
    for row in sim.tables["merchant_benefit"].itertuples():
        key = (merchant[row.merchant_id], names[row.benefit])
        assert row.date >= start.loc[key, "start_date"]


def test_arrays_are_the_merchants_money(sim):
    month, merchant = sim.tables["merchant_month"], sim.tables["merchant"]
    assert sim.arrays["merchant_inflow"].shape == (len(sim.people), 24)
    inflow = sim.arrays["merchant_inflow"].sum()
    assert inflow == pytest.approx(month["transaction_amount"].sum())
    held = sim.arrays["settlement_deposit"]
    assert held.sum() == pytest.approx(month["settlement_deposit_average"].sum())
    others = ~sim.people["customer_id"].isin(merchant["customer_id"]).to_numpy()
    assert held[others].sum() == 0


def test_sleeping_share_and_concentration(sim):
    month = sim.tables["merchant_month"]
    end = month[month["month"] == sim.as_of]
    assert 0.20 <= (end["gap_days"] >= 60).mean() <= 0.34
    year = month[month["month"] > sim.as_of - pd.DateOffset(years=1)]
    total = year.groupby("merchant_id")["transaction_amount"].sum().sort_values(ascending=False)
    top = total.iloc[: round(0.08 * len(total))].sum() / total.sum()
    assert 0.3 <= top <= 0.7


def test_pilot_arms_are_random_and_naive_visits_mislead(sim, tables):
    log = tables["contact_log"]
    rows = log[log["purpose"].astype(str) == "收单走访"]
    arm = rows["arm"].astype(str)
    treated, held = (arm == "随机触达").sum(), (arm == "随机保留").sum()
    assert abs(treated - held) <= 0.15 * (treated + held)
    assert rows.loc[arm == "随机保留", "employee_id"].isna().all()
    rate = rows["converted"].astype(float).groupby(arm).mean()
    assert rate["随机触达"] - rate["随机保留"] > 0.12
    assert rate["自选"] < rate["随机触达"]


def test_etc_sums_and_shares(sim):
    user, month = sim.tables["etc_user"], sim.tables["etc_month"]
    cents = month.assign(cents=np.rint(month["toll"] * 100).astype("int64"))
    year = cents[cents["month"] > sim.as_of - pd.DateOffset(years=1)]
    total = year.groupby("customer_id")["cents"].sum().reindex(user["customer_id"], fill_value=0)
    assert (total.to_numpy() == np.rint(user["toll_12m"] * 100)).all()
    recent = cents[cents["month"] > sim.as_of - pd.DateOffset(months=3)]
    total = recent.groupby("customer_id")["cents"].sum().reindex(user["customer_id"], fill_value=0)
    assert (total.to_numpy() == np.rint(user["toll_3m"] * 100)).all()
    people = sim.people
    adult = (people["customer_type"].astype(str) != "企业") & people["age"].between(18, 70)
    assert len(user) / adult.sum() == pytest.approx(0.14, abs=0.005)
    sex = people.set_index("customer_id")["gender"].reindex(user["customer_id"])
    assert 0.62 <= (sex == "男").mean() <= 0.82


def test_utility_follows_turnover(sim):
    rows = sim.tables["utility_month"]
    size = sim.people.set_index("customer_id")["business_size"].reindex(rows["customer_id"])
    known = size.notna().to_numpy() & (rows["kwh"] > 0).to_numpy()
    log_power = np.log(rows.loc[known, "kwh"].to_numpy(dtype=float))
    assert np.corrcoef(log_power, size.to_numpy()[known])[0, 1] > 0.5
    assert (rows[["kwh", "water_tons", "tax", "payroll_amount"]] >= 0).all().all()


def recoverable():
    return [r for r in found.RECOVERIES if r.key not in NEEDS_OTHERS]


@pytest.mark.parametrize("recovery", recoverable(), ids=lambda r: r.key)
def test_truth_is_found_again(sim, tables, recovery):
    value = recovery.estimate(tables, sim.profile)
    target = recovery.target(sim.effects.planted(recovery.lesson, recovery.key))
    assert recovery.recovered(value, target), (value, target)


@pytest.mark.parametrize("code", BANKS)
def test_nothing_is_found_where_nothing_is_planted(code):
    sim = staged(code, "trade", effects="off")
    parts = pd.concat(sim._parts["contact_log"], ignore_index=True)
    tables = sim.tables | {"contact_log": parts}
    for recovery in recoverable():
        if recovery.null is None:
            continue
        target = recovery.target(
            staged(code, "trade").effects.planted(recovery.lesson, recovery.key)
        )
        value = recovery.estimate(tables, sim.profile)
        assert not recovery.false_find(value, target), (recovery.key, value)


def test_season_index_removes_false_alarms(sim, tables):
    amount = np.nan_to_num(found.wide(tables, "transaction_amount"))[:, -12:]
    even = found.adjusted(amount, found.season_class(tables))
    steady = (amount > 0).all(axis=1)

    def wobble(panel):
        return np.median(panel[steady].std(axis=1) / panel[steady].mean(axis=1))

    assert wobble(even) < 0.9 * wobble(amount)
