"""Kernel manager of the build: this interpreter, sockets in a private folder, warm if possible."""

from __future__ import annotations

import shutil
import sys
import tempfile
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from course_utils.build.execution.warm.nursery import Nursery

PROVISIONER = "course-warm"


class CourseKernelManager(AsyncKernelManager):
    """Starts the interpreter that runs the build, whatever kernels the machine has installed.

    Unix sockets in a folder of our own take the place of TCP ports: no other user can reach the
    kernel, and kernels that start at the same time cannot take each other's port.

    Parameters
    ----------
    nursery : Nursery, optional
        Where warm kernels come from; ordinary ones if left out.
    """

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
