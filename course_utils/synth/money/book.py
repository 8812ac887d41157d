"""The working state of the money generators: wide integer-cent arrays over customers and months.

Months are counted over sixty month ends (``HISTORY``); the published panel is the last
twenty-four of them (``PANEL``). Money is int64 cents, days are int64 days since 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from course_utils.synth.state import Simulation

#: Months over which time deposits are simulated.
HISTORY = 60
#: Months of the published panel.
PANEL = 24
#: Index of the first panel month in the history.
FIRST = HISTORY - PANEL
#: A close day later than any date: the account is open.
OPEN = np.int64(10**7)


def day_number(dates: object) -> np.ndarray:
    """Return int64 days since 1970-01-01 of dates (NaT gives a huge negative number)."""
    return np.asarray(pd.DatetimeIndex(dates).values.astype("datetime64[D]").astype(np.int64))


def as_dates(days: np.ndarray, missing: np.ndarray | None = None) -> np.ndarray:
    """Return datetime64[s] of day numbers; rows where `missing` is true become NaT."""
    dates = np.asarray(days, dtype=np.int64).astype("datetime64[D]").astype("datetime64[s]")
    if missing is not None:
        dates[missing] = np.datetime64("NaT")
    return dates


def to_cents(yuan: np.ndarray) -> np.ndarray:
    """Return whole cents of an amount in 元."""
    return np.rint(np.asarray(yuan, dtype=float) * 100).astype(np.int64)


def add_months(days: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Add calendar months to day numbers, clipping to the last day of the target month.

    Parameters
    ----------
    days : numpy.ndarray of int64, shape (n,)
        Day numbers.
    months : numpy.ndarray of int, shape (n,)
        Months to add.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)
    """
    date = np.asarray(days, dtype=np.int64).astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    day_in_month = (date - month.astype("datetime64[D]")).astype(np.int64)
    target = month + np.asarray(months).astype("timedelta64[M]")
    first = target.astype("datetime64[D]").astype(np.int64)
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64) - 1
    return np.minimum(first + day_in_month, last)


class BalancedDraw:
    """Yes/no draws whose number stays close to its expectation, in every group and over time.

    Systematic sampling in random order: each row keeps its own probability, but within a group
    the number of successes of all calls together differs from the sum of the probabilities by
    less than one. One bank of 20 000 persons then shows its planted rates, whatever the seed.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random stream.
    groups : int, default 1
        Number of groups.
    """

    def __init__(self, rng: np.random.Generator, groups: int = 1) -> None:
        self._rng = rng
        self._carry = rng.random(groups)

    def draw(self, probability: np.ndarray, group: np.ndarray | None = None) -> np.ndarray:
        """Draw one outcome for each row.

        Parameters
        ----------
        probability : numpy.ndarray of float, shape (n,)
            Probability of each row, below one.
        group : numpy.ndarray of int, shape (n,), optional
            Group of each row; all in group 0 if left out.

        Returns
        -------
        numpy.ndarray of bool, shape (n,)
        """
        n = len(probability)
        order = self._rng.permutation(n)
        label = np.zeros(n, dtype=np.int64) if group is None else np.asarray(group)[order]
        result = np.zeros(n, dtype=bool)
        for value in np.unique(label):
            rows = order[label == value]
            sums = np.cumsum(probability[rows]) + self._carry[value]
            result[rows] = np.diff(np.floor(sums), prepend=0.0) > 0
            self._carry[value] = sums[-1] % 1.0
        return result


@dataclass
class Deposits:
    """Time deposits as columns of equal length; one entry a deposit.

    ``customer`` row of the customer, ``kind`` 1 定期 2 大额存单 3 通知, ``term`` months,
    ``open``/``maturity``/``close`` day numbers (`OPEN` while open), ``amount`` cents, ``rate`` %,
    ``source`` index of the deposit it renews (−1 none), ``kept`` cents of own products thirty
    days after maturity (−1 unknown), ``channel`` code, ``auto`` flag, ``slot`` chain number.
    """

    columns: dict[str, np.ndarray]

    def __getattr__(self, name: str) -> np.ndarray:
        try:
            return self.__dict__["columns"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __len__(self) -> int:
        return len(self.columns["customer"])


@dataclass
class Book:
    """Everything the money generators share.

    Attributes
    ----------
    n : int
        Number of customers (persons first, then enterprises).
    person : numpy.ndarray of bool, shape (n,)
        False for enterprises.
    weight : numpy.ndarray of int64, shape (n,)
    branch : numpy.ndarray of int64, shape (n,)
        Position of the branch.
    opened : numpy.ndarray of int64, shape (n,)
        Day the customer came.
    month_end : numpy.ndarray of int64, shape (HISTORY + 1,)
        Day number of each month end; the first is the day before the history begins.
    """

    sim: Simulation
    people: pd.DataFrame
    n: int
    person: np.ndarray
    active: np.ndarray
    weight: np.ndarray
    branch: np.ndarray
    branches: int
    opened: np.ndarray
    open_month: np.ndarray
    month_end: np.ndarray
    months: pd.DatetimeIndex
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def panel_end(self) -> np.ndarray:
        """Day numbers of the panel's month ends with the one before it, shape (PANEL + 1,)."""
        return self.month_end[FIRST:]

    def exists(self) -> np.ndarray:
        """Whether the customer exists at each panel month end, bool (n, PANEL)."""
        return self.opened[:, None] <= self.panel_end[None, 1:]

    def column(self, name: str, default: float = 0.0) -> np.ndarray:
        """Return one column of people as float, missing values replaced by `default`."""
        values = self.people[name].to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isfinite(values), values, default)

    def given(self, name: str) -> np.ndarray:
        """Return a panel of an earlier generator in cents, zeros if it is absent."""
        panel = self.sim.arrays.get(name)
        if panel is None:
            return np.zeros((self.n, PANEL), dtype=np.int64)
        return to_cents(np.asarray(panel, dtype=float).clip(min=0))


def make_book(sim: Simulation) -> Book:
    """Collect the columns of ``sim.people`` that the money generators use."""
    people = sim.people
    n = len(people)
    ends = sim.months(HISTORY + 1)
    month_end = day_number(ends)
    opened = day_number(people["open_date"])
    return Book(
        sim=sim,
        people=people,
        n=n,
        person=(people["customer_type"].astype(str) != "企业").to_numpy(),
        active=people["active"].to_numpy(dtype=bool),
        weight=people["weight"].to_numpy(dtype=np.int64),
        branch=people["branch_pos"].to_numpy(dtype=np.int64),
        branches=len(sim.tables["branch"]),
        opened=opened,
        open_month=np.searchsorted(month_end[1:], opened),
        month_end=month_end,
        months=ends[1:],
    )
