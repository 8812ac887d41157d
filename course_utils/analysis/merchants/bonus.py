"""Bonuses for merchant work: what each employee brought, four ways to pay, what gaming earns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from course_utils.analysis import _need

#: Metrics of the schemes; amounts and deposits count in 万元.
METRICS = ("新增商户数", "交易笔数", "交易金额", "四星以上净增", "结算户日均")
#: Ways to pay: by stock, by increase, stock once the increase reaches the median, by what stays.
RULES = ("按存量", "按增量", "按达标", "按留存")
_FLOWS = {
    "交易笔数": ("transaction_count", 1.0),
    "交易金额": ("transaction_amount", 1e4),
    "结算户日均": ("settlement_deposit_average", 1e4),
}


def quantities(
    rows: pd.DataFrame,
    merchants: pd.DataFrame,
    gate_days: float = 15,
    suspect: Iterable[str] = (),
) -> dict[str, pd.DataFrame]:
    """Return what every employee has, has gained in a year, and has gained for good.

    Parameters
    ----------
    rows : DataFrame
        ``merchant_month`` of two years (25 months or the last 24): ``month``, ``merchant_id``,
        ``transaction_count``, ``transaction_amount``, ``settlement_deposit_average``,
        ``active_days``, ``star``.
    merchants : DataFrame
        Index ``merchant_id``; ``employee_id`` (who looks after it, may be missing), ``open_date``.
    gate_days : float
        Active days in the last month that a new merchant needs to count as kept.
    suspect : iterable of str
        Merchants whose turnover does not count as kept.

    Returns
    -------
    dict
        By rule a frame [employee × :data:`METRICS`]. 按存量: merchants looked after, sales and
        average deposit of the last twelve months, merchants of four stars now. 按增量: merchants
        signed in the last twelve months, change against the twelve months before, net gain of
        four stars. 按达标: the stock (who is paid is decided in :func:`paid`). 按留存: the increase
        that survives a check: new merchants active on ``gate_days`` days, sales without suspects,
        four stars three months ago and now, deposits without quarter-end months.

    Raises
    ------
    CourseError
        A column is missing or there are fewer than 24 months.
    """
    needed = [column for column, _ in _FLOWS.values()]
    _need.columns(rows, ["month", "merchant_id", "active_days", "star", *needed], "考核奖金")
    _need.columns(merchants, ["employee_id", "open_date"], "考核奖金")
    months = sorted(rows["month"].unique())
    _need.enough(
        len(months) >= 24, f"算一年的增量要有 24 个月的数据，现在只有 {len(months)} 个月。"
    )
    owner = merchants["employee_id"]
    staff = pd.Index(sorted(owner.dropna().unique()), name="employee_id")
    cut = months[-13]
    recent = rows[rows["month"] > months[-25]] if len(months) > 24 else rows
    late = recent["month"] > cut
    level, rise, kept = (pd.DataFrame(0.0, index=staff, columns=list(METRICS)) for _ in range(3))

    def total(chosen: pd.Series, column: str) -> pd.Series:
        part = recent[chosen]
        sums = part.groupby(part["merchant_id"].map(owner))[column].sum()
        return sums.reindex(staff).fillna(0.0).astype(float)

    honest = ~recent["merchant_id"].isin(set(suspect))
    calm = recent["month"].dt.month % 3 != 0
    for metric, (column, unit) in _FLOWS.items():
        deposit = metric == "结算户日均"
        check, all_months, few = (calm, 12, 8) if deposit else (honest, 1, 1)
        level[metric] = total(late, column) / unit / all_months
        rise[metric] = level[metric] - total(~late, column) / unit / all_months
        change = total(late & check, column) - total(~late & check, column)
        kept[metric] = change / unit / few
    stocks = _stocks(recent, merchants, months, gate_days)
    for metric, series in stocks.items():
        for table, values in zip((level, rise, kept), series, strict=True):
            sums = values.groupby(owner.reindex(values.index)).sum()
            table[metric] = sums.reindex(staff).fillna(0.0).astype(float)
    return {"按存量": level, "按增量": rise, "按达标": level, "按留存": kept}


def _stocks(
    rows: pd.DataFrame, merchants: pd.DataFrame, months: list[pd.Timestamp], gate_days: float
) -> dict[str, tuple[pd.Series, pd.Series, pd.Series]]:
    """Return stock, increase and lasting increase of merchants and of four stars, by merchant."""

    def at(month: pd.Timestamp, column: str) -> pd.Series:
        values = rows[rows["month"] == month].set_index("merchant_id")[column]
        return values.reindex(merchants.index)

    now, quarter, year = ((at(months[k], "star") >= 4).astype(int) for k in (-1, -4, -13))
    fresh = (merchants["open_date"] > months[-13]).astype(int)
    active = (at(months[-1], "active_days") >= gate_days).astype(int)
    one = pd.Series(1, index=merchants.index)
    return {
        "四星以上净增": (now, now - year, now * quarter - year),
        "新增商户数": (one, fresh, fresh * active),
    }


def paid(
    scheme: pd.DataFrame,
    quantity: Mapping[str, pd.DataFrame],
    price: pd.Series,
    extra: pd.Series | None = None,
) -> pd.Series:
    """Return the bonus of every employee under one scheme.

    Parameters
    ----------
    scheme : DataFrame
        One row a metric: ``metric``, ``weight`` (ratio), ``payout_rule`` (of :data:`RULES`).
    quantity : mapping
        Result of :func:`quantities`.
    price : Series
        元 per unit by metric.
    extra : Series, optional
        What everybody adds by gaming, by metric; it does not survive a check, so 按留存 ignores it.

    Returns
    -------
    Series
        元 by employee, Σ weight × price × quantity; a quantity below 0 pays nothing. 按达标 pays
        the stock to those whose increase reaches the median of the staff.
    """
    rise = quantity["按增量"]
    result = pd.Series(0.0, index=rise.index, name="bonus")
    for row in scheme.itertuples():
        _need.that(
            row.payout_rule in RULES,
            f"计酬规则“{row.payout_rule}”不认识，只有{'、'.join(RULES)}四种，请检查方案。",
        )
        more = 0.0 if extra is None or row.payout_rule == "按留存" else float(extra[row.metric])
        amount = (quantity[row.payout_rule][row.metric] + more).clip(lower=0)
        if row.payout_rule == "按达标":
            reached = rise[row.metric] + more >= rise[row.metric].median()
            amount = amount.where(reached, 0.0)
        result = result + row.weight * price[row.metric] * amount
    return result
