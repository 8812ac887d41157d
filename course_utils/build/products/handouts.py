"""A PDF of each lesson's page to hand out on paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from course_utils.build.execution.run import Build
from course_utils.build.products.browser import find_browser, print_page
from course_utils.build.sources.editions import Edition
from course_utils.build.sources.syllabus import Lesson
from course_utils.errors import CourseError

#: Browsers that print at the same time; each takes a core.
_AT_ONCE = 2


def write_handouts(
    build: Build,
    lessons: Sequence[Lesson],
    edition: Edition = "trainee",
    report: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> list[Path]:
    """Print lessons to ``build/<bank>/handouts/<edition>``; what is newer than its page stays.

    Parameters
    ----------
    build : Build
        Its pages have been written.
    lessons : sequence of Lesson
        Those without a page are left out.
    edition : {"trainee", "instructor"}
        Whose pages.
    report : callable
        Called with the name of a lesson, the number done and the total.

    Returns
    -------
    list of pathlib.Path
        The PDFs of all these lessons.

    Raises
    ------
    CourseError
        If none of the lessons has a page, or no browser prints.
    """
    folder = build.folder / "pages" / edition
    pages = [folder / f"{lesson.name}.html" for lesson in lessons]
    pages = [page for page in pages if page.is_file()]
    if not pages:
        raise CourseError(
            f"还没有可以打印的网页，请先运行 course build --bank {build.profile.code}。"
        )
    target = build.folder / "handouts" / edition
    pdfs = {page: target / f"{page.stem}.pdf" for page in pages}
    style = folder / "_static" / "site.css"
    waiting = [page for page, pdf in pdfs.items() if not _is_newer(pdf, page, style)]
    if waiting:
        browser = find_browser()
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            printing = [pool.submit(print_page, browser, page, pdfs[page]) for page in waiting]
            for number, (page, one) in enumerate(zip(waiting, printing, strict=True), 1):
                one.result()
                report(page.stem, number, len(waiting))
        finally:
            pool.shutdown(cancel_futures=True)
    return list(pdfs.values())


def _is_newer(pdf: Path, *sources: Path) -> bool:
    if not pdf.is_file():
        return False
    printed = pdf.stat().st_mtime_ns
    return all(printed > path.stat().st_mtime_ns for path in sources if path.is_file())
