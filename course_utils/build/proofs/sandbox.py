"""Run lesson cells in this process: quiet, limited, in cheap copies of a notebook's state."""

from __future__ import annotations

import contextlib
import copy
import io
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd

MEMORY = 2 << 30
_PAGE = 4096


class Overrun(BaseException):
    """The time limit ran out. A BaseException: a cell's own ``except`` does not catch it."""


def fork(namespace: dict[str, Any]) -> dict[str, Any]:
    """Copy a notebook's state so that running a cell in the copy leaves the original alone.

    Frames are shallow copies (safe under pandas' copy-on-write), plain containers and arrays are
    copied, functions of the notebook see the copy's variables.

    Parameters
    ----------
    namespace : dict[str, Any]
        The notebook's variables.
    """
    child: dict[str, Any] = {}
    for name, value in namespace.items():
        if isinstance(value, (pd.DataFrame, pd.Series)):
            child[name] = value.copy(deep=False)
        elif isinstance(value, FunctionType) and value.__globals__ is namespace:
            child[name] = _rebound(value, child)
        elif isinstance(value, (list, dict, set, np.ndarray)) and name != "__builtins__":
            child[name] = _copied(value)
        else:
            child[name] = value
    return child


def _rebound(function: FunctionType, space: dict[str, Any]) -> FunctionType:
    twin = FunctionType(
        function.__code__, space, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:
        return copy.copy(value)


def run_cell(source: str, namespace: dict[str, Any], seconds: float | None = None) -> None:
    """Execute a cell's source in a namespace, without output, warnings or open figures.

    Parameters
    ----------
    source : str
        Python source; IPython's ``%`` and ``!`` lines are skipped.
    namespace : dict[str, Any]
        Variables, changed in place.
    seconds : float, optional
        Time limit; memory is limited as well then (where the system can).

    Raises
    ------
    Overrun
        If the time limit is reached.
    """
    lines = ["" if line.startswith(("%", "!")) else line for line in source.split("\n")]
    code = compile("\n".join(lines), "<cell>", "exec")
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        _limits(seconds),
    ):
        warnings.simplefilter("ignore")
        try:
            exec(code, namespace)
        finally:
            if "matplotlib.pyplot" in sys.modules:
                sys.modules["matplotlib.pyplot"].close("all")


@contextlib.contextmanager
def workplace(environment: dict[str, str]) -> Iterator[None]:
    """Run a lesson with deliverables going to a folder that is thrown away.

    Parameters
    ----------
    environment : dict[str, str]
        ``os.environ`` or a stand-in; ``COURSE_OUTPUT`` and ``MPLBACKEND`` are set for the time.
    """
    kept = {name: environment.get(name) for name in ("COURSE_OUTPUT", "MPLBACKEND")}
    with tempfile.TemporaryDirectory() as folder:
        environment["COURSE_OUTPUT"] = str(Path(folder) / "out")
        environment["MPLBACKEND"] = "Agg"
        try:
            yield
        finally:
            for name, value in kept.items():
                if value is None:
                    environment.pop(name, None)
                else:
                    environment[name] = value


@contextlib.contextmanager
def _limits(seconds: float | None) -> Iterator[None]:
    if seconds is None:
        yield
        return
    with _memory_limit(), _time_limit(seconds):
        yield


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not (
        threading.main_thread()
    ):
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise Overrun

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _memory_limit() -> Iterator[None]:
    """Let a runaway merge raise MemoryError instead of taking the machine down (Linux)."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(statm.read_text(encoding="ascii").split()[0]) * _PAGE
    limit = used + MEMORY
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
