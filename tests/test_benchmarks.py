"""The benchmarks measure whole process trees, and the page says what the results say."""

import os
import shutil
import signal
import sys
import time

import pytest
from build_project import REPOSITORY, make_project

sys.path.insert(0, str(REPOSITORY))  # benchmarks/ is not installed

from benchmarks import page, synth_speed
from benchmarks.build_speed import measure, report, scenarios, stage
from course_utils.build.sources.syllabus import load_syllabus

pytestmark = pytest.mark.slow  # burns CPU time to be measured
linux = pytest.mark.skipif(not measure.available(), reason="reads /proc")
#: Burns a second of CPU time; how long that takes does not matter.
BURN = "import time\nwhile time.process_time() < 1: pass\n"
BURN_AND_STAY = BURN + "print('done', flush=True)\ntime.sleep(600)"


def python(code):
    return [sys.executable, "-c", code]


def parent_of(child, then):
    """A process that starts `child`, waits until it has burnt its second, and goes on."""
    return python(
        "import os, signal, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE,\n"
        "                         start_new_session=True)\n"
        "child.stdout.readline()\n" + then
    )


@linux
def test_cpu_of_grandchildren_counts():
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}], check=True)"
    cost = measure.run(parent_of(inner, "child.wait()"))
    assert cost.code == 0
    assert 0.9 < cost.cpu < 5
    assert cost.waited_cpu > 0.9


@linux
@pytest.mark.parametrize(
    "then",
    [
        "child.kill(); child.wait()",
        "child.kill()",  # nobody waits: the supervisor adopts it
    ],
)
def test_cpu_of_a_killed_child_counts(then):
    assert measure.run(parent_of(BURN_AND_STAY, then)).cpu > 0.9


@linux
def test_cpu_of_a_child_that_nobody_may_wait_for_counts():
    start = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
    program, flag, code = parent_of(
        BURN_AND_STAY, "import time; time.sleep(1); child.kill(); time.sleep(0.5)"
    )
    cost = measure.run([program, flag, start + code])
    assert cost.waited_cpu < 0.9 < cost.cpu
    assert cost.cpu == cost.sampled_cpu


@linux
def test_a_process_left_behind_is_ended_and_told(monkeypatch, tmp_path):
    text = measure.SUPERVISE.read_text(encoding="utf-8")
    hasty = tmp_path / "supervise.py"
    hasty.write_text(text.replace("_GRACE = 5.0", "_GRACE = 0.1"), encoding="utf-8")
    monkeypatch.setattr(measure, "SUPERVISE", hasty)
    cost = measure.run(parent_of(BURN_AND_STAY, ""))
    assert (cost.left, cost.code) == (1, 0)
    assert cost.cpu > 0.9


@linux
def test_peak_memory_sees_a_child_and_shared_pages_once():
    forked = (
        "import os, time\n"
        "block = bytearray(os.urandom(1024)) * (200 * 1024)\n"
        "children = [os.fork() for _ in range(3)]\n"
        "time.sleep(2)\n"
    )
    cost = measure.run(parent_of(forked, "child.wait()"))
    assert 190 < cost.peak_mb < 390
    assert cost.processes >= 5


@linux
def test_exit_code_output_and_an_unknown_program(tmp_path):
    log = tmp_path / "log"
    cost = measure.run(python("print('said'); raise SystemExit(3)"), log=log)
    assert (cost.code, cost.left, log.read_text()) == (3, 0, "said\n")
    with pytest.raises(OSError, match="no-such-program"):
        measure.run(["no-such-program"])


@linux
def test_an_interrupted_measurement_leaves_nothing_running(monkeypatch):
    class Interrupted(measure.Sampler):
        def __enter__(self):
            begin = time.monotonic()
            while not measure.descendants(self._root, measure.processes()):
                assert time.monotonic() - begin < 60
            signal.raise_signal(signal.SIGINT)
            return super().__enter__()

    monkeypatch.setattr(measure, "Sampler", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure.run(python("import time; time.sleep(600)"))
    own = measure.descendants(os.getpid(), measure.processes())
    assert not [process for process in own if process.parent == os.getpid()]


# ---- page ------------------------------------------------------------------------------------


def test_a_section_is_replaced_and_not_doubled():
    begin, end = page.markers("speed")
    text = f"before\n{begin}\n{end}\nafter\n"
    once = page.replace_section(text, "speed", r"first \1")
    twice = page.replace_section(once, "speed", "second")
    assert twice == f"before\n{begin}\n\nsecond\n\n{end}\nafter\n"
    assert r"first \1" in once


@pytest.mark.parametrize("text", ["no markers", "".join(page.markers("speed")) * 2])
def test_a_page_without_the_markers_or_with_two_is_refused(text):
    with pytest.raises(ValueError, match="speed"):
        page.replace_section(text, "speed", "new")


@pytest.mark.parametrize("benchmark", [report, synth_speed], ids=lambda module: module.SECTION)
def test_the_page_says_what_the_results_say(benchmark):
    text = page.PAGE.read_text(encoding="utf-8")
    block = benchmark.block(page.read_results(benchmark.SECTION))
    assert page.replace_section(text, benchmark.SECTION, block) == text


@pytest.mark.parametrize("section", [report.SECTION, synth_speed.SECTION])
def test_results_name_no_machine_and_no_path(section):
    text = (page.RESULTS / f"{section}.json").read_text(encoding="utf-8")
    for word in (str(REPOSITORY), "/home/", "/root/", "/tmp/"):
        assert word not in text
    known = {"date", "cores", "processor", "system", "python", "load_at_start", "versions"}
    assert set(page.read_results(section)["machine"]) == known


def test_the_picture_can_be_drawn_from_the_results(tmp_path):
    fresh = tmp_path / "performance.md"
    fresh.write_text("\n".join(page.markers(report.SECTION)), encoding="utf-8")
    report.publish(page.read_results(report.SECTION), fresh)
    assert (tmp_path / report.PICTURE.name).stat().st_size > 10_000
    assert report.PICTURE.is_file()


# ---- figures ---------------------------------------------------------------------------------


def run_of(wall, cpu, **facts):
    return {"group": "compare", "title": "t", "wall": wall, "cpu": cpu, "peak_mb": 1_000,
            "other_cpu": 0.0, "failed": 0, **facts}  # fmt: skip


def results_of(**runs):
    return {"machine": {"cores": 2, "load_at_start": 0.0}, "options": {"bank": "b"}, "runs": runs}


def test_verdicts_compare_with_plain_papermill_and_the_limit():
    ours = run_of(wall=25, cpu=50, cells_cpu=40.0, longest=5.0)
    results = results_of(papermill=run_of(wall=100, cpu=100), ours=ours)
    cpu, wall, limit, peak = report.verdicts(results)
    assert (cpu.value, cpu.reached) == (0.5, False)
    assert (wall.value, wall.reached) == (0.25, True)
    assert limit.limit == pytest.approx(40 / 2 * 1.15)
    assert not limit.reached and peak.reached
    assert str(cpu).endswith("0.50 (limit 0.40): NOT reached")


def test_the_limit_is_never_below_the_longest_lesson():
    assert report.limit_seconds({"cells_cpu": 12.0, "longest": 10.0}, 4) == pytest.approx(11.5)


def test_remarks_name_failures_and_other_work():
    results = results_of(ours=run_of(20, 20) | {"failed": 2, "other_cpu": 30.0})
    results["machine"]["load_at_start"] = 1.4
    text = " ".join(report.remarks(results))
    assert "1.40" in text and "ours: 2 failed" in text and "75%" in text


def test_lessons_are_spread_over_the_course_and_its_levels():
    lessons = load_syllabus(REPOSITORY / "lessons" / "syllabus.yml").lessons
    assert stage.spread(lessons, len(lessons)) == lessons
    five = stage.spread(lessons, 5)
    assert len({lesson.module for lesson in five}) >= 3
    six = stage.spanning_levels(lessons, scenarios.PERSONS_LESSONS)
    assert {lesson.level for lesson in six} == {lesson.level for lesson in lessons}


@linux
def test_our_side_of_the_comparison_runs_the_editions_and_reads_the_records(tmp_path):
    root = make_project(tmp_path / "project")
    for name in ("banks", "contract", "reference"):
        shutil.copytree(REPOSITORY / "data" / name, root / "data" / name)
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    environment = stage.environment_for(root, tmp_path, tmp_path / "warehouse")
    environment["PYTHONPATH"] = str(REPOSITORY)
    small = stage.Stage(root, tmp_path, environment, syllabus, syllabus.lessons[:1], "coastal")
    plain, _, one, *_ = scenarios.compare(small)
    assert one.name == "ours_one"
    facts = one.measure(repeat=1)
    assert (facts["failed"], facts["lessons"], facts["note"]) == (0, 1, "")
    assert facts["costliest"] == syllabus.lessons[0].name
    assert 0 <= facts["cells_cpu"] < facts["cpu"]
    assert (root / "build/coastal/instructor/0_small/m98_n01_first.ipynb").is_file()
    one.before()
    assert not (root / "build").exists()
    assert [path.name for path in small.notebooks().iterdir()] == ["m98_n01_first.ipynb"]
    assert plain.command[-2] == str(small.notebooks())
