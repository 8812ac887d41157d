"""A trainee's browser, as far as the class server knows: logs in, opens a kernel, runs cells."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests
import websocket


@dataclass
class Answer:
    """What a cell gave."""

    text: str = ""
    error: str = ""
    html: list[str] = field(default_factory=list)


class Visitor:
    """One browser with cookies of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.user = ""

    def get(self, path: str, **options: Any) -> requests.Response:
        answer = self.session.get(self.base + path, timeout=60, **options)
        answer.encoding = "utf-8"
        return answer

    def log_in(self, seat: str, code: str, own: str = "") -> requests.Response:
        """Fill in the login form; the seat's page follows if it was right."""
        page = self.get("/hub/login").text
        token = re.search(r'name="_xsrf" value="([^"]+)"', page)
        assert token, page[:500]
        form = {"username": seat, "password": code, "own": own, "_xsrf": token[1]}
        answer = self.session.post(
            f"{self.base}/hub/login", data=form, timeout=60, allow_redirects=False
        )
        answer.encoding = "utf-8"
        if answer.status_code == 302:
            self.user = seat
        return answer

    def open_seat(self, seconds: float = 90) -> None:
        """Start the seat and wait until its server answers."""
        self.get(f"/hub/spawn/{self.user}")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self.get(f"/user/{self.user}/lab")
            if answer.ok and "jupyter-config-data" in answer.text:
                return
            if answer.status_code == 424:  # not running: a person presses the button on that page
                self.get(f"/hub/spawn/{self.user}")
            time.sleep(0.3)
        raise AssertionError(f"{self.user} did not start: {answer.status_code} {answer.text[:300]}")

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call the seat's Jupyter server."""
        self.get(f"/user/{self.user}/lab")  # the cookie of the form protection
        token = next(
            (c.value for c in self.session.cookies if c.name == "_xsrf" and self.user in c.path), ""
        )
        return self.session.request(
            method,
            f"{self.base}/user/{self.user}/api/{path}",
            headers={"X-XSRFToken": token},
            timeout=90,
            **options,
        )

    def kernel(self, notebook: str = "1_data_scenarios/a.ipynb") -> Kernel:
        """Start a kernel for a notebook of this seat."""
        answer = self.api(
            "POST",
            "sessions",
            json={"path": notebook, "type": "notebook", "name": "", "kernel": {"name": "python3"}},
        )
        assert answer.status_code == 201, answer.text
        return Kernel(self, answer.json()["kernel"]["id"])


class Kernel:
    """A kernel behind the class address, through a websocket as JupyterLab has it."""

    def __init__(self, visitor: Visitor, name: str) -> None:
        self.visitor, self.name = visitor, name
        self.socket: websocket.WebSocket | None = None

    def connect(self) -> None:
        """Open a websocket with the visitor's cookies; an older one is dropped."""
        self.drop()
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.visitor.session.cookies)
        address = (
            f"ws://127.0.0.1:{self.visitor.port}/user/{self.visitor.user}/api/kernels/{self.name}"
        )
        self.socket = websocket.create_connection(
            f"{address}/channels?session_id={uuid.uuid4().hex}",
            cookie=cookies,
            origin=self.visitor.base,
            timeout=90,
        )

    def drop(self) -> None:
        """Lose the connection, as a laptop that goes to sleep does."""
        if self.socket is not None:
            self.socket.shutdown()
            self.socket = None

    def run(self, code: str) -> Answer:
        """Run one cell and return what it gave."""
        if self.socket is None:
            self.connect()
        message = {
            "header": {
                "msg_id": uuid.uuid4().hex,
                "username": "",
                "session": uuid.uuid4().hex,
                "msg_type": "execute_request",
                "version": "5.3",
            },
            "parent_header": {},
            "metadata": {},
            "channel": "shell",
            "content": {"code": code, "silent": False, "store_history": True, "allow_stdin": False},
        }
        self.socket.send(json.dumps(message))
        return self._collect(message["header"]["msg_id"])

    def _collect(self, request: str) -> Answer:
        answer = Answer()
        while True:
            got = json.loads(self.socket.recv())
            if got["parent_header"].get("msg_id") != request:
                continue
            kind, content = got["msg_type"], got["content"]
            if kind == "stream":
                answer.text += content["text"]
            elif kind in ("execute_result", "display_data"):
                answer.text += content["data"].get("text/plain", "")
                answer.html.append(content["data"].get("text/html", ""))
            elif kind == "error":
                answer.error = f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                return answer
