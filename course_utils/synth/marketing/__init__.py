"""Marketing of the synthetic bank: lists, campaigns, activity, labels, hidden outcomes."""

from course_utils.synth.marketing.generate import generate

__all__ = ["generate"]
