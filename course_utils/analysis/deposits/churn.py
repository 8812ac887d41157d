"""Loss states from AUM, destinations of money, behaviour before a loss, lead time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need

STATES = ("稳定", "预警", "半流失", "流失", "沉默")
CUTS = (0.8, 0.5, 0.2)
FLOOR = 1e4
SILENT_DAYS = 180


def retention_ratio(panel: pd.DataFrame, recent: int = 3, before: int = 6) -> pd.DataFrame:
    """Return r = mean of the last ``recent`` months / mean of the ``before`` months ahead of them.

    Parameters
    ----------
    panel : DataFrame
        One row a customer, one column a month in time order (月日均AUM, 元).
    recent, before : int
        Window lengths.

    Returns
    -------
    DataFrame
        ``recent`` and ``before`` (元) and ``ratio`` (NaN when ``before`` is 0), for the last month.
    """
    _need.enough(
        panel.shape[1] >= recent + before,
        f"判断流失状态需要至少 {recent + before} 个月的数据，现在只有 {panel.shape[1]} 个月。",
    )
    values = panel.to_numpy(dtype=float)
    late = values[:, -recent:].mean(axis=1)
    early = values[:, -(recent + before) : -recent].mean(axis=1)
    ratio = np.divide(late, early, out=np.full(len(late), np.nan), where=early > 0)
    return pd.DataFrame({"recent": late, "before": early, "ratio": ratio}, index=panel.index)


def loss_state(
    panel: pd.DataFrame,
    idle_days: pd.Series | None = None,
    cuts: Sequence[float] = CUTS,
    floor: float = FLOOR,
    silent_days: int = SILENT_DAYS,
) -> pd.Series:
    """Return the loss state of every customer at the last month of the panel.

    r ≥ .8 稳定, .5-.8 预警, .2-.5 半流失, < .2 流失; 沉默 = a 稳定 or 预警 customer without any own
    transaction for 180 days (money still there, nobody home).

    Parameters
    ----------
    panel : DataFrame
        One row a customer, one column a month (AUM, 元), at least nine months.
    idle_days : Series, optional
        Days since the last customer-initiated transaction (missing = never).
    cuts : sequence of float
        The three limits of r.
    floor : float
        Customers with less AUM before (元) are out of scope: missing value.
    silent_days : int
        Days without own transaction that make a customer 沉默.

    Returns
    -------
    Series
        Ordered categorical of :data:`STATES`; missing below the floor.
    """
    frame = retention_ratio(panel)
    ratio = frame["ratio"].to_numpy(dtype=float)
    steady, warning, half = cuts
    code = np.select([ratio >= steady, ratio >= warning, ratio >= half], [0, 1, 2], default=3)
    if idle_days is not None:
        idle = idle_days.reindex(panel.index).to_numpy(dtype=float, na_value=np.nan)
        code = np.where((np.isnan(idle) | (idle >= silent_days)) & (code <= 1), 4, code)
    code = np.where(frame["before"].to_numpy(float) >= floor, code, -1)
    kind = pd.CategoricalDtype(list(STATES), ordered=True)
    return pd.Series(pd.Categorical.from_codes(code, dtype=kind), index=panel.index, name="state")


def first_loss(
    panel: pd.DataFrame,
    floor: float = FLOOR,
    cut: float = CUTS[-1],
    recent: int = 3,
    before: int = 6,
) -> pd.DataFrame:
    """Return the customers that were lost, when that was seen and when the money went.

    A customer is lost in the first month in which the mean of the last ``recent`` months is below
    ``cut`` of the mean of the ``before`` months ahead of them. The money then went in the first of
    those recent months: a mean of three months is late by two.

    Parameters
    ----------
    panel : DataFrame
        One row a customer, one column a month in time order (元).
    floor : float
        Smallest mean before that counts, 元.
    cut : float
        Ratio below which a customer is lost.
    recent, before : int
        Window lengths in months.

    Returns
    -------
    DataFrame
        Index = lost customers; ``month`` (seen), ``leave`` (money went), ``before`` and ``recent``
        (元). Who was lost in the very first month that can be judged left at an unknown earlier
        date: his ``leave`` is missing.
    """
    width = recent + before
    _need.enough(
        panel.shape[1] >= width,
        f"判断流失至少需要 {width} 个月的数据，现在只有 {panel.shape[1]} 个月。",
    )
    total = np.cumsum(panel.to_numpy(dtype=float), axis=1)
    total = np.concatenate([np.zeros((len(total), 1)), total], axis=1)
    middle = total[:, before : total.shape[1] - recent]
    early = (middle - total[:, : middle.shape[1]]) / before
    late = (total[:, width:] - middle) / recent
    lost = (early >= floor) & (late < cut * early)
    rows = np.flatnonzero(lost.any(axis=1))
    at = lost[rows].argmax(axis=1)
    months = panel.columns
    result = pd.DataFrame(
        {
            "month": months[at + width - 1],
            "leave": months[at + before],
            "before": early[rows, at],
            "recent": late[rows, at],
        },
        index=panel.index[rows],
    )
    result["leave"] = result["leave"].where(at > 0)
    return result


def ratio_at(panel: pd.DataFrame, month: pd.Series, recent: int = 3, before: int = 6) -> pd.Series:
    """Return the ratio of :func:`retention_ratio` at each customer's own month.

    Parameters
    ----------
    panel : DataFrame
        One row a customer, one column a month in time order (元).
    month : Series
        Index = customers of the panel, value = a column of it.
    recent, before : int
        Window lengths in months.

    Returns
    -------
    Series
        Same index; NaN where the mean before is 0 or the panel does not reach back far enough.
    """
    rows = panel.index.get_indexer(month.index)
    at = panel.columns.get_indexer(month)
    enough = (rows >= 0) & (at >= recent + before - 1)
    offsets = np.arange(-(recent + before) + 1, 1)
    place = np.where(enough, at, len(offsets) - 1)[:, None] + offsets
    exact = panel.to_numpy(dtype=float)[rows[:, None], place]
    early, late = exact[:, :before].mean(axis=1), exact[:, before:].mean(axis=1)
    ratio = np.divide(late, early, out=np.full(len(late), np.nan), where=early > 0)
    return pd.Series(np.where(enough, ratio, np.nan), index=month.index, name="ratio")


def state_history(panel: pd.DataFrame, **options: object) -> pd.DataFrame:
    """Return :func:`loss_state` for every month that has nine months of history.

    Parameters
    ----------
    panel : DataFrame
        As in :func:`loss_state`.
    **options
        ``cuts`` and ``floor`` of :func:`loss_state`.

    Returns
    -------
    DataFrame
        Same rows, one column a month.
    """
    columns = {
        panel.columns[i - 1]: loss_state(panel.iloc[:, :i], **options)  # type: ignore[arg-type]
        for i in range(9, panel.shape[1] + 1)
    }
    return pd.DataFrame(columns, index=panel.index)


def transition(
    before: pd.Series, after: pd.Series, weight: pd.Series | None = None
) -> pd.DataFrame:
    """Return how many customers moved from state to state.

    Parameters
    ----------
    before, after : Series
        States at two dates on the same customers; missing ones are left out.
    weight : Series, optional
        Sampling weights.

    Returns
    -------
    DataFrame
        Index = before, columns = after, all of :data:`STATES` that occur in either.
    """
    data = pd.DataFrame({"a": before.astype("object"), "b": after.astype("object")})
    data["w"] = 1.0 if weight is None else weight
    data = data.dropna()
    table = data.pivot_table(index="a", columns="b", values="w", aggfunc="sum").fillna(0.0)
    seen = [s for s in STATES if s in table.index or s in table.columns]
    seen += sorted({*table.index, *table.columns} - set(STATES))
    return table.reindex(index=seen, columns=seen, fill_value=0.0).rename_axis(
        index="之前", columns="之后"
    )


def destination_shares(
    outflows: pd.DataFrame,
    destination: str = "destination",
    amount: str = "amount",
    by: str | None = None,
    total: pd.Series | float | None = None,
    unknown: str = "去向不明",
) -> pd.DataFrame:
    """Return where money went, with what is not explained as its own bucket.

    Parameters
    ----------
    outflows : DataFrame
        One row an outflow (元); a missing destination counts as unknown.
    destination, amount : str
        Columns.
    by : str, optional
        Group column (tier); groups become columns.
    total : float or Series by group, optional
        Money that was lost; the part not covered by outflows is added to ``unknown``.
    unknown : str
        Name of the bucket.

    Returns
    -------
    DataFrame
        Index = destination (largest first, unknown last); without ``by``: ``amount``, ``share``;
        with ``by``: one column of shares a group.
    """
    _need.columns(outflows, [destination, amount, *([by] if by else [])], "资金去向")
    names = outflows[destination].astype("object").where(outflows[destination].notna(), unknown)
    keys = outflows[by] if by else pd.Series("合计", index=outflows.index)
    data = pd.DataFrame({"d": names, "k": keys, "a": outflows[amount]})
    table = data.pivot_table(index="d", columns="k", values="a", aggfunc="sum", observed=True)
    table = table.fillna(0.0)
    if total is not None:
        whole = pd.Series(total, index=table.columns, dtype=float)
        if unknown not in table.index:
            table.loc[unknown] = 0.0
        table.loc[unknown] += (whole - table.sum()).clip(lower=0)
    order = list(table.drop(index=unknown, errors="ignore").sum(axis=1).sort_values().index[::-1])
    table = table.reindex([*order, *([unknown] if unknown in table.index else [])])
    table.index.name = destination
    shares = table / table.sum().where(table.sum() > 0)
    if by:
        return shares.rename_axis(columns=by)
    return pd.DataFrame({"amount": table["合计"], "share": shares["合计"]})


def event_means(
    panels: Mapping[str, pd.DataFrame], event_month: pd.Series, before: int = 6, after: int = 0
) -> pd.DataFrame:
    """Average monthly behaviour aligned on each customer's month of loss.

    Parameters
    ----------
    panels : mapping
        name -> wide panel (one row a customer, one column a month in order), all alike.
    event_month : Series
        Month (a column of the panels) of the event; missing = no event.
    before, after : int
        Months on either side.

    Returns
    -------
    DataFrame
        Index = relative month, one column a name; only customers with the whole window.
    """
    first = next(iter(panels.values()))
    place = pd.Series(np.arange(first.shape[1]), index=first.columns)
    at = event_month.reindex(first.index).map(place).to_numpy(dtype=float, na_value=np.nan)
    inside = ~np.isnan(at) & (at - before >= 0) & (at + after < first.shape[1])
    _need.enough(bool(inside.any()), "没有客户的事件前后窗口完整落在数据期内，请缩短窗口。")
    offset = np.arange(-before, after + 1)
    columns = at[inside].astype(int)[:, None] + offset
    rows = np.flatnonzero(inside)[:, None]
    data = {
        n: np.nanmean(p.to_numpy(dtype=float)[rows, columns], axis=0) for n, p in panels.items()
    }
    return pd.DataFrame(data, index=pd.Index(offset, name="month"))


def event_ratios(
    panels: Mapping[str, pd.DataFrame],
    event_month: pd.Series,
    others: pd.Series,
    before: int = 6,
    z: float = 1.96,
) -> dict[str, pd.DataFrame]:
    """Return how many times the lost differ from those who stayed, month by month before the loss.

    Parameters
    ----------
    panels : mapping
        name -> wide panel (one row a customer, one column a month in order), all alike.
    event_month : Series
        Month of loss of the lost customers.
    others : Series
        Month to compare with for each customer who stayed (draw it from ``event_month`` so that
        both groups are seen in the same calendar months).
    before : int
        Months before the event.
    z : float
        Width of the interval in standard errors of the logarithm.

    Returns
    -------
    dict
        name -> frame, index = relative month, ``ratio``, ``low``, ``high`` (delta method); NaN
        where either mean is 0.
    """
    result = {}
    for name, panel in panels.items():
        square = panel.astype(float) ** 2
        sides = []
        for group in (event_month.dropna(), others.dropna()):
            means = event_means({"m": panel, "s": square}, group, before)
            spread = (means["s"] / means["m"].where(means["m"] > 0) ** 2 - 1).clip(lower=0)
            sides.append((means["m"], spread / len(group)))
        (mine, noise), (theirs, more) = sides
        ratio = (mine / theirs.where(theirs > 0)).where(mine > 0)
        reach = np.exp(z * np.sqrt(noise + more))
        result[name] = pd.DataFrame({"ratio": ratio, "low": ratio / reach, "high": ratio * reach})
    return result


def lead_time(
    alerts: pd.DataFrame,
    losses: pd.Series,
    customer: str = "customer_id",
    month: str = "month",
) -> dict[str, float]:
    """Return how many months the first alert came before the loss.

    Parameters
    ----------
    alerts : DataFrame
        One row an alert (customer in the top decile of a month).
    losses : Series
        Index = customer, value = month of loss.
    customer, month : str
        Columns of ``alerts``.

    Returns
    -------
    dict
        ``mean`` (months; over losses that had an alert before), ``found`` (share of losses that
        had one), ``losses``.
    """
    _need.columns(alerts, [customer, month], "预警提前量")
    lost = losses.dropna()
    joined = alerts[[customer, month]].merge(
        lost.rename("_loss"), left_on=customer, right_index=True
    )
    joined = joined[joined[month] < joined["_loss"]]
    first = joined.groupby(customer, observed=True).agg(
        alert=(month, "min"), loss=("_loss", "first")
    )
    gap = (first["loss"].dt.year - first["alert"].dt.year) * 12 + (
        first["loss"].dt.month - first["alert"].dt.month
    )
    return {
        "mean": float(gap.mean()) if len(gap) else float("nan"),
        "found": len(gap) / len(lost) if len(lost) else float("nan"),
        "losses": len(lost),
    }
