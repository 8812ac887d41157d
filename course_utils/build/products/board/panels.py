"""Collect the sections of the board from the executed instructor notebooks."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_utils.bank import Bank
from course_utils.brief import MARKS, METADATA, Action, Brief, Figure
from course_utils.build.execution.records import Record
from course_utils.build.execution.run import Build
from course_utils.build.products.board.tables import TableView, read_table
from course_utils.build.sources.masters import Master
from course_utils.build.sources.syllabus import Lesson
from course_utils.errors import CourseError

#: Sections in the order of a Monday meeting: what has a date first.
SECTIONS = {
    "maturity": "存款到期",
    "churn": "客户流失",
    "customers": "核心客户",
    "staff": "员工行为",
    "performance": "业绩：份额与指标",
    "merchants": "商户预警",
    "lending": "贷款与不良",
}


@dataclass(frozen=True)
class Picture:
    """A picture as the lesson drew it.

    Parameters
    ----------
    png : str
        The image in base64, unchanged.
    alt, title : str
        What it shows; the finding above it.
    """

    png: str
    alt: str
    title: str


@dataclass
class Panel:
    """One section of the board.

    Parameters
    ----------
    key, title : str
        Tag and name of the section.
    lessons : list of Lesson
        Lessons that gave something to it.
    briefs : list of Brief
        Their results in short.
    picture : Picture, optional
        The last one that the lessons drew on this bank.
    table : TableView, optional
        The last one that they showed.
    gaps : list of str
        What is not here and why, in Chinese.
    """

    key: str
    title: str
    lessons: list[Lesson] = field(default_factory=list)
    briefs: list[Brief] = field(default_factory=list)
    picture: Picture | None = None
    table: TableView | None = None
    gaps: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """The most urgent mark of the briefs; empty if there is none."""
        return min((item.mark for item in self.briefs), key=list(MARKS).index, default="")

    @property
    def leading(self) -> Brief:
        """The brief that stands for the section on the first screen."""
        return min(self.briefs, key=lambda item: list(MARKS).index(item.mark))

    @property
    def figures(self) -> list[Figure]:
        """Key figures of all briefs."""
        return [figure for item in self.briefs for figure in item.figures]

    @property
    def actions(self) -> list[Action]:
        """What to do, of all briefs."""
        return [action for item in self.briefs for action in item.actions]


def tagged_lessons(build: Build) -> list[Lesson]:
    """Return the lessons that give something to the board, in the order of the syllabus.

    Raises
    ------
    CourseError
        If a master is tagged for a section that the board does not have.
    """
    chosen = []
    for lesson in build.syllabus.lessons:
        sections = {section for cell in build.master(lesson).cells for section, _ in cell.board}
        if unknown := sorted(sections - set(SECTIONS)):
            raise CourseError(
                f"{lesson.name} 的标签写了看板没有的一栏“{unknown[0]}”，"
                f"只能用 {'、'.join(SECTIONS)}。"
            )
        if sections:
            chosen.append(lesson)
    return chosen


def collect_panels(build: Build, bank: Bank) -> list[Panel]:
    """Read all sections; a lesson without a result leaves a sentence that says why.

    Parameters
    ----------
    build : Build
        Whose executed instructor notebooks are read.
    bank : Bank
        Says which tables the bank lacks.

    Raises
    ------
    CourseError
        If none of the lessons has been run on this bank.
    """
    panels = {key: Panel(key, title) for key, title in SECTIONS.items()}
    records = build.records.load()
    for lesson in tagged_lessons(build):
        master = build.master(lesson)
        path = lesson.path(build.executed("instructor"), ".ipynb")
        if not path.is_file():
            reason = _why_missing(lesson, master, bank, records)
            for section in _sections(master):
                panels[section].gaps.append(reason)
            continue
        for section, role, cell in _tagged_cells(path):
            _take(panels[section], role, cell, lesson)
    if not any(panel.briefs for panel in panels.values()):
        raise CourseError(
            f"“{build.profile.name}”还没有讲师版的运行结果，请先运行 "
            f"course build --bank {build.profile.code}。"
        )
    return list(panels.values())


def _sections(master: Master) -> list[str]:
    found = [section for cell in master.cells for section, _ in cell.board]
    return list(dict.fromkeys(found))


def _tagged_cells(path: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for tag in cell["metadata"].get("tags", ()):
            if tag.startswith("board:"):
                _, section, role = tag.split(":")
                yield section, role, cell


def _take(panel: Panel, role: str, cell: Mapping[str, Any], lesson: Lesson) -> None:
    """Put what a cell shows into its section; a later picture or table replaces an earlier one."""
    outputs = [output for output in cell.get("outputs", ()) if "data" in output]
    if role == "brief":
        panel.briefs += [
            Brief.from_metadata(output["metadata"][METADATA])
            for output in outputs
            if METADATA in output.get("metadata", {})
        ]
    elif role == "picture":
        panel.picture = next(_pictures(outputs), panel.picture)
    else:
        panel.table = next(_tables(outputs), panel.table)
    if lesson not in panel.lessons:
        panel.lessons.append(lesson)


def _pictures(outputs: Iterable[Mapping[str, Any]]) -> Iterator[Picture]:
    for output in outputs:
        if "image/png" in output["data"]:
            alt = output["metadata"]["alt"]
            words = _joined(output["data"]["text/plain"]).removeprefix("图：")
            png = _joined(output["data"]["image/png"]).replace("\n", "")
            yield Picture(png, alt, words.removesuffix(f"（{alt}）"))


def _tables(outputs: Iterable[Mapping[str, Any]]) -> Iterator[TableView]:
    for output in outputs:
        markup = _joined(output["data"].get("text/html", ""))
        if "<table" in markup:
            yield read_table(markup)


def _joined(text: str | list[str]) -> str:
    """Return a notebook's text, which may be kept line by line."""
    return text if isinstance(text, str) else "".join(text)


def _why_missing(lesson: Lesson, master: Master, bank: Bank, records: Mapping[str, Record]) -> str:
    """Say why a lesson has no result: tables that the bank lacks, a failure, or not run yet."""
    if lacking := bank.missing(*loaded_tables(master)):
        tables = "、".join(f"“{name}”表" for name in lacking)
        return f"“{lesson.title_zh}”：本行缺少{tables}，这部分没有。"
    record = records.get(f"{lesson.name}/instructor")
    if record is not None and record.failed:
        return f"“{lesson.title_zh}”：这一课没有运行成功，请讲师看构建报告，这部分没有。"
    return f"“{lesson.title_zh}”：这一课还没有运行，这部分没有。"


def loaded_tables(master: Master) -> list[str]:
    """Return the names of the tables that a master loads without asking whether they are there."""
    loaded: dict[str, None] = {}
    optional: set[str] = set()
    for cell in master.cells:
        if cell.kind != "code":
            continue
        for call in (
            node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)
        ):
            name = ast.unparse(call.func)
            words = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
            names = [str(word).partition(".")[0] for word in words if isinstance(word, str)]
            if name == "bank.load" and names:
                loaded[names[0]] = None
            elif name in ("bank.has", "bank.missing"):
                optional.update(names)
    return [name for name in loaded if name not in optional]
