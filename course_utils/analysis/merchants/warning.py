"""Early warning of acquiring merchants: season, stability, trend, idle days, four levels.

Definitions of this course (facts §16.1, all numbers are parameters, see :class:`Rules`). For month
amounts a0 (latest full month) … a5, divided by the season of their class:

* stability ``S = max(0, 1 - sd(a0..a5) / mean(a0..a5))`` (sample standard deviation),
* trend ``r = a0 / mean(a1..a5)``,
* active days of the latest month and gap days since the last sale.

Panels are wide: one row a merchant (index = ``merchant_id``), one column a month end in time order,
元; a month before the signing is missing, a month without sales is 0.
``merchant_month.pivot(index="merchant_id", columns="month", values="transaction_amount")`` has
that shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_utils.analysis import _need

#: From good to bad; comparisons such as ``levels >= "橙"`` follow this order.
LEVELS = ("绿", "蓝", "黄", "橙", "红")
#: What the course calls them, worst first.
NAMES = {"红": "一级（红，流失）", "橙": "二级（橙，濒失）", "黄": "三级（黄，下滑）",
         "蓝": "四级（蓝，波动）", "绿": "正常（绿）"}  # fmt: skip
#: How often each level is looked at, in checks per 30 days (course definition).
CHECKS = {"红": 30.0, "橙": 30.0, "黄": 30 / 7, "蓝": 1.0, "绿": 1 / 3}
MONTHS = 6
KNOWN = 3


@dataclass(frozen=True)
class Rules:
    """Limits of the four levels; a merchant gets the worst level any rule gives.

    ``red_gap``, ``orange_gap``: days without a sale from which it is 红, 橙; ``orange_trend``,
    ``yellow_trend``, ``blue_trend``: trend below which it is 橙, 黄, 蓝; ``yellow_days``: active
    days below which it is 黄; ``blue_stability``: stability below which it is 蓝.
    """

    red_gap: float = 60
    orange_gap: float = 30
    orange_trend: float = 0.30
    yellow_trend: float = 0.60
    yellow_days: float = 8
    blue_trend: float = 0.85
    blue_stability: float = 0.50

    def __post_init__(self) -> None:
        """Refuse limits that are out of order."""
        _need.that(
            0 < self.orange_gap < self.red_gap,
            f"橙色的未交易天数（{self.orange_gap}）要大于零、小于红色的（{self.red_gap}），请改参数。",
        )
        _need.that(
            0 <= self.orange_trend <= self.yellow_trend <= self.blue_trend,
            f"趋势的三条线要从小到大：橙 {self.orange_trend}、黄 {self.yellow_trend}、"
            f"蓝 {self.blue_trend}，请改参数。",
        )


DEFAULT = Rules()


def _window(panel: pd.DataFrame, months: int) -> np.ndarray:
    """Return the last ``months`` columns of a panel as floats, shape ``(merchants, months)``."""
    _need.enough(
        panel.shape[1] >= months,
        f"这个算法要看最近 {months} 个月，表里只有 {panel.shape[1]} 个月，请多取几个月的数据。",
    )
    return panel.iloc[:, panel.shape[1] - months :].to_numpy(dtype=float, na_value=np.nan)


def season_index(panel: pd.DataFrame, kind: pd.Series, minimum: int = 5) -> pd.DataFrame:
    """Return the season of every class: the median share of the own mean, month by month.

    The shops of one class measure the season for each other in the same months, so a festival
    that moves in the solar calendar does no harm. Only shops with sales in every month of the
    panel take part; one shop that declines does not move a median.

    Parameters
    ----------
    panel : DataFrame
        Amounts, one row a merchant, one column a month, 元.
    kind : Series
        Class of every merchant (e.g. trade group × beside a school); index = merchant.
    minimum : int
        With fewer such shops the class gets no season (1.0 everywhere).

    Returns
    -------
    DataFrame
        Index = classes, columns = months, 1.0 = a normal month.
    """
    values = panel.to_numpy(dtype=float, na_value=np.nan)
    steady = (values > 0).all(axis=1)
    share = pd.DataFrame(
        values[steady] / values[steady].mean(axis=1, keepdims=True),
        index=panel.index[steady],
        columns=panel.columns,
    )
    every = kind.reindex(panel.index)
    groups = share.groupby(every[steady].astype("object"))
    index = groups.median().where(groups.size().ge(minimum), 1.0, axis=0)
    result = index.reindex(sorted(every.dropna().astype("object").unique()), fill_value=1.0)
    return result.rename_axis("kind")


def deseason(
    panel: pd.DataFrame, kind: pd.Series, index: pd.DataFrame | None = None, minimum: int = 5
) -> pd.DataFrame:
    """Divide every amount by the season of its class.

    Parameters
    ----------
    panel, kind, minimum
        See :func:`season_index`.
    index : DataFrame, optional
        A season to use instead of the panel's own: index = classes, columns = the panel's months
        or the calendar months 1 to 12. A class that is not in it is left as it is.

    Returns
    -------
    DataFrame
        The panel's shape.

    Raises
    ------
    CourseError
        The season lacks one of the panel's months.
    """
    season = season_index(panel, kind, minimum) if index is None else index
    wanted = panel.columns
    if index is not None and not wanted.isin(season.columns).all():
        wanted = pd.Index(pd.DatetimeIndex(panel.columns).month)
        _need.that(
            wanted.isin(season.columns).all(),
            "季节指数表缺少要用的月份，列名应是月末日或 1 到 12，请补齐。",
        )
    of_kind = season.reindex(columns=wanted).reindex(kind.reindex(panel.index))
    divisor = of_kind.fillna(1.0).to_numpy(dtype=float)
    values = panel.to_numpy(dtype=float, na_value=np.nan)
    return pd.DataFrame(
        np.divide(values, divisor, out=values.copy(), where=divisor > 0),
        index=panel.index,
        columns=panel.columns,
    )


def stability(panel: pd.DataFrame, months: int = MONTHS) -> pd.Series:
    """Return S = max(0, 1 − sd/mean) of the last ``months`` months.

    Parameters
    ----------
    panel : DataFrame
        Amounts (元), one row a merchant, one column a month.
    months : int
        Window.

    Returns
    -------
    Series
        0 to 1; missing when a month is unknown (signed too late) or all are 0.
    """
    values = _window(panel, months)
    mean = values.mean(axis=1)
    spread = values.std(axis=1, ddof=1)
    ratio = np.divide(spread, mean, out=np.full(len(mean), np.nan), where=mean > 0)
    return pd.Series(np.maximum(0.0, 1 - ratio), index=panel.index, name="stability")


def trend(panel: pd.DataFrame, months: int = MONTHS, known: int = KNOWN) -> pd.Series:
    """Return r = latest month / mean of the ``months − 1`` months before it.

    Parameters
    ----------
    panel : DataFrame
        Amounts (元), one row a merchant, one column a month.
    months : int
        Window, the latest month included.
    known : int
        A merchant that signed later is compared with the months it has, at least this many.

    Returns
    -------
    Series
        1 = as before; missing with too few months or nothing before.
    """
    values = _window(panel, months)
    earlier = values[:, :-1]
    seen = (~np.isnan(earlier)).sum(axis=1)
    mean = np.nansum(earlier, axis=1) / np.maximum(seen, 1)
    ok = (seen >= known) & (mean > 0)
    ratio = np.divide(values[:, -1], mean, out=np.full(len(mean), np.nan), where=ok)
    return pd.Series(ratio, index=panel.index, name="trend")


def day_activity(daily: pd.DataFrame, as_of: pd.Timestamp, window: int = 30) -> pd.DataFrame:
    """Return active days and idle days at any date from the daily table.

    Parameters
    ----------
    daily : DataFrame
        ``merchant_id``, ``date``; one row a merchant and day with sales.
    as_of : Timestamp
        Last day that counts; later rows are left out.
    window : int
        Days that ``active_days`` looks back, ``as_of`` included.

    Returns
    -------
    DataFrame
        Index = merchants with a sale in the table; ``active_days``, ``gap_days`` (0 = sold on
        ``as_of``). Who is not in it has been idle longer than the table reaches.
    """
    _need.columns(daily, ["merchant_id", "date"], "活跃天数")
    rows = daily[daily["date"] <= as_of]
    last = rows.groupby("merchant_id", observed=True)["date"].max()
    recent = rows[rows["date"] > as_of - pd.Timedelta(days=window)]
    active = recent.groupby("merchant_id", observed=True)["date"].nunique()
    return pd.DataFrame(
        {
            "active_days": active.reindex(last.index, fill_value=0).astype("int64"),
            "gap_days": (as_of - last).dt.days,
        }
    )


def indicators(
    amount: pd.DataFrame,
    active_days: pd.Series,
    gap_days: pd.Series,
    kind: pd.Series | None = None,
    index: pd.DataFrame | None = None,
    months: int = MONTHS,
) -> pd.DataFrame:
    """Return the four numbers that the levels are made of, at the panel's last month.

    Parameters
    ----------
    amount : DataFrame
        Panel of amounts, 元; only the last ``months`` columns are used (also for the season).
    active_days, gap_days : Series
        Of the latest month, by merchant.
    kind : Series, optional
        Class of the merchants; without it no season is taken out.
    index : DataFrame, optional
        A ready season, see :func:`deseason`.
    months : int
        Window.

    Returns
    -------
    DataFrame
        Index = merchant; ``stability``, ``trend``, ``active_days``, ``gap_days``.
    """
    _window(amount, months)
    recent = amount.iloc[:, amount.shape[1] - months :]
    even = recent if kind is None else deseason(recent, kind, index)
    return pd.DataFrame(
        {
            "stability": stability(even, months),
            "trend": trend(even, months),
            "active_days": active_days.reindex(amount.index).astype(float),
            "gap_days": gap_days.reindex(amount.index).astype(float),
        }
    )


def _hits(frame: pd.DataFrame, rules: Rules) -> list[tuple[str, str, np.ndarray]]:
    """Return (level, reason, who) of every rule, worst first; a missing number hits nothing."""
    _need.columns(frame, ["stability", "trend", "active_days", "gap_days"], "四级预警")
    gap, ratio, days, steady = (
        frame[name].to_numpy(dtype=float, na_value=np.nan)
        for name in ("gap_days", "trend", "active_days", "stability")
    )
    return [
        ("红", f"未交易满 {rules.red_gap:g} 天", gap >= rules.red_gap),
        ("橙", f"未交易满 {rules.orange_gap:g} 天", gap >= rules.orange_gap),
        ("橙", f"趋势低于 {rules.orange_trend:g}", ratio < rules.orange_trend),
        ("黄", f"趋势低于 {rules.yellow_trend:g}", ratio < rules.yellow_trend),
        ("黄", f"活跃天数少于 {rules.yellow_days:g} 天", days < rules.yellow_days),
        ("蓝", f"趋势低于 {rules.blue_trend:g}", ratio < rules.blue_trend),
        ("蓝", f"稳定度低于 {rules.blue_stability:g}", steady < rules.blue_stability),
    ]


def levels(frame: pd.DataFrame, rules: Rules = DEFAULT) -> pd.Series:
    """Return the warning level by the worst hit (facts §16.1).

    Parameters
    ----------
    frame : DataFrame
        Result of :func:`indicators`.
    rules : Rules
        Limits.

    Returns
    -------
    Series
        Ordered categorical of :data:`LEVELS`; missing where active and idle days are both unknown
        (not a customer yet).
    """
    hits = _hits(frame, rules)
    code = np.select([who for *_, who in hits], [LEVELS.index(level) for level, *_ in hits], 0)
    known = frame[["active_days", "gap_days"]].notna().any(axis=1).to_numpy()
    kind = pd.CategoricalDtype(list(LEVELS), ordered=True)
    return pd.Series(
        pd.Categorical.from_codes(np.where(known, code, -1), dtype=kind),
        index=frame.index,
        name="level",
    )


def reasons(frame: pd.DataFrame, rules: Rules = DEFAULT) -> pd.Series:
    """Return the rule that decided the level, in Chinese; 各项正常 for 绿.

    Parameters
    ----------
    frame, rules
        See :func:`levels`.
    """
    hits = _hits(frame, rules)
    said = np.select([who for *_, who in hits], [text for _, text, _ in hits], "各项正常")
    return pd.Series(said, index=frame.index, name="reason", dtype="str")


def history(
    amount: pd.DataFrame,
    active_days: pd.DataFrame,
    gap_days: pd.DataFrame,
    kind: pd.Series | None = None,
    rules: Rules = DEFAULT,
    months: int = MONTHS,
) -> pd.DataFrame:
    """Return the level at every month end from the ``months``-th on, each from its own past only.

    Parameters
    ----------
    amount, active_days, gap_days : DataFrame
        Panels of the same shape.
    kind : Series, optional
        Class of the merchants; the season is taken anew from every window.
    rules : Rules
        Limits.
    months : int
        Window.

    Returns
    -------
    DataFrame
        Index = merchant, columns = month ends; texts of :data:`LEVELS`, missing before signing.
    """
    _window(amount, months)
    result = {}
    for last in range(months, amount.shape[1] + 1):
        month = amount.columns[last - 1]
        window = amount.iloc[:, last - months : last]
        frame = indicators(window, active_days[month], gap_days[month], kind, months=months)
        result[month] = levels(frame, rules).astype("object")
    return pd.DataFrame(result, index=amount.index).rename_axis(columns=amount.columns.name)


def lead_days(
    history: pd.DataFrame, gap_days: pd.DataFrame, rules: Rules = DEFAULT, back: int = 2
) -> pd.Series:
    """Return for every loss how many days before it 橙 was shown.

    A loss is a month end at which the gap has passed ``red_gap`` since the month end before. Its
    lead is ``red_gap`` less the gap at the first month end, at most ``back`` months earlier, at
    which the merchant was 橙.

    Parameters
    ----------
    history : DataFrame
        Result of :func:`history`.
    gap_days : DataFrame
        Panel of idle days with (at least) the same months.
    rules : Rules
        Limits.
    back : int
        Month ends looked back.

    Returns
    -------
    Series
        Index = (merchant, month of loss), days; missing = the loss came without an 橙.
    """
    level = history.to_numpy(dtype=object)
    gap = gap_days.reindex(index=history.index, columns=history.columns).to_numpy(dtype=float)
    pieces = []
    for m in range(back, level.shape[1]):
        lost = np.flatnonzero((gap[:, m] >= rules.red_gap) & (gap[:, m - 1] < rules.red_gap))
        lead = np.full(len(lost), np.nan)
        for t in range(m - back, m):  # earliest first: later ones only fill what is missing
            orange = (level[lost, t] == "橙") & np.isnan(lead)
            lead = np.where(orange, rules.red_gap - gap[lost, t], lead)
        keys = [history.index[lost], [history.columns[m]] * len(lost)]
        pieces.append(pd.Series(lead, index=pd.MultiIndex.from_arrays(keys)))
    empty = pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], []]))
    result = pd.concat(pieces) if pieces else empty
    return result.rename("lead_days").rename_axis(["merchant_id", "month"])
