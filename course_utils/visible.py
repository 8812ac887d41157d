"""Texts of others on a console or in a report: they are read and do nothing."""

from __future__ import annotations

import os
import re

#: What moves the cursor, colours, turns the text round, or is no character at all.
UNSEEN = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
_SURROGATES = r"[\ud800-\udfff]"
_UNSEEN = re.compile(f"{UNSEEN}|{_SURROGATES}")


def visible(text: str) -> str:
    """Return a text in which what steers a console stands written out, as ``\\x1b``."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def file_label(name: str) -> str:
    """Return what people and reports call a file.

    Archives packed in Windows leave names in GBK on other systems: Python holds their bytes as
    lone surrogates, which no report can be written with.
    """
    if not name.isascii():
        try:
            name.encode("utf-8")
        except UnicodeEncodeError:
            name = os.fsencode(name).decode("gb18030", errors="replace")
    return visible(name)
