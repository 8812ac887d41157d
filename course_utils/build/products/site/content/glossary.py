"""The glossary of the trade: terms, what they mean, and which lessons use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from course_utils.build.products.site.content.parts import (
    block,
    escape,
    link,
    markdown_text,
)
from course_utils.build.products.site.model import Site
from course_utils.build.sources.masters import Master
from course_utils.build.sources.syllabus import Lesson
from course_utils.errors import CourseError

_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
#: As many lessons fit in a line or two.
_FEW = 4
_FIELDS = {"zh", "en", "means", "also"}


@dataclass(frozen=True)
class Term:
    """One term.

    Parameters
    ----------
    zh, en : str
        The term in both languages.
    means : str
        What it means here, in one or two Chinese sentences.
    also : tuple of str
        Other ways in which lessons write it.
    group : str
        Heading below which it stands.
    """

    zh: str
    en: str
    means: str
    also: tuple[str, ...] = ()
    group: str = ""

    @property
    def address(self) -> str:
        """Where the term stands in the site."""
        return f"glossary.html#{self.zh.replace(' ', '-')}"

    def used_in(self, text: str) -> bool:
        """Say whether a text uses the term; a Latin word counts only as a whole word."""
        return any(_pattern(name).search(text) for name in (self.zh, *self.also))


def read_glossary(path: Path) -> tuple[Term, ...]:
    """Read and check the glossary.

    Parameters
    ----------
    path : pathlib.Path
        YAML: headings, and below each the list of its terms.

    Raises
    ------
    CourseError
        If the file is missing, an entry is not complete or a term stands there twice.
    """
    from course_utils.bank.profile import read_yaml

    if not path.is_file():
        raise CourseError(f"找不到术语表 {path}，请检查项目是否完整。")
    raw = read_yaml(path)
    if not isinstance(raw, Mapping):
        raise CourseError(f"{path.name} 应当是“分组: 术语清单”的形式，请检查缩进。")
    terms = [_term(path.name, str(group), entry) for group, rows in raw.items() for entry in rows]
    seen: set[str] = set()
    for term in terms:
        for name in (term.zh, *term.also):
            if name in seen:
                raise CourseError(f"{path.name} 里“{name}”出现了两次，请合并成一条。")
            seen.add(name)
    return tuple(terms)


def terms_by_lesson(
    terms: Sequence[Term], masters: Mapping[str, Master]
) -> dict[str, tuple[Term, ...]]:
    """Return, by short name of a lesson, the terms that the prose for trainees uses.

    Parameters
    ----------
    terms : sequence of Term
        The glossary.
    masters : mapping
        Short name → master.
    """
    found = {}
    for key, master in masters.items():
        text = prose(master)
        found[key] = tuple(term for term in terms if term.used_in(text))
    return found


def prose(master: Master) -> str:
    """Return what a lesson says to trainees, code left out."""
    cells = (c.source for c in master.cells if c.kind == "markdown" and not c.instructor_only)
    return _CODE.sub(" ", "\n".join(cells))


def glossary_page(site: Site, terms: Sequence[Term], used: Mapping[str, Iterable[Term]]) -> str:
    """Return the page of the glossary; terms that no lesson of this site uses are left out."""
    users: dict[str, list[Lesson]] = {}
    for key, found in used.items():
        for term in found:
            users.setdefault(term.zh, []).append(site.by_key[key])
    shown = [term for term in terms if term.zh in users]
    lines = ["---", "tocdepth: 2", "---", "# 术语表"]
    lines.append(
        block(
            f"<p>{len(shown)} 条，都是各课用到的行话。定义是本课程的用法；"
            "与本行制度不一致时，以制度为准。</p>"
        )
    )
    for group in dict.fromkeys(term.group for term in shown):
        lines.append(f"\n## {markdown_text(group)}\n")
        for term in (term for term in shown if term.group == group):
            lines.append(f"\n### {markdown_text(term.zh)}\n")
            lines.append(_entry(term, users[term.zh]))
    return "\n".join(lines)


def _entry(term: Term, lessons: Sequence[Lesson]) -> str:
    also = f'<span class="also">也写作：{escape("、".join(term.also))}</span>' if term.also else ""
    return block(
        f'<div class="term"><p class="en"><span lang="en">{escape(term.en)}</span>{also}</p>'
        f"<p>{escape(term.means)}</p>{_users(lessons)}</div>"
    )


def _users(lessons: Sequence[Lesson]) -> str:
    """Return the links to the lessons that use a term; a long list is folded."""
    links = "、".join(link(f"{ls.name}.html", short_title(ls)) for ls in lessons)
    if len(lessons) <= _FEW:
        return f'<p class="note">用到的课：{links}</p>'
    return (
        f'<details class="note"><summary>用到的课（{len(lessons)} 课）</summary>{links}</details>'
    )


def short_title(lesson: Lesson) -> str:
    """Return a lesson's title up to its colon."""
    return lesson.title_zh.partition("：")[0]


def _term(file: str, group: str, entry: object) -> Term:
    if not isinstance(entry, Mapping) or not {"zh", "en", "means"} <= set(entry) <= _FIELDS:
        name = entry.get("zh", entry) if isinstance(entry, Mapping) else entry
        raise CourseError(f"{file} 的“{group}”里“{name}”要有 zh、en、means 三项，请补全。")
    texts = [str(entry[key] or "").strip() for key in ("zh", "en", "means")]
    if not all(texts):
        raise CourseError(f"{file} 的“{group}”里“{texts[0]}”有一项是空的，请补全。")
    also = tuple(str(name) for name in entry.get("also", ()))
    return Term(*texts, also=also, group=group)


def _pattern(name: str) -> re.Pattern[str]:
    before = r"(?<![A-Za-z])" if name[0].isascii() else ""
    after = r"(?![A-Za-z])" if name[-1].isascii() else ""
    return re.compile(f"{before}{re.escape(name)}{after}")
