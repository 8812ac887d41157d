"""A class of a few seats for tests and measurements: opened, run in a process, ended, removed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from course_utils.build.products.hub import seats, settings, start
from course_utils.build.products.kit.wheel import build_wheel
from tests.hub_client import Visitor

REPOSITORY = Path(__file__).resolve().parents[1]


def copy_project(bank: str, target: Path) -> Path:
    """Copy what a class needs of the project, answers included, to where a test may close it."""
    build = Path("build") / bank
    for part in (build / "trainee", build / "instructor", Path("lessons"), Path("data/banks")):
        shutil.copytree(REPOSITORY / part, target / part)
    truth = Path("data/warehouse") / bank / "truth.json"
    (target / truth).parent.mkdir(parents=True)
    shutil.copy2(REPOSITORY / truth, target / truth)
    for name in ("contract", "reference"):
        shutil.copytree(REPOSITORY / "data" / name, target / "data" / name)
    wheels = target / build / "trainee" / "wheels"
    shutil.rmtree(wheels)
    build_wheel(REPOSITORY, wheels, edition="trainee")  # of today's package
    return target


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class RunningClass:
    """``course hub`` in a process of its own."""

    def __init__(self, project: Path, folder: Path, bank: str, count: int) -> None:
        self.project, self.folder, self.bank, self.count = project, folder, bank, count
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.printed = folder.with_suffix(".printed.txt")

    @property
    def course(self) -> settings.HubSettings:
        return settings.load(self.folder)

    def start(self, *options: str) -> None:
        """Run the command and wait until it has said the class code."""
        with self.printed.open("w", encoding="utf-8") as stream:
            self.process = subprocess.Popen(
                self._command("--seats", str(self.count), "--port", str(self.port), *options),
                cwd=self.project,
                env=self._environment(),
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        deadline = time.monotonic() + 180
        while "课堂口令" not in self.text():
            assert self.process.poll() is None, self.text() + self.log()
            assert time.monotonic() < deadline, self.text() + self.log()
            time.sleep(0.1)

    def command(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run another ``course hub`` on this class and return what it said."""
        return subprocess.run(
            self._command(*options),
            cwd=self.project,
            env=self._environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )

    def visit(self, seat: str) -> Visitor:
        """Log in at a seat and open it."""
        visitor = Visitor(self.port)
        answer = visitor.log_in(seat, self.course.class_code, f"own-{seat}")
        assert answer.status_code == 302, answer.text
        visitor.open_seat()
        return visitor

    def hub_pid(self) -> int:
        return int((self.course.private / "hub.pid").read_text(encoding="ascii"))

    def answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"http://127.0.0.1:{self.port}/hub/api", timeout=5).ok
        return False

    def uid(self, seat: str) -> int:
        return pwd.getpwnam(self.course.system_user(seat)).pw_uid

    def text(self) -> str:
        return self.printed.read_text(encoding="utf-8")

    def log(self) -> str:
        path = self.folder / "hub" / "hub.log"
        return path.read_text(encoding="utf-8")[-4000:] if path.exists() else ""

    def end(self) -> None:
        """End the command, every seat, and remove users and folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)
        if settings.exists(self.folder):
            start.remove_class(self.course)

    def _command(self, *options: str) -> list[str]:
        base = [sys.executable, "-m", "course_utils.cli", "hub", "--bank", self.bank]
        return [*base, "--folder", str(self.folder), *options]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "COURSE_HOME": str(self.project), "PYTHONPATH": str(REPOSITORY)}


@contextlib.contextmanager
def opened(
    project: Path, folder: Path, bank: str, count: int, *options: str
) -> Iterator[RunningClass]:
    """Yield a running class; nothing of it is left afterwards."""
    running = RunningClass(project, folder, bank, count)
    try:
        running.start(*options)
        yield running
    finally:
        running.end()


def own_memory_mib(uid: int) -> dict[str, float]:
    """Return the memory of a user's processes in MiB (PSS): ``server`` and all ``kernels``."""
    found = {"server": 0.0, "kernels": 0.0}
    for pid in seats.processes(uid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            found["server" if b"singleuser" in command else "kernels"] += pss / 1024
    return found
