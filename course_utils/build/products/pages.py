"""Web pages of executed lessons that open from a folder and never ask for a network."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.build.execution.run import Build, Record
from course_utils.build.files import fresh_folder, write_text
from course_utils.build.sources.editions import Edition
from course_utils.build.sources.plans import ClassPlan, plan_body
from course_utils.build.sources.syllabus import Lesson

if TYPE_CHECKING:
    from nbformat import NotebookNode

EDITION_NAMES = {"trainee": "学员版", "instructor": "讲师版"}
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


def write_pages(build: Build, records: Sequence[Record]) -> Path:
    """Write one site an edition below ``build/<bank>/pages``.

    The two sites share nothing: a trainee's site holds nothing of the instructor's.

    Returns
    -------
    pathlib.Path
        The folder with ``trainee/index.html`` and ``instructor/index.html``.
    """
    folder = build.folder / "pages"
    with fresh_folder(folder) as aside:
        for edition in ("trainee", "instructor"):
            _write_site(build, edition, records, aside / edition)
    return folder


def _write_site(build: Build, edition: Edition, records: Sequence[Record], folder: Path) -> None:
    import nbformat

    from course_utils.contract import dictionary_html

    lessons = [
        lesson
        for lesson in build.syllabus.lessons
        if lesson.path(build.executed(edition), ".ipynb").is_file()
    ]
    for number, lesson in enumerate(lessons):
        source = lesson.path(build.executed(edition), ".ipynb")
        notebook = nbformat.read(source, as_version=4)
        near = (lessons[number - 1] if number else None, *lessons[number + 1 : number + 2])
        text = page(
            f"{lesson.title_zh} · {build.profile.name}",
            _navigation(build, edition, near),
            notebook_body(notebook),
        )
        write_text(folder / f"{lesson.name}.html", text)
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
