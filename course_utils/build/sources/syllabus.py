"""The syllabus: the only list of lessons, and the table of training-outline ids."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from course_utils.build.sources.masters import lesson_key
from course_utils.build.sources.plans import ClassPlan, read_plans
from course_utils.errors import CourseError
from course_utils.paths import home

LEVELS = ("L1", "L2", "L3")


@dataclass(frozen=True)
class Lesson:
    """One lesson as the syllabus states it.

    Parameters
    ----------
    name : str
        Full name, ``m02_n02_maturity_ladder``: file name of the master and the notebook.
    folder : str
        Folder below ``lessons/`` and ``notebooks/``.
    module : str
        Id of its module.
    title_zh, title_en : str
        Titles.
    level : {"L1", "L2", "L3"}
        Pivot and picture; statistics; model or optimisation.
    minutes : int
        Class time.
    cpu_budget : float
        CPU seconds that the lesson may use beyond imports on the class sample.
    home, refers : tuple of str
        Outline ids that the lesson teaches, and ids that it touches.
    """

    name: str
    folder: str
    module: str
    title_zh: str
    title_en: str
    level: str
    minutes: int
    cpu_budget: float
    home: tuple[str, ...]
    refers: tuple[str, ...]

    @property
    def key(self) -> str:
        """Short name, ``m02_n02``."""
        return lesson_key(self.name)

    def path(self, root: Path, suffix: str) -> Path:
        """Return ``root/folder/name + suffix``."""
        return root / self.folder / f"{self.name}{suffix}"


@dataclass(frozen=True)
class Module:
    """A group of lessons taught one after the other."""

    id: str
    title_zh: str
    title_en: str
    lessons: tuple[Lesson, ...]


@dataclass(frozen=True)
class Training:
    """One of the five trainings and the modules it is made of."""

    id: str
    title_zh: str
    title_en: str
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Syllabus:
    """Everything that ``lessons/syllabus.yml`` says."""

    trainings: tuple[Training, ...]
    modules: tuple[Module, ...]
    plans: tuple[ClassPlan, ...] = ()

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """All lessons in teaching order."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)

    def lesson(self, name: str) -> Lesson:
        """Return a lesson by its full or short name.

        Raises
        ------
        CourseError
            If the syllabus has no such lesson.
        """
        import difflib

        for lesson in self.lessons:
            if name in (lesson.name, lesson.key):
                return lesson
        near = difflib.get_close_matches(name, [lesson.name for lesson in self.lessons], 1, 0.5)
        guess = f"是不是想写“{near[0]}”？" if near else "请从 lessons/syllabus.yml 里选。"
        raise CourseError(f"没有“{name}”这一课，{guess}")

    def select(self, names: Iterable[str] = ()) -> tuple[Lesson, ...]:
        """Return the lessons called `names` in teaching order; all of them if none is named."""
        wanted = {self.lesson(name).name for name in names}
        return tuple(lesson for lesson in self.lessons if not wanted or lesson.name in wanted)

    def restricted(self, plan_id: str) -> Syllabus:
        """Return the syllabus of one class plan: its lessons, in its modules, and nothing else.

        Raises
        ------
        CourseError
            If there is no such plan.
        """
        plan = next((plan for plan in self.plans if plan.id == plan_id), None)
        if plan is None:
            known = "、".join(plan.id for plan in self.plans) or "还没有"
            raise CourseError(f"没有“{plan_id}”这个课程安排，可选：{known}。")
        modules = tuple(
            replace(m, lessons=tuple(ls for ls in m.lessons if ls.key in plan.lessons))
            for m in self.modules
        )
        return replace(self, modules=tuple(m for m in modules if m.lessons), plans=(plan,))


def project_root() -> Path:
    """Return the source checkout that holds ``lessons/syllabus.yml``.

    Raises
    ------
    CourseError
        If the working folder is not inside a checkout.
    """
    root = home()
    if root is None or not (root / "lessons" / "syllabus.yml").is_file():
        raise CourseError("这里找不到 lessons/syllabus.yml，请先进入项目文件夹再运行这条命令。")
    return root


def load_syllabus(path: Path) -> Syllabus:
    """Read and check a syllabus file.

    Raises
    ------
    CourseError
        If the file is missing or broken, a field is missing or of the wrong kind, a lesson stands
        there twice, or a training names a module that does not exist.
    """
    from course_utils.bank.profile import read_yaml

    if not path.is_file():
        raise CourseError(f"找不到课程表 {path}，请检查项目是否完整。")
    raw = read_yaml(path)
    if not isinstance(raw, Mapping):
        raise CourseError(f"{path.name} 应当是“键: 值”的形式，请检查缩进。")
    try:
        budgets = {level: float(raw["cpu_budget"][level]) for level in LEVELS}
        modules = tuple(_module(entry, budgets) for entry in raw["modules"])
        trainings = tuple(
            Training(entry["id"], *_titles(entry), modules=tuple(entry["modules"]))
            for entry in raw["trainings"]
        )
        keys = [lesson.key for module in modules for lesson in module.lessons]
        plans = read_plans(raw.get("plans", ()), keys)
    except KeyError as error:
        raise CourseError(f"{path.name} 有一条缺少“{error.args[0]}”，请补上。") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise CourseError(f"{path.name} 有一条写法不对（{error}），请对照其他课修改。") from error
    syllabus = Syllabus(trainings=trainings, modules=modules, plans=plans)
    _check(syllabus, path.name)
    return syllabus


def load_outline(path: Path) -> dict[str, dict[str, str]]:
    """Read the outline table.

    Returns
    -------
    dict
        ``{id: {"id", "training", "lesson", "text"}}`` in the order of the file.

    Raises
    ------
    CourseError
        If the file is missing or an id stands there twice.
    """
    table: dict[str, dict[str, str]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if row["id"] in table:
                    raise CourseError(f"{path.name} 里 {row['id']} 出现了两次，请删掉一行。")
                table[row["id"]] = row
    except FileNotFoundError as error:
        raise CourseError(f"找不到大纲表 {path}，请检查项目是否完整。") from error
    return table


def _titles(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["title"]["zh"]), str(entry["title"]["en"])


def _module(entry: Mapping[str, Any], budgets: Mapping[str, float]) -> Module:
    lessons = tuple(
        Lesson(
            raw["lesson"],
            str(entry["folder"]),
            str(entry["id"]),
            *_titles(raw),
            level=raw["level"],
            minutes=int(raw["minutes"]),
            cpu_budget=float(raw.get("cpu_budget", budgets[raw["level"]])),
            home=tuple(raw["home"]),
            refers=tuple(raw.get("refers", ())),
        )
        for raw in entry["lessons"]
    )
    return Module(str(entry["id"]), *_titles(entry), lessons=lessons)


def _check(syllabus: Syllabus, name: str) -> None:
    keys = [lesson.key for lesson in syllabus.lessons]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise CourseError(f"{name} 里“{twice[0]}”出现了两次，课的编号不能重复，请改一个。")
    known = {module.id for module in syllabus.modules}
    for training in syllabus.trainings:
        if missing := [module for module in training.modules if module not in known]:
            raise CourseError(
                f"{name} 的培训 {training.id} 用了不存在的模块“{missing[0]}”，请改正或补上。"
            )
