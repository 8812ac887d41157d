"""`course lite`: the class in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from course_utils.cli.common import ProgressBar, bank_option, open_build, short


@click.command("lite")
@bank_option
@click.option(
    "--pyodide",
    type=click.Path(exists=True, path_type=Path),
    default=None,
    help="Pyodide 官方发行包（文件夹或 .tar.bz2）；不给就从软件源取，只取一次。",
)
@click.option("--force", is_flag=True, help="没有变化也重新生成。")
def lite(bank: str, pyodide: Path | None, force: bool) -> None:
    """生成免安装课堂：一组静态网页，学员用浏览器就能上课。"""
    from course_utils.build.products.lite.make import make_lite
    from course_utils.intake.privacy.duties import require_release

    build = open_build(bank, force, None)
    require_release(build.profile)
    with ProgressBar(build.profile.name) as bar:
        made = make_lite(build, pyodide, bar.show)
    state = "已生成" if made.new else "没有变化，沿用"
    click.echo(f"{state}免安装课堂：{short(made.folder)}（{made.megabytes:.0f} MB）")
    click.echo(f"每台电脑第一次打开要取约 {made.first_load:.0f} MB，以后打开用浏览器里存的。")
    if made.missing:
        click.echo(f"里面没有程序库 {'、'.join(made.missing)}：用到它的步骤会说明并跳过。")
    click.echo(f"接着运行 course serve --bank {bank}，学员用浏览器打开屏幕上的网址。")
