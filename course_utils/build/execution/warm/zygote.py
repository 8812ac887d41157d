"""The process that warm kernels are forked from: libraries imported, nothing else.

Importing pandas, matplotlib, SciPy and the rest costs more CPU time than most lessons. Here it is
paid once; every kernel is then a fork that begins with the libraries in memory. What a library
keeps for its process (threads, sockets, random state, warnings already shown) must not exist
before a fork, so the zygote imports and waits, no more. The course's own package is not imported:
it may change while a zygote lives.

Requests come as JSON lines on standard input, answers go as JSON lines to standard output::

    {"id": 1, "arguments": [...], "environment": {...}, "folder": "..."}   ->  {"id": 1, "pid": 42}
    {"id": 1, "signal": 2}                                             (the kernel and its children)
                                                        when it ends   ->  {"id": 1, "exit": 0}

The end of the input means that the owner is gone: all kernels are killed.
Works where ``os.fork`` does (Linux, macOS).
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

#: What a kernel itself needs, then what lessons use. Each is a library pinned by the lock.
#: DuckDB starts a thread when it is imported, so each kernel imports it for itself (40 ms).
KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completer",
    "IPython.core.pylabtools",
    "jedi",
    "sqlite3",
)
LESSON_MODULES = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PpmImagePlugin",
    "scipy.optimize",
    "scipy.sparse",
    "scipy.special",
    "scipy.stats",
    "statsmodels.api",
    "sklearn.ensemble",
    "sklearn.impute",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.tree",
    "ruamel.yaml",
    "xlsxwriter",
)


#: Libraries that others import if they are installed, that no lesson uses, and that start threads:
#: a process with threads cannot be forked.
_KEPT_OUT = ("polars",)


@contextlib.contextmanager
def _without_threads() -> Iterator[None]:
    """Let libraries believe that some others are not installed."""
    hidden = [name for name in _KEPT_OUT if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def _looks_like_a_kernel() -> Iterator[None]:
    """Let libraries that ask where they are (pandas: how wide to print) find a kernel."""
    import builtins

    if hasattr(builtins, "get_ipython"):  # this is one
        yield
        return
    builtins.get_ipython = lambda: SimpleNamespace(kernel=True)
    try:
        yield
    finally:
        del builtins.get_ipython


def preload(modules: tuple[str, ...]) -> None:
    """Import libraries; one that is not installed is left to the lesson that asks for it.

    Warnings are not shown and not remembered as shown: a lesson must see its own. What libraries
    want shown always or never stays, as if a lesson had imported them.
    """
    before = list(warnings.filters)
    with warnings.catch_warnings(), _looks_like_a_kernel(), _without_threads():
        warnings.simplefilter("ignore")
        before.append(warnings.filters[0])
        for module in modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        wanted = [entry for entry in warnings.filters if entry not in before]
    for action, message, category, module, line in reversed(wanted):
        patterns = [getattr(part, "pattern", part) or "" for part in (message, module)]
        warnings.filterwarnings(action, patterns[0], category, patterns[1], line)


def count_threads() -> int:
    """Return how many threads this process has, those of C libraries too where that is known."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


class Zygote:
    """Forks a kernel a request and tells when one has ended.

    Parameters
    ----------
    requests, answers : int
        File descriptors.
    """

    def __init__(self, requests: int, answers: int) -> None:
        self._requests, self._answers = requests, answers
        self._wake_read, self._wake_write = os.pipe()
        self._selector = selectors.DefaultSelector()
        for descriptor in (self._wake_read, self._wake_write, requests):
            os.set_blocking(descriptor, False)
        self._buffer = b""
        self._kernels: dict[int, int] = {}  # pid -> id

    def serve(self) -> NoReturn:
        """Wait for requests and for kernels that end, until the owner is gone."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._selector.register(self._requests, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._answer({"ready": os.getpid(), "threads": count_threads()})
        while True:
            self._selector.select()
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
            for request in self._read_requests():
                self._handle(request)
            self._reap()

    def _read_requests(self) -> list[dict[str, Any]]:
        while True:
            try:
                data = os.read(self._requests, 1 << 16)
            except BlockingIOError:
                break
            if not data:
                self._leave()
            self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        return [json.loads(line) for line in lines]

    def _handle(self, request: dict[str, Any]) -> None:
        if "signal" in request:
            self._signal(request["id"], request["signal"])
        elif (threads := count_threads()) != 1:
            self._answer({"id": request["id"], "error": f"{threads} threads"})
        else:
            pid = os.fork()
            if pid == 0:
                self._become_kernel(request)
            self._kernels[pid] = request["id"]
            self._answer({"id": request["id"], "pid": pid})

    def _signal(self, number: int, signum: int) -> None:
        """Signal a kernel's process group; it cannot be another's, for it is not reaped yet."""
        for pid, owner in self._kernels.items():
            if owner == number:
                _send(pid, signum)

    def _reap(self) -> None:
        while self._kernels:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            number = self._kernels.pop(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # what a crashed kernel had started lives on in it
            self._answer({"id": number, "exit": os.waitstatus_to_exitcode(status)})

    def _answer(self, line: dict[str, Any]) -> None:
        try:
            os.write(self._answers, (json.dumps(line) + "\n").encode())
        except OSError:
            self._leave()

    def _leave(self) -> NoReturn:
        for pid in self._kernels:
            _send(pid, signal.SIGKILL)
        for _ in self._kernels:
            os.wait()  # their CPU time counts as ours
        os._exit(0)

    def _become_kernel(self, request: dict[str, Any]) -> NoReturn:
        """Turn this fork into a kernel as if ``python -m ipykernel_launcher`` had started it."""
        code = 1
        try:
            self._selector.close()
            for descriptor in (self._requests, self._answers, self._wake_read, self._wake_write):
                os.close(descriptor)
            os.setsid()  # signals to this kernel reach no other
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _set_surroundings(request["environment"], request["folder"])
            code = _run_kernel(request["arguments"])
        finally:
            os._exit(code)  # the interpreter's tear-down would cost a tenth of a second


def _send(pid: int, signum: int) -> None:
    """Signal a kernel with all it started; one forked this moment has no group of its own yet."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        try:
            os.killpg(pid, signum)
        except ProcessLookupError:
            os.kill(pid, signum)


def _set_surroundings(environment: dict[str, str], folder: str) -> None:
    """Give this fork the environment, folder, streams and random state of a fresh process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    time.tzset()
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - as long as we live
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
        os.dup2(stream.fileno(), ("stdin", "stdout", "stderr").index(name))
    # Python's `random` reseeds itself after a fork; NumPy's global generator does not
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    gc.enable()


def _run_kernel(arguments: list[str]) -> int:
    import atexit

    from ipykernel.kernelapp import IPKernelApp

    sys.argv = ["ipykernel_launcher", *arguments]
    try:
        application = IPKernelApp.instance(parent_handle=os.getppid())
        application.initialize(arguments)
        # ipykernel's own way out joins its threads, of which one may be waiting for another that
        # has ended already, and IPython's clears the variables one by one; a process that ends at
        # once needs neither
        atexit.unregister(application.close)
        atexit.unregister(application.shell.atexit_operations)
        application.start()
        return 0
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()


def main() -> NoReturn:
    """Import everything, keep the pipes for ourselves, serve."""
    requests, answers = os.dup(0), os.dup(1)
    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, who ends us
    preload(KERNEL_MODULES + LESSON_MODULES)
    gc.collect()
    gc.disable()
    gc.freeze()  # forks share this memory as long as nobody writes to it
    Zygote(requests, answers).serve()


if __name__ == "__main__":
    main()
