"""Deposits, customer months, ledger, market, queue: the money side of the synthetic bank.

``generate(sim)`` needs ``sim.people`` and the reference tables; it takes the panels
``loan_balance``, ``loan_installment``, ``settlement_deposit`` and ``merchant_inflow`` of
``sim.arrays`` if earlier generators left them (zeros otherwise), and leaves ``gold_wallet``
(bool, customer) and ``lost_month`` (int, customer, −1 never) for later ones.
"""

from __future__ import annotations

from course_utils.synth.money.run import generate

__all__ = ["generate"]
