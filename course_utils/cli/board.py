"""`course board`: the page for the bank's head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from course_utils.cli.common import ProgressBar, bank_option, open_build, short
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.build.execution.run import Build


@click.command("board")
@bank_option
@click.option(
    "--run/--no-run", default=True, help="先运行过期或没有运行的课（默认），或只用已有的结果。"
)
@click.option("--pdf", is_flag=True, help="再打印一份 PDF（A4 横向），要本机有浏览器。")
@click.option("--jobs", type=click.IntRange(1, 16), default=None, help="同时运行几课。")
def board(bank: str, run: bool, pdf: bool, jobs: int | None) -> None:
    """行长看板：一页没有代码的网页，数字全部来自各课在本行数据上的结果。"""
    from course_utils.build.products.board import write_board
    from course_utils.build.products.browser import find_browser, print_page
    from course_utils.build.products.scan import scan_folder

    browser = find_browser() if pdf else None  # before the lessons run: nobody waits in vain
    build = open_build(bank, force=False, jobs=jobs)
    if run:
        _run_lessons(build)
    page = write_board(build)
    leaks = scan_folder(page.parent)
    for leak in leaks:
        click.echo(str(leak), err=True)
    if leaks:
        raise CourseError(f"看板里有 {len(leaks)} 处不能外发的内容，见上面的清单，请处理后再做。")
    click.echo(f"行长看板：{short(page)}（一个文件，断网能看，能打印）")
    if browser is not None:
        printed = page.with_name("行长看板.pdf")
        print_page(browser, page, printed)
        click.echo(f"打印稿：{short(printed)}")


def _run_lessons(build: Build) -> None:
    """Bring the lessons of the board up to date; one that fails is named on the page."""
    from course_utils.build.execution.run import require_writable
    from course_utils.build.products.board import board_lessons

    require_writable(build.folder)
    with ProgressBar(build.profile.name) as bar:
        records = build.run(
            board_lessons(build),
            editions=("instructor",),
            report=lambda record, done, total: bar.show(record.lesson, done, total),
        )
    for record in records:
        if record.failed:
            click.echo(f"{record.lesson} 没有运行成功，看板上会写明：{record.reason}", err=True)
