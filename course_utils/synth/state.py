"""The state that the generators of the synthetic bank pass to each other."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from course_utils.bank import Profile
    from course_utils.synth.effects import Effects


@dataclass
class Simulation:
    """One synthetic bank while it is being generated.

    Parameters
    ----------
    profile : Profile
        The bank's profile (seed, number of persons, as-of date, rates, place names).
    effects : Effects
        Planted parameters: ``effects.value("m02_n02", "contact_effect")``. Every generator asks
        here, never types a planted number, so that an effect can be switched off as a whole.

    Attributes
    ----------
    people : pandas.DataFrame
        One row a customer, in customer order: public attributes and latent ones (wealth, need,
        price_sensitivity, loyalty, pd, digital, business_size, …). Never written to the warehouse.
    tables : dict of str to pandas.DataFrame
        Finished contract tables.
    arrays : dict of str to numpy.ndarray
        Wide panels ``[customer, month]`` that one generator hands to a later one.
    truth : dict
        ``truth[lesson][key] = {"planted": …, "realised": …, "note": …}``.
    """

    profile: Profile
    effects: Effects
    people: pd.DataFrame = field(default_factory=pd.DataFrame)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    truth: dict[str, dict[str, Any]] = field(default_factory=dict)
    _parts: dict[str, list[pd.DataFrame]] = field(default_factory=dict)

    def rng(self, name: str) -> np.random.Generator:
        """Return the random stream called `name`.

        Streams are independent of each other and of the order of calls, so that a new table
        leaves the values of all other tables as they were.
        """
        return np.random.default_rng([self.profile.seed, zlib.crc32(name.encode("utf-8"))])

    @property
    def as_of(self) -> pd.Timestamp:
        """As-of date of the bank."""
        return self.profile.as_of

    def months(self, count: int = 24) -> pd.DatetimeIndex:
        """Return the last `count` month-end dates up to the as-of date."""
        return pd.date_range(end=self.as_of, periods=count, freq="ME").as_unit("s")

    def append(self, table: str, rows: pd.DataFrame) -> None:
        """Add rows to a table that several generators fill (contact_log, loan_application …)."""
        self._parts.setdefault(table, []).append(rows)

    def take_parts(self, table: str) -> pd.DataFrame:
        """Return and forget all rows appended to `table`, in the order they came."""
        parts = self._parts.pop(table, [])
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def record(self, lesson: str, key: str, realised: Any, note: str = "") -> None:
        """Write one planted truth with its realised value to the truth."""
        self.truth.setdefault(lesson, {})[key] = {
            "planted": self.effects.planted(lesson, key),
            "realised": realised,
            "note": note,
        }
