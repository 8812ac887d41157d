"""Wages of 24 months: pay, contributions, income tax by the cumulative method, employer cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.trade.draw import systematic_normal

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

# Pay of a post relative to a teller's, before calibration (course parameter).
POST_LEVEL = {
    "行长": 2.3, "副行长": 1.75, "客户经理": 1.30, "理财经理": 1.25, "大堂经理": 1.03,
    "柜员": 1.0, "综合岗": 1.05, "其他": 0.92,
}  # fmt: skip
MEAN_GROSS = 12_600.0  # 元 a month and head: 15 万 a year
SHARES = {"base": 0.30, "post_pay": 0.07, "performance": 0.545, "subsidy": 0.085}
BONUS_MONTHS = 0.55  # the January bonus in months of pay
PERFORMANCE_SPREAD = 0.26
RAW_GENDER_GAP = -0.11
TENURE_SLOPE = 0.010  # log pay a year of service, up to 20 years
PERSONAL = {"pension": 0.08, "medical": 0.02, "unemployment": 0.005, "housing": 0.12,
            "annuity": 0.04}  # fmt: skip
COMPANY = {"pension": 0.16, "medical": 0.08, "unemployment": 0.005, "injury": 0.002,
           "housing": 0.12, "annuity": 0.08}  # fmt: skip
BASE_SHARE, BASE_FLOOR, BASE_CAP = 0.86, 4_200.0, 27_000.0
TAX_FREE = 5_000.0  # 元 a month
BRACKETS = np.array([36_000, 144_000, 300_000, 420_000, 660_000, 960_000], dtype=float)
RATES = np.array([0.03, 0.10, 0.20, 0.25, 0.30, 0.35, 0.45])
QUICK = np.array([0, 2_520, 16_920, 31_920, 52_920, 85_920, 181_920], dtype=float)


def cumulative_tax(income: np.ndarray) -> np.ndarray:
    """Return the tax due on cumulative taxable income of the year (居民工资薪金, 累计预扣法).

    Parameters
    ----------
    income : numpy.ndarray
        Cumulative income less 5 000 元 a month and personal contributions, 元.

    Returns
    -------
    numpy.ndarray
        Tax in 元, rounded to cents, never negative.
    """
    positive = np.maximum(income, 0.0)
    bracket = np.searchsorted(BRACKETS, positive, side="left")
    return np.round(positive * RATES[bracket] - QUICK[bracket], 2)


def employed(sim: Simulation, months: pd.DatetimeIndex) -> np.ndarray:
    """Return which employees are paid in which month, bool ``[employee, month]``."""
    staff = sim.tables["employee"]
    ends = months.values.astype("datetime64[D]")[None, :]
    hired = staff["hire_date"].to_numpy().astype("datetime64[D]")[:, None]
    there = hired <= ends
    if "leave_date" in staff:
        left = staff["leave_date"].to_numpy().astype("datetime64[D]")[:, None]
        there &= np.isnat(left) | (left > ends)
    return there


def _levels(sim: Simulation, staff: pd.DataFrame, tenure: np.ndarray) -> np.ndarray:
    """Return log pay by post, spread so that the raw gender gap is as described."""
    post = staff["post"].astype(str).map(POST_LEVEL).fillna(1.0).to_numpy(dtype=float)
    woman = (staff["gender"].astype(str) == "女").to_numpy()
    active = staff["active"].astype(bool).to_numpy()
    log_post = np.log(post)

    def gap(values: np.ndarray) -> float:
        return float(values[active & woman].mean() - values[active & ~woman].mean())

    rest = np.log1p(RAW_GENDER_GAP) - sim.effects.value("m04_n05", "gender_adj")
    rest -= gap(TENURE_SLOPE * tenure)
    between = gap(log_post)
    scale = rest / between if between < -0.01 else 1.0
    return log_post * np.clip(scale, 0.5, 1.6)


def _independent_noise(
    rng: np.random.Generator, staff: pd.DataFrame, columns: list[np.ndarray]
) -> np.ndarray:
    """Return standard normal noise without any linear relation to posts, branches, columns."""
    noise = systematic_normal(rng, len(staff))
    design = np.column_stack(
        [
            *columns,
            pd.get_dummies(staff["post"].astype(str)).to_numpy(dtype=float),
            pd.get_dummies(staff["branch_id"].astype(str)).to_numpy(dtype=float),
        ]
    )
    for group in (True, False):
        rows = np.flatnonzero(staff["active"].astype(bool).to_numpy() == group)
        if len(rows) > design.shape[1]:
            fit = np.linalg.lstsq(design[rows], noise[rows], rcond=None)[0]
            noise[rows] -= design[rows] @ fit
    return noise / noise.std()


def generate(sim: Simulation) -> None:
    """Generate ``payroll`` and record the truths of ``m04_n05``."""
    rng = sim.rng("payroll")
    months = sim.months(24)
    staff = sim.tables["employee"].reset_index(drop=True)
    there = employed(sim, months)
    hired = staff["hire_date"].to_numpy().astype("datetime64[D]")
    years = (sim.as_of.to_datetime64().astype("datetime64[D]") - hired).astype(float) / 365.25
    tenure = years.clip(0, 20)
    woman = (staff["gender"].astype(str) == "女").to_numpy(dtype=float)
    skill = systematic_normal(rng, len(staff))
    skill = _independent_noise(rng, staff, [woman, tenure]) * 0.9 + 0.1 * skill
    skill = (skill - skill.mean()) / skill.std()
    luck = _independent_noise(rng, staff, [woman, tenure, skill])
    unfair = np.zeros(len(staff))
    planted = sim.effects.value("m04_n05", "underpaid")
    for branch, change in planted.items():
        unfair[(staff["branch_id"].astype(str) == branch).to_numpy()] = np.log1p(change)
    fixed = _levels(sim, staff, tenure) + TENURE_SLOPE * tenure + unfair
    fixed = fixed + sim.effects.value("m04_n05", "gender_adj") * woman
    pay = np.exp(fixed)
    pay *= MEAN_GROSS / (1 + BONUS_MONTHS / 12) / pay[there[:, -1]].mean()
    cents, score = _components(sim, rng, staff, pay, skill, luck, months)
    _write(sim, staff, there, months, cents, score)


def _components(
    sim: Simulation,
    rng: np.random.Generator,
    staff: pd.DataFrame,
    pay: np.ndarray,
    skill: np.ndarray,
    luck: np.ndarray,
    months: pd.DatetimeIndex,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return pay components in cents ``[employee, month]`` and the monthly scores."""
    shape = (len(staff), len(months))
    explained = sim.effects.value("m04_n05", "perf_r2")
    month_skill = skill[:, None] + 0.4 * rng.standard_normal(shape)
    result = np.sqrt(explained) * month_skill + np.sqrt(1 - explained) * luck[:, None]
    factor = (1 + PERFORMANCE_SPREAD * result).clip(0.15)
    growth = 1.02 ** ((np.arange(shape[1]) - shape[1] + 1) / 12)
    whole = pay[:, None] * growth[None, :]
    parts = {name: whole * share for name, share in SHARES.items()}
    parts["performance"] = parts["performance"] * factor
    parts["bonus"] = whole * factor * BONUS_MONTHS * (months.month.to_numpy() == 1)[None, :]
    extra = (rng.random(shape) < 0.12) * rng.uniform(100, 600, shape)
    parts["overtime"] = extra
    order = ("base", "post_pay", "performance", "bonus", "overtime", "subsidy")
    cents = {name: np.rint(parts[name] * 100).astype(np.int64) for name in order}
    score = np.round(90 + 10 * month_skill, 1).clip(30, 130)
    score[(staff["post"].astype(str) == "其他").to_numpy()] = np.nan
    return cents, score


def _contributions(
    gross: np.ndarray, there: np.ndarray, rates: dict[str, float], share: float
) -> dict[str, np.ndarray]:
    """Return contributions in cents; the base is a capped share of the mean pay of the period."""
    mean = (gross * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    base = np.clip(share * mean, BASE_FLOOR * 100, BASE_CAP * 100)
    shape = np.ones(gross.shape[1])
    return {
        name: np.rint(base[:, None] * rate * shape[None, :]).astype(np.int64)
        for name, rate in rates.items()
    }


def _tax(
    gross: np.ndarray, personal: np.ndarray, there: np.ndarray, months: pd.DatetimeIndex
) -> np.ndarray:
    """Return monthly tax in cents by the cumulative method, January to December."""
    tax = np.zeros_like(gross)
    income = np.zeros(len(gross))
    paid = np.zeros(len(gross))
    for m, end in enumerate(months):
        if end.month == 1:
            income[:], paid[:] = 0, 0
        taxable = (gross[:, m] - personal[:, m]) / 100 - TAX_FREE
        income += np.where(there[:, m], taxable, 0)
        due = np.maximum(cumulative_tax(income) - paid, 0)
        due = np.where(there[:, m], due, 0)
        paid += due
        tax[:, m] = np.rint(due * 100)
    return tax


def _write(
    sim: Simulation,
    staff: pd.DataFrame,
    there: np.ndarray,
    months: pd.DatetimeIndex,
    parts: dict[str, np.ndarray],
    score: np.ndarray,
) -> None:
    """Add contributions, tax and welfare, write the table, record the truths."""
    gross = sum(parts.values())
    personal = _contributions(gross, there, PERSONAL, BASE_SHARE)
    company = _contributions(gross, there, COMPANY, BASE_SHARE)
    tax = _tax(gross, sum(personal.values()), there, months)
    total, burden = int((gross * there).sum()), int((sum(company.values()) * there).sum())
    ratio = sim.effects.value("m04_n05", "cost_ratio")
    welfare = max(((ratio - 1) * total - burden) / max(there.sum(), 1), 0.0)
    m, who = np.nonzero(there.T)
    frame = {
        "month": months.values.astype("datetime64[s]")[m],
        "employee_id": staff["employee_id"].to_numpy()[who],
    }
    cents = {**parts, "gross": gross}
    cents |= {f"{name}_personal": values for name, values in personal.items()}
    cents |= {"tax": tax, "net": gross - sum(personal.values()) - tax}
    cents |= {f"{name}_company": values for name, values in company.items()}
    cents["welfare"] = np.full(gross.shape, round(welfare), dtype=np.int64)
    frame |= {name: values[who, m] / 100 for name, values in cents.items()}
    frame["kpi_score"] = score[who, m]
    sim.tables["payroll"] = pd.DataFrame(frame)
    cost = total + burden + round(welfare) * int(there.sum())
    sim.record("m04_n05", "cost_ratio", cost / total, "单位用工总成本与应发之比")
    sim.record("m04_n05", "underpaid", sim.effects.value("m04_n05", "underpaid"),
               "同样业绩下该网点应发偏低")  # fmt: skip
    sim.record("m04_n05", "gender_adj", sim.effects.value("m04_n05", "gender_adj"),
               "岗位、年限、绩效相同时女性与男性应发之差（对数）")  # fmt: skip
    sim.record("m04_n05", "perf_r2", sim.effects.value("m04_n05", "perf_r2"),
               "绩效工资中由考核得分解释的部分")  # fmt: skip
