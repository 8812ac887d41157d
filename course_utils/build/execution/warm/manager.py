"""Kernel manager of the build: this interpreter, sockets in a private folder, warm if possible."""

from __future__ import annotations

import contextlib
import math
import shutil
import sys
import tempfile
import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from traitlets import DottedObjectName, Type

from course_utils.build.execution.warm.nursery import Nursery

PROVISIONER = "course-warm"


#: Seconds after which outputs that should have come by now show that nobody listened yet.
HEARD_WITHIN = 0.05


class CourseKernelClient(AsyncKernelClient):
    """A client that is ready when the kernel is, not two tenths of a second of silence later."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its outputs reach us.

        The answer to a request comes on one channel, the kernel's state on the channel of the
        outputs: once it says there that it is idle after *our* request, no output can be missed.

        Raises
        ------
        RuntimeError
            If the kernel dies or does not answer within `timeout` seconds.
        """
        deadline = time.monotonic() + (timeout or math.inf)
        while True:
            request = self.kernel_info()
            with contextlib.suppress(Empty):
                await self._reply(request)
                return await self._idle_after(request)
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kernel didn't respond in {timeout:.0f} seconds")

    async def _reply(self, request: str) -> None:
        message: dict[str, Any] = {}
        while message.get("parent_header", {}).get("msg_id") != request:
            message = await self.shell_channel.get_msg(timeout=1)
        self._handle_kernel_info_reply(message)

    async def _idle_after(self, request: str) -> None:
        message: dict[str, Any] = {}
        while (
            message.get("parent_header", {}).get("msg_id") != request
            or message["content"].get("execution_state") != "idle"
        ):
            message = await self.iopub_channel.get_msg(timeout=HEARD_WITHIN)


class CourseKernelManager(AsyncKernelManager):
    """Starts the interpreter that runs the build, whatever kernels the machine has installed.

    Unix sockets in a folder of our own take the place of TCP ports: no other user can reach the
    kernel, and kernels that start at the same time cannot take each other's port.

    Parameters
    ----------
    nursery : Nursery, optional
        Where warm kernels come from; ordinary ones if left out.
    """

    client_class = DottedObjectName(f"{__name__}.CourseKernelClient")
    client_factory = Type(CourseKernelClient)

    def __init__(self, nursery: Nursery | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nursery = nursery
        self._folder = tempfile.mkdtemp(prefix="course-")
        self.connection_file = f"{self._folder}/kernel.json"
        if sys.platform != "win32":
            self.transport, self.ip = "ipc", f"{self._folder}/k"

    @property
    def kernel_spec(self) -> KernelSpec:
        """How to start a kernel; not looked up, so a stale one on the machine does no harm."""
        spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
        )
        if self.nursery is not None and not self.nursery.failure:
            spec.metadata = {"kernel_provisioner": {"provisioner_name": PROVISIONER}}
            if not KernelProvisionerFactory.instance().is_provisioner_available(spec):
                # an installation older than the source: ordinary kernels do as well
                self.nursery.failure = "课程程序包要重新安装一次（make env）"
                spec.metadata = {}
        return spec

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart)
        if not restart:
            shutil.rmtree(self._folder, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources
