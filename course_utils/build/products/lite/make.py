"""`course lite`: the class in the browser for one bank, made again only if something changed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import course_utils
from course_utils.bank import columnar, parquet
from course_utils.build.execution.inputs import Snapshot, hash_if_there, text_hash
from course_utils.build.execution.run import Build
from course_utils.build.products.kit import build_wheel, trainee_data, trainee_notebooks
from course_utils.build.products.lite.distribution import COURSE, Distribution, assemble
from course_utils.build.products.lite.fetch import pyodide_folder
from course_utils.build.products.lite.landing import landing
from course_utils.build.products.lite.outcomes import notes
from course_utils.build.products.lite.site import (
    FONT,
    Tools,
    build_site,
    configuration_element,
    find_tools,
    guarded,
    styled,
    table_folder,
)
from course_utils.build.products.lite.sources import load_sources, sha256
from course_utils.build.products.lite.wheels import data_wheel, notices
from course_utils.files import explain_os_errors, fresh_folder, write_text

Report = Callable[[str, int, int], None]
#: Kinds of files of this room that shape the class.
_OURS = {".css", ".csv", ".html", ".json"}
#: Rooms of the package that nothing of the class comes from.
_UNUSED = (
    "build/cluster/",
    "build/execution/",
    "build/products/board/",
    "build/products/hub/",
    "build/products/lite/tryout/",
    "build/products/site/",
    "classroom/",
    "cli/",
    "synth/",
)
#: Who made what is handed out.
NOTICE = "course/开源软件.txt"
#: Share of JupyterLab that opening a notebook loads.
LOADED_AT_START = 0.4
_STEPS = ("程序", "数据", "笔记本", "网页")


@dataclass(frozen=True)
class Lite:
    """The class in the browser.

    Parameters
    ----------
    folder : pathlib.Path
        Plain files for any web server; ``index.html`` is the first page.
    megabytes : float
        Size of all files.
    first_load : float
        Megabytes that a browser fetches before the first cell runs.
    missing : tuple of str
        Libraries that lessons would use and the browser does not have.
    new : bool
        Whether it was made now.
    """

    folder: Path
    megabytes: float
    first_load: float
    missing: tuple[str, ...]
    new: bool


def make_lite(
    build: Build,
    pyodide: Path | None = None,
    report: Report = lambda label, done, total: None,
) -> Lite:
    """Make ``build/<bank>/lite``.

    Parameters
    ----------
    build : Build
        The bank's build; its lessons need not have run.
    pyodide : pathlib.Path, optional
        Folder or archive of an official Pyodide distribution.
    report : callable
        Called with a step, the number done and the total.

    Returns
    -------
    Lite
        An older one is replaced as a whole, or stays as it was if this fails.

    Raises
    ------
    CourseError
        If something is not installed, cannot be fetched or cannot be written.
    """
    tools = find_tools()
    cache = build.root / ".cache" / "pyodide"
    source = pyodide_folder(pyodide, cache)
    folder, stamp = build.folder / "lite", build.folder / ".records" / "lite.json"
    inputs = _inputs(build, source, tools)
    if not build.force and (known := _known(stamp, inputs, folder)):
        stamp.touch()  # up to date as of now, see products/outdated.py
        return known
    stamp.unlink(missing_ok=True)
    with (
        explain_os_errors(folder),
        tempfile.TemporaryDirectory(prefix="course-lite-") as scratch,
        fresh_folder(folder) as aside,
    ):
        distribution = _make(build, source, tools, cache, Path(scratch), aside, report)
    facts = {
        "inputs": inputs,
        "missing": list(distribution.missing),
        "first_load": first_load(folder),
        "tree": _tree(folder),
    }
    write_text(stamp, json.dumps(facts, ensure_ascii=False) + "\n")
    return _lite(facts, folder, new=True)


def _make(
    build: Build,
    source: Path,
    tools: Tools,
    cache: Path,
    scratch: Path,
    folder: Path,
    report: Report,
) -> Distribution:
    def step(number: int) -> None:
        report(_STEPS[min(number, len(_STEPS) - 1)], number, len(_STEPS))

    step(0)
    wheels = scratch / "wheels"
    wheels.mkdir()
    course = build_wheel(build.root, wheels, "trainee")
    step(1)
    tables = columns_of_trainees(build, scratch / "data")
    data = data_wheel(scratch / "data", course_utils.__version__, wheels)
    static = scratch / "pyodide"
    static.mkdir()
    ours = {COURSE: course, "course-data": data}
    distribution = assemble(source, tools.kernel_wheels, ours, cache, static)
    step(2)
    notebooks = scratch / "notebooks"
    for path in trainee_notebooks(build, notebooks):
        _name_kernel(path)
    step(3)
    build_site(
        tools,
        scratch,
        folder,
        distribution=static,
        notebooks=notebooks,
        profile=build.profile,
        python=load_sources().python,
    )
    _add_ours(build, folder, tables, distribution.missing)
    step(4)
    return distribution


def columns_of_trainees(build: Build, data: Path) -> Path:
    """Write a trainee's ``data`` folder with the bank's tables as columns; return the columns."""
    trainee_data(build.profile, data)
    bank = data / "warehouse" / build.profile.code
    parquets = bank.with_name("parquet")
    bank.rename(parquets)
    bank.mkdir()
    columnar.write(
        {name: lambda name=name: _table(parquets, name) for name in parquet.tables(parquets)},
        bank,
    )
    shutil.rmtree(parquets)
    return bank


def _table(folder: Path, name: str) -> tuple[object, dict[str, str]]:
    return parquet.read(folder, name), parquet.stored_columns(folder, name)


def _name_kernel(path: Path) -> None:
    """Name the browser's kernel in a notebook, so that opening it changes nothing in it."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"]["kernelspec"] = {
        "display_name": "Python (Pyodide)",
        "language": "python",
        "name": "python",
    }
    write_text(path, json.dumps(notebook, ensure_ascii=False, indent=1) + "\n")


def _add_ours(build: Build, folder: Path, tables: Path, missing: tuple[str, ...]) -> None:
    """Add font, style, columns and the first page to JupyterLite's files."""
    from importlib import resources

    target = table_folder(folder, build.profile.code)
    target.parent.mkdir(parents=True)
    shutil.copytree(tables, target)
    wheels = folder / "static" / "pyodide"
    font = resources.files("course_utils.charts") / "font" / "CourseSansSC.otf"
    (folder / FONT).write_bytes(font.read_bytes())
    megabytes = round(first_load(folder))
    words = f"Pyodide（MPL-2.0）、JupyterLite 和 JupyterLab（BSD-3-Clause）。\n{notices(wheels)}"
    write_text(folder / NOTICE, words)
    css = (Path(__file__).parent / "page" / "style.css").read_text(encoding="utf-8")
    styled(folder / "lab" / "index.html", css)
    guarded(folder / "lab" / "index.html")
    first = folder / "index.html"
    config = configuration_element(first)
    write_text(
        first, landing(build.profile, build.syllabus, megabytes, FONT, config, notes(missing))
    )


def first_load(folder: Path) -> float:
    """Return the megabytes of a class that a browser fetches before the first cell runs.

    All of Python and its packages, and what JupyterLab loads of its own parts; the test of the
    class holds this against what the server has really sent.
    """
    return (_size(folder / "static") + _size(folder / "build") * LOADED_AT_START) / 1e6


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _inputs(build: Build, source: Path, tools: Tools) -> str:
    """Return the hash of everything that the class is made from."""
    snapshot = Snapshot.take(build.root, build.profile.code)
    masters = [ls.path(build.root / "lessons", ".py") for ls in build.syllabus.lessons]
    own = [*masters, build.root / "lessons" / "syllabus.yml", build.root / "pyproject.toml"]
    ours = sorted(p for p in Path(__file__).parent.rglob("*") if p.suffix in _OURS)
    return text_hash(
        [
            snapshot.shared,
            {n: h for n, h in snapshot.modules.items() if not n.startswith(_UNUSED)},
            dict(snapshot.tables),
            build.profile.parameters,
            [hash_if_there(path) for path in [*own, *ours]],
            sha256(source / "pyodide-lock.json"),
            sha256(tools.extension / "package.json"),
        ]
    )


def _tree(folder: Path) -> str:
    files = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    return text_hash(
        [(p.relative_to(folder).as_posix(), s.st_size, s.st_mtime_ns) for p, s in files]
    )


def _known(stamp: Path, inputs: str, folder: Path) -> Lite | None:
    """Return what is there if it was made from the same inputs and nobody touched it."""
    try:
        facts = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or not {"missing", "first_load"} <= set(facts):
        return None
    if facts.get("inputs") != inputs or facts.get("tree") != _tree(folder):
        return None
    return _lite(facts, folder, new=False)


def _lite(facts: dict[str, object], folder: Path, *, new: bool) -> Lite:
    return Lite(
        folder=folder,
        megabytes=_size(folder) / 1e6,
        first_load=float(facts["first_load"]),
        missing=tuple(facts["missing"]),
        new=new,
    )
