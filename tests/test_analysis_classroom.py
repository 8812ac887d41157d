"""The export of the privacy lesson, its stand-in, what neighbours know, and the two forms."""

from __future__ import annotations

import pandas as pd
import pytest

from course_utils.analysis import classroom
from course_utils.contract import load_contract
from course_utils.errors import CourseError


class FakeBank:
    """A bank that has exactly the tables it is given."""

    def __init__(self, **tables: pd.DataFrame) -> None:
        self.tables = tables

    def has(self, name: str) -> bool:
        return name in self.tables

    def load(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        frame = self.tables[name].copy()
        return frame if columns is None else frame[columns]


CUSTOMER = pd.DataFrame(
    {
        "customer_id": [f"C{n}" for n in range(10)],
        "masked_name": ["张**"] * 10,
        "birth_year": [1960 + n for n in range(9)] + [None],
        "birth_month": [3, None] * 5,
        "gender": ["男", "女"] * 5,
        "village_id": ["V001", None] * 5,
        "town_id": "T01",
        "occupation": "务农",
    }
)


def test_a_bank_with_an_export_gets_it():
    raw = pd.DataFrame({"row_id": ["R1"]})
    assert classroom.unmasked_export(FakeBank(raw_export=raw)).equals(raw)


def test_stand_in_has_the_columns_of_the_contract_and_nothing_unmasked():
    export = classroom.unmasked_export(FakeBank(customer=CUSTOMER))
    assert list(export.columns) == list(load_contract().table("raw_export").columns)
    assert len(export) == 9  # without a year of birth there is no age
    assert export["birth_date"].iloc[0] == pd.Timestamp("1960-03-01")
    assert export["birth_date"].iloc[1] == pd.Timestamp("1961-01-01")
    assert export["village"].notna().all()
    for column in ("id_number", "phone", "address", "card_number", "note", "remark2"):
        assert export[column].isna().all()


def test_stand_in_says_what_is_missing():
    with pytest.raises(CourseError, match="birth_year"):
        classroom.unmasked_export(FakeBank(customer=CUSTOMER.drop(columns=["birth_year"])))


def test_neighbours_come_from_the_list_or_from_the_export_itself():
    bank = FakeBank(customer=CUSTOMER)
    export = classroom.unmasked_export(bank)
    known = classroom.neighbours(bank, export)
    assert len(known) == 2
    assert "name" not in known
    assert set(known["birth_date"]) <= set(export["birth_date"])
    listed = known.assign(name="李**").head(1)
    both = FakeBank(raw_export=export, village_list=listed)
    assert len(classroom.neighbours(both, export)) == 1
    # a list of strangers says nothing about the stand-in
    only_list = FakeBank(customer=CUSTOMER, village_list=listed)
    assert len(classroom.neighbours(only_list, export)) == 2


def test_forms_leave_signatures_and_conclusions_to_people():
    form = classroom.use_form("客群课", ["年龄段"], 1200, 7, ["备注二"], pd.Timestamp("2026-01-03"))
    content = form.set_index("item")["content"]
    assert content["数据范围"] == "1,200 行；年龄段"
    assert content["C3 列"] == "备注二，已剔除"
    assert content["删除日期"] == "2026-01-03"
    assert (content[[name for name in content.index if "签字" in name]] == "").all()
    none = classroom.use_form("客群课", [], 1, 1, [], pd.Timestamp("2026-01-03"))
    assert none.set_index("item").loc["C3 列", "content"] == "没有发现"
    impact = classroom.impact_form(5, 11, 0.368, 7)
    assert len(impact) == 3
    assert "36.8%" in impact["evidence"].iloc[1]
    assert (impact["conclusion"] == "").all()
