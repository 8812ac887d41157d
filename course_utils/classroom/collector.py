"""The collector: takes events from seats, shows the room to the instructor. One Tornado process.

``course serve`` has it inside; a hub runs it as a service: ``python -m
course_utils.classroom.collector``. What it speaks stands in :mod:`course_utils.classroom`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from course_utils.charts.style import FONT_FILE
from course_utils.classroom.handlers import (
    Desk,
    EventHandler,
    HealthHandler,
    JoinHandler,
    LeaveHandler,
    MeHandler,
    NothingHereHandler,
    ReportHandler,
    RoomHandler,
    RoomPageHandler,
)
from course_utils.classroom.lessons import load_lessons
from course_utils.classroom.room import Room
from course_utils.classroom.static_files import PAGES, FolderHandler, PageFileHandler
from course_utils.classroom.store import ClassStore
from course_utils.errors import CourseError

#: A batch of fifty events has about 15 kilobytes.
MOST_BODY = 256 << 10
Route = tuple[str, type[RequestHandler], dict[str, Any]]


def class_routes(desk: Desk, prefix: str = "") -> list[Route]:
    """Return the routes below ``<prefix>/class``."""
    base, shared = f"{prefix.rstrip('/')}/class", {"desk": desk}
    return [
        (f"{base}/event", EventHandler, shared),
        (f"{base}/join", JoinHandler, shared),
        (f"{base}/leave", LeaveHandler, shared),
        (f"{base}/me", MeHandler, shared),
        (f"{base}/health", HealthHandler, shared),
        (f"{base}/room", RoomPageHandler, shared),
        (rf"{base}/room\.json", RoomHandler, shared),
        (rf"{base}/(summary|summary\.md|export\.csv|export\.json)", ReportHandler, shared),
        (rf"{base}/page/({FONT_FILE.name})", FolderHandler, {"path": str(FONT_FILE.parent)}),
        (f"{base}/page/(.*)", PageFileHandler, {"path": str(PAGES)}),
    ]


def make_app(
    room: Room, secret: str, key: str, prefix: str = "", joining: bool = True
) -> Application:
    """Return the collector as a Tornado application.

    Parameters
    ----------
    room : Room
        Store and lessons.
    secret : str
        Signs seat tokens; a hub makes tokens with the same secret.
    key : str
        Opens the instructor's page.
    prefix : str
        What stands before ``/class`` in addresses, e.g. a hub's ``/services/progress``.
    joining : bool
        Whether seats may name themselves.
    """
    desk = Desk(room, secret, key, joining)
    return Application(
        class_routes(desk, prefix),
        template_path=str(PAGES),
        default_handler_class=NothingHereHandler,
        default_handler_args={"desk": desk},
    )


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="端口。")
@click.option("--address", default="127.0.0.1", show_default=True, help="在哪个地址上听。")
@click.option("--prefix", default=None, help="地址前缀，如 /services/progress。")
def main(port: int | None, address: str, prefix: str | None) -> None:
    """Run the collector behind a hub.

    From the environment: ``COURSE_CLASS_FOLDER``, ``COURSE_PROGRESS_SECRET``, ``COURSE_ROOM_KEY``;
    a hub's ``JUPYTERHUB_SERVICE_URL`` and ``JUPYTERHUB_SERVICE_PREFIX`` serve where port and prefix
    are not given.
    """
    hub = urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", ""))
    port = port or hub.port
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "") if prefix is None else prefix
    wanted = ("COURSE_CLASS_FOLDER", "COURSE_PROGRESS_SECRET", "COURSE_ROOM_KEY")
    missing = [name for name in wanted if not os.environ.get(name)]
    if port is None or missing:
        lacking = "、".join(missing or ["--port"])
        click.echo(f"错误：课堂进度服务缺少 {lacking}，请在启动它的设置里补上。", err=True)
        sys.exit(2)
    folder, secret, key = (Path(os.environ[wanted[0]]), *(os.environ[n] for n in wanted[1:]))
    room = Room(ClassStore(folder), load_lessons(folder))
    app = make_app(room, secret, key, prefix or "", joining=False)
    try:
        asyncio.run(_serve(app, port, address))
    except OSError as error:
        click.echo(f"错误：端口 {port} 用不了（{error.strerror}），请换一个。", err=True)
        sys.exit(1)
    except CourseError as error:
        click.echo(f"错误：{error}", err=True)
        sys.exit(1)


async def _serve(app: Application, port: int, address: str) -> None:
    server = HTTPServer(app, max_body_size=MOST_BODY)
    server.listen(port, address)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
    server.stop()


if __name__ == "__main__":
    main()
