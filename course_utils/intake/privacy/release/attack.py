"""Can somebody who knows three amounts of a customer find the customer in a release?

The attacker knows, exactly, three cells of a customer (month, kind of amount, amount), and how the
release was made, but not its key. For every customer of the release the attacker works out whether
one scale factor can explain the three cells (interval consistency), and how evenly they deviate
(residual spread). A customer counts as singled out if the true one is the only one that fits, or
fits so much better than the next one that the attacker would name him, and the name is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from course_utils.intake.privacy.release.noise import SCALE, significant_step

if TYPE_CHECKING:
    import duckdb
    import numpy as np

#: Items that the attacker knows, customers that are attacked, months that items are drawn from.
ITEMS, TARGETS, MONTHS = 3, 1000, 6
#: A month's amount below it is nothing that anybody remembers, 元.
LEAST_AMOUNT = 100.0
#: The best fit stands out if its lead over the second is this many standard deviations of all.
STANDS_OUT = 1.5
#: At most this share of customers may be singled out in a class release.
GOAL = 0.01


@dataclass(frozen=True)
class Attack:
    """What an attack came to; shares between 0 and 1.

    Parameters
    ----------
    targets : int
        Customers attacked.
    singled_out : float
        Named with confidence, and rightly.
    guessed : float
        Right if the attacker always names the best fit, confident or not.
    """

    targets: int
    singled_out: float
    guessed: float


@dataclass(frozen=True)
class Cells:
    """Cells of the same customers before and after.

    Parameters
    ----------
    true, released : numpy.ndarray
        One row a customer, one column a cell (month and kind of amount), 元.
    """

    true: np.ndarray
    released: np.ndarray


def attack_cells(cells: Cells, width: float, seed: int = 20_251) -> Attack:
    """Attack a release made with noise of `width` (0: scaled and rounded only)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    known = cells.true >= LEAST_AMOUNT
    possible = np.flatnonzero(known.sum(axis=1) >= ITEMS)
    if not possible.size:
        return Attack(0, 0.0, 0.0)
    targets = rng.choice(possible, min(TARGETS, possible.size), replace=False)
    named = guessed = 0
    # column-wise: an attack reads three columns of all customers
    released = np.asfortranarray(cells.released)
    for target in targets:
        items = rng.choice(np.flatnonzero(known[target]), ITEMS, replace=False)
        rows, spread = _fits(released, items, cells.true[target, items], width)
        if not rows.size:
            continue
        order = np.argsort(spread)
        right = rows[order[0]] == target
        guessed += right
        named += right and _stands_out(spread[order])
    return Attack(len(targets), float(named / len(targets)), float(guessed / len(targets)))


def _fits(
    released: np.ndarray, items: np.ndarray, amounts: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the customers who can be the target, and how unevenly their cells deviate."""
    import numpy as np

    low, high = (1 - SCALE) * (1 - width), (1 + SCALE) * (1 + width)
    rows = np.arange(len(released))
    least = np.full(len(released), 1 - SCALE)
    most = np.full(len(released), 1 + SCALE)
    ratios = []
    for item, amount in zip(items, amounts, strict=True):
        values = released[rows, item]
        half = significant_step(values) / 2
        fits = (values + half >= low * amount) & (values - half <= high * amount) & (values > 0)
        rows, values, half = rows[fits], values[fits], half[fits]
        least = np.maximum(least[fits], (values - half) / amount / (1 + width))
        most = np.minimum(most[fits], (values + half) / amount / max(1 - width, 1e-9))
        ratios = [ratio[fits] for ratio in ratios] + [np.log(values / amount)]
    consistent = least <= most
    return rows[consistent], np.std([ratio[consistent] for ratio in ratios], axis=0)


def _stands_out(spread: np.ndarray) -> bool:
    """Say whether the best of the sorted spreads leads so far that a name would be named."""
    return len(spread) == 1 or spread[1] - spread[0] > STANDS_OUT * max(spread.std(), 1e-12)


def attack_transactions(
    connection: duckdb.DuckDBPyConnection, transactions: str, targets: int = 300
) -> Attack | None:
    """Attack unprotected transactions: month, exact amount and type of three of them.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Where it runs.
    transactions : str
        SQL expression for the rows of the transaction table.
    targets : int
        Customers attacked.

    Returns
    -------
    Attack or None
        None if too few customers have three transactions.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE item AS
        SELECT DISTINCT customer_id, date_trunc('month', date) AS month, amount, kind, direction
        FROM {transactions} WHERE amount >= {LEAST_AMOUNT}
        """
    )
    rows = connection.execute(
        f"""
        WITH target AS (
            SELECT customer_id FROM item GROUP BY 1 HAVING count(*) >= {ITEMS}
            ORDER BY hash(customer_id) LIMIT {targets}
        ), known AS (
            SELECT * FROM item SEMI JOIN target USING (customer_id)
            QUALIFY row_number() OVER
                (PARTITION BY customer_id ORDER BY hash(customer_id || amount || month)) <= {ITEMS}
        ), match AS (
            SELECT known.customer_id AS target, item.customer_id, count(*) AS items
            FROM known JOIN item USING (month, amount, kind, direction) GROUP BY ALL
        )
        SELECT target, count(*) FROM match WHERE items = {ITEMS} GROUP BY target
        """
    ).fetchall()
    if not rows:
        return None
    return Attack(
        len(rows),
        sum(1 for _, count in rows if count == 1) / len(rows),
        sum(1 / count for _, count in rows) / len(rows),
    )
