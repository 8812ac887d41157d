"""Monthly and daily takings of the merchants, with the same cents in both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course_utils.synth.trade.draw import split_cents
from course_utils.synth.trade.season import day_factors, month_factors
from course_utils.synth.trade.stops import NEVER, Stops, month_starts

DAILY_MONTHS = 4  # months simulated by day; covers the 120 days of merchant_day
SLIDE_RATE = 0.12  # recoverable slides, a merchant and year


@dataclass
class Turnover:
    """Wide panels ``[merchant, month]`` and the rows of the daily table.

    ``cents`` and ``count`` are zero and ``last_day`` is ``-NEVER`` before the merchant opened.
    """

    cents: np.ndarray
    count: np.ndarray
    active_days: np.ndarray
    last_day: np.ndarray
    daily: pd.DataFrame


def month_noise(rng: np.random.Generator, stability: np.ndarray, months: int) -> np.ndarray:
    """Return monthly multipliers whose six-month stability is exactly the wanted one.

    In every block of six months the multipliers have mean 1 and standard deviation
    ``1 - stability`` (sample formula), so that ``S = 1 - sd/mean`` of facts §16.1 holds.
    """
    blocks = -(-months // 6)
    z = rng.standard_normal((len(stability), blocks, 6)).clip(-2.2, 2.2)
    z -= z.mean(axis=2, keepdims=True)
    z /= z.std(axis=2, ddof=1, keepdims=True)
    wide = (1 + (1 - stability)[:, None, None] * z).reshape(len(stability), -1)
    return wide[:, blocks * 6 - months :].clip(0.1)


def slides(
    rng: np.random.Generator,
    stops: Stops,
    months: int,
    starts: np.ndarray,
    borrower: np.ndarray,
) -> np.ndarray:
    """Return multipliers of declines: before half of the stops, and some that recover.

    Borrowers have no recoverable slide in the last half-year, so that their six-month stability
    is the one that was planted against their loan outcome.
    """
    n = len(stops.stop)
    when = np.arange(months)[None, :]
    factor = np.ones((n, months))
    stop_month = np.searchsorted(starts, stops.stop.clip(0, starts[-1]), side="right") - 1
    ahead = stop_month[:, None] - when
    length = rng.integers(2, 4, n)
    chosen = (rng.random(n) < 0.5) & (stops.stop < NEVER)
    depth = rng.uniform(0.38, 0.58, n)
    factor = np.where(
        chosen[:, None] & (ahead >= 0) & (ahead < length[:, None]), depth[:, None], factor
    )
    begin = rng.integers(0, months, n)
    chosen = (rng.random(n) < SLIDE_RATE * months / 12) & (stops.stop >= NEVER)
    chosen &= ~borrower | (begin < months - 11)
    inside = (when >= begin[:, None]) & (when < (begin + rng.integers(2, 5, n))[:, None])
    depth = rng.uniform(0.40, 0.80, n)
    return np.where(chosen[:, None] & inside, depth[:, None], factor)


def open_share(opened: np.ndarray, stops: Stops, starts: np.ndarray) -> np.ndarray:
    """Return the share of each month's days on which the merchant is in business."""
    left, right = starts[:-1][None, :], starts[1:][None, :]
    length = right - left
    first = np.clip(right - np.maximum(opened[:, None], left), 0, length)
    gone = np.clip(
        np.minimum(stops.resume[:, None], right) - np.maximum(stops.stop[:, None], left), 0, length
    )
    return np.where(opened[:, None] < right, (first - gone).clip(0) / length, 0.0)


def simulate(
    rng: np.random.Generator,
    latent: dict[str, np.ndarray],
    opened: np.ndarray,
    stops: Stops,
    months: pd.DatetimeIndex,
) -> Turnover:
    """Draw takings by month and, for the last four months, by day.

    Parameters
    ----------
    rng : numpy.random.Generator
        Random stream.
    latent : dict
        Arrays of `course_utils.synth.trade.merchants.build`.
    opened : numpy.ndarray
        Signing day in days from the start of the panel (negative = before), shape ``(merchants,)``.
    stops : Stops
        Stops and returns.
    months : pandas.DatetimeIndex
        Month ends.

    Returns
    -------
    Turnover
    """
    starts = month_starts(months)
    dates = months.values.astype("datetime64[D]")[0].astype("datetime64[M]").astype(
        "datetime64[D]"
    ) + np.arange(starts[-1])
    factors = day_factors(list(latent["groups"]), dates)
    row = latent["group"] + len(latent["groups"]) * latent["near_school"]
    share = open_share(opened, stops, starts)
    amount = latent["level"][:, None] * month_factors(factors, dates, months)[row]
    amount *= month_noise(rng, latent["stability"], len(months))
    amount *= slides(rng, stops, len(months), starts, latent["outcome"] >= 0) * share
    amount *= np.where(stops.returns, rng.uniform(0.85, 1.0, len(row)), 1.0)[:, None] ** (
        starts[:-1][None, :] >= stops.stop[:, None]
    )
    cents = np.rint(amount * 100).astype(np.int64)
    cents[(share > 0) & (cents < 500)] = 500
    days = np.rint(share * np.diff(starts)[None, :])
    active = rng.binomial(days.astype(int), latent["open_rate"][:, None])
    active[(active == 0) & (cents > 0)] = 1
    last = _last_days(rng, latent, opened, stops, starts, share)
    ticket = latent["ticket"][:, None] * np.exp(0.08 * rng.standard_normal(cents.shape))
    count = np.maximum(np.rint(cents / 100 / ticket).astype(np.int64), active)
    count[cents == 0] = 0
    daily = _daily(rng, latent, factors[:, starts[-1 - DAILY_MONTHS] :], opened, stops, starts,
                   (cents, count, active, last, row))  # fmt: skip
    daily["date"] = dates[daily["date"].to_numpy()]
    daily = daily[daily["date"].to_numpy() > dates[-1] - np.timedelta64(120, "D")]
    return Turnover(cents, count, active, last, daily)


def _last_days(
    rng: np.random.Generator,
    latent: dict[str, np.ndarray],
    opened: np.ndarray,
    stops: Stops,
    starts: np.ndarray,
    share: np.ndarray,
) -> np.ndarray:
    """Day number of the latest sale at every month end (``-NEVER`` before the first one)."""
    ends = starts[1:][None, :] - 1
    quiet = rng.geometric(latent["open_rate"][:, None].clip(0.2), share.shape) - 1
    stopped = (stops.stop[:, None] <= ends) & (ends < stops.resume[:, None])
    last = np.where(stopped, stops.stop[:, None] - 1, ends - quiet)
    last = np.where(share > 0, np.maximum(last, starts[:-1][None, :]), last)
    last = np.where(~stopped & (ends >= stops.resume[:, None]),
                    np.maximum(last, np.minimum(stops.resume[:, None], ends)), last)  # fmt: skip
    last = np.maximum(last, np.minimum(opened, NEVER)[:, None])
    last = np.maximum.accumulate(last, axis=1)
    return np.where(opened[:, None] <= ends, last, -NEVER)


def _daily(
    rng: np.random.Generator,
    latent: dict[str, np.ndarray],
    factors: np.ndarray,
    opened: np.ndarray,
    stops: Stops,
    starts: np.ndarray,
    panels: tuple[np.ndarray, ...],
) -> pd.DataFrame:
    """Split the last months into days; corrects active days and last sale of those months."""
    cents, count, active, last, row = panels
    first = starts[-1 - DAILY_MONTHS]
    day = np.arange(first, starts[-1])
    month = np.searchsorted(starts, day, side="right") - 1
    business = (day >= opened[:, None]) & ~(
        (day >= stops.stop[:, None]) & (day < stops.resume[:, None])
    )
    weight = factors[row] * rng.gamma(6.0, 1 / 6.0, business.shape)
    weight *= business & (rng.random(business.shape) < latent["open_rate"][:, None])
    weight *= cents[:, month] > 0
    for m in range(len(starts) - 1 - DAILY_MONTHS, len(starts) - 1):
        columns = np.flatnonzero(month == m)
        block = weight[:, columns]
        empty = np.flatnonzero((block.sum(axis=1) == 0) & (cents[:, m] > 0))
        chosen = business[np.ix_(empty, columns)].argmax(axis=1)
        weight[empty, columns[chosen]] = 1.0
        used = weight[:, columns] > 0
        active[:, m] = used.sum(axis=1)
        latest = columns[0] + used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
        previous = last[:, m - 1]
        last[:, m] = np.where(used.any(axis=1), latest + first, previous)
        count[:, m] = np.maximum(count[:, m], active[:, m])
    used = weight > 0
    who, column = np.nonzero(used)
    size = active[:, -DAILY_MONTHS:].ravel()
    flat = weight[used]
    amount = split_cents(cents[:, -DAILY_MONTHS:].ravel(), size, flat)
    number = split_cents(count[:, -DAILY_MONTHS:].ravel(), size, flat)
    return pd.DataFrame({"who": who, "date": day[column], "count": number, "cents": amount})
