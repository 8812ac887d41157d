"""Releases: the crowd, the noise, the attack, the class bank, the totals for outside."""

import csv
import datetime
import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from ruamel.yaml import YAML

from course_utils.bank import load_profile, open_bank
from course_utils.contract import check_frame, load_contract
from course_utils.errors import CourseError
from course_utils.intake.privacy.release import attack, classroom, outside
from course_utils.intake.privacy.release.classroom import (
    SUFFIX,
    is_public,
    last_release,
    release_class,
)
from course_utils.intake.privacy.release.cost import cost_of
from course_utils.intake.privacy.release.crowd import LADDERS, PLAIN, build_crowd
from course_utils.intake.privacy.release.noise import SCALE, Noise, significant
from course_utils.paths import data_dir

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

PEOPLE, MONTHS = 3000, 12
KEY = b"k" * 32


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A project with one small bank, ``town``: customers, months, branches."""
    root = tmp_path_factory.mktemp("home")
    shutil.copytree(data_dir("contract"), root / "data" / "contract")
    shutil.copytree(data_dir("reference"), root / "data" / "reference")
    bank = root / "data" / "banks" / "town"
    bank.mkdir(parents=True)
    profile = {"name": "镇行", "kind": "试验", "as_of": datetime.date(2025, 12, 31)}
    with (bank / "bank.yml").open("w", encoding="utf-8") as stream:
        YAML().dump(profile, stream)
    folder = root / "data" / "warehouse" / "town"
    folder.mkdir(parents=True)
    write_bank(folder)
    return root


@pytest.fixture
def town(home, monkeypatch):
    monkeypatch.setenv("COURSE_HOME", str(home))
    monkeypatch.delenv("COURSE_WAREHOUSE", raising=False)
    return load_profile("town")


@pytest.fixture(scope="module")
def made(home):
    """The class release of ``town``, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(home))
        patch.delenv("COURSE_WAREHOUSE", raising=False)
        return release_class(load_profile("town"))


def write_bank(folder):
    rng = np.random.default_rng(7)
    ids = [f"C{n:06}" for n in range(PEOPLE)]
    branch = rng.choice(["B1", "B2", "B3"], PEOPLE, p=[0.6, 0.399, 0.001])
    customers = pl.DataFrame(
        {
            "customer_id": ids,
            "customer_type": "个人",
            "segment": rng.choice(["农户", "工薪", "其他"], PEOPLE),
            "id_hash": [f"P{n}" for n in range(PEOPLE)],
            "masked_name": "王**",
            "phone_hash": [f"H{n}" for n in range(PEOPLE)],
            "phone_valid": True,
            "gender": rng.choice(["男", "女"], PEOPLE),
            "birth_year": rng.integers(1940, 2005, PEOPLE),
            "town_id": "T1",
            "village_id": rng.choice(["V1", "V2"], PEOPLE),
            "branch_id": branch,
            "manager_id": "E1",
            "open_date": pl.Series(rng.integers(10_000, 19_000, PEOPLE)).cast(pl.Date),
            "status": "正常",
            "occupation": rng.choice(["务农", "退休"], PEOPLE),
            "is_farmer": True,
            "is_migrant": False,
            "household_id": None,
            "credit_grade": "A",
            "do_not_call": False,
            "weight": 1.0,
        },
        schema_overrides={"household_id": pl.String},
    )
    customers.write_parquet(folder / "customer.parquet")
    level = rng.lognormal(9, 1.2, PEOPLE)
    frames = []
    closing = np.round(level, 2)
    for number in range(1, MONTHS + 1):
        opening, closing = closing, np.round(level * rng.lognormal(0, 0.2, PEOPLE), 2)
        average = np.round(closing * 0.9, 2)
        frames.append(month_frame(number, ids, opening, closing, average, rng))
    months = pl.concat(frames)
    months.write_parquet(folder / "customer_month.parquet")
    branches = load_contract().table("branch")
    row = {"branch_id": ["B1", "B2", "B3"]}
    for name, column in branches.columns.items():
        if name != "branch_id" and not column.nullable and not column.optional:
            row[name] = [example(column)] * 3
    pl.DataFrame(row).write_parquet(folder / "branch.parquet")
    days = {"date": [datetime.date(2025, 12, 31)] * 3, "branch_id": ["B1", "B2", "B3"]}
    days |= {
        name: [1.0] * 3
        for name, column in load_contract().table("branch_day").columns.items()
        if column.type == "money"
    }
    pl.DataFrame(days | {"is_ledger": [True] * 3}).write_parquet(folder / "branch_day.parquet")


def month_frame(number, ids, opening, closing, average, rng):
    last = (datetime.date(2025, number, 28) + datetime.timedelta(days=4)).replace(day=1)
    day = last - datetime.timedelta(days=1)
    inflow = np.round(closing * rng.lognormal(-1, 0.5, PEOPLE), 2)
    values = {"deposit_open": opening, "deposit_end": closing, "demand_deposit_average": average}
    values |= {"aum_average": average, "in_amount": inflow, "out_amount": inflow}
    values |= {"third_party_pay_amount": np.round(inflow / 3, 2)}
    frame = {"month": [day] * PEOPLE, "customer_id": ids}
    for name, column in load_contract().table("customer_month").columns.items():
        if column.type == "money":
            frame[name] = values.get(name, np.zeros(PEOPLE))
        elif column.type == "integer":
            frame[name] = rng.poisson(7, PEOPLE)
    return pl.DataFrame(frame)


def example(column):
    if column.codes:
        return column.codes[0]
    examples = {"flag": True, "integer": 1, "date": datetime.date(2020, 1, 1), "id": "T1"}
    return examples.get(column.type, "甲" if column.type == "text" else 1.0)


# --- noise ---


def test_noise_is_keyed_bounded_and_the_same_for_the_same_cell():
    ids = [str(n) for n in range(20_000)]
    ones = np.full(len(ids), 1e6)
    noise = Noise(KEY, ids, 0.2)
    once, again = noise.amounts("2025-01 in", ones), noise.amounts("2025-01 in", ones)
    assert (once == again).all()
    assert (once != noise.amounts("2025-02 in", ones)).mean() > 0.8
    assert (once != Noise(b"o" * 32, ids, 0.2).amounts("2025-01 in", ones)).mean() > 0.8
    low, high = (1 - SCALE) * 0.8, (1 + SCALE) * 1.2
    assert low * 0.95 <= once.min() / 1e6 and once.max() / 1e6 <= high * 1.05
    assert once.mean() / 1e6 == pytest.approx(1, abs=0.005)
    assert (once / 10_000 == np.round(once / 10_000)).all()  # two digits of about a million


def test_rounding_keeps_two_digits_zero_and_signs():
    values = np.array([0, 3.4, 12.6, 126.0, -1260.0, 98765.0])
    assert significant(values).tolist() == [0, 3, 13, 130, -1300, 99000]


def test_counts_come_in_fives_and_sums_stay():
    ids = [str(n) for n in range(20_000)]
    counts = Noise(KEY, ids, 0.2).counts("in_count", np.full(len(ids), 7.0))
    assert set(counts % 5) == {0}
    assert counts.mean() == pytest.approx(7, abs=0.1)


# --- the attack ---


def test_the_attack_finds_everybody_without_noise_and_few_with_much():
    rng = np.random.default_rng(1)
    true = rng.lognormal(9, 1.5, (2000, 12))
    ids = [str(n) for n in range(2000)]

    def released(width):
        noise = Noise(KEY, ids, width)
        cells = [noise.amounts(str(c), true[:, c]) for c in range(12)]
        return attack.Cells(true, np.stack(cells, axis=1))

    assert attack.attack_cells(released(0.0), 0.0).singled_out > 0.5
    weak = attack.attack_cells(released(0.2), 0.2)
    strong = attack.attack_cells(released(0.8), 0.8)
    assert weak.singled_out > strong.singled_out
    assert strong.singled_out <= 0.02
    # the true customer always fits: the attacker who knows the mechanism rules nobody out wrongly
    cells = released(0.2)
    for target in range(100):
        rows, _ = attack._fits(cells.released, np.array([0, 3, 7]), true[target, [0, 3, 7]], 0.2)
        assert target in rows


def test_an_attack_on_nothing_names_nobody():
    nothing = attack.attack_cells(attack.Cells(np.zeros((5, 4)), np.zeros((5, 4))), 0.2)
    assert nothing == attack.Attack(0, 0.0, 0.0)


def test_transactions_single_everybody_out_unless_all_are_alike():
    with duckdb.connect() as connection:
        rows = (
            "(SELECT 'C' || n % 50 AS customer_id, DATE '2025-01-05' AS date, "
            "{} AS amount, '转账' AS kind, '收入' AS direction FROM range(500) AS t(n))"
        )
        unlike = attack.attack_transactions(connection, rows.format("1000 + n"))
        alike = attack.attack_transactions(connection, rows.format("1000 + n // 50"))
    assert unlike.singled_out == 1 and unlike.targets == 50
    assert alike.singled_out == 0 and alike.guessed == pytest.approx(1 / 50)


# --- the crowd ---


def crowd_of(rows, k=5):
    connection = duckdb.connect()
    rows.write_parquet(path := f"/tmp/{id(rows)}.parquet")
    try:
        columns = {name: "VARCHAR" for name in rows.columns}
        return build_crowd(connection, f"read_parquet('{path}')", columns, k), connection
    finally:
        Path(path).unlink()


def test_everybody_in_a_crowd_of_k(home):
    rows = pl.read_parquet(home / "data" / "warehouse" / "town" / "customer.parquet")
    crowd, connection = crowd_of(rows)
    keys = ", ".join(crowd.steps)
    least = connection.execute(
        f"SELECT min(n) FROM (SELECT count(*) AS n FROM crowd GROUP BY {keys})"
    ).fetchone()[0]
    assert least == crowd.k >= 5
    assert crowd.customers + crowd.left_out == PEOPLE
    assert crowd.share_left_out <= 0.02


def test_a_bank_of_strangers_is_refused():
    rows = pl.DataFrame(
        {"customer_id": ["1", "2"], "customer_type": ["个人", "企业"], "branch_id": ["A", "B"]}
    )
    with pytest.raises(CourseError, match="合成数据"):
        crowd_of(rows)


def test_a_bank_without_segments_or_branches_has_a_crowd(home):
    rows = pl.read_parquet(home / "data" / "warehouse" / "town" / "customer.parquet")
    crowd, _ = crowd_of(rows.drop("segment", "branch_id", "customer_type"))
    assert crowd.k >= 5 and not {"segment", "branch_id"} & set(crowd.steps)


def test_every_quasi_identifier_is_on_a_ladder_or_left_out():
    table = load_contract().table("customer")
    released = set(LADDERS) | set(PLAIN)
    for column in table.columns.values():
        if not column.nullable and not column.optional:
            known = released | {"customer_id", "id_hash", "masked_name"}
            assert column.name in known, "a release without it would break the contract"
        if column.quasi_identifier and column.name in released:
            assert column.name in LADDERS


# --- the class release ---


def test_a_class_release_is_a_bank_that_keeps_the_contract(town, made):
    bank = open_bank(made.code)
    assert made.code == "town_class" and bank.profile.release == "class"
    assert bank.profile.origin == "town" and bank.profile.is_real
    for name in bank.tables:
        assert check_frame(name, bank.load(name)) == [], name
    assert set(bank.tables) == {
        "branch",
        "branch_day",
        "customer",
        "customer_month",
        "customer_year",
    }
    assert made.released.singled_out <= attack.GOAL < made.rounded.singled_out
    assert made.crowd.k >= 5
    assert last_release("town")["released"]["singled_out"] == made.released.singled_out


def test_nothing_links_a_class_release_with_the_bank(town, home, made):
    first = open_bank("town_class").load("customer")
    own = open_bank("town").load("customer")
    for column in ("customer_id", "id_hash"):
        assert not set(first[column]) & set(own[column])
    assert first["phone_hash"].isna().all() and first["manager_id"].isna().all()
    assert set(first["masked_name"]) == {"客户"}
    assert (first["open_date"].dt.strftime("%m-%d") == "01-01").all()
    assert first["customer_id"].is_monotonic_increasing  # no order of the old numbers is left
    release_class(town)
    again = open_bank("town_class").load("customer")
    assert not set(first["customer_id"]) & set(again["customer_id"])
    folder = home / "data" / "warehouse" / "town_class"
    assert {path.suffix for path in folder.iterdir()} == {".parquet", ".json"}


def test_amounts_of_a_class_release(town, made):
    bank = open_bank("town_class")
    months = bank.load("customer_month").sort_values(["customer_id", "month"])
    same = months["customer_id"] == months["customer_id"].shift()
    assert (months["deposit_open"] == months["deposit_end"].shift())[same].all()
    parts = ["demand_deposit_average", "term_deposit_average", "wealth_average"]
    assert np.allclose(months["aum_average"], months[parts].sum(axis=1))
    assert (months["third_party_pay_amount"] <= months["out_amount"]).all()
    assert set(months["in_count"] % 5) == {0}
    assert months["product_count"].max() <= 6
    true = open_bank("town").load("customer_month")
    large = months["in_amount"][months["in_amount"] >= 1000]
    assert (large % 100 == 0).all()
    for name in ("in_amount", "deposit_end"):
        assert months[name].sum() / true[name].sum() == pytest.approx(1, abs=0.05)


def test_branches_of_too_few_customers_say_nothing(town, made):
    counts = open_bank("town").load("customer")["branch_id"].value_counts()
    assert counts["B3"] < 5
    bank = open_bank("town_class")
    assert set(bank.load("branch_day")["branch_id"]) == {"B1", "B2"}
    assert "B3" not in set(bank.load("customer")["branch_id"])


def test_tables_with_people_are_no_public_tables():
    contract = load_contract()
    public = {name for name, table in contract.tables.items() if is_public(table)}
    people = {
        name
        for name, table in contract.tables.items()
        if any(c.domain and c.domain != "employee" for c in table.columns.values())
    }
    assert not public & people
    assert not public & {"employee", "payroll", "raw_export", "village_list", "label_sample"}
    assert {"branch", "branch_day", "industry", "calendar", "product"} <= public


def test_a_release_of_a_release_and_of_nothing_are_refused(town, home, made, monkeypatch):
    with pytest.raises(CourseError, match="已经是课堂版"):
        release_class(load_profile("town" + SUFFIX))
    monkeypatch.setenv("COURSE_WAREHOUSE", str(home / "nowhere"))
    with pytest.raises(CourseError, match="客户"):
        release_class(town)


def test_if_no_noise_is_enough_nothing_is_released(town, home, monkeypatch):
    warehouse = home / "other" / "town"
    shutil.copytree(home / "data" / "warehouse" / "town", warehouse)
    monkeypatch.setenv("COURSE_WAREHOUSE", str(warehouse.parent))
    monkeypatch.setattr(attack, "GOAL", -1.0)
    monkeypatch.setattr(classroom, "WIDTHS", (0.2, 0.8))
    with pytest.raises(CourseError, match="合成数据"):
        release_class(town)
    assert not (warehouse.parent / "town_class").exists()


def test_what_noise_costs():
    rng = np.random.default_rng(2)
    true = rng.lognormal(10, 1, (500, 12))
    free = cost_of(true, true)
    assert (free.total, free.variation, free.falling, free.tiers) == (0, 0, 1, 1)
    dear = cost_of(true, true * rng.uniform(0.5, 1.5, true.shape))
    assert dear.variation > 0.02 and dear.tiers < 1


# --- totals for outside ---


def test_only_totals_of_ten_or_more_leave(town, tmp_path):
    folder, hidden = outside.release_outside(town, tmp_path / "out")
    with (folder / "按网点.csv").open(encoding="utf-8-sig") as stream:
        rows = {row[0]: row[1:] for row in csv.reader(stream)}
    assert rows["B3"][0] == outside.HIDDEN
    # the total by month is published: a single hidden branch could be worked out from it
    assert [rows[b][0] for b in ("B1", "B2")].count(outside.HIDDEN) == 1
    assert hidden["按网点"] >= 2 and hidden["按月"] == 0
    assert (folder / "对外汇总.xlsx").is_file()
    text = "".join(path.read_text("utf-8-sig") for path in folder.glob("*.csv"))
    assert "C00" not in text


def test_what_is_hidden_with_a_cell_that_is_too_small():
    lines = [["甲"]] * 4
    small = [(3, 30, 10), (50, 500, 20), (40, 400, 20), (90, 900, 20)]
    assert outside._covered(small, lines) == {0, 2}
    heavy = [(50, 1000, 900), (50, 500, 20), (40, 400, 20), (90, 900, 20)]
    assert outside._covered(heavy, lines) >= {0, 2}
    fine = [(10, 100, 50), (50, 500, 20), (0, 0, 0), (90, 900, 20)]
    assert outside._covered(fine, lines) == set()
    apart = [["甲"], ["甲"], ["乙"], ["乙"]]
    assert outside._covered(small, apart) == {0, 1}


@pytest.mark.slow
def test_the_shipped_bank_meets_the_goal(tmp_path, monkeypatch):
    """An end-to-end release of a bank of the size that the course ships."""
    import time

    if not (data_dir("warehouse") / "western" / "customer_month.parquet").is_file():
        pytest.skip("先生成 western 的数据")
    for name in ("contract", "reference"):
        shutil.copytree(data_dir(name), tmp_path / "data" / name)
    shutil.copytree(data_dir("banks") / "western", tmp_path / "data" / "banks" / "western")
    (tmp_path / "data" / "warehouse").mkdir()
    (tmp_path / "data" / "warehouse" / "western").symlink_to(data_dir("warehouse") / "western")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    start = time.process_time()
    made = release_class(load_profile("western"))
    assert time.process_time() - start < 60
    assert made.raw.singled_out > 0.95
    assert made.released.singled_out <= attack.GOAL
    assert made.crowd.share_left_out <= 0.02 and made.cost.total < 0.03
    assert json.loads((made.folder / "release.json").read_text("utf-8"))["code"] == "western_class"
