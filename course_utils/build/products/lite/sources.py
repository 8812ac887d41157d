"""What is fetched for the class in the browser: names, versions and hashes, all in one file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Pinned:
    """One file that must have these bytes.

    Parameters
    ----------
    file : str
        Its name.
    sha256 : str
        Hash of its bytes.
    version : str
        Version of the package; empty for parts of another package.
    """

    file: str
    sha256: str
    version: str = ""


@dataclass(frozen=True)
class Sources:
    """Everything that ``sources.json`` pins.

    Parameters
    ----------
    pyodide : str
        Version of Python for the browser.
    python : str
        Version of the Python language in it.
    carrier : Pinned
        The wheel in which Pyodide and its compiled packages travel.
    carrier_name, folder : str
        Its name, and where in it the files lie.
    core : mapping of str to Pinned
        Pyodide itself.
    carried : mapping of str to Pinned
        Packages that the carrier brings, by name.
    pypi : mapping of str to Pinned
        Packages in plain Python, by name.
    """

    pyodide: str
    python: str
    carrier: Pinned
    carrier_name: str
    folder: str
    core: Mapping[str, Pinned]
    carried: Mapping[str, Pinned]
    pypi: Mapping[str, Pinned]


@cache
def load_sources() -> Sources:
    """Read ``sources.json``."""
    raw = json.loads(Path(__file__).with_name("sources.json").read_text(encoding="utf-8"))
    carrier = dict(raw["carrier"])
    name, folder = carrier.pop("name"), carrier.pop("folder")
    return Sources(
        pyodide=raw["pyodide"],
        python=raw["python"],
        carrier=Pinned(**carrier),
        carrier_name=name,
        folder=folder,
        core={file: Pinned(file, digest) for file, digest in raw["core"].items()},
        carried={key: Pinned(**entry) for key, entry in raw["carried"].items()},
        pypi={key: Pinned(**entry) for key, entry in raw["pypi"].items()},
    )


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
