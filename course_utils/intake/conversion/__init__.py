"""From raw text to the contract's types, row by row, with every fault named.

``TableConverter(table, mapping, as_of, rules).convert(chunk, file, sheet)`` takes a chunk as the
reading room delivers it and returns typed rows, rejected rows and faults.
"""

from course_utils.intake.conversion.converter import Converted, TableConverter

__all__ = ["Converted", "TableConverter"]
