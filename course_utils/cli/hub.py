"""`course hub`: the class server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from course_utils.cli.common import bank_option, echo_drawing, short

if TYPE_CHECKING:
    from course_utils.build.products.hub.settings import HubSettings


@click.command("hub")
@bank_option
@click.option("--seats", type=click.IntRange(1, 200), default=None, help="座位数，默认 20。")
@click.option(
    "--names",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="座位名文件，一行一个；与 --seats 二选一。",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="端口。"
)
@click.option("--folder", type=click.Path(path_type=Path), default=None, help="课堂文件夹。")
@click.option(
    "--memory",
    type=click.IntRange(512, 65536),
    default=1536,
    show_default=True,
    help="一个内核最多用多少 MiB 内存。",
)
@click.option(
    "--idle",
    type=click.IntRange(10, 2880),
    default=180,
    show_default=True,
    help="多少分钟没有动静就停下一个座位的程序（文件都在）。",
)
@click.option("--syllabus", "plan", default=None, metavar="安排", help="按哪个课程安排算计划分钟。")
@click.option(
    "--rehearse", is_flag=True, help="试讲：不需要管理员，只有本机能打开，座位之间不隔离。"
)
@click.option("--prepare-only", is_flag=True, help="只准备课堂文件夹和座位用户，不启动。")
@click.option("--stop", "action", flag_value="stop", help="下课：结束所有座位的程序，作业都在。")
@click.option("--reset-seat", default=None, metavar="座位", help="清除一个座位的自设口令。")
@click.option("--remove", "action", flag_value="remove", help="删除课堂文件夹、作业和座位用户。")
def hub(
    bank: str,
    seats: int | None,
    names: Path | None,
    port: int,
    folder: Path | None,
    memory: int,
    idle: int,
    plan: str | None,
    rehearse: bool,
    prepare_only: bool,
    action: str | None,
    reset_seat: str | None,
) -> None:
    """在一台 Linux 机器上开课堂服务器：学员用浏览器，每个座位一个系统用户。"""
    from course_utils.build.products.hub.capacity import require_machine

    require_machine(separate=not rehearse)
    from course_utils.bank import load_profile
    from course_utils.build.products.hub import settings, start
    from course_utils.build.sources.syllabus import project_root
    from course_utils.cli.room_plan import write_room_plan
    from course_utils.intake.privacy.duties import refuse_overdue, require_release

    root = project_root()
    profile = load_profile(bank)
    if action or reset_seat:
        place = folder.resolve() if folder else start.usual_folder(root, bank, not rehearse)
        _act(settings.load(place), action, reset_seat)
        return
    require_release(profile)
    refuse_overdue(profile)
    if seats is not None and names is not None:
        raise click.UsageError("--seats 与 --names 二选一")
    chosen = settings.named_seats(names) if names else None
    if seats is not None:
        chosen = settings.numbered_seats(seats)
    click.echo("正在准备课堂文件夹，第一次约一分钟……")
    course = start.open_class(
        root,
        bank,
        profile.name,
        chosen,
        port,
        folder=folder,
        separate=not rehearse,
        memory_mib=memory,
        idle_minutes=idle,
    )
    write_room_plan(root, course.progress_folder, plan)
    if course.separate:
        _close(root)
    if prepare_only:
        click.echo(f"课堂文件夹：{course.folder}（{len(course.seats)} 个座位，还没有启动）")
        return
    start.run(course, ready=lambda: _announce(course), again=_announce_again)
    click.echo("课堂服务器已停下；座位上的程序还在运行，再运行同样的命令就接上。")
    click.echo(f"下课请运行：course hub --bank {bank} --stop（文件夹不是默认的要加 --folder）")


def _act(course: HubSettings, action: str | None, seat: str | None) -> None:
    """Do one of the things that end: a class, a seat's password, everything."""
    from course_utils.build.products.hub import start

    if seat:
        start.reset_seat(course, seat)
        click.echo(f"{seat} 的自设口令已清除，下一次登录时重新设。")
    elif action == "stop":
        click.echo(
            f"已下课：结束了座位上的 {start.stop_class(course)} 个程序，作业在 {course.folder}。"
        )
    else:
        click.confirm(f"删除 {course.folder} 里的全部作业和座位用户，确定吗？", abort=True)
        click.echo(f"已删除课堂文件夹和 {start.remove_class(course)} 个系统用户。")


def _close(root: Path) -> None:
    from course_utils.build.products.hub.folder import close_project

    if close_project(root):
        click.echo(f"已对其他用户关闭项目文件夹 {root}（里面有答案），座位用户进不去。")


def _announce(course: HubSettings) -> None:
    """Print what the instructor needs to begin."""
    from course_utils.build.products.hub.capacity import warning
    from course_utils.classroom.network import qr_terminal

    click.echo(f"\n{course.title}：课堂服务器已启动，{len(course.seats)} 个座位")
    addresses = _addresses(course)
    click.echo(f"  地址      {addresses[0]}")
    for address in addresses[1:4]:
        click.echo(f"  或者      {address}")
    click.echo(f"  座位号    {course.seats[0]} 到 {course.seats[-1]}（只填数字也行）")
    click.echo(f"  课堂口令  {course.class_code}")
    click.echo("  讲师      用户名 teacher，口令是下面文件里的 teacher_password")
    click.echo(f"            {short(course.private / 'hub.yml')}")
    if not course.separate:
        click.echo("  试讲      只有本机能打开；座位之间没有隔离，不要让学员用")
    _say_progress(course, addresses[0])
    if text := warning(len(course.seats)):
        click.echo(f"  注意      {text}")
    if course.separate:
        echo_drawing(qr_terminal(addresses[0]))  # an old console has the address above
    click.echo("按 Ctrl-C 停下课堂服务器（座位上的程序和作业不受影响）。")


def _addresses(course: HubSettings) -> list[str]:
    """Return the class addresses, the likeliest first; a rehearsal has this machine's only."""
    from course_utils.classroom.network import lan_addresses

    found = [one.address for one in lan_addresses()] if course.separate else []
    return [f"http://{address}:{course.port}/" for address in found or ["127.0.0.1"]]


def _say_progress(course: HubSettings, address: str) -> None:
    click.echo(f"  进度      {address.rstrip('/')}{course.room_page}")
    click.echo("            只给讲师看，这一行不要投影；学员同意（cu.join()）后才有他的进度")


def _announce_again() -> None:
    click.echo("课堂服务器意外停止，正在重新启动；座位上的程序不受影响。")
