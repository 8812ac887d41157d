"""Commands of the classroom: the lab on this machine, the class for a room, who is how far."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from course_utils.cli.common import bank_option, echo_drawing, open_build, short
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.classroom.network import Found
    from course_utils.classroom.room import Room
    from course_utils.classroom.server import Offer

#: Days after which a class's records should have been deleted.
RETENTION_DAYS = 30


@click.command("lab")
@click.option("--bank", default="coastal", show_default=True, metavar="代号", help="用哪家银行。")
@click.option("--prepare-only", is_flag=True, help="只准备文件夹，不打开 JupyterLab。")
def lab(bank: str, prepare_only: bool) -> None:
    """用 JupyterLab 打开学员笔记本；已经改过的笔记本不会被覆盖。"""
    from course_utils.build.products.classroom import prepare_classroom

    build = open_build(bank, force=False, jobs=None)
    folder = prepare_classroom(build)
    click.echo(f"学员笔记本在 {short(folder)}")
    if prepare_only:
        return
    environment = {**os.environ, "COURSE_HOME": str(build.root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "jupyterlab", str(folder)]
    sys.exit(subprocess.call(command, env=environment))


@click.command("serve")
@bank_option
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="端口。"
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="文件夹",
    help="进度存放在哪里；默认 build/银行/class/日期。",
)
@click.option("--address", default="", metavar="地址", help="只用这一个网络地址；默认自动选。")
@click.option("--syllabus", "plan", default=None, metavar="安排", help="按哪个课程安排算计划分钟。")
@click.option("--no-progress", is_flag=True, help="不收集进度，只提供网页和课堂。")
@click.option("--open", "open_page", is_flag=True, help="在这台电脑上打开讲师的进度页。")
def serve(
    bank: str,
    port: int,
    folder: Path | None,
    address: str,
    plan: str | None,
    no_progress: bool,
    open_page: bool,
) -> None:
    """在教室的网络里开课：学员用浏览器打开地址，讲师看进度。"""
    from course_utils.bank import load_profile
    from course_utils.build.sources.syllabus import project_root
    from course_utils.classroom import network, server
    from course_utils.classroom.handlers import Desk
    from course_utils.classroom.room import Room
    from course_utils.classroom.store import ClassStore
    from course_utils.classroom.tokens import class_keys
    from course_utils.cli.room_plan import write_room_plan

    root, profile = project_root(), load_profile(bank)
    home = root / "build" / profile.code
    classes = home / "class"
    folder = folder or classes / f"{date.today():%Y-%m-%d}"
    # the keys do not lie in the class folder: that may be a share that trainees can read
    keys = class_keys(classes)
    lessons = () if no_progress else write_room_plan(root, folder, plan)
    sockets, taken = network.open_port(port, address)
    addresses = [network.Found(address, "")] if address else network.lan_addresses()
    host = addresses[0].address if addresses else "127.0.0.1"
    title = f"{profile.name}：普惠金融数据课堂"
    offer = server.Offer(
        title,
        f"数据日期 {profile.as_of:%Y-%m-%d}",
        f"http://{host}:{taken}",
        _built(home / "lite"),
        _built(home / "pages" / "trainee"),
        root / ".cache" / "served" / profile.code,
        progress=not no_progress,
    )
    room = Room(ClassStore(folder), lessons, title)
    app = server.make_site(Desk(room, keys.secret, keys.key, joining=True), offer)
    server.compress(offer)
    own = f"http://127.0.0.1:{taken}" if not address else offer.address
    page = f"{own}/class/room?key={keys.key}"

    def opened() -> None:
        _say_where(offer, addresses, bank, port, taken)
        _say_progress(offer, own, page, folder)
        if open_page and not no_progress:
            click.launch(page)

    with contextlib.suppress(KeyboardInterrupt):
        server.run(app, sockets, opened)
    click.echo("\n课堂已关闭，收到的进度都保存好了；再运行同样的命令，学员不用重新加入。")


def _built(folder: Path) -> Path | None:
    return folder if (folder / "index.html").is_file() else None


def _say_where(offer: Offer, addresses: list[Found], bank: str, wanted: int, taken: int) -> None:
    from course_utils.classroom.network import qr_terminal

    click.echo(offer.title)
    if taken != wanted:
        click.echo(f"端口 {wanted} 被别的程序占用，改用 {taken}。")
    if not addresses:
        click.echo(
            "没有连上任何网络，现在只有这台电脑能打开。请连上教室的 Wi-Fi 或打开本机的移动热点，"
            "再重新运行。"
        )
    click.echo(f"\n学员在浏览器里打开：{offer.address}\n")
    if addresses:
        sentence = "（这个窗口显示不了二维码，请用下面的二维码页。）"
        echo_drawing(qr_terminal(offer.address), sentence)
    for other in addresses[1:4]:
        port = offer.address.rpartition(":")[2]
        click.echo(f"打不开时试试：http://{other.address}:{port}（{other.interface}）")
    if addresses:
        click.echo("学员都打不开时：确认连的是同一个网络，并在这台电脑的防火墙里允许 Python 通过。")
    if offer.lite is None:
        click.echo(f"还没有浏览器课堂，在网页里不能运行；要生成请运行 course lite --bank {bank}")
    if offer.pages is None:
        click.echo(f"还没有网页，要生成请运行 course build --bank {bank}")


def _say_progress(offer: Offer, own: str, page: str, folder: Path) -> None:
    click.echo(f"投影用的二维码页：{own}/class/qr")
    if offer.progress:
        click.echo(f"讲师的进度页：{page}（这一行不要投影，不要发给学员）")
        click.echo(
            f"进度存放在 {short(folder)}；课后删除："
            f'course progress --folder "{short(folder)}" --purge'
        )
        if old := _outdated(folder.parent):
            click.echo(
                f"有 {len(old)} 次课的进度超过 {RETENTION_DAYS} 天没有删除：{'、'.join(old)}。"
            )
    click.echo("按 Ctrl+C 关闭课堂。")


def _outdated(classes: Path) -> list[str]:
    """Names of class folders that are older than they should be."""
    last = f"{date.today() - timedelta(days=RETENTION_DAYS):%Y-%m-%d}"
    return [path.name for path in _class_folders(classes) if path.name < last]


def _class_folders(classes: Path) -> list[Path]:
    return sorted(path for path in classes.glob("20??-??-??") if path.is_dir())


@click.command("progress")
@click.option("--bank", default=None, metavar="代号", help="哪家银行最近一次课。")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="文件夹",
    help="课堂文件夹或共享文件夹。",
)
@click.option("--lesson", default="", metavar="课", help="看哪一课，如 m02_n02；默认跟随全班。")
@click.option("--watch", is_flag=True, help="每 5 秒刷新一次，按 Ctrl+C 结束。")
@click.option("--projector", is_flag=True, help="不显示座位号。")
@click.option(
    "--summary",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="文件",
    help="写出不含座位号的课堂小结（.md 或 .html）。",
)
@click.option(
    "--export",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    metavar="文件",
    help="写出含座位号的明细（.csv 或 .json），只给讲师。",
)
@click.option("--purge", is_flag=True, help="删除这次课的全部进度。")
@click.option("--yes", is_flag=True, help="删除时不再询问。")
def progress(
    bank: str | None,
    folder: Path | None,
    lesson: str,
    watch: bool,
    projector: bool,
    summary: Path | None,
    export: Path | None,
    purge: bool,
    yes: bool,
) -> None:
    """看全班做到哪一步：谁卡住、常见的错、用时与计划；课后写小结、导出、删除。"""
    room = _open_room(bank, folder)
    if purge:
        _purge(room, yes)
        return
    for path, kinds in ((summary, _SUMMARIES), (export, _EXPORTS)):
        if path is not None:
            _write_report(room, path, kinds)
    if summary is not None or export is not None:
        return
    while True:
        lines = _lines(room, lesson, projector)
        if watch:
            click.clear()
        click.echo("\n".join(lines))
        if not watch:
            return
        click.echo(f"\n{time.strftime('%H:%M:%S')} 每 5 秒刷新，按 Ctrl+C 结束。")
        try:
            time.sleep(5)
        except KeyboardInterrupt:
            return


_SUMMARIES = {".md": "summary.md", ".html": "summary"}
_EXPORTS = {".csv": "export.csv", ".json": "export.json"}


def _open_room(bank: str | None, folder: Path | None) -> Room:
    """Find the class folder and what is known of its lessons."""
    from course_utils.build.sources.syllabus import project_root
    from course_utils.classroom.lessons import load_lessons
    from course_utils.classroom.room import Room
    from course_utils.classroom.store import ClassStore
    from course_utils.cli.room_plan import room_lessons

    if folder is None:
        if bank is None:
            raise click.UsageError("请写 --bank 或 --folder")
        from course_utils.bank import load_profile

        classes = project_root() / "build" / load_profile(bank).code / "class"
        folder = next(reversed(_class_folders(classes)), None)
        if folder is None:
            raise CourseError(
                f"银行 {bank} 还没有课堂记录：请先运行 course serve --bank {bank}，或用 --folder。"
            )
    if not folder.is_dir():
        raise CourseError(f"找不到课堂文件夹“{folder}”：共享盘断开了，或路径不对，请检查。")
    lessons = load_lessons(folder)
    if not lessons:
        try:
            lessons = room_lessons(project_root())
        except CourseError:  # not in the project: shown without titles and plan
            lessons = ()
    return Room(ClassStore(folder), lessons, f"课堂 {folder.name}")


def _lines(room: Room, lesson: str, projector: bool) -> list[str]:
    from course_utils.classroom.reports import terminal_lines

    lines = terminal_lines(room, room.state(), lesson, projector=projector)
    if broken := room.store.broken_lines():
        lines.append(f"（有 {broken} 行记录读不懂，已跳过。）")
    return lines


def _write_report(room: Room, path: Path, kinds: dict[str, str]) -> None:
    from course_utils.classroom.reports import report
    from course_utils.files import write_text

    name = kinds.get(path.suffix.lower())
    if name is None:
        raise CourseError(f"“{path.name}”的后缀不对：请用 {' 或 '.join(kinds)}。")
    _, text = report(room, name)
    write_text(path, text)
    click.echo(f"已写出 {short(path)}")


def _purge(room: Room, yes: bool) -> None:
    seats, folder = len(room.store.own_files()), room.store.folder
    question = f"删除“{short(folder)}”里 {seats} 个座位的全部进度，不能恢复。确定吗？"
    if not yes and not click.confirm(question):
        click.echo("没有删除。")
        return
    room.store.purge()
    click.echo(f"已删除 {seats} 个座位的进度。")
