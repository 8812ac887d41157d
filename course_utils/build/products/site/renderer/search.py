"""Chinese full-text search for Sphinx: pairs of characters instead of words.

A dictionary of words misses the compounds of the trade (存款流失), and Sphinx's own Chinese
search needs one. Every two neighbouring characters are a term; a page is found if it holds all
pairs of the query. ``search.js`` then looks for the phrase itself.
"""

from __future__ import annotations

import re

from sphinx.search import SearchLanguage

_RUNS = re.compile(r"[\u3400-\u9fff]+|[A-Za-z0-9_]+")

_SPLITTER = r"""
function splitQuery(query) {
  var terms = [];
  var runs = query.match(/[\u3400-\u9fff]+|[A-Za-z0-9_]+/g) || [];
  runs.forEach(function (run) {
    if (run.length === 1 || !/[\u3400-\u9fff]/.test(run)) { terms.push(run); return; }
    for (var i = 0; i < run.length - 1; i += 1) terms.push(run.slice(i, i + 2));
  });
  return terms;
}
"""


class PairedChinese(SearchLanguage):
    """Splits Chinese into single characters and pairs, everything else into words."""

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = _SPLITTER

    def split(self, input: str) -> list[str]:
        """Return the terms of a text."""
        return [term for run in _RUNS.findall(input) for term in _terms(run)]

    def stem(self, word: str) -> str:
        """Return a word as it is looked up."""
        return word.lower()

    def word_filter(self, word: str) -> bool:
        """Leave out numbers, and single letters of words that are not Chinese."""
        return not word.isdigit() and (len(word) > 1 or not word.isascii())


def _terms(run: str) -> list[str]:
    if run.isascii():
        return [run]
    return [*run, *(run[start : start + 2] for start in range(len(run) - 1))]
