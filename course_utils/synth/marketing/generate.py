"""Seventh stage of the synthetic bank: what does not lead to loans of the book by itself.

The white list and the credit campaigns are drawn with the loan book (credit.generate), because
every draw on them is a loan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation


def generate(sim: Simulation) -> None:
    """Write registry_list, activity_day, staff_survey, lender_keyword, label_sample, outcomes."""
    from course_utils.synth.marketing.activity import generate_activity, generate_survey
    from course_utils.synth.marketing.labels import generate_labels
    from course_utils.synth.marketing.outcomes import generate_outcomes
    from course_utils.synth.marketing.registry import generate_registry

    generate_registry(sim)
    generate_activity(sim)
    generate_survey(sim)
    generate_labels(sim)
    generate_outcomes(sim)
