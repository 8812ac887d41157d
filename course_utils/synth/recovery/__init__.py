"""Proof that every planted truth can be found again from the published tables."""

from course_utils.synth.recovery.base import Recovery

__all__ = ["Recovery"]
