"""The place and the bank in it: towns, villages, branches, staff, grids, surroundings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.errors import CourseError
from course_utils.synth import economy
from course_utils.synth.names import place_names
from course_utils.synth.state import Simulation
from course_utils.synth.tools import draw_days, ids, setting, shares, split_integer

BRANCH_TYPES = ("营业部", "城区", "乡镇", "分理处")
_COUNTERS = {"营业部": 8, "城区": 5, "乡镇": 4, "分理处": 2}
_NUMERAL = list("一二三四五六七八九十")
# rate of each staff post per branch type, apart from account managers
_POSTS = ("行长", "副行长", "理财经理", "大堂经理", "柜员", "综合岗", "其他")
_POST_MIX = {
    "营业部": (1, 2, 4, 3, 14, 20, 16),
    "城区": (1, 1, 2, 1, 6, 1, 0),
    "乡镇": (1, 1, 1, 1, 5, 1, 0),
    "分理处": (1, 0, 0, 1, 3, 0, 0),
}


def generate(sim: Simulation) -> None:
    """Write branch, employee, town, village, grid and all tables about the surroundings."""
    _towns(sim)
    _branches(sim)
    _villages(sim)
    _employees(sim)
    _grids(sim)
    economy.generate(sim)


def _towns(sim: Simulation) -> None:
    world, rng = sim.profile.world, sim.rng("town")
    count, core = setting(world, "towns"), setting(world, "core_towns")
    if not 0 < core < count:
        raise CourseError("银行档案 world 部分的 core_towns 应当大于 0 且小于 towns，请改正。")
    is_core = np.arange(count) < core
    core_share = setting(world, "core_population_share")
    size = rng.lognormal(0, 0.3, count)
    weight = np.where(
        is_core,
        core_share * size / size[is_core].sum(),
        (1 - core_share) * size / size[~is_core].sum(),
    )
    residents = split_integer(setting(world, "resident_population"), weight)
    # registered people who left come mostly from the outer towns
    outflow = weight * np.where(is_core, 0.45, 1.0) * rng.lognormal(0, 0.12, count)
    away = split_integer(_migrants(world), outflow)
    drawn_in = setting(world, "resident_population") - (
        setting(world, "registered_population") - away.sum()
    )
    registered = residents + away - split_integer(drawn_in, np.where(is_core, weight, 0))
    angle = rng.uniform(0, 2 * np.pi) + np.arange(count) * 2.39996
    radius = setting(world, "radius_km")
    far = radius * np.where(is_core, 0.13, rng.uniform(0.35, 1.0, count))
    far[0] = 0.0
    industries = setting(world, "industries")
    digits = setting(world, "market_digits")
    suffix_core = "街道"
    names = place_names(rng, count, "", town=True)
    sim.tables["town"] = pd.DataFrame(
        {
            "town_id": ids("T", np.arange(1, count + 1), 2),
            "town_name": [
                name + (suffix_core if c else "镇") for name, c in zip(names, is_core, strict=True)
            ],
            "town_kind": np.where(is_core, "城关", "乡镇"),
            "registered_population": registered,
            "resident_population": residents,
            "shops": np.round(
                residents * np.where(is_core, 0.032, 0.017) * rng.lognormal(0, 0.15, count)
            ).astype(int),
            "main_industry": [industries[i % len(industries)] for i in rng.permutation(count)],
            "market_digits": ["、".join(map(str, digits[i % len(digits)])) for i in range(count)],
            "x_km": np.round(far * np.cos(angle), 2),
            "y_km": np.round(far * np.sin(angle), 2),
        }
    )


def _migrants(world: dict) -> int:
    return round(setting(world, "registered_population") * setting(world, "migrant_rate"))


def _branches(sim: Simulation) -> None:
    world, rng, town = sim.profile.world, sim.rng("branch"), sim.tables["town"]
    numbers = setting(world, "branches")
    kinds = np.repeat(BRANCH_TYPES, [numbers[kind] for kind in BRANCH_TYPES])
    count = len(kinds)
    core = np.flatnonzero(town["town_kind"] == "城关")
    outer = np.flatnonzero(town["town_kind"] == "乡镇")
    population = town["resident_population"].to_numpy()
    at = np.empty(count, dtype=int)
    in_town = np.isin(kinds, ("营业部", "城区"))
    at[in_town] = np.resize(core, in_town.sum())
    at[0] = core[0]
    at[~in_town] = _spread(population, outer, (~in_town).sum())
    wide = np.where(kinds == "营业部", 0.0, np.where(in_town, 1.6, 2.8))
    x = town["x_km"].to_numpy()[at] + rng.normal(0, 1, count) * wide
    y = town["y_km"].to_numpy()[at] + rng.normal(0, 1, count) * wide
    counters = np.array([_COUNTERS[kind] for kind in kinds]) + rng.integers(-1, 2, count)
    sim.tables["branch"] = pd.DataFrame(
        {
            "branch_id": ids("B", np.arange(1, count + 1), 2),
            "branch_name": _branch_names(kinds, town["town_name"].to_numpy()[at]),
            "branch_type": kinds,
            "town_id": town["town_id"].to_numpy()[at],
            "x_km": np.round(x, 2),
            "y_km": np.round(y, 2),
            "counters": counters.clip(2),
            "open_date": draw_days(
                rng, pd.Timestamp("1988-01-01"), pd.Timestamp("2015-12-31"), count
            ),
        }
    )
    # managers that exist on paper only (m01_n02): whoever writes contacts leaves these out
    paper = np.zeros(count, dtype=bool)
    eligible = np.flatnonzero(kinds != "营业部")
    many = int(sim.effects.value("m01_n02", "stage1_branches"))
    paper[rng.choice(eligible, size=many, replace=False)] = True
    sim.arrays["paper_branch"] = paper


def _spread(population: np.ndarray, towns: np.ndarray, count: int) -> np.ndarray:
    """Give every town a branch first, then the rest one by one where most people share one."""
    at = list(towns[np.argsort(-population[towns], kind="stable")][:count])
    while len(at) < count:
        served = np.array([population[t] / (at.count(t) + 0.5) for t in towns])
        at.append(towns[int(np.argmax(served))])
    return np.array(at)


def _branch_names(kinds: np.ndarray, towns: np.ndarray) -> list[str]:
    names: list[str] = []
    for kind, town in zip(kinds, towns, strict=True):
        stem = town.removesuffix("街道").removesuffix("镇")
        ending = {"营业部": "营业部", "分理处": "分理处"}.get(kind, "支行")
        name = "总行营业部" if kind == "营业部" else stem + ending
        turn = 0
        while name in names:
            turn += 1
            name = f"{stem}第{_NUMERAL[turn]}{ending}"
        names.append(name)
    return names


def _villages(sim: Simulation) -> None:
    world, rng, town = sim.profile.world, sim.rng("village"), sim.tables["town"]
    branch = sim.tables["branch"]
    rural, urban = setting(world, "villages"), setting(world, "communities")
    is_core = (town["town_kind"] == "城关").to_numpy()
    people = town["resident_population"].to_numpy(dtype=float)
    # communities sit mostly in the core; a core town keeps a few villages
    per_village = split_integer(rural, people * np.where(is_core, 0.25, 1.0))
    per_community = split_integer(urban, people * np.where(is_core, 1.0, 0.08))
    at = np.concatenate([np.repeat(np.arange(len(town)), per_village),
                         np.repeat(np.arange(len(town)), per_community)])  # fmt: skip
    kind = np.repeat(["行政村", "社区"], [rural, urban])
    count = len(at)
    size = rng.lognormal(0, 0.4, count) * np.where(kind == "社区", 2.6, 1.0)
    residents = np.zeros(count, dtype=np.int64)
    for t in range(len(town)):
        inside = at == t
        if not inside.any():
            raise CourseError(
                f"{town['town_name'][t]} 一个村或社区也没有：请在 bank.yml 中增加 villages。"
            )
        residents[inside] = split_integer(int(people[t]), size[inside])
    rate = setting(world, "migrant_rate")
    leaving = rng.beta(6, 6 / rate - 6, count) * np.where(kind == "社区", 0.55, 1.12)
    leaving = leaving.clip(0.02, 0.7)
    households = np.ceil(residents / (1 - leaving) / 3.4).astype(int)
    wide = np.where(kind == "社区", 1.2, np.where(is_core[at], 2.5, 4.2))
    x = town["x_km"].to_numpy()[at] + rng.normal(0, 1, count) * wide
    y = town["y_km"].to_numpy()[at] + rng.normal(0, 1, count) * wide
    elder = setting(world, "elder_share") * (1 + 1.3 * (leaving - rate)) * rng.lognormal(
        0, 0.12, count
    )  # fmt: skip
    industries = np.array(setting(world, "industries"), dtype=object)
    own = town["main_industry"].to_numpy()[at]
    other = industries[rng.integers(0, len(industries), count)]
    sim.tables["village"] = pd.DataFrame(
        {
            "village_id": ids("V", np.arange(1, count + 1), 3),
            "town_id": town["town_id"].to_numpy()[at],
            "village_name": place_names(rng, rural, "村") + place_names(rng, urban, "社区"),
            "village_kind": kind,
            "branch_id": branch["branch_id"].to_numpy()[_serving_branch(x, y, at, branch, town)],
            "households": households,
            "resident_households": np.ceil(households * (1 - 0.8 * leaving)).astype(int),
            "resident_population": residents,
            "population_65_plus": np.round(residents * elder.clip(0.05, 0.6)).astype(int),
            "migrant_rate": np.round(leaving, 3),
            "main_industry": np.where(
                kind == "社区", "商贸服务", np.where(rng.random(count) < 0.7, own, other)
            ),
            "credit_village": rng.random(count) < np.where(kind == "社区", 0.2, 0.55),
            "x_km": np.round(x, 2),
            "y_km": np.round(y, 2),
        }
    )


def _serving_branch(x, y, at, branch: pd.DataFrame, town: pd.DataFrame) -> np.ndarray:
    """Return the position of the branch that serves each village: near, of the same town first."""
    home = town["town_id"].to_numpy()[at]
    distance = np.hypot(
        x[:, None] - branch["x_km"].to_numpy(), y[:, None] - branch["y_km"].to_numpy()
    )
    other_town = home[:, None] != branch["town_id"].to_numpy()
    return np.argmin(distance + 60.0 * other_town, axis=1)


def _employees(sim: Simulation) -> None:
    world, rng, branch = sim.profile.world, sim.rng("employee"), sim.tables["branch"]
    total, managers = setting(world, "employees"), setting(world, "managers")
    kinds = branch["branch_type"].to_numpy()
    served = _people_served(sim)
    per_manager = 1 + split_integer(managers - len(kinds), np.sqrt(served))
    mix = np.array([_POST_MIX[kind] for kind in kinds])
    mix = _fit_total(mix, total - managers)
    where = np.arange(len(kinds))
    desk = np.repeat(where, per_manager)
    others = np.repeat(np.tile(_POSTS, len(kinds)), mix.ravel())
    post = np.concatenate([np.repeat("客户经理", len(desk)), others])
    at = np.concatenate([desk, np.repeat(np.repeat(where, len(_POSTS)), mix.ravel())])
    leavers = np.flatnonzero(post == "客户经理")[:: max(1, managers // 24)]
    post, at = np.concatenate([post, post[leavers]]), np.concatenate([at, at[leavers]])
    active = np.arange(len(post)) < total
    age = np.where(
        np.isin(post, ("行长", "副行长")),
        rng.normal(46, 5, len(post)),
        22 + 34 * rng.beta(1.6, 1.9, len(post)),
    ).clip(23, 58)
    age[post == "客户经理"] = 24 + 33 * rng.beta(1.5, 1.7, (post == "客户经理").sum())
    birth = sim.as_of.year - np.floor(age).astype(int)
    started = rng.uniform(22, np.minimum(age, 30), len(post))
    hired = sim.as_of - pd.to_timedelta(np.round((age - started) * 365.25 + 30), unit="D")
    hired = np.where(active, hired, np.minimum(hired, sim.as_of - pd.Timedelta(days=1500)))
    left = np.where(
        active,
        np.datetime64("NaT"),
        draw_days(rng, sim.as_of - pd.Timedelta(days=720), sim.as_of, len(post)),
    )
    young = age < 35
    levels = np.array(["高中及以下", "大专", "本科", "研究生"], dtype=object)
    education = np.where(
        young,
        rng.choice(4, len(post), p=[0.02, 0.28, 0.62, 0.08]),
        rng.choice(4, len(post), p=[0.12, 0.46, 0.40, 0.02]),
    )
    woman = np.where(np.isin(post, ("柜员", "大堂经理", "理财经理", "综合岗")), 0.68, 0.36)
    sim.tables["employee"] = pd.DataFrame(
        {
            "employee_id": ids("E", np.arange(1, len(post) + 1), 4),
            "branch_id": branch["branch_id"].to_numpy()[at],
            "post": post,
            "hire_date": pd.to_datetime(hired).normalize(),
            "birth_year": birth,
            "gender": np.where(rng.random(len(post)) < woman, "女", "男"),
            "education": levels[education],
            "active": active,
            "leave_date": left,
        }
    )


def _people_served(sim: Simulation) -> np.ndarray:
    """Return resident population by serving branch, in branch order."""
    village, branch = sim.tables["village"], sim.tables["branch"]
    people = village.groupby("branch_id")["resident_population"].sum()
    return people.reindex(branch["branch_id"]).fillna(1500).to_numpy(dtype=float)


def _fit_total(mix: np.ndarray, total: int) -> np.ndarray:
    """Scale the tellers and back-office posts so that the staff adds up to `total`."""
    fixed = mix.copy()
    scalable = np.zeros_like(mix)
    scalable[:, 4:6] = mix[:, 4:6]
    fixed -= scalable
    rest = total - fixed.sum()
    if rest < len(mix):
        raise CourseError("银行档案 world 部分的 employees 太少，放不下每个网点的岗位，请调大。")
    # every branch keeps a teller
    scaled = split_integer(int(rest) - len(mix), shares(scalable.ravel())).reshape(mix.shape)
    scaled[:, 4] += 1
    return fixed + scaled


def _grids(sim: Simulation) -> None:
    rng, village, town = sim.rng("grid"), sim.tables["village"], sim.tables["town"]
    branch, employee = sim.tables["branch"], sim.tables["employee"]
    urban_shops = town["shops"].to_numpy()
    streets = np.repeat(np.arange(len(town)), np.maximum(1, urban_shops // 900))
    markets = np.flatnonzero(urban_shops >= np.median(urban_shops))
    parks = markets[: max(1, len(markets) // 2)]
    extra = np.concatenate([streets, markets, parks])
    kind = np.repeat(["街道", "市场", "园区"], [len(streets), len(markets), len(parks)])
    x = town["x_km"].to_numpy()[extra] + rng.normal(0, 0.8, len(extra))
    y = town["y_km"].to_numpy()[extra] + rng.normal(0, 0.8, len(extra))
    near = branch["branch_id"].to_numpy()[_serving_branch(x, y, extra, branch, town)]
    stem = [name.removesuffix("街道").removesuffix("镇") for name in town["town_name"]]
    label = {"街道": "商业街", "市场": "专业市场", "园区": "小微园"}
    serial = pd.Series(kind).groupby([kind, extra]).cumcount().to_numpy() + 1
    names = [f"{stem[t]}{label[k]}{n}号" for t, k, n in zip(extra, kind, serial, strict=True)]
    shops = np.where(
        kind == "街道", rng.integers(120, 420, len(extra)), rng.integers(60, 260, len(extra))
    )
    frame = pd.DataFrame(
        {
            "grid_name": [*village["village_name"], *names],
            "branch_id": [*village["branch_id"], *near],
            "kind": [
                *np.where(village["village_kind"] == "行政村", "村", "社区").tolist(),
                *kind.tolist(),
            ],
            "town_id": [*village["town_id"], *town["town_id"].to_numpy()[extra]],
            "village_id": [*village["village_id"], *[None] * len(extra)],
            "x_km": np.round([*village["x_km"], *x], 2),
            "y_km": np.round([*village["y_km"], *y], 2),
            "households": [*village["resident_households"], *rng.integers(60, 400, len(extra))],
            "shops": [
                *np.round(village["resident_population"] * 0.006).astype(int),
                *shops,
            ],
        }
    )  # fmt: skip
    frame.insert(0, "grid_id", ids("G", np.arange(1, len(frame) + 1), 3))
    lead = _turns(
        frame["branch_id"], employee[(employee["post"] == "客户经理") & employee["active"]]
    )
    helper = _turns(
        frame["branch_id"], employee[(employee["post"] != "客户经理") & employee["active"]]
    )
    frame["lead_employee_id"] = lead
    frame["assistant_employee_id"] = np.where(rng.random(len(frame)) < 0.8, helper, None)
    frame["has_liaison"] = rng.random(len(frame)) < np.where(frame["kind"] == "村", 0.7, 0.35)
    sim.tables["grid"] = frame


def _turns(branch_ids: pd.Series, staff: pd.DataFrame) -> np.ndarray:
    """Assign staff of the same branch in turns; returns employee ids in row order."""
    serial = branch_ids.groupby(branch_ids).cumcount().to_numpy()
    out = np.empty(len(branch_ids), dtype=object)
    for branch_id, members in staff.groupby("branch_id")["employee_id"]:
        rows = np.flatnonzero(branch_ids.to_numpy() == branch_id)
        out[rows] = members.to_numpy()[serial[rows] % len(members)]
    return out
