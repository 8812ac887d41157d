"""Commands of the classroom: the lab on this machine."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from course_utils.cli.common import open_build, short


@click.command("lab")
@click.option("--bank", default="coastal", show_default=True, metavar="代号", help="用哪家银行。")
@click.option("--prepare-only", is_flag=True, help="只准备文件夹，不打开 JupyterLab。")
def lab(bank: str, prepare_only: bool) -> None:
    """用 JupyterLab 打开学员笔记本；已经改过的笔记本不会被覆盖。"""
    from course_utils.build.products.classroom import prepare_classroom

    build = open_build(bank, force=False, jobs=None)
    folder = prepare_classroom(build)
    click.echo(f"学员笔记本在 {short(folder)}")
    if prepare_only:
        return
    environment = {**os.environ, "COURSE_HOME": str(build.root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "jupyterlab", str(folder)]
    sys.exit(subprocess.call(command, env=environment))
