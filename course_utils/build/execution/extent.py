"""How much of a lesson ran on a bank that lacks data: read off the executed notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from course_utils.build.sources.needs import extent
from course_utils.exercises.gates.gate import METADATA
from course_utils.exercises.result import Outcome, title_of

if TYPE_CHECKING:
    from nbformat import NotebookNode


def measure(notebook: NotebookNode, wanted: Iterable[str] = ()) -> tuple[str, list[str]]:
    """Return how much of a lesson ran and what it asked for in vain, the most missed first.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook.
    wanted : iterable of str
        Contract names that the lesson asked for in vain, whether or not that stopped a cell.
    """
    stops: Counter[str] = Counter()
    shown = skipped = 0
    exercises: list[bool] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        note = _note(cell)
        if note is not None:
            stops.update(note["names"])
        outcome = check_outcome(cell)
        if outcome is not None:
            exercises.append(outcome[1] is not Outcome.MISSING)
        if is_proper(cell):
            shown += _shows(cell)
            skipped += note is not None and not note["partly"]
    order = sorted(stops, key=lambda name: (-stops[name], name))
    stopped = bool(stops) or not all(exercises)
    others = sorted(set(wanted) - set(order)) if stopped and not order else []
    return extent(shown, skipped, stopped, exercises), [*order, *others]


def is_proper(cell: NotebookNode) -> bool:
    """Say whether a cell belongs to the lesson itself: no parameters, exercise or dictionary."""
    tags = [tag for tag in cell.metadata.get("tags", ()) if not tag.startswith("board:")]
    return not tags and "cu.begin(" not in cell.source and "cu.dictionary(" not in cell.source


def check_outcome(cell: NotebookNode) -> tuple[str, Outcome | None, str] | None:
    """Return question, outcome and what was shown first of a check; None for other cells."""
    tags = cell.metadata.get("tags", ())
    question = next((tag[6:] for tag in tags if tag.startswith("check:")), None)
    if question is None:
        return None
    text = "".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for output in cell.get("outputs", ())
    ).strip()
    said = (text.splitlines() or ["（没有输出）"])[0]
    for outcome in Outcome:
        if text.startswith(f"【{question} {title_of(outcome)}】"):
            return question, outcome, said
    return question, None, said


def _note(cell: NotebookNode) -> dict | None:
    """Return what the cell says of missing data."""
    notes = (output.get("metadata", {}).get(METADATA) for output in cell.get("outputs", ()))
    return next((note for note in notes if note), None)


def _shows(cell: NotebookNode) -> bool:
    """Say whether a cell shows more than that data are missing."""
    return any(
        not output.get("metadata", {}).get(METADATA)
        and not output.get("data", {}).get("text/plain", "").startswith("本行没有")
        for output in cell.get("outputs", ())
        if output.get("output_type") in ("display_data", "execute_result")
    )
