"""`course serve`: what is served, to whom, under which address; the pages in a real browser."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import segno
from classroom_world import KEY, ask, served, site

from course_utils.classroom import network
from course_utils.classroom.network import choose, open_port, qr_svg, qr_terminal
from course_utils.classroom.static_files import Compressed
from course_utils.errors import CourseError

ROOT = Path(__file__).parents[1]

pytest_plugins = ("classroom_fixtures",)


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
        ("lite/build/course_utils-0.4.0-py3-none-any.whl", "application/zip"),
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
    assert len(body) < path.stat().st_size / 2 and gzip.decompress(body) == path.read_bytes()
    assert ask(address)[2] == path.read_bytes()
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
    assert ask(address, headers={"Accept-Encoding": "gzip"})[2].startswith(b"\0asm")


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


@pytest.mark.slow
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
    with pytest.raises(CourseError, match="写得不对"):
        open_port(8000, "192.168.1.x")


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
