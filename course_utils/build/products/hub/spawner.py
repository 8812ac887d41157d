"""Starts a seat's JupyterLab as that seat's system user, with limits and its own environment."""

from __future__ import annotations

import asyncio
import pwd
from collections.abc import Callable
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner

from course_utils.build.products.hub import seats
from course_utils.build.products.hub.settings import TEACHER, HubSettings


class SeatSpawner(LocalProcessSpawner):
    """A local process a seat; nothing of the hub's own environment reaches it."""

    #: Both set by the configuration; the second gives a seat its progress token.
    course: HubSettings
    token_of: Callable[[str], str] | None = None

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Return what makes the new process the seat's."""
        return seats.become(self.course, name)

    def user_env(self, env: dict[str, Any]) -> dict[str, Any]:
        """Return the whole environment of a seat."""
        seat = self.user.name
        return {**env, **seats.environment(self.course, seat), **self._progress(seat)}

    def _progress(self, seat: str) -> dict[str, str]:
        """Return where this seat, and nobody else with its token, reports progress."""
        if seat == TEACHER or self.token_of is None:
            return {}
        return {
            "COURSE_SEAT": seat,
            "COURSE_PROGRESS_URL": self.course.progress_url,
            "COURSE_PROGRESS_TOKEN": type(self).token_of(seat),
        }

    async def stop(self, now: bool = False) -> None:
        """Stop the server, then whatever the seat has left running."""
        await super().stop(now)
        if not self.course.separate:
            return
        account = pwd.getpwnam(self.course.system_user(self.user.name))
        await asyncio.to_thread(seats.end_processes, account.pw_uid)
