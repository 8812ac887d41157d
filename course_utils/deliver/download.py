"""In a browser: hand a file that a lesson wrote to the trainee's computer.

Python in a browser writes into a file system that lives in the page's memory and that no file list
shows. A link in the cell's output carries the file itself; it works without a server and without
https.
"""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import Any

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Download:
    """A link that saves a workbook.

    Parameters
    ----------
    path : pathlib.Path
        The file; read now.
    """

    def __init__(self, path: Path) -> None:
        self.name, self._data = path.name, path.read_bytes()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}

    def html(self) -> str:
        """Return the link."""
        name = html.escape(self.name, quote=True)
        data = base64.b64encode(self._data).decode("ascii")
        size = max(1, round(len(self._data) / 1024))
        return (
            f'<p><a download="{name}" href="data:{_TYPE};base64,{data}" style="font-weight: bold;">'
            f"下载 {name}</a>（{size} KB，存到你的电脑；刷新网页后要重新运行这一格才能下载）</p>"
        )

    def __repr__(self) -> str:
        return f"{self.name} 已生成，在浏览器里运行时可以点链接下载。"


def offer(path: Path) -> None:
    """Show a link that saves a file on the trainee's computer.

    Parameters
    ----------
    path : pathlib.Path
        A workbook.
    """
    from IPython.display import display

    display(Download(path))
