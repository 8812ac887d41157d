"""Writing files so that nothing half-written is ever left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import CourseError

_LEFT_OVER = re.compile(
    r"\.(?P<name>.+)\.(?P<host>[A-Za-z0-9-]+?)-(?P<process>\d+)-\d+\.(part|old)"
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_SAYS_FULL = re.compile("No space left on device|not enough space on the disk")
#: What Windows calls a full disk, a refused access and a file that is in use.
_WINDOWS = {112: errno.ENOSPC, 5: errno.EACCES, 19: errno.EROFS, 32: errno.EACCES}

#: Bytes below which programs that write anything fail.
_LEAST_ROOM = 4 << 20


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with ``\\n`` line ends aside, then rename it into place."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes aside, then rename them into place.

    Raises
    ------
    CourseError
        If the folder is read-only or the disk is full.
    """
    with fresh_file(path) as aside:
        aside.write_bytes(data)


@contextlib.contextmanager
def fresh_file(path: Path) -> Iterator[Path]:
    """Yield a name for a file that takes the place of `path` when the block ends without error."""
    aside = _aside(path)
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield aside
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `path` when the block ends without error.

    Until then, and if the block fails, `path` stays as it was.
    """
    aside = _aside(path)
    with explain_os_errors(path):
        remove_dead(path)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            yield aside
            old = aside.with_suffix(".old")
            _remove(old)
            if path.exists():
                path.replace(old)
            aside.replace(path)
            _remove(old)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn a read-only folder or a full disk into one Chinese sentence.

    Libraries that write by themselves (DuckDB, polars) have errors of their own for a full disk.
    """
    try:
        yield
    except Exception as error:
        number = _number(error)
        if number in _FULL:
            reason = "磁盘已满，请腾出空间后重新运行"
        elif number in _FORBIDDEN:
            reason = "这个位置不允许写入，请换一个文件夹或关掉占用它的程序后重新运行"
        else:
            raise
        raise CourseError(f"写不进“{meant(path)}”：{reason}；已有的结果没有受影响。") from error


def _number(error: Exception) -> int | None:
    """Return the number of an error; of many files that were not copied, that of the first."""
    if not isinstance(error, OSError):
        return errno.ENOSPC if _SAYS_FULL.search(str(error)) else None
    if not isinstance(error, shutil.Error):
        if error.errno is None and _SAYS_FULL.search(str(error)):  # polars has no numbers
            return errno.ENOSPC
        return error.errno
    found = re.search(r"\[(Errno|WinError) (\d+)\]", str(error))
    if found is None:
        return None
    return int(found[2]) if found[1] == "Errno" else _WINDOWS.get(int(found[2]))


def meant(path: Path) -> Path:
    """Return the path that people know for one that lies in a folder written aside."""
    known = (_LEFT_OVER.fullmatch(part) for part in path.parts)
    names = zip(known, path.parts, strict=True)
    return Path(*(found["name"] if found else part for found, part in names))


@contextlib.contextmanager
def alone(lock: Path, otherwise: str) -> Iterator[None]:
    """Hold a lock that the system lets go when this process ends, however it ends.

    Parameters
    ----------
    lock : pathlib.Path
        File that stands for what only one process may do at a time; made if it is not there.
    otherwise : str
        The sentence for somebody who comes second.

    Raises
    ------
    CourseError
        If another process holds the lock.
    OSError
        If the file cannot be written.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+b") as stream:
        if not _locked(stream.fileno()):
            raise CourseError(otherwise)
        yield


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def require_room(*folders: Path) -> None:
    """Fail if a disk is full; called when another program has failed and may not say why.

    Raises
    ------
    CourseError
        If the disk of one of the folders has hardly any room left.
    """
    for folder in folders:
        there = next((one for one in (folder, *folder.parents) if one.exists()), Path.cwd())
        if shutil.disk_usage(there).free < _LEAST_ROOM:
            raise CourseError(
                f"“{there}”所在的磁盘已满，请腾出空间后再运行一次；已有的结果没有受影响。"
            )


def sweep(folder: Path) -> None:
    """Remove what writers that were killed have left below a folder nobody writes to any more."""
    for path in sorted(folder.rglob(".*")):
        if _LEFT_OVER.fullmatch(path.name):
            _remove(path)


def remove_dead(path: Path) -> None:
    """Remove what writers of `path` that were killed on this machine have left beside it.

    One that was killed between its two renames has taken the old folder away: it is put back.
    """
    import psutil

    for left in sorted(path.parent.glob(".*")):
        found = _LEFT_OVER.fullmatch(left.name)
        if found is None or (found["name"], found["host"]) != (path.name, _host()):
            continue
        if psutil.pid_exists(int(found["process"])):
            continue
        if left.suffix == ".old" and not path.exists():
            left.replace(path)
        else:
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", platform.node())


def _aside(path: Path) -> Path:
    """Return a name that nobody else uses: on a shared folder equal process ids are common."""
    return path.with_name(f".{path.name}.{_host()}-{os.getpid()}-{threading.get_ident()}.part")
