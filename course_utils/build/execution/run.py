"""Build the lessons of a bank: what is still right stays, the rest runs, longest first."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.build.execution.crew import LocalCrew
from course_utils.build.execution.inputs import Snapshot, hash_if_there, text_hash
from course_utils.build.execution.records import (
    SKIPPED,
    Record,
    RecordStore,
    expected_seconds,
)
from course_utils.build.execution.task import EXECUTED, Task, is_current
from course_utils.build.sources.editions import Edition, build_edition, dumps
from course_utils.build.sources.masters import Master, lesson_key, read_master
from course_utils.build.sources.parameters import check_profile, lesson_parameters
from course_utils.build.sources.syllabus import Lesson, Syllabus
from course_utils.files import explain_os_errors

if TYPE_CHECKING:
    from course_utils.bank import Profile

EDITIONS: tuple[Edition, ...] = ("instructor", "trainee")
Report = Callable[[Record, int, int], None]


@dataclass
class Plan:
    """What a build has to do.

    Parameters
    ----------
    names : list of str
        All runs asked for, in order.
    current : dict of str to Record
        Those that are still right.
    tasks : list of Task
        The others.
    snapshot : Snapshot
        Hashes of the inputs at the moment of planning.
    """

    names: list[str]
    current: dict[str, Record]
    tasks: list[Task]
    snapshot: Snapshot


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
    jobs : int, optional
        Lessons that run at the same time; one more than there are cores if left out.
    force : bool
        Whether lessons run again although nothing they depend on has changed.
    warm : bool
        Whether kernels are forked from a process that has imported the libraries.

    Attributes
    ----------
    note : str
        After a run: why kernels were ordinary ones, in Chinese; empty if they were warm.
    """

    root: Path
    syllabus: Syllabus
    profile: Profile
    jobs: int | None = None
    force: bool = False
    warm: bool = True
    note: str = field(default="", init=False)
    _masters: dict[str, Master] = field(default_factory=dict, init=False, repr=False)

    @property
    def folder(self) -> Path:
        """``build/<bank>``."""
        return self.root / "build" / self.profile.code

    @property
    def records(self) -> RecordStore:
        """What is known of earlier runs."""
        return RecordStore(self.folder)

    def executed(self, edition: Edition) -> Path:
        """Return the folder of the executed notebooks of one edition."""
        return self.folder / EXECUTED[edition]

    def master(self, lesson: Lesson) -> Master:
        """Return the master of a lesson, read once a build."""
        if lesson.name not in self._masters:
            path = lesson.path(self.root / "lessons", ".py")
            self._masters[lesson.name] = read_master(path)
        return self._masters[lesson.name]

    def run(
        self,
        lessons: Sequence[Lesson],
        editions: Sequence[Edition] = EDITIONS,
        report: Report = lambda record, done, total: None,
    ) -> list[Record]:
        """Execute lessons; each notebook and its record are written as soon as it is done.

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
        plan = self.plan(lessons, editions)
        done, total = dict(plan.current), len(plan.names)
        for number, record in enumerate(plan.current.values(), 1):
            report(record, number, total)
        crew = LocalCrew(self.root, self.jobs, self.warm)
        try:
            for task, record in crew.run(plan.tasks, plan.snapshot):
                done[task.name] = record
                report(record, len(done), total)
        finally:
            self.note = crew.note
            if plan.tasks:
                self.write_summary()
        return [done[name] for name in plan.names]

    def write_summary(self) -> None:
        """Write ``run.json`` from the records of all lessons."""
        lessons = self.syllabus.lessons
        order = [f"{lesson.name}/{edition}" for lesson in lessons for edition in EDITIONS]
        self.records.write_summary(self.profile, order)

    def plan(self, lessons: Sequence[Lesson], editions: Sequence[Edition] = EDITIONS) -> Plan:
        """Find out what has to run; nothing is written before the profile has been checked."""
        plan = Plan([], {}, [], Snapshot.take(self.root, self.profile.code))
        self._masters.clear()  # read before now, they may be older than the snapshot
        old_records = self.records.load()
        waiting: list[tuple[Lesson, Edition, str]] = []
        for lesson in lessons:
            for edition in editions:
                name = f"{lesson.name}/{edition}"
                plan.names.append(name)
                source, old = self._source(lesson, edition, plan.snapshot), old_records.get(name)
                output = lesson.path(self.executed(edition), ".ipynb")
                if not self.force and is_current(source, output, old, plan.snapshot):
                    plan.current[name] = replace(old, status=SKIPPED)
                else:
                    waiting.append((lesson, edition, source))
        if not waiting:
            return plan
        check_profile(self.profile, [self.master(lesson) for lesson in self.syllabus.lessons])
        plan.tasks = [self._task(*entry, old_records) for entry in waiting]
        for task in plan.tasks:
            self.records.drop(task.lesson.name, task.edition)
        return plan

    def _source(self, lesson: Lesson, edition: Edition, snapshot: Snapshot) -> str:
        """Return the hash of a lesson's own text, its edition and what the profile overrides.

        Its question module counts here, too: a run could not read one that was not there.
        """
        text = hash_if_there(lesson.path(self.root / "lessons", ".py"))
        questions = snapshot.modules.get(f"exercises/questions/{lesson_key(lesson.name)}.py", "")
        overrides = self.profile.lesson_parameters(lesson.name)
        real = ["real"] if self.profile.is_real else []
        return text_hash([text, questions, edition, overrides, *real])

    def _task(
        self, lesson: Lesson, edition: Edition, source: str, old: Mapping[str, Record]
    ) -> Task:
        master = self.master(lesson)
        return Task(
            bank=self.profile.code,
            lesson=lesson,
            edition=edition,
            source=source,
            notebook=dumps(build_edition(master, edition, real=self.profile.is_real)),
            parameters=lesson_parameters(self.profile, master),
            expected=expected_seconds(old.get(f"{lesson.name}/{edition}"), lesson.cpu_budget),
        )


def require_writable(folder: Path) -> None:
    """Fail early, in Chinese, if the build folder cannot be written."""
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
