"""Realised values of the planted truths of module m02.

Effects are realised as what the draw really contains: mean differences of the potential renewal
probabilities, and odds ratios from the risk states that drove the losses. Levels, segments and
events are read off the finished tables.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.synth.money.churn import Churn
from course_utils.synth.money.ladder import Ladder
from course_utils.synth.state import Simulation

NOTES = {
    "total_share_change": "近十八个月全部存款份额变化",
    "corp_demand_share_change": "2023 年 7 月以来单位活期份额变化，流向一家竞争机构",
    "mix_only": "1 表示上升全部来自结构，项目内份额合计不升",
    "cny_half_life_days": "个人活期春节流入自正月初八起减半的天数",
    "q1_maturity_share": "未来十二个月到期金额中一至三月所占比重",
    "contact_effect": "到期前 7-15 天联系使续存概率提高的平均值；自选触达的朴素比较见 naive",
    "big_gap_penalty": "资产五十万以上且同业利率高出超过 20 个基点时续存概率的变化",
    "spike_branch": "三天到期笔数日均与该网点可用接待能力之比",
    "wealth_misread": "存款流失户中资金转入本行理财的比例",
    "lead_months": "得分前百分之十的连续预警到流失的平均月数",
    "cohort_upgrade": "首年定期日均二十万以上客户五年后升档的比例，按权数",
    "cohort_lost": "同一批客户五年后资产不足首年两成的比例，按权数",
    "growth_3products": "产品三种以上客户五年增长的额外部分",
    "top5_share": "前百分之五个人客户持有资金的比重，按权数",
    "gold_wallet": "资产五万至五十万客户中钱包份额低于 25 % 的比例，按权数",
    "corr_base_potential": "网点存款基数与潜力的相关系数",
    "under_targeted": "基数低、潜力高的网点个数",
    "dead_accounts": "两年内新开对公户九十天内交易不超过一笔的比例",
    "shift_saving_bp": "九个百分点三年期改存一年期节省的基点",
    "active_true": "手机银行登录月份相对静默月份的存款差异，扣除客户与月份固定效应",
    "deviate_breach": "偏离度超过 4 % 的季末个数",
}
ODDS = ("or_uncontacted", "or_payroll_stop", "or_mobile_silent", "hr_manager_change")


def odds_from_cells(cells: np.ndarray) -> np.ndarray:
    """Return the four odds ratios from losses by combination of risks (log-linear rates).

    Losses are rare, so that rates stand for odds; other causes are in the exposure.

    Parameters
    ----------
    cells : numpy.ndarray of float, shape (16, 2)
        Exposure and losses; the index is the sum of bits 1, 2, 4, 8.
    """
    bits = (np.arange(16)[:, None] >> np.arange(4)) & 1
    x = np.column_stack([np.ones(16), bits]).astype(float)
    exposure, lost = cells[:, 0], cells[:, 1]
    if lost.sum() < 20:
        return np.full(4, np.nan)
    beta = np.zeros(5)
    beta[0] = np.log(lost.sum() / exposure.sum())
    for _ in range(50):
        mean = exposure * np.exp(x @ beta)
        hessian = (x * mean[:, None]).T @ x + 1e-9 * np.eye(5)
        beta = beta + np.linalg.solve(hessian, x.T @ (lost - mean))
    return np.exp(beta[1:])


def _effects(ladder: Ladder, churn: Churn) -> dict[str, float]:
    """Return realised effects from potential outcomes."""
    rows = np.concatenate(ladder.outcomes) if ladder.outcomes else np.zeros((0, 4))
    called = rows[:, 0] > 0
    cell = rows[:, 1] > 0
    values = {
        "contact_effect": float(rows[called, 2].mean()) if called.any() else 0.0,
        "big_gap_penalty": float(rows[cell, 3].mean()) if cell.any() else 0.0,
    }
    return values | dict(zip(ODDS, odds_from_cells(churn.cells).tolist(), strict=True))


def record_truth(sim: Simulation, ladder: Ladder, contact_log: pd.DataFrame) -> None:
    """Write planted and realised values of all m02 truths and the quarter-end breaches."""
    from course_utils.synth.recovery.money import RECOVERIES

    known = _effects(ladder, ladder.churn)
    tables = {**sim.tables, "contact_log": contact_log}
    for recovery in RECOVERIES:
        value = known.get(recovery.key)
        if value is None:
            value = float(recovery.estimate(tables, sim.profile))
        sim.record(recovery.lesson, recovery.key, round(value, 6), NOTES.get(recovery.key, ""))
    _details(sim, ladder)


def _details(sim: Simulation, ladder: Ladder) -> None:
    """Add what an instructor wants to know beside the planted numbers."""
    churn, log = ladder.churn, ladder.contacts.rows
    renewed = np.concatenate([row["renewed"] for row in ladder.everything])
    called = np.concatenate([row["called"] for row in ladder.everything])
    naive = renewed[called].mean() - renewed[~called].mean() if called.any() else float("nan")
    effect = sim.truth["m02_n02"]["contact_effect"]
    effect["naive"] = round(float(naive), 4)
    effect["trial_rows"] = int(sum((row["arm"] > 0).sum() for row in log))
    sim.truth["m02_n02"]["big_gap_penalty"]["rows"] = int(
        sum((part[:, 1] > 0).sum() for part in ladder.outcomes)
    )
    misread = sim.truth["m02_n03"]["wealth_misread"]
    misread["lost"] = int(((churn.lost_month >= 0) & ~churn.to_wealth).sum())
    misread["moved_to_wealth"] = int(churn.to_wealth.sum())
    branch = sim.tables["branch"]
    from course_utils.synth.money.planning import under_targeted, yearly_base

    marks = under_targeted(yearly_base(sim.tables), branch["deposit_potential"].to_numpy())
    sim.truth["m02_n05"]["under_targeted"]["branches"] = branch["branch_id"][marks].tolist()
