"""The key of a bank's pseudonyms: outside the project, mode 600, never printed."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.paths import home

KEY_BYTES = 32
#: Folders that a program copies to other machines.
_SYNCED = (
    "onedrive",
    "dropbox",
    "坚果云",
    "nutstore",
    "icloud",
    "百度网盘",
    "baidunetdisk",
    "wpsdrive",
)


def key_path(code: str) -> Path:
    """Return where the key of a bank lies; it need not exist yet.

    Raises
    ------
    CourseError
        If the place is inside the project, open to everybody, or synchronised.
    """
    chosen = os.environ.get("COURSE_KEY_FILE")
    path = Path(chosen) if chosen else Path.home() / ".course-keys" / f"{code}.key"
    path = path.expanduser().absolute()
    if (reason := _bad_place(path.resolve())) is not None:
        raise CourseError(
            f"密钥不能放在“{path.parent}”：{reason}；"
            "请用 COURSE_KEY_FILE 指定项目以外、只有您能读的位置。"
        )
    return path


def load_key(code: str) -> bytes:
    """Read the key of a bank.

    Raises
    ------
    CourseError
        If there is none, others may read it, or it is not a key.
    """
    path = key_path(code)
    try:
        key = _read(path)
    except FileNotFoundError:
        raise CourseError(
            f"找不到“{code}”的密钥（{path}）：请把原来的密钥放回去；"
            "确实丢失时加 --new-key 重做，但所有假名都会改变，与以前的结果对不上。"
        ) from None
    except OSError:
        raise CourseError(f"密钥“{path}”读不了，请检查它的权限。") from None
    _check_mode(path)
    if len(key) != KEY_BYTES:
        raise CourseError(f"“{path}”不是本课程的密钥（应为 {KEY_BYTES} 字节），请放回原来的文件。")
    return key


def ensure_key(code: str, *, used_before: bool, new: bool = False) -> tuple[bytes, str]:
    """Return the key of a bank and, if it was just made, the sentence that people must read.

    Parameters
    ----------
    code : str
        Code of the bank.
    used_before : bool
        Pseudonyms of this bank exist already: then a missing key is an error, never a new key.
    new : bool
        Make a new key even so; the old one is overwritten, all pseudonyms change.
    """
    path = key_path(code)
    if path.exists() and not new:
        return load_key(code), ""
    if used_before and not new:
        return load_key(code), ""
    if path.exists():
        destroy_key(path)
    key = secrets.token_bytes(KEY_BYTES)
    _write(path, key)
    return key, (
        f"已生成密钥：{path}（只有您能读）。请另存一份到安全的地方；"
        "丢失后再做一次，所有假名都会改变。不要把它和数据放在一起，也不要发给任何人。"
    )


def destroy_key(path: Path) -> bool:
    """Overwrite a key with random bytes and remove it; return whether there was one."""
    try:
        size = path.stat().st_size
        with path.open("r+b") as stream:
            stream.write(secrets.token_bytes(max(size, KEY_BYTES)))
            stream.flush()
            os.fsync(stream.fileno())
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _read(path: Path) -> bytes:
    """Read a key; one byte more tells a file that is too long, and a device is not read at all."""
    if path.exists() and not path.is_file():
        raise OSError
    with path.open("rb") as stream:
        return stream.read(KEY_BYTES + 1)


def _write(path: Path, key: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # the mode is set when the file is made: at no moment may others read it
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CourseError(f"“{path}”刚被另一个程序写入，请等它结束后再试。") from None
    except OSError:
        raise CourseError(f"密钥写不进“{path}”，请用 COURSE_KEY_FILE 换一个可写的位置。") from None
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(key)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:  # a full disk: half a key would be taken for the bank's own
        path.unlink(missing_ok=True)
        raise CourseError(f"密钥写不进“{path}”，请腾出磁盘空间后再试。") from None


def _check_mode(path: Path) -> None:
    if os.name == "nt":
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise CourseError(f"密钥“{path}”别人也能读（权限 {mode:o}），请先运行 chmod 600 {path}。")


def _bad_place(path: Path) -> str | None:
    """Say why a key must not lie here, or None."""
    project = home()
    if project is not None and path.is_relative_to(project.resolve()):
        return "它在课程文件夹里，会随资料一起被复制"
    there = next((folder for folder in path.parents if folder.exists()), None)
    if os.name != "nt" and there is not None and there.stat().st_mode & stat.S_IWOTH:
        return "这是谁都能写的文件夹（如系统的临时文件夹）"
    for part in path.parts:
        if part.lower().startswith(_SYNCED):
            return f"“{part}”会被同步到别的机器"
    return None
