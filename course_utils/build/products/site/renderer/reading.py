"""What is done to a page once it has been read: anchors that people can read, Chinese line ends."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: Beginning of the documents in which a heading's name in code is its anchor.
BY_NAME = "dictionary-"


def readable_anchors(app: Sphinx, doctree: nodes.document) -> None:
    """Give every section an id made of its heading.

    docutils knows Latin letters only and would count: ``id3``. Class plans and other pages link
    to headings, so an anchor must not change when a heading is put before it. In the dictionary
    a table is known by its name.
    """
    by_name = app.env.docname.startswith(BY_NAME)
    taken: set[str] = set()
    for section in doctree.findall(nodes.section):
        anchor = heading_anchor(section, by_name)
        number = 2
        while anchor in taken:
            anchor, number = f"{anchor}-{number}", number + 1
        taken.add(anchor)
        section["ids"].insert(0, anchor)


def heading_anchor(section: nodes.section, by_name: bool = False) -> str:
    """Return the anchor of a section's heading: its text, blanks as hyphens.

    Parameters
    ----------
    section : docutils.nodes.section
        With its title.
    by_name : bool
        Whether a name in code, if the heading holds one, is the anchor.
    """
    title = next(iter(section.findall(nodes.title)))
    names = [literal.astext() for literal in title.findall(nodes.literal)]
    text = names[0] if by_name and len(names) == 1 else title.astext()
    return re.sub(r"\s", "-", text.strip())


def join_chinese_lines(app: Sphinx, doctree: nodes.document) -> None:
    """Take out line ends between two Chinese characters: browsers would show a blank there."""
    for paragraph in doctree.findall(nodes.paragraph):
        texts = list(paragraph.findall(nodes.Text))
        before = ["", *(str(text)[-1:] for text in texts)]
        after = [*(str(text)[:1] for text in texts[1:]), ""]
        for text, last, first in zip(texts, before, after, strict=False):
            joined = _joined(str(text), last, first)
            if joined != str(text):
                text.parent.replace(text, nodes.Text(joined))


def _joined(text: str, last: str, first: str) -> str:
    """Return a text without line ends between wide characters; it stands between two others."""
    parts = []
    for number, character in enumerate(text):
        if character != "\n":
            parts.append(character)
            continue
        left = text[number - 1] if number else last
        right = text[number + 1] if number + 1 < len(text) else first
        if not (left and right and _wide(left) and _wide(right)):
            parts.append(character)
    return "".join(parts)


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F") or character in "“”‘’—…·"
