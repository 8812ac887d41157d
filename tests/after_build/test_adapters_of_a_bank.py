"""Every table of a synthetic bank, through three systems, with the faults of the real world."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from messy_bank.cases import Project, different_tables, false_alarms, missed_faults
from messy_bank.exports import CLEAN, bank_tables
from messy_bank.sample import LEFT_OUT
from messy_bank.systems.shapes import SHAPES

from course_utils.contract import load_contract
from course_utils.paths import warehouse_dir

CUSTOMERS = 60


@pytest.fixture(scope="module")
def tables():
    folder = warehouse_dir("coastal")
    if not (folder / "manifest.json").is_file():
        pytest.skip("no data of coastal: run course bank generate --bank coastal")
    return bank_tables(folder, CUSTOMERS)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Project(tmp_path_factory.mktemp("adapters"), patch.setenv)


@pytest.fixture(scope="module")
def clean(tables, project):
    return project.take(tables, CLEAN)


@pytest.fixture(scope="module", params=sorted(SHAPES))
def taken(request, tables, project):
    return project.take(tables, request.param)


def test_every_table_is_there(tables):
    assert set(load_contract().tables) - set(tables) == LEFT_OUT


def test_all_tables_come_out_the_same(clean, taken):
    assert different_tables(clean, taken) == []


def test_every_planted_fault_is_found_in_its_row(taken):
    assert missed_faults(taken) == []


def test_nothing_else_is_called_a_fault(clean, taken):
    assert false_alarms(taken, clean, known=("单位写在单元格里",)) == []


def test_rows_in_are_rows_out(taken, tables):
    kept = sum(taken.table(name).height for name in tables if tables[name].height)
    assert kept == taken.export.rows
