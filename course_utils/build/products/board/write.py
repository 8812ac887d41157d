"""Write the board as one file that opens from a folder, on a phone, a projector or paper."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from course_utils.bank import Bank, open_bank
from course_utils.brief import MARKS
from course_utils.build.execution.run import Build
from course_utils.build.products.board.font import embedded_font
from course_utils.build.products.board.panels import Panel, collect_panels, tagged_lessons
from course_utils.build.sources.syllabus import Lesson
from course_utils.files import fresh_folder, write_text

#: So many results stand on the first screen.
MOST_TILES = 5
_TAG = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)


def board_lessons(build: Build) -> list[Lesson]:
    """Return the lessons whose results go onto the board."""
    return tagged_lessons(build)


def write_board(build: Build) -> Path:
    """Write ``build/<bank>/board/index.html`` from the executed instructor notebooks.

    Nothing is computed here: every number, sentence, picture and table is an output of a lesson.

    Parameters
    ----------
    build : Build
        Its lessons have run.

    Returns
    -------
    pathlib.Path
        The page; style, font and pictures are inside it.

    Raises
    ------
    CourseError
        If no lesson has run on this bank, or the page cannot be written.
    """
    bank = open_bank(
        build.profile.code, (build.profile.parameters.get("common") or {}).get("AS_OF")
    )
    panels = collect_panels(build, bank)
    text = render(build, bank, panels)
    with fresh_folder(build.folder / "board") as aside:
        write_text(aside / "index.html", text)
    return build.folder / "board" / "index.html"


def render(build: Build, bank: Bank, panels: list[Panel]) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    build : Build
        Where the lessons' pages are looked for.
    bank : Bank
        Name, date, and whether the tables were generated.
    panels : list of Panel
        The sections.
    """
    from jinja2 import Environment, StrictUndefined

    folder = resources.files("course_utils.build.products.board")
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    template = environment.from_string(folder.joinpath("board.html").read_text("utf-8"))
    urgency = list(MARKS).index
    ranked = sorted((panel for panel in panels if panel.briefs), key=lambda p: urgency(p.mark))
    content = {
        "bank": bank,
        "panels": panels,
        "tiles": ranked[:MOST_TILES],
        "others": ranked[MOST_TILES:],
        "absent": [panel for panel in panels if not panel.briefs],
        "marks": MARKS,
        "pages": {panel.key: _pages(build, panel) for panel in panels},
        "style": folder.joinpath("board.css").read_text("utf-8"),
        "generated": bank.truth is not None,
    }
    bare = template.render(**content, font="")
    shown = _TAG.sub("", bare) + "".join(re.findall(r'alt="([^"]*)"', bare)) + "（）：，。“”"
    return template.render(**content, font=embedded_font(shown))


def _pages(build: Build, panel: Panel) -> list[tuple[Lesson, str]]:
    """Return the lessons of a section, each with the way to its page if there is one."""
    places = []
    for lesson in panel.lessons:
        found = sorted((build.folder / "pages" / "instructor").rglob(f"{lesson.name}.html"))
        way = f"../{found[0].relative_to(build.folder).as_posix()}" if found else ""
        places.append((lesson, way))
    return places
