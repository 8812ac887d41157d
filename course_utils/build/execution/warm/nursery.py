"""The owner's side of the zygote: start it, ask for kernels, send them signals."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

#: Read by the interpreter or a library once, at import: a kernel cannot have them otherwise.
IMPORT_TIME_VARIABLES = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONHASHSEED",
    "PYTHONWARNINGS",
    "PYTHONUTF8",
    "PYTHONDONTWRITEBYTECODE",
    "LD_LIBRARY_PATH",
    "MPLBACKEND",
    "MPLCONFIGDIR",
    "MATPLOTLIBRC",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LANG",
    "LC_ALL",
)
#: The folder we stand in must not shadow a library. Not with -P: then the kernels could not import
#: from their own folder as ordinary ones can.
_ZYGOTE = f"""
import sys
sys.path[:] = filter(None, sys.path)
from {__package__}.zygote import main
main()
"""
#: Seconds that importing everything may take on a slow disk.
READY_WITHIN = 120.0
#: Seconds that one fork may take on a busy machine.
FORK_WITHIN = 30.0


class NurseryError(Exception):
    """No warm kernel can be had; the message, in Chinese, says why."""


class ForkedKernel:
    """A kernel that is the zygote's child, with the face of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, nursery: Nursery, number: int, pid: int, ended: Future[int]) -> None:
        self.pid = pid
        self._nursery, self._number, self.ended = nursery, number, ended

    @property
    def returncode(self) -> int | None:
        """Exit code; negative for a signal, None while it runs."""
        return self.ended.result() if self.ended.done() else None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended and return the exit code."""
        try:
            return self.ended.result(timeout)
        except FutureTimeoutError:
            raise subprocess.TimeoutExpired("kernel", timeout or 0.0) from None

    def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and everything it started."""
        if not self.ended.done():
            self._nursery.send({"id": self._number, "signal": int(signum)})

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """Warm kernels for one build. A context manager: at its end no process is left.

    Parameters
    ----------
    environment : mapping
        Environment in which the libraries are imported; `spawn` refuses a kernel that needs other
        values of the variables that count at import.
    command : sequence of str, optional
        How to start the zygote; another one for tests.

    Attributes
    ----------
    failure : str
        Why there are no warm kernels, in Chinese; empty as long as there are.
    refusals : list of str
        Why single kernels were ordinary ones.
    """

    def __init__(
        self, environment: Mapping[str, str], command: Sequence[str] | None = None
    ) -> None:
        self._environment = MappingProxyType(dict(environment))
        self._command = list(command or (sys.executable, "-c", _ZYGOTE))
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._started: dict[int, Future[int]] = {}
        self._ended: dict[int, Future[int]] = {}
        self._ready: Future[int] = Future()
        self.refusals: list[str] = []
        self.failure = "" if hasattr(os, "fork") else "这个系统不能复制进程"

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the zygote without waiting for it: its imports run beside our own work."""
        with self._lock:
            if self._process is not None or self.failure:
                return
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=dict(self._environment),
                    start_new_session=True,
                )
            except OSError as error:
                self.failure = f"预热进程启动不了（{error.strerror}）"
                return
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def spawn(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: str | Path
    ) -> ForkedKernel:
        """Fork a kernel.

        Parameters
        ----------
        arguments : sequence of str
            What follows ``python -m ipykernel_launcher``.
        environment : mapping
            Whole environment of the kernel.
        folder : path
            Its working folder.

        Raises
        ------
        NurseryError
            If the zygote is gone, refuses, or its imports were made in another environment.
        """
        self._require_same_imports(environment)
        self.start()
        self._wait_until_ready()
        number = next(self._numbers)
        started, ended = Future[int](), Future[int]()
        with self._lock:
            self._started[number], self._ended[number] = started, ended
        self.send(
            {
                "id": number,
                "arguments": list(arguments),
                "environment": dict(environment),
                "folder": str(Path(folder).absolute()),
            }
        )
        try:
            return ForkedKernel(self, number, started.result(FORK_WITHIN), ended)
        except FutureTimeoutError:
            self.send({"id": number, "signal": int(signal.SIGKILL)})  # a late fork is of no use
            raise NurseryError("预热进程没有按时回答") from None

    def _require_same_imports(self, environment: Mapping[str, str]) -> None:
        for name in IMPORT_TIME_VARIABLES:
            if environment.get(name) != self._environment.get(name):
                raise NurseryError(f"环境变量 {name} 与预热时不同")

    def _wait_until_ready(self) -> None:
        if self.failure:
            raise NurseryError(self.failure)
        try:
            self._ready.result(READY_WITHIN)
        except FutureTimeoutError:
            self.failure = f"预热用了 {READY_WITHIN:.0f} 秒还没有完成"
            raise NurseryError(self.failure) from None

    def send(self, line: Mapping[str, Any]) -> None:
        """Write one request; a zygote that is gone shows in the futures, not here."""
        data = (json.dumps(line) + "\n").encode()
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def _listen(self) -> None:
        """Hand answers to those who wait for them; at the end nobody is left waiting."""
        for raw in self._process.stdout:
            answer = json.loads(raw)
            if "ready" in answer:
                self._ready.set_result(answer["ready"])
                continue
            number = answer["id"]
            if "pid" in answer:
                self._take(self._started, number).set_result(answer["pid"])
            elif "exit" in answer:
                self._take(self._ended, number).set_result(answer["exit"])
            else:
                self._take(self._ended, number)
                self.failure = f"预热进程不能再复制（{answer['error']}）"
                self._take(self._started, number).set_exception(NurseryError(self.failure))
        self.failure = self.failure or "预热进程意外退出"
        gone = NurseryError(self.failure)
        if not self._ready.done():
            self._ready.set_exception(gone)
        with self._lock:
            started, ended = list(self._started.values()), list(self._ended.values())
            self._started.clear()
            self._ended.clear()
        for future in started:
            future.set_exception(gone)
        for future in ended:
            future.set_result(-signal.SIGKILL)

    def _take(self, waiting: dict[int, Future[int]], number: int) -> Future[int]:
        with self._lock:
            return waiting.pop(number)

    def close(self) -> None:
        """End the zygote and every kernel; afterwards there are no warm kernels any more."""
        with self._lock:
            self.failure = self.failure or "已经关闭"
            process = self._process
        if process is None:
            return
        with self._lock, contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
