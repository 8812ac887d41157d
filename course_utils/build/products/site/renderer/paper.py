"""Head and foot of a printed page: title of the site and the lesson, page number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_STYLE = """
<style>
@media print {{
  @page {{
    @top-left {{ content: {site}; {look} }}
    @top-right {{ content: {title}; {look} }}
    @bottom-right {{ content: "第 " counter(page) " 页，共 " counter(pages) " 页"; {look} }}
  }}
}}
</style>
"""
_LOOK = (
    "font-family: -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', 'Course Sans SC', sans-serif; font-size: 8pt; color: #5f6c7b;"
)


def head_and_foot(
    app: Sphinx,
    name: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Add the margins of the paper to a page's head; browsers that know none leave them empty."""
    if doctree is None:
        return
    title = next(iter(doctree.findall(nodes.title)), None)
    edition = app.config.html_context["edition_name"]
    style = _STYLE.format(
        site=_quoted(f"{app.config.html_title} · {edition}"),
        title=_quoted(title.astext() if title is not None else ""),
        look=_LOOK,
    )
    context["metatags"] = context.get("metatags", "") + style


def _quoted(text: str) -> str:
    """Return a text as a CSS string that cannot end the style it stands in."""
    return json.dumps(text, ensure_ascii=False).replace("<", "\\3c ")
