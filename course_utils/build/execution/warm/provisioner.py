"""How jupyter_client starts a warm kernel; registered as ``course-warm`` in pyproject.toml."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from course_utils.build.execution.warm.nursery import ForkedKernel, Nursery, NurseryError

#: Seconds for a kernel to end after it has been asked to; then it gets signals.
SHUTDOWN_WITHIN = 2.0


class WarmProvisioner(LocalProvisioner):
    """Forks the kernel where its manager has a nursery, and starts an ordinary one elsewhere."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel; a nursery that cannot serve makes an ordinary one."""
        nursery: Nursery | None = getattr(self.parent, "nursery", None)
        if nursery is None or nursery.failure or cmd[1:3] != ["-m", "ipykernel_launcher"]:
            return await super().launch_kernel(cmd, **kwargs)
        environment = dict(kwargs.get("env") or os.environ)
        folder = kwargs.get("cwd") or Path.cwd()
        try:
            loop = asyncio.get_running_loop()
            self.process = await loop.run_in_executor(
                None, nursery.spawn, cmd[3:], environment, folder
            )
        except NurseryError as error:
            nursery.refusals.append(str(error))
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = folder
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Send a signal; a forked kernel gets it from its parent, which cannot hit a stranger.

        The interrupt with which jupyter_client begins every shutdown is left out: a kernel that is
        just saying that it is idle would break off and not hear that it is to end.
        """
        if isinstance(self.process, ForkedKernel):
            if signum != signal.SIGINT or not self.parent.shutting_down:
                self.process.send_signal(signum)
        else:
            await super().send_signal(signum)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Give a forked kernel the time to end by itself, and go on as soon as it has."""
        if isinstance(self.process, ForkedKernel):
            with contextlib.suppress(TimeoutError):
                ended = asyncio.wrap_future(self.process.ended)
                await asyncio.wait_for(asyncio.shield(ended), SHUTDOWN_WITHIN)

    async def wait(self) -> int | None:
        """Wait for the kernel's end; of a forked one we are told, there is no need to ask."""
        if isinstance(self.process, ForkedKernel):
            await asyncio.wrap_future(self.process.ended)
        return await super().wait()
