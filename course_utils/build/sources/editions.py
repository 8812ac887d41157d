"""The two editions of a lesson as notebooks: what a trainee opens, what an instructor runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from course_utils.build.sources.masters import Cell, Master, split_answer

if TYPE_CHECKING:
    from nbformat import NotebookNode

Edition = Literal["trainee", "instructor"]

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
_HIDDEN_FROM_TRAINEES = ("wrong", "alternative")
#: Heading of the section on planted effects, and what is left of it on a real bank.
TRUTH, ADVICE = "## 揭示真值", "## 讲师提示"
_SENTENCE = re.compile(r"[^。]+。?[”）*]*")
_PLANTED = re.compile(r"生成器|埋|真值|示例银行|都能在表里看到")
#: Chinese characters and full-width punctuation: nothing stands between them in a sentence.
_CHINESE = re.compile(r"[\u2018-\u201d\u3001-\u301f\u4e00-\u9fff\uff01-\uff5e]")


def trainee_cells(master: Master) -> list[Cell]:
    """Return the cells of `master` that a trainee sees."""
    return [
        cell
        for cell in master.cells
        if not cell.instructor_only
        and not any(cell.question(role) for role in _HIDDEN_FROM_TRAINEES)
    ]


def real_cells(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells without what only a synthetic bank has: effects that somebody planted.

    The section of the truth keeps its advice for the class and loses the comparison.
    """
    start = next((n for n, cell in enumerate(cells) if cell.source.startswith(TRUTH)), len(cells))
    kept = list(cells[:start])
    for cell in cells[start:]:
        if cell.kind == "markdown":
            kept.append(replace(cell, source=_without_planted(cell.source)))
        elif "cu.reveal(" not in cell.source:
            kept.append(cell)
    advice = "".join(cell.source for cell in kept[start:])
    return kept if advice != ADVICE else kept[:start]


def _without_planted(text: str) -> str:
    """Return a text without the sentences that speak of a generator."""
    blocks = []
    for block in text.replace(TRUTH, ADVICE).split("\n\n"):
        items = [joined_lines(item) for item in re.split(r"\n(?=- )", block)]
        told = ["".join(x for x in _SENTENCE.findall(i) if not _PLANTED.search(x)) for i in items]
        blocks.append("\n".join(item for item in told if item.strip("- ")))
    text = "\n\n".join(block for block in blocks if block)
    return re.sub(r"\n\n说明[^。\n]*：(?!\n\n- )", "", text)


def build_edition(
    master: Master,
    edition: Edition,
    parameters: Mapping[str, Any] | None = None,
    real: bool = False,
) -> NotebookNode:
    """Make one edition of a lesson.

    Parameters
    ----------
    master : Master
        The lesson.
    edition : {"trainee", "instructor"}
        Trainees get blanks and no instructor cells; instructors get solutions, the wrong answers as
        folded notes, and the truth.
    parameters : mapping, optional
        Values to write into the parameters cell in place of the lesson's defaults, comments kept.
    real : bool
        For a real bank: nothing was planted, so nothing is revealed.

    Returns
    -------
    nbformat.NotebookNode
        A valid notebook (nbformat 4.5) without outputs; cell ids depend on the lesson's text only,
        so that the same master gives the same bytes.
    """
    from nbformat import v4

    cells = trainee_cells(master) if edition == "trainee" else list(master.cells)
    cells = real_cells(cells) if real else cells
    notebook = v4.new_notebook()
    notebook.nbformat_minor = 5
    notebook.metadata = {
        "kernelspec": dict(KERNEL),
        "language_info": {"name": "python"},
        "course": {"lesson": master.lesson, "edition": edition},
    }
    ids = _CellIds(master.lesson)
    for cell in cells:
        node = _node(cell, edition, master, parameters or {})
        if node is not None:
            node.id = ids.next(cell)
            notebook.cells.append(node)
    return notebook


def dumps(notebook: NotebookNode) -> str:
    """Return a notebook as the text that is kept in files: sorted keys, one space, UTF-8."""
    import nbformat

    return nbformat.writes(notebook, version=4) + "\n"


class _CellIds:
    """Hands out ids that survive edits elsewhere in the lesson."""

    def __init__(self, lesson: str) -> None:
        self._lesson = lesson
        self._seen: dict[str, int] = {}

    def next(self, cell: Cell) -> str:
        naming = [tag for tag in cell.tags if tag != "instructor" and not _for_board(tag)]
        roles = [tag.replace(":", "-").lower() for tag in naming]
        text = f"{self._lesson}\n{cell.kind}\n{cell.source}"
        name = roles[0] if roles else hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
        count = self._seen[name] = self._seen.get(name, 0) + 1
        return (name if count == 1 else f"{name}-{count}")[:64]


def _for_board(tag: str) -> bool:
    """Say whether a tag is about the board alone: ids and trainees' notebooks do without."""
    return tag.startswith("board:")


def _node(
    cell: Cell, edition: Edition, master: Master, parameters: Mapping[str, Any]
) -> NotebookNode | None:
    """Return the notebook cell for `cell` in `edition`; None where the edition leaves it out."""
    from nbformat import v4

    if cell.question("alternative"):
        return None
    if question := cell.question("wrong"):
        return v4.new_markdown_cell(_wrong_note(question, cell), metadata={"tags": ["instructor"]})
    metadata: dict[str, Any] = dict(cell.metadata)
    tags = [tag for tag in cell.tags if edition == "instructor" or not _for_board(tag)]
    if tags:
        metadata["tags"] = tags
    if cell.kind == "markdown":
        return v4.new_markdown_cell(joined_lines(cell.source), metadata=metadata)
    source = cell.source
    if "parameters" in cell.tags:
        source = set_parameters(source, parameters)
    if cell.question("answer"):
        answer = split_answer(source, master.where(cell))
        source = answer.blank_source if edition == "trainee" else answer.solved_source
        metadata["deletable"] = False
    if cell.question("check"):
        metadata |= {"editable": False, "deletable": False}
    return v4.new_code_cell(source, metadata=metadata)


def joined_lines(text: str) -> str:
    """Return a Markdown text whose lines do not break between two Chinese characters.

    Authors break lines where the master gets too long; a browser shows such a break as a space.
    Breaks that mean something stay: before and after headings, list items, tables, quotes and
    code, and after two spaces.

    Parameters
    ----------
    text : str
        Source of a Markdown cell.
    """
    lines: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        plain = not (fenced or fence)
        if lines and plain and _runs_on(lines[-1], line):
            lines[-1] += line.lstrip()
        else:
            lines.append(line)
        fenced = fenced != fence
    return "\n".join(lines)


def _runs_on(line: str, following: str) -> bool:
    """Say whether a sentence goes on in the next line without a space between."""
    if line.lstrip().startswith(("#", "|", "```", "<", ">", "$$")):
        return False
    start = following.lstrip()[:1]
    return bool(_CHINESE.match(line[-1:]) and _CHINESE.match(start))


def _wrong_note(question: str, cell: Cell) -> str:
    """Return a folded note that shows instructors a wrong answer the check knows by name."""
    return (
        f"<details><summary>{question} 常见错误：<code>{cell.variant}</code></summary>\n\n"
        f"```python\n{cell.source}\n```\n\n</details>"
    )


def set_parameters(source: str, values: Mapping[str, Any]) -> str:
    """Return a parameters cell with some values replaced and every comment kept.

    Parameters
    ----------
    source : str
        Source of the cell, one assignment a statement.
    values : mapping
        New value by name; names that the cell does not assign are left alone.
    """
    import ast

    lines = source.split("\n")
    for node in reversed(ast.parse(source).body):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if name not in values:
            continue
        first, last = node.value.lineno - 1, node.value.end_lineno - 1
        # ast counts UTF-8 bytes; comments and Chinese text stand on both sides of the value
        head = lines[first].encode("utf-8")[: node.value.col_offset].decode("utf-8")
        tail = lines[last].encode("utf-8")[node.value.end_col_offset :].decode("utf-8")
        lines[first : last + 1] = [f"{head}{literal(values[name])}{tail}"]
    return "\n".join(lines)


def literal(value: Any) -> str:
    """Return Python source for a parameter value, with double quotes and readable Chinese."""
    import json

    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, Mapping):
        items = ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items())
        return "{" + items + "}"
    return repr(value)
