"""What the tests of the room share: a class server in a thread, a trainee's disk, event streams."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from course_utils.classroom.events import Event
from course_utils.classroom.handlers import Desk
from course_utils.classroom.room import Room
from course_utils.classroom.server import Offer, make_site
from course_utils.classroom.store import ClassStore
from course_utils.exercises import progress


class Served:
    """A Tornado application in a thread of its own, on a free port; may be stopped and started."""

    def __init__(self, app: Any, port: int = 0, **options: Any) -> None:
        self.app, self.port, self.options = app, port, options
        self._ready, self._loop, self._stop = threading.Event(), None, None
        self.start()

    def start(self) -> None:
        self._ready.clear()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _run(self) -> None:
        sockets = bind_sockets(self.port, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        server = HTTPServer(self.app, **self.options)
        server.add_sockets(sockets)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        server.stop()
        await server.close_all_connections()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def served(app: Any, **options: Any) -> Iterator[Served]:
    server = Served(app, **options)
    try:
        yield server
    finally:
        server.stop()


def ask(
    address: str,
    body: object = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Send a request without following redirects; return status, headers, body."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    own = {"Content-Type": "application/json"} if data is not None else {}
    request = urllib.request.Request(address, data, own | (headers or {}), method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def event(seat: str, minute: float, kind: str = "check", **more: Any) -> Event:
    """Make an event of lesson m02_n02 so many minutes after the class began."""
    number = more.pop("number", int(minute * 1000))
    session = more.pop("session", f"s{seat}")
    lesson = more.pop("lesson", "m02_n02")
    received = more.pop("received", START + 60 * minute)
    time = more.pop("time", START + 60 * minute)
    return Event(seat, time, received, session, number, kind, lesson, **more)


#: When the planted classes begin.
START = 1_800_000_000.0


def flushed() -> None:
    """Wait until the running kernel has sent everything."""
    assert progress._channel.outbox.flush(10), progress._channel.outbox.trouble


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def told(path: Path) -> list[dict[str, Any]]:
    return [line for line in lines_of(path) if line["event"] == "check"]


#: The instructor's key in tests.
KEY = "the-key"


def site(world: Path, **more: Any) -> Application:
    """Everything that `course serve` serves, of the folders in `world`."""
    room = Room(ClassStore(world / "class"), (), "甲行 <b>班</b>")
    options = {"lite": world / "lite", "pages": world / "pages", "kept": world / "kept"} | more
    offer = Offer("甲行 <b>班</b>", "数据日期", "http://192.168.1.5:8000", **options)
    return make_site(Desk(room, "secret", KEY, joining=True), offer)
