"""A browser that is on this machine, driven from outside to print a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.files import require_room, write_bytes

#: Names under which Chromium and its relatives are found on the search path.
_COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "chrome",
    "msedge",
)
#: Below the folders in which Windows keeps programs.
_WINDOWS = (
    Path("Google", "Chrome", "Application", "chrome.exe"),
    Path("Microsoft", "Edge", "Application", "msedge.exe"),
    Path("Chromium", "Application", "chrome.exe"),
)
_MAC = (
    Path("Google Chrome.app", "Contents", "MacOS", "Google Chrome"),
    Path("Microsoft Edge.app", "Contents", "MacOS", "Microsoft Edge"),
    Path("Chromium.app", "Contents", "MacOS", "Chromium"),
)
#: Seconds until a page must have been printed; the longest lesson takes a few on a busy machine.
_PATIENCE = 180


def find_browser() -> Path:
    """Return the browser: the one that ``COURSE_BROWSER`` names, else the first that is found.

    Raises
    ------
    CourseError
        If there is none, or ``COURSE_BROWSER`` names something that is not there.
    """
    if chosen := os.environ.get("COURSE_BROWSER"):
        found = shutil.which(chosen)
        if found is None:
            raise CourseError(
                f"环境变量 COURSE_BROWSER 写的“{chosen}”找不到，请改成浏览器程序的完整路径。"
            )
        return Path(found)
    for path in _candidates():
        if path.is_file():
            return path
    raise CourseError(
        "这台电脑上没有找到 Chrome、Edge 或 Chromium，请装一个，"
        "或用环境变量 COURSE_BROWSER 指明浏览器程序的完整路径，再运行一次。"
    )


def print_page(browser: Path, page: Path, pdf: Path) -> None:
    """Print a page of a folder to a PDF; nothing is asked of any network.

    Parameters
    ----------
    browser : pathlib.Path
        Chromium or a relative, as :func:`find_browser` returns it.
    page : pathlib.Path
        The HTML file.
    pdf : pathlib.Path
        Is replaced as a whole, or stays as it was if this fails.

    Raises
    ------
    CourseError
        If the browser does not print in time or writes nothing.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        printed = Path(scratch) / "page.pdf"
        command = [
            str(browser),
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--no-pdf-header-footer",
            # scripts may finish: text is drawn again once the font has been read
            "--virtual-time-budget=10000",
            f"--user-data-dir={Path(scratch) / 'profile'}",
            f"--print-to-pdf={printed}",
            *_sandbox(),
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
        except subprocess.TimeoutExpired as error:
            raise CourseError(
                f"浏览器 {_PATIENCE} 秒还没有把“{page.name}”打印出来，请关掉别的程序再试。"
            ) from error
        if not printed.is_file() or printed.read_bytes()[:5] != b"%PDF-":
            require_room(Path(scratch))
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["没有说明"]
            raise CourseError(
                f"浏览器“{browser.name}”没有打印出“{page.name}”（{lines[-1][:120]}），"
                "请换一个浏览器，用环境变量 COURSE_BROWSER 指明。"
            )
        write_bytes(pdf, printed.read_bytes())


def _candidates() -> Iterator[Path]:
    for name in _COMMANDS:
        if found := shutil.which(name):
            yield Path(found)
    if sys.platform == "win32":
        places = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        folders = [Path(os.environ[name]) for name in places if name in os.environ]
        yield from (folder / path for folder in folders for path in _WINDOWS)
    if sys.platform == "darwin":
        folders = [Path("/Applications"), Path.home() / "Applications"]
        yield from (folder / path for folder in folders for path in _MAC)


def _sandbox() -> list[str]:
    """Return the option without which Chromium refuses to run for root, as in a container."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return ["--no-sandbox"] if is_root else []
