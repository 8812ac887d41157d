"""Which loans turn bad within twelve months of their issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_utils.synth.credit import products as p
from course_utils.synth.credit.book import BAD, Book
from course_utils.synth.credit.borrowers import People
from course_utils.synth.credit.draws import add_months, balanced, rake

if TYPE_CHECKING:
    from course_utils.synth.credit.chains import Chains
    from course_utils.synth.state import Simulation

MANY_LENDERS, MANY_QUERIES = 4, 4
TOWNSHIP = 1.25  # townships default more often


def draw_bad(
    sim: Simulation,
    people: People,
    state: Chains,
    term: np.ndarray,
    lenders: np.ndarray,
    query: np.ndarray,
    raised: np.ndarray,
    falling: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw which loans of one slot turn bad, with the planted rate ratios.

    `m03_n03.pd_multi` (four lenders or more), `m03_n08.default_multi` (four queries or more in
    three months), `m03_n10.falling_inflow` (raised although inflow fell).

    Returns
    -------
    tuple of ndarray
        Bad flags; true chances.
    """
    kind = state.kind
    level = np.array([k.pd for k in p.KINDS])[kind]
    relative = people.pd[state.person] / max(float(np.median(people.pd[state.person])), 1e-6)
    village = ~np.isin(
        sim.tables["branch"]["branch_type"].astype(str).to_numpy()[people.branch[state.person]],
        ("营业部", "城区"),
    )
    chance = level * np.clip(relative, 0.15, 6.0) ** 0.55 * np.where(village, TOWNSHIP, 1.0)
    value = sim.effects.value
    lender, queries = lenders >= MANY_LENDERS, query >= MANY_QUERIES
    factors = [
        (lender, ~lender, float(value("m03_n03", "pd_multi"))),
        (queries, ~queries, float(value("m03_n08", "default_multi"))),
        (raised & falling, raised & ~falling, float(value("m03_n10", "falling_inflow"))),
    ]
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    mature = add_months(state.date, 12) <= as_of
    result = np.zeros(len(kind))
    for group in (mature, ~mature):
        rows = np.flatnonzero(group)
        result[rows] = rake(
            chance[rows], [(a[rows], b[rows], ratio) for a, b, ratio in factors],
            float(level[rows].mean()) if len(rows) else 0.0,
        )  # fmt: skip
    bad = balanced(
        rng, result, mature, queries, lender, raised, falling, state.date.astype(np.int64)
    )
    return bad, result


def record_multi(sim: Simulation, book: Book) -> None:
    """Record how much worse mature loans of people with many lenders or many queries turned out."""
    as_of = sim.as_of.to_datetime64().astype("M8[D]")
    mature = add_months(book.issue, 12) <= as_of
    bad = book.ending == BAD
    for lesson, key, flag, note in (
        ("m03_n03", "pd_multi", book.lenders >= MANY_LENDERS, "非银机构四家及以上与不到四家之比"),
        (
            "m03_n08",
            "default_multi",
            book.query_3m >= MANY_QUERIES,
            "三月查询四次及以上与不到四次之比",
        ),
    ):
        many, few = bad[mature & flag], bad[mature & ~flag]
        known = len(many) and len(few) and few.any()
        sim.record(lesson, key, float(many.mean() / few.mean()) if known else None, note)
