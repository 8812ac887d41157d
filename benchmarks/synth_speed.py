"""Speed and memory of the synthetic bank.

``python -m benchmarks.synth_speed`` prints a table: rows of all tables per CPU second at 5, 20 and
80 thousand persons (linear or not), the same number for a plain NumPy baseline that fills a few
tables with independent random columns in the same run, and the peak memory while ten million
statement rows are streamed. Each size runs in its own process, so that peak memory is its own.
A run with the default sizes also writes ``benchmarks/results/synth_speed.json`` and its part of
``docs/performance.md``.
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
from typing import Any

from benchmarks import machine, page

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

SECTION = "synth_speed"
COMMAND = "python -m benchmarks.synth_speed"
PACKAGES = ("numpy", "pandas")
SIZES = (5_000, 20_000, 80_000)
STREAM_ROWS = 10_000_000
ROWS_PER_SECOND = 1_000_000
STREAM_MB = 2_500


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
    command = [sys.executable, "-m", "benchmarks.synth_speed", "--one", *arguments]
    # what a failing measurement says is shown, not caught
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, encoding="utf-8", cwd=page.ROOT
    )
    return json.loads(done.stdout.splitlines()[-1])


def one(arguments: list[str]) -> dict[str, float]:
    """Dispatch one measurement."""
    what = {"bank": lambda code, n: bank(code, int(n)), "baseline": lambda n: baseline(int(n)),
            "stream": lambda code, n: stream(code, int(n))}  # fmt: skip
    return what[arguments[0]](*arguments[1:])


def measure(code: str, sizes: tuple[int, ...], stream_rows: int) -> dict[str, Any]:
    """Measure everything, print a line each, and return the results."""
    facts = machine.facts(PACKAGES)
    print(f"{'what':<28}{'rows':>12}{'CPU s':>9}{'rows/CPU s':>13}{'peak MB':>9}{'B/row':>7}")
    runs: dict[str, dict[str, float]] = {}

    def line(name: str, *arguments: str) -> None:
        runs[name] = result = measured(*arguments)
        print(f"{name:<28}{result['rows']:>12,.0f}{result['cpu']:>9.2f}{_rate(result):>13,.0f}"
              f"{result['mb']:>9,.0f}{_bytes(result):>7.0f}", flush=True)  # fmt: skip

    for persons in sizes:
        line(f"bank, {persons:,} persons", "bank", code, str(persons))
    rows = int(runs[f"bank, {sizes[-1]:,} persons"]["rows"])
    line("plain NumPy tables", "baseline", str(rows))
    if stream_rows:
        line("statements, month by month", "stream", code, str(stream_rows))
    return {"machine": facts, "options": {"command": COMMAND, "bank": code}, "runs": runs}


def _rate(run: dict[str, float]) -> float:
    return run["rows"] / run["cpu"]


def _bytes(run: dict[str, float]) -> float:
    return run["mb"] * 1e6 / run["rows"]


def findings(results: dict[str, Any]) -> list[str]:
    """Return what the numbers say: the target, the baseline, linear or not, memory."""
    runs = results["runs"]
    banks = {name: run for name, run in runs.items() if name.startswith("bank, ")}
    small, large = next(iter(banks)), list(banks)[-1]
    plain, stream = runs["plain NumPy tables"], runs.get("statements, month by month")
    rates = ", ".join(f"{_rate(run):,.0f} at {name[6:]}" for name, run in banks.items())
    fast = [name[6:] for name, run in banks.items() if _rate(run) >= ROWS_PER_SECOND]
    state = f"reached at {', '.join(fast)}" if fast else "NOT reached"
    found = [
        f"rows per CPU second: {rates} (target {ROWS_PER_SECOND:,}): {state}",
        f"plain NumPy tables of as many rows are {_rate(plain) / _rate(runs[large]):.2f} times as "
        f"fast as the bank with {large[6:]}",
        f"CPU time per row at {large[6:]} is {_rate(runs[small]) / _rate(runs[large]):.2f} times "
        f"that at {small[6:]}",
    ]
    if stream:
        state = "reached" if stream["mb"] <= STREAM_MB else "NOT reached"
        found.append(
            f"{stream['rows']:,.0f} statements month by month: peak {stream['mb']:,.0f} MB, "
            f"{stream['before']:,.0f} MB of it before the first (limit {STREAM_MB:,} MB): {state}"
        )
    return found


def block(results: dict[str, Any]) -> str:
    """Return the generated part of the page."""
    rows = (
        [name, f"{run['rows']:,.0f}", f"{run['cpu']:.2f}", f"{_rate(run):,.0f}",
         f"{run['mb']:,.0f}", f"{_bytes(run):.0f}"]
        for name, run in results["runs"].items()
    )  # fmt: skip
    header = ["what", "rows", "CPU s", "rows per CPU s", "peak MB", "bytes per row"]
    return "\n\n".join(
        [
            f"`{results['options']['command']}`, {machine.sentence(results['machine'])} "
            f"Bank {results['options']['bank']}, all tables, one thread; CPU seconds without the "
            "first import.",
            page.table(header, rows),
            "\n".join(f"* {text}" for text in findings(results)),
        ]
    )


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--bank", default="coastal")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--stream-rows", type=int, default=STREAM_ROWS)
    parser.add_argument(
        "--page", action="store_true", help="measure nothing: page from the results kept"
    )
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one)))
        return
    if options.page:
        page.write_section(SECTION, block(page.read_results(SECTION)))
        return
    results = measure(options.bank, tuple(options.sizes), options.stream_rows)
    print("\n".join(findings(results)))
    if tuple(options.sizes) == SIZES and options.stream_rows == STREAM_ROWS:
        page.write_results(SECTION, results)
        page.write_section(SECTION, block(results))


if __name__ == "__main__":
    main()
