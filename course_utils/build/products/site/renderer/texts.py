"""After Sphinx: pages of documents that are gone go too, and the text of all pages is kept.

The excerpts below search results are cut from those texts. Sphinx would fetch each page for that,
which no browser allows when pages lie in a folder.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.build.files import write_text

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TEXTS = "search-texts.js"
_ARTICLE = re.compile(r'<article class="bd-article".*?>(.*)</article>', re.DOTALL)
_UNSEEN = re.compile(
    r"<(script|style|nav|svg|math)\b.*?</\1>|<a class=\"headerlink\".*?</a>", re.DOTALL
)
_BLOCK = re.compile(r"</?(p|div|td|th|tr|li|dt|dd|h[1-6]|pre|section|table|br|summary)\b[^>]*>")
_TAG = re.compile(r"<[^>]+>")
_BLANKS = re.compile(r"\s+")


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Remove pages nobody has written this time or before; write the texts of the others."""
    if exception is not None:
        return
    folder = Path(app.outdir)
    for path in folder.glob("*.html"):
        if path.stem not in app.env.found_docs and path.stem != "search":
            path.unlink()
    pages = {name: _text_of(folder / f"{name}.html") for name in sorted(app.env.found_docs)}
    content = json.dumps(pages, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    write_text(folder / TEXTS, f"window.courseTexts = {content};\n")


def _text_of(path: Path) -> str:
    return page_text(path.read_text(encoding="utf-8"))


def page_text(page: str) -> str:
    """Return what a page says, tags, scripts and navigation left out."""
    found = _ARTICLE.search(page)
    text = _UNSEEN.sub(" ", found.group(1) if found else "")
    text = _TAG.sub("", _BLOCK.sub(" ", text))
    return _BLANKS.sub(" ", html.unescape(text)).strip()
