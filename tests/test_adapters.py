"""Three systems' exports of one bank become the same tables, and every planted fault is found."""

import pytest
from messy_bank.adapters import FOLDER, adapter_mapping
from messy_bank.cases import Project, different_tables, false_alarms, missed_faults
from messy_bank.exports import CLEAN
from messy_bank.identities import card_number, credit_code, id_number
from messy_bank.invented import invent
from messy_bank.planting import FAULTS, MENDS, ROW_KINDS
from messy_bank.systems.shapes import SHAPES

from course_utils.bank import load_profile
from course_utils.intake.mapping.reader import read_mapping

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

#: Tables in which faults are planted, what they refer to, and one table of each other kind.
TABLES = (
    *("town", "branch", "employee", "village", "industry", "product"),
    *("customer", "credit_line", "loan", "deposit_account", "transaction", "merchant"),
    *("merchant_day", "contact_log"),
)
ROWS = 140


@pytest.fixture(scope="module")
def tables():
    return invent(TABLES, ROWS)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Project(tmp_path_factory.mktemp("adapters"), patch.setenv)


@pytest.fixture(scope="module")
def clean(project, tables):
    return project.take(tables, CLEAN)


@pytest.fixture(scope="module", params=sorted(SHAPES))
def taken(request, project, tables):
    return project.take(tables, request.param)


def test_tables_come_out_the_same(clean, taken):
    assert different_tables(clean, taken) == []


def test_every_planted_fault_is_found_in_its_row(taken):
    assert missed_faults(taken) == []


def test_nothing_else_is_called_a_fault(clean, taken):
    # shares with a percent sign in the cell are remarked upon, and rightly read
    assert false_alarms(taken, clean, known=("单位写在单元格里",)) == []


def test_no_raw_identifier_is_stored(clean, tables):
    stored = clean.table("deposit_account")
    assert not stored["account_id"].str.contains(r"\d{16}").any()
    assert not set(stored["customer_id"]) & set(tables["customer"]["customer_id"])


def test_kinds_of_faults():
    assert len({f.kind for f in FAULTS} | set(ROW_KINDS)) >= 30
    assert len({m.kind for m in MENDS}) >= 10


@pytest.mark.parametrize("adapter", sorted(SHAPES))
def test_the_example_is_what_the_files_need(adapter):
    path = FOLDER / adapter / "mapping.yml"
    written = path.read_text(encoding="utf-8")
    assert written == adapter_mapping(adapter), "run python -m tests.messy_bank.adapters"
    assert len(read_mapping(path, "example").tables) > 60


@pytest.mark.parametrize("adapter", sorted(SHAPES))
def test_the_example_profile_is_one(adapter, tmp_path, monkeypatch):
    place = tmp_path / "data" / "banks" / "example"
    place.mkdir(parents=True)
    for name in ("bank.yml", "mapping.yml"):
        (place / name).write_bytes((FOLDER / adapter / name).read_bytes())
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    assert load_profile("example").is_real


def test_invented_numbers_have_right_check_digits():
    numbers = {id_number(i, 1980, 1 + i % 12) for i in range(5000)}
    assert len(numbers) == 5000
    for number in sorted(numbers)[::100]:
        total = sum(pow(2, 17 - i, 11) * ("0123456789X".index(c)) for i, c in enumerate(number))
        assert total % 11 == 1
    card = card_number(7)
    assert len(card) == 19
    assert sum(sum(divmod(int(c) * (1 + i % 2), 10)) for i, c in enumerate(card[::-1])) % 10 == 0
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    code = credit_code(7)
    assert (
        sum(letters.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17])) % 31
        == (31 - letters.index(code[17])) % 31
    )
