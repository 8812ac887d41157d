"""Wealth products bought and redeemed, lot by lot, from the month-end path of each customer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.state import Simulation
from course_utils.synth.tools import ids


def generate(sim: Simulation) -> None:
    """Write wealth_holding: open lots add up to the last month-end wealth to the cent.

    A rise of the month-end path is a purchase, a fall redeems the youngest lots first; a lot that
    is redeemed in part becomes two rows. Uses ``sim.arrays["wealth_end"]`` (cents, customer ×
    25 month ends, the first before the panel).
    """
    path = np.rint(sim.arrays["wealth_end"]).astype(np.int64)
    holder = np.flatnonzero((path > 0).any(axis=1))
    lots = lots_of(path[holder])
    rng, customer = sim.rng("wealth_holding"), holder[lots["row"].to_numpy()]
    ends = sim.months(path.shape[1]).to_numpy().astype("datetime64[D]")
    opened = sim.people["open_date"].to_numpy().astype("datetime64[D]")[customer]
    # middle of the month: monthly averages are the mean of two month ends
    day = rng.integers(9, 20, lots.shape)
    start = _inside(ends, lots["start"].to_numpy(), day[:, 0])
    earlier = np.maximum(opened, ends[0] - 400)
    span = np.maximum((ends[0] - earlier).astype(int), 0)
    old = lots["start"].to_numpy() == 0
    start = np.where(old, earlier + np.floor(span * rng.random(len(lots))).astype(int), start)
    start = np.maximum(start, opened)
    end = _inside(ends, lots["end"].to_numpy(), day[:, 1])
    end = np.where(lots["end"] < 0, np.datetime64("NaT"), np.maximum(end, start))
    sim.tables["wealth_holding"] = pd.DataFrame(
        {
            "holding_id": ids("W", np.arange(1, len(lots) + 1), 8),
            "customer_id": sim.people["customer_id"].to_numpy(object)[customer],
            "start_date": start.astype("datetime64[s]"),
            "end_date": end.astype("datetime64[s]"),
            "amount": lots["amount"].to_numpy() / 100,
            "source_account_id": None,
        }
    )


def _inside(ends: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return a day of each month (number in the path; negative numbers give any day)."""
    return ends[month.clip(0)].astype("datetime64[M]").astype("datetime64[D]") + day


def lots_of(path: np.ndarray) -> pd.DataFrame:
    """Split paths into lots, last in first out.

    Parameters
    ----------
    path : numpy.ndarray of int, shape (k, m)
        Holdings of k customers at m month ends, in cents, not negative.

    Returns
    -------
    pandas.DataFrame
        Columns row (customer), start and end (month numbers, end −1 if still held), amount
        (cents); ordered by row, start, end. At every month end the lots held add up to the path.
    """
    count, months = path.shape
    lot = np.zeros((count, months), dtype=np.int64)  # what is left of the lot bought in a month
    lot[:, 0] = path[:, 0]
    sold: list[np.ndarray] = []
    for t in range(1, months):
        change = path[:, t] - path[:, t - 1]
        lot[:, t] = change.clip(min=0)
        fall = (-change).clip(min=0)
        for young in range(t - 1, -1, -1):
            taken = np.minimum(fall, lot[:, young])
            rows = np.flatnonzero(taken)
            if len(rows):
                lot[rows, young] -= taken[rows]
                fall[rows] -= taken[rows]
                part = np.broadcast_to([young, t], (len(rows), 2))
                sold.append(np.column_stack([rows, part, taken[rows]]))
            if not fall.any():
                break
    rows, start = np.nonzero(lot)
    sold.append(np.column_stack([rows, start, np.full(len(rows), -1), lot[rows, start]]))
    frame = pd.DataFrame(np.concatenate(sold), columns=["row", "start", "end", "amount"])
    return frame.sort_values(["row", "start", "end"], ignore_index=True)
