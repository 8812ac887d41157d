"""Which delimiter a text file has: the one under which the header is found, or the rows agree."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.intake.reading.files import Stamp
from course_utils.intake.reading.header import header_score, is_name, wanted_names
from course_utils.intake.reading.lines.records import Splitter
from course_utils.intake.reading.lines.text import (
    TextSource,
    find_head,
    quotes_with,
    records_of,
    returns_end_lines,
)
from course_utils.intake.reading.model import HEAD_ROWS, ReadOptions, Record
from course_utils.intake.reading.names import normalise

#: Tried in this order; longer ones first, because the shorter ones are in them.
DELIMITERS = (
    "|@|", "@|@", "|+|", "|!|", "|#|", "^|^", "!|!", "#|#", "|^|", "||", "@@", "^^", "~~", "$$",
    ",", "\t", "|", ";", "\x1b", "\x01", "\x1f", "\x03", "^", "~", "，", "¦", "!", "#",
)  # fmt: skip
#: How a mapping may write those that cannot be seen.
_WRITTEN = {
    "\\t": "\t",
    "tab": "\t",
    "\\x1b": "\x1b",
    "\\x01": "\x01",
    "\\001": "\x01",
    "\\x1f": "\x1f",
}
#: Lines that are looked at.
_LINES = 200


def text_source(path: Path, options: ReadOptions, stamp: Stamp) -> TextSource:
    """Return a text file as records, its encoding and delimiter found where not declared."""
    encoding, text = find_head(path, options.encoding, stamp)
    returns = returns_end_lines(text)
    delimiter = options.delimiter
    if delimiter is None:
        delimiter = find_delimiter(path.name, text, returns, options)
    delimiter = _WRITTEN.get(delimiter.lower(), delimiter)
    if not delimiter or len(delimiter) > 8 or any(c in delimiter for c in '\n\r"'):
        raise CourseError(
            f"{path.name}：mapping.yml 里的 delimiter 不能是空的、引号、换行，"
            "也不能超过 8 个字符，请改正。"
        )
    return TextSource(path, encoding, delimiter, returns, stamp)


def find_delimiter(name: str, text: str, returns: bool, options: ReadOptions) -> str:
    """Find the delimiter of a text by its first lines; a comma where nothing speaks for any."""
    text = text.replace("\r\n", "\n")
    if returns:
        text = text.replace("\r", "\n")
    lines = text.split("\n", _LINES)
    if len(lines) > 1:
        lines = lines[:_LINES] if len(lines) > _LINES else lines[:-1]
    sample = "\n".join(line[:20_000] for line in lines) + "\n"
    wanted = wanted_names(options)
    best, found = (0, 0.0, 0), ","
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        block, _ = Splitter(name, delimiter, quotes_with(delimiter)).split(sample, 1, True)
        records = records_of(block, _LINES)
        if (score := _score(records, wanted, len(lines))) > best:
            best, found = score, delimiter
    return found


def _score(records: list[Record], wanted: frozenset[str], lines: int) -> tuple[int, float, int]:
    """Return how well a delimiter fits: wanted names, share of rows of one width, names."""
    widths = Counter(len(r.cells) for r in records if len(r.cells) > 1)
    if not widths:
        return 0, 0.0, 0
    width, often = widths.most_common(1)[0]
    names = header_score(records[:HEAD_ROWS], wanted)
    rows = [
        {name for cell in r.cells if is_name(name := normalise(cell))}
        for r in records[:HEAD_ROWS]
        if len(r.cells) == width
    ]
    # not the width: half a delimiter of several characters leaves the other half as cells
    named = max(map(len, rows), default=0)
    return names, round(often / max(lines, 1) + 0.2 * (named > 0.7 * width), 2), named
