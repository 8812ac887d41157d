"""A bank as columns: what a browser reads is, to the bit, what the Parquet files hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course_utils.bank import columnar, list_banks, load_profile, open_bank, parquet
from course_utils.errors import CourseError
from course_utils.paths import warehouse_dir


def as_columns(bank: str, folder: Path, tables: list[str] | None = None) -> Path:
    """Write a bank's tables as columns to ``folder/<bank>``."""
    target = folder / bank
    target.mkdir(parents=True)
    home = warehouse_dir(bank)
    columnar.write(
        {
            name: lambda name=name: (parquet.read(home, name), parquet.stored_columns(home, name))
            for name in parquet.tables(home)
            if tables is None or name in tables
        },
        target,
    )
    return target


def assert_identical(left: pd.DataFrame, right: pd.DataFrame, where: str) -> None:
    assert list(left.columns) == list(right.columns), where
    assert list(left.dtypes) == list(right.dtypes), where
    pd.testing.assert_frame_equal(left, right, check_exact=True, obj=where)
    for name in left:
        # `assert_frame_equal` takes None for NaN
        ours, theirs = left[name], right[name]
        if ours.dtype == "object":
            assert [type(v) for v in ours] == [type(v) for v in theirs], f"{where}.{name}"
        if ours.dtype == "float64":  # signs of zero and of NaN too
            assert ours.to_numpy().tobytes() == theirs.to_numpy().tobytes(), f"{where}.{name}"


@pytest.mark.slow
@pytest.mark.parametrize("bank", list_banks())
def test_every_table_is_the_same_to_the_bit(bank: str, tmp_path: Path) -> None:
    folder = as_columns(bank, tmp_path)
    paths = sorted(warehouse_dir(bank).glob("*.parquet"))
    assert columnar.tables(folder) == sorted(p.stem for p in paths)
    for path in paths:
        table = path.stem
        assert columnar.stored_columns(folder, table) == parquet.stored_columns(path.parent, table)
        assert_identical(columnar.read(folder, table), parquet.read(path.parent, table), table)
    # a browser fetches these: they must not be much larger than the Parquet files
    stored = sum(p.stat().st_size for p in folder.rglob("*.npz"))
    assert stored < 1.1 * sum(p.stat().st_size for p in paths)


@pytest.mark.slow
@pytest.mark.parametrize("as_of", [None, "2025-06-30", "2024-12-31"])
def test_a_bank_of_columns_is_the_same_bank(as_of, tmp_path, monkeypatch) -> None:
    tables = ["customer_month", "deposit_account", "loan", "contact_log", "customer_year"]
    ordinary = open_bank("coastal", as_of)
    expected = {name: ordinary.load(name) for name in tables}
    chosen = ordinary.load("deposit_account", ["maturity_date", "kept_amount_30d"])
    as_columns("coastal", tmp_path, tables)
    monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path))
    bank = open_bank("coastal", as_of)
    assert bank.tables == sorted(tables)
    assert bank.has("loan.purpose") == ordinary.has("loan.purpose")
    assert not bank.has("payroll")
    for name in tables:
        assert_identical(bank.load(name), expected[name], name)
    again = open_bank("coastal", as_of).load(
        "deposit_account", ["maturity_date", "kept_amount_30d"]
    )
    assert_identical(again, chosen, "chosen columns")


def test_the_first_month_is_read_from_columns(tmp_path, monkeypatch) -> None:
    as_columns("coastal", tmp_path, ["branch"])
    monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path))
    with pytest.raises(CourseError, match="不在"):
        open_bank("coastal", load_profile("coastal").as_of + pd.Timedelta(days=1))


KINDS = {
    "whole": pd.Series([-1, 0, 2**40], dtype="int64"),
    "small": pd.Series([0, 255, 3], dtype="int64"),
    "gaps": pd.Series([1, None, -(2**62)], dtype="Int64"),
    "money": pd.Series([0.1, -1234567.89, 3.0]),
    "odd floats": pd.Series([0.1 + 0.2, np.nan, -0.0]),
    "minus nothing": pd.Series([-0.0, 0.0, 1.25]),
    "far": pd.Series([np.inf, -np.inf, 1e300]),
    "flag": pd.Series([True, False, True]),
    "perhaps": pd.Series([True, None, False], dtype="boolean"),
    "day": pd.Series(pd.to_datetime(["2025-01-01", None, "1960-02-29"])).astype("datetime64[us]"),
    "moment": pd.Series(np.array(["2025-01-01T09:30:00.000001", "NaT", "1999-01-02"], "M8[us]")),
    "no day": pd.Series([pd.NaT] * 3).astype("datetime64[us]"),
    "text": pd.Series(["县域", None, ""], dtype="str"),
    "one text": pd.Series(["换行\n与\x00零", "换行\n与\x00零", "𠮷"], dtype="str"),
    "nothing": pd.Series([None, None, None], dtype="object"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [3, 0])
def test_every_kind_of_column(kind: str, rows: int, tmp_path: Path) -> None:
    frame = pd.DataFrame({"c": KINDS[kind].iloc[:rows]})
    columnar.write({"t": lambda: (frame, {"c": "ANY"})}, tmp_path / "bank")
    assert_identical(columnar.read(tmp_path / "bank", "t"), frame, kind)


def test_an_unknown_kind_is_refused_with_its_place(tmp_path: Path) -> None:
    frame = pd.DataFrame({"c": pd.Series([1 + 2j])})
    with pytest.raises(CourseError, match=r"t\.c 的类型 complex128"):
        columnar.write({"t": lambda: (frame, {"c": "ANY"})}, tmp_path / "bank")


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({name: values for name, values in KINDS.items()})
    for name in ("one", "two"):
        columnar.write({"t": lambda: (frame, dict.fromkeys(frame, "ANY"))}, tmp_path / name)
    files = {
        name: {p.relative_to(tmp_path / name): p.read_bytes() for p in folder.rglob("*.*")}
        for name in ("one", "two")
        for folder in [tmp_path / name]
    }
    assert files["one"] == files["two"]


def test_damage_and_loss_are_one_sentence(tmp_path: Path, monkeypatch) -> None:
    frame = pd.DataFrame({"c": KINDS["text"]})
    columnar.write({"t": lambda: (frame, {"c": "ANY"})}, tmp_path / "bank")
    path = tmp_path / "bank" / "t" / "c.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + bytes(len(whole) - 40))
    with pytest.raises(CourseError, match="不完整"):
        columnar.read(tmp_path / "bank", "t")
    assert not path.exists()  # the next try fetches it again
    with pytest.raises(CourseError, match="缺少 t 表的 c 列"):
        columnar.read(tmp_path / "bank", "t")
    monkeypatch.setenv(columnar.ADDRESS_VARIABLE, "course/tables/x")
    asked = []
    monkeypatch.setattr(columnar, "_download", lambda address: asked.append(address))
    with pytest.raises(CourseError, match="没有取到数据"):
        columnar.read(tmp_path / "bank", "t")
    monkeypatch.setattr(columnar, "_download", lambda address: whole)
    assert_identical(columnar.read(tmp_path / "bank", "t"), frame, "fetched")
    assert asked == ["course/tables/x/t/c.npz"]
    shutil.rmtree(tmp_path / "bank")


def test_columns_of_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / columnar.CATALOGUE).write_text('{"format": 99, "tables": {}}', encoding="utf-8")
    with pytest.raises(CourseError, match="course lite"):
        columnar.tables(tmp_path)
