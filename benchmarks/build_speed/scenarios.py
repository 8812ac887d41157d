"""What is measured: each scenario is one command, what comes before it, and how to read its log."""

from __future__ import annotations

import importlib.util
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.build_speed.measure import Cost, run
from benchmarks.build_speed.stage import Stage, spanning_levels, spread
from benchmarks.machine import cores

GROUPS = ("compare", "command", "imports", "lessons", "banks", "persons")
#: Groups that are left out with ``--quick``.
GROWTH = ("lessons", "banks", "persons")
LESSON_COUNTS = (5, 10, 15, 20)
PERSONS = (10_000, 20_000, 40_000, 80_000)
#: Lessons on which the growth with customers is measured.
PERSONS_LESSONS = 6
#: A process that only imports is over in a second: the median of this many is taken.
IMPORT_TURNS = 5

Facts = dict[str, Any]
#: Turns cost and log of a scenario into facts: failures at least.
Reader = Callable[[Cost, str], Facts]

_OURS = "benchmarks.build_speed.ours"
_INLINE = Path(__file__).with_name("inline.py")
_LOOP = """
failed=0
for notebook in "$1"/*.ipynb; do
  {command} || failed=$((failed + 1))
done
exit $failed
"""
_PAPERMILL = 'papermill "$notebook" "$2/$(basename "$notebook")"'
_NBCONVERT = 'jupyter nbconvert --to notebook --execute --output-dir "$2" "$notebook"'
_MODULES = "; import sys; print(len(sys.modules))"
_LIBRARIES = (
    "import sys; before = set(sys.modules); "
    "from course_utils.build.execution.warm.zygote import LESSON_MODULES, preload; "
    "preload(LESSON_MODULES)"
)


@dataclass(frozen=True)
class Scenario:
    """One command to be measured.

    Parameters
    ----------
    name, group, title : str
        Key in the results, group it belongs to, what a reader sees.
    command : list of str
        Program and arguments.
    stage : Stage
        Where it runs.
    facts : dict
        Numbers of lessons, banks and so on.
    before : callable
        Makes the state that the command starts from; not measured.
    reader : callable
        Reads failures and more from the log.
    turns : int
        At least this many runs, of which the median counts.
    """

    name: str
    group: str
    title: str
    command: list[str]
    stage: Stage
    facts: Facts = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    reader: Reader = lambda cost, log: {"failed": cost.code}
    turns: int = 1

    def measure(self, repeat: int) -> Facts:
        """Run it and return its costs: median times, largest memory."""
        costs, facts = [], {}
        log = self.stage.scratch / f"{self.name}.log"
        for _ in range(max(repeat, self.turns)):
            self.before()
            cost = run(
                self.command,
                environment=self.stage.environment,
                folder=self.stage.scratch,
                log=log,
            )
            costs.append(cost)
            facts = self.reader(cost, log.read_text(encoding="utf-8", errors="replace"))
        return {"group": self.group, "title": self.title, **self.facts, **facts} | _summary(costs)


def _summary(costs: Sequence[Cost]) -> Facts:
    times = ("wall", "cpu", "waited_cpu", "sampled_cpu", "other_cpu")
    summary = {key: round(statistics.median(getattr(c, key) for c in costs), 2) for key in times}
    summary["peak_mb"] = round(max(cost.peak_mb for cost in costs))
    summary["processes"] = max(cost.processes for cost in costs)
    summary["left"] = max(cost.left for cost in costs)
    summary["turns"] = len(costs)
    return summary


def scenarios(stage: Stage, banks: Sequence[str], groups: Sequence[str]) -> Iterator[Scenario]:
    """Yield the scenarios of some groups in the order in which they are measured.

    Parameters
    ----------
    stage : Stage
        Where to measure.
    banks : sequence of str
        Banks that have tables; the growth with banks takes them in this order.
    groups : sequence of str
        Some of `GROUPS`.
    """
    if "compare" in groups:
        yield from compare(stage)
    if "command" in groups:
        yield from command_line(stage)
    if "imports" in groups:
        yield from imports(stage)
    if "lessons" in groups:
        yield from growth_lessons(stage)
    if "banks" in groups:
        yield from growth_banks(stage, banks)
    if "persons" in groups:
        yield from growth_persons(stage)


# ---- the same notebooks through different tools ----------------------------------------------


def compare(stage: Stage) -> Iterator[Scenario]:
    """Plain papermill first and ours directly after it: what disturbs one disturbs the other."""
    all_cores = cores()
    yield _notebooks(stage, "papermill", "papermill, a command a notebook", _loop(_PAPERMILL))
    yield _ours(stage, "ours", f"our build, {all_cores + 1} at a time")
    yield _ours(stage, "ours_one", "our build, one at a time", jobs=1)
    yield _ours(stage, "ours_ordinary", f"our build, {all_cores + 1} at a time, ordinary kernels",
                extra=["--ordinary"])  # fmt: skip
    inline = [sys.executable, str(_INLINE)]
    yield _notebooks(stage, "papermill_process", "papermill, one Python process", inline)
    title = "jupyter nbconvert --execute, a command a notebook"
    yield _notebooks(stage, "nbconvert", title, _loop(_NBCONVERT))
    if importlib.util.find_spec("nbmake"):
        yield _nbmake(stage, all_cores)


def _loop(command: str) -> list[str]:
    """Return a shell loop over notebooks: how people run a folder of them."""
    return ["sh", "-c", _LOOP.format(command=command), "sh"]


def _notebooks(stage: Stage, name: str, title: str, command: list[str]) -> Scenario:
    """A command that takes a folder of notebooks and one for the executed ones."""
    target = stage.scratch / "executed" / name

    def before() -> None:
        stage.empty(target)
        target.mkdir(parents=True)

    return Scenario(
        name=name,
        group="compare",
        title=title,
        command=[*command, str(stage.notebooks()), str(target)],
        stage=stage,
        facts={"lessons": len(stage.lessons)},
        before=before,
    )


def _nbmake(stage: Stage, jobs: int) -> Scenario:
    def failures(cost: Cost, log: str) -> Facts:
        counts = [int(n) for n in re.findall(r"(\d+) (?:failed|error)", log.splitlines()[-1])]
        return {"failed": sum(counts) or cost.code}

    folder = stage.notebooks()
    command = [sys.executable, "-m", "pytest", "-q", "--nbmake", "--nbmake-timeout=600"]
    command += ["-n", str(jobs), "-p", "no:cacheprovider", "-c", "/dev/null"]
    return Scenario(
        name="nbmake",
        group="compare",
        title=f"pytest --nbmake -n {jobs}",
        command=[*command, f"--rootdir={folder}", str(folder)],
        stage=stage,
        facts={"lessons": len(stage.lessons)},
        reader=failures,
    )


def _ours(
    stage: Stage,
    name: str,
    title: str,
    *,
    group: str = "compare",
    banks: Sequence[str] = (),
    jobs: int | None = None,
    extra: Sequence[str] = (),
    **facts: Any,
) -> Scenario:
    """Our build of the instructor editions into an empty folder, its start included."""
    banks = banks or [stage.bank]
    command = [sys.executable, "-m", _OURS, "--banks", *banks, *extra]
    command += ["--lessons", *(lesson.name for lesson in stage.lessons)]
    return Scenario(
        name=name,
        group=group,
        title=title,
        command=command + (["--jobs", str(jobs)] if jobs else []),
        stage=stage,
        facts={"lessons": len(stage.lessons), **facts},
        before=lambda: stage.empty(stage.build),
        reader=_ours_facts,
    )


def _ours_facts(cost: Cost, log: str) -> Facts:
    """Read the JSON line of `ours`; a run that wrote none has failed as a whole."""
    try:
        line = json.loads(log.splitlines()[-1])
    except (IndexError, ValueError):
        raise RuntimeError(f"our build ended with {cost.code}:\n{log[-2000:]}") from None
    return {**line, "failed": len(line["failed"]), "failed_lessons": line["failed"]}


# ---- the whole command line ------------------------------------------------------------------


def command_line(stage: Stage) -> Iterator[Scenario]:
    """``course build``: both editions, pages, kit and scan; cold, unchanged, one lesson changed."""
    command = [sys.executable, "-m", "course_utils.cli", "build", "--bank", stage.bank]
    if not stage.complete:
        command += [word for lesson in stage.lessons for word in ("--lesson", lesson.name)]

    def scenario(name: str, title: str, before: Callable[[], None]) -> Scenario:
        facts = {"lessons": len(stage.lessons)}
        return Scenario(name, "command", title, command, stage, facts, before)

    def built() -> None:
        subprocess.run(command, env=stage.environment, cwd=stage.scratch, capture_output=True)

    def change(place: float) -> None:
        built()
        with by_cost(stage, place).open("a", encoding="utf-8") as stream:
            stream.write("# changed by the benchmark\n")

    cold = (stage.build, stage.root / ".cache" / "wheel")
    yield scenario("build_cold", "course build, nothing there", lambda: stage.empty(*cold))
    yield scenario("build_unchanged", "course build, nothing changed", built)
    middle, most = "a lesson of middle cost changed", "the costliest lesson changed"
    yield scenario("build_changed", f"course build, {middle}", lambda: change(0.5))
    yield scenario("build_changed_most", f"course build, {most}", lambda: change(1.0))


def by_cost(stage: Stage, place: float) -> Path:
    """Return the master at a place among those of the build that is there.

    Parameters
    ----------
    stage : Stage
        With a finished build.
    place : float
        0 for the lesson whose cells take least CPU time, 1 for the one with most.
    """
    runs = json.loads((stage.build / stage.bank / "run.json").read_text(encoding="utf-8"))
    cpu: dict[str, float] = {}
    for record in runs["lessons"]:
        cpu[record["lesson"]] = cpu.get(record["lesson"], 0.0) + record["cpu_seconds"]
    names = sorted(cpu, key=lambda name: cpu[name])
    return stage.master(stage.syllabus.lesson(names[round(place * (len(names) - 1))]))


# ---- imports ---------------------------------------------------------------------------------


def imports(stage: Stage) -> Iterator[Scenario]:
    """What a lesson pays before its first own line, in fresh processes."""
    begin = f"import course_utils as cu; cu.begin({stage.lessons[0].key!r}, {stage.bank!r})"
    for name, title, code in (
        ("import_nothing", "Python itself", "pass"),
        ("import_package", "import course_utils", "import course_utils"),
        ("import_begin", "course_utils and cu.begin", begin),
        ("import_libraries", "all libraries that lessons use", _LIBRARIES),
    ):
        yield Scenario(
            name=name,
            group="imports",
            title=title,
            command=[sys.executable, "-c", code + _MODULES],
            stage=stage,
            reader=lambda cost, log: {"failed": cost.code, "modules": int(log.split()[-1])},
            turns=IMPORT_TURNS,
        )


# ---- growth ----------------------------------------------------------------------------------


def growth_lessons(stage: Stage) -> Iterator[Scenario]:
    """Cold builds of more and more lessons, each selection spread over the course."""
    counts = [n for n in LESSON_COUNTS if n < len(stage.lessons)]
    for count in [*counts, len(stage.lessons)]:
        part = replace(stage, lessons=spread(stage.lessons, count))
        yield _ours(part, f"lessons_{count}", f"{count} lessons", group="lessons")


def growth_banks(stage: Stage, banks: Sequence[str]) -> Iterator[Scenario]:
    """Cold builds on one, two, three banks in one queue."""
    for count in range(1, len(banks) + 1):
        title = f"{count} bank{'s' if count > 1 else ''}"
        yield _ours(
            stage, f"banks_{count}", title, group="banks", banks=banks[:count], banks_count=count
        )


def growth_persons(stage: Stage) -> Iterator[Scenario]:
    """The same few lessons on larger and larger banks; generating the bank beside it."""
    lessons = spanning_levels(stage.lessons, PERSONS_LESSONS)
    for persons in PERSONS:
        warehouse = stage.scratch / f"warehouse_{persons}"
        part = replace(stage, lessons=lessons).with_environment(COURSE_WAREHOUSE=str(warehouse))
        generate = _generate(part, persons, warehouse)
        build = _ours(part, f"persons_{persons}", f"{persons:,} persons", group="persons",
                      persons=persons)  # fmt: skip
        yield generate
        yield replace(build, before=partial(_generated, generate, warehouse))


def _generated(generate: Scenario, warehouse: Path) -> None:
    """Empty the build folder, and make the bank if generating it was not measured."""
    stage = generate.stage
    stage.empty(stage.build)
    if not warehouse.is_dir():
        subprocess.run(generate.command, env=stage.environment, cwd=stage.scratch, check=True,
                       capture_output=True)  # fmt: skip


def _generate(stage: Stage, persons: int, warehouse: Path) -> Scenario:
    command = [sys.executable, "-m", "course_utils.cli", "bank", "generate"]
    return Scenario(
        name=f"generate_{persons}",
        group="persons",
        title=f"{persons:,} persons, generated",
        command=[*command, "--bank", stage.bank, "--persons", str(persons)],
        stage=stage,
        facts={"persons": persons},
        before=lambda: stage.empty(warehouse),
    )
