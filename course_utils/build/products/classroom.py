"""The folder in which somebody works through the lessons on this machine."""

from __future__ import annotations

from pathlib import Path

from course_utils.build.execution.run import Build
from course_utils.build.sources.editions import build_edition, dumps
from course_utils.build.sources.parameters import lesson_parameters
from course_utils.files import write_text


def prepare_classroom(build: Build) -> Path:
    """Write the trainee notebooks with the bank's parameters to ``lab/<bank>``.

    A notebook that is there already is never touched: it may hold somebody's work.

    Returns
    -------
    pathlib.Path
        The folder to open.
    """
    folder = build.root / "lab" / build.profile.code
    for lesson in build.syllabus.lessons:
        path = lesson.path(folder, ".ipynb")
        if path.exists():
            continue
        master = build.master(lesson)
        notebook = build_edition(master, "trainee", lesson_parameters(build.profile, master))
        write_text(path, dumps(notebook))
    return folder
