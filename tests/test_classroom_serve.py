"""`course serve`: what is served, to whom, under which address; the pages in a real browser."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import segno
from classroom_world import ask, served

from course_utils.classroom import network
from course_utils.classroom.handlers import Desk
from course_utils.classroom.network import choose, open_port, qr_svg, qr_terminal
from course_utils.classroom.room import Room
from course_utils.classroom.server import Offer, make_site
from course_utils.classroom.static_files import Compressed
from course_utils.classroom.store import ClassStore
from course_utils.errors import CourseError

ROOT = Path(__file__).parents[1]
KEY = "the-key"
WASM = b"\0asm" + os.urandom(1000) + b"same " * 4000


@pytest.fixture
def world(tmp_path):
    """Folders of a class: lite and pages to serve, and things that must not be seen."""
    lite, pages = tmp_path / "lite", tmp_path / "pages"
    (lite / "build").mkdir(parents=True)
    pages.mkdir()
    (lite / "index.html").write_text("<!DOCTYPE html><title>lite</title>" + "x" * 3000)
    (lite / "build" / "pyodide.asm.wasm").write_bytes(WASM)
    (lite / "build" / "pyodide.mjs").write_text("export default 1;" * 500)
    (lite / "build" / "course_utils-0.3.0-py3-none-any.whl").write_bytes(os.urandom(5000))
    (lite / ".secret").write_text("hidden")
    (pages / "index.html").write_text("<!DOCTYPE html><title>pages</title>")
    (pages / "课.html").write_text("<p>课</p>", encoding="utf-8")
    (tmp_path / "truth.json").write_text("planted")
    (lite / "way_out.json").symlink_to(tmp_path / "truth.json")
    (pages / "folder_out").symlink_to(tmp_path)
    return tmp_path


def site(world, **more):
    room = Room(ClassStore(world / "class"), (), "甲行 <b>班</b>")
    options = {"lite": world / "lite", "pages": world / "pages", "kept": world / "kept"} | more
    offer = Offer("甲行 <b>班</b>", "数据日期", "http://192.168.1.5:8000", **options)
    return make_site(Desk(room, "secret", KEY, joining=True), offer)


@pytest.fixture
def base(world):
    with served(site(world)) as server:
        yield server.address


# --------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("lite/index.html", "text/html; charset=utf-8"),
        ("lite/build/pyodide.asm.wasm", "application/wasm"),
        ("lite/build/pyodide.mjs", "text/javascript; charset=utf-8"),
        ("lite/build/course_utils-0.3.0-py3-none-any.whl", "application/zip"),
        ("lite/", "text/html; charset=utf-8"),
        ("pages/%E8%AF%BE.html", "text/html; charset=utf-8"),
        ("class/page/class.css", "text/css; charset=utf-8"),
        ("class/page/CourseSansSC.otf", "font/otf"),
        ("class/qr.svg", "image/svg+xml"),
    ],
)
def test_types_are_what_browsers_insist_on(base, path, kind):
    status, headers, body = ask(f"{base}/{path}")
    assert status == 200 and body
    assert headers["Content-Type"] == kind and headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "lite/../truth.json",
        "lite/..%2ftruth.json",
        "lite/%2e%2e/truth.json",
        "lite/..%5ctruth.json",
        "lite//etc/passwd",
        "lite/%2fetc/passwd",
        "lite/build/../../truth.json",
        "lite/way_out.json",
        "pages/folder_out/truth.json",
        "lite/.secret",
        "lite/build/",
        "pages/folder_out/",
        "truth.json",
        "class/",
        "instructor/index.html",
        "lite/%00",
        "lite/build%00.html",
    ],
)
def test_nothing_else_is_served(base, path):
    status, _, body = ask(f"{base}/{path}")
    assert status in (400, 403, 404)
    assert b"planted" not in body and b"hidden" not in body and b"Traceback" not in body


def test_raw_paths_do_not_climb_either(base):
    host, port = base.removeprefix("http://").split(":")
    for path in (
        "/lite/../../truth.json",
        "/../truth.json",
        "//etc/passwd",
        "/lite/..;/truth.json",
    ):
        with socket.create_connection((host, int(port)), 5) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := line.recv(65536):
                answer += piece
        assert b"200 OK" not in answer.split(b"\r\n")[0] and b"planted" not in answer


def test_a_reload_costs_nothing_and_a_rebuild_is_seen(base, world):
    address = f"{base}/lite/build/pyodide.mjs"
    _, first, _ = ask(address)
    assert first["Cache-Control"] == "no-cache"
    status, _, body = ask(address, headers={"If-None-Match": first["Etag"]})
    assert status == 304 and body == b""
    path = world / "lite" / "build" / "pyodide.mjs"
    times, size = path.stat(), path.stat().st_size
    path.unlink()
    path.write_text("export default 2;" * 500)
    # a reproducible build: same size, same time
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == size
    status, _, body = ask(address, headers={"If-None-Match": first["Etag"]})
    assert status == 200 and b"default 2" in body


def test_compressed_where_it_helps_and_right_after_a_rebuild(base, world):
    address, path = f"{base}/lite/build/pyodide.asm.wasm", world / "lite/build/pyodide.asm.wasm"
    gz = {"Accept-Encoding": "gzip, deflate"}
    assert "Content-Encoding" not in ask(address, headers=gz)[1]  # not made yet: sent as it is
    copies = Compressed(world / "lite", world / "kept" / "lite")
    assert copies.make_all() == 3
    _, headers, body = ask(address, headers=gz)
    assert headers["Content-Encoding"] == "gzip" and headers["Content-Type"] == "application/wasm"
    assert headers["Vary"] == "Accept-Encoding"
    assert len(body) < len(WASM) / 2 and gzip.decompress(body) == WASM
    assert ask(address)[2] == WASM
    status, part, body = ask(address, headers=gz | {"Range": "bytes=0-3"})
    assert status == 206 and body == b"\0asm" and "Content-Encoding" not in part
    path.write_bytes(b"\0asm" + b"new " * 3000)
    assert ask(address, headers=gz)[2] == path.read_bytes()
    assert copies.make_all() == 3
    assert len(list((world / "kept").rglob("pyodide.asm.wasm.*.gz"))) == 1


def test_compressing_on_a_full_disk_serves_files_as_they_are(base, world, monkeypatch):
    (world / "kept").write_text("a file where the folder should be")
    assert Compressed(world / "lite", world / "kept" / "lite").make_all() == 0
    address = f"{base}/lite/build/pyodide.asm.wasm"
    assert ask(address, headers={"Accept-Encoding": "gzip"})[2] == WASM


def test_missing_parts_are_said_and_the_rest_is_served(world):
    with served(site(world, lite=None)) as server:
        text = ask(server.address)[2].decode()
        assert "还没有准备浏览器里的课堂" in text and "pages/index.html" in text
        assert ask(f"{server.address}/lite/index.html")[0] == 404
    with served(site(world, progress=False)) as server:
        assert "加入课堂进度" not in ask(server.address)[2].decode()
        assert ask(f"{server.address}/class/join", {"seat": "1"})[0] == 404
        assert ask(f"{server.address}/class/room?key={KEY}")[0] == 404
        assert ask(f"{server.address}/class/page/class.css")[0] == 200


def test_no_icon_is_no_error(base):
    assert ask(f"{base}/favicon.ico")[0] == 204


def test_the_name_of_the_class_is_text(base):
    text = ask(base)[2].decode()
    assert "甲行 &lt;b&gt;班&lt;/b&gt;" in text and "<b>班" not in text


def test_sixty_browsers_load_at_once(world):
    """Sixty clients fetch the big file at the same moment; all get all of it."""
    big = os.urandom(4 << 20)
    (world / "lite" / "big.wasm").write_bytes(big)
    with served(site(world)) as server, ThreadPoolExecutor(60) as pool:
        bodies = list(pool.map(lambda _: ask(f"{server.address}/lite/big.wasm")[2], range(60)))
    assert all(body == big for body in bodies)


# ------------------------------------------------------------------------------------- address


def cards(**more):
    return {"lo": ["127.0.0.1"], "Wi-Fi": ["192.168.1.5"]} | more


def first(found):
    return found[0].address if found else None


def test_the_address_of_the_room_is_chosen():
    assert first(choose(cards(), ["lo", "Wi-Fi"], "")) == "192.168.1.5"
    assert first(choose(cards(), ["lo"], "")) is None
    several = cards(**{"docker0": ["172.17.0.1"], "vEthernet (WSL)": ["172.20.0.1"]})
    several |= {
        "eth0": ["10.1.2.3"],
        "Bluetooth": ["169.254.7.7"],
        "VMware VMnet8": ["192.168.9.1"],
    }
    found = choose(several, several, "10.1.2.3")
    assert first(found) == "10.1.2.3"
    assert [one.address for one in found][:2] == ["10.1.2.3", "192.168.1.5"]
    assert "169.254.7.7" not in [one.address for one in found]
    # what the system would use wins over the name's order, not over being virtual
    assert first(choose(several, several, "172.17.0.1")) == "192.168.1.5"
    assert first(choose({"wlan0": ["203.0.113.9"], "en0": ["10.0.0.2"]}, ["wlan0", "en0"], "")) == (
        "10.0.0.2"
    )


def test_a_taken_port_moves_on():
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        sockets, port = open_port(taken)
        assert taken < port <= taken + network.MORE_PORTS
        for one in sockets:
            one.close()


def test_no_port_at_all_is_one_sentence(monkeypatch):
    monkeypatch.setattr(network, "MORE_PORTS", 0)
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        holder.listen()
        with pytest.raises(CourseError, match="--port"):
            open_port(holder.getsockname()[1])
    with pytest.raises(CourseError, match="没有地址"):
        open_port(8000, "203.0.113.77")


def test_a_port_that_needs_rights(monkeypatch):
    import tornado.netutil

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tornado.netutil, "bind_sockets", refuse)
    with pytest.raises(CourseError, match="管理员"):
        open_port(80)


def modules_of_svg(svg):
    """Dark modules of a QR code as (column, row), read from the picture's path of strokes."""
    path = re.findall(rb' d="([^"]+)"', svg)[-1].decode()  # the first is the white ground
    found, x, y = set(), 0.0, 0.0
    for command, text in re.findall(r"([MmhH])([^MmhH]*)", path):
        numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", text)]
        if command in "Mm":
            x, y = numbers if command == "M" else (x + numbers[0], y + numbers[1])
        else:
            found |= {(int(x) + step, int(y)) for step in range(int(numbers[0]))}
            x += numbers[0]
    return found


def test_the_picture_is_the_code_of_the_address(base):
    address = "http://192.168.1.5:8000"
    status, _, svg = ask(f"{base}/class/qr.svg")
    assert status == 200 and svg == qr_svg(address)
    matrix = segno.make(address, error="m", micro=False).matrix
    expected = {
        (4 + x, 4 + y) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark
    }
    assert modules_of_svg(svg) == expected
    assert "192.168.1.5:8000" in ask(f"{base}/class/qr")[2].decode()


def test_the_terminal_shows_the_same_code():
    lines = qr_terminal("http://192.168.1.5:8000").splitlines()
    code = segno.make("http://192.168.1.5:8000", error="l", micro=False)
    size = code.symbol_size(border=2)[0]
    assert len(lines) >= size // 2 and set("".join(lines)) & set("█▀▄")


# ------------------------------------------------------------------------------------- command


def start_serve(*arguments, **environment):
    command = [sys.executable, "-m", "course_utils.cli", "serve", "--bank", "coastal", *arguments]
    clean = {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **environment}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean, cwd=ROOT
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl+C" in line or process.poll() is not None:
            break
    return process, "".join(lines)


@pytest.mark.slow
def test_the_command_from_start_to_stop(tmp_path):
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        process, said = start_serve("--port", str(taken), "--folder", str(tmp_path / "class"))
    try:
        assert f"端口 {taken} 被别的程序占用，改用" in said
        page = re.search(r"http://127\.0\.0\.1:\d+/class/room\?key=\S+?(?=（)", said).group(0)
        own = page.partition("/class")[0]
        assert ask(own)[0] == 200
        assert ask(f"{own}/class/join", {"seat": "12"})[0] == 200
        _, headers, _ = ask(page)
        cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
        view = ask(f"{own}/class/room.json", headers=cookie)[2].decode()
        assert '"joined": 1' in view
    finally:
        process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=20)[0]
    assert process.returncode == 0 and "课堂已关闭" in rest and "Traceback" not in rest
    assert (tmp_path / "class" / "seat-12.jsonl").is_file()
    assert (tmp_path / "class" / "plan.json").is_file()


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
    from classroom_world import iso

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
    from classroom_world import iso

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
