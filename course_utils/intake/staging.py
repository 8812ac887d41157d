"""Where rows wait between a file and the bank: Parquet shards, de-identified, one folder a file.

A file that has been read whole has a record beside its shards. An intake that was killed finds the
records of what it had done and goes on from there; whatever has changed since is read again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.files import explain_os_errors, write_text

if TYPE_CHECKING:
    import polars as pl

#: Kinds of shards: rows that may stay, what was left out (masked), and why.
ROWS, REJECTED, FAULTS = "rows", "rejected", "faults"
#: The sample of a file's raw values, as keyed hashes.
SAMPLE = "sample.json"
_RECORD = "done.json"


@dataclass(frozen=True)
class StagedSheet:
    """What became of one text file, sheet or query.

    Parameters
    ----------
    part : int
        ``_file`` of its rows.
    sheet : str
        Name of the sheet; empty for others.
    columns : tuple of str
        Header of the sheet.
    counts : mapping of str to int
        Lines by what they were; ``lines`` is the sum of the others.
    kept, rejected : int
        Rows that stay after the checks of single rows, and rows that do not.
    """

    part: int
    sheet: str
    columns: tuple[str, ...]
    counts: dict[str, int]
    kept: int
    rejected: int


@dataclass(frozen=True)
class StagedFile:
    """One file whose rows wait in shards.

    Parameters
    ----------
    table : str
        Table of the contract that it feeds.
    number : int
        Place among the files of the table.
    name : str
        Path below the folder of the exports, for people.
    identity : str
        Hash of everything that shapes the shards.
    sheets : tuple of StagedSheet
        What was in it.
    folder : pathlib.Path
        Its shards.
    notes : mapping
        What the converter noticed about the file as a whole.
    """

    table: str
    number: int
    name: str
    identity: str
    folder: Path
    sheets: tuple[StagedSheet, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    def shards(self, kind: str) -> list[Path]:
        """Return the shards of a kind, in the order in which they were written."""
        return sorted(self.folder.glob(f"{kind}-*.parquet"))


class Staging:
    """All shards of one intake.

    Parameters
    ----------
    folder : pathlib.Path
        Where they lie; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, table: str, number: int) -> Path:
        """Return the folder of one file's shards."""
        return self.folder / table / f"{number:05d}"

    def pattern(self, table: str) -> str:
        """Return the glob of all rows of a table."""
        return str(self.folder / table / "*" / f"{ROWS}-*.parquet")

    def tables(self) -> list[str]:
        """Return the tables that have rows, sorted."""
        return sorted({path.parent.parent.name for path in self.folder.glob(f"*/*/{ROWS}-*")})

    def recall(self, table: str, number: int, identity: str) -> StagedFile | None:
        """Return a file that an earlier run has finished and that has not changed since."""
        folder = self.place(table, number)
        try:
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
            # a shard that was lost or cut short since must not lose rows without a word
            if record["identity"] != identity or record.pop("sizes") != _sizes(folder):
                return None
            sheets = tuple(
                StagedSheet(**(sheet | {"columns": tuple(sheet["columns"])}))
                for sheet in record.pop("sheets")
            )
            return StagedFile(**record, sheets=sheets, folder=folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def begin(self, table: str, number: int) -> Path:
        """Return an empty folder for the shards of one file."""
        folder = self.place(table, number)
        shutil.rmtree(folder, ignore_errors=True)
        if self.folder.is_file():
            self.folder.unlink()
        folder.mkdir(parents=True)
        return folder

    def finish(self, staged: StagedFile) -> None:
        """Note that all shards of a file are there."""
        record = dataclasses.asdict(staged)
        del record["folder"]
        record["sizes"] = _sizes(staged.folder)
        write_text(staged.folder / _RECORD, json.dumps(record, ensure_ascii=False, indent=1))

    def drop_others(self, kept: set[Path]) -> None:
        """Remove the shards of files that no longer belong to the bank."""
        for folder in self.folder.glob("*/*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """Remove all shards."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _sizes(folder: Path) -> dict[str, int]:
    """Return what lies in a file's folder beside its record, in bytes."""
    return {
        path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.name != _RECORD
    }


def write_shard(folder: Path, kind: str, number: int, frame: pl.DataFrame) -> None:
    """Write one shard; nothing is written for no rows.

    The file is opened here, because a full disk is an ``OSError`` only then.
    """
    if frame.is_empty():
        return
    path = folder / f"{kind}-{number:05d}.parquet"
    with explain_os_errors(path), path.open("wb") as stream:
        frame.write_parquet(stream, compression="zstd")


def identity_of(path: Path | None, parts: list[str]) -> str:
    """Return a hash of a file as it stands and of everything else that shapes its shards.

    Size, time and both ends tell two versions of an export apart without reading gigabytes.
    """
    digest = hashlib.sha256("\n".join(parts).encode("utf-8"))
    if path is not None:
        facts = path.stat()
        digest.update(f"\n{facts.st_size} {facts.st_mtime_ns}\n".encode())
        with path.open("rb") as stream:
            digest.update(stream.read(1 << 16))
            stream.seek(max(0, facts.st_size - (1 << 16)))
            digest.update(stream.read(1 << 16))
    return digest.hexdigest()
