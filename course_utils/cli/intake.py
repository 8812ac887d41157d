"""``course intake``: a bank's own exports become its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from course_utils.cli.common import ProgressBar, short
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.intake.report import Summary
    from course_utils.intake.run import Outcome

#: How many rules the console names; the report has all.
SHOWN_RULES = 8


@click.command("intake")
@click.argument("bank", metavar="代号")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    metavar="文件夹",
    help="导出文件所在的文件夹，默认看 mapping.yml，再默认 data/incoming/代号。",
)
@click.option("--engine", default=None, metavar="地址", help="在数据所在的引擎上算月度表。")
@click.option("--new-key", is_flag=True, help="换一把新密钥：所有假名都会改变。")
@click.option("--afresh", is_flag=True, help="不接着上次做，全部重新读。")
def intake(bank: str, folder: Path | None, engine: str | None, new_key: bool, afresh: bool) -> None:
    """把一家银行的导出文件读入、校验、去标识化，写成课程的数据表。"""
    from course_utils.bank import load_profile
    from course_utils.intake.privacy.duties import refuse_overdue
    from course_utils.intake.run import Request, run_intake

    refuse_overdue(load_profile(bank))  # now, not after an hour's reading
    request = Request(bank, folder, new_key, afresh, engine)
    with ProgressBar(f"导入 {bank}") as bar:
        outcome = run_intake(request, say=bar.say, progress=bar.show)
    _show(bank, outcome)


def _show(bank: str, outcome: Outcome) -> None:
    tables = outcome.summary.tables
    read, kept = sum(t.read for t in tables), sum(t.kept for t in tables)
    click.echo(f"{len(tables)} 张表，读入 {read:,} 行，保留 {kept:,} 行，拒收 {read - kept:,} 行。")
    for table in sorted(tables, key=lambda one: -one.share):
        if table.lost:
            click.echo(
                f"  {table.zh}：拒收 {table.lost:,} / {table.read:,} 行（{table.share:.2%}）"
            )
    _show_rules(outcome.summary)
    report = short(outcome.report)
    if outcome.published is None:
        reasons = "\n".join(f"  {reason}" for reason in outcome.summary.stops)
        raise CourseError(
            f"没有写入任何数据表，原来的数据没有变：\n{reasons}\n"
            f"逐行清单在 {report}，改好后再运行一次。"
        )
    rows = outcome.published.rows
    click.echo(f"已写入 {len(rows)} 张表、{sum(rows.values()):,} 行；数据报告在 {report}。")
    click.echo(f"下一步：course bank status {bank} 看哪些课能开。")


def _show_rules(summary: Summary) -> None:
    from course_utils.intake.faults import NOTE

    broken = [one for one in summary.rules if one.level != NOTE]
    for one in broken[:SHOWN_RULES]:
        where = f"{one.table_zh}·{one.column_zh}" if one.column_zh else one.table_zh
        click.echo(f"  {one.level} {where}：{one.rule_zh} {one.count:,} 处")
    if len(broken) > SHOWN_RULES:
        click.echo(f"  另有 {len(broken) - SHOWN_RULES} 种问题，见数据报告。")
