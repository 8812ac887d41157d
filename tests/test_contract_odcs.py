"""The contract's files against the published schema of their format, and its privacy rules."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator
from ruamel.yaml import YAML

from course_utils.contract import Column, Contract, Table, load_contract
from course_utils.contract.odcs import COLUMN_PROPERTIES, TABLE_PROPERTIES
from course_utils.contract.protection import RELEASES, RULES, protection_faults
from course_utils.contract.schema import schema_faults
from course_utils.paths import data_dir

SCHEMA = Path(__file__).parent / "fixtures" / "odcs" / "odcs-3.1.0.schema.json"
FILES = sorted(data_dir("contract").glob("*.yml"))


@pytest.fixture(scope="module")
def validator():
    return Draft201909Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def documents():
    yaml = YAML(typ="safe", pure=True)
    return {path.stem: yaml.load(path.read_text(encoding="utf-8")) for path in FILES}


def pairs():
    """Return every column of the contract with its table."""
    return [(t, c) for t in load_contract().tables.values() for c in t.columns.values()]


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_every_file_is_valid_odcs(validator, documents, name):
    assert [fault.message for fault in validator.iter_errors(documents[name])] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(apiVersion="v9.0.0"),
        lambda d: d.pop("status"),
        lambda d: d["schema"][0].update(owner="部"),
        lambda d: d["schema"][0]["properties"][0].pop("name"),
        lambda d: d["schema"][0]["properties"][0].update(logicalType="money"),
        lambda d: d["schema"][0]["properties"][0].update(meaning="键"),
        lambda d: d["schema"][0]["customProperties"].append({"owner": "部"}),
        lambda d: d["schema"][0]["properties"][0].update(relationships=[{"to": "customer"}]),
        lambda d: d["schema"][0]["properties"][0].update(quality=[{"metric": "odd", "mustBe": 0}]),
    ],
)
def test_the_schema_finds_what_is_not_odcs(validator, documents, change):
    document = copy.deepcopy(documents["marketing"])
    assert validator.is_valid(document)
    change(document)
    assert not validator.is_valid(document)


def test_our_own_words_are_in_camel_case_and_explained(documents):
    words = {*COLUMN_PROPERTIES, *TABLE_PROPERTIES}
    assert all(word.isalnum() and word[0].islower() for word in words)
    page = (data_dir("contract").parents[1] / "docs" / "contract.md").read_text(encoding="utf-8")
    assert [word for word in sorted(words) if f"`{word}`" not in page] == []
    legend = load_contract().legend
    assert set(legend["protect"]) == set(RULES)
    assert set(legend["release"]) == set(RELEASES)


def test_nothing_of_class_c3_is_accepted():
    found = [(t.name, c.name, c.protect) for t, c in pairs() if c.privacy == "C3"]
    assert found
    assert {protect for _, _, protect in found} == {"refuse"}


def test_every_personal_number_becomes_a_pseudonym():
    contract = load_contract()

    def key(column):
        while column.reference is not None:
            column = contract.table(column.reference[0]).column(column.reference[1])
        return column

    plain = {
        f"{t.name}.{c.name}"
        for t, c in pairs()
        if c.type == "id" and c.privacy == "C2" and c.domain is None and key(c).privacy == "C2"
    }
    assert plain == set()
    # whoever serves customers is a person too, although the class of the number is C1
    assert all(c.domain == "employee" for _, c in pairs() if c.name.endswith("employee_id"))
    assert contract.table("customer").column("manager_id").domain == "employee"


def test_a_pseudonym_joins_wherever_the_raw_number_did():
    contract = load_contract()
    for table, column in pairs():
        if column.reference is not None:
            target = contract.table(column.reference[0]).column(column.reference[1])
            assert column.protect == target.protect, (table.name, column.name)
    by_chain = {"bureau_loan.query_id": "bureau_report", "npl_action.loan_id": "loan"}
    by_chain |= {"etc_month.customer_id": "customer", "deposit_account.renewed_from": "account"}
    for name, domain in by_chain.items():
        table, column = name.split(".")
        assert contract.table(table).column(column).domain == domain
    registry, customer = contract.table("registry_list"), contract.table("customer")
    assert registry.column("phone_hash").domain == customer.column("phone_hash").domain == "phone"


def test_personal_text_is_never_stored_as_it_came():
    plain = [
        f"{t.name}.{c.name}"
        for t, c in pairs()
        if c.type == "text" and c.privacy == "C2" and c.protect == "keep"
    ]
    # the made-up sample of the lesson on masking keeps what a bank may not bring
    assert {name.split(".")[0] for name in plain} <= {"raw_export", "village_list"}


def test_what_a_row_is_fits_its_size():
    tables = load_contract().tables.values()
    for table in tables:
        if table.release == "open":
            assert all(c.privacy == "C1" and not c.sensitive for c in table.columns.values())
            assert table.size in {"static", "per_branch"}, table.name
        if table.size == "per_event":
            assert table.release == "event", table.name
        if table.size == "per_customer":
            assert table.release in {"person", "invented"}, table.name
    assert {t.name for t in tables if t.release == "invented"} == {
        "raw_export",
        "village_list",
        "next_90d_outcome",
    }


def test_what_a_neighbour_knows_is_a_quasi_identifier():
    customer = load_contract().table("customer")
    marked = {c.name for c in customer.columns.values() if c.quasi_identifier}
    assert {"gender", "birth_year", "village_id", "town_id", "occupation", "branch_id"} <= marked
    assert customer.column("birth_year").coarsen == ("year:5", "year:10")
    assert not any(c.quasi_identifier for _, c in pairs() if c.type == "money" and c.sensitive)


def test_every_sum_of_a_mart_says_what_nothing_is():
    silent = {"month", "customer_id", "merchant_id", "star"}
    for name in ("customer_month", "merchant_month"):
        columns = load_contract().table(name).columns.values()
        assert {c.name for c in columns if c.empty is None} <= silent
        assert all(c.empty == "zero" for c in columns if c.type == "money")
    assert load_contract().table("merchant_month").column("gap_days").empty == "unknown"


def small(release="person", **changes):
    settings = {"name": "note", "zh": "备注", "type": "text", "meaning": "话", "privacy": "C1"}
    key = Column("k", "键", "id", "键", "C2", protect="pseudonym:thing")
    columns = {"k": key, "note": Column(**{**settings, **changes})}
    table = Table("sheet", "表", "行", ("k",), "部", "static", columns, release=release)
    return Contract(version="2.0", tables={"sheet": table})


@pytest.mark.parametrize(
    "changes",
    [
        {"privacy": "C2"},
        {"privacy": "C3"},
        {"privacy": "C3", "protect": "free_text"},
        {"protect": "mask"},
        {"protect": "keep:all"},
        {"protect": "pseudonym"},
        {"protect": "pseudonym:客户"},
        {"protect": "pseudonym:thing"},
        {"protect": "year"},
        {"protect": "round:0.1"},
        {"type": "number", "protect": "round:some"},
        {"type": "id", "privacy": "C2"},
        {"type": "id", "references": "sheet.k", "protect": "pseudonym:other"},
        {"type": "id", "references": "sheet.k"},
        {"release": "open"},
        {"release": "secret"},
        {"coarsen": ("month",)},
        {"quasi_identifier": True, "coarsen": ("month",)},
        {"type": "date", "quasi_identifier": True, "coarsen": ("month:3",)},
        {"type": "date", "quasi_identifier": True, "coarsen": ("year:5",)},
        {"type": "integer", "quasi_identifier": True, "coarsen": ("year",)},
        {"type": "integer", "quasi_identifier": True, "coarsen": ("round:0",)},
        {"type": "integer", "quasi_identifier": True, "coarsen": ("town",)},
        {"empty": "zero"},
        {"type": "integer", "empty": "none"},
        {"type": "integer", "empty": "unknown"},
    ],
)
def test_the_self_check_finds_a_lack_of_protection(changes):
    assert schema_faults(small()) == []
    contract = small(**changes)
    faults = list(protection_faults(contract.tables["sheet"], contract))
    assert faults
    assert all(fault.endswith("。") for fault in faults)


@pytest.mark.parametrize(
    "changes",
    [
        {"privacy": "C2", "protect": "free_text"},
        {"privacy": "C3", "protect": "refuse"},
        {"privacy": "C2", "release": "invented"},
        {
            "type": "number",
            "protect": "round:0.1",
            "quasi_identifier": True,
            "coarsen": ("round:5",),
        },
        {"type": "date", "quasi_identifier": True, "coarsen": ("month", "quarter", "year")},
        {"type": "integer", "quasi_identifier": True, "coarsen": ("year:5", "digits:1")},
        {"type": "integer", "empty": "unknown", "nullable": True},
        {"type": "id", "privacy": "C2", "references": "sheet.k", "protect": "pseudonym:thing"},
    ],
)
def test_the_self_check_passes_what_is_protected(changes):
    assert schema_faults(small(**changes)) == []


def test_a_planted_open_door_in_the_real_contract_is_found():
    contract = load_contract()
    for table, column in pairs():
        if column.protect == "keep" or column.privacy == "C1" or table.release == "invented":
            continue
        if column.type not in {"id", "text"}:
            continue
        opened = replace(
            table, columns={**table.columns, column.name: replace(column, protect="keep")}
        )
        changed = replace(contract, tables={**contract.tables, table.name: opened})
        assert list(protection_faults(opened, changed)), (table.name, column.name)
