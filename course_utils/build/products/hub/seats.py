"""Seats as system users: made, looked at, ended and removed. Linux, as root."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from course_utils.build.products.hub.environment import library_path
from course_utils.build.products.hub.settings import TEACHER, HubSettings
from course_utils.errors import CourseError
from course_utils.files import explain_os_errors

_MARK = "course hub seat"
#: What a seat must be able to import.
_NEEDED = ("ssl", "sqlite3", "jupyterhub", "jupyterlab", "ipykernel", "pandas", "course_utils")
#: Processes and threads that one seat may have; a kernel has about fifteen.
MOST_PROCESSES = 400
#: Largest file that a seat may write, in bytes.
LARGEST_FILE = 2 * 2**30


def everybody(settings: HubSettings) -> tuple[str, ...]:
    """Return all who get a system user: the seats and the instructor."""
    return (*settings.seats, TEACHER)


def make_users(settings: HubSettings) -> None:
    """Make the system users that are missing, and their homes, closed to everybody else.

    Raises
    ------
    CourseError
        If the machine cannot make users or one of the names belongs to somebody else.
    """
    for name in everybody(settings):
        user = settings.system_user(name)
        if not _known(user):
            _run_tool("useradd", _useradd(settings, name), user)
        if pwd.getpwnam(user).pw_gecos != _MARK or pwd.getpwnam(user).pw_uid == 0:
            raise CourseError(f"系统用户“{user}”不是课堂建的：请换一个课堂文件夹（--folder）。")
        _make_home(settings, name)


def remove_users(settings: HubSettings) -> int:
    """Remove the users that were made for this class; their files stay. Returns how many."""
    mine = [user for user in map(settings.system_user, everybody(settings)) if _known(user)]
    mine = [user for user in mine if pwd.getpwnam(user).pw_gecos == _MARK]
    end_processes(*(pwd.getpwnam(user).pw_uid for user in mine))
    for user in mine:
        _run_tool("userdel", [user], user)
    return len(mine)


def end_all(settings: HubSettings) -> int:
    """End every program of every seat, all at once; returns how many programs there were."""
    if not settings.separate:
        return _end(lambda: _started_with(settings.python))
    users = filter(_known, map(settings.system_user, everybody(settings)))
    return end_processes(*(pwd.getpwnam(user).pw_uid for user in users))


def end_processes(*uids: int, seconds: float = 5.0) -> int:
    """End all processes of some users: asked first, then killed; returns how many there were.

    Kernels are sessions of their own and would outlive the server that started them.
    """
    if 0 in uids:
        raise ValueError("never root")
    return _end(lambda: list(processes(*uids)), seconds)


def processes(*uids: int) -> Iterator[int]:
    """Yield the process ids of some users; the dead that wait for their parent do not count."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            state = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            if state != "Z" and folder.stat().st_uid in uids:
                yield int(folder.name)


def become(settings: HubSettings, name: str, own_log: bool = True) -> Callable[[], None]:
    """Return what a forked process does to become a seat: limits, user, home, a log of its own.

    Everything is looked up here, before the fork.
    """
    import resource

    home = settings.home(name)
    account = pwd.getpwnam(settings.system_user(name)) if settings.separate else None
    memory = settings.memory_mib * 2**20

    def child() -> None:
        # private memory; what many processes share (libraries, mapped tables) does not count
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            # if the machine runs out of memory all the same, a seat goes before the hub
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
        os.umask(0o077)
        if account is not None:
            resource.setrlimit(resource.RLIMIT_NPROC, (MOST_PROCESSES, MOST_PROCESSES))
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        os.chdir(home)
        for folder in (".tmp", ".run"):
            with contextlib.suppress(OSError):
                Path(folder).mkdir()
        if not own_log:
            return
        # not the hub's log: a seat's output is the seat's
        try:
            log = os.open(".run/server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError:  # a full disk must not keep the seat closed
            log = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)

    return child


def environment(settings: HubSettings, name: str) -> dict[str, str]:
    """Return the environment of a seat's programs; nothing of the hub's own is in it."""
    home = settings.home(name)
    user = settings.system_user(name) if settings.separate else name
    own = {
        "HOME": str(home),
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/sh",
        "PATH": f"{settings.python.parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(home / ".tmp"),
        "MPLCONFIGDIR": str(home / ".matplotlib"),
        "JUPYTER_RUNTIME_DIR": str(home / ".run"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "COURSE_HOME": str(settings.kit),
        "COURSE_IDLE_SECONDS": str(settings.idle_minutes * 60),
    }
    if library := library_path(settings.folder):
        own["LD_LIBRARY_PATH"] = library
    return own


def try_python(settings: HubSettings) -> None:
    """Start Python as the first seat, before anybody comes.

    Raises
    ------
    CourseError
        If it cannot be read, or cannot load what a lesson needs.
    """
    seat = settings.seats[0]
    command = [settings.python, "-P", "-c", f"import {', '.join(_NEEDED)}"]
    try:
        done = subprocess.run(
            command,
            env=environment(settings, seat),
            preexec_fn=become(settings, seat, own_log=False),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = str(error)
    else:
        if done.returncode == 0:
            return
        reason = (done.stderr.strip().splitlines() or ["没有说明"])[-1]
    raise CourseError(
        f"座位用户运行不了课堂的 Python（{reason}）：请把项目和它的 Python 装在"
        "所有用户都能读的位置（如 /opt），用 make env 重建环境后再试。"
    )


def _make_home(settings: HubSettings, name: str) -> None:
    home = settings.home(name)
    with explain_os_errors(home):
        home.parent.mkdir(parents=True, exist_ok=True)
        home.parent.chmod(0o711)
        home.mkdir(exist_ok=True)
        if settings.separate:
            account = pwd.getpwnam(settings.system_user(name))
            if home.stat().st_uid != account.pw_uid:
                _hand_over(home, account.pw_uid, account.pw_gid)
        home.chmod(0o700)


def _hand_over(home: Path, uid: int, gid: int) -> None:
    """Give a home to its seat: after the users were removed and made again, ids may differ."""
    for entry in (home, *home.rglob("*")):
        os.chown(entry, uid, gid, follow_symlinks=False)


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _useradd(settings: HubSettings, name: str) -> list[str]:
    user = settings.system_user(name)
    group = ["--gid", user] if _has_group(user) else ["--user-group"]
    shell = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin") or "/bin/false"
    home = str(settings.home(name))
    rest = ["--no-create-home", "--home-dir", home, "--shell", shell, "--comment", _MARK]
    return [*group, *rest, user]


def _has_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _run_tool(tool: str, arguments: list[str], user: str) -> None:
    path = shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        raise CourseError(f"这台机器没有 {tool}，建不了座位用户：请换一台普通的 Linux 服务器。")
    done = subprocess.run(
        [path, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["没有说明"])[-1]
        raise CourseError(f"系统用户“{user}”没有处理成（{tool}：{reason}），请管理员检查后再试。")


def _started_with(python: Path) -> list[int]:
    """Return the processes of a rehearsal: they run the class's own interpreter."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(os.fsencode(python) + b"\0"):
                found.append(int(folder.name))
    return found


def _end(find: Callable[[], list[int]], seconds: float = 5.0) -> int:
    """Ask processes to end, then kill those that are still found; return how many there were."""
    first = find()
    _signal_all(first, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and find():
        time.sleep(0.05)
    _signal_all(find(), signal.SIGKILL)
    return len(first)


def _signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
