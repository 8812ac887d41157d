"""Parent of one measured command: ``supervise.py FD PROGRAM ARGUMENT...``.

Runs in a process of its own, so that the resource usage of its children is the command's and
nothing else's. It adopts processes whose parent has died (Linux: child subreaper): a kernel that
nobody waits for is waited for here, and its CPU time counts. Writes one JSON line to FD.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

_SET_CHILD_SUBREAPER = 36
#: Seconds that processes left behind may take to end by themselves.
_GRACE = 5.0


def _children() -> list[int]:
    """Return the pids of our children, adopted ones too."""
    own, found = os.getpid(), []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended since
        if int(fields[1]) == own:
            found.append(int(path.parent.name))
    return found


def _wait_for(pid: int) -> int:
    """Wait for one child, and for any other that ends before; return its exit code."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def _end_the_rest() -> int:
    """Wait for what the command left behind, then kill it; return how many had to be killed."""
    killed, until = set(), time.monotonic() + _GRACE
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return len(killed)
        if pid:
            continue
        if time.monotonic() > until:
            for child in _children():  # a killed one's children become ours and are next
                os.kill(child, signal.SIGKILL)
                killed.add(child)
        time.sleep(0.02)


def _stop(*_: Any) -> NoReturn:
    """Leave nothing running when the benchmark itself is interrupted."""
    while children := _children():
        for child in children:
            os.kill(child, signal.SIGKILL)
        for _ in children:
            os.wait()
    os._exit(1)


def main() -> None:
    """Run the command and report."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    report, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(report, False)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
    begin = time.perf_counter()
    default = [signal.SIGINT, signal.SIGTERM]
    pid = os.posix_spawnp(command[0], command, os.environ, setsigdef=default)
    code = _wait_for(pid)
    wall = time.perf_counter() - begin
    left = _end_the_rest()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    line = {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "largest_mb": usage.ru_maxrss / 1024,
        "code": code,
        "left": left,
    }
    os.write(report, json.dumps(line).encode())


if __name__ == "__main__":
    main()
