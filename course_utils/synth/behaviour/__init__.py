"""Statements and mobile-bank behaviour of the synthetic bank."""

from course_utils.synth.behaviour.generate import generate
from course_utils.synth.behaviour.transactions import transaction_chunks

__all__ = ["generate", "transaction_chunks"]
