"""Where the project's files are: in a source checkout, a trainee kit, or an installed wheel."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def home() -> Path | None:
    """Return the folder that holds ``data/``, or None if only the installed package is there.

    ``COURSE_HOME`` wins; then the working folder and its parents (a trainee kit); then the
    source checkout.
    """
    if chosen := os.environ.get("COURSE_HOME"):
        return Path(chosen)
    working = Path.cwd()
    for folder in (working, *working.parents, _PACKAGE.parent):
        if (folder / "data" / "banks").is_dir():
            return folder
    return None


def data_dir(name: str) -> Path:
    """Return the folder ``data/<name>`` (banks, contract, reference).

    The copy inside the wheel serves where no ``data/`` folder is near.
    """
    folder = home()
    if folder is not None and (folder / "data" / name).is_dir():
        return folder / "data" / name
    return _PACKAGE / "_data" / name


def warehouse_dir(code: str) -> Path:
    """Return the folder of one bank's tables; it need not exist yet."""
    if chosen := os.environ.get("COURSE_WAREHOUSE"):
        return Path(chosen) / code
    return (home() or Path.cwd()) / "data" / "warehouse" / code


def incoming_dir(code: str) -> Path:
    """Return the folder in which a real bank's exports are looked for; it need not exist."""
    return (home() or Path.cwd()) / "data" / "incoming" / code


def intake_dir(code: str) -> Path:
    """Return the folder of the reports on a real bank's exports; it need not exist yet."""
    return (home() or Path.cwd()) / "data" / "intake" / code
