"""The data dictionary as pages: one that lists all tables, one for each area of the contract."""

from __future__ import annotations

from collections.abc import Iterator

from course_utils.build.products.site.content.parts import (
    block,
    escape,
    lesson_link,
    link,
    markdown_text,
    table,
)
from course_utils.build.products.site.model import Site
from course_utils.contract import Contract, Table, dictionary_markdown

_TABLE_HEADING = "\n## "


def dictionary_pages(site: Site, contract: Contract) -> dict[str, str]:
    """Return the Markdown of all pages of the dictionary by document name."""
    pages = {"dictionary": _overview(site, contract)}
    for area, title in contract.areas.items():
        if tables := _tables(contract, area):
            pages[table_page(tables[0])] = _area_page(site, title, tables, contract)
    return pages


def table_page(one: Table) -> str:
    """Return the document on which a table is described; its anchor there is its name."""
    return f"dictionary-{one.area}"


def _tables(contract: Contract, area: str) -> list[Table]:
    return [one for one in contract.tables.values() if one.area == area]


def _overview(site: Site, contract: Contract) -> str:
    lines = [dictionary_markdown([], contract)]
    pages = []
    for area, title in contract.areas.items():
        tables = _tables(contract, area)
        if not tables:
            continue
        pages.append(f"{title} <{table_page(tables[0])}>")
        rows = [
            (
                link(f"{table_page(one)}.html#{one.name}", one.zh),
                f"<code>{escape(one.name)}</code>",
                escape(one.meaning),
                "、".join(_lessons(site, one)),
            )
            for one in tables
        ]
        lines.append(f"\n## {markdown_text(title)}\n")
        lines.append(table(("表", "表名", "一行是什么", "哪几课用到"), rows, wrap=(2, 3)))
    return "\n".join([*lines, "```{toctree}", ":hidden:", "", *pages, "```"])


def _area_page(site: Site, title: str, tables: list[Table], contract: Contract) -> str:
    lines = [f"# 数据字典：{markdown_text(title)}"]
    for one in tables:
        _, heading, section = dictionary_markdown([one.name], contract).partition(_TABLE_HEADING)
        lines.append(heading + section)
        lessons = [lesson_link(site.by_key[key]) for key in one.lessons if key in site.by_key]
        if lessons:
            lines.append(block(f'<p class="note">用到的课：{"；".join(lessons)}</p>'))
    return "\n".join(lines)


def _lessons(site: Site, one: Table) -> Iterator[str]:
    for key in one.lessons:
        if lesson := site.by_key.get(key):
            yield link(f"{lesson.name}.html", lesson.key)
