"""The latent population: who lives here, what they own, need and risk, before sampling."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.state import Simulation
from course_utils.synth.tools import calibrated, logistic, pick, setting, shares, standardise

SEGMENTS = np.array(["农户", "商户", "工薪", "企业主", "务工", "退休", "学生"], dtype=object)
# liking of each segment for age bands <22, 22-30, 30-40, 40-50, 50-60, 60-70, 70+
_BY_AGE = np.array(
    [
        [0.05, 0.25, 0.55, 0.95, 1.30, 1.30, 0.70],
        [0.05, 0.60, 1.10, 1.20, 0.90, 0.35, 0.05],
        [0.10, 1.50, 1.40, 1.10, 0.70, 0.05, 0.01],
        [0.00, 0.30, 0.90, 1.40, 1.10, 0.30, 0.05],
        [0.30, 1.50, 1.50, 1.20, 0.80, 0.10, 0.01],
        [0.00, 0.00, 0.00, 0.02, 0.35, 2.50, 4.00],
        [6.00, 0.35, 0.00, 0.00, 0.00, 0.00, 0.00],
    ]
)
_RURAL = np.array([4.0, 0.7, 0.5, 0.6, 1.7, 0.9, 1.0])  # liking in villages; 1 in communities
_INCOME = np.array([3200.0, 7200.0, 5200.0, 14000.0, 6300.0, 2300.0, 700.0])
_AUM_SHIFT = np.array([-0.05, 0.45, 0.05, 1.1, 0.0, 0.45, -1.1])
_NEED_SHIFT = np.array([0.0, 0.55, 0.0, 0.7, 0.05, -1.0, -0.9])
_PD_SHIFT = np.array([0.1, 0.15, -0.35, 0.2, 0.1, -0.1, 0.0])
# share of persons below each balance in this bank (facts: size tiers of personal depositors)
_TIER_SHARE = np.array([0, 0.18, 0.40, 0.705, 0.77, 0.857, 0.90, 0.9655, 0.9935, 0.9983, 1.0])
_TIER_AMOUNT = np.array([10, 600, 4500, 1e4, 2.8e4, 5e4, 1.02e5, 2e5, 4.4e5, 9e5, 2.2e6])
_LATENTS = ("wealth_z", "income_z", "digital_z", "loyalty", "price_sensitivity", "risk_z", "size_z")
_CORRELATION = np.array(
    [
        [1.00, 0.55, 0.10, 0.05, 0.15, -0.20, 0.45],
        [0.55, 1.00, 0.15, 0.00, 0.10, -0.20, 0.35],
        [0.10, 0.15, 1.00, -0.15, 0.25, 0.05, 0.10],
        [0.05, 0.00, -0.15, 1.00, -0.35, -0.10, 0.00],
        [0.15, 0.10, 0.25, -0.35, 1.00, 0.05, 0.10],
        [-0.20, -0.20, 0.05, -0.10, 0.05, 1.00, -0.10],
        [0.45, 0.35, 0.10, 0.00, 0.10, -0.10, 1.00],
    ]
)


def draw_population(sim: Simulation, count: int) -> pd.DataFrame:
    """Draw `count` persons who represent the bank's personal customers without any weighting.

    Parameters
    ----------
    sim : Simulation
        Needs the tables of the world.
    count : int
        Number of persons.

    Returns
    -------
    pandas.DataFrame
        Latent and public attributes by person, in random order.
    """
    rng, world = sim.rng("population"), sim.profile.world
    frame = _place_and_age(sim, rng, count)
    factors = rng.standard_normal((count, len(_LATENTS))) @ np.linalg.cholesky(_CORRELATION).T
    for i, name in enumerate(_LATENTS):
        frame[name] = factors[:, i]
    segment = _segments(sim, rng, frame)
    frame["segment"] = SEGMENTS[segment]
    frame["is_migrant"] = rng.random(count) < np.where(frame["segment"] == "务工", 0.93, 0.035)
    age = frame["age"].to_numpy()
    frame["digital"] = standardise(frame["digital_z"] - 0.055 * (age - 45)) + setting(
        world, "digital_shift"
    )
    level = setting(world, "income_level")
    income = _INCOME[segment] * np.exp(0.38 * frame["income_z"]) * level
    frame["income_month"] = np.round(income, -1).clip(lower=300)
    frame["need"] = _need(sim, rng, frame, segment)
    _money(sim, rng, frame, segment)
    _business(rng, frame)
    _risk_and_credit(sim, rng, frame, segment)
    _habits(sim, rng, frame)
    return frame.drop(columns=["wealth_z", "income_z", "digital_z", "risk_z", "size_z"])


def _place_and_age(sim: Simulation, rng: np.random.Generator, count: int) -> pd.DataFrame:
    village, town, branch = sim.tables["village"], sim.tables["town"], sim.tables["branch"]
    registered = village["resident_population"] / (1 - village["migrant_rate"])
    at = rng.choice(len(village), count, p=shares(registered))
    home = branch.set_index("branch_id").index.get_indexer(village["branch_id"])[at]
    # one in nine banks elsewhere: mostly the head office, branches in the core, small outlets
    kind = branch["branch_type"].to_numpy()
    pull = np.select([kind == "营业部", kind == "城区", kind == "分理处"], [3.0, 1.4, 0.9], 0.5)
    elsewhere = rng.choice(len(branch), count, p=shares(pull))
    branch_pos = np.where(rng.random(count) < 0.11, elsewhere, home)
    woman = rng.random(count) < 0.49
    rural = (village["village_kind"] == "行政村").to_numpy()[at]
    elder = setting(sim.profile.world, "elder_share")
    old = rng.random(count) < elder * np.where(rural, 1.15, 0.85)
    working = 16 + 49 * rng.beta(1.75, 1.7, count)
    age = np.where(old, 65 + 24 * rng.beta(1.1, 2.6, count), working)
    born = sim.as_of - pd.to_timedelta(np.floor(age * 365.2425).astype(int) + 1, unit="D")
    return pd.DataFrame(
        {
            "age": np.floor(age).astype(int),
            "birth_date": born.as_unit("s"),
            "gender": np.where(woman, "女", "男"),
            "village_pos": at,
            "town_id": village["town_id"].to_numpy()[at],
            "village_id": village["village_id"].to_numpy()[at],
            "is_core": town.set_index("town_id")["town_kind"]
            .reindex(village["town_id"])
            .eq("城关")
            .to_numpy()[at],
            "is_rural": rural,
            "branch_pos": branch_pos,
        }
    )


def _segments(sim: Simulation, rng: np.random.Generator, frame: pd.DataFrame) -> np.ndarray:
    """Draw segments that fit age and place and reach the profile's shares (raking)."""
    band = np.digitize(frame["age"], [22, 30, 40, 50, 60, 70])
    liking = _BY_AGE[:, band].T + 1e-6
    liking = liking * np.where(frame["is_rural"].to_numpy()[:, None], _RURAL, 1.0)
    leaving = sim.tables["village"]["migrant_rate"].to_numpy()[frame["village_pos"]]
    liking[:, 4] *= leaving / leaving.mean()
    wanted = setting(sim.profile.world, "segments")
    target = shares([wanted[name] for name in SEGMENTS])
    factor = np.ones(len(SEGMENTS))
    for _ in range(25):
        chance = liking * factor
        chance /= chance.sum(axis=1, keepdims=True)
        factor *= target / chance.mean(axis=0)
    return pick(rng, liking * factor)


def _need(sim, rng, frame: pd.DataFrame, segment: np.ndarray) -> np.ndarray:
    """Return credit need (standard normal) with a hump over each planted age band."""
    age = frame["age"].to_numpy(dtype=float)
    hump = np.zeros(len(age))
    for low, high in sim.effects.value("m03_n01", "need_humps"):
        hump += logistic((age - low + 0.5) / 0.8) * logistic((high + 0.5 - age) / 0.8)
    fade = -1.1 * logistic((age - 61) / 2.5)
    raw = 1.15 * hump + fade + _NEED_SHIFT[segment] - 0.15 * frame["wealth_z"]
    return standardise(raw + rng.standard_normal(len(age)))


def _money(sim: Simulation, rng, frame: pd.DataFrame, segment: np.ndarray) -> None:
    """Set own balance (money in this bank), wallet share and wealth."""
    age = frame["age"].to_numpy(dtype=float)
    score = (
        0.95 * frame["wealth_z"]
        + _AUM_SHIFT[segment]
        + 0.018 * (np.minimum(age, 70) - 45)
        + 0.22 * frame["loyalty"]
        + 0.7 * rng.standard_normal(len(frame))
    )
    share = (score.rank(method="first").to_numpy() - 0.5) / len(frame)
    amount = np.exp(np.interp(share, _TIER_SHARE, np.log(_TIER_AMOUNT)))
    amount *= setting(sim.profile.world, "wealth_level")
    # deposit insurance covers 50 万: some keep just below it
    near = (amount >= 5e5) & (amount < 6e5) & (rng.random(len(frame)) < 0.55)
    amount = np.where(near, rng.uniform(4.9e5, 5e5, len(frame)), amount)
    frame["own_money"] = np.round(amount, 2)
    frame["wallet_share"] = _wallet_share(sim, rng, frame)
    frame["wealth"] = np.round(amount / frame["wallet_share"], 2)


def _wallet_share(sim: Simulation, rng, frame: pd.DataFrame) -> np.ndarray:
    """Return own share of the wallet; above 5 万 exactly the planted part has less than 25 %."""
    score = 0.8 * frame["loyalty"] - 0.3 * frame["digital"] + rng.standard_normal(len(frame))
    rich = frame["own_money"] >= 5e4
    planted = np.where(rich, sim.effects.value("m02_n04", "gold_wallet"), 0.14)
    group = rich.astype(int) + (frame["own_money"] >= 2e5).astype(int)
    rank = (score.groupby(group).rank(method="first") - 0.5) / group.groupby(group).transform(
        "size"
    )
    low = 0.08 + 0.16 * rank / planted
    high = 0.26 + 0.73 * ((rank - planted) / (1 - planted)).clip(lower=0) ** 0.75
    return np.where(rank < planted, low, high).round(4)


def _business(rng: np.random.Generator, frame: pd.DataFrame) -> None:
    """Set log monthly turnover of those who run a business and who is registered as one."""
    runs = frame["segment"].isin(["商户", "企业主"]) | (
        (frame["segment"] == "农户") & (rng.random(len(frame)) < 0.12)
    )
    median = frame["segment"].map({"商户": 10.4, "企业主": 12.0, "农户": 9.7}).astype(float)
    size = median + 0.85 * frame["size_z"]
    frame["business_size"] = size.where(runs)
    registered = (frame["segment"] == "商户") & (rng.random(len(frame)) < 0.78)
    frame["customer_type"] = np.where(registered, "个体工商户", "个人")


def _risk_and_credit(sim: Simulation, rng, frame: pd.DataFrame, segment: np.ndarray) -> None:
    """Set merchant and borrower status and the true twelve-month PD."""
    world = sim.profile.world
    runs = frame["business_size"].notna().to_numpy()
    size = frame["business_size"].fillna(0).to_numpy()
    merchant = np.where(runs, 3.2 + 0.35 * (size - 10.4), -3.5) + 0.25 * frame["digital"]
    merchant = merchant + np.where(frame["segment"] == "农户", -3.0, 0)
    chance = calibrated(merchant.to_numpy(), setting(world, "merchant_share"))
    frame["is_merchant"] = rng.random(len(frame)) < chance
    income = standardise(np.log(frame["income_month"]))
    risk = 0.75 * frame["risk_z"] + 0.30 * frame["need"] - 0.30 * income + _PD_SHIFT[segment]
    appetite = (
        1.15 * frame["need"]
        - 0.35 * risk
        + np.where(runs, 0.9, 0)
        + 0.5 * frame["is_merchant"]
        + np.where(frame["segment"].isin(["退休", "学生"]), -1.5, 0)
        + np.where(frame["age"].between(20, 60), 0.6, -1.5)
        + 0.25 * frame["loyalty"]
    )
    chance = calibrated(appetite.to_numpy(), setting(world, "borrower_share"))
    frame["is_borrower"] = rng.random(len(frame)) < chance
    weights = np.where(frame["is_borrower"], 1.0, 1e-9)
    frame["pd"] = calibrated(risk.to_numpy(), 0.024, weights).clip(0.0005, 0.6)


def _habits(sim: Simulation, rng, frame: pd.DataFrame) -> None:
    """Set mobile bank, payroll, vehicle, online loans and whether the account is used at all."""
    world, count = sim.profile.world, len(frame)
    money = standardise(np.log(frame["own_money"]))
    age = frame["age"].to_numpy()
    active = (
        0.9 * money
        + np.where(frame["is_borrower"] | frame["is_merchant"], 2.2, 0)
        - np.where(frame["is_migrant"], 0.4, 0)
    )
    frame["active"] = rng.random(count) < calibrated(active, setting(world, "active_share"))
    mobile = 1.5 * frame["digital"] + 0.8 * frame["active"] + np.where(age > 75, -2, 0)
    chance = calibrated(mobile.to_numpy(), setting(world, "mobile_share"))
    frame["uses_mobile"] = rng.random(count) < chance
    payroll = frame["segment"].map({"工薪": 0.52, "务工": 0.07}).fillna(0.0)
    frame["has_payroll"] = rng.random(count) < payroll * np.where(frame["active"], 1.2, 0.4)
    income = standardise(np.log(frame["income_month"]))
    drives = 0.9 * income + np.where(frame["gender"] == "男", 0.6, -0.4)
    drives = drives + np.where((age >= 25) & (age <= 55), 0.8, -1.2)
    frame["has_vehicle"] = rng.random(count) < calibrated(drives, 0.30)
    online = 0.75 * frame["need"] + 0.7 * frame["digital"] + 0.25 * frame["price_sensitivity"]
    online = online + np.where((age >= 20) & (age <= 50), 0.8, -1.5)
    weights = frame["active"].astype(float).to_numpy() + 1e-9
    share = sim.effects.value("m03_n03", "online_users")
    frame["uses_online_loan"] = rng.random(count) < calibrated(online.to_numpy(), share, weights)
    more = rng.poisson(0.75 * np.exp(0.30 * frame["need"] + 0.2 * np.log(frame["pd"] / 0.02)))
    frame["online_lender_count"] = np.where(frame["uses_online_loan"], 1 + more.clip(max=7), 0)
    # what staff do: how often they are in touch, how fast they answer (m01_n02)
    frame["contact_z"] = standardise(
        0.35 * money + 0.2 * frame["loyalty"] + rng.normal(0, 1, count)
    )
    frame["response_z"] = standardise(0.1 * frame["contact_z"] + rng.normal(0, 1, count))
