"""The rules of one bank: the catalogue, the contract's limits, and what the profile changes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from course_utils.contract.model import Column, nearest
from course_utils.errors import CourseError
from course_utils.intake.faults import LEVELS, REFUSE, STOP, WARN
from course_utils.intake.rules.catalogue import CATALOGUE, UNREADABLE, VALUE

if TYPE_CHECKING:
    from course_utils.contract.model import Contract

#: Largest share of rejected rows of a table with which it is still published.
MAX_REJECTED_SHARE = 0.05
_LIMITS = ("minimum", "maximum")
#: A bank may let more through, but a table that is mostly wrong teaches nothing.
_LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class RuleChange:
    """One deviation from the default, for the report."""

    key: str
    default: str
    value: str
    meaning: str


@dataclass(frozen=True)
class RuleBook:
    """Levels and limits of the rules.

    Parameters
    ----------
    max_rejected_share : float
        Share of a table's rows, 0 to 1.
    levels : mapping of str to str
        Rule, ``table.rule`` or ``table.column.rule`` → level.
    limits : mapping of str to float
        ``table.column.minimum`` or ``….maximum`` → limit in the contract's unit.
    changes : tuple of RuleChange
    """

    max_rejected_share: float = MAX_REJECTED_SHARE
    levels: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    changes: tuple[RuleChange, ...] = ()

    @classmethod
    def from_profile(
        cls, rules: Mapping[str, Any] | None, contract: Contract | None = None
    ) -> RuleBook:
        """Read ``rules:`` of a profile.

        Parameters
        ----------
        rules : mapping, optional
            ``max_rejected_share``, ``<rule>``, ``<table>.<rule>``, ``<table>.<column>.<rule>`` → a
            level, a number (a limit) or a share.
        contract : Contract, optional
            The project's own if left out.

        Raises
        ------
        CourseError
            An unknown rule, table, column or level, or a change that is not allowed.
        """
        from course_utils.contract import load_contract

        reader = _Reader(contract or load_contract())
        for key, value in (rules or {}).items():
            reader.read(str(key), value)
        return cls(reader.share, reader.levels, reader.limits, tuple(reader.changes))

    def level(self, code: str, table: str, column: Column | None = None, key: bool = False) -> str:
        """Return the level of a rule in one column.

        Where a value may be missing, a cell that cannot be used is blanked and reported as a
        warning instead of costing the row.
        """
        changed = self._changed(code, table, column.name if column else None)
        if changed is not None:
            return changed
        one = CATALOGUE.get(code)
        if one is None:
            return REFUSE
        softened = one.kind in (UNREADABLE, VALUE) and one.level == REFUSE and code != "after_as_of"
        if softened and column is not None and column.nullable and not key:
            return WARN
        return one.level

    def blanks(self, code: str, table: str, column: Column) -> bool:
        """Tell whether a cell that breaks the rule loses its value (its row may stay)."""
        one = CATALOGUE.get(code)
        if one is None or one.kind not in (UNREADABLE, VALUE) or code in ("null", "after_as_of"):
            return False
        if one.kind == UNREADABLE:
            return True
        return column.nullable and self._changed(code, table, column.name) in (None, WARN)

    def limit(self, code: str, table: str, column: Column) -> float | None:
        """Return the lower or upper limit of a column in the contract's unit."""
        default = column.minimum if code == "minimum" else column.maximum
        return self.limits.get(f"{table}.{column.name}.{code}", default)

    def _changed(self, code: str, table: str, column: str | None) -> str | None:
        keys = [f"{table}.{column}.{code}"] if column else []
        for key in [*keys, f"{table}.{code}", code]:
            if key in self.levels:
                return self.levels[key]
        return None


class _Reader:
    """Reads the lines of ``rules:`` one by one."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.share = MAX_REJECTED_SHARE
        self.levels: dict[str, str] = {}
        self.limits: dict[str, float] = {}
        self.changes: list[RuleChange] = []

    def read(self, key: str, value: Any) -> None:
        if key == "max_rejected_share":
            self._share(value)
            return
        *place, code = key.split(".")
        if code not in CATALOGUE:
            raise CourseError(_unknown(key, code))
        column = self._place(key, place)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._limit(key, code, column, float(value))
        else:
            self._level(key, code, column, place, value)

    def _share(self, value: Any) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value <= _LARGEST_SHARE:
            raise CourseError(
                f"bank.yml 的 rules 里 max_rejected_share 应当是 0 到 {_LARGEST_SHARE:g} 之间的数，"
                f"例如 0.02 表示 2%，现在是“{value}”。"
            )
        self.share = float(value)
        if self.share != MAX_REJECTED_SHARE:
            meaning = "一张表里拒收的行最多占多少"
            self._note("max_rejected_share", f"{MAX_REJECTED_SHARE:g}", f"{value:g}", meaning)

    def _place(self, key: str, place: list[str]) -> Column | None:
        if not place:
            return None
        if place[0] not in self.contract.tables:
            guess = nearest(place[0], {t.name: t.zh for t in self.contract.tables.values()})
            raise CourseError(f"bank.yml 的 rules 里“{key}”写的表“{place[0]}”不存在，{guess}。")
        if len(place) == 1:
            return None
        table = self.contract.tables[place[0]]
        if len(place) > 2 or place[1] not in table.columns:
            guess = nearest(".".join(place[1:]), {c.name: c.zh for c in table.columns.values()})
            raise CourseError(f"bank.yml 的 rules 里“{key}”写的列不存在，{guess}。")
        return table.columns[place[1]]

    def _limit(self, key: str, code: str, column: Column | None, value: float) -> None:
        if code not in _LIMITS or column is None:
            raise CourseError(
                f"bank.yml 的 rules 里“{key}”不能写数字：只有“表.列.minimum”和“表.列.maximum”"
                f"可以写数字，其他规则写级别（{'、'.join(LEVELS)}）。"
            )
        if not (value - value == 0):
            raise CourseError(f"bank.yml 的 rules 里“{key}”应当是有限的数字，请改正。")
        default = column.minimum if code == "minimum" else column.maximum
        self.limits[key] = value
        if default != value:
            shown = "没有" if default is None else f"{default:g}"
            self._note(key, shown, f"{value:g}", f"“{column.zh}”的{CATALOGUE[code].zh[2:]}")

    def _level(
        self, key: str, code: str, column: Column | None, place: list[str], value: Any
    ) -> None:
        if value not in LEVELS:
            near = difflib.get_close_matches(str(value), LEVELS, 1, 0.1)
            guess = f"，是不是想写“{near[0]}”" if near else ""
            raise CourseError(
                f"bank.yml 的 rules 里“{key}”的级别“{value}”不认识{guess}？"
                f"可用：{'、'.join(LEVELS)}。"
            )
        one = CATALOGUE[code]
        soft = column is not None and column.nullable and one.kind in (UNREADABLE, VALUE)
        default = WARN if soft and one.level == REFUSE else one.level
        if LEVELS.index(value) > LEVELS.index(default) and not self._may_relax(code, column, place):
            raise CourseError(
                f"bank.yml 的 rules 里“{key}”不能从“{default}”放宽到“{value}”："
                f"“{one.zh}”关系到主键、关联或课程能不能算，只能收紧，请删去这一行并修正数据。"
            )
        self.levels[key] = value
        if value != default:
            self._note(key, default, value, one.zh)

    def _may_relax(self, code: str, column: Column | None, place: list[str]) -> bool:
        if column is not None and column.name in self.contract.tables[place[0]].grain:
            return False
        return CATALOGUE[code].relax

    def _note(self, key: str, default: str, value: str, meaning: str) -> None:
        self.changes.append(RuleChange(key, default, value, meaning))


def _unknown(key: str, code: str) -> str:
    words = ["max_rejected_share", *CATALOGUE]
    names = {one.zh: one.code for one in CATALOGUE.values()}
    if code in names:
        guess = f"请用它的英文名“{names[code]}”"
    else:
        near = difflib.get_close_matches(code, words, 1, 0.5)
        known = CATALOGUE[near[0]].zh if near and near[0] in CATALOGUE else ""
        guess = f"最接近的是“{near[0]}”（{known}）" if near else f"可用：{'、'.join(words)}"
    return f"bank.yml 的 rules 里有不认识的规则“{key}”，{guess}，请核对后重写。"


def worst(levels: list[str]) -> str:
    """Return the worst of some levels; the least for none."""
    return min(levels, key=LEVELS.index, default=LEVELS[-1])


def stops(level: str) -> bool:
    """Tell whether a fault of this level keeps everything from being published."""
    return level == STOP
