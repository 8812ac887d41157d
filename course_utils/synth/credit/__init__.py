"""Credit of the synthetic bank: borrowers, loans to the cent, lines, bureau, bad loans."""

from course_utils.synth.credit.generate import generate

__all__ = ["generate"]
