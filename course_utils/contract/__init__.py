"""The data contract: what every bank's tables look like, read from ``data/contract/*.yml``.

Importing this room loads neither pandas nor the YAML reader; both wait for the first call.
"""

from course_utils.contract.as_of import known_at
from course_utils.contract.check import Fault, check_frame, check_references
from course_utils.contract.dictionary import (
    dictionary_frame,
    dictionary_markdown,
    protect_words,
)
from course_utils.contract.model import Column, Contract, Table
from course_utils.contract.reader import ContractError, load_contract

__all__ = [
    "Column",
    "Contract",
    "ContractError",
    "Fault",
    "Table",
    "check_frame",
    "check_references",
    "dictionary_frame",
    "dictionary_markdown",
    "known_at",
    "load_contract",
    "protect_words",
]
