"""Get Python for the browser: from an official Pyodide folder, else from the package index."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from course_utils.build.products.lite.sources import Pinned, Sources, load_sources, sha256
from course_utils.errors import CourseError
from course_utils.files import fresh_folder, require_room

LOCK = "pyodide-lock.json"
#: What every folder of Pyodide has.
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", LOCK)
#: Compiled packages without which no lesson runs.
NEEDED = ("numpy", "pandas", "matplotlib", "scipy", "scikit-learn")


def pyodide_folder(given: Path | None, cache: Path) -> Path:
    """Return a folder with Pyodide and the packages that it brings.

    Parameters
    ----------
    given : pathlib.Path, optional
        Folder or archive of an official distribution; if left out, the pinned files are fetched
        once and kept.
    cache : pathlib.Path
        Where fetched and unpacked files are kept.

    Raises
    ------
    CourseError
        If the given folder is not one, or nothing can be fetched.
    """
    if given is not None:
        return _official(given, cache)
    sources = load_sources()
    folder = cache / sources.pyodide
    pinned = [*sources.core.values(), *sources.carried.values()]
    if not _complete(folder, pinned):
        _unpack_carrier(sources, folder, pinned)
    return folder


def plain_packages(names: Iterable[str], cache: Path) -> dict[str, Path]:
    """Return wheels in plain Python, fetched once and kept.

    Parameters
    ----------
    names : iterable of str
        Names in ``sources.json``.
    cache : pathlib.Path
        Where they are kept.

    Raises
    ------
    CourseError
        If they cannot be fetched or have other bytes than they should.
    """
    sources = load_sources()
    wanted = {name: sources.pypi[name] for name in names}
    folder = cache / "packages"
    missing = {n: p for n, p in wanted.items() if not _complete(folder, [p])}
    if missing:
        with tempfile.TemporaryDirectory(prefix="course-lite-") as scratch:
            _download(missing, Path(scratch), sources.python)
            folder.mkdir(parents=True, exist_ok=True)
            for pinned in missing.values():
                _require(Path(scratch) / pinned.file, pinned)
                shutil.move(Path(scratch) / pinned.file, folder / pinned.file)
    return {name: folder / pinned.file for name, pinned in wanted.items()}


def packages_of(folder: Path) -> dict[str, dict[str, object]]:
    """Return the entries of a Pyodide folder's lock whose files are there."""
    packages = json.loads((folder / LOCK).read_text(encoding="utf-8"))["packages"]
    return {name: p for name, p in packages.items() if (folder / p["file_name"]).is_file()}


def _complete(folder: Path, pinned: Iterable[Pinned]) -> bool:
    return all((folder / p.file).is_file() and sha256(folder / p.file) == p.sha256 for p in pinned)


def _require(path: Path, pinned: Pinned) -> None:
    if not path.is_file() or sha256(path) != pinned.sha256:
        raise CourseError(
            f"取到的 {pinned.file} 与清单里登记的内容不一样，没有使用：请检查软件源后再试。"
        )


def _unpack_carrier(sources: Sources, folder: Path, pinned: Iterable[Pinned]) -> None:
    carrier = sources.carrier
    with tempfile.TemporaryDirectory(prefix="course-lite-") as scratch:
        _download({sources.carrier_name: carrier}, Path(scratch), "3.11")
        archive = Path(scratch) / carrier.file
        _require(archive, carrier)
        with fresh_folder(folder) as aside, zipfile.ZipFile(archive) as opened:
            for entry in pinned:
                data = opened.read(f"{sources.folder}/{entry.file}")
                (aside / entry.file).write_bytes(data)
                _require(aside / entry.file, entry)


def _download(wanted: dict[str, Pinned], folder: Path, python: str) -> None:
    """Let pip fetch wheels, hashes checked."""
    lines = [f"{n}=={p.version} --hash=sha256:{p.sha256}" for n, p in sorted(wanted.items())]
    (folder / "wanted.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--retries", "2"]
    command += ["--python-version", python, "--dest", str(folder)]
    command += ["--requirement", str(folder / "wanted.txt")]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        require_room(folder)
        raise CourseError(
            "取不到浏览器课堂要用的程序包：请联网后再试一次（只需一次），"
            "或用 --pyodide 指定 Pyodide 官方发行包所在的文件夹。"
        )


def _official(given: Path, cache: Path) -> Path:
    """Return the folder of an official distribution, unpacked if it is an archive."""
    if given.is_file() and given.name.endswith((".tar.bz2", ".tar.gz", ".tar.xz")):
        given = _unpack_archive(given, cache)
    if not given.is_dir():
        raise CourseError(
            f"“{given}”不是文件夹或 .tar.bz2：请指定 Pyodide 官方发行包或解压后的文件夹。"
        )
    inner = given / "pyodide"
    folder = inner if (inner / LOCK).is_file() else given
    if missing := [name for name in CORE if not (folder / name).is_file()]:
        raise CourseError(
            f"“{given}”里缺少 {'、'.join(missing)}：请使用 Pyodide 314 的官方完整发行包。"
        )
    packages = packages_of(folder)
    if missing := [name for name in NEEDED if name not in packages]:
        raise CourseError(
            f"“{given}”里缺少 {'、'.join(missing)}：请使用完整发行包，只有核心的那个不够用。"
        )
    return folder


def _unpack_archive(archive: Path, cache: Path) -> Path:
    folder = cache / f"official-{sha256(archive)[:16]}"
    if not folder.is_dir():
        try:
            with fresh_folder(folder) as aside, tarfile.open(archive) as opened:
                opened.extractall(aside, filter="data")
        except (tarfile.TarError, EOFError) as error:
            raise CourseError(f"“{archive.name}”解压不了（{error}），请重新下载。") from None
    return folder
