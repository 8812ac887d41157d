"""JupyterLab as a trainee finds it: Chinese, quiet, saving by itself."""

from __future__ import annotations

import json
from pathlib import Path

#: Seconds between two automatic saves.
AUTOSAVE_SECONDS = 20
OVERRIDES = {
    "@jupyterlab/translation-extension:plugin": {"locale": "zh_CN"},
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
    },
    "@jupyterlab/extensionmanager-extension:plugin": {"enabled": False},
    "@jupyterlab/docmanager-extension:plugin": {
        "autosave": True,
        "autosaveInterval": AUTOSAVE_SECONDS,
        "defaultViewers": {"markdown": "Markdown Preview"},
    },
}
#: UTF-8 wherever Python would ask Windows for its own encoding.
KERNEL = {
    "argv": ["python", "-X", "utf8", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3",
    "language": "python",
    "metadata": {"debugger": True},
}


def write(environment: Path) -> None:
    """Write settings of JupyterLab and kernel into an environment.

    Parameters
    ----------
    environment : pathlib.Path
        Its packages are installed already.
    """
    share = environment / "share" / "jupyter"
    for path, content in (
        (share / "lab" / "settings" / "overrides.json", OVERRIDES),
        (share / "kernels" / "python3" / "kernel.json", KERNEL),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
