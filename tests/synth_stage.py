"""Run the generators up to a stage, once for all tests that need it."""

from functools import lru_cache

from course_utils.bank import load_profile
from course_utils.synth import pipeline
from course_utils.synth.effects import load_effects
from course_utils.synth.state import Simulation

BANKS = ("coastal", "western", "city_micro")


@lru_cache(maxsize=8)
def staged(code, last, persons=None, seed=0, effects="on"):
    """Return the simulation of one bank after the generator `last`; do not change its tables."""
    profile = load_profile(code)
    profile = profile.replace(persons=persons or profile.persons, seed=profile.seed + seed)
    sim = Simulation(profile, load_effects(profile.effects, active=effects == "on"))
    for module, _ in pipeline.STAGES:
        pipeline.run_stage(module, sim)
        if module == last:
            return sim
    raise ValueError(last)
