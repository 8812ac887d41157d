"""From measured numbers to verdicts, tables and the picture in docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.page import PAGE, table, write_section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SECTION = "build_speed"
PICTURE = PAGE.with_name("performance_build.png")
COMMAND = "python -m benchmarks.build_speed"

CPU_RATIO, WALL_RATIO = 0.40, 0.25
CHANGED_WALL, UNCHANGED_WALL = 8.0, 2.0
PEAK_MB = 2_500.0
#: What scheduling, starting and filing may add to the cells' own time.
ALLOWANCE = 1.15
#: Other work on the machine above this share of its capacity is pointed out.
OTHER_WORK = 0.10

Results = dict[str, Any]
Runs = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """One target and what was measured."""

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def reached(self) -> bool:
        """Whether the value is within its limit."""
        return self.value <= self.limit

    def __str__(self) -> str:
        state = "reached" if self.reached else "NOT reached"
        return f"{self.what}: {self._text(self.value)} (limit {self._text(self.limit)}): {state}"

    def _text(self, number: float) -> str:
        return f"{number:,.2f}{' ' if self.unit else ''}{self.unit}"


def limit_seconds(ours: dict[str, Any], cores: int) -> float:
    """Return the limit of wall time: the cells' own CPU time over the cores, plus an allowance.

    However good the schedule, a build cannot end before its longest lesson.
    """
    return max(ours["cells_cpu"] / cores, ours["longest"]) * ALLOWANCE


def verdicts(results: Results) -> list[Verdict]:
    """Return a verdict for each target whose scenarios were measured."""
    runs: Runs = results["runs"]
    found = []
    if "ours" in runs and "papermill" in runs:
        ours, plain = runs["ours"], runs["papermill"]
        cpu, wall = ours["cpu"] / plain["cpu"], ours["wall"] / plain["wall"]
        found.append(Verdict("CPU time of a cold build, plain papermill = 1", cpu, CPU_RATIO))
        found.append(Verdict("wall time of a cold build, plain papermill = 1", wall, WALL_RATIO))
    if "ours" in runs:
        limit = limit_seconds(runs["ours"], results["machine"]["cores"])
        text = "wall time of a cold build, cells' CPU time over the cores + 15 %"
        found.append(Verdict(text, runs["ours"]["wall"], limit, "s"))
    for name, text, limit in (
        ("build_changed", "course build, a lesson of middle cost changed", CHANGED_WALL),
        ("build_changed_most", "course build, the costliest lesson changed", CHANGED_WALL),
        ("build_unchanged", "course build, nothing changed", UNCHANGED_WALL),
    ):
        if name in runs:
            found.append(Verdict(text, runs[name]["wall"], limit, "s"))
    peaks = [runs[name]["peak_mb"] for name in ("build_cold", "ours") if name in runs]
    if peaks:
        text = f"peak memory of a build ({results['options']['bank']})"
        found.append(Verdict(text, max(peaks) / 1000, PEAK_MB / 1000, "GB"))
    return found


def remarks(results: Results) -> list[str]:
    """Return what a reader must be told before believing the numbers."""
    found, disturbed, facts = [], [], results["machine"]
    if facts["load_at_start"] > machine.QUIET:
        found.append(
            f"The load average at the start was {facts['load_at_start']:.2f} (> {machine.QUIET}): "
            "other work has a share in these figures."
        )
    for name, run in results["runs"].items():
        if run.get("failed"):
            found.append(f"{name}: {run['failed']} failed.")
        if run.get("left"):
            found.append(f"{name}: {run['left']} processes were left behind and had to be killed.")
        if run.get("note"):
            found.append(f"{name}: kernels were ordinary ones ({run['note']}).")
        share = run["other_cpu"] / max(run["wall"] * facts["cores"], 1e-9)
        if share > OTHER_WORK and run["wall"] > 5:
            disturbed.append(f"{name} {share:.0%}")
    if disturbed:
        found.append(
            f"Share of the machine that other work took meanwhile: {', '.join(disturbed)}."
        )
    return found


# ---- tables ----------------------------------------------------------------------------------


def block(results: Results) -> str:
    """Return the generated part of the page."""
    options, runs = results["options"], results["runs"]
    parts = [_introduction(results), f"![{_picture_text(results)}]({PICTURE.name})"]
    if found := verdicts(results):
        parts += ["### Targets", "\n".join(f"* {verdict}" for verdict in found)]
    for group, heading, explained, tables in (
        ("compare", f"### The same {options['lessons']} notebooks through different tools",
         "Instructor editions of one bank; ratios to the first line.", _compare),
        ("command", "### `course build`, all of it",
         "Both editions of each lesson, pages, trainee kit and scan.", _command),
        ("imports", "### Before a lesson's first own line",
         "Fresh processes, median of several.", _imports),
        ("lessons", "### Growth with lessons", _cold(), _lessons),
        ("banks", "### Growth with banks",
         "One bank after the other. " + _cold(), _banks),
        ("persons", "### Growth with customers",
         "Generating the bank, then a cold build of a few lessons of all levels on it.", _persons),
    ):  # fmt: skip
        chosen = {name: run for name, run in runs.items() if run["group"] == group}
        if chosen:
            parts += [heading, explained, tables(chosen)]
    if said := remarks(results):
        parts += ["### To bear in mind", "\n".join(f"* {line}" for line in said)]
    return "\n\n".join(parts)


def _cold() -> str:
    return "Cold builds of instructor editions, lessons spread over the course."


def _introduction(results: Results) -> str:
    options = results["options"]
    trial = " **A trial run: not all lessons, or not everything measured.**"
    return (
        f"`{options['command']}`, {machine.sentence(results['machine'])} "
        f"Bank {options['bank']}, {options['lessons']} lessons."
        f"{'' if options['complete'] else trial}"
    )


def _costs(run: dict[str, Any]) -> list[str]:
    return [f"{run['wall']:,.1f}", f"{run['cpu']:,.1f}", f"{run['peak_mb']:,.0f}"]


def _compare(runs: Runs) -> str:
    base = runs.get("papermill")
    rows = []
    for run in runs.values():
        ratio = [_ratio(run[key], base[key]) if base else "" for key in ("wall", "cpu")]
        wall, cpu, peak = _costs(run)
        rows.append([run["title"], wall, ratio[0], cpu, ratio[1], peak, str(run["failed"])])
    header = ["tool", "wall s", "ratio", "CPU s", "ratio", "peak MB", "failed"]
    text = table(header, rows)
    if "ours" in runs:
        ours = runs["ours"]
        text += (
            f"\n\nThe cells of these lessons take {ours['cells_cpu']:,.1f} s of CPU time, the "
            f"costliest lesson {ours['longest']:,.1f} s; all else is overhead of the tool."
        )
    return text


def _ratio(value: float, base: float) -> str:
    return f"{value / base:.2f}" if base else ""


def _command(runs: Runs) -> str:
    header = ["command", "wall s", "CPU s", "peak MB", "failed"]
    return table(
        header, ([run["title"], *_costs(run), str(run["failed"])] for run in runs.values())
    )


def _imports(runs: Runs) -> str:
    rows = (
        [run["title"], f"{run['wall']:.2f}", f"{run['cpu']:.2f}", f"{run['modules']:,}"]
        for run in runs.values()
    )
    return table(["process", "wall s", "CPU s", "modules"], rows)


def _growth(runs: Iterable[dict[str, Any]], column: str, sizes: Sequence[float]) -> str:
    """Return a table with a column that says what one more unit costs, from line to line."""
    rows, last, last_size = [], None, 0.0
    for run, size in zip(runs, sizes, strict=True):
        more = ""
        if last is not None and size > last_size:
            more = f"{(run['cpu'] - last['cpu']) / (size - last_size):,.2f}"
        rows.append([run["title"], *_costs(run), more, str(run["failed"])])
        last, last_size = run, size
    return table(["", "wall s", "CPU s", "peak MB", f"CPU s a further {column}", "failed"], rows)


def _lessons(runs: Runs) -> str:
    return _growth(runs.values(), "lesson", [run["lessons"] for run in runs.values()])


def _banks(runs: Runs) -> str:
    return _growth(runs.values(), "bank", [run["banks_count"] for run in runs.values()])


def _persons(runs: Runs) -> str:
    parts = []
    for prefix, heading in (("generate_", "bank generate"), ("persons_", "build")):
        chosen = [run for name, run in runs.items() if name.startswith(prefix)]
        if chosen:
            sizes = [run["persons"] / 10_000 for run in chosen]
            lessons = f" ({chosen[0]['lessons']} lessons)" if "lessons" in chosen[0] else ""
            parts += [f"{heading}{lessons}:", _growth(chosen, "10,000 persons", sizes)]
    return "\n\n".join(parts)


# ---- picture ---------------------------------------------------------------------------------


def finding(results: Results) -> str:
    """Return the picture's title: what was found."""
    runs = results["runs"]
    if "ours" not in runs or "papermill" not in runs:
        return "What a build costs"
    ours, plain = runs["ours"], runs["papermill"]
    return (
        f"A cold build of {ours['lessons']} lessons takes {ours['cpu'] / plain['cpu']:.0%} of "
        f"plain papermill's CPU time and {ours['wall'] / plain['wall']:.0%} of its wall time"
    )


def _picture_text(results: Results) -> str:
    return f"{finding(results)}: wall and CPU seconds by tool, growth with lessons and customers"


def draw(results: Results) -> Figure:
    """Return the picture: tools on the left, growth on the right where it was measured."""
    from matplotlib.figure import Figure

    from course_utils import charts

    charts.theme()
    runs: Runs = results["runs"]
    growth = [
        (prefix, label, key, scale)
        for prefix, label, key, scale in (
            ("lessons_", "lessons", "lessons", 1),
            ("banks_", "banks", "banks_count", 1),
            ("persons_", "customers (thousands)", "persons", 1_000),
        )
        if sum(name.startswith(prefix) for name in runs) > 1
    ]
    fig = Figure(figsize=(12.5 if growth else 9.5, 5.2), dpi=110, layout="constrained")
    fig.suptitle(finding(results), x=0.01, ha="left", fontsize=13)
    rows = max(len(growth), 1)
    grid = fig.add_gridspec(rows, 2 if growth else 1, width_ratios=(3, 2) if growth else (1,))
    _draw_tools(fig.add_subplot(grid[:, 0]), runs, results["machine"]["cores"])
    for row, (prefix, label, key, scale) in enumerate(growth):
        chosen = [run for name, run in runs.items() if name.startswith(prefix)]
        ax = fig.add_subplot(grid[row, 1])
        _draw_growth(ax, chosen, [run[key] / scale for run in chosen], label)
        if row == 0:
            ax.legend(loc="upper left", fontsize=9)
    return fig


def _draw_tools(ax: Axes, runs: Runs, cores: int) -> None:
    from course_utils import charts

    chosen = [run for run in runs.values() if run["group"] == "compare"]
    for offset, key, label, color in (
        (-0.2, "cpu", "CPU time", charts.PALETTE[0]),
        (0.2, "wall", "wall time", charts.PALETTE[1]),
    ):
        places = [place + offset for place in range(len(chosen))]
        bars = ax.barh(places, [run[key] for run in chosen], height=0.38, color=color, label=label)
        ax.bar_label(bars, fmt="{:,.0f} s", padding=3, fontsize=9, color=charts.MUTED)
    if "ours" in runs:
        # cells' CPU time over the cores + 15 %
        ax.axvline(limit_seconds(runs["ours"], cores), color=charts.INK, linestyle=":",
                   label="limit of wall time")  # fmt: skip
    ax.set_yticks(range(len(chosen)), [run["title"].replace(", ", ",\n") for run in chosen])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.margins(x=0.12)
    ax.set_xlabel("seconds")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=3, fontsize=9)


def _draw_growth(ax: Axes, runs: Sequence[dict[str, Any]], at: list[float], label: str) -> None:
    from course_utils import charts

    for key, name, color, marker in (
        ("cpu", "CPU time", charts.PALETTE[0], "o"),
        ("wall", "wall time", charts.PALETTE[1], "s"),
    ):
        ax.plot(at, [run[key] for run in runs], color=color, marker=marker, label=name)
    ax.margins(y=0.15)
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xticks(at)
    ax.set_xlabel(label)
    ax.set_ylabel("seconds")


def publish(results: Results, page: Path = PAGE) -> None:
    """Write the generated part of the page and the picture beside it."""
    write_section(SECTION, block(results), page)
    # no metadata: the same numbers give the same bytes
    draw(results).savefig(page.with_name(PICTURE.name), metadata={"Software": None})
