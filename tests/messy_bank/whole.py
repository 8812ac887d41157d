"""The whole of a synthetic bank through one system and through clean tables, up to the lessons.

``python -m tests.messy_bank.whole --adapter east5`` exports the bank twice, takes both in, builds
the course on both and compares tables and the executed outputs of every lesson: texts, tables and
the bytes of pictures. It takes minutes and about 3 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from course_utils.paths import data_dir

from .cases import Project
from .exports import CLEAN, bank_tables, export
from .systems.shapes import SHAPES


def compare_bank(
    folder: Path,
    adapter: str,
    source: str = "coastal",
    lessons: Sequence[str] = (),
    customers: int = 0,
) -> list[str]:
    """Run everything and return what differs.

    Parameters
    ----------
    folder : Path
        An empty folder.
    adapter : str
        The system to compare with the clean tables.
    source : str
        Code of the synthetic bank.
    lessons : sequence of str
        Build only these; none: all.
    customers : int
        Export only so many customers; 0: all.
    """
    tables = bank_tables(data_dir("warehouse") / source, customers)
    project = Project(folder, os.environ.__setitem__)
    _furnish(project.folder)
    for name in (CLEAN, adapter):
        written = export(tables, folder / "exports" / name, name)
        project.bank(f"x_{name}", written.mapping)
        _course("intake", f"x_{name}", "--from", str(written.folder))
    differences = list(_tables(project.folder, adapter))
    chosen = [part for one in lessons for part in ("--lesson", one)]
    for name in (CLEAN, adapter):
        # a lesson that fails is named below, with its edition
        _course("build", "--bank", f"x_{name}", *chosen, check=False)
    wanted = lessons or _masters(project.folder)
    return differences + list(lesson_differences(project.folder / "build", adapter, wanted))


def _furnish(project: Path) -> None:
    """Put beside the data what a build packs into the trainees' wheel."""
    root = Path(__file__).resolve().parents[2]
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "requirements.lock"):
        shutil.copy(root / name, project / name)
    leave = shutil.ignore_patterns("__pycache__", "_data")
    shutil.copytree(root / "course_utils", project / "course_utils", ignore=leave)


def lesson_differences(build: Path, adapter: str, wanted: Sequence[str]) -> Iterator[str]:
    """Name every lesson that is not there and every code cell whose outputs differ."""
    first = _notebooks(build / f"x_{CLEAN}" / "instructor")
    second = _notebooks(build / f"x_{adapter}" / "instructor")
    for name in wanted:
        for code, there in ((CLEAN, first), (adapter, second)):
            if name not in there:
                yield f"{name}: not built on {code}"
    for name in sorted(set(first) & set(second)):
        left, right = list(_outputs(first[name], CLEAN)), list(_outputs(second[name], adapter))
        if len(left) != len(right):
            yield f"{name}: {len(left)} cells against {len(right)}"
        for number, pair in enumerate(zip(left, right, strict=False)):
            if pair[0] != pair[1]:
                yield f"{name}: cell {number}"


def _notebooks(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in folder.rglob("m[0-9]*.ipynb")}


def _outputs(path: Path, adapter: str) -> Iterator[str]:
    """Return the outputs of every cell as text, the bank's code replaced."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        shown = []
        for output in cell.get("outputs", []):
            shown.append({k: v for k, v in output.items() if k not in {"execution_count"}})
        text = json.dumps(shown, ensure_ascii=False, sort_keys=True)
        yield text.replace(f"x_{adapter}", "BANK")


def _tables(project: Path, adapter: str) -> Iterator[str]:
    warehouse = project / "data" / "warehouse"
    for path in sorted((warehouse / f"x_{CLEAN}").glob("*.parquet")):
        other = warehouse / f"x_{adapter}" / path.name
        # in the order of the file, not only the same rows
        if not other.exists() or not pl.read_parquet(path).equals(pl.read_parquet(other)):
            yield f"table {path.stem}"


def _masters(project: Path) -> list[str]:
    return sorted(path.stem for path in (project / "lessons").rglob("m[0-9]*.py"))


def _course(*command: str, check: bool = True) -> None:
    home = os.environ["COURSE_HOME"]
    subprocess.run([sys.executable, "-m", "course_utils.cli", *command], check=check, cwd=home)


def main() -> None:
    """Compare and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="empty, stays; a temporary one if left out")
    parser.add_argument("--adapter", choices=sorted(SHAPES), default="east5")
    parser.add_argument("--bank", default="coastal")
    parser.add_argument("--lesson", action="append", default=[], help="only these; none: all")
    parser.add_argument("--customers", type=int, default=0, help="only so many; 0: all")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adapters-") as scratch:
        folder = args.folder or Path(scratch)
        differences = compare_bank(folder, args.adapter, args.bank, args.lesson, args.customers)
    print("\n".join(differences) or "tables and lessons are the same")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
