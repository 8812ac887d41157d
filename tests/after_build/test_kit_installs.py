"""A kit of a built bank, installed without a network from a read-only folder, and used."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import uuid
import zipfile
from pathlib import Path

import pytest
import websocket
from click.testing import CliRunner

from course_utils.build.execution.inputs import file_hash
from course_utils.build.products.kit.handout import make_handout
from course_utils.build.products.kit.targets import choose_targets
from course_utils.build.sources.masters import read_master
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.cli import main as course
from course_utils.cli.common import open_build
from course_utils.desk.kit import machine

ROOT = Path(__file__).resolve().parents[2]
BANKS = sorted(path.parent.parent.name for path in ROOT.glob("build/*/trainee/kit.json"))
LESSON = "m02_n02"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
#: Nothing answers there: whoever asks for a network fails at once.
NOWHERE = "http://127.0.0.1:9"
#: Read-only for everybody, root included; no network, not even one that is configured.
CUT_OFF = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77
! touch "$1/probe" 2>/dev/null || exit 78
exec sh "$1/install.sh"
"""

pytestmark = pytest.mark.skipif(not BANKS, reason="no bank has been built")


@pytest.fixture(scope="module")
def handout():
    """The archive for this kind of machine, made by the command."""
    bank = "coastal" if "coastal" in BANKS else BANKS[0]
    here = machine()
    done = CliRunner().invoke(
        course, ["kit", "--bank", bank, "--platform", here, "--python", PYTHON]
    )
    assert done.exit_code == 0, done.output
    path = ROOT / "build" / bank / "kit" / f"course-{bank}-{here}-py{PYTHON}.zip"
    assert f"SHA-256：{file_hash(path)}" in done.output
    return bank, path


@pytest.fixture(scope="module")
def place():
    """A folder with a name as people give them, which every user may enter."""
    with tempfile.TemporaryDirectory(prefix="kit-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def kit(handout, place):
    bank, path = handout
    target = place / "培训 资料 (1) & 100%"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target / f"course-{bank}"


@pytest.fixture(scope="module")
def surroundings(place):
    """Environment of somebody without a network whose settings are all against us."""
    tools = place / "bin"
    tools.mkdir()
    # the plain Python of this machine: no package of ours is seen by the desk
    (tools / f"python{PYTHON}").write_text(f'#!/bin/sh\nexec "{sys._base_executable}" "$@"\n')
    (tools / f"python{PYTHON}").chmod(0o755)
    proxies = {name: NOWHERE for name in ("http_proxy", "https_proxy", "all_proxy")}
    return {
        "PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(place / "家"),
        "LANG": "C",
        "COURSE_DESK": str(place / "desk"),
        "COURSE_WORK": str(place / "我的 文档"),
        "PIP_INDEX_URL": NOWHERE,
        "PIP_USER": "1",
        "PYTHONPATH": "/nowhere",
        "PYTHONHOME": "/nowhere",  # other programs of a bank set this for their own Python
        **proxies,
    }


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): file_hash(p) for p in folder.rglob("*") if p.is_file()
    }


def cut_off(kit):
    """Return how to install with the network blocked and the kit read-only, as far as we may."""
    wall = ["unshare", "--mount", "--net", "--", "sh", "-c", CUT_OFF, "sh", str(kit)]
    probe = ["unshare", "--mount", "--net", "--", "true"]
    if shutil.which("unshare") and subprocess.run(probe, check=False).returncode == 0:
        return wall
    for path in kit.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o222)
    return ["sh", str(kit / "install.sh")]


@pytest.fixture(scope="module")
def installed(kit, surroundings):
    """Install; the first attempt is killed half-way, as if somebody had closed the window."""
    before, command = tree(kit), cut_off(kit)
    with subprocess.Popen(
        command, env=surroundings, stdout=subprocess.DEVNULL, start_new_session=True
    ) as first:
        packages = Path(surroundings["COURSE_DESK"])
        deadline = time.monotonic() + 120
        while first.poll() is None and time.monotonic() < deadline:
            if len(list(packages.glob("env-*/lib/python*/site-packages/*.dist-info"))) > 5:
                os.killpg(first.pid, signal.SIGKILL)
            time.sleep(0.2)
    assert first.returncode == -signal.SIGKILL
    done = subprocess.run(
        command, env=surroundings, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(kit) == before  # nothing is ever written there
    return done.stdout


@pytest.fixture(scope="module")
def lab(kit, installed, surroundings):
    """A running JupyterLab whose usual port was taken; its address and what was said."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        command = ["sh", str(kit / "start.sh"), "--no-browser", "--port", str(port)]
        process = subprocess.Popen(
            command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = []
        for line in process.stdout:
            said.append(line.decode("utf-8"))
            if "不要关这个窗口" in said[-1]:
                break
        text = "".join(said)
        assert process.poll() is None, text
        yield re.search(r"(http://127\.0\.0\.1:(\d+)/)\?token=(\w+)", text).groups(), text
        process.terminate()
        assert process.wait(30) in (0, 1)
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert surroundings["COURSE_DESK"] not in left  # neither server nor kernels stay


def ask(lab, path, method="GET", body=None):
    """Ask the server as its user, past any proxy; return what it answers."""
    return opened(lab, path, method, body)[1]


def opened(lab, path, method="GET", body=None):
    (url, _, token), _ = lab
    request = urllib.request.Request(
        f"{url}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"token {token}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return answer.geturl(), answer.read().decode("utf-8")


class Kernel:
    """A kernel of the running server, reached as a browser reaches it."""

    def __init__(self, lab, path):
        (_, port, token), _ = lab
        body = {"path": path, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        self.id = json.loads(ask(lab, "api/sessions", "POST", body))["kernel"]["id"]
        self._address = f"ws://127.0.0.1:{port}/api/kernels/{self.id}/channels?token={token}"
        self.connect()

    def connect(self):
        self._socket = websocket.create_connection(self._address, timeout=120)

    def disconnect(self):
        self._socket.close()

    def run(self, code):
        """Run a cell and return everything that it shows."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": "", "session": number, "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        shown = []
        while True:
            answer = json.loads(self._socket.recv())
            if answer["parent_header"].get("msg_id") != number:
                continue
            kind, content = answer["msg_type"], answer["content"]
            if kind == "error":
                raise AssertionError("\n".join(content["traceback"]))
            if kind == "status" and content["execution_state"] == "idle":
                return "\n".join(shown)
            shown.append(content.get("text", ""))
            shown.extend(str(value) for value in content.get("data", {}).values())


@pytest.fixture(scope="module")
def lesson():
    syllabus = load_syllabus(ROOT / "lessons" / "syllabus.yml")
    found = syllabus.lesson(LESSON)
    return found, read_master(found.path(ROOT / "lessons", ".py"))


@pytest.fixture(scope="module")
def kernel(lab, lesson):
    """The lesson, run from top to bottom with every blank as it is."""
    found, _ = lesson
    path = found.path(Path(), ".ipynb").as_posix()
    notebook = json.loads(ask(lab, f"api/contents/{path}"))["content"]
    kernel = Kernel(lab, path)
    checks = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            shown = kernel.run(cell["source"])
            tags = cell["metadata"].get("tags", [])
            checks += [shown for tag in tags if tag.startswith("check:")]
    assert len(checks) >= 4 and all("还没有作答" in shown for shown in checks)
    yield kernel
    kernel.disconnect()


def test_an_interrupted_installation_is_done_again_without_a_network(installed, surroundings):
    assert "没有做完" in installed and "都装好了" in installed
    assert len(list(Path(surroundings["COURSE_DESK"]).glob("env-*/ready"))) == 1
    assert len(list(Path(surroundings["COURSE_WORK"]).rglob("*.ipynb"))) >= 25


def test_the_space_that_was_announced_is_the_space_that_is_used(kit, installed, surroundings):
    house = json.loads((kit / "kit.json").read_text(encoding="utf-8"))["houses"]
    (announced,) = [values["installed_bytes"] for values in house.values()]
    (folder,) = Path(surroundings["COURSE_DESK"]).glob("env-*/")
    used = sum(p.lstat().st_blocks * 512 for p in folder.rglob("*") if not p.is_symlink())
    assert 0.8 * used < announced < 1.4 * used


def test_a_taken_port_is_no_matter(lab):
    (_, port, _), text = lab
    assert re.search(rf"端口 \d+ 被别的程序占用，这次改用 {port}", text)


def test_jupyterlab_answers_in_chinese_and_opens_with_the_list_of_lessons(lab):
    assert "JupyterLab" in ask(lab, "lab")
    assert urllib.parse.unquote(opened(lab, "")[0]).endswith("/lab/tree/课程目录.md")
    locale = json.loads(ask(lab, "lab/api/settings/@jupyterlab/translation-extension:plugin"))
    assert locale["schema"]["properties"]["locale"]["default"] == "zh_CN"
    words = json.loads(ask(lab, "lab/api/translations/zh_CN"))["data"]
    assert len(words["jupyterlab"]) > 500


def test_the_desk_uses_nothing_of_this_project(kernel, surroundings):
    where = kernel.run("import course_utils; print(course_utils.__file__)")
    assert where.strip().startswith(surroundings["COURSE_DESK"])
    home = kernel.run("import os; print(os.environ['COURSE_HOME'])")
    assert home.strip().startswith(surroundings["COURSE_DESK"])


def test_wrong_answers_are_named_and_the_right_one_is_right(kernel, lesson):
    _, master = lesson
    for question in master.questions:
        answer = master.answer(question)
        for _, body in master.variants("wrong", question):
            kernel.run(answer.filled(body))
            assert "还不对" in kernel.run(f'cu.check("{question}")')
        kernel.run(answer.solved_source)
        assert "正确" in kernel.run(f'cu.check("{question}")')


def test_after_a_sleep_variables_are_still_there(kernel, lab):
    """Server and kernel stand still, the page is away: that is a laptop with its lid closed."""
    kernel.run("kept = 12345")
    pids = {int(kernel.run(f"import os; print(os.{name}())")) for name in ("getpid", "getppid")}
    kernel.disconnect()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    kernel.connect()
    assert kernel.run("print(kept)").strip() == "12345"


def test_a_second_start_finds_the_first_and_keeps_the_work(kit, lab, surroundings):
    (url, _, _), _ = lab
    note = next(Path(surroundings["COURSE_WORK"]).rglob("m00_n01*.ipynb"))
    body = {"type": "notebook", "format": "json"}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"mine": True}, "cells": []}
    path = note.relative_to(surroundings["COURSE_WORK"]).as_posix()
    ask(lab, f"api/contents/{path}", "PUT", {**body, "content": content})
    done = subprocess.run(
        ["sh", str(kit / "start.sh"), "--no-browser"],
        env=surroundings,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0 and "已经在另一个窗口里开着" in done.stdout and url in done.stdout
    assert json.loads(note.read_text(encoding="utf-8"))["metadata"]["mine"] is True


def test_the_browser_shows_it_and_asks_no_other_machine(lab, kernel):
    from playwright.sync_api import sync_playwright

    (url, _, token), _ = lab
    foreign, faults = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"],
        )
        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-US")
        page.on("request", lambda r: None if r.url.startswith(url) else foreign.append(r.url))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.goto(f"{url}?token={token}")
        page.click(".jp-MarkdownViewer a[href*=m00_n02]", timeout=120_000)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        assert "内核" in page.inner_text(".jp-MenuBar, #jp-MainMenu")
        assert page.query_selector(".jp-Dialog") is None  # no question in English, no news
        browser.close()
    assert [u for u in foreign if not u.startswith(("data:", "blob:", "ws://127.0.0.1"))] == []
    assert faults == []


def test_the_same_build_gives_the_same_archive(handout, place):
    bank, path = handout
    build = open_build(bank, force=False, jobs=None)
    again = make_handout(
        build.folder / "trainee",
        build.profile,
        place / "again",
        choose_targets((machine(),), (PYTHON,)),
        lock=ROOT / "requirements.lock",
        cache=ROOT / ".cache" / "wheelhouse",
    )
    assert again.sha256 == file_hash(path)


@pytest.mark.parametrize("platform", ["windows", "macos"])
def test_kits_for_other_machines_are_complete(handout, place, platform):
    """Without such a machine: every requirement of every wheel is met by a wheel that fits it."""
    bank, _ = handout
    build = open_build(bank, force=False, jobs=None)
    targets = choose_targets((platform,), ("3.11",))
    made = make_handout(
        build.folder / "trainee",
        build.profile,
        place / platform,
        targets,
        lock=ROOT / "requirements.lock",
        cache=ROOT / ".cache" / "wheelhouse",
    )
    with zipfile.ZipFile(made.path) as archive:
        names = [name.rpartition("/")[2].lower() for name in archive.namelist()]
    packages = {name.split("-")[0] for name in names if name.endswith(".whl")}
    assert ({"pywinpty", "colorama"} <= packages) == (platform == "windows")
    assert not {"papermill", "nbval", "pytest"} & packages
    with contextlib.suppress(OSError):
        made.path.unlink()
