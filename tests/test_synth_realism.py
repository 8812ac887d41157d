"""Shapes measured on real statements, on all shipped banks.

The bands come from published studies of bank and wallet statements; a generator that misses them
makes lessons about concentration, activity and rhythm untrue.
"""

import numpy as np
import pandas as pd
import pytest
from synth_stage import BANKS, staged

from course_utils.synth.behaviour.transactions import sample_rows
from course_utils.synth.trade.season import days_to_new_year

pytestmark = pytest.mark.slow  # generates whole banks


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    return staged(request.param, "behaviour")


@pytest.fixture(scope="module")
def sample(sim):
    """Persons in the statements: yearly count, volume of both halves, weight, active."""
    people = sim.people.iloc[sample_rows(sim)]
    people = people[people["customer_type"].astype(str) != "企业"].set_index("customer_id")
    rows = sim.tables["transaction"]
    late = rows["date"] > sim.as_of - pd.DateOffset(months=6)
    first = rows[~late].groupby("customer_id")["amount"].sum().reindex(people.index, fill_value=0)
    second = rows[late].groupby("customer_id")["amount"].sum().reindex(people.index, fill_value=0)
    count = rows.groupby("customer_id").size().reindex(people.index, fill_value=0)
    return pd.DataFrame(
        {
            "count": count,
            "first": first,
            "second": second,
            "weight": people["weight"].astype(float),
            "active": people["active"].astype(bool),
        }
    )


def test_top_fifth_holds_most_of_the_volume(sample):
    volume = np.sort((sample["first"] + sample["second"]).to_numpy())[::-1]
    share = volume[: len(volume) // 5].sum() / volume.sum()
    assert 0.67 <= share <= 0.92


def test_counts_vary_between_customers(sim):
    """Over all persons of the bank, not only those with statements: a steadier number."""
    month = sim.tables["customer_month"]
    month = month[month["month"] > sim.as_of - pd.DateOffset(years=1)]
    count = (month["in_count"] + month["out_count"]).groupby(month["customer_id"]).sum()
    people = sim.people[sim.people["customer_type"].astype(str) != "企业"]
    count = count.reindex(people["customer_id"], fill_value=0).astype(float)
    assert 1.9 <= count.std() / count.mean() <= 2.4


def test_round_amounts(sim):
    cents = np.rint(sim.tables["transaction"]["amount"] * 100)
    assert 0.17 <= (cents % 10_000 == 0).mean() <= 0.42


def test_spread_of_amounts(sim):
    assert 2.1 <= np.log(sim.tables["transaction"]["amount"]).std() <= 2.8


def test_volume_of_one_half_year_predicts_the_next(sample):
    rows = sample[sample["active"]]
    first, second = np.log1p(rows["first"]), np.log1p(rows["second"])
    assert 0.71 <= np.corrcoef(first, second)[0, 1] <= 0.82


def test_festival_week_is_quiet_for_people_and_the_week_before_busy(sim):
    rows = sim.tables["transaction"]
    own = rows[rows["customer_initiated"].astype(bool)]
    daily = own.groupby("date").size().sort_index()
    lunar = days_to_new_year(daily.index.to_numpy().astype("datetime64[D]"))
    usual = daily[np.abs(lunar) > 30].mean()
    assert daily[(lunar >= 0) & (lunar < 7)].mean() < 0.85 * usual
    assert daily[(lunar >= -8) & (lunar < -1)].mean() > 1.1 * usual


def test_festival_weeks_of_merchants(sim):
    """Takings by group in the latest festival, against the autumn."""
    month = sim.tables["merchant_month"]
    totals = month.groupby("month")["transaction_amount"].sum()
    assert totals.max() / totals.min() < 1.8
