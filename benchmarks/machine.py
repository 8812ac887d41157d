"""What a reader must know of the machine to judge a figure; nothing that names it."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Load average above which other work has a share in the figures.
QUIET = 0.5


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """Return the processor's model; the architecture where the system does not say."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.machine()


def load() -> float:
    """Return the load average of the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0


def facts(packages: Sequence[str], date: str | None = None) -> dict[str, Any]:
    """Return processor, cores, load, date and versions.

    Parameters
    ----------
    packages : sequence of str
        Distributions whose versions matter.
    date : str, optional
        ``YYYY-MM-DD``; today if left out.
    """
    return {
        "date": date or f"{datetime.date.today():%Y-%m-%d}",
        "cores": cores(),
        "processor": processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_at_start": load(),
        "versions": {name: _version(name) for name in packages},
    }


def sentence(facts_: dict[str, Any]) -> str:
    """Return the facts as one line for a page."""
    versions = ", ".join(f"{name} {text}" for name, text in facts_["versions"].items() if text)
    load_ = facts_["load_at_start"]  # None: an old run that did not note it
    at_start = "not noted" if load_ is None else f"{load_:.2f}"
    return (
        f"{facts_['date']}, {facts_['cores']} cores ({facts_['processor']}), "
        f"{facts_['system']}, Python {facts_['python']}, {versions}; "
        f"load average at the start {at_start}."
    )


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
