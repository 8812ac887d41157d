"""Never a stale result: what changed runs again, and nothing else.

The lessons here import a copy of the package, so that its modules can be changed one at a time,
and nobody's work on the real one disturbs.
"""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import duckdb
import nbformat
import pytest
from build_project import REPOSITORY, edit, make_build, make_project

from course_utils.build.execution import crew as crews
from course_utils.build.execution import inputs
from course_utils.build.execution.crew import LocalCrew
from course_utils.build.execution.records import Record, RecordStore

pytestmark = pytest.mark.slow  # the project is built once
PRINT = "print(BANK, LIMIT, LABEL)"
BRANCH, LOAN, TRUTH, PLAIN = NAMES = (
    "m98_n01_branch",
    "m98_n02_loan",
    "m98_n03_truth",
    "m98_n04_plain",
)
LESSONS = {
    # reads a table, has questions
    BRANCH: "import course_utils as cu\nbank = cu.begin('m98_n01', BANK)\n"
    "print('网点', bank.load('branch')['branch_name'].tolist(), bank.has('event'))",
    # reads another table, imports a module of its own
    LOAN: "import course_utils as cu\nfrom course_utils.analysis.spoon import WORDS\n"
    "bank = cu.open_bank(BANK)\n"
    "print(WORDS, bank.load('loan', columns=['loan_id'])['loan_id'].tolist())",
    # the instructor's edition shows the truth
    TRUTH: "import course_utils as cu\nbank = cu.open_bank(BANK)",
    # nothing but Python
    PLAIN: PRINT,
}
TABLES = {
    "branch": "SELECT 'B1' AS branch_id, '甲支行' AS branch_name",
    "loan": "SELECT 'L1' AS loan_id, DATE '2024-01-01' AS issue_date",
    "event": "SELECT 'E1' AS event_id, DATE '2024-01-01' AS date",
}


def runs(*lessons, editions=("instructor", "trainee")):
    return {f"{lesson}/{edition}" for lesson in lessons for edition in editions}


ALL, NOTHING = runs(*NAMES), set()


def write_table(root, name, query):
    path = root / "data/warehouse/coastal" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def write_project(root):
    """Write lessons, data, tables and a copy of the package below one folder."""
    make_project(root, NAMES)
    for name, code in LESSONS.items():
        edit(root, name, PRINT, code)
    edit(root, TRUTH, 'print("真值")', 'print("真值", bank.truth)')
    for name in ("contract", "reference", "banks"):
        shutil.copytree(REPOSITORY / "data" / name, root / "data" / name)
    for name, query in TABLES.items():
        write_table(root, name, query)
    for name in ("truth", "manifest"):
        (root / f"data/warehouse/coastal/{name}.json").write_text('{"人数": 1000}', "utf-8")
    package = root / "package/course_utils"
    unneeded = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "course_utils", package, ignore=unneeded)
    (package / "analysis/spoon.py").write_text('WORDS = "汤匙"\n', encoding="utf-8")
    (package / "analysis/fork.py").write_text('WORDS = "叉子"\n', encoding="utf-8")
    for key in ("m98_n01", "m98_n05"):
        path = package / f"exercises/questions/{key}.py"
        path.write_text("QUESTIONS = ()\n", encoding="utf-8")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The project after its first build, where it was built, and a copy to come back to."""
    root = tmp_path_factory.mktemp("incremental") / "project"
    root.mkdir()
    write_project(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_HOME", str(root))
        patch.setenv("PYTHONPATH", str(root / "package"))
        patch.delenv("COURSE_WAREHOUSE", raising=False)
        patch.setattr(inputs, "_PACKAGE", root / "package/course_utils")
        build = make_build(root)
        records = build.run(build.syllabus.lessons)
        assert [(r.status, r.reason) for r in records] == [("ok", "")] * len(ALL)
        assert build.note == ""
        shutil.copytree(root, root.with_name("pristine"))
        yield root


@pytest.fixture
def project(pristine):
    """The project as it was after its first build."""
    shutil.rmtree(pristine)
    shutil.copytree(pristine.with_name("pristine"), pristine)
    return pristine


def planned(root, parameters=None, **options):
    """What a build would run now. Only asks: what the question itself changed is put back."""
    records = root / "build/coastal/.records"
    aside = root / "build/records"
    shutil.copytree(records, aside)
    build = make_build(root, parameters, **options)
    plan = build.plan(build.syllabus.lessons)
    shutil.rmtree(records)
    aside.rename(records)
    tasks = {task.name for task in plan.tasks}
    assert set(plan.names) == ALL == tasks | set(plan.current)
    return tasks


def build_now(root, *lessons, **options):
    """Build; return the status of each run."""
    build = make_build(root, **options)
    records = build.run(build.syllabus.select(lessons))
    return {record.name: record.status for record in records}


def outputs(root, name):
    lesson, edition = name.split("/")
    folder = make_build(root).executed(edition)
    notebook = nbformat.read(folder / "0_small" / f"{lesson}.ipynb", as_version=4)
    return "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", ()))


def test_nothing_runs_if_nothing_changed(project):
    assert planned(project) == NOTHING
    assert planned(project, force=True) == ALL
    assert set(build_now(project).values()) == {"unchanged"}


# ---- one input at a time -----------------------------------------------------------------------
PACKAGE = "package/course_utils"
WAREHOUSE = "data/warehouse/coastal"
CHANGES = {
    # lessons
    f"lessons/0_small/{BRANCH}.py": runs(BRANCH),  # here a line at its end; a comment is enough
    f"lessons/0_small/{PLAIN}.py": runs(PLAIN),
    # the bank
    f"{WAREHOUSE}/branch.parquet": runs(BRANCH),
    f"{WAREHOUSE}/loan.parquet": runs(LOAN),
    f"{WAREHOUSE}/event.parquet": NOTHING,  # only asked whether it is there
    f"{WAREHOUSE}/truth.json": runs(TRUTH, editions=["instructor"]),
    f"{WAREHOUSE}/manifest.json": NOTHING,
    f"{WAREHOUSE}/visit.parquet": ALL,  # a new table: any lesson may ask whether it is there
    "data/banks/coastal/bank.yml": NOTHING,  # here a comment; its values: see below
    "data/contract/loan.yml": ALL,
    "data/contract/new.yml": ALL,
    "data/reference/deposit_rates.csv": ALL,
    # another bank
    "data/banks/western/bank.yml": NOTHING,
    "data/warehouse/western/loan.parquet": NOTHING,
    # libraries
    "requirements.lock": ALL,
    "pyproject.toml": NOTHING,
    # the package: modules that a lesson imported, and others
    f"{PACKAGE}/analysis/spoon.py": runs(LOAN),
    f"{PACKAGE}/analysis/fork.py": NOTHING,
    f"{PACKAGE}/exercises/questions/m98_n01.py": runs(BRANCH),
    f"{PACKAGE}/exercises/questions/m98_n05.py": NOTHING,
    f"{PACKAGE}/exercises/questions/m98_n06.py": NOTHING,  # new
    f"{PACKAGE}/exercises/session.py": runs(BRANCH),
    f"{PACKAGE}/bank/warehouse.py": runs(BRANCH, LOAN, TRUTH),
    f"{PACKAGE}/synth/pipeline.py": NOTHING,
    f"{PACKAGE}/cli.py": NOTHING,
    f"{PACKAGE}/__init__.py": ALL,
    # what shapes every lesson
    f"{PACKAGE}/charts/font/CourseSansSC.otf": ALL,
    f"{PACKAGE}/charts/new.css": ALL,
    f"{PACKAGE}/build/files.py": ALL,
    f"{PACKAGE}/build/sources/editions.py": ALL,
    f"{PACKAGE}/build/execution/kernel.py": ALL,
    f"{PACKAGE}/build/execution/task.py": ALL,
    f"{PACKAGE}/build/execution/warm/zygote.py": ALL,
    f"{PACKAGE}/build/products/site/write.py": NOTHING,
    # leftovers of a run
    f"{PACKAGE}/analysis/__pycache__/spoon.cpython-399.pyc": NOTHING,
    ".cache/anything": NOTHING,
}


@pytest.mark.parametrize("path", CHANGES)
def test_one_changed_file_runs_what_depends_on_it(project, path):
    path, expected = project / path, CHANGES[path]
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.is_file() else None
    path.write_bytes((before or b"") + b"\n# \n")
    assert planned(project) == expected
    if before is not None:  # what counts is the content, not the date
        path.write_bytes(before)
        assert planned(project) == NOTHING


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{WAREHOUSE}/event.parquet", ALL),
        (f"{WAREHOUSE}/truth.json", ALL),
        (f"{PACKAGE}/analysis/spoon.py", runs(LOAN)),
        (f"{PACKAGE}/analysis/fork.py", NOTHING),
        ("data/reference/deposit_rates.csv", ALL),
        ("requirements.lock", ALL),
    ],
)
def test_one_missing_file_runs_what_depends_on_it(project, path, expected):
    (project / path).unlink()
    assert planned(project) == expected


def test_a_comment_in_a_lesson_is_enough(project):
    edit(project, PLAIN, "# 上限", "# 另一句话")
    assert planned(project) == runs(PLAIN)


@pytest.mark.parametrize(
    ("section", "expected"),
    [("common", ALL), ("m98_n01", runs(BRANCH)), (BRANCH, runs(BRANCH))],
)
def test_a_parameter_runs_the_lessons_it_is_for(project, section, expected):
    """An instructor who changes one number of one lesson waits for that lesson only."""
    assert planned(project, {section: {"LIMIT": 3}}) == expected


@pytest.mark.parametrize(
    ("old", "new"), [("persons: 20000", "persons: 20001"), ("name: ", "name: 新")]
)
def test_everything_else_in_the_profile_runs_all_lessons(project, old, new):
    path = project / "data/banks/coastal/bank.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert planned(project) == ALL


def test_a_parameter_in_the_file_is_not_counted_twice(project):
    """``bank.yml`` counts without its parameters: those came with the profile already."""
    path = project / "data/banks/coastal/bank.yml"
    text = path.read_text(encoding="utf-8")
    assert "\nparameters:" in text
    changed = text.replace("\nparameters:", "\nparameters:\n  m98_n01: {LIMIT: 3}", 1)
    path.write_text(changed, encoding="utf-8")
    assert planned(project) == NOTHING
    assert planned(project, {"m98_n01": {"LIMIT": 3}}) == runs(BRANCH)


def test_an_edited_notebook_is_not_taken_over(project):
    path = next((project / "build/coastal/instructor").rglob(f"{PLAIN}.ipynb"))
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert planned(project) == runs(PLAIN, editions=["instructor"])


def test_another_interpreter_runs_all_lessons(project, monkeypatch):
    monkeypatch.setattr(sys, "version", "3.99")
    assert planned(project) == ALL


# ---- what is known of earlier runs -------------------------------------------------------------
def record_file(root, name):
    return root / "build/coastal/.records" / f"{name.replace('/', '.')}.json"


def pretend(root, name, **changes):
    """Change what the record of a run says."""
    content = json.loads(record_file(root, name).read_text(encoding="utf-8"))
    record_file(root, name).write_text(json.dumps({**content, **changes}), encoding="utf-8")


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"lesson": "x"}', '{"更新": 1}', "\0"])
def test_a_damaged_record_runs_its_lesson(project, damage):
    name = f"{LOAN}/trainee"
    record_file(project, name).write_text(damage, encoding="utf-8")
    assert planned(project) == {name}


def test_a_record_of_a_later_version_runs_its_lesson(project):
    name = f"{LOAN}/trainee"
    pretend(project, name, 新=1)
    assert planned(project) == {name}


def test_a_missing_record_or_notebook_runs_its_lesson(project):
    record_file(project, f"{LOAN}/trainee").unlink()
    (project / f"build/coastal/instructor/0_small/{PLAIN}.ipynb").unlink()
    assert planned(project) == {f"{LOAN}/trainee", f"{PLAIN}/instructor"}


def test_run_json_holds_a_row_a_run_and_nothing_internal(project):
    content = json.loads((project / "build/coastal/run.json").read_text(encoding="utf-8"))
    assert {f"{row['lesson']}/{row['edition']}" for row in content["lessons"]} == ALL
    assert [row["lesson"] for row in content["lessons"]][::2] == list(NAMES)
    fields = {field.name for field in dataclasses.fields(Record)}
    for row in content["lessons"]:
        assert set(row) == fields - {"inputs", "output", "modules", "tables"}
        assert row["status"] == "ok" and not any(project.name in str(v) for v in row.values())


def test_a_record_names_what_the_lesson_read_and_no_more(project):
    records = RecordStore(project / "build/coastal").load()
    tables = {name: record.tables for name, record in records.items() if record.tables}
    assert tables == {
        **{name: ["coastal/branch.parquet"] for name in runs(BRANCH)},
        **{name: ["coastal/loan.parquet"] for name in runs(LOAN)},
        f"{TRUTH}/instructor": ["coastal/truth.json"],
    }
    modules = records[f"{LOAN}/trainee"].modules
    assert {"analysis/spoon.py", "bank/warehouse.py", "contract/reader.py"} <= set(modules)
    assert not {"analysis/fork.py", "exercises/session.py", "cli.py"} & set(modules)


def test_the_longest_run_begins_first(project, monkeypatch):
    lasted = {f"{LOAN}/trainee": 9.0, f"{TRUTH}/instructor": 5.0, f"{BRANCH}/trainee": 7.0}
    for name in ALL:
        pretend(project, name, seconds=lasted.get(name, 1.0))
    record_file(project, f"{PLAIN}/trainee").unlink()  # its level allows three seconds
    begun = []

    def run_task(task, folder, snapshot, job):
        begun.append(task.name)
        return Record(task.lesson.name, task.edition, "ok")

    monkeypatch.setattr(crews, "run_task", run_task)
    build = make_build(project, force=True)
    plan = build.plan(build.syllabus.lessons)
    crew = LocalCrew(project, jobs=1, warm=False)
    done = {task.name for task, _ in crew.run(plan.tasks, plan.snapshot)}
    expected = [f"{LOAN}/trainee", f"{BRANCH}/trainee", f"{TRUTH}/instructor", f"{PLAIN}/trainee"]
    assert begun[:4] == expected
    assert set(begun) == done == ALL


# ---- with kernels ------------------------------------------------------------------------------
def test_a_build_after_changes_shows_them_and_leaves_the_rest(project):
    write_table(project, "branch", "SELECT 'B1' AS branch_id, '乙支行' AS branch_name")
    spoon = project / PACKAGE / "analysis/spoon.py"
    spoon.write_text('WORDS = "一把新的汤匙"\n', encoding="utf-8")
    (project / WAREHOUSE / "truth.json").write_text('{"人数": 77}', encoding="utf-8")
    changed = {*runs(BRANCH, LOAN), f"{TRUTH}/instructor"}
    plain = project / f"build/coastal/instructor/0_small/{PLAIN}.ipynb"
    before = plain.stat()
    statuses = build_now(project)
    assert {name for name, status in statuses.items() if status == "ok"} == changed
    assert {name for name, status in statuses.items() if status == "unchanged"} == ALL - changed
    assert "网点 ['乙支行'] True" in outputs(project, f"{BRANCH}/trainee")
    assert "一把新的汤匙 ['L1']" in outputs(project, f"{LOAN}/instructor")
    assert "77" in outputs(project, f"{TRUTH}/instructor")
    assert plain.stat().st_mtime_ns == before.st_mtime_ns
    assert planned(project) == NOTHING
    (project / WAREHOUSE / "event.parquet").unlink()
    assert set(build_now(project, BRANCH).values()) == {"ok"}
    assert "网点 ['乙支行'] False" in outputs(project, f"{BRANCH}/trainee")
    assert planned(project) == ALL - runs(BRANCH)


LATE = """
from pathlib import Path
Path({path!r}).write_text('WORDS = "晚到"')
from course_utils.analysis import late
"""


def test_what_changes_while_lessons_run_counts_as_not_yet_run(project):
    def append(path):
        return f"\nwith open({str(project / path)!r}, 'ab') as stream:\n    stream.write(b'\\n# ')"

    edit(project, BRANCH, "bank.has('event'))", "1)" + append(f"{WAREHOUSE}/branch.parquet"))
    edit(project, LOAN, "['loan_id'].tolist())", ")" + append(f"{PACKAGE}/analysis/spoon.py"))
    late = project / PACKAGE / "analysis/late.py"
    edit(project, TRUTH, "bank = cu", LATE.format(path=str(late)) + "bank = cu")
    edit(project, PLAIN, PRINT, PRINT + append(f"lessons/0_small/{PLAIN}.py"))
    build = make_build(project, jobs=1)
    records = build.run(build.syllabus.lessons, ["instructor"])
    assert [record.reason for record in records] == [""] * 4
    waiting = runs(*NAMES, editions=["instructor"])
    assert waiting <= planned(project)
    # the module that appeared is known from now on; the others change their inputs each time
    build = make_build(project, jobs=1)
    build.run(build.syllabus.lessons, ["instructor"])
    assert waiting - planned(project) == {f"{TRUTH}/instructor"}


def test_what_another_lesson_changes_before_a_lesson_reads_it_counts_as_not_yet_run(project):
    path = str(project / WAREHOUSE / "branch.parquet")
    other = "SELECT 'B1' AS branch_id, '丙支行' AS branch_name"
    code = f"import duckdb\nduckdb.sql(\"COPY ({other}) TO '{path}' (FORMAT parquet)\")"
    edit(project, PLAIN, PRINT, code)
    edit(project, BRANCH, "# 上限", "# 另一句话")
    pretend(project, f"{PLAIN}/instructor", seconds=999.0)  # it begins
    build = make_build(project, jobs=1)
    records = build.run(build.syllabus.select([BRANCH, PLAIN]), ["instructor"])
    assert [record.status for record in records] == ["ok", "ok"]
    assert "丙支行" in outputs(project, f"{BRANCH}/instructor")
    assert f"{BRANCH}/instructor" in planned(project)


def test_a_failed_lesson_runs_again_each_time(project):
    edit(project, PLAIN, PRINT, "raise ValueError('坏')")
    for _ in range(2):
        assert set(build_now(project).values()) == {"failed", "unchanged"}
        assert planned(project) == runs(PLAIN)
    edit(project, PLAIN, "raise ValueError('坏')", PRINT)  # as it was when it ran through
    assert build_now(project, PLAIN) == dict.fromkeys(runs(PLAIN), "ok")
    assert planned(project) == NOTHING


def test_an_interrupted_build_goes_on_where_it_was(project):
    def interrupt(record, done, total):
        if record.status == "ok":
            raise KeyboardInterrupt

    build = make_build(project, force=True, jobs=1)
    with pytest.raises(KeyboardInterrupt):
        build.run(build.syllabus.lessons, report=interrupt)
    rest = planned(project)
    assert len(rest) == len(ALL) - 1
    statuses = build_now(project)
    assert {name for name, status in statuses.items() if status == "ok"} == rest
    assert planned(project) == NOTHING


def test_ordinary_kernels_leave_the_same_records(project):
    name = f"{BRANCH}/instructor"
    before = json.loads(record_file(project, name).read_text(encoding="utf-8"))
    build = make_build(project, force=True, warm=False)
    build.run(build.syllabus.select([BRANCH]), ["instructor"])
    after = json.loads(record_file(project, name).read_text(encoding="utf-8"))
    for key in ("inputs", "modules", "tables"):
        assert before[key] == after[key]
    assert planned(project) == NOTHING


def test_the_notebooks_of_a_forced_build_are_the_same_bytes(project):
    def notebooks():
        return {p.name: p.read_bytes() for p in Path(project, "build").rglob("*.ipynb")}

    before = notebooks()
    assert set(build_now(project, force=True).values()) == {"ok"}
    assert notebooks() == before
