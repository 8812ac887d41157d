"""Machines that a kit is made for, and what of the lock belongs on each of them.

pip can download for another platform, but it evaluates the lock's markers for its own: it would
forget what only Windows needs (pywinpty, colorama). So the markers are evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name

from course_utils.errors import CourseError

PYTHONS = ("3.11", "3.12", "3.13")
#: glibc versions whose wheels a Linux machine of today runs, the newest first.
_GLIBC = range(28, 16, -1)
_LINUX = (*(f"manylinux_2_{minor}_x86_64" for minor in _GLIBC), "manylinux2014_x86_64")


@dataclass(frozen=True)
class Platform:
    """One kind of machine.

    Parameters
    ----------
    name : str
        What the command line calls it.
    zh : str
        Name shown to people.
    tags : tuple of str
        Platform tags of wheels that run there, the best first.
    markers : mapping of str to str
        Values of the environment markers that depend on the machine.
    """

    name: str
    zh: str
    tags: tuple[str, ...]
    markers: Mapping[str, str]


def _markers(sys_platform: str, os_name: str, system: str, machine: str) -> Mapping[str, str]:
    return MappingProxyType(
        {
            "sys_platform": sys_platform,
            "os_name": os_name,
            "platform_system": system,
            "platform_machine": machine,
        }
    )


#: Macs with an Intel processor are not among them: packages of the lock have no wheels for those.
PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {
        platform.name: platform
        for platform in (
            Platform(
                "windows", "Windows", ("win_amd64",), _markers("win32", "nt", "Windows", "AMD64")
            ),
            Platform("linux", "Linux", _LINUX, _markers("linux", "posix", "Linux", "x86_64")),
            Platform(
                "macos",
                "macOS（Apple 芯片）",
                tuple(mac_platforms((14, 0), "arm64")),
                _markers("darwin", "posix", "Darwin", "arm64"),
            ),
        )
    }
)


@dataclass(frozen=True)
class Target:
    """A platform with one Python, for example Windows with Python 3.11.

    Parameters
    ----------
    platform : Platform
        The kind of machine.
    python : str
        ``"3.11"``; every release of it is served.
    """

    platform: Platform
    python: str

    @property
    def name(self) -> str:
        """Name of its folder and of its list in the kit, ``"windows-3.11"``."""
        return f"{self.platform.name}-{self.python}"

    @property
    def zh(self) -> str:
        """Name shown to people."""
        return f"{self.platform.zh}、Python {self.python}"

    @property
    def first_release(self) -> str:
        """The oldest release of this Python: what runs on it runs on all later ones."""
        return f"{self.python}.0"

    @property
    def environment(self) -> dict[str, str]:
        """Environment markers of the target, as :mod:`packaging.markers` wants them."""
        return {
            **self.platform.markers,
            "implementation_name": "cpython",
            "implementation_version": self.first_release,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_version": "",
            "python_full_version": self.first_release,
            "python_version": self.python,
            "extra": "",
        }

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """Every tag a wheel may have to be installed there."""
        version = tuple(int(part) for part in self.python.split("."))
        interpreter = f"cp{version[0]}{version[1]}"
        platforms = list(self.platform.tags)
        found = [*cpython_tags(version, platforms=platforms)]
        found += compatible_tags(version, interpreter, platforms)
        return frozenset(found)

    def wants(self, requirement: Requirement, extras: tuple[str, ...] = ()) -> bool:
        """Say whether a requirement holds on this machine, possibly by one of some extras."""
        if requirement.marker is None:
            return True
        environments = [{**self.environment, "extra": extra} for extra in ("", *extras)]
        return any(requirement.marker.evaluate(environment) for environment in environments)


@dataclass(frozen=True)
class Pin:
    """One line of a lock.

    Parameters
    ----------
    name : str
        Normalised name of the package.
    version : str
        The only version allowed.
    hashes : frozenset of str
        SHA-256 of its files, hexadecimal.
    """

    name: str
    version: str
    hashes: frozenset[str]


def choose_targets(platforms: tuple[str, ...], pythons: tuple[str, ...]) -> tuple[Target, ...]:
    """Return every combination of platforms and Pythons, each once.

    Raises
    ------
    CourseError
        If a name is not known.
    """
    for name in platforms:
        if name not in PLATFORMS:
            raise CourseError(f"没有“{name}”这种电脑，可选：{'、'.join(PLATFORMS)}。")
    for version in pythons:
        if version not in PYTHONS:
            raise CourseError(f"课程不支持 Python {version}，可选：{'、'.join(PYTHONS)}。")
    pairs = dict.fromkeys((name, version) for name in platforms for version in pythons)
    return tuple(Target(PLATFORMS[name], version) for name, version in pairs)


def read_lock(text: str, target: Target) -> dict[str, Pin]:
    """Return the pins of a lock that hold on a target, by name.

    Parameters
    ----------
    text : str
        A requirements file with ``==`` and hashes, as ``make lock`` writes it.
    target : Target
        For which machine.

    Raises
    ------
    CourseError
        If a line is not a pin with hashes, or two pins of one package hold at once.
    """
    pins: dict[str, Pin] = {}
    for requirement, hashes in _lock_lines(text):
        if not target.wants(requirement):
            continue
        name = canonicalize_name(requirement.name)
        if name in pins:
            raise CourseError(
                f"requirements.lock 给 {target.zh} 定了两个 {name}，请运行 make lock 重新生成。"
            )
        (version,) = [clause.version for clause in requirement.specifier]
        pins[name] = Pin(name, version, hashes)
    return pins


def _lock_lines(text: str) -> Iterator[tuple[Requirement, frozenset[str]]]:
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        head, *options = re.split(r"\s--hash=sha256:", line)
        try:
            requirement = Requirement(head.strip())
        except InvalidRequirement:
            requirement = None
        pinned = requirement and [c.operator for c in requirement.specifier] == ["=="]
        if not pinned or not options:
            raise CourseError(
                f"requirements.lock 里“{head.strip()[:60]}”没有写明版本和校验值，"
                "请运行 make lock 重新生成。"
            )
        yield requirement, frozenset(option.strip() for option in options)
