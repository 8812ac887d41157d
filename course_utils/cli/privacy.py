"""`course privacy-report`, `course release`, `course purge`: duties towards a real bank's data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from course_utils.cli.common import short
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.bank import Profile
    from course_utils.intake.privacy.release.attack import Attack


@click.command("release")
@click.argument("bank", metavar="代号")
@click.option(
    "--tier",
    type=click.Choice(["class", "outside"]),
    required=True,
    help="class：给行内课堂用的月度数据；outside：可以出行的汇总表。",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    metavar="文件夹",
    help="对外汇总写到哪里，默认在 data/intake 下。",
)
def release(bank: str, tier: str, folder: Path | None) -> None:
    """由一家银行的数据做课堂版，或做可以出行的汇总。"""
    from course_utils.bank import load_profile
    from course_utils.intake.privacy.duties import refuse_overdue

    profile = load_profile(bank)
    refuse_overdue(profile)
    if tier == "class":
        if folder is not None:
            raise click.UsageError("--to 只用于 --tier outside")
        _release_class(bank)
    else:
        _release_outside(bank, folder)


def _release_class(bank: str) -> None:
    from course_utils.bank import load_profile
    from course_utils.intake.privacy.release.classroom import release_class

    made = release_class(load_profile(bank), say=lambda text: click.echo(f"{text}……"))
    click.echo(f"课堂版：{made.code}，{len(made.tables)} 张表（{short(made.folder)}）")
    click.echo(
        f"  客户 {made.crowd.customers:,} 名，每组至少 {made.crowd.k} 名长得一样；"
        f"{made.crowd.left_out:,} 名（{made.crowd.share_left_out:.1%}）太特殊，没有收进来"
    )
    click.echo("  知道一名客户三项信息的人能认出多少客户：")
    if made.raw is not None:
        click.echo(f"    未保护的交易流水  {_named(made.raw)}")
    click.echo(f"    只缩放、取整的月度数  {_named(made.rounded)}")
    click.echo(f"    课堂版（每格扰动 ±{made.width:.0%}）  {_named(made.released)}")
    cost = made.cost
    click.echo(
        f"  代价：总额误差 {cost.total:.1%}，波动系数误差中位数 {cost.variation:.0%}，"
        f"“下滑客户”判断一致 {cost.falling:.0%}，资产分层一致 {cost.tiers:.0%}"
    )
    click.echo("  没有交易流水、账户、借据等逐笔和带确切日期的表，要用这些表的课会说明并跳过。")
    click.echo(f"接着运行 course build --bank {made.code}")


def _named(result: Attack) -> str:
    return f"{result.singled_out:.1%}（只猜最像的一名，猜中 {result.guessed:.1%}）"


def _release_outside(bank: str, folder: Path | None) -> None:
    from course_utils.bank import load_profile
    from course_utils.build.products.scan import scan_folder
    from course_utils.intake.privacy.release.outside import HIDDEN, K_OUTSIDE, release_outside

    target, hidden = release_outside(load_profile(bank), folder)
    if leaks := scan_folder(target):
        raise CourseError(f"汇总表里发现 {len(leaks)} 处不能外发的内容：{leaks[0]}")
    click.echo(f"对外汇总：{short(target)}")
    for name, count in hidden.items():
        click.echo(f"  {name}：{count} 格不足 {K_OUTSIDE} 户或可被倒推，写“{HIDDEN}”")
    click.echo("要带客户明细出行，只有一种办法：用合成数据（course bank generate）。")


@click.command("privacy-report")
@click.argument("bank", metavar="代号")
def privacy_report(bank: str) -> None:
    """写隐私报告：逐列做了什么、k 匿名、认人试验、个人信息保护影响评估提纲。"""
    from course_utils.bank import load_profile
    from course_utils.intake.privacy.report import write_privacy_report

    path = write_privacy_report(load_profile(bank))
    click.echo(f"隐私报告：{short(path)}（数据在旁边的 隐私报告.json）")


@click.command("purge")
@click.argument("bank", metavar="代号")
@click.option("--yes", is_flag=True, help="不再询问。")
@click.option("--key", is_flag=True, help="连密钥一起销毁。")
@click.option("--incoming", is_flag=True, help="连 data/incoming 里的原始导出一起删除。")
def purge_command(bank: str, yes: bool, key: bool, incoming: bool) -> None:
    """销毁一家银行的全部数据、报告和课程成品。"""
    from course_utils.bank import load_profile
    from course_utils.intake.privacy.duties import plan_purge, purge

    profile = load_profile(bank)
    _nobody_imports(profile)
    plan = plan_purge(profile, incoming=incoming, key=key)
    if not plan.items and plan.key is None:
        click.echo(f"“{profile.name}”没有可以销毁的内容。")
        return
    click.echo(f"将要销毁“{profile.name}”的：")
    for name, path in plan.items:
        click.echo(f"  {name}\t{short(path)}")
    if plan.key is not None:
        click.echo(f"  密钥\t{plan.key}")
    if not yes and not click.confirm("确定销毁？不能恢复", default=False):
        click.echo("没有销毁任何内容。")
        return
    _nobody_imports(profile)
    purge(plan)
    click.echo("已销毁。发出去的学员包、课堂服务器上的副本和备份，请按清单另行收回、删除。")


def _nobody_imports(profile: Profile) -> None:
    """Refuse while an intake runs: it would write again what has just been destroyed."""
    from course_utils.files import alone
    from course_utils.paths import intake_dir

    lock = intake_dir(profile.code) / ".lock"
    if not lock.is_file():
        return
    with alone(lock, f"“{profile.name}”正在另一个窗口导入，请等它结束或停下它，再销毁。"):
        return
