"""Seat tokens: each says which seat it belongs to and is signed, so nobody keeps a list."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

_SECRETS = ".class.json"


def seat_token(secret: str, seat: str) -> str:
    """Return the token with which a seat may write as itself.

    Parameters
    ----------
    secret : str
        The class's secret; whoever has it can make a token for any seat.
    seat : str
        The seat, as :func:`course_utils.exercises.progress.event.clean_seat` returns it.
    """
    name = base64.urlsafe_b64encode(seat.encode("utf-8")).decode("ascii").rstrip("=")
    return f"{name}.{_signature(secret, name)}"


def seat_of(secret: str, token: str) -> str | None:
    """Return the seat of a token, or None if it was not made with this secret."""
    name, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, name).encode()):
        return None
    try:
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _signature(secret: str, name: str) -> str:
    digest = hmac.new(secret.encode("utf-8"), b"seat:" + name.encode("utf-8"), hashlib.sha256)
    return digest.hexdigest()[:40]


@dataclass(frozen=True)
class ClassKeys:
    """What signs the tokens of a class, and what opens the instructor's page."""

    secret: str
    key: str


def class_keys(folder: Path) -> ClassKeys:
    """Return the keys of a class, made once and kept with mode 0600, so that a restart keeps seats.

    Parameters
    ----------
    folder : pathlib.Path
        The class folder.

    Raises
    ------
    CourseError
        If the folder cannot be written.
    """
    # here, not above: the hub of a cluster reads this file alone
    from course_utils.files import write_text

    path = folder / _SECRETS
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        return ClassKeys(str(kept["secret"]), str(kept["key"]))
    keys = ClassKeys(secrets.token_urlsafe(32), secrets.token_urlsafe(9))
    previous = os.umask(0o077)
    try:
        write_text(path, json.dumps({"secret": keys.secret, "key": keys.key}))
    finally:
        os.umask(previous)
    return keys
