"""Command line of the build benchmark; see ``--help``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.build_speed import measure, report
from benchmarks.build_speed.scenarios import GROUPS, GROWTH, scenarios
from benchmarks.build_speed.stage import banks_with_tables, prepare
from benchmarks.page import ROOT, read_results, write_results

BANKS = ("coastal", "western", "city_micro")
PACKAGES = ("papermill", "nbclient", "nbconvert", "nbmake", "ipykernel", "pandas")
QUICK_LESSONS = "3"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog=report.COMMAND, description=sys.modules[__name__].__doc__)
    parser.add_argument("--lessons", nargs="+", default=[], metavar="LESSON",
                        help="their names, or one number; all if left out")  # fmt: skip
    parser.add_argument("--bank", default=BANKS[0])
    parser.add_argument("--quick", action="store_true", help="three lessons, no growth")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME",
                        help=f"groups ({', '.join(GROUPS)}) or single scenarios")  # fmt: skip
    parser.add_argument("--repeat", type=int, default=1, help="runs of each, the median counts")
    parser.add_argument("--date", help="date of the run, YYYY-MM-DD; today if left out")
    parser.add_argument("--write", action="store_true",
                        help="write results and page even of a partial run")  # fmt: skip
    parser.add_argument("--page", action="store_true",
                        help="measure nothing: page and picture from the results kept")  # fmt: skip
    return parser.parse_args(arguments)


def wanted(only: Sequence[str], quick: bool) -> tuple[list[str], Callable[[str, str], bool]]:
    """Return the groups to go through, and a test for the scenarios in them."""
    groups = [group for group in GROUPS if not (quick and group in GROWTH)]
    if not only:
        return groups, lambda group, name: True
    return list(GROUPS), lambda group, name: group in only or name in only


def line(name: str, run: dict[str, Any]) -> str:
    """Return one scenario's figures for the terminal."""
    failed = f"  {run['failed']} FAILED" if run.get("failed") else ""
    return (
        f"{name:<18}{run['wall']:>9.2f} s wall{run['cpu']:>9.2f} s CPU "
        f"(waited {run['waited_cpu']:.2f}, sampled {run['sampled_cpu']:.2f})"
        f"{run['peak_mb']:>7,.0f} MB{run['other_cpu']:>8.2f} s others{failed}"
    )


def measure_all(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Run the scenarios and return the results."""
    # taken before our own preparations load the machine
    facts = machine.facts(PACKAGES, options.date)
    if facts["load_at_start"] > machine.QUIET:
        print(f"warning: load average {facts['load_at_start']:.2f}, other work will show")
    chosen = options.lessons or ([QUICK_LESSONS] if options.quick else [])
    stage = prepare(ROOT, scratch, options.bank, chosen)
    banks = banks_with_tables(ROOT, dict.fromkeys([options.bank, *BANKS]))
    groups, test = wanted(options.only, options.quick)
    runs: dict[str, dict[str, Any]] = {}
    for scenario in scenarios(stage, banks, groups):
        if test(scenario.group, scenario.name):
            runs[scenario.name] = scenario.measure(options.repeat)
            print(line(scenario.name, runs[scenario.name]), flush=True)
    return {
        "machine": facts,
        "options": {
            "command": " ".join([report.COMMAND, *sys.argv[1:]]),
            "bank": options.bank,
            "lessons": len(stage.lessons),
            "repeat": options.repeat,
            "complete": stage.complete and not options.quick and not options.only,
        },
        "runs": runs,
    }


def main() -> None:
    """Measure, judge, and write what is complete."""
    options = parse()
    if options.page:
        report.publish(read_results(report.SECTION))
        return
    if not measure.available():
        sys.exit("The build benchmark needs Linux: it reads /proc/<pid>/smaps_rollup.")
    if not banks_with_tables(ROOT, [options.bank]):
        sys.exit(f"No tables yet: course bank generate --bank {options.bank}")
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch:
        results = measure_all(options, Path(scratch).resolve())
    print()
    for verdict in report.verdicts(results):
        print(verdict)
    for remark in report.remarks(results):
        print(f"note: {remark}")
    if results["options"]["complete"] or options.write:
        write_results(report.SECTION, results)
        report.publish(results)
        print(f"\nwritten: benchmarks/results/{report.SECTION}.json, docs/{report.PAGE.name}")


if __name__ == "__main__":
    main()
