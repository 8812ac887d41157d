"""`course bank`: list banks, generate their data."""

from __future__ import annotations

import click

from course_utils.cli import onboarding, status
from course_utils.cli.common import ProgressBar, bank_option, short
from course_utils.errors import CourseError

PERSONS_RANGE = (1_000, 1_000_000)


@click.group("bank")
def bank_group() -> None:
    """银行：列出、生成数据。"""


@bank_group.command("list")
def bank_list() -> None:
    """列出所有银行。"""
    from course_utils.bank import list_banks, load_profile
    from course_utils.intake.privacy.duties import overdue
    from course_utils.paths import warehouse_dir

    for code in list_banks():
        profile = load_profile(code)
        state = "已有数据" if any(warehouse_dir(code).glob("*.parquet")) else "还没有数据"
        data = "课堂版" if profile.release else "真实银行" if profile.is_real else "合成"
        click.echo(f"{code:12} {profile.name}（{profile.kind}，{data}，{state}）")
        if profile.purge_on is not None and (warning := overdue(profile)):
            click.echo(warning, err=True)


@bank_group.command("generate")
@bank_option
@click.option("--persons", type=int, default=None, metavar="人数", help="合成多少人，默认看档案。")
@click.option("--force", is_flag=True, help="数据已是最新也重新生成。")
def bank_generate(bank: str, persons: int | None, force: bool) -> None:
    """按银行档案生成合成数据，写到 data/warehouse。"""
    from course_utils.bank import load_profile
    from course_utils.paths import warehouse_dir

    low, high = PERSONS_RANGE
    profile = load_profile(bank)
    if profile.is_real:
        raise CourseError(
            f"“{profile.name}”是真实银行，不能用合成数据覆盖它："
            f"请用 course intake {bank} 导入，要合成数据请另建一家银行。"
        )
    size = profile.persons if persons is None else persons
    if not low <= size <= high:
        raise CourseError(
            f"人数要在 {low:,} 到 {high:,} 之间，现在是 {size:,}，"
            "请改 --persons 或银行档案里的 persons。"
        )
    from course_utils.synth import is_current, write_bank

    profile = profile.replace(persons=size)
    folder = short(warehouse_dir(bank))
    if not force and is_current(profile):
        click.echo(f"{profile.name}：数据已是最新（{folder}）。")
        return
    with ProgressBar(f"生成 {profile.name}") as bar:
        manifest = write_bank(profile, progress=bar.show)
    rows = sum(manifest["rows"].values())
    click.echo(
        f"{profile.name}：{size:,} 人，{len(manifest['rows'])} 张表，{rows:,} 行（{folder}）。"
    )


bank_group.add_command(onboarding.bank_new)
bank_group.add_command(onboarding.bank_inspect)
bank_group.add_command(status.bank_status)
