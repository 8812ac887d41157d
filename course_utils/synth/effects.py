"""Planted effects: every number that the synthetic bank hides for a lesson to find."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.paths import data_dir

_UNIT = re.compile(r"^([+-]?\d+(?:\.\d+)?)(?:x|bp)$")
_RANGE = re.compile(r"^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$")


def parse_value(text: str) -> Any:
    """Turn the text of a planted value into a Python value.

    Parameters
    ----------
    text : str
        Cell of the column ``value`` or ``null_value``.

    Returns
    -------
    object
        ``"0.09"`` → 0.09 (float; also ``"150bp"`` → 150.0 and ``"4x"`` → 4.0);
        ``"true"`` → True; ``"28-38"`` → (28.0, 38.0); ``"B11,B22"`` → list of parsed parts;
        ``"0.08:0.31"`` → [0.08, 0.31]; ``"B07:0.22,other:0.05"`` or ``"B03:4x"`` → dict by name;
        anything else → the text itself.
    """
    text = text.strip()
    if "," in text:
        parts = [parse_value(part) for part in text.split(",")]
        if all(isinstance(part, dict) for part in parts):
            return {name: value for part in parts for name, value in part.items()}
        return parts
    if ":" in text:
        name, _, value = text.partition(":")
        left, right = parse_value(name), parse_value(value)
        return {left: right} if isinstance(left, str) else [left, right]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if match := _UNIT.match(text):
        return float(match.group(1))
    if match := _RANGE.match(text):
        return float(match.group(1)), float(match.group(2))
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Effect:
    """One planted truth.

    Parameters
    ----------
    lesson, key : str
        Where it is found, for example ``m02_n02``, ``contact_effect``.
    kind : str
        effect, assoc, level, segment, trap, defect or event.
    value : object
        Parsed planted value (see `parse_value`).
    null_value : object or None
        Parsed value when effects are switched off; None when the truth is planted in both versions.
    tolerance : float or None
        Largest accepted distance of a recovered estimate, in units of the value.
    note : str
        What is measured.
    """

    lesson: str
    key: str
    kind: str
    value: Any
    null_value: Any = None
    tolerance: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Effects:
    """All planted truths of one synthetic bank, switched on or off as a whole.

    Parameters
    ----------
    entries : mapping of (str, str) to Effect
        By lesson and key.
    active : bool, default True
        False gives the null version: causal effects take their null value, defects, levels and
        traps stay.
    """

    entries: Mapping[tuple[str, str], Effect]
    active: bool = True

    def entry(self, lesson: str, key: str) -> Effect:
        """Return the whole entry; CourseError if nothing is planted under that name."""
        try:
            return self.entries[lesson, key]
        except KeyError:
            raise CourseError(
                f"埋设真值表中没有 {lesson} 的“{key}”，"
                "请在 data/reference/planted_effects.csv 中补上这一行，或改正名称。"
            ) from None

    def planted(self, lesson: str, key: str) -> Any:
        """Return the value that is planted in this version of the bank."""
        entry = self.entry(lesson, key)
        if not self.active and entry.null_value is not None:
            return entry.null_value
        return entry.value

    def value(self, lesson: str, key: str, part: str | None = None) -> Any:
        """Return the planted value, or one named part of it.

        Parameters
        ----------
        lesson, key : str
            Name of the truth.
        part : str, optional
            Name inside a value by name: ``value("m00_n01", "bad_phone_branch", "B07")``.

        Returns
        -------
        object
            Float, str, bool, tuple, list or dict, see `parse_value`.
        """
        planted = self.planted(lesson, key)
        return planted if part is None else planted[part]

    def on(self) -> Effects:
        """Return the version with all effects."""
        return replace(self, active=True)

    def off(self) -> Effects:
        """Return the null version: no causal effect, same defects and levels."""
        return replace(self, active=False)

    def override(self, changes: Mapping[str, Mapping[str, Any]]) -> Effects:
        """Return a copy with some values changed.

        Parameters
        ----------
        changes : mapping
            ``{lesson: {key: value}}`` as in the ``effects`` part of a bank's profile. Text is
            parsed like the table; numbers are taken as they are.

        Returns
        -------
        Effects
            Changed copy.

        Raises
        ------
        CourseError
            If a lesson or key is not in the table.
        """
        entries = dict(self.entries)
        for lesson, values in changes.items():
            for key, raw in values.items():
                value = parse_value(raw) if isinstance(raw, str) else raw
                entries[lesson, key] = replace(self.entry(lesson, key), value=value)
        return replace(self, entries=entries)


def _read(path: Path) -> dict[tuple[str, str], Effect]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    entries: dict[tuple[str, str], Effect] = {}
    for row in rows:
        name = row["lesson"], row["key"]
        if name in entries:
            raise CourseError(
                f"埋设真值表 {path.name} 中 {name[0]} 的“{name[1]}”出现了两次，请删去一行。"
            )
        entries[name] = Effect(
            lesson=row["lesson"],
            key=row["key"],
            kind=row["kind"],
            value=parse_value(row["value"]),
            null_value=parse_value(row["null_value"]) if row["null_value"] else None,
            tolerance=float(row["tolerance"]) if row["tolerance"] else None,
            note=row["note"],
        )
    return entries


def load_effects(
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    active: bool = True,
    path: Path | None = None,
) -> Effects:
    """Read the table of planted truths.

    Parameters
    ----------
    changes : mapping, optional
        Overrides of the bank's profile, ``{lesson: {key: value}}``.
    active : bool, default True
        Whether causal effects are on.
    path : Path, optional
        Another table than ``data/reference/planted_effects.csv``.

    Returns
    -------
    Effects
        All truths of this bank.
    """
    effects = Effects(_read(path or data_dir("reference") / "planted_effects.csv"), active)
    return effects.override(changes) if changes else effects
