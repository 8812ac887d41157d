"""The landing page and the room in a real browser, with every other address blocked."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from classroom_world import KEY, iso, served, site

from course_utils.classroom.store import ClassStore

ROOT = Path(__file__).parents[1]

pytest_plugins = ("classroom_fixtures",)


# ------------------------------------------------------------------------------------- browser


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no browser on this machine")
    with sync_api.sync_playwright() as play:
        options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        options += ["--disable-background-networking", "--disable-component-update"]
        opened = play.chromium.launch(executable_path=program, args=[*options, "--disable-sync"])
        yield opened
        opened.close()


class Tab:
    """A page that allows one host only and remembers what went wrong."""

    def __init__(self, browser, address, scheme="light", width=1920, height=1080):
        size = {"width": width, "height": height}
        self.context = browser.new_context(color_scheme=scheme, viewport=size)
        self.page, self.wrong = self.context.new_page(), []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._console)
        self.context.route("**/*", lambda route: self._route(route, address))

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _route(self, route, address):
        if route.request.url.startswith((address, "data:")):
            route.continue_()
        else:
            self.wrong.append(route.request.url)
            route.abort()


def sixty_seats(folder):
    """Sixty seats in the middle of a lesson with eight exercises, written as seats do."""
    store, now = ClassStore(folder), time.time()
    for seat in range(1, 61):
        done = seat % 8
        checks = [(number, "right") for number in range(1, done + 1)]
        checks += [(done + 1, "wrong")] * (5 if seat % 3 == 0 else 1)
        raw = [
            {
                "v": 1,
                "time": iso(now - 60 + number),
                "session": f"s{seat}",
                "number": number,
                "event": "check",
                "lesson": "m99_n01",
                "question": f"E{question}",
                "outcome": outcome,
                "tries": 1,
            }
            for number, (question, outcome) in enumerate(checks)
        ]
        store.append(f"{seat}号", raw)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_room_in_a_browser(browser, world, scheme, tmp_path):
    sixty_seats(world / "class")
    with served(site(world)) as server:
        tab = Tab(browser, server.address, scheme)
        page = tab.page
        page.goto(f"{server.address}/class/room?key={KEY}")
        page.wait_for_selector(".strip")
        assert page.url == f"{server.address}/class/room"
        assert page.locator(".strip").count() == 60
        assert page.locator(".exercise").count() == 8
        assert page.locator(".cell.stuck").count() > 0
        for shown in ("!!", "✓", "·"):
            assert page.locator(".cell", has_text=shown).count() > 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark == "rgb(17, 22, 28)") == (scheme == "dark")
        # what happens in class appears without a reload
        before = page.locator(".cell.right").count()
        ClassStore(world / "class").append("99号", [_right_event()])
        page.locator(".cell.right").nth(before).wait_for()
        # the projector shows no seat
        page.click("#projector")
        page.wait_for_selector("html.projecting")
        page.locator(".strip").first.wait_for(state="detached")
        assert not re.search(r"\d+号", page.inner_text("body"))
        assert page.locator("#qr").evaluate("image => image.naturalWidth") > 0
        assert tab.wrong == []
        server.stop()
        page.wait_for_selector("#trouble:visible")
        assert "连不上课堂服务" in page.inner_text("#trouble")
        server.start()
        tab.context.close()


def _right_event():
    return {
        "v": 1,
        "time": iso(time.time()),
        "session": "s99",
        "number": 1,
        "event": "check",
        "lesson": "m99_n01",
        "question": "E1",
        "outcome": "right",
        "tries": 1,
    }


@pytest.mark.slow
def test_the_landing_page_in_a_browser(browser, world):
    with served(site(world)) as server:
        tab = Tab(browser, server.address, width=390, height=844)
        page = tab.page
        page.goto(server.address)
        assert page.locator("#old").is_hidden() and page.locator("#joined").is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.fill("#seat", "12")
        page.click("text=同意并加入")
        page.wait_for_selector("#joined:visible")
        assert page.inner_text("#myseat") == "12" and page.locator("#join").is_hidden()
        page.reload()
        page.wait_for_selector("#joined:visible")
        assert tab.wrong == []
        # a second browser with the same number is asked whether it is the same person
        other = Tab(browser, server.address).page
        asked = []
        other.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        other.goto(server.address)
        other.fill("#seat", "12")
        other.click("text=同意并加入")
        other.wait_for_timeout(500)
        assert "座位号 12 已经有人用了" in asked[0] and other.locator("#joined").is_hidden()
        page.click("#erase")
        page.wait_for_selector("#join:visible")
        assert list((world / "class").glob("*.jsonl")) == []


@pytest.mark.slow
def test_an_old_browser_is_told_so(browser, world):
    with served(site(world)) as server:
        tab = Tab(browser, server.address)
        tab.page.add_init_script("delete window.WebAssembly")
        tab.page.goto(server.address)
        tab.page.wait_for_selector("#old:visible")
        assert "Edge" in tab.page.inner_text("#old")


@pytest.mark.slow
def test_seats_in_the_page_are_text(browser, world):
    store = ClassStore(world / "class")
    store.append("x", [_right_event()])
    path = store.path("x")
    text = path.read_text(encoding="utf-8").replace('"seat": "x"', '"seat": "<img src=x>"')
    path.write_text(text, encoding="utf-8")
    with served(site(world)) as server:
        tab = Tab(browser, server.address)
        tab.page.goto(f"{server.address}/class/room?key={KEY}")
        tab.page.wait_for_selector(".strip")
        assert tab.page.locator(".strip img").count() == 0
        assert "<img src=x>" in tab.page.inner_text(".strip")
        assert tab.wrong == []
