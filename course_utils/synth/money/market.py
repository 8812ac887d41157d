"""Table ``market_share``: sixty months, twelve institutions, fourteen items.

Our own row is the ledger where the ledger exists. The market is built around it: our share of
every item falls a little, that of 单位活期 a lot and to one competitor, and yet our share of all
deposits rises, because the items in which we are strong grow faster. How much stronger we are in
personal term money is solved, so that the total changes exactly as planted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.book import FIRST, HISTORY, PANEL, Book

ITEMS = (
    "个人活期存款", "个人定期存款", "单位活期存款", "单位定期存款", "机关团体存款",
    "短期消费贷款", "中长期消费贷款", "短期经营贷款", "中长期经营贷款", "单位短期贷款",
    "单位中长期贷款", "票据融资", "涉农贷款", "普惠小微贷款",
)  # fmt: skip
#: Label, type and relative size of the other institutions (course parameters).
OTHERS = (
    ("大行甲", "大行", 1.00), ("大行乙", "大行", 1.25), ("大行丙", "大行", 0.80),
    ("大行丁", "大行", 1.05), ("大行戊", "大行", 0.35), ("邮储", "邮储", 0.95),
    ("股份制甲", "股份制", 0.40), ("股份制乙", "股份制", 0.30), ("城商行甲", "城商行", 0.55),
    ("村镇银行甲", "村镇银行", 0.12), ("政策性甲", "政策性", 0.22),
)  # fmt: skip
#: Who gains what we lose in 单位活期.
RIVAL = "城商行甲"
#: Our share of each deposit item at the end, before the solved shift, and its yearly drift.
DEPOSIT_SHARE = np.array([0.18, 0.38, 0.33, 0.24, 0.07])
YEARLY_DRIFT = np.array([-0.0006, -0.0005, 0.0, -0.0006, -0.0006])
LOAN_SHARE = np.array([0.24, 0.12, 0.44, 0.40, 0.30, 0.10, 0.14, 0.38, 0.36])
#: Monthly strays of a share from its path, relative (course parameter).
STRAY = 0.004
#: Our loans by item (course parameter); the last two are parts of the others.
LOAN_MIX = np.array([0.09, 0.22, 0.21, 0.12, 0.18, 0.10, 0.08])
MEMO = np.array([0.68, 0.42])
#: Share of annual increments by month, personal and corporate (facts of the course).
PERSONAL_SEASON = np.array(
    [0.30, 0.27, 0.10, -0.06, 0.01, 0.08, -0.05, 0.03, 0.08, -0.05, 0.02, 0.27]
)
CORPORATE_SEASON = np.array(
    [-0.10, -0.05, 0.30, -0.20, -0.05, 0.35, -0.20, 0.0, 0.25, -0.15, 0.05, 0.80]
)
#: Yearly growth before the ledger begins, by deposit item.
GROWTH_BEFORE = np.array([0.02, 0.11, 0.03, 0.05, 0.02])
LOAN_GROWTH = 0.10
UNIT = 10_000  # 万元


def _backwards(last: float, growth: float, season: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return month-end values before the ledger, oldest first, ending one month before `last`."""
    values = np.empty(len(months))
    value = last
    for i in range(len(months) - 1, -1, -1):
        value = value - growth * value * season[months[i] % 12] / (1 + growth * 0.5)
        values[i] = value
    return values


def own_deposits(book: Book, branch_day: pd.DataFrame) -> np.ndarray:
    """Return our five deposit items in 元, (HISTORY, 5); the ledger where it exists."""
    names = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
    ledger = branch_day[branch_day["is_ledger"].to_numpy()].groupby("date")[names].sum().to_numpy()
    rng = book.sim.rng("money.market.own")
    result = np.zeros((HISTORY, 5))
    result[FIRST:, :4] = ledger
    result[FIRST:, 4] = (
        0.035 * ledger[0, :2].sum() * (1 + np.cumsum(rng.normal(0.0015, 0.004, PANEL)))
    )
    month = book.months.month.to_numpy()
    for i in range(5):
        season = PERSONAL_SEASON if i < 2 else CORPORATE_SEASON
        # month[t + 1] is the month whose increment separates t and t + 1
        result[:FIRST, i] = _backwards(
            result[FIRST, i], GROWTH_BEFORE[i], season, month[1 : FIRST + 1] - 1
        )
    return np.rint(result / UNIT) * UNIT


def own_loans(book: Book, branch_day: pd.DataFrame) -> np.ndarray:
    """Return our nine loan items at sixty month ends in 元, (HISTORY, 9)."""
    ledger = (
        branch_day[branch_day["is_ledger"].to_numpy()].groupby("date")["loans"].sum().to_numpy()
    )
    total = np.zeros(HISTORY)
    total[FIRST:] = ledger
    back = np.arange(FIRST, 0, -1)
    total[:FIRST] = ledger[0] * (1 + LOAN_GROWTH) ** (-back / 12)
    total = np.rint(total / UNIT)
    drift = 1 + 0.05 * np.outer(
        (np.arange(HISTORY) - HISTORY) / 12, [-1, -0.6, 1, 0.8, 0, 0.2, -0.5]
    )
    mix = LOAN_MIX * drift
    leaves = np.floor(total[:, None] * mix / mix.sum(axis=1, keepdims=True))
    leaves[:, 2] += total - leaves.sum(axis=1)
    memo = np.floor(total[:, None] * MEMO * (1 + 0.01 * np.arange(HISTORY)[:, None] / 12))
    return np.concatenate([leaves, np.minimum(memo, total[:, None])], axis=1) * UNIT


def share_paths(book: Book) -> np.ndarray:
    """Return our share of the five deposit items over time, (HISTORY, 5), before the shift."""
    years = (np.arange(HISTORY) - (HISTORY - 1)) / 12
    paths = DEPOSIT_SHARE + YEARLY_DRIFT * years[:, None]
    since = (book.months.year - 2023) * 12 + book.months.month - 7
    span = max(int(since[-1]), 1)
    fall = book.sim.effects.value("m02_n01", "corp_demand_share_change")
    step = np.clip(np.asarray(since, dtype=float) / span, 0, 1)
    paths[:, 2] = DEPOSIT_SHARE[2] - fall * (1 - step)
    return paths * (1 + _wobble(book, np.flatnonzero((since == -1) | (since == 0))))


def _wobble(book: Book, fixed: np.ndarray) -> np.ndarray:
    """Return how shares stray from their path month by month, (HISTORY, 5), as ratios.

    No bank's share moves along a ruler. The strays are random walks tied down to zero at the
    months between which the planted changes are measured.
    """
    walk = np.cumsum(book.sim.rng("money.market.wobble").normal(0, STRAY, (HISTORY, 5)), axis=0)
    month = np.arange(HISTORY)
    ties = np.unique([0, *fixed, HISTORY - 19, HISTORY - 1])
    line = np.column_stack([np.interp(month, ties, walk[ties, i]) for i in range(5)])
    return walk - line


def _market(own: np.ndarray, paths: np.ndarray, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Return item totals of the market and our total share, personal term `shift` stronger."""
    shares = paths.copy()
    shares[:, 1] += shift
    market = own / shares
    return market, own.sum(axis=1) / market.sum(axis=1)


def solve_paths(book: Book, own: np.ndarray) -> np.ndarray:
    """Return our item shares for which the total share changes as planted, (HISTORY, 5).

    Our strength in personal term money is shifted until the change is exact; if no sensible shift
    does it, we are made weaker in the items that stand still, which widens the mix effect.
    """
    wish = book.sim.effects.value("m02_n01", "total_share_change")
    paths = share_paths(book)
    for weaker in (1.0, 0.85, 0.7, 0.55, 0.4):
        level = np.where(np.isin(np.arange(5), (0, 4)), weaker, 1.0)
        candidate = paths - DEPOSIT_SHARE * (1 - level)
        shift, exact = _solve_shift(own, candidate, wish)
        if exact:
            break
    candidate[:, 1] += shift
    return candidate


def _solve_shift(own: np.ndarray, paths: np.ndarray, wish: float) -> tuple[float, bool]:
    """Return the shift of the personal term share nearest to zero that meets `wish`, if any."""

    def gap(shift: float) -> float:
        total = _market(own, paths, shift)[1]
        return total[-1] - total[-19] - wish

    grid = np.linspace(-0.14, 0.24, 39)
    gaps = np.array([gap(shift) for shift in grid])
    turns = np.flatnonzero(np.diff(np.sign(gaps)) != 0)
    if not len(turns):
        return float(grid[np.argmin(np.abs(gaps))]), False
    start = turns[np.argmin(np.abs(grid[turns]))]
    low, high = grid[start], grid[start + 1]
    for _ in range(40):
        middle = (low + high) / 2
        if np.sign(gap(middle)) == np.sign(gaps[start]):
            low = middle
        else:
            high = middle
    return float((low + high) / 2), True


def market_share(book: Book, branch_day: pd.DataFrame) -> pd.DataFrame:
    """Return table ``market_share``, whole 万元 in 元."""
    rng = book.sim.rng("money.market")
    own = own_deposits(book, branch_day)
    paths = solve_paths(book, own)
    loans = own_loans(book, branch_day)
    loan_paths = LOAN_SHARE + 0.002 * np.sin(np.arange(HISTORY)[:, None] / 9 + np.arange(9))
    totals = np.concatenate([own / paths, loans / loan_paths], axis=1)
    ours = np.concatenate([own, loans], axis=1)
    others = _split_others(book, rng, totals - ours, totals, paths[:, 2])
    labels = ["本行", *(name for name, _, _ in OTHERS)]
    types = ["本行", *(kind for _, kind, _ in OTHERS)]
    values = np.concatenate([ours[:, None, :], others], axis=1)
    months = np.asarray(book.months.values, dtype="datetime64[s]")
    k, m = len(labels), len(ITEMS)
    return pd.DataFrame(
        {
            "month": np.repeat(months, k * m),
            "bank_label": np.tile(np.repeat(np.asarray(labels, dtype=object), m), HISTORY),
            "bank_type": np.tile(np.repeat(np.asarray(types, dtype=object), m), HISTORY),
            "item": np.tile(np.asarray(ITEMS, dtype=object), HISTORY * k),
            "balance": values.ravel(),
        }
    )


def _split_others(
    book, rng, rest: np.ndarray, totals: np.ndarray, our_corporate: np.ndarray
) -> np.ndarray:
    """Split what is not ours among the others; whole 万元, (HISTORY, others, items)."""
    size = np.array([value for _, _, value in OTHERS])
    k, m = len(size), rest.shape[1]
    taste = np.exp(rng.normal(0, 0.25, (k, m)))
    base = size[:, None] * taste
    policy = [i for i, (_, kind, _) in enumerate(OTHERS) if kind == "政策性"]
    base[policy, :4] *= 0.02
    wobble = np.exp(np.cumsum(rng.normal(0, 0.004, (HISTORY, k, m)), axis=0))
    weights = base[None] * wobble
    weights /= weights.sum(axis=1, keepdims=True)
    rival = [name for name, _, _ in OTHERS].index(RIVAL)
    gain = (our_corporate[0] - our_corporate) * totals[:, 2]
    values = weights * rest[:, None, :]
    values[:, :, 2] = weights[:, :, 2] * (rest[:, 2] - gain)[:, None]
    values[:, rival, 2] += gain
    whole = np.floor(values / UNIT)
    missing = np.rint(rest / UNIT) - whole.sum(axis=1)
    whole[:, 1, :] += missing
    return whole * UNIT
