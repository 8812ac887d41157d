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

from course_utils.build.files import explain_os_errors
from course_utils.build.products.hub.settings import TEACHER, HubSettings
from course_utils.errors import CourseError

_MARK = "course hub seat"
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
    for user in mine:
        end_processes(pwd.getpwnam(user).pw_uid)
        _run_tool("userdel", [user], user)
    return len(mine)


def end_all(settings: HubSettings) -> int:
    """End every program of every seat; returns how many seats had any."""
    if not settings.separate:
        return min(_end(lambda: _started_with(settings.python)), len(settings.seats))
    ended = 0
    for user in map(settings.system_user, everybody(settings)):
        if _known(user):
            ended += bool(end_processes(pwd.getpwnam(user).pw_uid))
    return ended


def end_processes(uid: int, seconds: float = 5.0) -> int:
    """End all processes of one user: asked first, then killed; returns how many there were.

    Kernels are sessions of their own and would outlive the server that started them.
    """
    if uid == 0:
        raise ValueError("never root")
    return _end(lambda: list(processes(uid)), seconds)


def processes(uid: int) -> Iterator[int]:
    """Yield the process ids of one user; the dead that wait for their parent do not count."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            alive = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[
                0
            ] != "Z"
            if alive and folder.stat().st_uid == uid:
                yield int(folder.name)


def become(settings: HubSettings, name: str) -> Callable[[], None]:
    """Return what a forked process does to become a seat: limits, user, home, closed files.

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
        # not the hub's log: a seat's output is the seat's
        log = os.open(".run/server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)

    return child


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
