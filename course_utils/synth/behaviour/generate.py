"""Run the behaviour generators; after money, before marketing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.behaviour import mobile, transactions
from course_utils.synth.marketing import activation

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation


def generate(sim: Simulation) -> None:
    """Generate transaction, mobile_event and mobile_day; align merchants' product counts.

    The activation trial comes first: it decides who logs in at all.
    """
    activation.generate(sim)
    transactions.generate(sim)
    mobile.generate(sim)
    align_products(sim)


def align_products(sim: Simulation) -> None:
    """Set ``merchant_month.product_count`` to the owner's count in customer_month."""
    rows, merchant = sim.tables["merchant_month"], sim.tables["merchant"]
    owner = pd.Index(merchant["merchant_id"]).get_indexer(rows["merchant_id"])
    position = pd.Index(sim.people["customer_id"]).get_indexer(merchant["customer_id"])
    months = sim.months(24).to_numpy()
    owners, place = np.unique(position, return_inverse=True)
    panel = transactions.MonthPanel(sim, owners, len(months)).counts("product_count")
    when = months.searchsorted(rows["month"].to_numpy())
    sim.tables["merchant_month"] = rows.assign(product_count=panel[place[owner], when])
