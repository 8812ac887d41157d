"""The world of the synthetic bank: calendar against the official schedules, rates, places."""

import numpy as np
import pandas as pd
import pytest

from course_utils.bank import load_profile, public_tables
from course_utils.errors import CourseError
from course_utils.synth import enterprises, world
from course_utils.synth.effects import load_effects, parse_value
from course_utils.synth.state import Simulation
from course_utils.synth.tools import hex_hash, ids, setting, split_integer

BANKS = ["coastal", "western", "city_micro"]


@pytest.fixture(scope="module", params=BANKS)
def sim(request):
    profile = load_profile(request.param)
    sim = Simulation(profile, load_effects(profile.effects))
    world.generate(sim)
    return sim


@pytest.fixture(scope="module")
def calendar():
    return public_tables.build_calendar(
        pd.Timestamp("2021-01-01"), pd.Timestamp("2026-12-31"), [[1, 1], [3, 31]]
    ).set_index("date")


@pytest.mark.parametrize(
    ("year", "workdays"), [(2022, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)]
)
def test_workdays_of_the_year(calendar, year, workdays):
    assert calendar.loc[str(year), "workday"].sum() == workdays


@pytest.mark.parametrize(
    "first_day",
    ["2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17"],
)
def test_first_day_of_the_lunar_year(calendar, first_day):
    day = pd.Timestamp(first_day)
    assert calendar.loc[day, "days_to_cny"] == 0
    assert calendar.loc[day, "holiday"] == "春节"
    assert not calendar.loc[day, "workday"]
    assert calendar.loc[day - pd.Timedelta(days=20), "days_to_cny"] == -20
    assert calendar.loc[day + pd.Timedelta(days=60), "days_to_cny"] == 60


@pytest.mark.parametrize(
    ("day", "workday", "holiday"),
    [
        ("2024-02-04", True, None),  # 调休上班的星期日
        ("2024-02-17", False, "春节"),
        ("2025-01-26", True, None),
        ("2025-10-08", False, "国庆"),
        ("2025-10-11", True, None),
        ("2026-02-23", False, "春节"),
        ("2026-02-28", True, None),
        ("2026-09-26", False, "中秋"),
        ("2025-08-02", False, None),  # 普通星期六
    ],
)
def test_single_days(calendar, day, workday, holiday):
    row = calendar.loc[day]
    assert row["workday"] == workday
    assert (row["holiday"] if isinstance(row["holiday"], str) else None) == holiday


def test_windows(calendar):
    assert calendar.loc["2025-01-01", "kaimenhong"]
    assert calendar.loc["2025-03-31", "kaimenhong"]
    assert not calendar.loc["2025-04-01", "kaimenhong"]
    assert calendar.index[calendar["quarter_end"]].strftime("%m-%d").unique().tolist() == [
        "03-31", "06-30", "09-30", "12-31",
    ]  # fmt: skip
    assert calendar.index[calendar["pension_day"]].day.unique().tolist() == [10, 15]
    across = public_tables.build_calendar(
        pd.Timestamp("2024-01-01"), pd.Timestamp("2024-12-31"), [[11, 15], [2, 15]]
    ).set_index("date")["kaimenhong"]
    assert across["2024-02-15"] and across["2024-11-15"] and across["2024-12-31"]
    assert not across["2024-02-16"] and not across["2024-11-14"]


def test_every_holiday_span_is_closed_and_every_make_up_day_open(calendar):
    schedule = public_tables.read_reference("holidays")
    for row in schedule[schedule["year"].between(2021, 2026)].itertuples():
        span = calendar.loc[max(row.start, "2021-01-01") : row.end, "workday"]
        assert (span == (row.kind == "调休上班")).all(), row


def test_calendar_covers_a_year_after_the_as_of_date(sim):
    days = sim.tables["calendar"]["date"]
    assert days.max() >= sim.as_of + pd.Timedelta(days=365)
    assert (days.diff().dropna() == pd.Timedelta(days=1)).all()


def test_places_add_up(sim):
    town, village, branch = (sim.tables[name] for name in ("town", "village", "branch"))
    settings = sim.profile.world
    assert town["resident_population"].sum() == setting(settings, "resident_population")
    assert town["registered_population"].sum() == setting(settings, "registered_population")
    people = village.groupby("town_id")["resident_population"].sum()
    assert people.equals(town.set_index("town_id")["resident_population"].rename_axis("town_id"))
    assert len(branch) == sum(setting(settings, "branches").values())
    assert town["town_name"].is_unique and village["village_name"].is_unique
    assert branch["branch_name"].is_unique
    every = "".join([*town["town_name"], *village["village_name"], *branch["branch_name"]])
    every.encode("gb2312")  # no glyph that a simple font lacks


def test_staff_adds_up(sim):
    staff, settings = sim.tables["employee"], sim.profile.world
    active = staff[staff["active"]]
    assert len(active) == setting(settings, "employees")
    assert (active["post"] == "客户经理").sum() == setting(settings, "managers")
    assert (active.groupby("branch_id")["post"].apply(lambda p: (p == "客户经理").sum()) >= 1).all()
    assert (staff["hire_date"] <= sim.as_of).all()
    gone = staff[~staff["active"]]
    assert (gone["leave_date"] > gone["hire_date"]).all()
    age = staff["hire_date"].dt.year - staff["birth_year"]
    assert age.between(18, 58).all()


def test_rates_follow_the_big_banks_with_a_lag(sim):
    rate = sim.tables["deposit_rate"]
    term = rate[(rate["kind"] == "定期") & (rate["term_months"] == 36)]
    grid = pd.date_range("2023-01-01", sim.as_of, freq="D")
    paths = {
        who: term[term["who"] == who]
        .set_index("effective_date")["rate"]
        .reindex(grid, method="ffill")
        for who in ("本行", "大行", "同业")
    }
    assert (paths["本行"] >= paths["大行"]).all()
    # a window in which rivals pay over 20 bp more must exist, and one in which they do not
    gap = paths["同业"] - paths["本行"]
    assert 0.05 < (gap["2024":] > 0.20).mean() < 0.8
    big = term[(term["who"] == "大行") & (term["effective_date"] == "2024-10-18")]["rate"].item()
    assert big == 1.50
    assert rate["effective_date"].max() <= sim.as_of


def test_lpr_and_ftp(sim):
    lpr = sim.tables["lpr_rate"].set_index("effective_date")
    assert lpr.loc["2024-10-21", "lpr_1y"] == 3.10 and lpr.loc["2025-05-20", "lpr_5y"] == 3.50
    curve = sim.tables["ftp_curve"].pivot_table("rate", index="month", columns="term_months")
    assert (curve.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert curve[12].iloc[-1] < curve[12].iloc[0]


def test_same_profile_same_world():
    def make():
        profile = load_profile("western")
        sim = Simulation(profile, load_effects(profile.effects))
        world.generate(sim)
        return sim.tables

    first, second = make(), make()
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[name])


@pytest.mark.parametrize(
    ("rule", "employees", "revenue", "assets", "size"),
    [
        ("retail", 9, 5e6, 1e6, "微型"),
        ("retail", 10, 1e6, 1e6, "小型"),
        ("retail", 300, 2e8, 1e6, "大型"),
        ("retail", 300, 4.9e6, 1e6, "小型"),
        ("industry", 20, 2.99e6, 0, "微型"),
        ("industry", 300, 2e7, 0, "中型"),
        ("construction", 1, 6e7, 4.9e7, "小型"),
        ("agri", 1, 5e5, 0, "小型"),
        ("agri", 1, 4.99e5, 0, "微型"),
        ("other", 100, 0, 0, "中型"),
        ("leasing", 100, 1e9, 7.9e7, "小型"),
        ("realestate", 5, 1e7, 2e7, "小型"),
    ],
)
def test_size_of_an_enterprise(rule, employees, revenue, assets, size):
    found = enterprises.classify(
        np.array([rule]), np.array([employees]), np.array([revenue]), np.array([assets])
    )
    assert found.tolist() == [size]


def test_values_are_read_as_written():
    assert parse_value("0.09") == 0.09
    assert parse_value("-0.03") == -0.03
    assert parse_value("150bp") == 150 and parse_value("B03:4x") == {"B03": 4.0}
    assert parse_value("28-38,45-52") == [(28.0, 38.0), (45.0, 52.0)]
    assert parse_value("B07:0.22,other:0.05") == {"B07": 0.22, "other": 0.05}
    assert parse_value("0.08:0.31") == [0.08, 0.31]
    assert parse_value("true") is True and parse_value("remark2") == "remark2"


def test_effects_off_and_overrides():
    effects = load_effects({"m02_n02": {"contact_effect": "0.12"}})
    assert effects.value("m02_n02", "contact_effect") == 0.12
    assert effects.off().value("m02_n02", "contact_effect") == 0.0
    assert effects.off().value("m02_n03", "or_payroll_stop") == 1.0
    assert effects.off().value("m00_n01", "dup_person_rate") == 0.015  # faults stay
    for (lesson, key), entry in effects.entries.items():
        assert (entry.kind == "effect") <= (entry.null_value is not None), (lesson, key)
    with pytest.raises(CourseError, match="contact_effct"):
        load_effects({"m02_n02": {"contact_effct": 1}})


def test_tools():
    assert ids("C", np.array([1, 20, 1234567]), 7).tolist() == ["C0000001", "C0000020", "C1234567"]
    parts = split_integer(410_000, np.ones(11_003))
    assert parts.sum() == 410_000 and parts.max() - parts.min() == 1
    names = hex_hash("identity", np.arange(50_000))
    assert len(set(names)) == 50_000 and all(len(name) == 16 for name in names[:10])
    assert not set(names[:1000]) & set(hex_hash("phone", np.arange(1000)))


def test_a_missing_setting_is_named():
    profile = load_profile("coastal")
    lacking = {key: value for key, value in profile.world.items() if key != "villages"}
    sim = Simulation(profile.replace(world=lacking), load_effects())
    with pytest.raises(CourseError, match="villages"):
        world.generate(sim)
