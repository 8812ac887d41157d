"""A lesson's page: the executed notebook, its pictures as files, and where to go from there."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from course_utils.build.products.site.content.dictionary import table_page
from course_utils.build.products.site.content.parts import escape, link
from course_utils.build.products.site.model import Site
from course_utils.build.sources.syllabus import Lesson
from course_utils.contract import Contract
from course_utils.errors import CourseError

#: Folder of the pictures below the site.
PICTURES = "_static/pictures"
#: Forms of an output, the one people see first.
_FORMS = ("text/html", "image/png", "text/markdown", "text/plain")
_ROLES = ("parameters", "injected-parameters", "answer", "check", "instructor")
_TABLE = re.compile(r'<table id="(T_[0-9a-f]+)"')
_KEPT = {"language_info": {"name": "python"}, "kernelspec": {"name": "python3"}}


def lesson_notebook(site: Site, lesson: Lesson, ending: str) -> tuple[str, dict[str, bytes]]:
    """Return an executed lesson as the site shows it.

    Parameters
    ----------
    site : Site
        Edition and bank.
    lesson : Lesson
        Must have run.
    ending : str
        Markdown that stands below the last cell.

    Returns
    -------
    tuple of str and dict
        The notebook as JSON, and its pictures by file name.

    Raises
    ------
    CourseError
        If the notebook is broken.
    """
    path = site.notebook(lesson)
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        pictures: dict[str, bytes] = {}
        cells = [_cell(cell, pictures) for cell in notebook["cells"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"运行过的笔记本“{path.name}”读不出来，请用 --force 重新构建这一课。"
        ) from error
    cells.append({"id": "ending", "cell_type": "markdown", "metadata": {}, "source": ending})
    content = {"cells": cells, "metadata": _KEPT, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, ensure_ascii=False, indent=1), pictures


def lesson_ending(
    site: Site, lesson: Lesson, terms: Sequence[tuple[str, str]], contract: Contract
) -> str:
    """Return what stands below a lesson: its tables, terms and, for instructors, outline items.

    Parameters
    ----------
    site : Site
        Edition and bank.
    lesson : Lesson
        The lesson.
    terms : sequence of tuple of str
        Terms of the glossary that the lesson uses, with the address of each.
    contract : Contract
        Says which tables the lesson reads.
    """
    tables = [
        link(f"{table_page(one)}.html#{one.name}", one.zh)
        for one in contract.for_lesson(lesson.name)
    ]
    parts = [
        ("数据表", "、".join(tables)),
        ("术语", "、".join(link(address, term) for term, address in terms)),
    ]
    if site.for_instructors:
        parts.append(("大纲", "、".join(_outline(site, lesson))))
    rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in parts if text)
    if not rows:
        return ""
    return (
        '<details class="lesson-links"><summary>本课用到的数据表和术语</summary>\n'
        f"<dl>{rows}</dl>\n</details>"
    )


def _outline(site: Site, lesson: Lesson) -> Iterator[str]:
    for number in lesson.home:
        text = site.outline.get(number, {}).get("text", "")
        yield f'<a href="outline.html#{escape(number)}" title="{escape(text)}">{number}</a>'


def _cell(cell: Mapping[str, Any], pictures: dict[str, bytes]) -> dict[str, Any]:
    """Return a cell with what the page needs and nothing else."""
    tags = [tag.split(":")[0] for tag in cell["metadata"].get("tags", ())]
    shown: dict[str, Any] = {
        "id": cell["id"],
        "cell_type": cell["cell_type"],
        "metadata": {"tags": [tag for tag in tags if tag in _ROLES]},
        "source": cell["source"],
    }
    if cell["cell_type"] == "markdown":
        if "instructor" in tags:
            shown["source"] = _marked_for_instructors("".join(cell["source"]))
        return shown
    outputs = [_output(output, pictures) for output in cell["outputs"]]
    return shown | {"outputs": outputs, "execution_count": None}


def _marked_for_instructors(source: str) -> str:
    """Return a folded wrong answer with a class of its own; other prose as it is."""
    return source.replace("<details>", '<details class="for-instructors">', 1)


def _output(output: Mapping[str, Any], pictures: dict[str, bytes]) -> dict[str, Any]:
    """Return an output in its best form; pictures become files."""
    if output["output_type"] not in ("display_data", "execute_result"):
        return dict(output)
    data = output["data"]
    form = next((form for form in _FORMS if form in data), "text/plain")
    content = data.get(form, "")
    text = content if isinstance(content, str) else "".join(content)
    if form == "image/png":
        form, text = "text/html", _picture(text, output.get("metadata", {}), pictures)
    elif form == "text/html":
        text = _TABLE.sub(r'<table class="dataframe" id="\1"', text)
    return {"output_type": "display_data", "data": {form: text}, "metadata": {}}


def _picture(encoded: str, metadata: Mapping[str, Any], pictures: dict[str, bytes]) -> str:
    """Keep a picture under the hash of its bytes and return the HTML that shows it."""
    data = base64.b64decode(encoded)
    name = f"{hashlib.sha256(data).hexdigest()[:20]}.png"
    pictures[name] = data
    about = {**metadata, **metadata.get("image/png", {})}
    width, height = (int.from_bytes(data[start : start + 4], "big") for start in (16, 20))
    return (
        f'<img class="chart" src="{PICTURES}/{name}" alt="{escape(about.get("alt", ""))}" '
        f'width="{width}" height="{height}" loading="lazy">'
    )
