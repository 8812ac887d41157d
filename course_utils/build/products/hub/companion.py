"""Companions of the hub: programs that end when the hub ends, however it ends."""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def with_parent(module: str, *arguments: str) -> list[str]:
    """Return a command that runs a module and ends with the process that started it.

    A hub that was killed would otherwise leave its services behind, and the next hub's would find
    their ports taken.
    """
    return [sys.executable, "-m", "course_utils.build.products.hub.companion", module, *arguments]


def main() -> None:
    """Run the module that was named, until it or the parent ends."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
