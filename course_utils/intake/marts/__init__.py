"""Marts: what lessons need of raw rows, worked out where the data live, in bounded memory."""

from __future__ import annotations

from course_utils.intake.marts.catalogue import Mart, marts
from course_utils.intake.marts.derive import DERIVABLE, FEATURES, Derived, derive
from course_utils.intake.marts.protection import protecting
from course_utils.intake.marts.remote import REMOTE, run_marts
from course_utils.intake.marts.sample import Sample, sample_transactions

__all__ = [
    "DERIVABLE",
    "FEATURES",
    "REMOTE",
    "Derived",
    "Mart",
    "Sample",
    "derive",
    "marts",
    "protecting",
    "run_marts",
    "sample_transactions",
]
