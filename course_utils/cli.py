"""The ``course`` command: thin, Chinese, one sentence an error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.build.execution.run import Build, Record

PERSONS_RANGE = (1_000, 1_000_000)


class _Reporter(click.Group):
    """A group that prints every error as one Chinese sentence; the traceback with ``--debug``."""

    def main(self, args: Any = None, *rest: Any, **extra: Any) -> Any:
        """Run the command line and exit with 0, 1 (our errors), 2 (usage) or 130 (interrupted)."""
        extra["standalone_mode"] = False
        debug = "--debug" in (sys.argv[1:] if args is None else args)
        try:
            super().main(args, *rest, **extra)
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.UsageError as error:
            click.echo(f"错误：{_usage_sentence(error)}", err=True)
            sys.exit(2)
        except (click.Abort, KeyboardInterrupt):
            click.echo("已停止：完成的课都保存好了，再运行一次同样的命令会接着做。", err=True)
            sys.exit(130)
        except (CourseError, OSError, MemoryError) as error:
            if debug:
                raise
            click.echo(f"错误：{_sentence(error)}", err=True)
            sys.exit(1)
        sys.exit(0)


def _usage_sentence(error: click.UsageError) -> str:
    """Return what is wrong with a command line."""
    help_ = "加 -h 可看用法。"
    name = getattr(error, "param", None)
    label = name.get_error_hint(error.ctx) if name is not None else ""
    if isinstance(error, click.NoSuchOption):
        return f"没有“{error.option_name}”这个选项，{help_}"
    if isinstance(error, click.MissingParameter):
        return f"缺少 {label}，{help_}"
    if isinstance(error, click.BadParameter):
        return f"{label} 的值不对（{error.message}），{help_}"
    command = error.message.split("'")
    if error.message.startswith("No such command") and len(command) > 1:
        return f"没有“{command[1]}”这条命令，{help_}"
    return f"命令写法不对（{error.message}），{help_}"


def _sentence(error: BaseException) -> str:
    if isinstance(error, CourseError):
        return str(error)
    if isinstance(error, MemoryError):
        return "内存不够，请关掉别的程序，或用更小的规模再试。"
    if isinstance(error, OSError) and error.filename:
        return f"读写“{error.filename}”时系统报告“{error.strerror}”，请检查路径、权限和磁盘空间。"
    return f"系统报告“{error}”，请检查磁盘空间和权限；加 --debug 可看细节。"


def _bank_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--bank", required=True, metavar="代号", help="银行代号，如 coastal。")(
        function
    )


@click.group(cls=_Reporter, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="出错时显示完整的报错堆栈。")
def main(debug: bool) -> None:
    """普惠金融数据实战：生成数据、生成笔记本、构建课程。"""


@main.group("bank")
def bank_group() -> None:
    """银行：列出、生成数据。"""


@bank_group.command("list")
def bank_list() -> None:
    """列出所有银行。"""
    from course_utils.bank import list_banks, load_profile
    from course_utils.paths import warehouse_dir

    for code in list_banks():
        profile = load_profile(code)
        state = "已有数据" if any(warehouse_dir(code).glob("*.parquet")) else "还没有数据"
        click.echo(f"{code:12} {profile.name}（{profile.kind}，{state}）")


@bank_group.command("generate")
@_bank_option
@click.option("--persons", type=int, default=None, metavar="人数", help="合成多少人，默认看档案。")
@click.option("--force", is_flag=True, help="数据已是最新也重新生成。")
def bank_generate(bank: str, persons: int | None, force: bool) -> None:
    """按银行档案生成合成数据，写到 data/warehouse。"""
    from course_utils.bank import load_profile
    from course_utils.paths import warehouse_dir

    low, high = PERSONS_RANGE
    profile = load_profile(bank)
    size = profile.persons if persons is None else persons
    if not low <= size <= high:
        raise CourseError(
            f"人数要在 {low:,} 到 {high:,} 之间，现在是 {size:,}，"
            "请改 --persons 或银行档案里的 persons。"
        )
    from course_utils.synth import is_current, write_bank

    profile = profile.replace(persons=size)
    folder = _short(warehouse_dir(bank))
    if not force and is_current(profile):
        click.echo(f"{profile.name}：数据已是最新（{folder}）。")
        return
    with _ProgressBar(f"生成 {profile.name}") as bar:
        manifest = write_bank(profile, progress=bar.show)
    rows = sum(manifest["rows"].values())
    click.echo(
        f"{profile.name}：{size:,} 人，{len(manifest['rows'])} 张表，{rows:,} 行（{folder}）。"
    )


class _ProgressBar:
    """A tqdm bar whose total becomes known with the first report."""

    def __init__(self, title: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=0, desc=title, dynamic_ncols=True, leave=False)

    def __enter__(self) -> _ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, label: str, done: int, total: int) -> None:
        """Say that `done` of `total` steps are finished, and what the last one was."""
        self._bar.total = total
        self._bar.set_postfix_str(label, refresh=False)
        self._bar.update(done - self._bar.n)


@main.command("notebooks")
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


@main.command("lint")
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


@main.command("build")
@_bank_option
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

    build = _open_build(bank, force, jobs, plan)
    chosen = build.syllabus.select(lessons)
    require_writable(build.folder)
    records = _run_with_progress(build, chosen)
    products = finish(build)
    click.echo(exit_summary(records))
    if build.note:
        click.echo(f"这次用的是普通内核，慢一些，结果一样：{build.note}。")
    click.echo(f"\n学员包：{_short(products.kit)}\n讲师版：{_short(build.executed('instructor'))}")
    click.echo(f"网页：{_short(products.pages / 'instructor' / 'index.html')}（讲师）")
    click.echo(f"      {_short(products.pages / 'trainee' / 'index.html')}（学员）")
    for leak in products.leaks:
        click.echo(str(leak), err=True)
    failed = sorted({record.lesson for record in records if record.failed})
    if products.leaks:
        raise CourseError(
            f"扫描发现 {len(products.leaks)} 处不能外发的内容，见上面的清单，请处理后重建。"
        )
    if failed:
        raise CourseError(f"有 {len(failed)} 课没有运行成功，原因见上；其余各课都已完成。")


@main.command("build-all")
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
    with _ProgressBar("各家银行") as bar:
        report = build_banks(root, requests, scheduler, jobs, bar.show)
    click.echo("\n".join(report.lines()))
    click.echo(f"\n报告：{_short(root / 'build' / 'banks.html')}")
    if report.fault:
        raise CourseError(report.fault)


def _open_build(bank: str, force: bool, jobs: int | None, plan: str | None = None) -> Build:
    """Check the bank, its data and its date before anything runs."""
    from course_utils.bank import load_profile, open_bank
    from course_utils.build.execution.run import Build
    from course_utils.build.sources.syllabus import load_syllabus, project_root

    root = project_root()
    profile = load_profile(bank)
    open_bank(bank, (profile.parameters.get("common") or {}).get("AS_OF"))
    syllabus = load_syllabus(root / "lessons" / "syllabus.yml")
    if plan is not None:
        syllabus = syllabus.restricted(plan)
    return Build(root, syllabus, profile, jobs=jobs, force=force)


def _run_with_progress(build: Build, lessons: Any) -> list[Record]:
    with _ProgressBar(build.profile.name) as bar:
        return build.run(lessons, report=lambda r, done, total: bar.show(r.lesson, done, total))


@main.command("scan")
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
    click.echo(f"{_short(folder)}：没有发现不能外发的内容。")


@main.command("dictionary")
@click.argument("tables", nargs=-1, metavar="[表名]...")
def dictionary(tables: tuple[str, ...]) -> None:
    """打印数据字典（Markdown）。"""
    from course_utils.contract import dictionary_markdown

    click.echo(dictionary_markdown(list(tables) or None))


@main.command("lab")
@click.option("--bank", default="coastal", show_default=True, metavar="代号", help="用哪家银行。")
@click.option("--prepare-only", is_flag=True, help="只准备文件夹，不打开 JupyterLab。")
def lab(bank: str, prepare_only: bool) -> None:
    """用 JupyterLab 打开学员笔记本；已经改过的笔记本不会被覆盖。"""
    from course_utils.build.products.classroom import prepare_classroom

    build = _open_build(bank, force=False, jobs=None)
    folder = prepare_classroom(build)
    click.echo(f"学员笔记本在 {_short(folder)}")
    if prepare_only:
        return
    environment = {**os.environ, "COURSE_HOME": str(build.root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "jupyterlab", str(folder)]
    sys.exit(subprocess.call(command, env=environment))


def _short(path: Path) -> str:
    """Return a path relative to the working folder where that is possible."""
    try:
        return Path(path).resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()
