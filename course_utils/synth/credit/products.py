"""The loan products of the bank: grid of facts on price, size, term and repayment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.credit.draws import days

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

METHODS = ("等额本息", "等额本金", "按月付息到期还本", "一次还本付息", "随借随还")
LEVEL, LINEAR, BULLET, SINGLE, FLEXIBLE = range(5)
GUARANTEES = ("信用", "保证", "抵押", "质押")
PURPOSES = ("经营", "消费", "购房", "助学", "农业生产", "其他")

#: First and last year of the price grid; years outside take the nearest one.
GRID_YEARS = (2022, 2025)


@dataclass(frozen=True)
class LoanKind:
    """One kind of loan.

    Parameters
    ----------
    name : str
        Internal name.
    line : str
        Product line in the table ``product``.
    spread : tuple of float
        Spread in bp over the LPR (one-year; five-year for mortgage and student loans), one value
        for each year of `GRID_YEARS`.
    terms : dict of int to float
        Usual terms in months and their shares.
    median, sigma, cap : float
        Log-normal amounts in 元 and the largest amount.
    step : int
        Amounts are multiples of this many 元.
    methods : tuple of (int, float)
        Repayment methods and their shares.
    guarantees : tuple of (int, float)
        Positions in `GUARANTEES` and their shares.
    purpose : int
        Position in `PURPOSES`.
    pd : float
        Mean share of loans that turn bad within twelve months.
    keywords : tuple of str
        Words in the product name that choose among products of one line.
    """

    name: str
    line: str
    spread: tuple[float, ...]
    terms: dict[int, float]
    median: float
    sigma: float
    cap: float
    step: int
    methods: tuple[tuple[int, float], ...]
    guarantees: tuple[tuple[int, float], ...]
    purpose: int
    pd: float
    keywords: tuple[str, ...] = ()


KINDS: tuple[LoanKind, ...] = (
    LoanKind("farm", "农户贷", (250, 235, 220, 200), {12: 0.62, 24: 0.2, 36: 0.18}, 70_000, 0.55,
             200_000, 10_000, ((BULLET, 0.55), (FLEXIBLE, 0.45)), ((0, 0.8), (1, 0.2)), 4, 0.055,
             ("小额",)),
    LoanKind("trader", "经营贷", (270, 250, 230, 210), {12: 0.6, 24: 0.2, 36: 0.2}, 180_000, 0.6,
             500_000, 10_000, ((BULLET, 0.6), (LEVEL, 0.4)), ((0, 0.75), (1, 0.25)), 0, 0.048,
             ("商户", "信用")),
    LoanKind("secured", "经营贷", (150, 130, 110, 90), {12: 0.35, 36: 0.45, 60: 0.2}, 750_000,
             0.65, 5_000_000, 10_000, ((BULLET, 0.7), (LINEAR, 0.3)), ((2, 1.0),), 0, 0.036,
             ("抵押",)),
    LoanKind("online", "消费贷", (280, 240, 200, 160), {12: 0.75, 24: 0.15, 36: 0.1}, 45_000, 0.6,
             200_000, 1_000, ((LEVEL, 1.0),), ((0, 1.0),), 1, 0.043, ("线上", "白名单")),
    LoanKind("sme", "企业贷", (160, 140, 120, 100), {12: 0.8, 24: 0.1, 36: 0.1}, 2_300_000, 1.1,
             40_000_000, 50_000, ((BULLET, 0.85), (LINEAR, 0.15)), ((1, 0.4), (2, 0.6)), 0, 0.045,
             ("流动", "小微")),
    LoanKind("mortgage", "按揭", (45, 15, -5, -10), {120: 0.1, 180: 0.2, 240: 0.35, 300: 0.15,
             360: 0.2}, 420_000, 0.42, 1_600_000, 10_000, ((LEVEL, 0.85), (LINEAR, 0.15)),
             ((2, 1.0),), 2, 0.006, ("按揭", "住房")),
    LoanKind("student", "助学贷", (-30, -60, -65, -70), {60: 1.0}, 12_000, 0.2, 25_000, 500,
             ((LINEAR, 1.0),), ((0, 1.0),), 3, 0.010, ("助学",)),
)  # fmt: skip
FARM, TRADER, SECURED, ONLINE, SME, MORTGAGE, STUDENT = range(7)
#: Kinds that count as business credit, and the ones that follow the five-year LPR.
BUSINESS = (FARM, TRADER, SECURED, SME)
LONG = (MORTGAGE, STUDENT)


def product_codes(sim: Simulation) -> np.ndarray:
    """Return the product code of each kind, looked up by line and name in ``product``.

    Returns
    -------
    ndarray of object, shape (7,)
        Codes in the order of `KINDS`.
    """
    product = sim.tables["product"]
    line = product["line"].astype(str).to_numpy()
    name = product["product_name"].astype(str).to_numpy()
    code = product["product_code"].astype(str).to_numpy()
    result = []
    for kind in KINDS:
        rows = np.flatnonzero(line == kind.line)
        hits = [row for row in rows if any(word in name[row] for word in kind.keywords)]
        result.append(code[(hits or list(rows))[0]])
    return np.array(result, dtype=object)


def lpr_at(sim: Simulation, dates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the one-year and five-year LPR in percent in force on each date."""
    table = sim.tables["lpr_rate"]
    effective = days(table["effective_date"])
    order = np.argsort(effective)
    row = np.searchsorted(effective[order], dates.astype("M8[D]"), side="right") - 1
    row = np.maximum(row, 0)
    one = table["lpr_1y"].to_numpy(dtype=float)[order][row]
    five = table["lpr_5y"].to_numpy(dtype=float)[order][row]
    return one, five


def grid_spread(kind: np.ndarray, dates: np.ndarray) -> np.ndarray:
    """Return the list spread in bp of each loan by kind and year of issue."""
    grid = np.array([k.spread for k in KINDS], dtype=float)
    year = dates.astype("M8[Y]").astype(np.int64) + 1970
    column = np.clip(year, GRID_YEARS[0], GRID_YEARS[1]) - GRID_YEARS[0]
    return grid[kind, column]


def base_rate(sim: Simulation, kind: np.ndarray, dates: np.ndarray) -> np.ndarray:
    """Return the LPR in percent to which each kind is tied, on each date."""
    one, five = lpr_at(sim, dates)
    return np.where(np.isin(kind, LONG), five, one)


def choose_option(
    rng: np.random.Generator, kind: np.ndarray, options: list[list[tuple[int, float]]]
) -> np.ndarray:
    """Draw one option (a whole number) for each row from the list of its kind."""
    u = rng.random(len(kind))
    result = np.zeros(len(kind), dtype=np.int64)
    for number, pairs in enumerate(options):
        rows = kind == number
        if rows.any():
            edges = np.cumsum([share for _, share in pairs])
            values = np.array([value for value, _ in pairs])
            result[rows] = values[np.searchsorted(edges / edges[-1], u[rows], side="right")]
    return result


def draw_terms(rng: np.random.Generator, kind: np.ndarray) -> np.ndarray:
    """Draw terms in months."""
    return choose_option(rng, kind, [list(k.terms.items()) for k in KINDS])


def draw_amounts(rng: np.random.Generator, kind: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Draw amounts in 元 (int64): log-normal about the median times exp(tilt), capped, rounded."""
    median, sigma, cap, step = (
        np.array([getattr(k, field) for k in KINDS], dtype=float)[kind]
        for field in ("median", "sigma", "cap", "step")
    )
    raw = median * np.exp(sigma * rng.standard_normal(len(kind)) + tilt)
    return (np.maximum(np.round(np.minimum(raw, cap) / step), 1) * step).astype(np.int64)


def code_of(values: np.ndarray, names: tuple[str, ...]) -> pd.Categorical:
    """Return a categorical column from positions in `names`."""
    return pd.Categorical.from_codes(values.astype(np.int8), list(names))
