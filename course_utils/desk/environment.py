"""Python with all packages, in a place of the user's own, installed from the kit alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from course_utils.desk import settings
from course_utils.desk.kit import House, Kit
from course_utils.desk.places import explained, require_short, require_space
from course_utils.errors import CourseError

Say = Callable[[str], None]


def ensure(kit: Kit, programs: Path, say: Say) -> Path:
    """Return the Python that runs the lessons; install it if it is not there.

    Parameters
    ----------
    kit : Kit
        Where the packages come from.
    programs : pathlib.Path
        Folder for environments; kits with the same packages share one.
    say : callable
        Tells the user what goes on.

    Raises
    ------
    CourseError
        If the kit does not fit this machine, there is no room, or an installation fails.
    """
    house = kit.house()
    key = _key(kit, house)
    folder = programs / f"env-{key}"
    python = interpreter(folder)
    with _alone(programs / f"env-{key}.lock"):
        if _is_ready(folder, key):
            return python
        if folder.exists():
            say("上一次安装没有做完，现在从头再装一次。")
            with explained(folder):
                shutil.rmtree(folder)
        if house:
            require_space(programs, house.installed_bytes, "安装课程程序")
            require_short(folder / "Lib" / "site-packages", house.longest_path)
        say("第一次使用，正在安装课程程序，请不要关闭这个窗口。")
        started = time.monotonic()
        with explained(folder):
            _make(folder, kit)
            _install(folder, kit, house, programs / "install.log", say)
            settings.write(folder)
            (folder / "ready").write_text(key, encoding="utf-8")
        say(f"安装好了，用了 {time.monotonic() - started:.0f} 秒。")
    return python


def interpreter(folder: Path) -> Path:
    """Return the Python of an environment."""
    if sys.platform != "win32":
        return folder / "bin" / "python3"
    own = folder / "python.exe"
    return own if _is_packed() else folder / "Scripts" / "python.exe"


def _key(kit: Kit, house: House | None) -> str:
    """Return what names an environment: its packages, the course's wheel and the Python."""
    digest = hashlib.sha256()
    listed = kit.folder / (house.requirements if house else "requirements.lock")
    digest.update(listed.read_bytes())
    digest.update((kit.folder / kit.wheel).read_bytes())
    digest.update(f"{sys.version_info[:2]} {_is_packed()} {sys.base_prefix}".encode())
    return digest.hexdigest()[:10]


def _is_packed() -> bool:
    """Say whether this Python came in the kit: it is copied then, not referred to."""
    return sys.platform == "win32" and (Path(sys.base_prefix) / "course-python.txt").is_file()


def _is_ready(folder: Path, key: str) -> bool:
    """Say whether an environment was finished and its Python still starts."""
    try:
        if (folder / "ready").read_text(encoding="utf-8") != key:
            return False
        command = [str(interpreter(folder)), "-c", "import course_utils"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make(folder: Path, kit: Kit) -> None:
    if _is_packed():
        shutil.copytree(sys.base_prefix, folder)
        _open_path_file(folder)
        return
    try:
        import venv

        # pip comes as a wheel with the kit; without a wheelhouse Python's own is used
        venv.EnvBuilder(with_pip=not kit.houses, symlinks=os.name != "nt").create(folder)
    except (ImportError, subprocess.CalledProcessError):
        raise CourseError(
            "这台电脑的 Python 不完整（缺 venv 或 ensurepip）：请装官方完整版 Python，"
            "或向讲师要带安装包的学员包。"
        ) from None


def _open_path_file(folder: Path) -> None:
    """Let an embeddable Python see its site-packages.

    Its ``python311._pth`` fixes the search path and leaves `site` out.
    """
    for path in folder.glob("python*._pth"):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [line for line in lines if line and line.lstrip("# ") != "import site"]
        text = "\r\n".join([*kept, "Lib\\site-packages", "import site", ""])
        path.write_bytes(text.encode("utf-8"))
    (folder / "Lib" / "site-packages").mkdir(parents=True, exist_ok=True)


def _install(folder: Path, kit: Kit, house: House | None, log: Path, say: Say) -> None:
    python = interpreter(folder)
    if house is None:
        lock, wheel = str(kit.folder / "requirements.lock"), str(kit.folder / kit.wheel)
        say("这个学员包里没有安装包，要从网上的安装源下载。")
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
        _run([*pip, "--require-hashes", "--requirement", lock], log, None, say)
        _run([*pip, "--no-deps", wheel], log, None, say)
        return
    wheelhouse = kit.folder / "wheelhouse"
    pip_wheel = next(wheelhouse.glob("pip-*.whl"), None)
    if pip_wheel is None:
        raise CourseError("学员包里缺 pip 的安装包：请重新解压整个压缩包，再运行一次。")
    # fmt: off
    command = [
        str(python), "-X", "utf8", str(pip_wheel / "pip"), "--isolated",
        "--disable-pip-version-check", "--no-cache-dir", "--no-input", "install", "--quiet",
        "--no-index", "--find-links", str(wheelhouse),
        "--find-links", str((kit.folder / kit.wheel).parent),
        "--require-hashes", "--no-warn-script-location",
        "--requirement", str(kit.folder / house.requirements),
    ]
    # fmt: on
    _run(command, log, (folder, house.packages), say)


def _run(command: list[str], log: Path, count: tuple[Path, int] | None, say: Say) -> None:
    """Run pip, count what it has done, and put what it says into a file."""
    with log.open("ab") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
        try:
            told = 0
            while process.poll() is None:
                time.sleep(0.5)
                done = _installed(count[0]) if count else 0
                if count and done >= told + 10:
                    told = done
                    say(f"  已装 {min(done, count[1])} / {count[1]} 个程序包……")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode:
        raise CourseError(_why(log))


def _installed(folder: Path) -> int:
    """Return how many packages an environment has by now."""
    library = "Lib" if sys.platform == "win32" else f"lib/python3.{sys.version_info[1]}"
    return sum(1 for _ in (folder / library / "site-packages").glob("*.dist-info"))


def _why(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")[-20_000:]
    if "No space left" in text or "There is not enough space" in text:
        return "磁盘已满，课程程序没有装完：请腾出空间后再运行一次，会从头重装。"
    if "DO NOT MATCH THE HASHES" in text:
        return "学员包里有文件损坏（校验值不符）：请重新拷贝并解压学员包，再运行一次。"
    return f"课程程序没有装好：请再运行一次，仍不行请把“{log}”这个文件发给讲师。"


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that the system lets go when this process ends, however it ends."""
    with explained(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        stream = lock.open("a+b")
    with stream:
        if not _locked(stream.fileno()):
            raise CourseError("另一个窗口正在安装课程程序：请等它装完，再运行一次。")
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
