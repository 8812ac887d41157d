"""Events that still have to be sent: in memory, spooled to the trainee's disk when it takes longer.

`put` costs microseconds and never waits: a thread delivers. What is not delivered stays in order
and is tried again; what is not delivered when the kernel ends is sent by the next one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from course_utils.exercises.progress.files import replace_text
from course_utils.exercises.progress.ways import Line, NotThere, Poison, Unwelcome, Way

#: More than a trainee does in a day.
MOST = 2000
BATCH = 50
#: Seconds between tries: at once, then longer and longer.
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
#: A spool file that nobody has touched for so long (seconds) has lost its kernel.
_ABANDONED = 60.0
_FAREWELL = 0.4


class Pending:
    """An ordered, bounded list of events; the oldest leave first, and are counted.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._lines: deque[Line] = deque()
        self._most = most
        self._lock = threading.Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, lines: Iterable[Line], *, before: bool = False) -> None:
        """Add events at the end, or those of an earlier kernel at the beginning."""
        with self._lock:
            if before:
                self._lines.extendleft(reversed(list(lines)))
            else:
                self._lines.extend(lines)
            while len(self._lines) > self._most:
                self._lines.popleft()
                self.dropped += 1

    def batch(self) -> list[Line]:
        """Return the next events to send."""
        with self._lock:
            return list(islice(self._lines, BATCH))

    def all(self) -> list[Line]:
        """Return all events."""
        with self._lock:
            return list(self._lines)

    def done(self, lines: Iterable[Line]) -> None:
        """Forget events that were delivered."""
        delivered = {(line["session"], line["number"]) for line in lines}
        with self._lock:
            self._lines = deque(
                line for line in self._lines if (line["session"], line["number"]) not in delivered
            )

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._lines.clear()


class Outbox:
    """Delivers events from a thread.

    Parameters
    ----------
    way : Way
        How they get to the class.
    spool : pathlib.Path
        This kernel's file of unsent events, below a folder that is shared with this trainee's
        other kernels.
    pauses : tuple of float
        Seconds between tries; empty = the usual ones.
    """

    def __init__(self, way: Way, spool: Path, pauses: tuple[float, ...] = ()) -> None:
        self._way, self._spool, self._pauses = way, spool, pauses or _PAUSES
        self._pending = Pending()
        self._wake, self._idle = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._spooled = 0
        self._failures = 0
        self.trouble = ""

    def put(self, line: Line) -> None:
        """Take an event; returns at once."""
        self._pending.add([line])
        self._idle.clear()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name="course-progress")
            self._thread.start()
            atexit.register(self.close)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many events have not been delivered."""
        return len(self._pending)

    def flush(self, seconds: float) -> bool:
        """Wait until everything is delivered, at most so many seconds; return whether it is."""
        self._wake.set()
        return self._idle.wait(seconds) if self._pending else True

    def close(self, *, forget: bool = False) -> None:
        """End the thread; keep what is unsent on disk, or forget it (the trainee has left)."""
        if self._closed:
            return
        if forget:
            self._pending.clear()
        else:
            self.flush(_FAREWELL)
        self._closed = True
        self._wake.set()
        atexit.unregister(self.close)
        self._save()

    def _run(self) -> None:
        self._adopt()
        while not self._closed:
            if not self._pending:
                self._idle.set()
                self._wake.wait()
            elif self._failures:
                time_left = self._pauses[min(self._failures, len(self._pauses)) - 1]
                # a new event is a reason to try at once only if the last try is a while ago
                self._sleep(time_left)
            self._wake.clear()
            if not self._closed and self._pending:
                self._deliver()

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._closed and (left := end - time.monotonic()) > 0:
            self._wake.clear()
            self._wake.wait(left)

    def _deliver(self) -> None:
        lines = self._pending.batch()
        try:
            self._way.send(lines)
        except Poison:
            # which of them it is shows when they go one by one
            delivered = lines if len(lines) == 1 else self._one_by_one(lines)
        except (NotThere, Unwelcome) as error:
            self._failures += 1
            self.trouble = type(error).__name__
            self._save()
            return
        except Exception as error:  # whatever a way does, a trainee's notebook goes on
            self._failures += 1
            self.trouble = type(error).__name__
            self._save()
            return
        else:
            delivered = lines
        self._failures, self.trouble = 0, ""
        self._pending.done(delivered)
        self._save()

    def _one_by_one(self, lines: list[Line]) -> list[Line]:
        finished = []
        for line in lines:
            try:
                self._way.send([line])
            except Poison:
                pass
            except (NotThere, Unwelcome):
                break
            finished.append(line)
        return finished

    def _save(self) -> None:
        """Spool what is unsent; a disk that is full or read-only leaves it in memory."""
        lines = self._pending.all()
        if not lines and not self._spooled:
            return
        with contextlib.suppress(OSError):
            if lines:
                text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
                replace_text(self._spool, text)
            else:
                self._spool.unlink(missing_ok=True)
            self._spooled = len(lines)

    def _adopt(self) -> None:
        """Take over what kernels that have ended left behind; repeated events are recognised."""
        try:
            others = sorted(self._spool.parent.glob("*.jsonl"), key=lambda p: p.stat().st_mtime)
        except OSError:
            return
        for path in reversed([path for path in others if path != self._spool]):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime < _ABANDONED:
                    continue
                self._pending.add(read_spool(path), before=True)
                self._spooled = len(self._pending)
                self._save()
                path.unlink(missing_ok=True)


def read_spool(path: Path) -> list[dict[str, Any]]:
    """Return the events of a spool file; what is not readable is left out."""
    found = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(text)
            if isinstance(line, dict) and {"session", "number", "seat"} <= line.keys():
                found.append(line)
    return found
