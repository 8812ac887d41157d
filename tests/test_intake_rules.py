"""The catalogue of rules, and how a bank tightens or relaxes them."""

from __future__ import annotations

import pytest

from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.intake.faults import LEVELS, NOTE, REFUSE, STOP, WARN
from course_utils.intake.rules import CATALOGUE, RuleBook, rule
from course_utils.intake.rules.relations import RELATIONS

CONTRACT = load_contract()


def test_every_rule_says_what_is_wrong_and_how_to_mend_it():
    for code, one in CATALOGUE.items():
        assert code == one.code
        assert one.level in LEVELS
        for text in (one.zh, one.problem, one.mend):
            assert text.strip()
            assert text.format(limit="甲", unit="元")


def test_every_relation_is_in_the_catalogue_and_fits_the_contract():
    for one in RELATIONS:
        assert one.code in CATALOGUE
        assert one.column in CONTRACT.tables[one.table].columns
        for table, columns in one.needs.items():
            assert set(columns) <= set(CONTRACT.tables[table].columns)
        assert one.sql.format(**{table: "t" for table in one.needs})


def test_an_unknown_code_of_the_reader_is_a_row_that_was_not_read():
    assert rule("something_new").code == "not_read"


def test_a_cell_costs_its_row_only_where_a_value_must_be():
    book, table = RuleBook(), CONTRACT.tables["customer"]
    assert book.level("code", "customer", table.columns["status"]) == REFUSE
    assert book.level("code", "customer", table.columns["gender"]) == WARN
    assert book.level("code", "customer", table.columns["gender"], key=True) == REFUSE
    assert book.blanks("code", "customer", table.columns["gender"])
    assert not book.blanks("null", "customer", table.columns["gender"])


def test_changes_take_effect_and_are_told():
    book = RuleBook.from_profile(
        {"max_rejected_share": 0.02, "loan.rate.maximum": 36, "duplicate_key": STOP,
         "customer.gender.code": REFUSE, "loan.balance.minimum": NOTE, "loan.rate.minimum": 0}
    )  # fmt: skip
    loan, customer = CONTRACT.tables["loan"], CONTRACT.tables["customer"]
    assert book.max_rejected_share == 0.02
    assert book.limit("maximum", "loan", loan.columns["rate"]) == 36
    assert book.limit("maximum", "deposit_account", loan.columns["rate"]) == 24
    assert book.level("duplicate_key", "loan", loan.columns["loan_id"], key=True) == STOP
    assert book.level("code", "customer", customer.columns["gender"]) == REFUSE
    assert book.level("minimum", "loan", loan.columns["balance"]) == NOTE
    assert not book.blanks("minimum", "loan", loan.columns["balance"])
    told = {change.key: (change.default, change.value) for change in book.changes}
    assert told == {
        "max_rejected_share": ("0.05", "0.02"),
        "loan.rate.maximum": ("24", "36"),
        "duplicate_key": (REFUSE, STOP),
        "customer.gender.code": (WARN, REFUSE),
        "loan.balance.minimum": (REFUSE, NOTE),
    }


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"loan.rate.maximun": 36}, "最接近的是“maximum”"),
        ({"主键重复": STOP}, "duplicate_key"),
        ({"loans.rate.maximum": 36}, "最接近的是“loan”"),
        ({"loan.rat.maximum": 36}, "最接近的是“rate”"),
        ({"loan.rate.maximum": "很高"}, "级别“很高”不认识"),
        ({"loan.rate.maximum": True}, "不认识"),
        ({"loan.rate.maximum": float("nan")}, "有限的数字"),
        ({"duplicate_key": WARN}, "只能收紧"),
        ({"reference": NOTE}, "只能收紧"),
        ({"customer.customer_id.null": NOTE}, "只能收紧"),
        ({"loan.rate.null": NOTE}, "只能收紧"),
        ({"loan.five_class.code": WARN}, "只能收紧"),
        ({"loan.rate": 36}, "不认识的规则"),
        ({"maximum": 36}, "不能写数字"),
        ({"max_rejected_share": 2}, "0 到 0.5"),
        ({"max_rejected_share": "多"}, "0 到 0.5"),
    ],
)
def test_what_is_not_allowed_is_one_chinese_sentence(rules, words):
    with pytest.raises(CourseError, match=words) as error:
        RuleBook.from_profile(rules)
    assert "bank.yml" in str(error.value)
