"""Writing files so that nothing half-written is ever left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import CourseError

_LEFT_OVER = re.compile(r"\..+\.[A-Za-z0-9-]+\.(part|old)")


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
    aside = _aside(path)
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("wb") as stream:
                stream.write(data)
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
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            yield aside
            old = aside.with_suffix(".old")
            shutil.rmtree(old, ignore_errors=True)
            if path.exists():
                path.replace(old)
            aside.replace(path)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn a read-only folder or a full disk into one Chinese sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = "磁盘已满，请腾出空间后重新运行"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = "这个位置不允许写入，请换一个文件夹或关掉占用它的程序后重新运行"
        else:
            raise
        raise CourseError(f"写不进“{path}”：{reason}；已有的结果没有受影响。") from error


def sweep(folder: Path) -> None:
    """Remove what writers that were killed have left below a folder nobody writes to any more."""
    for path in sorted(folder.rglob(".*")):
        if not _LEFT_OVER.fullmatch(path.name):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    """Return a name that nobody else uses: on a shared folder equal process ids are common."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", platform.node())
    return path.with_name(f".{path.name}.{host}-{os.getpid()}-{threading.get_ident()}.part")
