"""Saving notebooks: a full disk is said in Chinese, and the notebook on disk stays whole."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError

_REASONS = {
    errno.ENOSPC: "磁盘已满：请删掉不用的文件，腾出空间后按 Ctrl+S 再存一次",
    errno.EDQUOT: "磁盘配额已用完：请删掉不用的文件，腾出空间后按 Ctrl+S 再存一次",
    errno.EROFS: "这个文件夹是只读的：请用“文件 → 另存为”存到别处",
    errno.EACCES: "这个文件不允许写入：请关掉占用它的程序，再按 Ctrl+S 存一次",
    errno.EPERM: "这个文件不允许写入：请关掉占用它的程序，再按 Ctrl+S 存一次",
}
#: A virus scanner holds a new file for a moment on Windows.
_TRIES, _PAUSE = 5, 0.1


class CourseContents(AsyncLargeFileManager):
    """Files of the trainee's folder; the old file stays whole if a new one cannot be written."""

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Save a file as usual, and explain why where that fails."""
        try:
            return await super().save(model, path)
        except HTTPError as error:
            reason = _REASONS.get(_number(error))
            if reason is None:
                raise
            name = path.rsplit("/", 1)[-1]
            message = f"“{name}”还没有存盘，{reason}。页面先不要关，原来的文件没有动。"
            raise HTTPError(507, message) from error

    @contextlib.contextmanager
    def atomic_writing(
        self, os_path: str, text: bool = True, encoding: str = "utf-8", **options: Any
    ) -> Iterator[IO[Any]]:
        """Write aside, then rename.

        Jupyter writes into the file itself and keeps a copy beside it, but does not put the copy
        back if the disk turns out to be full at the last flush: the notebook would be torn.
        """
        options.pop("log", None)
        target = Path(os_path).resolve()
        # "*~" is left out of the file list; a dot could make the file hidden for good on Windows
        aside = target.with_name(f"{target.name}~")
        if text:
            options = {"newline": "\n", **options, "encoding": encoding}
        with self.perm_to_403(os_path):
            try:
                with aside.open("w" if text else "wb", **options) as stream:
                    yield stream
                    stream.flush()
                    os.fsync(stream.fileno())
                if target.exists():
                    shutil.copymode(target, aside)
                _replace(aside, target)
            finally:
                aside.unlink(missing_ok=True)


def _replace(aside: Path, target: Path) -> None:
    for attempt in range(_TRIES):
        try:
            aside.replace(target)
        except PermissionError:
            if sys.platform != "win32" or attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _number(error: BaseException) -> int:
    """Return the system's error number behind an error; 0 if there is none."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return cause.errno
        cause = cause.__cause__ or cause.__context__
    return 0
