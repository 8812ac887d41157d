"""The class server without a class: settings, login, what it refuses, the JupyterLab of a seat."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from build_project import REPOSITORY

from course_utils.build.products.hub import (
    capacity,
    companion,
    environment,
    folder,
    seats,
    settings,
    start,
)
from course_utils.cli import main
from course_utils.errors import CourseError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="JupyterHub needs Unix")


def make_settings(place: Path, **changes: Any) -> settings.HubSettings:
    """Return a class of three seats that was never opened."""
    values = {
        "folder": place, "bank": "coastal", "title": "甲县农商行", "port": 8000,
        "seats": settings.numbered_seats(3), "hub_port": 8081, "proxy_port": 8001,
        "progress_port": 8090, **settings.new_codes(), **changes,
    }  # fmt: skip
    return settings.HubSettings(**values)


# ---- settings ----------------------------------------------------------------------------------


def test_settings_survive_writing_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    course = make_settings(tmp_path, idle_minutes=45)
    path = course.save()
    assert settings.load(tmp_path) == course
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_a_broken_settings_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="没有课堂"):
        settings.load(tmp_path)
    path = make_settings(tmp_path).save()
    path.write_text(path.read_text(encoding="utf-8") + "surplus: 1\n", encoding="utf-8")
    with pytest.raises(CourseError, match="改坏"):
        settings.load(tmp_path)


def test_seat_names_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("﻿A-1\n\nａ-2  # 靠窗\n", encoding="utf-8")
    assert settings.named_seats(path) == ("a-1", "a-2")
    for text, said in (
        ("张三\n", "第 1 行"),
        ("a1\nA1\n", "第 2 行的座位名“A1”重复"),
        ("teacher\n", "teacher"),
        ("a" * 17, "2 到 16"),
        ("../x\n", "第 1 行"),
        ("# 空\n", "现在有 0 个"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CourseError, match=said):
            settings.named_seats(path)
    path.write_bytes("座位".encode("gb18030"))
    with pytest.raises(CourseError, match="UTF-8"):
        settings.named_seats(path)


def test_users_of_two_classes_differ_and_fit(tmp_path: Path) -> None:
    one, other = make_settings(tmp_path / "one"), make_settings(tmp_path / "other")
    longest = "s" * 16
    assert one.system_user("seat01") != other.system_user("seat01")
    assert len(one.system_user(longest)) <= 32  # the limit of Linux


# ---- login -------------------------------------------------------------------------------------


class Door:
    """The authenticator with a password file of its own."""

    def __init__(self, place: Path, **changes: Any) -> None:
        from course_utils.build.products.hub.authenticator import SeatAuthenticator

        self.door = SeatAuthenticator(
            seats=list(settings.numbered_seats(12)),
            class_code="1234-5678",
            teacher_password="of-the-teacher",
            passwords_file=str(place / "passwords.json"),
        )

    def knock(self, name: str, code: str, own: str = "", ip: str = "10.0.0.1") -> str:
        """Return who is let in, or the sentence that says why not."""
        from tornado.web import HTTPError

        handler = SimpleNamespace(request=SimpleNamespace(remote_ip=ip))
        form = {"username": name, "password": code, "own": own}
        try:
            return asyncio.run(self.door.authenticate(handler, form))["name"]
        except HTTPError as error:
            return error.log_message


def test_the_first_at_a_seat_sets_its_password(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.knock("７", "１２３４５６７８", "mine") == "seat07"
    assert door.knock("seat07", "1234 5678", "mine") == "seat07"
    assert "已经有人用了" in door.knock("7", "1234-5678", "other")
    again = Door(tmp_path)  # after a restart
    assert again.knock("7", "1234-5678", "mine") == "seat07"
    assert "已经有人用了" in again.knock("7", "1234-5678", "other")
    stored = (tmp_path / "passwords.json").read_text(encoding="utf-8")
    assert "mine" not in stored
    assert (tmp_path / "passwords.json").stat().st_mode & 0o077 == 0


def test_the_teacher_has_no_class_code_and_seats_no_way_to_become_one(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.knock("teacher", "of-the-teacher") == "teacher"
    assert "讲师口令不对" in door.knock("Teacher", "1234-5678", "mine")
    door.door.teacher_password = ""
    assert "讲师口令不对" in door.knock("teacher", "")
    door.door.class_code = ""
    assert "课堂口令不对" in door.knock("seat01", "", "mine")


def test_guessing_is_slowed_down_for_the_guesser_and_the_seat(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.knock("seat01", "1234-5678", "mine", ip="10.0.0.2") == "seat01"
    for number in range(8):
        assert "试错" not in door.knock("seat01", "1234-5678", f"guess{number}", ip="10.0.0.66")
    assert "试错太多次" in door.knock("seat01", "1234-5678", "mine", ip="10.0.0.66")
    assert "试错太多次" in door.knock("seat02", "1234-5678", "own2", ip="10.0.0.66")
    assert door.knock("seat02", "1234-5678", "own2", ip="10.0.0.3") == "seat02"  # others go on


# ---- what the command refuses -----------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a kit of nothing but a folder."""
    root = tmp_path / "project"
    (root / "lessons").mkdir(parents=True)
    (root / "lessons" / "syllabus.yml").write_text("{}", encoding="utf-8")
    (root / "data").symlink_to(REPOSITORY / "data")
    (root / "build/coastal/trainee/notebooks").mkdir(parents=True)
    monkeypatch.setenv("COURSE_HOME", str(root))
    return root


def refusal(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Run the command as people do; return the sentence with which it ends."""
    with pytest.raises(SystemExit) as ended:
        main(["hub", "--bank", "coastal", *options])
    assert ended.value.code in (1, 2)
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("错误：")
    return said


def test_windows_is_shown_the_other_ways(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    for module in [name for name in sys.modules if "products.hub" in name]:
        monkeypatch.delitem(sys.modules, module)
    for module in ("pwd", "grp", "jupyterhub"):  # which do not exist there
        monkeypatch.setitem(sys.modules, module, None)
    said = refusal(capsys)
    assert "course serve" in said and "WSL" in said


def test_without_root_only_a_rehearsal(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = refusal(capsys)
    assert "sudo" in said and "--rehearse" in said


def test_small_disks_missing_kits_and_wrong_options_are_one_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(capacity, "require_machine", lambda separate: None)
    place = ["--folder", str(project.parent / "class")]
    with monkeypatch.context() as patch:
        patch.setattr(folder.shutil, "disk_usage", lambda path: SimpleNamespace(free=2**30))
        assert "只剩 1024 MiB" in refusal(capsys, "--seats", "60", *place)
    assert "二选一" in refusal(
        capsys, "--seats", "3", "--names", str(project / "lessons/syllabus.yml")
    )
    assert "没有课堂" in refusal(capsys, "--stop", *place)
    (project / "build/coastal/trainee/notebooks").rmdir()
    assert "course build --bank coastal" in refusal(capsys, *place)
    assert not (project.parent / "class").exists()


def test_a_folder_that_seats_cannot_reach_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(CourseError, match="进不了"):
        folder.require_way(closed / "class")


def test_the_project_is_closed_to_others(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir(mode=0o755)
    assert folder.close_project(root) and root.stat().st_mode & 0o007 == 0
    assert not folder.close_project(root)
    assert root.stat().st_mode & 0o700 == 0o700


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as door:
        door.bind(("0.0.0.0", 0))
        door.listen()
        port = door.getsockname()[1]
        with pytest.raises(CourseError, match=f"端口 {port} 被别的程序占着.*--port"):
            start.require_ports(make_settings(tmp_path, port=port))


def test_a_recorded_process_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        course = make_settings(tmp_path)
        course.save()
        for name in ("hub.pid", "proxy.pid"):
            (course.private / name).write_text(str(other.pid), encoding="ascii")
        start.require_closed(course)  # an old number that now belongs to another program
        start._end_recorded(course.private / "proxy.pid")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


# ---- environment and processes -----------------------------------------------------------------


def test_a_tree_is_given_on_readable_without_the_instructors_parts(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "course_utils").mkdir(parents=True)
    (source / "pandas" / "test").mkdir(parents=True)
    for name, mode in (("course_utils/synth.py", 0o644), ("pandas/a.py", 0o600)):
        (source / name).write_text("x = 1", encoding="utf-8")
        (source / name).chmod(mode)
    (source / "pandas" / "test" / "b.py").write_text("y = 2", encoding="utf-8")
    (source / "__editable___course.pth").write_text("/somewhere", encoding="utf-8")
    environment.link_tree(source, tmp_path / "target", top=True)
    found = {p.relative_to(tmp_path / "target").as_posix() for p in tmp_path.glob("target/**/*.*")}
    assert found == {"pandas/a.py", "pandas/test/b.py"}
    assert (tmp_path / "target/pandas/a.py").stat().st_mode & 0o004  # others may read the copy
    assert (source / "pandas/a.py").stat().st_mode & 0o777 == 0o600  # and not the original


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the parent's end")
def test_a_companion_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(
        "import os, sys, time\nprint(os.getpid(), sys.argv[1:], flush=True)\ntime.sleep(60)\n",
        encoding="utf-8",
    )
    command = companion.with_parent("sleeper", "--a=1")
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.run({command!r})"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid, arguments = parent.stdout.readline().split(maxsplit=1)
    assert arguments.strip() == "['--a=1']"
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while _runs(int(pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_seat_that_cannot_run_python_is_found_before_the_class(tmp_path: Path) -> None:
    course = make_settings(tmp_path, separate=False, memory_mib=2048)
    for name in ("seat01", "seat02"):
        course.home(name).mkdir(parents=True)
    with pytest.raises(CourseError, match="运行不了课堂的 Python"):
        seats.try_python(course)  # nothing there
    course.python.parent.mkdir(parents=True)
    course.python.write_text(
        f"#!/bin/sh\nexec {sys.executable} -S -I -c 'import no_such_library'\n"
    )
    course.python.chmod(0o755)
    with pytest.raises(CourseError, match=r"no_such_library.*make env"):
        seats.try_python(course)
    course.python.write_text('#!/bin/sh\ntest "$COURSE_HOME" && test "$PWD" = "$HOME"\n')
    seats.try_python(course)


def test_roots_processes_are_never_ended() -> None:
    with pytest.raises(ValueError, match="never root"):
        seats.end_processes(0)


def test_a_machine_that_is_too_small_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert capacity.need_mib(60) > 60 * capacity.seat_mib()
    monkeypatch.setattr(capacity, "machine_mib", lambda: 8 * 1024)
    assert "GiB" in capacity.warning(60)
    monkeypatch.setattr(capacity, "machine_mib", lambda: 1024 * 1024)
    monkeypatch.setattr(capacity.os, "cpu_count", lambda: 2)
    assert "处理器核" in capacity.warning(60)
    assert capacity.warning(6) == ""


# ---- the seat's JupyterLab ---------------------------------------------------------------------


@pytest.fixture
def seat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Run a seat's configuration in a home of its own."""
    from traitlets.config import Config

    home, kit = tmp_path / "home", tmp_path / "kit"
    home.mkdir()
    (kit / "notebooks" / "1_first").mkdir(parents=True)
    (kit / "notebooks" / "1_first" / "a.ipynb").write_text('{"cells": []}', encoding="utf-8")
    for name, value in {
        "HOME": home, "COURSE_HOME": kit, "COURSE_IDLE_SECONDS": 600,
        "JUPYTER_RUNTIME_DIR": home / ".run",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    c = Config()
    path = REPOSITORY / "deploy" / "jupyterhub" / "seat_config.py"
    names: dict[str, Any] = {"get_config": lambda: c, "__name__": "seat_config"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return SimpleNamespace(c=c, home=home, contents=names["CourseContents"])


def test_notebooks_are_given_out_once_and_come_back_if_renamed(seat: SimpleNamespace) -> None:
    work = seat.home / "课程"
    given = work / "1_first" / "a.ipynb"
    assert given.is_file() and (work / "先看这里.md").is_file()
    given.write_text('{"cells": ["mine"]}', encoding="utf-8")
    contents = seat.contents(root_dir=str(work))
    asyncio.run(contents.get("", type="directory"))
    assert "mine" in given.read_text(encoding="utf-8")
    given.rename(work / "1_first" / "我的.ipynb")
    listed = asyncio.run(contents.get("1_first", type="directory"))
    assert sorted(entry["name"] for entry in listed["content"]) == ["a.ipynb", "我的.ipynb"]
    assert "mine" not in given.read_text(encoding="utf-8")


def test_a_full_disk_is_said_in_chinese_and_tears_nothing(
    seat: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tornado.web import HTTPError

    work = seat.home / "课程"
    contents = seat.contents(root_dir=str(work))
    model = asyncio.run(contents.get("先看这里.md", content=True))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = (work / "先看这里.md").read_text(encoding="utf-8")
    monkeypatch.setattr(seat.contents.__mro__[1], "_save_file", full)
    with pytest.raises(HTTPError, match="磁盘已满") as raised:
        asyncio.run(contents.save({**model, "content": "new"}, "先看这里.md"))
    assert raised.value.status_code == 507
    assert (work / "先看这里.md").read_text(encoding="utf-8") == before


def test_a_seat_is_quiet_chinese_and_closed(seat: SimpleNamespace) -> None:
    import json

    assert seat.c.ServerApp.terminals_enabled is False
    assert seat.c.LabApp.news_url is None
    assert seat.c.MappingKernelManager.cull_idle_timeout == 600
    text = (REPOSITORY / "deploy/jupyterhub/overrides.json").read_text(encoding="utf-8")
    overrides = json.loads(text)
    assert overrides["@jupyterlab/translation-extension:plugin"]["locale"] == "zh_CN"
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
