"""Lists, registry, activity, labels, hidden outcomes: consistent with the loans and as planted."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from synth_stage import BANKS, staged

from course_utils.synth.marketing.registry import _likeness
from course_utils.synth.recovery import marketing as found

pytestmark = pytest.mark.slow  # generates whole banks

STEPS = ["called", "reached", "interested", "applied", "approved", "drawn"]


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    return staged(request.param, "marketing")


@pytest.fixture(scope="module")
def rows(sim):
    return sim.tables["white_list"]


def test_every_step_of_the_list_needs_the_step_before(rows):
    for earlier, later in pairwise(STEPS):
        assert not (rows[later] & ~rows[earlier]).any(), later
    assert not (rows["called"] & ~rows["phone_valid"]).any()
    assert not (rows["called"] & rows["random_holdout"]).any()
    assert (rows["assigned_employee_id"].isna() == rows["random_holdout"]).all()
    assert (rows["call_count"] > 0).equals(rows["called"].astype(bool))
    assert (rows["drawn_amount"] > 0).equals(rows["drawn"].astype(bool))


def test_every_draw_on_the_list_is_a_loan(sim, rows):
    loan = sim.tables["loan"]
    keys = set(zip(loan["customer_id"], loan["issue_date"], loan["amount"], strict=True))
    drawn = rows[rows["drawn"]]
    triples = zip(drawn["customer_id"], drawn["drawn_date"], drawn["drawn_amount"], strict=True)
    assert len(drawn) > 100 and all(triple in keys for triple in triples)
    assert not drawn["customer_id"].duplicated().any()


def test_rows_that_already_borrow_really_do(sim, rows):
    loan = sim.tables["loan"]
    useless = rows[rows["already_borrowing"]]
    pairs = useless.merge(loan, on="customer_id", suffixes=("", "_loan"))
    live = (pairs["issue_date"] <= pairs["list_date"] + pd.Timedelta(days=300)) & (
        pairs["settle_date"].isna() | (pairs["settle_date"] > pairs["list_date"])
    )
    assert set(pairs.loc[live, "list_id"]) == set(useless["list_id"])


def test_the_random_hold_out_is_random(sim, rows):
    fresh = rows[~rows["already_borrowing"] & ~rows.duplicated(["batch", "customer_id"])]
    need = sim.people.set_index("customer_id")["need"].reindex(fresh["customer_id"]).to_numpy()
    held = fresh["random_holdout"].to_numpy(dtype=bool)
    gap = need[held].mean() - need[~held].mean()
    assert abs(gap) < 4 * need.std() / np.sqrt(held.sum())
    assert held.mean() == pytest.approx(0.10, abs=0.01)


def test_managers_spread_from_hardly_any_to_nearly_all(rows):
    valid = rows[rows["phone_valid"] & ~rows["random_holdout"] & ~rows["already_borrowing"]]
    by = valid.groupby("assigned_employee_id")["called"].agg(["mean", "size"])
    by = by[by["size"] >= 30]
    assert by["mean"].min() < 0.30 and by["mean"].max() > 0.75


def test_registry_has_the_planted_links(sim):
    registry = sim.tables["registry_list"]
    firm = sim.tables["enterprise"]
    phones = sim.tables["customer"]["phone_hash"].dropna()
    exact = registry["uscc_hash"].isin(firm["uscc_hash"].dropna()) | registry["phone_hash"].isin(
        phones
    )
    assert exact.mean() == pytest.approx(0.29, abs=0.015)
    assert found.registry_match(sim.tables, sim.profile) > exact.mean() + 0.12
    assert registry["registry_id"].is_unique
    known = registry["uscc_hash"].isin(firm["uscc_hash"].dropna())
    assert known.groupby(registry["industry_code"].astype(str)).sum().min() > 0  # no trade unknown
    assert registry["grid_id"].isin(sim.tables["grid"]["grid_id"]).all()
    pairs = sim.tables["label_sample"].query("task == '名单匹配'")
    assert pairs["left_id"].isin(registry["registry_id"]).all()
    assert pairs["right_id"].isin(sim.tables["customer"]["customer_id"]).all()
    assert 0.3 < pairs["true_label"].astype(float).mean() < 0.8


def test_declared_capital_is_a_weak_guide_to_the_size_of_a_shop(sim):
    firm = sim.tables["enterprise"]
    trader = firm["customer_id"].map(
        sim.tables["customer"].set_index("customer_id")["customer_type"]
    )
    shop = firm[trader == "个体工商户"]
    assert 0.2 < shop["register_capital"].corr(shop["revenue"], method="spearman") < 0.6
    assert shop["register_capital"].min() >= 1e4


def test_labelled_pairs_overlap_so_that_no_threshold_is_free_of_error(sim):
    registry = sim.tables["registry_list"].set_index("registry_id")["name"].astype(str)
    firm = sim.tables["enterprise"].set_index("customer_id")["enterprise_name"].astype(str)
    pairs = sim.tables["label_sample"].query("task == '名单匹配'")
    county = str(sim.profile.world.get("county", ""))
    left = found.normal_name(pairs["left_id"].map(registry), county)
    like = [_likeness(a, b) for a, b in zip(left, pairs["right_id"].map(firm), strict=True)]
    like, true = np.array(like), pairs["true_label"].to_numpy(dtype=bool)
    assert like[~true].max() > like[true].min()  # some strangers are more alike than some links
    assert np.median(like[~true]) < 0.35 < np.median(like[true])
    assert not np.all(true[: len(true) // 2])  # the order of the sample gives nothing away


def test_activity_adds_up_and_keeps_to_workdays(sim):
    day = sim.tables["activity_day"]
    calendar = sim.tables["calendar"].set_index("date")["workday"]
    assert day["date"].map(calendar).all()
    assert not day.duplicated(["date", "employee_id"]).any()
    assert (day["valid_visits"] <= day["visits"]).all()
    assert (day["draws"] <= day["applications"]).all()
    assert ((day["draw_amount"] > 0) == (day["draws"] > 0)).all()
    hired = day["employee_id"].map(sim.tables["employee"].set_index("employee_id")["hire_date"])
    assert (day["date"] >= hired).all()


def test_before_and_after_misleads_about_the_pilot(sim):
    day = sim.tables["activity_day"]
    program = sim.tables["branch_program"].query("program == '数据营销试点'")
    staff = sim.tables["employee"].set_index("employee_id")["branch_id"]
    inside = day[day["employee_id"].map(staff).isin(program["branch_id"])]
    start = program["start_date"].min()
    month = inside.groupby([inside["date"].dt.to_period("M"), "employee_id"])["draws"].sum()
    mean = month.groupby(level=0).mean()
    first = start.to_period("M")
    naive = mean[first : first + 2].mean() - mean[first - 3 : first - 1].mean()
    assert naive == pytest.approx(2.3, abs=0.5)
    assert found.pilot_effect(sim.tables, sim.profile) == pytest.approx(1.1, abs=0.35)


def test_hidden_outcomes_reward_gold_and_punish_the_trap(sim):
    outcome = sim.tables["next_90d_outcome"]
    gain = outcome["benefit_contacted"] - outcome["benefit_not_contacted"]
    gold = gain > 412
    size = 240 * sim.profile.persons / 20_000
    assert gold.sum() == pytest.approx(size, abs=1)
    assert gain[gold].mean() > 4 * gain[~gold].mean()
    risky = (sim.people["online_lender_count"] >= 4).to_numpy() & ~gold.to_numpy()
    assert gain[risky].mean() < 0
    assert outcome.loc[risky, "bad_flag"].mean() > 0.3
    assert set(outcome["score_half"]) == {"公榜", "终榜"}
