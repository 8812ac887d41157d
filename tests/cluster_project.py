"""A project of its own with a package of its own, a real scheduler, real workers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from build_project import REPOSITORY, edit, make_project

NAMES = tuple(f"m98_n{number:02d}_lesson" for number in range(1, 9))
#: Seconds that anything may take on a busy machine.
DEADLINE = 120.0

#: Each run says when it begins and when it ends: lesson, edition, kernel, zygote, worker.
BEGIN = """
import os, pathlib, time
def parent(pid):
    return int(pathlib.Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])
zygote = os.getppid()
marks = f"{{os.getpid()}} {{zygote}} {{parent(zygote)}}"
def log(what):
    with open({log!r}, "a") as stream:
        stream.write(f"{name} {{what}} {{marks}}\\n")
log("begin")
while {gated} and not pathlib.Path({gate!r}).exists():
    time.sleep(0.05)
print(BANK, LIMIT, LABEL)"""
END = '{check}\nlog("end-" + ("trainee" if answer is ... else "instructor"))'
CHECK = 'print(f"【E1 {state}】")'


class Project:
    """A small project with a copy of the package, so that nobody changes it during a test.

    Parameters
    ----------
    root : pathlib.Path
        Where it goes.
    open_lessons : int
        The first ones run through; the others wait until `open_gate`.
    """

    def __init__(self, root: Path, open_lessons: int = 2) -> None:
        self.root = make_project(root, NAMES)
        self.log, self.gate = root / "runs.log", root / "gate"
        shutil.copytree(REPOSITORY / "course_utils", root / "course_utils")
        for name in ("contract", "reference"):
            shutil.copytree(REPOSITORY / "data" / name, root / "data" / name)
        shutil.copy2(REPOSITORY / "README.md", root / "README.md")
        self.gated = NAMES[open_lessons:]
        for name in NAMES:
            code = BEGIN.format(
                log=str(self.log), gate=str(self.gate), name=name, gated=name in self.gated
            )
            edit(root, name, "print(BANK, LIMIT, LABEL)", code.strip())
            edit(root, name, CHECK, END.format(check=CHECK))
        self.processes: list[subprocess.Popen[str]] = []

    def add_bank(self, code: str, text: str | None = None) -> None:
        """Write the profile of a small bank."""
        folder = self.root / "data" / "banks" / code
        folder.mkdir(parents=True)
        if text is None:
            text = (REPOSITORY / "data/banks/coastal/bank.yml").read_text(encoding="utf-8")
            text = re.sub(r"^persons: .*$", "persons: 500", text, flags=re.MULTILINE)
            text = text.replace("甲县农村商业银行（示例）", f"银行{code}")
        (folder / "bank.yml").write_text(text, encoding="utf-8")

    def use_tables(self, code: str, folder: Path) -> None:
        """Take tables that were generated before."""
        shutil.copytree(folder, self.root / "data" / "warehouse" / code)

    def open_gate(self) -> None:
        self.gate.write_text("")

    def runs(self, what: str = "") -> list[list[str]]:
        """Return the lines of the log: lesson, event, kernel, zygote, worker."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split() for line in lines if line.split()[1].startswith(what)]

    def at_the_gate(self) -> dict[str, list[str]]:
        """Return the runs that wait at the gate, by worker process."""
        return {run[4]: run for run in self.runs("begin") if run[0] in self.gated}

    def environment(self, package: Path | None = None, **more: str) -> dict[str, str]:
        path = str(package or self.root)
        home = {"COURSE_HOME": str(self.root), "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("COURSE_", "DASK_"))}
        return {**keep, **home, "PYTHONUTF8": "1", "COLUMNS": "200", **more}

    def start(self, *command: str, **options) -> subprocess.Popen[str]:
        """Start a Python process that is ended with the test."""
        options.setdefault("env", self.environment())
        log = (self.root / f"process{len(self.processes)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", *command],  # -P: the package is that of PYTHONPATH
            cwd=self.root,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        process.output = Path(log.name)
        self.processes.append(process)
        return process

    def start_scheduler(self) -> str:
        port = free_port()
        loopback = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")
        self.start("distributed.cli.dask_scheduler", "--port", str(port), *loopback)
        wait_until(lambda: listens(port), "the scheduler")
        return f"tcp://127.0.0.1:{port}"

    def start_worker(self, scheduler: str, name: str, *more: str, **options):
        fixed = ("--nthreads", "1", "--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")
        scratch = ("--local-directory", str(self.root / f"scratch-{name}"))
        nanny = () if "--nanny" in more else ("--no-nanny",)
        return self.start(
            "distributed.cli.dask_worker",
            scheduler,
            "--name",
            name,
            *fixed,
            *scratch,
            *nanny,
            *more,
            **options,
        )

    def start_build(self, *options: str, **more):
        return self.start("course_utils.cli", "build-all", *options, **more)

    def build(self, *options: str, **more) -> tuple[int, str]:
        """Run the command to its end; return exit code and output."""
        process = self.start_build(*options, **more)
        return process.wait(DEADLINE), process.output.read_text(encoding="utf-8")

    def report(self) -> dict:
        return json.loads((self.root / "build" / "banks.json").read_text(encoding="utf-8"))

    def close(self) -> None:
        for process in reversed(self.processes):
            kill(process)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def alive(pid: str | int) -> bool:
    """Say whether a process runs; one that is only waiting to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(condition, what: str, process=None) -> None:
    """Wait for a condition; fail if it takes too long or the process that should bring it ends."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            said = process.output.read_text(encoding="utf-8") if process is not None else ""
            raise AssertionError(f"waited in vain for {what}\n{said}")
        time.sleep(0.05)


def kill(process) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
