"""Kernel side of a build: warnings as errors, and how much CPU time each cell took.

Loaded into every kernel that the build starts, through an IPython profile of the build's own, so
it never shows up in a trainee's kernel. Where cells are metered, an ordinary kernel imports the
libraries first: what a lesson costs is the same in both kinds of kernel.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from course_utils.build.execution.warm.zygote import LESSON_MODULES, preload

_PACKAGE = Path(__file__).parents[2]
#: File to which one JSON line a cell is appended.
LOG_VARIABLE = "COURSE_CELL_LOG"

STARTUP = """\
from course_utils.build.execution.kernel import install as _install
_install()
del _install
"""


def install() -> None:
    """Set up this kernel for a build."""
    path = os.environ.get(LOG_VARIABLE)
    if path:
        preload(LESSON_MODULES)  # nothing to do in a forked kernel
    strict_warnings()
    if path:
        from IPython import get_ipython

        _log_cells(get_ipython(), Path(path))


def strict_warnings() -> None:
    """Make warnings errors where our own code is to blame, and missing glyphs everywhere."""
    for module in (r"__main__$", r"course_utils(\.|$)"):
        warnings.filterwarnings("error", module=module)
    warnings.filterwarnings("error", message=r"Glyph \d+ .*missing")


def _log_cells(shell: Any, path: Path) -> None:
    """Append to `path` what each cell cost and which files it was the first to read."""
    begin = {"cpu": time.process_time(), "modules": 0.0}
    seen: set[str] = set()

    def before(_: Any = None) -> None:
        begin["cpu"] = time.process_time()

    def after(_: Any = None) -> None:
        line = {"cpu": time.process_time() - begin["cpu"], "peak_mb": peak_memory_mb()}
        line["tables"] = sorted(tables_read() - seen)
        line["wanted"] = sorted(asked_in_vain())
        line["modules"] = []
        if len(sys.modules) != begin["modules"]:  # looking through them takes a millisecond
            begin["modules"] = len(sys.modules)
            line["modules"] = sorted(course_files() - seen)
        seen.update(line["tables"], line["modules"])
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    shell.events.register("pre_run_cell", before)
    shell.events.register("post_run_cell", after)


def course_files() -> set[str]:
    """Return the package's modules that this process has imported, as paths below the package."""
    # a copy, made in one step: another thread of the kernel may be importing
    loaded = sys.modules.copy()
    modules = [module for name, module in loaded.items() if name.startswith("course_utils")]
    files = (Path(module.__file__) for module in modules if getattr(module, "__file__", None))
    return {path.relative_to(_PACKAGE).as_posix() for path in files}


def tables_read() -> set[str]:
    """Return the bank files that this process has read, as ``"<bank>/<file>"``."""
    warehouse = sys.modules.get("course_utils.bank.warehouse")
    return set() if warehouse is None else set(warehouse.FILES_READ)


def asked_in_vain() -> set[str]:
    """Return the tables and columns that this process asked a real bank for and did not get."""
    warehouse = sys.modules.get("course_utils.bank.warehouse")
    return set() if warehouse is None else set(warehouse.ASKED_IN_VAIN)


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process in MB; 0 where the system cannot say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
