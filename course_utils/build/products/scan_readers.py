"""Everything a person can read in a file, by its kind, as pairs of place and text."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from course_utils.bank.parquet import rows_of
from course_utils.errors import CourseError

#: Characters of a text file that are looked through at once, and how far two such blocks overlap.
BLOCK, OVERLAP = 16_000_000, 200
#: A member of an archive, or text in a picture, is read up to this size, in bytes.
LARGEST = 400_000_000
#: Files in an archive that hold data; program text is not scanned.
_DATA = {".csv", ".yml", ".json", ".txt", ".md", ".ipynb", ".xlsx", ".parquet", ".png", ".zip"}
_WHEEL_DATA = {".csv", ".yml", ".json"}
_OFFICE = re.compile(r"docProps/|comments|drawings/|charts/|workbook\.xml$|headerFooter|custom")
#: What a value of a Parquet file must hold to be looked at: pseudonyms and codes do not.
_TELLING = r"[0-9０-９]{8}|[0-9][- ][0-9]{4}|//|[0-9A-Z]{18}|[\x{4e00}-\x{9fff}]{3}"
_TAG = re.compile(r"<[^>]*>")

Texts = Iterator[tuple[str, str]]


def text_file(path: Path) -> Texts:
    """Yield a text file in blocks; the place is the number of its first line."""
    line = 1
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        rest = ""
        while block := stream.read(BLOCK):
            text = rest + block
            yield str(line), text
            rest = text[-OVERLAP:] if len(block) == BLOCK else ""
            line += text.count("\n", 0, len(text) - len(rest))


def notebook(path: Path) -> Texts:
    """Yield sources, outputs, attachments' names and metadata; pictures are left out."""
    content = json.loads(path.read_text(encoding="utf-8"))
    yield "文件信息", json.dumps(content.get("metadata", {}), ensure_ascii=False)
    for number, cell in enumerate(content["cells"], 1):
        yield f"第 {number} 格", "".join(cell["source"])
        if cell.get("metadata"):
            yield f"第 {number} 格的信息", json.dumps(cell["metadata"], ensure_ascii=False)
        for name in cell.get("attachments", {}):
            yield f"第 {number} 格的附件", name
        for output in cell.get("outputs", ()):
            yield from ((f"第 {number} 格的输出", text) for text in _output_texts(output))


def _output_texts(output: dict) -> Iterator[str]:
    if output["output_type"] == "error":
        yield "Traceback (most recent call last)"
        yield "\n".join([output.get("evalue", ""), *output.get("traceback", ())])
    if output.get("metadata"):
        yield json.dumps(output["metadata"], ensure_ascii=False)
    for kind, data in {"text": output.get("text", ""), **output.get("data", {})}.items():
        if kind.startswith("image/") and kind != "image/svg+xml":
            continue
        if isinstance(data, dict):
            yield json.dumps(data, ensure_ascii=False)
        else:
            yield data if isinstance(data, str) else "".join(map(str, data))


def workbook(path: Path) -> Texts:
    """Yield the rows of all sheets, hidden ones too, and comments, charts and properties."""
    from python_calamine import CalamineWorkbook

    with path.open("rb") as stream:
        book = CalamineWorkbook.from_filelike(stream)
        for name in book.sheet_names:
            for number, row in enumerate(book.get_sheet_by_name(name).to_python(), 1):
                yield f"“{name}”第 {number} 行", "\t".join(_cell_text(value) for value in row)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if _OFFICE.search(member.filename) and member.filename.endswith((".xml", ".vml")):
                content = archive.read(member).decode("utf-8", "replace")
                yield member.filename, _TAG.sub(" ", content)


def _cell_text(value: object) -> str:
    """Return a cell as a person reads it: whole numbers without ``.0``."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parquet(path: Path) -> Texts:
    """Yield the different values of every column of text or whole numbers, and the file's notes."""
    import duckdb

    source = rows_of(path)
    with duckdb.connect(config={"threads": 1}) as connection:
        columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        for name, kind, *_ in columns:
            if not _may_hold_text(kind):
                continue
            column = 'CAST("{}" AS VARCHAR)'.format(name.replace('"', '""'))
            cursor = connection.execute(
                f"SELECT DISTINCT {column} FROM {source} WHERE regexp_matches({column}, ?)",
                [_TELLING],
            )
            while rows := cursor.fetchmany(100_000):
                yield f"“{name}”列", "\n".join(row[0] for row in rows)
        notes = source.replace("read_parquet", "parquet_kv_metadata", 1)
        for key, value in connection.execute(f"SELECT key, value FROM {notes}").fetchall():
            yield "文件信息", f"{_decoded(key)} {_decoded(value)}"


def _may_hold_text(kind: str) -> bool:
    """Say whether a DuckDB type can hold identifiers: not amounts with cents, dates and flags."""
    if kind.startswith("DECIMAL"):
        return kind.endswith(",0)")
    return kind not in ("DOUBLE", "FLOAT", "DATE", "BOOLEAN") and not kind.startswith("TIME")


def _decoded(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def picture(path: Path) -> Texts:
    """Yield the text of a PNG: plain, compressed, and of the camera's kind."""
    data = path.read_bytes()
    position = 8
    while position + 8 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        if kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf") and not body.startswith(b"Software"):
            yield "图片信息", _inflated(kind, body).decode("utf-8", "replace").replace("\0", " ")
        position += 12 + length
        if kind == b"IEND":
            break
    if position < len(data):
        yield "图片之后", data[position:].decode("utf-8", "replace")


def _inflated(kind: bytes, body: bytes) -> bytes:
    if kind not in (b"zTXt", b"iTXt"):
        return body
    name, _, rest = body.partition(b"\0")
    # zTXt: method, data; iTXt: flag, method, language, translated name, data
    packed = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1]
    if kind == b"iTXt" and not rest.startswith(b"\1"):
        return body
    with contextlib.suppress(zlib.error):
        return name + b" " + zlib.decompressobj().decompress(packed, LARGEST)
    return body


def archive(path: Path) -> Texts:
    """Yield the data files of an archive, and of archives within; program text is not scanned."""
    kinds = _DATA if path.suffix.lower() == ".zip" else _WHEEL_DATA
    with zipfile.ZipFile(path) as opened, tempfile.TemporaryDirectory() as folder:
        for member in opened.infolist():
            suffix = Path(member.filename).suffix.lower()
            if suffix not in kinds:
                continue
            if member.file_size > LARGEST:
                raise CourseError(
                    f"{path.name} 里的 {member.filename} 太大，扫描不了："
                    "请先解压，再扫描那个文件夹。"
                )
            inside = Path(folder) / f"member{suffix}"
            with opened.open(member) as stream, inside.open("wb") as out:
                while block := stream.read(1 << 20):
                    out.write(block)
            reader = READERS.get(suffix, text_file)
            for where, text in reader(inside):
                yield f"{member.filename} {where}", text


READERS = {
    ".ipynb": notebook,
    ".xlsx": workbook,
    ".parquet": parquet,
    ".png": picture,
    ".whl": archive,
    ".zip": archive,
}
