"""Limit increases: the history a gate needs, and the look back three months after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from course_utils.analysis import _need
from course_utils.analysis.statistics.experiment import wilson


def clean_months(record: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    """Return for how many months a borrower has been without an overdue month end.

    Parameters
    ----------
    record : DataFrame
        One row a loan and month: ``customer_id``, ``month`` (month end), ``dpd`` (days overdue at
        the month end).
    as_of : Timestamp
        The day of the look.

    Returns
    -------
    Series
        ``clean_months`` by customer: months since the last overdue month end; for those never
        overdue the months since the first loan, that month included.
    """
    _need.columns(record, ["customer_id", "month", "dpd"], "无逾期月数")
    start = record.groupby("customer_id")["month"].min() - pd.offsets.MonthEnd(1)
    late = record[record["dpd"] > 0].groupby("customer_id")["month"].max()
    last = late.reindex(start.index).fillna(start)
    months = (as_of.year - last.dt.year) * 12 + as_of.month - last.dt.month
    return months.astype(int).rename("clean_months")


def steady_trend(wide: pd.DataFrame, half: int = 6) -> pd.Series:
    """Return growth of the last half year over the one before, each without its largest month.

    Parameters
    ----------
    wide : DataFrame
        customer × month, money in 元, at least ``2 * half`` months in order of time.
    half : int
        Months of each half.

    Returns
    -------
    Series
        ``trend`` (0.1 = one tenth more); NaN where the first half holds nothing after its largest
        month is taken away. One large sum (a house sold) cannot turn the sign.
    """
    _need.enough(wide.shape[1] >= 2 * half, f"流入趋势要 {2 * half} 个月的数据，请检查月份范围。")
    filled = wide.fillna(0.0)
    after, before = filled.iloc[:, -half:], filled.iloc[:, -2 * half : -half]
    new, old = (part.sum(axis=1) - part.max(axis=1) for part in (after, before))
    return (new / old.where(old > 0) - 1).rename("trend")


def usable_reports(
    reports: pd.DataFrame,
    as_of: pd.Timestamp,
    months: int = 12,
    scopes: Sequence[str] = ("授信管理", "贷后管理"),
) -> pd.DataFrame:
    """Return each customer's newest credit report that may be used to set a limit.

    Parameters
    ----------
    reports : DataFrame
        ``customer_id``, ``query_id``, ``query_date``, ``consent_scope``, ``consent_expire_date``.
    as_of : Timestamp
        The day of use: the consent must not have expired before it.
    months : int
        How old a report may be.
    scopes : sequence of str
        Scopes of consent that cover the purpose.

    Returns
    -------
    DataFrame
        One row a customer, index ``customer_id``.
    """
    valid = reports["consent_expire_date"].isna() | (reports["consent_expire_date"] >= as_of)
    new = reports["query_date"] > as_of - pd.DateOffset(months=months)
    kept = reports[valid & new & reports["consent_scope"].isin(list(scopes))]
    kept = kept.sort_values(["query_date", "query_id"])
    return kept.drop_duplicates("customer_id", keep="last").set_index("customer_id")


def after_check(
    changes: pd.DataFrame,
    loans: pd.DataFrame,
    loan_months: pd.DataFrame,
    line_months: pd.DataFrame,
    months: int = 3,
    idle: float = 0.30,
    full: float = 0.95,
) -> pd.DataFrame:
    """Return three signals some months after a change of limit.

    Parameters
    ----------
    changes : DataFrame
        ``change_id``, ``line_id``, ``change_date``, ``new_limit`` (元).
    loans : DataFrame
        ``loan_id``, ``line_id``, ``issue_date``: the loan drawn on the day of the change counts.
    loan_months : DataFrame
        ``loan_id``, ``month``, ``dpd``.
    line_months : DataFrame
        ``line_id``, ``month``, ``used`` (元).
    months : int
        Month ends after that of the change.
    idle, full : float
        Used share of the new limit below which it lies idle, from which on it is full again.

    Returns
    -------
    DataFrame
        ``changes`` with flags ``late`` (overdue at a month end in between), ``idle``, ``full``.
    """
    check = changes["change_date"] + pd.offsets.MonthEnd(0) + pd.offsets.MonthEnd(months)
    frame = changes.assign(check=check, line_id=changes["line_id"].astype("str"))
    drawn = frame.merge(
        loans[["loan_id", "line_id", "issue_date"]].astype({"line_id": "str"}),
        left_on=["line_id", "change_date"],
        right_on=["line_id", "issue_date"],
    )
    record = loan_months[["loan_id", "month", "dpd"]].astype({"loan_id": "str"})
    seen = drawn.merge(record[record["dpd"] > 0], on="loan_id")
    seen = seen[(seen["month"] >= seen["change_date"]) & (seen["month"] <= seen["check"])]
    used = line_months[["line_id", "month", "used"]].astype({"line_id": "str"})
    share = frame.merge(
        used, how="left", left_on=["line_id", "check"], right_on=["line_id", "month"]
    )
    part = share["used"].fillna(0.0).to_numpy() / frame["new_limit"].to_numpy()
    late = frame["change_id"].isin(seen["change_id"])
    return frame.drop(columns="check").assign(late=late, idle=part < idle, full=part >= full)


def signal_rates(
    checked: pd.DataFrame, by: str, groups: Mapping[object, str], signals: Mapping[str, str]
) -> pd.DataFrame:
    """Return the share of each signal in each group, with Wilson intervals.

    Parameters
    ----------
    checked : DataFrame
        See :func:`after_check`.
    by : str
        Group column.
    groups, signals : mapping
        Value of ``by`` -> word; flag column -> word; both in the order wanted.

    Returns
    -------
    DataFrame
        ``signal``, ``group``, ``size``, ``rate``, ``low``, ``high`` (ratios).
    """
    parts = []
    for column, word in signals.items():
        count = checked.groupby(by)[column].agg(["sum", "size"]).reindex(list(groups)).fillna(0)
        rates = wilson(count["sum"].astype(float), count["size"])
        named = rates.assign(signal=word, group=list(groups.values()), size=count["size"])
        parts.append(named.reset_index(drop=True))
    return pd.concat(parts, ignore_index=True)


def talk_sheet() -> pd.DataFrame:
    """Return the five steps of a call about a limit, in the words of the manager."""
    steps = {
        "表明身份": "我是某某支行的某某，工号可以在行里核实。",
        "说明来意": "您的额度用得比较满，想了解您是不是还有用钱的计划。",
        "问需求": "旺季什么时候？这笔钱用在哪里？最近进账和去年比怎么样？",
        "讲条件": "额度要看收入、还款和用途，以审批结果为准，我不能先答应您。",
        "给选择": "您不需要可以直接告诉我，以后不再打扰；需要的话，我们约时间补材料、签授权。",
    }
    return pd.DataFrame({"步骤": list(steps), "说什么": list(steps.values())})
