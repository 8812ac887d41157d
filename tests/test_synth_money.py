"""Deposits, customer months, ledger, market and queues: identities, shapes, planted truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils.bank import list_banks, load_profile
from course_utils.synth import generate
from course_utils.synth.money.balances import push_shape
from course_utils.synth.money.book import BalancedDraw, add_months
from course_utils.synth.money.shapes import cny_shape
from course_utils.synth.recovery.money import RECOVERIES
from course_utils.synth.recovery.money_panel import due_deposits, is_person, wide_month

pytestmark = pytest.mark.slow  # whole banks: left out of the fast loop

MONEY = {
    "personal_demand": ("个人", "活期"),
    "personal_term": ("个人", "定期"),
    "corporate_demand": ("企业", "活期"),
    "corporate_term": ("企业", "定期"),
}


@pytest.fixture(scope="module", params=list_banks())
def sim(request):
    """One small bank of each profile before its data faults are planted."""
    return _before_defects(load_profile(request.param), 4000)


@pytest.fixture(scope="module")
def full():
    """The demo bank in class size, finished."""
    return generate(load_profile("coastal"))


def _before_defects(profile, persons: int, effects: str = "on"):
    import importlib

    from course_utils.synth.effects import load_effects
    from course_utils.synth.state import Simulation

    state = Simulation(
        profile.replace(persons=persons), load_effects(profile.effects, active=effects == "on")
    )
    for stage in ("world", "people", "credit", "trade", "money"):
        importlib.import_module(f"course_utils.synth.{stage}").generate(state)
    return state


def _cents(values: pd.Series) -> np.ndarray:
    return np.rint(values.to_numpy(dtype=float) * 100).astype(np.int64)


# ---- identities ----------------------------------------------------------------------------


def test_customer_month_adds_up_to_the_cent(sim):
    month = sim.tables["customer_month"]
    flow = _cents(month["in_amount"]) - _cents(month["out_amount"])
    assert (_cents(month["deposit_open"]) + flow == _cents(month["deposit_end"])).all()
    parts = month["demand_deposit_average"], month["term_deposit_average"], month["wealth_average"]
    assert (sum(_cents(part) for part in parts) == _cents(month["aum_average"])).all()


def test_opening_balance_is_the_previous_closing_balance(sim):
    month = sim.tables["customer_month"].sort_values(["customer_id", "month"])
    same = month["customer_id"].to_numpy()[1:] == month["customer_id"].to_numpy()[:-1]
    opened, closed = _cents(month["deposit_open"])[1:], _cents(month["deposit_end"])[:-1]
    assert same.any()
    assert (opened[same] == closed[same]).all()


def test_no_amount_is_negative_and_parts_do_not_exceed_the_whole(sim):
    month = sim.tables["customer_month"]
    numbers = month.select_dtypes("number")
    assert (numbers.fillna(0) >= 0).all(axis=None)
    assert (
        month["payroll_amount"] + month["external_bank_in_amount"] <= month["in_amount"] + 0.005
    ).all()
    spent = month["third_party_pay_amount"] + month["external_bank_out_amount"]
    assert (spent <= month["out_amount"] + 0.005).all()
    assert (month["mobile_transaction_count"] <= month["customer_transaction_count"]).all()
    assert (month["customer_transaction_count"] <= month["in_count"] + month["out_count"]).all()


def test_counts_and_amounts_agree(sim):
    month = sim.tables["customer_month"]
    for side in ("in", "out"):
        count, amount = month[f"{side}_count"].to_numpy(), _cents(month[f"{side}_amount"])
        assert ((count == 0) == (amount == 0)).all()
        assert (count <= amount).all(), "a transaction is at least one cent"


def test_open_accounts_make_the_last_balance(sim):
    account, month = sim.tables["deposit_account"], sim.tables["customer_month"]
    last = month[month["month"] == month["month"].max()].set_index("customer_id")["deposit_end"]
    held = account.assign(cents=_cents(account["balance"])).groupby("customer_id")["cents"].sum()
    assert (held.reindex(last.index, fill_value=0).to_numpy() == _cents(last)).all()
    closed = account["close_date"].notna()
    assert (account.loc[closed, "balance"] == 0).all()


def test_time_deposits_make_the_term_money_of_every_month_end(sim):
    """Σ weight × open deposits equals the ledger on every single day, not only at month ends."""
    account, day = sim.tables["deposit_account"], sim.tables["branch_day"]
    customer = sim.tables["customer"].set_index("customer_id")
    term = account[account["kind"] != "活期"]
    firm = (customer["customer_type"].reindex(term["customer_id"]) == "企业").to_numpy()
    weight = customer["weight"].reindex(term["customer_id"]).to_numpy()
    for date in (day["date"].min(), pd.Timestamp("2024-08-15"), day["date"].max()):
        live = (term["open_date"] <= date) & ~(term["close_date"] <= date)
        rows = day[day["date"] == date]
        for column, group in (("personal_term", ~firm), ("corporate_term", firm)):
            keep = live.to_numpy() & group
            assert (_cents(term["amount"])[keep] * weight[keep]).sum() == _cents(rows[column]).sum()


def test_ledger_is_the_weighted_sum_of_customers(sim):
    day, month = sim.tables["branch_day"], sim.tables["customer_month"]
    customer = sim.tables["customer"].set_index("customer_id")
    part = customer.reindex(month["customer_id"])
    total = pd.Series(_cents(month["deposit_end"]) * part["weight"].to_numpy())
    keys = [month["month"].to_numpy(), part["branch_id"].to_numpy()]
    by_customer = total.groupby(keys).sum()
    ledger = day[day["is_ledger"]].set_index(["date", "branch_id"])[list(MONEY)]
    assert ledger.index.get_level_values(0).nunique() == 24
    cents = sum(pd.Series(_cents(ledger[name]), index=ledger.index) for name in MONEY)
    assert (cents.reindex(by_customer.index).to_numpy() == by_customer.to_numpy()).all()


def test_daily_path_meets_the_monthly_averages(sim):
    day, month = sim.tables["branch_day"], sim.tables["customer_month"]
    weight = sim.tables["customer"].set_index("customer_id")["weight"].reindex(month["customer_id"])
    money = month["demand_deposit_average"] + month["term_deposit_average"]
    own = (money * weight.to_numpy()).groupby(month["month"]).sum()
    total = day.groupby("date")[list(MONEY)].sum().sum(axis=1)
    daily = total.groupby(total.index + pd.offsets.MonthEnd(0)).mean()
    assert np.allclose(own, daily.reindex(own.index), rtol=0.004)


# ---- accounts and their dates --------------------------------------------------------------


def test_maturity_is_opening_plus_term(sim):
    account = sim.tables["deposit_account"]
    term = account[account["term_months"].notna()]
    months = term["term_months"].astype(int)
    expected = [
        opened + pd.DateOffset(months=count)
        for opened, count in zip(term["open_date"].iloc[:400], months.iloc[:400], strict=True)
    ]
    assert (
        term["maturity_date"].iloc[:400].to_numpy() == np.array(expected, "datetime64[s]")
    ).all()
    open_days = term["open_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    due = term["maturity_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    assert (add_months(open_days, months.to_numpy()) == due).all()


def test_dates_are_in_order(sim):
    account, as_of = sim.tables["deposit_account"], sim.as_of
    customer = sim.tables["customer"].set_index("customer_id")
    came = customer["open_date"].reindex(account["customer_id"]).to_numpy()
    assert (account["open_date"].to_numpy() >= came).all()
    assert (account["open_date"] <= as_of).all()
    closed = account["close_date"].notna()
    assert (account.loc[closed, "close_date"] > account.loc[closed, "open_date"]).all()
    assert (account.loc[closed, "close_date"] <= as_of).all()
    late = closed & account["maturity_date"].notna()
    assert (account.loc[late, "close_date"] <= account.loc[late, "maturity_date"]).all()
    overdue = account["maturity_date"].notna() & (account["maturity_date"] <= as_of)
    assert account.loc[overdue, "close_date"].notna().all()


def test_renewals_follow_the_deposit_they_renew(sim):
    account = sim.tables["deposit_account"].set_index("account_id")
    later = account[account["renewed_from"].notna()]
    before = account.loc[later["renewed_from"]]
    assert len(later) > 500
    assert (later["customer_id"].to_numpy() == before["customer_id"].to_numpy()).all()
    gap = (later["open_date"].to_numpy() - before["maturity_date"].to_numpy()).astype(
        "timedelta64[D]"
    )
    assert ((gap >= np.timedelta64(0)) & (gap <= np.timedelta64(6, "D"))).all()
    assert later["renewed_from"].is_unique


def test_kept_money_says_renewed_exactly_when_a_full_successor_exists(sim):
    account = sim.tables["deposit_account"]
    follow = account[account["renewed_from"].notna()].set_index("renewed_from")["amount"]
    known = account[account["kept_amount_30d"].notna()]
    successor = follow.reindex(known["account_id"]).fillna(0).to_numpy()
    renewed = (known["kept_amount_30d"] >= 0.8 * known["amount"]).to_numpy()
    assert (renewed == (successor >= 0.8 * known["amount"].to_numpy())).all()
    late = account["maturity_date"] > sim.as_of - pd.Timedelta(days=30)
    assert account.loc[late, "kept_amount_30d"].isna().all()


def test_rates_are_the_posted_ones_or_a_little_more(sim):
    from course_utils.synth.recovery.money_panel import posted_rate

    account = sim.tables["deposit_account"]
    rows = account[account["term_months"].notna()].copy()
    posted = posted_rate(
        sim.tables["deposit_rate"], "本行", rows.assign(maturity_date=rows["open_date"])
    )
    extra = rows["rate"].to_numpy() - posted
    assert ((extra > -1e-9) & (extra < 0.11)).all()
    assert (np.abs(extra) < 1e-9).mean() > 0.8


def test_wealth_holdings_are_bought_before_they_end_and_after_the_customer_came(sim):
    holding = sim.tables["wealth_holding"]
    came = sim.tables["customer"].set_index("customer_id")["open_date"]
    assert (
        holding["start_date"].to_numpy() >= came.reindex(holding["customer_id"]).to_numpy()
    ).all()
    ended = holding["end_date"].notna()
    assert (holding.loc[ended, "end_date"] >= holding.loc[ended, "start_date"]).all()
    assert holding["start_date"].max() <= sim.as_of
    account = sim.tables["deposit_account"].set_index("account_id")
    moved = holding[holding["source_account_id"].notna()]
    source = account.loc[moved["source_account_id"]]
    assert len(moved) > 0
    assert (source["customer_id"].to_numpy() == moved["customer_id"].to_numpy()).all()
    assert (source["close_date"].to_numpy() == moved["start_date"].to_numpy()).all()


# ---- contacts ------------------------------------------------------------------------------


def _log(sim) -> pd.DataFrame:
    return pd.concat(
        [part for part in sim._parts["contact_log"] if (part["purpose"] == "到期").all()]
    )


def test_calls_come_before_the_maturity_and_never_to_those_who_said_no(sim):
    log = _log(sim)
    lead = (log["due_date"] - log["contact_time"].dt.normalize()).dt.days
    assert lead.between(1, 30).all()
    customer = sim.tables["customer"].set_index("customer_id")
    assert not customer["do_not_call"].reindex(log["customer_id"]).any()
    random = log["arm"] != "自选"
    assert lead[random].between(7, 15).all()
    assert (log["contact_time"] <= sim.as_of + pd.Timedelta(days=1)).all()


def test_the_trial_is_random_and_the_staff_choice_is_not(full):
    due = due_deposits(full.tables)
    random = due[due["arm"].isin(["随机触达", "随机保留"])]
    held = random["arm"] == "随机保留"
    assert 0.45 < held.mean() < 0.55
    assert (
        abs(random.loc[held, "amount"].median() / random.loc[~held, "amount"].median() - 1) < 0.25
    )
    own = due[due["arm"].isna() | (due["arm"] == "自选")]
    called = own["lead"] > 0
    naive = own.loc[called, "renewed"].mean() - own.loc[~called, "renewed"].mean()
    assert naive < 0.0, "the naive comparison must mislead"


def test_nobody_held_out_was_called(full):
    log = full.tables["contact_log"]
    log = log[log["purpose"] == "到期"]
    held = log[log["arm"] == "随机保留"]
    assert held["channel"].isna().all()
    assert held["employee_id"].isna().all()
    called = set(log.loc[log["arm"] != "随机保留", "account_id"])
    assert not called & set(held["account_id"])


# ---- shapes --------------------------------------------------------------------------------


def test_festival_shape_has_its_half_life_and_its_third():
    days = np.array([-20.0, 7.0, 35.0, 60.0])
    assert np.allclose(cny_shape(days, 28.0), [0.0, 1.0, 0.5, 1 / 3])
    path = cny_shape(np.arange(7.0, 120.0), 28.0)
    assert (np.diff(path) < 0).all()


def test_push_shape_is_whole_on_the_last_day_and_gone_after_eight():
    assert push_shape(np.array([0.0]))[0] == 1.0
    assert push_shape(np.array([-6.0, 8.0, 20.0])).max() == 0.0


def test_add_months_clips_to_the_end_of_the_month():
    start = np.array(["2024-01-31", "2023-08-31", "2024-02-29"], "datetime64[D]").astype(np.int64)
    got = add_months(start, np.array([1, 6, 12])).astype("datetime64[D]").astype(str)
    assert got.tolist() == ["2024-02-29", "2024-02-29", "2025-02-28"]


def test_balanced_draw_keeps_probabilities_and_totals():
    chance = np.random.default_rng(1).uniform(0.05, 0.9, 400)
    group = np.arange(400) % 3
    hits = np.zeros(400)
    for seed in range(300):
        draw = BalancedDraw(np.random.default_rng(seed), 3)
        got = draw.draw(chance, group)
        for value in range(3):
            assert abs(got[group == value].sum() - chance[group == value].sum()) < 1.0
        hits += got
    assert np.abs(hits / 300 - chance).max() < 0.13
    assert abs(np.corrcoef(hits, chance)[0, 1] - 1) < 0.02


def test_balanced_draw_carries_over_small_calls():
    draw = BalancedDraw(np.random.default_rng(3))
    total = sum(int(draw.draw(np.array([0.1])).sum()) for _ in range(100))
    assert total in (9, 10, 11)


# ---- market, queues, targets ---------------------------------------------------------------


def test_own_market_row_is_the_ledger(sim):
    market, day = sim.tables["market_share"], sim.tables["branch_day"]
    own = market[market["bank_label"] == "本行"].pivot_table(
        index="month", columns="item", values="balance"
    )
    ledger = day[day["is_ledger"]].groupby("date")[[*MONEY, "loans"]].sum()
    names = ["个人活期存款", "个人定期存款", "单位活期存款", "单位定期存款"]
    for item, column in zip(names, MONEY, strict=True):
        assert np.abs(own[item].reindex(ledger.index) - ledger[column]).max() <= 5000.01
    loans = own[
        [
            "短期消费贷款",
            "中长期消费贷款",
            "短期经营贷款",
            "中长期经营贷款",
            "单位短期贷款",
            "单位中长期贷款",
            "票据融资",
        ]
    ]
    assert np.abs(loans.sum(axis=1).reindex(ledger.index) - ledger["loans"]).max() <= 5000.01
    assert len(own) == 60
    assert market["bank_label"].nunique() == 12
    assert (market["balance"] % 10_000 == 0).all()
    assert (market["balance"] >= 0).all()


def test_queues_follow_maturities(full):
    log, account = full.tables["queue_log"], full.tables["deposit_account"]
    daily = log.groupby(["branch_id", "date"])["tickets"].sum().reset_index()
    weight = (
        full.tables["customer"].drop_duplicates("customer_id").set_index("customer_id")["weight"]
    )
    due = account[account["maturity_date"].between(log["date"].min(), log["date"].max())]
    load = pd.Series(weight.reindex(due["customer_id"]).to_numpy(), index=due.index)
    load = load.groupby([due["branch_id"], due["maturity_date"]]).sum()
    daily["load"] = (
        load.reindex(pd.MultiIndex.from_frame(daily[["branch_id", "date"]])).fillna(0).to_numpy()
    )
    centred = daily[["tickets", "load"]] - daily.groupby("branch_id")[
        ["tickets", "load"]
    ].transform("mean")
    slope = (centred["tickets"] * centred["load"]).sum() / (centred["load"] ** 2).sum()
    assert 0.45 < slope < 0.75


def test_targets_are_made_from_last_year(sim):
    target, day = sim.tables["target"], sim.tables["branch_day"]
    year = sim.as_of.year
    rows = target[(target["metric"] == "存款年日均") & (target["period_start"].dt.year == year)]
    last = day[day["date"].dt.year == year]
    mean = last[list(MONEY)].sum(axis=1).groupby(last["branch_id"]).mean()
    assert np.allclose(
        rows.set_index("branch_id")["actual"], mean.reindex(rows["branch_id"]), rtol=1e-6
    )
    future = target[target["period_start"] > sim.as_of]
    assert len(future) and future["actual"].isna().all()


# ---- dispersion (bands measured on real data) ----------------------------------------------


def test_transactions_are_as_unequal_and_as_lasting_as_real_ones(full):
    month = full.tables["customer_month"]
    month = month[month["month"] > month["month"].max() - pd.DateOffset(months=12)]
    month = month[
        month["customer_id"].isin(
            full.people["customer_id"][full.people["customer_type"] != "企业"]
        )
    ]
    volume = month["in_amount"] + month["out_amount"]
    count = (month["in_count"] + month["out_count"]).groupby(month["customer_id"]).sum()
    lively = month.groupby("customer_id")["customer_transaction_count"].sum() > 0
    count = count[lively]
    assert 1.9 <= count.std() / count.mean() <= 2.4
    whole = volume.groupby(month["customer_id"]).sum()[lively].sort_values(ascending=False)
    assert 0.67 <= whole.iloc[: len(whole) // 5].sum() / whole.sum() <= 0.92
    first = month["month"].dt.month <= 6
    halves = [
        volume[part].groupby(month["customer_id"][part]).sum().reindex(whole.index).fillna(0)
        for part in (first, ~first)
    ]
    assert 0.70 <= halves[0].corr(halves[1], method="spearman") <= 0.84


# ---- planted truths ------------------------------------------------------------------------


@pytest.mark.parametrize("recovery", RECOVERIES, ids=lambda r: f"{r.lesson}.{r.key}")
def test_truth_is_found_in_the_demo_bank(full, recovery):
    target = recovery.target(full.effects.planted(recovery.lesson, recovery.key))
    value = recovery.estimate(full.tables, full.profile)
    assert recovery.recovered(value, target), f"{value:.4f} against {target}"


def test_truth_is_written_with_its_realised_value(full):
    for recovery in RECOVERIES:
        entry = full.truth[recovery.lesson][recovery.key]
        assert np.isfinite(entry["realised"])
        assert entry["note"] or recovery.key.startswith(("or_", "hr_"))
    assert full.truth["m02_n02"]["contact_effect"]["naive"] < 0
    assert len(full.truth["m02_n05"]["under_targeted"]["branches"]) == 4


def test_without_effects_nothing_is_found():
    state = _before_defects(load_profile("coastal"), 20_000, "off")
    tables = {**state.tables, "contact_log": _log(state)}
    for recovery in (r for r in RECOVERIES if r.null is not None):
        target = recovery.target(state.effects.on().planted(recovery.lesson, recovery.key))
        value = recovery.estimate(tables, state.profile)
        assert not recovery.false_find(value, target), f"{recovery.key} {value:.3f}"


# ---- the same profile gives the same bytes; size --------------------------------------------


def test_same_profile_same_tables(sim):
    again = _before_defects(sim.profile, sim.profile.persons)
    for name in ("customer_month", "deposit_account", "branch_day", "market_share", "queue_log"):
        pd.testing.assert_frame_equal(again.tables[name], sim.tables[name])


def test_class_sample_has_the_agreed_size(full):
    account = full.tables["deposit_account"]
    assert 38_000 <= (account["kind"] != "活期").sum() <= 58_000
    person = is_person(full.tables)
    money = np.nan_to_num(wide_month(full.tables, "deposit_end")[:, -1])[person]
    assert (money > 0).mean() > 0.9
