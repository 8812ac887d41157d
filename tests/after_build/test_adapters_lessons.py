"""A handful of lessons on a bank taken in from messy exports: what people see is the same."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from messy_bank.whole import compare_bank

from course_utils.paths import warehouse_dir

#: Deposits, loans, merchants, transactions: one lesson each.
LESSONS = (
    "m02_n02_maturity_ladder",
    "m03_n06_mortgage_cross_sell",
    "m03_n03_txn_lead_mining",
    "m04_n02_merchant_star_tiers",
)
CUSTOMERS = 6_000


@pytest.mark.slow
def test_lessons_are_the_same(tmp_path, monkeypatch):
    if not (warehouse_dir("coastal") / "manifest.json").is_file():
        pytest.skip("no data of coastal: run course bank generate --bank coastal")
    for name in ("COURSE_HOME", "COURSE_KEY_FILE"):  # the comparison sets them: put back after it
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    assert compare_bank(tmp_path, "east5", lessons=LESSONS, customers=CUSTOMERS) == []
