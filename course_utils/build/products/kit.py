"""The trainee kit: notebooks, data sample, package and pages in one folder that works offline."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from course_utils.bank import Profile
from course_utils.build.execution.run import Build
from course_utils.build.files import fresh_folder, write_text
from course_utils.build.sources.editions import build_edition, dumps
from course_utils.build.sources.parameters import lesson_parameters
from course_utils.errors import CourseError
from course_utils.paths import data_dir, warehouse_dir

#: What a trainee never gets.
WITHHELD = ("truth.json",)
#: Hidden outcomes: a trainee's checks score on the public half, the instructor on the other.
SCORED, PUBLIC_ROWS = "next_90d_outcome.parquet", "score_half = '公榜'"
#: Parts of a profile that give the planted truth away.
_SECRET_KEYS = ("effects",)

README = """# {name}：普惠金融数据实战（学员包）

| 文件夹 | 里面是什么 |
|---|---|
| `notebooks/` | 每课一个笔记本，从编号小的开始 |
| `data/` | 课堂用的合成数据（数据日期 {as_of}），没有真实客户 |
| `pages/` | 各课的网页版，用浏览器打开 `pages/index.html` |
| `wheels/` | 课程的程序包 |
| `成果/` | 笔记本生成的 Excel 会放在笔记本旁边的“成果”文件夹 |

## 第一次使用

1. 安装 Python 3.11、3.12 或 3.13（安装时勾选“Add python.exe to PATH”）。
2. Windows：双击 `start.bat`。macOS、Linux：在终端运行 `sh start.sh`。
   第一次会安装程序包（需要联网或讲师提供的安装源），以后不再需要网络。
3. 浏览器里打开 `notebooks/`，从第一课开始，自上而下逐格运行（Shift + Enter）。

## 常见问题

- 想从头再来：菜单“内核 → 重启内核并清除所有输出”，再自上而下运行。
- 检查结果说“还没有作答”：先把答题格里的 `...` 换成你的代码并运行那一格，再运行检查格。
- 做不出来：运行 `cu.hint("E1")` 看提示，或 `cu.carry_on("E1")` 用参考结果继续往下走。
"""

START_SH = """#!/bin/sh
# 第一次运行会建立环境；以后直接打开 JupyterLab
set -eu
cd "$(dirname "$0")"
if [ ! -f .venv/ready ]; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --require-hashes -r requirements.lock
  .venv/bin/python -m pip install --no-deps wheels/*.whl
  touch .venv/ready
fi
COURSE_HOME="$PWD" OMP_NUM_THREADS=1 exec .venv/bin/python -m jupyterlab notebooks
"""

_START_BAT_LINES = (
    "@echo off",
    "chcp 65001 >nul",
    'cd /d "%~dp0"',
    "set PY=.venv\\Scripts\\python",
    "if exist .venv\\ready goto :open",
    "py -3 -m venv .venv || goto :failed",
    "%PY% -m pip install --require-hashes -r requirements.lock || goto :failed",
    'for %%w in (wheels\\*.whl) do %PY% -m pip install --no-deps "%%w" || goto :failed',
    "echo ok> .venv\\ready",
    ":open",
    "set COURSE_HOME=%~dp0.",
    "set OMP_NUM_THREADS=1",
    "set PYTHONUTF8=1",
    "%PY% -m jupyterlab notebooks",
    "exit /b 0",
    ":failed",
    "echo 安装没有成功：请检查是否装了 Python 3.11 到 3.13、能否联网，再双击一次；",
    "echo 仍不行请把这个窗口拍给讲师。",
    "pause",
    "exit /b 1",
)
START_BAT = "\r\n".join(_START_BAT_LINES) + "\r\n"


def write_kit(build: Build) -> Path:
    """Put the trainee kit together in ``build/<bank>/trainee``.

    Returns
    -------
    pathlib.Path
        The kit. An older kit is replaced as a whole, or stays as it was if this fails.
    """
    folder = build.folder / "trainee"
    with fresh_folder(folder) as aside:
        _write_notebooks(build, aside / "notebooks")
        _copy_data(build.profile, aside / "data")
        build_wheel(build.root, aside / "wheels")
        pages = build.folder / "pages" / "trainee"
        if pages.is_dir():
            shutil.copytree(pages, aside / "pages")
        shutil.copy2(build.root / "requirements.lock", aside / "requirements.lock")
        shutil.copy2(build.root / "LICENSE", aside / "LICENSE")
        text = README.format(name=build.profile.name, as_of=f"{build.profile.as_of:%Y-%m-%d}")
        write_text(aside / "README.md", text)
        write_text(aside / "start.bat", START_BAT)
        write_text(aside / "start.sh", START_SH)
        (aside / "start.sh").chmod(0o755)
    return folder


def _write_notebooks(build: Build, folder: Path) -> None:
    """Write the trainee edition of every lesson with this bank's parameters filled in."""
    for lesson in build.syllabus.lessons:
        master = build.master(lesson)
        parameters = lesson_parameters(build.profile, master)
        notebook = build_edition(master, "trainee", parameters)
        write_text(lesson.path(folder, ".ipynb"), dumps(notebook))


def _copy_data(profile: Profile, folder: Path) -> None:
    """Copy contract, reference tables, the bank's profile and tables; hold the truth back."""
    for name in ("contract", "reference"):
        ignore = shutil.ignore_patterns("planted_effects*")
        shutil.copytree(data_dir(name), folder / name, ignore=ignore)
    target = folder / "banks" / profile.code
    target.mkdir(parents=True)
    text = (data_dir("banks") / profile.code / "bank.yml").read_text(encoding="utf-8")
    write_text(target / "bank.yml", _without_secrets(text))
    tables = folder / "warehouse" / profile.code
    tables.mkdir(parents=True)
    for path in sorted(warehouse_dir(profile.code).glob("*")):
        if path.name == SCORED:
            _copy_rows(path, tables / path.name, PUBLIC_ROWS)
        elif path.is_file() and path.name not in WITHHELD:
            shutil.copy2(path, tables / path.name)


def _copy_rows(source: Path, target: Path, condition: str) -> None:
    """Copy those rows of a Parquet file that meet a condition of our own."""
    import duckdb

    read, write = (str(path).replace("'", "''") for path in (source, target))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_parquet('{read}') WHERE {condition}) "
            f"TO '{write}' (FORMAT parquet, COMPRESSION zstd)"
        )


def _without_secrets(text: str) -> str:
    """Return a profile without the sections that give planted effects away."""
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 4096
    content = yaml.load(text)
    for key in _SECRET_KEYS:
        content.pop(key, None)
    stream = StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


def build_wheel(root: Path, folder: Path) -> Path:
    """Build the wheel of course_utils with the data it reads.

    Parameters
    ----------
    root : pathlib.Path
        The source checkout.
    folder : pathlib.Path
        Where the wheel goes.

    Returns
    -------
    pathlib.Path
        The wheel.

    Raises
    ------
    CourseError
        If setuptools refuses; its last line is part of the message.
    """
    folder.mkdir(parents=True, exist_ok=True)
    code = (
        "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    )
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            [sys.executable, "-c", code, scratch],
            cwd=root,
            env={
                **os.environ,
                "SOURCE_DATE_EPOCH": "315532800",
                "PYTHONUTF8": "1",
                "COURSE_SCRATCH": str(Path(scratch) / "wheel"),
            },
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["没有说明"])[-1]
            raise CourseError(f"打包 course_utils 没有成功（{last}），请先修好打包设置再构建。")
        name = done.stdout.strip().splitlines()[-1]
        return Path(shutil.move(Path(scratch) / name, folder / name))
