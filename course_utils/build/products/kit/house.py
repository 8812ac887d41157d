"""A wheelhouse: every package that one kind of machine needs to run the lessons, and no other.

Which packages those are is not written down anywhere: it follows from what the wheels say about
themselves, starting with the trainee's wheel of course_utils. The same walk proves that a
wheelhouse is complete without a machine of that kind at hand.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from functools import cached_property
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from course_utils.build.execution.inputs import file_hash
from course_utils.build.products.kit.targets import Target
from course_utils.errors import CourseError


@dataclass(frozen=True)
class Wheel:
    """A wheel on disk and what it says about itself.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    name : str
        Normalised name of the package.
    version : packaging.version.Version
        Its version.
    tags : frozenset of packaging.tags.Tag
        Machines it is for.
    requires : tuple of packaging.requirements.Requirement
        What it needs, with markers.
    python : packaging.specifiers.SpecifierSet
        Pythons it runs on.
    """

    path: Path
    name: str
    version: Version
    tags: frozenset[Tag]
    requires: tuple[Requirement, ...]
    python: SpecifierSet

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """Read name and metadata of a wheel.

        Raises
        ------
        CourseError
            If the file is not a readable wheel.
        """
        try:
            name, version, _, tags = parse_wheel_filename(path.name)
            with zipfile.ZipFile(path) as archive:
                (member,) = [
                    n
                    for n in archive.namelist()
                    if n.endswith(".dist-info/METADATA") and n.count("/") == 1
                ]
                head = BytesHeaderParser().parsebytes(archive.read(member))
            requires = tuple(Requirement(text) for text in head.get_all("Requires-Dist") or ())
            python = SpecifierSet(head.get("Requires-Python") or "")
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise CourseError(f"“{path.name}”不是完好的安装包，请删掉它再运行一次。") from error
        return cls(path, name, version, tags, requires, python)

    @cached_property
    def sha256(self) -> str:
        """Hash of the file."""
        return file_hash(self.path)

    def fits(self, target: Target) -> bool:
        """Say whether this wheel can be installed on a machine."""
        return bool(self.tags & target.tags) and self.python.contains(target.first_release)


def closure(roots: Iterable[Wheel], house: Mapping[str, Wheel], target: Target) -> list[Wheel]:
    """Return everything that some wheels need on a machine, themselves included.

    Parameters
    ----------
    roots : iterable of Wheel
        Where to begin.
    house : mapping of str to Wheel
        What is there, by normalised name.
    target : Target
        The machine.

    Returns
    -------
    list of Wheel
        Sorted by name.

    Raises
    ------
    CourseError
        If something needed is not there, is of a wrong version, or is for other machines.
    """
    found: dict[str, Wheel] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting: list[tuple[Wheel, frozenset[str]]] = [(wheel, frozenset()) for wheel in roots]
    while waiting:
        wheel, extras = waiting.pop()
        if (wheel.name, extras) in seen:
            continue
        seen.add((wheel.name, extras))
        if not wheel.fits(target):
            raise CourseError(f"安装包 {wheel.path.name} 不能用于 {target.zh}，请运行 make lock。")
        found[wheel.name] = wheel
        for need in wheel.requires:
            if target.wants(need, tuple(extras)):
                waiting.append((_provider(need, wheel, house, target), frozenset(need.extras)))
    return [found[name] for name in sorted(found)]


def _provider(need: Requirement, user: Wheel, house: Mapping[str, Wheel], target: Target) -> Wheel:
    wheel = house.get(canonicalize_name(need.name))
    if wheel is None or not need.specifier.contains(wheel.version, prereleases=True):
        found = f"只有 {wheel.version}" if wheel else "没有"
        raise CourseError(
            f"给 {target.zh} 的安装包不全：{user.name} 要用 {need.name}{need.specifier}，"
            f"{found}；请运行 make lock 后再试。"
        )
    return wheel


def requirements_text(wheels: Iterable[Wheel]) -> str:
    """Return a requirements file that allows exactly these files."""
    lines = [
        f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}"
        for wheel in sorted(wheels, key=lambda wheel: wheel.name)
    ]
    return "\n".join(lines) + "\n"
