"""Runs inside the measured tree: instructor editions through our own build, nothing else.

``course build`` also runs the trainee editions and writes pages and kit. To compare with tools that
only execute notebooks, this does exactly their work: ``Build.run`` on the instructor editions.
Prints one JSON line: what the cells themselves cost, and how many lessons failed.
"""

from __future__ import annotations

import argparse
import json

from course_utils.bank import load_profile
from course_utils.build.execution.records import Record
from course_utils.build.execution.run import Build
from course_utils.build.sources.syllabus import load_syllabus, project_root


def run(
    banks: list[str], lessons: list[str], jobs: int | None, warm: bool
) -> tuple[list[Record], str]:
    """Run the lessons on one or several banks; return the records and the build's remark."""
    root = project_root()
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    chosen = syllabus.select(lessons)
    records, notes = [], []
    for bank in banks:
        build = Build(root, syllabus, load_profile(bank), jobs=jobs, warm=warm)
        records += build.run(chosen, editions=["instructor"])
        notes.append(build.note)
    return records, next(filter(None, notes), "")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--banks", nargs="+", required=True)
    parser.add_argument("--lessons", nargs="+", default=[])
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--ordinary", action="store_true", help="ordinary kernels, none forked")
    options = parser.parse_args()
    records, note = run(options.banks, options.lessons, options.jobs, not options.ordinary)
    line = {
        "cells_cpu": round(sum(record.cpu_seconds for record in records), 2),
        "longest": round(max(record.cpu_seconds for record in records), 2),
        "costliest": max(records, key=lambda record: record.cpu_seconds).lesson,
        "failed": [record.name for record in records if record.failed],
        "note": note,
    }
    print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
