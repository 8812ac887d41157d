"""Saving notebooks: a full disk is said in Chinese, in the window where the trainee works."""

from __future__ import annotations

import errno
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError

_REASONS = {
    errno.ENOSPC: "磁盘已满：请删掉不用的文件，腾出空间后按 Ctrl+S 再存一次",
    errno.EDQUOT: "磁盘配额已用完：请删掉不用的文件，腾出空间后按 Ctrl+S 再存一次",
    errno.EROFS: "这个文件夹是只读的：请用“文件 → 另存为”存到别处",
    errno.EACCES: "这个文件不允许写入：请关掉占用它的程序，再按 Ctrl+S 存一次",
    errno.EPERM: "这个文件不允许写入：请关掉占用它的程序，再按 Ctrl+S 存一次",
}


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
            raise HTTPError(507, message, reason=message) from error


def _number(error: BaseException) -> int:
    """Return the system's error number behind an error; 0 if there is none."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return cause.errno
        cause = cause.__cause__ or cause.__context__
    return 0
