"""Execute lessons on a bank: side by side, resumable, one broken lesson never loses the others."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.build.execution.inputs import shared_fingerprint, task_fingerprint
from course_utils.build.files import explain_os_errors, write_text
from course_utils.build.sources.editions import Edition, build_edition, dumps
from course_utils.build.sources.masters import Master, read_master
from course_utils.build.sources.parameters import check_profile, lesson_parameters
from course_utils.build.sources.syllabus import Lesson, Syllabus

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from course_utils.bank import Profile
    from course_utils.build.execution.execute import Execution, Job

OK, FAILED, SKIPPED = "ok", "failed", "unchanged"
EDITIONS: tuple[Edition, ...] = ("instructor", "trainee")


@dataclass
class Record:
    """What ``run.json`` says about one edition of one lesson."""

    lesson: str
    edition: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cpu_budget: float = 0.0
    import_seconds: float = 0.0
    peak_mb: float = 0.0
    warnings: list[str] = field(default_factory=list)
    inputs: str = ""

    @property
    def failed(self) -> bool:
        """Whether the lesson did not run through, or broke a promise on the way."""
        return self.status == FAILED


@dataclass(frozen=True)
class Task:
    """One edition of one lesson, ready to run."""

    lesson: Lesson
    edition: Edition
    notebook: NotebookNode
    parameters: dict[str, Any]
    inputs: str
    output: Path

    @property
    def failed_copy(self) -> Path:
        """Where the notebook goes if the lesson fails: beside the editions, never in them."""
        folder = self.output.parents[2] / "failed" / self.edition
        return folder / self.output.name

    @property
    def name(self) -> str:
        """Key of the task in ``run.json``."""
        return f"{self.lesson.name}/{self.edition}"


@dataclass
class Build:
    """Where a bank's build lies and how its lessons are run.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    syllabus : Syllabus
        Its lessons.
    profile : Profile
        The bank.
    jobs : int
        Lessons that run at the same time.
    force : bool
        Whether lessons run again although nothing they depend on has changed.
    """

    root: Path
    syllabus: Syllabus
    profile: Profile
    jobs: int = 2
    force: bool = False

    @property
    def folder(self) -> Path:
        """``build/<bank>``."""
        return self.root / "build" / self.profile.code

    def executed(self, edition: Edition) -> Path:
        """Return the folder of the executed notebooks of one edition."""
        return (
            self.folder / "instructor" if edition == "instructor" else self.folder / "trainee_run"
        )

    def run(
        self,
        lessons: Sequence[Lesson],
        editions: Sequence[Edition] = EDITIONS,
        report: Callable[[Record, int, int], None] = lambda record, done, total: None,
    ) -> list[Record]:
        """Execute lessons; write each notebook and ``run.json`` as soon as it is done.

        Parameters
        ----------
        lessons : sequence of Lesson
            What to run, in order.
        editions : sequence of {"instructor", "trainee"}
            The instructor edition proves the solutions; the trainee edition proves that blanks run
            through.
        report : callable
            Called with each record, the number done and the total.

        Returns
        -------
        list of Record
            In the order of `lessons` and `editions`.

        Raises
        ------
        CourseError
            If the profile asks for parameters that do not exist, or nothing can be written.
        """
        tasks = self._plan(lessons, editions)
        records = self.load_records()
        done: dict[str, Record] = {}
        waiting = []
        for task in tasks:
            old = records.get(task.name)
            if not self.force and _is_current(task, old):
                done[task.name] = Record(**{**asdict(old), "status": SKIPPED})
                report(done[task.name], len(done), len(tasks))
            else:
                waiting.append(task)
        for task, record in _run_all(waiting, self.jobs, self.root):
            done[task.name] = records[task.name] = record
            self._save_records(records)
            report(record, len(done), len(tasks))
        self._save_records(records)
        return [done[task.name] for task in tasks]

    def _plan(self, lessons: Sequence[Lesson], editions: Sequence[Edition]) -> list[Task]:
        masters = {lesson: self.master(lesson) for lesson in self.syllabus.lessons}
        check_profile(self.profile, masters.values())
        shared = shared_fingerprint(self.root, self.profile.code)
        tasks = []
        for lesson in lessons:
            parameters = lesson_parameters(self.profile, masters[lesson])
            for edition in editions:
                notebook = build_edition(masters[lesson], edition)
                tasks.append(
                    Task(
                        lesson=lesson,
                        edition=edition,
                        notebook=notebook,
                        parameters=parameters,
                        inputs=task_fingerprint(shared, dumps(notebook), parameters),
                        output=lesson.path(self.executed(edition), ".ipynb"),
                    )
                )
        return tasks

    def master(self, lesson: Lesson) -> Master:
        """Read the master of a lesson."""
        return read_master(lesson.path(self.root / "lessons", ".py"))

    def load_records(self) -> dict[str, Record]:
        """Return the records of earlier runs by task; none if there are none or they are broken."""
        path = self.folder / "run.json"
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            return {f"{r['lesson']}/{r['edition']}": Record(**r) for r in raw["lessons"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _save_records(self, records: dict[str, Record]) -> None:
        names = [f"{ls.name}/{edition}" for ls in self.syllabus.lessons for edition in EDITIONS]
        # lessons outside this class plan keep their records: their notebooks are still there
        names += [name for name in records if name not in names]
        rows = [asdict(records[name]) for name in names if name in records]
        content = {
            "bank": self.profile.code,
            "name": self.profile.name,
            "as_of": f"{self.profile.as_of:%Y-%m-%d}",
            "lessons": rows,
        }
        write_text(
            self.folder / "run.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        )


def _is_current(task: Task, old: Record | None) -> bool:
    return (
        old is not None and not old.failed and old.inputs == task.inputs and task.output.is_file()
    )


def _run_all(tasks: Sequence[Task], jobs: int, root: Path) -> Any:
    """Yield each task with its record as it ends; on an interrupt kill all kernels first."""
    from course_utils.build.execution.execute import Job, kernel_environment

    running: dict[Future[Record], tuple[Task, Job]] = {}
    queue = list(tasks)
    pool = ThreadPoolExecutor(max_workers=max(jobs, 1))
    try:
        while queue or running:
            while queue and len(running) < max(jobs, 1):
                task = queue.pop(0)
                with explain_os_errors(task.output.parent):
                    task.output.parent.mkdir(parents=True, exist_ok=True)
                deliverables = task.output.parents[1] / "成果"
                job = Job(task.output.parent, kernel_environment(root, deliverables))
                running[pool.submit(partial(_run_one, task, job))] = (task, job)
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                task, _ = running.pop(future)
                yield task, future.result()
    finally:
        while any(not future.done() for future in running):
            for _, job in running.values():
                job.cancel()
            wait(running, timeout=0.2)
        pool.shutdown(wait=True, cancel_futures=True)


def _run_one(task: Task, job: Job) -> Record:
    """Run one task and put its notebook in place: good ones with the edition, others aside."""
    from course_utils.build.execution.execute import execute

    execution = execute(task.notebook, task.parameters, job)
    if job.cancelled:
        return Record(task.lesson.name, task.edition, FAILED, reason="被中断。")
    reason = execution.reason or _broken_promise(task, execution)
    failed_copy = task.failed_copy
    if reason:
        task.output.unlink(missing_ok=True)
        write_text(failed_copy, dumps(execution.notebook))
    else:
        failed_copy.unlink(missing_ok=True)
        write_text(task.output, dumps(execution.notebook))
    return Record(
        lesson=task.lesson.name,
        edition=task.edition,
        status=FAILED if reason else OK,
        reason=reason,
        seconds=execution.seconds,
        cpu_seconds=execution.cpu_seconds,
        cpu_budget=task.lesson.cpu_budget,
        import_seconds=execution.import_seconds,
        peak_mb=execution.peak_mb,
        warnings=list(execution.warnings),
        inputs=task.inputs,
    )


def _broken_promise(task: Task, execution: Execution) -> str:
    """Return a reason if a check does not say what it must say in this edition, else ''."""
    wanted = "✓ 正确" if task.edition == "instructor" else "○ 还没有作答"
    for cell in execution.notebook.cells:
        question = next(
            (tag[6:] for tag in cell.metadata.get("tags", ()) if tag.startswith("check:")), None
        )
        if question is None:
            continue
        text = "".join(
            output.get("text", "") or output.get("data", {}).get("text/plain", "")
            for output in cell.get("outputs", ())
        ).strip()
        if not text.startswith(f"【{question} {wanted}】"):
            said = (text.splitlines() or ["（没有输出）"])[0]
            return f"{question} 的检查应当回答“{wanted}”，却回答：{said}"
    return ""


def default_jobs() -> int:
    """Return how many lessons to run side by side: one a core, four at most."""
    return max(1, min(4, os.cpu_count() or 1))


def require_writable(folder: Path) -> None:
    """Fail early, in Chinese, if the build folder cannot be written."""
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def exit_summary(records: Sequence[Record]) -> str:
    """Return one line a lesson: status, seconds, reason."""
    labels = {OK: "完成", FAILED: "失败", SKIPPED: "未变"}
    by_lesson: dict[str, list[Record]] = {}
    for record in records:
        by_lesson.setdefault(record.lesson, []).append(record)
    lines = []
    for lesson, group in by_lesson.items():
        worst = next((r for r in group if r.failed), group[0])
        seconds = sum(record.seconds for record in group)
        line = f"{labels[worst.status]}  {seconds:6.1f} 秒  {lesson}"
        own = max(record.cpu_seconds for record in group)  # beyond imports
        if own > group[0].cpu_budget > 0:
            line += f"（CPU {own:.1f} 秒，预算 {group[0].cpu_budget:.0f} 秒）"
        if worst.failed:
            line += f"（{'学员版' if worst.edition == 'trainee' else '讲师版'}）：{worst.reason}"
        lines.append(line)
    return "\n".join(lines)
