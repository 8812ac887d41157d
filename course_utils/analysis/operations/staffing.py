"""Counters: Erlang C waiting time and the smallest staff that keeps a promise (MC27)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from course_utils.analysis import _need


def erlang_c(arrivals: float, service_minutes: float, counters: int) -> float:
    """Return the probability that a customer must wait.

    Parameters
    ----------
    arrivals : float
        Customers an hour.
    service_minutes : float
        Mean minutes a customer.
    counters : int
        Open counters.

    Returns
    -------
    float
        0-1; 1 when the load is not below the number of counters.

    Notes
    -----
    M/M/c queue; the Erlang B recursion B(0)=1, B(k)=aB/(k+aB) avoids factorials, and
    C = cB/(c − a(1 − B)) with a = λ/μ (Erlang 1917).
    """
    _need.that(service_minutes > 0, "每笔办理分钟数必须大于 0，请检查参数。")
    load = arrivals * service_minutes / 60
    if load <= 0:
        return 0.0
    if counters <= load:
        return 1.0
    blocked = 1.0
    for k in range(1, counters + 1):
        blocked = load * blocked / (k + load * blocked)
    return counters * blocked / (counters - load * (1 - blocked))


def wait_over(
    arrivals: float, service_minutes: float, counters: int, minutes: float = 10.0
) -> float:
    """Return P(wait > minutes) = C · exp(−(cμ − λ)·t); 1 when the queue is unstable."""
    load = arrivals * service_minutes / 60
    if load <= 0:
        return 0.0
    if counters <= load:
        return 1.0
    rate = (counters - load) / service_minutes
    return erlang_c(arrivals, service_minutes, counters) * math.exp(-rate * minutes)


def mean_wait(arrivals: float, service_minutes: float, counters: int) -> float:
    """Return the mean wait in minutes (infinite when the queue is unstable)."""
    load = arrivals * service_minutes / 60
    if counters <= load:
        return math.inf if load > 0 else 0.0
    return erlang_c(arrivals, service_minutes, counters) * service_minutes / (counters - load)


def counters_needed(
    arrivals: float,
    service_minutes: float,
    minutes: float = 10.0,
    promise: float = 0.2,
    limit: int = 60,
) -> int:
    """Return the fewest counters with P(wait > minutes) ≤ promise (0 without customers).

    Parameters
    ----------
    arrivals : float
        Customers an hour.
    service_minutes : float
        Mean minutes a customer.
    minutes, promise : float
        The promise: at most ``promise`` of the customers wait longer than ``minutes``.
    limit : int
        Give up above this number.

    Returns
    -------
    int

    Raises
    ------
    CourseError
        Even ``limit`` counters are not enough.
    """
    if arrivals <= 0:
        return 0
    for counters in range(1, limit + 1):
        if wait_over(arrivals, service_minutes, counters, minutes) <= promise:
            return counters
    _need.that(False, f"{limit} 个窗口仍达不到等待承诺，请检查每小时到店人数 {arrivals:.0f}。")
    return limit


def roster(
    visits: pd.Series,
    counters: int,
    service_minutes: float = 12.0,
    hours: float = 7.0,
    peak: float = 1.5,
    minutes: float = 10.0,
    promise: float = 0.2,
) -> pd.DataFrame:
    """Return the counters needed each day and where the branch has too few.

    Parameters
    ----------
    visits : Series
        Expected visits a day.
    counters : int
        Counters the branch has.
    service_minutes : float
        Mean minutes a visit.
    hours : float
        Opening hours.
    peak : float
        Peak hour = ``peak`` × mean hour.
    minutes, promise : float
        See :func:`counters_needed`.

    Returns
    -------
    DataFrame
        Index = day; ``visits``, ``peak_per_hour``, ``needed``, ``short`` (counters missing),
        ``wait_over`` (probability with the counters there are), ``overload`` (bool).
    """
    rate = visits.to_numpy(dtype=float) / hours * peak
    needed = np.array([counters_needed(r, service_minutes, minutes, promise) for r in rate])
    waits = [wait_over(r, service_minutes, counters, minutes) for r in rate]
    short = np.maximum(needed - counters, 0)
    return pd.DataFrame(
        {
            "visits": visits.to_numpy(dtype=float),
            "peak_per_hour": rate,
            "needed": needed,
            "short": short,
            "wait_over": waits,
            "overload": short > 0,
        },
        index=visits.index,
    )


def half_hour_plan(
    queue: pd.DataFrame,
    extra: float,
    minutes: float = 10.0,
    promise: float = 0.2,
    full: float = 0.85,
) -> pd.DataFrame:
    """Return the counters one branch needs each half hour, with and without extra customers.

    Parameters
    ----------
    queue : DataFrame
        Half hours of one branch (table ``queue_log``): ``half_hour``, ``tickets``,
        ``served_minutes``, ``counters_open``.
    extra : float
        Further customers of the day (maturities).
    minutes, promise : float
        See :func:`counters_needed`.
    full : float
        A half hour takes booked customers until its counters are this busy (ratio).

    Returns
    -------
    DataFrame
        Index = half hour; ``tickets`` (mean of the log), ``counters`` (usual), ``room`` (customers
        that could still be booked), ``extra`` (the extra ones if they come like everybody else),
        ``crowd`` = tickets + extra, ``booked`` (the extra ones booked where there is room, as many
        as there is room for), ``need_usual``, ``need_crowd``, ``need_booked`` (counters).
    """
    _need.columns(queue, ["half_hour", "tickets", "served_minutes", "counters_open"], "半小时排班")
    tickets = queue["tickets"].sum()
    _need.enough(tickets > 0, "排队记录里没有取号，请检查网点和日期。")
    each = float(queue["served_minutes"].sum() / tickets)
    table = queue.groupby("half_hour").agg(
        tickets=("tickets", "mean"), counters=("counters_open", "median")
    )
    table["room"] = (table["counters"] * 30 * full / each - table["tickets"]).clip(lower=0)
    table["extra"] = extra * table["tickets"] / table["tickets"].sum()
    table["crowd"] = table["tickets"] + table["extra"]
    room = float(table["room"].sum())
    table["booked"] = table["tickets"] + table["room"] * (min(extra / room, 1.0) if room > 0 else 0)
    for name, column in {"usual": "tickets", "crowd": "crowd", "booked": "booked"}.items():
        table[f"need_{name}"] = [
            counters_needed(people * 2, each, minutes, promise) for people in table[column]
        ]
    return table


def daily_capacity(
    counters: int,
    service_minutes: float = 12.0,
    hours: float = 7.0,
    peak: float = 1.5,
    minutes: float = 10.0,
    promise: float = 0.2,
) -> float:
    """Return the most visits a day that keep the promise with the given counters.

    Parameters
    ----------
    counters : int
        Open counters.
    service_minutes, hours, peak, minutes, promise : float
        See :func:`roster`.

    Returns
    -------
    float
        Visits a day, found by bisection to 0.01.
    """
    low, high = 0.0, counters * 60 / service_minutes
    for _ in range(60):
        middle = (low + high) / 2
        if wait_over(middle, service_minutes, counters, minutes) <= promise:
            low = middle
        else:
            high = middle
    return low * hours / peak
