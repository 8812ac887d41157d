"""The mapping of a real bank: which file and column feeds which table and column of the contract.

``load_mapping("bank")`` reads ``data/banks/bank/mapping.yml``; ``source_files`` finds the files.
"""

from course_utils.intake.mapping.model import (
    BankMapping,
    ColumnMapping,
    DatabaseSource,
    TableMapping,
)
from course_utils.intake.mapping.places import source_files
from course_utils.intake.mapping.reader import (
    has_mapping,
    load_mapping,
    mapping_path,
    read_mapping,
)
from course_utils.intake.mapping.units import factor, units_of

__all__ = [
    "BankMapping",
    "ColumnMapping",
    "DatabaseSource",
    "TableMapping",
    "factor",
    "has_mapping",
    "load_mapping",
    "mapping_path",
    "read_mapping",
    "source_files",
    "units_of",
]
