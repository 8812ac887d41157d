"""The class on Kubernetes: read by the hub after the chart's own configuration.

From the environment (values.yaml and the Secret ``course-class``): COURSE_SEATS, COURSE_CLASS_CODE,
COURSE_TEACHER_PASSWORD, COURSE_PROGRESS_SECRET.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, "/opt/course")

from course_seats import SeatAuthenticator
from course_tokens import seat_token

TEACHER = "teacher"
PROGRESS_SECRET = os.environ["COURSE_PROGRESS_SECRET"]

c = get_config()  # noqa: F821
c.JupyterHub.authenticator_class = SeatAuthenticator
c.SeatAuthenticator.seats = [f"seat{n:02d}" for n in range(1, int(os.environ["COURSE_SEATS"]) + 1)]
c.SeatAuthenticator.class_code = os.environ["COURSE_CLASS_CODE"]
c.SeatAuthenticator.teacher = TEACHER
c.SeatAuthenticator.teacher_password = os.environ["COURSE_TEACHER_PASSWORD"]
# beside the hub's database, on its volume
c.SeatAuthenticator.passwords_file = "/srv/jupyterhub/passwords.json"
c.Authenticator.admin_users = {TEACHER}


def seat(spawner: object) -> str:
    """Return who reports progress from a pod; the instructor does not."""
    name = spawner.user.name
    return "" if name == TEACHER else name


def token(spawner: object) -> str:
    """Return what signs a pod's reports; good for its own seat only."""
    return seat_token(PROGRESS_SECRET, seat(spawner)) if seat(spawner) else ""


c.KubeSpawner.environment.update({"COURSE_SEAT": seat, "COURSE_PROGRESS_TOKEN": token})
c.KubeSpawner.disable_user_config = True
c.KubeSpawner.http_timeout = 300
c.KubeSpawner.container_security_context = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
