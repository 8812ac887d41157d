"""`course bank new` and `course bank inspect`: a bank's own data begin here."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from course_utils.cli.common import short
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command("new")
@click.argument("bank", metavar="代号")
@click.option("--name", default=None, metavar="行名", help="显示的名称，如 甲县农村商业银行。")
@click.option("--kind", default=None, metavar="类型", help="一句话，如 西部农业县农商行。")
@click.option("--as-of", default=None, metavar="日期", help="数据截止日，默认上月末。")
def bank_new(bank: str, name: str | None, kind: str | None, as_of: str | None) -> None:
    """为一家真实银行写好档案和待填的数据映射。"""
    from course_utils.contract import load_contract
    from course_utils.intake.mapping.template import new_bank
    from course_utils.paths import home

    day = None if as_of is None else _day(as_of)
    if home() is None:
        raise CourseError("这里不是课程项目文件夹，请先进入项目文件夹再运行这条命令。")
    profile, mapping = new_bank(bank, load_contract(), _titles(), name, kind, day)
    click.echo(f"已写好档案 {short(profile)} 和数据映射 {short(mapping)}。")
    click.echo(
        f"下一步：把导出文件放进 data/incoming/{bank}/，运行 "
        f"course bank inspect data/incoming/{bank}/* --bank {bank} --write。"
    )


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise CourseError(f"--as-of 应写成 2025-12-31 这样的日期，现在是“{text}”。") from None


def _titles() -> Mapping[str, str]:
    """Return short name of a lesson → its Chinese title; nothing outside a checkout."""
    from course_utils.build.sources.syllabus import load_syllabus
    from course_utils.paths import home

    root = home()
    plan = root / "lessons" / "syllabus.yml" if root is not None else Path("lessons/syllabus.yml")
    if not plan.is_file():
        return {}
    return {lesson.key: lesson.title_zh for lesson in load_syllabus(plan).lessons}
