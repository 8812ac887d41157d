"""The bank: profile errors people meet, tables cut at the as-of date."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from course_utils.bank import list_banks, load_profile, open_bank, parquet
from course_utils.errors import CourseError


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A home of its own with one bank of two tables."""
    from course_utils import paths

    contract = paths.data_dir("contract")
    (tmp_path / "data" / "banks" / "tiny").mkdir(parents=True)
    (tmp_path / "data" / "contract").symlink_to(contract.resolve())
    (tmp_path / "data" / "banks" / "tiny" / "bank.yml").write_text(
        "name: 小银行\nkind: 测试\nas_of: 2025-12-31\n"
        "parameters: {common: {X: 1}, m02_n02: {X: 2}}\n",
        encoding="utf-8",
    )
    folder = tmp_path / "data" / "warehouse" / "tiny"
    folder.mkdir(parents=True)
    accounts = pd.DataFrame(
        {
            "account_id": ["A1", "A2", "A3"],
            "customer_id": ["C1", "C1", "C2"],
            "open_date": pd.to_datetime(["2024-01-05", "2024-06-30", "2025-08-01"]),
            "close_date": pd.to_datetime(["2024-12-31", "2025-02-01", None]),
            "amount": [1.0, 2.0, 3.0],
        }
    )
    months = pd.DataFrame({"month": pd.to_datetime(["2024-01-31", "2025-12-31"]), "n": [1, 2]})
    for name, frame in (("deposit_account", accounts), ("customer_month", months)):
        with duckdb.connect() as connection:
            connection.register("frame", frame)
            connection.execute(f"COPY frame TO '{folder / name}.parquet'")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    return tmp_path


def test_shipped_profiles_read():
    assert {"coastal", "western", "city_micro"} <= set(list_banks())
    for code in list_banks():
        assert load_profile(code).name


def test_tables_are_pristine_on_every_load(house):
    bank = open_bank("tiny")
    first = bank.load("deposit_account")
    first["amount"] = 0.0
    assert bank.load("deposit_account")["amount"].tolist() == [1.0, 2.0, 3.0]


def test_as_of_hides_what_was_not_known(house):
    bank = open_bank("tiny", "2024-12-31")
    accounts = bank.load("deposit_account")
    assert accounts["account_id"].tolist() == ["A1", "A2"]
    # the as-of day itself is known, the day after is not
    assert accounts["close_date"].isna().tolist() == [False, True]
    # asking for one column gives the same rows although the deciding date was not asked for
    assert bank.load("deposit_account", ["amount"])["amount"].tolist() == [1.0, 2.0]


def test_profile_parameters_of_a_lesson_win_over_common(house):
    profile = load_profile("tiny")
    assert profile.lesson_parameters("m02_n02_maturity_ladder") == {"X": 2}
    assert profile.lesson_parameters("m00_n01_data_map_quality") == {"X": 1}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: open_bank("tyni"), "tiny"),
        (lambda: open_bank("../x"), "不合规"),
        (lambda: open_bank("tiny", "2020-01-01"), "数据范围"),
        (lambda: open_bank("tiny", "2027-01-01"), "数据范围"),
        (lambda: open_bank("tiny", "昨天"), "2025-12-31"),
        (lambda: open_bank("tiny").load("loan"), "贷款"),
        (lambda: open_bank("tiny").load("depositaccount"), "deposit_account"),
        (lambda: open_bank("tiny").load("deposit_account", ["amout"]), "amount"),
        (lambda: open_bank("tiny").load("deposit_account", ["balance"]), "余额"),
    ],
)
def test_errors_are_one_chinese_sentence(house, call, words):
    with pytest.raises(CourseError) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "第"),
        ("name: 甲\nname: 乙\nkind: x\nas_of: 2025-12-31", "重复"),
        ("- 1", "键"),
        ("name: 甲\nkind: x", "as_of"),
        ("name: 甲\nkind: x\nas_of: 2025-13-31", "2025-12-31"),
        ("name: 甲\nkind: x\nas_of: 2025-12-31\npersons: 很多", "整数"),
        ("name: 甲\nkind: x\nas_of: 2025-12-31\nsed: 1", "seed"),
        ("name: 甲\nkind: x\nas_of: 2025-12-31\nworld: 1", "缩进"),
    ],
)
def test_broken_profiles(house, text, words):
    (house / "data" / "banks" / "tiny" / "bank.yml").write_text(text, encoding="utf-8")
    with pytest.raises(CourseError) as caught:
        load_profile("tiny")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_reads_go_through_one_connection_and_leave_no_file_open(house, monkeypatch):
    opened = []
    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda **given: opened.append(1) or connect(**given))
    parquet._database.cache_clear()
    bank = open_bank("tiny", "2024-12-31")
    bank.load("deposit_account")
    bank.load("deposit_account", ["amount"])
    assert bank.has("deposit_account.amount") and not bank.has("deposit_account.rate")
    assert opened == [1]
    files = Path("/proc/self/fd")
    if files.is_dir():
        assert not [f for f in files.iterdir() if f.exists() and f.resolve().suffix == ".parquet"]
    (bank.folder / "deposit_account.parquet").unlink()


def test_importing_the_bank_opens_nothing():
    code = (
        "import sys, course_utils.bank.warehouse as w; from course_utils.bank import parquet;"
        "print('duckdb' in sys.modules, parquet._database.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "0"]


def test_a_forked_process_opens_its_own_database():
    here = parquet._database(1)
    assert parquet._database(1) is here
    assert parquet._database(2) is not here


def test_a_bank_that_was_read_can_be_copied_and_pickled(house):
    bank = open_bank("tiny")
    expected = bank.load("deposit_account")
    for twin in (copy.deepcopy(bank), pickle.loads(pickle.dumps(bank))):
        pd.testing.assert_frame_equal(twin.load("deposit_account"), expected)
        assert twin.load("customer_month", ["n"])["n"].tolist() == [1, 2]


def test_threads_may_read_at_the_same_time(house):
    bank = open_bank("tiny")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: bank.load("deposit_account", ["amount"]), range(40)))
    assert all(frame["amount"].tolist() == [1.0, 2.0, 3.0] for frame in found)


def test_shared_texts_change_nothing_but_memory(tmp_path, monkeypatch):
    path = tmp_path / "a 'b'.parquet"
    frame = pd.DataFrame(
        {
            "key": ["a", "b", "c", "d"],
            "kind of": ["甲", None, "", "it's"],
            "nothing": pd.Series([None] * 4, dtype="str"),
            "number": [1, 2, 3, 4],
        }
    )
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY frame TO '{tmp_path}/plain.parquet'")
    (tmp_path / "plain.parquet").rename(path)
    columns = ["number", "nothing", "kind of"]
    place = (tmp_path, path.stem)
    plain = parquet.read(*place), parquet.read(*place, columns)
    monkeypatch.setattr(parquet, "LONG", 1)
    codes = ["kind of", "nothing", "nothing"]
    shared = parquet.read(*place, None, codes), parquet.read(*place, columns, codes)
    for one, two in zip(plain, shared, strict=True):
        pd.testing.assert_frame_equal(one, two)
        assert one.map(type).equals(two.map(type))
