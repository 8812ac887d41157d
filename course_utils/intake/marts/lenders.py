"""Which counterparty names are online lenders: worked out once here, sent along as a list.

Names are put into a plain form (full-width letters, brackets, legal forms) that no SQL dialect
knows. Only the names that hit a keyword leave this function.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

#: Columns of the list ``lender_names``.
LENDER_COLUMNS = ("counterparty_name", "lender", "lender_kind")
#: Longest list that is sent along with a statement.
MOST_NAMES = 5_000
ONLINE, FALSE_FRIEND = ("消费金融", "网络小贷", "平台"), "误报"
_LEGAL = re.compile(r"(股份)?(有限)?(责任)?公司$")
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_NOISE = re.compile(r"[\s·•.,，。*_\-—]+")


def plain_name(name: str) -> str:
    """Return a counterparty's name in the plain form that the lessons compare.

    >>> plain_name("子丑消费金融 股份有限公司（还款专户）")
    '子丑消费金融'
    """
    text = unicodedata.normalize("NFKC", name)
    return _LEGAL.sub("", _NOISE.sub("", _BRACKETS.sub("", text)))


def lender_names(
    names: Iterable[str], keywords: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Yield the names that are lenders: name, plain name, kind.

    Parameters
    ----------
    names : iterable of str
        Different counterparty names.
    keywords : iterable of (str, str)
        Keyword and kind of the table ``lender_keyword``; the longest keyword decides, a word of
        kind 误报 cancels the hit.
    """
    words = [(word, kind) for word, kind in keywords if word]
    false = [word for word, kind in words if kind == FALSE_FRIEND]
    online = [(word, kind) for word, kind in words if kind in ONLINE]
    online.sort(key=lambda pair: len(pair[0]), reverse=True)
    for name in names:
        plain = plain_name(name)
        if any(word in plain for word in false):
            continue
        kind = next((kind for word, kind in online if word in plain), None)
        if kind is not None:
            yield name, plain, kind
