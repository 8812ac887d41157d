"""The wheel of course_utils: whole, or the trainee's part of it."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from course_utils.build.products.kit.archive import packed
from course_utils.errors import CourseError
from course_utils.files import require_room, write_bytes

WheelEdition = Literal["full", "trainee"]

#: Rooms that lessons and checks need. Whatever is new stays out until it is named here.
TRAINEE_ROOMS = (
    "analysis",
    "bank",
    "charts",
    "contract",
    "deliver",
    "desk",
    "exercises",
    "_data/contract",
    "_data/reference",
)
#: Files of those rooms that give planted effects away.
_WITHHELD = re.compile(r"course_utils/_data/reference/planted_effects.*")
#: Requirements of the package that only building a course needs.
_BUILDERS_NEEDS = {
    "click",
    "jupytext",
    "nbval",
    "papermill",
    "pip",
    "python-calamine",
    "setuptools",
    "tqdm",
}


def build_wheel(root: Path, folder: Path, edition: WheelEdition = "trainee") -> Path:
    """Build the wheel of course_utils with the data it reads; same sources, same bytes.

    Parameters
    ----------
    root : pathlib.Path
        The source checkout.
    folder : pathlib.Path
        Where the wheel goes.
    edition : {"trainee", "full"}
        The trainee's wheel holds what lessons and checks need: no synthetic bank, no planted
        effects, no build, no commands, no bank profiles.

    Returns
    -------
    pathlib.Path
        The wheel.

    Raises
    ------
    CourseError
        If setuptools refuses; its last line is part of the message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        built = _setuptools_wheel(root, Path(scratch))
        target = folder / built.name
        if edition == "full":
            shutil.move(built, target)
        else:
            write_bytes(target, packed(_trainee_files(built)))
        return target


def _setuptools_wheel(root: Path, scratch: Path) -> Path:
    code = (
        "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(scratch)],
        cwd=root,
        env={
            **os.environ,
            "SOURCE_DATE_EPOCH": "315532800",
            "PYTHONUTF8": "1",
            "COURSE_SCRATCH": str(scratch / "wheel"),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        require_room(scratch)
        last = (done.stderr.strip().splitlines() or ["没有说明"])[-1]
        raise CourseError(f"打包 course_utils 没有成功（{last}），请先修好打包设置再构建。")
    return scratch / done.stdout.strip().splitlines()[-1]


def _trainee_files(wheel: Path) -> dict[str, bytes]:
    """Return the trainee's part of a wheel with its own list of requirements and hashes."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if _is_trainees(name)}
    meta = next(name.removesuffix("METADATA") for name in files if name.endswith("/METADATA"))
    files[f"{meta}METADATA"] = _trainee_metadata(files[f"{meta}METADATA"])
    files[f"{meta}RECORD"] = record(files, f"{meta}RECORD")
    return files


def _is_trainees(name: str) -> bool:
    top, _, rest = name.partition("/")
    if top != "course_utils":
        # the commands and the builder's plug-in are not there
        return not name.endswith((".dist-info/entry_points.txt", ".dist-info/RECORD"))
    if _WITHHELD.fullmatch(name):
        return False
    return "/" not in rest or rest.startswith(tuple(f"{room}/" for room in TRAINEE_ROOMS))


def _trainee_metadata(data: bytes) -> bytes:
    """Leave out extras, what only building needs, and the description for instructors."""
    head, _, _ = data.decode("utf-8").partition("\n\n")
    kept = [line for line in head.split("\n") if not _is_builders(line)]
    return ("\n".join(kept) + "\n").encode("utf-8")


def _is_builders(line: str) -> bool:
    field, _, value = line.partition(": ")
    if field in ("Provides-Extra", "Description-Content-Type"):
        return True
    if field != "Requires-Dist":
        return False
    name = re.split(r"[^A-Za-z0-9._-]", value, maxsplit=1)[0].lower()
    return name in _BUILDERS_NEEDS or "extra ==" in value


def record(files: Mapping[str, bytes], own_name: str) -> bytes:
    """Return the list of a wheel's files with hash and size, as installers want it."""
    lines = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest())
        lines.append(f"{name},sha256={digest.rstrip(b'=').decode()},{len(files[name])}")
    return ("\n".join([*lines, f"{own_name},,"]) + "\n").encode("utf-8")
