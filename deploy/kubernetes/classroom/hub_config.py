"""The class on Kubernetes: run by the hub as its last `extraConfig`, after all that the chart sets.

`c` is the configuration so far. From the environment (values.yaml and the Secret ``course-class``):
COURSE_SEATS, COURSE_CLASS_CODE, COURSE_TEACHER_PASSWORD, COURSE_PROGRESS_SECRET.
"""

# ruff: noqa: F821
from __future__ import annotations

import os
import sys

sys.path.insert(0, "/opt/course")

from course_seats import SeatAuthenticator
from course_tokens import seat_token

TEACHER = "teacher"
PROGRESS_SECRET = os.environ["COURSE_PROGRESS_SECRET"]

c.JupyterHub.authenticator_class = SeatAuthenticator
c.SeatAuthenticator.seats = [f"seat{n:02d}" for n in range(1, int(os.environ["COURSE_SEATS"]) + 1)]
c.SeatAuthenticator.class_code = os.environ["COURSE_CLASS_CODE"]
c.SeatAuthenticator.teacher = TEACHER
c.SeatAuthenticator.teacher_password = os.environ["COURSE_TEACHER_PASSWORD"]
# beside the hub's database, on its volume
c.SeatAuthenticator.passwords_file = "/srv/jupyterhub/passwords.json"
c.Authenticator.admin_users = {TEACHER}


def course_seat(spawner: object) -> str:
    """Return who reports progress from a pod; the instructor does not."""
    name = spawner.user.name
    return "" if name == TEACHER else name


def course_token(spawner: object) -> str:
    """Return what signs a pod's reports; good for its own seat only."""
    seat = course_seat(spawner)
    return seat_token(PROGRESS_SECRET, seat) if seat else ""


c.KubeSpawner.environment.update(
    {"COURSE_SEAT": course_seat, "COURSE_PROGRESS_TOKEN": course_token}
)
c.KubeSpawner.disable_user_config = True
c.KubeSpawner.http_timeout = 300
c.KubeSpawner.container_security_context = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
