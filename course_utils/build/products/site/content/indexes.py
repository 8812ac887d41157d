"""Where people begin: contents, a page a training, a page a module."""

from __future__ import annotations

from collections.abc import Sequence

from course_utils.build.execution.records import EXTENTS
from course_utils.build.products.site.content.parts import (
    block,
    escape,
    lesson_link,
    link,
    markdown_text,
    table,
)
from course_utils.build.products.site.model import COURSE, LEVEL_NAMES, Site, plan_file
from course_utils.build.sources.masters import Master
from course_utils.build.sources.syllabus import Lesson, Module, Training

_HEAD = ("编号", "课", "难度", "用时", "状态")


def index_page(site: Site, helps: Sequence[tuple[str, str, str]]) -> str:
    """Return the first page: trainings, all lessons with their state, what helps beside them.

    Parameters
    ----------
    site : Site
        Edition and bank.
    helps : sequence of tuple of str
        Document name, title and one sentence of each page beside the lessons.
    """
    minutes = sum(lesson.minutes for lesson in site.lessons)
    lines = [f"# {markdown_text(site.bank)} · {COURSE}"]
    lines.append(
        block(
            f'<p class="lead">{escape(site.edition_name)} · {len(site.lessons)} 课，'
            f"约 {minutes / 60:.0f} 小时 · 数据日期 {site.as_of} · {escape(site.about_data)} · "
            "不联网也能看</p>"
        )
    )
    lines += ["## 按培训找课", _cards(site)]
    lines += ["## 按模块找课"]
    for module in site.modules:
        lines += [f"### {markdown_text(module.title_zh)}", _lesson_table(site, module.lessons)]
    levels = "；".join(f"{level} {name}" for level, name in LEVEL_NAMES.items())
    lines.append(block(f'<p class="note">难度：{levels}。</p>'))
    lines += ["## 工具书", _help_list(helps)]
    lines += _tree("按培训", [f"training-{training.id}" for training in site.trainings])
    lines += _tree("按模块", [f"module-{module.id}" for module in site.modules])
    lines += _tree("工具书", [name for name, _, _ in helps])
    return "\n".join(lines)


def training_page(site: Site, training: Training) -> str:
    """Return the page of one training: its modules, its lessons, how much of its outline."""
    modules = site.modules_of(training)
    lessons = [lesson for module in modules for lesson in module.lessons]
    minutes = sum(lesson.minutes for lesson in lessons)
    lines = [f"# {markdown_text(training.title_zh)}"]
    facts = f"{len(lessons)} 课，约 {minutes / 60:.1f} 小时。"
    if site.for_instructors and site.outline:
        facts += _covered(site, training)
    english = f'<span lang="en">{escape(training.title_en)}</span>'
    lines.append(block(f'<p class="lead">{english}</p><p>{escape(facts)}</p>'))
    plans = [p for p in site.plans if set(p.lessons) <= {lesson.key for lesson in lessons}]
    if plans:
        links = "、".join(link(plan_file(plan), plan.title_zh) for plan in plans)
        lines.append(block(f"<p>课程安排：{links}</p>"))
    for module in modules:
        lines += [f"## {markdown_text(module.title_zh)}", _lesson_table(site, module.lessons)]
    return "\n".join(lines)


def module_page(site: Site, module: Module) -> str:
    """Return the page of one module: what each lesson is about."""
    lines = [f"# {markdown_text(module.title_zh)}"]
    lines.append(block(f'<p class="lead" lang="en">{escape(module.title_en)}</p>'))
    cards = "".join(_lesson_card(site, lesson) for lesson in module.lessons)
    lines.append(block(f'<div class="cards lessons">{cards}</div>'))
    names = [lesson.name for lesson in module.lessons if lesson in site.lessons]
    lines += _tree("", names)
    return "\n".join(lines)


def aims(master: Master) -> list[str]:
    """Return the three aims of a lesson: the first list of its first cell."""
    found: list[str] = []
    for line in master.cells[0].source.splitlines():
        if line.startswith("- "):
            found.append(line[2:].strip().rstrip("；。;"))
        elif found and line.startswith("  "):
            found[-1] += line.strip().rstrip("；。;")
        elif found:
            break
    return found


def _cards(site: Site) -> str:
    cards = []
    for training in site.trainings:
        lessons = [ls for module in site.modules_of(training) for ls in module.lessons]
        minutes = sum(lesson.minutes for lesson in lessons)
        cards.append(
            f'<a class="card" href="training-{training.id}.html">'
            f"<b>{escape(training.title_zh)}</b>"
            f"<span>{len(lessons)} 课，约 {minutes / 60:.1f} 小时</span></a>"
        )
    return block(f'<div class="cards">{"".join(cards)}</div>')


def _help_list(helps: Sequence[tuple[str, str, str]]) -> str:
    items = "".join(
        f'<a class="card" href="{name}.html"><b>{escape(title)}</b><span>{escape(about)}</span></a>'
        for name, title, about in helps
    )
    return block(f'<div class="cards">{items}</div>')


def _lesson_table(site: Site, lessons: Sequence[Lesson]) -> str:
    rows = []
    for lesson in lessons:
        title = escape(lesson.title_zh)
        if lesson in site.lessons:
            title = lesson_link(lesson, with_key=False)
        state = site.state(lesson)
        kind = "done" if state == "已运行" else "failed" if "没有运行成功" in state else "missing"
        if state.startswith(EXTENTS["part"]):
            kind = "part"
        rows.append(
            (
                escape(lesson.key),
                title,
                escape(lesson.level),
                f"{lesson.minutes} 分钟",
                f'<span class="state {kind}">{escape(state)}</span>',
            )
        )
    return table(_HEAD, rows, wrap=(1, 4), kind="lessons")


def _lesson_card(site: Site, lesson: Lesson) -> str:
    title = escape(f"{lesson.key} {lesson.title_zh}")
    if lesson in site.lessons:
        title = lesson_link(lesson)
    items = "".join(f"<li>{_inline(aim)}</li>" for aim in aims(site.master(lesson)))
    level = f"{lesson.level} {LEVEL_NAMES.get(lesson.level, '')}"
    facts = f"{lesson.minutes} 分钟 · {escape(level)} · {escape(site.state(lesson))}"
    return f'<div class="card"><b>{title}</b><span>{facts}</span><ul>{items}</ul></div>'


def _inline(text: str) -> str:
    """Return a line of Markdown without its marks."""
    return escape(text.replace("**", "").replace("`", ""))


def _covered(site: Site, training: Training) -> str:
    items = [item for item in site.outline.values() if item["training"] == training.id]
    names = {lesson.name for lesson in site.lessons}
    taught = sum(item["lesson"] in names for item in items)
    if taught == len(items):
        return f"大纲 {len(items)} 条，条条有课。"
    return f"大纲 {len(items)} 条，已经有课的 {taught} 条，其余的课还没有做。"


def _tree(caption: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    head = [f":caption: {caption}"] if caption else []
    return ["", "```{toctree}", ":hidden:", *head, "", *names, "```"]
