"""Lesson masters: the one text file from which both editions of a lesson are made.

A master is a jupytext py:percent file. Tags say what a cell is for: ``parameters``,
``answer:E1``, ``check:E1``, ``wrong:E1:<name>``, ``alternative:E1:<name>``, ``instructor``;
``board:<section>:<role>`` marks what goes onto the board of the bank's head.
Answer cells hold a stub line and one block between ``### BEGIN SOLUTION`` and ``### END SOLUTION``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from course_utils import kept
from course_utils.errors import CourseError
from course_utils.paths import home

BEGIN_SOLUTION = "### BEGIN SOLUTION"
END_SOLUTION = "### END SOLUTION"
ROLES = ("answer", "check", "wrong", "alternative")
PLAIN_TAGS = ("parameters", "instructor")
#: What a cell gives to a section of the board: ``board:maturity:picture``.
BOARD_ROLES = ("brief", "picture", "table")

_STUB = re.compile(r"""^[^#\n=]+=\s*(\.\.\.|"\?"|'\?')\s*(\#.*)?$""")
_LESSON_NAME = re.compile(r"m\d{2}_n\d{2}_[a-z0-9_]+")
_QUESTION = re.compile(r"E[1-9]\d*")
_VARIANT = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Cell:
    """One cell of a master.

    Parameters
    ----------
    kind : {"code", "markdown"}
        Cell type.
    source : str
        Text of the cell, without a newline at the end.
    tags : tuple of str
        Cell tags in the order of the file.
    metadata : mapping
        All cell metadata except the tags.
    line : int
        Line of the cell's ``# %%`` header in the master, counted from 1.
    """

    kind: Literal["code", "markdown"]
    source: str
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0

    def question(self, role: str) -> str | None:
        """Return the question id that this cell plays `role` for, or None."""
        for tag in self.tags:
            if tag.startswith(role + ":"):
                return tag.split(":")[1]
        return None

    @property
    def variant(self) -> str | None:
        """Name of a wrong or alternative answer (``wrong:E1:<name>``), else None."""
        for tag in self.tags:
            parts = tag.split(":")
            if parts[0] in ("wrong", "alternative") and len(parts) == 3:
                return parts[2]
        return None

    @property
    def board(self) -> tuple[tuple[str, str], ...]:
        """Section and role of each ``board:`` tag."""
        parts = [tag.split(":") for tag in self.tags if tag.startswith("board:")]
        return tuple((section, role) for _, section, role in parts)

    @property
    def outline(self) -> tuple[str, ...]:
        """Ids of the training outlines that this cell teaches."""
        return tuple(self.metadata.get("outline", ()))

    @property
    def instructor_only(self) -> bool:
        """Whether trainees never see this cell."""
        return "instructor" in self.tags


@dataclass(frozen=True)
class Answer:
    """An answer cell, taken apart.

    Parameters
    ----------
    before : str
        Code ahead of the stub that both editions keep.
    stub : str
        The blank, one ``name = ...`` or ``name = "?"`` a line.
    solution : str
        The master's solution.
    after : str
        Code behind the solution that both editions keep.
    """

    before: str
    stub: str
    solution: str
    after: str

    def filled(self, body: str) -> str:
        """Return the cell's source with `body` in place of stub and solution."""
        return "\n".join(part for part in (self.before, body, self.after) if part)

    @property
    def blank_source(self) -> str:
        """The cell as a trainee finds it."""
        return self.filled(self.stub)

    @property
    def solved_source(self) -> str:
        """The cell with the master's solution and no markers."""
        return self.filled(self.solution)


def split_answer(source: str, where: str = "") -> Answer:
    """Take an answer cell apart.

    Parameters
    ----------
    source : str
        Source of a cell tagged ``answer:…``.
    where : str, optional
        File and line for the error message.

    Returns
    -------
    Answer
        The parts, each without a newline at the end.

    Raises
    ------
    CourseError
        If the markers are not exactly one pair, or no stub line stands before them.
    """
    lines = source.split("\n")
    marks = [(number, line.strip()) for number, line in enumerate(lines) if " SOLUTION" in line]
    if [mark for _, mark in marks] != [BEGIN_SOLUTION, END_SOLUTION]:
        raise CourseError(
            f"{where}答题格必须恰好有一对“{BEGIN_SOLUTION}”和“{END_SOLUTION}”，请检查这两行的写法。"
        )
    (begin, _), (end, _) = marks
    stubs = [number for number in range(begin) if _STUB.match(lines[number])]
    if not stubs:
        raise CourseError(
            f'{where}答题格在解答之前要有一行“变量 = ...”或“变量 = "?"”占位，请补上。'
        )
    if stubs != [number for number in range(stubs[0], begin) if lines[number].strip()]:
        raise CourseError(
            f"{where}占位行必须紧挨在“{BEGIN_SOLUTION}”之前，中间不能有别的代码，请调整。"
        )
    return Answer(
        before="\n".join(lines[: stubs[0]]),
        stub="\n".join(lines[number] for number in stubs),
        solution="\n".join(lines[begin + 1 : end]),
        after="\n".join(lines[end + 1 :]),
    )


@dataclass(frozen=True)
class Master:
    """A lesson's master file, read and checked.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    cells : tuple of Cell
        Its cells in order.
    """

    path: Path
    cells: tuple[Cell, ...]

    @property
    def lesson(self) -> str:
        """Name of the lesson, for example ``m02_n02_maturity_ladder``."""
        return self.path.stem

    @property
    def key(self) -> str:
        """Short name, for example ``m02_n02``: truth, questions and profiles use it."""
        return lesson_key(self.lesson)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Names and default values of the parameters cell."""
        cell = next((cell for cell in self.cells if "parameters" in cell.tags), None)
        return {} if cell is None else read_assignments(cell.source, self.where(cell))

    @property
    def questions(self) -> tuple[str, ...]:
        """Ids of the exercises in order: ``("E1", "E2", …)``."""
        return tuple(q for cell in self.cells if (q := cell.question("answer")))

    @property
    def outline(self) -> set[str]:
        """All outline ids that some section claims to teach."""
        return {id_ for cell in self.cells for id_ in cell.outline}

    def answer(self, question: str) -> Answer:
        """Return the parts of one question's answer cell."""
        for cell in self.cells:
            if cell.question("answer") == question:
                return split_answer(cell.source, self.where(cell))
        raise CourseError(f"{self.lesson} 没有练习 {question}，请检查题号。")

    def variants(self, role: str, question: str) -> Iterator[tuple[str, str]]:
        """Yield name and full answer-cell source of each wrong or alternative answer.

        Parameters
        ----------
        role : {"wrong", "alternative"}
            Which of the two.
        question : str
            Exercise id.
        """
        answer = self.answer(question)
        for cell in self.cells:
            if cell.question(role) == question:
                yield cell.variant or "", answer.filled(cell.source)

    def where(self, cell: Cell) -> str:
        """Return ``file:line: `` of a cell for messages."""
        return f"{self.path.name} 第 {cell.line} 行："


def lesson_key(lesson: str) -> str:
    """Return the short name ``mNN_nNN`` of a lesson."""
    return "_".join(lesson.split("_")[:2])


def read_assignments(source: str, where: str = "") -> dict[str, Any]:
    """Read the ``NAME = literal`` lines of a parameters cell.

    Parameters
    ----------
    source : str
        Source of the cell.
    where : str, optional
        File and line for the error message.

    Returns
    -------
    dict
        Value by name, in order.

    Raises
    ------
    CourseError
        If the cell holds anything but assignments of literals to names in capitals.
    """
    values: dict[str, Any] = {}
    try:
        for node in ast.parse(source).body:
            (target,) = node.targets  # type: ignore[attr-defined]
            values[target.id] = ast.literal_eval(node.value)  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, AttributeError, TypeError) as error:
        raise CourseError(
            f"{where}参数格只能写“大写名字 = 数值、文字或列表”，一行一个，请改掉别的写法。"
        ) from error
    return values


def read_master(path: Path | str) -> Master:
    """Read a lesson master.

    Parameters
    ----------
    path : path-like
        A py:percent file called ``mNN_nNN_<name>.py``.

    Returns
    -------
    Master
        The cells, with tags and metadata checked.

    Raises
    ------
    CourseError
        If the file is missing, not UTF-8, has a cell that is neither code nor Markdown, or a tag
        that means nothing.
    """
    path = Path(path)
    if not _LESSON_NAME.fullmatch(path.stem):
        raise CourseError(
            f"课程母本的文件名要写成 mNN_nNN_英文名.py，现在是“{path.name}”，请改名。"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CourseError(f"找不到课程母本 {path}，请检查 lessons/syllabus.yml。") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{path.name} 不是 UTF-8 编码，请在编辑器里另存为 UTF-8。") from error
    return parse_master(text, path)


def parse_master(text: str, path: Path) -> Master:
    """Parse the text of a master; `path` names the lesson in messages."""
    raw_cells = _raw_cells(text, path)
    headers = [n for n, line in enumerate(text.split("\n"), 1) if line.startswith("# %%")]
    if len(headers) != len(raw_cells):
        raise CourseError(f"{path.name} 的第一个单元格之前不能有别的内容，请从“# %%”开始写。")
    cells = []
    for line, (kind, source, raw) in zip(headers, raw_cells, strict=True):
        metadata = {k: v for k, v in raw.items() if k not in ("tags", "lines_to_next_cell")}
        cell = Cell(
            kind=kind, source=source, tags=tuple(raw.get("tags", ())), metadata=metadata, line=line
        )
        _check_cell(cell, f"{path.name} 第 {line} 行：")
        cells.append(cell)
    return Master(path=path, cells=tuple(cells))


def _raw_cells(text: str, path: Path) -> list[list[Any]]:
    """Return kind, source and metadata of the cells; those of the project's masters are kept."""
    place = None
    if (root := home()) is not None and path.resolve().is_relative_to(root.resolve() / "lessons"):
        parts = [_parser_version().encode(), text.encode("utf-8")]
        place = kept.place_for(f"master-{path.stem}", parts)
    known = kept.recall(place)
    if isinstance(known, list):
        return known
    import jupytext

    notebook = jupytext.reads(text, fmt="py:percent")
    cells = [[cell.cell_type, cell.source, dict(cell.metadata)] for cell in notebook.cells]
    kept.keep(place, cells)
    return cells


@cache
def _parser_version() -> str:
    return version("jupytext")


def _tag_fits(tag: str) -> bool:
    role, *rest = tag.split(":")
    if role == "board":
        return len(rest) == 2 and bool(_VARIANT.fullmatch(rest[0])) and rest[1] in BOARD_ROLES
    wanted = 2 if role in ("wrong", "alternative") else 1
    return (
        role in ROLES
        and len(rest) == wanted
        and bool(_QUESTION.fullmatch(rest[0]))
        and all(_VARIANT.fullmatch(name) for name in rest[1:])
    )


def _check_cell(cell: Cell, where: str) -> None:
    """Refuse a cell whose kind, tags or metadata the build would not understand."""
    if cell.kind not in ("code", "markdown"):
        raise CourseError(f"{where}单元格只能是代码或 Markdown，请改掉“{cell.kind}”。")
    for tag in cell.tags:
        if tag in PLAIN_TAGS:
            continue
        if not _tag_fits(tag) or cell.kind != "code":
            raise CourseError(f"{where}标签“{tag}”没有意义，请按 CONTRIBUTING.md 的写法改正。")
    if "answer" in {tag.split(":")[0] for tag in cell.tags}:
        split_answer(cell.source, where)
    elif BEGIN_SOLUTION in cell.source or END_SOLUTION in cell.source:
        raise CourseError(f"{where}解答标记只能出现在带 answer 标签的单元格里，请补上标签。")
    outline = cell.metadata.get("outline", [])
    if not isinstance(outline, list) or not all(isinstance(id_, str) for id_ in outline):
        raise CourseError(f'{where}outline 要写成 outline=["S004-D2.1"] 的样子，请改正。')
