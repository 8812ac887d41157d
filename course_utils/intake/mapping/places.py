"""Which files a table is read from; no pattern leaves the folder of the exports."""

from __future__ import annotations

import os
import re
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.intake.mapping.model import TableMapping

_DRIVE = re.compile(r"[A-Za-z]:")
#: Folders below one another; each ``**`` looks through all of them again.
_DEEPEST, _MOST_STARS = 20, 2
#: What programs leave beside a workbook or text file while it is open.
_ASIDE = ("~$", ".")


def pattern_fault(pattern: str, what: str) -> str:
    """Say in Chinese why a pattern may not be used; empty if it may."""
    if "\\" in pattern:
        return f"{what} 的“{pattern}”请用 / 分隔文件夹，不要用 \\"
    if pattern.startswith(("/", "~")) or _DRIVE.match(pattern) or ":" in pattern:
        return f"{what} 的“{pattern}”要从导出文件夹写起，不能是绝对路径、盘符或网址"
    if ".." in pattern.split("/"):
        return f"{what} 的“{pattern}”不能用 .. 走出导出文件夹"
    if any(ord(mark) < 32 for mark in pattern):
        return f"{what} 里有看不见的控制字符，请重新输入"
    if pattern.split("/") != [part for part in pattern.split("/") if part]:
        return f"{what} 的“{pattern}”里有多余的 /，请删去"
    if not Path(pattern).parts:
        return f"{what} 的“{pattern}”不是文件名，请写出文件名"
    if len(pattern.split("/")) > _DEEPEST or pattern.count("**") > _MOST_STARS:
        return f"{what} 的“{pattern[:60]}”层数太多，请把文件放浅一些，或写得具体一些"
    if re.search(r"\*\*[^/]|[^/]\*\*", pattern):
        return f"{what} 的“{pattern}”里 ** 只能单独作一层文件夹，请改成 *"
    return ""


def source_files(mapping: TableMapping, folder: Path) -> list[Path]:
    """Return the files that feed a table, each once, sorted by name within a pattern.

    Raises
    ------
    CourseError
        If the folder is not there, a pattern finds nothing, or a link leads out of the folder.
    """
    if not mapping.files:
        return []
    if not folder.is_dir():
        raise CourseError(f"没有“{folder}”这个文件夹，请把导出文件放进去，或用 --from 指明在哪里。")
    inside = Path(os.path.realpath(folder))
    found: dict[Path, None] = {}
    for pattern in mapping.files:
        if fault := pattern_fault(pattern, mapping.table):
            raise CourseError(f"{fault}。")
        here = sorted(path for path in folder.glob(pattern) if _is_export(path))
        if not here:
            raise CourseError(
                f"{mapping.table} 表要的“{pattern}”在“{folder}”里一个文件也没有，"
                "请核对文件名（区分大小写），或改 mapping.yml 的 files。"
            )
        for path in here:
            if not Path(os.path.realpath(path)).is_relative_to(inside):
                raise CourseError(
                    f"“{path.name}”是指向“{folder}”以外的链接，请把文件本身复制进来。"
                )
            found[path] = None
    return list(found)


def _is_export(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(_ASIDE)
