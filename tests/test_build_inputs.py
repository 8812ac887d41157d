"""Before a run: parameters of the profile, fingerprints of the inputs, writing files safely."""

import sys
import threading
from pathlib import Path

import pytest
from build_project import NAMES, edit, make_build, make_project

from course_utils.bank import load_profile
from course_utils.build.execution import inputs
from course_utils.build.execution.inputs import Snapshot
from course_utils.build.execution.kernel import course_files
from course_utils.build.products import finish
from course_utils.build.sources.masters import read_master
from course_utils.build.sources.parameters import check_profile, lesson_parameters
from course_utils.errors import CourseError
from course_utils.files import fresh_folder, write_text


@pytest.mark.parametrize(
    ("parameters", "hint"),
    [
        ({"m98_n01": {"LIMT": 1}}, "LIMIT"),
        ({"m98_n01": {"LIMIT": "三"}}, "LIMIT"),
        ({"m98_n01": {"LIMIT": True}}, "LIMIT"),
        ({"common": {"LABLE": "x"}}, "LABEL"),
        ({"m99_n09": {"LIMIT": 1}}, "m99_n09"),
    ],
)
def test_parameters_that_do_not_exist_are_refused_before_anything_runs(tmp_path, parameters, hint):
    build = make_build(make_project(tmp_path, NAMES[:1]), parameters)
    with pytest.raises(CourseError, match=hint):
        build.run(build.syllabus.lessons)
    assert not build.folder.exists()


def test_a_common_parameter_goes_only_to_lessons_that_have_it(tmp_path):
    root = make_project(tmp_path, NAMES[:2])
    edit(root, NAMES[1], "LIMIT = 3  # 上限\n", "")
    profile = load_profile("coastal").replace(parameters={"common": {"LIMIT": 9}})
    first, second = (read_master(root / "lessons/0_small" / f"{n}.py") for n in NAMES[:2])
    check_profile(profile, [first, second])
    assert lesson_parameters(profile, first) == {"BANK": "coastal", "LIMIT": 9}
    assert lesson_parameters(profile, second) == {"BANK": "coastal"}


@pytest.fixture
def tables(tmp_path, monkeypatch):
    """A warehouse without tables, and a package without modules."""
    folder = tmp_path / "warehouse" / "coastal"
    folder.mkdir(parents=True)
    monkeypatch.setenv("COURSE_WAREHOUSE", str(tmp_path / "warehouse"))
    monkeypatch.setattr(inputs, "_PACKAGE", tmp_path / "package")
    return folder


def test_all_lessons_depend_on_which_tables_there_are_on_the_lock_and_on_the_bank(tables, tmp_path):
    seen = [Snapshot.take(tmp_path, "coastal").shared]
    for path in (tables / "loan.parquet", tables / "truth.json", tmp_path / "requirements.lock"):
        path.write_text("一", encoding="utf-8")
        seen.append(Snapshot.take(tmp_path, "coastal").shared)
    (tables / "loan.parquet").unlink()
    seen.append(Snapshot.take(tmp_path, "coastal").shared)
    seen.append(Snapshot.take(tmp_path, "western").shared)
    assert len(set(seen)) == len(seen)


def test_a_fingerprint_follows_only_the_tables_that_were_read(tables, tmp_path):
    def fingerprint(*read):
        return Snapshot.take(tmp_path, "coastal").fingerprint("master", [], read)

    for name in ("loan", "branch"):
        (tables / f"{name}.parquet").write_text("一", encoding="utf-8")
    loan, branch = fingerprint("coastal/loan.parquet"), fingerprint("coastal/branch.parquet")
    (tables / "loan.parquet").write_text("二", encoding="utf-8")
    assert fingerprint("coastal/loan.parquet") != loan
    assert fingerprint("coastal/branch.parquet") == branch


def test_what_was_read_and_is_not_known_has_no_fingerprint(tables, tmp_path):
    snapshot = Snapshot.take(tmp_path, "coastal")
    assert snapshot.fingerprint("master", [], []) != ""
    assert snapshot.fingerprint("master", [], ["western/loan.parquet"]) == ""
    assert snapshot.fingerprint("master", ["gone.py"], []) == ""


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    target = tmp_path / "pages"
    with fresh_folder(target) as aside:
        write_text(aside / "a.txt", "一")

    def fail():
        with fresh_folder(target) as aside:
            write_text(aside / "b.txt", "二")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.name for p in tmp_path.rglob("*")] == ["pages", "a.txt"]


def test_a_full_disk_is_one_chinese_sentence(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    write_text(path, "旧")

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CourseError, match="磁盘已满"):
        write_text(path, "新")
    assert path.read_text(encoding="utf-8") == "旧"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_read_only_folder_is_one_chinese_sentence(tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CourseError, match="不允许写入"):
        write_text(tmp_path / "x" / "run.json", "新")


def test_modules_are_listed_while_another_thread_imports():
    stop = threading.Event()

    def import_all_the_time():
        while not stop.is_set():
            for number in range(200):
                sys.modules[f"made_up_{number}"] = None
            for number in range(200):
                del sys.modules[f"made_up_{number}"]

    thread = threading.Thread(target=import_all_the_time)
    thread.start()
    try:
        for _ in range(300):
            assert "errors.py" in course_files()
    finally:
        stop.set()
        thread.join()


def test_a_product_is_made_again_if_its_inputs_changed_or_somebody_touched_it(tmp_path):
    build = make_build(make_project(tmp_path, NAMES[:1]))
    folder, made = build.folder / "trainee", []

    def make():
        made.append(1)
        write_text(folder / "kit.txt", "一")

    def ask(inputs):
        finish._unless_done(build, "trainee", inputs, make)
        return len(made)

    assert [ask(["a"]), ask(["a"]), ask(["b"]), ask(["b"])] == [1, 1, 2, 2]
    (folder / "answers.ipynb").write_text("{}", encoding="utf-8")
    assert [ask(["b"]), ask(["b"])] == [3, 3]
