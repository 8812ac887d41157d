"""The trainee kit: notebooks, data sample, package and pages in one folder that works offline."""

from __future__ import annotations

import shutil
from pathlib import Path

from course_utils.build.execution.run import Build
from course_utils.build.files import fresh_folder, write_text
from course_utils.build.products.kit.contents import (
    SCORED,
    trainee_data,
    trainee_notebooks,
)
from course_utils.build.products.kit.wheel import build_wheel

__all__ = ["SCORED", "build_wheel", "trainee_data", "trainee_notebooks", "write_kit"]

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
        trainee_notebooks(build, aside / "notebooks")
        trainee_data(build.profile, aside / "data")
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
