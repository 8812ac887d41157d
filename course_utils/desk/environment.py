"""Python with all packages, in a place of the user's own, installed from the kit alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from course_utils.desk import settings
from course_utils.desk.kit import House, Kit
from course_utils.desk.places import (
    explained,
    own_environment,
    require_short,
    require_space,
)
from course_utils.errors import CourseError
from course_utils.files import alone

#: What pip said, for the instructor.
LOG = "install.log"
TELL_SECONDS = 5.0
BUSY = "另一个窗口正在安装课程程序：请等它装完，再运行一次。"
Say = Callable[[str], None]


def ensure(kit: Kit, programs: Path, say: Say) -> Path:
    """Return the Python that runs the lessons; install what is not there.

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
    course = hashlib.sha256((kit.folder / kit.wheel).read_bytes()).hexdigest()
    folder = programs / f"env-{key}"
    ready = folder / "ready"
    with explained(programs), alone(programs / f"env-{key}.lock", BUSY):
        installed = _installed_course(folder)
        if installed == course:
            return interpreter(folder)
        with explained(folder):
            if installed is None:
                _install_all(folder, kit, house, programs, say)
            else:
                say("课程程序有新版本，正在更新，请稍等。")
                ready.unlink()
                _install_course(folder, kit, programs / LOG)
            settings.write(folder)
            ready.write_text(course, encoding="utf-8")
    return interpreter(folder)


def _install_all(folder: Path, kit: Kit, house: House | None, programs: Path, say: Say) -> None:
    if folder.exists():
        say("上一次安装没有做完，现在从头再装一次。")
        shutil.rmtree(folder)
    _sweep(programs)
    if house:
        require_space(programs, house.installed_bytes, "安装课程程序")
        require_short(folder / "Lib" / "site-packages", house.longest_path)
    say("第一次使用，正在安装课程程序，请不要关闭这个窗口。")
    started = time.monotonic()
    _make(folder, kit)
    _install_packages(folder, kit, house, programs / LOG, say)
    _install_course(folder, kit, programs / LOG)
    say(f"安装好了，用了 {time.monotonic() - started:.0f} 秒。")


def _sweep(programs: Path) -> None:
    """Remove what other kits left half-done; an installation that still runs holds its lock."""
    for folder in programs.glob("env-*/"):
        if (folder / "ready").is_file():
            continue
        lock = programs / f"{folder.name}.lock"
        with contextlib.suppress(CourseError), explained(programs), alone(lock, BUSY):
            shutil.rmtree(folder, ignore_errors=True)


def interpreter(folder: Path) -> Path:
    """Return the Python of an environment."""
    if sys.platform != "win32":
        return folder / "bin" / "python3"
    own = folder / "python.exe"
    return own if _is_packed() else folder / "Scripts" / "python.exe"


def _key(kit: Kit, house: House | None) -> str:
    """Return what names an environment: its packages and its Python, not the course's version."""
    listed = kit.folder / (house.requirements if house else "requirements.lock")
    digest = hashlib.sha256(listed.read_bytes())
    digest.update(f"{sys.version_info[:2]} {_is_packed()} {sys.base_prefix}".encode())
    return digest.hexdigest()[:10]


def _is_packed() -> bool:
    """Say whether this Python came in the kit: it is copied then, not referred to."""
    return sys.platform == "win32" and (Path(sys.base_prefix) / "course-python.txt").is_file()


def _installed_course(folder: Path) -> str | None:
    """Return the hash of the course's wheel in a finished environment whose Python still starts."""
    try:
        course = (folder / "ready").read_text(encoding="utf-8")
        command = [str(interpreter(folder)), "-c", "import course_utils"]
        done = subprocess.run(command, env=own_environment(), capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else course


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


def _install_packages(folder: Path, kit: Kit, house: House | None, log: Path, say: Say) -> None:
    if house is None:
        say("这个学员包里没有安装包，要从网上的安装源下载。")
        lock = str(kit.folder / "requirements.lock")
        command = [*_pip(folder, kit), "install", "--require-hashes", "--requirement", lock]
        _run(command, log)
        return
    # fmt: off
    command = [
        *_pip(folder, kit), "install", "--quiet", "--no-cache-dir", "--no-warn-script-location",
        "--no-index", "--find-links", str(kit.folder / "wheelhouse"),
        "--require-hashes", "--requirement", str(kit.folder / house.requirements),
    ]
    # fmt: on
    with _counted(folder, house.packages, say):
        _run(command, log)


def _install_course(folder: Path, kit: Kit, log: Path) -> None:
    """Install the course's own wheel; its packages are there already."""
    wheel = str(kit.folder / kit.wheel)
    options = ["--quiet", "--no-index", "--no-deps", "--force-reinstall", "--no-cache-dir"]
    _run([*_pip(folder, kit), "install", *options, wheel], log)


def _pip(folder: Path, kit: Kit) -> list[str]:
    """Return how pip is called: out of its own wheel, which needs no pip in that Python."""
    python = str(interpreter(folder))
    if not kit.houses:
        return [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    wheel = next((kit.folder / "wheelhouse").glob("pip-*.whl"), None)
    if wheel is None:
        raise CourseError("学员包里缺 pip 的安装包：请重新解压整个压缩包，再运行一次。")
    # a user's own settings of pip (another index, "user = true") are not for this
    options = ["--isolated", "--disable-pip-version-check", "--no-input"]
    return [python, "-X", "utf8", str(wheel / "pip"), *options]


def _run(command: list[str], log: Path) -> None:
    """Run pip and put what it says into a file."""
    with log.open("wb") as stream:
        done = subprocess.run(
            command,
            env=own_environment(PYTHONNOUSERSITE="1"),
            stdout=stream,
            stderr=stream,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    if done.returncode:
        raise CourseError(_why(log))


@contextlib.contextmanager
def _counted(folder: Path, total: int, say: Say) -> Iterator[None]:
    """Tell every few seconds how many packages are there by now."""
    library = "Lib" if sys.platform == "win32" else f"lib/python3.{sys.version_info[1]}"
    packages = folder / library / "site-packages"
    over = threading.Event()

    def tell() -> None:
        while not over.wait(TELL_SECONDS):
            done = min(sum(1 for _ in packages.glob("*.dist-info")), total)
            say(f"  已装 {done} / {total} 个程序包……")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _why(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")[-20_000:]
    if "No space left" in text or "There is not enough space" in text:
        return "磁盘已满，课程程序没有装完：请腾出空间后再运行一次，会从头重装。"
    if "DO NOT MATCH THE HASHES" in text:
        return "学员包里有文件损坏（校验值不符）：请重新拷贝并解压学员包，再运行一次。"
    return f"课程程序没有装好：请再运行一次，仍不行请把“{log}”这个文件发给讲师。"
