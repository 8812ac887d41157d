"""The trainee's decision: kept for this class, asked once, nothing is sent without it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from course_utils.exercises.progress.files import replace_text

#: A class has at most a week; who comes to the next one is asked again.
VALID = timedelta(days=7)
_VERSION = 1


@dataclass(frozen=True)
class Decision:
    """What a trainee decided.

    Attributes
    ----------
    agreed : bool
        Whether events may be sent.
    place : str
        To where: address of the collector, or path of the shared folder.
    seat : str
        As which seat.
    token : str
        What the collector gave to this seat; empty for a folder or a hub.
    decided : str
        When, ISO 8601 with zone.
    """

    agreed: bool
    place: str
    seat: str = ""
    token: str = ""
    decided: str = ""


def in_browser() -> bool:
    """Whether Python runs in a browser (Pyodide): no threads, no sockets, no disk."""
    return sys.platform == "emscripten"


def state_folder() -> Path:
    """Return the folder for the decision and unsent events; it belongs to one user."""
    if chosen := os.environ.get("COURSE_PROGRESS_STATE"):
        return Path(chosen)
    return Path.home() / ".course-progress"


def place_from_environment() -> str:
    """Return where events would go: ``COURSE_PROGRESS_URL``, else the folder, else ""."""
    if address := os.environ.get("COURSE_PROGRESS_URL", "").strip():
        return tidy_address(address, "")
    return os.environ.get("COURSE_PROGRESS_DIR", "").strip()


def is_address(place: str) -> bool:
    """Whether a place is a collector's address and not a folder."""
    return place.startswith(("http://", "https://"))


def tidy_address(text: str, ending: str = "/class") -> str:
    """Return an address as people type it (``192.168.1.5:8000``) in full.

    Parameters
    ----------
    text : str
        With or without scheme, ``/`` or path.
    ending : str
        What is added if it is not there; where the class server keeps its collector.
    """
    address = text.strip().rstrip("/")
    if not address.startswith(("http://", "https://")):
        address = f"http://{address}"
    return address if not ending or address.endswith(ending) else address + ending


def load_decision() -> Decision | None:
    """Return the decision that stands, or None: none made, too old, or for another class."""
    try:
        kept = json.loads((state_folder() / "consent.json").read_text(encoding="utf-8"))
        if kept.pop("version") != _VERSION:
            return None
        decision = Decision(**{str(name): value for name, value in kept.items()})
        age = datetime.now().astimezone() - datetime.fromisoformat(decision.decided)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None
    if not timedelta(days=-1) < age < VALID:
        return None
    wanted = place_from_environment()
    return decision if wanted in ("", decision.place) else None


def save_decision(decision: Decision) -> bool:
    """Keep a decision; return False where nothing can be kept (it then holds for this notebook)."""
    kept = {"version": _VERSION, **asdict(decision)}
    try:
        replace_text(state_folder() / "consent.json", json.dumps(kept, ensure_ascii=False))
    except (OSError, RuntimeError):
        return False
    return True


def now() -> str:
    """Return this moment with its zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
