"""Web pages of executed lessons that open from a folder and never ask for a network."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import metadata, resources
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.build.execution.crew import core_count
from course_utils.build.execution.inputs import file_hash, text_hash
from course_utils.build.execution.records import Record
from course_utils.build.execution.run import Build
from course_utils.build.files import fresh_folder, write_text
from course_utils.build.sources.editions import Edition
from course_utils.build.sources.plans import ClassPlan, plan_body
from course_utils.build.sources.syllabus import Lesson

if TYPE_CHECKING:
    from nbformat import NotebookNode

EDITION_NAMES: dict[Edition, str] = {"trainee": "学员版", "instructor": "讲师版"}
#: Hashes of what each page was made from, for the next build.
_KEYS = ".keys.json"
#: A process of its own pays from this number of pages on: its imports take two seconds.
_PAGES_A_WORKER = 4
#: File name of the font in charts/font and beside the pages.
FONT = "CourseSansSC.otf"
STATUS_NAMES = {"ok": "完成", "unchanged": "完成", "failed": "没有运行成功"}


def page(title: str, navigation: str, body: str) -> str:
    """Return a whole HTML page with the style inside it.

    Parameters
    ----------
    title : str
        Text of the browser tab.
    navigation : str
        HTML of the line at the top.
    body : str
        HTML of the content.
    """
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{_style()}\n</style>\n</head>\n<body>\n"
        f"<nav>{navigation}</nav>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _style() -> str:
    from pygments.formatters import HtmlFormatter

    css = (
        resources.files("course_utils.build.products")
        .joinpath("page.css")
        .read_text(encoding="utf-8")
    )
    return css + HtmlFormatter(style="default").get_style_defs(".highlight")


def notebook_body(notebook: NotebookNode) -> str:
    """Return the cells of an executed notebook as HTML; images are inside, scripts are not."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="basic", sanitize_html=False)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    body, _ = exporter.from_notebook_node(notebook)
    return body


@dataclass(frozen=True)
class PageJob:
    """One lesson's page.

    Parameters
    ----------
    name : str
        ``<edition>/<lesson>.html`` below the pages' folder.
    source : pathlib.Path
        The executed notebook.
    title, navigation : str
        Text of the tab; HTML of the line at the top.
    """

    name: str
    source: Path
    title: str
    navigation: str

    def key(self, renderer: str) -> str:
        """Return the hash of everything the page depends on."""
        return text_hash([renderer, file_hash(self.source), self.title, self.navigation])

    def render(self) -> str:
        """Return the page."""
        import nbformat

        notebook = nbformat.read(self.source, as_version=4)
        return page(self.title, self.navigation, notebook_body(notebook))


def write_pages(build: Build, records: Sequence[Record]) -> Path:
    """Write one site an edition below ``build/<bank>/pages``.

    The two sites share nothing: a trainee's site holds nothing of the instructor's. Pages of
    lessons that have not changed are taken from the last build.

    Returns
    -------
    pathlib.Path
        The folder with ``trainee/index.html`` and ``instructor/index.html``.
    """
    folder = build.folder / "pages"
    jobs = [job for edition in EDITION_NAMES for job in _page_jobs(build, edition)]
    renderer = _renderer_hash()
    keys = {job.name: job.key(renderer) for job in jobs}
    old_keys = _old_keys(folder)
    with fresh_folder(folder) as aside:
        waiting = []
        for job in jobs:
            (aside / job.name).parent.mkdir(parents=True, exist_ok=True)
            if old_keys.get(job.name) == keys[job.name] and (folder / job.name).is_file():
                shutil.copy2(folder / job.name, aside / job.name)
            else:
                waiting.append(job)
        for job, text in zip(waiting, _render(waiting, build.jobs), strict=True):
            write_text(aside / job.name, text)
        for edition in EDITION_NAMES:
            _write_site(build, edition, records, aside / edition)
        write_text(aside / _KEYS, json.dumps(keys))
    return folder


def _page_jobs(build: Build, edition: Edition) -> list[PageJob]:
    lessons = _executed_lessons(build, edition)
    jobs = []
    for number, lesson in enumerate(lessons):
        near = (lessons[number - 1] if number else None, *lessons[number + 1 : number + 2])
        jobs.append(
            PageJob(
                name=f"{edition}/{lesson.name}.html",
                source=lesson.path(build.executed(edition), ".ipynb"),
                title=f"{lesson.title_zh} · {build.profile.name}",
                navigation=_navigation(build, edition, near),
            )
        )
    return jobs


def _executed_lessons(build: Build, edition: Edition) -> list[Lesson]:
    return [
        lesson
        for lesson in build.syllabus.lessons
        if lesson.path(build.executed(edition), ".ipynb").is_file()
    ]


def _renderer_hash() -> str:
    """Return the hash of what turns a notebook into a page."""
    own = file_hash(Path(__file__))
    return text_hash([own, _style(), metadata.version("nbconvert"), metadata.version("nbformat")])


def _old_keys(folder: Path) -> Mapping[str, str]:
    try:
        return json.loads((folder / _KEYS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _render(jobs: Sequence[PageJob], workers: int | None) -> list[str]:
    """Render pages, many of them on several cores: each takes most of a second."""
    workers = min(workers or core_count(), len(jobs) // _PAGES_A_WORKER)
    if workers < 2:
        return [job.render() for job in jobs]
    # "spawn": the build has threads, and a fork would copy their locks
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(PageJob.render, jobs))


def _write_site(build: Build, edition: Edition, records: Sequence[Record], folder: Path) -> None:
    """Write what a site has beside the lessons: dictionary, font, class plans, contents."""
    from course_utils.contract import dictionary_html

    lessons = _executed_lessons(build, edition)
    # one stylesheet for all pages, so that the dictionary too is readable without a Chinese font
    dictionary = dictionary_html().replace("</head>", f"<style>{_style()}</style></head>", 1)
    write_text(folder / "dictionary.html", dictionary)
    font = resources.files("course_utils.charts").joinpath("font", FONT)
    (folder / FONT).write_bytes(font.read_bytes())
    plans = [p for p in build.syllabus.plans if {ls.key for ls in lessons} >= set(p.lessons)]
    for plan in plans:
        write_text(folder / plan_file(plan), _plan_page(build, edition, plan))
    write_text(folder / "index.html", _index(build, edition, lessons, records, plans))


def plan_file(plan: ClassPlan) -> str:
    """Return the file name of a class plan's page."""
    return f"plan-{plan.id}.html"


def _plan_page(build: Build, edition: Edition, plan: ClassPlan) -> str:
    masters = {key: build.master(build.syllabus.lesson(key)) for key in plan.lessons}
    body = plan_body(plan, build.syllabus, masters, with_outline=edition == "instructor")
    title = f"{plan.title_zh} · {build.profile.name}"
    return page(title, _navigation(build, edition), body)


def _navigation(build: Build, edition: Edition, near: Sequence[Lesson | None] = ()) -> str:
    parts = ['<a href="index.html">目录</a>', '<a href="dictionary.html">数据字典</a>']
    for label, lesson in zip(("上一课", "下一课"), near, strict=False):
        if lesson is not None:
            parts.append(
                f'<a href="{lesson.name}.html">{label}：{html.escape(lesson.title_zh)}</a>'
            )
    name = html.escape(build.profile.name)
    parts.append(f'<span class="edition">{name} · {EDITION_NAMES[edition]}</span>')
    return "".join(parts)


def _index(
    build: Build,
    edition: Edition,
    lessons: Sequence[Lesson],
    records: Sequence[Record],
    plans: Sequence[ClassPlan],
) -> str:
    status = {r.lesson: r.status for r in records if r.edition == edition}
    parts = [f"<h1>{html.escape(build.profile.name)} · 普惠金融数据实战</h1>"]
    parts.append(f"<p>数据日期 {build.profile.as_of:%Y-%m-%d}。断网也能看。</p>")
    links = (f'<a href="{plan_file(p)}">{html.escape(p.title_zh)}</a>' for p in plans)
    if line := "、".join(links):
        parts.append(f"<p>课程安排：{line}</p>")
    for module in build.syllabus.modules:
        rows = []
        for lesson in module.lessons:
            title = html.escape(lesson.title_zh)
            if lesson in lessons:
                title = f'<a href="{lesson.name}.html">{title}</a>'
            state = STATUS_NAMES.get(status.get(lesson.name, ""), "")
            if lesson not in lessons:
                state = state or "没有运行"
            cells = (lesson.key, title, lesson.level, f"{lesson.minutes} 分钟", state)
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        parts.append(f"<h2>{html.escape(module.title_zh)}</h2>")
        head = "".join(f"<th>{name}</th>" for name in ("编号", "课", "难度", "用时", "状态"))
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")
    title = f"{build.profile.name} · 目录"
    return page(title, _navigation(build, edition), "\n".join(parts))
