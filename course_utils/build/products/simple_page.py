"""One self-contained page, for reports that are not part of a site; and the editions' names."""

from __future__ import annotations

import html
from importlib import resources

from course_utils.build.sources.editions import Edition

EDITION_NAMES: dict[Edition, str] = {"trainee": "学员版", "instructor": "讲师版"}


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
    folder = resources.files("course_utils.build.products")
    return folder.joinpath("simple_page.css").read_text(encoding="utf-8")
