"""JupyterLab on this machine: started, found again, watched."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from course_utils.desk.places import RESERVE_BYTES, free_bytes, own_environment
from course_utils.desk.work import FIRST_PAGE
from course_utils.errors import CourseError

FIRST_PORT = 8888
#: A machine that was asleep misses at least so many seconds between two looks.
SLEPT_SECONDS = 60.0
LOOK_SECONDS = 2.0
#: An old laptop with a virus scanner needs its time for the first start.
START_SECONDS = 180.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Desk:
    """Everything that a running JupyterLab of one kit needs to know.

    Parameters
    ----------
    python : pathlib.Path
        Python of the environment.
    programs : pathlib.Path
        Folder for settings and logs.
    home : pathlib.Path
        Folder that holds ``data``.
    work : pathlib.Path
        The trainee's folder.
    """

    python: Path
    programs: Path
    home: Path
    work: Path

    @property
    def runtime(self) -> Path:
        """Folder in which a running server leaves its address."""
        return self.programs / "jupyter" / "runtime"

    def variables(self) -> dict[str, str]:
        """Return the environment variables of the server and its kernels."""
        jupyter = self.programs / "jupyter"
        return own_environment(
            COURSE_HOME=str(self.home),
            OMP_NUM_THREADS="1",
            PYTHONUTF8="1",
            PYTHONNOUSERSITE="1",
            JUPYTER_CONFIG_DIR=str(jupyter / "config"),
            JUPYTER_DATA_DIR=str(jupyter / "data"),
            JUPYTER_RUNTIME_DIR=str(self.runtime),
            JUPYTER_PREFER_ENV_PATH="1",
            JUPYTERLAB_SETTINGS_DIR=str(jupyter / "settings"),
            JUPYTERLAB_WORKSPACES_DIR=str(jupyter / "workspaces"),
            IPYTHONDIR=str(jupyter / "ipython"),
            MPLCONFIGDIR=str(self.programs / "matplotlib"),
        )

    def command(self, port: int) -> list[str]:
        """Return the command that starts JupyterLab; it takes the next free port by itself."""
        # fmt: off
        command = [
            str(self.python), "-X", "utf8", "-m", "jupyterlab",
            f"--ServerApp.root_dir={self.work}",
            "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=50",
            "--ServerApp.open_browser=False", "--ServerApp.terminals_enabled=False",
            "--ServerApp.contents_manager_class=course_utils.desk.contents.CourseContents",
            "--LabApp.extension_manager=readonly", "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        # fmt: on
        if (self.work / FIRST_PAGE).is_file():
            command.append(f"--LabApp.default_url=/lab/tree/{urllib.parse.quote(FIRST_PAGE)}")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        return command


def running(desk: Desk) -> str | None:
    """Return the address of a server that already serves the trainee's folder."""
    for path in desk.runtime.glob("jpserver-*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            server = json.loads(path.read_text(encoding="utf-8"))
            same = Path(server["root_dir"]).resolve() == desk.work.resolve()
            if same and _answers(server):
                return _address(server)
    return None


def serve(desk: Desk, port: int, opened: Callable[[str], None], say: Say) -> int:
    """Start JupyterLab, tell its address once it answers, and stay until it ends.

    Parameters
    ----------
    desk : Desk
        What to start.
    port : int
        First port to try.
    opened : callable
        Called with the address.
    say : callable
        Tells the user what goes on.

    Returns
    -------
    int
        Exit code: 0 if the user ended it.

    Raises
    ------
    CourseError
        If JupyterLab does not come up.
    """
    log = desk.programs / "lab.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            desk.command(port),
            env=desk.variables(),
            cwd=desk.work,
            stdout=stream,
            stderr=stream,
            stdin=subprocess.DEVNULL,
        )
        try:
            server = _wait_for(process, desk, log)
            if server["port"] != port:
                say(f"端口 {port} 被别的程序占用，这次改用 {server['port']}，不影响使用。")
            opened(_address(server))
            return _watch(process, desk, say)
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(process)


def _wait_for(process: subprocess.Popen, desk: Desk, log: Path) -> dict:
    path = desk.runtime / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.2)
        for candidate in {path, *desk.runtime.glob("jpserver-*.json")}:
            with contextlib.suppress(OSError, ValueError, KeyError):
                server = json.loads(candidate.read_text(encoding="utf-8"))
                # a launcher of Windows' venv has another number than the Python that it starts
                same = Path(server["root_dir"]).resolve() == desk.work.resolve()
                if same and _answers(server):
                    return server
    raise CourseError(f"JupyterLab 没有启动成功：请再运行一次，仍不行请把“{log}”发给讲师。")


def _answers(server: dict) -> bool:
    """Ask a server for its state; a proxy that the bank has set is not for this machine."""
    request = urllib.request.Request(
        f"{server['url']}api/status", headers={"Authorization": f"token {server['token']}"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _address(server: dict) -> str:
    """Return a short address: the server leads on to the list of lessons."""
    return f"{server['url']}?token={server['token']}"


def _watch(process: subprocess.Popen, desk: Desk, say: Say) -> int:
    """Stay until the server ends; speak up about a full disk and after a sleep."""
    last, warned = time.time(), False
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_SECONDS)
        now = time.time()
        if now - last > SLEPT_SECONDS:
            say("电脑刚才休眠过，变量和结果都还在；页面若显示“已断开”，刷新一下页面即可。")
        last = now
        low = free_bytes(desk.work) < RESERVE_BYTES // 3
        if low and not warned:
            say("注意：磁盘快满了，请尽快腾出空间，否则笔记本存不了盘。")
        warned = low
    return process.returncode


def _stop(process: subprocess.Popen) -> None:
    """End the server; it shuts its kernels down first."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    if process.poll() is None:
        process.kill()
