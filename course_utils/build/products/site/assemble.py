"""The sources of a site: notebooks and Markdown, written only where the text has changed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from course_utils.build.execution.inputs import text_hash
from course_utils.build.products.site.content.dictionary import dictionary_pages
from course_utils.build.products.site.content.glossary import (
    glossary_page,
    read_glossary,
    terms_by_lesson,
)
from course_utils.build.products.site.content.indexes import (
    index_page,
    module_page,
    training_page,
)
from course_utils.build.products.site.content.lessons import (
    PICTURES,
    lesson_ending,
    lesson_notebook,
)
from course_utils.build.products.site.content.outline import outline_page
from course_utils.build.products.site.content.parts import from_html
from course_utils.build.products.site.model import Site
from course_utils.build.sources.plans import plan_body
from course_utils.contract import load_contract
from course_utils.files import write_bytes, write_text
from course_utils.paths import data_dir

GLOSSARY = "glossary.yml"
#: The title of a document, Markdown or notebook, and what its tables of contents list.
_OUTLINE = re.compile(r'(?m)^\s*"?# [^"\\\n]+|```{toctree}.*?```', re.DOTALL)
FONT = "CourseSansSC.otf"


@dataclass
class Sources:
    """Everything a site is made from.

    Parameters
    ----------
    documents : dict
        File name → text, for Sphinx.
    static : dict
        Path below ``_static`` → bytes.
    """

    documents: dict[str, str] = field(default_factory=dict)
    static: dict[str, bytes] = field(default_factory=dict)

    @property
    def structure(self) -> str:
        """Hash of what every page shows beside its own text: titles and tables of contents.

        Sphinx writes only pages whose source has changed, and would leave the others with the
        navigation of yesterday.
        """
        shown = [_OUTLINE.findall(text) for text in self.documents.values()]
        return text_hash([list(self.documents), shown])


def collect(site: Site) -> Sources:
    """Return the sources of a site.

    Raises
    ------
    CourseError
        If an executed notebook or the glossary is broken.
    """
    contract = load_contract()
    masters = {lesson.key: site.master(lesson) for lesson in site.lessons}
    terms = read_glossary(data_dir("reference") / GLOSSARY)
    used = terms_by_lesson(terms, masters)
    sources = Sources()
    for lesson in site.lessons:
        addresses = [(term.zh, term.address) for term in used[lesson.key]]
        ending = lesson_ending(site, lesson, addresses, contract)
        text, pictures = lesson_notebook(site, lesson, ending)
        sources.documents[f"{lesson.name}.ipynb"] = text
        sources.static |= {f"{Path(PICTURES).name}/{name}": d for name, d in pictures.items()}
    helps = {"glossary": glossary_page(site, terms, used), **dictionary_pages(site, contract)}
    for plan in site.plans:
        body = plan_body(plan, site.build.syllabus, masters, with_outline=site.for_instructors)
        helps[f"plan-{plan.id}"] = from_html(body)
    if site.for_instructors and site.outline:
        helps["outline"] = outline_page(site)
    pages = helps | {f"module-{m.id}": module_page(site, m) for m in site.modules}
    pages |= {f"training-{t.id}": training_page(site, t) for t in site.trainings}
    pages["index"] = index_page(site, _listed(site, helps))
    sources.documents |= {f"{name}.md": text + "\n" for name, text in pages.items()}
    font = resources.files("course_utils.charts").joinpath("font", FONT)
    sources.static[FONT] = font.read_bytes()
    return sources


def write(files: Mapping[str, str | bytes], folder: Path) -> None:
    """Make a folder hold these files and no others; equal files are not touched.

    Parameters
    ----------
    files : mapping
        Path below the folder → content.
    folder : pathlib.Path
        Need not exist.
    """
    wanted = {folder / name: content for name, content in files.items()}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)
        elif path.is_file() and path not in wanted:
            path.unlink()
    for path, content in wanted.items():
        data = content.encode("utf-8") if isinstance(content, str) else content
        if path.is_file() and path.read_bytes() == data:
            continue
        if isinstance(content, str):
            write_text(path, content)
        else:
            write_bytes(path, data)


def _listed(site: Site, helps: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the pages beside the lessons that the first page lists: name, title, one sentence."""
    listed = [
        (f"plan-{plan.id}", f"课程安排：{plan.title_zh}", "哪个时段讲哪一课的哪一段")
        for plan in site.plans
    ]
    listed.append(("glossary", "术语表", "行话的意思，和用到它的课"))
    listed.append(("dictionary", "数据字典", "每张表每个字段是什么"))
    if "outline" in helps:
        listed.append(("outline", "大纲索引", "大纲的每一条由哪一课讲"))
    return listed
