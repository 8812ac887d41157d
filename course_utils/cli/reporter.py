"""Errors of the command line: one Chinese sentence each."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from course_utils.errors import CourseError
from course_utils.files import meant
from course_utils.visible import visible

#: What click says of arguments, and what people read.
_CLICK_SAYS = {
    r"(?:Path|File|Directory) (.+) does not exist\.": "“{0}”不存在",
    r"Directory (.+) is a file\.": "“{0}”是文件，不是文件夹",
    r"(?:Path|File) (.+) is a directory\.": "“{0}”是文件夹，不是文件",
    r"(?:Path|File|Directory) (.+) is not (?:readable|writable)\.": "“{0}”没有权限读写",
    r"(.+) is not in the range (.+)<=x<=(.+)\.": "{0} 不在 {1} 到 {2} 之间",
    r"(.+) is not a valid (?:integer|float)(?: range)?\.": "“{0}”不是数字",
    r"(.+) is not one of (.+)\.": "“{0}”不在可选的 {1} 之中",
    r"Option (.+) requires an argument\.": "{0} 后面要写值",
    r"Got unexpected extra arguments? \((.+)\)": "多写了 {0}",
}


_SYSTEM_SAYS = {
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "这里只能读，不能写",
    errno.ENOENT: "文件或文件夹不存在",
    errno.ENOTDIR: "路径中间有一个是文件，不是文件夹",
    errno.EISDIR: "这是文件夹，不是文件",
    errno.ENAMETOOLONG: "路径太长",
    errno.EIO: "磁盘读写出错",
}


class Reporter(click.Group):
    """A group that prints every error as one Chinese sentence; the traceback with ``--debug``."""

    def main(self, args: Any = None, *rest: Any, **extra: Any) -> Any:
        """Run the command line and exit with 0, 1 (our errors), 2 (usage) or 130 (interrupted)."""
        extra["standalone_mode"] = False
        _accept_every_character()
        debug = "--debug" in (sys.argv[1:] if args is None else args)
        try:
            super().main(args, *rest, **extra)
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.UsageError as error:
            click.echo(f"错误：{visible(_usage_sentence(error))}", err=True)
            sys.exit(2)
        except (click.Abort, KeyboardInterrupt):
            click.echo("已停止：已经做完的都保存好了，再运行一次同样的命令会接着做。", err=True)
            sys.exit(130)
        except (CourseError, OSError, MemoryError) as error:
            if debug:
                raise
            click.echo(f"错误：{visible(_sentence(error))}", err=True)
            sys.exit(1)
        except Exception as error:  # a fault of ours: the instructor is to see where it can be read
            if debug:
                raise
            name = type(error).__name__
            click.echo(
                f"错误：程序没有料到的情况（{name}），请在命令前加 --debug 再运行一次"
                "（course --debug …），把显示的内容发给课程作者。",
                err=True,
            )
            sys.exit(1)
        sys.exit(0)


def _usage_sentence(error: click.UsageError) -> str:
    """Return what is wrong with a command line."""
    help_ = "加 -h 可看用法。"
    name = getattr(error, "param", None)
    label = name.get_error_hint(error.ctx) if name is not None else ""
    if isinstance(error, click.NoSuchOption):
        return f"没有“{error.option_name}”这个选项，{help_}"
    if isinstance(error, click.MissingParameter):
        return f"缺少 {label}，{help_}"
    if isinstance(error, click.BadParameter):
        return f"{label} 的值不对（{_in_chinese(error.message)}），{help_}"
    command = error.message.split("'")
    if error.message.startswith("No such command") and len(command) > 1:
        return f"没有“{command[1]}”这条命令，{help_}"
    return f"命令写法不对（{_in_chinese(error.message)}），{help_}"


def _in_chinese(message: str) -> str:
    """Translate what click says of values and options."""
    for pattern, sentence in _CLICK_SAYS.items():
        if found := re.fullmatch(pattern, message):
            return sentence.format(*(part.replace("'", "") for part in found.groups()))
    return message


def _is_full(error: BaseException) -> bool:
    """Say whether a disk is full; without room anywhere there is no temporary folder either."""
    if not isinstance(error, OSError):
        return False
    no_place = "No usable temporary directory" in str(error)
    return no_place or error.errno in (errno.ENOSPC, errno.EDQUOT)


def _accept_every_character() -> None:
    """Let consoles that do not know a character show a mark instead: a name must stop nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _sentence(error: BaseException) -> str:
    if isinstance(error, CourseError):
        return str(error)
    if isinstance(error, MemoryError):
        return "内存不够，请关掉别的程序，或用更小的规模再试。"
    if _is_full(error):
        return "磁盘已满：请在项目和系统临时文件夹所在的磁盘上腾出空间，再运行一次。"
    if isinstance(error, OSError) and error.filename:
        place = meant(Path(os.fsdecode(error.filename)))
        why = _SYSTEM_SAYS.get(error.errno, error.strerror)
        return f"读写“{place}”时系统报告“{why}”，请检查路径、权限和磁盘空间。"
    return f"系统报告“{error}”，请检查磁盘空间和权限；加 --debug 可看细节。"
