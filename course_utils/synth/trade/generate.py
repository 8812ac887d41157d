"""Put the trade tables together; runs after credit and before money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.trade import etc, merchants, stars, stops, turnover, utility
from course_utils.synth.trade.draw import coded

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

BENEFITS = ("体检保险", "收款纸卷", "费率减免", "广告位")


def generate(sim: Simulation) -> None:
    """Generate merchant, merchant_month, merchant_day, merchant_benefit, etc_* and utility_month.

    Sets ``sim.arrays["settlement_deposit"]`` and ``sim.arrays["merchant_inflow"]``
    (``[customer, 24]``, 元) for the money generator and appends merchant visits to contact_log.
    """
    generate_merchants(sim)
    etc.generate(sim)
    utility.generate(sim)


def generate_merchants(sim: Simulation) -> None:
    """Generate the merchants, their months and days, stars, benefits and the visit pilot."""
    months = sim.months(24)
    merchant, latent = merchants.build(sim)
    first = months.values.astype("datetime64[D]")[0].astype("datetime64[M]").astype("datetime64[D]")
    opened = (merchant["open_date"].to_numpy().astype("datetime64[D]") - first).astype(np.int64)
    halted = stops.draw(sim, opened, months)
    rng = sim.rng("merchant.turnover")
    share = turnover.open_share(opened, halted, stops.month_starts(months))
    latent["stability"] = merchants.plant_stability(
        sim, latent["outcome"], (share[:, -6:] == 1).all(axis=1), rng
    )
    panel = turnover.simulate(rng, latent, opened, halted, months)
    grades = stars.grade(sim, latent, panel)
    waived, income, cost = stars.fees(sim, panel, grades.star, sim.rng("merchant.fees"))
    merchant["fee_waived"] = waived
    merchant["fee_rate"] = np.where(waived, 0.0, stars.FEE_RATE)
    sim.tables["merchant"] = merchant.drop(columns="_group")
    sim.tables["merchant_month"] = month_table(
        sim, merchant, latent, panel, grades, (income, cost), months
    )
    daily = panel.daily
    sim.tables["merchant_day"] = pd.DataFrame(
        {
            "date": daily["date"].to_numpy().astype("datetime64[s]"),
            "merchant_id": merchant["merchant_id"].to_numpy()[daily["who"].to_numpy()],
            "transaction_count": daily["count"].to_numpy(),
            "transaction_amount": daily["cents"].to_numpy() / 100,
        }
    )
    _benefit_table(sim, merchant, grades.benefit, months)
    sim.append("contact_log", stops.contact_rows(sim, merchant, halted, months))
    _arrays(sim, latent, panel, grades)
    _record(sim, latent, panel, grades, waived, income - cost)


def month_table(
    sim: Simulation,
    merchant: pd.DataFrame,
    latent: dict[str, np.ndarray],
    panel: turnover.Turnover,
    grades: stars.Grades,
    money: tuple[np.ndarray, np.ndarray],
    months: pd.DatetimeIndex,
) -> pd.DataFrame:
    """Return ``merchant_month`` in long form, months since the signing only."""
    rng = sim.rng("merchant.month")
    income, cost = money
    who, m = np.nonzero(panel.last_day.T > -turnover.NEVER)[::-1]
    cell = (who, m)
    starts = stops.month_starts(months)
    amount = panel.cents[cell]
    count = panel.count[cell]
    fake = latent["fake"][who]
    round_share = np.where(fake, rng.uniform(0.35, 0.75, len(who)), rng.beta(2, 22, len(who)))
    night = np.where(fake, rng.uniform(0.18, 0.5, len(who)), rng.beta(1.2, 60, len(who)))
    refund = np.rint(amount * rng.beta(0.6, 60, len(who)))
    silent = count == 0
    return pd.DataFrame(
        {
            "month": months.values.astype("datetime64[s]")[m],
            "merchant_id": merchant["merchant_id"].to_numpy()[who],
            "transaction_count": count,
            "transaction_amount": amount / 100,
            "active_days": panel.active_days[cell],
            "gap_days": (starts[1:] - 1)[m] - panel.last_day[cell],
            "refund_amount": refund / 100,
            "round_amount_share": np.where(silent, np.nan, round_share.round(3)),
            "night_share": np.where(silent, np.nan, night.round(3)),
            "settlement_deposit_average": grades.deposit[cell].round(2),
            "product_count": grades.products[who],
            "star": grades.star[cell].astype(np.int64),
            "fee_income": income[cell].round(2),
            "cost": cost[cell].round(2),
            "benefit_cost": grades.benefit_cost[cell],
        }
    )


def _benefit_table(
    sim: Simulation, merchant: pd.DataFrame, benefit: pd.DataFrame, months: pd.DatetimeIndex
) -> None:
    """Write ``merchant_benefit``: insurance and paper rolls, dates inside the month."""
    rng = sim.rng("merchant.benefit")
    end = months.values.astype("datetime64[D]")[benefit["month"].to_numpy()]
    date = end - rng.integers(0, 6, len(end)).astype("timedelta64[D]")  # branches start on day one
    who = benefit["who"].to_numpy()
    opened = merchant["open_date"].to_numpy().astype("datetime64[D]")[who]
    sim.tables["merchant_benefit"] = pd.DataFrame(
        {
            "merchant_id": merchant["merchant_id"].to_numpy()[who],
            "benefit": coded(benefit["benefit"].to_numpy(), BENEFITS),
            "date": np.maximum(date, opened).astype("datetime64[s]"),
            "cost": benefit["cost"].to_numpy(),
        }
    )


def _arrays(
    sim: Simulation,
    latent: dict[str, np.ndarray],
    panel: turnover.Turnover,
    grades: stars.Grades,
) -> None:
    """Hand deposits and inflows to the money generator, by customer."""
    shape = (len(sim.people), panel.cents.shape[1])
    for name, values in (
        ("settlement_deposit", grades.deposit.round(2)),
        ("merchant_inflow", panel.cents / 100),
    ):
        sim.arrays[name] = np.zeros(shape)
        np.add.at(sim.arrays[name], latent["person"], values)


def _record(
    sim: Simulation,
    latent: dict[str, np.ndarray],
    panel: turnover.Turnover,
    grades: stars.Grades,
    waived: np.ndarray,
    profit: np.ndarray,
) -> None:
    """Write the realised truths of the merchants."""
    last = grades.star[:, -1]
    held = grades.deposit[:, -1]
    top = last >= 4
    sim.record(
        "m04_n02", "star4",
        {"merchants": float(top.mean()), "deposits": float(held[top].sum() / held.sum())},
        "四星及以上商户的户数占比与结算存款占比",
    )  # fmt: skip
    low = (waived & (last <= 2))[:, None] & (panel.last_day > -turnover.NEVER)
    low[:, :-12] = False
    sim.record("m04_n02", "waiver_loss", float(profit[low].mean()), "一二星减免商户每月损益，元")
    sim.record(
        "m04_n02", "within_effect", sim.effects.value("m04_n02", "within_effect"),
        "同一商户升一星，结算存款对数的增量（潜在模型参数）",
    )  # fmt: skip
    sim.record("m03_n04", "fake_volume", float(latent["fake"].mean()), "刷单商户占比")
    bad, steady = latent["outcome"], latent["stability"]
    if (bad == 1).sum() > 1:
        groups = [steady[bad == value] for value in (0, 1)]
        within = np.concatenate([group - group.mean() for group in groups]).var()
        odds = np.exp(0.2 * (groups[1].mean() - groups[0].mean()) / within)
        sim.record("m03_n04", "or_stab", float(odds), "稳定度每高 0.2 的不良比值比")
