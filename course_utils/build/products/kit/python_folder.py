"""A Python for Windows that the instructor brings along: official, 64 bit, of the right version."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

from course_utils.build.products.kit.targets import Target
from course_utils.errors import CourseError

#: Tells the desk that this Python belongs to the kit and is to be copied.
MARK = "course-python.txt"
_LIBRARY = re.compile(r"python(3)(\d{1,2})\.dll", re.IGNORECASE)
_AMD64 = 0x8664
_UNWANTED = ("__pycache__/", ".part")
_ADVICE = (
    "请给官方的 Windows 64 位 embeddable 压缩包（python-3.x.y-embed-amd64.zip）、"
    "NuGet 的 python 包，或它们解压后的文件夹"
)


def packed_python(source: Path, targets: Iterable[Target]) -> dict[str, bytes]:
    """Return the files of a Python, by name within the kit.

    Parameters
    ----------
    source : pathlib.Path
        Folder or archive with ``python.exe``, at its top or in ``tools``.
    targets : iterable of Target
        Machines of the kit; one of them must be Windows with this Python.

    Raises
    ------
    CourseError
        If it is no Python for Windows, of another version or of 32 bits.
    """
    files = _files(source)
    version = _version(files, source)
    names = [target.name for target in targets if target.platform.name == "windows"]
    if f"windows-{version}" not in names:
        wanted = "、".join(names) or "没有 Windows"
        raise CourseError(
            f"“{source}”里是 Python {version}，学员包里的安装包却是给 {wanted} 的："
            f"请加 --platform windows --python {version}，或换一个 Python。"
        )
    if _machine(files["python.exe"]) != _AMD64:
        raise CourseError(f"“{source}”里的 Python 不是 64 位（AMD64）的：{_ADVICE}。")
    note = f"Python {version} for Windows, packed with the course\n"
    return {f"python/{name}": data for name, data in files.items()} | {
        f"python/{MARK}": note.encode("ascii")
    }


def _files(source: Path) -> dict[str, bytes]:
    """Read a folder or an archive; the folder that holds ``python.exe`` becomes the top."""
    try:
        if source.is_dir():
            found = {
                path.relative_to(source).as_posix(): path.read_bytes()
                for path in sorted(source.rglob("*"))
                if path.is_file()
            }
        else:
            with zipfile.ZipFile(source) as archive:
                found = {
                    info.filename: archive.read(info)
                    for info in archive.infolist()
                    if not info.is_dir()
                }
    except (OSError, zipfile.BadZipFile) as error:
        raise CourseError(f"打不开“{source}”：{_ADVICE}。") from error
    tops = sorted((n for n in found if n.rpartition("/")[2].lower() == "python.exe"), key=len)
    if not tops:
        raise CourseError(f"“{source}”里没有 python.exe：{_ADVICE}。")
    top = tops[0][: -len("python.exe")]
    return {
        name.removeprefix(top): data
        for name, data in found.items()
        if name.startswith(top) and not any(part in name for part in _UNWANTED)
    }


def _version(files: Iterable[str], source: Path) -> str:
    for name in files:
        if match := _LIBRARY.fullmatch(name):
            return f"{match[1]}.{match[2]}"
    raise CourseError(f"“{source}”里没有 python3xx.dll，看不出版本：{_ADVICE}。")


def _machine(program: bytes) -> int:
    """Return the processor that a Windows program is for; 0 if it is none."""
    if len(program) < 64 or program[:2] != b"MZ":
        return 0
    (head,) = struct.unpack_from("<I", program, 60)
    if program[head : head + 4] != b"PE\0\0":
        return 0
    return struct.unpack_from("<H", program, head + 4)[0]
