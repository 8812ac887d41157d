"""Who may log in: the seats of the class and the instructor.

A class code alone would let anybody sit down as anybody else. So the first who logs in at a seat
sets its own password (自设口令) and from then on the seat opens with both.

This file needs nothing but JupyterHub: on Kubernetes the hub gets it as a single file.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import time
import unicodedata
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from tornado import web
from traitlets import List, Unicode

#: Wrong tries before a pause, and its length in seconds.
TRIES, PAUSE = 8, 30.0
SHORTEST = 4


class SeatAuthenticator(Authenticator):
    """Class code for all, a password of one's own for each seat, another for the instructor."""

    seats = List(Unicode(), help="Names of the seats.").tag(config=True)
    class_code = Unicode(help="Told to the class.").tag(config=True)
    teacher = Unicode("teacher", help="The instructor's name.").tag(config=True)
    teacher_password = Unicode(help="Told to nobody.").tag(config=True)
    passwords_file = Unicode(help="Hashes of the seats' own passwords.").tag(config=True)

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._wrong: dict[str, list[float]] = {}

    def check_allow_config(self) -> None:
        """Say nothing: `check_allowed` decides."""

    async def check_allowed(self, username: str, authentication: Any = None) -> bool:
        """Return whether a name may log in at all."""
        return username in self.seats or username == self.teacher

    def normalize_username(self, username: str) -> str:
        """Return the seat that was meant: ``７``, ``07`` or ``Seat07`` are all ``seat07``."""
        name = unicodedata.normalize("NFKC", username).strip().lower()
        if name in self.seats or not name.isdecimal():
            return name
        wanted = int(name)
        for seat in self.seats:
            number = re.search(r"(\d+)$", seat)
            if number and seat.startswith("seat") and int(number[1]) == wanted:
                return seat
        return name

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Return who logged in; otherwise say in one Chinese sentence what was wrong."""
        name = self.normalize_username(data.get("username", ""))
        where = f"from {getattr(handler.request, 'remote_ip', '?')}"
        for key in (where, name):
            self._refuse_if_paused(key)
        try:
            result = await self._let_in(name, data)
        except web.HTTPError:
            for key in (where, name):
                self._wrong.setdefault(key, []).append(time.monotonic())
            raise
        for key in (where, name):
            self._wrong.pop(key, None)
        return result

    async def _let_in(self, name: str, data: dict[str, str]) -> dict[str, Any]:
        code = unicodedata.normalize("NFKC", data.get("password", "")).strip()
        if name == self.teacher:
            if self.teacher_password and _same(code, self.teacher_password):
                return {"name": name, "admin": True}
            raise web.HTTPError(403, "讲师口令不对。口令在服务器上 course hub 打印的那个文件里。")
        if name not in self.seats:
            raise web.HTTPError(403, "没有这个座位号：请看桌上的座位号，或问讲师。")
        if not self.class_code or not _same(_digits(code), _digits(self.class_code)):
            raise web.HTTPError(403, "课堂口令不对：它写在屏幕上，是 8 位数字。")
        own = unicodedata.normalize("NFKC", data.get("own", "")).strip()
        if len(own) < SHORTEST:
            raise web.HTTPError(
                403, f"自设口令至少 {SHORTEST} 位：第一次登录时自己定，以后都用它。"
            )
        await self._open_seat(name, own)
        return {"name": name, "admin": False}

    async def _open_seat(self, seat: str, own: str) -> None:
        """Compare with the seat's own password; the first one who comes sets it."""
        known = self._passwords().get(seat)
        salt = base64.b64decode(known.partition("$")[0]) if known else secrets.token_bytes(16)
        digest = await asyncio.to_thread(_hash, own, salt)
        written = f"{base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
        passwords = self._passwords()  # nobody may have come in between
        if seat not in passwords:
            self._save({**passwords, seat: written})
        elif not hmac.compare_digest(passwords[seat], written):
            raise web.HTTPError(
                403, "这个座位已经有人用了，自设口令对不上：请核对座位号；忘了口令请找讲师重设。"
            )

    def _passwords(self) -> dict[str, str]:
        path = Path(self.passwords_file)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def _save(self, passwords: dict[str, str]) -> None:
        path = Path(self.passwords_file)
        aside = path.with_name(f".{path.name}.part")
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(passwords, stream)
        aside.replace(path)

    def _refuse_if_paused(self, key: str) -> None:
        recent = [then for then in self._wrong.get(key, []) if time.monotonic() - then < PAUSE]
        self._wrong[key] = recent
        if len(recent) >= TRIES:
            raise web.HTTPError(403, f"试错太多次了，请等 {PAUSE:.0f} 秒再试。")


def _hash(own: str, salt: bytes) -> bytes:
    return hashlib.scrypt(own.encode(), salt=salt, n=2**14, r=8, p=1)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
