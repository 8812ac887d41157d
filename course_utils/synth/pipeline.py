"""Run the generators in order and hand back one synthetic bank in memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from course_utils.errors import CourseError
from course_utils.synth.conform import conform
from course_utils.synth.effects import load_effects
from course_utils.synth.state import Simulation

if TYPE_CHECKING:
    from course_utils.bank import Profile

#: Module under ``course_utils.synth`` and what a person waiting reads while it runs.
STAGES = (
    ("world", "地方与网点"),
    ("people", "客户与家庭"),
    ("credit", "授信与贷款"),
    ("trade", "商户与流水"),
    ("money", "存款与月度"),
    ("behaviour", "交易与手机银行"),
    ("marketing", "名单与触达"),
    ("staff", "员工与考核"),
    ("assemble", "汇总与编号"),
    ("defects", "数据缺陷"),
)
MINIMUM_PERSONS, MAXIMUM_PERSONS = 500, 1_000_000

Progress = Callable[[str, int, int], None]


def generate(
    profile: Profile,
    effects: str = "on",
    persons: int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Generate one synthetic bank in memory.

    Parameters
    ----------
    profile : Profile
        The bank.
    effects : {"on", "off"}
        ``"off"`` gives the null version: causal effects take their null value.
    persons : int, optional
        Number of persons instead of the profile's.
    seed : int, optional
        Seed instead of the profile's.
    progress : callable, optional
        Called as ``progress(label, done, total)`` before each stage and at the end.

    Returns
    -------
    Simulation
        With all tables in contract order and types, and the truth.

    Raises
    ------
    CourseError
        If the size or the switch makes no sense, or the profile lacks a setting.
    """
    profile = _checked(profile, effects, persons, seed)
    sim = Simulation(profile, load_effects(profile.effects, active=effects == "on"))
    for done, (module, label) in enumerate(STAGES):
        if progress is not None:
            progress(label, done, len(STAGES))
        run_stage(module, sim)
    conform(sim)
    if progress is not None:
        progress("完成", len(STAGES), len(STAGES))
    return sim


def run_stage(module: str, sim: Simulation) -> None:
    """Run the generators of one stage, named as in :data:`STAGES`."""
    importlib.import_module(f"course_utils.synth.{module}").generate(sim)


def _checked(profile: Profile, effects: str, persons: int | None, seed: int | None) -> Profile:
    if effects not in ("on", "off"):
        raise CourseError(f"effects 只能写 on 或 off，现在是“{effects}”，请改正。")
    count = profile.persons if persons is None else persons
    whole = isinstance(count, int) and not isinstance(count, bool)
    if not whole or not MINIMUM_PERSONS <= count <= MAXIMUM_PERSONS:
        raise CourseError(
            f"合成银行的个人客户数应当是 {MINIMUM_PERSONS:,} 到 {MAXIMUM_PERSONS:,} 之间的整数，"
            f"现在是“{count}”，请修改 bank.yml 的 persons 或命令里的人数。"
        )
    number = profile.seed if seed is None else seed
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise CourseError(f"随机种子应当是不小于 0 的整数，现在是“{number}”，请改正。")
    return profile.replace(persons=count, seed=number)
