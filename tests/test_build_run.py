"""Lessons run on a bank: one broken lesson loses nothing, a rerun does only what changed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from build_project import NAMES, REPOSITORY, edit, hold_sources_still, make_build, make_project

from course_utils.build.execution.records import Record, exit_summary

pytestmark = pytest.mark.slow  # each test starts kernels
FIRST, SECOND, THIRD = NAMES


def outputs(build, lesson, edition="instructor"):
    path = next(build.executed(edition).rglob(f"{lesson}.ipynb"))
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", ()))


@pytest.fixture(autouse=True, scope="module")
def still_sources():
    with pytest.MonkeyPatch.context() as patch:
        hold_sources_still(patch)
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A build in which the second lesson breaks."""
    root = make_project(tmp_path_factory.mktemp("project"))
    edit(
        root,
        SECOND,
        "print(BANK, LIMIT, LABEL)",
        'from course_utils.errors import CourseError\nraise CourseError("缺少“贷款”表，请补报。")',
    )
    build = make_build(root, {"common": {"LIMIT": 7}, "m98_n03": {"LABEL": "“中文”标签"}})
    seen = []
    records = build.run(
        build.syllabus.lessons, report=lambda r, done, total: seen.append((done, total))
    )
    return build, {(r.lesson, r.edition): r for r in records}, seen


def test_a_broken_lesson_is_reported_in_chinese_and_the_rest_go_on(built):
    _, records, _ = built
    assert records[SECOND, "instructor"].failed
    assert records[SECOND, "instructor"].reason == "缺少“贷款”表，请补报。"
    for lesson in (FIRST, THIRD):
        assert records[lesson, "instructor"].status == "ok"
        assert records[lesson, "trainee"].status == "ok"
    summary = exit_summary(list(records.values()))
    assert "缺少“贷款”表" in summary
    assert summary.count("\n") == 2


def test_a_broken_lesson_leaves_its_notebook_aside(built):
    build, _, _ = built
    folder = build.executed("instructor") / "0_small"
    assert not (folder / f"{SECOND}.ipynb").exists()
    assert (build.folder / "failed" / "instructor" / f"{SECOND}.ipynb").is_file()
    assert not list(build.folder.rglob("*.part"))


def test_the_profile_overrides_the_lessons_defaults(built):
    build, _, _ = built
    assert "coastal 7 标签" in outputs(build, FIRST)
    assert "coastal 7 “中文”标签" in outputs(build, THIRD)


def test_injected_parameters_are_readable(built):
    build, _, _ = built
    text = (build.executed("instructor") / "0_small" / f"{THIRD}.ipynb").read_text(encoding="utf-8")
    assert "“中文”标签" in text
    assert "\\\\u" not in text


def test_solutions_run_in_one_edition_and_blanks_in_the_other(built):
    build, _, _ = built
    assert "正确" in outputs(build, FIRST) and "真值" in outputs(build, FIRST)
    blank = outputs(build, FIRST, "trainee")
    assert "还没有作答" in blank and "真值" not in blank


def test_run_json_says_how_it_went(built):
    build, records, seen = built
    content = json.loads((build.folder / "run.json").read_text(encoding="utf-8"))
    assert content["bank"] == "coastal"
    rows = {(row["lesson"], row["edition"]): row for row in content["lessons"]}
    assert rows.keys() == records.keys()
    row = rows[FIRST, "instructor"]
    assert row["seconds"] > 0 and row["cpu_budget"] == 3 and row["warnings"] == []
    assert 0 <= row["cpu_seconds"] < 3
    assert seen == [(n, 6) for n in range(1, 7)]


def test_a_second_build_runs_only_what_changed(built):
    build, _, _ = built
    edit(build.root, THIRD, 'print("真值")', 'print("新的真值")')
    again = {(r.lesson, r.edition): r.status for r in build.run(build.syllabus.lessons)}
    assert again == {
        (FIRST, "instructor"): "unchanged",
        (FIRST, "trainee"): "unchanged",
        (SECOND, "instructor"): "failed",
        (SECOND, "trainee"): "failed",
        (THIRD, "instructor"): "ok",
        (THIRD, "trainee"): "ok",  # the whole master counts, whatever the edition shows of it
    }
    assert "新的真值" in outputs(build, THIRD)


def run_first(root, *, code, **options):
    edit(root, FIRST, "print(BANK, LIMIT, LABEL)", code)
    build = make_build(root, **options)
    (record,) = build.run(build.syllabus.select([FIRST]), editions=["instructor"])
    return build, record


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    root = make_project(tmp_path, NAMES[:1])
    build, _ = run_first(root, code="print(BANK)", force=True)
    path = build.executed("instructor") / "0_small" / f"{FIRST}.ipynb"
    before = path.read_bytes()
    build.run(build.syllabus.lessons, editions=["instructor"])
    assert path.read_bytes() == before


def test_a_warning_from_a_lesson_is_an_error(tmp_path):
    root = make_project(tmp_path, NAMES[:1])
    _, record = run_first(root, code='import warnings\nwarnings.warn("旧写法", FutureWarning)')
    assert record.failed and "旧写法" in record.reason


def test_a_glyph_that_the_font_lacks_is_an_error(tmp_path):
    root = make_project(tmp_path, NAMES[:1])
    code = "import matplotlib.pyplot as plt\nfig = plt.figure()\n"
    code += 'fig.text(0, 0, "中")\nfig.savefig("x.png")'
    _, record = run_first(root, code=code)
    assert record.failed and "Glyph" in record.reason


def test_a_wrong_reference_answer_fails_the_lesson(tmp_path):
    root = make_project(tmp_path, NAMES[:1])
    edit(root, FIRST, "answer = LIMIT * 2\n### END", "answer = LIMIT * 5\n### END")
    build = make_build(root)
    (record,) = build.run(build.syllabus.lessons, editions=["instructor"])
    assert record.failed and "E1 的检查应当回答“✓ 正确”，却回答：【E1 ✗ 还不对】" in record.reason


def test_a_kernel_that_dies_is_a_failed_lesson(tmp_path):
    root = make_project(tmp_path, NAMES[:1])
    _, record = run_first(root, code="import os\nos._exit(3)")
    assert record.failed and "内核" in record.reason


@pytest.mark.parametrize("warm", [True, False])
def test_imports_do_not_count_towards_the_cpu_budget(tmp_path, warm):
    root = make_project(tmp_path, NAMES[:1])
    code = "import pandas, statsmodels.api, sklearn.ensemble"  # two seconds where they are new
    build, record = run_first(root, code=code, warm=warm)
    assert (record.status, build.note) == ("ok", "")
    assert record.cpu_seconds < 0.5


def test_work_does_count(tmp_path):
    root = make_project(tmp_path, NAMES[:1])
    code = "import time\nend = time.process_time() + 0.6\n"
    code += "while time.process_time() < end:\n    pass"
    _, record = run_first(root, code=code)
    assert record.status == "ok" and record.cpu_seconds >= 0.6
    assert record.peak_mb > 20


INTERRUPTED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import pytest
from build_project import hold_sources_still, make_build
hold_sources_still(pytest.MonkeyPatch())
build = make_build(Path({root!r}))
print("started", flush=True)
build.run(build.syllabus.lessons, editions=["instructor"])
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_leaves_nothing_half_written_and_a_rerun_resumes(tmp_path, number):
    root = make_project(tmp_path / "p", NAMES[:2])
    marker = tmp_path / "kernel.pid"
    slow = f"import os, pathlib, time\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))"
    edit(root, SECOND, "print(BANK, LIMIT, LABEL)", slow + "\ntime.sleep(60)")
    script = INTERRUPTED.format(tests=str(REPOSITORY / "tests"), root=str(root))
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    build = make_build(root)
    finished = build.executed("instructor") / "0_small" / f"{FIRST}.ipynb"
    deadline = time.monotonic() + 60
    while not (finished.is_file() and marker.is_file() and build.records.load()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(timeout=30) != 0
    for path in build.folder.rglob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))
        assert path.name == finished.name
    assert set(build.records.load()) == {f"{FIRST}/instructor"}
    while time.monotonic() < deadline and Path(f"/proc/{marker.read_text()}").exists():
        time.sleep(0.1)
    assert not Path(f"/proc/{marker.read_text()}").exists(), "the kernel outlived its build"
    edit(root, SECOND, "time.sleep(60)", "time.sleep(0)")
    again = {r.lesson: r.status for r in build.run(build.syllabus.lessons, ["instructor"])}
    assert again == {FIRST: "unchanged", SECOND: "ok"}


def test_a_lesson_over_its_cpu_budget_says_so():
    over = Record("m98_n01_first", "instructor", "ok", cpu_seconds=3.4, cpu_budget=3.0)
    assert "CPU 3.4 秒，预算 3 秒" in exit_summary([over])
    over.cpu_seconds = 2.9
    assert "预算" not in exit_summary([over])
