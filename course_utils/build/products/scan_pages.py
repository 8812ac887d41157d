"""What a web page must not do: ask another host for anything, run code from elsewhere.

Pages of a site may run the scripts that the theme and Sphinx bring; what stands in the article of a
page is ours and must hold no script at all, and so must every other page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Packages whose files Sphinx copies into a site. Addresses in them stand in comments and licences.
_VENDORS = (
    "sphinx",
    "sphinx_book_theme",
    "pydata_sphinx_theme",
    "myst_nb",
    "sphinx_copybutton",
)
VENDORED_SUFFIXES = {".js", ".css", ".svg", ".txt"}

#: A picture or font inside a page: letters that mean nothing.
DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*("[^"]+"|'[^']+')""")
_LOADS = re.compile(r"""(?:src|href|action|data)\s*=\s*["']?\s*(https?:|wss?:|ftp:)?//""", re.I)
_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.IGNORECASE | re.DOTALL)
_SOURCE = re.compile(r"""\bsrc\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_ARTICLE = re.compile(r'<article class="bd-article".*?>(.*)</article>', re.DOTALL)
#: How a script asks for something; Sphinx's own search does, but is told not to.
_ASKS = re.compile(
    r"\bfetch\s*\(|XMLHttpRequest|\bimport\s*\(|importScripts|WebSocket|EventSource|sendBeacon"
)


def page_faults(path: Path) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a page beside what every text is scanned for.

    Yields
    ------
    tuple of str, str
        Chinese name of the fault and where it shows.
    """
    text = DATA_URI.sub("data:", path.read_text(encoding="utf-8", errors="replace"))
    for match in _IMAGE.finditer(text):
        if not _ALT.search(match.group()):
            yield "图片没有替代文字", match.group()[:40]
    if "//" in text and _LOADS.search(text):
        yield "页面要联网", ""
    article = _ARTICLE.search(text)
    if "<script" in (article.group(1) if article else text).lower() and path.name != "search.html":
        yield "页面里有脚本", ""
    for attributes, code in _SCRIPT.findall(text):
        source = _SOURCE.search(attributes)
        if source and not _beside(path, source.group(1)):
            yield "脚本不在网页文件夹里", source.group(1)[:60]
        if _ASKS.search(code):
            yield "页面要联网", code.strip()[:40]


def script_faults(path: Path) -> Iterator[tuple[str, str]]:
    """Find requests in a script of ours."""
    if found := _ASKS.search(path.read_text(encoding="utf-8", errors="replace")):
        yield "脚本要联网", found.group()


def is_vendored(path: Path) -> bool:
    """Say whether a file is, byte for byte, one that Sphinx or the theme brings along."""
    if path.suffix.lower() not in VENDORED_SUFFIXES:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() in _vendored_hashes()


@cache
def _vendored_hashes() -> frozenset[str]:
    """Return the hashes of the files of all vendors that are installed."""
    specs = (find_spec(name) for name in _VENDORS)
    folders = [Path(str(spec.origin)).parent for spec in specs if spec is not None]
    return frozenset(
        hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix.lower() in VENDORED_SUFFIXES and path.is_file()
    )


def _beside(page: Path, source: str) -> bool:
    """Say whether a script lies in the folder of the page or below it."""
    parts = urlsplit(source)
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        return False
    script = (page.parent / unquote(parts.path)).resolve()
    return script.is_relative_to(page.parent.resolve()) and script.is_file()
