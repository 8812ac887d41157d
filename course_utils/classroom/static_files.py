"""Static files over HTTP: nothing outside the folder, cheap to ask for again, small on the way.

A reload asks for each file again and gets 304 (no content) unless it changed: a page rebuilt during
a class is seen at once, and nobody downloads 60 megabytes twice.
"""

from __future__ import annotations

import gzip
import os
import shutil
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from tornado.web import HTTPError, StaticFileHandler

#: Page, style and script of the collector's own pages.
PAGES = Path(__file__).with_name("page")
#: Browsers refuse WebAssembly and modules with a wrong type, and Windows' registry can be wrong.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".ipynb": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".npz": "application/octet-stream",
    ".otf": "font/otf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tar": "application/x-tar",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".whl": "application/zip",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
#: Worth compressing: text, WebAssembly, the font. Wheels, zips and pictures are compressed already.
_COMPRESSIBLE = {".css", ".csv", ".html", ".ipynb", ".js", ".json", ".map", ".md", ".mjs", ".otf"}
_COMPRESSIBLE |= {".svg", ".txt", ".wasm", ".ttf"}
_SMALL = 2048


@dataclass
class Compressed:
    """Compressed copies of a served folder, made once and kept until the file changes.

    Parameters
    ----------
    source, kept : pathlib.Path
        The served folder; where the copies are.
    """

    source: Path
    kept: Path

    def copy_of(self, path: Path) -> Path | None:
        """Return the compressed copy of a file if it is there and of the file as it is now."""
        try:
            copy = self._place(path)
            return copy if copy.is_file() else None
        except OSError:
            return None

    def make_all(self) -> int:
        """Compress what is worth it and not compressed yet; return how many files are compressed.

        A disk that is full only means that files are sent as they are.
        """
        made = 0
        for path in sorted(self.source.rglob("*")):
            if path.suffix not in _COMPRESSIBLE or not path.is_file():
                continue
            if path.stat().st_size < _SMALL or self.copy_of(path) is not None:
                made += path.stat().st_size >= _SMALL
                continue
            try:
                self._make(path)
                made += 1
            except OSError:
                return made
        return made

    def start(self) -> threading.Thread:
        """Compress in the background; the class need not wait for it."""
        thread = threading.Thread(target=self.make_all, daemon=True, name="compress")
        thread.start()
        return thread

    def _make(self, path: Path) -> None:
        copy = self._place(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        aside = copy.with_name(f".{copy.name}.{os.getpid()}.part")
        try:
            with path.open("rb") as source, gzip.GzipFile(aside, "wb", 6, mtime=0) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            for old in copy.parent.glob(f"{path.name}.*.gz"):
                old.unlink(missing_ok=True)
            aside.replace(copy)
        finally:
            aside.unlink(missing_ok=True)

    def _place(self, path: Path) -> Path:
        relative = path.relative_to(self.source)
        return self.kept / relative.parent / f"{relative.name}.{stamp(path)}.gz"


def stamp(path: Path) -> str:
    """Return a text that changes with the file; reproducible builds may keep time and size."""
    state = path.stat()
    return f"{state.st_mtime_ns:x}-{state.st_ctime_ns:x}-{state.st_size:x}"


class FolderHandler(StaticFileHandler):
    """Serves one folder.

    Hidden files, and links that lead out of the folder, are not there.
    """

    compressed: Compressed | None
    _packed: Path | None = None

    def initialize(
        self, path: str, default_filename: str | None = None, compressed: Compressed | None = None
    ) -> None:
        """Take folder and compressed copies."""
        super().initialize(path, default_filename)
        self.compressed = compressed

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Return the path of the file to send; 404 for everything that must not be seen."""
        if "\0" in self.path or any(part.startswith(".") for part in Path(self.path).parts):
            raise HTTPError(404)
        found = super().validate_absolute_path(root, absolute_path)
        if found is None:
            return None
        real, top = Path(found).resolve(), Path(root).resolve()
        if not real.is_relative_to(top):
            raise HTTPError(404)
        return self._choose(found)

    def _choose(self, found: str) -> str:
        accepts = "gzip" in self.request.headers.get("Accept-Encoding", "")
        if self.compressed is None or "Range" in self.request.headers or not accepts:
            return found
        self._packed = self.compressed.copy_of(Path(found))
        return found if self._packed is None else str(self._packed)

    def get_content_size(self) -> int:
        """Return the size of what is sent; Tornado remembers that of the plain file."""
        return Path(str(self.absolute_path)).stat().st_size

    def get_content_type(self) -> str:
        """Return the type by the name of the file that was asked for."""
        name = Path(str(self.absolute_path))
        # a compressed copy is called <name>.<stamp>.gz
        ending = Path(Path(name.stem).stem).suffix if self._packed is not None else name.suffix
        return TYPES.get(ending.lower(), "application/octet-stream")

    def compute_etag(self) -> str | None:
        """Return a tag from time and size: hashing 60 megabytes for each start is for nothing."""
        kind = "z" if self._packed is not None else "p"
        return f'"{kind}-{stamp(Path(str(self.absolute_path)))}"'

    def get_modified_time(self) -> datetime | None:
        """Leave freshness to the tag: files of reproducible builds all have the same time."""
        return None

    def set_headers(self) -> None:
        """Let the browser keep the file and ask whether it is still so."""
        super().set_headers()
        self.set_header("Cache-Control", "no-cache")
        if self.compressed is not None:
            self.set_header("Vary", "Accept-Encoding")
        if self._packed is not None:
            self.set_header("Content-Encoding", "gzip")

    def set_default_headers(self) -> None:
        """Say nothing of ourselves and let nobody guess types."""
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say in Chinese what is wrong."""
        words = {404: "没有这个网页。", 403: "没有这个网页。", 416: "要的范围不对。"}
        self.set_header("Content-Type", "text/html; charset=utf-8")
        text = words.get(status_code, "请求有误。")
        self.finish(
            f'<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>{text}</title>'
            f'<p>{text}请<a href="/">回到课堂首页</a>。</p></html>'
        )


class PageFileHandler(FolderHandler):
    """Style, script and font of the collector's own pages; not their templates."""

    allowed: ClassVar[set[str]] = {".css", ".js", ".otf", ".svg"}

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuse templates."""
        if Path(absolute_path).suffix not in self.allowed:
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)
