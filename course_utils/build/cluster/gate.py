"""By which a client enters a worker: light to import, for it is imported in the event loop.

The rest is imported in a thread. That also spares seconds: deep in the event loop's stack CPython
3.11 may map and unmap memory at every call that the imports make.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from distributed import Worker, WorkerPlugin
from distributed.core import Status

if TYPE_CHECKING:
    from course_utils.build.cluster.orders import Finding


async def examine(token: str, identity: Mapping[str, str], dask_worker: Worker) -> Finding:
    """Look whether this worker may work for a client; Dask fills in which one it is.

    Parameters
    ----------
    token : str
        Name of the file that the client wrote at the meeting place.
    identity : mapping of str to str
        The client's own.
    dask_worker : distributed.Worker
        This worker.
    """

    def look() -> Finding:
        from course_utils.build.cluster.workshop import workshop_of

        return workshop_of(dask_worker).examine(token, identity)

    return await asyncio.to_thread(look)


class WorkshopPlugin(WorkerPlugin):
    """Ends a workshop with its worker, and a lesson with the client that wanted it."""

    name = "course-workshop"
    idempotent = True  # a second client finds it there

    def setup(self, worker: Worker) -> None:
        """Remember whose plugin this is."""
        self._worker = worker

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Stop the lesson if its task has been cancelled; Dask itself lets threads run on."""
        if start == "executing" and finish in ("released", "cancelled"):
            from course_utils.build.cluster.workshop import workshop_of

            workshop_of(self._worker).cancel(key)

    async def teardown(self, worker: Worker) -> None:
        """Close the workshop if the worker is closing; a plugin may be replaced before."""
        if worker.status in (Status.closing, Status.closed, Status.failed):
            from course_utils.build.cluster.workshop import close_workshop

            await asyncio.to_thread(close_workshop, worker)
