"""The class server with three real seats on the built demo bank: needs root on Linux."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from course_utils.build.products.hub import seats
from tests.hub_class import REPOSITORY, RunningClass, copy_project, opened
from tests.hub_client import Kernel, Visitor

BANK = "coastal"
LESSON = "1_data_scenarios/m02_n02_maturity_ladder.ipynb"
BUILT = REPOSITORY / "build" / BANK

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="seats are system users: needs root"
    ),
    pytest.mark.skipif(not (BUILT / "trainee").is_dir(), reason=f"{BANK} is not built"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningClass]:
    # not pytest's own folder: it closes that to other users
    with tempfile.TemporaryDirectory(prefix="hub-") as scratch:
        place = Path(scratch)
        place.chmod(0o755)
        project = copy_project(BANK, place / "project")
        with opened(project, place / "class", BANK, 3) as one:
            yield one
        assert not [user for user in pwd.getpwall() if user.pw_dir.startswith(scratch)]


@pytest.fixture(scope="module")
def first(running: RunningClass) -> Visitor:
    return running.visit("seat01")


@pytest.fixture(scope="module")
def second(running: RunningClass) -> Visitor:
    return running.visit("seat02")


@pytest.fixture(scope="module")
def kernel(first: Visitor) -> Kernel:
    return first.kernel(LESSON)


def run_until_check(visitor: Visitor, kernel: Kernel) -> str:
    """Run a lesson as far as its first check, with the instructor's answer; return the verdict."""
    answers = json.loads((BUILT / "instructor" / LESSON).read_text(encoding="utf-8"))["cells"]
    solution = next(c for c in answers if "answer:E1" in c["metadata"].get("tags", []))
    for cell in visitor.api("GET", f"contents/{LESSON}").json()["content"]["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] != "code":
            continue
        source = "".join((solution if "answer:E1" in tags else cell)["source"])
        answer = kernel.run(source)
        assert not answer.error, answer.error
        if "check:E1" in tags:
            return answer.text + kernel.run("cu.check('E1')").text
    raise AssertionError("no check in the lesson")


def test_a_lesson_and_its_check_run_in_a_seat_of_its_own(
    running: RunningClass, first: Visitor, kernel: Kernel
) -> None:
    names = [entry["name"] for entry in first.api("GET", "contents/").json()["content"]]
    assert sorted(names) == ["0_foundation", "1_data_scenarios", "先看这里.md"]
    assert "正确" in run_until_check(first, kernel)
    told = kernel.run(
        "import os, course_utils; print(os.getuid(), os.getcwd(), course_utils.__file__)"
    )
    uid, folder, package = told.text.split()
    assert int(uid) == running.uid("seat01") != 0
    assert folder.startswith(str(running.course.home("seat01")))
    assert package.startswith(str(running.folder / "env"))  # the trainee's wheel, not the project
    assert running.course.home("seat01").stat().st_mode & 0o777 == 0o700


def test_progress_is_the_seats_own(
    running: RunningClass, first: Visitor, second: Visitor, kernel: Kernel
) -> None:
    other = second.kernel(LESSON)
    for one in (kernel, other):
        assert not one.run("import course_utils as cu; cu.join()").error
    kernel.run('cu.check("E1")')
    store = running.course.private / "progress"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and '"check"' not in _stored(store):
        time.sleep(0.2)
    checks = [json.loads(line) for line in _stored(store).splitlines() if '"check"' in line]
    assert {event["seat"] for event in checks} == {"seat01"}

    # with its own token, seat02 can write as seat02 only
    forged = '{"v": 1, "time": "2026-01-05T09:00:00+08:00", "seat": "seat01", "session": "forged", '
    forged += (
        '"number": 1, "event": "check", "lesson": "m02_n02", "question": "E1", "outcome": "right"}'
    )
    code = f"""
import os, json, urllib.request
def post(token):
    request = urllib.request.Request(
        os.environ["COURSE_PROGRESS_URL"] + "/event", b'{{"events": [{forged}]}}',
        {{"Authorization": "token " + token, "Content-Type": "application/json"}})
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
own = os.environ["COURSE_PROGRESS_TOKEN"]
print(post(own), post(own[::-1]), post("x"))
"""
    statuses = other.run(code).text.split()
    assert statuses[1:] == ["401", "401"]
    forgeries = [line for line in _stored(store).splitlines() if '"forged"' in line]
    assert all('"seat": "seat02"' in line or '"seat":"seat02"' in line for line in forgeries)


def _stored(store: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in store.rglob("*.jsonl"))


PROBE = """
import os, pathlib
def attempt(action):
    try:
        action()
    except (PermissionError, ProcessLookupError):
        return "refused"
    except FileNotFoundError:
        return "not there"
    return "OPEN"
def environments():
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit() and folder.stat().st_uid != os.getuid():
            try:
                (folder / "environ").read_bytes()
            except OSError:
                continue
            return
    raise PermissionError
found = {name: attempt(action) for name, action in [
%s
]}
print(found)
"""


def test_a_kernel_reaches_nothing_that_is_not_the_seats(
    running: RunningClass, second: Visitor, kernel: Kernel
) -> None:
    course, build = running.course, running.project / "build" / BANK
    (course.home("seat01") / "课程").is_dir()
    must_be_there = {
        "other home": course.home("seat02") / "课程",
        "all homes": course.folder / "homes",
        "class folder": course.folder,
        "hub folder": course.private,
        "hub settings": course.private / "hub.yml",
        "hub database": course.private / "hub.sqlite",
        "cookie secret": course.private / "cookie_secret",
        "seats' passwords": course.private / "passwords.json",
        "hub log": course.private / "hub.log",
        "progress": course.private / "progress",
        "instructor": build / "instructor" / LESSON,
        "truth": running.project / "data/warehouse" / BANK / "truth.json",
        "lessons": running.project / "lessons",
    }
    lines = []
    for name, path in must_be_there.items():
        assert path.exists(), path
        action = f"os.listdir({str(path)!r})" if path.is_dir() else f"open({str(path)!r}).read()"
        lines.append(f"({name!r}, lambda: {action}),")
    for name, path in {
        "write kit": course.kit / "x",
        "write environment": course.folder / "env/lib/x",
        "write settings": course.folder / "settings/seat_config.py",
    }.items():
        lines.append(f"({name!r}, lambda: open({str(path)!r}, 'a')),")
    lines += [
        "('become root', lambda: os.setuid(0)),",
        f"('signal the hub', lambda: os.kill({running.hub_pid()}, 0)),",
        "('others environment', environments),",
        "('hub log behind the server', lambda: open(f'/proc/{os.getppid()}/fd/1').read()),",
    ]
    answer = kernel.run(PROBE % "\n".join(lines))
    found = eval(answer.text)
    assert found.pop("hub log behind the server") == "OPEN"  # its own log: the home's
    assert set(found.values()) == {"refused"}, found

    code = "import os; print(os.readlink(f'/proc/{os.getppid()}/fd/1')); print(sorted(os.environ))"
    told = kernel.run(code).text
    assert told.startswith(str(course.home("seat01")))
    for word in ("SECRET", "ROOM_KEY", "CONFIGPROXY"):
        assert word not in told
    kit = "\n".join(str(path) for path in course.kit.rglob("*"))
    assert "truth.json" not in kit and "planted_effects" not in kit
    packages = running.folder / "env" / "lib"
    assert not list(packages.glob("*/site-packages/course_utils/synth/world.py"))


def test_a_seat_cannot_act_as_another_through_the_hub(
    running: RunningClass, first: Visitor, second: Visitor, kernel: Kernel
) -> None:
    page = second.get("/user/seat01/lab")
    assert page.status_code in (403, 404) and "jupyter-config-data" not in page.text
    assert second.get("/hub/api/users").status_code == 403
    code = """
import os, urllib.request
for path in ("/users", "/users/seat02", "/users/seat02/server", "/services"):
    request = urllib.request.Request(
        os.environ["JUPYTERHUB_API_URL"] + path,
        headers={"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]})
    try:
        print(urllib.request.urlopen(request).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
    statuses = kernel.run(code).text.split()
    assert statuses and set(statuses) <= {"403", "404", "405"}, statuses


def test_only_the_seats_own_password_opens_it(running: RunningClass, first: Visitor) -> None:
    code = running.course.class_code
    for seat, class_code, own, said in (
        ("seat01", code, "guess-1", "已经有人用了"),
        ("seat01", "0000-0000", "own-seat01", "课堂口令不对"),
        ("seat09", code, "own-seat09", "没有这个座位号"),
        ("张三", code, "own-x", "没有这个座位号"),
        ("seat03", code, "abc", "至少 4 位"),
        ("teacher", code, "own-t", "讲师口令不对"),
    ):
        answer = Visitor(running.port).log_in(seat, class_code, own)
        assert answer.status_code == 403 and said in answer.text, (seat, answer.text[-800:])
    again = Visitor(running.port)
    assert again.log_in("１", code.replace("-", " "), "own-seat01").status_code == 302
    teacher = Visitor(running.port)
    assert teacher.log_in("teacher", running.course.teacher_password).status_code == 302
    assert "管理座位" in teacher.get("/hub/home").text
    secrets = (code, running.course.teacher_password, running.course.secret, "own-seat01")
    assert not [secret for secret in secrets if secret in running.log()]
    assert running.course.teacher_password not in running.text()
    for name in ("hub.yml", "passwords.json", "hub.sqlite", "cookie_secret", "hub.log"):
        assert (running.course.private / name).stat().st_mode & 0o077 == 0, name


def test_a_greedy_cell_gets_a_chinese_error_and_others_go_on(
    kernel: Kernel, second: Visitor
) -> None:
    kernel.run("kept = 42")
    greedy = kernel.run(
        "import numpy as np; import course_utils as cu\nbig = np.ones((60_000, 10_000))"
    )
    assert "MemoryError" in greedy.error and "内存不够" in greedy.text
    slowly = kernel.run("parts = []\nwhile True: parts.append(bytearray(50_000_000))")
    assert "MemoryError" in slowly.error
    assert kernel.run("del parts; print(kept)").text.strip() == "42"
    assert second.kernel("0_foundation/other.ipynb").run("print(6 * 7)").text.strip() == "42"


def test_a_fork_bomb_is_stopped_at_its_seat(kernel: Kernel, second: Visitor) -> None:
    code = f"""
import subprocess
children, said = [], ""
try:
    for _ in range({seats.MOST_PROCESSES + 100}):
        children.append(subprocess.Popen(["/bin/sleep", "60"]))
except OSError as error:
    said = type(error).__name__
for child in children:
    child.kill(); child.wait()
print(said, len(children) < {seats.MOST_PROCESSES})
"""
    assert kernel.run(code).text.split() == ["BlockingIOError", "True"]
    assert second.kernel("0_foundation/more.ipynb").run("print(1)").text.strip() == "1"


def test_a_laptop_that_slept_finds_its_variables(first: Visitor, kernel: Kernel) -> None:
    kernel.run("before = 'still here'")
    kernel.drop()
    time.sleep(1)
    kernel.connect()
    assert kernel.run("print(before)").text.strip() == "still here"


def test_work_is_never_overwritten_and_a_renamed_notebook_comes_anew(
    running: RunningClass, first: Visitor
) -> None:
    path = "0_foundation/m00_n01_data_map_quality.ipynb"
    model = first.api("GET", f"contents/{path}").json()
    model["content"]["cells"][0]["source"] = "# 我的笔记"
    assert first.api("PUT", f"contents/{path}", json=model).ok
    first.api("GET", "contents/0_foundation")
    assert "我的笔记" in (running.course.home("seat01") / "课程" / path).read_text(encoding="utf-8")
    mine = "0_foundation/我的.ipynb"
    assert first.api("PATCH", f"contents/{path}", json={"path": mine}).ok
    names = [e["name"] for e in first.api("GET", "contents/0_foundation").json()["content"]]
    assert {"我的.ipynb", "m00_n01_data_map_quality.ipynb"} <= set(names)
    fresh = first.api("GET", f"contents/{path}").json()
    assert fresh["content"]["cells"][0]["source"] != "# 我的笔记"


def test_the_hub_may_be_killed_while_people_work(
    running: RunningClass, first: Visitor, kernel: Kernel
) -> None:
    kernel.run("survivor = 7")
    before, hub = set(seats.processes(running.uid("seat01"))), running.hub_pid()
    os.kill(hub, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while running.hub_pid() == hub or not running.answers():
        assert time.monotonic() < deadline, running.log()
        time.sleep(0.3)
    assert "正在重新启动" in running.text()
    kernel.connect()
    assert kernel.run("print(survivor)").text.strip() == "7"
    assert before <= set(seats.processes(running.uid("seat01")))
    first.open_seat()  # the login is still good
    children = subprocess.run(
        ["pgrep", "-f", "hub.companion"], capture_output=True, text=True, check=False
    ).stdout.split()
    mine = [pid for pid in children if _parent(pid) == running.hub_pid()]
    assert len(mine) == 2  # idle seats and progress
    orphans = [pid for pid in children if _parent(pid) == 1]
    assert not orphans


def _parent(pid: str) -> int:
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"PPid:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) if found else 0


def test_idle_seats_are_stopped_and_their_files_stay(running: RunningClass, first: Visitor) -> None:
    third = running.visit("seat03")
    third.kernel("0_foundation/third.ipynb").run("x = 1")
    assert list(seats.processes(running.uid("seat03")))
    # the hub's own service, with its own token, told to be impatient
    hub = running.hub_pid()
    service = next(
        folder
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit()
        and _parent(folder.name) == hub
        and b"idle_culler" in (folder / "cmdline").read_bytes()
    )
    pairs = (service / "environ").read_bytes().decode().split("\0")
    environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    headers = {"Authorization": f"token {environment['JUPYTERHUB_API_TOKEN']}"}
    address = environment["JUPYTERHUB_API_URL"]
    assert requests.get(f"{address}/users/seat01/tokens", headers=headers).status_code in (403, 404)
    assert requests.post(f"{address}/users/seat03/server", headers=headers).status_code in (
        403,
        404,
    )
    culler = subprocess.Popen(
        [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=2", "--cull-every=1"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while list(seats.processes(running.uid("seat03"))):
            assert time.monotonic() < deadline, running.log()
            time.sleep(0.3)
    finally:
        culler.kill()
        culler.wait()
    assert (running.course.home("seat03") / "课程" / LESSON).is_file()
    third.open_seat()  # and back again


def test_pages_are_chinese_and_ask_no_other_host(running: RunningClass) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium")
    base, foreign, errors = f"http://127.0.0.1:{running.port}/", [], []

    def watch(route) -> None:
        own = route.request.url.startswith((base, "data:", "blob:"))
        if not own:
            foreign.append(route.request.url)
        route.continue_() if own else route.abort()

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        context = browser.new_context(locale="zh-CN")
        context.route("**/*", watch)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(base)
        assert page.inner_text("h1") == "进入课堂"
        fonts = "document.fonts.ready.then(() => [...document.fonts].map(f => f.status))"
        assert "error" not in page.evaluate(fonts)
        page.fill("#username_input", "3")
        page.fill("#password_input", running.course.class_code)
        page.fill("#own_input", "own-seat03")
        page.click("#login_submit")
        page.wait_for_url("**/user/seat03/lab/**", timeout=90_000)
        page.wait_for_selector(".jp-MarkdownViewer h1:has-text('先看这里')", timeout=60_000)
        assert page.inner_text(".lm-MenuBar-itemLabel >> nth=0") == "文件"
        teach(browser, base, running, watch)
        page.goto(f"{base}hub/nothing-here")
        assert page.inner_text("h1") == "没有这个页面"
        browser.close()
    assert not foreign and not errors


def teach(browser, base: str, running: RunningClass, watch) -> None:
    """Log in as the instructor and stop seat03 with the button of the seats' page."""
    page = browser.new_context(locale="zh-CN").new_page()
    page.route("**/*", watch)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(base)
    page.fill("#username_input", "teacher")
    page.fill("#password_input", running.course.teacher_password)
    page.click("#login_submit")
    page.goto(f"{base}hub/admin")
    row = page.locator("tr", has_text="seat03")
    row.get_by_text("运行中").wait_for(timeout=30_000)
    row.get_by_text("停下").click()
    row.get_by_text("没有运行").wait_for(timeout=60_000)
    assert not list(seats.processes(running.uid("seat03")))


def test_a_second_class_on_the_same_port_is_told_so(running: RunningClass) -> None:
    again = running.command("--port", str(running.port))
    assert again.returncode == 1 and "已经开着" in again.stderr and "Traceback" not in again.stderr
    assert running.answers()


def test_a_forgotten_password_is_reset(running: RunningClass) -> None:
    assert "已清除" in running.command("--reset-seat", "seat02").stdout
    assert (
        Visitor(running.port).log_in("2", running.course.class_code, "new-own").status_code == 302
    )
    refused = running.command("--reset-seat", "seat77")
    assert refused.returncode == 1 and "没有座位" in refused.stderr


def test_a_rehearsal_is_for_this_machine_only(running: RunningClass) -> None:
    place = running.folder.parent / "rehearsal"
    with opened(running.project, place, BANK, 1, "--rehearse") as rehearsal:
        assert (
            "没有隔离" in rehearsal.text()
            and f"http://127.0.0.1:{rehearsal.port}/" in rehearsal.text()
        )
        kernel = rehearsal.visit("seat01").kernel("0_foundation/x.ipynb")
        assert kernel.run("import os; print(os.getuid())").text.strip() == str(os.geteuid())
        listening = [
            line.split()[1]
            for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{rehearsal.port:04X}")
        ]
        assert listening == [f"0100007F:{rehearsal.port:04X}"]  # 127.0.0.1
        assert len(_programs_of(place)) >= 2  # server and kernel
        assert "已下课" in rehearsal.command("--rehearse", "--stop").stdout
        assert not _programs_of(place)


def _programs_of(place: Path) -> list[str]:
    """Return the processes that run a class's own interpreter; the dead have no command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(bytes(place / "env")):
                found.append(folder.name)
    return found


def test_stop_ends_every_program_and_keeps_the_work(running: RunningClass) -> None:
    assert "已下课" in running.command("--stop").stdout
    assert running.process is not None
    running.process.wait(timeout=30)
    assert running.process.returncode == 0
    for seat in running.course.seats:
        assert not list(seats.processes(running.uid(seat)))
        assert (running.course.home(seat) / "课程" / LESSON).is_file()
    assert not running.answers()
