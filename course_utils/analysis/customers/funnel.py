"""List funnels: what repairing one step is worth, alone and in a fair (Shapley) split."""

from __future__ import annotations

from math import factorial

import numpy as np
import pandas as pd

from course_utils.analysis import _need

MOST_STEPS = 16


def repair(own: pd.Series, reference: pd.Series, start: float = 1.0) -> pd.DataFrame:
    """Split the distance between a funnel and a reference funnel over the steps.

    A funnel's result is ``start`` times the product of its step rates, so that the gain of one
    repaired step depends on the state of all others. The Shapley share of a step is its gain
    averaged over all orders in which the steps could be repaired; the shares add up to the whole
    distance.

    Parameters
    ----------
    own : Series
        Index = steps in order, values = rate of each step (ratio of the step before).
    reference : Series
        Rates of the reference funnel for (at least) the same steps.
    start : float
        Rows at the top of the funnel.

    Returns
    -------
    DataFrame
        Index = step; ``own``, ``reference``, ``alone`` (results gained if only this step reached
        the reference), ``shapley`` (results, adds up to the whole distance), ``share`` of the
        distance (NaN if there is none).

    Raises
    ------
    CourseError
        A step is missing from the reference, a rate lies outside 0-1 or there are too many steps.

    Notes
    -----
    Shapley (1953): φ_i = Σ_S |S|!(k−|S|−1)!/k! · [v(S∪i) − v(S)], here exactly over all 2^k sets.
    """
    missing = [str(step) for step in own.index if step not in reference.index]
    _need.that(not missing, f"参照漏斗缺少步骤“{'、'.join(missing)}”，请补上它的转化率。")
    a, b = own.to_numpy(float), reference.reindex(own.index).to_numpy(float)
    both = np.concatenate([a, b])
    _need.that(
        bool(np.isfinite(both).all() and (both >= 0).all() and (both <= 1).all()),
        "漏斗每一步的转化率都要在 0 到 1 之间，请检查有没有空的步骤。",
    )
    k = len(a)
    _need.that(0 < k <= MOST_STEPS, f"漏斗的步骤要有 1 到 {MOST_STEPS} 步。")
    sets = (np.arange(2**k)[:, None] >> np.arange(k)) & 1
    value = np.where(sets == 1, b, a).prod(axis=1) * start
    size = sets.sum(axis=1)
    weight = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)])
    table = pd.DataFrame({"own": a, "reference": b}, index=own.index)
    table["alone"] = [value[1 << step] - value[0] for step in range(k)]
    shapley = []
    for step in range(k):
        without = np.flatnonzero(sets[:, step] == 0)
        gain = value[without | (1 << step)] - value[without]
        shapley.append(float((weight[size[without]] * gain).sum()))
    table["shapley"] = shapley
    whole = value[-1] - value[0]
    table["share"] = table["shapley"] / whole if abs(whole) > 1e-12 else np.nan
    return table
