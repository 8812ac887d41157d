"""Fingerprints of what a lesson's outputs depend on: an unchanged lesson is not run again.

Two kinds of things count. What may shape every lesson is *shared*: contract, reference tables,
the bank's profile, fonts and styles of the package, the code that builds editions and executes
them, the lock, the interpreter. What only some lessons read is noted while they run: the package's
modules and the bank's tables. A lesson is still right if the shared things, its own master and
everything it read the last time are unchanged: then a new run would read the same again.

jupyter-cache was tried for this and does not fit: its key is the text of the code cells and the
kernel's name, so a changed table or helper gives the old result.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import course_utils
from course_utils.paths import data_dir, warehouse_dir

_PACKAGE = Path(course_utils.__file__).resolve().parent
#: Files of the package beside its modules.
_RESOURCES = (".yml", ".csv", ".otf", ".css", ".txt", ".json")
#: Code that every lesson goes through on its way to an executed notebook.
_BUILDERS = ("build/sources", "build/execution", "build/files.py")


@dataclass(frozen=True)
class Snapshot:
    """Hashes of everything the lessons of one bank may depend on, taken at one moment.

    Parameters
    ----------
    shared : str
        One hash of what all lessons depend on.
    modules : mapping of str to str
        Hash by path below the package, ``"analysis/deposits/terms.py"``.
    tables : mapping of str to str
        Hash by ``"<bank>/<file>"``.
    """

    shared: str
    modules: Mapping[str, str]
    tables: Mapping[str, str]

    @classmethod
    def take(cls, root: Path, bank: str) -> Snapshot:
        """Read and hash all files now.

        Parameters
        ----------
        root : pathlib.Path
            The project.
        bank : str
            Code of the bank.
        """
        common = common_inputs(root)
        modules = common.pop("modules")
        tables = {f"{bank}/{p.name}": file_hash(p) for p in _files(warehouse_dir(bank))}
        shared = {
            **common,
            "tables": sorted(tables),  # that a table is there at all counts for `bank.has`
            "builders": {n: h for n, h in modules.items() if n.startswith(_BUILDERS)},
            "profile": _profile_hash(data_dir("banks") / bank / "bank.yml"),
        }
        return cls(text_hash(shared), modules, tables)

    @cached_property
    def digest(self) -> str:
        """One hash of everything: two machines that see the same files get the same."""
        return text_hash([self.shared, dict(self.modules), dict(self.tables)])

    def fingerprint(self, source: str, modules: Iterable[str], tables: Iterable[str]) -> str:
        """Return the hash of all inputs of one run; empty if one of them is not known.

        Parameters
        ----------
        source : str
            Hash of the lesson's own text, edition and parameters.
        modules, tables : iterable of str
            What the run read.
        """
        read = [*((name, self.modules.get(name)) for name in sorted(modules))]
        read += [(name, self.tables.get(name)) for name in sorted(tables)]
        if any(value is None for _, value in read):
            return ""
        return text_hash([self.shared, source, read])


def common_inputs(root: Path) -> dict[str, Any]:
    """Return interpreter and hashes of package, contract and lock: equal for all banks.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    """
    return {
        "python": sys.version,
        "modules": _hashes(_PACKAGE, (".py",)),
        "resources": _resources(),
        "contract": _hashes(data_dir("contract"), (".yml",)),
        "reference": _hashes(data_dir("reference"), (".csv",)),
        "lock": hash_if_there(root / "requirements.lock"),
    }


def text_hash(content: Any) -> str:
    """Return the hash of anything that JSON can hold; dates and the like as text."""
    text = json.dumps(content, ensure_ascii=False, default=str, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def file_hash(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_if_there(path: Path) -> str:
    """Return the hash of a file's bytes; empty if there is no file."""
    return file_hash(path) if path.is_file() else ""


def _resources() -> dict[str, str]:
    """Return the hashes of the package's other files; the style of pages is none of a lesson's."""
    hashes = _hashes(_PACKAGE, _RESOURCES)
    return {name: value for name, value in hashes.items() if not name.startswith("build/products")}


def _profile_hash(path: Path) -> str:
    """Return the hash of a profile without its parameters: those count for single lessons."""
    from ruamel.yaml import YAML

    if not path.is_file():
        return ""
    content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) or {}
    return text_hash({key: value for key, value in content.items() if key != "parameters"})


def _hashes(folder: Path, suffixes: tuple[str, ...]) -> dict[str, str]:
    return {_below(folder, path): file_hash(path) for path in _files(folder, suffixes)}


def _files(folder: Path, suffixes: tuple[str, ...] = ()) -> list[Path]:
    """Return the files below a folder, in order; those of compiled code are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and (not suffixes or path.suffix in suffixes)
    )


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
