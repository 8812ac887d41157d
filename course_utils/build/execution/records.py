"""What is known of each run: one small file an edition of a lesson, and ``run.json`` for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.files import write_text

if TYPE_CHECKING:
    from course_utils.bank import Profile

OK, FAILED, SKIPPED = "ok", "failed", "unchanged"
_LABELS = {OK: "完成", FAILED: "失败", SKIPPED: "未变"}
#: How much of a lesson a bank's data allow, in words.
EXTENTS = {"full": "完整", "part": "部分", "none": "缺数据"}
#: What only the next build needs to know.
_INTERNAL = ("inputs", "output", "modules", "tables")


@dataclass
class Record:
    """How one edition of one lesson ran, and what it depended on.

    Parameters
    ----------
    lesson, edition : str
        Which.
    status : {"ok", "failed", "unchanged"}
        Unchanged means that an earlier run is still right.
    reason : str
        Why it failed, in one line.
    seconds, cpu_seconds, cpu_budget : float
        Wall-clock time of the run, CPU time of its cells, and the syllabus' limit for the latter.
    peak_mb : float
        Peak memory of the kernel.
    warnings : list of str
        What the lesson wrote to the error stream.
    worker : str
        The machine that ran it; empty for this one.
    inputs : str
        Fingerprint of everything the outputs depend on.
    output : str
        Hash of the executed notebook; empty if the run failed.
    modules, tables : list of str
        Files of the package and of the bank that the run read.
    extent : {"full", "part", "none"}
        How much of the lesson the bank's data allow.
    missing : list of str
        Tables and columns that the lesson asked for in vain, those that stop the most first, by
        contract name.
    """

    lesson: str
    edition: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cpu_budget: float = 0.0
    peak_mb: float = 0.0
    warnings: list[str] = field(default_factory=list)
    worker: str = ""
    inputs: str = ""
    output: str = ""
    modules: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    extent: str = "full"
    missing: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether the lesson did not run through, or broke a promise on the way."""
        return self.status == FAILED

    @property
    def name(self) -> str:
        """Key of the record: lesson and edition."""
        return f"{self.lesson}/{self.edition}"


class RecordStore:
    """The records of one bank's build, a file each, so that several may write at a time.

    Parameters
    ----------
    folder : pathlib.Path
        ``build/<bank>``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = folder / ".records"

    def load(self) -> dict[str, Record]:
        """Return all records by name; one that cannot be read counts as not there."""
        found = (self._read(path) for path in sorted(self._files.glob("*.json")))
        return {record.name: record for record in found if record is not None}

    def get(self, lesson: str, edition: str) -> Record | None:
        """Return one record, if there is one."""
        return self._read(self._path(lesson, edition))

    def save(self, record: Record) -> None:
        """Keep one record."""
        text = json.dumps(asdict(record), ensure_ascii=False)
        write_text(self._path(record.lesson, record.edition), text)

    def drop(self, lesson: str, edition: str) -> None:
        """Forget one record, so that the lesson runs again."""
        self._path(lesson, edition).unlink(missing_ok=True)

    def write_summary(self, profile: Profile, order: Sequence[str]) -> None:
        """Write ``run.json``: the bank and a row a run, in the order given, then any others."""
        records = self.load()
        names = [*order, *(name for name in records if name not in set(order))]
        rows = [asdict(records[name]) for name in names if name in records]
        for row in rows:
            for key in _INTERNAL:
                del row[key]
        content = {
            "bank": profile.code,
            "name": profile.name,
            "as_of": f"{profile.as_of:%Y-%m-%d}",
            "lessons": rows,
        }
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        write_text(self._folder / "run.json", text)

    def _path(self, lesson: str, edition: str) -> Path:
        return self._files / f"{lesson}.{edition}.json"

    def _read(self, path: Path) -> Record | None:
        try:
            return Record(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def exit_summary(records: Iterable[Record]) -> str:
    """Return one line a lesson: status, seconds, reason."""
    by_lesson: dict[str, list[Record]] = {}
    for record in records:
        by_lesson.setdefault(record.lesson, []).append(record)
    return "\n".join(_summary_line(lesson, group) for lesson, group in by_lesson.items())


def _summary_line(lesson: str, group: Sequence[Record]) -> str:
    worst = next((r for r in group if r.failed), None)
    if worst is None:
        worst = next((r for r in group if r.status == OK), group[0])
    seconds = sum(record.seconds for record in group if record.status != SKIPPED)
    label = _LABELS[worst.status]
    if worst.extent != "full" and not worst.failed:
        label = EXTENTS[worst.extent]
    line = f"{label}  {seconds:6.1f} 秒  {lesson}"
    own = max(record.cpu_seconds for record in group)
    if own > group[0].cpu_budget > 0:
        line += f"（CPU {own:.1f} 秒，预算 {group[0].cpu_budget:.0f} 秒）"
    if worst.failed:
        line += f"（{'学员版' if worst.edition == 'trainee' else '讲师版'}）：{worst.reason}"
    elif worst.extent != "full":
        line += f"：{lacking(worst)}"
    return line


def lacking(record: Record) -> str:
    """Return one phrase about what a bank lacks for a lesson; empty if nothing is left out."""
    if record.extent == "full":
        return ""
    from course_utils.exercises.gates.words import chinese

    left_out = "其余照常" if record.extent == "part" else "这一课不能上"
    return f"本行没有{chinese(record.missing)}，{left_out}"


def expected_seconds(record: Record | None, budget: float) -> float:
    """Return how long a run may take: as long as last time, else what the syllabus allows."""
    return record.seconds if record is not None and record.seconds else budget
