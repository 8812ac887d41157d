"""Loan cohorts (MC20): vintage curves, roll rates, current loan to value, on-time streaks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.analysis import _need

#: Lowest days past due of each bucket (facts: M1 1-30, M2 31-60 … M6+ above 150).
EDGES = (0, 1, 31, 61, 91, 121, 151)
BUCKETS = ("M0", "M1", "M2", "M3", "M4", "M5", "M6+")
SETTLED = "结清"
GRACE_DAYS = 3


def months_between(start: pd.Series, end: pd.Series | pd.Timestamp) -> pd.Series:
    """Return whole calendar months from the month of ``start`` to the month of ``end``.

    Parameters
    ----------
    start, end : Series of datetime or Timestamp
        Missing dates give NaN.

    Returns
    -------
    Series of float
        0 in the month of issue; ``month on book`` when ``start`` is the issue date.
    """
    final = end if isinstance(end, pd.Series) else pd.Series(pd.Timestamp(end), index=start.index)
    years = final.dt.year - start.dt.year
    return (years * 12 + final.dt.month - start.dt.month).astype(float)


def bucket(dpd: pd.Series) -> pd.Series:
    """Put days past due into M0 … M6+; missing stays missing.

    Parameters
    ----------
    dpd : Series
        Days past due, ≥ 0.

    Returns
    -------
    Series
        Ordered categorical of :data:`BUCKETS`.
    """
    days = dpd.to_numpy(dtype=float)
    _need.that(not bool((days < 0).any()), "逾期天数里有负数，请检查贷款月度表。")
    codes = np.where(np.isnan(days), -1, np.searchsorted(EDGES, days, side="right") - 1)
    kind = pd.CategoricalDtype(list(BUCKETS), ordered=True)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=kind), index=dpd.index)


def first_late(loan_month: pd.DataFrame, loans: pd.DataFrame, days: int = 30) -> pd.Series:
    """Return the month on book in which each loan was first more than ``days`` past due.

    Parameters
    ----------
    loan_month : DataFrame
        ``loan_id``, ``month``, ``dpd`` at month ends.
    loans : DataFrame
        ``loan_id``, ``issue_date``; one row a loan.
    days : int
        30 for "30+" (worse than M1), 90 for "90+".

    Returns
    -------
    Series
        Index = loan_id of ``loans``; NaN = never.
    """
    _need.columns(loan_month, ["loan_id", "month", "dpd"], "贷款月度表")
    _need.columns(loans, ["loan_id", "issue_date"], "借据表")
    late = loan_month[loan_month["dpd"] > days]
    first = late.groupby("loan_id", observed=True)["month"].min()
    issue = loans.set_index("loan_id")["issue_date"]
    return months_between(issue, first.reindex(issue.index))


def vintage(
    loan_month: pd.DataFrame,
    loans: pd.DataFrame,
    when: pd.Timestamp,
    days: int = 30,
    cohort: pd.Series | None = None,
    longest: int = 60,
) -> pd.DataFrame:
    """Return vintage curves: of the loans of a cohort, the share ever late by months on book.

    Parameters
    ----------
    loan_month, loans, days
        As in :func:`first_late`.
    when : Timestamp
        Last month end of the data.
    cohort : Series, optional
        Cohort of each row of ``loans`` (same index); default: the year of issue.
    longest : int
        Last month on book.

    Returns
    -------
    DataFrame
        Index = months on book from 0; one column a cohort, ratios that never fall. A curve ends
        (NaN) at the age that the cohort's youngest loan has reached, so that every point counts
        all loans of the cohort. Settled loans stay in the denominator.
    """
    _need.enough(len(loans) > 0, "没有可以做账龄曲线的贷款，请检查筛选条件。")
    group = loans["issue_date"].dt.year if cohort is None else cohort
    first = first_late(loan_month, loans, days).to_numpy()
    age = months_between(loans["issue_date"], pd.Timestamp(when)).to_numpy()
    steps = np.arange(longest + 1)
    curves = {}
    for name in sorted(group.dropna().unique()):
        mine = (group == name).to_numpy()
        share = (first[mine][None, :] <= steps[:, None]).mean(axis=1)
        curves[name] = np.where(steps <= age[mine].min(), share, np.nan)
    return pd.DataFrame(curves, index=pd.Index(steps, name="months_on_book"))


def seen_at(
    loan_month: pd.DataFrame,
    loans: pd.DataFrame,
    when: pd.Timestamp,
    months: int,
    days: int = 30,
    cohort: pd.Series | None = None,
) -> pd.DataFrame:
    """Compare cohorts at one age: loans old enough, those late by then, Wilson interval.

    Parameters
    ----------
    loan_month, loans, when, days, cohort
        As in :func:`vintage`.
    months : int
        Age at which the cohorts are compared; younger loans are left out.

    Returns
    -------
    DataFrame
        Index = cohort; ``n``, ``late``, ``rate``, ``low``, ``high``.
    """
    from course_utils.analysis.statistics.experiment import wilson

    group = loans["issue_date"].dt.year if cohort is None else cohort
    first = first_late(loan_month, loans, days).to_numpy()
    old = (months_between(loans["issue_date"], pd.Timestamp(when)) >= months).to_numpy()
    rows = pd.DataFrame({"n": 1, "late": (first <= months).astype(int)}, index=loans.index)
    table = rows[old].groupby(group[old]).sum()
    return table.join(wilson(table["late"], table["n"]))


def roll_counts(loan_month: pd.DataFrame, settled: pd.Series | None = None) -> pd.DataFrame:
    """Count loan-months by bucket this month and next month.

    Parameters
    ----------
    loan_month : DataFrame
        ``loan_id``, ``month``, ``dpd``, one row a loan a month without gaps.
    settled : Series, optional
        loan_id -> month end of settlement; that month counts as :data:`SETTLED`, not as M0.

    Returns
    -------
    DataFrame
        Rows :data:`BUCKETS` (this month), columns :data:`BUCKETS` and 结清 (next month), counts.
    """
    _need.columns(loan_month, ["loan_id", "month", "dpd"], "贷款月度表")
    rows = loan_month[["loan_id", "month", "dpd"]].sort_values(["loan_id", "month"])
    state = bucket(rows["dpd"]).astype("object")
    if settled is not None:
        ends = pd.to_datetime(rows["loan_id"].astype("object").map(settled))
        state = state.where(~(rows["month"] >= ends), SETTLED)
    after = state.shift(-1)
    number = rows["month"].dt.year * 12 + rows["month"].dt.month
    follows = (rows["loan_id"].shift(-1) == rows["loan_id"]) & (number.shift(-1) == number + 1)
    pair = pd.DataFrame({"now": state, "next": after})[follows & (state != SETTLED)]
    table = pd.crosstab(pair["now"], pair["next"])
    return table.reindex(index=list(BUCKETS), columns=[*BUCKETS, SETTLED], fill_value=0)


def roll_rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Divide each row of :func:`roll_counts` by its total (NaN where nothing was seen)."""
    total = counts.sum(axis=1)
    return counts.div(total.where(total > 0), axis=0)


def flow_to_loss(rates: pd.DataFrame) -> pd.Series:
    """Multiply the forward steps: the chance that a loan in a bucket reaches M6+ step by step.

    Parameters
    ----------
    rates : DataFrame
        From :func:`roll_rates`.

    Returns
    -------
    Series
        Index = M0 … M5; the product of "one bucket worse next month" up to M6+. Jumps over a
        bucket count with the step, because a month can bring more than 30 days.
    """
    worse = pd.Series(
        {name: rates.loc[name, list(BUCKETS[k + 1 :])].sum() for k, name in enumerate(BUCKETS[:-1])}
    )
    worse = worse.where(rates.loc[list(BUCKETS[:-1])].notna().any(axis=1))
    return worse[::-1].cumprod()[::-1]


def price_ratio(index: pd.Series, start: pd.Series, when: pd.Timestamp) -> pd.Series:
    """Return the price index at ``when`` over the index at ``start``.

    Parameters
    ----------
    index : Series
        Index = month ends, > 0.
    start : Series of datetime
        Appraisal dates; those before the first month of the index take its first value.
    when : Timestamp
        Valuation date: the last month not after it.

    Returns
    -------
    Series
        On the index of ``start``.
    """
    known = index.sort_index()
    known = known[known.index <= pd.Timestamp(when)]
    _need.enough(len(known) > 0, "房价指数里没有数据日期以前的月份，无法更新押品价值。")
    place = np.searchsorted(known.index.to_numpy(), start.to_numpy(), side="right") - 1
    then = known.to_numpy(dtype=float)[np.clip(place, 0, len(known) - 1)]
    ratio = pd.Series(float(known.iloc[-1]) / then, index=start.index)
    return ratio.where(start.notna())


def current_ltv(
    balance: pd.Series, appraised: pd.Series, ratio: pd.Series | float = 1.0, haircut: float = 1.0
) -> pd.Series:
    """Return balance ÷ (appraised value × price ratio × haircut), a ratio; NaN without a value."""
    value = appraised.astype(float) * ratio * haircut
    return balance.astype(float) / value.where(value > 0)


def going_rate(issue: pd.Series, rate: pd.Series, month: pd.Series, months: int = 4) -> pd.Series:
    """Return, for each month end, the median rate of the loans issued in the months before.

    Parameters
    ----------
    issue : Series of datetime
        Issue dates.
    rate : Series
        Rates at issue in percent.
    month : Series of datetime
        Month ends that are asked for (repeats allowed).
    months : int
        Length of the window that ends with the month.

    Returns
    -------
    Series
        Percent, index = the distinct month ends in order; a month without new loans keeps the
        value before it.
    """
    wanted = pd.DatetimeIndex(np.sort(pd.Series(month).unique()))
    known = pd.Series(rate.to_numpy(dtype=float), index=pd.DatetimeIndex(issue)).sort_index()
    start = wanted - pd.offsets.MonthEnd(months)
    median = [
        known[(known.index > a) & (known.index <= b)].median()
        for a, b in zip(start, wanted, strict=True)
    ]
    return pd.Series(median, index=wanted, dtype=float).ffill()


def streak(repayment: pd.DataFrame, when: pd.Timestamp, grace: int = GRACE_DAYS) -> pd.Series:
    """Count the instalments paid on time in a row, back from the last one due by ``when``.

    Parameters
    ----------
    repayment : DataFrame
        ``loan_id``, ``due_date``, ``paid_date``; ``kind`` (only 按期 counts) if there is one.
    when : Timestamp
        What is due later is not looked at, nor is a payment made later.
    grace : int
        Days of grace; one day more breaks the row.

    Returns
    -------
    Series of int
        Index = loan_id with at least one instalment due.
    """
    _need.columns(repayment, ["loan_id", "due_date", "paid_date"], "还款表")
    rows = repayment[repayment["due_date"] <= pd.Timestamp(when)]
    if "kind" in rows:
        rows = rows[rows["kind"] == "按期"]
    rows = rows.sort_values(["loan_id", "due_date"])
    wait = (rows["paid_date"] - rows["due_date"]).dt.days
    paid = rows["paid_date"] <= pd.Timestamp(when)
    still = rows["due_date"] + pd.Timedelta(days=grace) >= pd.Timestamp(when)
    on_time = ((wait <= grace) & paid) | (~paid & still)
    broken = (~on_time).groupby(rows["loan_id"], observed=True).cumsum()
    last = broken.groupby(rows["loan_id"], observed=True).transform("last")
    since = (broken == last) & on_time & ~(~paid & still)
    return since.groupby(rows["loan_id"], observed=True).sum().astype(int)
