"""The class without installation: every lesson in Python for the browser, and one in a browser.

The browser opens the class as trainees do: over plain http at the address of the local network,
which is not a secure context, and every other host is out of reach.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from python_calamine import CalamineWorkbook

from course_utils.build.execution.run import Build
from course_utils.build.products.lite.make import Lite, make_lite
from course_utils.build.products.lite.outcomes import expected_outcomes
from course_utils.build.products.lite.tryout import try_lessons
from course_utils.build.products.scan import scan_folder
from course_utils.classroom.network import lan_addresses
from course_utils.cli.common import open_build

BANK, LESSON, TITLE = "coastal", "m02_n02", "存款到期视图与稳存排班"
#: What JupyterLab itself says on plain http; anything else it says fails the test.
HARMLESS = re.compile(
    r"Clipboard API not available|Memory storage fallback enabled|Disabling terminals plugin"
    r"|Pyodide contents will NOT be synced|was preloaded using link preload"
)
MINUTE = 60_000
RUN = re.compile(r"\[\d+\]")


@pytest.fixture(scope="module")
def build() -> Build:
    return open_build(BANK, force=False, jobs=None)


@pytest.fixture(scope="module")
def lite(build: Build) -> Lite:
    return make_lite(build)


class Server:
    """`course serve` in a process of its own; it can go away and come back."""

    def __init__(self, folder: Path) -> None:
        found = lan_addresses()
        self.host = found[0].address if found else "127.0.0.1"
        self.folder = folder
        with socket.socket() as free:
            free.bind(("", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://{self.host}:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "course_utils.cli", "serve", "--bank", BANK]
        command += ["--port", str(self.port), "--folder", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.2)
        pytest.fail("course serve does not answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def events(self) -> list[dict]:
        files = sorted(self.folder.rglob("*.jsonl"))
        lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def server(lite: Lite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("class"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "no browser: install chromium"
    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    options += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    options += [f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {server.host}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


class Notebook:
    """A lesson in JupyterLab, used with mouse and keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def opened(self) -> None:
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=2 * MINUTE)
        self.ready()

    def ready(self) -> None:
        indicator = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
        self.page.locator(indicator).first.wait_for(timeout=5 * MINUTE, state="attached")

    def cell(self, text: str) -> Locator:
        """The first code cell that holds a text."""
        return self.page.locator(".jp-CodeCell", has_text=text).first

    def write(self, cell: Locator, source: str) -> None:
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run(self, cell: Locator) -> str:
        """Run a cell and return what it shows."""
        prompt = cell.locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        deadline = time.monotonic() + 300
        while (now := prompt.inner_text()) == before or not RUN.search(now):
            assert time.monotonic() < deadline, "a cell does not end"
            time.sleep(0.1)
        self.ready()
        return cell.locator(".jp-OutputArea").first.inner_text() if has_output(cell) else ""

    def run_all(self) -> None:
        self.page.locator(".jp-CodeCell .cm-content").first.click()
        for keys in ("Escape", "Control+A", "Control+Enter"):
            self.page.keyboard.press(keys)
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
            ".every(prompt => /\\[\\d+\\]/.test(prompt.textContent))",
            timeout=5 * MINUTE,
        )
        self.ready()


def has_output(cell: Locator) -> bool:
    return cell.locator(".jp-OutputArea-output").count() > 0


def source_of(build: Build, tag: str) -> str:
    """The code that the lesson's master has under a tag, as a trainee would type it."""
    lesson = next(ls for ls in build.syllabus.lessons if ls.key == LESSON)
    cell = next(c for c in build.master(lesson).cells if tag in c.tags)
    kept = [line for line in cell.source.splitlines() if not line.startswith("###")]
    return "\n".join(line for line in kept if not line.startswith("my_ladder = ..."))


def test_what_is_handed_out_holds_nothing_it_should_not(lite: Lite) -> None:
    assert not scan_folder(lite.folder / "files")
    names = {path.name for path in lite.folder.rglob("*")}
    assert not names & {"truth.json", "planted_effects.csv", "manifest.json"}
    notebooks = sorted((lite.folder / "files").rglob("*.ipynb"))
    assert len(notebooks) == len(expected_outcomes())
    texts = [path.read_text(encoding="utf-8") for path in notebooks]
    assert not any("揭示真值" in text or "BEGIN SOLUTION" in text for text in texts)
    assert "http" not in (lite.folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_lesson_runs_in_python_for_the_browser(build: Build, lite: Lite) -> None:
    expected = expected_outcomes()
    assert list(expected) == [lesson.key for lesson in build.syllabus.lessons]
    assert not lite.missing
    trials = try_lessons(build, build.syllabus.lessons)
    faults = {trial.lesson: trial.faults for trial in trials if trial.faults}
    should = {lesson for lesson, outcome in expected.items() if outcome.full}
    assert not should & set(faults), faults
    assert {trial.lesson for trial in trials} - set(faults) == should  # none runs unnoticed


@pytest.mark.slow
def test_a_trainee_works_through_a_lesson(
    build: Build, lite: Lite, server: Server, browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(locale="zh-CN", accept_downloads=True)
    page = context.new_page()
    foreign, said = [], []
    asked: set[str] = set()
    page.on("request", lambda r: asked.add(r.url.partition("?")[0]))
    page.on("request", lambda r: foreign.append(r.url) if server.host not in r.url else None)
    page.on("console", lambda m: said.append((m.type, m.text)))
    page.on("pageerror", lambda error: said.append(("error", str(error))))

    # ---- from the class's first page, with a seat, into the lesson
    page.goto(f"{server.address}/")
    if server.host != "127.0.0.1":
        assert not page.evaluate("isSecureContext")  # the case of the class
    page.fill("#seat", "7")
    page.click("#join button")
    page.locator("#joined").wait_for()
    page.goto(f"{server.address}/lite/")
    assert page.locator("#trouble").inner_text() == ""
    assert page.locator("#private").inner_text() == ""
    page.get_by_role("link", name=TITLE).click()
    lesson = Notebook(page)
    lesson.opened()
    page.locator(".lm-MenuBar-itemLabel", has_text="文件").click()  # the interface is Chinese,
    words = page.locator(".lm-Menu-itemLabel", has_text=re.compile("^下载$"))  # JupyterLite's too
    words.wait_for()
    page.keyboard.press("Escape")

    # ---- everything runs; nothing is answered yet
    lesson.run_all()
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    checks = page.locator(".jp-CodeCell", has_text=re.compile(r'cu\.check\("E\d"\)'))
    assert checks.count() == 4
    assert all("还没有作答" in text for text in checks.all_inner_texts())
    assert page.locator(".jp-RenderedImage img").count() >= 5
    link = page.locator("a[download]").first
    with page.expect_download() as saved:
        link.click()
    assert saved.value.suggested_filename.endswith(".xlsx")
    saved.value.save_as(tmp_path / "list.xlsx")
    sheets = CalamineWorkbook.from_path(str(tmp_path / "list.xlsx")).sheet_names
    assert "汇总" in sheets and "排班表" in sheets

    # ---- what a first visit costs is what trainees are told; tables come one column at a time
    paths = [lite.folder / url.partition("/lite/")[2] for url in asked if "/lite/" in url]
    sizes = {path: path.stat().st_size for path in paths if path.is_file()}
    tables = {path for path in sizes if path.suffix == ".npz"}
    first = sum(size for path, size in sizes.items() if path not in tables) / 1e6
    assert abs(first - lite.first_load) < 0.1 * lite.first_load, (first, lite.first_load)
    assert 10 < len(tables) < 100

    # ---- a wrong answer is named, a right one accepted
    answer, check = lesson.cell("my_ladder = ..."), lesson.cell('cu.check("E1")')
    lesson.write(answer, source_of(build, "wrong:E1:sample_amount"))
    answer = lesson.cell('values="amount"')
    lesson.run(answer)
    said_wrong = lesson.run(check)
    assert "✗" in said_wrong and "weight" in said_wrong, said_wrong
    lesson.write(answer, source_of(build, "answer:E1"))
    answer = lesson.cell("branch_rows.pivot_table")
    lesson.run(answer)
    assert "✓ 正确" in lesson.run(check)

    # ---- a beginner's own error gets its Chinese note
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    lesson.write(page.locator(".jp-CodeCell.jp-mod-selected").first, 'accounts["amuont"]')
    extra = lesson.cell("amuont")
    said_error = lesson.run(extra)
    assert "这一格没有跑通" in said_error and "amount" in said_error

    # ---- the server goes away: the lesson goes on, new data wait for it in one sentence
    server.stop()
    lesson.write(extra, 'len(bank.load("payroll"))')
    extra = lesson.cell('bank.load("payroll")')
    assert "没有取到数据" in lesson.run(extra)
    assert "✓ 正确" in lesson.run(check)
    server.start()
    assert re.search(r"\d{3,}", lesson.run(extra))

    # ---- the work is still there after a reload, Python starts again
    page.wait_for_timeout(12_000)
    page.reload()
    lesson.opened()
    assert "branch_rows.pivot_table" in lesson.cell("my_ladder").inner_text()
    assert "NameError" in lesson.run(extra)  # its variables went with the page
    lesson.run(lesson.cell('BANK = "coastal"'))
    assert "Error" not in lesson.run(lesson.cell("cu.begin("))

    # ---- nobody else was asked, nothing went wrong unseen, progress arrived under the seat
    assert not foreign
    away = re.compile(r"ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
    wrong = [t for kind, t in said if kind in ("error", "warning") and not HARMLESS.search(t)]
    assert not [text for text in wrong if not away.search(text)], wrong
    outcomes = {(e.get("seat"), e.get("question"), e.get("outcome")) for e in server.events()}
    assert ("7", "E1") in {(seat, question) for seat, question, _ in outcomes}, outcomes
    context.close()
