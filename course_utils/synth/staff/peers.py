"""What is known of others: published technology spending and peers' merchant loans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.tools import split_integer
from course_utils.synth.trade.draw import coded

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

_HUNDRED_MILLION = 1e8
# (kind, year, 亿元 or None, % of revenue or None, source). Published totals; verify before use.
IT_SPEND = (
    ("六大行与十二家股份行合计", 2022, 1826.0, 3.37, "公开年报汇总"),
    ("六大行合计", 2023, 1228.0, 3.48, "公开年报汇总（2024年5月报道）"),
    ("九家股份行合计", 2023, 652.0, 4.35, "公开年报汇总（2024年5月报道）"),
    ("十家城农商行合计", 2023, 89.55, None, "公开年报汇总（2024年5月报道）"),
    ("十家城农商行平均", 2023, 8.96, None, "公开年报汇总（2024年5月报道）"),
)
AREAS = ("沿海", "平原", "山区")
PEERS_PER_AREA = 4
_STAR_MIX = ((0.12, 0.20, 0.32, 0.24, 0.12), (0.22, 0.28, 0.30, 0.14, 0.06),
             (0.34, 0.31, 0.24, 0.08, 0.03))  # fmt: skip
DRAW_RATE = (0.02, 0.06, 0.12, 0.22, 0.33)


def it_spend(sim: Simulation) -> None:
    """Write ``it_spend``: published totals only, missing figures stay missing."""
    frame = pd.DataFrame(
        IT_SPEND, columns=["bank_kind", "year", "amount", "revenue_share", "source_tag"]
    )
    frame["amount"] = frame["amount"] * _HUNDRED_MILLION
    frame["assets"] = np.nan
    sim.tables["it_spend"] = frame[
        ["bank_kind", "year", "amount", "revenue_share", "assets", "source_tag"]
    ]


def merchant_peer(sim: Simulation) -> None:
    """Generate ``merchant_peer``: areas differ in star mix only, not in the draw rate of a star."""
    rng = sim.rng("merchant_peer")
    rows = []
    for area in range(len(AREAS)):
        for _ in range(PEERS_PER_AREA):
            mix = np.array(_STAR_MIX[area]) * rng.uniform(0.9, 1.1, 5)
            merchants = split_integer(int(rng.integers(5_000, 14_000)), mix)
            draws = np.rint(merchants * np.array(DRAW_RATE) * rng.uniform(0.97, 1.03, 5))
            rows.append((np.full(5, area), np.arange(1, 6), merchants, draws.astype(np.int64)))
    area, star, merchants, draws = (np.concatenate(x) for x in zip(*rows, strict=True))
    bank = np.repeat(np.arange(len(AREAS) * PEERS_PER_AREA), 5)
    labels = np.array([f"同业{number:02d}" for number in range(1, bank.max() + 2)], dtype=object)
    sim.tables["merchant_peer"] = pd.DataFrame(
        {
            "bank_label": labels[bank],
            "area": coded(area, AREAS),
            "star": star,
            "merchants": merchants,
            "draws": draws,
        }
    )
    sim.record("m03_n04", "simpson_area", True, "按星级标准化后，地区之间的提款率差距消失")
