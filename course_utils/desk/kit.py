"""What a kit says about itself: ``kit.json`` in its folder."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError

#: Name of the description in the kit's folder.
FILE = "kit.json"


@dataclass(frozen=True)
class House:
    """Packages for one kind of machine, ready to be installed without a network.

    Parameters
    ----------
    requirements : str
        List of packages with hashes, below the kit.
    packages : int
        How many they are.
    installed_bytes : int
        Disk space that they take once installed.
    longest_path : int
        Characters of the longest file name below ``site-packages``.
    """

    requirements: str
    packages: int
    installed_bytes: int
    longest_path: int


@dataclass(frozen=True)
class Kit:
    """A trainee kit on disk.

    Parameters
    ----------
    folder : pathlib.Path
        The kit; it may be read-only.
    bank, title : str
        Code of the bank; what the course is called.
    data_key : str
        Changes whenever the data do.
    data_bytes : int
        Size of the data.
    wheel : str
        The package of the course, below the kit.
    houses : dict of str to House
        By name of the machine, ``"windows-3.11"``; empty in a kit that needs a network.
    """

    folder: Path
    bank: str
    title: str
    data_key: str
    data_bytes: int
    wheel: str
    houses: dict[str, House]

    @classmethod
    def read(cls, folder: Path) -> Kit:
        """Read the description of a kit.

        Raises
        ------
        CourseError
            If it is missing or damaged: the kit was not unpacked as a whole.
        """
        try:
            content = json.loads((folder / FILE).read_text(encoding="utf-8"))
            houses = {name: House(**values) for name, values in content.pop("houses").items()}
            kit = cls(folder=folder, houses=houses, **content)
            complete = (folder / kit.wheel).is_file() and (folder / "data").is_dir()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            complete = False
        if not complete:
            raise CourseError(
                f"“{folder}”里的学员包不完整：请把压缩包整个解压出来（不要在压缩软件里直接双击），"
                "再运行一次。"
            )
        return kit

    def house(self) -> House | None:
        """Return the packages for this machine; None if the kit holds packages for no machine.

        Raises
        ------
        CourseError
            If the kit was made for other machines or another Python.
        """
        if not self.houses:
            return None
        name = f"{machine()}-{sys.version_info[0]}.{sys.version_info[1]}"
        if name not in self.houses:
            raise CourseError(
                f"这个学员包是给 {'、'.join(sorted(self.houses))} 准备的，这台电脑上是 {name}："
                "请向讲师要合适的学员包，或改用浏览器课堂。"
            )
        return self.houses[name]


def machine() -> str:
    """Return the kind of this machine as kits call it, ``"windows"``."""
    kind = {"win32": "windows", "linux": "linux", "darwin": "macos"}.get(sys.platform, sys.platform)
    known = {"windows": "amd64", "linux": "x86_64", "macos": "arm64"}.get(kind)
    here = platform.machine().lower()
    return kind if here == known and sys.maxsize > 2**32 else f"{kind}-{here}"
