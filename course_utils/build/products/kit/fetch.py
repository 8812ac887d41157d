"""Fetch the wheels of a lock for another machine, a few at a time, checked and kept."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from course_utils.build.execution.inputs import file_hash
from course_utils.build.products.kit.house import Wheel
from course_utils.build.products.kit.targets import Pin, Target
from course_utils.errors import CourseError
from course_utils.files import explain_os_errors

#: Packages a call of pip: what an interrupted run has fetched before stays.
BATCH = 12
Progress = Callable[[str, int, int], None]


def fetch(
    pins: Mapping[str, Pin],
    target: Target,
    folder: Path,
    progress: Progress = lambda label, done, total: None,
) -> dict[str, Wheel]:
    """Return a wheel for every pin; only those that are not there yet are downloaded.

    Parameters
    ----------
    pins : mapping of str to Pin
        From :func:`~course_utils.build.products.kit.targets.read_lock`.
    target : Target
        The machine they are for.
    folder : pathlib.Path
        Where wheels are kept from run to run. Files whose hash is not in the lock are removed.
    progress : callable
        Called with a label, the number of wheels that are there, and how many there will be.

    Raises
    ------
    CourseError
        If something is missing and cannot be fetched, or the disk is full.
    """
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        kept = _kept(pins, folder)
    missing = sorted(set(pins) - set(kept))
    progress(target.zh, len(kept), len(pins))
    for start in range(0, len(missing), BATCH):
        names = missing[start : start + BATCH]
        _download([pins[name] for name in names], target, folder)
        progress(target.zh, len(kept) + start + len(names), len(pins))
    kept = _kept(pins, folder) if missing else kept
    if lacking := sorted(set(pins) - set(kept)):
        raise CourseError(f"下载后仍缺 {lacking[0]} 的安装包，请再运行一次 course kit。")
    return kept


def _kept(pins: Mapping[str, Pin], folder: Path) -> dict[str, Wheel]:
    """Return the wheels that the lock knows by their hash; anything else is removed."""
    allowed = {digest: pin.name for pin in pins.values() for digest in pin.hashes}
    kept: dict[str, Wheel] = {}
    for path in sorted(folder.iterdir()):
        name = allowed.get(file_hash(path)) if path.suffix == ".whl" else None
        if name is None:
            path.unlink()
        else:
            kept[name] = Wheel.read(path)
    return kept


def _download(pins: Iterable[Pin], target: Target, folder: Path) -> None:
    """Let pip download some pins: it checks the hashes and knows the machine's index and proxy."""
    tags = [option for tag in target.platform.tags for option in ("--platform", tag)]
    version = target.python.replace(".", "")
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        wanted = Path(scratch) / "wanted.txt"
        wanted.write_text("".join(map(_line, pins)), encoding="utf-8")
        # fmt: off
        command = [
            sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet",
            "--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(wanted),
            "--dest", scratch, "--python-version", target.first_release,
            "--implementation", "cp", "--abi", f"cp{version}", "--abi", "abi3", "--abi", "none",
            *tags,
        ]
        # fmt: on
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
        with explain_os_errors(folder):
            for path in Path(scratch).glob("*.whl"):
                path.replace(folder / path.name)
    if done.returncode:
        raise CourseError(_why(done.stderr, target))


def _line(pin: Pin) -> str:
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in sorted(pin.hashes))
    return f"{pin.name}=={pin.version} {hashes}\n"


def _why(stderr: str, target: Target) -> str:
    """Turn what pip says into one sentence."""
    if "No space left" in stderr:
        return "磁盘已满，安装包没有下载完：请腾出空间后再运行一次，已下载的会保留。"
    if "DO NOT MATCH THE HASHES" in stderr:
        return "下载到的安装包与 requirements.lock 的校验值不符，没有采用：请检查所用的安装源。"
    if "No matching distribution" in stderr and "Retrying" not in stderr:
        name = stderr.rsplit("No matching distribution found for", 1)[-1].split()[0]
        return f"安装源里没有 {name} 给 {target.zh} 的安装包：请换一个 Python 版本或电脑种类。"
    return (
        f"下载给 {target.zh} 的安装包时连不上安装源：请联网后再运行一次，已下载的会保留；"
        "只想先打包，可加 --no-wheelhouse。"
    )
