"""The loan book while it is being built: one array a column, one row a loan."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

NONE = np.datetime64("NaT", "D")
#: How a loan ends: still running, at maturity, earlier by the customer, bad.
RUNNING, MATURED, EARLY, BAD = range(4)


@dataclass
class Book:
    """Loans in order of creation.

    Parameters
    ----------
    person, kind, source, chain, episode, slot : ndarray of int
        Position in ``sim.people``; kind of loan; campaign; number of the chain of loans; number
        of the credit line inside the chain; position inside the chain.
    issue : ndarray of datetime64[D]
        Issue date (day 1-28).
    first_gap, step, periods : ndarray of int
        Months to the first instalment, months between instalments, number of instalments.
    method, guarantee : ndarray of int
        Positions in `products.METHODS` and `products.GUARANTEES`.
    amount : ndarray of int
        元.
    rate, spread : ndarray of float
        Annual rate in percent, spread over the LPR in bp.
    ending : ndarray of int
        RUNNING, MATURED, EARLY or BAD.
    settle : ndarray of datetime64[D]
        Date of an early settlement; NaT otherwise.
    missed : ndarray of int
        Number of the first instalment that is not paid (1-based); 0 = none.
    lenders, query_3m : ndarray of int
        What the bureau report at approval showed.
    raised, falling : ndarray of bool
        Whether the limit was raised for this loan; whether inflow was falling before.
    pd : ndarray of float
        True chance to turn bad within twelve months.
    graduation : ndarray of datetime64[D]
        Graduation date of student loans, NaT otherwise.
    """

    person: np.ndarray
    kind: np.ndarray
    source: np.ndarray
    chain: np.ndarray
    episode: np.ndarray
    slot: np.ndarray
    issue: np.ndarray
    first_gap: np.ndarray
    step: np.ndarray
    periods: np.ndarray
    method: np.ndarray
    guarantee: np.ndarray
    amount: np.ndarray
    rate: np.ndarray
    spread: np.ndarray
    ending: np.ndarray
    settle: np.ndarray
    missed: np.ndarray
    lenders: np.ndarray
    query_3m: np.ndarray
    raised: np.ndarray
    falling: np.ndarray
    pd: np.ndarray
    graduation: np.ndarray

    def __len__(self) -> int:
        return len(self.person)

    @property
    def term(self) -> np.ndarray:
        """Contract term in months."""
        return self.first_gap + self.step * (self.periods - 1)

    @staticmethod
    def join(parts: list[Book]) -> Book:
        """Return all loans one after another."""
        return Book(
            *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Book))
        )

    def take(self, rows: np.ndarray) -> Book:
        """Return the chosen loans."""
        return Book(*(getattr(self, f.name)[rows] for f in fields(Book)))
