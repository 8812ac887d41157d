"""Write the two sites of a bank; what has not changed since the last time is taken over."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import course_utils
from course_utils.build.execution.inputs import file_hash, text_hash
from course_utils.build.execution.records import Record
from course_utils.build.execution.run import Build
from course_utils.build.products.simple_page import EDITION_NAMES
from course_utils.build.products.site import assemble
from course_utils.build.products.site.model import COURSE, Site
from course_utils.build.products.site.renderer.settings import settings
from course_utils.build.sources.syllabus import load_outline
from course_utils.errors import CourseError
from course_utils.files import fresh_folder, require_room, write_text

_WORKER = "course_utils.build.products.site.renderer.run"
_LIBRARIES = ("sphinx", "myst-nb", "myst-parser", "sphinx-book-theme", "pydata-sphinx-theme")
#: What Sphinx writes beside the pages and nobody needs.
_SURPLUS = (
    ".buildinfo",
    ".buildinfo.bak",
    "objects.inv",
    ".doctrees",
    "jupyter_execute",
    "_sources",
    "locales",
    "*macros.html",
    "*.map",
)


@dataclass(frozen=True)
class Workplace:
    """Where one site is made; kept from build to build.

    Parameters
    ----------
    folder : pathlib.Path
        ``build/<bank>/.records/site/<edition>``.
    """

    folder: Path

    @property
    def sources(self) -> Path:
        """Notebooks and Markdown."""
        return self.folder / "sources"

    @property
    def static(self) -> Path:
        """Pictures and font."""
        return self.folder / "static"

    @property
    def pages(self) -> Path:
        """What Sphinx writes."""
        return self.folder / "pages"

    @property
    def structure(self) -> Path:
        """Hash of the navigation that the pages show."""
        return self.folder / "structure"

    def shows(self, structure: str) -> bool:
        """Say whether the pages there show this navigation."""
        return self.structure.is_file() and self.structure.read_text("utf-8") == structure

    @property
    def log(self) -> Path:
        """Sphinx's warnings."""
        return self.folder / "sphinx.log"


def write_pages(build: Build, records: Sequence[Record]) -> Path:
    """Write one site an edition below ``build/<bank>/pages``.

    The two sites share nothing: a trainee's site is made from the trainee edition alone.

    Returns
    -------
    pathlib.Path
        The folder with ``trainee/index.html`` and ``instructor/index.html``. An older one is
        replaced as a whole, or stays as it was if this fails.

    Raises
    ------
    CourseError
        If Sphinx is not installed, a source is broken, or nothing can be written.
    """
    require_sphinx()
    outline = build.root / "lessons" / "outline.csv"
    items = load_outline(outline) if outline.is_file() else {}
    sites = [Site(build, edition, records, items) for edition in EDITION_NAMES]
    places = [Workplace(build.folder / ".records" / "site" / site.edition) for site in sites]
    structures = [_prepare(site, place) for site, place in zip(sites, places, strict=True)]
    _render(places, at_once=build.jobs != 1)
    for place, structure in zip(places, structures, strict=True):
        write_text(place.structure, structure)
    folder = build.folder / "pages"
    with fresh_folder(folder) as aside:
        for site, place in zip(sites, places, strict=True):
            ignore = shutil.ignore_patterns(*_SURPLUS)
            shutil.copytree(place.pages, aside / site.edition, ignore=ignore)
            # Sphinx would copy pictures anew each time, and never remove one
            shutil.copytree(place.static, aside / site.edition / "_static", dirs_exist_ok=True)
    return folder


def require_sphinx() -> None:
    """Raise a CourseError that says what to install if Sphinx or its parts are missing."""
    missing = [n for n in ("sphinx", "myst_nb", "sphinx_book_theme") if find_spec(n) is None]
    if missing:
        raise CourseError(
            f"这台电脑没有装生成网页的程序（{'、'.join(missing)}），请在项目文件夹运行 make env，"
            "或用 pip 安装 course-utils[teach]，再重新构建。"
        )


def _prepare(site: Site, place: Workplace) -> str:
    """Write the sources and the job; return what navigation the pages are to show.

    The last build is forgotten if another renderer made it.
    """
    key = _renderer_key()
    stamp = place.folder / "renderer"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != key:
        shutil.rmtree(place.folder, ignore_errors=True)
    sources = assemble.collect(site)
    assemble.write(sources.documents, place.sources)
    assemble.write(sources.static, place.static)
    title = f"{site.bank} · {COURSE}"
    footer = f"{title} · {site.edition_name} · 数据日期 {site.as_of} · {site.about_data}"
    job = {
        "sources": str(place.sources),
        "pages": str(place.pages),
        "doctrees": str(place.folder / "doctrees"),
        "log": str(place.log),
        "all": not place.shows(sources.structure),
        "settings": settings(title, footer, site.edition_name),
    }
    write_text(place.folder / "job.json", json.dumps(job, ensure_ascii=False))
    write_text(stamp, key)
    return sources.structure


def _renderer_key() -> str:
    """Return the hash of what turns sources into pages."""
    own = sorted((Path(__file__).parent / "renderer").glob("*.py"))
    return text_hash([[file_hash(path) for path in own], [metadata.version(n) for n in _LIBRARIES]])


def _render(places: Sequence[Workplace], at_once: bool) -> None:
    """Run Sphinx on each workplace, in processes of their own."""
    running: list[tuple[Workplace, subprocess.Popen[str]]] = []
    try:
        for place in places:
            running.append((place, _start(place)))
            if not at_once:
                running[-1][1].wait()
        for place, process in running:
            _, errors = process.communicate()
            if process.returncode:
                require_room(place.folder, Path(tempfile.gettempdir()))
                raise CourseError(_fault(place, errors))
    finally:
        for _, process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


def _start(place: Workplace) -> subprocess.Popen[str]:
    # the package of this process, whatever lies in the working folder
    paths = [str(Path(course_utils.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _WORKER, str(place.folder / "job.json")],
        env=environment | {"PYTHONUTF8": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def _fault(place: Workplace, errors: str) -> str:
    shutil.rmtree(place.folder / "doctrees", ignore_errors=True)
    last = (errors.strip().splitlines() or ["没有说明"])[-1]
    return f"生成网页没有成功（{last}），细节在 {place.log}，请改好后再构建一次。"
