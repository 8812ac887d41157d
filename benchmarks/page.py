"""docs/performance.md: each benchmark owns the text between its two markers, people the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"


def markers(section: str) -> tuple[str, str]:
    """Return the lines before and after a generated section."""
    return (
        f"<!-- {section}: generated, do not edit -->",
        f"<!-- {section}: end -->",
    )


def replace_section(text: str, section: str, block: str) -> str:
    """Return a page with one generated section replaced.

    Parameters
    ----------
    text : str
        The page; it must have both markers of the section, once.
    section : str
        Name of the section.
    block : str
        What comes between the markers.
    """
    begin, end = markers(section)
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"the page needs both markers of “{section}” exactly once")
    pattern = re.escape(begin) + r".*?" + re.escape(end)
    return re.sub(pattern, lambda _: f"{begin}\n\n{block.strip()}\n\n{end}", text, flags=re.S)


def write_section(section: str, block: str, page: Path = PAGE) -> None:
    """Replace one generated section in the page's file."""
    text = page.read_text(encoding="utf-8")
    page.write_text(replace_section(text, section, block), encoding="utf-8")


def read_results(section: str) -> dict[str, Any]:
    """Return the kept results of a benchmark."""
    return json.loads((RESULTS / f"{section}.json").read_text(encoding="utf-8"))


def write_results(section: str, results: dict[str, Any]) -> None:
    """Keep the results of a benchmark."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, ensure_ascii=False, indent=1) + "\n"
    (RESULTS / f"{section}.json").write_text(text, encoding="utf-8")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
