"""What a file seems to be: for the person who has to say what its columns mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from course_utils.intake.reading.model import LOST, ReadOptions
from course_utils.intake.reading.names import normalise
from course_utils.intake.reading.opening import open_source
from course_utils.intake.reading.reading import Reading

#: Rows of a sample, and those from which the types are guessed.
SAMPLE_ROWS = 5
_GUESS_ROWS = 2_000
_EMPTY = {"", "\\N", "NULL", "null", "-", "--", "—", "无", "N/A", "None"}
#: Type → what a normalised value of it looks like; the first that fits all values.
_TYPES = (
    (
        "timestamp",
        r"\d{4}[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?T?\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?|[12]\d{13}",
    ),
    ("date", r"(19|20|99)\d\d([-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}月\d{1,2}日?|[01]\d[0-3]\d)"),
    ("month", r"(19|20)\d\d([-/.]\d{1,2}|年\d{1,2}月|[01]\d)"),
    ("percent", r"[-+]?[\d,.]+[%‰]"),
    ("flag", r"是|否|有|无|TRUE|FALSE|true|false|Y|N"),
    ("id", r"[A-Za-z]{0,4}\d{10,}[\dXx]?|0\d{2,}"),
    ("integer", r"[-+]?\d{1,9}"),
    ("number", r"[(-]?[¥$]?[-+]?[\d,]*\.?\d+(万?元|万)?\)?"),
)
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _TYPES)


@dataclass(frozen=True)
class SourceDescription:
    """One sheet or text file as it looks before anybody has said anything about it.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    sheet : str
        The sheet; empty for text and Parquet.
    encoding, delimiter : str
        What was found; empty where there is none.
    header : tuple of int
        Physical rows of the header; empty where there is none.
    columns : tuple of str
        Names as :class:`Reading` gives them.
    types : tuple of str
        A guess a column: date, timestamp, month, percent, flag, id, integer, number, code, text;
        empty for a column without a value.
    sample : tuple of tuple of str
        The first rows as they stand: real people's data, for the data room only.
    """

    path: Path
    sheet: str
    encoding: str
    delimiter: str
    header: tuple[int, ...]
    columns: tuple[str, ...]
    types: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]


def describe_source(path: Path, options: ReadOptions | None = None) -> list[SourceDescription]:
    """Describe every table of a file from its first rows.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    options : ReadOptions, optional
        What is known already; by default every sheet is described.

    Raises
    ------
    CourseError
        As :func:`open_source`.
    """
    readings = open_source(path, options or ReadOptions(sheet="*"))
    return [_described(reading) for reading in readings]


def _described(reading: Reading) -> SourceDescription:
    rows: list[tuple[str, ...]] = []
    for chunk in islice(reading.chunks(), 1):
        rows = chunk.drop("_row").head(_GUESS_ROWS).rows()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(reading.columns)
    return SourceDescription(
        path=reading.path,
        sheet=reading.sheet,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        header=reading.header_rows,
        columns=reading.columns,
        types=tuple(guess_type(values) for values in columns),
        sample=tuple(rows[:SAMPLE_ROWS]),
    )


def guess_type(values: Sequence[str]) -> str:
    """Guess what a column holds, from its values: nine in ten must look like it."""
    texts = [normalise(value) for value in values if value.strip() not in _EMPTY]
    if not texts:
        return ""
    if any(value.startswith(LOST) for value in values):
        return "id"
    for name, pattern in _PATTERNS:
        if sum(pattern.fullmatch(text) is not None for text in texts) >= 0.9 * len(texts):
            return name
    few = len(set(texts)) <= max(1, min(30, len(texts) // 3))
    return "code" if few and max(map(len, texts)) <= 12 else "text"
