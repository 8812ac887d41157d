"""Credit of the synthetic bank: who borrows, the loan book to the cent, lines, bureau, bad loans."""

from course_utils.synth.credit.generate import generate

__all__ = ["generate"]
