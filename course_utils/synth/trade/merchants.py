"""Acquiring merchants: who they are, where they stand, how steady they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.tools import ids
from course_utils.synth.trade.draw import (
    coded,
    systematic_normal,
    systematic_uniform,
    weighted_choice,
)

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

# Weight of each trade group among shops that have no registered industry (course parameter).
SHOP_GROUPS = ("F", "H", "O")
SCHOOL_GROUPS = ("快餐小吃", "便利店超市")
SCHOOL_SHARE = 0.18  # of the shops in those groups
STABILITY_MEAN, STABILITY_SD = 0.79, 0.10
SHARE60_GOOD = 0.42  # good borrowers with more than 60 % of sales on our code
_NAME_HEADS = (
    "顺意", "福满", "春晓", "禾丰", "云上", "老街", "乐家", "东篱", "青禾", "百味", "小院", "石桥",
    "晨光里", "家和", "四季", "南塘", "竹溪", "红枫", "望江", "良品坊", "巷口", "新叶", "山里",
)  # fmt: skip
_NAME_TAILS = {
    "便利店超市": "便利店", "服装零售": "服饰店", "正餐": "饭店", "快餐小吃": "小吃店",
    "建材批发": "建材行", "农资批零": "农资店", "果蔬批发": "果蔬批发部", "药店": "药房",
    "理发美容": "理发店", "汽修": "汽修店", "生鲜零售": "生鲜店", "家电五金": "五金店",
    "住宿": "民宿", "粮油批发": "粮油行", "维修": "维修铺", "装修": "装饰店", "运输": "运输部",
}  # fmt: skip


def borrower_outcome(sim: Simulation) -> np.ndarray:
    """Return for each customer whether a business borrower turned bad.

    Returns
    -------
    numpy.ndarray
        Int8 ``[customer]``: 1 = any loan 关注-or-worse by overdue ≥ 30 days or 不良, 0 = a loan
        without it, -1 = never borrowed.
    """
    outcome = np.full(len(sim.people), -1, dtype=np.int8)
    loan = sim.tables.get("loan")
    if loan is None or len(loan) == 0:
        return outcome
    position = pd.Index(sim.people["customer_id"]).get_indexer(loan["customer_id"])
    bad = loan_turned_bad(loan)
    outcome[position[position >= 0]] = 0
    outcome[position[bad & (position >= 0)]] = 1
    return outcome


def loan_turned_bad(loan: pd.DataFrame) -> np.ndarray:
    """Return whether each loan is bad: five-class 次级/可疑/损失, or 90 days overdue, or bad12."""
    bad = np.zeros(len(loan), dtype=bool)
    if "five_class" in loan:
        bad |= loan["five_class"].astype(str).isin(["次级", "可疑", "损失"]).to_numpy()
    if "overdue_days" in loan:
        bad |= (pd.to_numeric(loan["overdue_days"]).fillna(0) >= 90).to_numpy()
    return bad


def plant_stability(
    sim: Simulation, outcome: np.ndarray, seen: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw six-month stability given the loan outcome.

    With equal variance in both groups the logistic slope of outcome on stability is
    ``(mean_bad - mean_good) / variance`` (linear discriminant), which plants the odds ratio of
    ``m03_n04``. Merchants with six full months (`seen`) are balanced among themselves, because
    only they show a stability.

    Returns
    -------
    numpy.ndarray
        Stability 0.35-0.975, shape ``(merchants,)``.
    """
    slope = np.log(sim.effects.value("m03_n04", "or_stab")) / 0.2
    stability = np.empty(len(outcome))
    for value in (-1, 0, 1):
        for visible in (False, True):
            rows = np.flatnonzero((outcome == value) & (seen == visible))
            shift = slope * STABILITY_SD**2 if value == 1 else 0.0
            z = systematic_normal(rng, len(rows))
            stability[rows] = STABILITY_MEAN + shift + STABILITY_SD * z
    return stability.clip(0.35, 0.975)


def plant_own_share(sim: Simulation, outcome: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the share of sales on our code so that above 60 % the bad rate changes as planted."""
    ratio = 1 + sim.effects.value("m03_n04", "pd_share60")
    own_share = np.empty(len(outcome))
    borrowers = outcome >= 0
    p_bad = max(float((outcome[borrowers] == 1).mean()), 1e-3) if borrowers.any() else 1e-3
    high_bad = share_given_bad(SHARE60_GOOD, ratio, p_bad)
    for value in (-1, 0, 1):
        rows = np.flatnonzero(outcome == value)
        high = systematic_uniform(rng, len(rows)) < (high_bad if value == 1 else SHARE60_GOOD)
        level = rng.random(len(rows))
        own_share[rows] = np.where(high, 0.61 + 0.37 * level, 0.08 + 0.51 * level**0.8)
    return own_share


def share_given_bad(share_good: float, ratio: float, p_bad: float) -> float:
    """Return P(exposed | bad) so that bad rates of exposed and not exposed have `ratio`.

    Solves ``[x p / (x p + s q)] / [(1-x) p / ((1-x) p + (1-s) q)] = ratio`` for x by bisection.
    """
    q = 1 - p_bad
    low, high = 0.0, 1.0
    for _ in range(60):
        x = (low + high) / 2
        exposed = x * p_bad / (x * p_bad + share_good * q)
        rest = (1 - x) * p_bad / ((1 - x) * p_bad + (1 - share_good) * q)
        low, high = (x, high) if exposed < ratio * rest else (low, x)
    return (low + high) / 2


def draw_industries(
    sim: Simulation, position: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in the industry table: the registered one, otherwise a shop trade.

    Returns
    -------
    tuple of numpy.ndarray
        Industry position and trade-group number, shape ``(merchants,)``.
    """
    industry = sim.tables["industry"]
    section = industry["section"].astype(str)
    weights = np.where(section.isin(SHOP_GROUPS), industry["code_share"].astype(float) ** 1.5, 0.0)
    drawn = weighted_choice(rng, weights, len(position))
    enterprise = sim.tables.get("enterprise")
    if enterprise is not None and len(enterprise):
        codes = pd.Series(
            pd.Index(industry["industry_code"]).get_indexer(enterprise["industry_code"]),
            index=enterprise["customer_id"].to_numpy(),
        )
        codes = codes[~codes.index.duplicated()]
        known = codes.reindex(sim.people["customer_id"].to_numpy()[position]).to_numpy()
        fits = ~np.isnan(known)
        usable = np.zeros(len(position), dtype=bool)
        usable[fits] = weights[known[fits].astype(int)] > 0
        drawn = np.where(usable, np.nan_to_num(known).astype(int), drawn)
    _, number = np.unique(industry["trade_group"].astype(str), return_inverse=True)
    return drawn, number[drawn]


def build(sim: Simulation) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Draw the merchants.

    Returns
    -------
    tuple
        The contract table ``merchant`` and the latent arrays of the same order: ``person``
        (position in ``sim.people``), ``group`` and ``groups`` (trade group), ``level`` (元 a month
        on our code), ``ticket`` (元), ``open_rate`` (share of days with sales), ``outcome``,
        ``fake``, ``near_school``.
    """
    rng = sim.rng("merchant")
    people = sim.people
    position = np.flatnonzero(people["is_merchant"].to_numpy(dtype=bool))
    n = len(position)
    industry, group = draw_industries(sim, position, rng)
    table = sim.tables["industry"]
    groups = np.unique(table["trade_group"].astype(str))
    near = np.isin(groups[group], SCHOOL_GROUPS) & (systematic_uniform(rng, n) < SCHOOL_SHARE)
    outcome = borrower_outcome(sim)[position]
    own_share = plant_own_share(sim, outcome, rng)
    size = people["business_size"].to_numpy(dtype=float)[position]
    size = np.where(np.isnan(size), 10.4 + 0.9 * rng.standard_normal(n), size)
    code_share = table["code_share"].to_numpy(dtype=float)[industry]
    fake = systematic_uniform(rng, n) < sim.effects.value("m03_n04", "fake_volume")
    big_ticket = code_share < 0.6
    latent = {
        "person": position,
        "group": group,
        "groups": groups,
        "level": np.exp(np.clip(size, 7.0, 15.5)) * code_share * own_share,
        "ticket": np.where(big_ticket, 420.0, 32.0) * np.exp(0.45 * rng.standard_normal(n)),
        "open_rate": np.where(big_ticket, 0.55, 0.93) - 0.25 * rng.random(n) ** 3,
        "outcome": outcome,
        "fake": fake,
        "near_school": near,
    }
    return _frame(sim, latent, industry, own_share, rng), latent


def _open_dates(sim: Simulation, position: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Signing dates: after the customer's own opening, one in ten in the last two years."""
    last = sim.as_of.to_datetime64().astype("datetime64[D]")
    first = np.datetime64("2017-06-01")
    own = sim.people["open_date"].to_numpy().astype("datetime64[D]")[position]
    start = np.maximum(own, first)
    room = np.maximum((last - np.timedelta64(75, "D") - start).astype(np.int64), 0)
    return start + (room * rng.beta(1.1, 2.6, len(position))).astype("timedelta64[D]")


def _places(
    sim: Simulation, branch_id: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return grid id (None if the branch has no grid) and rough coordinates."""
    n = len(branch_id)
    branch = sim.tables["branch"]
    row = pd.Index(branch["branch_id"]).get_indexer(branch_id)
    x = branch["x_km"].to_numpy(dtype=float)[row] + rng.normal(0, 1.2, n)
    y = branch["y_km"].to_numpy(dtype=float)[row] + rng.normal(0, 1.2, n)
    grid_id = np.full(n, None, dtype=object)
    grid = sim.tables.get("grid")
    if grid is not None and len(grid):
        grid = grid.reset_index(drop=True)
        owner = pd.Index(branch["branch_id"]).get_indexer(grid["branch_id"])
        order = np.argsort(owner, kind="stable")
        counts = np.bincount(owner[owner >= 0], minlength=len(branch))
        starts = np.concatenate(([0], np.cumsum(counts)[:-1])) + (owner < 0).sum()
        has = counts[row] > 0
        pick = starts[row] + (rng.random(n) * counts[row]).astype(int)
        chosen = order[np.where(has, pick, 0)]
        grid_id = np.where(has, grid["grid_id"].to_numpy(dtype=object)[chosen], None)
        if "x_km" in grid:
            gx = grid["x_km"].to_numpy(dtype=float)[chosen] + rng.normal(0, 0.4, n)
            gy = grid["y_km"].to_numpy(dtype=float)[chosen] + rng.normal(0, 0.4, n)
            x, y = np.where(has, gx, x), np.where(has, gy, y)
    return grid_id, x.round(1), y.round(1)


def pick_employees(
    sim: Simulation, branch_id: np.ndarray, rng: np.random.Generator, posts: tuple[str, ...]
) -> np.ndarray:
    """Return one active employee of the same branch for each row (any branch if none fits)."""
    staff = sim.tables["employee"]
    staff = staff[staff["active"].astype(bool)]
    fitting = staff[staff["post"].astype(str).isin(posts)]
    codes = pd.Index(np.sort(sim.tables["branch"]["branch_id"].astype(str).to_numpy()))
    result = np.full(len(branch_id), None, dtype=object)
    row = codes.get_indexer(branch_id)
    for pool in (staff, fitting):
        owner = codes.get_indexer(pool["branch_id"].astype(str))
        order = np.argsort(owner, kind="stable")
        counts = np.bincount(owner, minlength=len(codes))
        starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
        pick = starts[row] + (rng.random(len(row)) * counts[row]).astype(int)
        has = counts[row] > 0
        ids = pool["employee_id"].to_numpy(dtype=object)[order]
        result[has] = ids[pick[has]]
    return result


def _frame(
    sim: Simulation,
    latent: dict[str, np.ndarray],
    industry: np.ndarray,
    own_share: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Put the public columns together."""
    position = latent["person"]
    n = len(position)
    branch_id = sim.people["branch_id"].astype(str).to_numpy()[position]
    grid_id, x, y = _places(sim, branch_id, rng)
    names = latent["groups"][latent["group"]]
    tails = np.array([_NAME_TAILS.get(name, "商行") for name in latent["groups"]], dtype=object)
    heads = np.array(_NAME_HEADS, dtype=object)[rng.integers(0, len(_NAME_HEADS), n)]
    return pd.DataFrame(
        {
            "merchant_id": ids("M", np.arange(1, n + 1), 6),
            "customer_id": sim.people["customer_id"].to_numpy()[position],
            "merchant_name": heads + tails[latent["group"]],
            "industry_code": sim.tables["industry"]["industry_code"].to_numpy()[industry],
            "open_date": _open_dates(sim, position, rng),
            "close_date": np.full(n, np.datetime64("NaT", "D")),
            "branch_id": branch_id,
            "employee_id": pick_employees(sim, branch_id, rng, ("客户经理",)),
            "grid_id": grid_id,
            "x_km": x,
            "y_km": y,
            "fee_rate": np.zeros(n),
            "fee_waived": np.ones(n, dtype=bool),
            "near_school": latent["near_school"],
            "own_code_share": own_share.round(2),
            "status": coded(np.zeros(n, dtype=np.int8), ("有效", "冻结", "解约")),
            "weight": sim.people["weight"].to_numpy(dtype=float)[position],
        }
    ).assign(_group=names)
