"""Look through everything a build hands out for what must not be there.

Identifiers of people (18-digit id numbers whose check digit is right, mobile phones, bank cards by
Luhn), addresses on the network, glyphs that a font lacked, tracebacks, pictures without alternative
text. A finding names the file and place; the value itself is masked.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course_utils.build.execution.inputs import file_hash
from course_utils.build.products import scan_pages
from course_utils.build.products.scan_pages import DATA_URI, is_vendored, page_faults, script_faults
from course_utils.files import write_text

#: Names on the network that are only names: nothing is ever fetched from them.
NAMESPACES = (
    "http://www.w3.org/",
    "https://www.w3.org/",
    "http://schemas.openxmlformats.org/",
    "http://schemas.microsoft.com/",
    "http://purl.org/dc/",
    "http://ns.adobe.com/",
    "http://jupyter.org/",
)
#: Folders of a bank's build that leave the house.
HANDED_OUT = ("trainee", "instructor", "pages", "board", "lite/files")
TEXT_SUFFIXES = {".html", ".csv", ".md", ".txt", ".json", ".yml", ".svg", ".css", ".js"}
TEXT_SUFFIXES |= {".bat", ".sh"}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"

_ID = re.compile(r"(?<![\dA-Za-z.])[1-9]\d{16}[\dXx](?![\dA-Za-z])")
_PHONE = re.compile(
    r"(?<![\dA-Za-z.])1[3-9]\d{9}(?![\dA-Za-z])|(?<![\d.])1[3-9]\d-\d{4}-\d{4}(?!\d)"
)
# banks' cards begin with 3 to 6 (ISO/IEC 7812); account numbers of other kinds are not cards
_CARD = re.compile(r"(?<![\dA-Za-z.])[3-6]\d{15,18}(?![\dA-Za-z.])")
_LIKE_ID = re.compile(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}")
_URL = re.compile(r"(?:https?:)?//[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}[^\s\"'<>)\\]*")
_GLYPH = re.compile(r"Glyph \d+ .{0,80}missing|findfont: ")
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")


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


def is_valid_id_number(text: str) -> bool:
    """Say whether an 18-character id number has the right check digit (GB 11643, MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECK_DIGITS[total % 11] == text[17].upper()


def passes_luhn(digits: str) -> bool:
    """Say whether a card number passes the Luhn check (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def scan_text(text: str) -> Iterator[tuple[str, str]]:
    """Find identifiers, addresses, missing glyphs and tracebacks in a text.

    Yields
    ------
    tuple of str, str
        Chinese name of the kind and the masked value.
    """
    text = DATA_URI.sub("data:", text)
    for match in _ID.finditer(text):
        if is_valid_id_number(match.group()):
            yield "身份证号", _mask(match.group())
    for match in _PHONE.finditer(text):
        yield "手机号", _mask(match.group())
    for match in _CARD.finditer(text):
        number = match.group()
        if not _LIKE_ID.fullmatch(number) and passes_luhn(number):
            yield "银行卡号", _mask(number)
    for match in _URL.finditer(text):
        if match.group().startswith("//") and text[max(match.start() - 1, 0)] == ":":
            continue
        if not match.group().startswith(NAMESPACES):
            yield "外部网址", match.group()[:60]
    if match := _GLYPH.search(text):
        yield "缺字", match.group()[:60]
    if _TRACEBACK.search(text):
        yield "报错堆栈", ""


def _mask(value: str) -> str:
    return f"{value[:3]}{'*' * (len(value) - 5)}{value[-2:]}"


def scan_build(folder: Path) -> list[Leak]:
    """Scan what one bank's build hands out; failed notebooks and intermediate runs stay here.

    A file whose very bytes were found clean by the same scanner is not read through again.
    """
    known = CleanFiles(folder / ".records" / "scanned.json")
    leaks = [leak for name in HANDED_OUT for leak in scan_folder(folder / name, known)]
    known.save()
    return leaks


class CleanFiles:
    """Hashes of files in which this scanner found nothing.

    Parameters
    ----------
    path : pathlib.Path, optional
        Where they are kept from one scan to the next.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._scanner = "".join(file_hash(Path(path)) for path in (__file__, scan_pages.__file__))
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
        leaks = [] if name in self._known | self._seen else scan_file(path)
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


def scan_file(path: Path) -> list[Leak]:
    """Scan one file by its kind; kinds that hold no text give nothing."""
    readers = {
        ".ipynb": _notebook_texts,
        ".xlsx": _workbook_texts,
        ".parquet": _parquet_texts,
        ".png": _png_texts,
        ".whl": _archive_texts,
        ".zip": _archive_texts,
    }
    suffix = path.suffix.lower()
    if is_vendored(path):
        return []
    if suffix in TEXT_SUFFIXES:
        texts: Iterable[tuple[str, str]] = _lines(path)
    elif suffix in readers:
        texts = readers[suffix](path)
    else:
        return []
    leaks = [
        Leak(kind, path, where, shown) for where, text in texts for kind, shown in scan_text(text)
    ]
    faults = {".html": page_faults, ".js": script_faults}.get(suffix)
    if faults is not None:
        leaks += [Leak(kind, path, "", shown) for kind, shown in faults(path)]
    return leaks


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        for number, line in enumerate(stream, 1):
            yield f"第 {number} 行", line


def _notebook_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield sources and outputs of the cells; pictures are left out."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for number, cell in enumerate(notebook["cells"], 1):
        yield f"第 {number} 格", "".join(cell["source"])
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                yield f"第 {number} 格的输出", "Traceback (most recent call last)"
            for kind, data in {"text": output.get("text", ""), **output.get("data", {})}.items():
                if not kind.startswith("image/") or kind == "image/svg+xml":
                    text = data if isinstance(data, str) else "".join(map(str, data))
                    yield f"第 {number} 格的输出", text


def _workbook_texts(path: Path) -> Iterator[tuple[str, str]]:
    from python_calamine import CalamineWorkbook

    with path.open("rb") as stream:
        workbook = CalamineWorkbook.from_filelike(stream)
        for name in workbook.sheet_names:
            for number, row in enumerate(workbook.get_sheet_by_name(name).to_python(), 1):
                yield f"“{name}”第 {number} 行", "\t".join(_cell_text(value) for value in row)


def _cell_text(value: object) -> str:
    """Return a cell as a person reads it: whole numbers without ``.0``."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _parquet_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every text column; numbers and dates hold no identifiers."""
    import duckdb

    source = str(path).replace("'", "''")
    with duckdb.connect(config={"threads": 1}) as connection:
        columns = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{source}')").fetchall()
        for name, kind, *_ in columns:
            if kind not in ("VARCHAR", "BIGINT", "HUGEINT", "UBIGINT"):
                continue
            values = connection.execute(
                f"SELECT DISTINCT CAST(\"{name}\" AS VARCHAR) FROM read_parquet('{source}') "
                f"WHERE regexp_matches(CAST(\"{name}\" AS VARCHAR), '\\d{{11}}|//|\\d-\\d{{4}}-')"
            ).fetchall()
            for (value,) in values:
                yield f"“{name}”列", value


def _png_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the text chunks of a PNG."""
    data = path.read_bytes()
    position = 8
    while position + 8 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if kind in (b"tEXt", b"iTXt"):
            body = data[position + 8 : position + 8 + length]
            if not body.startswith(b"Software"):
                yield "图片信息", body.decode("utf-8", "replace")
        position += 12 + length


def _archive_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the data files of an archive; program text is not scanned."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if Path(name).suffix in {".csv", ".yml", ".json"}:
                yield name, archive.read(name).decode("utf-8", "replace")
