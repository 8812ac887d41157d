"""The class folder: one append-only file a seat, read by whoever has the folder."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from course_utils.classroom.events import Event, normalised, read_line
from course_utils.errors import CourseError
from course_utils.exercises.progress.files import append_whole

#: A seat of a two-day class writes some hundred kilobytes; more is a fault or mischief.
MOST_BYTES = 4 << 20
MOST_SEATS = 400


class FullError(Exception):
    """The disk is full, or a seat has written more than a class can need."""


@dataclass
class _Known:
    """What has been read of one file: size, last change and the events."""

    size: int = -1
    changed: int = -1
    events: list[Event] = field(default_factory=list)
    broken: int = 0


@dataclass
class ClassStore:
    """Events of one class.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``seat-<name>.jsonl`` files; made when the first event comes.
    """

    folder: Path
    _known: dict[str, _Known] = field(default_factory=dict)
    _numbers: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    _present: dict[str, bool] = field(default_factory=dict)

    def path(self, seat: str) -> Path:
        """Return the file of a seat."""
        return self.folder / f"seat-{seat}.jsonl"

    def append(self, seat: str, raw_events: Iterable[Any]) -> int:
        """Store events of a seat; those already there, and those that are none, are left out.

        Parameters
        ----------
        seat : str
            Whose they are, whatever they say themselves.
        raw_events : iterable
            As they came.

        Returns
        -------
        int
            How many are new.

        Raises
        ------
        FullError
            If the disk is full or the seat has written too much. Nothing is half-written.
        """
        numbers = self._seen(seat)
        received = datetime.now().astimezone().isoformat(timespec="milliseconds")
        lines, keys = [], []
        for raw in raw_events:
            line = normalised(raw)
            if line is None or (key := (line["session"], line["number"])) in numbers:
                continue
            if key in keys:
                continue
            lines.append({**line, "seat": seat, "received": received})
            keys.append(key)
        if lines:
            self._write(seat, lines)
            numbers.update(keys)
            for line in lines:
                self._note_presence(seat, line["event"])
        return len(lines)

    def _write(self, seat: str, lines: Sequence[Mapping[str, Any]]) -> None:
        path = self.path(seat)
        data = b"".join(
            json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n" for line in lines
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not path.exists() and len(self.files()) >= MOST_SEATS:
                raise FullError
            append_whole(path, data, MOST_BYTES)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise FullError from error
            raise

    def _seen(self, seat: str) -> set[tuple[str, int]]:
        """Return (session, number) of all stored events of a seat; read once."""
        if seat not in self._numbers:
            events = self._read(self.path(seat)).events
            self._numbers[seat] = {(event.session, event.number) for event in events}
            for event in events:
                self._note_presence(seat, event.event)
        return self._numbers[seat]

    def _note_presence(self, seat: str, event: str) -> None:
        if event in ("join", "leave"):
            self._present[seat] = event == "join"

    def joined(self, seat: str) -> bool:
        """Whether the seat's trainee has agreed and not taken it back."""
        self._seen(seat)
        return self._present.get(seat, False)

    def erase(self, seat: str) -> None:
        """Delete everything a seat has told."""
        with contextlib.suppress(FileNotFoundError):
            self.path(seat).unlink()
        for kept in (self._numbers, self._present):
            kept.pop(seat, None)
        self._known.pop(self.path(seat).name, None)

    def files(self) -> list[Path]:
        """Return the seats' files; also those of version 0.3, which are called ``<seat>.jsonl``."""
        try:
            return sorted(path for path in self.folder.glob("*.jsonl") if path.is_file())
        except OSError:
            return []

    def events(self) -> list[Event]:
        """Return all events; only files that changed are read again.

        Raises
        ------
        CourseError
            If the folder is not there.
        """
        if not self.folder.is_dir():
            raise CourseError(
                f"找不到课堂文件夹“{self.folder}”：共享盘断开了，或还没有人加入；请检查路径和网络。"
            )
        return [event for path in self.files() for event in self._read(path).events]

    def broken_lines(self) -> int:
        """How many stored lines could not be read."""
        return sum(known.broken for known in self._known.values())

    def _read(self, path: Path) -> _Known:
        known = self._known.setdefault(path.name, _Known())
        try:
            state = path.stat()
            if (state.st_size, state.st_mtime_ns) == (known.size, known.changed):
                return known
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            return known
        seat = path.stem.removeprefix("seat-")
        lines = [line for line in text.split("\n") if line.strip()]
        read = [read_line(line, seat) for line in lines]
        known.events = [event for event in read if event is not None]
        known.broken = len(lines) - len(known.events)
        known.size, known.changed = state.st_size, state.st_mtime_ns
        return known

    def own_files(self) -> list[Path]:
        """Return the files that are a seat's for sure: other programs write lines of JSON, too."""
        files = self.files()
        return [p for p in files if p.name.startswith("seat-") or self._read(p).events]

    def purge(self) -> int:
        """Delete what a class has stored, and nothing else that lies in the folder.

        Returns
        -------
        int
            How many seats were in it.
        """
        files = self.own_files()
        for path in (*files, self.folder / "plan.json"):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()
        for kept in (self._known, self._numbers, self._present):
            kept.clear()
        return len(files)
