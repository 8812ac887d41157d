"""One edition of one lesson on one bank: run it, judge it, put its results in place."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank import load_profile
from course_utils.build.execution.extent import check_outcome, measure
from course_utils.build.execution.inputs import Snapshot, hash_if_there
from course_utils.build.execution.records import FAILED, OK, SKIPPED, Record, RecordStore
from course_utils.build.sources.editions import Edition, dumps
from course_utils.build.sources.syllabus import Lesson
from course_utils.exercises.result import Outcome, title_of
from course_utils.files import explain_os_errors, fresh_folder, write_bytes, write_text

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from course_utils.build.execution.execute import Execution, Job

#: Folder of the executed notebooks of each edition, below ``build/<bank>``.
EXECUTED = {"instructor": "instructor", "trainee": "trainee_run"}


@dataclass(frozen=True)
class Task:
    """A run to be done; small enough to be sent to another machine.

    Parameters
    ----------
    bank : str
        Code of the bank.
    lesson : Lesson
        Its entry in the syllabus.
    edition : {"instructor", "trainee"}
        Which edition.
    notebook : str
        The edition, without outputs, as the text of an ``.ipynb`` file.
    parameters : dict
        Values for papermill to inject.
    source : str
        Hash of the lesson's own text, edition and parameters.
    expected : float
        Seconds that it may take; the longest runs begin first.
    """

    bank: str
    lesson: Lesson
    edition: Edition
    source: str
    notebook: str = field(repr=False)
    parameters: dict[str, Any]
    expected: float = 0.0

    @property
    def name(self) -> str:
        """Lesson and edition."""
        return f"{self.lesson.name}/{self.edition}"

    def output(self, folder: Path) -> Path:
        """Return where the executed notebook goes below ``build/<bank>``."""
        return self.lesson.path(folder / EXECUTED[self.edition], ".ipynb")


def is_current(task_source: str, output: Path, old: Record | None, snapshot: Snapshot) -> bool:
    """Say whether an earlier run is still right: its notebook is untouched, no input changed."""
    if old is None or old.failed or not old.inputs or old.output != hash_if_there(output):
        return False
    return old.inputs == snapshot.fingerprint(task_source, old.modules, old.tables)


def run_task(task: Task, folder: Path, snapshot: Snapshot, job: Job) -> Record:
    """Run one task and file its results below ``build/<bank>``; never raises for the lesson.

    Good notebooks go beside those of their edition, others aside. If an equal run has been filed
    in the meantime (a worker died after its work was done), nothing is run.

    Parameters
    ----------
    task : Task
        What to run.
    folder : pathlib.Path
        ``build/<bank>``.
    snapshot : Snapshot
        Hashes of the inputs, taken before the run.
    job : Job
        Environment and nursery; ``job.cancel()`` from another thread stops the run.

    Raises
    ------
    CourseError
        If the results cannot be written.
    """
    store = RecordStore(folder)
    old = store.get(task.lesson.name, task.edition)
    if is_current(task.source, task.output(folder), old, snapshot):
        return replace(old, status=SKIPPED)
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as scratch:
        record = _run(task, folder, snapshot, job, Path(scratch))
    if not job.cancelled:
        store.save(record)
    return record


def _run(task: Task, folder: Path, snapshot: Snapshot, job: Job, scratch: Path) -> Record:
    import nbformat

    from course_utils.build.execution.execute import execute

    notebook = nbformat.reads(task.notebook, as_version=4)
    execution = execute(notebook, task.parameters, job, scratch)
    if job.cancelled:
        return Record(task.lesson.name, task.edition, FAILED, reason="被中断。")
    broken = broken_promise(execution.notebook, task.edition)
    if broken and load_profile(task.bank).is_real:
        # nobody has proved the exercises on these data: the lesson stays, the instructor is told
        execution = replace(execution, warnings=(*execution.warnings, f"课前请核对：{broken}"))
        broken = ""
    reason = execution.reason or broken
    output = task.output(folder)
    failed_copy = folder / "failed" / task.edition / output.name
    if reason:
        output.unlink(missing_ok=True)
        write_text(failed_copy, dumps(execution.notebook))
    else:
        failed_copy.unlink(missing_ok=True)
        place_deliverables(scratch / "成果", folder / EXECUTED[task.edition] / "成果")
        write_text(output, dumps(execution.notebook))
    return _record(task, execution, reason, snapshot, job.worker, hash_if_there(output))


def _record(
    task: Task,
    execution: Execution,
    reason: str,
    snapshot: Snapshot,
    worker: str,
    output: str,
) -> Record:
    modules, tables = sorted(execution.modules), sorted(execution.tables)
    extent, missing = measure(execution.notebook, execution.wanted)
    return Record(
        lesson=task.lesson.name,
        edition=task.edition,
        status=FAILED if reason else OK,
        reason=reason,
        seconds=execution.seconds,
        cpu_seconds=execution.cpu_seconds,
        cpu_budget=task.lesson.cpu_budget,
        peak_mb=execution.peak_mb,
        warnings=list(execution.warnings),
        worker=worker,
        inputs=snapshot.fingerprint(task.source, modules, tables),
        output=output,
        modules=modules,
        tables=tables,
        extent=extent,
        missing=missing,
    )


def place_deliverables(source: Path, target: Path) -> None:
    """Put what a lesson delivered where it belongs: each folder and file as a whole."""
    if not source.is_dir():
        return
    for entry in sorted(source.iterdir()):
        if entry.is_dir():
            with fresh_folder(target / entry.name) as aside:
                shutil.copytree(entry, aside, dirs_exist_ok=True)
        else:
            with explain_os_errors(target):
                write_bytes(target / entry.name, entry.read_bytes())


def broken_promise(notebook: NotebookNode, edition: Edition) -> str:
    """Return a reason if a check does not say what it must say in this edition, else ''.

    Only on a real bank can a check say that the data are missing.
    """
    wanted = Outcome.RIGHT if edition == "instructor" else Outcome.BLANK
    for cell in notebook.cells:
        found = check_outcome(cell)
        if found is None or found[1] in (wanted, Outcome.MISSING):
            continue
        question, _, said = found
        return f"{question} 的检查应当回答“{title_of(wanted)}”，却回答：{said}"
    return ""
