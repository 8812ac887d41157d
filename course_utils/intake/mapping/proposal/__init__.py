"""Guess what a bank's exports hold and propose a mapping; a person confirms it."""

from course_utils.intake.mapping.proposal.inspect import (
    Finding,
    Sheet,
    find_files,
    inspect,
    look_at,
)
from course_utils.intake.mapping.proposal.match import (
    ColumnProposal,
    Seen,
    TableProposal,
    propose,
)

__all__ = [
    "ColumnProposal",
    "Finding",
    "Seen",
    "Sheet",
    "TableProposal",
    "find_files",
    "inspect",
    "look_at",
    "propose",
]
