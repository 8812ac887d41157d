"""The pages of the class: JupyterLab in Chinese as plain files, its notebooks, its data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.bank import Profile, columnar
from course_utils.build.products.lite.distribution import COURSE, KERNEL
from course_utils.build.products.lite.wheels import DATA_PACKAGE
from course_utils.errors import CourseError
from course_utils.files import require_room, write_text

#: Where the columns of a bank lie below the site's root.
TABLES = "course/tables"
FONT = "course/CourseSansSC.otf"
_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
_KERNEL_PLUGIN = f"{_EXTENSION}:kernel"
#: The service worker only exists on https and on the teacher's own machine. Without it the class
#: behaves the same everywhere.
_DISABLED = (
    "@jupyterlite/application-extension:service-worker-manager",
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/help-extension:jupyter-forum",
    "@jupyterlab/help-extension:resources",
)
_LOCALE = "zh_CN"
_PYTHON = "lib/python{version}/site-packages"

#: Settings of JupyterLab for everybody in the class.
OVERRIDES: dict[str, dict[str, Any]] = {
    "@jupyterlab/translation-extension:plugin": {"locale": _LOCALE},
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension:plugin": {"autosave": True, "autosaveInterval": 10},
    "@jupyterlab/notebook-extension:tracker": {
        "codeCellConfig": {"lineWrap": False, "autoClosingBrackets": True},
        "recordTiming": False,
        "windowingMode": "none",
    },
    "@jupyterlab/completer-extension:manager": {"autoCompletion": False},
}


@dataclass(frozen=True)
class Tools:
    """Parts of JupyterLite that are installed on this machine.

    Parameters
    ----------
    extension : pathlib.Path
        JupyterLab extension with the kernel for the browser.
    """

    extension: Path

    @property
    def kernel_wheels(self) -> Path:
        """Folder with the kernel's wheels."""
        return self.extension / "static" / "pypi"


def find_tools() -> Tools:
    """Find JupyterLite.

    Raises
    ------
    CourseError
        If it is not installed.
    """
    try:
        import jupyterlite_core  # noqa: F401
        from jupyter_core.paths import jupyter_path
    except ImportError:
        jupyter_path = None
    folders = jupyter_path("labextensions", _EXTENSION) if jupyter_path else []
    for folder in map(Path, folders):
        if (folder / "package.json").is_file():
            return Tools(folder)
    raise CourseError(
        "缺少 JupyterLite：请先安装讲师环境（make env，或 pip install 'course-utils[teach]'）。"
    )


def build_site(
    tools: Tools,
    scratch: Path,
    folder: Path,
    *,
    distribution: Path,
    notebooks: Path,
    profile: Profile,
    python: str,
) -> None:
    """Build the static files of the class.

    Parameters
    ----------
    tools : Tools
        From `find_tools`.
    scratch : pathlib.Path
        Folder for intermediate files.
    folder : pathlib.Path
        An empty folder for the result.
    distribution : pathlib.Path
        Python for the browser.
    notebooks : pathlib.Path
        Folder whose content trainees see.
    profile : Profile
        The bank.
    python : str
        Version of the Python language in the browser.

    Raises
    ------
    CourseError
        If JupyterLite refuses.
    """
    lite = scratch / "lite"
    (lite / "static").mkdir(parents=True)
    distribution.rename(lite / "static" / "pyodide")
    settings = json.dumps(OVERRIDES, ensure_ascii=False, indent=1)
    write_text(lite / "overrides.json", settings + "\n")
    config = _configuration(profile, python)
    epoch = int(profile.as_of.timestamp())  # what the file list shows; not the time of this build
    write_text(lite / "jupyter-lite.json", json.dumps(config, ensure_ascii=False, indent=1) + "\n")
    build = {
        "LiteBuildConfig": {
            "apps": ["lab"],
            "contents": [str(notebooks)],
            "federated_extensions": [str(tools.extension)],
            "ignore_sys_prefix": ["federated_extensions", "icons"],
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
            "cache_dir": str(scratch / "cache"),
            "output_dir": str(scratch / "site"),
            "source_date_epoch": epoch,
        }
    }
    write_text(lite / "jupyter_lite_config.json", json.dumps(build))
    _run(lite)
    _tidy(scratch / "site")
    _speak_chinese(scratch / "site")
    for path in (scratch / "site").iterdir():
        shutil.move(path, folder / path.name)


def class_name(profile: Profile) -> str:
    """Return the name of a bank's class."""
    return f"{profile.name}：数据课堂"


def _configuration(profile: Profile, python: str) -> dict[str, Any]:
    """Return ``jupyter-lite.json``: what the site is called and how its kernel starts."""
    bank = profile.code
    home = f"/{_PYTHON.format(version=python)}/{DATA_PACKAGE}"
    environment = {
        "COURSE_HOME": home,
        columnar.ADDRESS_VARIABLE: f"{TABLES}/{bank}",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
    }
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": [*KERNEL, COURSE], "env": environment},
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": class_name(profile),
            "collaborative": False,
            "disabledExtensions": list(_DISABLED),
            "enableMemoryStorage": True,
            "contentsStorageName": f"course-{bank}-contents",
            "settingsStorageName": f"course-{bank}-settings",
            "workspacesStorageName": f"course-{bank}-workspaces",
            "litePluginSettings": {_KERNEL_PLUGIN: kernel},
        },
    }


def _run(lite: Path) -> None:
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(lite)]
    done = subprocess.run(
        command,
        cwd=lite,
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        require_room(lite)
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["没有说明"]
        raise CourseError(
            f"JupyterLite 没有生成课堂页面（{lines[-1].strip()}），请把这句话告诉课程作者。"
        )


def _tidy(site: Path) -> None:
    """Remove what only JupyterLite's own developers need."""
    for pattern in ("package.json", "rspack.config*.js", "jupyterlite.schema.v0.json"):
        for path in site.glob(pattern):
            path.unlink()
    (site / "service-worker.js").unlink(missing_ok=True)


def _speak_chinese(site: Path) -> None:
    """Add to the language pack what it does not know: JupyterLite's own words."""
    pack = site / "api" / "translations" / f"{_LOCALE}.json"
    if not pack.is_file():
        raise CourseError("缺少中文语言包：请安装讲师环境（make env）后再试。")
    words = json.loads(pack.read_text(encoding="utf-8"))
    ours = (Path(__file__).parent / "page" / f"{_LOCALE}.json").read_text(encoding="utf-8")
    for domain, entries in json.loads(ours).items():
        # a domain's head says how plurals are formed; without it every text comes out empty
        head = {"": {**words["data"]["jupyterlab"][""], "domain": domain}}
        words["data"][domain] = {**entries, **head, **words["data"].get(domain, {})}
    write_text(pack, json.dumps(words, ensure_ascii=False))


_NO_SCRIPT = "这个浏览器关闭了 JavaScript，课堂打不开：请在设置里打开它，再刷新本页。"
#: Old syntax on purpose. The first page says what is missing.
_TOO_OLD = (
    'if (typeof WebAssembly !== "object" || typeof BigInt !== "function" || '
    'typeof Worker !== "function" || typeof fetch !== "function") '
    '{ location.replace("../index.html"); }'
)


def styled(page: Path, css: str) -> None:
    """Put a stylesheet of ours into the head of a page of JupyterLite."""
    text = page.read_text(encoding="utf-8")
    changed = re.sub(r"</head>", f"<style>{css}</style></head>", text, count=1)
    if changed == text:
        raise CourseError("JupyterLite 的页面格式变了，字体没有装上，请把这句话告诉课程作者。")
    write_text(page, changed)


def guarded(page: Path) -> None:
    """Let a page of JupyterLite say what the first page says where it cannot work.

    Somebody with a bookmark does not come by the first page.
    """
    text = page.read_text(encoding="utf-8")
    changed, count = re.subn(
        r"<noscript>.*?</noscript>",
        f"<noscript><p>{_NO_SCRIPT}</p></noscript>",
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise CourseError("JupyterLite 的页面格式变了，提示没有装上，请把这句话告诉课程作者。")
    write_text(page, changed.replace("<head>", f"<head><script>{_TOO_OLD}</script>", 1))


def configuration_element(page: Path) -> str:
    """Return the element of the first page that JupyterLite's other pages read."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script\s+id="jupyter-config-data".*?</script>', text, re.DOTALL)
    if found is None:
        raise CourseError("JupyterLite 的首页格式变了，课堂打不开，请把这句话告诉课程作者。")
    return found.group()


def table_folder(site: Path, bank: str) -> Path:
    """Return where a bank's columns lie in a site."""
    return site / TABLES / bank
