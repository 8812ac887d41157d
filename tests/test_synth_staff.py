"""Wages, assessments, surveys and peers."""

import numpy as np
import pandas as pd
import pytest
from synth_stage import BANKS, staged

from course_utils.synth.recovery import staff as found
from course_utils.synth.recovery.trade import area_gap_vanishes
from course_utils.synth.staff.payroll import COMPANY, PERSONAL, cumulative_tax

pytestmark = pytest.mark.slow  # generates whole banks

PARTS = ["base", "post_pay", "performance", "bonus", "overtime", "subsidy"]


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    return staged(request.param, "staff")


@pytest.fixture(scope="module")
def payroll(sim):
    return sim.tables["payroll"]


def cents(values):
    return np.rint(values * 100).astype("int64")


@pytest.mark.parametrize(
    ("income", "tax"),
    [
        (-500, 0), (0, 0), (36_000, 1_080), (36_001, 1_080.10), (144_000, 11_880),
        (200_000, 23_080), (300_000, 43_080), (500_000, 97_080), (1_000_000, 268_080),
    ],
)  # fmt: skip
def test_tax_table(income, tax):
    assert cumulative_tax(np.array([float(income)]))[0] == pytest.approx(tax, abs=0.01)


def test_parts_add_up_to_gross_and_net(payroll):
    assert (cents(payroll[PARTS]).sum(axis=1) == cents(payroll["gross"])).all()
    personal = cents(payroll[[f"{name}_personal" for name in PERSONAL]]).sum(axis=1)
    net = cents(payroll["gross"]) - personal - cents(payroll["tax"])
    assert (net == cents(payroll["net"])).all()
    assert (payroll["net"] > 0).all()


def test_tax_is_cumulative_over_the_year(payroll):
    year = payroll[payroll["month"].dt.year == payroll["month"].dt.year.max()]
    personal = year[[f"{name}_personal" for name in PERSONAL]].sum(axis=1)
    taxable = (year["gross"] - personal - 5000).groupby(year["employee_id"]).sum()
    paid = year.groupby("employee_id")["tax"].sum()
    due = cumulative_tax(taxable.to_numpy(dtype=float))
    whole = year.groupby("employee_id").size() == 12
    # tax once withheld is not paid back within the year
    assert (paid.to_numpy() >= due - 0.011).all()
    assert (np.abs(paid.to_numpy() - due)[whole] < 0.011).mean() > 0.9


def test_contributions_use_one_capped_base(payroll):
    base = payroll["pension_personal"] / PERSONAL["pension"]
    assert base.max() <= 27_000.01
    for name, rate in COMPANY.items():
        assert (payroll[f"{name}_company"] - base * rate).abs().max() < 0.12
    assert (payroll["pension_company"] >= 1.9 * payroll["pension_personal"]).all()


def test_only_employed_people_are_paid(sim, payroll):
    staff = sim.tables["employee"].set_index("employee_id")
    hired = staff["hire_date"].reindex(payroll["employee_id"]).to_numpy()
    assert (payroll["month"].to_numpy() >= hired).all()
    if "leave_date" in staff:
        left = staff["leave_date"].reindex(payroll["employee_id"]).to_numpy()
        assert not (payroll["month"].to_numpy() > left).any()
    assert not payroll.duplicated(["month", "employee_id"]).any()


def test_level_of_pay(sim, payroll):
    year = payroll[payroll["month"].dt.year == sim.as_of.year]
    mean = year.groupby("employee_id")["gross"].sum()[lambda x: x > 0]
    assert 130_000 <= mean.mean() <= 170_000
    share = payroll["performance"].sum() / payroll["gross"].sum()
    assert 0.5 <= share <= 0.6


def test_raw_gap_is_wide_and_the_adjusted_one_uncertain(sim):
    rows = found.yearly(sim.tables)
    woman = (rows["gender"].astype(str) == "女").to_numpy()
    raw = rows["gross"][woman].mean() / rows["gross"][~woman].mean() - 1
    assert raw == pytest.approx(-0.11, abs=0.035)
    score = rows["kpi_score"].astype(float)
    design = np.column_stack(
        [
            woman.astype(float),
            score.fillna(score.mean()),
            (sim.as_of - rows["hire_date"]).dt.days.clip(0, 7305),
            pd.get_dummies(rows["post"].astype(str)).to_numpy(dtype=float),
        ]
    )
    log_pay = np.log(rows["gross"].to_numpy(dtype=float))
    beta, *_ = np.linalg.lstsq(design, log_pay, rcond=None)
    rest = log_pay - design @ beta
    spread = rest @ rest / (len(rest) - design.shape[1])
    error = np.sqrt(spread * np.linalg.pinv(design.T @ design)[0, 0])
    assert abs(beta[0]) < 1.96 * error


@pytest.mark.parametrize("recovery", found.RECOVERIES, ids=lambda r: r.key)
def test_truth_is_found_again(sim, recovery):
    value = recovery.estimate(sim.tables, sim.profile)
    planted = sim.effects.planted(recovery.lesson, recovery.key)
    assert recovery.recovered(value, recovery.target(planted)), value


def test_assessment_is_complete(sim):
    rows = sim.tables["assessment"]
    branches = len(sim.tables["branch"])
    assert len(rows) == 4 * branches * 3 * 29
    assert not rows.duplicated(["period", "unit_id", "rater_role", "item"]).any()
    assert rows["score"].between(0, 100).all()
    mean = rows.groupby("rater_role", observed=True)["score"].mean()
    assert mean["下级"] > mean["上级"] + 5


def test_schemes_weigh_to_one(sim):
    rows = sim.tables["assessment_scheme"]
    assert np.allclose(rows.groupby("scheme", observed=True)["weight"].sum(), 1.0)
    assert len(rows) == 20


def test_self_check_flatters(sim):
    rows = sim.tables["self_check"]
    assert rows["score"].between(1, 5).all()
    assert rows["score"].astype(float).mean() > 3.2
    assert 0.3 < rows["evidence"].isna().mean() < 0.7


def test_peer_areas_differ_by_mix_only(sim):
    assert area_gap_vanishes(sim.tables, sim.profile) == 1.0


def test_survey_answers_of_named_people_are_our_customers(sim):
    rows = sim.tables["brand_survey"]
    named = rows["customer_id"].dropna()
    assert named.isin(sim.people["customer_id"]).all()
    assert 0.5 < len(named) / len(rows) < 0.75
    assert rows["nps"].dropna().between(0, 10).all()
    assert rows["survey_date"].max() <= sim.as_of


def test_published_figures_carry_their_source(sim):
    rows = sim.tables["it_spend"]
    assert rows["source_tag"].str.len().min() > 3
    assert (rows["amount"] > 1e8).all()
