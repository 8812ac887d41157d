"""Where the class can be reached: address in the room's network, a free port, a QR code."""

from __future__ import annotations

import errno
import io
import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from course_utils.errors import CourseError

#: Ports tried after the one that was asked for.
MORE_PORTS = 20
#: Interfaces of virtual machines, containers and tunnels: nobody in the room reaches them.
_VIRTUAL = re.compile(
    r"docker|^br-|veth|virbr|vmnet|vmware|virtualbox|vbox|vethernet|hyper-v|wsl|^tun|^tap|"
    r"tailscale|zerotier|wireguard|^wg|^utun|loopback|^lo\d*$|^ifb|bluetooth|npcap",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """An address of this machine.

    Attributes
    ----------
    address : str
        IPv4 address.
    interface : str
        Name of the network card.
    """

    address: str
    interface: str


def lan_addresses() -> list[Found]:
    """Return addresses by which others in the room reach this machine, the likeliest first."""
    import psutil

    cards = {
        name: [one.address for one in addresses if one.family == socket.AF_INET]
        for name, addresses in psutil.net_if_addrs().items()
    }
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    return choose(cards, up, _route())


def choose(cards: Mapping[str, Sequence[str]], up: Iterable[str], route: str) -> list[Found]:
    """Return usable addresses, the likeliest first.

    Parameters
    ----------
    cards : Mapping[str, Sequence[str]]
        Interface → IPv4 addresses.
    up : iterable of str
        Interfaces that are switched on.
    route : str
        Address that the system itself would use to speak to a local network; empty if none.
    """
    alive = set(up)
    found = []
    for name, addresses in cards.items():
        for text in addresses:
            address = ipaddress.IPv4Address(text)
            if name not in alive or address.is_loopback or address.is_link_local:
                continue
            rank = (bool(_VIRTUAL.search(name)), text != route, not address.is_private, name)
            found.append((rank, Found(text, name)))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _route() -> str:
    """Ask the system which address it would send from; nothing is sent."""
    for target in ("192.168.255.255", "10.255.255.255", "172.31.255.255"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                probe.connect((target, 9))
                return str(probe.getsockname()[0])
            except OSError:
                continue
    return ""


def open_port(wanted: int, address: str = "") -> tuple[list[socket.socket], int]:
    """Listen on a port, or on one of the next if it is taken.

    Parameters
    ----------
    wanted : int
        Port asked for.
    address : str
        Where to listen; empty = on every IPv4 address.

    Returns
    -------
    (list of socket.socket, int)
        Listening sockets and their port.

    Raises
    ------
    CourseError
        If the address is wrong, none of the ports is free, or ports like these need
        administrator's rights.
    """
    from tornado.netutil import bind_sockets

    last = min(wanted + MORE_PORTS, 65535)
    for port in range(wanted, last + 1):
        try:
            sockets = bind_sockets(port, address or "0.0.0.0", family=socket.AF_INET)
        except (socket.gaierror, UnicodeError) as error:
            raise CourseError(
                f"地址“{address}”写得不对，应当像 192.168.1.5 这样；不写 --address 会自动选。"
            ) from error
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM) and port < 1024:
                raise CourseError(
                    f"端口 {port} 要管理员权限，请用 --port 8000 这样大于 1024 的端口。"
                ) from error
            if error.errno == errno.EADDRNOTAVAIL:
                raise CourseError(
                    f"这台电脑没有地址 {address}，请不写 --address 再试一次。"
                ) from error
            continue
        return sockets, sockets[0].getsockname()[1]
    raise CourseError(
        f"端口 {wanted} 到 {last} 都被别的程序占用了，请关掉别的课堂窗口，或用 --port 换一个。"
    )


def qr_svg(address: str) -> bytes:
    """Return the QR code of an address as SVG, dark on white with a quiet zone."""
    import segno

    stream = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(stream, kind="svg", scale=10, border=4, dark="#000", light="#fff", xmldecl=True)
    return stream.getvalue()


def qr_terminal(address: str) -> str:
    """Return the QR code of an address for a terminal, two rows a line."""
    import segno

    stream = io.StringIO()
    segno.make(address, error="l", micro=False).terminal(stream, border=2, compact=True)
    return stream.getvalue()
