"""Run every lesson in Python for the browser, without a browser: Pyodide under Node.

What runs are the files of a built class and the instructor's code with solutions; a check that does
not say 正确 is a fault. Two Nodes share the lessons.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.build.execution.records import RecordStore
from course_utils.build.execution.run import Build
from course_utils.build.products.lite.site import table_folder
from course_utils.build.products.lite.wheels import DATA_PACKAGE
from course_utils.build.sources.editions import build_edition
from course_utils.build.sources.parameters import lesson_parameters
from course_utils.build.sources.syllabus import Lesson
from course_utils.errors import CourseError

_HERE = Path(__file__).parent
#: Seconds after which a Node that says nothing more is stopped.
PATIENCE = 900


@dataclass(frozen=True)
class Trial:
    """How one lesson went.

    Parameters
    ----------
    lesson : str
        Short name.
    seconds : float
        Time of all cells.
    cells : int
        Code cells.
    faults : tuple of str
        What went wrong, one sentence a cell; empty if all ran.
    heap_mb : float
        Memory of this Python after the lesson.
    """

    lesson: str
    seconds: float
    cells: int
    faults: tuple[str, ...]
    heap_mb: float


def node() -> str:
    """Return Node's path.

    Raises
    ------
    CourseError
        If it is not installed.
    """
    if found := shutil.which("node"):
        return found
    raise CourseError("试跑浏览器课堂要用 Node，这台机器上没有：请安装 nodejs 后再试。")


def try_lessons(build: Build, lessons: Sequence[Lesson], processes: int = 2) -> list[Trial]:
    """Run lessons of a built class.

    Parameters
    ----------
    build : Build
        The bank's build; `make_lite` has run.
    lessons : sequence of Lesson
        Which ones.
    processes : int
        How many Nodes at a time.

    Returns
    -------
    list of Trial
        In the order of `lessons`.

    Raises
    ------
    CourseError
        If there is no class, no Node, or Python does not start.
    """
    site = build.folder / "lite"
    if not (site / "index.html").is_file():
        raise CourseError(f"还没有免安装课堂：请先运行 course lite --bank {build.profile.code}。")
    with tempfile.TemporaryDirectory(prefix="course-tryout-") as scratch:
        folder = Path(scratch)
        for lesson in lessons:
            _write_cells(build, lesson, folder)
        parts = _shared_out(build, lessons, processes)
        running = [_start(build, site, folder, part, i) for i, part in enumerate(parts)]
        try:
            said = [_read(process) for process in running]
        finally:
            for process in running:
                process.kill()
    trials = {trial.lesson: trial for lines in said for trial in _trials(lines)}
    return [trials.get(ls.key, _never(ls)) for ls in lessons]


def _never(lesson: Lesson) -> Trial:
    return Trial(lesson.key, 0.0, 0, ("没有运行到这一课：前面的课用完了内存或停住了。",), 0.0)


def _write_cells(build: Build, lesson: Lesson, folder: Path) -> None:
    master = build.master(lesson)
    parameters, real = lesson_parameters(build.profile, master), build.profile.is_real
    notebook = build_edition(master, "instructor", parameters, real)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    (folder / f"{lesson.key}.json").write_text(json.dumps(cells), encoding="utf-8")


def _shared_out(build: Build, lessons: Sequence[Lesson], processes: int) -> list[list[str]]:
    """Give each process lessons that take about the same time here."""
    records: RecordStore = build.records
    parts: list[tuple[float, list[str]]] = [(0.0, []) for _ in range(min(processes, len(lessons)))]

    def cost(lesson: Lesson) -> float:
        record = records.get(lesson.name, "instructor")
        return record.cpu_seconds if record else lesson.cpu_budget

    for lesson in sorted(lessons, key=cost, reverse=True):
        least = min(range(len(parts)), key=lambda i: parts[i][0])
        seconds, names = parts[least]
        parts[least] = (seconds + cost(lesson) + 1, [*names, lesson.key])
    return [names for _, names in parts]


def _start(
    build: Build, site: Path, folder: Path, names: list[str], number: int
) -> subprocess.Popen[str]:
    config = json.loads((site / "jupyter-lite.json").read_text(encoding="utf-8"))
    plugins = config["jupyter-config-data"]["litePluginSettings"]
    options = next(iter(plugins.values()))["loadPyodideOptions"]
    environment = {**options["env"], "COURSE_CHECK": "strict", "MPLBACKEND": "Agg"}
    bank = build.profile.code
    inside = f"{environment['COURSE_HOME']}/data/warehouse/{bank}"
    assert inside.count(DATA_PACKAGE) == 1
    job: dict[str, Any] = {
        "pyodide": str((site / "static" / "pyodide").resolve()),
        "packages": [*options["packages"], "matplotlib-inline"],
        "environment": environment,
        "tables": {"inside": inside, "outside": str(table_folder(site, bank).resolve())},
        "lessons": str(folder),
        "driver": str(_HERE / "driver.py"),
        "order": names,
    }
    path = folder / f"job-{number}.txt"
    path.write_text(json.dumps(job), encoding="utf-8")
    return subprocess.Popen(
        [node(), str(_HERE / "lessons.mjs"), str(path)],
        stdout=subprocess.PIPE,
        stderr=(folder / f"errors-{number}.txt").open("w", encoding="utf-8"),
        text=True,
        encoding="utf-8",
    )


def _read(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    try:
        text, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    if not any("ready" in line for line in lines):
        raise CourseError("浏览器里的 Python 没有启动：请重新运行 course lite --force 后再试。")
    return lines


def _trials(lines: Sequence[dict[str, Any]]) -> list[Trial]:
    trials = []
    for line in lines:
        if "lesson" not in line:
            continue
        dead = [f"Python 停止了：{line['dead']}"] if "dead" in line else []
        faults = [f"第 {f['cell']} 格：{f['error']}：{f['text']}" for f in line.get("faults", ())]
        trials.append(
            Trial(
                lesson=line["lesson"],
                seconds=line.get("seconds", 0.0),
                cells=line.get("cells", 0),
                faults=tuple(dead + faults),
                heap_mb=round(line.get("heap", 0) / 1e6, 1),
            )
        )
    return trials
