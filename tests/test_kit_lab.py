"""JupyterLab on a trainee's machine: found again, watched, saving; browsers; the whole command."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tornado.web import HTTPError

from course_utils.desk import browser, lab, settings
from course_utils.desk import main as desk_main
from course_utils.desk.contents import CourseContents
from course_utils.errors import CourseError


@pytest.fixture
def spoken():
    return []


@pytest.fixture
def server():
    """Something that answers like a Jupyter server."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers["Authorization"] == "token t0"
            self.send_response(200 if known and self.path == "/api/status" else 403)
            self.end_headers()

        def log_message(self, *_):
            pass

    listening = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield listening
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "mine").mkdir()
    found = lab.Desk(Path(sys.executable), tmp_path, tmp_path / "home", tmp_path / "mine")
    found.runtime.mkdir(parents=True)
    return found


def leave_address(desk, server, root, token="t0"):
    content = {
        "url": f"http://127.0.0.1:{server.server_port}/",
        "port": server.server_port,
        "token": token,
        "root_dir": str(root),
    }
    (desk.runtime / "jpserver-1.json").write_text(json.dumps(content))


def test_a_running_course_is_found_again_even_behind_a_proxy(desk, server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert lab.running(desk) is None
    leave_address(desk, server, desk.work)
    assert lab.running(desk) == f"http://127.0.0.1:{server.server_port}/?token=t0"
    leave_address(desk, server, desk.programs)  # another folder's
    assert lab.running(desk) is None
    leave_address(desk, server, desk.work, token="old")  # the port is somebody else's by now
    assert lab.running(desk) is None
    (desk.runtime / "jpserver-1.json").write_text("{half")
    assert lab.running(desk) is None


def test_a_users_own_python_settings_stay_outside(desk, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "JUPYTER_PATH"):
        monkeypatch.setenv(name, "/somewhere")
    monkeypatch.setenv("COURSE_SEAT", "12")
    variables = desk.variables()
    assert "/somewhere" not in variables.values() and variables["COURSE_SEAT"] == "12"
    assert variables["COURSE_HOME"] == str(desk.home)
    own = [
        value for name, value in variables.items() if name.startswith(("JUPYTER_R", "JUPYTERLAB"))
    ]
    assert own and all(value.startswith(str(desk.programs)) for value in own)


def test_a_server_that_does_not_come_up_is_one_sentence(desk, spoken, monkeypatch):
    broken = [sys.executable, "-c", "raise SystemExit('no port')"]
    monkeypatch.setattr(lab.Desk, "command", lambda self, port: broken)
    with pytest.raises(CourseError, match=r"lab\.log"):
        lab.serve(desk, 8888, spoken.append, spoken.append)
    assert "no port" in (desk.programs / "lab.log").read_text()


class Process:
    """A server that ends after so many looks."""

    def __init__(self, looks):
        self.looks, self.returncode = looks, None

    def poll(self):
        self.looks -= 1
        self.returncode = 0 if self.looks < 0 else None
        return self.returncode

    def wait(self, seconds):
        raise subprocess.TimeoutExpired("lab", seconds)


def test_after_a_sleep_and_before_the_disk_is_full_the_window_speaks(desk, spoken, monkeypatch):
    clock = iter([0, 2, 4, 3604, 3606, 3608])
    free = iter([10**9, 10**9, 10**9, 10**7, 10**7])
    monkeypatch.setattr(lab.time, "time", lambda: next(clock))
    monkeypatch.setattr(lab, "free_bytes", lambda _: next(free))
    assert lab._watch(Process(5), desk, spoken.append) == 0
    assert ["休眠" in spoken[0], "磁盘快满了" in spoken[1]] == [True, True] and len(spoken) == 2


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "磁盘已满"), (errno.EACCES, "不允许写入")]
)
def test_a_notebook_that_cannot_be_saved_says_why_and_the_old_one_stays(
    tmp_path, monkeypatch, number, words
):
    manager = CourseContents(root_dir=str(tmp_path))
    cell = {"cell_type": "code", "source": "1", "metadata": {}, "outputs": [], "id": "a"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    model = {"type": "notebook", "format": "json", "content": notebook}
    asyncio.run(manager.save(model, "m00.ipynb"))
    before = (tmp_path / "m00.ipynb").read_bytes()

    def fail(*_args, **_options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fail)
    cell["execution_count"] = None
    model["content"] = {**notebook, "cells": [cell]}
    with pytest.raises(HTTPError) as caught:
        asyncio.run(manager.save(model, "m00.ipynb"))
    assert words in caught.value.log_message and "m00.ipynb" in caught.value.log_message
    assert (tmp_path / "m00.ipynb").read_bytes() == before
    assert [path.name for path in tmp_path.glob("*~")] == []
    monkeypatch.undo()  # there is room again
    asyncio.run(manager.save(model, "m00.ipynb"))
    assert len(json.loads((tmp_path / "m00.ipynb").read_text())["cells"]) == 1


def test_other_faults_of_saving_are_told_as_they_are(tmp_path):
    manager = CourseContents(root_dir=str(tmp_path))
    with pytest.raises(HTTPError, match="No file type"):
        asyncio.run(manager.save({"content": ""}, "m00.ipynb"))


# a browser
def test_on_windows_a_browser_that_can_is_preferred(tmp_path, monkeypatch):
    monkeypatch.setattr(browser.sys, "platform", "win32")
    for name in browser._ROOTS:
        monkeypatch.setenv(name, str(tmp_path / name.strip("()")))
    assert browser.modern_browser() is None
    chrome = tmp_path / "LOCALAPPDATA" / browser._WINDOWS[1]
    edge = tmp_path / "PROGRAMFILES" / browser._WINDOWS[0]
    for path in (chrome, edge):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/opened\n")
        path.chmod(0o755)
        assert browser.modern_browser() == path
    assert browser.open_page("http://127.0.0.1:8888/?token=t")


def test_a_browser_that_does_not_open_leaves_the_address_on_the_screen(monkeypatch, capsys):
    monkeypatch.setattr(desk_main, "open_page", lambda _: False)
    desk_main._open("http://127.0.0.1:8888/?token=t", silent=False)
    shown = capsys.readouterr().out
    assert (
        "请自己打开浏览器" in shown and "http://127.0.0.1:8888/?token=t" in shown and "IE" in shown
    )


# all of it
def test_every_fault_is_one_sentence_and_a_code(tmp_path, capsys, monkeypatch):
    assert desk_main.main([str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("错误：") and "Traceback" not in shown.err
    for error, words in ((KeyboardInterrupt(), "已停止"), (OSError(5, "I/O error"), "I/O error")):

        def fail(_options, error=error):
            raise error

        monkeypatch.setattr(desk_main, "_run", fail)
        assert desk_main.main([str(tmp_path)]) == 1
        assert words in capsys.readouterr().err


def test_jupyterlab_is_chinese_quiet_and_saves_by_itself():
    values = settings.OVERRIDES
    assert values["@jupyterlab/docmanager-extension:plugin"]["autosaveInterval"] <= 30
    notifications = values["@jupyterlab/apputils-extension:notification"]
    assert notifications == {"checkForUpdates": False, "fetchNews": "false"}
