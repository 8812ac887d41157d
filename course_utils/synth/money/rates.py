"""Posted deposit rates, looked up for many deposits at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.book import day_number

KINDS = {0: "活期", 1: "定期", 2: "大额存单", 3: "通知"}


class RateBook:
    """Posted rates of one party (本行, 同业 or 大行) by kind and term.

    Parameters
    ----------
    table : pandas.DataFrame
        Table ``deposit_rate``.
    who : str
        The party.
    """

    def __init__(self, table: pd.DataFrame, who: str) -> None:
        rows = table[table["who"].astype(str) == who]
        self._steps: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}
        for (kind, term), part in rows.groupby(["kind", "term_months"], observed=True):
            part = part.sort_values("effective_date")
            key = str(kind), int(term)
            self._steps[key] = day_number(part["effective_date"]), part["rate"].to_numpy(float)

    def rate(self, kind: np.ndarray, term: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Return posted rates in percent.

        Parameters
        ----------
        kind : numpy.ndarray of int, shape (n,)
            0 活期, 1 定期, 2 大额存单, 3 通知.
        term : numpy.ndarray of int, shape (n,)
            Months; 0 for 活期 and 通知.
        day : numpy.ndarray of int64, shape (n,)
            Day number at which the rate is asked.

        Returns
        -------
        numpy.ndarray of float, shape (n,)
        """
        result = np.zeros(len(kind))
        code = np.asarray(kind) * 100 + np.asarray(term)
        for value in np.unique(code):
            rows = code == value
            result[rows] = self.one(KINDS[int(value) // 100], int(value) % 100, day[rows])
        return result

    def one(self, kind: str, term: int, day: np.ndarray) -> np.ndarray:
        """Return posted rates of one kind and term on several days."""
        key = (kind, term) if (kind, term) in self._steps else ("定期", term)
        if key not in self._steps:
            key = min(self._steps, key=lambda item: (item[0] != kind, abs(item[1] - term)))
        days, rates = self._steps[key]
        return rates[np.searchsorted(days, day, side="right").clip(min=1) - 1]
