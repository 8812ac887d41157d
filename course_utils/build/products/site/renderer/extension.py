"""Our Sphinx extension: Chinese search, formulas without scripts, anchors, quiet pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course_utils.build.products.site.renderer import formulas, paper, reading, texts
from course_utils.build.products.site.renderer.search import PairedChinese

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: Sphinx collects the contents of a page from its sections at 500.
_BEFORE_COLLECTORS = 100


def setup(app: Sphinx) -> dict[str, Any]:
    """Register everything with Sphinx."""
    app.add_search_language(PairedChinese)
    app.add_html_math_renderer(
        "mathml", (formulas.visit_inline, None), (formulas.visit_block, None)
    )
    app.connect("doctree-read", reading.join_chinese_lines, priority=_BEFORE_COLLECTORS)
    app.connect("doctree-read", reading.readable_anchors, priority=_BEFORE_COLLECTORS)
    app.connect("html-page-context", paper.head_and_foot)
    app.connect("build-finished", texts.finish_site)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True}
