"""Small files that several programs write: appended in one piece, or replaced as a whole."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path


def append_whole(path: Path, data: bytes, most: int) -> None:
    """Append bytes in one piece: half a line of an earlier fault is closed, a failed write undone.

    Parameters
    ----------
    path : pathlib.Path
        The file; its folder must be there.
    data : bytes
        Whole lines.
    most : int
        Bytes that the file may have.

    Raises
    ------
    OSError
        If it cannot be written, or the file would grow beyond `most` bytes.
    """
    with path.open("ab", buffering=0) as stream:
        size = stream.seek(0, os.SEEK_END)
        if size + len(data) > most:
            raise OSError(errno.EFBIG, "too large", str(path))
        if size and not _ends_with_newline(path, size):
            data = b"\n" + data
        try:
            written = stream.write(data)
            if written != len(data):
                raise OSError(errno.ENOSPC, "written in part", str(path))
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(stream.fileno(), size)
            raise


def _ends_with_newline(path: Path, size: int) -> bool:
    with path.open("rb") as stream:
        stream.seek(size - 1)
        return stream.read(1) == b"\n"


def replace_text(path: Path, text: str) -> None:
    """Write a file for this user only (mode 0600) aside, then rename it.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with os.fdopen(
            os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
            "w",
            encoding="utf-8",
            newline="\n",
        ) as stream:
            stream.write(text)
        aside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
