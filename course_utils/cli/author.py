"""Commands of the course author: notebooks, lint, scan, dictionary."""

from __future__ import annotations

from pathlib import Path

import click

from course_utils.cli.common import short
from course_utils.errors import CourseError


@click.command("notebooks")
@click.option("--check", is_flag=True, help="只检查 notebooks/ 与母本是否一致，不写文件。")
def notebooks(check: bool) -> None:
    """由 lessons/ 里的母本重新生成 notebooks/。"""
    from course_utils.build.sources.drift import find_drift, write_notebooks
    from course_utils.build.sources.syllabus import load_syllabus, project_root

    root = project_root()
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    if not check:
        changed = write_notebooks(root, syllabus)
        click.echo("\n".join(str(path) for path in changed) or "没有变化。")
        return
    findings = find_drift(root, syllabus)
    for finding in findings:
        click.echo(finding, err=True)
    if findings:
        raise CourseError("notebooks/ 与母本不一致：请改母本，再运行 course notebooks 并一起提交。")
    click.echo(f"notebooks/ 与 {len(syllabus.lessons)} 个母本完全一致。")


@click.command("lint")
@click.option("--lesson", "lessons", multiple=True, metavar="课", help="只检查这一课，可重复。")
def lint(lessons: tuple[str, ...]) -> None:
    """按写作规则检查课程母本。"""
    from course_utils.build.sources.lint import lint_master
    from course_utils.build.sources.masters import read_master
    from course_utils.build.sources.plans import plan_faults
    from course_utils.build.sources.syllabus import load_syllabus, project_root

    root = project_root()
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    chosen = syllabus.select(lessons)
    masters = {ls.key: read_master(ls.path(root / "lessons", ".py")) for ls in chosen}
    findings: list[object] = [f for ls in chosen for f in lint_master(masters[ls.key], ls)]
    for plan in syllabus.plans:
        if set(plan.lessons) <= set(masters):
            findings += plan_faults(plan, masters)
    for finding in findings:
        click.echo(str(finding))
    if findings:
        raise CourseError(
            f"有 {len(findings)} 处不符合写作规则（见 CONTRIBUTING.md），请逐条修改。"
        )
    click.echo(f"{len(chosen)} 课都符合写作规则。")


@click.command("scan")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
def scan(folder: Path | None) -> None:
    """扫描要外发的文件：证件号、手机号、卡号、外部网址、缺字、报错堆栈。"""
    from course_utils.build.products.scan import scan_build, scan_folder
    from course_utils.build.sources.syllabus import project_root

    if folder is None:
        folder = project_root() / "build"
        leaks = [leak for path in sorted(folder.glob("*/")) for leak in scan_build(path)]
    elif folder.is_dir():
        leaks = scan_folder(folder)
    else:
        raise CourseError(f"没有“{folder}”这个文件夹，请检查路径；不写路径就扫描 build/。")
    for leak in leaks:
        click.echo(str(leak))
    if leaks:
        raise CourseError(f"发现 {len(leaks)} 处不能外发的内容，请处理后再发。")
    click.echo(f"{short(folder)}：没有发现不能外发的内容。")


@click.command("dictionary")
@click.argument("tables", nargs=-1, metavar="[表名]...")
def dictionary(tables: tuple[str, ...]) -> None:
    """打印数据字典（Markdown）。"""
    from course_utils.contract import dictionary_markdown

    click.echo(dictionary_markdown(list(tables) or None))
