"""What happens when somebody double-clicks ``start.bat``."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from course_utils.desk import lab
from course_utils.desk.browser import open_page
from course_utils.desk.environment import ensure
from course_utils.desk.kit import Kit
from course_utils.desk.places import documents_folder, program_folder, require_writable
from course_utils.desk.work import prepare_home, prepare_notebooks
from course_utils.errors import CourseError


def main(arguments: Sequence[str] | None = None) -> int:
    """Install what is missing and open JupyterLab.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command line; the process's own if left out.

    Returns
    -------
    int
        0 if all went well, 1 after an error, which was told in one sentence.
    """
    _speak_utf8()
    options = _parse(arguments)
    try:
        return _run(options)
    except CourseError as error:
        print(f"错误：{error}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("已停止：没有装完的部分下次会重新装。", file=sys.stderr, flush=True)
    except OSError as error:
        place = f"“{error.filename}”" if error.filename else "磁盘"
        reason = error.strerror or error
        print(f"错误：读写{place}时系统报告“{reason}”，请告诉讲师。", file=sys.stderr, flush=True)
    return 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="start", description="打开课程", add_help=False)
    parser.add_argument("kit", type=Path, metavar="学员包文件夹")
    parser.add_argument("-h", "--help", action="help", help="显示这段说明")
    parser.add_argument("--install-only", action="store_true", help="只安装，不打开")
    parser.add_argument("--no-browser", action="store_true", help="不自动打开浏览器")
    parser.add_argument("--port", type=int, default=lab.FIRST_PORT, help="先试哪个端口")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> int:
    kit = Kit.read(options.kit.resolve())
    print(f"{kit.title}\n", flush=True)
    programs = program_folder()
    require_writable(programs)
    python = ensure(kit, programs, say)
    home = prepare_home(kit, programs)
    work = _work_folder(kit)
    copied = prepare_notebooks(kit, work)
    say(f"笔记本在“{work}”" + (f"，新放入 {copied} 课。" if copied else "，你的改动都还在。"))
    desk = lab.Desk(python, programs, home, work)
    if options.install_only:
        say("都装好了：双击 start.bat（macOS、Linux：sh start.sh）就能上课，不需要网络。")
        _hold_window()
        return 0
    require_writable(work)
    if address := lab.running(desk):
        say("课程已经在另一个窗口里开着，直接打开页面。")
        _open(address, options.no_browser)
        return 0
    _end_politely()
    say("正在打开 JupyterLab，第一次要半分钟左右……")

    def opened(address: str) -> None:
        _open(address, options.no_browser)
        say("上课时不要关这个窗口。下课时先在页面里按 Ctrl+S 保存，再关掉它。")

    return lab.serve(desk, options.port, opened, say)


def say(text: str) -> None:
    """Tell the user something, at once."""
    print(text, flush=True)


def _work_folder(kit: Kit) -> Path:
    if chosen := os.environ.get("COURSE_WORK"):
        return Path(chosen)
    return documents_folder() / f"普惠金融数据实战-{kit.bank}"


def _open(address: str, silent: bool) -> None:
    opened = not silent and open_page(address)
    say("课程已经打开。" if opened else "课程已经准备好，请自己打开浏览器。")
    say(
        "浏览器没有打开或页面是空白的：请用 Edge、Chrome 或 Firefox（不要用 IE 和“兼容模式”）"
        f"打开这个地址：\n\n  {address}\n"
    )


def _hold_window() -> None:
    """Leave the message on the screen: Windows closes the window of a finished batch file."""
    if sys.platform == "win32" and sys.stdin is not None and sys.stdin.isatty():
        input("按回车键关闭这个窗口。")


def _speak_utf8() -> None:
    """Print Chinese wherever output goes: a console, a pipe, a file."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _end_politely() -> None:
    """Let a closed terminal end the server as Ctrl-C does, so that no kernel is left behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, interrupt)
