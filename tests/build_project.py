"""A small project in a temporary folder: three lessons that need no bank tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from course_utils.bank import load_profile
from course_utils.build.execution.inputs import Snapshot
from course_utils.build.execution.run import Build
from course_utils.build.sources.syllabus import Lesson, load_syllabus

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE = REPOSITORY / "tests/fixtures/lessons/1_data_scenarios/m99_n01_sample_lesson.py"
SAMPLE_LESSON = Lesson(
    name="m99_n01_sample_lesson",
    folder="1_data_scenarios",
    module="m99",
    title_zh="样板课",
    title_en="Sample",
    level="L1",
    minutes=30,
    cpu_budget=3.0,
    home=("S004-D2", "S004-D2.1"),
    refers=("S004-D2.2",),
)

SYLLABUS = """
cpu_budget: {L1: 3, L2: 8, L3: 20}
trainings:
  - {id: S004, title: {zh: 数据应用, en: Data}, modules: [m98]}
modules:
  - id: m98
    title: {zh: 小模块, en: Small}
    folder: 0_small
    lessons:
"""
ENTRY = """      - lesson: {name}
        title: {{zh: 课{number}, en: Lesson}}
        level: L1
        minutes: 10
        home: []
"""
LESSON = """# %% [markdown]
# # 课 {number}

# %% tags=["parameters"]
BANK = "coastal"  # 银行
LIMIT = 3  # 上限
LABEL = "标签"  # 文字

# %%
print(BANK, LIMIT, LABEL)

# %% [markdown]
# ## 练习

# %% tags=["answer:E1"]
answer = ...  # ← 把 ... 换成你的代码
### BEGIN SOLUTION
answer = LIMIT * 2
### END SOLUTION

# %% tags=["check:E1"]
state = "○ 还没有作答" if answer is ... else "✓ 正确" if answer == LIMIT * 2 else "✗ 还不对"
print(f"【E1 {{state}}】")

# %% tags=["wrong:E1:tripled"]
answer = LIMIT * 3

# %% tags=["alternative:E1:added"]
answer = LIMIT + LIMIT

# %% tags=["instructor"]
print("真值")
"""
NAMES = ("m98_n01_first", "m98_n02_second", "m98_n03_third")


def make_project(root: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Write the small project below `root` and return it."""
    lessons = root / "lessons" / "0_small"
    lessons.mkdir(parents=True)
    entries = []
    for number, name in enumerate(names, 1):
        (lessons / f"{name}.py").write_text(LESSON.format(number=number), encoding="utf-8")
        entries.append(ENTRY.format(name=name, number=number))
    text = SYLLABUS + "".join(entries)
    (root / "lessons" / "syllabus.yml").write_text(text, encoding="utf-8")
    for name in ("requirements.lock", "LICENSE", "pyproject.toml", "setup.py"):
        shutil.copy2(REPOSITORY / name, root / name)
    return root


def edit(root: Path, name: str, old: str, new: str) -> None:
    """Replace text in one master; the text must be there."""
    path = root / "lessons" / "0_small" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


class AnyHash(dict):
    """Knows every file, and none of them ever changes."""

    def get(self, name: str, default: str = "") -> str:
        return "same"


def hold_sources_still(patch: pytest.MonkeyPatch) -> None:
    """Let package and tables look unchanged while somebody works on them; masters still count."""
    still = classmethod(lambda cls, root, bank: cls("same", AnyHash(), AnyHash()))
    patch.setattr(Snapshot, "take", still)


def make_build(root: Path, parameters: dict | None = None, **options) -> Build:
    """Return a build of the small project on the demo bank's profile."""
    profile = load_profile("coastal").replace(parameters=parameters or {})
    return Build(root, load_syllabus(root / "lessons" / "syllabus.yml"), profile, **options)
