"""Speed and memory of the synthetic bank.

``python benchmarks/synth_speed.py`` prints a table: rows of all tables per CPU second at 5, 20 and
80 thousand persons (linear or not), the same number for a plain NumPy baseline that fills a few
tables with independent random columns in the same run, and the peak memory while ten million
statement rows are streamed. Each size runs in its own process, so that peak memory is its own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

SIZES = (5_000, 20_000, 80_000)
STREAM_ROWS = 10_000_000


def peak_mb() -> float:
    """Return the peak resident memory of this process in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def bank(code: str, persons: int) -> dict[str, float]:
    """Generate one bank and return rows, CPU seconds and peak memory."""
    from course_utils.bank import load_profile
    from course_utils.synth import generate

    profile = load_profile(code)
    generate(profile, persons=500)  # imports and caches are not what is measured
    begin = time.process_time()
    sim = generate(profile, persons=persons)
    seconds = time.process_time() - begin
    rows = sum(len(frame) for frame in sim.tables.values())
    cells = sum(frame.size for frame in sim.tables.values())
    return {"rows": rows, "cells": cells, "tables": len(sim.tables), "cpu": seconds,
            "mb": peak_mb()}  # fmt: skip


def baseline(rows: int) -> dict[str, float]:
    """Fill plain tables with independent columns: what NumPy and pandas cost without any truth.

    A customer table, a monthly panel of twelve columns and a transaction table of eight, keyed by
    strings, in the proportion 1 : 12 : 12.
    """
    import numpy as np
    import pandas as pd

    from course_utils.synth.tools import ids

    begin = time.process_time()
    rng = np.random.default_rng(1)
    customers = max(rows // 25, 1)
    key = ids("C", np.arange(customers), 7)
    customer = pd.DataFrame(
        {"customer_id": key, **{f"c{i}": rng.standard_normal(customers) for i in range(8)}}
    )
    month = pd.DataFrame(
        {
            "month": np.repeat(np.arange(12), customers),
            "customer_id": np.tile(key, 12),
            **{f"m{i}": np.round(rng.lognormal(8, 1, customers * 12), 2) for i in range(10)},
        }
    )
    who = rng.integers(0, customers, customers * 12)
    transaction = pd.DataFrame(
        {
            "transaction_id": ids("X", np.arange(len(who)), 9),
            "customer_id": key[who],
            "day": rng.integers(0, 365, len(who)),
            "amount": np.round(rng.lognormal(6, 2, len(who)), 2),
            **{f"k{i}": pd.Categorical.from_codes(rng.integers(0, 9, len(who)), list("abcdefghi"))
               for i in range(4)},
        }
    ).sort_values(["day", "customer_id"])  # fmt: skip
    seconds = time.process_time() - begin
    total = len(customer) + len(month) + len(transaction)
    return {"rows": total, "cpu": seconds, "mb": peak_mb()}


def stream(code: str, rows: int) -> dict[str, float]:
    """Stream statements until `rows` are written and return rows, CPU seconds, peak memory.

    The bank is generated at a size whose customers, all of them with statements, give that many
    rows a year; every month is handed on and forgotten, as when it is written to a file.
    """
    from course_utils.bank import load_profile
    from course_utils.synth import pipeline
    from course_utils.synth.behaviour import transaction_chunks
    from course_utils.synth.effects import load_effects
    from course_utils.synth.state import Simulation

    def prepared(persons: int) -> Simulation:
        profile = load_profile(code).replace(persons=persons)
        sim = Simulation(profile, load_effects(profile.effects))
        for module, _ in pipeline.STAGES:
            if module == "behaviour":
                break
            importlib.import_module(f"course_utils.synth.{module}").generate(sim)
        return sim

    probe = prepared(2_000)
    per_person = (
        sum(len(frame) for frame, _ in transaction_chunks(probe, len(probe.people))) / 2_000
    )
    sim = prepared(round(rows / per_person * 1.02))
    before = peak_mb()
    begin = time.process_time()
    written = sum(len(frame) for frame, _ in transaction_chunks(sim, len(sim.people)))
    seconds = time.process_time() - begin
    return {"rows": written, "cpu": seconds, "mb": peak_mb(), "before": before}


def measured(*arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", *arguments]
    # what a failing measurement says is shown, not caught
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return json.loads(done.stdout.splitlines()[-1])


def one(arguments: list[str]) -> dict[str, float]:
    """Dispatch one measurement."""
    what = {"bank": lambda code, n: bank(code, int(n)), "baseline": lambda n: baseline(int(n)),
            "stream": lambda code, n: stream(code, int(n))}  # fmt: skip
    return what[arguments[0]](*arguments[1:])


def report(code: str, sizes: tuple[int, ...], stream_rows: int) -> None:
    """Measure everything and print the table."""
    print(f"{'what':<22}{'rows':>12}{'CPU s':>9}{'rows/CPU s':>13}{'peak MB':>9}{'B/row':>7}")

    def line(name: str, result: dict[str, float]) -> float:
        rate = result["rows"] / result["cpu"]
        size = result["mb"] * 1e6 / result["rows"]
        print(f"{name:<22}{result['rows']:>12,.0f}{result['cpu']:>9.2f}{rate:>13,.0f}"
              f"{result['mb']:>9,.0f}{size:>7.0f}", flush=True)  # fmt: skip
        return rate

    rates, rows = [], 0
    for persons in sizes:
        result = measured("bank", code, str(persons))
        rates.append(line(f"bank, {persons:,} persons", result))
        rows = int(result["rows"])
    plain = line("plain NumPy tables", measured("baseline", str(rows)))
    print(f"plain / bank = {plain / rates[-1]:.2f}; "
          f"CPU per row, largest / smallest = {rates[0] / rates[-1]:.2f}")  # fmt: skip
    if stream_rows:
        result = measured("stream", code, str(stream_rows))
        line("statements streamed", result)
        print(f"peak before streaming {result['before']:,.0f} MB")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--bank", default="coastal")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--stream-rows", type=int, default=STREAM_ROWS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one)))
        return
    report(options.bank, tuple(options.sizes), options.stream_rows)


if __name__ == "__main__":
    main()
