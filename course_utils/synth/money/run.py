"""Run the money generators in order and write their tables."""

from __future__ import annotations

import numpy as np

from course_utils.synth.money import accounts, history, ledger, market, panel, planning, queueing
from course_utils.synth.money.balances import make_balances
from course_utils.synth.money.book import FIRST, make_book
from course_utils.synth.money.churn import start_churn
from course_utils.synth.money.contacts import contact_rows, start_contacts
from course_utils.synth.money.ladder import Ladder
from course_utils.synth.money.level import plan_money
from course_utils.synth.money.rates import RateBook
from course_utils.synth.money.slots import make_slots
from course_utils.synth.money.truth import record_truth
from course_utils.synth.money.wealth import wealth_holding
from course_utils.synth.state import Simulation
from course_utils.synth.tools import ids


def generate(sim: Simulation) -> None:
    """Write the deposit tables, the customer month and year, the ledger, targets and queues.

    Parameters
    ----------
    sim : Simulation
        With ``people`` and the tables of the world.
    """
    book = make_book(sim)
    plan_money(book)
    own, peer = (RateBook(sim.tables["deposit_rate"], who) for who in ("本行", "同业"))
    churn, contacts = start_churn(book), start_contacts(book)
    slots = queueing.plant_spike(book, make_slots(book), churn.protected)
    ladder = Ladder(book, slots, churn, contacts, own, peer, sim.rng("money.ladder"))
    deposits = ladder.run()
    book.arrays["lost_month"], book.arrays["lost_to_wealth"] = churn.lost_month, churn.to_wealth
    balances = make_balances(book, deposits, churn, ladder.parked)
    demand_rate = own.one("活期", 0, book.month_end[FIRST + 1 :])
    flows = panel.make_flows(book, deposits, balances, churn, demand_rate)
    flows["product_count"] = panel.products(book, balances, flows)
    flows["fee_income"] = panel.fees(book, balances, flows)
    sim.tables["customer_month"] = panel.month_table(book, balances, flows)
    demand = accounts.demand_accounts(book, balances, own)
    table, term_id = accounts.account_table(book, demand, accounts.time_accounts(book, deposits))
    sim.tables["deposit_account"] = table
    sim.tables["wealth_holding"] = wealth_holding(book, deposits, balances, churn, term_id)
    log = contact_rows(contacts, term_id)
    sim.append("contact_log", log)
    sim.tables["customer_year"] = history.customer_year(book, balances, flows["product_count"])
    sim.tables["branch_day"] = ledger.branch_day(book, deposits, balances)
    sim.tables["market_share"] = market.market_share(book, sim.tables["branch_day"])
    _plans(book, deposits, balances, flows, demand_rate, table)
    sim.tables["queue_log"] = queueing.queue_log(book, deposits)
    sim.arrays["lost_month"] = np.where(churn.to_wealth, -1, churn.lost_month)
    sim.arrays["wealth_end"] = balances.wealth_end
    record_truth(sim, ladder, log)


def _plans(book, deposits, balances, flows, demand_rate, table) -> None:
    """Write potential, targets and branch accounts."""
    sim = book.sim
    average = planning.yearly_average(book, sim.tables["branch_day"])
    branch = sim.tables["branch"].copy()
    branch["deposit_potential"] = np.rint(planning.potential(book, average[:, -1]) / 1e4) * 1e4
    sim.tables["branch"] = branch
    sim.append("target", planning.targets(book, sim.tables["branch_day"], table))
    sim.tables["branch_profit"] = planning.branch_profit(
        book, deposits, balances, flows["fee_income"], demand_rate
    )
    parts = sim.take_parts("target")
    parts.insert(0, "target_id", ids("TG", np.arange(1, len(parts) + 1), 6))
    sim.tables["target"] = parts
