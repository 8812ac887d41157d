"""What a seat of the class server costs: ``python -m benchmarks.hub_seats [seats]`` (root, Linux).

Opens a class on the built demo bank, lets every seat start at once and run a whole lesson, then a
second one beside it; prints memory (PSS) and CPU seconds a seat. docs/hub.md quotes the figures.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil

from benchmarks.machine import facts, sentence
from course_utils.build.products.hub import seats
from tests.hub_class import RunningClass, copy_project, opened, own_memory_mib
from tests.hub_client import Visitor

LESSONS = (
    "1_data_scenarios/m02_n02_maturity_ladder.ipynb",
    "1_data_scenarios/m03_n01_whitelist_priority.ipynb",
)


def run_lesson(visitor: Visitor, lesson: str) -> None:
    """Run all cells of a notebook in a kernel of its own, as a trainee would; blanks stay blank."""
    cells = visitor.api("GET", f"contents/{lesson}").json()["content"]["cells"]
    kernel = visitor.kernel(lesson)
    for cell in cells:
        if cell["cell_type"] == "code":
            answer = kernel.run("".join(cell["source"]))
            assert not answer.error, answer.error
    kernel.drop()


def at_once(work, items) -> float:
    """Do something for all at the same time; return the seconds until the last was done."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(items)) as pool:
        list(pool.map(work, items))
    return time.monotonic() - began


def cpu_seconds(running: RunningClass, names: list[str]) -> float:
    """Return user and system seconds of all processes of the seats so far."""
    total = 0.0
    for name in names:
        for pid in seats.processes(running.uid(name)):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total


def memory(running: RunningClass, names: list[str]) -> str:
    """Return median and largest memory of a seat in MiB, server and kernels apart."""
    found = [own_memory_mib(running.uid(name)) for name in names]
    parts = []
    for part in ("server", "kernels"):
        values = [one[part] for one in found]
        parts.append(f"{part} {statistics.median(values):.0f} MiB (largest {max(values):.0f})")
    return ", ".join(parts)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    print(sentence(facts(("jupyterhub", "jupyterlab", "pandas"))))
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        project = copy_project("coastal", Path(scratch) / "project")
        with opened(project, Path(scratch) / "class", "coastal", count) as running:
            names = list(running.course.seats)
            visitors: list[Visitor] = []
            wall = at_once(lambda name: visitors.append(running.visit(name)), names)
            spent = cpu_seconds(running, names)
            print(f"{count} seats at once: {wall:.1f} s, {spent / count:.1f} CPU s a seat")
            print("without a kernel:", memory(running, names))
            for number, lesson in enumerate(LESSONS, 1):
                wall = at_once(partial(run_lesson, lesson=lesson), visitors)
                now = cpu_seconds(running, names)
                told = f"{wall:.1f} s, {(now - spent) / count:.1f} CPU s a seat"
                print(f"{number} kernel(s): {told},", memory(running, names))
                spent = now
            hub = psutil.Process(running.hub_pid())
            family = [hub, *hub.children(recursive=True)]
            proxy = int((running.course.private / "proxy.pid").read_text(encoding="ascii"))
            family.append(psutil.Process(proxy))
            own = {p.pid: p.memory_full_info().pss / 2**20 for p in family
                   if p.uids().real == 0}  # fmt: skip
            print(f"hub, proxy, services: {sum(own.values()):.0f} MiB")


if __name__ == "__main__":
    main()
