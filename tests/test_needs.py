"""What a lesson needs of a bank, found in its text."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from course_utils.build.sources.folding import fold
from course_utils.build.sources.needs import FULL, NONE, PART, LessonNeeds, extent
from course_utils.build.sources.readiness import readiness
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.exercises.gates.statements import read_statement

pytestmark = pytest.mark.slow  # whole intakes or lessons: left out of the fast loop

ROOT = Path(__file__).resolve().parents[1]


def bank(*have: str) -> Callable[[str], bool]:
    """A bank that has tables, or of a table ``"loan:loan_id balance"`` these columns alone."""
    tables = {name.partition(":")[0]: name.partition(":")[2].split() for name in have}

    def has(name: str) -> bool:
        table, _, column = name.partition(".")
        if table not in tables:
            return False
        return not column or not tables[table] or column in tables[table]

    return has


def states(*cells: str, has: Callable[[str], bool]) -> list[str]:
    numbered = tuple((number, (), source) for number, source in enumerate(cells))
    return [cell.state for cell in LessonNeeds("m99_n01", numbered, {}).verdict(has).cells]


@pytest.mark.parametrize(
    ("have", "expected"),
    [
        (("loan", "customer"), ["ok", "ok", "ok", "ok"]),
        (("loan",), ["ok", "skip", "skip", "ok"]),
        (("customer",), ["skip", "ok", "skip", "skip"]),
        (("customer", "loan:loan_id customer_id balance"), ["ok", "ok", "ok", "skip"]),
    ],
)
def test_what_needs_a_result_that_is_missing_is_left_out_too(have, expected) -> None:
    cells = (
        'loans = bank.load("loan", ["customer_id", "balance", "five_class"])',
        'people = bank.load("customer").set_index("customer_id")',
        'both = people.join(loans.groupby("customer_id")["balance"].sum())\ncu.show(both)',
        'cu.show(loans.groupby("five_class").size())',
    )
    assert states(*cells, has=bank(*have)) == expected


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ('if bank.has("note"):\n    notes = bank.load("note")\nelse:\n    cu.say("没有")', "ok"),
        ('n = bank.load("note") if bank.has("note") else None', "ok"),
        ('n = bank.load("note") if not bank.has("note") else None', "skip"),
        ('names = bank.load("branch", ["branch_id", "branch_name"])', "ok"),
        ('kinds = bank.load("branch").set_index("branch_id")["branch_type"]', "skip"),
        ('w = bank.load("loan")["weight"]', "ok"),
        ('a = bank.load("loan").query("five_class == 1 and balance > 0")', "skip"),
        ('def read():\n    return bank.load("note")', "ok"),
        ('def read():\n    return bank.load("note")\nn = read()', "skip"),
        ('f = bank.load("loan").rename(columns={"five_class": "g"})\ncu.show(f["g"])', "skip"),
        ('f = bank.load("loan")\nf["five_class"] = 1\ncu.show(f["five_class"])', "ok"),
        ('f = bank.load("loan")\ncu.show(f.assign(a=1))\ncu.show(f["five_class"])', "part"),
    ],
)
def test_guards_labels_and_names(source: str, state: str) -> None:
    assert states(source, has=bank("loan:loan_id branch_id balance")) == [state]


def test_a_question_needs_what_its_functions_read(tmp_path: Path) -> None:
    from course_utils.build.sources.needs_questions import read_questions

    module = tmp_path / "m99_n01.py"
    module.write_text(
        "def base(context):\n    return context.load('loan')\n"
        "def expected(context):\n"
        "    if not context.bank.has('note'):\n        return base(context)['balance'].sum()\n"
        "    return context.load('note')\n"
        "def other(context):\n    return context.load('customer')\n"
        "QUESTIONS = [Question('E1', 'answer', expected, number(), hints=('x',),\n"
        "    misconceptions=(Misconception('a', 'b', other),))]\n",
        encoding="utf-8",
    )
    question = read_questions(module)["E1"]
    assert question.reads(bank("loan")).tables == {"loan"}
    assert question.reads(lambda _: True).tables == {"loan", "note"}


def test_folding_takes_the_branches_of_the_bank() -> None:
    node = ast.parse('x = [c for c in w if not bank.has("note") or bank.has("loan")]').body[0]
    assert ast.unparse(fold(node, bank("loan"))) == "x = [c for c in w if True]"
    node = ast.parse('if bank.has("note"):\n    x = 1').body[0]
    assert fold(node, bank("loan")) is None


@pytest.mark.parametrize(
    ("source", "sets", "grows", "changes", "uses"),
    [
        ("a, b = c", {"a", "b"}, set(), set(), {"c"}),
        ("a['x'] = b", set(), {("a", "x")}, set(), {"a", "b"}),
        ("a.loc[m, 'x'] = 1", set(), {("a", "x")}, set(), {"a", "m"}),
        ("a[k] = 1", set(), set(), {"a"}, {"a", "k"}),
        ("a.append(b)", set(), set(), {"a"}, {"a", "b"}),
        ("a += b", {"a"}, set(), set(), {"a", "b"}),
        ("x = [i for i in a if i > b]", {"x"}, set(), set(), {"a", "b"}),
        ("def f(p, q=d):\n    r = p + z\n    return r", {"f"}, set(), set(), {"d", "z"}),
        ("for i in a:\n    s = i", {"i", "s"}, set(), set(), {"a", "i"}),
    ],
)
def test_what_a_statement_does(source, sets, grows, changes, uses) -> None:
    found = read_statement(ast.parse(source).body[0])
    assert (set(found.sets), set(found.grows)) == (sets, grows)
    assert (set(found.changes), set(found.uses)) == (changes, uses)


@pytest.mark.parametrize(
    ("shown", "skipped", "stopped", "expected"),
    [(9, 0, False, FULL), (9, 1, True, PART), (0, 9, True, NONE), (1, 9, True, NONE)],
)
def test_a_tenth_of_a_lesson_is_no_lesson(shown, skipped, stopped, expected) -> None:
    assert extent(shown, skipped, stopped) == expected


@pytest.mark.parametrize(
    ("exercises", "expected"), [((), PART), ((True, False), PART), ((False, False), NONE)]
)
def test_a_few_cells_without_an_exercise_are_no_lesson(exercises, expected) -> None:
    assert extent(4, 6, True, exercises) == expected


@pytest.fixture(scope="module")
def lessons() -> tuple:
    return load_syllabus(ROOT / "lessons" / "syllabus.yml").lessons


def test_every_lesson_is_whole_on_a_bank_that_has_everything(lessons) -> None:
    found = readiness(ROOT, lessons, lambda _: True)
    assert found.of(FULL) == list(lessons)
    assert found.wanted() == []


def test_a_bank_with_one_table_gets_the_lessons_that_need_only_that(lessons) -> None:
    found = readiness(ROOT, lessons, bank("payroll", "employee"))
    extents = {lesson.key: verdict.extent for lesson, verdict in found.lessons}
    assert extents["m04_n05"] == PART
    assert extents["m02_n01"] == NONE
    assert found.wanted()[0][0] in ("customer", "consent")


def test_the_command_names_what_stops_each_lesson() -> None:
    from course_utils.cli.banks import bank_group

    result = CliRunner().invoke(bank_group, ["status", "coastal", "--lesson", "m04_n05"])
    assert result.exit_code == 0, result.output
    assert "● 完整  m04_n05" in result.output
