"""Build many banks: prepare, run, finish, in one list of orders; one bank's trouble is its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank import list_banks, load_profile
from course_utils.build.cluster import require_distributed
from course_utils.build.cluster.orders import Order, Outcome
from course_utils.build.cluster.report import BankReport, FleetReport, write_report
from course_utils.build.cluster.steps import (
    Finished,
    Prepared,
    Request,
    finish_bank,
    prepare_bank,
    run_lesson,
    summarise,
)
from course_utils.build.execution.records import FAILED, OK, SKIPPED, Record, RecordStore
from course_utils.build.execution.task import Task
from course_utils.build.sources.syllabus import load_syllabus
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.build.cluster.connection import Connection

Progress = Callable[[str, int, int], None]
#: Within a bank: products as soon as its lessons are done, lessons as soon as it is prepared.
_FINISH, _PREPARE, _RUN = range(3)


def build_banks(
    root: Path,
    requests: Sequence[Request],
    scheduler: str | None = None,
    jobs: int | None = None,
    progress: Progress = lambda label, done, total: None,
) -> FleetReport:
    """Build banks on a Dask cluster and write ``build/banks.json`` and ``build/banks.html``.

    Banks come one after the other and within a bank the longest lessons first, so that early
    banks are complete if the rest is interrupted; no worker waits for a bank to end.

    Parameters
    ----------
    root : pathlib.Path
        The project, which all workers see.
    requests : sequence of Request
        One a bank.
    scheduler : str, optional
        ``tcp://host:port``; workers on this machine if left out.
    jobs : int, optional
        Workers on this machine.
    progress : callable
        Called as ``progress(label, done, total)``; the total grows with the banks planned.

    Returns
    -------
    FleetReport
        The same that was written. It is also written if the build is interrupted.

    Raises
    ------
    CourseError
        If there is no cluster, no worker, or a worker does not see the same project.
    """
    require_distributed()
    from course_utils.build.cluster.connection import Connection

    with Connection(root, scheduler, jobs) as connection:
        return _Fleet(root, requests, connection, progress).build()


def make_requests(
    root: Path,
    banks: Sequence[str],
    lessons: Sequence[str],
    plan: str | None = None,
    force: bool = False,
    products: bool = True,
) -> list[Request]:
    """Check what is asked for before anything runs and return one request a bank.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    banks, lessons : sequence of str
        Codes and names; all if empty.
    plan : str, optional
        Only the lessons of this class plan.
    force, products : bool
        See `Request`.

    Raises
    ------
    CourseError
        If there is no such bank, lesson or plan.
    """
    known = list_banks()
    if not known:
        raise CourseError("data/banks 里还没有银行档案，请先建立一个 data/banks/<代号>/bank.yml。")
    for code in banks:
        if code not in known:
            load_profile(code)  # says what is wrong with it and which banks there are
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    if plan is not None:
        syllabus = syllabus.restricted(plan)
    syllabus.select(lessons)
    chosen = tuple(dict.fromkeys(banks)) or known
    return [Request(code, tuple(lessons), plan, force, products) for code in chosen]


def lesson_order(task: Task, digest: str, bank_number: int = 0) -> Order:
    """Return the order to run one lesson.

    Parameters
    ----------
    task : Task
        What to run.
    digest : str
        Digest of the snapshot that it was planned with.
    bank_number : int, optional
        Banks with smaller numbers come first.
    """
    name = f"{task.bank}/{task.name}"
    return Order(name, (bank_number, _RUN, -task.expected), run_lesson, (task, digest))


def lesson_record(root: Path, task: Task, outcome: Outcome) -> Record:
    """Return the record of a lesson that was ordered; file it if no worker could."""
    if not outcome.fault:
        record: Record = outcome.value
        # filed by a worker that was lost before it could say so
        return replace(record, status=OK) if record.status == SKIPPED else record
    record = Record(
        task.lesson.name,
        task.edition,
        FAILED,
        reason=outcome.fault,
        cpu_budget=task.lesson.cpu_budget,
        worker=outcome.worker,
    )
    RecordStore(root / "build" / task.bank).save(record)
    return record


@dataclass
class _Bank:
    """A bank on its way."""

    request: Request
    report: BankReport
    names: list[str] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)


class _Fleet:
    def __init__(
        self, root: Path, requests: Sequence[Request], connection: Connection, progress: Progress
    ) -> None:
        self._root, self._connection, self._progress = root, connection, progress
        self._banks = [_Bank(r, BankReport(r.bank, r.bank)) for r in requests]
        self._orders: dict[str, tuple[int, int, Task | None]] = {}
        self._done = 0
        self._report = FleetReport([bank.report for bank in self._banks])
        self._start = time.monotonic()

    def build(self) -> FleetReport:
        for number in range(len(self._banks)):
            self._step(number, _PREPARE, prepare_bank)
        try:
            for order, outcome in self._connection.outcomes():
                self._take(order, outcome)
            self._report.interrupted = False
        finally:
            self._close_report()
        return self._report

    def _close_report(self) -> None:
        self._report.seconds = self._clock()
        self._report.notes += self._connection.turned_away
        for bank in self._banks:
            bank.report.records = [bank.records[n] for n in bank.names if n in bank.records]
            if bank.records and not bank.report.complete:
                summarise(self._root, bank.request)
        write_report(self._root, self._report)

    def _clock(self) -> float:
        return round(time.monotonic() - self._start, 1)

    def _step(self, number: int, stage: int, function: Callable[..., Any]) -> None:
        """Order what is done once a bank."""
        request = self._banks[number].request
        name = f"{request.bank}/{'prepare' if stage == _PREPARE else 'finish'}"
        self._orders[name] = (number, stage, None)
        self._connection.add(Order(name, (number, stage, 0.0), function, (request,)))

    def _take(self, order: Order, outcome: Outcome) -> None:
        number, stage, task = self._orders.pop(order.name)
        bank = self._banks[number]
        bank.report.tries[order.name] = outcome.tries
        bank.report.ended = self._clock()
        if stage == _PREPARE:
            bank.report.began = bank.report.ended - outcome.seconds
        if outcome.note and outcome.note not in self._report.notes:
            self._report.notes.append(outcome.note)
        if stage == _RUN:
            self._take_lesson(number, task, outcome)
        elif outcome.fault:
            bank.report.problem = outcome.fault
        elif stage == _PREPARE:
            self._take_plan(number, outcome.value, outcome.seconds)
        else:
            self._take_products(bank, outcome.value, outcome.seconds)
        total = sum(len(b.names) for b in self._banks)
        self._progress(order.name.removesuffix("/prepare"), self._done, total)

    def _take_plan(self, number: int, prepared: Prepared, seconds: float) -> None:
        bank, plan = self._banks[number], prepared.plan
        bank.report.name, bank.report.generated = prepared.name, prepared.generated
        bank.report.prepare_seconds = seconds
        bank.names, bank.records = plan.names, dict(plan.current)
        self._done += len(plan.current)
        for task in plan.tasks:
            order = lesson_order(task, plan.snapshot.digest, number)
            self._orders[order.name] = (number, _RUN, task)
            self._connection.add(order)
        if not plan.tasks:
            self._finish(number)

    def _take_lesson(self, number: int, task: Task, outcome: Outcome) -> None:
        bank = self._banks[number]
        bank.records[task.name] = lesson_record(self._root, task, outcome)
        self._done += 1
        if len(bank.records) == len(bank.names):
            self._finish(number)

    def _finish(self, number: int) -> None:
        self._step(number, _FINISH, finish_bank)

    def _take_products(self, bank: _Bank, finished: Finished, seconds: float) -> None:
        bank.report.finish_seconds, bank.report.leaks = seconds, finished.leaks
        bank.report.complete = True
