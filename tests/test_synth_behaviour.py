"""Statements and mobile sessions: exact split, plausible rows, planted truths."""

import numpy as np
import pandas as pd
import pytest
from synth_stage import BANKS, staged

from course_utils.synth.behaviour import names as nm
from course_utils.synth.behaviour.mobile import login_days
from course_utils.synth.behaviour.plan import new_loans
from course_utils.synth.behaviour.split import Budget, round_parts
from course_utils.synth.behaviour.transactions import (
    keyword_hits,
    sample_rows,
    transaction_chunks,
)
from course_utils.synth.recovery import behaviour as found

pytestmark = pytest.mark.slow  # whole banks: left out of the fast loop


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    return staged(request.param, "behaviour")


@pytest.fixture(scope="module")
def table(sim):
    return sim.tables["transaction"]


@pytest.fixture(scope="module")
def truth(sim):
    return sim.arrays["transaction_truth"]["truth"].astype(str).to_numpy()


@pytest.fixture(scope="module")
def panel(sim):
    month = sim.tables["customer_month"]
    chosen = sim.people["customer_id"].to_numpy()[sample_rows(sim)]
    keep = month["customer_id"].isin(chosen) & (month["month"] > sim.as_of - pd.DateOffset(years=1))
    return month[keep].set_index(["customer_id", "month"])


def by_month(table, panel, mask=None):
    rows = table if mask is None else table[mask]
    cents = np.rint(rows["amount"] * 100).astype("int64")
    end = rows["date"] + pd.offsets.MonthEnd(0)
    sums = cents.groupby([rows["customer_id"], end.rename("month")]).agg(["sum", "size"])
    return sums.reindex(panel.index, fill_value=0)


@pytest.mark.parametrize("seed", range(5))
def test_budget_explains_everything_whatever_is_asked(seed):
    rng = np.random.default_rng(seed)
    slots = rng.integers(0, 6, 3000)
    left = np.where(slots > 0, slots + rng.integers(0, 60, 3000), 0)
    budget, items = Budget(left, slots), []
    for _ in range(6):
        items.append(
            budget.take(rng.integers(0, 40, 3000), rng.integers(1, 4, 3000), rng.random() < 0.5)
        )
        assert ((budget.left > 0) == (budget.slots > 0)).all()
        assert (budget.left >= budget.slots).all()
    items[0] = budget.widen(items[0], 0.5)
    items.append(budget.rest())
    assert (sum(item.amount for item in items) == left).all()
    assert (sum(item.count for item in items) == slots).all()
    assert all(((item.amount > 0) == (item.count > 0)).all() for item in items)
    assert all((item.amount >= item.count).all() for item in items)


def test_rounding_keeps_the_sum_of_each_group():
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 9, 400)
    cents = rng.integers(1, 10**7, counts.sum())
    step = np.full(len(cents), 10_000)
    new = round_parts(cents, counts, rng.random(len(cents)) < 0.7, step)
    group = np.repeat(np.arange(400), counts)
    assert (np.bincount(group, new, 400) == np.bincount(group, cents, 400)).all()
    assert new.min() >= 1


def test_login_days_are_distinct_and_as_many_as_counted():
    counts = np.random.default_rng(1).integers(0, 31, 500)
    who, day = login_days(np.random.default_rng(2), counts, 30, np.arange(500) % 2 == 0)
    assert (np.bincount(who, minlength=500) == counts.clip(0, 30)).all()
    assert not pd.DataFrame({"w": who, "d": day}).duplicated().any()
    late = pd.Series(day > 27).groupby(who % 2 == 0).mean()
    assert late[True] > 1.5 * late[False]


@pytest.mark.parametrize(
    ("direction", "amount", "count"),
    [("收入", "in_amount", "in_count"), ("支出", "out_amount", "out_count")],
)
def test_statements_add_up_exactly(table, panel, direction, amount, count):
    sums = by_month(table, panel, (table["direction"] == direction).to_numpy())
    assert (sums["sum"] == np.rint(panel[amount] * 100).astype("int64")).all()
    assert (sums["size"] == panel[count]).all()


def test_nobody_outside_the_sample_and_no_future(sim, table, panel):
    assert set(table["customer_id"]) <= set(panel.index.get_level_values(0))
    assert table["date"].max() <= sim.as_of
    assert table["date"].min() > sim.as_of - pd.DateOffset(years=1)
    assert table["transaction_id"].is_unique
    opened = sim.tables["customer"].set_index("customer_id")["open_date"]
    first = table.groupby("customer_id")["date"].min()
    month = opened.reindex(first.index).dt.to_period("M")
    assert (first.dt.to_period("M") >= month).all()


def test_special_columns_of_the_panel_are_in_the_statements(table, panel):
    out = (table["direction"] == "支出").to_numpy()
    own = (table["counterparty_type"] == "本人他行").to_numpy()
    wallet = (table["channel"] == "第三方支付").to_numpy()
    roomy = ((panel["out_count"] >= 4) & (panel["in_count"] >= 4)).to_numpy()
    for mask, column, share in (
        (out & wallet, "third_party_pay_amount", 0.99),
        (out & own, "external_bank_out_amount", 0.99),
        (~out & own, "external_bank_in_amount", 0.95),
        ((table["kind"] == "代发工资").to_numpy(), "payroll_amount", 0.999),
    ):
        sums = by_month(table, panel, mask)["sum"]
        same = sums == np.rint(panel[column] * 100).astype("int64")
        assert same[roomy].mean() >= share, column


def test_counts_of_own_and_mobile_payments_agree_with_the_panel(table, panel):
    own = by_month(table, panel, table["customer_initiated"].to_numpy(dtype=bool))["size"]
    assert own.sum() == pytest.approx(panel["customer_transaction_count"].sum(), rel=0.03)
    mobile = by_month(table, panel, (table["channel"] == "手机银行").to_numpy())["size"]
    assert (mobile <= panel["mobile_transaction_count"]).all()
    assert mobile.sum() > 0.85 * panel["mobile_transaction_count"].sum()


def test_passive_kinds_are_not_the_customers_own(table):
    passive = table["kind"].isin(nm.PASSIVE_KINDS)
    assert not table.loc[passive, "customer_initiated"].any()


def test_cash_is_whole_hundreds_at_a_counter(table):
    cash = table[table["kind"].isin(["存现", "取现"])]
    assert len(cash) > 500
    assert (np.rint(cash["amount"] * 100) % 10_000 == 0).all()
    assert cash["channel"].isin(["柜面", "自助设备"]).all()
    assert cash["hour"].between(9, 17).all()


def test_pension_days(table):
    pension = table[table["kind"] == "养老金"]
    assert len(pension) > 50
    assert set(pension["date"].dt.day) <= {10, 15}


def test_lender_repayments_are_monthly_and_steady(table, truth):
    rows = table[truth == "网贷还款"]
    group = rows.groupby(["customer_id", "counterparty_name"], observed=True)
    stats = group["amount"].agg(["size", "mean", "std"])
    steady = stats[stats["size"] >= 3]
    assert (steady["std"] / steady["mean"] < 0.25).mean() > 0.9


def test_new_online_loans_have_a_term_and_a_price():
    amount = np.array([[90_000.0, 120_000.0, 60_000.0]] * 400)
    first = np.array([[-1, 0, 5]] * 400)
    last, payout = new_loans(np.random.default_rng(3), amount, first, np.full(first.shape, 12))
    assert (payout[:, 0] == 0).all() and (last[:, 0] == 12).all()
    term = (last - first)[:, 1:]
    assert set(term.ravel()) == {3, 6, 9, 12}
    at_least, at_most = (
        sum(amount[:, 1:] * (k <= term) / (1 + rate / 1200) ** k for k in range(1, 13))
        for rate in (24, 10)
    )
    assert (payout[:, 1:] >= at_least - 10_000).all()
    assert (payout[:, 1:] <= at_most + 10_000).all()
    assert (payout % 10_000 == 0).all()


def test_keywords_err_as_planted_and_rhythm_helps(sim, table, truth):
    words = [(k, kind, note) for k, kind, note in nm.LENDER_KEYWORDS]
    tables = sim.tables | {
        "lender_keyword": pd.DataFrame(words, columns=["keyword", "lender_kind", "note"])
    }
    hits = found.keyword_payments(tables).sort_index()
    real = truth[hits.index] == "网贷还款"
    assert real.mean() == pytest.approx(0.71, abs=0.02)
    rhythm = found.periodic(hits)
    assert real[rhythm].mean() == pytest.approx(0.93, abs=0.03)
    assert real[rhythm].sum() / (truth == "网贷还款").sum() > 0.7
    assert (keyword_hits(table).nonzero()[0] == hits.index).all()
    false_names = set(table.loc[truth == "误报", "counterparty_name"].astype(str))
    assert nm.FALSE_FRIEND in false_names


def test_online_users_are_found_again(sim):
    words = pd.DataFrame(nm.LENDER_KEYWORDS, columns=["keyword", "lender_kind", "note"])
    value = found.online_users(sim.tables | {"lender_keyword": words}, sim.profile)
    assert value == pytest.approx(sim.effects.value("m03_n03", "online_users"), abs=0.044)


def test_chunks_are_the_table_and_can_be_made_larger(sim, table):
    first, truth = next(transaction_chunks(sim))
    assert len(first) == len(truth)
    assert first["amount"].sum() == pytest.approx(table["amount"].iloc[: len(first)].sum())
    small, _ = next(transaction_chunks(sim, customers=200))
    assert small["customer_id"].nunique() <= 210


def test_mobile_events_fit_the_login_days(sim):
    event = sim.tables["mobile_event"]
    days = event.assign(day=event["event_time"].dt.normalize())[["customer_id", "day"]]
    days = days.drop_duplicates()
    days["month"] = days["day"] + pd.offsets.MonthEnd(0)
    count = days.groupby(["customer_id", "month"]).size()
    panel = sim.tables["customer_month"].set_index(["customer_id", "month"])["mobile_login_days"]
    opened = sim.people.set_index("customer_id")["open_date"].reindex(
        count.index.get_level_values(0)
    )
    whole = (opened + pd.offsets.MonthEnd(0)).to_numpy() < count.index.get_level_values(
        1
    ).to_numpy()
    assert whole.mean() > 0.95
    assert (count == panel.reindex(count.index))[whole].all()
    first = event.groupby("customer_id").head(1)
    assert (first["action"] == "登录").all()
    assert (event["session_seconds"] > 0).all()
    assert event["event_time"].max() < sim.as_of + pd.Timedelta(days=1)


def test_two_branches_polish_their_month_ends(sim):
    assert found.spike_branches(sim.tables, sim.profile) == 2
    event = sim.tables["mobile_event"]
    users = event.groupby("device_hash")["customer_id"].nunique()
    branch = sim.people.set_index("customer_id")["branch_id"].astype(str)
    shared = set(users.index[users > 3])
    owners = branch.reindex(event.loc[event["device_hash"].isin(shared), "customer_id"])
    assert set(owners) == {"B11", "B22"}


def test_merchants_products_are_their_owners(sim):
    month = sim.tables["merchant_month"]
    owner = sim.tables["merchant"].set_index("merchant_id")["customer_id"]
    panel = sim.tables["customer_month"].set_index(["customer_id", "month"])["product_count"]
    key = pd.MultiIndex.from_arrays([owner.reindex(month["merchant_id"]), month["month"]])
    assert (panel.reindex(key).fillna(0).to_numpy() == month["product_count"].to_numpy()).all()
