"""Small pieces of HTML that several pages are made of.

Pages are MyST Markdown: headings are Markdown, so that they get into the contents; tables and
cards are blocks of HTML, which must hold no blank line.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from course_utils.build.sources.syllabus import Lesson

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_TABLE = re.compile(r"<table>(.*?)</table>", re.DOTALL)
_BOX = r'<div class="table-box"><table class="course-table plan">\1</table></div>'
_MARKS = re.compile(r"([\\`*_{}\[\]<>|$~^])")


def escape(text: object) -> str:
    """Return text as HTML shows it."""
    return html.escape(str(text))


def markdown_text(text: str) -> str:
    """Return text as Markdown shows it: no character of it is a mark."""
    return _MARKS.sub(r"\\\1", text)


def link(target: str, text: str) -> str:
    """Return a link to a page of the same site."""
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def lesson_link(lesson: Lesson, with_key: bool = True) -> str:
    """Return a link to a lesson's page."""
    title = f"{lesson.key} {lesson.title_zh}" if with_key else lesson.title_zh
    return link(f"{lesson.name}.html", title)


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], wrap: Sequence[int] = (), kind: str = ""
) -> str:
    """Return a table in a box of its own that scrolls when the page is narrow.

    Parameters
    ----------
    head : sequence of str
        Titles of the columns.
    rows : iterable of sequence of str
        Cells, HTML already.
    wrap : sequence of int
        Columns, counted from 0, whose text may take several lines.
    kind : str, optional
        A class of its own, for the widths of the columns.
    """
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(_row(row, set(wrap)) for row in rows)
    return block(
        f'<div class="table-box"><table class="course-table {kind}">'
        f"<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def block(text: str) -> str:
    """Return HTML as a block between two blank lines, itself without any."""
    lines = (line for line in text.splitlines() if line.strip())
    return "\n\n" + "\n".join(lines) + "\n\n"


def from_html(body: str) -> str:
    """Return a page body of headings, paragraphs and tables as Markdown with blocks of HTML."""
    parts = _HEADING.split(body)
    texts = [block(parts[0])] if parts[0].strip() else []
    for level, title, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        texts.append(f"\n{'#' * int(level)} {markdown_text(html.unescape(title))}\n")
        texts.append(block(_TABLE.sub(_BOX, rest)))
    return "".join(texts)


def _row(cells: Sequence[str], wrap: set[int]) -> str:
    return (
        "<tr>"
        + "".join(
            f'<td class="wrap">{cell}</td>' if number in wrap else f"<td>{cell}</td>"
            for number, cell in enumerate(cells)
        )
        + "</tr>"
    )
