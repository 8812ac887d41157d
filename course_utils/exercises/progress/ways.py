"""Ways to the class: a shared folder or an address. A call that fails is made again later."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from course_utils.exercises.progress.files import append_whole

Line = Mapping[str, Any]
#: Seconds after which a share or a server counts as away.
PATIENCE = 3.0
_MOST_BYTES = 4 << 20


class NotThere(Exception):
    """The class cannot be reached now, or refuses for now: keep the events and try again."""


class Unwelcome(Exception):
    """The class does not know this seat (any more): join again, or give up."""


class Poison(Exception):
    """These events will never be taken; sending them again would block the others."""


class Taken(Exception):
    """Somebody else has joined under this seat number."""


class Way(Protocol):
    """How events get to the class."""

    def send(self, lines: Sequence[Line]) -> None:
        """Deliver events in order.

        Raises
        ------
        NotThere, Unwelcome, Poison
            If they were not delivered.
        """


class FolderWay:
    """A shared folder: one file a seat.

    Parameters
    ----------
    folder : pathlib.Path
        The share. It is not made: where it is missing, the share is not connected.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stuck: threading.Thread | None = None

    def send(self, lines: Sequence[Line]) -> None:
        """Append, in a thread of its own: opening a file on a dead share can take minutes."""
        if self._stuck is not None and self._stuck.is_alive():
            raise NotThere("stuck")
        failure: list[OSError] = []

        def write() -> None:
            try:
                _append(self._folder, lines)
            except OSError as error:
                failure.append(error)

        self._stuck = threading.Thread(target=write, daemon=True, name="course-progress-write")
        self._stuck.start()
        self._stuck.join(PATIENCE)
        if self._stuck.is_alive():
            raise NotThere("slow")
        if failure:
            raise NotThere(str(failure[0])) from failure[0]


def _append(folder: Path, lines: Sequence[Line]) -> None:
    by_seat: dict[str, list[Line]] = {}
    for line in lines:
        by_seat.setdefault(str(line["seat"]), []).append(line)
    for seat, mine in by_seat.items():
        data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in mine)
        append_whole(folder / f"seat-{seat}.jsonl", data.encode("utf-8"), _MOST_BYTES)


class AddressWay:
    """A collector: ``POST <base>/event``.

    Parameters
    ----------
    base : str
        Address of the collector, ending in ``/class``.
    token : str
        The seat's token.
    """

    def __init__(self, base: str, token: str) -> None:
        self._base, self.token = base.rstrip("/"), token
        # bank laptops name a proxy for everything; the class is in this room
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def send(self, lines: Sequence[Line]) -> None:
        """Post events and believe only a collector's own answer."""
        answer = self.post("event", {"events": list(lines)})
        if not isinstance(answer.get("accepted"), int):
            raise NotThere("no collector answers there")

    def join(self, seat: str, again: bool) -> tuple[str, str]:
        """Join as a seat; return the seat and its token.

        Raises
        ------
        Taken
            If the seat is taken and `again` is not set.
        NotThere, Unwelcome, Poison
            If it did not work.
        """
        answer = self.post("join", {"seat": seat, "again": again})
        self.token = str(answer.get("token", ""))
        if not self.token:
            raise NotThere("no collector answers there")
        return str(answer.get("seat", seat)), self.token

    def leave(self, erase: bool) -> None:
        """Tell the collector that this seat sends nothing more."""
        self.post("leave", {"erase": erase})

    def post(self, what: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Post JSON; return the JSON that comes back."""
        request = urllib.request.Request(
            f"{self._base}/{what}",
            data=json.dumps(content, ensure_ascii=False).encode("utf-8"),
            headers={"Content-Type": "application/json", "Authorization": f"token {self.token}"},
        )
        try:
            with self._opener.open(request, timeout=PATIENCE) as response:
                answer = json.loads(response.read(1 << 16))
        except urllib.error.HTTPError as error:
            raise refusal(error.code, error.read(1 << 10)) from error
        except (OSError, ValueError) as error:
            raise NotThere(str(error)) from error
        if not isinstance(answer, dict):
            raise NotThere("no collector answers there")
        return answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A login page that answers 200 to everything must not count as a collector."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def refusal(status: int, body: bytes) -> Exception:
    """Return what a status other than 200 means for the sender."""
    if status == 409 and b"taken" in body:
        return Taken()
    meaning: Mapping[int, Callable[[str], Exception]] = {
        400: Poison,
        401: Unwelcome,
        403: Unwelcome,
        409: Unwelcome,
        413: Poison,
    }
    return meaning.get(status, NotThere)(f"HTTP {status}")
