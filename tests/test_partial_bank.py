"""A real bank that has only some of the data: what is read, what is left out, what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from course_utils.bank import open_bank
from course_utils.build.execution.extent import measure
from course_utils.errors import MissingDataError
from course_utils.exercises import Question, number
from course_utils.exercises.context import Context
from course_utils.exercises.gates.gate import METADATA
from course_utils.exercises.result import Outcome
from course_utils.exercises.session import begin, current

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

REPOSITORY = Path(__file__).resolve().parents[1]
PROFILE = "name: 试点银行\nkind: 只有借据的银行\nas_of: 2025-12-31\n"
MAPPING = 'contract: "2.0"\ntables: {}\n'
LOANS = """
    SELECT 'L' || i AS loan_id, 'K-' || (i % 3) AS customer_id, '网点' || (i % 2) AS branch_id,
           i * 1000.0 AS balance
    FROM range(1, 7) t(i)
"""


def total(context: Context) -> float:
    return float(context.load("loan", ["balance"])["balance"].sum())


def bad_share(context: Context) -> float:
    return float((context.load("loan", ["balance", "five_class"])["five_class"] != "正常").mean())


def from_list(context: Context) -> float:
    return float(context.variables["call_list"]["balance"].sum())


QUESTIONS = (
    Question("E1", "answer", total, number(unit="元"), hints=("加总。",)),
    Question("E2", "share", bad_share, number(unit="小数（0-1）"), hints=("数一数。",)),
    Question("E3", "picked", from_list, number(unit="元"), hints=("看名单。",)),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data" / "banks" / "pilot"
    folder.mkdir(parents=True)
    (folder / "bank.yml").write_text(PROFILE, encoding="utf-8")
    (folder / "mapping.yml").write_text(MAPPING, encoding="utf-8")
    for name in ("contract", "reference"):
        (tmp_path / "data" / name).symlink_to(REPOSITORY / "data" / name)
    warehouse = tmp_path / "data" / "warehouse" / "pilot"
    warehouse.mkdir(parents=True)
    duckdb.sql(f"COPY ({LOANS}) TO '{warehouse / 'loan.parquet'}' (FORMAT parquet)")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_WAREHOUSE", raising=False)
    monkeypatch.delenv("COURSE_CHECK", raising=False)
    return tmp_path


class Notebook:
    """A shell in this process that notes what cells show."""

    def __init__(self) -> None:
        InteractiveShell.clear_instance()
        self.shell = InteractiveShell.instance()
        self.shell.history_manager.enabled = False
        self.shell.display_pub = CapturingDisplayPublisher()

    def run(self, source: str) -> SimpleNamespace:
        self.shell.display_pub.outputs.clear()
        result = self.shell.run_cell(source, store_history=False)
        outputs = list(self.shell.display_pub.outputs)
        notes = [o["metadata"][METADATA] for o in outputs if METADATA in (o["metadata"] or {})]
        texts = [o["data"].get("text/plain", "") for o in outputs]
        error = result.error_before_exec or result.error_in_exec
        note = notes[0] if notes else None
        return SimpleNamespace(error=error, note=note, text="\n".join(texts))

    @property
    def names(self) -> dict:
        return self.shell.user_ns


@pytest.fixture
def notebook(home: Path) -> Iterator[Notebook]:
    made = Notebook()
    bank = open_bank("pilot")
    made.names.update(bank=bank, pd=pd)
    begin("m99_n09", bank, namespace=made.names, questions=QUESTIONS)
    yield made
    InteractiveShell.clear_instance()


def test_a_column_that_is_not_there_does_not_stop_the_reading_of_the_others(home: Path) -> None:
    bank = open_bank("pilot")
    frame = bank.load("loan", ["loan_id", "five_class", "balance"])
    assert list(frame.columns) == ["loan_id", "balance"]
    assert bank.left_out == ["loan.five_class"]
    with pytest.raises(MissingDataError, match="五级分类"):
        bank.load("loan", ["five_class"])
    with pytest.raises(MissingDataError) as error:
        bank.load("customer")
    assert error.value.names == ("customer",)


def test_labels_that_are_missing_are_the_ids_and_nothing_else_is_made_up(home: Path) -> None:
    bank = open_bank("pilot")
    names = bank.load("branch", ["branch_id", "branch_name", "counters"])
    assert names.to_dict("list") == {
        "branch_id": ["网点0", "网点1"],
        "branch_name": ["网点0", "网点1"],
    }
    assert not bank.has("branch")
    with pytest.raises(MissingDataError):
        bank.load("branch", ["branch_id", "counters"])


def test_a_customer_of_a_real_bank_stands_for_himself(home: Path) -> None:
    folder = home / "data" / "warehouse" / "pilot"
    duckdb.sql(f"COPY (SELECT 'K-1' AS customer_id) TO '{folder / 'customer.parquet'}'")
    assert open_bank("pilot").load("customer", ["customer_id", "weight"])["weight"].tolist() == [1]
    assert open_bank("pilot").load("customer")["weight"].tolist() == [1]


def test_the_rest_of_a_cell_goes_on(notebook: Notebook) -> None:
    ran = notebook.run(
        "people = bank.load('customer')\nloans = bank.load('loan')\nprint(len(loans))"
    )
    assert ran.error is None
    assert ran.note == {"names": ["customer"], "partly": True}
    assert "本行没有“客户”" in ran.text
    assert len(notebook.names["loans"]) == 6


def test_an_old_value_is_never_mistaken_for_the_result_that_is_missing(notebook: Notebook) -> None:
    notebook.run("people = 'of an earlier cell'")
    notebook.run("people = bank.load('customer')")
    assert "people" not in notebook.names
    ran = notebook.run("size = len(people)")
    assert ran.error is None
    assert ran.note == {"names": ["customer"], "partly": False}
    ran = notebook.run("people = [1]\nsize = len(people)")
    assert ran.note is None
    assert notebook.names["size"] == 1


def test_what_a_list_has_lost_is_not_shown_as_if_it_were_complete(notebook: Notebook) -> None:
    ran = notebook.run("rows = [1]\nrows.append(len(bank.load('customer')))\nprint(rows)")
    assert ran.error is None
    assert "rows" not in notebook.names


def test_a_derived_column_is_missing_where_its_source_is(notebook: Notebook) -> None:
    notebook.run("loans = bank.load('loan', ['loan_id', 'balance', 'five_class'])")
    ran = notebook.run("loans['bad'] = loans['five_class'].isin(['次级'])")
    assert ran.note["names"] == ["loan.five_class"]
    assert notebook.run("loans['balance'].sum()").note is None
    ran = notebook.run("loans.groupby('bad')['balance'].sum()")
    assert ran.error is None
    assert ran.note["names"] == ["loan.five_class"]


def test_a_column_that_cannot_be_computed_again_is_taken_away(notebook: Notebook) -> None:
    notebook.run("loans = bank.load('loan')\nloans['size'] = 1.0")
    notebook.run("loans['size'] = bank.load('customer')['customer_id'].map(len)")
    assert "size" not in notebook.names["loans"].columns
    assert notebook.run("loans['size'].mean()").note["names"] == ["customer"]


def test_a_renamed_column_is_still_the_one_that_is_missing(notebook: Notebook) -> None:
    notebook.run("loans = bank.load('loan').rename(columns={'five_class': 'grade'})")
    ran = notebook.run("loans['grade'].value_counts()")
    assert ran.error is None
    assert ran.note["names"] == ["loan.five_class"]


@pytest.mark.parametrize(
    "mistake",
    ["loans['balnce'].sum()", "lones.head()", "loans.balance.nothing()", "1 / 0", "assert False"],
)
def test_mistakes_of_a_trainee_stay_mistakes(notebook: Notebook, mistake: str) -> None:
    notebook.run("loans = bank.load('loan')")
    ran = notebook.run(mistake)
    assert ran.error is not None
    assert ran.note is None


def test_the_last_expression_of_a_cell_is_shown(notebook: Notebook) -> None:
    shown = notebook.shell.run_cell("1 + 1", store_history=False)
    assert shown.result == 2


def test_questions_without_data_are_counted_out(notebook: Notebook) -> None:
    session = current()
    assert session.check("E2").outcome is Outcome.MISSING
    notebook.run("call_list = bank.load('customer')")
    assert session.check("E3").outcome is Outcome.MISSING
    notebook.run("answer = 21000.0")
    assert session.check("E1").outcome is Outcome.RIGHT
    assert session.progress().summary == "1 题中做对 1 题（另有 2 题本行缺数据，不计）"
    wrong = session.check("E2")
    assert "五级分类" in wrong.message
    assert not wrong.hints


def test_a_wrong_answer_to_a_question_with_data_is_still_wrong(notebook: Notebook) -> None:
    notebook.run("answer = 1.0")
    assert current().check("E1").outcome is Outcome.WRONG
    notebook.run("answer = ...")
    assert current().check("E1").outcome is Outcome.BLANK


def test_carrying_on_without_data_stops_what_needs_the_answer(notebook: Notebook) -> None:
    notebook.run("share = ...")
    current().carry_on("E2")
    ran = notebook.run("half = share / 2")
    assert ran.error is None
    assert ran.note["names"] == ["loan.five_class"]


def test_a_synthetic_bank_stays_strict() -> None:
    bank = open_bank("coastal")
    assert not bank.is_real
    names = {}
    begin("m99_n09", bank, namespace=names, questions=QUESTIONS)
    assert current().gate is None


def cell(source: str, *outputs: dict, tags: tuple[str, ...] = ()) -> SimpleNamespace:
    class Cell(SimpleNamespace):
        def get(self, name: str, default: object = None) -> object:
            return getattr(self, name, default)

    metadata = {"tags": list(tags)}
    return Cell(cell_type="code", source=source, outputs=list(outputs), metadata=metadata)


def note(*names: str, partly: bool = False) -> dict:
    content = {"names": list(names), "partly": partly}
    return {"output_type": "display_data", "data": {}, "metadata": {METADATA: content}}


SHOWN = {"output_type": "display_data", "data": {"text/plain": "表"}, "metadata": {}}


@pytest.mark.parametrize(
    ("cells", "extent", "missing"),
    [
        ([cell("a", SHOWN), cell("b", SHOWN)], "full", []),
        ([cell("a", SHOWN), cell("b", note("loan"))], "part", ["loan"]),
        ([cell("a", note("loan")), cell("b", note("loan"), note("customer"))], "none", ["loan"]),
        ([cell("bank = cu.begin('x')", SHOWN), cell("b", note("loan"))], "none", ["loan"]),
    ],
)
def test_how_much_of_a_lesson_ran(cells: list, extent: str, missing: list[str]) -> None:
    assert measure(SimpleNamespace(cells=cells)) == (extent, missing)


def test_in_a_build_a_makeshift_that_fails_costs_its_cell_only(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    makeshift = "prices = bank.load('macro_month') if bank.has('macro_month') else []"
    notebook.run(makeshift)
    assert notebook.run("top = prices[0]").error is not None
    monkeypatch.setenv("COURSE_CELL_LOG", "cells.jsonl")
    ran = notebook.run("top = prices[0]")
    assert ran.error is None
    assert "macro_month" in ran.note["names"]


def test_a_function_is_not_blamed_for_a_column_that_the_bank_lacks() -> None:
    """The case is named by what it lacks before the trainee's function is called."""
    from types import SimpleNamespace

    from course_utils.exercises.questions.m00_n01 import customer_rows

    frame = pd.DataFrame({"customer_id": ["a"], "customer_type": ["个人"]})
    with pytest.raises(KeyError, match="id_hash"):
        customer_rows(SimpleNamespace(load=lambda *_: frame))


def test_a_credit_cooperative_may_say_its_name() -> None:
    """Real lenders are not all called 银行: the reference answer has to pass for each."""
    from types import SimpleNamespace

    from course_utils.exercises.questions.m03_n03 import E4, opening

    for name in ("甲县农村信用合作联社", "甲公司"):
        context = SimpleNamespace(
            bank=SimpleNamespace(name=name), parameters={"OFFER_RATE": 4.5, "as_of": None}
        )
        said = opening(context)
        (check,) = [one for one in E4.checks if hasattr(one, "parts")]
        part = next(one for one in check.parts if one.name == "你是哪家银行")
        assert part.found(said)
