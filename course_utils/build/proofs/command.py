"""Prove the exercises of the lessons on the shipped banks.

(a) the master's solution passes; (b) the untouched blank is 还没有作答; (c) every named
misconception fails with its own sentence; (d) mutants of the solution are caught; (e) every
alternative passes.

``python -m course_utils.build.proofs --banks all --lessons all``
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from course_utils.bank import list_banks
from course_utils.build.proofs.proving import Lesson, Proof, preflight, prove, read_lesson
from course_utils.build.sources.syllabus import load_syllabus, project_root
from course_utils.errors import CourseError

__all__ = ["Lesson", "Proof", "bank_codes", "main", "master_paths", "preflight", "prove", "table"]

PARTS = ("a", "b", "c", "d", "e")


def table(proofs: Sequence[Proof]) -> str:
    """Table of lessons × banks: proofs passed of proofs made for each part, mutants killed."""
    lines = [
        "课程      银行          " + "  ".join(f"{part:>7}" for part in PARTS) + "   变异击杀率"
    ]
    groups: dict[tuple[str, str], list[Proof]] = {}
    for proof in proofs:
        groups.setdefault((proof.lesson, proof.bank), []).append(proof)
    for (lesson, bank), group in groups.items():
        cells = []
        for part in PARTS:
            of_part = [proof for proof in group if proof.part == part]
            cells.append(f"{sum(proof.passed for proof in of_part)}/{len(of_part)}".rjust(7))
        reports = [proof.report for proof in group if proof.report is not None]
        killed, live = sum(r.killed for r in reports), sum(r.countable for r in reports)
        rate = f"{killed}/{live}（{killed / live:.0%}）" if live else "—"
        lines.append(f"{lesson:<9} {bank:<12} " + "  ".join(cells) + f"   {rate}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: prove lessons on banks, print a table, return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m course_utils.build.proofs")
    parser.add_argument("--banks", default="all", help="all，或逗号分隔的银行代码")
    parser.add_argument("--lessons", default="all", help="all，或逗号分隔的课程编号（m02_n02）")
    parser.add_argument("--quick", action="store_true", help="不跑变异")
    parser.add_argument("--seconds", type=float, default=60.0, help="每题变异最多跑多少秒")
    parser.add_argument("--verbose", action="store_true", help="列出每一条存活的变异和说明")
    options = parser.parse_args(arguments)
    proofs: list[Proof] = []
    try:
        for path in master_paths(options.lessons):
            lesson = read_lesson(path)
            for bank in bank_codes(options.banks):
                began = time.perf_counter()
                proofs += prove(lesson, bank, deep=not options.quick, seconds=options.seconds)
                took = time.perf_counter() - began
                print(f"{lesson.master.key} · {bank} · {took:.1f} 秒", file=sys.stderr)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(proofs))
    for proof in proofs:
        if not proof.passed or (options.verbose and proof.detail):
            mark = "未通过" if not proof.passed else "说明"
            title = f"{proof.lesson} {proof.bank} {proof.question} ({proof.part}) {proof.name}"
            print(f"{mark}：{title}：{proof.detail}")
    return 0 if proofs and all(proof.passed for proof in proofs) else 1


def master_paths(wanted: str = "all") -> list[Path]:
    """Masters of the syllabus: all that are written, or those listed by short or full name."""
    folder = project_root() / "lessons"
    syllabus = load_syllabus(folder / "syllabus.yml")
    if wanted == "all":
        paths = [lesson.path(folder, ".py") for lesson in syllabus.lessons]
        return [path for path in paths if path.is_file()]
    chosen = syllabus.select(name.strip() for name in wanted.split(","))
    return [lesson.path(folder, ".py") for lesson in chosen]


def bank_codes(wanted: str = "all") -> list[str]:
    """Codes of the shipped banks, all or those listed."""
    known = list_banks()
    if wanted == "all":
        return known
    names = [name.strip() for name in wanted.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise CourseError(f"没有银行 {'、'.join(unknown)}；有的是：{'、'.join(known)}。")
    return names
