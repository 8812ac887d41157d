"""`course build` and `course build-all`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from course_utils.cli.common import ProgressBar, bank_option, open_build, short
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.build.execution.run import Build, Record


@click.command("build")
@bank_option
@click.option("--lesson", "lessons", multiple=True, metavar="课", help="只构建这一课，可重复。")
@click.option(
    "--syllabus", "plan", default=None, metavar="安排", help="只构建这个课程安排，如 data-2day。"
)
@click.option("--force", is_flag=True, help="没有变化的课也重新运行。")
@click.option("--jobs", type=click.IntRange(1, 16), default=None, help="同时运行几课。")
def build_command(
    bank: str, lessons: tuple[str, ...], plan: str | None, force: bool, jobs: int | None
) -> None:
    """在一家银行的数据上运行各课，生成讲师版、网页和学员包。"""
    from course_utils.build.execution.records import exit_summary
    from course_utils.build.execution.run import require_writable
    from course_utils.build.products.finish import finish
    from course_utils.build.products.outdated import outdated_commands

    build = open_build(bank, force, jobs, plan)
    chosen = build.syllabus.select(lessons)
    require_writable(build.folder)
    records = _run_with_progress(build, chosen)
    products = finish(build)
    click.echo(exit_summary(records))
    if build.note:
        click.echo(f"这次用的是普通内核，慢一些，结果一样：{build.note}。")
    kit = (
        short(products.kit)
        if products.kit
        else f"真实数据不给学员，课堂用 course release {bank} --tier class 做出的课堂版"
    )
    click.echo(f"\n学员包：{kit}\n讲师版：{short(build.executed('instructor'))}")
    click.echo(f"网页：{short(products.pages / 'instructor' / 'index.html')}（讲师）")
    click.echo(f"      {short(products.pages / 'trainee' / 'index.html')}（学员）")
    if commands := outdated_commands(build.folder):
        again = "、".join(f"{command} --bank {bank}" for command in commands)
        click.echo(f"以前做的下列东西还没有跟上这次构建，要用就再运行：{again}")
    for leak in products.leaks:
        click.echo(str(leak), err=True)
    failed = sorted({record.lesson for record in records if record.failed})
    if products.leaks:
        raise CourseError(
            f"扫描发现 {len(products.leaks)} 处不能外发的内容，见上面的清单，请处理后重建。"
        )
    if failed:
        raise CourseError(f"有 {len(failed)} 课没有运行成功，原因见上；其余各课都已完成。")


@click.command("build-all")
@click.option("--bank", "banks", multiple=True, metavar="代号", help="哪家银行，可重复；默认全部。")
@click.option("--lesson", "lessons", multiple=True, metavar="课", help="只构建这一课，可重复。")
@click.option("--syllabus", "plan", default=None, metavar="安排", help="只构建这个课程安排。")
@click.option("--force", is_flag=True, help="没有变化的课也重新运行。")
@click.option(
    "--scheduler",
    default=None,
    metavar="地址",
    help="Dask 调度器，如 tcp://主机:8786；默认用本机。",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=None, help="在本机同时运行几课。")
@click.option("--products/--no-products", default=True, help="是否生成网页和学员包，默认生成。")
def build_all(
    banks: tuple[str, ...],
    lessons: tuple[str, ...],
    plan: str | None,
    force: bool,
    scheduler: str | None,
    jobs: int | None,
    products: bool,
) -> None:
    """构建多家银行：在本机或一个 Dask 集群上运行，最后给出各家银行的报告。"""
    from course_utils.build.cluster.fleet import build_banks, make_requests
    from course_utils.build.sources.syllabus import project_root

    if scheduler is not None and jobs is not None:
        raise click.UsageError("--jobs 只用于本机，不能与 --scheduler 同用")
    root = project_root()
    requests = make_requests(root, banks, lessons, plan, force=force, products=products)
    with ProgressBar("各家银行") as bar:
        report = build_banks(root, requests, scheduler, jobs, bar.show)
    click.echo("\n".join(report.lines()))
    click.echo(f"\n报告：{short(root / 'build' / 'banks.html')}")
    if report.fault:
        raise CourseError(report.fault)


def _run_with_progress(build: Build, lessons: Any) -> list[Record]:
    with ProgressBar(build.profile.name) as bar:
        return build.run(lessons, report=lambda r, done, total: bar.show(r.lesson, done, total))
