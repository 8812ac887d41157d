"""Lines that wait for a first draw and the trial that wakes their holders."""

import numpy as np
import pandas as pd
import pytest
from synth_stage import BANKS, staged

pytestmark = pytest.mark.slow  # generates whole banks


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    return staged(request.param, "behaviour")


@pytest.fixture(scope="module")
def trial(sim):
    parts = [part for part in sim._parts["contact_log"] if (part["purpose"] == "活跃").all()]
    return pd.concat(parts, ignore_index=True)


def test_the_arms_are_of_one_size_and_hold_everyone_once(trial):
    assert trial["customer_id"].is_unique
    sizes = trial["arm"].value_counts()
    assert sizes["随机触达"] == sizes["随机保留"] > 0


def test_success_is_a_first_draw_of_a_line_and_a_loan_of_that_day(sim, trial):
    won = trial[trial["converted"]]
    line = sim.tables["credit_line"]
    first = line.groupby("customer_id")["first_draw_date"].min()
    assert (won["customer_id"].map(first) == won["converted_date"]).all()
    loan = sim.tables["loan"]
    days = set(zip(loan["customer_id"], loan["issue_date"], strict=True))
    assert set(zip(won["customer_id"], won["converted_date"], strict=True)) <= days
    assert (won["converted_amount"] > 0).all()
    lag = (won["converted_date"] - won["contact_time"].dt.normalize()).dt.days
    assert lag.between(0, 90).all()
    lost = trial[~trial["converted"]]
    drew = lost.merge(line[["customer_id", "first_draw_date"]], on="customer_id")
    wait = (drew["first_draw_date"] - drew["contact_time"]).dt.days
    assert not wait.between(0, 90).any()


def test_participants_had_a_line_and_were_silent(sim, trial):
    line = sim.tables["credit_line"]
    approved = line.groupby("customer_id")["approve_date"].min()
    assert (trial["customer_id"].map(approved) < trial["contact_time"]).all()
    begin = trial["contact_time"].min()
    month = sim.tables["customer_month"]
    before = month[(month["month"] < begin) & month["customer_id"].isin(trial["customer_id"])]
    assert (before["mobile_login_days"] == 0).all()


def test_a_line_has_a_month_row_for_every_month_it_waited(sim):
    line, months = sim.tables["credit_line"], sim.tables["credit_line_month"]
    assert not months.duplicated(["line_id", "month"]).any()
    late = line[(line["first_draw_date"] - line["approve_date"]).dt.days > 40]
    assert len(late) > 0
    first_month = months.groupby("line_id", observed=True)["month"].min()
    window = months["month"].min()
    expected = (late["approve_date"] + pd.offsets.MonthEnd(0)).clip(lower=window)
    assert (late["line_id"].map(first_month).astype("datetime64[s]") == expected).all()
    before = months.merge(late[["line_id", "first_draw_date"]], on="line_id")
    waiting = before["month"] < before["first_draw_date"]
    assert (before.loc[waiting, "used"] == 0).all()


def test_nobody_pays_on_the_phone_in_a_month_without_a_login(sim):
    month = sim.tables["customer_month"]
    silent = month["mobile_login_days"] == 0
    assert (month.loc[silent, "mobile_transaction_count"] == 0).all()
    assert np.all(month["mobile_login_days"] >= 0)
