"""The class in the browser: no threads and no sockets; the page's own server is the collector.

The seat is known by the cookie that the landing page set, so no seat and no token is sent. A
request is a promise of the browser: the cell that checks an answer never waits for it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from course_utils.exercises.progress.outbox import Pending
from course_utils.exercises.progress.ways import Line, NotThere, refusal

#: (address, body or None for GET) → (status, text)
Fetch = Callable[[str, str | None], Awaitable[tuple[int, str]]]
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
#: Seconds after which a trainee who had not joined is asked about again.
_ASK_AGAIN = 20.0
_NO_CLASS = 300.0


class BrowserOutbox:
    """Delivers events with the browser's ``fetch``; nothing before the server says who we are.

    Parameters
    ----------
    base : str
        Address of the collector, on the origin that served the page.
    fetch : Fetch, optional
        Another fetch (tests).
    pauses : tuple of float
        Seconds between tries.
    """

    def __init__(
        self, base: str, fetch: Fetch | None = None, pauses: tuple[float, ...] = _PAUSES
    ) -> None:
        self._base, self._fetch, self._pauses = base, fetch or _browser_fetch, pauses
        self._pending = Pending()
        self._task: asyncio.Future[None] | None = None
        self._seat: str | None = None
        self._silent_until = 0.0
        self.trouble = ""

    @property
    def waiting(self) -> int:
        """How many events have not been delivered."""
        return len(self._pending)

    def joined(self) -> None:
        """Say that the trainee has just joined from this notebook."""
        self._silent_until = 0.0

    def put(self, line: Line) -> None:
        """Take an event; it goes out after the cell has run."""
        if not self._base or time.monotonic() < self._silent_until:
            return
        self._pending.add([line])
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

    def close(self, *, forget: bool = False) -> None:
        """Forget what is unsent; the browser keeps nothing when the page is closed anyway."""
        if forget:
            self._pending.clear()
            self._seat = None

    async def _run(self) -> None:
        failures = 0
        while self._pending:
            try:
                await self._step()
                failures, self.trouble = 0, ""
            except Exception as error:  # whatever happens, a trainee's notebook goes on
                failures += 1
                self.trouble = type(error).__name__
                await asyncio.sleep(self._pauses[min(failures, len(self._pauses)) - 1])

    async def _step(self) -> None:
        if self._seat is None:
            await self._ask()
            if self._seat is None:
                return
        lines = self._pending.batch()
        body = json.dumps({"events": list(lines)}, ensure_ascii=False)
        status, text = await self._fetch(f"{self._base}/event", body)
        if status in (401, 403, 409):
            self._seat = None  # left, or another class: ask who we are
        elif status in (400, 413):
            self._pending.done(lines)
        elif status != 200 or "accepted" not in text:
            raise refusal(status, b"")
        else:
            self._pending.done(lines)

    async def _ask(self) -> None:
        """Ask who we are; without consent what happened so far is forgotten, not sent."""
        status, text = await self._fetch(f"{self._base}/me", None)
        if status >= 500 or status == 429:
            raise NotThere(f"HTTP {status}")
        try:
            answer = json.loads(text) if status == 200 else None
        except ValueError:
            answer = None
        no_class = not isinstance(answer, dict) or "seat" not in answer
        self._seat = None if no_class else answer["seat"]
        if self._seat is None:
            self._pending.clear()
            self._silent_until = time.monotonic() + (_NO_CLASS if no_class else _ASK_AGAIN)


def page_base() -> str:
    """Return the collector's address on the origin that served this page, or "" without one."""
    import js  # the browser's global object, in Pyodide only

    origin = str(js.location.origin)
    return f"{origin}/class" if origin.startswith("http") else ""


def post_and_wait(base: str, what: str, content: dict[str, Any]) -> dict[str, Any]:
    """Post JSON and wait for the answer, as `join` does when a trainee asks for it.

    Raises
    ------
    NotThere, Unwelcome, Poison, Taken
        If it did not work.
    """
    import js

    request = js.XMLHttpRequest.new()
    try:
        request.open("POST", f"{base}/{what}", False)
        request.setRequestHeader("Content-Type", "application/json")
        request.send(json.dumps(content, ensure_ascii=False))
    except Exception as error:  # JsException: no network
        raise NotThere(str(error)) from error
    if request.status != 200:
        raise refusal(int(request.status), str(request.responseText).encode("utf-8"))
    try:
        return dict(json.loads(str(request.responseText)))
    except (ValueError, TypeError) as error:
        raise NotThere("no collector answers there") from error


async def _browser_fetch(address: str, body: str | None) -> tuple[int, str]:
    from pyodide.http import pyfetch

    options: dict[str, Any] = {"credentials": "same-origin", "cache": "no-store"}
    if body is not None:
        options |= {
            "method": "POST",
            "body": body,
            "headers": {"Content-Type": "application/json"},
        }
    response = await pyfetch(address, **options)
    return int(response.status), await response.string()
