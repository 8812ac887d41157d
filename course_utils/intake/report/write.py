"""Writing the report: everything at once or nothing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from course_utils.files import fresh_folder
from course_utils.intake.report import tables
from course_utils.intake.report.lists import write_faults, write_rejected
from course_utils.intake.report.model import IntakeResult, Summary
from course_utils.intake.report.page import report_page
from course_utils.intake.report.summary import summarise
from course_utils.intake.report.workbook import write_workbook

PAGE, WORKBOOK, DATA = "数据报告.html", "数据问题清单.xlsx", "数据报告.json"
FAULTS, REJECTED = "问题明细.csv", "剔除行"


def write_report(folder: Path, result: IntakeResult) -> Summary:
    """Write the report of an intake; an older one in the folder is replaced.

    Parameters
    ----------
    folder : pathlib.Path
        Restricted folder of the bank's reports.
    result : IntakeResult
        What the intake found.

    Returns
    -------
    Summary
        Says whether the tables may be published.

    Raises
    ------
    CourseError
        If the folder cannot be written to or the disk is full.
    """
    summary = summarise(result)
    with fresh_folder(folder) as aside:
        write_files(aside, result, summary)
    return summary


def write_files(folder: Path, result: IntakeResult, summary: Summary) -> None:
    """Write the files of the report into an existing folder."""
    text = json.dumps(as_json(result, summary), ensure_ascii=False, indent=1)
    (folder / DATA).write_text(text + "\n", encoding="utf-8")
    (folder / PAGE).write_text(report_page(result, summary), encoding="utf-8")
    write_workbook(folder / WORKBOOK, result, summary)
    write_faults(folder / FAULTS, result, summary)
    write_rejected(folder / REJECTED, result)


def as_json(result: IntakeResult, summary: Summary) -> dict[str, Any]:
    """Return the report for programs: counts and sentences, no values of single cells."""
    return {
        "format": 1,
        "bank": result.bank,
        "name": result.name,
        "as_of": str(result.as_of),
        "made": result.made,
        "contract": result.contract.version,
        "may_publish": summary.may_publish,
        "stops": list(summary.stops),
        "messages": list(result.messages),
        "max_rejected_share": result.rules.max_rejected_share,
        "rule_changes": [dataclasses.asdict(one) for one in result.rules.changes],
        "tables": [
            {
                "table": t.table,
                "zh": t.zh,
                "files": t.files,
                "read": t.read,
                "kept": t.kept,
                "rejected": dict(t.rejected),
                "rejected_share": round(t.share, 6),
                "balanced": t.balanced,
            }
            for t in summary.tables
        ],
        "rules": [dataclasses.asdict(one) for one in summary.rules],
        "files": [
            {
                "table": f.table,
                "file": f.file,
                "sheet": f.sheet,
                "counts": dict(f.counts),
                "kept": f.kept,
                "rejected": f.rejected,
            }
            for f in result.files
        ],
        "columns": _rows(tables.coverage_rows(result)),
        "codes": _rows(tables.code_rows(result)),
    }


def _rows(shown: tables.Shown) -> list[dict[str, Any]]:
    names, rows = shown
    return [dict(zip(names, row, strict=True)) for row in rows]
