"""JupyterHub for one class. `course hub` prepares the class folder and runs it:

    COURSE_HUB_FOLDER=/var/lib/course/coastal jupyterhub -f deploy/jupyterhub/jupyterhub_config.py

Reads COURSE_HUB_FOLDER and <folder>/hub/hub.yml, nothing else. Seats are system users;
what each part does is said in docs/hub.md.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

from course_utils.build.products.hub import settings
from course_utils.build.products.hub.authenticator import SeatAuthenticator
from course_utils.build.products.hub.companion import with_parent
from course_utils.build.products.hub.spawner import SeatSpawner
from course_utils.classroom.tokens import seat_token

HERE = Path(__file__).resolve().parent
course = settings.load(Path(os.environ[settings.FOLDER_VARIABLE]))
own = course.private

c = get_config()  # noqa: F821

# ---- addresses: one for the class, three for this machine only -------------------------------
c.JupyterHub.bind_url = f"http://{course.address}:{course.port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{course.hub_port}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{course.proxy_port}"
c.ConfigurableHTTPProxy.command = [str(Path(sys.executable).parent / "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = str(own / "proxy.pid")

# ---- what must survive a restart: logins, who is where, the running seats --------------------
c.JupyterHub.cookie_secret_file = str(own / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{own / 'hub.sqlite'}"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.concurrent_spawn_limit = 10
c.JupyterHub.active_server_limit = len(course.seats) + 1
c.JupyterHub.allow_named_servers = False

# ---- who may log in --------------------------------------------------------------------------
c.JupyterHub.authenticator_class = SeatAuthenticator
c.SeatAuthenticator.seats = list(course.seats)
c.SeatAuthenticator.class_code = course.class_code
c.SeatAuthenticator.teacher = settings.TEACHER
c.SeatAuthenticator.teacher_password = course.teacher_password
c.SeatAuthenticator.passwords_file = str(own / "passwords.json")
c.Authenticator.admin_users = {settings.TEACHER}

# ---- the seats -------------------------------------------------------------------------------
SeatSpawner.course = course
SeatSpawner.token_of = staticmethod(partial(seat_token, course.secret))
c.JupyterHub.spawner_class = SeatSpawner
c.Spawner.env_keep = []
# -P: a file that a trainee calls pandas.py must not keep the seat from starting
c.Spawner.cmd = [str(course.python), "-P", "-m", "jupyterhub.singleuser"]
c.Spawner.args = [f"--config={course.folder / 'settings' / 'seat_config.py'}"]
c.Spawner.disable_user_config = True
c.Spawner.default_url = "/lab/tree/先看这里.md"
c.Spawner.start_timeout = 300  # sixty seats at once on a slow disk
c.Spawner.http_timeout = 300
c.LocalProcessSpawner.interrupt_timeout = 10
c.LocalProcessSpawner.term_timeout = 5

# ---- services: idle seats, the class progress ------------------------------------------------
c.JupyterHub.services = [
    {
        "name": "idle",
        "command": with_parent(
            "jupyterhub_idle_culler",
            f"--timeout={course.idle_minutes * 60}",
            f"--cull-every={min(300, max(2, course.idle_minutes * 20))}",
        ),
    },
    {
        # runs as the hub's user; a seat's token signs for that seat only
        "name": "progress",
        "url": f"http://127.0.0.1:{course.progress_port}",
        "display": False,
        "command": with_parent(
            "course_utils.classroom.collector",
            f"--port={course.progress_port}",
            f"--prefix={settings.PROGRESS_PREFIX}",
        ),
        "environment": {
            "COURSE_CLASS_FOLDER": str(course.progress_folder),
            "COURSE_PROGRESS_SECRET": course.secret,
            "COURSE_ROOM_KEY": course.room_key,
        },
    },
]
c.JupyterHub.load_roles = [
    {
        "name": "idle",
        "services": ["idle"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]

# ---- pages in Chinese ------------------------------------------------------------------------
c.JupyterHub.template_paths = [str(HERE / "templates")]
c.JupyterHub.data_files_path = str(own / "share")
c.JupyterHub.template_vars = {"class_title": course.title, "teacher": settings.TEACHER}
c.JupyterHub.log_level = "INFO"
