"""The ``course`` command: thin, Chinese, one sentence an error. One module a group of commands."""

from __future__ import annotations

import click

from course_utils.cli import (
    author,
    banks,
    board,
    build,
    classroom,
    hub,
    intake,
    kit,
    lite,
    privacy,
    site,
)
from course_utils.cli.reporter import Reporter


@click.group(cls=Reporter, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="出错时显示完整的报错堆栈。")
def main(debug: bool) -> None:
    """普惠金融数据实战：生成数据、生成笔记本、构建课程。"""


COMMANDS = (
    banks.bank_group,
    intake.intake,
    privacy.release,
    privacy.privacy_report,
    privacy.purge_command,
    author.notebooks,
    author.lint,
    author.scan,
    author.dictionary,
    build.build_command,
    build.build_all,
    board.board,
    site.handouts,
    kit.kit,
    lite.lite,
    classroom.lab,
    classroom.serve,
    classroom.progress,
    hub.hub,
)
for command in COMMANDS:
    main.add_command(command)
