"""What the kernels of a build find around them."""

from __future__ import annotations

import os
from pathlib import Path

from course_utils.build.execution.kernel import STARTUP
from course_utils.files import write_text

#: Compiled modules are kept; what checks do is not for the shell that starts a build to say.
_NOT_INHERITED = (
    "PYTHONDONTWRITEBYTECODE",
    "COURSE_CHECK",
    "COURSE_PROGRESS_DIR",
    "COURSE_PROGRESS_URL",
    "COURSE_PROGRESS_TOKEN",
)


def kernel_environment(root: Path, cache: Path | None = None) -> dict[str, str]:
    """Return what the environments of all kernels of a build have in common.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    cache : pathlib.Path, optional
        Holds the IPython profile and matplotlib's font cache; the project's ``.cache`` if left
        out. Machines that share the project have one each: their fonts may differ.
    """
    cache = root / ".cache" if cache is None else cache
    startup = cache / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    script = startup / "00-course.py"
    if not script.is_file() or script.read_text(encoding="utf-8") != STARTUP:
        write_text(script, STARTUP)
    (cache / "matplotlib").mkdir(exist_ok=True)
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    inherited = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
    # glibc gives memory of large arrays back to the system after each use and has it cleared page
    # by page for the next one: a tenth of a lesson's time. Other systems ignore these names.
    memory = {
        "MALLOC_MMAP_THRESHOLD_": str(256 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
        "MALLOC_TOP_PAD_": str(32 << 20),
    }
    return {
        **inherited,
        **memory,
        **dict.fromkeys(threads, "1"),
        "IPYTHONDIR": str(cache / "ipython"),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "COURSE_HOME": str(root),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
    }
