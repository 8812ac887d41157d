"""What one class on a server is: seats, ports, codes, limits; one YAML file in its folder."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import re
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.bank.profile import read_yaml
from course_utils.errors import CourseError
from course_utils.files import explain_os_errors

#: The configuration finds its class by this variable.
FOLDER_VARIABLE = "COURSE_HUB_FOLDER"
TEACHER = "teacher"
#: Where the proxy shows the collector of the class progress.
PROGRESS_PREFIX = "/services/progress"
MOST_SEATS = 200
_SEAT = re.compile(r"[a-z][a-z0-9-]{0,14}[a-z0-9]")


@dataclass(frozen=True)
class HubSettings:
    """One class: written by ``course hub``, read by ``deploy/jupyterhub/jupyterhub_config.py``.

    Parameters
    ----------
    folder : pathlib.Path
        The class folder: kit, environment, homes and the hub's own files.
    bank, title : str
        The bank's code and the name that people see.
    seats : tuple of str
        Who may log in, besides the instructor.
    port : int
        Port of the class address; the three ports below are for this machine only.
    hub_port, proxy_port, progress_port : int
        Hub, control of the proxy, collector of the class progress.
    class_code, teacher_password, secret, room_key : str
        Shared by the class; the instructor's own; what signs the seats' progress tokens; what opens
        the view of the room.
    memory_mib : int
        Private memory that one process of a seat (a kernel, say) may take, in MiB.
    idle_minutes : int
        A seat on which nothing happens for so long is stopped; its files stay.
    separate : bool
        True: a system user a seat. False: a rehearsal that only this machine can reach.
    """

    folder: Path
    bank: str
    title: str
    seats: tuple[str, ...]
    port: int
    hub_port: int
    proxy_port: int
    progress_port: int
    class_code: str
    teacher_password: str
    secret: str
    room_key: str
    memory_mib: int = 1536
    idle_minutes: int = 180
    separate: bool = True

    @property
    def private(self) -> Path:
        """The hub's own files; nobody but the hub's user may enter."""
        return self.folder / "hub"

    @property
    def kit(self) -> Path:
        """The trainee kit that all seats read."""
        return self.folder / "kit"

    @property
    def python(self) -> Path:
        """The interpreter that seats run."""
        return self.folder / "env" / "bin" / "python"

    @property
    def address(self) -> str:
        """Where the class address listens: everywhere, or on this machine only in a rehearsal."""
        return "" if self.separate else "127.0.0.1"

    def home(self, seat: str) -> Path:
        """Return the folder that belongs to one seat."""
        return self.folder / "homes" / seat

    def system_user(self, seat: str) -> str:
        """Return the system user of a seat; no two classes on a machine share one."""
        mark = hashlib.sha256(str(self.folder).encode()).hexdigest()[:4]
        return f"course-{mark}-{seat}"

    @property
    def progress_folder(self) -> Path:
        """Where the collector keeps what the seats report."""
        return self.private / "progress"

    @property
    def room_page(self) -> str:
        """Path of the instructor's view of the room, with the key that opens it."""
        return f"{PROGRESS_PREFIX}/class/room?key={self.room_key}"

    @property
    def progress_url(self) -> str:
        """Where seats report progress; reached on this machine only."""
        return f"http://127.0.0.1:{self.progress_port}{PROGRESS_PREFIX}/class"

    def save(self) -> Path:
        """Write the settings where only their owner can read them."""
        from ruamel.yaml import YAML

        content: dict[str, Any] = dataclasses.asdict(self)
        content.pop("folder")
        content["seats"] = list(self.seats)
        yaml, stream = YAML(typ="safe", pure=True), io.StringIO()
        yaml.default_flow_style, yaml.allow_unicode = False, True
        yaml.dump(content, stream)
        path = self.private / "hub.yml"
        with explain_os_errors(path):
            self.private.mkdir(parents=True, exist_ok=True)
            self.private.chmod(0o700)
        write_private(path, stream.getvalue())
        return path


def load(folder: Path) -> HubSettings:
    """Read the settings of a class.

    Raises
    ------
    CourseError
        If there is no class in the folder or its file was damaged.
    """
    path = folder / "hub" / "hub.yml"
    if not path.is_file():
        raise CourseError(f"“{folder}”里没有课堂：请先运行 course hub 开课。")
    raw = read_yaml(path)
    names = {field.name for field in dataclasses.fields(HubSettings)} - {"folder"}
    if not isinstance(raw, dict) or set(raw) != names:
        raise CourseError(f"“{path}”被改坏了：请删掉这个文件，再运行 course hub。")
    return HubSettings(folder=folder, **{**raw, "seats": tuple(raw["seats"])})


def exists(folder: Path) -> bool:
    """Return whether a class was opened in this folder before."""
    return (folder / "hub" / "hub.yml").is_file()


def new_codes() -> dict[str, str]:
    """Draw the class code (eight digits, easy to read out) and the instructor's secrets."""
    digits = f"{secrets.randbelow(10**8):08d}"
    return {
        "class_code": f"{digits[:4]}-{digits[4:]}",
        "teacher_password": secrets.token_urlsafe(24),
        "secret": secrets.token_hex(32),
        "room_key": secrets.token_urlsafe(9),
    }


def numbered_seats(count: int) -> tuple[str, ...]:
    """Return ``seat01`` … for a class of `count`."""
    width = max(2, len(str(count)))
    return tuple(f"seat{number:0{width}d}" for number in range(1, count + 1))


def named_seats(path: Path) -> tuple[str, ...]:
    """Read seat names, one a line; blank lines and what follows ``#`` are left out.

    Raises
    ------
    CourseError
        If a name is not allowed or stands there twice, or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise CourseError(f"“{path}”不是 UTF-8 编码，请另存为 UTF-8 后再试。") from None
    seats: list[str] = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        name = unicodedata.normalize("NFKC", text).lower()
        if not _SEAT.fullmatch(name) or name == TEACHER:
            raise CourseError(
                f"“{path.name}”第 {number} 行的座位名“{text}”不能用："
                "请用小写字母开头的字母、数字和 -，"
                f"2 到 16 个字符，不要用真实姓名，也不要用 {TEACHER}。"
            )
        if name in seats:
            raise CourseError(f"“{path.name}”第 {number} 行的座位名“{text}”重复了，请改一个。")
        seats.append(name)
    if not 1 <= len(seats) <= MOST_SEATS:
        raise CourseError(
            f"“{path.name}”里应有 1 到 {MOST_SEATS} 个座位名，现在有 {len(seats)} 个。"
        )
    return tuple(seats)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; aside first, then renamed."""
    aside = path.with_name(f".{path.name}.part")
    with explain_os_errors(path):
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        aside.replace(path)
