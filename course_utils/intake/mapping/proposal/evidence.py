"""What the values of a column look like: a guess of its type, and samples that name nobody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from course_utils.contract.model import Column

#: What stands for "nothing" in exports.
BLANK = frozenset(
    {"", "-", "--", "—", "/", "\\n", "null", "none", "nan", "n/a", "#n/a", "nil", "无"}
)
#: Values that are looked at.
LOOKED = 1_000
FEW = 30

_DATE = re.compile(
    r"(?:(\d{4})(\d{2})(\d{2})|(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?)"
    r"(?:[ T]00:00:00(?:\.0+)?)?"
)
_TIME = re.compile(
    r"(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?"
    r"(?:Z|[+-]\d\d:?\d\d)?|(?:19|20)\d{12})"
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?|(?:[01]\d|2[0-3])[0-5]\d[0-5]\d")
_MONTH = re.compile(r"(19|20)\d{2}[-/.年]?(0?[1-9]|1[0-2])月?")
_YEAR = re.compile(r"(19|20)\d{2}年?")
_NUMBER = re.compile(r"[-+(]?[¥￥$]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?\)?[%‰]?")
#: 1.234,56 and 7,5: a comma before one or two decimals.
_COMMA = re.compile(r"[-+(]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d{1,2}\)?")
_SHORT_DATE = re.compile(r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_INTEGER = re.compile(r"[-+(]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.0+)?\)?")
_PHONE = re.compile(r"1[3-9]\d{9}|1[3-9]\d\*{4}\d{4}|0\d{2,3}-?\d{7,8}")
_PERSON = re.compile(r"\d{6}(?:19|20)\d{2}\d{7}[\dXx]|\d{17}[\dXx]|\d{6}\*{8,}\w{2,4}")
_FIRM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}")
_CODE_LIKE = re.compile(r"[0-9A-Za-z_\-]{1,40}")
_HEX = re.compile(r"[0-9a-fA-F\-]{16,64}")
_CHINESE_NAME = re.compile(r"[\u4e00-\u9fff·]{2,4}|[\u4e00-\u9fff]\*{1,3}[\u4e00-\u9fff]?")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_FIRM_NAME = re.compile(r"公司|商行|商店|超市|合作社|经营部|中心|银行|厂|店|局|学校|医院")
#: Pairs that are yes and no.
_FLAGS = frozenset(
    "是,否,有,无,y,n,yes,no,t,f,true,false,0,1,2,√,×,已,未,开通,未开通".split(",")  # noqa: SIM905
)
_SURE = 0.9


@dataclass(frozen=True)
class Evidence:
    """What was seen in the values of one column.

    Parameters
    ----------
    seen, blank : int
        Values looked at, and those that say nothing.
    shares : mapping of str to float
        ``date``, ``timestamp``, ``month``, ``number``, ``integer`` … → share of the others.
    distinct : mapping of str to int
        Different values with their counts, if they are few.
    different : int
        How many different values there are.
    low, high : float, optional
        Of numbers.
    """

    seen: int = 0
    blank: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    different: int = 0
    low: float | None = None
    high: float | None = None
    first: str = ""
    last: str = ""

    @property
    def filled(self) -> int:
        """Values that say something."""
        return self.seen - self.blank

    def share(self, kind: str) -> float:
        """Return the share of a kind among the filled values."""
        return self.shares.get(kind, 0.0)

    @property
    def few(self) -> bool:
        """Few different values stand in many rows: codes."""
        return 0 < self.different <= FEW and self.different * 2 <= self.filled

    @property
    def kind(self) -> str:
        """One word for what the values are."""
        if not self.filled:
            return "空"
        for kind, word in _WORDS:
            if self.share(kind) >= _SURE:
                return "代码" if self.few and kind in ("code", "name") else word
        return "代码" if self.few else "文字"


#: In the order of trust.
_WORDS = (
    ("person", "证件号"),
    ("phone", "电话"),
    ("timestamp", "时间"),
    ("date", "日期"),
    ("clock", "时刻"),
    ("firm", "信用代码"),
    ("long", "长编号"),
    ("percent", "百分数"),
    ("decimal", "小数"),
    ("integer", "整数"),
    ("number", "数字"),
    ("hex", "编号"),
    ("code", "编号"),
    ("name", "姓名或短词"),
)


def look(values: Sequence[str | None]) -> Evidence:
    """Return what the values of a column look like."""
    seen = [clean(value) for value in values[:LOOKED]]
    filled = [value for value in seen if value.lower() not in BLANK]
    if not filled:
        return Evidence(seen=len(seen), blank=len(seen))
    pointed = [_pointed(value) for value in filled]
    shares = {name: sum(map(test, pointed)) / len(filled) for name, test in _TESTS.items()}
    shares["comma"] = sum(a != b for a, b in zip(filled, pointed, strict=True)) / len(filled)
    shares["minus"] = sum(map(_is_negative, pointed)) / len(filled)
    counts = Counter(filled)
    numbers = [n for n in map(as_number, pointed) if n is not None]
    ordered = sorted(filled)
    return Evidence(
        seen=len(seen),
        blank=len(seen) - len(filled),
        shares=shares,
        distinct=dict(counts.most_common(FEW)) if len(counts) <= FEW else {},
        different=len(counts),
        low=min(numbers, default=None),
        high=max(numbers, default=None),
        first=ordered[0],
        last=ordered[-1],
    )


def clean(value: str | None) -> str:
    """Return a cell without the marks with which exports keep numbers as text."""
    return (value or "").replace("\u3000", " ").replace("\x1a", "").strip().strip("'\"=\t").strip()


def _pointed(text: str) -> str:
    """Write 1.234,56 as 1234.56; leave everything else."""
    return text.replace(".", "").replace(",", ".") if _COMMA.fullmatch(text) else text


def _is_negative(text: str) -> bool:
    return text.startswith(("-", "(")) and bool(as_number(text))


def as_number(text: str) -> float | None:
    """Return a number as exports write it, or None; a guess, never used for data."""
    if not text or not _NUMBER.fullmatch(text) or not any(mark.isdigit() for mark in text):
        return None
    bare = text.strip("()¥￥$%‰+").replace(",", "").lstrip("-¥￥$")
    try:
        return float(bare)
    except ValueError:
        return None


def fit(column: Column, evidence: Evidence) -> float:
    """Return how well the values go with a column's type: 1 well, 0.2 hardly; 0.9 if unknown."""
    if not evidence.filled:
        return 0.9
    return _FITS[column.type](column, evidence)


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found:
        return False
    year, month, day = (int(part) for part in found.groups() if part)
    return (1900 <= year <= 2100 or year == 9999) and 1 <= month <= 12 and 1 <= day <= 31


def _is_long(text: str) -> bool:
    return text.isdigit() and len(text) >= 12 and not _PERSON.fullmatch(text)


def _is_name(text: str) -> bool:
    return bool(_CHINESE_NAME.fullmatch(text))


_TESTS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "timestamp": lambda v: bool(_TIME.fullmatch(v)),
    "clock": lambda v: bool(_CLOCK.fullmatch(v)),
    "short_date": lambda v: bool(_SHORT_DATE.fullmatch(v)),
    "month": lambda v: bool(_MONTH.fullmatch(v)),
    "year": lambda v: bool(_YEAR.fullmatch(v)),
    "number": lambda v: as_number(v) is not None,
    "integer": lambda v: bool(_INTEGER.fullmatch(v)),
    "decimal": lambda v: "." in v and as_number(v) is not None,
    "percent": lambda v: v.endswith(("%", "‰")),
    "phone": lambda v: bool(_PHONE.fullmatch(v)),
    "person": lambda v: bool(_PERSON.fullmatch(v)),
    "firm": lambda v: bool(_FIRM.fullmatch(v)),
    "long": _is_long,
    "hex": lambda v: bool(_HEX.fullmatch(v)) and not v.isdigit(),
    "code": lambda v: bool(_CODE_LIKE.fullmatch(v)),
    "name": _is_name,
    "firm_name": lambda v: bool(_FIRM_NAME.search(v)),
    "chinese": lambda v: bool(_CHINESE.search(v)),
    "flag": lambda v: v.lower() in _FLAGS,
}


def _date_fit(column: Column, e: Evidence) -> float:
    if column.type == "timestamp":
        return max(e.share("timestamp"), 0.85 * e.share("date"), 0.2)
    if column.type == "month":
        return max(e.share("month"), 0.95 * e.share("date"), 0.7 * e.share("timestamp"), 0.2)
    serial = 0.8 if e.share("integer") > _SURE and 20_000 < (e.low or 0) < 60_000 else 0
    if e.share("short_date") > _SURE:
        return 0.8
    return max(e.share("date"), 0.95 * e.share("timestamp"), 0.5 * e.share("month"), serial, 0.2)


def _number_fit(column: Column, e: Evidence) -> float:
    if e.share("date") > _SURE and (e.low or 0) > 19_000_000 and column.type != "integer":
        return 0.2
    if e.share("long") > 0.5 or e.share("phone") > 0.5 or e.share("person") > 0.5:
        return 0.2
    share = e.share("number")
    if column.type == "integer":
        if column.name.endswith(("year", "birth_month")):
            return max(e.share("year"), 0.95 * e.share("date"), 0.2)
        if column.name == "hour":
            return max(e.share("clock"), 0.9 * e.share("timestamp"), e.share("integer"), 0.2)
        return max(e.share("integer"), 0.3 * share, 0.2)
    top = e.high or 0
    if column.type == "ratio" and not e.share("percent") and top > 100:
        return 0.3
    if column.type == "percent" and not e.share("percent") and top > 100:
        return 0.3
    return max(share, 0.2)


def _id_fit(column: Column, e: Evidence) -> float:
    for ending, kind in (("phone_hash", "phone"), ("id_hash", "person"), ("uscc_hash", "firm")):
        if column.name == ending and kind != "firm":
            return max(e.share(kind), 0.85 * e.share("hex"), 0.3)
    if e.share("date") > _SURE or e.share("timestamp") > _SURE:
        return 0.25
    if e.share("decimal") > 0.5:
        return 0.25
    if e.share("phone") > _SURE or e.share("person") > _SURE:
        return 0.5
    if e.share("chinese") > _SURE:
        return 0.5  # a name stands where the number is wanted
    return max(e.share("code"), 0.8 * (1 - e.share("decimal")))


def _code_fit(column: Column, e: Evidence) -> float:
    if e.share("date") > _SURE or e.share("decimal") > 0.5 or e.share("long") > 0.5:
        return 0.2
    known = sum(n for value, n in e.distinct.items() if value in column.codes)
    if known and known >= 0.8 * e.filled:
        return 1.0
    return 0.95 if e.few or e.filled < 20 else (0.8 if e.different <= 2 * FEW else 0.45)


def _flag_fit(_: Column, e: Evidence) -> float:
    if e.share("flag") > _SURE:
        return 1.0
    return 0.8 if e.different <= 3 else 0.25


def _text_fit(column: Column, e: Evidence) -> float:
    if e.share("date") > _SURE or e.share("decimal") > 0.5:
        return 0.3
    if column.name.endswith("name") and e.share("number") > _SURE:
        return 0.4
    return 0.7 if e.share("number") > _SURE else 1.0


_FITS: dict[str, Callable[[Column, Evidence], float]] = {
    "id": _id_fit,
    "code": _code_fit,
    "flag": _flag_fit,
    "text": _text_fit,
    "date": _date_fit,
    "month": _date_fit,
    "timestamp": _date_fit,
    "integer": _number_fit,
    "number": _number_fit,
    "money": _number_fit,
    "percent": _number_fit,
    "ratio": _number_fit,
}
