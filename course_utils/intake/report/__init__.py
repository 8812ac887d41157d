"""What an intake found, for people: a page, a workbook, JSON, and the complete lists as CSV."""

from course_utils.intake.report.model import (
    FileResult,
    IntakeResult,
    RuleCount,
    Summary,
    TableSummary,
)
from course_utils.intake.report.summary import summarise
from course_utils.intake.report.write import write_report

__all__ = [
    "FileResult",
    "IntakeResult",
    "RuleCount",
    "Summary",
    "TableSummary",
    "summarise",
    "write_report",
]
