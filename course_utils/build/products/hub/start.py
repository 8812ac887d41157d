"""Opening a class, keeping its hub running, ending it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from course_utils.build.products.hub import capacity, seats, settings
from course_utils.build.products.hub import folder as class_folder
from course_utils.build.products.hub.settings import FOLDER_VARIABLE, HubSettings
from course_utils.errors import CourseError
from course_utils.files import explain_os_errors

#: Where a class of seats lives; a rehearsal lives below ``build``.
STATE = Path("/var/lib/course")
#: The hub is started again so many times if it dies within a minute.
RETRIES = 3


def open_class(
    root: Path,
    bank: str,
    title: str,
    names: tuple[str, ...] | None,
    port: int,
    *,
    folder: Path | None = None,
    separate: bool = True,
    memory_mib: int = 1536,
    idle_minutes: int = 180,
) -> HubSettings:
    """Write or update the class folder and return the class.

    Codes, ports and the seats' work stay as they were if the class was opened before.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    bank, title : str
        Code and name of the bank.
    names : tuple of str or None
        The seats; None takes those of the last time, or twenty.
    port : int
        Port of the class address.
    folder : pathlib.Path or None
        The class folder; None takes the usual place.
    separate : bool
        False for a rehearsal.
    memory_mib, idle_minutes : int
        Limits, see `HubSettings`.

    Raises
    ------
    CourseError
        If the machine, the disk, the folder or the kit will not do.
    """
    capacity.require_machine(separate)
    class_folder.kit_of(root, bank)
    place = usual_folder(root, bank, separate) if folder is None else folder.resolve()
    last = settings.load(place) if settings.exists(place) else None
    if last is not None and (last.bank, last.separate) != (bank, separate):
        raise CourseError(f"“{place}”是另一个课堂的文件夹：请用 --folder 换一个。")
    if last is not None:
        require_closed(last)
    names = names or (last.seats if last else settings.numbered_seats(20))
    class_folder.require_room(place, len(names))
    if separate:
        class_folder.require_way(place)
    fresh = settings.new_codes() if last is None else _codes(last)
    ports = _ports(last)
    course = HubSettings(
        place, bank, title, names, port, *ports, **fresh,
        memory_mib=memory_mib, idle_minutes=idle_minutes, separate=separate,
    )  # fmt: skip
    with explain_os_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o711 if separate else 0o700)
    course.save()
    class_folder.prepare(course, root)
    if separate:
        seats.make_users(course)
    else:
        for name in seats.everybody(course):
            course.home(name).mkdir(parents=True, exist_ok=True)
    seats.try_python(course)
    return course


def usual_folder(root: Path, bank: str, separate: bool) -> Path:
    """Return where the class of a bank lives if nobody says otherwise."""
    return STATE / bank if separate else root / "build" / bank / "hub"


def run(course: HubSettings, ready: Callable[[], None], again: Callable[[], None]) -> None:
    """Run the hub until it is asked to stop; start it again if it dies.

    The seats run on without the hub: who works in a notebook notices a pause of seconds.

    Parameters
    ----------
    course : HubSettings
        The class.
    ready : callable
        Called once, when the class address answers.
    again : callable
        Called each time the hub died and is started again.

    Raises
    ------
    CourseError
        If a port is taken, or the hub dies again and again; its log is named.
    """
    require_ports(course)
    _asked_to_stop(course).unlink(missing_ok=True)
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stopped.append(received))
    failures: list[float] = []
    first = True
    while not stopped:
        hub = _start(course)
        if _wait_until_it_answers(course, hub, stopped) and first:
            ready()
            first = False
        while hub.poll() is None and not stopped:
            time.sleep(0.2)
        if stopped or _asked_to_stop(course).exists():
            _end(hub)
            return
        failures = [then for then in failures if time.monotonic() - then < 60]
        failures.append(time.monotonic())
        if first or len(failures) > RETRIES:
            _end_recorded(course.private / "proxy.pid")
            raise CourseError(
                f"课堂服务器没有启动起来，原因见“{course.private / 'hub.log'}”的最后几行。"
            )
        again()


def stop_class(course: HubSettings) -> int:
    """End hub, proxy and all seats; the work stays. Returns how many programs were running."""
    _asked_to_stop(course).touch()  # or `run` would take it for an accident
    for name in ("hub.pid", "proxy.pid"):
        _end_recorded(course.private / name)
    return seats.end_all(course)


def remove_class(course: HubSettings) -> int:
    """End the class and remove its users and its folder, the trainees' work included."""
    stop_class(course)
    removed = seats.remove_users(course) if course.separate else 0
    shutil.rmtree(course.folder, ignore_errors=True)
    return removed


def reset_seat(course: HubSettings, seat: str) -> None:
    """Forget a seat's own password: the next who logs in sets a new one.

    Raises
    ------
    CourseError
        If there is no such seat.
    """
    import json

    if seat not in course.seats:
        raise CourseError(f"没有座位“{seat}”：座位是 {course.seats[0]} 到 {course.seats[-1]}。")
    path = course.private / "passwords.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known.pop(seat, None)
    settings.write_private(path, json.dumps(known))


def require_closed(course: HubSettings) -> None:
    """Refuse to open a class that is open.

    Raises
    ------
    CourseError
        If its hub is running.
    """
    if _ours(course.private / "hub.pid") is not None:
        raise CourseError(
            f"这个课堂已经开着（端口 {course.port}）：要改设置请先用 --stop 下课，再重新开课。"
        )


def require_ports(course: HubSettings) -> None:
    """Say which port is taken, and how to ask for another.

    Raises
    ------
    CourseError
        If another program listens there.
    """
    require_closed(course)
    _end_recorded(course.private / "proxy.pid")  # left over by a hub that was killed
    address = course.address or "0.0.0.0"
    if not _free(address, course.port):
        raise CourseError(
            f"端口 {course.port} 被别的程序占着：请用 --port 换一个，如 {course.port + 1}。"
        )
    for port in (course.hub_port, course.proxy_port, course.progress_port):
        if not _free("127.0.0.1", port):
            raise CourseError(
                f"课堂内部用的端口 {port} 被别的程序占着：请先关掉它，"
                "或用 --stop 下课、删掉课堂文件夹里的 hub/hub.yml 后重新开课。"
            )


def _asked_to_stop(course: HubSettings) -> Path:
    return course.private / "stop"


def _ports(last: HubSettings | None) -> tuple[int, int, int]:
    """Return the inner ports: those of the last time, since running seats know them."""
    if last is not None:
        return (last.hub_port, last.proxy_port, last.progress_port)
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(3)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        first, second, third = (door.getsockname()[1] for door in doors)
    return first, second, third


def _codes(last: HubSettings) -> dict[str, str]:
    return {name: getattr(last, name) for name in settings.new_codes()}


def _start(course: HubSettings) -> subprocess.Popen[bytes]:
    """Start JupyterHub with its log in the class folder."""
    config = class_folder.deploy_folder() / "jupyterhub_config.py"
    environment = {**os.environ, FOLDER_VARIABLE: str(course.folder)}
    log = os.open(course.private / "hub.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        hub = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=course.private,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(log)
    settings.write_private(course.private / "hub.pid", str(hub.pid))
    return hub


def _wait_until_it_answers(
    course: HubSettings, hub: subprocess.Popen[bytes], stopped: list[int]
) -> bool:
    from urllib.error import URLError
    from urllib.request import ProxyHandler, build_opener

    ask = build_opener(ProxyHandler({})).open  # this machine, whatever proxy the system has
    while hub.poll() is None and not stopped:
        with contextlib.suppress(URLError, OSError):
            ask(f"http://127.0.0.1:{course.port}/hub/api", timeout=2).close()
            return True
        time.sleep(0.2)
    return False


def _end(hub: subprocess.Popen[bytes]) -> None:
    hub.terminate()
    try:
        hub.wait(timeout=20)
    except subprocess.TimeoutExpired:
        hub.kill()
        hub.wait()


def _end_recorded(note: Path) -> None:
    """End the process whose id a file holds, if it is still one of ours."""
    pid = _ours(note)
    if pid is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        for _ in range(50):
            if not Path(f"/proc/{pid}").exists():
                note.unlink(missing_ok=True)
                return
            time.sleep(0.1)


def _ours(note: Path) -> int | None:
    """Return the process id in a file if that process runs and is a hub or a proxy."""
    try:
        pid = int(note.read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    known = (b"jupyterhub", b"configurable-http-proxy")
    return pid if any(name in command for name in known) else None


def _free(address: str, port: int) -> bool:
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((address, port))
        except OSError:
            return False
    return True
