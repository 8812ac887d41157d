"""`course bank new` and `course bank inspect`: a bank's own data begin here."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from course_utils.cli.common import short
from course_utils.errors import CourseError
from course_utils.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from course_utils.intake.mapping.proposal import Sheet


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


@click.command("inspect")
@click.argument("files", nargs=-1, required=True, metavar="文件…")
@click.option("--bank", default=None, metavar="代号", help="为哪家银行，与 --write 一起用。")
@click.option("--write", is_flag=True, help="把提议写到这家银行的 mapping.yml 末尾。")
def bank_inspect(files: tuple[str, ...], bank: str | None, write: bool) -> None:
    """看懂导出文件：编码、表头、每列像什么，提出数据映射。样例都已打码。"""
    from course_utils.contract import load_contract
    from course_utils.intake.mapping.proposal import find_files, inspect
    from course_utils.intake.mapping.proposal.fragment import write_proposals
    from course_utils.intake.mapping.proposal.report import blocks_of, describe

    if write and bank is None:
        raise CourseError("--write 要与 --bank 代号 一起写，才知道写进哪家银行的映射。")
    folder = _exports(bank) if bank is not None else None
    contract = load_contract()
    sheets, faults = _look(find_files(files))
    findings = inspect(sheets, contract)
    titles = _titles()
    for finding in findings:
        click.echo(visible("\n".join(describe(finding, contract, titles))))
        click.echo("")
    blocks = blocks_of(findings, folder)
    if write and bank is not None:
        for sentence in write_proposals(bank, blocks):
            click.echo(visible(sentence))
    elif blocks:
        click.echo("以下可以复制到 mapping.yml 的 tables: 下面；“# 待确认 ”开头的要人定夺：")
        click.echo(visible("\n".join(line for _, _, lines in blocks for line in ["", *lines])))
    for fault in faults:
        click.echo(f"读不了：{visible(str(fault))}", err=True)
    if faults:
        raise CourseError(f"有 {len(faults)} 个文件读不了，原因见上；其余的已经看过。")


def _look(paths: list[Path]) -> tuple[list[Sheet], list[CourseError]]:
    """Look at every file; one that cannot be read does not keep the others from being shown."""
    from course_utils.intake.mapping.proposal import look_at

    sheets: list[Sheet] = []
    faults: list[CourseError] = []
    for path in paths:
        try:
            sheets += look_at(path)
        except CourseError as fault:
            faults.append(fault)
    return sheets, faults


def _exports(bank: str) -> Path:
    """Return where the exports of a bank lie by its mapping."""
    from course_utils.intake.mapping import load_mapping
    from course_utils.paths import home

    root = home() or Path.cwd()
    return root / (load_mapping(bank).folder or f"data/incoming/{bank}")


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
