"""What a class needs of a machine: its system, and the room that seats were measured to take."""

from __future__ import annotations

import os
import sys

from course_utils.errors import CourseError

#: Measured by ``benchmarks.hub_seats`` (PSS, MiB): hub with proxy and services, a seat's server, a
#: kernel that has run a whole lesson (m02_n02, m03_n01).
HUB_MIB = 205
SERVER_MIB = 125
KERNEL_MIB = 390
#: Kernels that a trainee has open at a time: the last lesson's notebook stays open.
KERNELS = 2
#: Seats that one core serves: a cell runs for a second and is read for a minute.
SEATS_A_CORE = 6


def require_machine(separate: bool) -> None:
    """Refuse machines on which seats cannot be kept apart.

    Raises
    ------
    CourseError
        On Windows, without JupyterHub, or without the right to make users.
    """
    if sys.platform == "win32":
        raise CourseError(
            "Windows 上不能开课堂服务器：请用 course serve（学员只要浏览器），"
            "或在 WSL、Linux 服务器上运行 course hub。"
        )
    try:
        import jupyterhub  # noqa: F401
    except ImportError:
        raise CourseError("没有装 JupyterHub：请用 make env 安装讲师环境后再试。") from None
    if not separate:
        return
    if sys.platform != "linux" or os.geteuid() != 0:
        raise CourseError(
            "每个座位要有自己的系统用户，需要 Linux 和管理员身份（sudo）；"
            "只想自己先试一遍，请加 --rehearse（只有本机能打开，座位之间不隔离）。"
        )


def seat_mib() -> int:
    """Return the memory of one seat in MiB."""
    return SERVER_MIB + KERNELS * KERNEL_MIB


def need_mib(seats: int) -> int:
    """Return the memory that a class of `seats` needs, in MiB, with a fifth to spare."""
    return round(1.2 * (HUB_MIB + seats * seat_mib()))


def need_cores(seats: int) -> int:
    """Return the cores with which nobody waits noticeably."""
    return max(2, -(-seats // SEATS_A_CORE))


def machine_mib() -> int:
    """Return the memory of this machine in MiB; 0 if it cannot be known."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (ValueError, OSError, AttributeError):
        return 0


def warning(seats: int) -> str:
    """Return one Chinese sentence if the machine is too small for the class, or nothing."""
    have, need = machine_mib(), need_mib(seats)
    cores = os.cpu_count() or 1
    if have and have < need:
        return (
            f"{seats} 个座位约需 {need / 1024:.0f} GiB 内存，本机有 {have / 1024:.0f} GiB："
            "请换大一些的机器或减少座位。"
        )
    if cores < need_cores(seats):
        return f"{seats} 个座位宜有 {need_cores(seats)} 个处理器核，本机有 {cores} 个，会慢一些。"
    return ""
