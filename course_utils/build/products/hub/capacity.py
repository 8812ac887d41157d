"""What a class needs of a machine, from what seats were measured to take."""

from __future__ import annotations

import os

#: Measured by ``benchmarks.hub_seats`` (PSS, MiB): hub with proxy and services, a seat's server, a
#: kernel that has run a whole lesson (m02_n02, m03_n01).
HUB_MIB = 205
SERVER_MIB = 125
KERNEL_MIB = 390
#: Kernels that a trainee has open at a time: the last lesson's notebook stays open.
KERNELS = 2
#: Seats that one core serves: a cell runs for a second and is read for a minute.
SEATS_A_CORE = 6


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
