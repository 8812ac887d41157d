"""Time deposits by class of term: what was kept at maturity, what a long term cost more."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.deposits.maturity import RENEWAL_SHARE, renewal_rate, renewed

#: Longest term of each class in months.
TERM_CLASSES = {"1 年及以内": 12, "2 年": 24, "3 年": 36, "5 年": 60}
WHOLE = "全行"


def term_class(term_months: pd.Series) -> pd.Series:
    """Return the class of each contract term (NaN without a term or beyond five years).

    Parameters
    ----------
    term_months : Series
        Months; missing for demand money.

    Returns
    -------
    Series
        Text from ``TERM_CLASSES``.
    """
    months = term_months.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    edges = [0, *TERM_CLASSES.values()]
    cut = pd.cut(pd.Series(months, index=term_months.index), edges, labels=list(TERM_CLASSES))
    return cut.astype("object")


def kept_by_class(
    accounts: pd.DataFrame, as_of: pd.Timestamp | str, least: int = 100, months: int = 12
) -> pd.DataFrame:
    """Return how much of the money that matured lately stayed, by class of term.

    Parameters
    ----------
    accounts : DataFrame
        ``term_months``, ``maturity_date``, ``amount``, ``kept_amount_30d`` (元) and ``weight``.
    as_of : Timestamp
        Date; maturities of the ``months`` before it count.
    least : int
        A class with fewer maturities gets the bank's value.
    months : int
        Length of the period.

    Returns
    -------
    DataFrame
        Index = class, then 全行; ``count``, ``rate``, ``low``, ``high`` (renewal of deposits,
        Wilson), ``kept`` (share of money kept) and ``used`` = own ``kept`` only where the interval
        lies apart from the bank's rate, else the bank's: chance is not to be planned with.

    Raises
    ------
    CourseError
        No maturity with a known outcome in the period.
    """
    need = ["term_months", "maturity_date", "amount", "kept_amount_30d", "weight"]
    _need.columns(accounts, need, "到期留存")
    after = pd.Timestamp(as_of) - pd.DateOffset(months=months)
    rows = accounts[accounts["kept_amount_30d"].notna() & (accounts["maturity_date"] > after)]
    rows = rows.assign(term=term_class(rows["term_months"])).dropna(subset=["term"])
    _need.enough(len(rows) > 0, "最近一段时间没有已知结果的到期存款，留存算不出来，请改用参数。")
    rows = rows.assign(
        money=rows["amount"] * rows["weight"],
        stayed=rows[["amount", "kept_amount_30d"]].min(axis=1) * rows["weight"],
        renewed=renewed(rows["amount"], rows["kept_amount_30d"], RENEWAL_SHARE),
    )
    both = pd.concat([rows, rows.assign(term=WHOLE)])
    order = [*TERM_CLASSES, WHOLE]
    table = renewal_rate(both, "term").set_index("term").reindex(order)
    sums = both.groupby("term")[["stayed", "money"]].sum().reindex(order)
    table["count"] = table["count"].fillna(0).astype(int)
    table["kept"] = sums["stayed"] / sums["money"]
    whole = table.loc[WHOLE, "rate"]
    apart = (table["count"] >= least) & ((table["low"] > whole) | (table["high"] < whole))
    table["used"] = table["kept"].where(apart, table.loc[WHOLE, "kept"])
    return table[["count", "rate", "low", "high", "kept", "used"]]


def opening_premium(
    accounts: pd.DataFrame, rates: pd.DataFrame, long: int = 36, short: int = 12
) -> float:
    """Return what deposits of a long term were paid more than the short term of that day.

    Parameters
    ----------
    accounts : DataFrame
        ``term_months``, ``open_date`` and ``money`` (元, the weight of the mean).
    rates : DataFrame
        Table ``deposit_rate``.
    long, short : int
        Terms in months.

    Returns
    -------
    float
        Percentage points: money-weighted mean of posted(long) − posted(short) on the opening day;
        NaN without such deposits.
    """
    _need.columns(accounts, ["term_months", "open_date", "money"], "期限溢价")
    own = rates[(rates["who"] == "本行") & (rates["kind"] == "定期")]
    table = own.pivot_table(index="effective_date", columns="term_months", values="rate")
    table = table.sort_index().ffill()
    _need.that({long, short} <= set(table.columns), "利率表里缺少要比较的期限，请检查。")
    gap = (table[long] - table[short]).dropna().rename("gap").reset_index()
    rows = accounts[accounts["term_months"] == long].sort_values("open_date")
    rows = pd.merge_asof(rows, gap, left_on="open_date", right_on="effective_date")
    rows = rows.dropna(subset=["gap"])
    money = float(rows["money"].sum())
    return float((rows["gap"] * rows["money"]).sum() / money) if money else float("nan")
