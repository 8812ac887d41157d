"""Power, water, tax, payroll and orders of customers in business: evidence of turnover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.trade.season import MONTH_INDEX

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

POWER_PRICE = 0.75  # 元 a kWh
WATER_PER_10K = 0.9  # tons for 10 000 元 of turnover
FIRM_TAX, SHOP_TAX = 0.022, 0.004
SHOP_TAX_FREE = 100_000.0  # small-scale taxpayers below this monthly turnover pay none


def generate(sim: Simulation) -> None:
    """Generate ``utility_month``: enterprises and registered shops, 24 months."""
    enterprise = sim.tables["enterprise"].drop_duplicates("customer_id")
    rng = sim.rng("utility")
    months = sim.months(24)
    table = sim.tables["industry"]
    row = pd.Index(table["industry_code"]).get_indexer(enterprise["industry_code"])
    person = pd.Index(sim.people["customer_id"]).get_indexer(enterprise["customer_id"])
    enterprise, row, person = (x[(row >= 0) & (person >= 0)] for x in (enterprise, row, person))
    n = len(row)
    size = sim.people["business_size"].to_numpy(dtype=float)[person]
    size = np.where(np.isnan(size), 11.0 + rng.standard_normal(n), size)
    groups, number = np.unique(table["trade_group"].astype(str), return_inverse=True)
    season = np.array([MONTH_INDEX.get(name, (1.0,) * 12) for name in groups])
    sales = np.exp(size)[:, None] * season[number[row]][:, months.month.to_numpy() - 1]
    sales *= np.exp(0.12 * rng.standard_normal(sales.shape))
    firm = (sim.people["customer_type"].astype(str) == "企业").to_numpy()[person]
    power = table["power_cost_per_10k"].to_numpy(dtype=float)[row]
    power = np.where(np.isnan(power), 60.0, power) / POWER_PRICE / 1e4
    noise = np.exp(0.10 * rng.standard_normal((4, *sales.shape)))
    tax = sales * np.where(firm, FIRM_TAX, SHOP_TAX)[:, None] * noise[1]
    tax[~firm & (np.exp(size) < SHOP_TAX_FREE)] = 0.0
    staff = pd.to_numeric(enterprise["employees"]).fillna(1).to_numpy(dtype=float)
    wages = (staff * rng.uniform(3800, 5200, n))[:, None] * np.exp(
        0.03 * rng.standard_normal(sales.shape)
    )
    wages[~firm & (staff < 3)] = 0.0
    orders = np.where(firm[:, None], sales * noise[2] * 1.02, np.nan)
    shipped = np.where(firm[:, None], sales * noise[3] * 0.97, np.nan)
    born = enterprise["register_date"].to_numpy().astype("datetime64[D]")
    alive = ~(born[:, None] > months.values.astype("datetime64[D]")[None, :])
    m, who = np.nonzero(alive.T)

    def column(values: np.ndarray, digits: int = 2) -> np.ndarray:
        return values[who, m].round(digits)

    sim.tables["utility_month"] = pd.DataFrame(
        {
            "month": months.values.astype("datetime64[s]")[m],
            "customer_id": enterprise["customer_id"].to_numpy()[who],
            "kwh": column(sales * power[:, None] * noise[0], 0),
            "water_tons": column(sales * WATER_PER_10K / 1e4 * noise[1], 1),
            "tax": column(tax),
            "payroll_amount": column(wages),
            "orders_amount": column(orders),
            "shipped_amount": column(shipped),
        }
    )
