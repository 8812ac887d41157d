"""The trainee's desk: kits, places, notebooks, environments; what it says about every fault."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from kit_wheels import write_kit_folder

from course_utils.desk import environment, kit, places, work
from course_utils.errors import CourseError
from course_utils.files import alone

HERE = f"{kit.machine()}-{sys.version_info[0]}.{sys.version_info[1]}"
HOUSE = {
    "requirements": "wheelhouse/x.txt",
    "packages": 2,
    "installed_bytes": 10**6,
    "longest_path": 137,
}


@pytest.fixture
def folder(tmp_path):
    return write_kit_folder(tmp_path / "培训 资料 (1)")


@pytest.fixture
def spoken():
    return []


def full_disk(*_args, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


# a kit
def test_half_a_kit_asks_to_unpack_all_of_it(folder):
    assert kit.Kit.read(folder).bank == "coastal"
    for missing in ("data", "wheels", "kit.json"):
        shutil.move(folder / missing, folder / "away")
        with pytest.raises(CourseError, match="整个解压"):
            kit.Kit.read(folder)
        shutil.move(folder / "away", folder / missing)
    (folder / "kit.json").write_text('{"bank": ')
    with pytest.raises(CourseError, match="整个解压"):
        kit.Kit.read(folder)


def test_a_kit_for_other_machines_says_for_which(tmp_path):
    for name, fits in {HERE: True, "windows-3.99": False}.items():
        read = kit.Kit.read(write_kit_folder(tmp_path / name, {name: HOUSE}))
        if fits:
            assert read.house() == kit.House(**HOUSE)
            continue
        with pytest.raises(CourseError, match=rf"windows-3\.99.*{HERE}.*浏览器课堂"):
            read.house()


@pytest.mark.parametrize(
    ("system", "processor", "name"),
    [
        ("win32", "AMD64", "windows"),
        ("win32", "ARM64", "windows-arm64"),
        ("darwin", "arm64", "macos"),
        ("darwin", "x86_64", "macos-x86_64"),
        ("linux", "aarch64", "linux-aarch64"),
    ],
)
def test_machines_have_the_names_that_kits_use(monkeypatch, system, processor, name):
    monkeypatch.setattr(kit.sys, "platform", system)
    monkeypatch.setattr(kit.platform, "machine", lambda: processor)
    assert kit.machine() == name


# places
def test_too_little_space_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(places.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    places.require_space(tmp_path / "not" / "yet", 10**8, "安装")
    with pytest.raises(CourseError, match=r"安装要有 1\.2 GB 空闲.*只剩 954 MB.*没有动"):
        places.require_space(tmp_path, 10**9, "安装")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "磁盘已满"), (errno.EROFS, "COURSE_DESK"), (errno.EIO, "告诉讲师")],
)
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, number, words):
    def refuse(*_args, **_options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(places.tempfile, "NamedTemporaryFile", refuse)
    with pytest.raises(CourseError, match=words) as caught:
        places.require_writable(tmp_path)
    assert str(tmp_path) in str(caught.value) and "没有动" in str(caught.value)


def test_a_path_that_windows_cannot_open_is_refused_there_alone(monkeypatch):
    deep = Path("C:/" + "很长的名字/" * 30)
    places.require_short(deep, 137)
    monkeypatch.setattr(places.sys, "platform", "win32")
    places.require_short(Path("C:/Users/zhang/AppData/Local/course/env-0123456789/Lib"), 137)
    with pytest.raises(CourseError, match=r"路径太长.*C:\\course"):
        places.require_short(deep, 137)


def test_programs_go_to_a_place_of_the_users_own(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_DESK", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert places.program_folder() == tmp_path / "course"
    monkeypatch.setattr(places.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    assert places.program_folder() == tmp_path / "Local" / "course"
    monkeypatch.setenv("COURSE_DESK", "/elsewhere")
    assert places.program_folder() == Path("/elsewhere")


# the trainee's folder
def test_notebooks_are_copied_once_and_never_overwritten(folder, tmp_path):
    mine, read = tmp_path / "文档", kit.Kit.read(folder)
    assert work.prepare_notebooks(read, mine) == 1
    (mine / "0" / "m00.ipynb").write_text("我的答案", encoding="utf-8")
    (folder / "notebooks" / "0" / "m01.ipynb").write_text("{}")
    (folder / "notebooks" / work.FIRST_PAGE).write_text("# 新目录\n", encoding="utf-8")
    assert work.prepare_notebooks(read, mine) == 1
    assert (mine / "0" / "m00.ipynb").read_text(encoding="utf-8") == "我的答案"
    assert (mine / work.FIRST_PAGE).read_text(encoding="utf-8") == "# 新目录\n"
    shutil.rmtree(mine / "0")  # a fresh copy is there for the asking
    assert work.prepare_notebooks(read, mine) == 2


def test_notebooks_of_a_read_only_kit_can_be_saved(folder, tmp_path):
    for path in (folder / "notebooks").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    work.prepare_notebooks(kit.Kit.read(folder), tmp_path / "mine")
    for path in (tmp_path / "mine").rglob("*"):
        assert path.stat().st_mode & 0o200


def test_a_full_disk_leaves_no_half_a_notebook(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(work.shutil, "copyfile", full_disk)
    with pytest.raises(CourseError, match="磁盘已满"):
        work.prepare_notebooks(kit.Kit.read(folder), tmp_path / "mine")
    assert [path for path in (tmp_path / "mine").rglob("*") if path.is_file()] == []


def test_data_are_on_this_machine_whole_or_not_at_all(folder, tmp_path, monkeypatch):
    read = kit.Kit.read(folder)
    with monkeypatch.context() as patch:
        patch.setattr(work.shutil, "copytree", full_disk)
        with pytest.raises(CourseError, match="磁盘已满"):
            work.prepare_home(read, tmp_path)
    home = work.prepare_home(read, tmp_path)
    assert (home / "data" / "banks" / "bank.yml").is_file()
    shutil.rmtree(folder / "data")  # the stick is pulled out
    assert work.prepare_home(read, tmp_path) == home


# the environment
@pytest.fixture
def installing(folder, tmp_path, monkeypatch, spoken):
    """A kit whose packages are installed by nothing: only the steps around that count."""
    (folder / "wheelhouse").mkdir()
    (folder / "wheelhouse" / "x.txt").write_text("a==1\n")
    content = json.loads((folder / "kit.json").read_text())
    (folder / "kit.json").write_text(json.dumps({**content, "houses": {HERE: HOUSE}}))
    calls = []

    def make(target, _kit):
        target.mkdir()
        python = environment.interpreter(target)
        python.parent.mkdir(parents=True)
        python.write_text("#!/bin/sh\nexit 0\n")
        python.chmod(0o755)

    monkeypatch.setattr(environment, "_make", make)
    monkeypatch.setattr(environment, "_install_packages", lambda *_: calls.append("packages"))
    monkeypatch.setattr(environment, "_install_course", lambda *_: calls.append("course"))

    def ensure():
        calls.clear()
        python = environment.ensure(kit.Kit.read(folder), tmp_path / "desk", spoken.append)
        return python, list(calls)

    return SimpleNamespace(ensure=ensure, kit=folder, programs=tmp_path / "desk")


def test_an_environment_is_made_once(installing):
    python, first = installing.ensure()
    assert first == ["packages", "course"] and python.is_file()
    assert installing.ensure() == (python, [])
    overrides = python.parents[1] / "share/jupyter/lab/settings/overrides.json"
    assert json.loads(overrides.read_text())["@jupyterlab/translation-extension:plugin"] == {
        "locale": "zh_CN"
    }


def test_a_half_done_installation_is_noticed_and_done_again(installing, spoken, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(environment, "_install_packages", full_disk)
        with pytest.raises(CourseError, match="磁盘已满"):
            installing.ensure()
    (left,) = installing.programs.glob("env-*/")
    (left / "half.txt").touch()
    python, calls = installing.ensure()
    assert calls == ["packages", "course"] and any("没有做完" in line for line in spoken)
    assert not (python.parents[1] / "half.txt").exists()


def test_what_another_kit_left_half_done_is_removed_unless_it_still_runs(installing):
    for name in ("env-left", "env-busy", "env-done"):
        (installing.programs / name).mkdir(parents=True)
    (installing.programs / "env-done" / "ready").write_text("x")
    with alone(installing.programs / "env-busy.lock", "忙"):
        installing.ensure()
    kept = {path.name for path in installing.programs.glob("env-*/")}
    assert {"env-busy", "env-done"} < kept and "env-left" not in kept


def test_a_new_version_of_the_course_changes_the_course_alone(installing):
    python, _ = installing.ensure()
    (wheel,) = (installing.kit / "wheels").glob("*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    assert installing.ensure() == (python, ["course"])
    assert installing.ensure() == (python, [])


def test_an_environment_whose_python_has_gone_is_made_again(installing):
    python, _ = installing.ensure()
    python.write_text("#!/bin/sh\nexit 1\n")
    assert installing.ensure()[1] == ["packages", "course"]


def test_two_windows_do_not_install_at_once(installing):
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with alone(installing.programs / lock, "忙"):
            inside.set()
            leave.wait(20)

    installing.ensure()
    lock = next(installing.programs.glob("env-*.lock")).name
    other = threading.Thread(target=hold)
    other.start()
    try:
        assert inside.wait(20)
        with pytest.raises(CourseError, match="另一个窗口"):
            installing.ensure()
    finally:
        leave.set()
        other.join()
    installing.ensure()


def test_an_embeddable_python_learns_where_its_packages_are(tmp_path):
    (tmp_path / "python311._pth").write_text("python311.zip\n.\n\n# comment\n#import site\n")
    environment._open_path_file(tmp_path)
    environment._open_path_file(tmp_path)
    lines = (tmp_path / "python311._pth").read_bytes().decode().split("\r\n")
    assert lines[:2] == ["python311.zip", "."] and lines.count("import site") == 1
    assert "Lib\\site-packages" in lines and (tmp_path / "Lib" / "site-packages").is_dir()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "磁盘已满"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "损坏"),
        ("Traceback", "install.log"),
    ],
)
def test_what_pip_says_becomes_a_sentence(tmp_path, said, words):
    log = tmp_path / "install.log"
    command = [sys.executable, "-c", f"import sys; sys.exit({said!r})"]
    with pytest.raises(CourseError, match=words):
        environment._run(command, log)
    assert said in log.read_text()
