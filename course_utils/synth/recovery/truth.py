"""Complete the truth of a bank: effects that no generator recorded are measured in its tables."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from course_utils.synth.recovery.base import Recovery
    from course_utils.synth.state import Simulation

NOTE = "由表里量得"


def fill(sim: Simulation, recoveries: Sequence[Recovery] | None = None) -> list[str]:
    """Record what the recoveries find for planted effects that are not in the truth yet.

    Parameters
    ----------
    sim : Simulation
        A finished bank; its truth is completed in place.
    recoveries : sequence of Recovery, optional
        All registered ones if left out.

    Returns
    -------
    list of str
        ``lesson.key`` of the effects recorded here. A bank too small to show an effect gets no
        entry for it.
    """
    if recoveries is None:
        from course_utils.synth.recovery.run import all_recoveries

        recoveries = all_recoveries()
    done = []
    for recovery in recoveries:
        known = sim.truth.get(recovery.lesson, {}).get(recovery.key)
        if known is not None and known["realised"] is not None:
            continue
        try:
            with warnings.catch_warnings():  # means of nothing, in a small bank
                warnings.simplefilter("ignore", RuntimeWarning)
                value = float(recovery.estimate(sim.tables, sim.profile))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            continue  # no such case in a bank of a few hundred persons
        if np.isfinite(value):
            sim.record(recovery.lesson, recovery.key, value, (known or {}).get("note") or NOTE)
            done.append(f"{recovery.lesson}.{recovery.key}")
    return done
