"""Electronic toll users: cars and trucks, monthly tolls, and the truck that stops driving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.tools import calibrated
from course_utils.synth.trade.draw import coded, systematic_uniform
from course_utils.synth.trade.merchants import share_given_bad

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

HOLDER_SHARE = 0.14  # of adults
NEED_SPREAD = 1.25  # latent need in 元 is proportional to exp(spread * need)
DROP_SHARE = 0.14  # falls of more than 40 % among those who pay on time
DROP_RATIO = 0.60  # toll_3m / (toll_12m / 4)
_CAR_MONTH = np.array([1.05, 1.35, 0.9, 1.0, 1.15, 0.9, 1.0, 1.05, 0.9, 1.2, 0.85, 0.9])
_TRUCK_MONTH = np.array([0.9, 0.55, 1.0, 1.05, 1.05, 1.0, 1.0, 1.0, 1.05, 1.05, 1.1, 1.1])


def recent_overdue(tables: dict[str, pd.DataFrame], months: int = 6) -> tuple[set, set]:
    """Return customers with a live loan in the last months, and those of them overdue.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Needs ``loan`` (loan_id, customer_id) and ``loan_month`` (month, loan_id, dpd).
    months : int
        Length of the window.

    Returns
    -------
    tuple of set
        Customer ids with a loan row in the window, and customer ids overdue at some month end.
    """
    loan_month = tables["loan_month"]
    last = np.sort(loan_month["month"].unique())[-months:]
    recent = loan_month[loan_month["month"].isin(last)]
    days = pd.to_numeric(recent["dpd"]).fillna(0).to_numpy()
    row = pd.Index(tables["loan"]["loan_id"]).get_indexer(recent["loan_id"])
    owner = tables["loan"]["customer_id"].to_numpy()[row]
    return set(owner), set(owner[days > 0])


def generate(sim: Simulation) -> None:
    """Generate ``etc_user`` and ``etc_month``."""
    rng = sim.rng("etc")
    months = sim.months(24)
    person = _holders(sim, rng)
    truck = _trucks(sim, person, rng)
    drop = _drops(sim, person, rng)
    toll = _tolls(sim, truck, drop, months, rng)
    opened = _open_dates(sim, person, months, rng)
    toll[months.values.astype("datetime64[D]")[None, :] < opened[:, None]] = 0
    trip_price = np.where(truck, 95.0, 22.0) * np.exp(0.3 * rng.standard_normal(len(person)))
    trips = np.maximum(np.rint(toll / 100 / trip_price[:, None]), toll > 0).astype(np.int64)
    customer = sim.people["customer_id"].to_numpy()[person]
    sim.tables["etc_user"] = pd.DataFrame(
        {
            "customer_id": customer,
            "vehicle_kind": coded(truck.astype(np.int8), ("客车", "货车")),
            "open_date": opened.astype("datetime64[s]"),
            "toll_12m": toll[:, -12:].sum(axis=1) / 100,
            "trips_12m": trips[:, -12:].sum(axis=1),
            "toll_3m": toll[:, -3:].sum(axis=1) / 100,
        }
    )
    who, m = np.nonzero(toll.T)[::-1]
    sim.tables["etc_month"] = pd.DataFrame(
        {
            "month": months.values.astype("datetime64[s]")[m],
            "customer_id": customer[who],
            "toll": toll[who, m] / 100,
            "trips": trips[who, m],
        }
    )


def _holders(sim: Simulation, rng: np.random.Generator) -> np.ndarray:
    """Choose 14 % of adults: three in four men, most often 31 to 45 years old."""
    people = sim.people
    age = people["age"].to_numpy(dtype=float)
    adult = (people["customer_type"].astype(str) != "企业").to_numpy() & (age >= 18) & (age <= 70)
    rows = np.flatnonzero(adult)
    score = -(((age[rows] - 38) / 12) ** 2) / 2
    score += 1.0 * (people["gender"].astype(str).to_numpy()[rows] == "男")
    score += 2.2 * people["has_vehicle"].to_numpy(dtype=bool)[rows]
    chance = calibrated(score, HOLDER_SHARE)
    comb = np.floor(np.cumsum(chance) + rng.random())
    return rows[np.diff(comb, prepend=0.0) > 0]


def _trucks(sim: Simulation, person: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose the truck owners so that they hold the planted share of latent need."""
    share, wanted = sim.effects.value("m03_n05", "truck_need")
    need = sim.people["need"].to_numpy(dtype=float)[person]
    noise = rng.standard_normal(len(person))
    amount = np.exp(NEED_SPREAD * need)
    count = round(share * len(person))
    low, high = 0.0, 8.0
    truck = np.zeros(len(person), dtype=bool)
    for _ in range(30):
        blur = (low + high) / 2
        truck = np.zeros(len(person), dtype=bool)
        truck[np.argsort(-(need + blur * noise), kind="stable")[:count]] = True
        held = amount[truck].sum() / amount.sum()
        low, high = (blur, high) if held > wanted else (low, blur)
    sim.record(
        "m03_n05",
        "truck_need",
        {"users": float(truck.mean()), "need": float(amount[truck].sum() / amount.sum())},
        "货车户数占比与潜在信贷需求占比",
    )
    return truck


def _drops(sim: Simulation, person: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose whose tolls fall by more than 40 %, given who is overdue."""
    drop = systematic_uniform(rng, len(person)) < DROP_SHARE
    if "loan_month" not in sim.tables or len(sim.tables["loan_month"]) == 0:
        return drop
    customer = pd.Index(sim.people["customer_id"].to_numpy(dtype=object)[person])
    borrowers, overdue = recent_overdue(sim.tables)
    has_loan = customer.isin(list(borrowers))
    late = customer.isin(list(overdue))
    if not late.any():
        return drop
    p_late = late[has_loan].mean()
    ratio = sim.effects.value("m03_n05", "toll_drop")
    given_late = share_given_bad(DROP_SHARE, ratio, p_late)
    for rows, chance in ((has_loan & ~late, DROP_SHARE), (late, given_late)):
        index = np.flatnonzero(rows)
        drop[index] = systematic_uniform(rng, len(index)) < chance
    with_drop = late[has_loan & drop].mean()
    without = late[has_loan & ~drop].mean()
    sim.record(
        "m03_n05", "toll_drop", float(with_drop / without), "通行费降四成以上与未降者逾期率之比"
    )
    return drop


def _tolls(
    sim: Simulation,
    truck: np.ndarray,
    drop: np.ndarray,
    months: pd.DatetimeIndex,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return tolls in cents ``[user, month]``."""
    n = len(truck)
    season = np.where(truck[:, None], _TRUCK_MONTH[None, :], _CAR_MONTH[None, :])
    level = np.where(truck, rng.uniform(1500, 4000, n), np.exp(rng.normal(np.log(110), 0.5, n)))
    toll = level[:, None] * season[:, months.month.to_numpy() - 1]
    toll *= np.exp(0.22 * rng.standard_normal(toll.shape))
    before, recent = toll[:, -12:-3].sum(axis=1), toll[:, -3:].sum(axis=1)
    # ratio = toll_3m / (toll_12m / 4), so toll_3m = ratio * before / (4 - ratio)
    ratio = 4 * recent / (before + recent)
    ratio = np.where(drop, rng.uniform(0.15, DROP_RATIO - 0.06, n), ratio.clip(DROP_RATIO + 0.08))
    toll[:, -3:] *= (ratio * before / (4 - ratio) / recent)[:, None]
    return np.rint(toll * 100).astype(np.int64)


def _open_dates(
    sim: Simulation, person: np.ndarray, months: pd.DatetimeIndex, rng: np.random.Generator
) -> np.ndarray:
    """Binding dates: most in 2019 and 2020, never before the customer's own opening."""
    n = len(person)
    start = np.datetime64("2019-06-01") + rng.integers(0, 560, n).astype("timedelta64[D]")
    late = rng.random(n) < 0.3
    first = months.values.astype("datetime64[D]")[0]
    start = np.where(late, first - rng.integers(0, 900, n).astype("timedelta64[D]"), start)
    own = sim.people["open_date"].to_numpy().astype("datetime64[D]")[person]
    return np.maximum(start, own)
