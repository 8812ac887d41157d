"""Run one notebook through papermill, in a kernel set up for the build."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbclient.exceptions
import papermill
import traitlets
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.translators import PythonTranslator, papermill_translators

from course_utils.build.execution.kernel import LOG_VARIABLE
from course_utils.build.execution.warm.manager import CourseKernelManager
from course_utils.build.execution.warm.nursery import Nursery
from course_utils.build.sources.editions import literal

TIMEOUT = 600
#: Reason of a run whose kernel went away; on another machine it may stay.
DEAD_KERNEL = "内核没有启动或意外退出，多半是内存不够。"
_ENGINE = "course"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class ReadableTranslator(PythonTranslator):
    """Writes injected parameters as people write them: Chinese stays Chinese."""

    @classmethod
    def translate_str(cls, val: str) -> str:
        """Return a string literal in double quotes without ``\\u`` escapes."""
        return literal(val)


class CourseClient(PapermillNotebookClient):
    """papermill's client on a kernel of our own manager: warm where there is a nursery."""

    nursery = traitlets.Instance(Nursery, allow_none=True)

    def create_kernel_manager(self) -> CourseKernelManager:
        """Return the manager; which kernels the machine has installed does not matter."""
        self.km = CourseKernelManager(self.nursery)
        return self.km


class CourseEngine(NBClientEngine):
    """papermill's engine with an environment and a working folder for each kernel."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **kwargs: Any) -> Any:
        """Execute the notebook in ``kwargs["folder"]``; ``kwargs["job"]`` gets the client."""
        job: Job = kwargs["job"]
        job.notebook = nb_man.nb
        if job.cancelled:
            return nb_man.nb
        client = CourseClient(
            nb_man,
            nursery=job.nursery,
            timeout=TIMEOUT,
            startup_timeout=120,
            extra_arguments=["--log-level=CRITICAL"],
        )
        client.log.setLevel(logging.CRITICAL)
        job.client = client
        return client.execute(env=dict(job.environment), cwd=kwargs["folder"])


papermill_translators.register("python", ReadableTranslator)
papermill_engines.register(_ENGINE, CourseEngine)
logging.getLogger("papermill").setLevel(logging.ERROR)


@dataclass
class Job:
    """What `execute` and papermill's engine tell each other."""

    environment: Mapping[str, str]
    nursery: Nursery | None = None
    client: PapermillNotebookClient | None = None
    notebook: NotebookNode | None = None
    cancelled: bool = False
    worker: str = ""

    def cancel(self) -> None:
        """Kill the kernel; the thread that waits for it gets an error and ends."""
        self.cancelled = True
        manager = getattr(self.client, "km", None)
        process = getattr(getattr(manager, "provisioner", None), "process", None)
        if process is not None:
            process.kill()


@dataclass(frozen=True)
class Execution:
    """What came out of one run.

    Parameters
    ----------
    notebook : NotebookNode
        The notebook with the outputs it got to.
    reason : str
        Why it failed, in one line; empty if it ran through.
    seconds : float
        Wall-clock time.
    cpu_seconds : float
        CPU time of all cells; the libraries are imported before the first one.
    peak_mb : float
        Peak memory of the kernel.
    warnings : tuple of str
        What the lesson wrote to the error stream.
    modules, tables : frozenset of str
        Files that the lesson read: of the package, and ``"<bank>/<file>"`` of the bank.
    wanted : frozenset of str
        Tables and columns of a real bank that the lesson asked for in vain.
    """

    notebook: NotebookNode
    reason: str
    seconds: float
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    warnings: tuple[str, ...] = ()
    modules: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()


def execute(
    notebook: NotebookNode, parameters: Mapping[str, Any], job: Job, folder: Path
) -> Execution:
    """Run a notebook and never raise for what the notebook itself does wrong.

    Parameters
    ----------
    notebook : NotebookNode
        An edition of a lesson; it is not changed.
    parameters : mapping
        Values for papermill to inject after the parameters cell.
    job : Job
        Environment and nursery; ``job.cancel()`` from another thread stops the run.
    folder : pathlib.Path
        The kernel's working folder; what the lesson delivers goes to ``成果`` in it.
    """
    begin = time.perf_counter()
    log = folder / "cells.jsonl"
    job.environment = {
        **job.environment,
        LOG_VARIABLE: str(log),
        "COURSE_OUTPUT": str(folder / "成果"),
    }
    reason = _run(notebook, parameters, job, folder)
    done = job.notebook if job.notebook is not None else notebook
    cells = [json.loads(line) for line in _lines(log)]
    return Execution(
        notebook=clean(done),
        reason=reason or _unfinished(done),
        seconds=round(time.perf_counter() - begin, 2),
        cpu_seconds=round(sum(cell["cpu"] for cell in cells), 2),
        peak_mb=round(max((cell["peak_mb"] for cell in cells), default=0.0), 1),
        warnings=tuple(error_stream(done)),
        modules=frozenset(name for cell in cells for name in cell["modules"]),
        tables=frozenset(name for cell in cells for name in cell["tables"]),
        wanted=frozenset(name for cell in cells for name in cell["wanted"]),
    )


def _run(notebook: NotebookNode, parameters: Mapping[str, Any], job: Job, folder: Path) -> str:
    """Run a notebook through papermill; return why it failed, or ''."""
    try:
        papermill.execute_notebook(
            notebook,
            None,
            parameters=dict(parameters),
            engine_name=_ENGINE,
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            job=job,
            folder=str(folder),
        )
    except PapermillExecutionError as error:
        return _reason(error.ename, error.evalue, error.exec_count)
    except nbclient.exceptions.CellTimeoutError:
        return f"有一格运行超过 {TIMEOUT} 秒，已停止。"
    except (nbclient.exceptions.DeadKernelError, RuntimeError):
        return DEAD_KERNEL
    return ""


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _reason(name: str, value: str, count: int | None) -> str:
    """Return one line for an exception; our own errors already say it in Chinese."""
    lines = [line for line in _ANSI.sub("", str(value)).strip().splitlines() if line.strip()]
    if name == "CourseError":
        return " ".join(lines)
    return f"第 {count} 个代码格出错：{name}：{lines[-1] if lines else '没有说明'}"


def _unfinished(notebook: NotebookNode) -> str:
    """Return a reason if some cell failed although papermill raised nothing."""
    for cell in notebook.cells:
        state = cell.metadata.get("papermill", {})
        if cell.cell_type == "code" and (
            state.get("exception") or state.get("status") not in ("completed", None)
        ):
            return f"代码格 {cell.id} 没有正常运行完。"
    return ""


def error_stream(notebook: NotebookNode) -> list[str]:
    """Return what the cells of an executed notebook wrote to the error stream, a line an entry."""
    return [
        line
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == "stderr"
        for line in _ANSI.sub("", output.text).splitlines()
        if line.strip()
    ]


def clean(notebook: NotebookNode) -> NotebookNode:
    """Drop what differs from run to run (times, paths, random ids), so that outputs compare."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.id = "injected-parameters"
            cell.source = cell.source.replace("# Parameters", "# 本次构建用的参数", 1).rstrip()
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "papermill-error-cell-tag" not in cell.metadata.get("tags", ())
    ]
    return notebook
