"""The loan book: identities to the cent, dates in order, levels of the county, planted effects."""

import numpy as np
import pandas as pd
import pytest
from synth_stage import BANKS, staged

from course_utils.synth.credit import draws
from course_utils.synth.credit.months import five_class
from course_utils.synth.credit.products import KINDS
from course_utils.synth.recovery import credit as found

pytestmark = pytest.mark.slow  # whole banks: left out of the fast loop

CHAIN_LINES = ["经营贷", "消费贷", "农户贷", "企业贷"]


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    return staged(request.param, "credit")


@pytest.fixture(scope="module")
def loan(sim):
    return sim.tables["loan"]


def text(values):
    return values.astype(str)


def cents(values):
    return np.rint(values.to_numpy(dtype=float) * 100).astype(np.int64)


def by_loan(table, amounts, loan):
    total = pd.Series(amounts).groupby(text(table["loan_id"]).to_numpy()).sum()
    return total.reindex(loan["loan_id"]).fillna(0).to_numpy().astype(np.int64)


def test_principal_of_the_schedule_adds_up_to_the_loan(sim, loan):
    rows = sim.tables["repayment"]
    assert (by_loan(rows, cents(rows["due_principal"]), loan) == cents(loan["amount"])).all()
    assert not rows.duplicated(["loan_id", "due_date", "kind"]).any()
    assert (rows[["due_principal", "due_interest", "paid_amount"]] >= 0).all().all()


def test_balance_is_amount_less_principal_paid(sim, loan):
    rows = sim.tables["repayment"]
    paid = np.where(rows["paid_date"].notna(), cents(rows["due_principal"]), 0)
    left = cents(loan["amount"]) - by_loan(rows, paid, loan)
    written_off = text(loan["settle_type"]) == "核销"
    assert (cents(loan["balance"])[~written_off] == left[~written_off]).all()
    assert (left[written_off] > 0).all()
    assert (loan.loc[loan["settle_date"].notna(), "balance"] == 0).all()
    assert (loan.loc[loan["settle_date"].isna(), "balance"] > 0).all()


def test_every_month_end_is_amount_less_principal_paid_by_then(sim, loan):
    month = sim.tables["loan_month"]
    rows = sim.tables["repayment"]
    chosen = np.random.default_rng(3).choice(loan["loan_id"].to_numpy(), 60, replace=False)
    settle = loan.set_index("loan_id")["settle_date"]
    for name in chosen:
        mine = month[month["loan_id"] == name].sort_values("month")
        paid = rows[(rows["loan_id"] == name) & rows["paid_date"].notna()]
        amount = loan.loc[loan["loan_id"] == name, "amount"].item()
        for when, balance in zip(mine["month"], mine["balance"], strict=True):
            expected = amount - paid.loc[paid["paid_date"] <= when, "due_principal"].sum()
            ended = pd.notna(settle[name]) and settle[name] <= when
            assert balance == pytest.approx(0 if ended else expected, abs=0.005)


def test_months_run_from_issue_to_the_end(sim, loan):
    month = sim.tables["loan_month"].copy()
    span = month.groupby("loan_id", observed=True)["month"].agg(["min", "max", "size"])
    span = span.reindex(loan["loan_id"])
    last = loan["settle_date"].fillna(sim.as_of) + pd.offsets.MonthEnd(0)
    assert (
        span["min"].to_numpy() == (loan["issue_date"] + pd.offsets.MonthEnd(0)).to_numpy()
    ).all()
    assert (span["max"].to_numpy() == last.to_numpy()).all()
    months = (span["max"].dt.year - span["min"].dt.year) * 12 + (
        span["max"].dt.month - span["min"].dt.month
    )
    assert (months + 1 == span["size"]).all()


def test_days_past_due_are_those_of_the_oldest_unpaid_instalment(sim, loan):
    month = sim.tables["loan_month"]
    rows = sim.tables["repayment"]
    late = month[month["dpd"] > 0]
    for _, line in late.sample(80, random_state=1).iterrows():
        mine = rows[(rows["loan_id"] == line["loan_id"]) & (rows["due_date"] <= line["month"])]
        unpaid = mine[mine["paid_date"].isna() | (mine["paid_date"] > line["month"])]
        assert (line["month"] - unpaid["due_date"].min()).days == line["dpd"]
    assert (text(month["five_class"]) == np.array(["正常", "关注", "次级", "可疑", "损失"])[
        five_class(month["dpd"].to_numpy())
    ]).all()  # fmt: skip


def test_five_classes_follow_the_2023_rule():
    days = np.array([0, 7, 8, 90, 91, 270, 271, 360, 361])
    assert five_class(days).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4]


def test_dates_are_in_order(sim, loan):
    opened = loan["customer_id"].map(sim.tables["customer"].set_index("customer_id")["open_date"])
    assert (loan["issue_date"] >= opened).all()
    assert (loan["issue_date"] <= sim.as_of).all()
    term = (loan["maturity_date"].dt.year - loan["issue_date"].dt.year) * 12 + (
        loan["maturity_date"].dt.month - loan["issue_date"].dt.month
    )
    assert (loan["maturity_date"].dt.day == loan["issue_date"].dt.day).all()
    assert term.between(6, 360).all()
    last = sim.tables["repayment"].groupby("loan_id", observed=True)["due_date"].max()
    plain = loan[loan["settle_type"].isna() & (loan["overdue_days"] == 0)]
    assert (last.reindex(plain["loan_id"]).to_numpy() == plain["maturity_date"].to_numpy()).all()
    rows = sim.tables["repayment"]
    settle = text(rows["loan_id"]).map(loan.set_index("loan_id")["settle_date"])
    assert not (rows["paid_date"] > settle).any()
    assert not (rows["paid_date"] > sim.as_of).any()
    assert (settle.dropna() <= sim.as_of).all()


def test_payments_never_overtake_each_other(sim):
    rows = sim.tables["repayment"]
    plain = rows[(text(rows["kind"]) == "按期") & rows["paid_date"].notna()]
    plain = plain.sort_values(["loan_id", "due_date"])
    step = plain.groupby("loan_id", observed=True)["paid_date"].diff()
    assert (step.dropna() >= pd.Timedelta(0)).all()


def test_lines_carry_exactly_the_loans_on_them(sim, loan):
    line = sim.tables["credit_line"].set_index("line_id")
    used = loan.groupby("line_id")["balance"].sum().reindex(line.index).fillna(0)
    assert np.allclose(used, line["used"], atol=0.005)
    assert (line["used"] <= line["limit"]).all()
    dead = text(line["status"]).isin(["到期", "终止"])
    assert (line.loc[text(line["status"]) == "终止", "used"] == 0).all()
    assert (line.loc[dead, "expire_date"] <= sim.as_of).all()
    assert (line.loc[text(line["status"]) == "有效", "expire_date"] > sim.as_of).all()
    month = sim.tables["credit_line_month"]
    last = month[month["month"] == sim.as_of].set_index("line_id")["used"]
    last.index = last.index.astype(str)
    assert np.allclose(last, line.loc[last.index, "used"], atol=0.005)


def test_panels_equal_the_tables(sim, loan):
    balance = sim.arrays["loan_balance"]
    assert balance.shape == (len(sim.people), 24)
    total = loan.groupby("customer_id")["balance"].sum()
    total = total.reindex(sim.people["customer_id"]).fillna(0).to_numpy()
    assert np.allclose(balance[:, -1], total, atol=0.005)
    month = sim.tables["loan_month"]
    for column, when in enumerate(sim.months(24)):
        assert month.loc[month["month"] == when, "balance"].sum() == pytest.approx(
            balance[:, column].sum(), abs=1.0
        )
    rows = sim.tables["repayment"]
    year = rows["paid_date"] > sim.months(24)[0] - pd.offsets.MonthEnd(1)
    assert rows.loc[year, "paid_amount"].sum() == pytest.approx(
        sim.arrays["loan_installment"].sum(), abs=1.0
    )


def test_size_and_levels_of_the_book(sim, loan):
    people = (sim.people["customer_type"] != "企业").sum()
    bad = sim.tables["loan_month"].query("dpd > 90")["loan_id"].nunique()
    assert 0.2 * people < loan["customer_id"].nunique() < 0.45 * people
    assert bad >= 400
    assert len(sim.tables["repayment"]) > 60_000
    weight = loan["customer_id"].map(sim.tables["customer"].set_index("customer_id")["weight"])
    money = weight * loan["balance"]
    share = money.groupby(text(loan["five_class"])).sum() / money.sum()
    assert 0.019 < share[["次级", "可疑", "损失"]].sum() < 0.034
    assert 0.012 < share["关注"] < 0.055
    assert 0.30 < money[loan["inclusive"]].sum() / money.sum() < 0.60
    # a city bank's micro-loan unit has fewer farmers than a county bank
    low, high = (0.2, 0.5) if sim.profile.code == "city_micro" else (0.5, 0.85)
    assert low < money[loan["agricultural"]].sum() / money.sum() < high


def test_products_keep_their_caps_and_prices(sim, loan):
    cap = {k.line: max(j.cap for j in KINDS if j.line == k.line) for k in KINDS}
    line = loan["product_code"].map(sim.tables["product"].set_index("product_code")["line"])
    assert (loan["amount"] <= text(line).map(cap)).all()
    assert loan["rate"].between(2.0, 12.0).all()
    recent = loan[loan["issue_date"] > sim.as_of - pd.DateOffset(years=1)]
    mean = recent.groupby(text(line.loc[recent.index]))["rate"].mean()
    assert mean["农户贷"] > mean["按揭"] and mean["经营贷"] > mean["企业贷"]


def test_cases_are_the_loans_more_than_ninety_days_overdue(sim, loan):
    case = sim.tables["npl_case"]
    late = sim.tables["loan_month"].query("dpd > 91")["loan_id"].astype(str).unique()
    assert set(late) <= set(case["loan_id"])
    open_case = case[case["principal"] > 0]
    left = loan.set_index("loan_id")["balance"].reindex(open_case["loan_id"])
    assert np.allclose(left, open_case["principal"], atol=0.005)
    known = case["npl_date"] <= sim.as_of - pd.Timedelta(days=365)
    assert (case["recovered_12m"].notna() == known).all()
    paid = sim.tables["npl_action"].query("paid_amount > 0")
    assert paid["loan_id"].isin(case["loan_id"]).all()
    start = paid["loan_id"].map(case.set_index("loan_id")["npl_date"])
    assert (paid["action_date"] > start).all()
    part = sim.tables["repayment"].query("kind == '部分提前'")
    assert paid["paid_amount"].sum() == pytest.approx(part["paid_amount"].sum(), abs=0.01)


def test_every_approval_has_a_report_and_every_report_a_reason(sim, loan):
    report = sim.tables["bureau_report"]
    detail = sim.tables["bureau_loan"]
    total = detail.groupby("query_id").agg(n=("line_number", "size"), due=("month_payment", "sum"))
    total = total.reindex(report["query_id"]).fillna(0)
    assert (total["n"].to_numpy() == report["lenders"].to_numpy()).all()
    assert np.allclose(total["due"], report["month_due"], atol=0.05)
    line = loan["product_code"].map(sim.tables["product"].set_index("product_code")["line"])
    recent = loan[
        text(line).isin(CHAIN_LINES) & (loan["issue_date"] > sim.as_of - pd.DateOffset(years=2))
    ]
    approvals = report[text(report["reason"]) == "贷款审批"]
    assert recent["customer_id"].isin(approvals["customer_id"]).all()
    i = detail["month_payment"] * detail["remaining_periods"]
    assert (i >= detail["balance"] - 0.05 * detail["remaining_periods"]).all()


def test_granted_applications_end_on_the_day_of_a_loan(sim, loan):
    steps = sim.tables["loan_application"]
    assert (steps["end_time"] >= steps["start_time"]).all()
    paid_out = steps[(text(steps["step"]) == "放款") & (text(steps["result"]) == "通过")]
    keys = set(zip(loan["customer_id"], loan["issue_date"], strict=True))
    day = paid_out["end_time"].dt.normalize()
    assert all(pair in keys for pair in zip(paid_out["customer_id"], day, strict=True))
    order = steps.sort_values(["application_id", "start_time"])
    gap = order["start_time"] - order.groupby("application_id")["end_time"].shift()
    assert (gap.dropna() >= pd.Timedelta(0)).all()


def test_conversions_in_the_log_are_loans_in_the_book(sim, loan):
    keys = set(zip(loan["customer_id"], loan["issue_date"], loan["amount"], strict=True))
    for part in sim._parts["contact_log"]:
        won = part[part["converted"].astype(bool)]
        rows = zip(won["customer_id"], won["converted_date"], won["converted_amount"], strict=True)
        assert len(won) and all(row in keys for row in rows), part["purpose"].iloc[0]
        late = (
            pd.to_datetime(won["converted_date"])
            - pd.to_datetime(won["contact_time"]).dt.normalize()
        )
        assert late.dt.days.between(1, 90).all()


@pytest.mark.parametrize("key", ["pd_multi", "default_multi", "falling_inflow", "early_recall"])
def test_switched_off_effects_leave_no_trace(key):
    quiet = staged("coastal", "credit", effects="off")
    tables = dict(quiet.tables)
    tables["contact_log"] = pd.concat(quiet._parts["contact_log"], ignore_index=True)
    recovery = next(r for r in found.RECOVERIES if r.key == key)
    assert not recovery.false_find(recovery.estimate(tables, quiet.profile), recovery.null * 2.5)


def test_balanced_draws_keep_the_rate_of_every_stratum():
    rng = np.random.default_rng(1)
    stratum = rng.integers(0, 5, 20_000)
    chance = np.array([0.02, 0.1, 0.3, 0.5, 0.9])[stratum]
    hit = draws.balanced(rng, chance, stratum)
    for value in range(5):
        rows = stratum == value
        assert abs(hit[rows].sum() - chance[rows].sum()) <= 1.0
    single = [draws.balanced(np.random.default_rng(s), np.full(7, 0.3)).sum() for s in range(2_000)]
    assert np.mean(single) == pytest.approx(2.1, abs=0.06)


def test_raking_reaches_all_ratios_and_the_level_at_once():
    rng = np.random.default_rng(2)
    a, b = rng.random(5_000) < 0.1, rng.random(5_000) < 0.2
    chance = draws.rake(0.02 + 0.05 * rng.random(5_000), [(a, ~a, 3.0), (b, ~b, 0.5)], 0.04)
    assert chance[a].mean() / chance[~a].mean() == pytest.approx(3.0, rel=0.01)
    assert chance[b].mean() / chance[~b].mean() == pytest.approx(0.5, rel=0.01)
    assert chance.mean() == pytest.approx(0.04, rel=0.01)
