"""Merchants, toll users and utility records of the synthetic bank."""

from course_utils.synth.trade.generate import generate

__all__ = ["generate"]
