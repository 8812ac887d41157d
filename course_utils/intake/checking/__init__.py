"""Checks of whole tables over the shards: keys, references, and tables against each other."""

from course_utils.intake.checking.sets import SetChecks, check_sets

__all__ = ["SetChecks", "check_sets"]
