"""`course serve`: landing page, class in the browser, pages and collector under one address."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RedirectHandler

from course_utils.classroom.collector import MOST_BODY, Route, class_routes
from course_utils.classroom.handlers import ClassHandler, Desk, NothingHereHandler
from course_utils.classroom.network import qr_svg
from course_utils.classroom.static_files import PAGES, Compressed, FolderHandler


@dataclass(frozen=True)
class Offer:
    """What a class is given.

    Attributes
    ----------
    title, subtitle : str
        Name of the class; a line below it.
    address : str
        Address that trainees type, ``http://192.168.1.5:8000``.
    lite, pages : pathlib.Path or None
        The class in the browser, the trainee pages; None where they are not built.
    kept : pathlib.Path
        Where compressed copies are kept.
    progress : bool
        Whether progress is collected.
    """

    title: str
    subtitle: str
    address: str
    lite: Path | None
    pages: Path | None
    kept: Path
    progress: bool = True


class LandingHandler(ClassHandler):
    """The page everybody opens first."""

    def initialize(self, desk: Desk, offer: Offer) -> None:
        """Take what is offered."""
        super().initialize(desk)
        self.offer = offer

    def get(self) -> None:
        """Return the page."""
        offer = self.offer
        self.render(
            "landing.html",
            title=offer.title,
            subtitle=offer.subtitle,
            address=offer.address.removeprefix("http://"),
            lite=offer.lite is not None,
            pages=offer.pages is not None,
            progress=offer.progress,
        )


class NoIconHandler(ClassHandler):
    """Browsers ask for an icon of their own accord."""

    def get(self) -> None:
        """Say that there is none, without an error in the browser's console."""
        self.set_status(204)


class PosterHandler(ClassHandler):
    """The address of the class for the projector."""

    def initialize(self, desk: Desk, offer: Offer) -> None:
        """Take what is offered."""
        super().initialize(desk)
        self.offer = offer

    def get(self, kind: str) -> None:
        """Return the page, or the picture of the QR code."""
        if kind:
            self.set_header("Content-Type", "image/svg+xml")
            self.finish(qr_svg(self.offer.address))
            return
        address = self.offer.address.removeprefix("http://")
        self.render(
            "qr.html", title=self.offer.title, address=address, progress=self.offer.progress
        )


def make_site(desk: Desk, offer: Offer) -> Application:
    """Return everything that ``course serve`` serves.

    Parameters
    ----------
    desk : Desk
        Room, secret and key.
    offer : Offer
        Name, address, folders.
    """
    desk.room.address = offer.address
    shared: dict[str, Any] = {"desk": desk, "offer": offer}
    routes: list[Route] = [
        ("/", LandingHandler, shared),
        (r"/favicon\.ico", NoIconHandler, {"desk": desk}),
        (r"/class/qr(\.svg)?", PosterHandler, shared),
    ]
    collector = class_routes(desk)
    if not offer.progress:
        collector = [route for route in collector if "/page/" in route[0]]
    routes += collector
    for name in ("lite", "pages"):
        folder: Path | None = getattr(offer, name)
        if folder is None:
            continue
        routes.append((f"/{name}", RedirectHandler, {"url": f"/{name}/index.html"}))
        options = {
            "path": str(folder),
            "default_filename": "index.html",
            "compressed": Compressed(folder, offer.kept / name),
        }
        routes.append((f"/{name}/(.*)", FolderHandler, options))
    return Application(
        routes,
        template_path=str(PAGES),
        default_handler_class=NothingHereHandler,
        default_handler_args={"desk": desk},
    )


def compress(offer: Offer) -> None:
    """Begin to compress what is served, in the background."""
    for name in ("lite", "pages"):
        folder: Path | None = getattr(offer, name)
        if folder is not None:
            Compressed(folder, offer.kept / name).start()


def run(app: Application, sockets: list[socket.socket], opened: Callable[[], None]) -> None:
    """Serve until somebody presses Ctrl-C.

    Parameters
    ----------
    app : Application
        From :func:`make_site`.
    sockets : list of socket.socket
        Listening already.
    opened : Callable[[], None]
        Called once the class can be reached.
    """
    asyncio.run(_run(app, sockets, opened))


async def _run(app: Application, sockets: list[socket.socket], opened: Callable[[], None]) -> None:
    # a browser behind a slow Wi-Fi may take minutes for one file; idle connections cost nothing
    server = HTTPServer(app, max_body_size=MOST_BODY, idle_connection_timeout=300)
    server.add_sockets(sockets)
    opened()
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
    except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt, between two sleeps
        while not stop.is_set():
            await asyncio.sleep(0.5)
    await stop.wait()
    server.stop()
