"""Run a command; what it cost: wall time, CPU time and peak memory of the whole process tree.

Two measures of CPU time are taken and the larger counts. The kernel of the operating system adds
up user and system time of all processes that were waited for; `supervise` adopts orphans, so only a
process whose parent refuses to wait (SIGCHLD ignored) escapes. A sampler reads the times of every
process of the tree ten times a second; it sees those too, but misses what a process does after the
last look at it.

Memory is the sum of the proportional set sizes (PSS): memory that forked processes share counts
once. The largest process alone, which the operating system knows exactly, is a floor: the sampler
may miss a short peak. It runs in the benchmark's own process, outside the tree it looks at.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SUPERVISE = Path(__file__).with_name("supervise.py")
CPU_EVERY = 0.1
MEMORY_EVERY = 0.5
#: Looking at memory may take this share of one core; with many processes it is done less often.
MEMORY_SHARE = 0.04


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Parameters
    ----------
    wall : float
        Seconds until the command's own process had ended.
    cpu : float
        Seconds of user and system time of the tree: the larger of the two below.
    waited_cpu, sampled_cpu : float
        As reported by the operating system for waited-for processes; as seen by the sampler.
    peak_mb : float
        Largest sum of the tree's proportional set sizes; at least the largest process.
    processes : int
        Most processes at one time.
    other_cpu : float
        Seconds of CPU time that the rest of the machine used meanwhile, the sampler included.
    code : int
        Exit code.
    left : int
        Processes that were still there seconds after the command's end and had to be killed.
    """

    wall: float
    cpu: float
    waited_cpu: float
    sampled_cpu: float
    peak_mb: float
    processes: int
    other_cpu: float
    code: int
    left: int


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    cpu: float
    born: int

    @property
    def key(self) -> tuple[int, int]:
        """A pid can be used again; pid and time of birth cannot."""
        return self.pid, self.born


def available() -> bool:
    """Say whether this system can be measured (Linux)."""
    return Path("/proc/self/smaps_rollup").is_file()


def _process(path: Path, tick: float) -> _Process | None:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended since the folder was listed
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold anything
    cpu = (int(fields[11]) + int(fields[12])) / tick
    return _Process(int(path.parent.name), int(fields[1]), cpu, int(fields[19]))


def processes() -> dict[int, _Process]:
    """Return all processes of the machine by pid."""
    tick = float(os.sysconf("SC_CLK_TCK"))
    found = (_process(path, tick) for path in Path("/proc").glob("[0-9]*/stat"))
    return {process.pid: process for process in found if process is not None}


def descendants(root: int, everything: Mapping[int, _Process]) -> list[_Process]:
    """Return the processes below `root`, without it."""
    children: dict[int, list[_Process]] = {}
    for process in everything.values():
        children.setdefault(process.parent, []).append(process)
    found: list[_Process] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += [process.pid for process in below]
    return found


def pss_mb(pid: int) -> float:
    """Return the proportional set size of a process; 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def busy_cpu() -> float:
    """Return the CPU seconds that the whole machine has been busy since it started."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, soft = (int(field) for field in fields[:7])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


class Sampler:
    """Looks at the processes below one process until it is told to stop.

    Parameters
    ----------
    root : int
        The process; it does not count itself, its descendants do.
    """

    def __init__(self, root: int) -> None:
        self._root, self._stopped = root, threading.Event()
        self._cpu: dict[tuple[int, int], float] = {}
        self._memory_due = 0.0
        self.peak_mb, self.processes = 0.0, 0
        self._thread = threading.Thread(target=self._watch, name="sampler", daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes ever seen, each at the last look."""
        return sum(self._cpu.values())

    def _watch(self) -> None:
        while not self._stopped.wait(CPU_EVERY):
            self.look()

    def look(self) -> None:
        """Take one sample; memory only when it is due."""
        tree = descendants(self._root, processes())
        self._cpu |= {process.key: process.cpu for process in tree}
        self.processes = max(self.processes, len(tree))
        begin = time.monotonic()
        if begin < self._memory_due:
            return
        self.peak_mb = max(self.peak_mb, sum(pss_mb(process.pid) for process in tree))
        took = time.monotonic() - begin
        # a hair early: samples come in steps of CPU_EVERY
        self._memory_due = begin + max(MEMORY_EVERY - CPU_EVERY / 2, took / MEMORY_SHARE)


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    log: Path | None = None,
) -> Cost:
    """Run a command to its end and measure it and everything it starts.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    environment : mapping, optional
        Whole environment; our own if left out.
    folder : pathlib.Path, optional
        Working folder.
    log : pathlib.Path, optional
        Where the command's output and errors go.
    """
    reading, writing = os.pipe()
    supervised = [sys.executable, "-S", "-E", str(SUPERVISE), str(writing), *map(str, command)]
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(Path(log or os.devnull).open("wb"))
        busy = busy_cpu()
        process = subprocess.Popen(
            supervised,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd=folder,
            pass_fds=(writing,),
        )
        os.close(writing)
        try:
            with os.fdopen(reading, "rb") as stream, Sampler(process.pid) as sampler:
                line = stream.read()
                process.wait()
        except BaseException:
            process.terminate()  # the supervisor ends the whole tree
            process.wait()
            raise
        busy = busy_cpu() - busy
    if not line:
        raise OSError(f"{command[0]} could not be started")
    return _cost(json.loads(line), sampler, busy)


def _cost(report: Mapping[str, float], sampler: Sampler, busy: float) -> Cost:
    cpu = max(report["cpu"], sampler.cpu)
    return Cost(
        wall=round(report["wall"], 3),
        cpu=round(cpu, 3),
        waited_cpu=round(report["cpu"], 3),
        sampled_cpu=round(sampler.cpu, 3),
        peak_mb=round(max(sampler.peak_mb, report["largest_mb"]), 1),
        processes=sampler.processes,
        other_cpu=round(max(busy - cpu, 0.0), 2),
        code=int(report["code"]),
        left=int(report["left"]),
    )
