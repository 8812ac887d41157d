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

from course_utils.errors import CourseError
from course_utils.paths import data_dir

if TYPE_CHECKING:
    import pandas as pd

CODE_PATTERN = re.compile(r"[a-z][a-z0-9_-]{1,31}")
#: Names Windows reserves for devices: a folder of that name cannot be made there.
RESERVED = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)}


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
    from ruamel.yaml.error import YAMLError

    try:
        with path.open(encoding="utf-8") as stream:
            return YAML(typ="safe").load(stream)
    except UnicodeDecodeError:
        raise CourseError(f"{path.name} 不是 UTF-8 编码，请另存为 UTF-8 后再试。") from None
    except ValueError as error:
        # an impossible date such as 2025-13-31 fails while the file is being read
        raise CourseError(
            f"{path.parent.name}/{path.name} 里有读不懂的值（{error}），"
            "日期请写成 2025-12-31 这样，文字请加引号。"
        ) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"第 {mark.line + 1} 行第 {mark.column + 1} 列附近" if mark else "某处"
        raise CourseError(
            f"{path.parent.name}/{path.name} 在{where}写法不对，"
            "请检查缩进、冒号后的空格、引号是否成对、键有没有重复。"
        ) from None


def load_profile(code: str) -> Profile:
    """Read the profile of one bank.

    Raises
    ------
    CourseError
        If the bank is unknown, the file is broken, or a key is missing, unknown or of the
        wrong type.
    """
    banks = list_banks()
    if not isinstance(code, str) or not CODE_PATTERN.fullmatch(code) or code in RESERVED:
        raise CourseError(
            f"银行代号“{code}”不合规：只能用小写字母开头的字母、数字、_、-；现有：{'、'.join(banks)}。"
        )
    if code not in banks:
        near = difflib.get_close_matches(code, banks, 1)
        guess = f"是不是想写“{near[0]}”？" if near else ""
        raise CourseError(f"没有代号为“{code}”的银行。{guess}现有：{'、'.join(banks)}。")
    return _build(code, read_yaml(data_dir("banks") / code / "bank.yml"))


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
    for key in ("world", "effects", "parameters"):
        values[key] = raw.get(key) or {}
        if not isinstance(values[key], dict):
            raise CourseError(f"{where} 的“{key}”应当是下一级缩进的“键: 值”，请检查缩进。")
    return Profile(code=code, **values)


def _as_date(value: Any, where: str) -> pd.Timestamp:
    import pandas as pd

    if isinstance(value, datetime.date | str):
        date = pd.to_datetime(value, format="%Y-%m-%d", errors="coerce")
        if date is not pd.NaT:
            return date
    raise CourseError(f"{where} 的“as_of”应写成 2025-12-31 这样的日期，现在是“{value}”。")
