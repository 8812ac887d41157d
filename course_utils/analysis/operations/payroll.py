"""Wages: income tax withheld by the cumulative method, contributions, hidden wealth, fair pay.

The tax table is that of comprehensive income of residents (个人所得税法 2018, annex one); the
withholding of wages cumulates income, deductions and tax from January (累计预扣法, 个人所得税扣缴
申报管理办法（试行）, 国家税务总局公告 2018 年第 61 号). Whoever sees
other people's wages sees groups of at least five: :func:`band` and :func:`hidden_cells` keep to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need

#: Upper ends of the brackets of yearly taxable income in 元, rates, quick deductions.
BRACKETS = np.array([36_000, 144_000, 300_000, 420_000, 660_000, 960_000], dtype=float)
RATES = np.array([0.03, 0.10, 0.20, 0.25, 0.30, 0.35, 0.45])
QUICK = np.array([0, 2_520, 16_920, 31_920, 52_920, 85_920, 181_920], dtype=float)
TAX_FREE = 5_000.0
MINIMUM = 5
KINDS = {
    "pension": "养老保险",
    "medical": "医疗保险",
    "unemployment": "失业保险",
    "injury": "工伤保险",
    "housing": "住房公积金",
    "annuity": "企业年金",
}


def own_rows(rows: pd.DataFrame, employee: str, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return one employee's own payslips and nobody else's, oldest first.

    Parameters
    ----------
    rows : DataFrame
        The wage table.
    employee : str
        The employee's own number.
    as_of : Timestamp
        The employee must have been paid in this month.

    Raises
    ------
    CourseError
        Unknown number, or not paid any more.
    """
    mine = rows[rows["employee_id"] == employee].sort_values("month", ignore_index=True)
    _need.that(len(mine) > 0, f"工资表里没有员工号“{employee}”，请把参数 EMP 改成你自己的员工号。")
    last = mine["month"].iloc[-1]
    _need.that(
        (last.year, last.month) == (as_of.year, as_of.month),
        f"员工“{employee}”本月没有工资，请把参数 EMP 改成在岗员工的员工号。",
    )
    return mine


def middle_employee(rows: pd.DataFrame, as_of: pd.Timestamp) -> str:
    """Return the number of the employee in the middle by gross pay of the last twelve months.

    Parameters
    ----------
    rows : DataFrame
        The wage table.
    as_of : Timestamp
        Only those paid in all of the twelve months up to this day count, if there are any.

    Raises
    ------
    CourseError
        Nobody was paid in the last month.
    """
    year = rows[(rows["month"] > as_of - pd.DateOffset(months=12)) & (rows["month"] <= as_of)]
    paid = year.groupby("employee_id").agg(
        gross=("gross", "sum"), months=("month", "nunique"), last=("month", "max")
    )
    paid = paid[paid["last"] >= as_of.replace(day=1).normalize()]
    _need.enough(len(paid) > 0, "工资表里最近一个月没有任何人的工资，请检查数据日期。")
    paid = paid[paid["months"] == paid["months"].max()].reset_index()
    ordered = paid.sort_values(["gross", "employee_id"], ignore_index=True)
    return str(ordered["employee_id"].iloc[len(ordered) // 2])


def tax_due(taxable: Any) -> Any:
    """Return the tax on taxable income cumulated since January.

    Parameters
    ----------
    taxable : number or Series
        Income less 5 000 元 a month, personal contributions and special deductions, 元; negative
        counts as zero.

    Returns
    -------
    float or Series
        元, rounded to cents: taxable × rate − quick deduction. A bracket's upper end belongs to it.

    Examples
    --------
    >>> tax_due(36_000), tax_due(50_000)
    (1080.0, 2480.0)
    """
    positive = np.maximum(np.asarray(taxable, dtype=float), 0.0)
    place = np.searchsorted(BRACKETS, positive, side="left")
    due = np.round(positive * RATES[place] - QUICK[place], 2)
    if isinstance(taxable, pd.Series):
        return pd.Series(due, index=taxable.index, name="tax_due")
    return float(due) if np.ndim(due) == 0 else due


def top_rate(taxable: Any) -> Any:
    """Return the rate on the last 元 of cumulated taxable income (ratio; 0 below zero)."""
    values = np.asarray(taxable, dtype=float)
    place = np.searchsorted(BRACKETS, np.maximum(values, 0.0), side="left")
    rate = np.where(values > 0, RATES[place], 0.0)
    if isinstance(taxable, pd.Series):
        return pd.Series(rate, index=taxable.index, name="top_rate")
    return float(rate) if np.ndim(rate) == 0 else rate


def personal_total(rows: pd.DataFrame) -> pd.Series:
    """Return what the employee pays in (all columns ``*_personal``), 元."""
    names = [name for name in rows.columns if name.endswith("_personal")]
    _need.that(bool(names), "工资表里没有个人缴费的列，请检查列名是否以 _personal 结尾。")
    return rows[names].astype(float).sum(axis=1).round(2).rename("personal")


def company_total(rows: pd.DataFrame) -> pd.Series:
    """Return what the employer pays in (all columns ``*_company``), 元."""
    names = [name for name in rows.columns if name.endswith("_company")]
    _need.that(bool(names), "工资表里没有单位缴费的列，请检查列名是否以 _company 结尾。")
    return rows[names].astype(float).sum(axis=1).round(2).rename("company")


def withholding(rows: pd.DataFrame, tax_free: float = TAX_FREE) -> pd.DataFrame:
    """Recompute the monthly income tax by the cumulative method.

    Parameters
    ----------
    rows : DataFrame
        ``employee_id``, ``month``, ``gross``, the ``*_personal`` columns and, if there is one,
        ``special_deduction`` (元).
    tax_free : float
        Basic deduction for each month employed, 元.

    Returns
    -------
    DataFrame
        On the index of ``rows``: ``taxable`` (cumulated since January), ``top_rate``, ``due``
        (cumulated), ``tax`` (this month: due less what was withheld before, never negative).
    """
    _need.columns(rows, ["employee_id", "month", "gross"], "累计预扣")
    order = rows.sort_values(["employee_id", "month"], kind="stable")
    special = order["special_deduction"].fillna(0.0) if "special_deduction" in order else 0.0
    income = order["gross"].astype(float) - personal_total(order) - special - tax_free
    year = [order["employee_id"], order["month"].dt.year]
    taxable = income.groupby(year).cumsum().round(2)
    due = tax_due(taxable)
    highest = due.groupby(year).cummax()
    tax = highest - highest.groupby(year).shift(fill_value=0.0)
    table = pd.DataFrame(
        {"taxable": taxable, "top_rate": top_rate(taxable), "due": due, "tax": tax.round(2)}
    )
    return table.reindex(rows.index)


def employer_cost(rows: pd.DataFrame) -> pd.DataFrame:
    """Return both sides of each payslip.

    Parameters
    ----------
    rows : DataFrame
        ``gross``, ``tax``, ``net``, ``welfare`` and the contribution columns, 元.

    Returns
    -------
    DataFrame
        ``gross``, ``personal``, ``tax``, ``net``, ``company``, ``welfare``, ``cost`` (gross +
        company + welfare).
    """
    _need.columns(rows, ["gross", "tax", "net", "welfare"], "用工成本")
    table = rows[["gross", "tax", "net", "welfare"]].astype(float)
    table["personal"], table["company"] = personal_total(rows), company_total(rows)
    table["cost"] = table["gross"] + table["company"] + table["welfare"]
    return table


def by_kind(rows: pd.DataFrame) -> pd.DataFrame:
    """Return contributions by kind: ``个人``, ``单位`` (元, summed over ``rows``)."""
    sums = {
        word: (
            float(rows[f"{kind}_personal"].sum()) if f"{kind}_personal" in rows else 0.0,
            float(rows[f"{kind}_company"].sum()) if f"{kind}_company" in rows else 0.0,
        )
        for kind, word in KINDS.items()
    }
    return pd.DataFrame.from_dict(sums, orient="index", columns=["个人", "单位"])


def ownership() -> pd.DataFrame:
    """Return whose money each contribution is and when it can be used (general practice)."""
    rows = [
        ("养老保险", "个人缴费", "个人账户", "退休后按月领；出国定居或身故可一次领取"),
        ("养老保险", "单位缴费", "统筹基金", "不在你名下，按缴费年限和水平换成基础养老金"),
        ("医疗保险", "个人缴费", "个人账户", "看病、买药、家人共济"),
        ("医疗保险", "单位缴费", "统筹基金", "住院和大病时用，不能取现"),
        ("失业保险", "双方缴费", "统筹基金", "非自愿失业、符合条件时领"),
        ("工伤保险", "单位缴费", "统筹基金", "发生工伤时用"),
        ("住房公积金", "双方缴存", "个人账户", "买房、租房、还房贷；退休可全部提取"),
        ("企业年金", "个人缴费", "个人账户", "退休后领取"),
        (
            "企业年金",
            "单位缴费",
            "个人账户（按服务年限归属）",
            "归属以后退休领取，提前离职可能不全归你",
        ),
    ]
    return pd.DataFrame(rows, columns=["项目", "谁缴", "在谁名下", "什么时候用"])


def nest_egg(
    monthly: float, years: int, rate: float, growth: float, start: float = 0.0
) -> pd.Series:
    """Return the balance at the end of each year.

    Parameters
    ----------
    monthly : float
        Paid in each month of the first year, 元; a year's payments count at its end.
    years : int
        Years until retirement.
    rate, growth : float
        Yearly return and yearly growth of the payments (ratios).
    start : float
        Balance today, 元.

    Returns
    -------
    Series
        Index 1 … ``years``; closed form for ``start`` 0 and rate ≠ growth:
        12·m·((1+r)^n − (1+g)^n)/(r − g).
    """
    _need.that(years >= 0, "年数不能是负的，请检查出生年和退休年龄。")
    balance, values = float(start), []
    for year in range(years):
        balance = balance * (1 + rate) + 12 * monthly * (1 + growth) ** year
        values.append(balance)
    return pd.Series(values, index=pd.RangeIndex(1, years + 1, name="year"), dtype=float)


def wealth_fan(
    monthly: float,
    years: int,
    rate: float,
    spread: float,
    growth: float,
    start: float = 0.0,
    quantiles: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9),
    draws: int = 2000,
    seed: int = 20251231,
) -> pd.DataFrame:
    """Return quantiles of the balance when each year's return is drawn anew.

    Parameters
    ----------
    monthly, years, growth, start
        As in :func:`nest_egg`.
    rate, spread : float
        Mean and standard deviation of the yearly return (normal, independent; a course
        parameter, not a forecast).
    quantiles : sequence of float
        Columns wanted.
    draws, seed : int
        Number of futures; seed (same input, same fan).

    Returns
    -------
    DataFrame
        year (1 …) × quantile, 元.
    """
    returns = np.random.default_rng(seed).normal(rate, spread, (draws, years))
    balance = np.full(draws, float(start))
    rows = []
    for year in range(years):
        balance = balance * (1 + returns[:, year]) + 12 * monthly * (1 + growth) ** year
        rows.append(np.quantile(balance, quantiles))
    index = pd.RangeIndex(1, years + 1, name="year")
    return pd.DataFrame(rows, index=index, columns=list(quantiles))


def band(value: float, peers: pd.Series, minimum: int = MINIMUM) -> str:
    """Return where a value stands among peers without naming a rank.

    Parameters
    ----------
    value : float
        The employee's own value.
    peers : Series
        Values of everybody in the same post, the employee included.
    minimum : int
        Fewest people in a band that may be shown.

    Returns
    -------
    str
        A fifth if each fifth holds ``minimum`` people, else a half, else that it is not shown.
    """
    known = peers.dropna()
    if len(known) < 2 * minimum:
        return "同岗位人数太少，不显示"
    below = float((known < value).mean() + ((known == value).mean() / 2))
    if len(known) < 5 * minimum:
        return "上半" if below >= 0.5 else "下半"
    words = [
        "最低的五分之一",
        "偏低的五分之一",
        "中间的五分之一",
        "偏高的五分之一",
        "最高的五分之一",
    ]
    return words[min(int(below * 5), 4)]


def hidden_cells(counts: pd.DataFrame, minimum: int = MINIMUM) -> pd.DataFrame:
    """Return which cells of a table of head counts must not be shown.

    Parameters
    ----------
    counts : DataFrame
        Two-way table of people; row and column totals are assumed to be public.
    minimum : int
        Cells of 1 … ``minimum`` − 1 people are hidden; where that leaves a single hidden cell in a
        row or column (the total gives it away), the smallest other cell is hidden too.

    Returns
    -------
    DataFrame
        Booleans of the same shape. Empty cells are hidden only when needed as a second cell.
    """
    size = counts.to_numpy(dtype=float)
    hide = (size > 0) & (size < minimum)
    changed = True
    while changed:
        changed = False
        for flags, values in ((hide, size), (hide.T, size.T)):
            for row in np.flatnonzero(flags.sum(axis=1) == 1):
                if values.shape[1] < 2:
                    continue
                candidates = np.where(flags[row], np.inf, values[row])
                flags[row, int(np.argmin(candidates))] = True
                changed = True
    return pd.DataFrame(hide, index=counts.index, columns=counts.columns)


def residual(rows: pd.DataFrame, outcome: str, features: Sequence[str]) -> pd.Series:
    """Return what a least-squares regression on the features leaves unexplained.

    Parameters
    ----------
    rows : DataFrame
        One row a person; missing values are left out.
    outcome : str
        Number to explain, e.g. the logarithm of pay.
    features : sequence of str
        Numbers, or text columns that become 0/1 columns.

    Returns
    -------
    Series
        Residuals of the rows used.
    """
    from course_utils.analysis.statistics._sample import design

    _need.columns(rows, [outcome, *features], "回归残差")
    data = rows[[outcome, *features]].dropna()
    table = design(data, features).to_numpy()
    _need.enough(len(data) > table.shape[1] + 2, "样本太少，算不出回归残差，请放宽筛选。")
    x = np.column_stack([np.ones(len(data)), table])
    y = data[outcome].to_numpy(dtype=float)
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return pd.Series(left, index=data.index, name="residual")


def group_gaps(
    residuals: pd.Series, groups: pd.Series, minimum: int = MINIMUM, level: float = 0.95
) -> pd.DataFrame:
    """Return the mean residual of each group that is large enough, with funnel limits.

    Parameters
    ----------
    residuals : Series
        See :func:`residual`; of a logarithm, so a gap of −0.06 is about −6 %.
    groups : Series
        Group of each person, same index.
    minimum : int
        Smaller groups are left out altogether.
    level : float
        Level of the limits around 0: ± z·s/√n with the spread s of all residuals.

    Returns
    -------
    DataFrame
        Index = group; ``people``, ``gap``, ``low``, ``high`` (limits), ``outside``; lowest first.
    """
    from scipy.stats import norm

    table = residuals.groupby(groups.reindex(residuals.index)).agg(people="size", gap="mean")
    table = table[table["people"] >= minimum]
    half = norm.ppf(0.5 + level / 2) * residuals.std(ddof=1) / np.sqrt(table["people"])
    table["low"], table["high"] = -half, half
    table["outside"] = (table["gap"] < table["low"]) | (table["gap"] > table["high"])
    return table.sort_values("gap", kind="stable")
