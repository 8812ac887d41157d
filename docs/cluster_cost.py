"""What a hundred banks would cost on a cluster, computed from one bank measured on this machine.

``python docs/cluster_cost.py --measure`` builds the demo bank in a copy of the project with two
workers and writes ``cluster_figures.json``; without the option the table in ``cluster.md`` is
written again from that file.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FIGURES, PAGE = HERE / "cluster_figures.json", HERE / "cluster.md"
BEGIN, END = "<!-- computed by cluster_cost.py -->", "<!-- end -->"

#: What is computed; none of it is measured.
BANKS, LESSONS, EDITIONS = 100, 70, 2
WORKERS = (8, 32, 128)
#: Yuan for one vCPU with 4 GB of memory for an hour: put your own price here.
PRICE = 0.30
#: Scheduler and client take one vCPU each as long as the build lasts.
HELPERS = 2
_PARTS = ("course_utils", "lessons", "data/banks", "data/contract", "data/reference")
_FILES = ("LICENSE", "README.md", "pyproject.toml", "requirements.lock", "setup.py")
_EMPTY_ORDERS = 400


def per_bank(figures: dict[str, Any]) -> float:
    """Return the seconds for which a bank of the computed size occupies one worker."""
    pages = figures["finish_seconds"] / figures["lessons"] * LESSONS
    return figures["prepare_seconds"] + LESSONS * EDITIONS * figures["run_seconds"] + pages


def wall_seconds(figures: dict[str, Any], workers: int) -> float:
    """Return how long all banks take: work shared out, or the client handing it out if longer."""
    work = BANKS * per_bank(figures) / workers
    handing_out = BANKS * (LESSONS * EDITIONS + 2) * figures["order_seconds"]
    tail = figures["longest_run_seconds"] + figures["finish_seconds"] / figures["lessons"] * LESSONS
    return figures["start_seconds"] + max(work, handing_out) + tail


def table(figures: dict[str, Any]) -> str:
    """Return the page's computed part as Markdown."""
    each = per_bank(figures)
    gigabytes = (figures["warehouse_mb"] + figures["build_mb"] / figures["lessons"] * LESSONS) / 1e3
    memory = math.ceil(figures["worker_peak_mb"] * 1.25 / 256) / 4
    lines = [
        f"Measured {figures['date']} on {figures['cores']} cores ({figures['processor']}, Python "
        f"{figures['python']}, load {figures['load']:.1f} before the start), bank "
        f"`{figures['bank']}` with {figures['persons']:,} persons, {figures['lessons']} lessons in "
        "two editions, two workers:",
        "",
        *_measured(figures),
        "",
        f"Computed for {BANKS} banks × {LESSONS} lessons × {EDITIONS} editions = "
        f"{BANKS * LESSONS * EDITIONS:,} runs, all from scratch: {each / 60:.1f} worker-minutes a "
        f"bank, **{BANKS * each / 3600:.0f} vCPU-hours** in all; {memory:.2f} GB of memory a "
        f"worker (a quarter more than measured); {gigabytes * BANKS:.0f} GB on the shared volume. "
        "One worker has one vCPU; scheduler and client have one each and are paid for as long as "
        f"the build lasts. Price: {PRICE:.2f} yuan per vCPU-hour (a parameter at the top of the "
        "script, not an offer).",
        "",
        "| workers | wall time | vCPU-hours paid | yuan | read from the volume |",
        "|---:|---:|---:|---:|---:|",
    ]
    for workers in WORKERS:
        wall = wall_seconds(figures, workers)
        hours = wall / 3600 * (workers + HELPERS)
        rate = workers * figures["read_mb"] / figures["run_seconds"]
        lines.append(
            f"| {workers} | {_duration(wall)} | {hours:.0f} | {hours * PRICE:.0f} | "
            f"{rate:,.0f} MB/s |"
        )
    return "\n".join(lines)


def _measured(figures: dict[str, Any]) -> list[str]:
    rows = {
        "one run of a lesson, kernel and filing included, mean": f"{figures['run_seconds']:.2f} s",
        "of that, CPU of the lesson's own cells, mean": f"{figures['cpu_seconds']:.2f} s",
        "longest run": f"{figures['longest_run_seconds']:.1f} s",
        "prepare a bank: generate its tables, plan": f"{figures['prepare_seconds']:.1f} s",
        "finish a bank: pages, kit, scan": f"{figures['finish_seconds']:.1f} s",
        "of the lessons' time, workers were at work": f"{figures['busy_share']:.0%}",
        "an order that does nothing, there and back": f"{figures['order_seconds'] * 1000:.1f} ms",
        "most memory of a worker with its kernels": f"{figures['worker_peak_mb']:,.0f} MB",
        "tables that a run reads, mean": f"{figures['read_mb']:.0f} MB",
        "tables on disk": f"{figures['warehouse_mb']:.0f} MB",
        "notebooks, pages and kit on disk": f"{figures['build_mb']:.0f} MB",
    }
    lines = [f"| {what} | {figure} |" for what, figure in rows.items()]
    return ["| measured | |", "|---|---:|", *lines]


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def page_with(text: str, figures: dict[str, Any]) -> str:
    """Return the page with its computed part written again."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table(figures)}\n{END}{tail}"


# ---- measuring ----------------------------------------------------------------------------------


def measure(bank: str) -> None:
    """Build a bank in a copy of the project, which leaves this one alone; keep the figures."""
    root = HERE.parent
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="course-cost-") as scratch:
        copy = Path(scratch) / "project"
        for part in _PARTS:
            shutil.copytree(root / part, copy / part)
        for name in _FILES:
            shutil.copy2(root / name, copy / name)
        environment = {**os.environ, "COURSE_HOME": str(copy), "PYTHONPATH": str(copy)}
        command = [sys.executable, "-P", __file__, "--bank", bank, "--in-copy"]
        done = subprocess.run(command, env=environment, cwd=copy, check=True, capture_output=True)
    figures = json.loads(done.stdout)
    figures["load"] = round(load, 1)
    text = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
    FIGURES.write_text(text, encoding="utf-8")


def measure_here(bank: str) -> dict[str, Any]:
    """Build a bank with two workers in the project we stand in and return the figures."""
    from course_utils.bank import load_profile
    from course_utils.build.cluster.fleet import build_banks, make_requests
    from course_utils.build.execution.records import RecordStore
    from course_utils.build.sources.syllabus import load_syllabus

    root = Path(os.environ["COURSE_HOME"])
    lessons = load_syllabus(root / "lessons" / "syllabus.yml").lessons
    memory = _Memory()
    begin = time.perf_counter()
    with memory:
        report = build_banks(root, make_requests(root, [bank], []), jobs=2)
    whole = time.perf_counter() - begin
    if report.fault:
        raise SystemExit(report.fault)
    row = report.as_dict()["banks"][0]
    folder, tables = root / "build" / bank, root / "data" / "warehouse" / bank
    records = list(RecordStore(folder).load().values())
    seconds = [record.seconds for record in records]
    sizes = {f"{bank}/{path.name}": path.stat().st_size for path in tables.iterdir()}
    read = [sum(sizes.get(name, 0) for name in record.tables) for record in records]
    # while lessons run both workers have work; before and after them only one has
    lesson_wall = row["seconds"] - row["prepare_seconds"] - row["finish_seconds"]
    return {
        "date": f"{datetime.date.today():%Y-%m-%d}",
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "bank": bank,
        "persons": load_profile(bank).persons,
        "lessons": len(lessons),
        "run_seconds": round(2 * lesson_wall / len(records), 3),
        "cpu_seconds": round(statistics.mean(record.cpu_seconds for record in records), 3),
        "longest_run_seconds": max(seconds),
        "prepare_seconds": row["prepare_seconds"],
        "finish_seconds": row["finish_seconds"],
        "busy_share": round(sum(seconds) / (2 * lesson_wall), 3),
        "start_seconds": round(whole - report.seconds, 1),
        "order_seconds": round(_empty_orders(root), 5),
        "worker_peak_mb": round(memory.peak_mb),
        "read_mb": round(statistics.mean(read) / 1e6, 1),
        "warehouse_mb": round(_megabytes(tables), 1),
        "build_mb": round(_megabytes(folder), 1),
    }


def _empty_orders(root: Path) -> float:
    """Return the seconds that an order takes of which nothing comes."""
    from course_utils.build.cluster.connection import Connection
    from course_utils.build.cluster.orders import Order

    with Connection(root, jobs=2) as connection:
        for number in range(_EMPTY_ORDERS):
            connection.add(Order(f"empty/{number}", (0.0,), _nothing, ()))
        begin = time.perf_counter()
        done = sum(1 for _ in connection.outcomes())
    return (time.perf_counter() - begin) / done


def _nothing(_: object) -> None:
    return None


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


class _Memory:
    """Looks every second how much memory each worker has with all it started; shared pages once."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        import psutil

        while not self._stop.wait(1.0):
            for worker in psutil.Process().children():
                self.peak_mb = max(self.peak_mb, _proportional_mb(worker))


def _proportional_mb(worker: Any) -> float:
    import psutil

    total = 0
    try:
        for process in (worker, *worker.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:
        return 0.0  # one of them has just ended: the next look will do
    return total / 1e6


def main() -> None:
    """Measure if asked to, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--bank", default="coastal")
    parser.add_argument("--in-copy", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.in_copy:
        print(json.dumps(measure_here(chosen.bank), ensure_ascii=False))
        return
    if chosen.measure:
        measure(chosen.bank)
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page_with(text, figures), encoding="utf-8")


if __name__ == "__main__":
    main()
