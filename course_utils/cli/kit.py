"""`course kit`: the archive that trainees install from."""

from __future__ import annotations

from pathlib import Path

import click

from course_utils.cli.common import ProgressBar, bank_option, open_build, short
from course_utils.errors import CourseError

MEGABYTE = 1024**2


@click.command("kit")
@bank_option
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="电脑",
    help="给哪种电脑：windows、linux、macos，可重复；默认 windows。",
)
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="版本",
    help="学员电脑上的 Python：3.11、3.12、3.13，可重复；默认 3.11。",
)
@click.option(
    "--python-folder",
    type=click.Path(path_type=Path),
    metavar="文件或文件夹",
    help="把这个官方 Windows 版 Python（embeddable 压缩包等）也装进学员包，学员不用先装 Python。",
)
@click.option("--wheelhouse/--no-wheelhouse", default=True, help="带不带安装包，默认带。")
def kit(
    bank: str,
    platforms: tuple[str, ...],
    pythons: tuple[str, ...],
    python_folder: Path | None,
    wheelhouse: bool,
) -> None:
    """把学员包打成一个压缩包：笔记本、数据、网页和断网安装要用的全部安装包。"""
    from course_utils.build.products.finish import finish
    from course_utils.build.products.kit.handout import check_kit, make_handout
    from course_utils.build.products.kit.targets import choose_targets
    from course_utils.intake.privacy.duties import require_release

    if python_folder is not None and not wheelhouse:
        raise click.UsageError("--python-folder 不能与 --no-wheelhouse 同用")
    targets = choose_targets(platforms or ("windows",), pythons or ("3.11",)) if wheelhouse else ()
    build = open_build(bank, force=False, jobs=None)
    require_release(build.profile)
    check_kit(build.folder / "trainee", bank)
    products = finish(build)  # what has changed since the build is made again
    for leak in products.leaks:
        click.echo(str(leak), err=True)
    if products.leaks:
        raise CourseError(f"扫描发现 {len(products.leaks)} 处不能外发的内容，请处理后再打包。")
    with ProgressBar(build.profile.name) as bar:
        handout = make_handout(
            products.kit,
            build.profile,
            build.folder / "kit",
            targets,
            lock=build.root / "requirements.lock",
            cache=build.root / ".cache" / "wheelhouse",
            python=python_folder,
            progress=bar.show,
        )
    for name, files, size in handout.groups:
        click.echo(f"  {name}\t{files:5} 个文件\t{size / MEGABYTE:7.1f} MB")
    click.echo(
        f"\n学员包：{short(handout.path)}（{handout.path.stat().st_size / MEGABYTE:.0f} MB）"
    )
    click.echo(f"SHA-256：{handout.sha256}")
