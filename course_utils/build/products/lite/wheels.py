"""Wheels of our own for the browser: a bank's data, and the plain part of statsmodels."""

from __future__ import annotations

import email
import importlib.metadata
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from course_utils.build.products.kit.archive import packed
from course_utils.build.products.kit.wheel import record
from course_utils.errors import CourseError
from course_utils.files import write_bytes

#: Folder of the data wheel that a kernel in the browser takes for the project.
DATA_PACKAGE = "course_data"
#: Parts of statsmodels that no method of the course needs.
_LEFT_OUT = ("datasets", "examples", "sandbox", "tests")


def write_wheel(
    folder: Path, name: str, version: str, files: Mapping[str, bytes], metadata: str = ""
) -> Path:
    """Write a wheel in plain Python: the same bytes for the same content.

    Parameters
    ----------
    folder : pathlib.Path
        Where it goes.
    name, version : str
        Of the package; the name with underscores.
    files : mapping
        Path in ``site-packages`` → content.
    metadata : str, optional
        Text of ``METADATA``.
    """
    info = f"{name}-{version}.dist-info"
    own = metadata or f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    wheel = "Wheel-Version: 1.0\nGenerator: course\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content = {
        **dict(sorted(files.items())),
        f"{info}/METADATA": own.encode("utf-8"),
        f"{info}/WHEEL": wheel.encode("utf-8"),
    }
    content[f"{info}/RECORD"] = record(content, f"{info}/RECORD")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    write_bytes(path, packed(content))
    return path


def data_wheel(data: Path, version: str, folder: Path) -> Path:
    """Pack contract, reference tables, profile and the list of columns of one bank.

    The columns themselves stay on the server. The contract is parsed now: reading YAML takes a
    browser seconds.

    Parameters
    ----------
    data : pathlib.Path
        A ``data`` folder as trainees get it, its bank as columns.
    version : str
        Version of the wheel.
    folder : pathlib.Path
        Where the wheel goes.
    """
    root = data.parent
    _parse_contract(root)
    files = {f"{DATA_PACKAGE}/__init__.py": b'"""Data of one bank for lessons in a browser."""\n'}
    for path in sorted([*data.rglob("*"), *(root / ".cache").glob("contract-*.json")]):
        if path.is_file() and path.suffix != ".npz":
            files[f"{DATA_PACKAGE}/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    return write_wheel(folder, DATA_PACKAGE, version, files)


def _parse_contract(root: Path) -> None:
    """Let a process that takes `root` for the project parse the contract and keep the result."""
    code = "from course_utils.contract import load_contract; load_contract()"
    environment = {**os.environ, "COURSE_HOME": str(root), "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    if done.returncode:
        raise CourseError("数据字典没有读通，浏览器课堂没有生成：请先运行 course lint 检查。")


def statsmodels_wheel(folder: Path) -> Path | None:
    """Pack the modules of the installed statsmodels that are plain Python.

    Least squares, generalized linear models and intervals of shares need no compiled code, so
    lessons that use them run in full. What needs it (time series, smoothers) fails at import, as
    if the library were missing.

    Returns
    -------
    pathlib.Path or None
        The wheel; None if statsmodels is not installed here.
    """
    try:
        installed = importlib.metadata.distribution("statsmodels")
    except importlib.metadata.PackageNotFoundError:
        return None
    files = {}
    for entry in installed.files or ():
        plain = entry.suffix == ".py" or entry.name.startswith("LICENSE")
        if plain and not set(_LEFT_OUT) & set(entry.parts):
            files[entry.as_posix()] = entry.locate().read_bytes()
    metadata = installed.read_text("METADATA") or ""
    return write_wheel(folder, "statsmodels", installed.version, files, metadata)


def notices(folder: Path) -> str:
    """Return which packages of others lie in a folder, with version and licence.

    Parameters
    ----------
    folder : pathlib.Path
        Wheels; each holds the text of its own licence.
    """
    lines = ["本课堂使用了下列开源软件，许可证全文在各安装包（.whl）内的 *.dist-info 里。", ""]
    for path in sorted(folder.glob("*.whl"), key=lambda p: p.name.lower()):
        with zipfile.ZipFile(path) as archive:
            inner = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            meta = email.message_from_bytes(archive.read(inner))
        words = [c.rpartition(" :: ")[2] for c in meta.get_all("Classifier", ()) if "License" in c]
        plain = (meta.get("License") or "").strip().split("\n")[0]
        known = "、".join(words) or (plain if len(plain) < 40 else "")
        licence = meta.get("License-Expression") or known
        lines.append(f"{meta['Name']} {meta['Version']}：{licence or '见安装包'}")
    return "\n".join(lines) + "\n"
