"""Staff, their pay and assessment, surveys and peers of the synthetic bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.synth.staff import payroll, peers, scores, survey

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

__all__ = ["generate"]


def generate(sim: Simulation) -> None:
    """Generate payroll, assessment tables, surveys and peer figures; after marketing."""
    payroll.generate(sim)
    scores.assessment(sim)
    scores.self_check(sim)
    scores.assessment_scheme(sim)
    peers.it_spend(sim)
    peers.merchant_peer(sim)
    survey.generate(sim)
