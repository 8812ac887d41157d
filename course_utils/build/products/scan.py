"""Look through everything a build hands out for what must not be there.

Identifiers of people and firms (18-digit id numbers and credit codes whose check digit is right,
mobile phones, bank cards by Luhn), a real bank's own raw values, addresses on the network, glyphs
that a font lacked, tracebacks, pictures without alternative text. A finding names the file and
place; the value itself is masked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_utils.build.execution.inputs import file_hash
from course_utils.build.products import scan_pages, scan_readers, scan_values
from course_utils.build.products.scan_pages import is_vendored, page_faults, script_faults
from course_utils.build.products.scan_raw import RawFinder, finder_for
from course_utils.build.products.scan_readers import READERS, text_file
from course_utils.build.products.scan_values import (
    find_values,
    is_valid_id_number,
    passes_luhn,
    readable,
)
from course_utils.files import write_text

__all__ = [
    "Leak",
    "is_valid_id_number",
    "passes_luhn",
    "scan_build",
    "scan_file",
    "scan_folder",
    "scan_text",
]

#: Folders of a bank's build that leave the house.
HANDED_OUT = ("trainee", "instructor", "pages", "board", "lite/files")
TEXT_SUFFIXES = {".html", ".csv", ".md", ".txt", ".json", ".yml", ".svg", ".css", ".js"}
TEXT_SUFFIXES |= {".bat", ".sh"}


@dataclass(frozen=True)
class Leak:
    """One thing found.

    Parameters
    ----------
    kind : str
        Chinese name of what it is.
    path : pathlib.Path
        The file.
    where : str
        Place within the file.
    shown : str
        The value, masked.
    """

    kind: str
    path: Path
    where: str
    shown: str

    def __str__(self) -> str:
        return f"{self.kind}：{self.path.as_posix()} {self.where} {self.shown}"


def scan_text(text: str) -> Iterator[tuple[str, str]]:
    """Find identifiers, addresses, missing glyphs and tracebacks in a text.

    Yields
    ------
    tuple of str, str
        Chinese name of the kind and the masked value.
    """
    for kind, shown, _ in find_values(readable(text)):
        yield kind, shown


def scan_build(folder: Path) -> list[Leak]:
    """Scan what one bank's build hands out; failed notebooks and intermediate runs stay here.

    A file whose very bytes were found clean by the same scanner is not read through again. The
    folder's name is the bank's code: in a real bank's build its own raw values are looked for, too.
    """
    finder = finder_for(folder.name)
    known = CleanFiles(folder / ".records" / "scanned.json", finder)
    leaks = [leak for name in HANDED_OUT for leak in scan_folder(folder / name, known)]
    known.save()
    return leaks


class CleanFiles:
    """Hashes of files in which this scanner found nothing.

    Parameters
    ----------
    path : pathlib.Path, optional
        Where they are kept from one scan to the next.
    finder : RawFinder, optional
        Looks for a real bank's own values, too.
    """

    def __init__(self, path: Path | None = None, finder: RawFinder | None = None) -> None:
        self._path, self._finder = path, finder
        modules = (__file__, scan_pages.__file__, scan_values.__file__, scan_readers.__file__)
        self._scanner = "".join(file_hash(Path(path)) for path in modules)
        self._scanner += finder.version if finder is not None else ""
        self._known = self._read()
        self._seen: set[str] = set()

    def _read(self) -> set[str]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8")) if self._path else {}
            return set(content["clean"]) if content.get("scanner") == self._scanner else set()
        except (OSError, ValueError, KeyError, AttributeError):
            return set()

    def scan(self, path: Path) -> list[Leak]:
        """Scan a file unless it is known, its kind included: that decides how it is read."""
        name = f"{path.suffix.lower()}:{file_hash(path)}"
        leaks = [] if name in self._known | self._seen else scan_file(path, self._finder)
        if not leaks:
            self._seen.add(name)
        return leaks

    def save(self) -> None:
        """Keep what this scan found clean; older files are forgotten."""
        if self._path is not None:
            content = {"scanner": self._scanner, "clean": sorted(self._seen)}
            write_text(self._path, json.dumps(content))


def scan_folder(folder: Path, known: CleanFiles | None = None) -> list[Leak]:
    """Scan every file below `folder`; hidden folders and checkpoints are left out."""
    known = known or CleanFiles()
    leaks: list[Leak] = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            leaks.extend(known.scan(path))
    return leaks


def scan_file(path: Path, finder: RawFinder | None = None) -> list[Leak]:
    """Scan one file by its kind; kinds that hold no text give nothing.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    finder : RawFinder, optional
        Looks for a real bank's own values, too.
    """
    suffix = path.suffix.lower()
    reader = text_file if suffix in TEXT_SUFFIXES else READERS.get(suffix)
    if reader is None or is_vendored(path):
        return []
    leaks = dict.fromkeys(
        leak for where, text in reader(path) for leak in _leaks(path, where, text, finder)
    )
    faults = {".html": page_faults, ".js": script_faults}.get(suffix)
    if faults is not None:
        leaks |= dict.fromkeys(Leak(kind, path, "", shown) for kind, shown in faults(path))
    return list(leaks)


def _leaks(path: Path, where: str, text: str, finder: RawFinder | None) -> Iterator[Leak]:
    text = readable(text)
    # a text file comes in blocks: the place is the line that the block begins with
    lines = where.isdigit()
    for kind, shown, at in find_values(text):
        place = f"第 {int(where) + text.count(chr(10), 0, at)} 行" if lines else where
        yield Leak(kind, path, place, shown)
    if finder is not None:
        for kind, shown in finder.find(text):
            yield Leak(kind, path, "" if lines else where, shown)
