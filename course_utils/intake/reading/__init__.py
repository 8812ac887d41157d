"""Read what banks send: text files, workbooks, Parquet, databases → raw text with true row numbers.

Everything comes as text, cell by cell as it stands in the source; blanks, apostrophes and tabs
around a value stay (the conversion takes them off). Left out are characters without meaning: NUL,
Ctrl-Z and byte-order marks. A line break inside a quoted cell is a line feed.
"""

from __future__ import annotations

from course_utils.intake.reading.describe import SourceDescription, describe_source
from course_utils.intake.reading.model import LOST, Problem, ReadOptions
from course_utils.intake.reading.names import normalise
from course_utils.intake.reading.opening import open_source, read_database
from course_utils.intake.reading.reading import Reading

__all__ = [
    "LOST",
    "Problem",
    "ReadOptions",
    "Reading",
    "SourceDescription",
    "describe_source",
    "normalise",
    "open_source",
    "read_database",
]
