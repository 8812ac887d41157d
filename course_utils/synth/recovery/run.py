"""Run every recovery over banks and seeds, with effects on and off.

``python -m course_utils.synth.recovery.run --seeds 20`` prints, for each planted truth, how often
it is found again and how often it is found where it is not, and ends with exit code 1 if a truth
is found in fewer than 95 % of the banks or claimed in more than 5 % of the banks without effects.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Iterable, Sequence

import pandas as pd

import course_utils.synth.recovery as here
from course_utils.bank import list_banks, load_profile
from course_utils.synth import generate
from course_utils.synth.recovery.base import Recovery

FOUND, CLAIMED = 0.95, 0.05
_NOT_ESTIMATORS = {"base", "run", "truth"}


def all_recoveries() -> list[Recovery]:
    """Return the recoveries of every module in this folder, by lesson and key.

    Raises
    ------
    ValueError
        If two modules register the same truth.
    """
    found: dict[tuple[str, str], Recovery] = {}
    for module in pkgutil.iter_modules(here.__path__):
        if module.name in _NOT_ESTIMATORS:
            continue
        part = importlib.import_module(f"{here.__name__}.{module.name}")
        for recovery in getattr(part, "RECOVERIES", ()):
            name = recovery.lesson, recovery.key
            if name in found:
                raise ValueError(f"{name[0]}.{name[1]} is recovered twice")
            found[name] = recovery
    return [found[name] for name in sorted(found)]


def run(
    banks: Iterable[str],
    seeds: Iterable[int],
    persons: int | None = None,
    recoveries: Sequence[Recovery] | None = None,
    effects: Sequence[str] = ("on", "off"),
) -> pd.DataFrame:
    """Generate banks and estimate every truth in each.

    Parameters
    ----------
    banks : iterable of str
        Codes of the banks.
    seeds : iterable of int
        Added to the seed of the profile; 0 is the shipped bank itself.
    persons : int, optional
        Size instead of the profile's.
    recoveries : sequence of Recovery, optional
        All registered ones if left out.
    effects : sequence of {"on", "off"}
        Versions to run.

    Returns
    -------
    pandas.DataFrame
        One row a bank, seed, version and truth: lesson, key, bank, seed, effects, target,
        estimate, good (found again, or rightly not found), error (text of an exception).
    """
    recoveries = all_recoveries() if recoveries is None else recoveries
    rows = []
    for bank in banks:
        profile = load_profile(bank)
        for seed in seeds:
            for version in effects:
                asked = [r for r in recoveries if version == "on" or r.null is not None]
                if asked:
                    sim = generate(profile, version, persons=persons, seed=profile.seed + seed)
                    rows += [_row(sim, recovery, bank, seed, version) for recovery in asked]
    return pd.DataFrame(rows)


def _row(sim, recovery: Recovery, bank: str, seed: int, version: str) -> dict:
    target = recovery.target(sim.effects.on().planted(recovery.lesson, recovery.key))
    error = ""
    try:
        value = float(recovery.estimate(sim.tables, sim.profile))
    except Exception as problem:  # one broken estimator must not hide the others
        value, error = float("nan"), f"{type(problem).__name__}: {problem}"
    if version == "on":
        good = recovery.recovered(value, target)
    else:
        good = not recovery.false_find(value, target)
    return {
        "lesson": recovery.lesson,
        "key": recovery.key,
        "bank": bank,
        "seed": seed,
        "effects": version,
        "target": target if version == "on" else recovery.null,
        "estimate": value,
        "good": good,
        "error": error,
    }


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a truth: share found, share falsely claimed, mean and spread of estimates."""
    keys = ["lesson", "key"]
    on, off = frame[frame["effects"] == "on"], frame[frame["effects"] == "off"]
    grouped = on.groupby(keys)
    table = grouped.agg(
        target=("target", "first"),
        mean=("estimate", "mean"),
        spread=("estimate", "std"),
        runs=("good", "size"),
        found=("good", "mean"),
    )
    table["claimed"] = 1 - off.groupby(keys)["good"].mean()
    table["error"] = grouped["error"].first()
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: run, print, and say by the exit code whether all truths are found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="seeds per bank")
    parser.add_argument("--banks", nargs="*", default=None, help="codes; all shipped banks if none")
    parser.add_argument("--persons", type=int, default=None)
    parser.add_argument("--only", default="", help="keys that contain this text, e.g. m02_n02")
    parser.add_argument("--csv", default=None, help="write every estimate to this file")
    options = parser.parse_args(arguments)
    chosen = [r for r in all_recoveries() if options.only in f"{r.lesson}.{r.key}"]
    begun = time.process_time()
    frame = run(options.banks or list_banks(), range(options.seeds), options.persons, chosen)
    table = summary(frame)
    with pd.option_context("display.max_rows", None, "display.width", 180):
        print(table.round(4).to_string())
    if options.csv:
        frame.to_csv(options.csv, index=False, encoding="utf-8")
    weak = table[(table["found"] < FOUND) | (table["claimed"] > CLAIMED)]
    print(
        f"\n{len(table)} truths, {len(weak)} below the mark "
        f"({FOUND:.0%} found, {CLAIMED:.0%} claimed), {time.process_time() - begun:.0f} CPU s"
    )
    return int(len(weak) > 0)


if __name__ == "__main__":
    sys.exit(main())
