"""Share out targets, tasks, money: water-filling (MC18), LP (MC28), assignment (MC12), greedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def blend(parts: Mapping[str, pd.Series], weights: Mapping[str, float]) -> pd.Series:
    """Mix several bases of allocation into shares that add up to 1.

    Parameters
    ----------
    parts : mapping
        name -> Series (base, potential, capacity …), same index, not negative.
    weights : mapping
        name -> weight; rescaled to sum 1.

    Returns
    -------
    Series
        share = Σ weight × (part / Σ part).
    """
    names = [n for n, w in weights.items() if w]
    _need.that(
        bool(names) and all(n in parts for n in names), "权重与分配依据的名称对不上，请检查。"
    )
    total = sum(float(weights[n]) for n in names)
    pieces = []
    for n in names:
        amount = float(parts[n].sum())
        _need.that(amount > 0, f"分配依据“{n}”合计不是正数，无法计算占比，请检查数据。")
        pieces.append(parts[n] / amount * (float(weights[n]) / total))
    return sum(pieces[1:], pieces[0])


def water_fill(
    total: float,
    share: pd.Series,
    floor: pd.Series | float = 0.0,
    cap: pd.Series | float = np.inf,
) -> pd.Series:
    """Share out a total: x = clamp(λ·share, floor, cap) with Σ x = total (MC18).

    Parameters
    ----------
    total : float
        To be shared out, any unit.
    share : Series
        Claims, not negative (any scale).
    floor, cap : Series or float
        Limits of each unit.

    Returns
    -------
    Series
        Adds up to ``total`` exactly (to rounding).

    Raises
    ------
    CourseError
        Floors exceed or caps fall short of the total, or a floor is above its cap.
    """
    low = pd.Series(floor, index=share.index, dtype=float).to_numpy()
    high = pd.Series(cap, index=share.index, dtype=float).to_numpy()
    claim = share.to_numpy(dtype=float)
    _need.that(bool((claim >= 0).all()) and claim.sum() > 0, "分配占比必须不小于 0 且不能全为 0。")
    _need.that(bool((low <= high).all()), "有单位的下限高于上限，请检查上下限。")
    slack = 1e-9 * max(abs(total), 1.0)
    _need.that(low.sum() <= total + slack, "各单位下限之和已超过总目标，请降低下限或提高总目标。")
    reach = np.where(claim > 0, high, low).sum()
    _need.that(reach >= total - slack, "各单位上限之和达不到总目标，请提高上限或降低总目标。")

    def filled(level: float) -> np.ndarray:
        return np.clip(level * claim, low, high)

    top = 1.0
    while filled(top).sum() < total - slack and top < 1e300:
        top *= 2
    bottom = 0.0
    for _ in range(200):
        middle = (bottom + top) / 2
        bottom, top = (middle, top) if filled(middle).sum() < total else (bottom, middle)
    result = filled(top)
    free = (result > low + slack) & (result < high - slack)
    if free.any():
        result[free] += (total - result.sum()) * claim[free] / claim[free].sum()
    return pd.Series(result, index=share.index)


def ipf(
    seed: pd.DataFrame,
    rows: pd.Series,
    columns: pd.Series,
    tolerance: float = 1e-9,
    rounds: int = 1000,
) -> pd.DataFrame:
    """Scale a table so that its margins fit (iterative proportional fitting).

    Parameters
    ----------
    seed : DataFrame
        Start table, not negative (e.g. branch × month).
    rows, columns : Series
        Wanted row and column sums; both add up to the same.
    tolerance : float
        Largest relative gap of a margin.
    rounds : int
        Most iterations.

    Returns
    -------
    DataFrame

    Raises
    ------
    CourseError
        The margins disagree, or zeros in the seed make them unreachable.
    """
    goal_r = rows.reindex(seed.index).to_numpy(dtype=float)
    goal_c = columns.reindex(seed.columns).to_numpy(dtype=float)
    _need.that(
        bool(np.isclose(goal_r.sum(), goal_c.sum(), rtol=1e-9)),
        "行合计与列合计的总数不一致，无法同时满足，请先对齐总数。",
    )
    table = seed.to_numpy(dtype=float).copy()
    _need.that(bool((table >= 0).all()), "初始表不能有负数，请检查。")
    limit = tolerance * max(abs(goal_r).max(), 1.0)
    for _ in range(rounds):
        sums = table.sum(axis=1)
        table *= np.divide(goal_r, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        sums = table.sum(axis=0)
        table *= np.divide(goal_c, sums, out=np.zeros_like(sums), where=sums > 0)
        gap = max(np.abs(table.sum(1) - goal_r).max(), np.abs(table.sum(0) - goal_c).max())
        if gap <= limit:
            return pd.DataFrame(table, index=seed.index, columns=seed.columns)
    _need.that(False, "初始表中的 0 太多，行列合计无法同时满足，请检查初始表。")
    return seed


def fairness(old: pd.Series, target: pd.Series, potential: pd.Series) -> dict[str, float]:
    """Judge an allocation: does growth follow potential, and how unequal is the difficulty?

    Parameters
    ----------
    old, target, potential : Series
        Old balance, new target and potential growth of each branch, 元.

    Returns
    -------
    dict
        ``correlation`` of target growth with potential (NaN if all grow by the same amount),
        ``difficulty_cv`` = standard deviation / mean of difficulty = growth / potential.
    """
    growth = target - old
    difficulty = growth / potential.where(potential > 0)
    mean = float(difficulty.mean())
    level = np.ptp(growth) <= 1e-9 * max(float(target.abs().max()), 1.0)
    return {
        "correlation": float("nan") if level else float(np.corrcoef(growth, potential)[0, 1]),
        "difficulty_cv": float(difficulty.std(ddof=0) / abs(mean)) if mean else float("nan"),
    }


def flow_effect(amount: float, day: int, days: int = 365) -> float:
    """Return what a net flow on day ``day`` adds to the annual average: f·(D−d+1)/D (MC18)."""
    _need.that(1 <= day <= days, f"日序必须在 1 到 {days} 之间，现在是 {day}。")
    return amount * (days - day + 1) / days


def needed_end_balance(
    annual_average: float, start: float, weights: Sequence[float] | None = None, days: int = 365
) -> float:
    """Return the year-end balance needed for an annual average.

    The year's net increase G arrives along a path: weight w_d of it on day d.  Then
    average = start + G·Σ w_d·(D−d+1)/D.

    Parameters
    ----------
    annual_average, start : float
        Wanted annual average and balance at the end of last year, 元.
    weights : sequence of float, optional
        Part of the increase on each day (length ``days``, sum 1) or in each month (length 12,
        spread evenly over the month's days); default: even over the year.
    days : int
        365 or 366.

    Returns
    -------
    float
        元 at the end of the last day.
    """
    part = _daily_weights(weights, days)
    factor = float((part * (days - np.arange(days)) / days).sum())
    _need.that(abs(factor) > 1e-12, "这条进度路径对年日均没有贡献，无法倒推年末余额，请检查权重。")
    return start + (annual_average - start) / factor


def _daily_weights(weights: Sequence[float] | None, days: int) -> np.ndarray:
    if weights is None:
        return np.full(days, 1 / days)
    given = np.asarray(list(weights), dtype=float)
    if len(given) == 12:
        lengths = [31, days - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        given = np.repeat(given / lengths, lengths)
    _need.that(len(given) == days, f"进度权重应有 12 个月或 {days} 天，现在有 {len(given)} 个。")
    _need.that(bool(np.isclose(given.sum(), 1.0)), "进度权重之和必须等于 1，请检查。")
    return given


def balance_path(
    start: float, end: float, weights: Sequence[float] | None = None, days: int = 365
) -> np.ndarray:
    """Return daily end balances from ``start`` to ``end`` along the weights (length ``days``)."""
    return start + (end - start) * np.cumsum(_daily_weights(weights, days))


def term_plan(
    terms: pd.DataFrame,
    total: float,
    retained: float = 0.0,
    share_limits: Mapping[Any, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """Choose how much maturing money to steer into each term at the lowest cost (LP, MC28).

    Parameters
    ----------
    terms : DataFrame
        Index = term; columns ``cost`` (percent a year) and ``retention`` (part of the money kept
        when it is steered into the term, ratio).
    total : float
        Maturing money, 元; all of it is offered some term.
    retained : float
        Liquidity floor: Σ retention × amount ≥ this, 元.
    share_limits : mapping, optional
        term -> (lowest, highest) share of the total.

    Returns
    -------
    dict
        ``plan`` (Series, 元), ``cost`` (元 a year on retained money), ``retained`` (元), ``rate``
        (percent on retained money), ``shadow`` (元 cost of keeping one more 元).

    Raises
    ------
    CourseError
        No plan satisfies the limits.
    """
    from scipy.optimize import linprog

    _need.columns(terms, ["cost", "retention"], "期限结构规划")
    keep = terms["retention"].to_numpy(dtype=float)
    price = terms["cost"].to_numpy(dtype=float) / 100 * keep
    _need.enough(total > 0, "没有到期金额可安排，请检查到期结构。")
    bounds = [(share_limits or {}).get(term, (0.0, 1.0)) for term in terms.index]
    # in shares of the total: the solver's tolerances are absolute
    solved = linprog(
        price,
        A_ub=-keep[None, :],
        b_ub=[-retained / total],
        A_eq=np.ones((1, len(keep))),
        b_eq=[1.0],
        bounds=bounds,
        method="highs",
    )
    _need.that(
        solved.status == 0, "没有同时满足留存下限和期限占比上下限的方案，请放宽下限或调整占比。"
    )
    amounts = pd.Series(solved.x * total, index=terms.index, name="amount")
    kept, cost = float(keep @ solved.x) * total, float(solved.fun) * total
    return {
        "plan": amounts,
        "cost": cost,
        "retained": kept,
        "rate": cost / kept * 100 if kept else float("nan"),
        "shadow": float(-solved.ineqlin.marginals[0]),
    }


def knapsack(
    value: pd.Series,
    cost: pd.Series,
    budget: float,
    count: tuple[int, int] | None = None,
    at_least: Mapping[str, tuple[pd.Series, int]] | None = None,
    at_most: Mapping[str, tuple[pd.Series, float]] | None = None,
) -> pd.Index:
    """Choose items of the largest total value within a budget and variety rules (MILP, MC28).

    Parameters
    ----------
    value, cost : Series
        Value and cost of each item, same index.
    budget : float
        Σ cost ≤ budget.
    count : (int, int), optional
        Fewest and most items.
    at_least : mapping, optional
        rule name -> (boolean Series, number): at least so many chosen items where True.
    at_most : mapping, optional
        rule name -> (boolean or number Series, limit): the chosen items add up to no more (calls
        of a branch, money in one industry).

    Returns
    -------
    Index
        The chosen items in their order.

    Raises
    ------
    CourseError
        No choice satisfies the rules.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    n = len(value)
    if n == 0 and not (count and count[0]):
        return value.index
    rules = [LinearConstraint(cost.to_numpy(dtype=float)[None, :], -np.inf, budget)]
    if count:
        rules.append(LinearConstraint(np.ones((1, n)), count[0], count[1]))
    for flag, least in (at_least or {}).values():
        mask = flag.reindex(value.index).fillna(False).to_numpy(dtype=float)
        rules.append(LinearConstraint(mask[None, :], least, np.inf))
    for size, limit in (at_most or {}).values():
        load = size.reindex(value.index).fillna(0).to_numpy(dtype=float)
        rules.append(LinearConstraint(load[None, :], -np.inf, limit))
    solved = milp(
        -value.to_numpy(dtype=float),
        constraints=rules,
        integrality=np.ones(n),
        bounds=Bounds(0, 1),
    )
    _need.that(solved.x is not None, "没有同时满足预算、户数和品类要求的组合，请放宽其中一项要求。")
    return value.index[np.round(solved.x).astype(bool)]


def assign(cost: pd.DataFrame, capacity: pd.Series | int) -> pd.Series:
    """Give every row to one column at the lowest total cost within capacities (MC12).

    Parameters
    ----------
    cost : DataFrame
        Rows = customers, columns = managers; inf = not allowed.
    capacity : Series or int
        Rows that each column can take.

    Returns
    -------
    Series
        Index = rows, value = column.

    Raises
    ------
    CourseError
        Capacity is too small or a row has no allowed column.
    """
    from scipy.optimize import linear_sum_assignment

    slots = pd.Series(capacity, index=cost.columns).astype(int).clip(upper=len(cost))
    _need.that(int(slots.sum()) >= len(cost), "总容量少于要分配的客户数，请增加容量或减少名单。")
    place = np.repeat(np.arange(len(slots)), slots.to_numpy())
    table = cost.to_numpy(dtype=float)
    allowed = np.isfinite(table)
    span = float(np.ptp(table[allowed])) if allowed.any() else 1.0
    huge = (span + 1.0) * (len(cost) + 1) + (np.abs(table[allowed]).max() if allowed.any() else 0)
    rows, columns = linear_sum_assignment(np.where(allowed, table, huge)[:, place])
    chosen = place[columns]
    _need.that(
        bool(allowed[rows, chosen].all()), "有客户找不到可承接且未满的对象，请放宽限制或增加容量。"
    )
    return pd.Series(cost.columns.to_numpy()[chosen], index=cost.index[rows])


def greedy(
    rows: pd.DataFrame,
    score: str,
    capacity: Mapping[Any, int] | int,
    by: str | None = None,
    unique: str | None = None,
    exclude: pd.Series | None = None,
    tie: str | None = None,
) -> pd.DataFrame:
    """Take the best rows first until each owner's capacity is used.

    Parameters
    ----------
    rows : DataFrame
        Candidates.
    score : str
        Column; largest first, missing last and never chosen.
    capacity : int or mapping
        Rows an owner can take.
    by : str, optional
        Column of the owner (manager, branch).
    unique : str, optional
        Column that may be chosen only once (customer).
    exclude : Series, optional
        True = never choose (谢绝来电).
    tie : str, optional
        Column that decides between equal scores (default: the order of the rows).

    Returns
    -------
    DataFrame
        The chosen rows, best first, with ``rank`` within the owner from 1.
    """
    _need.columns(rows, [score, *[c for c in (by, unique, tie) if c]], "名单排序")
    left = rows[rows[score].notna()]
    if exclude is not None:
        left = left[~exclude.reindex(left.index).astype("boolean").fillna(False).astype(bool)]
    keys, directions = ([score, tie], [False, True]) if tie else ([score], [False])
    left = left.sort_values(keys, ascending=directions, kind="stable")
    if unique:
        left = left.drop_duplicates(unique)
    owner = left[by] if by else pd.Series("合计", index=left.index)
    rank = owner.groupby(owner, observed=True).cumcount() + 1
    limit = owner.map(dict(capacity)).fillna(0) if isinstance(capacity, Mapping) else capacity
    return left.assign(rank=rank)[rank <= limit]
