"""A manager's customers: wallet, familiarity, concentration (MC23), cohorts, contact standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need

CONTACT_STANDARD = {"T0": 0.0, "T1": 0.5, "T2": 1.0, "T3": 2.0, "T4": 3.0, "T5": 6.0}
FAMILIARITY_PARTS = (
    "named_12m",
    "visited_90d",
    "knows_family",
    "answers_half",
    "event_or_referral_12m",
)


def wallet(
    own: pd.Series,
    out_to_other: pd.Series,
    in_from_other: pd.Series,
    expected_saving: pd.Series | float = 0.0,
) -> pd.DataFrame:
    """Estimate the customer's whole money and the bank's part of it.

    Parameters
    ----------
    own : Series
        季日均AUM at this bank, 元.
    out_to_other, in_from_other : Series
        12 months of transfers to and from the customer's own accounts at other banks, 元.
    expected_saving : Series or float
        Saving expected from income that is not seen here, 元; negative values count as 0.

    Returns
    -------
    DataFrame
        ``outside`` = (out − in)⁺ + expected saving, ``wallet`` = own + outside (元),
        ``wallet_share`` = own / wallet in 0-1 (NaN for an empty wallet).
    """
    flow = (out_to_other.fillna(0.0) - in_from_other.fillna(0.0)).clip(lower=0.0)
    extra = pd.Series(expected_saving, index=own.index, dtype=float).fillna(0.0).clip(lower=0.0)
    mine = own.fillna(0.0).clip(lower=0.0)
    total = mine + flow + extra
    share = (mine / total.where(total > 0)).clip(0, 1)
    return pd.DataFrame({"outside": flow + extra, "wallet": total, "wallet_share": share})


def income_model_saving(
    aum: pd.Series, income: pd.Series, cells: pd.DataFrame, quantile: float = 0.75
) -> pd.Series:
    """Return the saving expected from customers of like kind: (cell's quantile − own AUM)⁺.

    Parameters
    ----------
    aum : Series
        季日均AUM, 元.
    income : Series
        Monthly income or inflow, 元; scaled within the cell.
    cells : DataFrame
        Columns that define customers of like kind (age band, occupation, town …).
    quantile : float
        Level of AUM per unit of income that customers of like kind reach.

    Returns
    -------
    Series
        元, not negative; 0 where income is unknown or not positive.
    """
    data = cells.assign(_r=(aum / income.where(income > 0)))
    keys = list(cells.columns)
    level = data.groupby(keys, dropna=False, observed=True)["_r"].transform("quantile", quantile)
    return ((level * income) - aum).clip(lower=0.0).fillna(0.0)


def familiarity(parts: pd.DataFrame) -> pd.Series:
    """Return the familiarity score 0-100: 20 points a condition that holds.

    Parameters
    ----------
    parts : DataFrame
        Boolean columns ``named_12m``, ``visited_90d``, ``knows_family``, ``answers_half``,
        ``event_or_referral_12m``; missing counts as no.

    Returns
    -------
    Series
        0, 20, … 100.
    """
    _need.columns(parts, FAMILIARITY_PARTS, "熟悉度")
    held = parts[list(FAMILIARITY_PARTS)].astype("boolean").fillna(False)
    return held.astype(int).sum(axis=1) * 20


def lorenz_table(
    amounts: pd.Series, weight: pd.Series | None = None, points: int | None = 201
) -> pd.DataFrame:
    """Return the Lorenz curve: cumulative shares of customers and money, poorest first.

    Parameters
    ----------
    amounts : Series
        元, not negative; missing counts as 0.
    weight : Series, optional
        Sampling weights.
    points : int or None
        Points of the curve (None = every customer).

    Returns
    -------
    DataFrame
        ``population``, ``amount`` (0-1), starting at 0, 0.
    """
    value, w = _sorted(amounts, weight)
    people = np.concatenate([[0.0], np.cumsum(w)]) / w.sum()
    total = float((value * w).sum())
    _need.that(total > 0, "洛伦兹曲线的金额合计为 0，请检查筛选条件。")
    money = np.concatenate([[0.0], np.cumsum(value * w)]) / total
    if points is not None and len(people) > points:
        grid = np.linspace(0, 1, points)
        people, money = grid, np.interp(grid, people, money)
    return pd.DataFrame({"population": people, "amount": money})


def _sorted(amounts: pd.Series, weight: pd.Series | None) -> tuple[np.ndarray, np.ndarray]:
    value = amounts.fillna(0.0).to_numpy(dtype=float)
    w = np.ones(len(value)) if weight is None else weight.to_numpy(dtype=float)
    _need.enough(len(value) > 0 and w.sum() > 0, "集中度计算没有客户，请检查筛选条件。")
    _need.that(bool((value >= 0).all()), "集中度只能用不小于 0 的金额，请先检查负数。")
    order = np.argsort(value, kind="stable")
    return value[order], w[order]


def gini(amounts: pd.Series, weight: pd.Series | None = None) -> float:
    """Return the Gini coefficient: 1 − 2 × area under the Lorenz curve."""
    curve = lorenz_table(amounts, weight, points=None)
    return float(1 - 2 * np.trapezoid(curve["amount"], curve["population"]))


def top_share(amounts: pd.Series, share: float = 0.05, weight: pd.Series | None = None) -> float:
    """Return the part of the money held by the richest ``share`` of customers."""
    curve = lorenz_table(amounts, weight, points=None)
    return float(1 - np.interp(1 - share, curve["population"], curve["amount"]))


def cohort_table(
    before: pd.Series,
    after: pd.Series,
    floor: float,
    up: float = 1.2,
    down: float = 0.8,
    gone: float = 0.2,
    weight: pd.Series | None = None,
) -> pd.DataFrame:
    """Follow those who had at least ``floor`` at the start: 提升, 保持, 下降, 流失.

    Customers who joined later are not in the cohort; customers without a row at the end count as
    having nothing, so nobody drops out of the table (no survivorship bias).

    Parameters
    ----------
    before, after : Series
        年日均 at the start and at the end, index = customer, 元.
    floor : float
        Entry level, 元.
    up, down, gone : float
        Ratio after/before: ≥ ``up`` 提升, ≥ ``down`` 保持, ≥ ``gone`` 下降, else 流失.
    weight : Series, optional
        Sampling weights, index = customer.

    Returns
    -------
    DataFrame
        Index = 去向; ``customers``, ``share``, ``before``, ``after`` (元).
    """
    state = cohort_state(before, after, floor, up, down, gone)
    members = state.index
    w = pd.Series(1.0, members) if weight is None else weight.reindex(members).fillna(1.0)
    data = pd.DataFrame(
        {
            "state": state,
            "customers": w,
            "before": before.reindex(members) * w,
            "after": after.reindex(members).fillna(0.0) * w,
        }
    )
    table = data.groupby("state", observed=False).sum()
    table.insert(1, "share", table["customers"] / table["customers"].sum())
    return table.rename_axis("去向")


def cohort_state(
    before: pd.Series,
    after: pd.Series,
    floor: float,
    up: float = 1.2,
    down: float = 0.8,
    gone: float = 0.2,
) -> pd.Series:
    """Return 提升/保持/下降/流失 for each member of the cohort (see :func:`cohort_table`)."""
    start = before[before >= floor]
    _need.enough(len(start) > 0, f"起点没有达到 {floor / 1e4:g} 万元的客户，请降低门槛。")
    ratio = (after.reindex(start.index).fillna(0.0) / start).to_numpy(dtype=float)
    code = np.select([ratio >= up, ratio >= down, ratio >= gone], [0, 1, 2], default=3)
    kind = pd.CategoricalDtype(["提升", "保持", "下降", "流失"], ordered=True)
    return pd.Series(pd.Categorical.from_codes(code, dtype=kind), index=start.index, name="state")


def contact_gap(
    customers: pd.DataFrame,
    contacts: pd.Series,
    tier: str = "tier",
    standard: Mapping[str, float] | None = None,
    minutes: float = 15.0,
    group: Sequence[str] = (),
) -> pd.DataFrame:
    """Compare contacts done in a quarter with the standard of the tier.

    Parameters
    ----------
    customers : DataFrame
        Index = customer; column ``tier`` (labels starting with T0 … T5) and the group columns.
    contacts : Series
        Contacts in the quarter, index = customer; absent = 0.
    tier : str
        Column of the tier.
    standard : mapping, optional
        ``{"T1": 0.5, …}`` touches a quarter; default :data:`CONTACT_STANDARD`.
    minutes : float
        Minutes a contact takes.
    group : sequence of str
        Further group columns (manager, branch).

    Returns
    -------
    DataFrame
        Index = groups and tier; ``customers``, ``planned``, ``done`` (capped at the plan of each
        customer), ``gap`` (contacts), ``gap_hours``, ``rate``.
    """
    keys = [*group, tier]
    _need.columns(customers, keys, "接触标准")
    need = dict(standard or CONTACT_STANDARD)
    planned = customers[tier].astype("str").str[:2].map(need).fillna(0.0)
    done = contacts.reindex(customers.index).fillna(0.0)
    data = customers[keys].assign(
        customers=1, planned=planned, done=np.minimum(done, np.ceil(planned))
    )
    data["done"] = np.minimum(data["done"], data["planned"])
    table = data.groupby(keys, observed=True)[["customers", "planned", "done"]].sum()
    table["gap"] = table["planned"] - table["done"]
    table["gap_hours"] = table["gap"] * minutes / 60
    table["rate"] = table["done"] / table["planned"].where(table["planned"] > 0)
    return table
