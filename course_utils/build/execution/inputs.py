"""Fingerprints of what a lesson's outputs depend on: an unchanged lesson is not run again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import course_utils
from course_utils.paths import data_dir, warehouse_dir

_SOURCES = (".py", ".yml", ".csv", ".otf", ".css")


def shared_fingerprint(root: Path, bank: str) -> str:
    """Return one hash of everything that all lessons of a bank depend on.

    That is the package's own files, contract, reference data, the bank's profile and tables, and
    the pinned environment.
    """
    package = Path(course_utils.__file__).parent
    digest = hashlib.sha256()
    files = [
        *(path for path in package.rglob("*") if path.suffix in _SOURCES),
        *data_dir("contract").rglob("*.yml"),
        *data_dir("reference").rglob("*.csv"),
        data_dir("banks") / bank / "bank.yml",
        *warehouse_dir(bank).glob("*"),
        root / "requirements.lock",
    ]
    for path in sorted(set(_existing(files))):
        digest.update(path.name.encode("utf-8"))
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def task_fingerprint(shared: str, notebook: str, parameters: Mapping[str, Any]) -> str:
    """Return the hash of one edition of one lesson with its parameters."""
    text = json.dumps([shared, notebook, dict(parameters)], ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _existing(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts]
