"""The bank profile: ``data/banks/<bank>/bank.yml`` read strictly into a frozen dataclass."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.bank.strict_yaml import check_plain, explained
from course_utils.errors import CourseError
from course_utils.paths import data_dir
from course_utils.visible import visible

if TYPE_CHECKING:
    import pandas as pd

CODE_PATTERN = re.compile(r"[a-z][a-z0-9_-]{1,31}")
#: Names Windows reserves for devices: a folder of that name cannot be made there.
RESERVED = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)}

#: Characters of a name; all outputs show it.
LONGEST_TEXT = 200
#: Keys that say how a bank is made up, and keys that only a real bank's data need.
SYNTHETIC_KEYS = ("seed", "persons", "world", "effects")
REAL_KEYS = ("rules", "privacy", "purge_on")
#: Values of ``release``.
RELEASES = ("", "class")


@dataclass(frozen=True)
class Profile:
    """What an instructor says about one bank.

    Parameters
    ----------
    code : str
        Folder name of the bank, for example ``"coastal"``.
    name : str
        Name shown to people.
    kind : str
        One Chinese phrase that says what kind of bank it is.
    as_of : pandas.Timestamp
        Date at which all analyses stand.
    seed : int
        Seed of the synthetic bank.
    persons : int
        Number of persons in the synthetic bank.
    world : mapping
        Place and economy settings of the synthetic bank.
    effects : mapping
        ``{lesson: {key: value}}`` overrides of planted effects.
    parameters : mapping
        ``{"common": {NAME: value}, lesson: {NAME: value}}`` overrides of lesson parameters.
    rules : mapping
        Of a real bank: rules of the intake that it tightens or relaxes.
    privacy : mapping
        Of a real bank: what it sets differently in de-identification, and why.
    purge_on : datetime.date, optional
        Of a real bank: day by which its data must be gone.
    department, contact : str
        Of a real bank: who answers for the data.
    origin : str
        Of a class release: code of the bank it was made from.
    release : str
        ``"class"`` for what trainees get of a real bank, else empty.
    """

    code: str
    name: str
    kind: str
    as_of: pd.Timestamp
    seed: int = 0
    persons: int = 20_000
    world: Mapping[str, Any] = field(default_factory=dict)
    effects: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)
    privacy: Mapping[str, Any] = field(default_factory=dict)
    purge_on: datetime.date | None = None
    department: str = ""
    contact: str = ""
    origin: str = ""
    release: str = ""

    @property
    def is_real(self) -> bool:
        """Its numbers are a real bank's: it has a mapping, or is what was released of one."""
        return bool(self.release or self.origin) or _has_mapping(self.code)

    def replace(self, **changes: Any) -> Profile:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def lesson_parameters(self, lesson: str) -> dict[str, Any]:
        """Return the parameter overrides for `lesson` (its short or full name)."""
        short = "_".join(lesson.split("_")[:2])
        merged: dict[str, Any] = dict(self.parameters.get("common") or {})
        for key in (short, lesson):
            merged.update(self.parameters.get(key) or {})
        return merged


def list_banks() -> list[str]:
    """Return the codes of all banks that have a profile, sorted."""
    folder = data_dir("banks")
    return sorted(path.parent.name for path in folder.glob("*/bank.yml"))


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file; a syntax error or a doubled key becomes one Chinese sentence."""
    from ruamel.yaml import YAML

    with explained(path), path.open(encoding="utf-8") as stream:
        return YAML(typ="safe").load(stream)


def check_code(code: str) -> str:
    """Return a bank's code if it may name a folder.

    Raises
    ------
    CourseError
        If it may not: a path, a name that Windows reserves, anything but small letters, digits,
        ``_`` and ``-``.
    """
    if not isinstance(code, str) or not CODE_PATTERN.fullmatch(code) or code in RESERVED:
        raise CourseError(
            f"银行代号“{code}”不合规：只能用小写字母开头的字母、数字、_、-（2 到 32 个），"
            f"也不能是 con 这类系统保留名；现有：{'、'.join(list_banks())}。"
        )
    return code


def load_profile(code: str) -> Profile:
    """Read the profile of one bank.

    Raises
    ------
    CourseError
        If the bank is unknown, the file is broken, or a key is missing, unknown or of the
        wrong type.
    """
    banks = list_banks()
    if check_code(code) not in banks:
        near = difflib.get_close_matches(code, banks, 1)
        guess = f"是不是想写“{near[0]}”？" if near else ""
        raise CourseError(f"没有代号为“{code}”的银行。{guess}现有：{'、'.join(banks)}。")
    path = data_dir("banks") / code / "bank.yml"
    check_plain(path)
    return _build(code, read_yaml(path))


def _build(code: str, raw: Any) -> Profile:
    where = f"data/banks/{code}/bank.yml"
    if not isinstance(raw, dict):
        raise CourseError(f"{where} 应当是“键: 值”的形式，现在读出来的不是，请对照示例银行修改。")
    known = {f.name for f in dataclasses.fields(Profile)} - {"code"}
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            guess = f"，是不是想写“{near[0]}”" if near else ""
            raise CourseError(
                f"{where} 里有不认识的键“{key}”{guess}？可用：{'、'.join(sorted(known))}。"
            )
    for key in ("name", "kind", "as_of"):
        if key not in raw:
            raise CourseError(f"{where} 缺少“{key}”，请补上这一行。")
    values = dict(raw)
    values["as_of"] = _as_date(raw["as_of"], where)
    for key in ("seed", "persons"):
        if key in raw and (not isinstance(raw[key], int) or isinstance(raw[key], bool)):
            raise CourseError(f"{where} 的“{key}”应当是整数，现在是“{raw[key]}”。")
    for key in ("world", "effects", "parameters", "rules", "privacy"):
        values[key] = raw.get(key) or {}
        if not isinstance(values[key], dict):
            raise CourseError(f"{where} 的“{key}”应当是下一级缩进的“键: 值”，请检查缩进。")
    for key in ("name", "kind", "department", "contact", "origin", "release"):
        if not isinstance(values.get(key, ""), str):
            raise CourseError(f"{where} 的“{key}”应当是文字，现在是“{values[key]}”，请加引号。")
        text = values.get(key, "")
        if text != visible(text) or len(text.splitlines()) > 1 or len(text) > LONGEST_TEXT:
            raise CourseError(
                f"{where} 的“{key}”有看不见的字符、换了行或超过 {LONGEST_TEXT} 字，请改写。"
            )
    if raw.get("purge_on") is not None:
        values["purge_on"] = _as_date(raw["purge_on"], where, "purge_on").date()
    profile = Profile(code=code, **values)
    _check_real(profile, raw, where)
    return profile


def _check_real(profile: Profile, raw: Mapping[str, Any], where: str) -> None:
    """Refuse settings of a synthetic bank in a real one, and the other way round."""
    if profile.release not in RELEASES:
        raise CourseError(f"{where} 的“release”只能写 class 或不写，现在是“{profile.release}”。")
    if bool(profile.release) != bool(profile.origin):
        raise CourseError(f"{where} 的 release 与 origin 要一起写：课堂版注明取自哪家银行。")
    if profile.origin:
        check_code(profile.origin)
    foreign = SYNTHETIC_KEYS if profile.is_real else REAL_KEYS
    for key in foreign:
        if raw.get(key) not in (None, {}, ""):
            whose = "合成银行" if profile.is_real else "真实银行"
            raise CourseError(f"{where} 的“{key}”只用于{whose}，这家银行请删去这一项。")


def _has_mapping(code: str) -> bool:
    return (data_dir("banks") / code / "mapping.yml").is_file()


def _as_date(value: Any, where: str, key: str = "as_of") -> pd.Timestamp:
    import pandas as pd

    if isinstance(value, datetime.date | str):
        date = pd.to_datetime(value, format="%Y-%m-%d", errors="coerce")
        if date is not pd.NaT:
            return date
    raise CourseError(f"{where} 的“{key}”应写成 2025-12-31 这样的日期，现在是“{value}”。")
