"""The first page of the class in the browser: lessons, what is kept where, which browsers work."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from urllib.parse import quote

from course_utils.bank import Profile
from course_utils.build.products.data_words import about_data
from course_utils.build.products.lite.site import class_name
from course_utils.build.sources.syllabus import Lesson, Syllabus

#: Named to people whose browser is too old. Chrome: the engine of Node 20, in which every lesson is
#: run; Firefox and Safari: the first with module workers, static blocks and Pyodide's WebAssembly.
OLDEST = {"chrome": 113, "firefox": 114, "safari": "16.4"}


def landing(
    profile: Profile,
    syllabus: Syllabus,
    megabytes: int,
    font: str,
    config: str,
    notes: dict[str, str],
) -> str:
    """Return the page.

    Parameters
    ----------
    profile : Profile
        The bank.
    syllabus : Syllabus
        Lessons in order.
    megabytes : int
        What a browser fetches before the first cell runs.
    font : str
        Address of the font, below the site.
    config : str
        The element of JupyterLite's first page that its other pages look for.
    notes : dict of str to str
        Short name of a lesson → what of it does not run in a browser.
    """
    template = Template(
        (Path(__file__).parent / "page" / "landing.html").read_text(encoding="utf-8")
    )
    return template.substitute(
        title=html.escape(class_name(profile)),
        subtitle=html.escape(
            f"{about_data(profile)}；数据日期 {profile.as_of:%Y-%m-%d}。"
            "不用安装，用浏览器就能上课。"
        ),
        font=font,
        config=config,
        megabytes=megabytes,
        lessons="\n".join(_modules(syllabus, notes)),
        **OLDEST,
    )


def _modules(syllabus: Syllabus, notes: dict[str, str]) -> list[str]:
    parts = []
    for module in syllabus.modules:
        if not module.lessons:
            continue
        parts.append(f"<h2>{html.escape(module.title_zh)}</h2>")
        parts.append('<ul class="lessons">')
        parts += [_entry(lesson, notes.get(lesson.key, "")) for lesson in module.lessons]
        parts.append("</ul>")
    return parts


def _entry(lesson: Lesson, note: str) -> str:
    path = quote(f"{lesson.folder}/{lesson.name}.ipynb")
    # a workspace of its own: JupyterLab opens again what was open in a workspace, and every open
    # lesson is a Python of its own in memory
    address = f"lab/index.html?path={path}&amp;workspace={lesson.key}"
    facts = f"{lesson.key} · 难度 {lesson.level} · {lesson.minutes} 分钟"
    more = f"<br>{html.escape(note)}" if note else ""
    return (
        f'<li><a href="{address}"><b>{html.escape(lesson.title_zh)}</b>'
        f'<span class="soft">{facts}{more}</span></a></li>'
    )
