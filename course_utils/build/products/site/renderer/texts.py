"""After Sphinx: pages of documents that are gone go too, labels get Chinese, texts are kept.

The excerpts below search results are cut from those texts. Sphinx would fetch each page for that,
which no browser allows when pages lie in a folder.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.files import write_text

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TEXTS = "search-texts.js"
#: What the theme says in English, as an attribute or the whole text of an element.
_LABELS = {
    "Main": "主目录",
    "Page": "本页",
    "Color mode": "亮色或暗色",
    "System Settings": "跟随系统",
    "Toggle primary sidebar": "打开或收起目录",
    "Toggle secondary sidebar": "打开或收起本页目录",
}
_LABEL = re.compile(
    r'((?:aria-label|title)="|</i>)(' + "|".join(map(re.escape, _LABELS)) + r')(?="|<)'
)
_ARTICLE = re.compile(r'<article class="bd-article".*?>(.*)</article>', re.DOTALL)
_UNSEEN = re.compile(
    r"<(script|style|nav|svg|math)\b.*?</\1>|<a class=\"headerlink\".*?</a>", re.DOTALL
)
_CODE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
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
        else:
            _label(path)
    pages = {
        name: page_text((folder / f"{name}.html").read_text(encoding="utf-8"))
        for name in sorted(app.env.found_docs)
    }
    content = json.dumps(pages, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    write_text(folder / TEXTS, f"window.courseTexts = {content};\n")


def _label(path: Path) -> None:
    """Write the theme's labels in Chinese where it has no translation."""
    page = path.read_text(encoding="utf-8")
    labelled = _LABEL.sub(lambda match: match.group(1) + _LABELS[match.group(2)], page)
    if labelled != page:
        write_text(path, labelled)


def page_text(page: str) -> str:
    """Return what a page says, prose before code; tags, scripts and navigation are left out."""
    found = _ARTICLE.search(page)
    text = _UNSEEN.sub(" ", found.group(1) if found else "")
    text = " ".join([_CODE.sub(" ", text), *_CODE.findall(text)])
    text = _TAG.sub("", _BLOCK.sub(" ", text))
    return _BLANKS.sub(" ", html.unescape(text)).strip()
