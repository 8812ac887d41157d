"""What the collector does with a request: seats write, the instructor reads.

Addresses and status codes stand in :mod:`course_utils.classroom`.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tornado.web import RequestHandler

from course_utils.classroom.reports import report
from course_utils.classroom.room import Room
from course_utils.classroom.store import FullError
from course_utils.classroom.tokens import seat_of, seat_token
from course_utils.errors import CourseError
from course_utils.exercises.progress.event import clean_seat, make_event

MOST_EVENTS = 200
_SEAT_COOKIE, _KEY_COOKIE = "course_seat", "course_room"
_WEEK = 7 * 24 * 3600
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass
class Pace:
    """How often somebody may ask: a bucket that refills.

    Parameters
    ----------
    a_second : float
        Requests that are added each second.
    at_once : float
        Size of the bucket.
    """

    a_second: float
    at_once: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def allows(self, who: str, cost: float = 1.0) -> bool:
        """Take from the bucket of one asker; False if it is empty."""
        now = time.monotonic()
        left, then = self._left.get(who, (self.at_once, now))
        left = min(self.at_once, left + (now - then) * self.a_second)
        allowed = left >= cost
        if len(self._left) > 5000:
            self._left.clear()
        self._left[who] = (left - cost if allowed else left, now)
        return allowed


@dataclass(frozen=True)
class Desk:
    """What all handlers share.

    Attributes
    ----------
    room : Room
        Store and lessons.
    secret : str
        Signs seat tokens.
    key : str
        Opens the instructor's page.
    joining : bool
        Whether seats may name themselves; False where a hub gives tokens.
    """

    room: Room
    secret: str
    key: str
    joining: bool
    writing: Pace = field(default_factory=lambda: Pace(5.0, 60.0))
    entering: Pace = field(default_factory=lambda: Pace(1.0, 150.0))
    guessing: Pace = field(default_factory=lambda: Pace(0.2, 10.0))


class ClassHandler(RequestHandler):
    """Common to all: Chinese errors in JSON, headers, who is asking."""

    def initialize(self, desk: Desk) -> None:
        """Take what the application shares."""
        self.desk = desk

    def set_default_headers(self) -> None:
        """Forbid sniffing, framing, keeping and everything that is not from here."""
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> None:
        """Refuse requests that another site makes a browser send."""
        origin = self.request.headers.get("Origin")
        if origin and urlsplit(origin).netloc != self.request.host:
            self.refuse(403, "origin", "这个请求来自别的网站。")

    def refuse(self, status: int, error: str, sentence: str) -> None:
        """Answer with a status, a word for programs and a sentence for people."""
        self.set_status(status)
        self.finish({"error": error, "message": sentence})

    def answer(self, content: Mapping[str, Any]) -> None:
        """Answer with JSON, unless the request has been refused."""
        if not self._finished:
            self.finish(dict(content))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what is wrong without a traceback."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, CourseError):
            self.set_status(409)
            self.finish({"error": "course", "message": str(error)})
            return
        words = {404: "没有这个地址。", 405: "这个地址不能这样用。"}
        self.finish({"error": str(status_code), "message": words.get(status_code, "请求有误。")})

    def seat(self) -> str | None:
        """Return the seat that a token or cookie proves, or None."""
        header = self.request.headers.get("Authorization", "")
        kind, _, token = header.partition(" ")
        if kind.lower() != "token" or not token:
            token = self.get_cookie(_SEAT_COOKIE) or ""
        return seat_of(self.desk.secret, token.strip()) if token else None

    def content(self) -> Mapping[str, Any] | None:
        """Return the JSON object of a request, or None after refusing it."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0]
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(self.request.body)
            # another site's form can send neither this type nor our cookie
            if kind == "application/json" and isinstance(found, dict):
                return found
        self.refuse(400, "json", "请求的内容不是 JSON。")
        return None

    def is_instructor(self) -> bool:
        """Whether the cookie holds the key of the instructor's page."""
        return hmac.compare_digest(
            (self.get_cookie(_KEY_COOKIE) or "").encode(), self.desk.key.encode()
        )


class EventHandler(ClassHandler):
    """Take events of one seat."""

    def post(self) -> None:
        """Store what is new and answer how many events were understood."""
        seat = self.seat()
        if seat is None:
            self.refuse(401, "seat", "还没有加入课堂进度：请先填座位号加入。")
            return
        if not self.desk.writing.allows(seat):
            self.set_header("Retry-After", "5")
            self.refuse(429, "pace", "发得太快，请稍等几秒。")
            return
        content = self.content()
        if content is None:
            return
        events = content.get("events")
        if not isinstance(events, list) or len(events) > MOST_EVENTS:
            self.refuse(400, "events", "缺少 events，或者一次太多。")
            return
        store = self.desk.room.store
        if not store.joined(seat):
            self.refuse(409, "left", "这个座位没有加入，或已经退出。")
            return
        # joining and leaving have addresses of their own; a late copy must not undo them
        told = [e for e in events if not (isinstance(e, dict) and e.get("event") in _PRESENCE)]
        with _refusing(self):
            store.append(seat, told)
        self.answer({"accepted": len(events)})


class JoinHandler(ClassHandler):
    """Join as a seat: on the landing page, from a notebook, or with a hub's token."""

    def post(self) -> None:
        """Store that the trainee agreed; answer with seat and token, and set the cookie."""
        if not self.desk.entering.allows(self.request.remote_ip or ""):
            self.refuse(429, "pace", "来得太快，请稍等几秒再试。")
            return
        content = self.content()
        if content is None:
            return
        proven = self.seat()
        if not self.desk.joining and proven is None:
            self.refuse(401, "seat", "请从课堂服务器的入口登录，再加入。")
            return
        try:
            name = clean_seat(content.get("seat") or proven or "")
        except CourseError as error:
            self.refuse(400, "name", str(error))
            return
        seat = name if self.desk.joining else str(proven)
        store, again = self.desk.room.store, content.get("again") is True
        if store.joined(seat) and seat != proven and not again:
            self.refuse(409, "taken", f"座位号 {seat} 已经有人用了。")
            return
        token = seat_token(self.desk.secret, seat)
        with _refusing(self):
            if not store.joined(seat):
                store.append(seat, [_presence("join")])
            self.set_cookie(
                _SEAT_COOKIE, token, max_age=_WEEK, httponly=True, samesite="Strict", path="/"
            )
        self.answer({"seat": seat, "token": token})


class LeaveHandler(ClassHandler):
    """Take consent back."""

    def post(self) -> None:
        """Store that nothing is to be taken any more, or delete everything of the seat."""
        content = self.content()
        if content is None:
            return
        seat, store = self.seat(), self.desk.room.store
        self.clear_cookie(_SEAT_COOKIE)
        with _refusing(self):
            if seat is not None and content.get("erase") is True:
                store.erase(seat)
            elif seat is not None and store.joined(seat):
                store.append(seat, [_presence("leave")])
        self.answer({"seat": None})


class MeHandler(ClassHandler):
    """Who is asking."""

    def get(self) -> None:
        """Return the seat if it has joined and not left."""
        seat = self.seat()
        self.finish({"seat": seat if seat and self.desk.room.store.joined(seat) else None})


class HealthHandler(ClassHandler):
    """For a hub that wants to know whether this process lives."""

    def get(self) -> None:
        """Answer."""
        self.finish({"ok": True})


class InstructorHandler(ClassHandler):
    """Everything that only the instructor may see."""

    def prepare(self) -> None:
        """Turn the key of the address into a cookie, so that a projector never shows it."""
        super().prepare()
        if self._finished:
            return
        if key := self.get_query_argument("key", ""):
            self._enter(key)
        elif not self.is_instructor():
            self.refuse_stranger()

    def _enter(self, key: str) -> None:
        if not self.desk.guessing.allows(self.request.remote_ip or ""):
            self.refuse(429, "pace", "试得太多，请一分钟后再来。")
        elif hmac.compare_digest(key.encode(), self.desk.key.encode()):
            self.set_cookie(
                _KEY_COOKIE, key, max_age=_WEEK, httponly=True, samesite="Strict", path="/"
            )
            self.redirect(self.request.path.rpartition("/")[2])
        else:
            self.refuse_stranger()

    def refuse_stranger(self) -> None:
        """Say in Chinese that this is not for trainees."""
        self.set_status(403)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(self.render_string("stranger.html"))


class RoomPageHandler(InstructorHandler):
    """The instructor's page."""

    def get(self) -> None:
        """Return the page; what it shows comes as JSON."""
        self.render("room.html")


class RoomHandler(InstructorHandler):
    """What the instructor's page shows."""

    def refuse_stranger(self) -> None:
        """Answer a program."""
        self.refuse(403, "key", "这里只给讲师看。")

    def get(self) -> None:
        """Return the room as JSON; ``lesson`` chooses one, ``view=projector`` leaves out seats."""
        lesson = self.get_query_argument("lesson", "")
        projector = self.get_query_argument("view", "") == "projector"
        self.finish(self.desk.room.view(lesson, projector=projector))


class ReportHandler(InstructorHandler):
    """Summary without seats and exports, to keep or print."""

    def get(self, name: str) -> None:
        """Return a report by the name of its file."""
        kind, text = report(self.desk.room, name)
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        if name.startswith("export"):
            self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.finish(text)


_PRESENCE = ("join", "leave")


def _presence(event: str) -> dict[str, Any]:
    """Return the line that says so; it comes from here, so its number only has to be new."""
    return {**make_event(event), "session": "desk", "number": time.time_ns() // 1000 % 10**9}


@contextlib.contextmanager
def _refusing(handler: ClassHandler) -> Iterator[None]:
    """Refuse with 507 where the class folder takes nothing; the instructor's page says so."""
    room = handler.desk.room
    try:
        yield
    except FullError:
        room.trouble = "磁盘已满或写入过多，新的进度存不下：请清理磁盘，学员那边会自动补发。"
        handler.refuse(507, "full", room.trouble)
    except OSError as error:
        room.trouble = f"课堂文件夹写不进（{error.strerror}）：请检查，学员那边会自动补发。"
        handler.refuse(507, "folder", room.trouble)
    else:
        room.trouble = ""


class NothingHereHandler(ClassHandler):
    """Any other address."""

    def prepare(self) -> None:
        """Answer 404 whatever the method."""
        self.set_status(404)
        self.write_error(404)
