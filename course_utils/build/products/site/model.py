"""What one site is about: an edition of a bank's lessons and how they ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from course_utils.build.execution.records import EXTENTS, FAILED, Record, lacking
from course_utils.build.execution.run import Build
from course_utils.build.products.data_words import about_data
from course_utils.build.products.simple_page import EDITION_NAMES
from course_utils.build.sources.editions import Edition
from course_utils.build.sources.masters import Master
from course_utils.build.sources.plans import ClassPlan
from course_utils.build.sources.syllabus import Lesson, Module, Training

if TYPE_CHECKING:
    from pathlib import Path

COURSE = "普惠金融数据实战"
LEVEL_NAMES: Mapping[str, str] = {
    "L1": "透视表和图",
    "L2": "统计",
    "L3": "模型或优化",
}


@dataclass
class Site:
    """One edition of a bank's course as pages.

    Parameters
    ----------
    build : Build
        The bank's build; its lessons have run.
    edition : {"trainee", "instructor"}
        Whose pages; the two sites share nothing.
    records : sequence of Record
        How the lessons ran.
    outline : mapping
        The training outlines, as :func:`load_outline` reads them; empty if there are none.
    """

    build: Build
    edition: Edition
    records: Sequence[Record]
    outline: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def for_instructors(self) -> bool:
        """Whether these pages hold solutions and planted truth."""
        return self.edition == "instructor"

    @property
    def edition_name(self) -> str:
        """Name of the edition, in Chinese."""
        return EDITION_NAMES[self.edition]

    @property
    def bank(self) -> str:
        """Name of the bank."""
        return self.build.profile.name

    @property
    def as_of(self) -> str:
        """Day of the data, ``2025-12-31``."""
        return f"{self.build.profile.as_of:%Y-%m-%d}"

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """The lessons that have a page, in teaching order."""
        lessons = self.build.syllabus.lessons
        return tuple(ls for ls in lessons if self.notebook(ls).is_file() and not self._empty(ls))

    def _empty(self, lesson: Lesson) -> bool:
        """Say whether the bank's data allow nothing of a lesson: its page would be all gaps."""
        record = self._records.get(lesson.name)
        return record is not None and record.extent == "none"

    @property
    def about_data(self) -> str:
        """What kind of data the pages show, in a few words."""
        return about_data(self.build.profile)

    @cached_property
    def by_key(self) -> Mapping[str, Lesson]:
        """The lessons that have a page, by short name."""
        return {lesson.key: lesson for lesson in self.lessons}

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """The modules of the syllabus that have lessons."""
        return tuple(module for module in self.build.syllabus.modules if module.lessons)

    @cached_property
    def trainings(self) -> tuple[Training, ...]:
        """The trainings that have lessons here."""
        known = {module.id for module in self.modules}
        return tuple(t for t in self.build.syllabus.trainings if known & set(t.modules))

    @cached_property
    def plans(self) -> tuple[ClassPlan, ...]:
        """The class plans whose lessons all have a page."""
        there = set(self.by_key)
        return tuple(p for p in self.build.syllabus.plans if there >= set(p.lessons))

    def modules_of(self, training: Training) -> tuple[Module, ...]:
        """Return the modules of one training, in its order."""
        known = {module.id: module for module in self.modules}
        return tuple(known[name] for name in training.modules if name in known)

    def notebook(self, lesson: Lesson) -> Path:
        """Return the path of the executed notebook."""
        return lesson.path(self.build.executed(self.edition), ".ipynb")

    def master(self, lesson: Lesson) -> Master:
        """Return the master of a lesson."""
        return self.build.master(lesson)

    def state(self, lesson: Lesson) -> str:
        """Say how a lesson ran, in a few words; instructors are told why it failed."""
        record = self._records.get(lesson.name)
        if record is not None and record.status == FAILED:
            return f"没有运行成功：{record.reason}" if self.for_instructors else "没有运行成功"
        if record is not None and record.extent != "full":
            return f"{EXTENTS[record.extent]}：{lacking(record)}"
        return "已运行" if lesson in self.lessons else "没有运行"

    @cached_property
    def _records(self) -> Mapping[str, Record]:
        return {record.lesson: record for record in self.records if record.edition == self.edition}


def plan_file(plan: ClassPlan) -> str:
    """Return the file name of a class plan's page."""
    return f"plan-{plan.id}.html"
