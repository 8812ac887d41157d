"""What must be equal on all machines of a cluster, in parts that people know by name."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from course_utils.build.execution.inputs import common_inputs, text_hash

#: Libraries whose version shows in outputs, or by which machines talk to each other.
_LIBRARIES = (
    "cloudpickle",
    "distributed",
    "duckdb",
    "matplotlib",
    "nbclient",
    "numpy",
    "pandas",
    "papermill",
    "scikit-learn",
    "scipy",
    "statsmodels",
)


@functools.cache
def own_identity(root: Path) -> Mapping[str, str]:
    """Return Chinese name → hash of everything that machines must have in common.

    Taken once a process: code that was changed after a worker had loaded it must not count as
    what the worker runs.

    Parameters
    ----------
    root : pathlib.Path
        The project as this machine sees it.
    """
    inputs = common_inputs(root)
    return {
        "Python": inputs["python"],
        "课程程序包": text_hash([inputs["modules"], inputs["resources"]]),
        "数据约定和参考表": text_hash([inputs["contract"], inputs["reference"]]),
        "requirements.lock": inputs["lock"],
        "程序库": text_hash([_version(name) for name in _LIBRARIES]),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that are not equal."""
    return [name for name, value in ours.items() if theirs.get(name) != value]
