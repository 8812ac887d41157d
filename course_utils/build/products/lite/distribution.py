"""Put Python for the browser together: Pyodide, the packages lessons need, a lock of just these.

The lock says which package brings which module and what it depends on. The browser's kernel reads
it and loads packages by themselves; what is not in it does not exist there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.build.products.lite.fetch import (
    CORE,
    LOCK,
    packages_of,
    plain_packages,
)
from course_utils.build.products.lite.sources import load_sources, sha256
from course_utils.build.products.lite.wheels import statsmodels_wheel
from course_utils.errors import CourseError
from course_utils.files import write_text

#: What course_utils imports in lessons.
LIBRARIES = (
    "matplotlib",
    "numpy",
    "pandas",
    "ruamel-yaml",
    "scikit-learn",
    "scipy",
    "seaborn",
    "statsmodels",
    "xlsxwriter",
)
#: What the kernel in the browser starts with.
KERNEL = ("comm", "ipykernel", "ipython", "jedi", "micropip", "piplite", "pyodide-kernel")
#: Part of the course from the first cell on; the kernel loads it while the trainee reads.
COURSE = "course-utils"


@dataclass(frozen=True)
class Distribution:
    """Python for the browser.

    Parameters
    ----------
    folder : pathlib.Path
        Files to be served.
    packages : tuple of str
        All packages in it.
    missing : tuple of str
        Libraries that lessons would use and that are not in it.
    """

    folder: Path
    packages: tuple[str, ...]
    missing: tuple[str, ...]


def assemble(
    pyodide: Path, kernel: Path, ours: Mapping[str, Path], cache: Path, folder: Path
) -> Distribution:
    """Put a distribution together.

    Parameters
    ----------
    pyodide : pathlib.Path
        Folder of Pyodide with compiled packages.
    kernel : pathlib.Path
        Folder with the wheels of the kernel (piplite, pyodide-kernel, ipykernel).
    ours : mapping
        Name → wheel of the course's own packages.
    cache : pathlib.Path
        Where fetched packages are kept.
    folder : pathlib.Path
        An empty folder for the result.

    Raises
    ------
    CourseError
        If something cannot be fetched, or a package is missing without which nothing runs.
    """
    for name in CORE:
        shutil.copyfile(pyodide / name, folder / name)
    lock = json.loads((pyodide / LOCK).read_text(encoding="utf-8"))
    known: dict[str, Any] = lock["packages"]
    there = packages_of(pyodide)
    wheels = {**_kernel_wheels(kernel), **ours}
    if "statsmodels" not in there and (plain := statsmodels_wheel(folder)):
        wheels["statsmodels"] = plain
    needed = _closure([*LIBRARIES, *KERNEL, *wheels], known)
    fetched = [n for n in needed if n not in there and n not in wheels and n in load_sources().pypi]
    wheels |= plain_packages(fetched, cache)
    entries = {}
    for name in needed:
        if name in wheels:
            entries[name] = _place(name, wheels[name], known.get(name), folder)
        elif name in there:
            shutil.copyfile(pyodide / there[name]["file_name"], folder / there[name]["file_name"])
            entries[name] = there[name]
    missing = tuple(name for name in LIBRARIES if name not in entries)
    if fatal := [name for name in (*KERNEL, *LIBRARIES) if name not in entries]:
        fatal = [name for name in fatal if name != "statsmodels"]
        if fatal:
            raise CourseError(f"浏览器课堂缺少程序包 {'、'.join(fatal)}：请换完整的发行包再试。")
    for entry in entries.values():
        entry["depends"] = [n for n in entry["depends"] if n in entries]
    text = json.dumps({**lock, "packages": entries}, ensure_ascii=False, indent=1, sort_keys=True)
    write_text(folder / LOCK, text + "\n")
    return Distribution(folder, tuple(sorted(entries)), missing)


def _kernel_wheels(folder: Path) -> dict[str, Path]:
    """Return the kernel's own wheels by name."""
    wheels = {}
    for name in ("piplite", "pyodide-kernel", "ipykernel"):
        found = sorted(folder.glob(f"{name.replace('-', '_')}-*.whl"))
        if not found:
            raise CourseError(
                f"缺少 {name}：请安装讲师环境（pip install 'course-utils[teach]'）后再试。"
            )
        wheels[name] = found[-1]
    return wheels


#: What our own packages and those that the lock does not know depend on.
_DEPENDS = {
    COURSE: (*LIBRARIES, "course-data"),
    "course-data": (),
    "comm": (),
    "ipykernel": (),
    "piplite": ("micropip",),
    "prompt-toolkit": ("wcwidth",),
    "pyodide-kernel": ("comm", "ipython"),
    "seaborn": ("matplotlib", "numpy", "pandas"),
    "statsmodels": ("numpy", "scipy", "pandas", "patsy", "packaging"),
    "xlsxwriter": (),
}


def _depends(name: str, known: Mapping[str, Any]) -> list[str]:
    return list(_DEPENDS.get(name) or known.get(name, {}).get("depends", ()))


def _closure(names: Iterable[str], known: Mapping[str, Any]) -> list[str]:
    """Return the packages and all they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            waiting += _depends(name, known)
    return sorted(found)


def _place(name: str, wheel: Path, entry: Mapping[str, Any] | None, folder: Path) -> dict[str, Any]:
    """Copy a wheel into the distribution and return its entry for the lock."""
    target = folder / wheel.name
    if wheel != target:
        shutil.copyfile(wheel, target)
    parts = wheel.name.split("-")
    imports = entry["imports"] if entry else [parts[0]]
    return {
        "depends": [n.lower().replace("_", "-") for n in _depends(name, {name: entry or {}})],
        "file_name": wheel.name,
        "imports": imports,
        "install_dir": "site",
        "name": name,
        "package_type": "package",
        "sha256": sha256(target),
        "unvendored_tests": False,
        "version": parts[1],
    }
