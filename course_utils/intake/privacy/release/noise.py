"""Amounts and counts of a class release: scaled, disturbed, rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.intake.privacy.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

#: A customer's amounts are all multiplied by one factor in 1 ± SCALE.
SCALE = 0.15
#: Widths of the noise in a cell, from the one tried first.
WIDTHS = (0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50, 0.60, 0.70, 0.80)
DIGITS = 2
COUNT_STEP = 5


class Noise:
    """Draws the noise of one release: equal cell, equal noise; another key, other noise.

    Parameters
    ----------
    key : bytes
        The release's own key, destroyed when the release is written.
    customers : sequence of str
        Ids; one row of every array is one of them.
    width : float
        Noise of a cell is a factor in 1 ± `width`.
    """

    def __init__(self, key: bytes, customers: Sequence[str], width: float) -> None:
        import numpy as np

        self._tokens = Tokens(key)
        raw = b"".join(self._tokens.digest("noise", one)[:8] for one in customers)
        self._seeds = np.frombuffer(raw, dtype=np.uint64)
        self._width = width
        self._factors = 1 + SCALE * (2 * self._uniform("scale") - 1)

    def amounts(self, name: str, values: np.ndarray) -> np.ndarray:
        """Return amounts, 元, scaled, disturbed and rounded to two significant digits."""
        noise = 1 + self._width * (2 * self._uniform(name) - 1)
        return significant(values * self._factors * noise)

    def counts(self, name: str, values: np.ndarray) -> np.ndarray:
        """Return counts in fives, by chance up or down so that sums stay right on average."""
        import numpy as np

        noise = 1 + self._width * (2 * self._uniform(name) - 1)
        return COUNT_STEP * np.floor(values * noise / COUNT_STEP + self._uniform(f"{name}, up"))

    def _uniform(self, name: str) -> np.ndarray:
        """Return one number in [0, 1) a customer; `name` says which cell."""
        import numpy as np

        mixed = self._seeds ^ np.frombuffer(self._tokens.digest("cell", name)[:8], dtype=np.uint64)
        # the finaliser of SplitMix64: every bit of the seed moves every bit of the result
        with np.errstate(over="ignore"):
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


def significant(values: np.ndarray, digits: int = DIGITS) -> np.ndarray:
    """Return values rounded to so many significant digits; cents are dropped."""
    import numpy as np

    step = significant_step(values, digits)
    return np.round(np.round(values / step) * step, 2)


def significant_step(values: np.ndarray, digits: int = DIGITS) -> np.ndarray:
    """Return the unit to which each value is rounded."""
    import numpy as np

    size = np.floor(np.log10(np.maximum(np.abs(values), 1.0)))
    return 10.0 ** np.maximum(size - digits + 1, 0)
