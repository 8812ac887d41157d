"""After the lessons have run: pages, kit and scan, each made again only if something changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.build.execution.inputs import Snapshot, hash_if_there, text_hash
from course_utils.build.execution.run import EDITIONS, Build
from course_utils.build.products import site
from course_utils.build.products.kit import write_kit
from course_utils.build.products.scan import Leak, scan_build
from course_utils.build.products.site import write_pages
from course_utils.build.products.site.assemble import GLOSSARY
from course_utils.files import write_text
from course_utils.paths import data_dir

#: Files of the site's look beside its modules.
_LOOKS = (".css", ".js", ".html")


@dataclass(frozen=True)
class Products:
    """What a build hands out.

    Parameters
    ----------
    pages : pathlib.Path
        Folder of the two sites.
    kit : pathlib.Path or None
        Folder of the trainee kit; None for a real bank, whose tables are the instructor's alone.
    leaks : list of Leak
        What must not leave the house; should be empty.
    """

    pages: Path
    kit: Path | None
    leaks: list[Leak]


def finish(build: Build) -> Products:
    """Write pages and kit of a bank's build and scan everything that is handed out.

    Parameters
    ----------
    build : Build
        Its lessons have run; with ``jobs=1`` the two sites are made one after the
        other, otherwise at the same time.

    Raises
    ------
    CourseError
        If something cannot be written or packed.
    """
    snapshot = Snapshot.take(build.root, build.profile.code)
    records = list(build.records.load().values())
    results = [
        [hash_if_there(path) for path in _results(build)],
        [[record.name, record.status] for record in records],
    ]
    sources = [_lesson_texts(build), _project_files(build.root), _page_files(build.root)]
    everything = [snapshot.shared, dict(snapshot.modules), build.profile.parameters, sources]
    pages = _unless_done(
        build, "pages", [*everything, results], lambda: write_pages(build, records)
    )
    kit = None
    if build.profile.is_real and not build.profile.release:
        shutil.rmtree(build.folder / "trainee", ignore_errors=True)
    else:
        inputs = [*everything, results, dict(snapshot.tables)]
        kit = _unless_done(build, "trainee", inputs, lambda: write_kit(build))
    return Products(pages, kit, scan_build(build.folder))


def _unless_done(build: Build, name: str, inputs: object, make: Callable[[], Path]) -> Path:
    """Make a folder, unless the one that is there was made from the same inputs and not touched.

    An instructor may have tried the kit where it lies: nobody's answers are to be handed out.
    """
    stamp, folder = build.folder / ".records" / f"{name}.stamp", build.folder / name
    if stamp.is_file() and stamp.read_bytes() == _stamp(inputs, folder).encode("utf-8"):
        return folder
    stamp.unlink(missing_ok=True)
    make()
    write_text(stamp, _stamp(inputs, folder))
    return folder


def _stamp(inputs: object, folder: Path) -> str:
    """Return the hash of what a folder is made from and of the files that lie in it."""
    files = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    tree = [(path.relative_to(folder).as_posix(), s.st_size, s.st_mtime_ns) for path, s in files]
    return text_hash([inputs, tree])


def _results(build: Build) -> list[Path]:
    return [
        lesson.path(build.executed(edition), ".ipynb")
        for lesson in build.syllabus.lessons
        for edition in EDITIONS
    ]


def _lesson_texts(build: Build) -> list[str]:
    """Return the hashes of all masters and of the syllabus with its class plans."""
    folder = build.root / "lessons"
    masters: Sequence[Path] = [ls.path(folder, ".py") for ls in build.syllabus.lessons]
    files = [*masters, folder / "syllabus.yml"]
    return [hash_if_there(path) for path in files]


def _page_files(root: Path) -> list[str]:
    """Return the hashes of what only pages are made of: outlines, glossary, style, scripts."""
    looks = sorted(p for p in Path(site.__file__).parent.rglob("*.*") if p.suffix in _LOOKS)
    files = [root / "lessons" / "outline.csv", data_dir("reference") / GLOSSARY, *looks]
    return [hash_if_there(path) for path in files]


def _project_files(root: Path) -> list[str]:
    names = ("LICENSE", "pyproject.toml", "setup.py", "README.md")
    return [hash_if_there(root / name) for name in names]
