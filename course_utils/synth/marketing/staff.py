"""Which customer manager looks after whom: shared by lists, campaigns and activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit.draws import days

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation


@dataclass
class Managers:
    """Active customer managers of the bank.

    Parameters
    ----------
    employee_id : ndarray of object, shape (managers,)
        Ids.
    age : ndarray of float, shape (managers,)
        Age at the as-of date.
    branch : ndarray of int, shape (managers,)
        Position of the branch in the table ``branch``.
    hired : ndarray of datetime64[D], shape (managers,)
        Date of hire.
    """

    employee_id: np.ndarray
    age: np.ndarray
    branch: np.ndarray
    hired: np.ndarray

    def __len__(self) -> int:
        return len(self.employee_id)


def active_managers(sim: Simulation) -> Managers:
    """Return the active employees with the post 客户经理 (all active staff if there is none)."""
    staff = sim.tables["employee"]
    staff = staff[staff["active"].astype(bool)]
    chosen = staff[staff["post"].astype(str) == "客户经理"]
    chosen = chosen if len(chosen) else staff
    branch = pd.Index(sim.tables["branch"]["branch_id"].astype(str))
    born = pd.to_numeric(chosen["birth_year"]).astype(float).fillna(1985.0)
    return Managers(
        chosen["employee_id"].astype(str).to_numpy(dtype=object),
        sim.as_of.year - born.to_numpy(),
        branch.get_indexer(chosen["branch_id"].astype(str)),
        days(chosen["hire_date"]),
    )


def assign_managers(
    sim: Simulation,
    managers: Managers,
    person: np.ndarray,
    rng: np.random.Generator,
    date: np.ndarray | None = None,
) -> np.ndarray:
    """Return the position in `managers` of the one responsible for each customer.

    The named manager if still an active customer manager, otherwise one of the same branch,
    otherwise anyone; with `date` (datetime64[D]) whoever was hired later is replaced by one of
    the longest-serving managers.
    """
    people = sim.people
    index = pd.Index(managers.employee_id)
    own = index.get_indexer(people["manager_id"].astype(object).to_numpy()[person])
    branch = people["branch_pos"].to_numpy(dtype=np.int64)[person]
    branches = len(sim.tables["branch"])
    counts = np.bincount(managers.branch, minlength=branches)
    order = np.argsort(managers.branch, kind="stable")
    first = np.concatenate(([0], np.cumsum(counts)[:-1]))
    u = rng.random(len(person))
    local = order[np.minimum(first[branch] + (u * counts[branch]).astype(int), len(order) - 1)]
    anyone = (u * len(managers)).astype(int)
    chosen = np.where(own >= 0, own, np.where(counts[branch] > 0, local, anyone))
    if date is None:
        return chosen
    senior = np.argsort(managers.hired, kind="stable")[: max(len(managers) // 8, 1)]
    return np.where(managers.hired[chosen] > date, senior[(u * len(senior)).astype(int)], chosen)
