"""Where things go on a trainee's machine, and whether there is room for them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import CourseError

#: Room that must stay free for the trainee's own work.
RESERVE_BYTES = 300 * 1024**2
#: Settings of another Python or Jupyter on this machine; the course's own must not see them.
_FOREIGN = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "JUPYTER_PATH",
    "JUPYTER_CONFIG_PATH",
)
#: Windows opens no file whose whole name is longer, unless its administrator allows that.
WINDOWS_PATH = 259


def program_folder() -> Path:
    """Return the folder for environment, data and settings: short, local and the user's own.

    ``COURSE_DESK`` wins. The kit itself is never written to: it may lie on a read-only share, on
    a stick that goes round the class, or deep in folders whose names Windows finds too long.
    """
    if chosen := os.environ.get("COURSE_DESK"):
        return Path(chosen)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "course"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "course"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "course"


def documents_folder() -> Path:
    """Return the user's documents folder, or the home folder where there is none."""
    if sys.platform == "win32" and (known := _windows_documents()):
        return known
    documents = Path.home() / "Documents"
    return documents if documents.is_dir() else Path.home()


def _windows_documents() -> Path | None:
    """Ask Windows: many banks move this folder to another drive."""
    import ctypes

    personal, current = 5, 0
    buffer = ctypes.create_unicode_buffer(1024)
    with contextlib.suppress(AttributeError, OSError):
        if ctypes.windll.shell32.SHGetFolderPathW(None, personal, None, current, buffer) == 0:
            return Path(buffer.value)
    return None


def own_environment(**changes: str) -> dict[str, str]:
    """Return the environment variables for the course's own Python.

    Parameters
    ----------
    **changes : str
        Variables to be set.
    """
    kept = {name: value for name, value in os.environ.items() if name.upper() not in _FOREIGN}
    return {**kept, **changes}


def require_writable(folder: Path) -> None:
    """Make a folder and try to write a file in it.

    Raises
    ------
    CourseError
        If that is not allowed, or the disk is full.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 4096)


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Make sure of free disk space before anything is written.

    Parameters
    ----------
    folder : pathlib.Path
        It need not exist yet.
    needed : int
        Bytes; a reserve for the trainee's work is added.
    purpose : str
        What for, in Chinese.

    Raises
    ------
    CourseError
        If there is less.
    """
    free = free_bytes(folder)
    if free < needed + RESERVE_BYTES:
        raise CourseError(
            f"磁盘空间不够：{purpose}要有 {_size(needed + RESERVE_BYTES)} 空闲，“{folder}”所在的盘"
            f"只剩 {_size(free)}，请腾出空间后再运行一次，已有的文件没有动。"
        )


def free_bytes(folder: Path) -> int:
    """Return the free disk space where a folder is or would be."""
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_short(folder: Path, longest: int) -> None:
    """Make sure that Windows can open every file that will lie below a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the packages.
    longest : int
        Characters of the longest name below it.

    Raises
    ------
    CourseError
        If the names would be too long.
    """
    if sys.platform == "win32" and len(str(folder)) + 1 + longest > WINDOWS_PATH:
        raise CourseError(
            f"安装位置“{folder}”的路径太长，Windows 打不开里面的文件："
            "请把环境变量 COURSE_DESK 设为 C:\\course 这样短的、可写的文件夹，再运行一次。"
        )


@contextlib.contextmanager
def explained(place: Path) -> Iterator[None]:
    """Turn a full disk or a forbidden folder into one Chinese sentence."""
    import errno

    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "磁盘已满，请腾出空间后再运行一次"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = (
                "这个位置不允许写入，请关掉占用它的程序，或把环境变量 COURSE_DESK（程序）"
                "或 COURSE_WORK（笔记本）设为可写的文件夹，再运行一次"
            )
        else:
            reason = f"系统报告“{error.strerror or error}”，请把这句话告诉讲师"
        raise CourseError(f"写不进“{place}”：{reason}；已有的文件没有动。") from error


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GB" if count >= 1024**3 else f"{count / 1024**2:.0f} MB"
