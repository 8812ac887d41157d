"""Runs tasks side by side on this machine; one broken lesson never loses the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.build.execution.environment import kernel_environment
from course_utils.build.execution.inputs import Snapshot
from course_utils.build.execution.records import Record
from course_utils.build.execution.task import Task, run_task
from course_utils.build.execution.warm.nursery import Nursery

if TYPE_CHECKING:
    from course_utils.build.execution.execute import Job


def core_count() -> int:
    """Return how many cores this process may use; a container may have fewer than the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalCrew:
    """Threads of this process, each with a kernel of its own.

    Parameters
    ----------
    root : pathlib.Path
        The project.
    jobs : int, optional
        Lessons that run at the same time; if left out, one more than there are cores: while one
        starts or hands over its outputs, the others compute.
    warm : bool, optional
        Whether kernels are forked from a process that has imported the libraries.

    Attributes
    ----------
    note : str
        After a run: why kernels were ordinary ones, in Chinese; empty if they were warm.
    """

    def __init__(self, root: Path, jobs: int | None = None, warm: bool = True) -> None:
        self._root, self._jobs, self._warm = root, jobs or core_count() + 1, warm
        self.note = ""

    def run(self, tasks: Sequence[Task], snapshot: Snapshot) -> Iterator[tuple[Task, Record]]:
        """Yield each task with its record as it ends, the longest first.

        However the iteration ends, no kernel is left running.

        Parameters
        ----------
        tasks : sequence of Task
            What to run.
        snapshot : Snapshot
            Hashes of the inputs.
        """
        if not tasks:
            return
        environment = kernel_environment(self._root)
        queue = sorted(tasks, key=lambda task: -task.expected)
        running: dict[Future[Record], tuple[Task, Job]] = {}
        with Nursery(environment) as nursery, ThreadPoolExecutor(self._jobs) as pool:
            if self._warm:
                nursery.start()
            # papermill takes a second to import, in which the zygote can do the same
            from course_utils.build.execution.execute import Job

            try:
                while queue or running:
                    while queue and len(running) < self._jobs:
                        task = queue.pop(0)
                        job = Job(environment, nursery if self._warm else None)
                        folder = self._root / "build" / task.bank
                        future = pool.submit(run_task, task, folder, snapshot, job)
                        running[future] = (task, job)
                    ended, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in ended:
                        task, _ = running.pop(future)
                        yield task, future.result()
            finally:
                while any(not future.done() for future in running):
                    for _, job in running.values():
                        job.cancel()
                    wait(running, timeout=0.2)
                self.note = nursery.failure or next(iter(nursery.refusals), "")
