"""Every line of the training outlines and the lesson that teaches it."""

from __future__ import annotations

from collections.abc import Mapping

from course_utils.build.products.site.content.parts import (
    block,
    escape,
    lesson_link,
    markdown_text,
    table,
)
from course_utils.build.products.site.model import Site
from course_utils.build.sources.masters import lesson_key


def outline_page(site: Site) -> str:
    """Return the page that leads from an outline item to its lessons.

    Items whose lesson has not been written are listed as such.
    """
    home = {lesson.name: lesson for lesson in site.lessons}
    touching = _touching(site)
    taught = sum(item["lesson"] in home for item in site.outline.values())
    lines = ["# 大纲索引"]
    lines.append(
        block(
            f"<p>五个培训的大纲共 {len(site.outline)} 条：{taught} 条已经有课，"
            f"{len(site.outline) - taught} 条的课还没有做。"
            "“主讲”是把这一条讲完的课，“涉及”是用到它的课。</p>"
        )
    )
    for training in site.build.syllabus.trainings:
        items = [i for i in site.outline.values() if i["training"] == training.id]
        if not items:
            continue
        done = sum(item["lesson"] in home for item in items)
        title = markdown_text(training.title_zh)
        lines.append(f"\n## {training.id} {title}\n")
        lines.append(block(f"<p>{len(items)} 条，已经有课的 {done} 条。</p>"))
        rows = []
        for item in items:
            lesson = home.get(item["lesson"])
            missing = f'<span class="state missing">还没有做（{lesson_key(item["lesson"])}）</span>'
            rows.append(
                (
                    f'<span id="{escape(item["id"])}">{escape(item["id"])}</span>',
                    escape(item["text"]),
                    lesson_link(lesson) if lesson else missing,
                    "；".join(touching.get(item["id"], ())),
                )
            )
        lines.append(
            table(("编号", "大纲原文", "主讲", "涉及"), rows, wrap=(1, 2, 3), kind="outline")
        )
    return "\n".join(lines)


def _touching(site: Site) -> Mapping[str, list[str]]:
    """Return, by outline item, the links to lessons that only touch it."""
    found: dict[str, list[str]] = {}
    for lesson in site.lessons:
        for number in lesson.refers:
            found.setdefault(number, []).append(lesson_link(lesson))
    return found
