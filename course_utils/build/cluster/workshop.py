"""A worker's side: warm kernels kept for its life, one order after another, nothing left behind."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distributed import Worker, get_worker

from course_utils.build.cluster.identity import differences, own_identity
from course_utils.build.cluster.orders import MEETING_PLACE, TOPIC, Finding, Outcome, TransientError
from course_utils.build.execution.environment import kernel_environment
from course_utils.build.execution.execute import DEAD_KERNEL, Job
from course_utils.build.execution.inputs import Snapshot
from course_utils.build.execution.records import Record
from course_utils.build.execution.task import Task, run_task
from course_utils.build.execution.warm.nursery import Nursery
from course_utils.build.sources.syllabus import project_root
from course_utils.errors import CourseError

#: Seconds that a shared folder may take to show another machine's change.
LAG = 30.0
#: Seconds to wait before an order that failed for a passing reason is given back.
PAUSE = 1.0
#: Seconds that the client may take to look at a worker that has just joined.
ADMITTED_WITHIN = 60.0


class Workshop:
    """What one worker process keeps between orders.

    Parameters
    ----------
    name : str
        Name of the worker.
    folder : pathlib.Path
        Its own folder, which Dask removes, if need be when the next worker starts.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._cache = folder / "course-cache"
        self._environment: dict[str, str] = {}
        self._nursery: Nursery | None = None
        self._snapshots: dict[str, Snapshot] = {}
        self._doubted: set[str] = set()
        self._jobs: dict[str, Job] = {}
        self._admitted: dict[str, bool] = {}
        self._looked_at = threading.Condition()

    @property
    def root(self) -> Path:
        """The project as this machine sees it."""
        return project_root()

    @property
    def note(self) -> str:
        """Why kernels were ordinary ones, in Chinese; empty if they were warm."""
        return self._nursery.failure if self._nursery is not None else ""

    # ---- admission ---------------------------------------------------------------------------
    def examine(self, token: str, identity: Mapping[str, str]) -> Finding:
        """Look whether this worker may work for the client that wrote `token`."""
        finding = self._examine(token, identity)
        with self._looked_at:
            self._admitted[token] = not finding.fault
            self._looked_at.notify_all()
        return finding

    def _examine(self, token: str, identity: Mapping[str, str]) -> Finding:
        try:
            place = self.root / MEETING_PLACE
            (place / token).stat()
        except (CourseError, OSError):
            return Finding(self.name, "folder")
        if parts := differences(identity, own_identity(self.root)):
            return Finding(self.name, "version", "、".join(parts))
        probe = f"{token}.{self.name}".replace(os.sep, "-").replace(":", "-")
        try:
            (place / probe).write_text("", encoding="utf-8")
        except OSError:
            return Finding(self.name, "write")
        return Finding(self.name, probe=probe)

    def require_admitted(self, token: str) -> None:
        """Wait until the client has looked at this worker.

        Raises
        ------
        TransientError
            If it was turned away: another worker has to do the order.
        """
        with self._looked_at:
            self._looked_at.wait_for(lambda: token in self._admitted, ADMITTED_WITHIN)
            if not self._admitted.get(token):
                raise TransientError(f"工作机“{self.name}”没有通过检查")

    # ---- lessons -----------------------------------------------------------------------------
    def run_lesson(self, task: Task, digest: str) -> Record:
        """Run one lesson and file its results; an equal run that has been filed is not repeated.

        Parameters
        ----------
        task : Task
            What to run.
        digest : str
            Digest of the snapshot that the task was planned with.

        Raises
        ------
        TransientError
            If the kernel died, the worker is closing, or other files are seen here than planned.
        """
        snapshot = self._snapshot(task.bank, digest)
        key = get_worker().get_current_task()
        job = self._open_job(key)
        try:
            record = run_task(task, self.root / "build" / task.bank, snapshot, job)
        finally:
            with self._lock:
                del self._jobs[key]
        if job.cancelled:
            raise TransientError("工作机被要求停下")
        if record.reason == DEAD_KERNEL:
            raise TransientError(DEAD_KERNEL.rstrip("。"))
        return record

    def _open_job(self, key: str) -> Job:
        with self._lock:
            if self._nursery is None:
                # a cache of its own: machines that share the project may have other fonts
                self._environment = kernel_environment(self.root, self._cache)
                self._nursery = Nursery(self._environment)
                self._nursery.start()
            job = Job(self._environment, self._nursery, worker=self.name)
            self._jobs[key] = job
            return job

    def _snapshot(self, bank: str, digest: str) -> Snapshot:
        """Return this machine's snapshot of a bank, which must be the one that was planned with.

        Equal digests mean equal files, so it is taken once; on a shared folder the change of
        another machine may show a little later.
        """
        known = self._snapshots.get(bank)
        if known is not None and known.digest == digest:
            return known
        deadline = time.monotonic() + (0 if digest in self._doubted else LAG)
        while True:
            snapshot = Snapshot.take(self.root, bank)
            if snapshot.digest == digest:
                self._snapshots[bank] = snapshot
                return snapshot
            if time.monotonic() >= deadline:
                self._doubted.add(digest)
                raise TransientError(
                    f"工作机“{self.name}”看到的表、档案或程序与计划时不同，多半是构建期间改过文件"
                )
            time.sleep(2)

    def cancel(self, key: str) -> None:
        """Stop a lesson that nobody waits for any more."""
        job = self._jobs.get(key)
        if job is not None:
            threading.Thread(target=self._insist, args=(key, job), daemon=True).start()

    def _insist(self, key: str, job: Job) -> None:
        """Kill the kernel; one that is only starting has no process to kill yet."""
        while self._jobs.get(key) is job:
            job.cancel()
            time.sleep(0.2)

    def close(self) -> None:
        """Stop all lessons and end all kernels."""
        for key in list(self._jobs):
            self.cancel(key)
        deadline = time.monotonic() + 10
        while self._jobs and time.monotonic() < deadline:
            time.sleep(0.05)
        with self._lock:
            if self._nursery is not None:
                self._nursery.close()


_WORKSHOPS: dict[str, Workshop] = {}
_OPENING = threading.Lock()


def workshop_of(worker: Worker) -> Workshop:
    """Return the workshop of a worker; it is opened when it is needed first."""
    with _OPENING:
        if worker.id not in _WORKSHOPS:
            name = worker.name
            # those of a local cluster are only numbered
            label = f"{platform.node()}-{name}" if isinstance(name, int) else str(name)
            _WORKSHOPS[worker.id] = Workshop(label, Path(worker.local_directory))
        return _WORKSHOPS[worker.id]


def close_workshop(worker: Worker) -> None:
    """Close the workshop of a worker that is closing, if it was ever opened."""
    shop = _WORKSHOPS.pop(worker.id, None)
    if shop is not None:
        shop.close()


def perform(token: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    """Carry out one order as a Dask task.

    Parameters
    ----------
    token : str
        Of the client.
    function : callable
        Called as ``function(workshop, *arguments)``.
    arguments : tuple
        See there.

    Raises
    ------
    TransientError
        If another try may help.
    """
    worker = get_worker()
    shop = workshop_of(worker)
    worker.log_event(TOPIC, {"key": worker.get_current_task(), "worker": shop.name})
    begin = time.perf_counter()
    value, fault = None, ""
    shop.require_admitted(token)
    try:
        value = function(shop, *arguments)
    except CourseError as error:
        fault = str(error)
    except OSError as error:
        time.sleep(PAUSE)
        raise TransientError(f"读写共享文件夹时系统报告“{error.strerror or error}”") from None
    seconds = round(time.perf_counter() - begin, 2)
    return Outcome(value, fault, shop.name, seconds, shop.note)
