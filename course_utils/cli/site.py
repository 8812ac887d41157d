"""`course handouts`: lessons on paper."""

from __future__ import annotations

import click

from course_utils.cli.common import ProgressBar, bank_option, open_build, short


@click.command("handouts")
@bank_option
@click.option("--lesson", "lessons", multiple=True, metavar="课", help="只打印这一课，可重复。")
@click.option(
    "--edition",
    type=click.Choice(["trainee", "instructor"]),
    default="trainee",
    show_default=True,
    help="学员版或讲师版；讲师版有答案，请勿发给学员。",
)
def handouts(bank: str, lessons: tuple[str, ...], edition: str) -> None:
    """把各课的网页打印成 PDF 讲义，用本机的 Chrome、Edge 或 Chromium。"""
    from course_utils.build.products.handouts import write_handouts

    build = open_build(bank, force=False, jobs=None)
    chosen = build.syllabus.select(lessons)
    with ProgressBar("讲义") as bar:
        written = write_handouts(build, chosen, edition, bar.show)
    click.echo(f"{len(written)} 份讲义在 {short(written[0].parent)}")
