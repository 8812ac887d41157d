"""`course bank status`: which lessons a bank's data allow, and what stops the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from course_utils.bank import Profile
    from course_utils.build.sources.needs import Verdict
    from course_utils.build.sources.readiness import Readiness
    from course_utils.build.sources.syllabus import Lesson

_SIGNS = {"full": "● 完整", "part": "◐ 部分", "none": "○ 不能"}
_MOST_WANTED = 8


@click.command("status")
@click.argument("bank", metavar="代号")
@click.option("--lesson", "lessons", multiple=True, metavar="课", help="只看这一课，逐格列出。")
@click.option("--json", "as_text", is_flag=True, help="按 JSON 输出，给程序用。")
def bank_status(bank: str, lessons: tuple[str, ...], as_text: bool) -> None:
    """各课能不能上：完整、部分、不能，以及缺的是哪张表、哪一列。"""
    from course_utils.bank import load_profile
    from course_utils.build.sources import readiness
    from course_utils.build.sources.syllabus import load_syllabus, project_root

    profile, root = load_profile(bank), project_root()
    has, source = _what_it_has(profile)
    chosen = load_syllabus(root / "lessons" / "syllabus.yml").select(lessons)
    found = readiness.readiness(root, chosen, has)
    if as_text:
        click.echo(json.dumps(readiness.as_json(found), ensure_ascii=False, indent=1))
        return
    click.echo(f"{profile.name}（{source}）")
    for lesson, verdict in found.lessons:
        click.echo(_line(lesson, verdict))
        if lessons:
            _details(verdict)
    counts = [f"{_SIGNS[extent][2:]} {len(found.of(extent))} 课" for extent in _SIGNS]
    click.echo("，".join(counts) + "。")
    if lessons:
        return
    if profile.release:  # nothing can be added to what was released
        click.echo(
            "课堂版有意不带逐笔和带确切日期的表：缺表的课，由讲师用原来的数据"
            f"（{profile.origin}）在自己的机器上演示，学员用合成银行练习。"
        )
        return
    _wanted(found)


def _what_it_has(profile: Profile) -> tuple[Callable[[str], bool], str]:
    """Return what answers ``has``, and where that was looked up, in words."""
    from course_utils.bank import open_bank
    from course_utils.paths import warehouse_dir

    folder = warehouse_dir(profile.code)
    if any(folder.glob("*.parquet")) or not profile.is_real or profile.release:
        bank = open_bank(profile.code)
        return bank.has, f"已有 {len(bank.tables)} 张表"
    from course_utils.bank.labels import is_supplied
    from course_utils.intake.mapping import load_mapping

    tables = load_mapping(profile.code).tables

    def has(name: str) -> bool:
        table, _, column = name.partition(".")
        if table not in tables:
            return is_supplied(name)
        return not column or column in tables[table].columns

    return has, f"还没有数据，按映射里的 {len(tables)} 张表判断"


def _line(lesson: Lesson, verdict: Verdict) -> str:
    from course_utils.exercises.gates.words import chinese

    line = f"{_SIGNS[verdict.extent]}  {lesson.key} {lesson.title_zh}"
    if verdict.extent != "full":
        line += f"：缺{chinese(verdict.missing)}"
    if verdict.extent == "part":
        skipped = sum(cell.state != "ok" for cell in verdict.cells)
        line += f"（{len(verdict.cells)} 格里 {skipped} 格受影响"
        line += f"，{len(verdict.questions)} 题跳过）" if verdict.questions else "）"
    return line


def _details(verdict: Verdict) -> None:
    from course_utils.exercises.gates.words import chinese

    for cell in verdict.cells:
        if cell.state != "ok":
            word = "跳过" if cell.state == "skip" else "部分"
            click.echo(f"    第 {cell.number + 1} 个代码格{word}：缺{chinese(sorted(cell.names))}")
    for question, names in verdict.questions.items():
        click.echo(f"    练习 {question} 跳过：缺{chinese(sorted(names))}")


def _wanted(found: Readiness) -> None:
    """Say which data would help the most."""
    from course_utils.exercises.gates.words import chinese

    wanted = found.wanted()[:_MOST_WANTED]
    if not wanted:
        return
    click.echo("\n补上这些最有用（后面是受影响的课）：")
    for name, lessons in wanted:
        keys = "、".join(lesson.key for lesson in lessons)
        click.echo(f"  {chinese([name])}（{name}）：{len(lessons)} 课，{keys}")
