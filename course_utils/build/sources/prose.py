"""Numbers in lesson prose: which ones may be typed, which ones must be computed."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: A block of prose with one of these may hold numbers: they are definitions, parameters or cited.
MARKERS = re.compile(r"\[定义\]|\[参数\]|\[来源：[^\]]+\]|本课程定义")

# Whatever these match is no result: it is cut out before digits are looked for.
_FREE = [
    r"`[^`]*`",  # code
    r"\]\([^)]*\)",  # link targets
    r"\bm\d{2}(_n\d{2}\w*)?\b",  # lessons
    r"\bS\d{3}(-[A-Z0-9.]+)?(…[\d.]+)?",  # outlines
    r"(?:JR/T|GB/T|GB|ISO|YD/T) ?\d[\d.]*(?:[-—]\d{4})?",  # standards
    r"〔\d{4}〕\d+ ?号",  # documents
    r"第 ?\d+(?:[-–—、至到]\d+)? ?[条款项步节页周天题格章]",  # ordinals
    # years and dates
    r"(?<!\d)(?:19|20)\d{2}(?![\d,.]*\d)(?!\s?[元户万亿人笔个家%％])"
    r"(?:[-/.年] ?\d{1,2}(?:[-/.月] ?\d{1,2} ?日?)?)?(?:\s?[—–-]\s?(?:19|20)\d{2})?",
    r"\d{1,2}(?:[-–—至到]\d{1,2})? ?月(?: ?\d{1,2} ?日)?(?:[-–—至到] ?\d{1,2} ?月)?",  # dates
    r"\d+(?:[-–—]\d+)? ?分钟",  # timing
    r"\b[TtMm] ?[+−-] ?\d+(?:[-–—…]T?[+−-]?\d+)?",  # T+1
    r"(?<![\w.])[A-Z]{1,3}\d{1,3}(?:[-–—、/]?[A-Z]{0,3}\d{1,3})*(?![\w.%])",  # E1, CK3, C1-C3
    r"(?<![\w.])\d[YDM](?!\w)",  # 3Y
    r"(?:Python|Excel|JupyterLab|pandas) ?\d[\d.]*",
    r"\bk ?[≥=] ?\w+",  # k-anonymity names
]
_FREE_PATTERN = re.compile("|".join(f"(?:{part})" for part in _FREE))
_LIST_NUMBER = re.compile(r"^\s*(?:>\s*)*\d{1,2}[.、)）]\s")
_FENCE = re.compile(r"^\s*```")
_NUMBER = re.compile(r"\d[\d,.]*(?:\s?[%％‰]|\s?[万亿倍个百千]+\S?)?")


def result_numbers(source: str) -> Iterator[tuple[int, str, str]]:
    """Find numbers in a Markdown cell that could be results.

    Free are headings, list numbers, code, years and dates, minutes, names that hold digits, and
    every number in a block (lines up to a blank one) that carries a marker.

    Parameters
    ----------
    source : str
        Markdown text.

    Yields
    ------
    tuple of int, str, str
        Line counted from 0, the number, the line's text.
    """
    lines = source.split("\n")
    marked = _marked_lines(lines)
    fenced = False
    for number, line in enumerate(lines):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        if fenced or number in marked or line.lstrip().startswith("#"):
            continue
        if line.startswith("Abstract: "):
            continue
        text = _LIST_NUMBER.sub("", line)
        for match in _NUMBER.finditer(_FREE_PATTERN.sub("　", text)):
            yield number, match.group().strip(), line.strip()


def _marked_lines(lines: list[str]) -> set[int]:
    """Return the numbers of all lines that lie in a block with a marker."""
    marked: set[int] = set()
    block: list[int] = []
    for number, line in enumerate([*lines, ""]):
        if line.strip():
            block.append(number)
            continue
        if any(MARKERS.search(lines[member]) for member in block):
            marked.update(block)
        block = []
    return marked
