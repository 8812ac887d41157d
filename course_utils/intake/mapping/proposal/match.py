"""Which table a file feeds, and which of its columns feeds which: the best one-to-one fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from course_utils.contract.model import Column, Contract, Table
from course_utils.intake.mapping.model import is_deliverable
from course_utils.intake.mapping.proposal.evidence import Evidence, fit
from course_utils.intake.mapping.proposal.known_codes import Translation, translate
from course_utils.intake.mapping.proposal.names import NameBook
from course_utils.intake.mapping.units import MONEY

#: From this score on a proposal is written ready to use; from the lower one on as a question.
SURE, UNSURE = 0.7, 0.5
#: A table is proposed from this share of what it needs and what the file has.
TABLE_SURE, TABLE_UNSURE = 0.45, 0.25
#: Fewer columns than this prove no table.
FEWEST = 2
#: A second table is fed by the same file if so many of its own columns are recognised.
SECOND = 3
#: Below this a rate is no percentage but a fraction; a fee of 0.38 % is one.
_FRACTION = {"fee_rate": 0.02}


@dataclass(frozen=True)
class Seen:
    """A source column: its name and what its values look like."""

    name: str
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class ColumnProposal:
    """A source column for a column of the contract.

    Parameters
    ----------
    column : Column
    source : str
    score : float
        0 to 1.
    why : str
        Reason in Chinese.
    unit : str, optional
    unit_guessed : bool
        The unit was guessed from the size of the values: a person has to say.
    translation : Translation
    """

    column: Column
    source: str
    score: float
    why: str
    unit: str | None = None
    unit_guessed: bool = False
    translation: Translation = field(default_factory=lambda: Translation({}))

    @property
    def sure(self) -> bool:
        """It may be used as it stands, once a person has looked at it."""
        return self.score >= SURE and not self.translation.unknown and not self.unit_guessed


@dataclass(frozen=True)
class TableProposal:
    """A table for a file, with its columns.

    Parameters
    ----------
    table : Table
    score : float
        0 to 1.
    columns : tuple of ColumnProposal
        In the order of the contract.
    unused : tuple of str
        Source columns that feed nothing.
    """

    table: Table
    score: float
    columns: tuple[ColumnProposal, ...]
    unused: tuple[str, ...]

    @property
    def borrowed(self) -> bool:
        """Its columns fit, but a row of the file is something else than a row of the table."""
        return sum(c.why.startswith("借用") for c in self.columns) >= 2

    @property
    def sure(self) -> bool:
        """The table is most likely the one."""
        return self.score >= TABLE_SURE and not self.borrowed

    @property
    def missing(self) -> tuple[str, ...]:
        """Key columns that no source column feeds."""
        fed = {c.column.name for c in self.columns}
        return tuple(name for name in self.table.grain if name not in fed)


def propose(
    seen: Sequence[Seen],
    contract: Contract,
    title: str = "",
    unit: str | None = None,
    book: NameBook | None = None,
) -> list[TableProposal]:
    """Return the tables that a file may feed, the likeliest first.

    Parameters
    ----------
    seen : sequence of Seen
        Columns of the file.
    contract : Contract
        Tables and columns to choose from.
    title : str
        Names of file and sheet, and what stands above the header: they often name the table.
    unit : str, optional
        Unit that the file states for its amounts.
    book : NameBook, optional
        Shared by several files.
    """
    names = book or NameBook(contract)
    found = []
    for table in contract.tables.values():
        if not is_deliverable(table):
            continue
        columns = _assign(seen, table, names, unit)
        if len(columns) < FEWEST:
            continue
        score = _table_score(seen, table, columns, title, names)
        taken = {c.source for c in columns}
        unused = tuple(s.name for s in seen if s.name not in taken)
        found.append(TableProposal(table, score, tuple(columns), unused))
    found.sort(key=lambda one: -one.score)
    return [one for one in found if one.score >= TABLE_UNSURE]


def also_feeds(first: TableProposal, others: Iterable[TableProposal]) -> list[TableProposal]:
    """Return further tables that the same file feeds with columns that the first does not use."""
    left = set(first.unused)
    more = []
    for other in others:
        own = [c for c in other.columns if c.source in left and c.score >= SURE]
        if other.table.name == first.table.name or other.missing or len(own) < SECOND:
            continue
        left -= {c.source for c in own}
        more.append(other)
    return more


def _assign(
    seen: Sequence[Seen], table: Table, names: NameBook, unit: str | None
) -> list[ColumnProposal]:
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    columns = [c for c in table.columns.values() if c.protect != "refuse"]
    scores = np.zeros((len(columns), len(seen)))
    whys: dict[tuple[int, int], str] = {}
    for i, column in enumerate(columns):
        for j, source in enumerate(seen):
            scores[i, j], whys[i, j] = _score(source, table, column, names)
    scores[scores < UNSURE] = 0.0
    proposals = []
    for i, j in zip(*linear_sum_assignment(scores, maximize=True), strict=True):
        if scores[i, j] <= 0:
            continue
        proposals.append(_proposal(columns[i], seen[j], float(scores[i, j]), whys[i, j], unit))
    return proposals


def _score(source: Seen, table: Table, column: Column, names: NameBook) -> tuple[float, str]:
    match = names.match(source.name, table, column)
    values = fit(column, source.evidence)
    if match is not None:
        why = match.why
        if source.evidence.filled and values < 0.5:
            why += f"；但内容像{source.evidence.kind}"
        return match.score * (0.35 + 0.65 * values), why
    return _by_values(source, column)


def _by_values(source: Seen, column: Column) -> tuple[float, str]:
    """Score a column whose name says nothing by what it holds."""
    e = source.evidence
    if e.filled < 5:
        return 0.0, ""
    if column.type == "code" and e.few and len(e.distinct) >= 2:
        share = sum(n for value, n in e.distinct.items() if value in column.codes) / e.filled
        if share >= 0.95:
            return 0.6, "内容就是这一列的取值"
    if column.name == "phone_hash" and e.share("phone") >= 0.9:
        return 0.6, "内容像电话号码"
    if column.name == "id_hash" and e.share("person") >= 0.9:
        return 0.6, "内容像证件号码"
    return 0.0, ""


def _proposal(
    column: Column, source: Seen, score: float, why: str, unit: str | None
) -> ColumnProposal:
    evidence = source.evidence
    translation = translate(column, list(evidence.distinct)) if evidence.distinct else None
    said, guessed = _unit(column, source, unit)
    return ColumnProposal(
        column=column,
        source=source.name,
        score=round(min(score, 1.0), 2),
        why=why,
        unit=said,
        unit_guessed=guessed,
        translation=translation or Translation({}),
    )


def _unit(column: Column, source: Seen, stated: str | None) -> tuple[str | None, bool]:
    """Propose a unit from the header or, for rates, from the values: the latter is a guess."""
    name, e = source.name, source.evidence
    if column.type == "money":
        inside = [unit for unit in MONEY if unit != "元" and unit in name]
        found = max(inside, key=len, default=stated)
        return (None if found == "元" else found), False
    if column.type not in ("percent", "ratio") or e.share("percent") > 0:
        return None, False
    for mark, unit in (("‰", "‰"), ("BP", "BP"), ("bp", "BP"), ("基点", "BP")):
        if mark in name:
            return unit, False
    if e.high is None or e.share("number") < 0.9 or "%" in name:
        return None, False
    if column.type == "percent" and 0 < e.high < _FRACTION.get(column.name, 0.3):
        return "小数", True
    return ("百分数", True) if column.type == "ratio" and e.high > 1 else (None, False)


def _table_score(
    seen: Sequence[Seen],
    table: Table,
    columns: Sequence[ColumnProposal],
    title: str,
    names: NameBook,
) -> float:
    """Weigh how much of the file and of the table is explained."""
    found: Mapping[str, float] = {c.column.name: c.score for c in columns}
    got = sum(found.values())
    own = [c for c in table.required_columns] or list(table.columns)
    needed = sum(found.get(name, 0.0) for name in own) / len(own)
    # a wide export has many columns of no interest: the root keeps it from sinking
    explained = got / max(len(seen), 1) ** 0.75
    rich = got / (got + 3.0)
    keys = sum(found.get(k, 0.0) for k in table.grain) / len(table.grain)
    score = 0.3 * needed + 0.2 * min(explained, 1.0) + 0.3 * rich + 0.2 * keys
    hint = _named(title, table, names)
    return round(min(score * (1 + 0.35 * hint) + 0.05 * hint, 0.99), 3)


def _named(title: str, table: Table, names: NameBook) -> float:
    """Say how clearly the title names the table."""
    text = title.lower()
    best = 0.0
    for name in names.table_names(table):
        if len(name) >= 2 and name.lower() in text:
            best = max(best, min(1.0, len(name) / (6 if not name.isascii() else 9)))
    return best
