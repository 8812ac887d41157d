"""Kernel side of a build: warnings as errors, and how much CPU time each cell took.

Loaded into every kernel that the build starts, through an IPython profile of the build's own, so
it imports nothing heavy and never shows up in a trainee's kernel.
"""

from __future__ import annotations

import builtins
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: File to which one JSON line a cell is appended.
LOG_VARIABLE = "COURSE_CELL_LOG"

STARTUP = """\
from course_utils.build.execution.kernel import install as _install
_install()
del _install
"""


def install() -> None:
    """Set up this kernel for a build."""
    strict_warnings()
    if path := os.environ.get(LOG_VARIABLE):
        from IPython import get_ipython

        meter = ImportMeter()
        meter.start()
        _log_cells(get_ipython(), Path(path), meter)


def strict_warnings() -> None:
    """Make warnings errors where our own code is to blame, and missing glyphs everywhere."""
    for module in (r"__main__$", r"course_utils(\.|$)"):
        warnings.filterwarnings("error", module=module)
    warnings.filterwarnings("error", message=r"Glyph \d+ .*missing")


class ImportMeter:
    """Measures the CPU time that goes into importing modules."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._original: Callable[..., Any] = builtins.__import__

    def start(self) -> None:
        """Begin to measure every outermost import."""
        builtins.__import__ = self._import

    def stop(self) -> None:
        """Put the interpreter's own import back."""
        builtins.__import__ = self._original

    def _import(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if self._depth or name in sys.modules:
            return self._original(name, *args, **kwargs)
        self._depth += 1
        begin = time.process_time()
        try:
            return self._original(name, *args, **kwargs)
        finally:
            self.seconds += time.process_time() - begin
            self._depth -= 1


def _log_cells(shell: Any, path: Path, meter: ImportMeter) -> None:
    """Append CPU seconds, import seconds and peak memory of each cell to `path`."""
    state = {"cpu": time.process_time(), "imports": meter.seconds}

    def before(_: Any = None) -> None:
        state.update(cpu=time.process_time(), imports=meter.seconds)

    def after(_: Any = None) -> None:
        line = {
            "cpu": time.process_time() - state["cpu"],
            "imports": meter.seconds - state["imports"],
            "peak_mb": peak_memory_mb(),
        }
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    shell.events.register("pre_run_cell", before)
    shell.events.register("post_run_cell", after)


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in MB; 0 where the system cannot say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
