"""A browser that can show JupyterLab: the machine's default may be far too old."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import webbrowser
from pathlib import Path

_WINDOWS = (
    "Microsoft/Edge/Application/msedge.exe",
    "Google/Chrome/Application/chrome.exe",
    "Mozilla Firefox/firefox.exe",
)
_ROOTS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")


def open_page(address: str) -> bool:
    """Open a page; on Windows in Edge, Chrome or Firefox wherever one of them is there.

    The default browser of a bank's laptop may be Internet Explorer or a browser in its mode.

    Returns
    -------
    bool
        Whether a browser was started.
    """
    if sys.platform == "win32" and (path := modern_browser()):
        with contextlib.suppress(OSError):
            subprocess.Popen([str(path), address], close_fds=True)
            return True
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


def modern_browser() -> Path | None:
    """Return the first of the known browsers that is installed on this Windows machine."""
    roots = [Path(os.environ[name]) for name in _ROOTS if os.environ.get(name)]
    places = (root / name for name in _WINDOWS for root in roots)
    return next((place for place in places if place.is_file()), None)
