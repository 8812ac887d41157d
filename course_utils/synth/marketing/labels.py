"""Lender keywords and the hand-labelled sample of statement lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.behaviour.names import LENDER_KEYWORDS, ONLINE_KINDS
from course_utils.synth.tools import ids

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

LABELLED = 200
MISSED_SHARE = 0.10  # labelled lines that no keyword finds


def generate_labels(sim: Simulation) -> None:
    """Write ``lender_keyword`` and ``label_sample`` (statement lines and registry pairs)."""
    sim.tables["lender_keyword"] = pd.DataFrame(
        LENDER_KEYWORDS, columns=["keyword", "lender_kind", "note"]
    )
    if "transaction" in sim.tables and "transaction_truth" in sim.arrays:
        sim.append("label_sample", _statement_labels(sim))
    sample = sim.take_parts("label_sample")
    if len(sample):
        sample = sample.sort_values(["task", "left_id"], ignore_index=True)
        sample.insert(0, "sample_id", ids("X", np.arange(1, len(sample) + 1), 4))
        sim.tables["label_sample"] = sample


def keyword_hits(names: pd.Series) -> np.ndarray:
    """Return which counterparty names contain a keyword of an online lender."""
    words = [word for word, kind, _ in LENDER_KEYWORDS if kind in ONLINE_KINDS]
    column = names.astype("category").cat
    hit = [any(word in str(name) for word in words) for name in column.categories]
    return np.array([*hit, False])[column.codes.to_numpy()]  # code -1, no name, is the last


def _statement_labels(sim: Simulation) -> pd.DataFrame:
    """Label payments out that a keyword hits (most) and lines that none hits (some)."""
    rng = sim.rng("labels")
    table = sim.tables["transaction"]
    truth = sim.arrays["transaction_truth"]
    out = (table["direction"].astype(str) == "支出").to_numpy()
    hit = keyword_hits(table["counterparty_name"]) & out
    missed = round(LABELLED * MISSED_SHARE)
    rows = np.concatenate(
        [
            rng.permutation(np.flatnonzero(hit))[: LABELLED - missed],
            rng.permutation(np.flatnonzero(out & ~hit))[:missed],
        ]
    )
    label = truth["truth"].astype(str).to_numpy()[rows] == "网贷还款"
    return pd.DataFrame(
        {
            "task": "网贷识别",
            "left_id": truth["transaction_id"].to_numpy(dtype=object)[rows],
            "right_id": None,
            "true_label": label,
        }
    )
