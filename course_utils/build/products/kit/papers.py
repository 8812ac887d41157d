"""What people and machines read first in a kit: README, start scripts, ``kit.json``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from course_utils.build.products.data_words import SYNTHETIC
from course_utils.build.products.kit.targets import PYTHONS, Target
from course_utils.desk.kit import FILE, House

#: Names of scripts that are run, not read.
EXECUTABLE = ("install.sh", "start.sh")
MEGABYTE = 1024**2


@dataclass(frozen=True)
class Facts:
    """What a kit's papers say.

    Parameters
    ----------
    bank, name, as_of : str
        Code and name of the bank, date of the data.
    data_key : str
        Changes whenever the data do.
    data_bytes : int
        Size of the data.
    wheel : str
        Path of the course's package in the kit.
    houses : mapping of str to House
        Packages by machine; empty if the kit needs a network.
    targets : sequence of Target
        The machines.
    python : bool
        Whether a Python for Windows is in the kit.
    about : str
        Whether the data are made up or come from real customers.
    """

    bank: str
    name: str
    as_of: str
    data_key: str
    data_bytes: int
    wheel: str
    houses: Mapping[str, House] = dataclasses.field(default_factory=dict)
    targets: Sequence[Target] = ()
    python: bool = False
    about: str = SYNTHETIC

    @property
    def pythons(self) -> list[str]:
        """Versions of Python that the kit can be installed with, in the order of preference."""
        return list(dict.fromkeys(target.python for target in self.targets)) or list(PYTHONS)


def papers(facts: Facts) -> dict[str, bytes]:
    """Return README, scripts, notes and description of a kit, by name within the kit."""
    note = _text("no_python", pythons=" 或 ".join(f"Python {version}" for version in facts.pythons))
    windows = _on("windows", facts)
    others = list(dict.fromkeys([*_on("linux", facts), *_on("macos", facts)]))
    return {
        "README.md": _readme(facts).encode("utf-8"),
        "start.bat": _crlf(_start_bat(facts, windows or facts.pythons)),
        "install.bat": _crlf(_text("install_bat")),
        "start.sh": _start_sh(facts, others or facts.pythons).encode("ascii"),
        "install.sh": _text("install_sh").encode("ascii"),
        "help/no_python.txt": note.encode("utf-8"),
        # cmd's `type` shows this whatever the code page is: it knows UTF-16 by its first bytes
        "help/no_python_windows.txt": b"\xff\xfe" + note.replace("\n", "\r\n").encode("utf-16-le"),
        FILE: _description(facts),
    }


def _text(paper: str, /, **values: str) -> str:
    folder = resources.files("course_utils.build.products.kit").joinpath("papers")
    text = folder.joinpath(f"{paper}.txt").read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("ascii")


def _on(platform: str, facts: Facts) -> list[str]:
    return [target.python for target in facts.targets if target.platform.name == platform]


def _tuples(versions: Iterable[str]) -> list[str]:
    return [f"({version.replace('.', ',')})" for version in versions]


def _start_bat(facts: Facts, versions: Sequence[str]) -> str:
    probes, launches = [], []
    for version in versions:
        label = f"py{version.replace('.', '')}"
        probes.append(f'py -{version} -I -c "%TEST%" >nul 2>nul')
        probes.append(f'if "%errorlevel%"=="0" goto {label}')
        launches += [f":{label}", f'py -{version} -I -X utf8 "%DESK%" "%~dp0." %*', "goto done", ""]
    return _text(
        "start_bat",
        wheel=facts.wheel.replace("/", "\\"),
        allowed=",".join(f"({pair},'win-amd64')" for pair in _tuples(versions)),
        probes="\n".join(probes),
        launches="\n".join(launches).rstrip("\n") + "\n",
    )


def _start_sh(facts: Facts, versions: Sequence[str]) -> str:
    return _text(
        "start_sh",
        wheel=facts.wheel,
        allowed=", ".join(_tuples(versions)),
        names=" ".join(f"python{version}" for version in versions),
    )


def _readme(facts: Facts) -> str:
    offline = bool(facts.houses)
    machines = "；".join(target.zh for target in facts.targets)
    versions = " 或 ".join(f"Python {version}" for version in facts.pythons)
    if facts.python:
        served = "这个学员包自带 Python（Windows），电脑上什么都不用先装。"
    elif offline:
        served = f"这个学员包给：{machines}。电脑上要先有 {versions}（64 位）。"
    else:
        served = f"这个学员包不带安装包，第一次安装要联网。电脑上要先有 {versions}（64 位）。"
    packages = max((house.installed_bytes for house in facts.houses.values()), default=0)
    space = round((packages or 900 * MEGABYTE) + facts.data_bytes, -8) / MEGABYTE
    return _text(
        "README",
        name=facts.name,
        about=facts.about,
        as_of=facts.as_of,
        bank=facts.bank,
        served=served,
        minutes="两到五分钟" if offline else "十分钟，看网速",
        network="不需要网络，不需要管理员权限。" if offline else "这一步要联网，以后就不用了。",
        space=f"{space:.0f} MB",
    )


def _description(facts: Facts) -> bytes:
    content = {
        "bank": facts.bank,
        "title": f"{facts.name}：普惠金融数据实战",
        "data_key": facts.data_key,
        "data_bytes": facts.data_bytes,
        "wheel": facts.wheel,
        "houses": {name: dataclasses.asdict(house) for name, house in facts.houses.items()},
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
