"""Small wheels and kits for the tests of the trainee kit."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from course_utils.build.products.kit.archive import packed


def write_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    needs: Iterable[str] = (),
    tag: str = "py3-none-any",
    python: str = ">=3.11",
    code: str = "",
) -> Path:
    """Write a real wheel with one module; pip can install it."""
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    head += [f"Requires-Python: {python}", *(f"Requires-Dist: {need}" for need in needs)]
    meta = f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{name.replace('-', '_')}.py": code.encode(),
        f"{meta}/METADATA": ("\n".join(head) + "\n").encode(),
        f"{meta}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    lines = [f"{n},sha256={_digest(data)},{len(data)}" for n, data in files.items()]
    files[f"{meta}/RECORD"] = ("\n".join([*lines, f"{meta}/RECORD,,"]) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace('-', '_')}-{version}-{tag}.whl"
    path.write_bytes(packed(files))
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def sha256(path: Path) -> str:
    """Hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_kit_folder(folder: Path, houses: dict | None = None, **changes: object) -> Path:
    """Write a kit with one notebook, one table and a wheel that holds nothing."""
    wheel = write_wheel(folder / "wheels", "course-utils")
    (folder / "notebooks" / "0").mkdir(parents=True)
    (folder / "notebooks" / "0" / "m00.ipynb").write_text("{}", encoding="utf-8")
    (folder / "notebooks" / "课程目录.md").write_text("# 目录\n", encoding="utf-8")
    (folder / "data" / "banks").mkdir(parents=True)
    (folder / "data" / "banks" / "bank.yml").write_text("name: 甲\n", encoding="utf-8")
    (folder / "requirements.lock").write_text("", encoding="utf-8")
    content = {
        "bank": "coastal",
        "title": "甲行",
        "data_key": "k1",
        "data_bytes": 10,
        "wheel": f"wheels/{wheel.name}",
        "houses": houses or {},
        **changes,
    }
    (folder / "kit.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
